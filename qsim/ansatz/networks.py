"""Circuits shaped like tensor and convolutional networks: each block acts on two qubits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

from qsim._checks import check_count
from qsim._templates import Weights
from qsim.circuit import Circuit

__all__ = ["append_convolution", "append_pooling", "mera", "mps", "qcnn", "ttn"]

#: (circuit, two qubits, weights): appends a block; calling the weights gives the next one
Block = Callable[[Circuit, tuple[int, int], Weights], None]


def ry_cx(circuit: Circuit, pair: tuple[int, int], theta: Weights) -> None:
    """RY on both qubits, then CX from the first to the second: 2 weights."""
    a, b = pair
    circuit.ry(theta(), a).ry(theta(), b).cx(a, b)


def convolution_block(circuit: Circuit, pair: tuple[int, int], theta: Weights) -> None:
    """A general two-qubit interaction exp(-i (a XX + b YY + c ZZ)), up to one-qubit gates: 3 weights."""
    a, b = pair
    circuit.rz(-math.pi / 2, b).cx(b, a).rz(theta(), a).ry(theta(), b)
    circuit.cx(a, b).ry(theta(), b).cx(b, a).rz(math.pi / 2, a)


def pooling_block(circuit: Circuit, pair: tuple[int, int], theta: Weights) -> None:
    """Moves what the second qubit knows to the first, which is kept: 3 weights."""
    a, b = pair
    circuit.rz(-math.pi / 2, a).cx(a, b).ry(theta(), a).rz(theta(), b)
    circuit.cx(b, a).ry(theta(), a)


def append_convolution(circuit: Circuit, qubits: Sequence[int], theta: Weights) -> None:
    """Blocks on the even pairs, then on the odd ones, around a ring."""
    for start in (0, 1) if len(qubits) > 2 else (0,):
        for i in range(start, len(qubits) - 1 + start * (len(qubits) % 2 == 0), 2):
            convolution_block(circuit, (qubits[i], qubits[(i + 1) % len(qubits)]), theta)


def append_pooling(circuit: Circuit, qubits: Sequence[int], theta: Weights) -> list[int]:
    """Blocks on pairs; the first qubit of each, and one left over, are returned."""
    for i in range(0, len(qubits) - 1, 2):
        pooling_block(circuit, (qubits[i], qubits[i + 1]), theta)
    return list(qubits[::2])


def qcnn(num_qubits: int) -> Circuit:
    """Quantum convolutional network [1]_: convolution and pooling until one qubit, qubit 0, is left.

    Parameters
    ----------
    num_qubits : int
        Best a power of 2; with an odd number of qubits left, one goes on unpooled.

    Returns
    -------
    Circuit
        O(num_qubits) gates and weights, depth O(log num_qubits).

    References
    ----------
    .. [1] I. Cong, S. Choi, M. D. Lukin, Nat. Phys. 15, 1273 (2019).
    """
    theta = Weights()
    circuit = Circuit(check_count(num_qubits, "num_qubits", 1), name="qcnn")
    left = list(range(num_qubits))
    while len(left) > 1:
        append_convolution(circuit, left, theta)
        left = append_pooling(circuit, left, theta)
    return theta.close(circuit)


def mps(num_qubits: int, *, layers: int = 1, block: Block = ry_cx) -> Circuit:
    """Matrix product state [1]_: blocks on neighbours, one after the other.

    Parameters
    ----------
    num_qubits : int
    layers : int
    block : callable
        ``block(circuit, (a, b), theta)`` appends gates; ``theta()`` is the next weight.

    Returns
    -------
    Circuit
        ``layers * (num_qubits - 1)`` blocks.

    References
    ----------
    .. [1] W. Huggins et al., Quantum Sci. Technol. 4, 024001 (2019).
    """
    check_count(layers, "layers", 1)
    theta = Weights()
    circuit = Circuit(check_count(num_qubits, "num_qubits", 1), name="mps")
    for _ in range(layers):
        for pair in itertools.pairwise(range(num_qubits)):
            block(circuit, pair, theta)
    return theta.close(circuit)


def ttn(num_qubits: int, *, block: Block = ry_cx) -> Circuit:
    """Tree tensor network [1]_: blocks on pairs, whose second qubits form pairs again, to the last qubit.

    Parameters
    ----------
    num_qubits : int
    block : callable
        ``block(circuit, (a, b), theta)`` appends gates; ``theta()`` is the next weight.

    Returns
    -------
    Circuit
        ``num_qubits - 1`` blocks, depth O(log num_qubits).

    References
    ----------
    .. [1] E. Grant et al., npj Quantum Inf. 4, 65 (2018).
    """
    theta = Weights()
    circuit = Circuit(check_count(num_qubits, "num_qubits", 1), name="ttn")
    left = list(range(num_qubits))
    while len(left) > 1:
        left = _coarser(circuit, left, theta, block)
    return theta.close(circuit)


def _coarser(circuit: Circuit, left: list[int], theta: Weights, block: Block) -> list[int]:
    """Blocks on the pairs of the qubits left; the second of each, and one left over, remain."""
    for i in range(0, len(left) - 1, 2):
        block(circuit, (left[i], left[i + 1]), theta)
    return left[1::2] + (left[-1:] if len(left) % 2 else [])


def mera(num_qubits: int, *, block: Block = ry_cx) -> Circuit:
    """Multi-scale entanglement renormalisation [1]_: a tree with blocks between the pairs before each level.

    Parameters
    ----------
    num_qubits : int
    block : callable
        ``block(circuit, (a, b), theta)`` appends gates; ``theta()`` is the next weight.

    Returns
    -------
    Circuit
        O(num_qubits) blocks, depth O(log num_qubits).

    References
    ----------
    .. [1] E. Grant et al., npj Quantum Inf. 4, 65 (2018).
    """
    theta = Weights()
    circuit = Circuit(check_count(num_qubits, "num_qubits", 1), name="mera")
    left = list(range(num_qubits))
    while len(left) > 1:
        for i in range(1, len(left) - 1, 2):
            block(circuit, (left[i], left[i + 1]), theta)
        left = _coarser(circuit, left, theta, block)
    return theta.close(circuit)
