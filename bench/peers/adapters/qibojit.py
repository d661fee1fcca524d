"""Qibo with the qibojit (Numba) backend.  No adjoint differentiation: gradients by parameter shift."""

from typing import ClassVar

import numpy as np
import qibo
from qibo import gates as G
from qibo import hamiltonians, symbols

from circuits import matrix

from . import Adapter

OPS = {
    "h": G.H,
    "x": G.X,
    "y": G.Y,
    "z": G.Z,
    "sx": G.SX,
    "cx": G.CNOT,
    "cz": G.CZ,
    "swap": G.SWAP,
    "ccx": G.TOFFOLI,
    "rx": G.RX,
    "ry": G.RY,
    "rz": G.RZ,
    "rzz": G.RZZ,
    "p": G.U1,
    "cp": G.CU1,
    "fsim": G.fSim,
}


class Peer(Adapter):
    name, packages = "qibojit", ("qibo", "qibojit", "numba")
    max_n: ClassVar[dict[str, int]] = {"grad": 4, "batch_grad": 0, "expval": 12, "batch_expval": 8}

    def __init__(self, precision, threads):
        super().__init__(precision, threads)
        qibo.set_backend("qibojit", platform="numba")
        qibo.set_dtype(precision)
        qibo.set_threads(threads)

    def _gate(self, g, n):
        q = [n - 1 - i for i in g.qubits]
        if g.slot is not None:
            return OPS[g.name](*q, 0.0)
        if g.name in OPS:
            return OPS[g.name](*q, *g.params)
        return G.Unitary(matrix(g).astype(self.dtype), *q[::-1], trainable=False)

    def _circuit(self, circ):
        qc, order = qibo.Circuit(circ.n), []
        for g in circ.gates:
            gate = self._gate(g, circ.n)
            if g.slot is None and g.params:
                gate.trainable = False
            elif g.slot is not None:
                order.append(g.slot)
            qc.add(gate)

        def forward(angles):
            if order:
                qc.set_parameters([float(angles[s]) for s in order])
            return qc()

        return qc, forward

    def state(self, circ):
        qc, _ = self._circuit(circ)
        qc = qc.fuse(max_qubits=2)
        return lambda: qc().state()

    def expval(self, circ, ham):
        qc, forward = self._circuit(circ)
        form = 0
        for c, t in ham:
            term = c
            for q, p in t:
                term = term * getattr(symbols, p)(circ.n - 1 - q)
            form = form + term
        h = hamiltonians.SymbolicHamiltonian(form, nqubits=circ.n)

        def run(angles):
            forward(angles)
            return float(h.expectation(qc))

        return run

    def zs(self, circ):
        n, (_qc, forward) = circ.n, self._circuit(circ)

        def run(angles):
            prob = np.abs(forward(angles).state()) ** 2
            return np.array([prob.reshape(-1, 2, 2**q).sum(axis=(0, 2)) @ [1, -1] for q in range(n)])

        return run

    def vector(self, circ):
        _, forward = self._circuit(circ)
        return lambda angles: forward(angles).state()

    def sampler(self, circ, angles):
        qc, _ = self._circuit(circ)
        qc.add(G.M(*range(circ.n)))
        order = [g.slot for g in circ.gates if g.slot is not None]
        qc.set_parameters([float(angles[s]) for s in order])
        return lambda shots: qc(nshots=shots).samples(binary=False)

    def gates(self, n, gates, psi0):
        backend, ops = qibo.get_backend(), [self._gate(g, n) for g in gates]
        box = [psi0.astype(self.dtype)]

        def run():
            state = box[0]
            for op in ops:
                state = backend.apply_gate(op, state, n)
            box[0] = state
            return state

        return run, None


PEER = Peer
