"""For tests of code that uses qsim: random circuits, comparison of states, checks of a gate.

Like `numpy.testing`: the functions raise `AssertionError` with a message that says what differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.gates import Gate, GateSpec, Matrix, expand_controls, get_gate, unique_specs
from qsim.parameters import ParameterVector

__all__ = ["assert_states_close", "check_gate", "random_circuit", "random_state", "random_unitary"]


def random_state(num_qubits: int, seed: Any = None) -> npt.NDArray[np.complex128]:
    """A Haar-random state.

    Parameters
    ----------
    num_qubits : int
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator

    Returns
    -------
    ndarray, shape (2**num_qubits,), complex128

    Examples
    --------
    >>> state = random_state(3, seed=1)
    >>> state.shape, round(float(np.linalg.norm(state)), 12)
    ((8,), 1.0)
    """
    rng = np.random.default_rng(seed)
    size = 1 << check_count(num_qubits, "num_qubits")
    state = rng.normal(size=size) + 1j * rng.normal(size=size)
    return np.asarray(state / np.linalg.norm(state), dtype=complex)


def random_unitary(num_qubits: int, seed: Any = None) -> Matrix:
    """A Haar-random unitary matrix.

    Parameters
    ----------
    num_qubits : int
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator

    Returns
    -------
    ndarray, shape (2**num_qubits, 2**num_qubits), complex128

    References
    ----------
    .. [1] F. Mezzadri, Notices of the AMS 54, 592 (2007).

    Examples
    --------
    >>> u = random_unitary(2, seed=1)
    >>> bool(np.allclose(u @ u.conj().T, np.eye(4)))
    True
    """
    rng = np.random.default_rng(seed)
    size = 1 << check_count(num_qubits, "num_qubits")
    q, r = np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))
    phases = np.diag(r) / np.abs(np.diag(r))  # makes the decomposition unique, hence the measure Haar's
    return np.asarray(q * phases, dtype=complex)


def random_circuit(
    num_qubits: int,
    num_gates: int,
    *,
    seed: Any = None,
    gates: Iterable[str] | None = None,
    max_controls: int = 1,
    parameters: int = 0,
    name: str = "x",
) -> Circuit:
    """A circuit of gates drawn uniformly from the gate table, on random qubits.

    Parameters
    ----------
    num_qubits, num_gates : int
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator
    gates : iterable of str, optional
        Names to draw from; every gate of the table that fits by default.
    max_controls : int
        Each gate gets 0 to `max_controls` further controls, as far as there are qubits, with random
        control values.
    parameters : int
        Length of a `ParameterVector`. If it is not 0, a third of the angles are elements of it,
        a third are expressions of two of them, and the others are numbers.
    name : str
        Name of that vector.

    Returns
    -------
    Circuit

    Raises
    ------
    UnknownGateError
        If a name is not in the table.
    ArgumentError
        If none of the gates fits on the qubits.

    Examples
    --------
    >>> circuit = random_circuit(3, 20, seed=1, gates=["h", "cx", "rz"])
    >>> len(circuit), sorted(circuit.count_ops())[-1]
    (20, 'rz')
    """
    rng = np.random.default_rng(seed)
    check_count(num_gates, "num_gates")
    check_count(max_controls, "max_controls")
    out = Circuit(num_qubits)
    specs = unique_specs() if gates is None else [get_gate(gate) for gate in gates]
    specs = [spec for spec in specs if spec.num_qubits <= num_qubits]
    if not specs and num_gates:
        raise ArgumentError(
            f"Argument `gates` must name a gate of at most {num_qubits} qubits, but does not."
        )
    vector = ParameterVector(name, parameters)
    for _ in range(num_gates):
        spec = specs[rng.integers(len(specs))]
        order = [int(q) for q in rng.permutation(num_qubits)]
        free = order[spec.num_qubits :]
        controls = free[: int(rng.integers(0, min(max_controls, len(free)) + 1))]
        values = [int(v) for v in rng.integers(0, 2, size=len(controls))]
        angles = [_random_angle(rng, vector) for _ in range(spec.num_params)]
        out.append(spec, angles, order[: spec.num_qubits], controls=controls, control_values=values)
    return out


def _random_angle(rng: np.random.Generator, vector: ParameterVector) -> Any:
    number = float(rng.uniform(-2 * np.pi, 2 * np.pi))
    kind = int(rng.integers(3)) if len(vector) else 2
    if kind == 2:
        return number
    first, second = (vector[int(rng.integers(len(vector)))] for _ in range(2))
    return first if kind == 0 else (np.pi - first) * (number - second)


def assert_states_close(
    actual: Any,
    expected: Any,
    *,
    atol: float | None = None,
    up_to_global_phase: bool = False,
) -> None:
    """Raise an AssertionError if two states, or two batches of states, differ.

    Parameters
    ----------
    actual, expected : array_like, shape (2**n,) or (batch, 2**n)
    atol : float, optional
        Largest 2-norm of a difference. Default: 1e-12, or 1e-5 if either state is in single precision.
    up_to_global_phase : bool
        Multiply `actual` by the phase that makes the states agree best.

    Raises
    ------
    AssertionError
        With the 2-norm of the difference and the basis state where the amplitudes differ most.

    Examples
    --------
    >>> assert_states_close([1, 0], [1, 1e-15])
    >>> assert_states_close([1j, 0], [1, 0], up_to_global_phase=True)
    >>> assert_states_close([1, 0], [0, 1])
    Traceback (most recent call last):
    ...
    AssertionError: States differ by 1.41421 in the 2-norm (allowed: 1e-12), most at |0>: 1 instead of 0.
    """
    a, b = np.asarray(actual), np.asarray(expected)
    if a.shape != b.shape:
        raise AssertionError(f"States must have one shape, but have {a.shape} and {b.shape}.")
    if a.ndim not in (1, 2) or a.shape[-1] & (a.shape[-1] - 1) or not a.shape[-1]:
        raise AssertionError(f"A state must have shape (2**n,) or (batch, 2**n), but has shape {a.shape}.")
    limit = atol
    if limit is None:
        limit = 1e-5 if {a.dtype, b.dtype} & {np.dtype(np.complex64), np.dtype(np.float32)} else 1e-12
    width = max(1, a.shape[-1].bit_length() - 1)
    for row, (x, y) in enumerate(zip(np.atleast_2d(a), np.atleast_2d(b), strict=True)):
        x, y = x.astype(complex), y.astype(complex)
        if up_to_global_phase:
            overlap = np.vdot(x, y)
            x = x * (overlap / abs(overlap) if abs(overlap) > 0 else 1.0)
        distance = float(np.linalg.norm(x - y))
        if not distance <= limit:  # NaN differs from everything
            index = int(np.argmax(np.nan_to_num(np.abs(x - y), nan=np.inf)))
            where = f" in row {row}" if a.ndim == 2 else ""
            raise AssertionError(
                f"States differ by {distance:.6g} in the 2-norm (allowed: {limit:g}){where}, most at "
                f"|{index:0{width}b}>: {_short(x[index])} instead of {_short(y[index])}."
            )


def _short(amplitude: complex) -> str:
    return f"{amplitude.real:.6g}" if amplitude.imag == 0 else f"{complex(amplitude):.6g}"


def check_gate(
    gate: Gate | str, params: Sequence[float] | None = None, *, seed: Any = 0, atol: float = 1e-10
) -> None:
    """Raise an AssertionError if a gate is not consistent with itself.

    Checks that its matrix is unitary, of the right size and the product of its parts; that its inverse
    undoes it; that its power 1/2 squares to it; that a circuit and its control agree with the matrix;
    that the derivative a gate of the table declares is the slope of its matrix; and that bound
    parameters give the same matrix as numbers.

    Parameters
    ----------
    gate : Gate or str
        An object, or a name of the table.
    params : sequence of float, optional
        Where to check; random angles by default.
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator
        For these angles.
    atol : float
        Largest difference between entries.

    Raises
    ------
    AssertionError

    Examples
    --------
    >>> check_gate("crx")
    >>> from qsim.user_gates import GeneratorGate
    >>> check_gate(GeneratorGate([[1, 0.5], [0.5, -1]]))
    """
    spec = get_gate(gate) if isinstance(gate, str) else gate
    rng = np.random.default_rng(seed)
    values = tuple(
        rng.uniform(-3, 3, size=spec.num_params).tolist() if params is None else map(float, params)
    )
    size = 1 << spec.num_qubits
    matrix = spec.matrix(*values)
    _require(matrix.shape == (size, size), spec, f"has a matrix of shape {matrix.shape}, not {(size, size)}")
    _close(matrix @ matrix.conj().T, np.eye(size), atol, spec, "is not unitary")
    inverse, inverse_params = spec.inverse(values)
    _close(_matrix(inverse, inverse_params) @ matrix, np.eye(size), atol, spec, "has a wrong inverse")
    root, root_params = spec.power(values, 0.5)
    half = _matrix(root, root_params)
    _close(half @ half, matrix, atol, spec, "has a wrong power 1/2")
    qubits = tuple(range(spec.num_qubits))
    _close(
        Circuit(spec.num_qubits).append(spec, values, qubits).matrix(),
        matrix,
        atol,
        spec,
        "differs in a circuit",
    )
    shifted = tuple(q + 1 for q in qubits)
    behind = Circuit(spec.num_qubits + 1).append(spec, values, shifted, controls=0, control_values=[0])
    _close(behind.matrix(), expand_controls(matrix, 1, [0]), atol, spec, "differs behind a control")
    if isinstance(spec, GateSpec) and spec.terms:
        step = 1e-5
        slope = (spec.target_matrix(values[0] + step) - spec.target_matrix(values[0] - step)) / (2 * step)
        _close(spec.derivative(values[0]), slope, max(atol, 1e-8), spec, "has a wrong derivative")
    if spec.num_params:
        vector = ParameterVector("t", spec.num_params)
        symbolic = Circuit(spec.num_qubits).append(spec, tuple(vector), qubits)
        bound = symbolic.bind({"t": values})
        _close(bound.matrix(), matrix, atol, spec, "differs with bound parameters")
        _require(set(symbolic.parameters) == set(vector), spec, "loses a parameter in a circuit")


def _matrix(gate: Gate, params: Sequence[Any]) -> Matrix:
    return gate.matrix(*(float(p) for p in params))


def _require(condition: bool, gate: Gate, what: str) -> None:
    if not condition:
        raise AssertionError(f"Gate `{gate.name}` {what}.")


def _close(actual: Any, expected: Any, atol: float, gate: Gate, what: str) -> None:
    distance = float(np.abs(np.asarray(actual) - np.asarray(expected)).max(initial=0.0))
    _require(distance <= atol, gate, f"{what}: entries differ by up to {distance:.2e}")
