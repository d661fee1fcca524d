"""Circuits, gates and Hamiltonians of the workloads, in terms no simulator owns.

Conventions (all adapters translate from these)
  * qubit 0 is the least significant bit of a basis-state index;
  * a matrix on ``qubits`` has ``qubits[0]`` as its least significant bit;
  * rx/ry/rz/rzz(t) = exp(-i t/2 P);  p/cp(t) put exp(i t) on |1> / |11>;
  * a circuit is a function of one flat *angle vector*: a gate whose ``slot`` is
    not None takes its angle from ``angles[slot]``; all other gates are constant.
    ``Circuit.angles(w, x)`` maps trainable weights and data features to angles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


class Gate(NamedTuple):
    name: str
    qubits: tuple
    params: tuple = ()
    slot: int | None = None
    matrix: object = None


@dataclass
class Circuit:
    n: int
    gates: list = field(default_factory=list)
    sources: list = field(default_factory=list)  # per slot: ('w'|'x', index, scale)

    def add(self, name, *qubits, params=(), matrix=None):
        self.gates.append(Gate(name, tuple(qubits), tuple(params), None, matrix))

    def rot(self, name, *qubits, w=None, x=None, scale=1.0):
        """Add a parametrised gate driven by weight ``w`` or feature ``x``."""
        self.sources.append(("w", w, scale) if w is not None else ("x", x, scale))
        self.gates.append(Gate(name, tuple(qubits), (), len(self.sources) - 1))

    def angles(self, w=(), x=None):
        """(slots,) or, for a batch x of shape (B, features), (B, slots)."""
        w = np.asarray(w, float)
        shape = () if x is None or np.ndim(x) == 1 else (len(x),)
        out = np.empty((*shape, len(self.sources)))
        for s, (src, i, scale) in enumerate(self.sources):
            out[..., s] = scale * (w[i] if src == "w" else np.asarray(x)[..., i])
        return out

    def chain(self, nw):
        """Matrix d(angles)/d(weights), shape (slots, nw)."""
        m = np.zeros((len(self.sources), nw))
        for s, (src, i, scale) in enumerate(self.sources):
            if src == "w":
                m[s, i] = scale
        return m

    @property
    def trainable(self):
        return [s for s, src in enumerate(self.sources) if src[0] == "w"]


# ----------------------------------------------------------------- matrices
_r = math.sqrt(0.5)
FIXED = {
    "h": np.array([[_r, _r], [_r, -_r]], complex),
    "x": np.array([[0, 1], [1, 0]], complex),
    "y": np.array([[0, -1j], [1j, 0]], complex),
    "z": np.diag([1, -1]).astype(complex),
    "sx": np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2,
    "sy": np.array([[1 + 1j, -1 - 1j], [1 + 1j, 1 + 1j]]) / 2,
    "sw": np.array([[1 + 1j, -math.sqrt(2) * 1j], [math.sqrt(2), 1 + 1j]]) / 2,
    "cx": np.eye(4, dtype=complex)[[0, 3, 2, 1]],  # qubits = (control, target)
    "cz": np.diag([1, 1, 1, -1]).astype(complex),
    "swap": np.eye(4, dtype=complex)[[0, 2, 1, 3]],
    "ccx": np.eye(8, dtype=complex)[[0, 1, 2, 7, 4, 5, 6, 3]],  # (c, c, target)
}
PAULI = {"rx": "x", "ry": "y", "rz": "z"}


def gate_angle(gate, angles):
    return float(angles[gate.slot]) if gate.slot is not None else (gate.params[0] if gate.params else None)


def matrix(gate, angles=()):
    """Dense matrix of a gate, little-endian in gate.qubits."""
    if gate.matrix is not None:
        return gate.matrix
    if gate.name in FIXED:
        return FIXED[gate.name]
    t = gate_angle(gate, angles)
    if gate.name in PAULI:
        return math.cos(t / 2) * np.eye(2) - 1j * math.sin(t / 2) * FIXED[PAULI[gate.name]]
    if gate.name == "p":
        return np.diag([1, np.exp(1j * t)])
    if gate.name == "cp":
        return np.diag([1, 1, 1, np.exp(1j * t)])
    if gate.name == "rzz":
        e = np.exp(-0.5j * t)
        return np.diag([e, e.conjugate(), e.conjugate(), e])
    if gate.name == "fsim":
        th, ph = gate.params
        m = np.eye(4, dtype=complex)
        m[1, 1] = m[2, 2] = math.cos(th)
        m[1, 2] = m[2, 1] = -1j * math.sin(th)
        m[3, 3] = np.exp(-1j * ph)
        return m
    raise KeyError(gate.name)


def random_unitary(k, seed):
    rng = np.random.default_rng(seed)
    d = 2**k
    q, r = np.linalg.qr(rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d)))
    return q * (np.diag(r) / abs(np.diag(r)))


def random_state(n, seed=1):
    rng = np.random.default_rng(seed)
    v = rng.standard_normal(2**n, dtype=np.float32) + 1j * rng.standard_normal(2**n, dtype=np.float32)
    v = v.astype(np.complex128)
    return v / np.linalg.norm(v)


# ----------------------------------------------------------------- circuits
def rqc(n, depth, seed=7):
    """Random sqrt(X/Y/W) layers and fSim couplers on a grid, pattern ABCDCDAB."""
    rng = np.random.default_rng(seed)
    rows = 4 if n % 4 == 0 else 2
    cols = n // rows

    def q(r, c):
        return r * cols + c

    pat = {
        "A": [(q(r, c), q(r, c + 1)) for r in range(rows) for c in range(0, cols - 1, 2)],
        "B": [(q(r, c), q(r, c + 1)) for r in range(rows) for c in range(1, cols - 1, 2)],
        "C": [(q(r, c), q(r + 1, c)) for c in range(cols) for r in range(0, rows - 1, 2)],
        "D": [(q(r, c), q(r + 1, c)) for c in range(cols) for r in range(1, rows - 1, 2)],
    }
    circ, last = Circuit(n), [None] * n
    for d in range(depth):
        for i in range(n):
            last[i] = rng.choice([g for g in ("sx", "sy", "sw") if g != last[i]])
            circ.add(str(last[i]), i)
        for a, b in pat["ABCDCDAB"[d % 8]]:
            circ.add("fsim", a, b, params=(math.pi / 2, math.pi / 6))
    for i in range(n):
        circ.add("h", i)
    return circ


def qft(n, basis):
    rng, circ = np.random.default_rng(3), Circuit(n)
    for i in range(n):
        if basis:
            if rng.random() < 0.5:
                circ.add("x", i)
        else:
            circ.add("ry", i, params=(rng.uniform(0.2, 3),))
            circ.add("rz", i, params=(rng.uniform(0, 6),))
    for j in reversed(range(n)):
        circ.add("h", j)
        for k in reversed(range(j)):
            circ.add("cp", k, j, params=(math.pi / 2 ** (j - k),))
    for i in range(n // 2):
        circ.add("swap", i, n - 1 - i)
    return circ


def add_hea(circ, layers, w0=0):
    w = w0
    for _ in range(layers):
        for i in range(circ.n):
            circ.rot("ry", i, w=w)
            circ.rot("rz", i, w=w + 1)
            w += 2
        for i in range(circ.n):
            circ.add("cx", i, (i + 1) % circ.n)
    return w


def hea(n, layers):
    circ = Circuit(n)
    return circ, add_hea(circ, layers)


def add_zz_map(circ, reps):
    """ZZ feature map with linear entanglement; features from ``zz_features``."""
    n = circ.n
    for _ in range(reps):
        for i in range(n):
            circ.add("h", i)
            circ.rot("rz", i, x=i)
        for i in range(n - 1):
            circ.rot("rzz", i, i + 1, x=n + i)


def zz_features(data):
    pair = 2 * (math.pi - data[:, :-1]) * (math.pi - data[:, 1:])
    return np.concatenate([2 * data, pair], axis=1)


def qaoa(n, p):
    edges = regular_graph(n)
    circ = Circuit(n)
    for i in range(n):
        circ.add("h", i)
    for layer in range(p):
        for a, b in edges:
            circ.rot("rzz", a, b, w=2 * layer)
        for i in range(n):
            circ.rot("rx", i, w=2 * layer + 1, scale=2.0)
    ham = [(-0.5, ((a, "Z"), (b, "Z"))) for a, b in edges]
    return circ, ham, 2 * p


def regular_graph(n, seed=5):
    """Random 3-regular graph: a ring plus a random perfect matching."""
    rng, ring = np.random.default_rng(seed), {frozenset((i, (i + 1) % n)) for i in range(n)}
    while True:
        perm = rng.permutation(n)
        match = {frozenset((int(perm[2 * i]), int(perm[2 * i + 1]))) for i in range(n // 2)}
        if not match & ring:
            return sorted(tuple(sorted(e)) for e in ring | match)


# ------------------------------------------------------------- hamiltonians
def tfim(n):
    zz = [(-1.0, ((i, "Z"), ((i + 1) % n, "Z"))) for i in range(n)]
    return zz + [(-0.7, ((i, "X"),)) for i in range(n)]


def random_paulis(n, terms=200, max_weight=4, seed=11):
    rng, seen = np.random.default_rng(seed), {}
    while len(seen) < terms:
        k = int(rng.integers(1, min(max_weight, n) + 1))
        qs = sorted(int(q) for q in rng.choice(n, k, replace=False))
        seen.setdefault(tuple((q, str(rng.choice(list("XYZ")))) for q in qs), float(rng.normal()))
    return [(c, t) for t, c in seen.items()]


def z_mean(n):
    return [(1.0 / n, ((i, "Z"),)) for i in range(n)]
