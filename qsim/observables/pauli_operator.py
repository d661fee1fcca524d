"""What a Pauli string and a sum of them share: everything that only needs their arrays of terms."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from qsim.bitstrings import Order, check_order, reverse_bits
from qsim.errors import ObservableError
from qsim.observables import algebra
from qsim.observables.algebra import Terms
from qsim.observables.base import Observable
from qsim.observables.checks import (
    HERMITIAN_TOLERANCE,
    ComplexArray,
    FloatArray,
    MaskArray,
    check_num_qubits,
    check_tolerance,
)
from qsim.observables.labels import sparse_label
from qsim.observables.transforms import apply_terms, sparse_entries, terms_to_matrix

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["PauliOperator"]


class PauliOperator(Observable):
    """An operator given by Pauli terms: `PauliString` or `PauliSum`."""

    __slots__ = ()

    @abstractmethod
    def terms(self) -> Terms:
        """Arrays ``(x_masks, z_masks, coefficients)``, as given."""

    def merged_terms(self) -> Terms:
        """Arrays of the terms, equal strings added, zeros left out, in order of first appearance."""
        return algebra.merge(self.terms())

    @property
    def is_diagonal(self) -> bool:
        """Whether all letters are I or Z (of the terms that are left once equal strings are added)."""
        return not np.any(self.merged_terms().x_masks)

    def is_hermitian(self, atol: float = HERMITIAN_TOLERANCE) -> bool:
        """Whether the operator is Hermitian: all coefficients real once equal strings are added.

        Parameters
        ----------
        atol : float
            Largest imaginary part allowed, relative to the largest coefficient (or to 1).

        Examples
        --------
        >>> from qsim.observables import PauliSum
        >>> PauliSum({"X0": 1j}).is_hermitian()
        False
        """
        coefficients = self.merged_terms().coefficients
        limit = check_tolerance(atol) * max(1.0, float(np.abs(coefficients).max(initial=0.0)))
        return bool(np.all(np.abs(coefficients.imag) <= limit))

    def real_terms(self) -> tuple[MaskArray, MaskArray, FloatArray]:
        """Arrays ``(x_masks, z_masks, coefficients)`` with real coefficients, equal strings added.

        This is what the expectation kernels take.

        Raises
        ------
        ObservableError
            If the operator is not Hermitian.

        Examples
        --------
        >>> from qsim.observables import PauliSum
        >>> PauliSum([("Z0", 1.0), ("Z0", 0.5)]).real_terms()[2]
        array([1.5])
        """
        x, z, c = self.merged_terms()
        if not self.is_hermitian():
            worst = int(np.abs(c.imag).argmax())
            label = sparse_label(int(x[worst]), int(z[worst]))
            raise ObservableError(
                f"The observable must be Hermitian, but term {label!r} has the coefficient "
                f"{complex(c[worst])}, which is not real. Use (a + a.adjoint()) / 2 for its Hermitian part."
            )
        real = np.ascontiguousarray(c.real)
        real.flags.writeable = False
        return x, z, real

    def to_sparse(self, num_qubits: int | None = None, order: Order = "little") -> csr_array:
        """SciPy CSR array over `num_qubits` qubits (default: as many as the operator needs).

        Parameters
        ----------
        num_qubits : int, optional
        order : {"little", "big"}
            Whether qubit 0 is the least or the most significant bit of the row and column index.

        Returns
        -------
        scipy.sparse.csr_array, complex128
            At most one entry per row and distinct x_mask; zeros are left out.

        Raises
        ------
        ImportError
            If SciPy is not installed.
        MemoryBudgetError
            If the entries do not fit into the free memory.

        Examples
        --------
        >>> from qsim.observables import PauliSum
        >>> PauliSum("Z0").to_sparse(2).diagonal().real
        array([ 1., -1.,  1., -1.])
        """
        from qsim.observables.matrices import import_sparse
        from qsim.observables.memory import require_sparse

        sparse = import_sparse(f"{type(self).__name__}.to_sparse")
        check_order(order)
        count = check_num_qubits(num_qubits, self.num_qubits)
        x, z, c = self.merged_terms()
        require_sparse(count, len(np.unique(x)))
        if order == "big":
            x, z = reverse_bits(x, count), reverse_bits(z, count)
        size = 1 << count
        matrix = sparse.csr_array(sparse_entries(Terms(x, z, c), count), shape=(size, size))
        matrix.eliminate_zeros()
        return matrix

    def _apply(self, states: ComplexArray) -> ComplexArray:
        return apply_terms(self.terms(), states)

    def _to_matrix(self, num_qubits: int) -> npt.NDArray[np.complex128]:
        return terms_to_matrix(self.terms(), num_qubits)

    def _expectation(self, rows: ComplexArray) -> FloatArray:
        self.real_terms()  # raises unless Hermitian
        return super()._expectation(rows)

    def _variance(self, rows: ComplexArray) -> FloatArray:
        self.real_terms()
        return super()._variance(rows)
