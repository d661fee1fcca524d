"""Gates that are not in the table: from a matrix, a generator, a Pauli string, amplitudes, a sub-circuit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim._checks import (
    UNITARY_TOLERANCE,
    check_finite,
    check_numbers,
    check_square_power_of_two,
    check_unitary,
    distance_from_unitary,
)
from qsim.errors import ArgumentError, CircuitError, StateError
from qsim.gates import GATES, Gate, Matrix, Part, Term
from qsim.parameters import MAX_ANGLE, ParameterValue

if TYPE_CHECKING:
    from qsim.circuit import Circuit
    from qsim.observables import PauliSum

__all__ = [
    "USER_GATES",
    "CircuitGate",
    "DiagonalGate",
    "GeneratorGate",
    "PauliEvolutionGate",
    "PauliRotationGate",
    "PermutationGate",
    "PhaseOnStatesGate",
    "PrepareGate",
    "UnitaryGate",
    "UserGate",
]

_PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


#: Gates of gates of gates ...: what walks through them recurses.
MAX_NESTING = 64
#: A gate of gates becomes this many instructions at most; each level may double them.
MAX_PARTS = 5_000_000


class UserGate(Gate):
    """Base of gates that carry data of their own; two are equal if their data are."""

    num_params = 0
    num_controls = 0
    #: how many gates lie one within the other
    nesting = 0
    #: whether the gate is unitary, so that states stay normalised
    keeps_norm = True
    #: how many gates it is made of, counted through all levels
    num_parts = 1

    def _data(self) -> dict[str, Any]:
        """What makes the gate: its constructor's keywords."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return False
        mine, theirs = self._data(), other._data()
        return all(
            np.array_equal(value, theirs[name]) if isinstance(value, np.ndarray) else value == theirs[name]
            for name, value in mine.items()
        )

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.name, self.num_qubits))


class UnitaryGate(UserGate):
    """A constant matrix on the targets, behind any number of controls.

    Parameters
    ----------
    matrix : array_like, shape (2**k, 2**k)
        The first target is the least significant bit of the index.
    name : str
    num_controls : int
        Qubits listed before the targets that control the matrix.
    check : bool
        Refuse a matrix that is not unitary within 1e-8 (default). Turn off to apply any matrix;
        state vectors are then no longer normalised, while other answers divide by the norm.
    """

    def __init__(
        self, matrix: Any, name: str = "unitary", *, num_controls: int = 0, check: bool = True
    ) -> None:
        m = check_square_power_of_two(matrix, "matrix")
        if check:
            check_unitary(m, "matrix")
        self.const = m
        self.terms: tuple[Term, ...] = ()
        self.name = name
        self.check = check
        # a matrix may be unitary though nobody asked for that
        self.keeps_norm = check or distance_from_unitary(m) <= UNITARY_TOLERANCE
        self.num_controls = num_controls
        self.num_qubits = num_controls + len(m).bit_length() - 1

    def target_matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        return self.const

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        if not self.check:
            raise CircuitError(
                f"Gate `{self.name}` was made with check=False; an inverse needs a unitary matrix."
            )
        name = self.name[:-3] if self.name.endswith("_dg") else self.name + "_dg"
        name = "unitary" if self.name == "unitary" else name
        return UnitaryGate(self.const.conj().T, name, num_controls=self.num_controls), ()

    def _data(self) -> dict[str, Any]:
        return {
            "matrix": self.const,
            "name": self.name,
            "num_controls": self.num_controls,
            "check": self.check,
        }


class DiagonalGate(UserGate):
    """Multiply amplitude ``j`` of the targets by ``entries[j]``, each of modulus 1."""

    name = "diagonal"

    def __init__(self, entries: Any) -> None:
        d = check_numbers(entries, "entries", "a sequence of numbers")
        if d.ndim != 1 or len(d) == 0 or len(d) & (len(d) - 1):
            raise ArgumentError(f"Argument `entries` must have shape (2**k,), but has shape {d.shape}.")
        check_finite(d, "entries")
        if not np.allclose(np.abs(d), 1.0, atol=1e-8):
            worst = int(np.argmax(np.abs(np.abs(d) - 1)))
            raise ArgumentError(
                f"Argument `entries` must have modulus 1, but entry {worst} has {abs(d[worst]):.6g}."
            )
        d.flags.writeable = False
        self.entries = d
        self.num_qubits = len(d).bit_length() - 1

    def target_matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        return np.diag(self.entries)

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return DiagonalGate(self.entries.conj()), ()

    def power(
        self, params: Sequence[ParameterValue], exponent: float
    ) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return DiagonalGate(np.exp(1j * exponent * np.angle(self.entries))), ()

    def _data(self) -> dict[str, Any]:
        return {"entries": self.entries}


class PermutationGate(UserGate):
    """Move amplitude ``j`` of the targets to index ``permutation[j]``."""

    name = "permutation"

    def __init__(self, permutation: Any) -> None:
        p = np.asarray(permutation)
        if p.dtype.kind not in "iu" or p.ndim != 1 or len(p) == 0 or len(p) & (len(p) - 1):
            raise ArgumentError(
                f"Argument `permutation` must be 2**k integers, but is of type {p.dtype} and shape {p.shape}."
            )
        if not np.array_equal(np.sort(p), np.arange(len(p))):
            raise ArgumentError(
                f"Argument `permutation` must name each of 0..{len(p) - 1} once, but does not."
            )
        self.permutation = p.astype(np.int64)  # a copy
        self.permutation.flags.writeable = False
        self.num_qubits = len(p).bit_length() - 1

    def target_matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        out = np.zeros((len(self.permutation),) * 2, dtype=complex)
        out[self.permutation, np.arange(len(self.permutation))] = 1
        return out

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return PermutationGate(np.argsort(self.permutation)), ()

    def _data(self) -> dict[str, Any]:
        return {"permutation": self.permutation}


class PauliRotationGate(UserGate):
    """exp(-i theta P / 2) for a Pauli string, given as a dense label (first qubit rightmost)."""

    name = "pauli_rotation"
    num_params = 1

    def __init__(self, label: str) -> None:
        if not isinstance(label, str):
            raise TypeError(f"Argument `label` must be a str, but is {type(label).__name__}.")
        for position, letter in enumerate(label):
            if letter not in _PAULIS:
                raise ArgumentError(
                    f"Argument `label` must hold only I, X, Y, Z, but has {letter!r} at {position}."
                )
        self.label = label
        self.num_qubits = len(label)

    def pauli_matrix(self) -> Matrix:
        """The Pauli string itself."""
        pauli: Matrix = np.eye(1, dtype=complex)
        for letter in self.label:
            pauli = np.kron(pauli, _PAULIS[letter])
        return pauli

    @cached_property
    def masks(self) -> tuple[int, int]:
        """(x_mask, z_mask) over the gate's own qubits."""
        letters = self.label[::-1]
        return (
            sum(1 << q for q, letter in enumerate(letters) if letter in "XY"),
            sum(1 << q for q, letter in enumerate(letters) if letter in "YZ"),
        )

    def target_matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        pauli = self.pauli_matrix()
        half = params[0] / 2
        return np.asarray(np.cos(half) * np.eye(len(pauli)) - 1j * np.sin(half) * pauli)

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self, (-params[0],)

    def power(
        self, params: Sequence[ParameterValue], exponent: float
    ) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self, (params[0] * exponent,)

    def _data(self) -> dict[str, Any]:
        return {"label": self.label}


class PhaseOnStatesGate(UserGate):
    """exp(i phi) on the first `dimension` basis states of the targets and exp(-i phi) on the others.

    PennyLane's ``PCPhase``.
    """

    name = "pcphase"
    num_params = 1

    def __init__(self, dimension: int, num_qubits: int) -> None:
        if not 0 <= dimension <= 1 << num_qubits:
            raise ArgumentError(f"Argument `dimension` must be 0 to {1 << num_qubits}, but is {dimension}.")
        self.dimension, self.num_qubits = dimension, num_qubits

    @cached_property
    def signs(self) -> npt.NDArray[np.float64]:
        return np.where(np.arange(1 << self.num_qubits) < self.dimension, 1.0, -1.0)

    def target_matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        return np.diag(np.exp(1j * params[0] * self.signs))

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self, (-params[0],)

    def power(
        self, params: Sequence[ParameterValue], exponent: float
    ) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self, (params[0] * exponent,)

    def _data(self) -> dict[str, Any]:
        return {"dimension": self.dimension, "num_qubits": self.num_qubits}


class GeneratorGate(UserGate):
    """exp(-i theta G) for a Hermitian matrix G, differentiable in theta.

    Parameters
    ----------
    generator : array_like, shape (2**k, 2**k)
        Hermitian; the first qubit is the least significant bit of the index.
    name : str

    Notes
    -----
    The matrix is a trigonometric polynomial with one frequency for each distinct |eigenvalue| of G.
    """

    num_params = 1

    def __init__(self, generator: Any, name: str = "generator") -> None:
        g = check_square_power_of_two(generator, "generator")
        distance = float(np.abs(g - g.conj().T).max())
        if distance > 1e-8 * max(1.0, float(np.abs(g).max())):
            raise ArgumentError(
                f"Argument `generator` must be Hermitian, but differs from its adjoint by up to "
                f"{distance:.1e}."
            )
        if float(np.abs(g).max()) > MAX_ANGLE:
            raise ArgumentError(f"Argument `generator` must have entries of at most {MAX_ANGLE:g}.")
        self.generator = (g + g.conj().T) / 2
        self.name = name
        self.num_qubits = len(g).bit_length() - 1
        levels, vectors = np.linalg.eigh(self.generator)
        scale = max(1.0, float(np.abs(levels).max()))
        const = np.zeros_like(self.generator)
        terms: list[Term] = []
        remaining = list(range(len(levels)))
        while remaining:
            omega = abs(levels[remaining[0]])
            chosen = [i for i in remaining if abs(abs(levels[i]) - omega) <= 1e-12 * scale]
            remaining = [i for i in remaining if i not in chosen]
            projectors = np.einsum("ik,jk->kij", vectors[:, chosen], vectors[:, chosen].conj())
            if omega <= 1e-12 * scale:
                const = const + projectors.sum(0)
            else:
                signs = np.sign(levels[chosen])
                terms.append(Term(float(omega), projectors.sum(0), -1j * np.tensordot(signs, projectors, 1)))
        self.const, self.terms = const, tuple(terms)
        for array in (self.generator, const, *(m for term in terms for m in term[1:])):
            array.flags.writeable = False

    def target_matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        theta = params[0]
        return self.const + sum(
            (t.cos * np.cos(t.omega * theta) + t.sin * np.sin(t.omega * theta) for t in self.terms),
            np.zeros_like(self.const),
        )

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self, (-params[0],)

    def power(
        self, params: Sequence[ParameterValue], exponent: float
    ) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self, (params[0] * exponent,)

    def _data(self) -> dict[str, Any]:
        return {"generator": self.generator, "name": self.name}


class PrepareGate(UserGate):
    """A unitary that takes |0...0> to the given amplitudes.

    A Householder reflection times a phase, so it costs one pass and is its own kind of inverse. Its
    action on other basis states is fixed but of no meaning.

    Parameters
    ----------
    amplitudes : array_like, shape (2**k,)
    normalize : bool
        Divide by the norm instead of refusing amplitudes whose norm is not 1 within 1e-8.
    """

    name = "prepare"

    def __init__(self, amplitudes: Any, *, normalize: bool = False, inverted: bool = False) -> None:
        a = check_numbers(amplitudes, "amplitudes", "a sequence of numbers")
        if a.ndim != 1 or len(a) == 0 or len(a) & (len(a) - 1):
            raise StateError(f"Argument `amplitudes` must have shape (2**k,), but has shape {a.shape}.")
        if not np.isfinite(a).all():
            raise StateError("Argument `amplitudes` must be finite, but holds NaN or infinity.")
        if normalize:
            a /= max(float(np.abs(a).max()), 1e-300)  # squares of large numbers overflow
        norm = float(np.linalg.norm(a))
        if norm == 0:
            raise StateError("Argument `amplitudes` must have norm 1, but is zero.")
        if abs(norm - 1) > 1e-8 and not normalize:
            raise StateError(
                f"Argument `amplitudes` must have norm 1, but has norm {norm:.6g}. Pass normalize=True "
                "to divide by it."
            )
        # dividing by a norm that is 1 to rounding would change the last bits at every copy
        self.amplitudes = a / norm if abs(norm - 1) > 1e-14 else a
        self.amplitudes.flags.writeable = False
        self.inverted = inverted
        self.num_qubits = len(a).bit_length() - 1

    @cached_property
    def reflection(self) -> tuple[complex, npt.NDArray[np.complex128]]:
        """(phase, w) of ``phase * (1 - 2 w w^dagger)``."""
        first = self.amplitudes[0]
        phase = first / abs(first) if abs(first) > 0 else 1.0 + 0j
        w = -(self.amplitudes / phase)
        # 1 - a0 computed from the other amplitudes: no cancellation where the state is close to |0>
        rest = float(np.sum(np.abs(self.amplitudes[1:]) ** 2))
        w[0] = rest / (1 + abs(first))
        norm = np.linalg.norm(w)
        w = w / norm if norm > 0 else w
        return complex(phase.conjugate() if self.inverted else phase), np.asarray(w, dtype=complex)

    def target_matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        phase, w = self.reflection
        return phase * (np.eye(len(w)) - 2 * np.outer(w, w.conj()))

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return PrepareGate(self.amplitudes, inverted=not self.inverted), ()

    def _data(self) -> dict[str, Any]:
        return {"amplitudes": self.amplitudes, "inverted": self.inverted}


class PauliEvolutionGate(UserGate):
    """exp(-i t H) for a Hermitian sum of Pauli strings, by a product formula.

    Exact where all terms commute (one factor per term); otherwise `order` 1, 2 or 4 of the
    Suzuki-Trotter formulas [1]_ with `steps` steps.

    References
    ----------
    .. [1] M. Suzuki, J. Math. Phys. 32, 400 (1991).
    """

    name = "exp_pauli_sum"
    num_params = 1

    def __init__(self, pauli_sum: PauliSum, num_qubits: int, order: int = 2, steps: int = 1) -> None:
        if order not in (1, 2, 4):
            raise ArgumentError(f"Argument `order` must be 1, 2 or 4, but is {order!r}.")
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ArgumentError(f"Argument `steps` must be a positive int, but is {steps!r}.")
        if not pauli_sum.is_hermitian():
            raise ArgumentError("Argument `pauli_sum` must be Hermitian, but has complex coefficients.")
        if pauli_sum.num_qubits > num_qubits:
            raise ArgumentError(
                f"Argument `pauli_sum` acts on {pauli_sum.num_qubits} qubits, but only {num_qubits} are "
                "given."
            )
        self.pauli_sum, self.order, self.steps, self.num_qubits = pauli_sum, order, steps, num_qubits

    @cached_property
    def _terms(self) -> list[tuple[Gate, float]]:
        """(gate, 2 * coefficient) for each term; the identity is a global phase."""
        out: list[tuple[Gate, float]] = []
        for x, z, coefficient in zip(*(a.tolist() for a in self.pauli_sum.real_terms()), strict=True):
            letters = ["IXZY"[(x >> q & 1) + 2 * (z >> q & 1)] for q in range(self.num_qubits)]
            gate: Gate = PauliRotationGate("".join(reversed(letters))) if x | z else GATES["gphase"]
            out.append((gate, 2 * coefficient if x | z else -coefficient))
        return out

    @cached_property
    def is_exact(self) -> bool:
        """Whether all terms commute."""
        x, z, _ = self.pauli_sum.real_terms()
        for i in range(len(x)):
            odd = np.bitwise_count(x & z[i]) + np.bitwise_count(z & x[i])
            if (odd & 1).any():
                return False
        return True

    def _schedule(self) -> list[tuple[int, float]]:
        """(term, share of the time of one step) for one step."""
        count = len(self._terms)
        if self.is_exact or self.order == 1:
            return [(k, 1.0) for k in range(count)]

        def second(share: float) -> list[tuple[int, float]]:
            half = [(k, share / 2) for k in range(count - 1)]
            return [*half, (count - 1, share), *reversed(half)]

        if self.order == 2:
            return second(1.0)
        outer = 1 / (4 - 4 ** (1 / 3))
        return second(outer) * 2 + second(1 - 4 * outer) + second(outer) * 2

    def decompose(self, params: Sequence[ParameterValue]) -> list[Part] | None:
        if not self._terms:
            return []
        steps = 1 if self.is_exact else self.steps
        time, qubits = params[0] / steps, tuple(range(self.num_qubits))
        parts = []
        for term, share in self._schedule():
            gate, factor = self._terms[term]
            parts.append(Part(gate, (time * (factor * share),), qubits if gate.num_qubits else ()))
        return parts * steps

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        if not self.is_exact and self.order == 1:  # the reverse order of factors is another product
            return _ReversedEvolution(self), tuple(params)
        return self, (-params[0],)

    def _data(self) -> dict[str, Any]:
        return {
            "pauli_sum": self.pauli_sum,
            "num_qubits": self.num_qubits,
            "order": self.order,
            "steps": self.steps,
        }


class CircuitGate(UserGate):
    """A unitary circuit used as one gate; its parameters stay symbols of the circuit around it."""

    def __init__(self, circuit: Circuit, name: str | None = None) -> None:
        from qsim.operations import Barrier, GateOperation

        for operation in circuit.operations:
            if not isinstance(operation, GateOperation | Barrier):
                raise CircuitError(
                    f"A gate must be made of gates, but the circuit contains `{operation.name}`. "
                    "Use compose() to insert a circuit that measures, resets or branches."
                )
            if isinstance(operation, GateOperation) and operation.has_run_time_params:
                raise CircuitError(
                    f"A gate must not depend on run-time values, but `{operation.name}` in the circuit does. "
                    "Use compose() to insert such a circuit."
                )
            if isinstance(operation, GateOperation) and isinstance(operation.gate, UserGate):
                self.nesting = max(self.nesting, operation.gate.nesting)
                self.keeps_norm &= operation.gate.keeps_norm
        self.num_parts = sum(
            getattr(operation.gate, "num_parts", 1)
            for operation in circuit.operations
            if isinstance(operation, GateOperation)
        )
        if self.num_parts > MAX_PARTS:
            raise CircuitError(
                f"A gate must be made of at most {MAX_PARTS} gates, but this one is of {self.num_parts}, "
                "counted through all gates in it."
            )
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise CircuitError(
                f"Gates must be nested at most {MAX_NESTING} deep. Use compose() to insert a circuit's gates "
                "one by one."
            )
        self.circuit = circuit.frozen()
        self.name = name or circuit.name or "circuit"
        self.num_qubits = circuit.num_qubits

    @property
    def free_parameters(self) -> tuple[Any, ...]:
        return self.circuit.parameters

    def matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        return self.circuit.matrix()

    def decompose(self, params: Sequence[ParameterValue]) -> list[Part] | None:
        from qsim.operations import GateOperation

        parts = []
        for operation in self.circuit.operations:
            if isinstance(operation, GateOperation):
                gate, qubits = operation.with_controls_inside()
                parts.append(Part(gate, operation.params, qubits))
        return parts

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        name = self.name[:-3] if self.name.endswith("_dg") else self.name + "_dg"
        return CircuitGate(self.circuit.inverse(), name), ()

    def bind(self, values: dict[Any, Any]) -> CircuitGate:
        return CircuitGate(self.circuit.bind(values), self.name)

    def _data(self) -> dict[str, Any]:
        return {"circuit": self.circuit, "name": self.name}


class ControlledGate(UserGate):
    """A gate behind further controls, with their values, as one gate (controls listed first)."""

    def __init__(self, gate: Gate, control_values: Sequence[int]) -> None:
        self.gate = gate
        self.nesting = gate.nesting if isinstance(gate, UserGate) else 0
        self.num_parts = getattr(gate, "num_parts", 1)
        self.keeps_norm = not isinstance(gate, UserGate) or gate.keeps_norm
        self.control_values = tuple(control_values)
        self.name = "c" * len(self.control_values) + "-" + gate.name
        self.num_params = gate.num_params
        self.num_qubits = len(self.control_values) + gate.num_qubits

    def target_matrix(self, *params: float) -> Matrix:
        from qsim.gates import expand_controls

        return expand_controls(self.gate.matrix(*params), len(self.control_values), self.control_values)

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        gate, inverse_params = self.gate.inverse(params)
        return ControlledGate(gate, self.control_values), inverse_params

    def power(
        self, params: Sequence[ParameterValue], exponent: float
    ) -> tuple[Gate, tuple[ParameterValue, ...]]:
        gate, power_params = self.gate.power(params, exponent)
        return ControlledGate(gate, self.control_values), power_params

    def _data(self) -> dict[str, Any]:
        return {"gate": self.gate, "control_values": self.control_values}


class _ReversedEvolution(UserGate):
    """Inverse of a first-order product formula: its factors in reverse order, with negative time."""

    num_params = 1

    def __init__(self, gate: PauliEvolutionGate) -> None:
        self.gate, self.name, self.num_qubits = gate, gate.name + "_dg", gate.num_qubits

    def decompose(self, params: Sequence[ParameterValue]) -> list[Part] | None:
        return list(reversed(self.gate.decompose((-params[0],)) or []))

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self.gate, tuple(params)

    def _data(self) -> dict[str, Any]:
        return {"gate": self.gate}


#: every class of gate that carries data, by name
USER_GATES: dict[str, type[UserGate]] = {
    cls.__name__: cls
    for cls in (
        UnitaryGate,
        DiagonalGate,
        PermutationGate,
        PauliRotationGate,
        PhaseOnStatesGate,
        GeneratorGate,
        PrepareGate,
        PauliEvolutionGate,
        CircuitGate,
        ControlledGate,
        _ReversedEvolution,
    )
}
