"""Collects what a parser reads and makes the circuit at the end, when all registers are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qsim.circuit import Circuit
from qsim.classical import Variable
from qsim.errors import ArgumentError
from qsim.operations import Operation, _Structured

__all__ = ["MAX_OPERATIONS", "Builder", "broadcast"]

#: more operations than this come from a loop or a definition that doubles at each level, not from a user
MAX_OPERATIONS = 5_000_000
MAX_QUBITS = 100_000
MAX_CLBITS = 1_000_000


class Builder:
    """Registers, variables and operations of a circuit under construction."""

    def __init__(self) -> None:
        self.num_qubits = 0
        self.num_clbits = 0
        self.quantum_registers: dict[str, tuple[int, ...]] = {}
        self.classical_registers: dict[str, tuple[int, ...]] = {}
        #: bits the program has for itself, which are no outcomes
        self.scratch: set[int] = set()
        self.variables: dict[Variable, Any] = {}
        #: operations of the block that is being filled
        self.operations: list[Operation] = []

    def add_qubits(self, name: str, size: int) -> tuple[int, ...]:
        """New qubits, as a register."""
        if self.num_qubits + size > MAX_QUBITS:
            raise ArgumentError(
                f"Register `{name}` has {size} qubits, but a program may have at most {MAX_QUBITS}."
            )
        indices = tuple(range(self.num_qubits, self.num_qubits + size))
        self.num_qubits += size
        self.quantum_registers[name] = indices
        return indices

    def add_clbits(self, name: str, size: int, scratch: bool = False) -> tuple[int, ...]:
        """New classical bits, as a register or as scratch."""
        if self.num_clbits + size > MAX_CLBITS:
            raise ArgumentError(
                f"Register `{name}` has {size} bits, but a program may have at most {MAX_CLBITS}."
            )
        indices = tuple(range(self.num_clbits, self.num_clbits + size))
        self.num_clbits += size
        if scratch:
            self.scratch.update(indices)
        else:
            self.classical_registers[name] = indices
        return indices

    def body(self, operations: list[Operation]) -> Circuit:
        """A body of a structured operation; `finish` gives it its final size."""
        circuit = Circuit(0, 0)
        circuit._operations = operations
        return circuit

    def finish(self) -> Circuit:
        """The circuit."""
        if self.scratch:
            self._scratch_last()
        circuit = Circuit(self.num_qubits, self.num_clbits)
        circuit.quantum_registers = dict(self.quantum_registers)
        circuit.classical_registers = dict(self.classical_registers)
        circuit.scratch_clbits = frozenset(self.scratch)
        circuit.variables = dict(self.variables)
        circuit._operations = [
            op.resized(self.num_qubits, self.num_clbits) if isinstance(op, _Structured) else op
            for op in self.operations
        ]
        return circuit

    def _scratch_last(self) -> None:
        """Number the bits so that those which are no outcomes come last: bit k is place k of a bitstring."""
        order = sorted(range(self.num_clbits), key=lambda c: (c in self.scratch, c))
        place = [0] * self.num_clbits
        for new, old in enumerate(order):
            place[old] = new
        if order == list(range(self.num_clbits)):
            return
        self.operations = [op.remap(lambda q: q, place.__getitem__) for op in self.operations]
        self.scratch = {place[c] for c in self.scratch}
        for name, bits in self.classical_registers.items():
            self.classical_registers[name] = tuple(place[c] for c in bits)


def broadcast(operands: Sequence[tuple[tuple[int, ...], bool]]) -> list[tuple[int, ...]]:
    """Single qubits for each application of a gate to registers.

    Parameters
    ----------
    operands : sequence of (indices, whether it is a single qubit)

    Returns
    -------
    list of tuple of int

    Raises
    ------
    ArgumentError
        If registers differ in size or a qubit is used twice in one application.
    """
    sizes = {len(indices) for indices, single in operands if not single}
    if len(sizes) > 1:
        listed = " and ".join(map(str, sorted(sizes)))
        raise ArgumentError(f"Registers of a broadcast must have the same size, but have {listed}.")
    count = sizes.pop() if sizes else 1
    out = [tuple(indices[0] if single else indices[k] for indices, single in operands) for k in range(count)]
    for qubits in out:
        if len(set(qubits)) != len(qubits):
            twice = next(q for q in qubits if qubits.count(q) > 1)
            raise ArgumentError(
                f"Qubit {twice} of the circuit is used twice by one operation; they must differ."
            )
    return out
