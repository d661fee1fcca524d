"""Layers of rotations and entangling gates, repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim._templates import Weights, check_choice, entangled_pairs, ring_pairs
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.gates import get_gate

__all__ = [
    *("alternating", "basic_entangler", "efficient_su2", "hardware_efficient", "identity_initialised"),
    *("identity_values", "n_local", "real_amplitudes", "simplified_two_design", "strongly_entangling"),
    "two_local",
]


def _names(gates: str | Sequence[str], argument: str) -> list[str]:
    names = [gates] if isinstance(gates, str) else list(gates)
    for name in names:
        gate = get_gate(name)
        if gate.num_params not in (0, 1):
            raise ArgumentError(
                f"Argument `{argument}` must name gates with at most one parameter, but `{name}` has "
                f"{gate.num_params}."
            )
    return names


def _apply(circuit: Circuit, name: str, qubits: tuple[int, ...], theta: Weights) -> None:
    circuit.append(name, theta.take(get_gate(name).num_params), qubits)


def _pairs(num_qubits: int, entanglement: Any, layer: int) -> list[tuple[int, int]]:
    """The pairs of one layer; "sca" turns the ring on, and exchanges control and target, with each layer."""
    if callable(entanglement):
        entanglement = entanglement(layer)
    if entanglement != "sca":
        return entangled_pairs(num_qubits, entanglement)
    pairs = entangled_pairs(num_qubits, "circular")
    shift = layer % num_qubits
    pairs = pairs[-shift:] + pairs[:-shift] if shift else pairs
    return [(b, a) for a, b in pairs] if shift % 2 else pairs


def n_local(
    num_qubits: int,
    *,
    rotations: str | Sequence[str] = "ry",
    entanglers: str | Sequence[str] = "cx",
    entanglement: Any = "full",
    reps: int = 3,
    final_rotations: bool = True,
) -> Circuit:
    """Alternate layers of one-qubit gates on all qubits and two-qubit gates on chosen pairs.

    Parameters
    ----------
    num_qubits : int
    rotations : str or sequence of str
        One-qubit gates of a layer, each applied to all qubits before the next one.
    entanglers : str or sequence of str
        Two-qubit gates of a layer, each applied to all pairs before the next one.
    entanglement : str, sequence of pairs, or callable
        "full", "linear", "reverse_linear", "circular", "pairwise", "sca" (shifted, circular, alternating),
        pairs of qubits, or a function of the layer's number that returns one of these.
    reps : int
    final_rotations : bool
        Whether a layer of one-qubit gates ends the circuit.

    Returns
    -------
    Circuit
        Weights in the order of the gates.
    """
    check_count(reps, "reps", 0)
    ones, twos = _names(rotations, "rotations"), _names(entanglers, "entanglers")
    theta = Weights()
    circuit = Circuit(check_count(num_qubits, "num_qubits", 1), name="n_local")
    for layer in range(reps + bool(final_rotations)):
        for name in ones:
            for q in range(num_qubits):
                _apply(circuit, name, (q,), theta)
        if layer < reps:
            for name in twos:
                for pair in _pairs(num_qubits, entanglement, layer):
                    _apply(circuit, name, pair, theta)
    return theta.close(circuit)


def two_local(
    num_qubits: int,
    *,
    rotations: str | Sequence[str] = "ry",
    entanglers: str | Sequence[str] = "cz",
    entanglement: Any = "full",
    reps: int = 3,
    final_rotations: bool = True,
) -> Circuit:
    """As `n_local`, with CZ between all pairs by default."""
    circuit = n_local(
        num_qubits,
        rotations=rotations,
        entanglers=entanglers,
        entanglement=entanglement,
        reps=reps,
        final_rotations=final_rotations,
    )
    circuit.name = "two_local"
    return circuit


def real_amplitudes(
    num_qubits: int, *, reps: int = 3, entanglement: Any = "reverse_linear", final_rotations: bool = True
) -> Circuit:
    """RY and CX: all amplitudes are real.

    Parameters
    ----------
    num_qubits : int
    reps : int
    entanglement
        As for `n_local`; "reverse_linear" is the same unitary as "full", in fewer gates.
    final_rotations : bool

    Returns
    -------
    Circuit
        ``num_qubits * (reps + 1)`` weights.
    """
    circuit = n_local(num_qubits, entanglement=entanglement, reps=reps, final_rotations=final_rotations)
    circuit.name = "real_amplitudes"
    return circuit


def efficient_su2(
    num_qubits: int,
    *,
    rotations: str | Sequence[str] = ("ry", "rz"),
    reps: int = 3,
    entanglement: Any = "reverse_linear",
    final_rotations: bool = True,
) -> Circuit:
    """Two rotations on each qubit, then CX.

    Parameters
    ----------
    num_qubits : int
    rotations : str or sequence of str
    reps : int
    entanglement
        As for `n_local`.
    final_rotations : bool

    Returns
    -------
    Circuit
        ``2 * num_qubits * (reps + 1)`` weights: all RY of a layer before all RZ.
    """
    circuit = n_local(
        num_qubits,
        rotations=rotations,
        entanglement=entanglement,
        reps=reps,
        final_rotations=final_rotations,
    )
    circuit.name = "efficient_su2"
    return circuit


def strongly_entangling(
    num_qubits: int, *, layers: int = 1, ranges: Sequence[int] | None = None, entangler: str = "cx"
) -> Circuit:
    """General rotations and a ring of two-qubit gates whose range grows with the layer [1]_.

    Parameters
    ----------
    num_qubits : int
    layers : int
    ranges : sequence of int, optional
        Of each layer: qubit q meets ``q + range``; 1, 2, ..., num_qubits - 1, 1, ... by default.
    entangler : str

    Returns
    -------
    Circuit
        Three weights for each qubit and layer.

    References
    ----------
    .. [1] M. Schuld et al., Phys. Rev. A 101, 032308 (2020).
    """
    check_count(layers, "layers", 1)
    check_count(num_qubits, "num_qubits", 1)
    steps = [k % max(num_qubits - 1, 1) + 1 for k in range(layers)] if ranges is None else list(ranges)
    if len(steps) != layers or any(step % num_qubits == 0 for step in steps if num_qubits > 1):
        raise ArgumentError(
            f"Argument `ranges` must be {layers} numbers, none a multiple of {num_qubits}, but is {steps}."
        )
    (name,) = _names(entangler, "entangler")
    theta = Weights()
    circuit = Circuit(num_qubits, name="strongly_entangling")
    for step in steps:
        for q in range(num_qubits):
            circuit.append("rot", theta.take(3), q)
        for q in range(num_qubits if num_qubits > 1 else 0):
            _apply(circuit, name, (q, (q + step) % num_qubits), theta)
    return theta.close(circuit)


def basic_entangler(num_qubits: int, *, layers: int = 1, rotation: str = "rx") -> Circuit:
    """One rotation on each qubit, then CX around a ring.

    Parameters
    ----------
    num_qubits : int
    layers : int
    rotation : {"rx", "ry", "rz"}

    Returns
    -------
    Circuit
        A weight for each qubit and layer.
    """
    check_count(layers, "layers", 1)
    check_choice(rotation, "rotation", ("rx", "ry", "rz"))
    theta = Weights()
    circuit = Circuit(check_count(num_qubits, "num_qubits", 1), name="basic_entangler")
    for _ in range(layers):
        for q in range(num_qubits):
            _apply(circuit, rotation, (q,), theta)
        for a, b in ring_pairs(num_qubits):
            circuit.cx(a, b)
    return theta.close(circuit)


def simplified_two_design(num_qubits: int, *, layers: int = 1) -> Circuit:
    """RY, then CZ and RY on even pairs and on odd pairs: an approximate 2-design [1]_.

    Parameters
    ----------
    num_qubits : int
    layers : int

    Returns
    -------
    Circuit
        ``num_qubits + 2 * layers * (num_qubits - 1)`` weights.

    References
    ----------
    .. [1] M. Cerezo et al., Nat. Commun. 12, 1791 (2021).
    """
    check_count(layers, "layers", 0)
    theta = Weights()
    circuit = Circuit(check_count(num_qubits, "num_qubits", 1), name="simplified_two_design")
    for q in range(num_qubits):
        circuit.ry(theta(), q)
    for _ in range(layers):
        for start in (0, 1):
            for q in range(start, num_qubits - 1, 2):
                circuit.cz(q, q + 1).ry(theta(), q).ry(theta(), q + 1)
    return theta.close(circuit)


def hardware_efficient(
    num_qubits: int,
    *,
    layers: int = 1,
    rotations: Sequence[str] = ("rx", "ry", "rx"),
    entangler: str = "cx",
    entanglement: Any = "linear",
) -> Circuit:
    """Hardware-efficient ansatz [1]_: three rotations on each qubit, then a chain of CX.

    Parameters
    ----------
    num_qubits : int
    layers : int
    rotations : sequence of str
    entangler : str
    entanglement
        As for `n_local`.

    Returns
    -------
    Circuit

    References
    ----------
    .. [1] A. Kandala et al., Nature 549, 242 (2017).
    """
    circuit = n_local(
        num_qubits,
        rotations=rotations,
        entanglers=entangler,
        entanglement=entanglement,
        reps=check_count(layers, "layers", 1),
        final_rotations=False,
    )
    circuit.name = "hardware_efficient"
    return circuit


def alternating(num_qubits: int, *, layers: int = 2, block_size: int = 2) -> Circuit:
    """Alternating layered ansatz [1]_: local blocks, shifted by half a block in every second layer.

    Parameters
    ----------
    num_qubits : int
    layers : int
    block_size : int
        Qubits of a block: RY on each, then CZ between neighbours. Blocks at the ends may be smaller.

    Returns
    -------
    Circuit
        ``num_qubits * layers`` weights.

    References
    ----------
    .. [1] M. Cerezo et al., Nat. Commun. 12, 1791 (2021).
    """
    check_count(layers, "layers", 1)
    check_count(block_size, "block_size", 1)
    theta = Weights()
    circuit = Circuit(check_count(num_qubits, "num_qubits", 1), name="alternating")
    for layer in range(layers):
        first = block_size // 2 if layer % 2 else 0
        starts = ([0] if first else []) + list(range(first, num_qubits, block_size))
        for start, stop in zip(starts, [*starts[1:], num_qubits], strict=True):
            for q in range(start, stop):
                circuit.ry(theta(), q)
            for q in range(start, stop - 1):
                circuit.cz(q, q + 1)
    return theta.close(circuit)


def identity_initialised(num_qubits: int, *, blocks: int = 1, layers: int = 1) -> Circuit:
    """Blocks of a circuit and its mirror image, each of which can start as the identity [1]_.

    Parameters
    ----------
    num_qubits : int
    blocks : int
    layers : int
        Of each half of a block: RX and RY on each qubit, then a chain of CZ.

    Returns
    -------
    Circuit
        ``4 * num_qubits * layers * blocks`` weights. It is the identity at `identity_values`.

    References
    ----------
    .. [1] E. Grant et al., Quantum 3, 214 (2019).
    """
    check_count(blocks, "blocks", 1)
    check_count(layers, "layers", 1)
    theta = Weights()
    circuit = Circuit(check_count(num_qubits, "num_qubits", 1), name="identity_initialised")
    for _ in range(blocks):
        for sign in (1, -1):
            half = Circuit(num_qubits)
            for _ in range(layers):
                for q in range(num_qubits):
                    half.rx(theta(), q).ry(theta(), q)
                for q in range(num_qubits - 1):
                    half.cz(q, q + 1)
            circuit = circuit.compose(half if sign == 1 else half.inverse())
    return theta.close(circuit)


def identity_values(
    num_qubits: int, *, blocks: int = 1, layers: int = 1, seed: Any = None
) -> npt.NDArray[np.float64]:
    """Random weights at which `identity_initialised` of the same arguments is the identity.

    Parameters
    ----------
    num_qubits, blocks, layers : int
    seed : int, SeedSequence, Generator or None

    Returns
    -------
    ndarray, shape (4 * num_qubits * layers * blocks,), float64
    """
    half = 2 * check_count(num_qubits, "num_qubits", 1) * check_count(layers, "layers", 1)
    values = np.random.default_rng(seed).uniform(-np.pi, np.pi, (check_count(blocks, "blocks", 1), 1, half))
    return np.tile(values, (1, 2, 1)).ravel()
