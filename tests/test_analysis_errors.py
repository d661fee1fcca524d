"""Bad input of each function of `qsim.analysis`: which argument, what must hold, what was given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import qsim
from qsim import analysis as an
from qsim.errors import ArgumentError, CircuitError, ObservableError, ParameterError, QubitError, StateError

T = qsim.ParameterVector("t", 2)
GOOD = qsim.Circuit(2).ry(T[0], 0).ry(T[1], 1).cx(0, 1)
MEASURED = qsim.Circuit(1, 1).ry(T[0], 0).measure(0, 0).x(0)
MODEL = qsim.Circuit(1).ry(qsim.ParameterVector("x", 1)[0], 0).rz(T[0], 0).ry(T[1], 0)
DATA = np.linspace(0, 1, 5)[:, None]

#: Functions of a circuit, with what else they need.
OF_CIRCUITS: dict[str, Any] = {
    "expressibility": lambda circuit, **options: an.expressibility(circuit, **{"num_samples": 5, **options}),
    "frame_potentials": lambda circuit, **options: an.frame_potentials(
        circuit, **{"num_samples": 5, **options}
    ),
    "entangling_capability": lambda circuit, **options: an.entangling_capability(
        circuit, **{"num_samples": 5, **options}
    ),
    "gradient_variance": lambda circuit, **options: an.gradient_variance(
        circuit, "Z0", **{"num_samples": 5, **options}
    ),
    "qfim_rank": lambda circuit, **options: an.qfim_rank(circuit, **{"num_samples": 5, **options}),
    "fisher_spectrum": lambda circuit, **options: an.fisher_spectrum(
        circuit, **{"num_samples": 5, **options}
    ),
}


@pytest.mark.parametrize("name", OF_CIRCUITS)
def test_circuits(name: str) -> None:
    function = OF_CIRCUITS[name]
    with pytest.raises(TypeError, match="`circuit` must be a Circuit, but is str"):
        function("ry")
    with pytest.raises(CircuitError, match=f"`{name}` needs a circuit of unitary gates"):
        function(MEASURED)
    lossy = qsim.Circuit(1).ry(T[0], 0).unitary(np.diag([1.0, 0.5]), 0, check=False)
    with pytest.raises(CircuitError, match="is not unitary"):
        function(lossy)


@pytest.mark.parametrize("name", OF_CIRCUITS)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"num_samples": 0}, ArgumentError, "`num_samples` must be at least"),
        ({"num_samples": 2.5}, TypeError, "`num_samples` must be an int"),
        ({"num_samples": True}, TypeError, "`num_samples` must be an int"),
        ({"draw": 3.0}, TypeError, r"`draw` must be \(low, high\) or a function"),
        ({"draw": (0, 1, 2)}, TypeError, r"`draw` must be \(low, high\)"),
        ({"draw": (1.0, 0.0)}, ArgumentError, "`draw` must be finite with low <= high"),
        ({"draw": (0.0, np.nan)}, ArgumentError, "`draw` must be finite"),
        ({"draw": lambda rng, shape: rng.uniform(size=3)}, ArgumentError, "`draw` must give an array"),
        ({"draw": lambda rng, shape: np.full(shape, np.nan)}, ParameterError, "must be finite"),
        ({"fixed": {"u": 1.0}}, ParameterError, "Parameter `u` does not occur"),
        ({"fixed": [1.0]}, TypeError, "must"),
        ({"fixed": {"t[0]": np.nan}}, ParameterError, r"`t\[0\]` must be finite"),
        ({"fixed": {"t[0]": [1.0, 2.0]}}, ArgumentError, "`fixed` must hold one value for each parameter"),
        ({"fixed": {1: 2.0}}, TypeError, "`fixed` must hold parameters or names"),
        ({"seed": -1}, ArgumentError, "`seed` must not be negative"),
        ({"seed": "lucky"}, TypeError, "`seed` must be None, an int"),
        ({"backend": "abacus"}, Exception, "abacus"),
    ],
)  # fmt: skip
def test_options(name: str, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        OF_CIRCUITS[name](GOOD, **options)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1, 2, np.nan])
def test_confidence(confidence: float) -> None:
    for name in ("expressibility", "frame_potentials", "entangling_capability", "gradient_variance"):
        with pytest.raises(ArgumentError, match="`confidence` must lie between 0 and 1"):
            OF_CIRCUITS[name](GOOD, confidence=confidence)
    with pytest.raises(TypeError, match="`confidence` must be a number"):
        an.expressibility(GOOD, confidence="high")  # type: ignore[arg-type]


def test_states() -> None:
    with pytest.raises(ArgumentError, match="`num_bins` must be at least 2"):
        an.expressibility(GOOD, num_bins=1)
    for orders in ([], [0], [1.5]):
        with pytest.raises((ArgumentError, TypeError), match="`orders` must"):
            an.frame_potentials(GOOD, orders)
    with pytest.raises(ArgumentError, match="at least 1 qubit"):
        an.entangling_capability(qsim.Circuit(0))
    for bad in (np.ones(3), np.ones((2, 2, 2)), np.ones(1), 1.0):
        with pytest.raises(StateError, match=r"must have shape \(2\*\*n,\)"):
            an.meyer_wallach(bad)
    for state in (np.ones(4), np.full(4, np.nan)):
        with pytest.raises(StateError, match="normalised and finite"):
            an.meyer_wallach(state)
    with pytest.raises(TypeError, match="must hold numbers"):
        an.meyer_wallach(["a", "b"])
    assert an.meyer_wallach(np.zeros((0, 4))).shape == (0,)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.array([[np.nan]]), ArgumentError, "`X` must be finite, but is nan in row 0, column 0"),
        (np.zeros((0, 1)), ArgumentError, "at least 1 row, but has 0"),
        (np.zeros(4), ArgumentError, "reshape"),
        (np.zeros((4, 2)), ArgumentError, "1 column"),
        ([["a"]], TypeError, "`X` must be real numbers"),
        ([[1.0], [1.0, 2.0]], ArgumentError, "of the same length|irregular"),
    ],
)
def test_data(X: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        an.fisher_spectrum(MODEL, X)
    with pytest.raises(error, match=message):
        an.classical_surrogate(MODEL, "Z0", {"t": [0.1, 0.2]}, X)


def test_observables() -> None:
    for function in (
        lambda o: an.gradient_variance(GOOD, o),
        lambda o: an.fourier_coefficients(GOOD, o),
        lambda o: an.classical_surrogate(GOOD, o),
        lambda o: an.fisher_spectrum(GOOD, observable=o),
    ):
        with pytest.raises((ObservableError, QubitError), match="7"):
            function("Z7")
        with pytest.raises((ObservableError, TypeError)):
            function(3.0)


def test_fits() -> None:
    with pytest.raises(ArgumentError, match="`num_random_features` must be at least 1"):
        an.classical_surrogate(GOOD, "Z0", num_random_features=0)
    with pytest.raises(ArgumentError, match="`num_test` must be at least 2"):
        an.classical_surrogate(GOOD, "Z0", num_test=1)
    with pytest.raises(ArgumentError, match="`max_frequencies` must be at least 0"):
        an.classical_surrogate(GOOD, "Z0", max_frequencies=-1)
    with pytest.raises(ArgumentError, match="`gamma` must be above 0"):
        an.effective_dimension(GOOD, gamma=0)
    with pytest.raises((ArgumentError, TypeError), match="`num_data` must"):
        an.effective_dimension(GOOD, num_data=[])
    for features in (3, [3]):
        with pytest.raises(TypeError, match="`features` must"):
            an.fourier_spectrum(GOOD, features)
    with pytest.raises(ParameterError, match="`y` does not occur"):
        an.fourier_spectrum(GOOD, "y")


def test_small_but_legal() -> None:
    """One sample where one suffices, constant data, constant models."""
    assert an.fisher_spectrum(MODEL, DATA[:1], num_samples=1, observable="Z0", seed=1).matrices.shape == (
        1,
        2,
        2,
    )
    constant = an.classical_surrogate(
        MODEL, "Z0", {"t": [0.1, 0.2]}, np.full((3, 1), 0.5), num_random_features=5, seed=1
    )
    assert constant.r2.value == pytest.approx(1, abs=1e-3) or np.isfinite(constant.r2.value)
    flat = an.fourier_coefficients(qsim.Circuit(1).rz(T[0], 0), "Z0")
    np.testing.assert_allclose(flat.coefficients, [0, 1, 0], atol=1e-12)
    idle = an.expressibility(qsim.Circuit(0), 5)
    assert float(idle) == 0.0  # one state: Haar-random is the same
    assert an.qfim_rank(qsim.Circuit(1).rz(T[0], 0), 2, seed=1).rank == 0
