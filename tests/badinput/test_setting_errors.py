"""Bad values of the environment variables; and the ones that are overruled or ignored."""

from __future__ import annotations

import pytest
from badinput_helpers import cases, check_case

import qsim
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, BackendError

BELL = Circuit(2).h(0).cx(0, 1)


def call():
    return qsim.Simulator().expectation(BELL.copy(), "Z0 Z1")


BAD = {
    "QSIM_BACKEND": (
        BackendError,
        "QSIM_BACKEND must be one of cpp, numba, but is",
        ["gpu", "CPP", " cpp", "0"],
    ),
    "QSIM_PRECISION": (
        ArgumentError,
        "QSIM_PRECISION must be 'double' or 'single', but is",
        ["half", "Double", "64", "float64"],
    ),
    "QSIM_NUM_THREADS": (
        ArgumentError,
        "QSIM_NUM_THREADS must be a number from 1 to 4096, but is",
        ["0", "-1", "two", "2.0", "1e3", "4097", "9" * 5000, "²", "1 2", "true"],
    ),
}
CASES = cases(
    *[
        (f"{name}={value[:9]}", call, error, text)
        for name, (error, text, values) in BAD.items()
        for value in values
    ]
)
VALUES = [(name, value) for name, (_, _, values) in BAD.items() for value in values]


@pytest.mark.parametrize(
    "case, setting", list(zip(CASES, VALUES, strict=True)), ids=[case.name for case in CASES]
)
def test_refused(case, setting, monkeypatch):
    call()
    monkeypatch.setenv(*setting)
    check_case(case)


@pytest.mark.parametrize("name", BAD)
def test_empty_means_unset(name, monkeypatch):
    monkeypatch.setenv(name, "")
    assert call() == pytest.approx(1)


def test_arguments_go_before_the_environment(backend, monkeypatch):
    for name, (_, _, values) in BAD.items():
        monkeypatch.setenv(name, values[0])
    options = {"backend": backend, "precision": "single", "threads": 1}
    assert qsim.expectation(BELL, "Z0 Z1", **options) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("value", ["4,2", "auto", "-3", "9" * 5000])
def test_what_openmp_understands_is_left_alone(value, monkeypatch):
    monkeypatch.delenv("QSIM_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert call() == pytest.approx(1)
