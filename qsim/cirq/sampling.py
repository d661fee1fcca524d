"""Sampled bits as Cirq's records: measurement key -> array (repetitions, times measured, qubits)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cirq
import numpy as np

__all__ = ["records_of_bits", "records_of_measurements"]


def records_of_measurements(
    measurements: Sequence[Any], bits: Mapping[Any, Any], prng: Any
) -> dict[str, Any]:
    """Records of measurements, with their inverted qubits and confusion maps.

    Parameters
    ----------
    measurements : sequence of cirq.Operation
    bits : dict
        Qubit -> array (repetitions,).
    prng : numpy.random.RandomState
        Draws what a confusion map gives, as Cirq does.
    """
    records: dict[str, list[Any]] = {}
    for operation in measurements:
        gate = operation.gate
        mask = np.array(gate.full_invert_mask(), dtype=np.uint8)
        out = np.column_stack([bits[qubit] for qubit in operation.qubits]).astype(np.uint8) ^ mask
        if gate.confusion_map:
            out = _confused(out, gate.confusion_map, prng)
        records.setdefault(cirq.measurement_key_name(gate), []).append(out)
    return {key: np.stack(listed, axis=1) for key, listed in records.items()}


def _confused(bits: Any, confusion_map: Mapping[tuple[int, ...], Any], prng: Any) -> Any:
    out = bits.copy()
    draws = prng.random_sample((len(bits), len(confusion_map)))
    for draw, (places, matrix) in zip(draws.T, confusion_map.items(), strict=True):
        weights = 1 << np.arange(len(places))[::-1]
        rows = out[:, list(places)].astype(np.int64) @ weights
        cumulative = np.cumsum(matrix, axis=1)
        outcome = (draw[:, None] >= cumulative[rows] / cumulative[rows, -1:]).sum(axis=1)
        out[:, list(places)] = (outcome[:, None] & weights) != 0
    return out


def records_of_bits(keys: Mapping[str, Sequence[Sequence[int]]], bits: Any) -> dict[str, Any]:
    """Records of a program's classical bits, shape (repetitions, number of bits)."""
    return {key: np.stack([bits[:, list(b)] for b in times], axis=1) for key, times in keys.items()}
