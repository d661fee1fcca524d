"""Every GradientError names what stands in the way, where it stands, and the methods that can."""

from __future__ import annotations

import numpy as np
import pytest

import qsim
from qsim.circuit import Circuit
from qsim.errors import GradientError
from qsim.gradients.evaluate import METHODS
from qsim.measurements import DensityMatrix, Purity, State

T = qsim.Parameter("t")
LEVELS = np.random.default_rng(0).random(16)  # with 120 gaps
EXACT = [m for m in METHODS if m not in ("finite_difference", "spsa")]


def growing() -> Circuit:
    return Circuit(2).h(0).rx(T, 1).unitary(np.diag([1.0, 0.5]), 0, name="damp", check=False).ry(T, 0)


def measuring() -> Circuit:
    return Circuit(2, 1).h(0).cx(0, 1).rx(T, 1).measure(1, 0).x(1)


def resetting() -> Circuit:
    return Circuit(2).ry(T, 0).reset(0).h(1)


def branching() -> Circuit:
    return Circuit(2, 1).ry(T, 0).measure(0, 0).if_else((0, 1), Circuit(2, 1).x(1))


def noisy() -> Circuit:
    half = np.sqrt(0.5)
    return Circuit(1).ry(T, 0).kraus([half * np.eye(2), half * np.diag([1, -1])], 0).h(0)


@pytest.mark.parametrize("method", [*EXACT, "vjp", "jvp", "hvp", "hessian", "quantum_fisher"])
@pytest.mark.parametrize(
    ("circuit", "obstacle"),
    [
        (growing(), "gate 2, `damp`, which is not unitary"),
        (measuring(), "`measure` of qubit 1 before its end, behind 3 gates"),
        (resetting(), "`reset` of qubit 0 before its end, behind 1 gate"),
        (branching(), "`measure` of qubit 0 before its end, behind 1 gate"),
        (noisy(), "`kraus` before its end, behind 1 gate"),
    ],
)
def test_what_is_not_unitary(method, circuit, obstacle):
    calls = {
        "vjp": lambda: qsim.vjp(circuit, "Z0", [0.3], 1.0),
        "jvp": lambda: qsim.jvp(circuit, "Z0", [0.3], [1.0]),
        "hvp": lambda: qsim.hvp(circuit, "Z0", [0.3], [1.0]),
        "hessian": lambda: qsim.hessian(circuit, "Z0", [0.3]),
        "quantum_fisher": lambda: qsim.quantum_fisher(circuit, [0.3]),
    }
    call = calls.get(method, lambda: qsim.gradient(circuit, "Z0", [0.3], method=method))
    with pytest.raises(GradientError) as caught:
        call()
    assert f"this one has {obstacle}. Use method='finite_difference'" in str(caught.value)
    assert np.isfinite(qsim.gradient(circuit, "Z0", [0.3], method="finite_difference")).all()


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (
            lambda: qsim.gradient(measuring(), "Z0", [0.3], method="finite_difference", shots=10),
            ["Shots of a gradient", "`measure` of qubit 1", "behind 3 gates", "method='finite_difference'"],
        ),
        (
            lambda: qsim.gradient(growing(), State(), [0.3], method="spsa"),
            ["State()", "gate 2, `damp`", "method='finite_difference'"],
        ),
        (
            lambda: qsim.gradient(
                Circuit(8)
                .h(0)
                .rx(T, 1)
                .generator(np.kron(np.diag([1, 2]), np.ones((64, 64))), T, range(1, 8)),
                "Z0",
                [0.3],
                method="hadamard_test",
            ),
            ["gate 2, `generator` on qubits 1, 2, 3, 4, 5, 6, 7", "7", "'adjoint', 'parameter_shift'"],
        ),
        (
            lambda: qsim.gradient(
                Circuit(4).h(0).generator(np.diag(LEVELS), T, [0, 1, 2, 3]),
                "X0",
                [0.3],
                method="parameter_shift",
            ),
            ["frequencies", "gate 1, `generator` on qubits 0, 1, 2, 3", "'adjoint', 'hadamard_test'"],
        ),
        (
            lambda: qsim.gradient(Circuit(3).h(0).cx(0, 2).ry(qsim.sqrt(T), 2), "Z2", [[1.0], [0.0]]),
            ["`sqrt(t)` of gate 2, `ry` on qubit 2", "by `t` in row 1", "method='finite_difference'"],
        ),
        (
            lambda: qsim.hessian(Circuit(2).h(0).crx(qsim.sqrt(T), 0, 1), "Z1", [0.0]),
            ["`sqrt(t)` of gate 1, `crx` on qubits 0, 1", "by `t`", "method='finite_difference'"],
        ),
        (
            lambda: qsim.gradient(Circuit(1).rx(T, 0), Purity([0]), [0.3], method="parameter_shift"),
            ["Purity([0])", "method='adjoint' or 'finite_difference'"],
        ),
        (
            lambda: qsim.gradient(Circuit(1).rx(T, 0), State(), [0.3], method="hadamard_test"),
            ["State()", "method='adjoint' or 'finite_difference'"],
        ),
        (
            lambda: qsim.gradient(
                Circuit(1).rx(T, 0), qsim.measurements.Probabilities(), [0.3], method="spsa", shots=5
            ),
            ["Probabilities()", "Leave out `shots`"],
        ),
        (
            lambda: qsim.hessian(Circuit(1).rx(T, 0), DensityMatrix([0]), [0.3]),
            ["DensityMatrix([0]) is complex", "Pass `cotangent`"],
        ),
    ],
)
def test_what_a_method_cannot_do(call, parts):
    with pytest.raises(GradientError) as caught:
        call()
    assert all(part in str(caught.value) for part in parts), str(caught.value)


def test_a_gate_of_gates_is_named_as_a_whole():
    inner = Circuit(2).h(0).ry(qsim.log(T), 1).to_gate("block")
    circuit = Circuit(3).x(0).barrier().append(inner, (), (2, 1)).z(0)
    with pytest.raises(GradientError, match=r"`log\(t\)` of gate 1, `block` on qubit 1"):
        qsim.gradient(circuit, "Z0", [1e-320])
