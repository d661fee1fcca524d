"""Spectra and Fourier coefficients: those of Schuld et al., closed forms, and circuits at random."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qsim
from qsim.analysis import classical_surrogate, fourier_coefficients, fourier_spectrum
from qsim.errors import ArgumentError, CircuitError, ParameterError, UnboundParameterError
from qsim.feature_maps import FEATURE_MAPS

X = qsim.Parameter("x")


def uploads(layers: int, qubits: int = 1, scale: float = 1.0) -> qsim.Circuit:
    """Trainable blocks around encodings RX(scale x) on each qubit: the models of Schuld et al."""
    w = qsim.ParameterVector("theta", 3 * qubits * (layers + 1))
    circuit = qsim.Circuit(qubits)
    for layer in range(layers + 1):
        for q in range(qubits):
            k = 3 * (layer * qubits + q)
            circuit.rz(w[k], q).ry(w[k + 1], q).rz(w[k + 2], q)
        for q in range(qubits - 1):
            circuit.cx(q, q + 1)
        if layer < layers:
            for q in range(qubits):
                circuit.rx(scale * X, q)
    return circuit


@pytest.mark.parametrize(("layers", "qubits"), [(1, 1), (2, 1), (4, 1), (1, 3), (2, 2)])
def test_repeated_pauli_encodings(layers: int, qubits: int) -> None:
    """r encodings, parallel or in sequence, give the frequencies -r ... r, each with redundancy
    binomial(2 r, r + k) (Schuld et al. 2021; Peters and Schuld 2023)."""
    circuit, r = uploads(layers, qubits), layers * qubits
    spectrum = fourier_spectrum(circuit)
    np.testing.assert_allclose(spectrum.frequencies.ravel(), np.arange(-r, r + 1))
    np.testing.assert_allclose(spectrum.multiplicities, [comb(2 * r, r + k) for k in range(-r, r + 1)])
    assert spectrum.degree("x") == r and spectrum.period(0) == pytest.approx(2 * np.pi)


def test_a_single_encoding_is_a_sine() -> None:
    """Figure 3 of Schuld et al.: one Pauli rotation makes functions of one frequency, for any weights."""
    circuit = uploads(1)
    weights = {"theta": np.random.default_rng(0).uniform(0, 6, (20, 6))}
    series = fourier_coefficients(circuit, "Z0", weights)
    assert series.coefficients.shape == (20, 3)
    assert (np.abs(series.coefficients[:, 0]) > 1e-3).any()
    np.testing.assert_allclose(series.coefficients[:, 0], series.coefficients[:, 2].conj(), atol=1e-12)


def test_scaled_encodings() -> None:
    """Factors 3**i give all frequencies up to (3**n - 1) / 2, each once from single paths or more."""
    circuit = qsim.Circuit(3).rx(X, 0).rx(3 * X, 1).rx(9 * X, 2)
    np.testing.assert_allclose(fourier_spectrum(circuit).frequencies.ravel(), np.arange(-13, 14))
    tower = qsim.Circuit(3).rx(X, 0).rx(2 * X, 1).rx(3 * X, 2)
    np.testing.assert_allclose(fourier_spectrum(tower).frequencies.ravel(), np.arange(-6, 7))


@pytest.mark.parametrize(
    ("circuit", "expected"),
    [
        (qsim.Circuit(2).crx(X, 0, 1), [-1, -0.5, 0, 0.5, 1]),
        (qsim.Circuit(1).p(X, 0), [-1, 0, 1]),
        (qsim.Circuit(2).rzz(X, 0, 1), [-1, 0, 1]),
        (qsim.Circuit(1).rx(2 * X + 1, 0).rz(-X, 0), [-3, -2, -1, 0, 1, 2, 3]),
        (qsim.Circuit(1).h(0), [0]),
        (qsim.Circuit(1).rx(X, 0).rx(X, 0), [-2, 0, 2]),  # RX(2 x)
        (qsim.Circuit(1).rx(X, 0).rx(-X, 0), [0]),
        (qsim.Circuit(2).rxx(X, 0, 1).ryy(X, 0, 1).rzz(X, 0, 1), [-2, 0, 2]),  # levels -3/2 and 1/2
        (qsim.Circuit(3).rzz(X, 0, 1).rzz(X, 1, 2).rzz(X, 2, 0), [-2, 0, 2]),
        (qsim.Circuit(2).rzz(X, 0, 1).rx(X, 0), [-2, -1, 0, 1, 2]),
        (qsim.Circuit(2).crz(X, 0, 1).rz(X, 1), [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2]),
        (qsim.Circuit(3).cp(X, 0, 1).crx(X, 0, 2), [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2]),
    ],
    ids=lambda value: "" if isinstance(value, list) else " ".join(op.name for op in value),
)
def test_generators(circuit: qsim.Circuit, expected: list[float]) -> None:
    features = None if circuit.parameters else []
    found = fourier_spectrum(circuit, features).frequencies
    np.testing.assert_allclose(found.ravel() if found.size else [0], expected)


def test_frequencies_without_a_unit() -> None:
    circuit = qsim.Circuit(1).rx(X, 0).ry(np.sqrt(2) * X, 0)
    spectrum = fourier_spectrum(circuit)
    r = np.sqrt(2)
    expected = sorted([-1 - r, -r, 1 - r, -1, 0, 1, r - 1, r, 1 + r])
    np.testing.assert_allclose(spectrum.frequencies.ravel(), expected)
    assert spectrum.period("x") is None
    series = fourier_coefficients(circuit, "Z0")  # cos(x) cos(sqrt(2) x)
    ends = np.isin(np.abs(series.frequencies[:, 0]).round(6), np.round([r - 1, r + 1], 6))
    expected = np.where(ends, 0.25, 0.0)
    np.testing.assert_allclose(series.coefficients, expected, atol=1e-9)


def test_several_features_are_vectors() -> None:
    x = qsim.ParameterVector("x", 2)
    circuit = qsim.Circuit(2).rx(x[0], 0).rx(x[0] + 2 * x[1], 1)
    spectrum = fourier_spectrum(circuit)
    expected = sorted({(a + b, 2 * b) for a in (-1, 0, 1) for b in (-1, 0, 1)})
    np.testing.assert_allclose(spectrum.frequencies, expected)
    np.testing.assert_allclose(spectrum.of_feature("x[1]"), [-2, 0, 2])
    assert spectrum.period(1) == pytest.approx(np.pi)
    one = fourier_spectrum(circuit, "x[0]")
    assert one.features == ("x[0]",)
    np.testing.assert_allclose(one.frequencies.ravel(), [-2, -1, 0, 1, 2])


def test_closed_form_of_coefficients() -> None:
    x = qsim.ParameterVector("x", 2)
    circuit = qsim.Circuit(2).ry(x[0], 0).ry(x[1], 1)
    series = fourier_coefficients(circuit, {"Z0 Z1": 1.0, "X0": 0.5})  # cos x0 cos x1 + sin(x0) / 2
    table = dict(zip(map(tuple, series.frequencies.astype(int)), series.coefficients, strict=True))
    for key in [(1, 1), (1, -1), (-1, 1), (-1, -1)]:
        assert table[key] == pytest.approx(0.25)
    assert table[1, 0] == pytest.approx(-0.25j) and table[-1, 0] == pytest.approx(0.25j)
    assert table[0, 0] == pytest.approx(0, abs=1e-12)
    assert len(series.accessible()) == 6


@st.composite
def affine_circuits(draw: Any) -> tuple[qsim.Circuit, int]:
    """Circuits whose angles are affine in up to two features, with small whole coefficients."""
    size = draw(st.integers(1, 2))
    x = qsim.ParameterVector("x", size)
    circuit = qsim.Circuit(2).ry(0.4, 0).ry(1.1, 1)
    for _ in range(draw(st.integers(1, 4))):
        angle = draw(st.floats(-2, 2)) + sum(draw(st.integers(-2, 2)) * x[k] for k in range(size))
        kind = draw(st.sampled_from(["rx", "ry", "rz", "p", "rzz", "crx", "cp"]))
        qubits = [0, 1] if kind in ("rzz", "crx", "cp") else [draw(st.integers(0, 1))]
        circuit.append(kind, (angle,), qubits)
        circuit.cx(*draw(st.sampled_from([(0, 1), (1, 0)]))).h(draw(st.integers(0, 1)))
    for k in range(size):  # each feature occurs
        circuit.rx(x[k], k)
    return circuit, size


@given(made=affine_circuits(), seed=st.integers(0, 99))
@settings(max_examples=60)
def test_the_series_is_the_model(made: tuple[qsim.Circuit, int], seed: int) -> None:
    circuit, size = made
    observable = {"Z0": 0.7, "X0 Y1": -0.4, "Z1 Z0": 0.2}
    series = fourier_coefficients(circuit, observable)
    points = np.random.default_rng(seed).uniform(-9, 9, (6, size))
    np.testing.assert_allclose(
        series(points), qsim.expectation(circuit, observable, {"x": points}), atol=1e-10
    )
    opposite = {
        tuple(w): c for w, c in zip(series.frequencies.round(6) + 0.0, series.coefficients, strict=True)
    }
    for w, c in opposite.items():
        assert opposite[tuple(-np.array(w) + 0.0)] == pytest.approx(np.conj(c), abs=1e-10)


@given(made=affine_circuits())
@settings(max_examples=25)
def test_nothing_outside_the_spectrum(made: tuple[qsim.Circuit, int]) -> None:
    """A finer grid than the spectrum needs shows no further frequency."""
    circuit, size = made
    if size != 1:
        return
    own = {round(2 * w) for w in fourier_spectrum(circuit).frequencies.ravel()}
    count = 4 * max(own) + 9
    values = qsim.expectation(circuit, "X0 Z1", (4 * np.pi * np.arange(count) / count)[:, None])
    strong = np.flatnonzero(np.abs(np.fft.fft(values)) / count > 1e-10)
    assert {int(k) if k <= count // 2 else int(k) - count for k in strong} <= own


def test_weights_in_front_of_features() -> None:
    w = qsim.ParameterVector("theta", 2)
    circuit = qsim.Circuit(1).rx(w[0] * X, 0).rz(w[1], 0)
    with pytest.raises(ParameterError, match=r"Bind `theta\[0\]` first"):
        fourier_spectrum(circuit)
    series = fourier_coefficients(circuit, "Z0", {"theta": [3.0, 0.1]})
    np.testing.assert_allclose(series.frequencies.ravel(), [-3, 0, 3])
    with pytest.raises(ParameterError, match="Bind"):
        fourier_coefficients(circuit, "Z0", {"theta": np.ones((2, 2))})


@pytest.mark.parametrize("name", [n for n, record in FEATURE_MAPS.items() if record.spectrum(2) is not None])
def test_declared_spectra_of_feature_maps(name: str) -> None:
    """What a record declares is what the gates say."""
    circuit = FEATURE_MAPS[name](2)
    declared = FEATURE_MAPS[name].spectrum(2)
    assert declared is not None
    for k, own in enumerate(declared):
        found = fourier_spectrum(circuit, f"x[{k}]").of_feature(0)
        np.testing.assert_allclose(found[found >= 0], own, atol=1e-9, err_msg=f"{name}, feature {k}")


def test_messages() -> None:
    with pytest.raises(ParameterError, match="must be affine in feature `x`"):
        fourier_spectrum(qsim.Circuit(1).rx(X * X, 0))
    with pytest.raises(CircuitError, match="needs a circuit of unitary gates"):
        fourier_spectrum(qsim.Circuit(1, 1).rx(X, 0).measure(0, 0).x(0))
    with pytest.raises(UnboundParameterError, match=r"none for `theta\[0\]`"):
        fourier_coefficients(uploads(1), "Z0")
    with pytest.raises(ArgumentError, match="must be one observable"):
        fourier_coefficients(qsim.Circuit(1).rx(X, 0), ["Z0", "X0"])
    with pytest.raises(TypeError, match="must map names to values"):
        fourier_coefficients(qsim.Circuit(1).rx(X, 0), "Z0", [1.0])  # type: ignore[arg-type]
    many = qsim.ParameterVector("x", 14)
    wide = qsim.Circuit(14)
    for q in range(14):
        wide.rx(many[q], q)
    with pytest.raises(ArgumentError, match="at most 200000 frequencies"):
        fourier_spectrum(wide)
    sparse = qsim.Circuit(4)
    for q in range(2):
        sparse.rx(many[q], q).rx(900 * many[q], 2 + q)
    assert len(fourier_spectrum(sparse)) == 81
    with pytest.raises(ArgumentError, match=r"at most 2000000 points"):
        fourier_coefficients(sparse, "Z0")
    spectrum = fourier_spectrum(qsim.Circuit(1).rx(X, 0))
    with pytest.raises(ArgumentError, match="must be one of x"):
        spectrum.of_feature("y")
    with pytest.raises(ArgumentError, match="must have 1 columns"):
        fourier_coefficients(qsim.Circuit(1).rx(X, 0), "Z0")(np.zeros((3, 2)))


# -- surrogates ------------------------------------------------------------------------------------


def test_a_model_of_few_frequencies_has_an_exact_surrogate() -> None:
    circuit = uploads(3, 2)
    weights = {"theta": np.random.default_rng(1).uniform(0, 6, 24)}
    found = classical_surrogate(circuit, "Z0", weights, num_random_features=40, seed=1)
    assert found.trigonometric is not None and found.trigonometric.r2.low > 0.999
    assert found.best is found.trigonometric and found.r2.value > 0.999999
    points = np.linspace(-3, 3, 7)[:, None]
    expected = qsim.expectation(circuit, "Z0", {"x": points[:, 0], **weights})
    np.testing.assert_allclose(found(points), expected, atol=1e-6)
    assert len(found.trigonometric.frequencies) == 7  # 0 ... 6
    assert "R^2" in str(found)


def test_r2_is_one_minus_error_over_variance() -> None:
    x = qsim.ParameterVector("x", 3)
    circuit = qsim.feature_maps.zz(3)
    data = np.random.default_rng(0).uniform(0, 1, (80, 3))
    found = classical_surrogate(circuit, "Z0", None, data, num_random_features=60, seed=2)
    assert found.trigonometric is None
    truth = qsim.expectation(circuit, "Z0", {x: data})
    np.testing.assert_allclose(found.test_values, truth, atol=1e-12)
    np.testing.assert_allclose(found.random(data), found.test_fits, atol=1e-12)
    r2 = 1 - ((truth - found.test_fits) ** 2).mean() / truth.var()
    assert found.r2.value == pytest.approx(r2)
    assert found.r2.low < found.r2.value < found.r2.high


def test_random_features_of_a_wide_model() -> None:
    """A product of many features' cosines is no sum of few waves, and the report of it is low."""
    x = qsim.ParameterVector("x", 8)
    circuit = qsim.Circuit(8)
    for q in range(8):
        circuit.ry(x[q], q)
    label = " ".join(f"Z{q}" for q in range(8))
    found = classical_surrogate(circuit, label, num_random_features=50, max_frequencies=100, seed=1)
    assert found.trigonometric is None and found.r2.value < 0.5
    easy = classical_surrogate(circuit, "Z0", num_random_features=150, max_frequencies=100, seed=1)
    assert easy.r2.value > found.r2.value


def test_surrogates_are_reproducible() -> None:
    weights = {"theta": np.arange(12.0)}
    first, second = (
        classical_surrogate(uploads(1, 2), "Z1", weights, num_random_features=40, seed=4) for _ in range(2)
    )
    np.testing.assert_array_equal(first.best.coefficients, second.best.coefficients)
    with pytest.raises(ArgumentError, match="one value for each parameter"):
        classical_surrogate(uploads(1, 2), "Z1", {"theta": np.zeros((3, 12))})
    with pytest.raises(ArgumentError, match="must have features"):
        classical_surrogate(qsim.Circuit(1).h(0), "Z0")
    with pytest.raises(ArgumentError, match="1 column, one for each feature"):
        classical_surrogate(uploads(1, 2), "Z1", weights, np.zeros((4, 3)))
