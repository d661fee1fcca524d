"""Maps that write features into commuting Pauli rotations between layers of Hadamard gates."""

from __future__ import annotations

import math
from typing import Any

from qsim._checks import check_count
from qsim.circuit import Circuit
from qsim.feature_maps.records import feature_map
from qsim.feature_maps.slots import data_vector, entangled_pairs

__all__ = ["zz"]


@feature_map(
    family="Diagonal evolutions between Hadamard gates",
    formula="[prod_{i<j} exp(i 2(pi - x_i)(pi - x_j) (1 - Z_i Z_j)/2) prod_i P(2 x_i) H]^reps",
    qubits="d",
    scaling="to [0, 2 pi] or less: smaller angles make wider, better behaved kernels",
    data_range=(0.0, 2 * math.pi),
    reference="V. Havlicek et al., Nature 567, 209 (2019)",
)
def zz(num_features: int, *, reps: int = 2, entanglement: Any = "full") -> Circuit:
    """ZZ feature map: phases of single features, and of products of two.

    Parameters
    ----------
    num_features : int
    reps : int
        How often the block is repeated.
    entanglement : {"full", "linear", "reverse_linear", "circular", "pairwise"} or sequence of pairs
        Which pairs of features meet.

    Returns
    -------
    Circuit
        O(reps * num_features**2) gates for full entanglement.
    """
    x = data_vector(num_features)
    check_count(reps, "reps", 1)
    pairs = entangled_pairs(len(x), entanglement)
    circuit = Circuit(len(x), name="zz")
    for _ in range(reps):
        for q, value in enumerate(x):
            circuit.h(q).p(2 * value, q)
        for a, b in pairs:
            circuit.cx(a, b).p(2 * (math.pi - x[a]) * (math.pi - x[b]), b).cx(a, b)
    return circuit
