"""Gates applied one at a time to a big state, and the least memory each of them has to move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import qsim
from qsim.backends.base import get_backend
from qsim.program.flow import compile_flow
from qsim.program.slots import SlotAllocator

__all__ = ["KERNELS", "PLACES", "Kernel", "moved_share", "place_qubits", "prepare", "random_state"]

CACHE_LINE = 64
PLACES = ("low", "mid", "high", "ends")


@dataclass(frozen=True)
class Kernel:
    """A gate on `num_qubits` qubits; `memory_bound` if moving the state should be all that costs."""

    name: str
    num_qubits: int
    append: Callable[[qsim.Circuit, Sequence[int]], object]
    memory_bound: bool = True


def random_unitary(num_qubits: int) -> npt.NDArray[np.complex128]:
    rng = np.random.default_rng(num_qubits)
    size = 2**num_qubits
    matrix = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    return np.linalg.qr(matrix).Q


def random_phases(num_qubits: int) -> npt.NDArray[np.complex128]:
    angles = np.random.default_rng(num_qubits).uniform(0, 6, 2**num_qubits)
    phases: npt.NDArray[np.complex128] = np.exp(1j * angles)
    return phases


KERNELS = [
    Kernel("h", 1, lambda c, q: c.h(*q)),
    Kernel("x", 1, lambda c, q: c.x(*q)),
    Kernel("rx", 1, lambda c, q: c.rx(0.3, *q)),
    Kernel("rz", 1, lambda c, q: c.rz(0.3, *q)),
    Kernel("p", 1, lambda c, q: c.p(0.3, *q)),
    Kernel("cx", 2, lambda c, q: c.cx(*q)),
    Kernel("cz", 2, lambda c, q: c.cz(*q)),
    Kernel("crx", 2, lambda c, q: c.crx(0.3, *q)),
    Kernel("swap", 2, lambda c, q: c.swap(*q)),
    Kernel("rzz", 2, lambda c, q: c.rzz(0.3, *q)),
    Kernel("rxx", 2, lambda c, q: c.rxx(0.3, *q)),
    Kernel("ccx", 3, lambda c, q: c.ccx(*q)),
    Kernel("diagonal4", 4, lambda c, q: c.diagonal(random_phases(4), q)),
    Kernel("unitary1", 1, lambda c, q: c.unitary(random_unitary(1), q)),
    Kernel("unitary2", 2, lambda c, q: c.unitary(random_unitary(2), q), memory_bound=False),
    Kernel("unitary3", 3, lambda c, q: c.unitary(random_unitary(3), q), memory_bound=False),
]


def place_qubits(kernel: Kernel, place: str, num_qubits: int) -> tuple[int, ...] | None:
    """Neighbouring qubits at a place; "ends" puts the first one lowest and the others highest.

    None where the place says nothing new: "ends" for a gate on one qubit.
    """
    k = kernel.num_qubits
    if place == "ends":
        return (0, *range(num_qubits - k + 1, num_qubits)) if k > 1 else None
    start = {"low": 0, "mid": (num_qubits - k) // 2, "high": num_qubits - k}[place]
    return tuple(range(start, start + k))


def moved_share(kernel: Kernel, qubits: Sequence[int], itemsize: int) -> float:
    """Share of the state's cache lines that hold an amplitude the gate changes.

    A CZ on high qubits changes a quarter of the amplitudes, in lines of their own; on the lowest two it
    changes one in every line, so the whole state has to pass.
    """
    circuit = qsim.Circuit(kernel.num_qubits)
    kernel.append(circuit, range(kernel.num_qubits))
    matrix = circuit.matrix()
    fixed = np.isclose(matrix, np.eye(len(matrix)))
    changed = np.flatnonzero(~(fixed.all(axis=0) & fixed.all(axis=1)))
    bits_in_line = (CACHE_LINE // itemsize).bit_length() - 1
    outside = [i for i, q in enumerate(qubits) if q >= bits_in_line]
    lines = {tuple(int(j) >> i & 1 for i in outside) for j in changed}
    return len(lines) / float(1 << len(outside))


def random_state(num_qubits: int, precision: str) -> npt.NDArray[Any]:
    """Normalised, shape (1, 2**num_qubits), with no zeros that could make a gate cheaper."""
    rng, size = np.random.default_rng(1), 2 << num_qubits
    parts: npt.NDArray[Any]
    if precision == "single":
        parts = rng.standard_normal(size, dtype=np.float32)
    else:
        parts = rng.standard_normal(size)
    parts /= np.linalg.norm(parts)
    return parts.view(np.complex64 if precision == "single" else np.complex128)[None]


def prepare(
    kernel: Kernel, qubits: Sequence[int], states: npt.NDArray[Any], threads: int, backend_name: str
) -> Callable[[], None]:
    """A function that applies the gate to `states` in place, compiled once."""
    num_qubits = states.shape[1].bit_length() - 1
    circuit = qsim.Circuit(num_qubits)
    kernel.append(circuit, qubits)
    (tape,) = compile_flow(circuit, SlotAllocator(circuit.parameters)).tapes
    backend = get_backend(backend_name)
    handle = backend.compile(tape)
    angles = np.zeros((1, 0))
    return lambda: backend.apply(handle, states, angles, threads)
