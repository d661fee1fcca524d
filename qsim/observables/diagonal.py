"""Observables that are diagonal in the computational basis: functions of a measured outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.bitstrings import Order, check_order, format_bitstring, ints_to_bits, parse_bitstring
from qsim.errors import ArgumentError, ObservableError
from qsim.memory import check_free_memory
from qsim.observables.base import Observable
from qsim.observables.checks import (
    ComplexArray,
    FloatArray,
    check_qubit,
    check_qubits,
    real_array,
)
from qsim.observables.hermitian import apply_on_qubits, column_pieces, resolve_qubits, show_array
from qsim.observables.pauli_sum import PauliSum
from qsim.observables.transforms import decompose_diagonal

__all__ = ["Diagonal", "Projector", "diagonal_values"]


class Diagonal(Observable):
    """A real value for each outcome of k qubits.

    Parameters
    ----------
    values : array_like, shape (2**k,)
        Eigenvalues, float64; copied.
    qubits : iterable of int, optional
        The k qubits; the first is the least significant bit of the index. Default: 0 to k - 1.
    order : {"little", "big"}
        ``"big"``: the first of `qubits` is the most significant bit instead.

    Raises
    ------
    ObservableError
        If the values are not 2**k finite real numbers, or the number of qubits differs.
    QubitError
        If a qubit is out of range or named twice.

    Examples
    --------
    >>> energy = Diagonal([0.0, 1.0, 1.0, 5.0])
    >>> print(energy.expectation([0.6, 0.0, 0.0, 0.8]).round(12))
    3.2
    >>> energy.to_pauli_sum()
    PauliSum({'': 1.75, 'Z0': -1.25, 'Z1': -1.25, 'Z0 Z1': 0.75})
    """

    __slots__ = ("_qubits", "_values")

    def __init__(
        self, values: npt.ArrayLike, qubits: Iterable[int] | int | None = None, *, order: Order = "little"
    ) -> None:
        check_order(order)
        self._values = real_array(values, "values")
        size = self._values.shape[0] if self._values.ndim == 1 else 0
        if size == 0 or size & (size - 1):
            raise ObservableError(
                f"Argument `values` must have shape (2**k,) for k qubits, but has shape {self._values.shape}."
            )
        self._values.flags.writeable = False
        self._qubits = resolve_qubits(qubits, size.bit_length() - 1, order)

    @classmethod
    def from_function(
        cls, function: Callable[[npt.NDArray[np.uint8]], npt.ArrayLike], qubits: Iterable[int] | int
    ) -> Diagonal:
        """Values of a function of the bits.

        Parameters
        ----------
        function : callable
            Called once with all outcomes, shape (2**k, k), uint8; column j is the bit of
            ``qubits[j]``. Returns shape (2**k,).
        qubits : iterable of int, or int
            The k qubits; a single int is that one qubit.

        Examples
        --------
        >>> Diagonal.from_function(lambda bits: bits.sum(axis=1), range(2)).values
        array([0., 1., 1., 2.])
        """
        places = check_qubits(qubits)
        check_free_memory(
            (16 + len(places)) << len(places), f"A table of all outcomes of {len(places)} qubits"
        )
        outcomes = np.arange(1 << len(places))
        return cls(function(ints_to_bits(outcomes, len(places))), places)

    @property
    def values(self) -> FloatArray:
        """Value of each outcome, the first of `qubits` least significant; read-only."""
        return self._values

    @property
    def qubits(self) -> tuple[int, ...]:
        """Qubits the values are a function of; the first is the least significant bit."""
        return self._qubits

    @property
    def is_diagonal(self) -> bool:
        """True."""
        return True

    def to_pauli_sum(self) -> PauliSum:
        """The same operator as a sum of products of Z, O(k 2**k)."""
        terms = decompose_diagonal(self._values)
        terms = terms.take(np.abs(terms.coefficients) > 1e-13 * float(np.abs(self._values).max()))
        return PauliSum.from_masks(*terms).remap(self._qubits)

    def from_probabilities(self, probabilities: npt.ArrayLike) -> FloatArray:
        """Expectation values from the probabilities of the outcomes of `qubits`.

        Parameters
        ----------
        probabilities : array_like, shape (..., 2**k)
            As `qsim.probabilities` gives for `qubits`.

        Returns
        -------
        ndarray, shape (...), float64

        Examples
        --------
        >>> Diagonal([1.0, -1.0]).from_probabilities([[0.75, 0.25], [0.5, 0.5]])
        array([0.5, 0. ])
        """
        table = np.asarray(probabilities, dtype=np.float64)
        if table.ndim == 0 or table.shape[-1] != len(self._values):
            raise ObservableError(
                f"Argument `probabilities` must have shape (..., {len(self._values)}), "
                f"but has shape {table.shape}."
            )
        return np.asarray((table * self._values).sum(axis=-1))

    def _apply(self, states: ComplexArray) -> ComplexArray:
        values = self._values.astype(states.real.dtype)
        return apply_on_qubits(states, self._qubits, lambda columns: columns * values)

    def _expectation(self, rows: ComplexArray) -> FloatArray:
        return self.from_probabilities(_marginals(rows, self._qubits))

    def _variance(self, rows: ComplexArray) -> FloatArray:
        probabilities = _marginals(rows, self._qubits)
        mean = self.from_probabilities(probabilities)
        deviations = self._values - mean[:, np.newaxis]
        return np.asarray((probabilities * deviations**2).sum(axis=1))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Diagonal):
            return NotImplemented
        return self._qubits == other._qubits and np.array_equal(self._values, other._values)

    def __hash__(self) -> int:
        return hash((self._qubits, (self._values + 0.0).tobytes()))

    def __repr__(self) -> str:
        return f"Diagonal({show_array(self._values)}, qubits={list(self._qubits)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._values, self._qubits)


class Projector(Observable):
    """The projector ``|b><b|`` on given values of some qubits; its expectation value is their probability.

    Parameters
    ----------
    bits : str, sequence of 0 and 1, or mapping of qubit to bit
        A bitstring has the first of `qubits` last (``order="little"``), as results print; a
        sequence goes along `qubits`: ``bits[j]`` belongs to ``qubits[j]``.
    qubits : iterable of int, optional
        Default: 0 to k - 1. Not together with a mapping, which names its qubits.
    order : {"little", "big"}
        ``"big"``: the first of `qubits` is the first character of a bitstring.

    Raises
    ------
    ArgumentError
        If a bitstring holds another character, or a bit is neither 0 nor 1.
    ObservableError
        If the number of qubits differs from the number of bits.
    QubitError
        If a qubit is out of range or named twice.

    See Also
    --------
    StateProjector : projects on a superposition.

    Examples
    --------
    >>> Projector("10") == Projector([0, 1]) == Projector({0: 0, 1: 1})
    True
    >>> print(Projector("11").expectation([0.6, 0.0, 0.0, 0.8]).round(12))
    0.64
    """

    __slots__ = ("_bits", "_qubits")

    def __init__(
        self,
        bits: str | Iterable[int] | Mapping[int, int],
        qubits: Iterable[int] | int | None = None,
        *,
        order: Order = "little",
    ) -> None:
        check_order(order)
        if isinstance(bits, Mapping):
            if qubits is not None:
                raise ObservableError(
                    "Argument `qubits` must be left out when `bits` is a mapping: it names its qubits."
                )
            qubits = tuple(check_qubit(qubit, "A qubit of `bits`") for qubit in bits)
            bits = list(bits.values())
        elif isinstance(bits, str):
            value = parse_bitstring(bits, order)
            bits = [value >> place & 1 for place in range(len(bits))]
        elif not isinstance(bits, Iterable):
            raise TypeError(
                f"Argument `bits` must be a bitstring, a sequence of 0 and 1, or a mapping of qubit to bit, "
                f"but is {type(bits).__name__}."
            )
        self._bits = tuple(_check_bit(bit) for bit in bits)
        self._qubits = check_qubits(range(len(self._bits)) if qubits is None else qubits, len(self._bits))

    @property
    def bits(self) -> tuple[int, ...]:
        """Bit of each of `qubits`."""
        return self._bits

    @property
    def qubits(self) -> tuple[int, ...]:
        """Qubits whose values are given."""
        return self._qubits

    @property
    def mask(self) -> int:
        """Index bits the projector looks at."""
        return sum(1 << qubit for qubit in self._qubits)

    @property
    def value(self) -> int:
        """Value of those bits: the projector keeps amplitudes with ``index & mask == value``."""
        return sum(bit << qubit for bit, qubit in zip(self._bits, self._qubits, strict=True))

    @property
    def is_diagonal(self) -> bool:
        """True."""
        return True

    def to_pauli_sum(self) -> PauliSum:
        """The product of ``(1 +- Z)/2`` over the qubits: 2**k terms."""
        if len(self._bits) > 24:
            raise ObservableError(
                f"A projector on {len(self._bits)} qubits has 2**{len(self._bits)} Pauli terms; at most 24 "
                f"qubits are expanded. Use the projector itself."
            )
        values = np.zeros(1 << len(self._bits))
        values[sum(bit << place for place, bit in enumerate(self._bits))] = 1.0
        return Diagonal(values, self._qubits).to_pauli_sum()

    def from_probabilities(self, probabilities: npt.ArrayLike) -> FloatArray:
        """Expectation values from the probabilities of the outcomes of `qubits`, shape (..., 2**k).

        Examples
        --------
        >>> print(Projector("01").from_probabilities([0.1, 0.2, 0.3, 0.4]))
        0.2
        """
        table = np.asarray(probabilities, dtype=np.float64)
        size = 1 << len(self._bits)
        if table.ndim == 0 or table.shape[-1] != size:
            raise ObservableError(
                f"Argument `probabilities` must have shape (..., {size}), but has shape {table.shape}."
            )
        return np.asarray(table[..., sum(bit << place for place, bit in enumerate(self._bits))])

    def _kept(self, states: ComplexArray) -> tuple[ComplexArray, tuple[slice | int, ...]]:
        """States with an axis for each qubit, and the index of the amplitudes that stay."""
        num_qubits = states.shape[1].bit_length() - 1
        index: list[slice | int] = [slice(None)] * (num_qubits + 1)
        for bit, qubit in zip(self._bits, self._qubits, strict=True):
            index[num_qubits - qubit] = bit
        return states.reshape((len(states),) + (2,) * num_qubits), tuple(index)

    def _apply(self, states: ComplexArray) -> ComplexArray:
        cube, kept = self._kept(states)
        result = np.zeros_like(cube)
        result[kept] = cube[kept]
        return result.reshape(states.shape)

    def _expectation(self, rows: ComplexArray) -> FloatArray:
        cube, kept = self._kept(rows)
        amplitudes = cube[kept].reshape(len(rows), -1)
        return np.asarray(_probabilities(amplitudes).sum(axis=1))

    def _variance(self, rows: ComplexArray) -> FloatArray:
        mean = self._expectation(rows)
        variance: FloatArray = np.maximum(mean * (1.0 - mean), 0.0)
        return variance

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Projector):
            return NotImplemented
        return (self.mask, self.value) == (other.mask, other.value)

    def __hash__(self) -> int:
        return hash((self.mask, self.value))

    def __repr__(self) -> str:
        value = sum(bit << place for place, bit in enumerate(self._bits))
        return f"Projector({format_bitstring(value, len(self._bits))!r}, qubits={list(self._qubits)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._bits, self._qubits)


def diagonal_values(observable: Observable, outcomes: npt.NDArray[np.uint64]) -> FloatArray:
    """Values of a diagonal observable at outcomes given as integers (bit q is qubit q).

    O(num_terms * num_outcomes) for a `PauliSum`.
    """
    if isinstance(observable, Projector):
        kept = (outcomes & np.uint64(observable.mask)) == np.uint64(observable.value)
        return np.asarray(kept, dtype=np.float64)
    if isinstance(observable, Diagonal):
        local = np.zeros(outcomes.shape, dtype=np.intp)
        for place, qubit in enumerate(observable.qubits):
            local |= ((outcomes >> np.uint64(qubit)) & np.uint64(1)).astype(np.intp) << place
        return np.asarray(observable.values[local])
    total = np.zeros(outcomes.shape)
    _, z_masks, coefficients = observable.to_pauli_sum().real_terms()
    for z_mask, coefficient in zip(z_masks, coefficients, strict=True):
        signs = 1.0 - 2.0 * (np.bitwise_count(outcomes & z_mask) & 1).astype(np.float64)
        total += coefficient * signs
    return total


def _check_bit(bit: object) -> int:
    if isinstance(bit, str | bytes) or bit not in (0, 1):
        raise ArgumentError(f"Each of `bits` must be 0 or 1, but one is {bit!r}.")
    return int(bit)


def _probabilities(amplitudes: ComplexArray) -> FloatArray:
    squares = np.multiply(amplitudes.real, amplitudes.real, dtype=np.float64)
    squares += np.multiply(amplitudes.imag, amplitudes.imag, dtype=np.float64)
    return squares


def _marginals(rows: ComplexArray, qubits: tuple[int, ...]) -> FloatArray:
    """Probabilities of the outcomes of `qubits`, the first least significant; shape (batch, 2**k)."""
    total = np.zeros((len(rows), 1 << len(qubits)))
    for columns, _ in column_pieces(rows, qubits):
        total += _probabilities(columns).sum(axis=1)
    return total
