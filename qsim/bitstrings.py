"""Bitstrings and the integers they stand for: bit 0 is the rightmost character (``order="little"``).

``order`` names where bit 0 stands: ``"little"`` prints it last, as a binary numeral does, ``"big"``
prints it first, as frameworks with big-endian wires do.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError

__all__ = [
    "MAX_MASK_BITS",
    "Order",
    "check_order",
    "format_bitstring",
    "ints_to_bits",
    "parse_bitstring",
    "reverse_bits",
]

Order = Literal["little", "big"]

#: Bit masks and outcomes are kept in 64-bit integers; the sign bit stays free.
MAX_MASK_BITS = 63


def check_order(order: str) -> None:
    """Raise `ArgumentError` unless `order` is ``"little"`` or ``"big"``.

    Examples
    --------
    >>> check_order("little")
    """
    if order not in ("little", "big"):
        raise ArgumentError(
            f"Argument `order` must be 'little' (bit 0 is the last character) or 'big' (bit 0 is the first), "
            f"but is {order!r}."
        )


def format_bitstring(value: int, num_bits: int, order: Order = "little") -> str:
    """Bitstring of the integer `value` with `num_bits` characters.

    Parameters
    ----------
    value : int
        Bit j of `value` is bit j of the outcome.
    num_bits : int
        Length of the result; ``0 <= value < 2**num_bits``.
    order : {"little", "big"}
        Where bit 0 stands: last or first.

    Returns
    -------
    str

    Examples
    --------
    >>> format_bitstring(6, 4)
    '0110'
    >>> format_bitstring(1, 4, order="big")
    '1000'
    """
    text = f"{value:0{num_bits}b}" if num_bits else ""
    return text if order == "little" else text[::-1]


def parse_bitstring(text: str, order: Order = "little") -> int:
    """Integer of a bitstring; the inverse of `format_bitstring`.

    Parameters
    ----------
    text : str
        Characters ``0`` and ``1``; the empty string is 0.
    order : {"little", "big"}
        Where bit 0 stands: last or first.

    Returns
    -------
    int

    Raises
    ------
    ArgumentError
        If another character occurs; the message has its position, counted from 0.

    Examples
    --------
    >>> parse_bitstring("0110")
    6
    >>> parse_bitstring("1000", order="big")
    1
    """
    check_order(order)
    if not isinstance(text, str):
        raise TypeError(f"A bitstring must be a string such as '0110', but is {type(text).__name__}.")
    for position, character in enumerate(text):
        if character not in "01":
            raise ArgumentError(
                f"Bitstring {text!r} has {character!r} at position {position}, but may hold only '0' and '1'."
            )
    if not text:
        return 0
    return int(text if order == "little" else text[::-1], 2)


def ints_to_bits(values: npt.NDArray[np.integer], num_bits: int) -> npt.NDArray[np.uint8]:
    """Bits of integers: a new last axis, whose column j is bit j.

    Parameters
    ----------
    values : ndarray of integers, any shape
        Each in ``[0, 2**num_bits)``.
    num_bits : int
        At most 63.

    Returns
    -------
    ndarray, shape (*values.shape, num_bits), uint8

    Examples
    --------
    >>> ints_to_bits(np.array([1, 6]), 3)
    array([[1, 0, 0],
           [0, 1, 1]], dtype=uint8)
    """
    little = np.ascontiguousarray(values, dtype="<u8")
    as_bytes = little[..., np.newaxis].view(np.uint8)
    return np.unpackbits(as_bytes, axis=-1, count=num_bits, bitorder="little")


def reverse_bits(values: npt.NDArray[np.uint64], num_bits: int) -> npt.NDArray[np.uint64]:
    """Mirror the lowest `num_bits` bits of each value; the bits above them must be zero.

    Examples
    --------
    >>> reverse_bits(np.array([1, 6], dtype=np.uint64), 3)
    array([4, 3], dtype=uint64)
    """
    mirrored = np.zeros_like(values)
    for bit in range(num_bits):
        mirrored |= ((values >> np.uint64(bit)) & np.uint64(1)) << np.uint64(num_bits - 1 - bit)
    return mirrored
