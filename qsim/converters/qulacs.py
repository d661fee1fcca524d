"""Circuits and observables of Qulacs: `qsim.from_qulacs` and `qsim.to_qulacs`.

Qulacs turns the other way round: its ``RX(t)`` is exp(+i t X / 2), and likewise all its rotations but
``RotX``, ``RotY`` and ``RotZ``. Qubit 0 is the least significant bit there as here.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from qsim._extras import require

require("qulacs", extra="qulacs", user="The converter of Qulacs' circuits", name="Qulacs")

import qulacs
from qulacs import gate as theirs

from qsim._checks import UNITARY_TOLERANCE, distance_from_unitary
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, CircuitError
from qsim.foreign_names import table_name
from qsim.gates import GateSpec, apply_to_columns
from qsim.io.decompose import parts_of
from qsim.observables import PauliString, PauliSum
from qsim.operations import Barrier, Delay, GateOperation, Kraus, Measure, Reset
from qsim.parameters import ParameterExpression, ParameterVector
from qsim.user_gates import DiagonalGate, PauliRotationGate

__all__ = ["from_qulacs", "to_qulacs"]

_ROTATIONS = {
    **{f"{axis}-rotation": f"r{axis.lower()}" for axis in "XYZ"},
    **{f"ParametricR{axis}": f"r{axis.lower()}" for axis in "XYZ"},
}
#: A gate on more qubits than this that has no other form is taken apart instead of being a matrix.
_MAX_MATRIX_QUBITS = 6


def from_qulacs(obj: Any) -> Any:
    """A circuit or an observable of Qulacs as one of qsim, on the same qubits.

    Parameters
    ----------
    obj : qulacs.QuantumCircuit, ParametricQuantumCircuit, PauliOperator, GeneralQuantumOperator or Observable

    Returns
    -------
    Circuit, PauliString or PauliSum
        Parameter k of a parametric circuit is ``theta[k]``, with Qulacs' sign: its RX is ``rx(-theta[k])``.
        Their values are ``[obj.get_parameter(k) for k in range(obj.get_parameter_count())]``.

    Raises
    ------
    CircuitError
        If a gate has no form here, such as ``Adaptive``; the message names it.
    TypeError
        If `obj` is of another kind.

    Examples
    --------
    >>> import qulacs
    >>> theirs = qulacs.QuantumCircuit(2)
    >>> theirs.add_H_gate(0); theirs.add_RX_gate(1, 0.5)
    >>> from_qulacs(theirs).operations
    (h 0, rx(-0.5) 1)
    """
    if isinstance(obj, qulacs.QuantumCircuit):
        return _read_circuit(obj)
    if isinstance(obj, qulacs.PauliOperator):
        return _string(obj)
    if isinstance(obj, qulacs.GeneralQuantumOperator):
        return PauliSum([_string(obj.get_term(k)) for k in range(obj.get_term_count())])
    raise TypeError(f"Argument `obj` must be a circuit or operator of Qulacs, but is {type(obj).__name__}.")


def to_qulacs(obj: Any, num_qubits: int | None = None) -> Any:
    """A circuit or an observable of qsim as one of Qulacs, on the same qubits.

    Parameters
    ----------
    obj : Circuit, PauliString or PauliSum
    num_qubits : int, optional
        Of the operator that an observable becomes; as many as it needs by default.

    Returns
    -------
    qulacs.QuantumCircuit, ParametricQuantumCircuit, Observable or GeneralQuantumOperator
        Parametric if the circuit has parameters, an Observable if the coefficients are real.

    Raises
    ------
    CircuitError
        If an operation has no form in Qulacs (the message names it), or parameters are no angles of Qulacs.

    Notes
    -----
    Qulacs has one parameter for each gate, and no formulas: the k-th gate with a parameter must be a rotation
    by minus the k-th of the circuit's parameters, as `from_qulacs` makes them. Bind all others.

    Examples
    --------
    >>> to_qulacs(Circuit(2).h(0).cx(0, 1)).get_gate_count()
    2
    """
    if isinstance(obj, Circuit):
        return _write_circuit(obj)
    if isinstance(obj, PauliString):
        obj = obj.to_pauli_sum()
    if not isinstance(obj, PauliSum):
        raise TypeError(
            f"Argument `obj` must be a Circuit, PauliString or PauliSum, but is {type(obj).__name__}."
        )
    count = obj.num_qubits if num_qubits is None else num_qubits
    if count < obj.num_qubits:
        raise ArgumentError(f"Argument `num_qubits` must be at least {obj.num_qubits}, but is {count}.")
    real = obj.is_hermitian()
    out = (qulacs.Observable if real else qulacs.GeneralQuantumOperator)(max(1, count))
    for string in obj:
        value = string.coefficient.real if real else string.coefficient
        out.add_operator(value, " ".join(f"{letter[0]} {letter[1:]}" for letter in string.label.split()))
    return out


def _string(operator: Any) -> PauliString:
    x = z = 0
    for qubit, letter in zip(operator.get_index_list(), operator.get_pauli_id_list(), strict=True):
        x |= (letter in (1, 2)) << qubit
        z |= (letter in (2, 3)) << qubit
    return PauliString.from_masks(x, z, complex(operator.get_coef()))


# -- reading ---------------------------------------------------------------------------------------
def _read_circuit(circuit: Any) -> Circuit:
    gates = [circuit.get_gate(k) for k in range(circuit.get_gate_count())]
    angles: dict[int, Any] = {}
    if isinstance(circuit, qulacs.ParametricQuantumCircuit):
        count = circuit.get_parameter_count()
        theta = ParameterVector("theta", count)
        angles = {circuit.get_parametric_gate_position(k): theta[k] for k in range(count)}
    data = [_data_of(gate) for gate in gates]
    measured = [int(d["classical_register_address"]) for d in data if _is_instrument(d)]
    out = Circuit(circuit.get_qubit_count(), max(measured, default=-1) + 1)
    for position, (gate, described) in enumerate(zip(gates, data, strict=True)):
        _read_gate(out, gate, described, angles.get(position))
    return out


def _data_of(gate: Any) -> dict[str, Any]:
    try:
        return dict(json.loads(gate.to_json()))
    except RuntimeError:  # Qulacs cannot write every gate down
        return {}


def _is_instrument(data: dict[str, Any]) -> bool:
    return data.get("is_instrument") == "true"


def _read_gate(out: Circuit, gate: Any, data: dict[str, Any], angle: Any) -> None:
    """Append a gate; `angle` is the parameter it has, if any."""
    name, targets = gate.get_name(), tuple(gate.get_target_index_list())
    controls, values = tuple(gate.get_control_index_list()), tuple(gate.get_control_value_list())
    if name in _ROTATIONS:
        out.append(_ROTATIONS[name], (-(float(data["angle"]) if angle is None else angle),), targets)
    elif name in ("Pauli", "Pauli-rotation", "ParametricPauliRotation"):
        letters = [(int(p["pauli_id"]), int(p["index"])) for p in data["pauli"]["pauli_list"]]
        acting = [(letter, qubit) for letter, qubit in letters if letter]
        label = "".join("IXYZ"[letter] for letter, _ in reversed(acting))
        qubits = [qubit for _, qubit in acting]
        if name == "Pauli":
            out.pauli(label, qubits)
        else:
            turn = -(float(data["angle"]) if angle is None else angle)
            if qubits:
                out.pauli_rotation(turn, label, qubits)
            else:
                out.gphase(-turn / 2)
    elif name == "Probabilistic" and not _is_instrument(data):
        probabilities = [float(p) for p in data["distribution"]]
        matrices = _matrices(data, targets)
        if (rest := 1 - sum(probabilities)) > 1e-12:  # then nothing happens
            probabilities.append(rest)
            matrices.append(np.eye(1 << len(targets), dtype=complex))
        out.kraus([math.sqrt(p) * m for p, m in zip(probabilities, matrices, strict=True)], targets)
    elif name == "CPTP" and _is_instrument(data):
        if [inner["name"] for inner in data["gate_list"]] != ["Projection-0Gate", "Projection-1Gate"]:
            raise CircuitError("Gate `Instrument` has a form here only if it measures a qubit.")
        out.measure(targets, int(data["classical_register_address"]))
    elif name == "CPTP":
        out.kraus(_matrices(data, targets), targets)
    elif (known := table_name(name)) is not None:
        out.append(known, (), controls + targets)
    else:
        _read_matrix(out, gate, targets, controls, values)


def _read_matrix(out: Circuit, gate: Any, targets: Any, controls: Any, values: Any) -> None:
    try:
        matrix = gate.get_matrix()
    except (RuntimeError, AttributeError) as error:
        raise CircuitError(f"Gate `{gate.get_name()}` of Qulacs has no form here: {error}.") from None
    matrix = np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=complex)
    if matrix.shape != (1 << len(targets),) * 2:
        raise CircuitError(f"Gate `{gate.get_name()}` of Qulacs has no form here: it has no matrix.")
    modifiers = {"controls": controls, "control_values": values or None}
    entries = np.diag(matrix)
    if gate.get_name() == "DiagonalMatrix" and np.allclose(np.abs(entries), 1, atol=1e-8):
        out.diagonal(entries, targets, **modifiers)
    else:  # Qulacs takes any matrix
        check = distance_from_unitary(matrix) <= UNITARY_TOLERANCE
        out.unitary(matrix, targets, check=check, **modifiers)


def _matrices(data: dict[str, Any], targets: Sequence[int]) -> list[Any]:
    """The matrices on `targets` of the gates that a random gate chooses among."""
    out = []
    for described in data["gate_list"]:
        gate = theirs.from_json(json.dumps(described))
        if gate.get_control_index_list():
            raise CircuitError(
                f"Gate `{data['name']}` chooses among gates with controls, which has no form here."
            )
        if described["name"] in ("ProbabilisticGate", "CPTPMapGate"):
            raise CircuitError(
                f"Gate `{data['name']}` chooses among gates that are random themselves, which has no form "
                "here."
            )
        places = [targets.index(qubit) for qubit in gate.get_target_index_list()]
        eye = np.eye(1 << len(targets), dtype=complex)
        out.append(apply_to_columns(np.asarray(gate.get_matrix()), places, eye))
    return out


# -- writing ---------------------------------------------------------------------------------------
_NAMED = {
    **{"id": "Identity", "x": "X", "y": "Y", "z": "Z", "h": "H", "s": "S", "sdg": "Sdag", "t": "T"},
    **{"tdg": "Tdag", "sx": "sqrtX", "sxdg": "sqrtXdag", "sy": "sqrtY", "sydg": "sqrtYdag"},
    **{"cx": "CNOT", "cz": "CZ", "swap": "SWAP"},
}


def _write_circuit(circuit: Circuit) -> Any:
    kind = qulacs.ParametricQuantumCircuit if circuit.parameters else qulacs.QuantumCircuit
    out = kind(circuit.num_qubits)
    order = iter(circuit.parameters)
    for op in circuit.operations:
        if isinstance(op, GateOperation):
            _write_gate(out, op, functools.partial(_next_parameter, order))
        elif isinstance(op, Measure):
            out.add_gate(theirs.Measurement(op.qubit, op.clbit))
        elif isinstance(op, Reset):
            lowering = np.array([[0, 1], [0, 0]])
            out.add_gate(theirs.CPTP([theirs.P0(op.qubit), theirs.DenseMatrix([op.qubit], lowering)]))
        elif isinstance(op, Kraus):
            out.add_gate(theirs.CPTP([theirs.DenseMatrix(list(op.qubits), m) for m in op.matrices]))
        elif not isinstance(op, Barrier | Delay):
            raise CircuitError(
                f"Operation `{op.name}` has no form in Qulacs; gates, measurements, resets and channels have "
                "one."
            )
    return out


def _next_parameter(order: Any, name: str, angle: Any) -> None:
    """Refuse an angle that is not minus the next parameter."""
    found, parameter = angle.affine(), next(order, None)
    if found is None or found != (parameter, -1.0, 0.0):
        raise CircuitError(
            f"Gate `{name}` has the angle `{angle}`, which has no form in Qulacs: angles must be minus the "
            "circuit's parameters, each once and in their order. Bind the parameters first."
        )


def _write_gate(out: Any, op: GateOperation, take: Callable[[str, Any], None]) -> None:
    gate, params = op.gate, op.params
    if op.has_run_time_params:
        raise CircuitError(
            f"Gate `{op.name}` has a classical parameter, known only while the circuit runs, "
            "which has no form in Qulacs."
        )
    symbolic = any(isinstance(p, ParameterExpression) for p in params)
    if symbolic:
        if op.controls or op.name not in ("rx", "ry", "rz", "pauli_rotation"):
            raise CircuitError(
                f"Gate `{op.name}` has the angle `{params[0]}`, and Qulacs has parameters only in rotations "
                "without controls. Bind the parameters first."
            )
        take(op.name, params[0])
        if isinstance(gate, PauliRotationGate):
            out.add_parametric_multi_Pauli_rotation_gate(list(op.targets), _letters(gate), 0.0)
        else:
            getattr(out, f"add_parametric_{op.name.upper()}_gate")(op.targets[0], 0.0)
    elif isinstance(gate, GateSpec) and gate.name in _NAMED and not op.controls:
        out.add_gate(getattr(theirs, _NAMED[gate.name])(*op.targets))
    elif isinstance(gate, PauliRotationGate) and op.targets and not op.controls:
        out.add_multi_Pauli_rotation_gate(list(op.targets), _letters(gate), -params[0])
    elif _is_matrix(op):
        _write_matrix(out, op)
    else:
        try:
            parts = parts_of(gate, params)
        except ArgumentError as error:
            raise CircuitError(f"Gate `{op.name}` has no form in Qulacs: {error}.") from None
        for part in parts:
            moved = part.remap(op.targets.__getitem__, lambda c: c)
            _write_gate(out, moved.with_control(op.controls, op.control_values), take)


def _letters(gate: PauliRotationGate) -> list[int]:
    return ["IXYZ".index(letter) for letter in reversed(gate.label)]


def _is_matrix(op: GateOperation) -> bool:
    gate = op.gate
    if gate.decompose(op.params) is not None or not hasattr(gate, "target_matrix"):
        return False
    if isinstance(gate, DiagonalGate) and not op.controls:
        return True
    return gate.num_qubits - gate.num_controls <= _MAX_MATRIX_QUBITS


def _write_matrix(out: Any, op: GateOperation) -> None:
    """A gate by the matrix on its targets, behind controls."""
    built_in = op.gate.num_controls
    targets = list(op.targets[built_in:])
    controls = [*zip(op.controls, op.control_values, strict=True), *((q, 1) for q in op.targets[:built_in])]
    matrix = op.gate.target_matrix(*op.params)
    if not targets and not controls:
        targets, matrix = [0], matrix[0, 0] * np.eye(2)
        if not out.get_qubit_count():
            raise CircuitError("A global phase of no qubits has no form in Qulacs.")
    elif not targets:  # a phase: the first control takes it
        (qubit, value), *controls = controls
        entries = [1, matrix[0, 0]] if value else [matrix[0, 0], 1]
        targets, matrix = [qubit], np.diag(entries)
    if isinstance(op.gate, DiagonalGate) and not controls:  # there it takes no controls
        gate = theirs.DiagonalMatrix(targets, np.diag(matrix))
    else:
        gate = theirs.DenseMatrix(targets, matrix)
    for qubit, value in controls:
        gate.add_control_qubit(qubit, value)
    out.add_gate(gate)
