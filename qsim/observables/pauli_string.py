"""One Pauli string: letters I, X, Y, Z on numbered qubits, times a coefficient."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any, Self, SupportsIndex, overload

import numpy as np

from qsim.bitstrings import MAX_MASK_BITS, Order
from qsim.errors import ObservableError, QubitError
from qsim.observables.algebra import Terms, phase_exponent
from qsim.observables.base import Observable
from qsim.observables.checks import check_coefficient, check_num_qubits
from qsim.observables.labels import dense_label, parse_label, sparse_label
from qsim.observables.pauli_operator import PauliOperator

if TYPE_CHECKING:
    from qsim.observables.pauli_sum import PauliSum

__all__ = ["PauliString"]


class PauliString(PauliOperator):
    """A product of Pauli letters on some qubits, times a coefficient.

    The string is kept as two bit masks: ``P = i^|x & z| X^x Z^z``, so bit q of `x_mask` is set for
    X and Y on qubit q and bit q of `z_mask` for Z and Y. P itself is always Hermitian.

    Parameters
    ----------
    label : str, default ""
        Sparse, ``"Z0 X3"``; dense, ``"XIIZ"`` (qubit 0 last); or ``""`` for the identity.
    coefficient : complex, default 1
        Factor in front of the string.
    order : {"little", "big"}
        Where qubit 0 stands in a dense label: last or first.
    num_qubits : int, optional
        If given, a dense label must have this many letters, and a sparse one only lower qubits.

    Raises
    ------
    ObservableError
        If the label cannot be read (the message has the position), or the coefficient is NaN or
        infinite.
    QubitError
        If a qubit is out of range or named twice.

    Examples
    --------
    >>> PauliString("Z0 X3") == PauliString("XIIZ") == PauliString("ZIIX", order="big")
    True
    >>> PauliString("X0") @ PauliString("Y0")
    PauliString('Z0', 1j)
    >>> 0.5 * PauliString("Z0 Z1") - PauliString("X2")
    PauliSum({'Z0 Z1': 0.5, 'X2': -1.0})
    """

    __slots__ = ("_coefficient", "_x", "_z")

    def __init__(
        self,
        label: str = "",
        coefficient: complex = 1.0,
        *,
        order: Order = "little",
        num_qubits: int | None = None,
    ) -> None:
        length = None if num_qubits is None else check_num_qubits(num_qubits, 0)
        self._x, self._z = parse_label(label, order, length)
        self._coefficient = check_coefficient(coefficient)

    @classmethod
    def from_masks(cls, x_mask: SupportsIndex, z_mask: SupportsIndex, coefficient: complex = 1.0) -> Self:
        """String with the given bit masks.

        Examples
        --------
        >>> PauliString.from_masks(0b110, 0b011)
        PauliString('Z0 Y1 X2')
        """
        return cls._new(
            _check_mask(x_mask, "x_mask"), _check_mask(z_mask, "z_mask"), check_coefficient(coefficient)
        )

    @classmethod
    def _new(cls, x_mask: int, z_mask: int, coefficient: complex) -> Self:
        """Without checks."""
        self = cls.__new__(cls)
        self._x, self._z, self._coefficient = x_mask, z_mask, coefficient
        return self

    @property
    def x_mask(self) -> int:
        """Bits of the qubits with X or Y."""
        return self._x

    @property
    def z_mask(self) -> int:
        """Bits of the qubits with Z or Y."""
        return self._z

    @property
    def coefficient(self) -> complex:
        """Factor in front of the string."""
        return self._coefficient

    @property
    def label(self) -> str:
        """Sparse label, qubits ascending.

        Examples
        --------
        >>> PauliString("X3 Z0").label
        'Z0 X3'
        """
        return sparse_label(self._x, self._z)

    @property
    def qubits(self) -> tuple[int, ...]:
        """Qubits with a letter other than I, ascending."""
        support = self._x | self._z
        return tuple(qubit for qubit in range(support.bit_length()) if support >> qubit & 1)

    @property
    def num_qubits(self) -> int:
        """The smallest number of qubits the string fits on: its highest qubit plus one."""
        return (self._x | self._z).bit_length()

    @property
    def weight(self) -> int:
        """Number of qubits with a letter other than I.

        Examples
        --------
        >>> PauliString("Z0 X3").weight
        2
        """
        return (self._x | self._z).bit_count()

    def to_label(self, num_qubits: int | None = None, order: Order = "little") -> str:
        """Dense label, one letter per qubit; the coefficient is not part of it.

        Parameters
        ----------
        num_qubits : int, optional
            Number of letters; default: as many as the string needs.
        order : {"little", "big"}
            Where qubit 0 stands: last or first.

        Raises
        ------
        QubitError
            If the string acts on a qubit beyond `num_qubits`.

        Examples
        --------
        >>> PauliString("Z0 X2").to_label(4), PauliString("Z0 X2").to_label(4, order="big")
        ('IXIZ', 'ZIXI')
        """
        return dense_label(self._x, self._z, check_num_qubits(num_qubits, self.num_qubits), order)

    def to_pauli_sum(self) -> PauliSum:
        """The string as a sum of one term."""
        from qsim.observables.pauli_sum import PauliSum

        return PauliSum(self)

    def remap(self, qubits: tuple[int, ...] | list[int] | dict[int, int]) -> Self:
        """The same letters on other qubits: qubit q goes to ``qubits[q]``.

        A dictionary may leave out qubits that stay. See `PauliSum.remap`.

        Examples
        --------
        >>> PauliString("Z0 X1").remap({0: 5})
        PauliString('X1 Z5')
        """
        moved = self.to_pauli_sum().remap(qubits)
        return self._new(int(moved.x_masks[0]), int(moved.z_masks[0]), self._coefficient)

    def commutes_with(self, other: PauliString) -> bool:
        """Whether two strings commute: they differ, both not I, on an even number of qubits.

        Examples
        --------
        >>> PauliString("X0 X1").commutes_with(PauliString("Z0 Z1"))
        True
        """
        if not isinstance(other, PauliString):
            raise TypeError(f"Argument `other` must be a PauliString, but is {type(other).__name__}.")
        return ((self._x & other._z) ^ (self._z & other._x)).bit_count() % 2 == 0

    def commutator(self, other: PauliString | PauliSum) -> PauliSum:
        """``self @ other - other @ self``.

        Examples
        --------
        >>> PauliString("X0").commutator(PauliString("Y0"))
        PauliSum({'Z0': 2j})
        """
        return self.to_pauli_sum().commutator(other)

    def anticommutator(self, other: PauliString | PauliSum) -> PauliSum:
        """``self @ other + other @ self``.

        Examples
        --------
        >>> PauliString("X0").anticommutator(PauliString("X0"))
        PauliSum({'': 2.0})
        """
        return self.to_pauli_sum().anticommutator(other)

    def adjoint(self) -> Self:
        """Hermitian adjoint: the coefficient conjugated."""
        return self._new(self._x, self._z, self._coefficient.conjugate())

    @overload
    def __matmul__(self, other: PauliString) -> PauliString: ...
    @overload
    def __matmul__(self, other: PauliSum) -> PauliSum: ...

    def __matmul__(self, other: PauliString | PauliSum) -> PauliString | PauliSum:
        if not isinstance(other, PauliString):
            return NotImplemented  # PauliSum.__rmatmul__ takes over
        phase = phase_exponent(self._x, self._z, other._x, other._z)
        coefficient = self._coefficient * other._coefficient * phase + 0j  # no negative zeros
        return self._new(self._x ^ other._x, self._z ^ other._z, check_coefficient(coefficient))

    def __pow__(self, exponent: int) -> Self:
        if isinstance(exponent, bool) or not isinstance(exponent, numbers.Integral):
            return NotImplemented
        power = int(exponent)
        if power < 0 and self._coefficient == 0:
            raise ObservableError("A Pauli string with coefficient 0 has no inverse.")
        masks = (self._x, self._z) if power % 2 else (0, 0)
        try:
            coefficient = self._coefficient**power
        except OverflowError:
            coefficient = complex(np.inf)
        return self._new(*masks, check_coefficient(coefficient, "The coefficient of the power"))

    def __mul__(self, factor: complex) -> Self:
        if not isinstance(factor, numbers.Number):
            if isinstance(factor, Observable):
                raise TypeError("Operators are multiplied with `@`; `*` takes a number.")
            return NotImplemented
        product = self._coefficient * check_coefficient(factor, "The factor")
        return self._new(self._x, self._z, check_coefficient(product))

    __rmul__ = __mul__

    def __truediv__(self, divisor: complex) -> Self:
        if not isinstance(divisor, numbers.Number):
            return NotImplemented
        number = check_coefficient(divisor, "The divisor")
        return self._new(self._x, self._z, check_coefficient(self._coefficient / number))

    def __neg__(self) -> Self:
        return self._new(self._x, self._z, -self._coefficient)

    def __pos__(self) -> Self:
        return self

    def __add__(self, other: PauliString | PauliSum | complex) -> PauliSum:
        return self.to_pauli_sum().__add__(other)

    __radd__ = __add__

    def __sub__(self, other: PauliString | PauliSum | complex) -> PauliSum:
        return self.to_pauli_sum().__sub__(other)

    def __rsub__(self, other: complex) -> PauliSum:
        return (-self).__add__(other)

    def terms(self) -> Terms:
        """Arrays of the one term, as a `PauliSum` has them."""
        return Terms(
            np.array([self._x], dtype=np.uint64),
            np.array([self._z], dtype=np.uint64),
            np.array([self._coefficient], dtype=np.complex128),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PauliString):
            return NotImplemented
        return (self._x, self._z, self._coefficient) == (other._x, other._z, other._coefficient)

    def __hash__(self) -> int:
        return hash((self._x, self._z, self._coefficient))

    def __repr__(self) -> str:
        if self._coefficient == 1:
            return f"{type(self).__name__}({self.label!r})"
        return f"{type(self).__name__}({self.label!r}, {short_number(self._coefficient)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_masks, (self._x, self._z, self._coefficient)


def short_number(value: complex) -> float | complex:
    """`value` as a float if it is real: what a repr shows."""
    return value.real if value.imag == 0 else value


def _check_mask(mask: SupportsIndex, name: str) -> int:
    if isinstance(mask, bool | np.bool_) or not isinstance(mask, numbers.Integral):
        raise TypeError(f"Argument `{name}` must be an int, but is {type(mask).__name__} ({mask!r}).")
    value = int(mask)
    if not 0 <= value < 1 << MAX_MASK_BITS:
        raise QubitError(
            f"Argument `{name}` must be in [0, 2**{MAX_MASK_BITS}), one bit per qubit, but is {value}."
        )
    return value
