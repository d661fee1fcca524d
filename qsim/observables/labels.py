"""Labels of Pauli strings and the bit masks they stand for.

A *sparse* label names each letter's qubit, ``"Z0 X3"``; it means the same in every framework. A
*dense* label has one letter per qubit, ``"XIIZ"``, with qubit 0 last (``order="little"``, as
bitstrings print) or first (``order="big"``).
"""

from __future__ import annotations

import re

from qsim.bitstrings import MAX_MASK_BITS, Order, check_order
from qsim.errors import ObservableError, QubitError

__all__ = ["dense_label", "is_dense", "parse_label", "sparse_label"]

_FACTOR = re.compile(r"\s*([IXYZ])([0-9]+)")
_DIGIT = re.compile(r"[0-9]")
_LETTERS = frozenset("IXYZ")
_X_BITS = str.maketrans("IXYZ", "0110")
_Z_BITS = str.maketrans("IXYZ", "0011")


def is_dense(label: str) -> bool:
    """Whether a label has one letter per qubit and no qubit numbers.

    Examples
    --------
    >>> is_dense("IZZX"), is_dense("Z0 Z1")
    (True, False)
    """
    return bool(label.strip()) and _DIGIT.search(label) is None


def parse_label(label: str, order: Order = "little", num_qubits: int | None = None) -> tuple[int, int]:
    """Masks ``(x_mask, z_mask)`` of a sparse or dense label.

    Parameters
    ----------
    label : str
        ``"Z0 X3"``, ``"XIIZ"`` or ``""`` (identity).
    order : {"little", "big"}
        Where qubit 0 stands in a dense label: last or first. No meaning for sparse labels.
    num_qubits : int, optional
        Length a dense label must have; qubits of a sparse label must be below it.

    Returns
    -------
    x_mask, z_mask : int
        Bit q of `x_mask` is set for X and Y on qubit q, of `z_mask` for Z and Y.

    Raises
    ------
    ObservableError
        If a character is unknown (the message has its position), or a dense label has not
        `num_qubits` letters.
    QubitError
        If a qubit is out of range or named twice.

    Examples
    --------
    >>> parse_label("Z0 X3") == parse_label("XIIZ") == (8, 1)
    True
    """
    check_order(order)
    if not isinstance(label, str):
        raise TypeError(
            f"A Pauli label must be a string such as 'Z0 X3' or 'XIIZ', but is {type(label).__name__}."
        )
    text = label.strip()
    if not text:
        return 0, 0
    if _DIGIT.search(text):
        return _parse_sparse(label, num_qubits)
    return _parse_dense(label, text, order, num_qubits)


def _parse_sparse(label: str, num_qubits: int | None) -> tuple[int, int]:
    x_mask = z_mask = seen = 0
    position = 0
    end = len(label.rstrip())
    while position < end:
        match = _FACTOR.match(label, position)
        if match is None:
            raise _unknown_character(label, position)
        letter, digits = match.groups()
        qubit = int(digits) if len(digits) < 10 else 10**9
        limit = MAX_MASK_BITS if num_qubits is None else num_qubits
        if qubit >= limit:
            noun = "qubit" if limit == 1 else "qubits"
            raise QubitError(
                f"Qubit {digits} in label {label!r} is out of range for an observable on {limit} {noun} "
                f"(valid: 0 to {limit - 1})."
            )
        bit = 1 << qubit
        if seen & bit:
            raise QubitError(
                f"Label {label!r} names qubit {qubit} twice; a product of two letters on one qubit is "
                f"written with `@`: PauliString('X0') @ PauliString('Z0')."
            )
        seen |= bit
        if letter in "XY":
            x_mask |= bit
        if letter in "YZ":
            z_mask |= bit
        position = match.end()
    return x_mask, z_mask


def _parse_dense(label: str, text: str, order: Order, num_qubits: int | None) -> tuple[int, int]:
    if not _LETTERS.issuperset(text):
        start = len(label) - len(label.lstrip())
        raise _unknown_character(
            label, start + next(i for i, letter in enumerate(text) if letter not in _LETTERS)
        )
    if num_qubits is not None and len(text) != num_qubits:
        sparse = sparse_label(*_parse_dense(text, text, order, None))
        raise ObservableError(
            f"Dense label {label!r} must have {num_qubits} letters, one per qubit, but has {len(text)}. "
            f"Write {sparse!r} to name only the qubits it acts on."
        )
    if len(text) > MAX_MASK_BITS:
        raise QubitError(
            f"Dense label of {len(text)} letters is too long: "
            f"observables act on at most {MAX_MASK_BITS} qubits."
        )
    if order == "big":
        text = text[::-1]
    return int(text.translate(_X_BITS), 2), int(text.translate(_Z_BITS), 2)


def _unknown_character(label: str, position: int) -> ObservableError:
    while position < len(label) and label[position].isspace():
        position += 1
    character = label[position]
    if character in _LETTERS:  # a letter without its qubit, in a label that names qubits
        return ObservableError(
            f"Label {label!r} has the letter {character!r} at position {position} without a qubit after it. "
            f"Write one qubit per letter ('Z0 X3') or one letter per qubit ('XIIZ')."
        )
    hint = " Letters are upper case." if character in "ixyz" else ""
    return ObservableError(
        f"Label {label!r} has {character!r} at position {position}, but a Pauli label holds the letters "
        f"I, X, Y, Z, with their qubits ('Z0 X3') or one per qubit ('XIIZ').{hint}"
    )


def sparse_label(x_mask: int, z_mask: int) -> str:
    """Sparse label of a pair of masks, qubits ascending; ``""`` for the identity.

    Examples
    --------
    >>> sparse_label(8, 1)
    'Z0 X3'
    """
    factors = []
    support = x_mask | z_mask
    while support:
        bit = support & -support
        letter = ("Y" if z_mask & bit else "X") if x_mask & bit else "Z"
        factors.append(f"{letter}{bit.bit_length() - 1}")
        support ^= bit
    return " ".join(factors)


def dense_label(x_mask: int, z_mask: int, num_qubits: int, order: Order = "little") -> str:
    """Dense label of a pair of masks, `num_qubits` letters long.

    Examples
    --------
    >>> dense_label(8, 1, 4), dense_label(8, 1, 4, order="big")
    ('XIIZ', 'ZIIX')
    """
    letters = "".join(
        "IXZY"[(x_mask >> qubit & 1) | (z_mask >> qubit & 1) << 1] for qubit in range(num_qubits)
    )
    return letters if order == "big" else letters[::-1]
