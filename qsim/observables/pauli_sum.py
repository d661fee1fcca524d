"""Sums of Pauli strings, kept as arrays of masks and coefficients."""

from __future__ import annotations

import json
import numbers
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Self, overload

import numpy as np
import numpy.typing as npt

from qsim.bitstrings import Order, check_order
from qsim.errors import ArgumentError, ObservableError
from qsim.observables import algebra
from qsim.observables.algebra import Terms
from qsim.observables.base import Observable
from qsim.observables.checks import (
    FloatArray,
    MaskArray,
    check_coefficient,
    check_num_qubits,
    check_tolerance,
)
from qsim.observables.labels import sparse_label
from qsim.observables.pauli_operator import PauliOperator
from qsim.observables.pauli_string import PauliString, short_number
from qsim.observables.term_arrays import (
    PauliTerms,
    finite_terms,
    frozen_terms,
    mask_map,
    operand_terms,
    read_terms,
    summand_terms,
    terms_from_arrays,
)

__all__ = ["PauliSum"]

_REPR_TERMS = 20


class PauliSum(PauliOperator):
    """A sum of Pauli strings with complex coefficients.

    Immutable. The constructor keeps the terms as they are given; arithmetic adds the coefficients
    of equal strings, drops those that are exactly zero, and keeps the order of first appearance.
    Everything runs on NumPy arrays: sums of 10^5 terms add, multiply by a string and simplify in a
    fraction of a second.

    Parameters
    ----------
    terms : mapping, iterable, str, PauliString or PauliSum
        ``{"Z0 Z1": 1.0, "X2": -0.5}``; a list of ``(label, coefficient)``, labels and
        `PauliString`; or a single label. Labels are sparse (``"Z0 X3"``), dense (``"XIIZ"``) or
        ``""`` for the identity. Dense labels in one sum have the same length.
    order : {"little", "big"}
        Where qubit 0 stands in dense labels: last or first.
    num_qubits : int, optional
        If given, dense labels must have this many letters, and all terms only lower qubits.

    Raises
    ------
    ObservableError
        If a label cannot be read, dense labels differ in length, or a coefficient is NaN or
        infinite.
    QubitError
        If a qubit is out of range, or named twice in a label.
    TypeError
        If a term is of another kind, or a coefficient is no number (bool, text, None).

    Examples
    --------
    >>> h = PauliSum({"Z0 Z1": 1.0, "X2": -0.5})
    >>> 2 * h + 1
    PauliSum({'Z0 Z1': 2.0, 'X2': -1.0, '': 1.0})
    >>> h @ h
    PauliSum({'': 1.25, 'Z0 Z1 X2': -1.0})
    >>> h.num_qubits, len(h), h[1]
    (3, 2, PauliString('X2', -0.5))
    """

    __slots__ = ("_merged", "_real", "_terms")

    _terms: Terms
    _merged: Terms | None
    _real: tuple[MaskArray, MaskArray, FloatArray] | None

    def __init__(
        self, terms: PauliTerms = (), *, order: Order = "little", num_qubits: int | None = None
    ) -> None:
        check_order(order)
        self._set(read_terms(terms, order, num_qubits))
        if num_qubits is not None:
            check_num_qubits(num_qubits, self.num_qubits)

    def _set(self, terms: Terms) -> None:
        self._terms = frozen_terms(terms)
        self._merged = None
        self._real = None

    @classmethod
    def _new(cls, terms: Terms) -> Self:
        """Result of arithmetic: no check but for overflow."""
        self = cls.__new__(cls)
        self._set(finite_terms(terms))
        return self

    # ---- construction -------------------------------------------------------------------------

    @classmethod
    def from_masks(cls, x_masks: npt.ArrayLike, z_masks: npt.ArrayLike, coefficients: npt.ArrayLike) -> Self:
        """Sum with the given arrays, each of shape (num_terms,).

        Examples
        --------
        >>> PauliSum.from_masks([0, 4], [3, 0], [1.0, -0.5])
        PauliSum({'Z0 Z1': 1.0, 'X2': -0.5})
        """
        return cls._new(terms_from_arrays(x_masks, z_masks, coefficients))

    @classmethod
    def from_matrix(
        cls,
        matrix: npt.ArrayLike,
        *,
        qubits: Iterable[int] | None = None,
        atol: float | None = None,
        order: Order = "little",
    ) -> Self:
        """Pauli decomposition of a matrix, by a fast Walsh-Hadamard transform.

        Parameters
        ----------
        matrix : array_like, shape (2**k, 2**k), or SciPy sparse
            Any matrix; the coefficients are real if it is Hermitian.
        qubits : iterable of int, optional
            Qubits the k index bits stand for, least significant first. Default: 0 to k - 1.
        atol : float, optional
            Terms of magnitude at most `atol` are dropped. Default: 1e-13 times the largest entry.
        order : {"little", "big"}
            Whether the first of `qubits` is the least or the most significant index bit.

        Returns
        -------
        PauliSum
            Terms in the order of (x_mask, z_mask).

        Notes
        -----
        O(k 4**k) for a dense matrix, O(k 2**k) per distinct ``row ^ column`` for a sparse one.

        Examples
        --------
        >>> PauliSum.from_matrix([[1, 2], [2, -1]])
        PauliSum({'Z0': 1.0, 'X0': 2.0})
        """
        from qsim.observables.matrices import terms_of_matrix

        return cls._new(terms_of_matrix(matrix, qubits, atol, order))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`."""
        try:
            kind, rows = data["type"], [(label, complex(re, im)) for label, re, im in data["terms"]]
        except (KeyError, TypeError, ValueError):
            kind, rows = None, []
        if kind != "PauliSum":
            raise ObservableError(
                "Argument `data` must be a dictionary made by PauliSum.to_dict(), "
                "with the keys 'type' and 'terms'."
            )
        return cls(rows)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Inverse of `to_json`."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise ObservableError(
                f"Argument `text` must be JSON made by PauliSum.to_json(): {error}."
            ) from None
        return cls.from_dict(data)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold: labels with real and imaginary parts.

        Examples
        --------
        >>> PauliSum({"Z0 Z1": 0.5}).to_dict()
        {'type': 'PauliSum', 'terms': [['Z0 Z1', 0.5, 0.0]]}
        """
        terms = [[string.label, string.coefficient.real, string.coefficient.imag] for string in self]
        return {"type": "PauliSum", "terms": terms}

    def to_json(self) -> str:
        """The sum as JSON text; coefficients come back bit for bit."""
        return json.dumps(self.to_dict())

    # ---- what it holds ------------------------------------------------------------------------

    @property
    def x_masks(self) -> MaskArray:
        """Bits of the qubits with X or Y, shape (num_terms,), uint64, read-only."""
        return self._terms.x_masks

    @property
    def z_masks(self) -> MaskArray:
        """Bits of the qubits with Z or Y, shape (num_terms,), uint64, read-only."""
        return self._terms.z_masks

    @property
    def coefficients(self) -> npt.NDArray[np.complex128]:
        """Coefficients, shape (num_terms,), complex128, read-only."""
        return self._terms.coefficients

    @property
    def labels(self) -> list[str]:
        """Sparse labels of the terms."""
        return [sparse_label(x, z) for x, z in zip(self.x_masks.tolist(), self.z_masks.tolist(), strict=True)]

    @property
    def qubits(self) -> tuple[int, ...]:
        """Qubits on which some term has a letter other than I, ascending."""
        support = self._support()
        return tuple(qubit for qubit in range(support.bit_length()) if support >> qubit & 1)

    @property
    def num_qubits(self) -> int:
        """The smallest number of qubits the sum fits on: its highest qubit plus one."""
        return self._support().bit_length()

    def _support(self) -> int:
        return int(np.bitwise_or.reduce(self.x_masks | self.z_masks, initial=np.uint64(0)))

    def terms(self) -> Terms:
        """Arrays ``(x_masks, z_masks, coefficients)``, as given; read-only."""
        return self._terms

    def merged_terms(self) -> Terms:
        """Arrays of the terms, equal strings added, zeros left out; computed once."""
        if self._merged is None:
            self._merged = frozen_terms(algebra.merge(self._terms))
        return self._merged

    def real_terms(self) -> tuple[MaskArray, MaskArray, FloatArray]:
        """As `PauliOperator.real_terms`; computed once."""
        if self._real is None:
            self._real = super().real_terms()
        return self._real

    # ---- algebra ------------------------------------------------------------------------------

    def simplify(self, atol: float = 1e-12) -> Self:
        """Add the coefficients of equal strings, drop small terms, and sort.

        Parameters
        ----------
        atol : float
            Terms of magnitude at most `atol` are dropped.

        Returns
        -------
        PauliSum
            In the order of (x_mask, z_mask), whatever the order of the terms was.

        Examples
        --------
        >>> PauliSum([("X0", 1.0), ("Z0", 0.5), ("X0", 1.0), ("Y0", 1e-15)]).simplify()
        PauliSum({'Z0': 0.5, 'X0': 2.0})
        """
        return self._new(algebra.merge(self._terms, atol=check_tolerance(atol), order="masks"))

    def adjoint(self) -> Self:
        """Hermitian adjoint: the coefficients conjugated."""
        x, z, c = self._terms
        return self._new(Terms(x, z, c.conj()))

    def commutator(self, other: PauliSum | PauliString) -> Self:
        """``self @ other - other @ self``, from the pairs that anticommute.

        Examples
        --------
        >>> PauliSum({"Z0 Z1": 1.0}).commutator(PauliSum({"X0": 1.0, "X2": 1.0}))
        PauliSum({'Y0 Z1': 2j})
        """
        return 2 * self._new(algebra.product(self._terms, operand_terms(other), pairs="anticommuting"))

    def anticommutator(self, other: PauliSum | PauliString) -> Self:
        """``self @ other + other @ self``, from the pairs that commute.

        Examples
        --------
        >>> PauliSum({"X0": 1.0, "Z0": 1.0}).anticommutator(PauliSum("X0"))
        PauliSum({'': 2.0})
        """
        return 2 * self._new(algebra.product(self._terms, operand_terms(other), pairs="commuting"))

    def group_commuting(self, method: Literal["qubit_wise", "general"] = "qubit_wise") -> list[Self]:
        """Split the sum into sums whose terms commute and can be measured together.

        Parameters
        ----------
        method : {"qubit_wise", "general"}
            ``"qubit_wise"``: the letters agree on every qubit, so single-qubit rotations suffice
            to measure a group. ``"general"``: the strings commute; fewer groups.

        Returns
        -------
        list of PauliSum
            Their sum is this sum. Greedy (first fit, largest coefficients first), deterministic.

        Notes
        -----
        O(num_terms * num_groups) for ``"qubit_wise"``, O(num_terms**2) for ``"general"``.

        Examples
        --------
        >>> PauliSum({"X0 X1": 1.0, "Z0 Z1": 1.0, "Z0": 0.5}).group_commuting()
        [PauliSum({'X0 X1': 1.0}), PauliSum({'Z0 Z1': 1.0, 'Z0': 0.5})]
        """
        if method == "qubit_wise":
            groups = algebra.group_qubit_wise(self._terms)
        elif method == "general":
            groups = algebra.group_general(self._terms)
        else:
            raise ArgumentError(f"Argument `method` must be 'qubit_wise' or 'general', but is {method!r}.")
        by_group = np.argsort(groups, kind="stable")
        ends = np.flatnonzero(np.diff(groups[by_group])) + 1
        return [self._new(self._terms.take(part)) for part in np.split(by_group, ends) if len(part)]

    def remap(self, qubits: Iterable[int] | Mapping[int, int]) -> Self:
        """The same terms on other qubits: qubit q goes to ``qubits[q]``.

        Parameters
        ----------
        qubits : iterable or mapping of int
            A sequence covers all qubits of the sum; qubits a mapping leaves out stay.

        Raises
        ------
        QubitError
            If two qubits go to the same one, or one has no place to go.

        Examples
        --------
        >>> PauliSum({"Z0 Z1": 1.0, "X1": 0.5}).remap([3, 0])
        PauliSum({'Z0 Z3': 1.0, 'X0': 0.5})
        """
        targets = mask_map(qubits, self.num_qubits, self._support())
        x, z, c = self._terms
        return self._new(Terms(algebra.remap_masks(x, targets), algebra.remap_masks(z, targets), c))

    def equals(self, other: PauliSum | PauliString, atol: float = 1e-12) -> bool:
        """Whether two sums are the same operator, up to `atol` in each coefficient.

        Examples
        --------
        >>> PauliSum({"Z0": 0.1 + 0.2}).equals(PauliSum({"Z0": 0.3}))
        True
        """
        x, z, c = self._terms
        ox, oz, oc = operand_terms(other)
        difference = algebra.concatenate([Terms(x, z, c), Terms(ox, oz, -oc)])
        return len(algebra.merge(difference, atol=check_tolerance(atol)).x_masks) == 0

    def __add__(self, other: PauliSum | PauliString | complex) -> Self:
        terms = summand_terms(other)
        if terms is None:
            return NotImplemented
        return self._new(algebra.merge(algebra.concatenate([self._terms, terms])))

    def __radd__(self, other: complex) -> Self:
        return self + other

    def __sub__(self, other: PauliSum | PauliString | complex) -> Self:
        terms = summand_terms(other)
        if terms is None:
            return NotImplemented
        x, z, c = terms
        return self._new(algebra.merge(algebra.concatenate([self._terms, Terms(x, z, -c)])))

    def __rsub__(self, other: complex) -> Self:
        return -self + other

    def __neg__(self) -> Self:
        x, z, c = self._terms
        return self._new(Terms(x, z, -c))

    def __pos__(self) -> Self:
        return self

    def __mul__(self, factor: complex) -> Self:
        if isinstance(factor, Observable):
            raise TypeError("Operators are multiplied with `@`; `*` takes a number.")
        if not isinstance(factor, numbers.Number):
            return NotImplemented
        x, z, c = self._terms
        number = check_coefficient(factor, "The factor")
        with np.errstate(over="ignore", invalid="ignore"):
            return self._new(Terms(x, z, c * number))

    __rmul__ = __mul__

    def __truediv__(self, divisor: complex) -> Self:
        if not isinstance(divisor, numbers.Number):
            return NotImplemented
        number = check_coefficient(divisor, "The divisor")
        if number == 0:
            raise ZeroDivisionError("division of a PauliSum by zero")
        x, z, c = self._terms
        with np.errstate(over="ignore", invalid="ignore"):
            return self._new(Terms(x, z, c / number))

    def __matmul__(self, other: PauliSum | PauliString) -> Self:
        if not isinstance(other, PauliSum | PauliString):
            return NotImplemented
        return self._new(algebra.product(self._terms, operand_terms(other)))

    def __rmatmul__(self, other: PauliString) -> Self:
        if not isinstance(other, PauliString):
            return NotImplemented
        return self._new(algebra.product(operand_terms(other), self._terms))

    def __pow__(self, exponent: int) -> Self:
        if isinstance(exponent, bool) or not isinstance(exponent, numbers.Integral):
            return NotImplemented
        if exponent < 0:
            raise ArgumentError(f"The exponent of a PauliSum must not be negative, but is {exponent}.")
        result, square = type(self)(""), self
        remaining = int(exponent)
        while remaining:
            if remaining & 1:
                result = result @ square
            remaining >>= 1
            if remaining:
                square = square @ square
        return result

    def to_pauli_sum(self) -> PauliSum:
        """The sum itself."""
        return self

    # ---- Python's own -------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.x_masks)

    def __bool__(self) -> bool:
        return len(self) > 0

    def __iter__(self) -> Iterator[PauliString]:
        for x, z, c in zip(*(values.tolist() for values in self._terms), strict=True):
            yield PauliString._new(x, z, c)

    @overload
    def __getitem__(self, index: int) -> PauliString: ...
    @overload
    def __getitem__(self, index: slice | npt.NDArray[Any]) -> PauliSum: ...

    def __getitem__(self, index: int | slice | npt.NDArray[Any]) -> PauliString | PauliSum:
        if isinstance(index, slice | np.ndarray):
            return self._new(self._terms.take(index))
        x, z, c = self._terms
        try:
            return PauliString._new(int(x[index]), int(z[index]), complex(c[index]))
        except IndexError:
            raise IndexError(f"Term {index} is out of range for a PauliSum of {len(self)} terms.") from None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PauliSum):
            return NotImplemented
        return self.equals(other, atol=0.0)

    def __hash__(self) -> int:
        x, z, c = algebra.merge(self._terms, order="masks")
        return hash((x.tobytes(), z.tobytes(), (c + 0.0).tobytes()))  # adding 0.0 makes -0.0 and 0.0 one

    def __repr__(self) -> str:
        name = type(self).__name__
        if len(self) > _REPR_TERMS:
            first = ", ".join(f"{term.label!r}: {short_number(term.coefficient)!r}" for term in self[:3])
            return f"<{name} of {len(self)} terms on {self.num_qubits} qubits: {{{first}, ...}}>"
        pairs = [(term.label, short_number(term.coefficient)) for term in self]
        shown = dict(pairs)
        return f"{name}({shown if len(shown) == len(pairs) else pairs})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_masks, tuple(self._terms)
