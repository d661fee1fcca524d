"""The gate ``exp(-i sum_j theta_j G_j)`` of generators that need not commute.

Its matrix is no trigonometric polynomial of its parameters, so no instruction of a tape holds it. It becomes
two runs of gates instead, all of whose angles are functions of the parameters:

* rotations of pairs of basis states and phases, which make the matrix. They *hold* it: their angles, found by
  elimination, jump where an entry vanishes, and count as constants for derivatives;
* behind them rotations ``exp(-i a_P P)`` about Pauli strings, which carry all derivatives. Each ``a_P`` is
  zero; its derivatives are such that the product has those of the gate, up to second order.

With ``E_j = (d U / d theta_j) U^dagger = -i sum_P e_jP P``, which is ``-i`` times the average of
``U(u) G_j U(u)^dagger`` over the gates ``U(u) = exp(-i u H)``, u from 0 to 1, ``a_P`` has the slope ``e_jP``
(R. Wiersema et al., "Here comes the SU(N)", Quantum 8, 1275 (2024), arXiv:2303.11355). So every way to
differentiate a rotation differentiates this gate: adjoint, parameter shifts with or without shots, Hadamard
tests, dual states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_square_power_of_two
from qsim.data_gates import PauliRotationGate, UnitaryGate, UserGate
from qsim.errors import ArgumentError
from qsim.gates import GATES, Gate, Matrix, Part
from qsim.parameters import MAX_ANGLE, ParameterExpression, ParameterValue

__all__ = ["Component", "GeneratorSumGate"]

FloatArray = npt.NDArray[np.float64]
#: A gate on k qubits has up to 2 * 4**k angles.
MAX_QUBITS = 4
#: A Pauli string this small in every derivative, relative to the generators, is in none of them.
_DUST = 1e-11
#: Levels closer than this share a series; others a difference.
_NEAR = 0.5


@dataclass(frozen=True)
class Component:
    """One angle of a gate as a function of its parameters: an operator of parameter expressions.

    Attributes
    ----------
    gate : GeneratorSumGate
    kind : {"held", "moving"}
        Which run of gates it is of; see the module.
    index : int
        Its number there.
    by : tuple of int
        The parameters a "moving" angle is differentiated by.
    """

    gate: GeneratorSumGate
    kind: str
    index: int
    by: tuple[int, ...] = ()

    @property
    def is_held(self) -> bool:
        return self.kind == "held"

    def __call__(self, *thetas: Any) -> Any:
        """Values at numbers or arrays (batch,)."""
        if self.kind == "moving" and not self.by:
            return np.zeros(np.broadcast_shapes(*map(np.shape, thetas)))
        rows = np.stack(np.broadcast_arrays(*(np.atleast_1d(t) for t in thetas)), axis=-1).astype(float)
        found = self.gate._numbers(self.kind, len(self.by), rows)[:, self.index]
        for j in self.by:
            found = found[:, j]
        return found if any(np.ndim(t) for t in thetas) else float(found[0])

    def partial(self, j: int, thetas: Sequence[Any]) -> Any:
        """The derivative by argument j, as a number, array or expression."""
        if self.is_held or len(self.by) == 2:
            return 0.0
        slope = Component(self.gate, self.kind, self.index, (*self.by, j))
        if any(isinstance(t, ParameterExpression) for t in thetas):
            return ParameterExpression(slope, tuple(thetas))
        return slope(*thetas)

    def __str__(self) -> str:
        marks = "".join(f"'{j}" for j in self.by)
        return f"{self.gate.name}.{self.kind}{self.index}{marks}"


class GeneratorSumGate(UserGate):
    """exp(-i sum_j theta_j G_j) for Hermitian matrices G_j, differentiable in every theta_j.

    Parameters
    ----------
    generators : sequence of array_like, shape (2**k, 2**k)
        Hermitian, on at most 4 qubits; the first qubit is the least significant bit of the index.
    name : str

    Raises
    ------
    ArgumentError
        A matrix is not Hermitian, or they are of different or too large sizes.

    Notes
    -----
    O(8**k) for each row of values. It runs as up to 2 * 4**k gates.
    """

    _keywords = ("generators", "name")

    def __init__(self, generators: Any, name: str = "generator_sum") -> None:
        matrices = [check_square_power_of_two(g, f"generators[{j}]") for j, g in enumerate(generators)]
        if not matrices:
            raise ArgumentError("Argument `generators` must hold at least one matrix, but is empty.")
        sizes = {len(m) for m in matrices}
        if len(sizes) > 1 or max(sizes) > 1 << MAX_QUBITS:
            raise ArgumentError(
                f"Argument `generators` must be matrices of one size on at most {MAX_QUBITS} qubits, but "
                f"they are on {', '.join(str(s.bit_length() - 1) for s in sorted(sizes))} qubits."
            )
        g = np.array(matrices)
        distance = np.abs(g - g.conj().swapaxes(1, 2)).max(axis=(1, 2))
        scales = np.abs(g).max(axis=(1, 2))
        for j, (d, scale) in enumerate(zip(distance.tolist(), scales.tolist(), strict=True)):
            if d > 1e-8 * max(1.0, scale):
                raise ArgumentError(
                    f"Argument `generators[{j}]` must be Hermitian, but differs from its adjoint by up to "
                    f"{d:.1e}."
                )
            if scale > MAX_ANGLE:
                raise ArgumentError(f"Argument `generators[{j}]` must have entries of at most {MAX_ANGLE:g}.")
        self.generators = (g + g.conj().swapaxes(1, 2)) / 2
        self.generators.flags.writeable = False
        self.name = name
        self.num_params = len(g)
        self.num_qubits = g.shape[1].bit_length() - 1
        self._last: dict[tuple[str, int], tuple[bytes, FloatArray]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self._data(), "num_params": self.num_params, "num_qubits": self.num_qubits, "_last": {}}

    @property
    def num_parts(self) -> int:  # type: ignore[override]
        return 2 << 2 * self.num_qubits

    def target_matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        levels, vectors = self._spectrum(np.array([params], dtype=float))
        return np.asarray((vectors[0] * np.exp(-1j * levels[0])) @ vectors[0].conj().T)

    matrix = target_matrix

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self, tuple(-p for p in params)

    def power(
        self, params: Sequence[ParameterValue], exponent: float
    ) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self, tuple(p * exponent for p in params)

    def decompose(self, params: Sequence[ParameterValue]) -> list[Part] | None:
        qubits = tuple(range(self.num_qubits))
        if not any(isinstance(p, ParameterExpression) for p in params):
            return [Part(UnitaryGate(self.target_matrix(*params), self.name), (), qubits)]  # type: ignore[arg-type]
        args = tuple(params)

        def angle(kind: str, index: int) -> ParameterExpression:
            return ParameterExpression(Component(self, kind, index), args)

        parts = []
        size = 1 << self.num_qubits
        count = size * size
        phase, turn = GATES["gphase"], GATES["ry"]
        from qsim.composite_gates import ControlledGate

        def bits_of(state: int, some: Sequence[int]) -> tuple[int, ...]:
            return tuple(state >> q & 1 for q in some)

        for state in range(size):
            gate = ControlledGate(phase, bits_of(state, qubits))
            parts.append(Part(gate, (angle("held", count - size + state),), qubits))
        for k, (parent, child) in reversed(list(enumerate(_eliminations(size)))):
            target = (parent ^ child).bit_length() - 1
            others = tuple(q for q in qubits if q != target)
            own: Gate = ControlledGate(turn, bits_of(child, others)) if others else turn
            parts.append(Part(own, (angle("held", 2 * k + 1),), (*others, target)))
            parts.append(Part(ControlledGate(phase, bits_of(child, qubits)), (angle("held", 2 * k),), qubits))
        for k, label in enumerate(self.strings):
            if label.strip("I"):
                parts.append(Part(PauliRotationGate(label), (angle("moving", k),), qubits))
            else:  # -i a is the angle of a phase turned round; rotations have twice the angle
                parts.append(Part(phase, (-0.5 * angle("moving", k),), ()))
        return parts

    # -- numbers ---------------------------------------------------------------------------------
    def held_angles(self, rows: FloatArray) -> FloatArray:
        """The angles (rows, 4**k) that make the matrices at parameters (rows, num_params)."""
        return _held_angles(self._unitaries(rows))

    def parts_of_generators(self) -> list[tuple[str, list[float]]]:
        """For each of the `strings` its coefficient in every generator; 0 for rounding."""
        found = _coefficients(self.generators[None], _matrices(self.strings))[0]
        found[np.abs(found) < _DUST * np.abs(self.generators).max(initial=0.0)] = 0.0
        return list(zip(self.strings, found.T.tolist(), strict=True))

    @cached_property
    def strings(self) -> tuple[str, ...]:
        """The Pauli strings, as dense labels, that occur in some derivative."""
        every = ["".join(letters) for letters in product("IXYZ", repeat=self.num_qubits)]
        rows = np.random.default_rng(7).normal(size=(4, self.num_params))
        size = np.abs(self.generators).max()
        found = _coefficients(self._effective(rows), _matrices(every)) / max(size, 1e-300)
        largest = np.abs(found).max(axis=(0, 1))
        return tuple(label for label, value in zip(every, largest.tolist(), strict=True) if value > _DUST)

    def _numbers(self, kind: str, order: int, rows: FloatArray) -> FloatArray:
        """Held angles (rows, 4**k), or derivatives of the moving ones (rows, strings, num_params, ...)."""
        key, content = (kind, order), rows.tobytes()
        kept = self._last.get(key)
        if kept is None or kept[0] != content:
            if kind == "held":
                made = self.held_angles(rows)
            else:
                made = self._slopes(rows) if order == 1 else self._bends(rows)
            kept = self._last[key] = (content, made)
        return kept[1]

    def _spectrum(self, rows: FloatArray) -> tuple[FloatArray, Matrix]:
        levels, vectors = np.linalg.eigh(np.einsum("rj,jab->rab", rows, self.generators))
        return levels, vectors

    def _unitaries(self, rows: FloatArray) -> Matrix:
        levels, vectors = self._spectrum(rows)
        return np.asarray((vectors * np.exp(-1j * levels)[:, None]) @ vectors.conj().swapaxes(1, 2))

    def _effective(self, rows: FloatArray) -> Matrix:
        """The generators ``i E_j`` (rows, num_params, d, d), Hermitian."""
        levels, vectors = self._spectrum(rows)
        gaps = levels[:, :, None] - levels[:, None, :]
        average = np.exp(-0.5j * gaps) * np.sinc(gaps / (2 * np.pi))  # of exp(-i u gap), u from 0 to 1
        v = vectors[:, None]
        inner = (v.conj().swapaxes(2, 3) @ self.generators[None] @ v) * average[:, None]
        return np.asarray(v @ inner @ v.conj().swapaxes(2, 3))

    def _slopes(self, rows: FloatArray) -> FloatArray:
        found = _coefficients(self._effective(rows), _matrices(self.strings))
        return np.ascontiguousarray(2 * found.swapaxes(1, 2))  # rotations have half the angle

    def _bends(self, rows: FloatArray) -> FloatArray:
        """What is left of the second derivative beside that of the product of rotations."""
        paulis = _matrices(self.strings)
        levels, vectors = self._spectrum(rows)
        b = vectors.conj().swapaxes(1, 2)[:, None] @ self.generators[None] @ vectors[:, None]
        divided = _second_differences(levels)
        once = np.einsum("rjil,rklm,rilm->rjkim", b, b, divided)
        inner = (once + once.swapaxes(1, 2)) * np.exp(1j * levels)[:, None, None, None, :]
        v = vectors[:, None, None]
        second = v @ inner @ v.conj().swapaxes(3, 4)  # (d_j d_k U) U^dagger
        e = _coefficients(self._effective(rows), paulis)
        factors = -1j * e[..., None, None] * paulis  # (rows, j, strings, d, d), the first applied first
        before = np.cumsum(factors, axis=2) - factors
        squares = np.einsum("rjpab,rkpbc->rjkac", factors, factors)
        mixed = np.einsum("rjpab,rkpbc->rjkac", factors, before)
        rest = second - squares - mixed - mixed.swapaxes(1, 2)
        found = np.einsum("pab,rjkba->rpjk", paulis, 1j * rest).real / len(paulis[0])
        return np.ascontiguousarray(2 * found)


def _matrices(labels: Sequence[str]) -> Matrix:
    size = 1 << len(labels[0]) if labels else 1
    return np.array([PauliRotationGate(label).pauli_matrix() for label in labels]).reshape(-1, size, size)


def _coefficients(hermitian: Matrix, paulis: Matrix) -> FloatArray:
    """Of matrices (rows, j, d, d) in Pauli strings, (rows, j, strings)."""
    size = hermitian.shape[-1]
    found: FloatArray = np.einsum("pab,rjba->rjp", paulis.reshape(-1, size, size), hermitian).real / size
    return found


def _second_differences(levels: FloatArray) -> Matrix:
    """Divided differences ``f[a, b, c]`` of ``exp(-i x)`` at all triples of levels, (rows, d, d, d)."""
    a, b, c = np.broadcast_arrays(
        levels[:, :, None, None], levels[:, None, :, None], levels[:, None, None, :]
    )
    low, middle, high = np.moveaxis(np.sort(np.stack([a, b, c]), axis=0), 0, 0)
    width = high - low

    def first(x: FloatArray, y: FloatArray) -> Matrix:
        return np.asarray(-1j * np.exp(-0.5j * (x + y)) * np.sinc((x - y) / (2 * np.pi)))

    far = (first(middle, high) - first(low, middle)) / np.where(width < _NEAR, 1.0, width)
    mean = (low + middle + high) / 3
    x, y, z = low - mean, middle - mean, high - mean
    e2, e3 = x * y + y * z + z * x, x * y * z  # and x + y + z = 0
    sums = [np.ones_like(mean), np.zeros_like(mean), -e2]  # complete homogeneous polynomials
    factor = -0.5 + 0j
    near = factor * sums[0]
    for n in range(1, 16):
        if n > 2:
            sums.append(-e2 * sums[n - 2] + e3 * sums[n - 3])
        factor *= -1j / (n + 2)
        near = near + factor * sums[n]
    return np.where(width < _NEAR, near * np.exp(-1j * mean), far)


def _eliminations(size: int) -> list[tuple[int, int]]:
    """Pairs (parent, child) of basis states one bit apart, in the order in which entries are made zero.

    For each column, the last first, all entries above go into that on the diagonal, along a tree.
    """
    out = []
    for pivot in range(size - 1, 0, -1):
        order, parents, reached = [pivot], {}, {pivot}
        for state in order:
            for bit in range(size.bit_length() - 1):
                other = state ^ 1 << bit
                if other <= pivot and other not in reached:
                    reached.add(other)
                    parents[other] = state
                    order.append(other)
        out += [(parents[state], state) for state in reversed(order[1:])]
    return out


def _held_angles(unitaries: Matrix) -> FloatArray:
    """Angles (rows, d**2): a phase and a turn for each elimination, then the phases that are left."""
    rest = unitaries.copy()
    size = rest.shape[1]
    out = np.empty((len(rest), size * size))
    steps = iter(enumerate(_eliminations(size)))
    for pivot in range(size - 1, 0, -1):
        for _ in range(pivot):
            k, (parent, child) = next(steps)
            above, here = rest[:, parent, pivot], rest[:, child, pivot]
            phase = np.where(here == 0, 0.0, np.angle(here) - np.where(above == 0, 0.0, np.angle(above)))
            angle = np.arctan2(np.abs(here), np.abs(above))
            rest[:, child] *= np.exp(-1j * phase)[:, None]
            c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
            up, down = rest[:, parent].copy(), rest[:, child].copy()
            rest[:, parent], rest[:, child] = c * up + s * down, c * down - s * up
            out[:, 2 * k] = phase
            out[:, 2 * k + 1] = np.where(child > parent, 2 * angle, -2 * angle)
    out[:, -size:] = np.angle(np.einsum("rii->ri", rest))
    return out
