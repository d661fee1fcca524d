"""Gates with data of their own: a matrix, a diagonal, a generator, a Pauli string, amplitudes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

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
from qsim.gates import Gate, Matrix, Term
from qsim.parameters import MAX_ANGLE, ParameterValue

__all__ = [
    "DiagonalGate",
    "GeneratorGate",
    "PauliRotationGate",
    "PermutationGate",
    "PhaseOnStatesGate",
    "PrepareGate",
    "UnitaryGate",
    "UserGate",
    "adjoint_name",
]

_PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


def adjoint_name(name: str) -> str:
    """``name_dg``; and ``name`` of that."""
    return name[:-3] if name.endswith("_dg") else name + "_dg"


class UserGate(Gate):
    """Base of gates that carry data of their own; two are equal if their data are."""

    num_params = 0
    num_controls = 0
    #: attributes that are keywords of the constructor
    _keywords: tuple[str, ...] = ()

    def _data(self) -> dict[str, Any]:
        """What makes the gate: the constructor's keywords."""
        return {name: getattr(self, name) for name in self._keywords}

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
        name = "unitary" if self.name == "unitary" else adjoint_name(self.name)
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
    _keywords = ("entries",)

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


class PermutationGate(UserGate):
    """Move amplitude ``j`` of the targets to index ``permutation[j]``."""

    name = "permutation"
    _keywords = ("permutation",)

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


class _Exponential(UserGate):
    """Base of gates exp(-i theta G), whose inverse and powers have multiples of theta."""

    num_params = 1

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self, (-params[0],)

    def power(
        self, params: Sequence[ParameterValue], exponent: float
    ) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self, (params[0] * exponent,)


class PauliRotationGate(_Exponential):
    """exp(-i theta P / 2) for a Pauli string, given as a dense label (first qubit rightmost)."""

    name = "pauli_rotation"
    _keywords = ("label",)

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


class PhaseOnStatesGate(_Exponential):
    """exp(i phi) on the first `dimension` basis states of the targets and exp(-i phi) on the others.

    PennyLane's ``PCPhase``.
    """

    name = "pcphase"
    _keywords = ("dimension", "num_qubits")

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


class GeneratorGate(_Exponential):
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

    _keywords = ("generator", "name")

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
    _keywords = ("amplitudes", "inverted")

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
