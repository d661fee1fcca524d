"""Maps of several qubits for each feature, whose frequencies grow in a chosen way."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from qsim._checks import check_count
from qsim._templates import check_choice
from qsim.circuit import Circuit
from qsim.feature_maps.records import Frequencies, SpectrumRule, feature_map
from qsim.feature_maps.slots import data_vector, multiples

__all__ = ["fourier_constant", "fourier_exponential", "fourier_ternary", "fourier_tower"]

FAMILY = "Fourier maps"
SHIN = "S. Shin, Y. S. Teo, H. Jeong, Phys. Rev. A 107, 012422 (2023)"


def _build(
    name: str, num_features: int, per_feature: int, rotation: str, factor: Callable[[int], int]
) -> Circuit:
    """R_P(factor(j) * x_i) on qubit j of each feature's qubits; RZ stand behind Hadamard gates."""
    x = data_vector(num_features)
    count = check_count(per_feature, "qubits_per_feature", 1)
    check_choice(rotation, "rotation", ("x", "y", "z"))
    circuit = Circuit(len(x) * count, name=name)
    for i, value in enumerate(x):
        for j in range(count):
            q = i * count + j
            if rotation == "z":
                circuit.h(q)
            circuit.append(f"r{rotation}", (factor(j) * value,), q)
    return circuit


def _up_to(largest: Callable[[int], int]) -> SpectrumRule:
    """All integers up to a number that depends on the qubits of a feature."""

    def spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
        return (multiples(largest(options["qubits_per_feature"])),) * d

    return spectrum


@feature_map(
    family=FAMILY,
    formula="prod_i prod_{j<m} R_P(x_i) on qubit i m + j",
    qubits="2 * d",
    scaling="[-pi, pi]",
    period=2 * math.pi,
    spectrum_rule=_up_to(lambda m: m),
    reference="M. Schuld, R. Sweke, J. J. Meyer, Phys. Rev. A 103, 032430 (2021)",
)
def fourier_constant(num_features: int, *, qubits_per_feature: int = 2, rotation: str = "x") -> Circuit:
    """The same rotation on m qubits for each feature: frequencies 0 to m.

    Parameters
    ----------
    num_features : int
    qubits_per_feature : int
        m.
    rotation : {"x", "y", "z"}

    Returns
    -------
    Circuit
        No entanglement and no weights: put a trained circuit behind it.
    """
    return _build("fourier_constant", num_features, qubits_per_feature, rotation, lambda j: 1)


@feature_map(
    family=FAMILY,
    formula="prod_i prod_{j<m} R_P((j + 1) x_i) on qubit i m + j",
    qubits="2 * d",
    scaling="[-pi, pi]",
    period=2 * math.pi,
    spectrum_rule=_up_to(lambda m: m * (m + 1) // 2),
    reference="O. Kyriienko, A. E. Paine, V. E. Elfving, Phys. Rev. A 103, 052416 (2021)",
)
def fourier_tower(num_features: int, *, qubits_per_feature: int = 2, rotation: str = "x") -> Circuit:
    """Rotations by x, 2x, ..., m x: frequencies 0 to m (m + 1) / 2.

    Parameters
    ----------
    num_features : int
    qubits_per_feature : int
        m.
    rotation : {"x", "y", "z"}

    Returns
    -------
    Circuit
        No entanglement and no weights: put a trained circuit behind it.
    """
    return _build("fourier_tower", num_features, qubits_per_feature, rotation, lambda j: j + 1)


@feature_map(
    family=FAMILY,
    formula="prod_i prod_{j<m} R_P(2^j x_i) on qubit i m + j",
    qubits="2 * d",
    scaling="[-pi, pi]",
    period=2 * math.pi,
    spectrum_rule=_up_to(lambda m: 2**m - 1),
    reference=SHIN,
)
def fourier_exponential(num_features: int, *, qubits_per_feature: int = 2, rotation: str = "z") -> Circuit:
    """Rotations by x, 2x, 4x, ...: frequencies 0 to 2^m - 1, as phases the basis of a Fourier transform.

    Parameters
    ----------
    num_features : int
    qubits_per_feature : int
        m.
    rotation : {"x", "y", "z"}

    Returns
    -------
    Circuit
        No entanglement and no weights: put a trained circuit behind it.
    """
    return _build("fourier_exponential", num_features, qubits_per_feature, rotation, lambda j: 2**j)


@feature_map(
    family=FAMILY,
    formula="prod_i prod_{j<m} R_P(3^j x_i) on qubit i m + j",
    qubits="2 * d",
    scaling="[-pi, pi]",
    period=2 * math.pi,
    spectrum_rule=_up_to(lambda m: (3**m - 1) // 2),
    reference=SHIN + "; E. Peters, M. Schuld, Quantum 7, 1210 (2023)",
)
def fourier_ternary(num_features: int, *, qubits_per_feature: int = 2, rotation: str = "x") -> Circuit:
    """Rotations by x, 3x, 9x, ...: frequencies 0 to (3^m - 1) / 2, each in one way only.

    Parameters
    ----------
    num_features : int
    qubits_per_feature : int
        m.
    rotation : {"x", "y", "z"}

    Returns
    -------
    Circuit
        No entanglement and no weights: put a trained circuit behind it.
    """
    return _build("fourier_ternary", num_features, qubits_per_feature, rotation, lambda j: 3**j)
