"""Find the ground state of the hydrogen molecule with PennyLane on the device qsim.qubit.

    python examples/pennylane_vqe_h2.py [--distances 0.5 0.74 1.0 1.5 2.5]

For each distance of the nuclei (in angstrom) PennyLane makes the Hamiltonian of four qubits in the STO-3G
basis. The state of Hartree and Fock is turned by one double and two single excitations, whose angles Newton's
method finds: gradient and Hessian of the energy are exact. The energy stands beside Hartree and Fock's and
that of a diagonalised matrix. Needs PennyLane: pip install ".[pennylane]".
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np
import pennylane as qml
from pennylane import numpy as pnp

DISTANCES = (0.5, 0.74, 1.0, 1.5, 2.5)
ANGSTROM = 1 / 0.529177210903  # in units of the Bohr radius
#: The largest distance from the exact energy, in hartree, with which the example counts as a success.
TOLERANCE = 1e-8


@dataclass
class Row:
    """Energies at one distance, in hartree."""

    distance: float
    hartree_fock: float
    vqe: float
    exact: float
    steps: int


def hamiltonian(distance: float):
    """The Hamiltonian of two hydrogen atoms at a distance in angstrom."""
    positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, distance * ANGSTROM]])
    return qml.qchem.molecular_hamiltonian(qml.qchem.Molecule(["H", "H"], positions))


def ground_state(distance: float, most: int = 20) -> Row:
    """The energy of the best state of the ansatz."""
    energy_operator, num_wires = hamiltonian(distance)
    device = qml.device("qsim.qubit", wires=num_wires)

    @qml.qnode(device)
    def energy(angles):
        qml.BasisState(np.array([1, 1, 0, 0]), wires=range(num_wires))
        qml.DoubleExcitation(angles[0], wires=[0, 1, 2, 3])
        qml.SingleExcitation(angles[1], wires=[0, 2])
        qml.SingleExcitation(angles[2], wires=[1, 3])
        return qml.expval(energy_operator)

    angles = pnp.zeros(3, requires_grad=True)
    start = float(energy(angles))
    slope, curvature = qml.grad(energy), qml.jacobian(qml.grad(energy))
    steps = 0
    while steps < most:
        steps += 1
        gradient = slope(angles)
        levels, vectors = np.linalg.eigh(curvature(angles))
        levels = np.maximum(np.abs(levels), 0.05)  # downhill also where the energy is not convex
        angles = angles - vectors @ ((vectors.T @ gradient) / levels)
        if np.linalg.norm(gradient) < 1e-9:
            break
    exact = np.linalg.eigvalsh(qml.matrix(energy_operator, wire_order=range(num_wires)))[0]
    return Row(distance, start, float(energy(angles)), float(exact), steps)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--distances", type=float, nargs="+", default=DISTANCES, metavar="ANGSTROM")
    rows = [ground_state(distance) for distance in parser.parse_args(arguments).distances]
    print("distance   Hartree-Fock         VQE           exact      steps")
    for row in rows:
        print(f"{row.distance:8.2f}{row.hartree_fock:15.8f}{row.vqe:15.8f}{row.exact:15.8f}{row.steps:7d}")
    return 0 if all(abs(row.vqe - row.exact) < TOLERANCE for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
