"""What measuring gives: samples of outcomes, and their statistics.

Bit j of an outcome is qubit j, or classical bit j where the circuit measures. Bitstrings print bit 0
last unless ``order="big"`` is asked for.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count, check_qubits
from qsim.bitstrings import MAX_MASK_BITS, Order, check_order, format_bitstring, ints_to_bits, parse_bitstring
from qsim.distributions import distribution_from_array, distribution_from_outcomes
from qsim.errors import ArgumentError, ObservableError
from qsim.memory import check_free_memory

if TYPE_CHECKING:
    from qsim.observables import ObservableLike

__all__ = ["SampleEstimate", "Samples", "distribution_from_array", "distribution_from_outcomes"]

_REPR_OUTCOMES = 4
_HTML_OUTCOMES = 16


class SampleEstimate(NamedTuple):
    """A mean over shots and its standard error: floats, or arrays of shape (batch,) for a batch."""

    value: float | npt.NDArray[np.float64]
    standard_error: float | npt.NDArray[np.float64]


class Samples:
    """Outcomes of the shots of one circuit, or of a batch of them; immutable.

    Without a batch axis it is a sequence of bitstrings, one per shot; with one, a sequence of
    `Samples`, one per row. Methods that return a dictionary return a list of them for a batch.

    Parameters
    ----------
    ints : array_like of int, shape (shots,) or (batch, shots)
        Outcomes in ``[0, 2**num_bits)``; bit j of the integer is bit j of the outcome. Copied.
    num_bits : int
        At most 63; `from_bits` takes more.
    registers : mapping of str to sequence of int, optional
        Bits of each named classical register, for `marginal`.

    Raises
    ------
    ArgumentError
        If the shape is another, or an outcome is out of range.
    TypeError
        If the outcomes are no integers.

    Examples
    --------
    >>> samples = Samples([0, 3, 3, 1], num_bits=2)
    >>> samples.counts()
    {'11': 2, '00': 1, '01': 1}
    >>> samples.bits[1:3]
    array([[1, 1],
           [1, 1]], dtype=uint8)
    >>> samples[3], len(samples)
    ('01', 4)
    """

    __slots__ = ("_bits", "_ints", "_num_bits", "_registers")

    # One of the two: integers up to 63 bits, an array of bits beyond.
    _ints: npt.NDArray[np.int64] | None
    _bits: npt.NDArray[np.uint8] | None
    _num_bits: int
    _registers: dict[str, tuple[int, ...]]

    def __init__(
        self, ints: npt.ArrayLike, num_bits: int, *, registers: Mapping[str, Sequence[int]] | None = None
    ) -> None:
        self._num_bits = check_count(num_bits, "num_bits", 0, MAX_MASK_BITS)
        array = _regular_array(ints, "ints")
        if array.size == 0:
            array = array.astype(np.int64)
        if array.dtype.kind not in "iu":
            raise TypeError(f"Argument `ints` must hold integers, but has dtype {array.dtype}.")
        if array.ndim not in (1, 2):
            raise ArgumentError(
                f"Argument `ints` must have shape (shots,) or (batch, shots), but has shape {array.shape}."
            )
        if array.size and (array.min() < 0 or int(array.max()) >> self._num_bits):
            raise ArgumentError(
                f"Argument `ints` must be in [0, 2**{num_bits}) for {num_bits} bits, "
                f"but ranges from {array.min()} to {array.max()}."
            )
        self._ints = array.astype(np.int64)  # always a copy
        self._ints.flags.writeable = False
        self._bits = None
        self._registers = _check_registers(registers, self._num_bits)

    @classmethod
    def from_bits(cls, bits: npt.ArrayLike, *, registers: Mapping[str, Sequence[int]] | None = None) -> Self:
        """Samples of any number of bits.

        Parameters
        ----------
        bits : array_like of 0 and 1, shape (shots, num_bits) or (batch, shots, num_bits)
            Column j is bit j.
        registers : mapping of str to sequence of int, optional

        Examples
        --------
        >>> Samples.from_bits([[1, 0, 0], [1, 1, 0]]).counts()
        {'001': 1, '011': 1}
        """
        array = _regular_array(bits, "bits")
        if array.size and array.dtype.kind not in "iub":
            raise TypeError(f"Argument `bits` must hold integers 0 and 1, but has dtype {array.dtype}.")
        if array.ndim not in (2, 3):
            raise ArgumentError(
                f"Argument `bits` must have shape (shots, num_bits) or (batch, shots, num_bits), "
                f"but has shape {array.shape}."
            )
        if array.size and not ((array == 0) | (array == 1)).all():
            raise ArgumentError("Argument `bits` must hold only 0 and 1, but has other values.")
        return cls._from_checked_bits(array.astype(np.uint8), _check_registers(registers, array.shape[-1]))

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], *, order: Order = "little") -> Self:
        """Samples with the given counts, outcome after outcome: the inverse of `counts`.

        Examples
        --------
        >>> Samples.from_counts({"10": 2, "01": 1}).ints
        array([2, 2, 1])
        """
        if not isinstance(counts, Mapping):
            raise TypeError(
                f"Argument `counts` must be a dict of bitstrings, but is {type(counts).__name__}."
            )
        for label in counts:
            if not isinstance(label, str):
                raise TypeError(f"A key of `counts` must be a str, but is {type(label).__name__}.")
        lengths = sorted({len(label) for label in counts})
        if len(lengths) > 1:
            raise ArgumentError(
                f"Argument `counts` must have bitstrings of the same length, but has lengths {lengths}."
            )
        num_bits = lengths[0] if lengths else 0
        repeats = [check_count(count, "counts") for count in counts.values()]
        check_free_memory(
            16 * max(1, num_bits // 8) * sum(repeats), f"Argument `counts` has {sum(repeats)} shots, which"
        )
        outcomes = [parse_bitstring(label, order) for label in counts]
        if num_bits <= MAX_MASK_BITS:
            return cls(np.repeat(np.array(outcomes, dtype=np.int64), repeats), num_bits)
        rows = np.array([[value >> bit & 1 for bit in range(num_bits)] for value in outcomes], dtype=np.uint8)
        return cls._from_checked_bits(np.repeat(rows, repeats, axis=0), {})

    @classmethod
    def _from_checked_ints(
        cls, ints: npt.NDArray[np.int64], num_bits: int, registers: dict[str, tuple[int, ...]]
    ) -> Self:
        """Takes the array as it is."""
        self = cls.__new__(cls)
        self._ints, self._bits = ints, None
        self._ints.flags.writeable = False
        self._num_bits, self._registers = num_bits, registers
        return self

    @classmethod
    def _from_checked_bits(cls, bits: npt.NDArray[np.uint8], registers: dict[str, tuple[int, ...]]) -> Self:
        self = cls.__new__(cls)
        self._num_bits = bits.shape[-1]
        self._registers = registers
        self._ints, self._bits = None, None
        if self._num_bits <= MAX_MASK_BITS:
            self._ints = _bits_to_ints(bits)
            self._ints.flags.writeable = False
        else:
            self._bits = bits
            self._bits.flags.writeable = False
        return self

    # ---- the outcomes -------------------------------------------------------------------------

    @property
    def num_bits(self) -> int:
        """Bits of an outcome."""
        return self._num_bits

    @property
    def shots(self) -> int:
        """Shots (of each row of a batch)."""
        return self._shape[-1]

    @property
    def batch(self) -> int | None:
        """Rows of the batch; None without a batch axis."""
        return self._shape[0] if len(self._shape) == 2 else None

    @property
    def _shape(self) -> tuple[int, ...]:
        if self._ints is not None:
            return self._ints.shape
        assert self._bits is not None
        return self._bits.shape[:-1]

    @property
    def registers(self) -> dict[str, tuple[int, ...]]:
        """Bits of each named register."""
        return dict(self._registers)

    @property
    def ints(self) -> npt.NDArray[Any]:
        """Outcomes as integers, shape (shots,) or (batch, shots), int64.

        Beyond 63 bits, Python integers in an array of dtype object.
        """
        if self._ints is not None:
            return self._ints
        assert self._bits is not None
        flat = self._bits.reshape(-1, self._num_bits)
        values = np.empty(len(flat), dtype=object)
        values[:] = [int.from_bytes(row.tobytes(), "little") for row in _pack(flat)]
        return values.reshape(self._shape)

    @property
    def bits(self) -> npt.NDArray[np.uint8]:
        """Outcomes as bits, shape (shots, num_bits) or (batch, shots, num_bits); column j is bit j."""
        if self._bits is not None:
            return self._bits
        assert self._ints is not None
        return ints_to_bits(self._ints, self._num_bits)

    # ---- counting -----------------------------------------------------------------------------

    def counts(self, order: Order = "little") -> Any:
        """How often each outcome occurred.

        Parameters
        ----------
        order : {"little", "big"}
            Where bit 0 stands in the bitstrings: last or first.

        Returns
        -------
        dict of str to int, or list of them for a batch
            By descending count, then by bitstring; outcomes that did not occur are left out.

        Examples
        --------
        >>> Samples([[1, 1, 2], [0, 0, 0]], num_bits=2).counts()
        [{'01': 2, '10': 1}, {'00': 3}]
        """
        return self._each_row(lambda row: dict(row._row_most_common(None, order)))

    def probabilities(self, order: Order = "little") -> Any:
        """Relative frequency of each outcome that occurred.

        Parameters
        ----------
        order : {"little", "big"}

        Returns
        -------
        dict of str to float, or list of them for a batch
            In the order of `counts`.

        Examples
        --------
        >>> Samples([1, 1, 2, 1], num_bits=2).probabilities()
        {'01': 0.75, '10': 0.25}
        """

        def frequencies(row: Samples) -> dict[str, float]:
            return {label: count / row.shots for label, count in row._row_most_common(None, order)}

        return self._each_row(frequencies)

    def most_common(self, k: int | None = None, order: Order = "little") -> Any:
        """The `k` most frequent outcomes with their counts (all of them by default).

        Returns
        -------
        list of (str, int), or list of such lists for a batch

        Examples
        --------
        >>> Samples([1, 1, 2, 0], num_bits=2).most_common(2)
        [('01', 2), ('00', 1)]
        """
        limit = None if k is None else check_count(k, "k")
        return self._each_row(lambda row: row._row_most_common(limit, order))

    def _row_most_common(self, k: int | None, order: Order) -> list[tuple[str, int]]:
        check_order(order)
        outcomes, counts = self._distinct()
        # Outcomes ascend, so a stable sort by count leaves ties in the order of little-endian bitstrings.
        by_count = np.argsort(-counts, kind="stable")
        if order == "big":
            pairs = [(format_bitstring(outcomes[i], self._num_bits, order), int(counts[i])) for i in by_count]
            return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:k]
        return [(format_bitstring(outcomes[i], self._num_bits), int(counts[i])) for i in by_count[:k]]

    def _distinct(self) -> tuple[list[int], npt.NDArray[np.int64]]:
        """Outcomes that occurred, ascending, and their counts; without a batch axis."""
        if self._ints is not None:
            values, counts = np.unique(self._ints, return_counts=True)
            return values.tolist(), counts.astype(np.int64)
        assert self._bits is not None
        packed = _pack(self._bits)[:, ::-1]  # most significant byte first, so rows sort as numbers
        rows, counts = np.unique(packed, axis=0, return_counts=True)
        return [int.from_bytes(row.tobytes(), "big") for row in rows], counts.astype(np.int64)

    def _each_row(self, function: Any) -> Any:
        return function(self) if self.batch is None else [function(row) for row in self]

    # ---- statistics ---------------------------------------------------------------------------

    def marginal(self, bits: str | int | Iterable[int]) -> Samples:
        """Samples of some of the bits.

        Parameters
        ----------
        bits : str, int or iterable of int
            Bit j of the result is ``bits[j]``; a string names a classical register.

        Raises
        ------
        QubitError
            If a bit is out of range or named twice.
        ArgumentError
            If there is no such register.

        Examples
        --------
        >>> Samples([0b110, 0b011], num_bits=3).marginal([2, 0]).counts()
        {'01': 1, '10': 1}
        >>> Samples([0b110], num_bits=3, registers={"c": [1, 2]}).marginal("c").counts()
        {'11': 1}
        """
        if isinstance(bits, str):
            if bits not in self._registers:
                known = ", ".join(map(repr, self._registers)) or "none"
                raise ArgumentError(f"Unknown classical register {bits!r}; the samples have: {known}.")
            chosen = self._registers[bits]
        else:
            chosen = check_qubits(bits, self._num_bits, "Bit", "bits")
        if self._ints is not None:
            values = np.zeros_like(self._ints)
            for place, bit in enumerate(chosen):
                values |= ((self._ints >> bit) & 1) << place
            return Samples(values, len(chosen))
        assert self._bits is not None
        return self._from_checked_bits(self._bits[..., list(chosen)], {})

    def expectation(self, observable: ObservableLike) -> SampleEstimate:
        """Mean of a diagonal observable over the shots, with its standard error.

        Parameters
        ----------
        observable : PauliSum of I and Z, label, dict, Diagonal or Projector
            Its qubits are the bits of the outcomes.

        Returns
        -------
        SampleEstimate
            ``(value, standard_error)``; floats, or arrays of shape (batch,). The standard error is
            the sample standard deviation over the square root of the number of shots; NaN for one
            shot.

        Raises
        ------
        ObservableError
            If the observable is not diagonal.
        QubitError
            If it acts on a bit the samples do not have.

        Examples
        --------
        >>> value, standard_error = Samples([0, 1, 3, 3], num_bits=2).expectation("Z0 Z1")
        >>> print(value, standard_error)
        0.5 0.5
        """
        from qsim.observables import as_observable
        from qsim.observables.diagonal import diagonal_values

        operator = as_observable(observable)
        if not operator.is_diagonal:
            raise ObservableError(
                f"Argument `observable` must be diagonal (letters I and Z), because samples hold measured "
                f"bits, but is {operator!r}. Turn X and Y into Z by gates before the circuit is sampled."
            )
        operator.require_qubits(self._num_bits)
        low = self.marginal(range(min(self._num_bits, MAX_MASK_BITS)))  # observables reach no further

        def estimate(row: Samples) -> SampleEstimate:
            outcomes, counts = row._distinct()
            values = diagonal_values(operator, np.array(outcomes, dtype=np.uint64))
            if row.shots == 0:
                return SampleEstimate(float("nan"), float("nan"))
            mean = float(counts @ values) / row.shots
            if row.shots == 1:
                return SampleEstimate(mean, float("nan"))
            variance = float(counts @ (values - mean) ** 2) / (row.shots - 1)
            return SampleEstimate(mean, (variance / row.shots) ** 0.5)

        if self.batch is None:
            return estimate(low)
        estimates = np.array([estimate(row) for row in low], dtype=np.float64).reshape(-1, 2)
        return SampleEstimate(estimates[:, 0], estimates[:, 1])

    # ---- Python's own -------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._shape[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._view(index)
        position = range(len(self))[index]  # IndexError and TypeError as for any sequence
        if self.batch is not None:
            return self._view(position)
        outcome = self.ints[position] if self._ints is not None else self[position : position + 1].ints[0]
        return format_bitstring(int(outcome), self._num_bits)

    def _view(self, index: int | slice) -> Samples:
        part = Samples.__new__(Samples)
        part._num_bits, part._registers = self._num_bits, self._registers
        part._ints = None if self._ints is None else self._ints[index]
        part._bits = None if self._bits is None else self._bits[index]
        return part

    def __iter__(self) -> Iterator[Any]:
        return (self[position] for position in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Samples):
            return NotImplemented
        mine = self._ints if self._ints is not None else self._bits
        theirs = other._ints if other._ints is not None else other._bits
        assert mine is not None and theirs is not None
        return (
            self._num_bits == other._num_bits
            and self._registers == other._registers
            and np.array_equal(mine, theirs)
        )

    __hash__ = None  # type: ignore[assignment]  # an array of outcomes, as NumPy's, is no key

    def __repr__(self) -> str:
        if self.batch is not None:
            return f"<Samples: batch of {self.batch}, {self.shots} shots each, {self._num_bits} bits>"
        top = self._row_most_common(_REPR_OUTCOMES + 1, "little")
        shown = ", ".join(f"{label!r}: {count}" for label, count in top[:_REPR_OUTCOMES])
        more = ", ..." if len(top) > _REPR_OUTCOMES else ""
        return f"<Samples: {self.shots} shots, {self._num_bits} bits, {{{shown}{more}}}>"

    def _repr_html_(self) -> str:
        """Table of the most frequent outcomes, for notebooks."""
        if self.batch is not None:
            return f"<code>{html.escape(repr(self))}</code>"
        pairs = self._row_most_common(None, "little")
        rows = "".join(
            f"<tr><td><code>{label}</code></td><td>{count}</td><td style='text-align:left'>"
            f"<div style='background:#4c78a8;height:0.8em;width:{120 * count / pairs[0][1]:.0f}px'></div>"
            f"</td></tr>"
            for label, count in pairs[:_HTML_OUTCOMES]
        )
        more = len(pairs) - _HTML_OUTCOMES
        footer = f"<tr><td colspan='3'>and {more} more outcomes</td></tr>" if more > 0 else ""
        return (
            f"<table><caption>{self.shots} shots, {self._num_bits} bits</caption>"
            f"<thead><tr><th>outcome</th><th>count</th><th></th></tr></thead>"
            f"<tbody>{rows}{footer}</tbody></table>"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        data = self._ints if self._ints is not None else self._bits
        return _restore, (data, self._num_bits, self._registers, self._ints is not None)


def _restore(
    data: npt.NDArray[Any], num_bits: int, registers: dict[str, tuple[int, ...]], as_ints: bool
) -> Samples:
    """Unpickle without the checks of the constructor."""
    samples = Samples.__new__(Samples)
    samples._num_bits, samples._registers = num_bits, registers
    samples._ints, samples._bits = (data, None) if as_ints else (None, data)
    data.flags.writeable = False
    return samples


def _regular_array(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise ArgumentError(f"Argument `{name}` must be a regular array: {error}.") from None


def _check_registers(
    registers: Mapping[str, Sequence[int]] | None, num_bits: int
) -> dict[str, tuple[int, ...]]:
    return {
        name: check_qubits(bits, num_bits, "Bit", "bits", f" in register {name!r}")
        for name, bits in (registers or {}).items()
    }


def _bits_to_ints(bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Integers of at most 63 bits each, from bits in the last axis."""
    packed = _pack(bits)
    padded = np.zeros((*bits.shape[:-1], 8), dtype=np.uint8)
    padded[..., : packed.shape[-1]] = packed
    return padded.view("<i8")[..., 0].astype(np.int64)


def _pack(bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Bytes of the bits in the last axis, least significant first."""
    return np.packbits(bits, axis=-1, bitorder="little")
