"""The gate table: the only place that knows a gate's name.

A gate with at most one parameter is a matrix ``const + sum_t cos_t*cos(omega_t*theta) +
sin_t*sin(omega_t*theta)`` on its targets, with any number of leading control qubits that are never
matrix rows. A gate with several parameters is a list of such gates. From these records come the
methods of `Circuit`, the kernels' access pattern, derivatives, shift rules, inverses, OpenQASM
definitions, the table in the docs and the tests.

Matrix index: the first listed qubit of a gate is the least significant bit (as in Qiskit).
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError, UnknownGateError
from qsim.parameters import ParameterValue

__all__ = ["GATES", "Gate", "GateSpec", "Part", "Term", "get_gate", "register", "unique_specs"]

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

    def decompose(self, params: Sequence[ParameterValue]) -> list[Part] | None:
        """The gates this one is made of, in the order they are applied; None for a primitive gate."""
        return None

    def matrix(self, *params: float) -> Matrix:
        """The unitary on all qubits, shape (2**num_qubits, 2**num_qubits), complex128."""
        self._check_params(params)
        parts = self.decompose(params)
        if parts is None:
            return expand_controls(self.target_matrix(*params), self.num_controls)
        out = np.eye(1 << self.num_qubits, dtype=complex)
        for part in parts:
            out = apply_to_columns(part.gate.matrix(*part.params), part.qubits, out)  # type: ignore[arg-type]
        return out

    def target_matrix(self, *params: float) -> Matrix:
        """The matrix on the targets alone (a primitive gate's)."""
        raise NotImplementedError

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        """A gate and its parameters that undo this one."""
        raise NotImplementedError

    def power(self, params: Sequence[ParameterValue], exponent: float) -> tuple[Gate, tuple[ParameterValue, ...]]:
        """A gate and its parameters equal to this one raised to a real power (principal branch)."""
        from qsim.user_gates import UnitaryGate

        values = _numbers(self, params)
        if self.decompose(values) is None:
            matrix, controls = self.target_matrix(*values), self.num_controls
        else:
            matrix, controls = self.matrix(*values), 0
        return UnitaryGate(unitary_power(matrix, exponent), f"{self.name}^{exponent:g}", num_controls=controls), ()

    def _check_params(self, params: Sequence[Any]) -> None:
        if len(params) != self.num_params:
            raise ArgumentError(f"Gate `{self.name}` takes {self.num_params} parameters, but got {len(params)}.")

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

    @property
    def num_params(self) -> int:  # type: ignore[override]
        return len(self.param_names)

    def decompose(self, params: Sequence[ParameterValue]) -> list[Part] | None:
        if self.decomposition is None:
            return None
        return [Part(get_gate(name), tuple(p), qubits) for name, p, qubits in self.decomposition(*params)]

    def target_matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        if self.const is None:
            raise ArgumentError(f"Gate `{self.name}` is made of other gates; use matrix().")
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
            raise ArgumentError(f"Gate `{self.name}` must have exactly one parameter of its own to be differentiated.")
        return sum(
            (t.omega * (t.sin * np.cos(t.omega * theta) - t.cos * np.sin(t.omega * theta)) for t in self.terms),
            np.zeros_like(self.const),
        )

    @cached_property
    def frequencies(self) -> tuple[float, ...]:
        """Gaps between the generator's eigenvalues: the frequencies of a shift rule.

        Empty for a gate without a parameter. Controls add the eigenvalue 0 of the branch where they
        are off, hence four-term rules for controlled rotations.
        """
        if not self.terms:
            return ()
        generator = 1j * self.derivative(0.0) @ self.target_matrix(0.0).conj().T
        levels = np.linalg.eigvalsh(generator)
        if self.num_controls:
            levels = np.append(levels, 0.0)
        gaps = np.abs(levels[:, None] - levels[None, :]).round(9).ravel()
        return tuple(sorted({float(gap) for gap in gaps if gap > 0}))

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
                and all(np.allclose(a[i], b[i]) for a, b in zip(other.terms, terms, strict=True) for i in range(3))
            ):
                return other
        spec = GateSpec(
            self.name + "_dg", const, terms, self.num_controls, (), self.param_names, num_qubits=self.num_qubits
        )
        spec._adjoint.append(self)
        return spec

    def power(self, params: Sequence[ParameterValue], exponent: float) -> tuple[Gate, tuple[ParameterValue, ...]]:
        if self.is_one_parameter_group:
            return self, (params[0] * exponent,)
        return super().power(params, exponent)

    def __reduce__(self) -> tuple[Any, ...]:
        return (get_gate, (self.name,))


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
        return np.linalg.matrix_power(matrix, int(exponent))
    # Schur vectors of a normal matrix are orthonormal even where eigenvalues coincide: take them
    # from a generic Hermitian combination of the matrix's two commuting Hermitian parts.
    hermitian = (matrix + matrix.conj().T) / 2
    skew = (matrix - matrix.conj().T) / 2j
    _, vectors = np.linalg.eigh(hermitian + 0.7390851332151607 * skew)
    phases = np.angle(np.einsum("ji,jk,ki->i", vectors.conj(), matrix, vectors))
    phases[phases < -np.pi + 1e-12] = np.pi
    return (vectors * np.exp(1j * exponent * phases)) @ vectors.conj().T


def _numbers(gate: Gate, params: Sequence[ParameterValue]) -> tuple[float, ...]:
    if all(isinstance(p, int | float) for p in params):
        return tuple(float(p) for p in params)  # type: ignore[arg-type]
    raise ArgumentError(f"A power of gate `{gate.name}` needs numeric parameters; bind them first.")


# -- the table -----------------------------------------------------------------------------------
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
    near = difflib.get_close_matches(name.lower(), GATES, n=3)
    hint = f" Did you mean {' or '.join(f'`{n}`' for n in near)}?" if near else ""
    raise UnknownGateError(f"Unknown gate `{name}`.{hint} `qsim.gates.GATES` lists all names.")


def _constant(name: str, matrix: Any, controls: int = 0, aliases: Iterable[str] = ()) -> None:
    m = np.asarray(matrix, dtype=complex)
    targets = len(m).bit_length() - 1
    register(GateSpec(name, m, (), controls, tuple(aliases), num_qubits=targets + controls))


def _single(
    name: str,
    const: Any,
    cos: Any,
    sin: Any,
    omega: float = 1.0,
    controls: int = 0,
    aliases: Iterable[str] = (),
    param: str = "theta",
) -> None:
    c = np.asarray(const, dtype=complex)
    term = Term(omega, np.asarray(cos, dtype=complex), np.asarray(sin, dtype=complex))
    targets = len(c).bit_length() - 1
    register(GateSpec(name, c, (term,), controls, tuple(aliases), (param,), num_qubits=targets + controls))


def _rotation(name: str, pauli: Matrix, controls: int = 0, aliases: Iterable[str] = ()) -> None:
    """exp(-i theta P / 2)."""
    eye = np.eye(len(pauli), dtype=complex)
    _single(name, 0 * eye, eye, -1j * pauli, 0.5, controls, aliases)


def _phase(
    name: str, projector: Any, controls: int = 0, aliases: Iterable[str] = (), param: str = "theta", sign: int = 1
) -> None:
    """exp(i sign theta) on the states of `projector`, 1 elsewhere (`projector`: a list of 0 and 1)."""
    p = np.diag(np.asarray(projector, dtype=complex))
    eye = np.eye(len(p))
    _single(name, eye - p, p, sign * 1j * p, 1.0, controls, aliases, param)


def _composite(
    name: str,
    num_qubits: int,
    decomposition: Callable[..., list[tuple[str, tuple[Any, ...], tuple[int, ...]]]],
    inverse_map: Callable[..., tuple[Any, ...]] | None = None,
    aliases: Iterable[str] = (),
) -> None:
    names = tuple(inspect.signature(decomposition).parameters)
    register(
        GateSpec(
            name,
            aliases=tuple(aliases),
            param_names=names,
            decomposition=decomposition,
            inverse_map=inverse_map,
            num_qubits=num_qubits,
        )
    )


def _two_level(size: int, low: int, high: int) -> tuple[Matrix, Matrix, Matrix]:
    """(identity outside, identity inside, |high><low| - |low><high|) of the plane of two basis states."""
    outside, inside, turn = np.eye(size, dtype=complex), np.zeros((size, size), complex), np.zeros((size, size), complex)
    for level in (low, high):
        outside[level, level], inside[level, level] = 0, 1
    turn[high, low], turn[low, high] = 1, -1
    return outside, inside, turn


def _fill_table() -> None:
    eye, x, y, z = np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])
    h, s, t = (x + z) / np.sqrt(2), np.diag([1, 1j]), np.diag([1, np.exp(0.25j * np.pi)])
    sx = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2
    sy = np.array([[1 + 1j, -1 - 1j], [1 + 1j, 1 + 1j]]) / 2
    swap = np.eye(4)[[0, 2, 1, 3]]

    # one qubit, constant
    _constant("id", eye, aliases=("i", "iden"))
    _constant("x", x)
    _constant("y", y)
    _constant("z", z)
    _constant("h", h)
    _constant("s", s)
    _constant("sdg", s.conj())
    _constant("t", t)
    _constant("tdg", t.conj())
    _constant("sx", sx, aliases=("v",))
    _constant("sxdg", sx.conj().T, aliases=("vdg",))
    _constant("sy", sy)
    _constant("sydg", sy.conj().T)

    # one qubit, rotations and phases
    _rotation("rx", x)
    _rotation("ry", y)
    _rotation("rz", z)
    _phase("p", [0, 1], aliases=("u1", "phase", "phase_shift"), param="lam")
    _phase("gphase", [1], aliases=("global_phase",), param="phi")
    _single("gpi", 0 * x, x, y, 1.0, param="phi")
    _single("gpi2", eye / np.sqrt(2), -1j * x / np.sqrt(2), -1j * y / np.sqrt(2), 1.0, param="phi")
    _composite("u0", 1, lambda gamma: [], lambda gamma: (gamma,))
    _composite(
        "u",
        1,
        lambda theta, phi, lam: [("p", (lam,), (0,)), ("ry", (theta,), (0,)), ("p", (phi,), (0,))],
        lambda theta, phi, lam: (-theta, -lam, -phi),
        ("u3",),
    )
    _composite(
        "u2",
        1,
        lambda phi, lam: [("p", (lam,), (0,)), ("ry", (np.pi / 2,), (0,)), ("p", (phi,), (0,))],
        lambda phi, lam: (-lam - np.pi, np.pi - phi),
    )
    _composite(
        "r",
        1,
        lambda theta, phi: [("rz", (-phi,), (0,)), ("rx", (theta,), (0,)), ("rz", (phi,), (0,))],
        lambda theta, phi: (-theta, phi),
        ("prx", "u1q"),
    )
    _composite(
        "rot",
        1,
        lambda phi, theta, omega: [("rz", (phi,), (0,)), ("ry", (theta,), (0,)), ("rz", (omega,), (0,))],
        lambda phi, theta, omega: (-omega, -theta, -phi),
    )

    # controlled gates of one target
    _constant("cx", x, 1, ("cnot", "CX"))
    _constant("cy", y, 1)
    _constant("cz", z, 1)
    _constant("ch", h, 1)
    _constant("cs", s, 1)
    _constant("csdg", s.conj(), 1)
    _constant("csx", sx, 1)
    _constant("csxdg", sx.conj().T, 1)
    _rotation("crx", x, 1)
    _rotation("cry", y, 1)
    _rotation("crz", z, 1)
    _phase("cp", [0, 1], 1, ("cu1", "cphase", "controlled_phase_shift"), "lam")
    _phase("cphase00", [1, 0, 0, 0], aliases=("cphaseshift00",), param="phi")
    _phase("cphase01", [0, 0, 1, 0], aliases=("cphaseshift01",), param="phi")
    _phase("cphase10", [0, 1, 0, 0], aliases=("cphaseshift10",), param="phi")
    _composite(
        "cu",
        2,
        lambda theta, phi, lam, gamma: [
            ("p", (gamma,), (0,)),
            ("cp", (lam,), (0, 1)),
            ("cry", (theta,), (0, 1)),
            ("cp", (phi,), (0, 1)),
        ],
        lambda theta, phi, lam, gamma: (-theta, -lam, -phi, -gamma),
    )
    _composite(
        "cu3",
        2,
        lambda theta, phi, lam: [("cp", (lam,), (0, 1)), ("cry", (theta,), (0, 1)), ("cp", (phi,), (0, 1))],
        lambda theta, phi, lam: (-theta, -lam, -phi),
    )
    _composite(
        "crot",
        2,
        lambda phi, theta, omega: [("crz", (phi,), (0, 1)), ("cry", (theta,), (0, 1)), ("crz", (omega,), (0, 1))],
        lambda phi, theta, omega: (-omega, -theta, -phi),
    )

    # two qubits, constant
    root = 1 / np.sqrt(2)
    iswap = np.array([[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]])
    siswap = np.array([[1, 0, 0, 0], [0, root, 1j * root, 0], [0, 1j * root, root, 0], [0, 0, 0, 1]])
    ecr = np.array([[0, 1, 0, 1j], [1, 0, -1j, 0], [0, 1j, 0, 1], [-1j, 0, 1, 0]]) * root
    _constant("swap", swap)
    _constant("iswap", iswap)
    _constant("iswapdg", iswap.conj())
    _constant("siswap", siswap, aliases=("sqisw", "sqrt_iswap"))
    _constant("siswapdg", siswap.conj())
    _constant("fswap", swap @ np.diag([1, 1, 1, -1]))
    _constant("ecr", ecr)
    _composite("dcx", 2, lambda: [("cx", (), (0, 1)), ("cx", (), (1, 0))])
    _composite("syc", 2, lambda: [("fsim", (np.pi / 2, np.pi / 6), (0, 1))], aliases=("sycamore",))

    # two qubits, parametrised
    _rotation("rxx", np.kron(x, x), aliases=("ising_xx",))
    _rotation("ryy", np.kron(y, y), aliases=("ising_yy",))
    _rotation("rzz", np.kron(z, z), aliases=("ising_zz",))
    _rotation("rzx", np.kron(x, z))  # Z on the first qubit, X on the second
    flip = (np.kron(x, x) + np.kron(y, y)).real / 2  # |01><10| + |10><01|
    outer, inner = np.diag([1, 0, 0, 1]), np.diag([0, 1, 1, 0])
    _single("ising_xy", outer, inner, 1j * flip, 0.5, param="phi")
    _single("pswap", outer, flip, 1j * flip, 1.0, param="phi")
    # exp(i phi/2) cos(phi/2) = (1 + exp(i phi)) / 2, and likewise for the sine
    plus = np.diag([0, 0, 0, 1]) + (inner - flip) / 2
    _single("fermionic_swap", np.diag([1, 0, 0, 0]) + (inner + flip) / 2, plus, 1j * plus, 1.0, param="phi")
    outside, inside, turn = _two_level(4, 1, 2)
    _single("givens", outside, inside, -turn, 1.0)
    _single("rbs", outside, inside, turn, 1.0)
    _single("single_excitation", outside, inside, -turn, 0.5, param="phi")
    for name, sign in (("single_excitation_plus", 1), ("single_excitation_minus", -1)):
        _single(name, 0 * outside, outside + inside, -turn + sign * 1j * outside, 0.5, param="phi")
    _composite(
        "xx_plus_yy",
        2,
        lambda theta, beta: [("rz", (beta,), (0,)), ("ising_xy", (-theta,), (0, 1)), ("rz", (-beta,), (0,))],
        lambda theta, beta: (-theta, beta),
    )
    _composite(
        "xx_minus_yy",
        2,
        lambda theta, beta: [
            ("rz", (-beta,), (1,)),
            ("rxx", (theta / 2,), (0, 1)),
            ("ryy", (-theta / 2,), (0, 1)),
            ("rz", (beta,), (1,)),
        ],
        lambda theta, beta: (-theta, beta),
    )
    _composite(
        "fsim",
        2,
        lambda theta, phi: [("ising_xy", (-2 * theta,), (0, 1)), ("cp", (-phi,), (0, 1))],
        lambda theta, phi: (-theta, -phi),
    )
    _composite(
        "ms",
        2,
        lambda phi0, phi1, theta: [
            ("rz", (-phi0,), (0,)),
            ("rz", (-phi1,), (1,)),
            ("rxx", (theta,), (0, 1)),
            ("rz", (phi0,), (0,)),
            ("rz", (phi1,), (1,)),
        ],
        lambda phi0, phi1, theta: (phi0, phi1, -theta),
    )

    # three and more qubits
    _constant("ccx", x, 2, ("toffoli",))
    _constant("ccz", z, 2)
    _constant("cswap", swap, 1, ("fredkin",))
    _constant("c3x", x, 3)
    _constant("c4x", x, 4)
    _constant("c3sx", sx, 3, ("c3sqrtx",))
    _single("deutsch", 0 * x, 1j * eye, x, 1.0, 2)
    _composite(
        "rccx",
        3,
        lambda: [
            ("h", (), (2,)),
            ("t", (), (2,)),
            ("cx", (), (1, 2)),
            ("tdg", (), (2,)),
            ("cx", (), (0, 2)),
            ("t", (), (2,)),
            ("cx", (), (1, 2)),
            ("tdg", (), (2,)),
            ("h", (), (2,)),
        ],
    )
    _composite(
        "rcccx",
        4,
        lambda: [
            ("h", (), (3,)),
            ("t", (), (3,)),
            ("cx", (), (2, 3)),
            ("tdg", (), (3,)),
            ("h", (), (3,)),
            ("cx", (), (0, 3)),
            ("t", (), (3,)),
            ("cx", (), (1, 3)),
            ("tdg", (), (3,)),
            ("cx", (), (0, 3)),
            ("t", (), (3,)),
            ("cx", (), (1, 3)),
            ("tdg", (), (3,)),
            ("h", (), (3,)),
            ("t", (), (3,)),
            ("cx", (), (2, 3)),
            ("tdg", (), (3,)),
            ("h", (), (3,)),
        ],
        aliases=("rc3x",),
    )
    _composite("qubit_carry", 4, lambda: [("ccx", (), (1, 2, 3)), ("cx", (), (1, 2)), ("ccx", (), (0, 2, 3))])
    _composite("qubit_sum", 3, lambda: [("cx", (), (1, 2)), ("cx", (), (0, 2))])
    outside, inside, turn = _two_level(16, 12, 3)  # |0011> <-> |1100>, first qubit leftmost
    _single("double_excitation", outside, inside, turn, 0.5, param="phi")
    for name, sign in (("double_excitation_plus", 1), ("double_excitation_minus", -1)):
        _single(name, 0 * outside, outside + inside, turn + sign * 1j * outside, 0.5, param="phi")
    _composite(
        "orbital_rotation",
        4,
        lambda phi: [
            ("fermionic_swap", (np.pi,), (1, 2)),
            ("single_excitation", (phi,), (0, 1)),
            ("single_excitation", (phi,), (2, 3)),
            ("fermionic_swap", (np.pi,), (1, 2)),
        ],
        lambda phi: (-phi,),
    )


_fill_table()
