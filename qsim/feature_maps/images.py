"""Maps of images: intensities and positions in registers of their own."""

from __future__ import annotations

import math
from typing import Any

from qsim._checks import check_count
from qsim.circuit import Circuit
from qsim.feature_maps.loading import WITHOUT_NORM, amplitudes_of
from qsim.feature_maps.records import Frequencies, feature_map
from qsim.feature_maps.slots import data_vector, multiples

__all__ = ["frqi", "neqr", "qpie"]

FAMILY = "Images"


def _positions(num_features: int) -> int:
    """Qubits that number the pixels; at least one."""
    return max((num_features - 1).bit_length(), 1)


def _frqi_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    return (multiples(2),) * d


@feature_map(
    family=FAMILY,
    formula="2^{-n/2} sum_i (cos x_i |0> + sin x_i |1>) |i>; the colour is the most significant qubit",
    qubits="max(ceil(log2(d)), 1) + 1",
    domain=(0.0, math.pi / 2),
    scaling="[0, pi/2], from black to white",
    data_range=(0.0, math.pi / 2),
    period=2 * math.pi,
    spectrum_rule=_frqi_spectrum,
    reference="P. Q. Le, F. Dong, K. Hirota, Quantum Inf. Process. 10, 63 (2011)",
)
def frqi(num_features: int) -> Circuit:
    """Flexible representation of quantum images: each pixel turns the colour qubit at its position.

    Parameters
    ----------
    num_features : int
        Pixels, row by row; missing ones are black.

    Returns
    -------
    Circuit
        O(num_features) rotations behind controls on the position.
    """
    x = data_vector(num_features)
    places = _positions(len(x))
    circuit = Circuit(places + 1, name="frqi").h(range(places))
    for i, value in enumerate(x):
        bits = [i >> k & 1 for k in range(places)]
        circuit.ry(2 * value, places, controls=range(places), control_values=bits)
    return circuit


def _neqr_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    levels = 2 ** options["bits"]
    return (multiples(levels - 1, 2 * math.pi / levels),) * d


@feature_map(
    family=FAMILY,
    formula="2^{-n/2} sum_i |x_i> |i>, x_i an integer of `bits` qubits, the most significant ones",
    qubits="max(ceil(log2(d)), 1) + 2",
    domain=(0.0, 3.0),
    integer=True,
    scaling="integers from 0 to 2^bits - 1",
    data_range=(0.0, 3.0),
    period=4.0,
    spectrum_rule=_neqr_spectrum,
    reference="Y. Zhang et al., Quantum Inf. Process. 12, 2833 (2013)",
)
def neqr(num_features: int, *, bits: int = 2) -> Circuit:
    """Novel enhanced quantum representation: the intensity at each position as a binary number.

    Parameters
    ----------
    num_features : int
        Pixels, row by row; missing ones are black.
    bits : int
        Qubits for an intensity; 8 for those of common images.

    Returns
    -------
    Circuit
        The number is written as phases, behind controls on the position, and an inverse Fourier transform
        makes it a basis state: O(num_features * bits) gates.

    Notes
    -----
    The domain and the range in the record are those of the default, 2 bits.
    """
    x = data_vector(num_features)
    check_count(bits, "bits", 1)
    places = _positions(len(x))
    number = tuple(range(places, places + bits))
    circuit = Circuit(places + bits, name="neqr").h(range(places + bits))
    for i, value in enumerate(x):
        position = [i >> k & 1 for k in range(places)]
        for k, q in enumerate(number):
            angle = 2 * math.pi / 2 ** (bits - k) * value
            circuit.p(angle, q, controls=range(places), control_values=position)
    # the inverse Fourier transform: the qubit with the fewest halvings left is decided first
    for k in range(bits):
        for j in range(k):
            circuit.cp(-math.pi / 2 ** (k - j), number[bits - 1 - j], number[bits - 1 - k])
        circuit.h(number[bits - 1 - k])
    for k in range(bits // 2):
        circuit.swap(number[k], number[bits - 1 - k])
    return circuit


@feature_map(
    family=FAMILY,
    formula="sum_i x_i / ||x|| |i>",
    qubits="max(ceil(log2(d)), 1)",
    homogeneous=True,
    scaling=WITHOUT_NORM,
    data_range=(-math.inf, math.inf),
    reference="X.-W. Yao et al., Phys. Rev. X 7, 031041 (2017)",
)
def qpie(num_features: int) -> Circuit:
    """Quantum probability image encoding: intensities, normalised, are the amplitudes of positions.

    Parameters
    ----------
    num_features : int
        Pixels, row by row; missing ones are black.

    Returns
    -------
    Circuit
        As `amplitude`.
    """
    return amplitudes_of(data_vector(num_features), None, "qpie")
