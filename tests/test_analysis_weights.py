"""Fisher information, effective dimension, ranks and gradient variances against direct formulas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qsim
from qsim.analysis import (
    effective_dimension,
    fisher_spectrum,
    gradient_variance,
    gradient_variance_scaling,
    qfim_rank,
)
from qsim.errors import ArgumentError, ParameterError


def model(qubits: int = 2, layers: int = 1, features: int = 2) -> qsim.Circuit:
    x, w = qsim.ParameterVector("x", features), qsim.ParameterVector("theta", 2 * qubits * layers)
    circuit = qsim.Circuit(qubits)
    for layer in range(layers):
        for q in range(qubits):
            k = 2 * (layer * qubits + q)
            circuit.rx(x[q % features], q).ry(w[k], q).rz(w[k + 1], q)
        for q in range(qubits - 1):
            circuit.cx(q, q + 1)
    return circuit


def recorded() -> tuple[list[Any], Any]:
    """A list, and a function that draws and puts into it what it drew."""
    drawn: list[Any] = []

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
        drawn.append(rng.uniform(0, 2 * np.pi, shape))
        return drawn[-1].copy()

    return drawn, draw


def direct_fisher(circuit: qsim.Circuit, theta: Any, data: Any, outcomes: Any) -> Any:
    """Mean over the data of sum over outcomes of dp dp^T / p, by central differences."""
    step, size = 1e-5, len(theta)
    total = np.zeros((size, size))
    for row in data:
        shifted = [
            [
                outcomes(circuit, {"x": row, "theta": theta + sign * step * np.eye(size)[k]})
                for sign in (1, -1)
            ]
            for k in range(size)
        ]
        slopes = np.array([(up - down) / (2 * step) for up, down in shifted])
        p = outcomes(circuit, {"x": row, "theta": theta})
        total += (slopes / p) @ slopes.T
    return total / len(data)


def parity(circuit: qsim.Circuit, values: Any) -> Any:
    f = qsim.expectation(circuit, "Z0 Z1", values)
    return np.array([(1 + f) / 2, (1 - f) / 2])


@pytest.mark.parametrize("kind", ["observable", "qubits", "one qubit"])
def test_fisher_information_is_its_definition(kind: str) -> None:
    circuit, data = model(2, 2), np.random.default_rng(0).normal(size=(3, 2))
    drawn, draw = recorded()
    given_ = {"observable": {"observable": "Z0 Z1"}, "qubits": {}, "one qubit": {"qubits": [1]}}[kind]
    outcomes = {
        "observable": parity,
        "qubits": lambda c, v: qsim.probabilities(c, v),
        "one qubit": lambda c, v: qsim.probabilities(c, v, [1]),
    }[kind]
    found = fisher_spectrum(circuit, data, num_samples=4, draw=draw, seed=1, **given_)
    columns = [k for k, p in enumerate(circuit.parameters) if p.name.startswith("theta")]
    assert found.weights == tuple(circuit.parameters[k].name for k in columns)
    order = np.argsort([int(circuit.parameters[k].name[6:-1]) for k in columns])
    for row, matrix in zip(drawn[0], found.matrices, strict=True):
        theta = row[columns][order]
        expected = direct_fisher(circuit, theta, data, outcomes)
        np.testing.assert_allclose(matrix[np.ix_(order, order)], expected, atol=1e-6)
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(found.matrices), atol=1e-10)
    assert found.normalized.mean() == pytest.approx(1)


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from qsim.analysis import fisher

    circuit, data = model(), np.random.default_rng(0).normal(size=(5, 2))
    whole = fisher_spectrum(circuit, data, num_samples=6, seed=1)
    monkeypatch.setattr(fisher, "_MATRIX_BYTES", 1)
    np.testing.assert_allclose(fisher_spectrum(circuit, data, num_samples=6, seed=1).matrices, whole.matrices)


@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_effective_dimension_is_its_formula(gamma: float) -> None:
    """Abbas et al., equation 2, with determinants."""
    circuit, data = model(2, 2), np.random.default_rng(0).normal(size=(4, 2))
    sizes = (500, 10_000, 1_000_000)
    found = effective_dimension(circuit, data, sizes, gamma=gamma, observable="Z0", num_samples=20, seed=3)
    matrices = found.spectrum.matrices
    count = matrices.shape[-1]
    scaled = count * matrices / np.trace(matrices, axis1=1, axis2=2).mean()
    for n, value in zip(sizes, found.values, strict=True):
        kappa = gamma * n / (2 * math.pi * math.log(n))
        roots = [math.sqrt(np.linalg.det(np.eye(count) + kappa * m)) for m in scaled]
        assert value == pytest.approx(2 * math.log(np.mean(roots)) / math.log(kappa), rel=1e-9)
    assert (found.low < found.values).all() and (found.values <= found.high + 1e-12).all()
    np.testing.assert_allclose(found.normalized, found.values / count)
    assert found.num_weights == count == 8


def test_effective_dimension_of_known_models() -> None:
    t = qsim.ParameterVector("theta", 4)
    full = qsim.Circuit(2).ry(t[0], 0).ry(t[1], 1)  # Fisher information 1: log(1 + kappa) / log(kappa) each
    value = effective_dimension(full, num_data=10_000, num_samples=3, seed=0).values[0]
    kappa = 10_000 / (2 * math.pi * math.log(10_000))
    assert value == pytest.approx(2 * math.log(1 + kappa) / math.log(kappa))
    # of four weights that only occur as a sum, one direction counts
    summed = qsim.Circuit(1).ry(t[0] + t[1] + t[2] + t[3], 0)
    value = effective_dimension(summed, num_data=10**9, num_samples=3, seed=0).values[0]
    kappa = 10**9 / (2 * math.pi * math.log(10**9))
    assert value == pytest.approx(math.log(1 + 4 * kappa) / math.log(kappa))


def test_local_effective_dimension() -> None:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
        return 0.3 + 0.01 * rng.normal(size=shape)

    near = effective_dimension(model(), [[0.1, 0.2]], 10_000, draw=draw, num_samples=10, seed=1)
    assert (near.high - near.low)[0] < 0.05


def test_messages_of_fisher_information() -> None:
    circuit = model()
    data = np.zeros((2, 2))
    with pytest.raises(ArgumentError, match="exclude each other"):
        fisher_spectrum(circuit, data, observable="Z0", qubits=[0])
    with pytest.raises(ArgumentError, match="`X` must be given"):
        fisher_spectrum(circuit)
    with pytest.raises(ArgumentError, match="2 columns"):
        fisher_spectrum(circuit, np.zeros((2, 3)))
    with pytest.raises(ArgumentError, match="must have weights"):
        fisher_spectrum(qsim.feature_maps.angle(2), data)
    with pytest.raises(ArgumentError, match="between -1 and 1"):
        fisher_spectrum(circuit, data, observable={"Z0": 3.0}, seed=1)
    with pytest.raises(ArgumentError, match="exceeds 1, but for n = 10"):
        effective_dimension(circuit, data, num_data=[10, 1000])
    with pytest.raises(ArgumentError, match="above 0 and at most 1"):
        effective_dimension(circuit, data, gamma=1.5)
    t = qsim.Parameter("theta")
    with pytest.raises(ArgumentError, match="zero for all weights"):
        effective_dimension(qsim.Circuit(1).rz(t, 0))
    with pytest.raises(ParameterError, match="`nonsense` does not occur"):
        fisher_spectrum(circuit, data, fixed={"nonsense": 1.0})
    with pytest.raises(ArgumentError, match="has a batch"):
        fisher_spectrum(circuit, data, fixed={"theta[0]": [0.0, 1.0]})


# -- ranks -----------------------------------------------------------------------------------------


@given(seed=st.integers(0, 500), gates=st.integers(1, 8))
@settings(max_examples=30)
def test_rank_is_that_of_the_jacobian(seed: int, gates: int) -> None:
    """Of the derivative of the state, without its part along the state itself."""
    rng = np.random.default_rng(seed)
    t = qsim.ParameterVector("t", gates)
    circuit = qsim.Circuit(2)
    for k in range(gates):
        circuit.append(rng.choice(["rx", "ry", "rz", "p"]), (t[k],), int(rng.integers(2)))
        if rng.random() < 0.4:
            circuit.cx(0, 1)
    drawn, draw = recorded()
    found = qfim_rank(circuit, 1, draw=draw, seed=seed)
    at, step = drawn[0][0], 1e-6
    state = qsim.statevector(circuit, at)
    rows = []
    for k in range(gates):
        shift = step * np.eye(gates)[k]
        tangent = (qsim.statevector(circuit, at + shift) - qsim.statevector(circuit, at - shift)) / (2 * step)
        tangent = tangent - state * (state.conj() @ tangent)
        rows.append(np.concatenate([tangent.real, tangent.imag]))
    assert found.rank == np.linalg.matrix_rank(np.array(rows), tol=1e-4)
    assert found.redundant == gates - found.rank


def test_ranks_saturate() -> None:
    t = qsim.ParameterVector("t", 40)
    circuit = qsim.Circuit(2)
    for k in range(0, 40, 4):
        circuit.ry(t[k], 0).rz(t[k + 1], 0).ry(t[k + 2], 1).rz(t[k + 3], 1).cx(0, 1)
    found = qfim_rank(circuit, 3, seed=1)
    assert int(found) == 6 == found.largest_possible and "34 redundant" in str(found)
    assert found.ranks.tolist() == [6, 6, 6]
    product = qsim.Circuit(3)
    for q in range(3):
        product.ry(t[q], q)
    assert qfim_rank(product, 2, seed=1).rank == 3
    assert qfim_rank(circuit, 2, wrt=["t[38]", "t[39]"], seed=1).num_parameters == 2
    held = qfim_rank(circuit, 2, fixed=dict.fromkeys(circuit.parameters[:39], 0.1), seed=1)
    assert held.num_parameters == 1
    with pytest.raises(ArgumentError, match="has none"):
        qfim_rank(qsim.Circuit(1).h(0))
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        qfim_rank(circuit, tolerance=0.0)


# -- gradients -------------------------------------------------------------------------------------


def product_circuit(n: int) -> qsim.Circuit:
    t = qsim.ParameterVector("t", n)
    circuit = qsim.Circuit(n)
    for q in range(n):
        circuit.ry(t[q], q)
    return circuit


@pytest.mark.parametrize("n", [1, 2, 4])
def test_variance_of_a_product_is_its_closed_form(n: int) -> None:
    """C = prod cos(t_i), so each derivative has mean 0 and variance 2**-n."""
    label = " ".join(f"Z{q}" for q in range(n))
    found = gradient_variance(product_circuit(n), label, 8000, seed=5)
    # the squares have the fourth moment (3/8)**n: the error of each variance follows
    error = math.sqrt(((3 / 8) ** n - 4**-n) / 8000)
    np.testing.assert_allclose(found.variances, 2.0**-n, atol=5 * error)
    assert found.estimate.low < 2.0**-n < found.estimate.high
    assert found.parameters == tuple(f"t[{q}]" for q in range(n))


def test_a_local_cost_sees_one_parameter(backend: str) -> None:
    found = gradient_variance(product_circuit(3), "Z1", 3000, seed=2, backend=backend)
    np.testing.assert_allclose(found.variances, [0, 0.5, 0], atol=0.03)
    assert "2 without effect" in str(found)
    alone = gradient_variance(product_circuit(3), "Z1", 100, wrt="t[1]", seed=2)
    assert alone.gradients.shape == (100, 1)
    fixed = gradient_variance(product_circuit(3), "Z1 Z0", 2000, fixed={"t[0]": 0.0}, seed=2)
    assert fixed.parameters == ("t[1]", "t[2]") and fixed.variances[0] == pytest.approx(0.5, abs=0.04)


def test_gradients_are_those_of_the_model() -> None:
    drawn, draw = recorded()
    circuit = model()
    names = list(circuit.parameters)
    found = gradient_variance(circuit, "X0 Z1", 7, wrt=names, draw=draw, seed=1)
    expected = qsim.gradient(circuit, "X0 Z1", drawn[0])
    np.testing.assert_allclose(found.gradients, expected, atol=1e-12)
    np.testing.assert_allclose(found.variances, expected.var(axis=0, ddof=1), atol=1e-12)


def test_features_do_not_count_beside_weights() -> None:
    circuit = model()
    weights = tuple(p.name for p in circuit.parameters if p.name.startswith("theta"))
    assert gradient_variance(circuit, "Z0", 3, seed=1).parameters == weights
    assert qfim_rank(circuit, 1, seed=1).num_parameters == len(weights) == 4
    assert qfim_rank(circuit, 1, wrt=["x", "theta"], seed=1).num_parameters == 6
    assert qfim_rank(qsim.feature_maps.angle(3), 1, seed=1).num_parameters == 3


def test_scaling_of_a_global_and_a_local_cost() -> None:
    def whole(n: int) -> Any:
        return product_circuit(n), " ".join(f"Z{q}" for q in range(n))

    found = gradient_variance_scaling(whole, (1, 2, 3, 4, 5), num_samples=4000, seed=1)
    assert found.rate.low < math.log(2) < found.rate.high
    assert found.is_exponential and "barren plateau" in found.verdict
    local = gradient_variance_scaling(
        product_circuit, (1, 2, 4, 8), observable="Z0", wrt="t[0]", num_samples=2000, seed=1
    )
    assert not local.is_exponential and "does not fall" in local.verdict
    mean = gradient_variance_scaling(
        product_circuit, (1, 2, 4, 8, 12), observable="Z0", num_samples=2000, seed=1
    )  # one of n parameters counts: 1 / (2 n)
    assert mean.power.value == pytest.approx(1, abs=0.1)
    assert not mean.is_exponential and "no barren plateau" in mean.verdict
    assert "1 qubits" in str(mean) or "2 qubits" in str(mean)


def test_messages_of_gradient_variances() -> None:
    with pytest.raises(ArgumentError, match="at least 3 sizes"):
        gradient_variance_scaling(product_circuit, (2, 4), observable="Z0")
    with pytest.raises(ArgumentError, match="`observable` must be given"):
        gradient_variance_scaling(product_circuit)
    with pytest.raises(ArgumentError, match="vanish for 2 qubits"):
        gradient_variance_scaling(product_circuit, (2, 3, 4), observable="Y0", num_samples=10)
    with pytest.raises(ArgumentError, match="must be one observable"):
        gradient_variance(product_circuit(2), ["Z0", "Z1"])
    with pytest.raises(ArgumentError, match="to differentiate by"):
        gradient_variance(qsim.Circuit(1).h(0), "Z0")
