"""What a gate is: a matrix on its targets that depends on at most one parameter, or a list of such gates.

The records themselves are in `qsim.gates`, which is also the module to import all of this from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qsim._checks import counted
from qsim.errors import ArgumentError, CircuitError, UnknownGateError
from qsim.parameters import ParameterValue

__all__ = [
    "GATES",
    "Gate",
    "GateSpec",
    "Matrix",
    "Part",
    "Term",
    "apply_to_columns",
    "expand_controls",
    "get_gate",
    "register",
    "unique_specs",
    "unitary_power",
]

Matrix = npt.NDArray[np.complex128]


class Term(NamedTuple):
    """``cos * cos(omega * theta) + sin * sin(omega * theta)``, one frequency of a gate's matrix."""

    omega: float
    cos: Matrix
    sin: Matrix


class Part(NamedTuple):
    """One gate of a decomposition; `qubits` are positions among the qubits of the whole gate."""

    gate: Gate
    params: tuple[ParameterValue, ...]
    qubits: tuple[int, ...]


class Gate:
    """Base of everything a circuit can apply: records of the table and user-defined gates.

    Attributes
    ----------
    name : str
    num_qubits : int
        Built-in controls and targets together; controls come first.
    num_params, num_controls : int
    """

    name: str
    num_qubits: int
    num_params: int
    num_controls: int
    #: how many gates lie one within the other
    nesting = 0
    #: whether the gate is unitary, so that states stay normalised
    keeps_norm = True
    #: how many gates it is made of, counted through all levels
    num_parts = 1

    def decompose(self, params: Sequence[ParameterValue]) -> list[Part] | None:
        """The gates this one is made of, in the order they are applied; None for a primitive gate."""
        return None

    def matrix(self, *params: float) -> Matrix:
        """The unitary on all qubits, shape (2**num_qubits, 2**num_qubits), complex128."""
        self._check_params(params)
        parts = self.decompose(params)
        if parts is None:
            return expand_controls(self.target_matrix(*params), self.num_controls).copy()
        out = np.eye(1 << self.num_qubits, dtype=complex)
        for part in parts:
            out = apply_to_columns(part.gate.matrix(*part.params), part.qubits, out)  # type: ignore[arg-type]
        return out

    def target_matrix(self, *params: float) -> Matrix:
        """The matrix on the targets alone, of a primitive gate."""
        raise ArgumentError(f"Gate `{self.name}` is made of other gates; use matrix().")

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        """A gate and its parameters that undo this one."""
        raise CircuitError(f"Gate `{self.name}` has no inverse.")

    def power(
        self, params: Sequence[ParameterValue], exponent: float
    ) -> tuple[Gate, tuple[ParameterValue, ...]]:
        """A gate and its parameters equal to this one raised to a real power (principal branch)."""
        from qsim.user_gates import UnitaryGate

        values = _numbers(self, params)
        controls = self.num_controls if self.decompose(values) is None else 0
        if self.num_qubits - controls > 10:
            raise CircuitError(
                f"A power of gate `{self.name}` is made of its matrix, for at most 10 qubits, but it acts on "
                f"{self.num_qubits}."
            )
        matrix = self.target_matrix(*values) if controls else self.matrix(*values)
        return UnitaryGate(
            unitary_power(matrix, exponent), f"{self.name}^{exponent:g}", num_controls=controls
        ), ()

    def _check_params(self, params: Sequence[Any]) -> None:
        if len(params) != self.num_params:
            raise ArgumentError(
                f"Gate `{self.name}` takes {counted(self.num_params, 'parameter')}, but got {len(params)}."
            )

    def __repr__(self) -> str:
        return f"<gate {self.name}: {self.num_qubits} qubits, {self.num_params} parameters>"


@dataclass(frozen=True, eq=False, repr=False)
class GateSpec(Gate):
    """One record of the gate table.

    Attributes
    ----------
    const : ndarray or None
        Matrix on the targets, or its constant part. None for a gate made of others.
    terms : tuple of Term
        The part that depends on the parameter.
    decomposition : callable or None
        From the parameters to ``[(gate name, parameters, qubit positions), ...]``.
    inverse_map : callable or None
        For a gate made of others: parameters of the same gate that undo it.
    """

    name: str
    const: Matrix | None = None
    terms: tuple[Term, ...] = ()
    num_controls: int = 0
    aliases: tuple[str, ...] = ()
    param_names: tuple[str, ...] = ()
    decomposition: Callable[..., list[tuple[str, tuple[Any, ...], tuple[int, ...]]]] | None = None
    inverse_map: Callable[..., tuple[Any, ...]] | None = None
    num_qubits: int = 0
    _adjoint: list[GateSpec] = field(default_factory=list)

    def __post_init__(self) -> None:
        # copies that nobody can write to: the table is everybody's
        if self.const is not None:
            object.__setattr__(self, "const", _frozen(self.const))
        terms = tuple(Term(t.omega, _frozen(t.cos), _frozen(t.sin)) for t in self.terms)
        object.__setattr__(self, "terms", terms)

    @property
    def num_params(self) -> int:  # type: ignore[override]
        return len(self.param_names)

    def decompose(self, params: Sequence[ParameterValue]) -> list[Part] | None:
        if self.decomposition is None:
            return None
        return [
            Part(GATES.get(name) or get_gate(name), p, qubits)
            for name, p, qubits in self.decomposition(*params)
        ]

    def target_matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        if self.const is None:
            return super().target_matrix(*params)
        if not self.terms:
            return self.const
        theta = params[0]
        return self.const + sum(
            (t.cos * np.cos(t.omega * theta) + t.sin * np.sin(t.omega * theta) for t in self.terms),
            np.zeros_like(self.const),
        )

    def derivative(self, theta: float) -> Matrix:
        """Derivative of the target matrix with respect to the gate's one parameter."""
        if self.const is None or not self.terms:
            raise ArgumentError(
                f"Gate `{self.name}` must have exactly one parameter of its own to be differentiated."
            )
        return sum(
            (
                t.omega * (t.sin * np.cos(t.omega * theta) - t.cos * np.sin(t.omega * theta))
                for t in self.terms
            ),
            np.zeros_like(self.const),
        )

    @cached_property
    def is_one_parameter_group(self) -> bool:
        """Whether M(a) M(b) = M(a + b), so that inverses and powers only scale the angle."""
        if not self.terms:
            return False
        a, b = 0.7310585, -1.2689414
        product = self.target_matrix(a) @ self.target_matrix(b)
        return bool(np.allclose(product, self.target_matrix(a + b), atol=1e-12))

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        if self.inverse_map is not None:
            return self, tuple(self.inverse_map(*params))
        if self.is_one_parameter_group:
            return self, (-params[0],)
        return self.adjoint, tuple(params)

    @property
    def adjoint(self) -> GateSpec:
        """The record of the inverse at the same parameters; from the table where it has one."""
        if not self._adjoint:
            self._adjoint.append(self._find_adjoint())
        return self._adjoint[0]

    def _find_adjoint(self) -> GateSpec:
        if self.const is None:
            return _reversed(self)
        const = self.const.conj().T
        terms = tuple(Term(t.omega, t.cos.conj().T, t.sin.conj().T) for t in self.terms)
        for other in unique_specs():
            if (
                other.const is not None
                and (other.num_qubits, other.num_controls, len(other.terms))
                == (self.num_qubits, self.num_controls, len(terms))
                and np.allclose(other.const, const, atol=1e-14)
                and all(
                    np.allclose(a[i], b[i]) for a, b in zip(other.terms, terms, strict=True) for i in range(3)
                )
            ):
                return other
        spec = GateSpec(
            self.name + "_dg",
            const,
            terms,
            self.num_controls,
            (),
            self.param_names,
            num_qubits=self.num_qubits,
        )
        spec._adjoint.append(self)
        return spec

    def power(
        self, params: Sequence[ParameterValue], exponent: float
    ) -> tuple[Gate, tuple[ParameterValue, ...]]:
        if self.is_one_parameter_group:
            return self, (params[0] * exponent,)
        return super().power(params, exponent)

    def __reduce__(self) -> tuple[Any, ...]:
        return (get_gate, (self.name,))


def _frozen(array: Matrix) -> Matrix:
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


def _reversed(spec: GateSpec) -> GateSpec:
    """The gate made of the inverses of the parts of `spec`, in reverse order."""
    assert spec.decomposition is not None
    forward = spec.decomposition

    def decomposition(*params: Any) -> list[tuple[str, tuple[Any, ...], tuple[int, ...]]]:
        out = []
        for name, part_params, qubits in reversed(forward(*params)):
            gate, inverse_params = get_gate(name).inverse(part_params)
            out.append((gate.name, inverse_params, qubits))
        return out

    if not spec.num_params:  # H, CX, ... sequences that undo themselves are their own record
        matrix = spec.matrix()
        for other in unique_specs():
            if (
                other.num_qubits == spec.num_qubits
                and not other.num_params
                and np.allclose(other.matrix(), matrix.conj().T, atol=1e-14)
            ):
                return other
    out = GateSpec(
        spec.name + "_dg",
        param_names=spec.param_names,
        decomposition=decomposition,
        num_qubits=spec.num_qubits,
    )
    out._adjoint.append(spec)
    return out


# -- linear algebra of small matrices --------------------------------------------------------------
def expand_controls(matrix: Matrix, num_controls: int, control_values: Sequence[int] | None = None) -> Matrix:
    """`matrix` on the high bits of the index, controlled by the `num_controls` low bits."""
    if not num_controls:
        return matrix
    size = len(matrix) << num_controls
    step = 1 << num_controls
    values = [1] * num_controls if control_values is None else control_values
    on = sum(value << bit for bit, value in enumerate(values))
    out = np.eye(size, dtype=complex)
    out[on::step, on::step] = matrix
    return out


def apply_to_columns(matrix: Matrix, qubits: Sequence[int], columns: Matrix) -> Matrix:
    """Apply a gate on some qubits to each column of a (2**n, m) array; returns a new array."""
    num_qubits = len(columns).bit_length() - 1
    k = len(qubits)
    tensor = columns.reshape((2,) * num_qubits + (-1,))
    axes = [num_qubits - 1 - q for q in reversed(qubits)]  # first axis: most significant bit of the gate
    moved = np.moveaxis(tensor, axes, range(k))
    shape = moved.shape
    moved = (matrix @ moved.reshape(1 << k, -1)).reshape(shape)
    return np.moveaxis(moved, range(k), axes).reshape(columns.shape)


def unitary_power(matrix: Matrix, exponent: float) -> Matrix:
    """A unitary matrix to a real power, on the principal branch (phases in (-pi, pi])."""
    if exponent == int(exponent):
        return np.asarray(np.linalg.matrix_power(matrix, int(exponent)))
    # Schur vectors of a normal matrix are orthonormal even where eigenvalues coincide: take them
    # from a generic Hermitian combination of the matrix's two commuting Hermitian parts.
    hermitian = (matrix + matrix.conj().T) / 2
    skew = (matrix - matrix.conj().T) / 2j
    _, vectors = np.linalg.eigh(hermitian + 0.7390851332151607 * skew)
    phases = np.angle(np.einsum("ji,jk,ki->i", vectors.conj(), matrix, vectors))
    phases[phases < -np.pi + 1e-12] = np.pi
    return np.asarray((vectors * np.exp(1j * exponent * phases)) @ vectors.conj().T)


def _numbers(gate: Gate, params: Sequence[ParameterValue]) -> tuple[float, ...]:
    if all(isinstance(p, int | float) for p in params):
        return tuple(float(p) for p in params)
    raise ArgumentError(f"A power of gate `{gate.name}` needs numeric parameters; bind them first.")


# -- the registry -----------------------------------------------------------------------------------
GATES: dict[str, GateSpec] = {}


def register(spec: GateSpec) -> GateSpec:
    """Put a record into the table, under its name and its aliases."""
    for name in (spec.name, *spec.aliases):
        if name in GATES:
            raise ArgumentError(f"Gate name `{name}` is taken already.")
        GATES[name] = spec
    return spec


def unique_specs() -> list[GateSpec]:
    """Every record of the table once, in the order of the table."""
    return list(dict.fromkeys(GATES.values()))


def get_gate(name: str) -> GateSpec:
    """The record of a gate by name or alias; ``<name>_dg`` is the inverse of a gate that has no named one.

    Raises
    ------
    UnknownGateError
        With the nearest names.
    """
    spec = GATES.get(name)
    if spec is not None:
        return spec
    if isinstance(name, str) and name.endswith("_dg") and name[:-3] in GATES:
        return GATES[name[:-3]].adjoint
    if not isinstance(name, str):
        raise TypeError(f"Argument `name` must be a str, but is {type(name).__name__}.")
    from qsim.foreign_names import hint

    meant = hint(name)
    raise UnknownGateError(
        f"Unknown gate `{name}`.{' ' if meant else ''}{meant} `qsim.gates.GATES` lists all names."
    )
