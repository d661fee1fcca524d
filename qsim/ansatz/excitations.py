"""Circuits that move particles between orbitals: they keep the number of ones."""

from __future__ import annotations

import itertools
from typing import Any

from qsim._checks import check_count
from qsim._templates import Weights
from qsim.circuit import Circuit
from qsim.observables import PauliSum

__all__ = ["excitations", "givens", "uccsd"]

Excitation = tuple[tuple[int, ...], tuple[int, ...]]


def excitations(
    num_qubits: int, num_particles: int, *, spin: bool = True
) -> tuple[list[Excitation], list[Excitation]]:
    """Single and double excitations from the lowest orbitals.

    Parameters
    ----------
    num_qubits, num_particles : int
    spin : bool
        Qubits are spin orbitals, even ones up and odd ones down, and only excitations that keep the total
        spin are listed.

    Returns
    -------
    singles, doubles : list of ((occupied, ...), (virtual, ...))
    """
    check_count(num_qubits, "num_qubits", 1)
    check_count(num_particles, "num_particles", 0, num_qubits)
    occupied, virtual = range(num_particles), range(num_particles, num_qubits)

    def kept(source: tuple[int, ...], target: tuple[int, ...]) -> bool:
        return not spin or sum(q % 2 for q in source) == sum(q % 2 for q in target)

    singles: list[Excitation] = [((i,), (a,)) for i in occupied for a in virtual if kept((i,), (a,))]
    doubles: list[Excitation] = [
        (source, target)
        for source in itertools.combinations(occupied, 2)
        for target in itertools.combinations(virtual, 2)
        if kept(source, target)
    ]
    return singles, doubles


def _particles(num_qubits: int, num_particles: int | None) -> int:
    check_count(num_qubits, "num_qubits", 1)
    return num_qubits // 2 if num_particles is None else num_particles


def givens(
    num_qubits: int, *, num_particles: int | None = None, spin: bool = True, layers: int = 1
) -> Circuit:
    """All single and double excitations as Givens rotations [1]_, on qubits, without fermionic signs.

    Parameters
    ----------
    num_qubits : int
    num_particles : int, optional
        Ones at the start, on the lowest qubits; half of the qubits by default.
    spin : bool
        See `excitations`.
    layers : int

    Returns
    -------
    Circuit
        A weight for each excitation and layer: doubles, then singles.

    References
    ----------
    .. [1] J. M. Arrazola et al., Quantum 6, 742 (2022).
    """
    check_count(layers, "layers", 1)
    particles = _particles(num_qubits, num_particles)
    singles, doubles = excitations(num_qubits, particles, spin=spin)
    theta = Weights()
    circuit = Circuit(num_qubits, name="givens")
    if particles:
        circuit.x(range(particles))
    for _ in range(layers):
        for (i, j), (a, b) in doubles:
            circuit.double_excitation(theta(), i, j, a, b)
        for (i,), (a,) in singles:
            circuit.single_excitation(theta(), i, a)
    return theta.close(circuit)


def _create(orbital: int) -> PauliSum:
    """The creation operator of an orbital by Jordan and Wigner: (X - i Y) / 2 behind Z on all lower ones."""
    below = " ".join(f"Z{q}" for q in range(orbital))
    return PauliSum({f"{below} X{orbital}".strip(): 0.5, f"{below} Y{orbital}".strip(): -0.5j})


def _generator(excitation: Excitation) -> PauliSum:
    """The Hermitian G with ``exp(theta (T - T^dagger)) = exp(-i theta G)``.

    T annihilates the occupied orbitals, the lowest first, then creates the virtual ones, the lowest first.
    """
    source, target = excitation
    product: Any = PauliSum({"": 1.0})
    for orbital in reversed(target):
        product = product @ _create(orbital)
    for orbital in reversed(source):
        product = product @ _create(orbital).adjoint()
    generator: PauliSum = 1j * (product - product.adjoint())
    return generator


def uccsd(
    num_qubits: int, *, num_particles: int | None = None, spin: bool = True, layers: int = 1
) -> Circuit:
    """Unitary coupled cluster with single and double excitations [1]_, after Jordan and Wigner.

    Parameters
    ----------
    num_qubits : int
        Spin orbitals.
    num_particles : int, optional
        Electrons, on the lowest orbitals at the start; half of the orbitals by default.
    spin : bool
        See `excitations`.
    layers : int
        Steps of the product formula between excitations, each with weights of its own.

    Returns
    -------
    Circuit
        A weight for each excitation and layer: ``exp(theta (T - T^dagger))``, exactly; doubles before
        singles.

    References
    ----------
    .. [1] A. Peruzzo et al., Nat. Commun. 5, 4213 (2014); J. Romero et al., Quantum Sci. Technol. 4, 014008
       (2018).
    """
    check_count(layers, "layers", 1)
    particles = _particles(num_qubits, num_particles)
    singles, doubles = excitations(num_qubits, particles, spin=spin)
    generators = [_generator(excitation) for excitation in (*doubles, *singles)]
    theta = Weights()
    circuit = Circuit(num_qubits, name="uccsd")
    if particles:
        circuit.x(range(particles))
    for _ in range(layers):
        for generator in generators:
            circuit.exp_pauli_sum(generator, theta(), range(num_qubits))
    return theta.close(circuit)
