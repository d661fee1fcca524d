"""PennyLane's operations as operations of a qsim circuit.

An operation's numbers (``op.data``) go into a circuit as they come: floats, or parameters of qsim, so that a
circuit compiled once serves every tape of the same structure. `signature` is that structure, `num_columns`
says which of the numbers can be parameters.

PennyLane's first wire is the most significant bit of a matrix, qsim's first qubit the least significant one:
what carries a matrix gets its qubits in reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pennylane as qml
from pennylane.operation import Operator
from pennylane.ops import Adjoint, Conditional, Controlled, MidMeasure, Pow

from qsim import gates
from qsim.circuit import Circuit
from qsim.errors import CircuitError
from qsim.foreign_names import table_name
from qsim.operations import GateOperation

__all__ = ["append", "content", "is_native", "is_supported", "num_columns", "signature"]

#: Matrices of more qubits than these are left to PennyLane's decomposition.
MAX_MATRIX_WIRES = 10

#: From the circuit, the operation, its numbers and its qubits, what is appended.
Builder = Callable[[Circuit, Any, Sequence[Any], list[int]], Any]
#: Where qubit gates are defined; other kinds of modes have gates of the same names.
_MODULES = ("pennylane.ops.qubit.", "pennylane.ops.op_math.")


def _identity(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    """Nothing to append: barriers, snapshots and their kin."""


def _global_phase(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    circuit.append("gphase", (-params[0],), ())  # PennyLane's is exp(-i phi)


def _multi_rz(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    circuit.multi_rz(params[0], qubits)


def _pauli_rot(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    word = op.hyperparameters["pauli_word"]
    circuit.pauli_rotation(params[0], word, qubits[::-1])


def _pcphase(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    circuit.pcphase(params[0], op.hyperparameters["dimension"][0], qubits[::-1])


def _comparator(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    hyper = op.hyperparameters
    circuit.integer_comparator(hyper["value"], qubits[-2::-1], qubits[-1], geq=hyper["geq"])


def _matrix(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    circuit.unitary(np.asarray(op.matrix(), dtype=complex), qubits[::-1], name=_plain_name(op))


def _diagonal(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    circuit.diagonal(params[0], qubits[::-1])


def _projector(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    """What a postselected measurement is deferred to: it takes the state's norm."""
    matrix = np.asarray(op.matrix(), dtype=complex)
    circuit.unitary(matrix, qubits[::-1], name="projector", check=False)


def _basis_state(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    for bit, qubit in zip(np.asarray(params[0], dtype=int).tolist(), qubits, strict=True):
        if bit:
            circuit.x(qubit)


def _state_prep(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    state = np.asarray(op.state_vector(wire_order=list(op.wires)), dtype=complex).reshape(-1)
    circuit.prepare(state, qubits[::-1])


def _special_unitary(circuit: Circuit, op: Any, params: Sequence[Any], qubits: list[int]) -> None:
    words = qml.ops.qubit.special_unitary.pauli_basis_strings(len(qubits))
    labels = [
        {" ".join(f"{letter}{k}" for k, letter in enumerate(word) if letter != "I"): -1.0} for word in words
    ]
    circuit.generator_sum(labels, tuple(params[0]), qubits)


#: Operations that need more than a name, by name.
_BUILDERS: dict[str, Builder] = {
    **dict.fromkeys(("Identity", "Barrier", "WireCut", "Snapshot"), _identity),
    "GlobalPhase": _global_phase,
    "MultiRZ": _multi_rz,
    "PauliRot": _pauli_rot,
    "PCPhase": _pcphase,
    "IntegerComparator": _comparator,
    **dict.fromkeys(("QubitUnitary", "BlockEncode"), _matrix),
    "DiagonalQubitUnitary": _diagonal,
    **dict.fromkeys(("Projector", "BasisStateProjector", "StateVectorProjector"), _projector),
    "BasisState": _basis_state,
    **dict.fromkeys(("StatePrep", "AmplitudeEmbedding"), _state_prep),
    "SpecialUnitary": _special_unitary,
}
#: Those whose numbers are part of the structure: matrices and bits.
_CONSTANT = frozenset(
    {
        *("QubitUnitary", "BlockEncode", "DiagonalQubitUnitary", "Projector", "BasisStateProjector"),
        *("StateVectorProjector", "BasisState", "StatePrep", "AmplitudeEmbedding"),
    }
)
#: Those that are part of the structure by more than their class and wires.
_HYPERPARAMETERS = {
    "PauliRot": ("pauli_word",),
    "PCPhase": ("dimension",),
    "IntegerComparator": ("value", "geq"),
}


_table_gates: dict[Any, str | None] = {}


def table_gate(cls: Any) -> str | None:
    """The gate of qsim's table that a class of PennyLane is; None if it is none, or needs a builder."""
    if cls not in _table_gates:
        _table_gates[cls] = _find_table_gate(cls)
    return _table_gates[cls]


def _find_table_gate(cls: Any) -> str | None:
    if cls.__name__ in _BUILDERS or not cls.__module__.startswith(_MODULES):
        return None
    if issubclass(cls, Adjoint | Pow | Conditional) or cls.__name__ in ("Controlled", "ControlledOp"):
        return None
    name = table_name(cls.__name__)
    if name is None or gates.GATES[name].num_params != cls.num_params:
        return None
    return name


def _plain_name(op: Any) -> str:
    return type(op).__name__


def _builder(op: Any) -> Builder | None:
    return _BUILDERS.get(type(op).__name__)


# -- what an operation is ---------------------------------------------------------------------------
def is_native(op: Any) -> bool:
    """Whether `append` knows the operation, other than by its matrix."""
    cls = type(op)
    if table_gate(cls) is not None:
        return True
    if cls.__name__ in _BUILDERS:
        return _accepts(op)
    if isinstance(op, Conditional):
        return is_native(op.base)
    if isinstance(op, MidMeasure):
        return True
    if isinstance(op, Controlled | Adjoint):
        return is_native(op.base) and _is_gate(op.base)
    return isinstance(op, Pow) and is_native(op.base) and _is_gate(op.base) and _has_power(op)


def _accepts(op: Any) -> bool:
    """Whether the operation's numbers are such as its builder takes."""
    name = type(op).__name__
    if name in _CONSTANT and any(qml.math.requires_grad(d) for d in op.data):
        return False
    return name != "SpecialUnitary" or len(op.wires) <= 2


def _is_gate(op: Any) -> bool:
    """Whether the operation is made of gates alone, which have inverses and take controls."""
    if isinstance(op, MidMeasure | Conditional):
        return False
    if isinstance(op, Adjoint | Pow | Controlled) and table_gate(type(op)) is None:
        return _is_gate(op.base)
    return type(op).__name__ not in (
        "Projector",
        "BasisStateProjector",
        "StateVectorProjector",
        "BlockEncode",
    )


def _has_power(op: Any) -> bool:
    if not isinstance(op.z, int | float | np.number):
        return False
    if float(op.z).is_integer():
        return True
    name = table_gate(type(op.base))
    spec = None if name is None else gates.GATES[name]
    return (
        spec is not None and spec.const is not None and (not spec.num_params or spec.is_one_parameter_group)
    )


def is_supported(op: Any) -> bool:
    """Whether `append` takes the operation, if need be by its matrix; else PennyLane is to decompose it."""
    if is_native(op):
        return True
    if isinstance(op, Conditional):
        return is_supported(op.base)
    return not op.has_decomposition and _has_constant_matrix(op)


def _has_constant_matrix(op: Any) -> bool:
    return (
        isinstance(op, Operator)
        and op.has_matrix
        and len(op.wires) <= MAX_MATRIX_WIRES
        and not any(qml.math.requires_grad(d) for d in op.data)
        and qml.math.shape(op.matrix())[-1] == 1 << len(op.wires)  # not of qutrits
    )


def num_columns(op: Any) -> tuple[int | None, ...]:
    """For each of the operation's numbers, the parameters it makes: 1, more for a vector, None for none.

    None says that it is a matrix or the like, and part of the structure.
    """
    cls = type(op)
    if table_gate(cls) is not None:
        return (1,) * op.num_params
    if cls.__name__ in _CONSTANT:
        return (None,) * len(op.data)
    if cls.__name__ == "SpecialUnitary":
        return (4 ** len(op.wires) - 1,)
    if cls.__name__ in _BUILDERS:
        return (1,) * len(op.data)
    if isinstance(op, MidMeasure):
        return ()
    if isinstance(op, Adjoint | Controlled | Pow | Conditional):
        return num_columns(op.base)
    return (None,) * len(op.data)


def signature(op: Any, clbits: Mapping[Any, int]) -> Any:
    """What of an operation its compiled form depends on, hashable; numbers that are parameters are not."""
    cls = type(op)
    if table_gate(cls) is not None:
        return cls, op.wires.labels
    name = cls.__name__
    if name in _BUILDERS:
        extra = tuple(op.hyperparameters[key] for key in _HYPERPARAMETERS.get(name, ()))
        constant = tuple(content(d) for d in op.data) if name in _CONSTANT else ()
        return cls, op.wires.labels, extra, constant
    if isinstance(op, MidMeasure):
        return cls, op.wires.labels, op.reset, op.postselect
    if isinstance(op, Conditional):
        bits = tuple(clbits[m] for m in op.meas_val.measurements)
        return cls, bits, _true_values(op.meas_val), signature(op.base, clbits)
    if is_native(op):
        base = signature(op.base, clbits)
        if isinstance(op, Controlled):
            return "C", op.control_wires.labels, tuple(map(bool, op.control_values)), base
        return ("Pow", float(op.z), base) if isinstance(op, Pow) else ("Adjoint", base)
    return "matrix", op.wires.labels, content(op.matrix())


def content(array: Any) -> tuple[Any, ...]:
    """Something hashable that arrays share if they are the same, number by number."""
    if hasattr(array, "tocsr"):
        sparse = array.tocsr()
        return sparse.shape, *(content(part) for part in (sparse.data, sparse.indices, sparse.indptr))
    array = np.asarray(qml.math.detach(array))
    return array.shape, array.dtype.str, array.tobytes()


def _true_values(value: Any) -> tuple[int, ...]:
    """The integers, first measurement least significant, for which a measurement value is true."""
    return tuple(
        sum(bit << k for k, bit in enumerate(branch)) for branch, result in value.items() if bool(result)
    )


# -- appending ----------------------------------------------------------------------------------------
def append(
    circuit: Circuit,
    op: Any,
    params: Sequence[Any],
    qubit_of: Mapping[Any, int],
    clbits: Mapping[Any, int],
) -> None:
    """Append an operation of PennyLane to a circuit.

    Parameters
    ----------
    circuit : Circuit
    op : Operator
    params : sequence
        As ``op.data``, but what `num_columns` says is parameters may be expressions of qsim.
    qubit_of : mapping
        The qubit of each wire.
    clbits : mapping
        The classical bit of each mid-circuit measurement.

    Raises
    ------
    CircuitError
        If neither the gate nor a matrix of it is known.
    """
    name = table_gate(type(op))
    if name is not None:
        circuit.append(name, tuple(params), [qubit_of[w] for w in op.wires])
        return
    builder = _builder(op)
    if builder is not None and _accepts(op):
        builder(circuit, op, params, [qubit_of[w] for w in op.wires])
    elif isinstance(op, MidMeasure):
        circuit.measure(qubit_of[op.wires[0]], clbits[op])
        if op.reset:
            circuit.reset(qubit_of[op.wires[0]])
    elif isinstance(op, Conditional):
        _append_conditional(circuit, op, params, qubit_of, clbits)
    elif is_native(op):
        for operation in _modified(circuit, op, params, qubit_of, clbits):
            circuit.append_operation(operation)
    elif _has_constant_matrix(op):
        _matrix(circuit, op, params, [qubit_of[w] for w in op.wires])
    else:
        raise CircuitError(
            f"Operation `{op.name}` of PennyLane has no counterpart here, nor a matrix of at most "
            f"{MAX_MATRIX_WIRES} wires; decompose it with pennylane.decompose()."
        )


def _append_conditional(
    circuit: Circuit, op: Any, params: Sequence[Any], qubit_of: Mapping[Any, int], clbits: Mapping[Any, int]
) -> None:
    body = Circuit(circuit.num_qubits, circuit.num_clbits)
    append(body, op.base, params, qubit_of, clbits)
    bits = [clbits[m] for m in op.meas_val.measurements]
    values = _true_values(op.meas_val)
    if values:
        circuit.switch(bits, [(values, body)])


def _modified(
    circuit: Circuit, op: Any, params: Sequence[Any], qubit_of: Mapping[Any, int], clbits: Mapping[Any, int]
) -> list[GateOperation]:
    """The operations of an inverse, a power, or a gate behind controls."""
    inner = Circuit(circuit.num_qubits)
    append(inner, op.base, params, qubit_of, clbits)
    operations: list[GateOperation] = [o for o in inner.operations if isinstance(o, GateOperation)]
    if isinstance(op, Controlled):
        controls = tuple(qubit_of[w] for w in op.control_wires)
        values = tuple(int(v) for v in op.control_values)
        return [o.with_control(controls, values) for o in operations]
    if isinstance(op, Adjoint):
        return [o.inverse() for o in reversed(operations)]
    exponent = float(op.z)
    if len(operations) == 1 and not exponent.is_integer():
        return [operations[0].power(exponent)]
    if exponent < 0:
        operations = [o.inverse() for o in reversed(operations)]
    return operations * abs(int(exponent))
