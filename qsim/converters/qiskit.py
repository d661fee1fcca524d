"""Circuits and observables of Qiskit 2 in qsim, and back: `qsim.from_qiskit` and `qsim.to_qiskit`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qsim._extras import require
from qsim.circuit import Circuit

__all__ = ["from_qiskit", "to_qiskit"]


def from_qiskit(source: Any) -> Any:
    """A circuit or an observable of Qiskit as qsim's.

    Parameters
    ----------
    source : QuantumCircuit, Instruction, SparsePauliOp, SparseObservable, Pauli, Operator or Statevector
        Qubit k of Qiskit is qubit k here: both count from the least significant bit.

    Returns
    -------
    Circuit
        Of a circuit, or of a gate or instruction on qubits of its own. Parameters keep their names, but their
        order is qsim's. Global phases are kept. Gates that qsim has not become gates of those that Qiskit
        makes them of, under their name. Pauli evolutions become the rotations of their product formula.
    PauliSum, Hermitian or StateProjector
        Of Pauli operators, of a matrix, of a state.

    Raises
    ------
    UnknownGateError
        An instruction has neither a definition nor a counterpart.
    CircuitError, ParameterError, ObservableError
        Something in the circuit or observable cannot be expressed; the message names it.
    TypeError

    Notes
    -----
    ``StatePreparation`` and ``Initialize`` on qubits that are known to be in ``|0>`` are one reflection,
    which agrees with Qiskit's gates on that state. The parameter of a for loop becomes a classical
    variable; a loop that mixes it with other parameters is unrolled. ``abs`` is ``sqrt(x * x)`` and ``sign``
    is ``x / sqrt(x * x)``, without a value at 0.

    Examples
    --------
    >>> from qiskit import QuantumCircuit
    >>> bell = QuantumCircuit(2)
    >>> _ = bell.h(0), bell.cx(0, 1)
    >>> dict(from_qiskit(bell).count_ops())
    {'h': 1, 'cx': 1}
    """
    _require("qsim.from_qiskit")
    from qiskit.circuit import Instruction, QuantumCircuit

    from qsim.converters.qiskit_import import read_circuit
    from qsim.converters.qiskit_observables import OBSERVABLES, read_observable

    if isinstance(source, QuantumCircuit):
        return read_circuit(source)
    if isinstance(source, OBSERVABLES):
        return read_observable(source)
    if isinstance(source, Instruction):
        circuit = QuantumCircuit(source.num_qubits, source.num_clbits)
        circuit.append(source, circuit.qubits, circuit.clbits)
        return read_circuit(circuit)
    raise TypeError(
        "Argument `source` must be a QuantumCircuit, a gate, a SparsePauliOp, SparseObservable, Pauli, "
        f"Operator or Statevector of Qiskit, but is {type(source).__name__}."
    )


def to_qiskit(source: Any, *, num_qubits: int | None = None, parameters: Iterable[Any] | None = None) -> Any:
    """A circuit or an observable of qsim as Qiskit's.

    Parameters
    ----------
    source : Circuit, or observable
        What `qsim.observables.as_observable` takes is an observable.
    num_qubits : int, optional
        Size of an observable; as many qubits as it acts on by default.
    parameters : iterable of qiskit.circuit.Parameter, optional
        To be used for parameters of the same name, such as those of the circuit that ours was made of. By
        default all are new: in Qiskit two parameters of one name are not equal.

    Returns
    -------
    QuantumCircuit
        With the same unitary, global phase included; preparations agree on ``|0...0>``.
    SparsePauliOp or Operator
        Of a Pauli sum; of any other observable.

    Raises
    ------
    CircuitError, UnknownGateError, ParameterError
        Qiskit has nothing like it; the message names what it is.

    Examples
    --------
    >>> import qsim
    >>> dict(to_qiskit(qsim.Circuit(2).h(0).cx(0, 1)).count_ops())
    {'h': 1, 'cx': 1}
    >>> to_qiskit({"Z0 X2": 0.5})
    SparsePauliOp(['XIZ'],
                  coeffs=[0.5+0.j])
    """
    _require("qsim.to_qiskit")
    from qsim.converters.qiskit_export import write_circuit
    from qsim.converters.qiskit_observables import write_observable

    if isinstance(source, Circuit):
        if num_qubits is not None:
            raise TypeError("Argument `num_qubits` belongs to observables; a circuit has its own.")
        return write_circuit(source, parameters)
    return write_observable(source, num_qubits)


def _require(user: str) -> None:
    require("qiskit", extra="qiskit", user=user, name="Qiskit", at_least="2.2")
