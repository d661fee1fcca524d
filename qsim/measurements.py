"""What can be read off a state and differentiated: measurements as objects.

A measurement is a function of the state with three faces: its value, the *pull* of a cotangent (from the
derivative of a loss by the value to the derivative by the state), and the *push* of tangents (from changes of
the state to changes of the value). All derivatives of any loss built of measurements follow from these.

For a complex value ``z`` the cotangent of a loss ``L`` is ``dL/d(Re z) + i dL/d(Im z)``, as in PyTorch;
JAX has its complex conjugate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_finite, check_numbers
from qsim.entanglement import purity_of
from qsim.errors import StateError

if TYPE_CHECKING:
    from qsim.observables import Observable
    from qsim.program.program import Program

__all__ = [
    "DensityMatrix",
    "Expectation",
    "Fidelity",
    "Measurement",
    "Overlap",
    "OwnObservables",
    "Probabilities",
    "Purity",
    "State",
    "Variance",
    "as_measurement",
]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]
RowArray = npt.NDArray[np.int64]


class Measurement(ABC):
    """Base of what can be read off a state.

    Attributes
    ----------
    degree : int
        Of the value as a polynomial of the amplitudes and their conjugates: 1 for amplitudes themselves, 2
        for what is linear in the density matrix, 4 for what is quadratic in it.
    is_complex : bool
    """

    degree = 2
    is_complex = False

    def attach(self, program: Program) -> Program:
        """The program that the other methods are to be called with; refuses what does not fit it."""
        return program

    def check_batch(self, batch: int) -> None:  # noqa: B027
        """Refuse a batch of parameters that does not fit the measurement's own."""

    def copies(self, program: Program) -> int:
        """States that `evaluate`, `pull` and `push` hold at most for a row, beside those they are given."""
        return 2

    @abstractmethod
    def shape(self, program: Program) -> tuple[int, ...]:
        """Shape of the value of one state."""

    @abstractmethod
    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> Any:
        """Values, shape (count, *shape), of states (count, 2**n); `rows` are their rows of the batch."""

    @abstractmethod
    def pull(self, program: Program, states: ComplexArray, rows: RowArray, cotangents: Any) -> ComplexArray:
        """Cotangents ``lambda`` of states with ``dL = 2 Re <lambda|d psi>``, shape (count, 2**n).

        From those of the value, shape (count, *shape): ``dL = Re sum conj(cotangent) d value``.
        """

    @abstractmethod
    def push(self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray) -> Any:
        """Changes of the value, shape (count, *shape), by changes of the states (count, 2**n)."""


class _OfObservables(Measurement):
    """Base of what is asked of one or several observables."""

    def __init__(self, observables: Any) -> None:
        self.observables = observables

    def attach(self, program: Program) -> Program:
        return program.with_observables(self.observables)

    def copies(self, program: Program) -> int:
        return len(program.observables) + 2

    def shape(self, program: Program) -> tuple[int, ...]:
        return () if program._is_single else (len(program.observables),)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.observables!r})"


def images_of(program: Program, states: ComplexArray) -> ComplexArray:
    """Every observable applied to every state, (count, num_observables, 2**n)."""
    from qsim.gradients.adjoint import _cotangents

    return _cotangents(program, states)


def _real_overlaps(left: ComplexArray, right: ComplexArray) -> FloatArray:
    """Re <left|right> over the last axis, in double precision."""
    return np.asarray(np.einsum("...i,...i->...", left.conj(), right, dtype=complex).real)


class Expectation(_OfObservables):
    """Expectation values; what an observable or a list of them means where a measurement is asked for.

    Parameters
    ----------
    observables : observable or list of observables
        A list adds an axis to the value.
    """

    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> FloatArray:
        out = program._expectations(states)
        return out[:, 0] if program._is_single else out

    def pull(
        self, program: Program, states: ComplexArray, rows: RowArray, cotangents: FloatArray
    ) -> ComplexArray:
        return _mixed(images_of(program, states), cotangents)

    def push(
        self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray
    ) -> FloatArray:
        out = 2 * _real_overlaps(images_of(program, states), tangents[:, None])
        return out[:, 0] if program._is_single else out


class OwnObservables(Expectation):
    """The expectation values of the observables a program was compiled with."""

    def __init__(self) -> None:
        super().__init__(None)

    def attach(self, program: Program) -> Program:
        return program

    def __repr__(self) -> str:
        return "OwnObservables()"


def _mixed(images: ComplexArray, weights: FloatArray) -> ComplexArray:
    """``sum_k weights[row, k] images[row, k]``."""
    w = np.asarray(weights, dtype=images.real.dtype).reshape(len(images), -1)
    return np.ascontiguousarray(np.einsum("rk,rki->ri", w, images))


class Variance(_OfObservables):
    """Variances ``<O**2> - <O>**2`` of one or several observables.

    Examples
    --------
    >>> import qsim
    >>> circuit = qsim.Circuit(1).ry(qsim.Parameter("t"), 0)
    >>> value, slope = qsim.value_and_gradient(circuit, Variance("Z0"), [0.5])
    >>> bool(np.isclose(value, np.sin(0.5) ** 2)), bool(np.isclose(slope[0], np.sin(1.0)))
    (True, True)
    """

    degree = 4

    def copies(self, program: Program) -> int:
        return 4 * len(program.observables) + 1  # images, images of these, and both together

    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> FloatArray:
        out = np.stack([o.variance(states) for o in program.observables], axis=1)
        return out[:, 0] if program._is_single else out

    def _slopes(self, program: Program, states: ComplexArray) -> ComplexArray:
        """``(O**2 - 2 <O> O) psi`` for every observable."""
        images = images_of(program, states)
        means = _real_overlaps(states[:, None], images)
        # O is in each observable's own hands, and applied one by one: there are as many states as observables
        twice = [_again(o, images[:, k]) for k, o in enumerate(program.observables)]
        out: ComplexArray = np.stack(twice, axis=1)
        out -= (2 * means[..., None]).astype(states.real.dtype) * images
        return out

    def pull(
        self, program: Program, states: ComplexArray, rows: RowArray, cotangents: FloatArray
    ) -> ComplexArray:
        return _mixed(self._slopes(program, states), cotangents)

    def push(
        self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray
    ) -> FloatArray:
        out = 2 * _real_overlaps(self._slopes(program, states), tangents[:, None])
        return out[:, 0] if program._is_single else out


def _again(observable: Observable, images: ComplexArray) -> ComplexArray:
    return observable.apply(np.ascontiguousarray(images))


class _OnQubits(Measurement):
    """Base of what is asked of some qubits."""

    def __init__(self, qubits: Any = None) -> None:
        self.qubits = qubits

    def copies(self, program: Program) -> int:
        return 4 if program.precision == "double" else 8  # matrices are in double precision

    def _chosen(self, program: Program) -> npt.NDArray[np.int32]:
        return program._qubits(self.qubits)

    def attach(self, program: Program) -> Program:
        self._chosen(program)
        return program

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.qubits is None else repr(self.qubits)})"


class Probabilities(_OnQubits):
    """Probabilities of the basis states of some qubits, shape (2**k,).

    Parameters
    ----------
    qubits : sequence of int, optional
        The first is the least significant bit of the index; all by default.

    Examples
    --------
    >>> import qsim
    >>> circuit = qsim.Circuit(1).ry(qsim.Parameter("t"), 0)
    >>> qsim.gradient(circuit, Probabilities([0]), [0.5]).round(6)
    array([[-0.239713],
           [ 0.239713]])
    """

    def shape(self, program: Program) -> tuple[int, ...]:
        return (1 << len(self._chosen(program)),)

    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> FloatArray:
        return program._backend.probabilities(states, self._chosen(program), program.threads)

    def _outcomes(self, program: Program) -> npt.NDArray[np.int64]:
        index = np.arange(1 << program.num_qubits)
        out = np.zeros_like(index)
        for bit, qubit in enumerate(self._chosen(program).tolist()):
            out |= (index >> qubit & 1) << bit
        return out

    def pull(
        self, program: Program, states: ComplexArray, rows: RowArray, cotangents: FloatArray
    ) -> ComplexArray:
        weights = np.asarray(cotangents, dtype=states.real.dtype)
        return np.asarray(weights[:, self._outcomes(program)] * states)

    def push(
        self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray
    ) -> FloatArray:
        change = 2 * (states.conj() * tangents).real.astype(float)
        n = program.num_qubits
        chosen = self._chosen(program).tolist()
        tensor = change.reshape(len(states), *(2,) * n)
        kept = [n - q for q in reversed(chosen)]
        moved = np.moveaxis(tensor, kept, range(1, len(chosen) + 1))
        return np.asarray(moved.reshape(len(states), 1 << len(chosen), -1).sum(-1))


class State(Measurement):
    """The amplitudes, shape (2**n,), complex."""

    degree = 1
    is_complex = True

    def shape(self, program: Program) -> tuple[int, ...]:
        return (1 << program.num_qubits,)

    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> ComplexArray:
        return states.copy()

    def pull(
        self, program: Program, states: ComplexArray, rows: RowArray, cotangents: ComplexArray
    ) -> ComplexArray:
        return np.asarray(cotangents / 2, dtype=states.dtype)

    def push(
        self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray
    ) -> ComplexArray:
        return tangents.copy()

    def __repr__(self) -> str:
        return "State()"


class DensityMatrix(_OnQubits):
    """The reduced density matrix of some qubits, shape (2**k, 2**k), complex.

    Parameters
    ----------
    qubits : sequence of int, optional
        The first is the least significant bit of the indices; all by default.
    """

    is_complex = True

    def shape(self, program: Program) -> tuple[int, ...]:
        size = 1 << len(self._chosen(program))
        return (size, size)

    def _split(self, program: Program, states: ComplexArray) -> ComplexArray:
        """States as matrices, (count, 2**k, rest), whose product with their adjoint is the density matrix."""
        n, chosen = program.num_qubits, self._chosen(program).tolist()
        axes = [n - q for q in reversed(chosen)]
        tensor = states.reshape(len(states), *(2,) * n).astype(complex, copy=False)
        return np.moveaxis(tensor, axes, range(1, len(chosen) + 1)).reshape(len(states), 1 << len(chosen), -1)

    def _join(self, program: Program, parts: ComplexArray, dtype: Any) -> ComplexArray:
        n, chosen = program.num_qubits, self._chosen(program).tolist()
        axes = [n - q for q in reversed(chosen)]
        tensor = np.moveaxis(parts.reshape(len(parts), *(2,) * n), range(1, len(chosen) + 1), axes)
        return np.ascontiguousarray(tensor.reshape(len(parts), -1), dtype=dtype)

    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> ComplexArray:
        parts = self._split(program, states)
        return np.asarray(parts @ _adjoint(parts))

    def pull(
        self, program: Program, states: ComplexArray, rows: RowArray, cotangents: ComplexArray
    ) -> ComplexArray:
        c = np.asarray(cotangents, dtype=complex)
        return self._join(program, ((c + _adjoint(c)) / 2) @ self._split(program, states), dtype=states.dtype)

    def push(
        self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray
    ) -> ComplexArray:
        product = self._split(program, tangents) @ _adjoint(self._split(program, states))
        return np.asarray(product + _adjoint(product))


def _adjoint(matrices: ComplexArray) -> ComplexArray:
    return np.conj(np.swapaxes(matrices, -1, -2))


class Purity(_OnQubits):
    """Purity ``Tr rho**2`` of the reduced state of some qubits, shape ()."""

    degree = 4

    def _reduced(self, program: Program) -> DensityMatrix:
        chosen = self._chosen(program)
        if 2 * len(chosen) > program.num_qubits:
            # a pure state has the same purity on both sides of a cut
            chosen = np.setdiff1d(np.arange(program.num_qubits, dtype=np.int32), chosen)
        return DensityMatrix(chosen)

    def shape(self, program: Program) -> tuple[int, ...]:
        return ()

    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> FloatArray:
        return purity_of(self._reduced(program).evaluate(program, states, rows))

    def pull(
        self, program: Program, states: ComplexArray, rows: RowArray, cotangents: FloatArray
    ) -> ComplexArray:
        reduced = self._reduced(program)
        rho = reduced.evaluate(program, states, rows)
        return reduced.pull(program, states, rows, 2 * cotangents[:, None, None] * rho)

    def push(
        self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray
    ) -> FloatArray:
        reduced = self._reduced(program)
        rho, change = (
            reduced.evaluate(program, states, rows),
            reduced.push(program, states, rows, tangents),
        )
        return np.asarray(2 * np.real(np.einsum("bij,bji->b", rho, change)))


class _WithState(Measurement):
    """Base of what compares with given states."""

    def __init__(self, states: Any) -> None:
        array = check_numbers(states, "states", "states of complex numbers")
        check_finite(array, "states")
        if array.ndim not in (1, 2) or not array.size:
            raise StateError(
                f"Argument `states` must have shape (2**n,) or (batch, 2**n), but has shape {array.shape}."
            )
        norms = np.linalg.norm(np.atleast_2d(array), axis=1)
        if np.abs(norms - 1).max() > 1e-4:
            worst = norms[int(np.abs(norms - 1).argmax())]
            raise StateError(f"Argument `states` must have norm 1, but has norm {worst:.6g}.")
        array.flags.writeable = False
        self.states = array

    def attach(self, program: Program) -> Program:
        size = 1 << program.num_qubits
        if self.states.shape[-1] != size:
            raise StateError(
                f"Argument `states` of {type(self).__name__} must have shape ({size},) or (batch, {size}), "
                f"but has shape {self.states.shape}."
            )
        return program

    def check_batch(self, batch: int) -> None:
        if self.states.ndim == 2 and len(self.states) not in (1, batch):
            raise StateError(
                f"Argument `states` of {type(self).__name__} has a batch of {len(self.states)}, but the "
                f"parameters have one of {batch}; they must be equal, or the former 1."
            )

    def _of(self, rows: RowArray) -> ComplexArray:
        if self.states.ndim == 1:
            return self.states[None]
        if len(self.states) == 1:
            return self.states
        return np.asarray(self.states[rows])

    def shape(self, program: Program) -> tuple[int, ...]:
        return ()

    def _overlaps(self, rows: RowArray, states: ComplexArray) -> ComplexArray:
        return np.asarray(
            np.einsum("ri,ri->r", np.conj(np.broadcast_to(self._of(rows), states.shape)), states)
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(<states of shape {self.states.shape}>)"


class Overlap(_WithState):
    """The overlap ``<phi|psi>`` with a given state, complex, shape ().

    Parameters
    ----------
    states : array_like, shape (2**n,) or (batch, 2**n)
        With a batch, each row of the parameters has its own.
    """

    degree = 1
    is_complex = True

    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> ComplexArray:
        return self._overlaps(rows, states)

    def pull(
        self, program: Program, states: ComplexArray, rows: RowArray, cotangents: ComplexArray
    ) -> ComplexArray:
        return np.asarray(cotangents[:, None] / 2 * self._of(rows), dtype=states.dtype)

    def push(
        self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray
    ) -> ComplexArray:
        return self._overlaps(rows, tangents)


class Fidelity(_WithState):
    """The fidelity ``|<phi|psi>|**2`` with a given state, shape ().

    The fidelity of two circuits that both have parameters is ``Projector("0" * n)`` after the one and the
    inverse of the other: see the guide to gradients.

    Parameters
    ----------
    states : array_like, shape (2**n,) or (batch, 2**n)
        With a batch, each row of the parameters has its own.
    """

    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> FloatArray:
        return np.asarray(np.abs(self._overlaps(rows, states)) ** 2)

    def pull(
        self, program: Program, states: ComplexArray, rows: RowArray, cotangents: FloatArray
    ) -> ComplexArray:
        weights = cotangents * self._overlaps(rows, states)
        return np.asarray(weights[:, None] * self._of(rows), dtype=states.dtype)

    def push(
        self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray
    ) -> FloatArray:
        here = self._overlaps(rows, states)
        return np.asarray(2 * np.real(np.conj(here) * self._overlaps(rows, tangents)), dtype=float)


def as_measurement(what: Any) -> Measurement:
    """A measurement as it is; an observable or a list of them as `Expectation`."""
    if isinstance(what, Measurement):
        return what
    if what is None:
        raise TypeError("Argument `measurement` must be a measurement, an observable or a list, but is None.")
    return Expectation(what)
