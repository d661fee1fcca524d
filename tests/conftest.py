"""Fixtures, profiles and markers of the whole suite.

Everything that a backend computes is tested on each backend, and on each instruction set of the C++ core.
``QSIM_BACKEND=numba pytest`` restricts the suite to one backend.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from qsim.backends.base import Backend, available_backends, get_backend

# Processes that tests start with ``python -c`` would import the package of the current directory: in a
# clone that is the source tree, which has no built core, instead of what is installed.
os.environ.setdefault("PYTHONSAFEPATH", "1")

# Fixtures of function scope are constants of a test here (a backend, a precision), so hypothesis may
# share them between examples.
_COMMON = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
settings.register_profile("ci", derandomize=True, max_examples=60, database=None, **_COMMON)
settings.register_profile("deep", max_examples=10_000, **_COMMON)
settings.load_profile("ci")


def _chosen_backends() -> tuple[str, ...]:
    only = os.environ.get("QSIM_BACKEND")
    return tuple(name for name in available_backends() if only in (None, "", name))


def _runnable_isas() -> tuple[str, ...]:
    if importlib.util.find_spec("qsim._core") is None:
        return ()
    from qsim import _core

    return tuple(_core.available_isas())


BACKEND_NAMES = _chosen_backends()
ISAS = _runnable_isas() if "cpp" in BACKEND_NAMES else ()
#: every set of kernels that can run here: the C++ core once for each instruction set, and Numba
KERNELS = tuple(f"cpp-{isa}" for isa in ISAS) + (("numba",) if "numba" in BACKEND_NAMES else ())


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "packaging: builds and installs the package")
    config.addinivalue_line("markers", "slow: takes more than ten seconds")


def select_kernel(kernel: str) -> Backend:
    """The backend of a set of kernels, with the C++ core switched to its instruction set."""
    name, _, isa = kernel.partition("-")
    if isa:
        from qsim import _core

        _core.set_isa(isa)
    return get_backend(name)


@pytest.fixture
def restored_isa() -> Iterator[None]:
    """Puts the instruction set back after a test that switches it."""
    if not ISAS:
        yield
        return
    from qsim import _core

    before = _core.isa()
    try:
        yield
    finally:
        _core.set_isa(before)


@pytest.fixture(params=BACKEND_NAMES)
def backend(request: pytest.FixtureRequest) -> str:
    """Name of each backend that can run here."""
    return request.param


@pytest.fixture(
    params=ISAS or [pytest.param(None, marks=pytest.mark.skip(reason="the C++ core is not built"))]
)
def isa(request: pytest.FixtureRequest, restored_isa: None) -> str:
    """Each instruction set of the C++ core that this processor runs, switched on for the test."""
    from qsim import _core

    _core.set_isa(request.param)
    return request.param


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest, restored_isa: None) -> Backend:
    """Each set of kernels (backend and instruction set), as a backend object."""
    return select_kernel(request.param)


@pytest.fixture(params=["double", "single"])
def precision(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=[np.complex128, np.complex64], ids=["complex128", "complex64"])
def dtype(request: pytest.FixtureRequest) -> np.dtype:
    return np.dtype(request.param)


@pytest.fixture(params=[1, 2, 3], ids="threads{}".format)
def threads(request: pytest.FixtureRequest) -> int:
    return request.param


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints how many cases the tests that count theirs have run."""
    totals: dict[str, int] = {}
    for report in terminalreporter.stats.get("passed", []):
        for name, value in getattr(report, "user_properties", []):
            if name.endswith(" cases"):
                totals[name] = totals.get(name, 0) + int(value)
    for name, total in sorted(totals.items()):
        terminalreporter.write_line(f"{name}: {total:,}")
