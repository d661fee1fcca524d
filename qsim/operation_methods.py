"""Methods of `Circuit` that append what is not in the gate table: gates with data, measurement, control."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from qsim._checks import check_count, check_index, check_qubits
from qsim.errors import ArgumentError, CircuitError
from qsim.gate_methods import GateMethods
from qsim.operations import (
    Assign,
    Barrier,
    Break,
    Continue,
    Delay,
    ForLoop,
    IfElse,
    Kraus,
    Measure,
    Operation,
    Reset,
    Switch,
    WhileLoop,
)
from qsim.user_gates import (
    DiagonalGate,
    GeneratorGate,
    GeneratorSumGate,
    PauliEvolutionGate,
    PauliRotationGate,
    PermutationGate,
    PhaseOnStatesGate,
    PrepareGate,
    UnitaryGate,
)

if TYPE_CHECKING:
    from qsim.circuit import Circuit
    from qsim.classical import Variable
    from qsim.observables import PauliSum

__all__ = ["OperationMethods"]

_DEFAULT_SIZES = {"int": 32, "uint": 32, "float": 64, "angle": 64}
_DELAY_UNITS = ("s", "ms", "us", "ns", "dt")


class OperationMethods(GateMethods):
    """Base of `Circuit`; every method but `declare` appends something and returns the circuit."""

    __slots__ = ("_cache", "_operations", "num_clbits", "num_qubits", "variables")
    num_qubits: int
    num_clbits: int
    quantum_registers: dict[str, tuple[int, ...]]
    classical_registers: dict[str, tuple[int, ...]]
    scratch_clbits: frozenset[int]
    #: classical variables and their initial values
    variables: dict[Variable, Any]
    _operations: list[Operation]
    _cache: dict[Any, Any]

    if TYPE_CHECKING:

        def append(
            self,
            gate: Any,
            params: Any = (),
            qubits: Any = (),
            *,
            controls: Any = (),
            control_values: Any = None,
        ) -> Self: ...
        def append_operation(self, operation: Operation) -> Self: ...
        def _push(self, operation: Operation) -> Self: ...
        def _condition(self, condition: Any) -> Any: ...
        def _body(self, body: Circuit) -> Circuit: ...

    # -- gates that carry data -------------------------------------------------------------------
    def unitary(
        self, matrix: Any, qubits: Any, *, name: str = "unitary", check: bool = True, **modifiers: Any
    ) -> Self:
        """Append a unitary matrix on k qubits; the first qubit is the least significant index bit.

        Parameters
        ----------
        matrix : array_like, shape (2**k, 2**k)
        qubits : int or sequence of int
        name : str
        check : bool
            Refuse a matrix that is not unitary within 1e-8. If turned off, state vectors lose their norm;
            other answers divide by it.
        **modifiers
            ``controls=`` and ``control_values=``.
        """
        return self.append(UnitaryGate(matrix, name, check=check), (), qubits, **modifiers)

    def diagonal(self, entries: Any, qubits: Any, **modifiers: Any) -> Self:
        """Append a diagonal unitary with the given 2**k entries of modulus 1."""
        return self.append(DiagonalGate(entries), (), qubits, **modifiers)

    def permutation(self, permutation: Any, qubits: Any, **modifiers: Any) -> Self:
        """Append the permutation that moves basis state ``j`` of the qubits to ``permutation[j]``."""
        return self.append(PermutationGate(permutation), (), qubits, **modifiers)

    diag = diagonal
    perm = permutation

    def special_unitary(self, thetas: Any, qubits: Any, **modifiers: Any) -> Self:
        """Append exp(i sum_m thetas[m] P_m) over all Pauli words but the identity (numbers only).

        Parameters
        ----------
        thetas : array_like, shape (4**k - 1,)
            Coefficients in the lexicographic order of the words over I, X, Y, Z whose first letter
            belongs to the first qubit, as in PennyLane's ``SpecialUnitary``.
        qubits : int or sequence of int
        """
        targets = check_qubits(qubits, self.num_qubits)
        values = np.asarray(thetas, dtype=float)
        words = list(itertools.product("IXYZ", repeat=len(targets)))[1:]
        if values.shape != (len(words),) or not np.isfinite(values).all():
            raise ArgumentError(
                f"Argument `thetas` must be {len(words)} finite numbers for {len(targets)} qubits, "
                f"but has shape {values.shape}."
            )
        generator = sum(
            (
                theta * PauliRotationGate("".join(reversed(word))).pauli_matrix()
                for theta, word in zip(values, words, strict=True)
            ),
            np.zeros((1 << len(targets),) * 2, dtype=complex),
        )
        levels, vectors = np.linalg.eigh(generator)
        matrix = (vectors * np.exp(1j * levels)) @ vectors.conj().T
        return self.unitary(matrix, targets, name="special_unitary", **modifiers)

    def generator(
        self, generator: Any, theta: Any, qubits: Any, *, name: str = "generator", **modifiers: Any
    ) -> Self:
        """Append exp(-i theta G) for a Hermitian matrix G; differentiable in `theta`."""
        return self.append(GeneratorGate(generator, name), (theta,), qubits, **modifiers)

    def generator_sum(
        self,
        generators: Sequence[Any],
        thetas: Any,
        qubits: Any,
        *,
        name: str = "generator_sum",
        **modifiers: Any,
    ) -> Self:
        """Append exp(-i sum_j thetas[j] G_j) for Hermitian G_j that need not commute.

        Parameters
        ----------
        generators : sequence of array_like, PauliSum, label or dict of labels
            Matrices of shape (2**k, 2**k), or Pauli sums whose qubit 0, 1, ... are the `qubits` given.
        thetas : sequence of float or expression
            One for each generator; derivatives by all of them are exact. A fixed drift has the number 1.
        qubits : int or sequence of int
            At most 4; the first is the least significant index bit.

        Examples
        --------
        >>> import qsim
        >>> drive = qsim.Parameter("drive")
        >>> circuit = qsim.Circuit(1).generator_sum(["X0", "Z0"], [drive, 0.5], 0)
        >>> round(float(qsim.gradient(circuit, "Z0", [0.7])[0]), 6)
        -1.003503
        """
        from qsim.observables import PauliString, PauliSum

        targets = check_qubits(qubits, self.num_qubits)
        matrices = [
            PauliSum(g).to_matrix(len(targets)) if isinstance(g, str | dict | PauliSum | PauliString) else g
            for g in generators
        ]
        gate = GeneratorSumGate(matrices, name)
        return self.append(gate, tuple(thetas), targets, **modifiers)

    def pauli(self, label: str, qubits: Any, **modifiers: Any) -> Self:
        """Append a Pauli string given as a dense label, the first qubit rightmost."""
        targets = check_qubits(qubits, self.num_qubits)
        PauliRotationGate(label)  # refuses other letters
        if len(label) != len(targets):
            raise CircuitError(
                f"Argument `label` has {len(label)} letters, but {len(targets)} qubits are given."
            )
        for q, letter in zip(targets, reversed(label), strict=True):
            if letter != "I":
                self.append(letter.lower(), (), q, **modifiers)
        return self

    def pauli_rotation(self, theta: Any, label: str, qubits: Any, **modifiers: Any) -> Self:
        """Append exp(-i theta P / 2) for a Pauli string (dense label, first qubit rightmost)."""
        return self.append(PauliRotationGate(label), (theta,), qubits, **modifiers)

    pauli_rot = pauli_rotation

    def multi_rz(self, theta: Any, qubits: Any, **modifiers: Any) -> Self:
        """Append exp(-i theta Z...Z / 2) on any number of qubits."""
        targets = check_qubits(qubits, self.num_qubits)
        return self.append(PauliRotationGate("Z" * len(targets)), (theta,), targets, **modifiers)

    def pcphase(self, phi: Any, dimension: int, qubits: Any, **modifiers: Any) -> Self:
        """Append exp(i phi) on the first `dimension` basis states of the qubits, exp(-i phi) on others."""
        targets = check_qubits(qubits, self.num_qubits)
        gate = PhaseOnStatesGate(check_count(dimension, "dimension"), len(targets))
        return self.append(gate, (phi,), targets, **modifiers)

    def exp_pauli_sum(
        self,
        pauli_sum: PauliSum,
        time: Any,
        qubits: Any = None,
        *,
        order: int = 2,
        steps: int = 1,
        **modifiers: Any,
    ) -> Self:
        """Append exp(-i time H) for a Hermitian Pauli sum H.

        Parameters
        ----------
        pauli_sum : PauliSum or anything it can be made of
        time : float or expression
        qubits : sequence of int, optional
            Where qubit 0, 1, ... of the sum lie; all qubits of the circuit by default.
        order : {1, 2, 4}
            Suzuki-Trotter order; not used where all terms commute (the result is then exact).
        steps : int
        """
        from qsim.observables import PauliSum

        h = pauli_sum if isinstance(pauli_sum, PauliSum) else PauliSum(pauli_sum)
        targets = tuple(range(self.num_qubits)) if qubits is None else check_qubits(qubits, self.num_qubits)
        return self.append(PauliEvolutionGate(h, len(targets), order, steps), (time,), targets, **modifiers)

    def prepare(
        self, amplitudes: Any, qubits: Any = None, *, normalize: bool = False, **modifiers: Any
    ) -> Self:
        """Append a unitary that takes |0...0> of the qubits to the given amplitudes."""
        targets = tuple(range(self.num_qubits)) if qubits is None else qubits
        return self.append(PrepareGate(amplitudes, normalize=normalize), (), targets, **modifiers)

    def initialize(self, amplitudes: Any, qubits: Any = None, *, normalize: bool = False) -> Self:
        """Reset the qubits, then prepare the given amplitudes."""
        targets = tuple(range(self.num_qubits)) if qubits is None else check_qubits(qubits, self.num_qubits)
        gate = PrepareGate(amplitudes, normalize=normalize)
        if gate.num_qubits == len(targets):  # else append() says what is wrong, before anything is added
            self.reset(targets)
        return self.append(gate, (), targets)

    def mcx(self, controls: Any, target: int, control_values: Any = None) -> Self:
        """Append X on `target` behind any number of controls."""
        return self.append("x", (), target, controls=controls, control_values=control_values)

    def mcp(self, lam: Any, controls: Any, target: int, control_values: Any = None) -> Self:
        """Append a phase gate behind any number of controls."""
        return self.append("p", (lam,), target, controls=controls, control_values=control_values)

    def mcrx(self, theta: Any, controls: Any, target: int, control_values: Any = None) -> Self:
        """Append RX behind any number of controls."""
        return self.append("rx", (theta,), target, controls=controls, control_values=control_values)

    def mcry(self, theta: Any, controls: Any, target: int, control_values: Any = None) -> Self:
        """Append RY behind any number of controls."""
        return self.append("ry", (theta,), target, controls=controls, control_values=control_values)

    def mcrz(self, theta: Any, controls: Any, target: int, control_values: Any = None) -> Self:
        """Append RZ behind any number of controls."""
        return self.append("rz", (theta,), target, controls=controls, control_values=control_values)

    def integer_comparator(self, value: int, qubits: Any, target: int, *, geq: bool = True) -> Self:
        """Append X on `target` where the integer on `qubits` is ``>= value`` (or ``<`` if not `geq`)."""
        register = check_qubits(qubits, self.num_qubits)
        number = check_count(value, "value")
        index = np.arange(2 << len(register))
        low = index & ((1 << len(register)) - 1)
        flips = (low >= number) if geq else (low < number)
        return self.permutation(np.where(flips, index ^ (1 << len(register)), index), (*register, target))

    def rv(self, vx: float, vy: float, vz: float, qubit: Any, **modifiers: Any) -> Self:
        """Append the rotation by the angle |v| about the axis v (numbers only)."""
        angle = math.sqrt(vx * vx + vy * vy + vz * vz)
        generator = np.array([[vz, vx - 1j * vy], [vx + 1j * vy, -vz]]) / 2
        factor = math.sin(angle / 2) / (angle / 2) if angle else 1.0
        matrix = math.cos(angle / 2) * np.eye(2) - 1j * factor * generator
        return self.unitary(matrix, qubit, name="rv", **modifiers)

    # -- other operations ------------------------------------------------------------------------
    def barrier(self, *qubits: Any) -> Self:
        """Append a barrier across the given qubits, or all."""
        listed = qubits[0] if len(qubits) == 1 and isinstance(qubits[0], Iterable) else qubits
        targets = check_qubits(listed, self.num_qubits) if qubits else tuple(range(self.num_qubits))
        return self._push(Barrier(targets))

    def delay(self, duration: float, qubits: Any = None, unit: str = "s") -> Self:
        """Append a delay; the identity here, kept for noise models and for OpenQASM."""
        targets = tuple(range(self.num_qubits)) if qubits is None else check_qubits(qubits, self.num_qubits)
        if isinstance(duration, bool | np.bool_) or not isinstance(duration, numbers.Real):
            raise TypeError(f"Argument `duration` must be a real number, but is {type(duration).__name__}.")
        if not 0 <= duration < math.inf:
            raise ArgumentError(f"Argument `duration` must be a finite number >= 0, but is {duration!r}.")
        if unit not in _DELAY_UNITS:
            raise ArgumentError(f"Argument `unit` must be one of {', '.join(_DELAY_UNITS)}, but is {unit!r}.")
        return self._push(Delay(float(duration), unit, targets))

    def measure(self, qubits: Any, clbits: Any) -> Self:
        """Measure one or several qubits, each into the classical bit of the same position."""
        sources = check_qubits(qubits, self.num_qubits, context=" in `measure`")
        targets = check_qubits(clbits, self.num_clbits, "Classical bit", "classical bits", " in `measure`")
        if len(sources) != len(targets):
            raise CircuitError(
                f"Arguments `qubits` and `clbits` must be equally many, but are {len(sources)} and "
                f"{len(targets)}."
            )
        for q, c in zip(sources, targets, strict=True):
            self._push(Measure(q, c))
        return self

    def measure_all(self) -> Self:
        """Measure all qubits, qubit q into classical bit q.

        Classical bits are added if there are too few. If an operation uses one already, or some are the
        program's own, all bits are new and follow the present ones, so that no outcome is lost.
        """
        in_use = bool(self.scratch_clbits) or any(op.clbits for op in self._operations)
        first = self.num_clbits if in_use else 0
        count = first + self.num_qubits
        for q in range(self.num_qubits):  # before anything else: a frozen circuit refuses it
            self._push(Measure(q, first + q))
        if count > self.num_clbits and self.classical_registers:
            name = "meas"
            while name in self.classical_registers or name in self.quantum_registers:
                name += "_"
            self.classical_registers[name] = tuple(range(self.num_clbits, count))
        self.num_clbits = max(self.num_clbits, count)
        return self

    def measure_pauli(self, label: str, qubits: Any, clbit: int) -> Self:
        """Measure a product of Paulis (dense label, first qubit rightmost) into one classical bit."""
        targets = check_qubits(qubits, self.num_qubits)
        x, z = PauliRotationGate(label).masks
        if len(label) != len(targets) or not x | z:
            raise CircuitError(
                f"Argument `label` must be {len(targets)} letters, not all I, but is {label!r}."
            )
        check_index(clbit, self.num_clbits, "Classical bit", "classical bits")
        from qsim.circuit import Circuit

        change = Circuit(self.num_qubits)
        involved = [q for k, q in enumerate(targets) if (x | z) >> k & 1]
        for k, q in enumerate(targets):
            if x >> k & 1:
                change.append("sx" if z >> k & 1 else "h", (), q)
        for q in involved[:-1]:
            change.append("cx", (), (q, involved[-1]))
        self._operations.extend(change.operations)
        self._push(Measure(involved[-1], clbit))
        self._operations.extend(change.inverse().operations)
        return self

    def reset(self, qubits: Any) -> Self:
        """Put qubits into |0>."""
        for q in check_qubits(qubits, self.num_qubits, context=" in `reset`"):
            self._push(Reset(q))
        return self

    def kraus(self, matrices: Sequence[Any], qubits: Any) -> Self:
        """Append a channel given by its Kraus matrices."""
        return self._push(Kraus(matrices, check_qubits(qubits, self.num_qubits)))

    # -- classical control -----------------------------------------------------------------------
    def declare(
        self, name: str, kind: str = "int", size: int | EllipsisType | None = ..., initial: Any = 0
    ) -> Variable:
        """Declare a classical variable and return it.

        Parameters
        ----------
        name : str
        kind : {"bool", "bit", "int", "uint", "float", "angle"}
        size : int or None, optional
            Width in bits; by default 32 for int and uint, 64 for float and angle, None (a single one) for
            bool and bit.
        initial : number or None
            Converted to the type, as an assignment would; None for a variable that is assigned before
            it is read.
        """
        from qsim.classical import Literal, Variable

        if size is ...:
            size = _DEFAULT_SIZES.get(kind) if isinstance(kind, str) else None
        variable = Variable(name, kind, size)
        if initial is not None and not isinstance(initial, bool | np.bool_ | numbers.Real):
            raise TypeError(f"Argument `initial` must be a number, but is {type(initial).__name__}.")
        if initial is not None and not math.isfinite(initial):
            raise ArgumentError(f"Argument `initial` must be finite, but is {initial}.")
        if any(v.name == name for v in self.variables):
            raise CircuitError(f"Classical variable `{name}` is declared already.")
        if initial is not None:
            initial = Literal(_python_number(initial), kind, size).value
        self.variables[variable] = initial
        self._cache = {}
        return variable

    def if_else(self, condition: Any, then_body: Circuit, else_body: Circuit | None = None) -> Self:
        """Append `then_body` under a classical condition, `else_body` otherwise.

        Parameters
        ----------
        condition : (int, int), (sequence of int, int), or classical expression
            A classical bit and the value it must have; several bits and the integer they must form
            (first bit least significant); or an expression of `qsim.classical`.
        then_body, else_body : Circuit
            Over the same qubits and classical bits as this circuit, or fewer. Variables a body declares
            become the circuit's: they get their initial values once, when the circuit starts.
        """
        bodies = [self._body(b) for b in (then_body, *([] if else_body is None else [else_body]))]
        return self._push(IfElse(self._condition(condition), *bodies))

    def while_loop(self, condition: Any, body: Circuit) -> Self:
        """Append `body`, repeated as long as the condition holds (see `if_else`)."""
        return self._push(WhileLoop(self._condition(condition), self._body(body)))

    def for_loop(self, values: Any, body: Circuit, variable: Variable | None = None) -> Self:
        """Append `body`, once for each value; `variable` holds the value meanwhile."""
        from qsim import classical

        if isinstance(values, range):
            _check_range(values)
        elif not isinstance(values, classical.Expression):
            values = _loop_values(values)
        if variable is not None and not isinstance(variable, classical.Variable):
            raise TypeError(f"Argument `variable` must be a Variable, but is {type(variable).__name__}.")
        return self._push(ForLoop(variable, values, self._body(body)))

    def switch(self, subject: Any, cases: Any, default: Circuit | None = None) -> Self:
        """Append the body of the case that holds the integer value of `subject`.

        Parameters
        ----------
        subject : int, sequence of int, or classical expression
            A classical bit, several (first least significant), or an expression.
        cases : dict or sequence of (int or sequence of int, Circuit)
        default : Circuit, optional
        """
        from qsim import classical

        if not isinstance(subject, classical.Expression):
            bits = check_qubits(subject, self.num_clbits, "Classical bit", "classical bits")
            subject = classical.Bits(bits)
        listed = [(values, self._body(body)) for values, body in _switch_cases(cases)]
        return self._push(Switch(subject, listed, None if default is None else self._body(default)))

    def assign(self, target: Any, value: Any) -> Self:
        """Append an assignment of a classical expression to a variable or to classical bits."""
        from qsim import classical

        if isinstance(target, numbers.Integral):
            target = classical.Bit(check_index(target, self.num_clbits, "Classical bit", "classical bits"))
        elif not isinstance(target, classical.Bit | classical.Bits | classical.Variable):
            raise TypeError(
                f"Argument `target` must be a classical bit, several, or a variable, but is "
                f"{type(target).__name__}."
            )
        if not isinstance(value, classical.Expression):
            value = classical.Literal(value)
        return self.append_operation(Assign(target, value))

    def break_loop(self) -> Self:
        """Append a jump out of the innermost loop."""
        return self._push(Break())

    def continue_loop(self) -> Self:
        """Append a jump to the next turn of the innermost loop."""
        return self._push(Continue())


def _check_range(values: range) -> None:
    try:
        len(values)
    except OverflowError:
        raise ArgumentError(
            f"Argument `values` must have fewer than 2**63 elements, but is {values}."
        ) from None


def _loop_values(values: Any) -> tuple[Any, ...]:
    """The values of a for loop: finite numbers or classical expressions."""
    from qsim.classical import Expression

    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"Argument `values` must be several numbers, but is {type(values).__name__}.")
    out: list[Any] = []
    for value in values:
        if isinstance(value, Expression):
            out.append(value)
            continue
        if not isinstance(value, bool | np.bool_ | numbers.Real):
            raise TypeError(f"Argument `values` must hold numbers, but holds {value!r}.")
        if not math.isfinite(value):
            raise ArgumentError(f"Argument `values` must be finite, but holds {value}.")
        out.append(_python_number(value))
    return tuple(out)


def _python_number(value: Any) -> bool | int | float:
    """The number as Python's own type, which JSON knows."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _switch_cases(cases: Any) -> list[tuple[tuple[int, ...], Any]]:
    """(values, body) of each case of a switch; no value is named twice."""
    pairs = list(cases.items()) if isinstance(cases, Mapping) else cases
    pairs = list(pairs) if isinstance(pairs, Iterable) else [pairs]
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
        raise TypeError(
            f"Argument `cases` must be a dict from values to bodies or pairs of them, but is {cases!r}."
        )
    out, seen = [], set()
    for values, body in pairs:
        listed = tuple(values) if isinstance(values, Iterable) and not isinstance(values, str) else (values,)
        if not listed:
            raise CircuitError("A case of a switch must have at least one value, but has none.")
        for value in listed:
            if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
                raise TypeError(f"The value of a case must be an int, but is {type(value).__name__}.")
            if value in seen:
                raise CircuitError(f"Case {value} is named twice; the values of a switch must differ.")
            seen.add(value)
        out.append((tuple(int(value) for value in listed), body))
    return out
