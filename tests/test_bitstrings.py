"""Bitstrings and integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qsim.bitstrings import format_bitstring, ints_to_bits, parse_bitstring, reverse_bits
from qsim.errors import ArgumentError


@given(num_bits=st.integers(0, 80), order=st.sampled_from(["little", "big"]), data=st.data())
def test_bitstring_round_trip(num_bits, order, data):
    value = data.draw(st.integers(0, 2**num_bits - 1))
    text = format_bitstring(value, num_bits, order)
    assert len(text) == num_bits and parse_bitstring(text, order) == value


@given(num_bits=st.integers(1, 63), data=st.data())
def test_bits_of_integers(num_bits, data):
    values = data.draw(st.lists(st.integers(0, 2**num_bits - 1), min_size=1, max_size=5))
    bits = ints_to_bits(np.array(values), num_bits)
    assert bits.shape == (len(values), num_bits)
    assert [sum(int(bit) << j for j, bit in enumerate(row)) for row in bits] == values
    mirrored = reverse_bits(np.array(values, dtype=np.uint64), num_bits).tolist()
    assert mirrored == [parse_bitstring(format_bitstring(v, num_bits), order="big") for v in values]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("01a", ArgumentError, "'a' at position 2"),
        (1, TypeError, "must be a string such as '0110', but is int"),
    ],
)
def test_bitstring_errors(text, error, message):
    with pytest.raises(error, match=message):
        parse_bitstring(text)
