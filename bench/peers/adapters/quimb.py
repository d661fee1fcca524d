"""quimb: tensor-network contraction (light-cone expectation values), complex128."""

from typing import ClassVar

import numpy as np
import quimb.tensor as qtn

from circuits import matrix

from . import Adapter

OPS = {"h": "H", "x": "X", "y": "Y", "z": "Z", "cx": "CNOT", "cz": "CZ", "swap": "SWAP", "ccx": "TOFFOLI"}


class Peer(Adapter):
    name, packages = "quimb", ("quimb", "cotengra")
    max_n: ClassVar[dict[str, int]] = {
        "state": 16,
        "expval": 4,
        "grad": 0,
        "batch_grad": 0,
        "kernel": 0,
        "overhead": 0,
    }

    def _circuit(self, circ, angles=()):
        n, qc = circ.n, qtn.Circuit(circ.n)
        for g in circ.gates:
            q = [n - 1 - i for i in g.qubits]
            if g.name in OPS:
                qc.apply_gate(OPS[g.name], *q)
            else:
                qc.apply_gate_raw(matrix(g, angles), q[::-1])
        return qc

    def vector(self, circ):
        return lambda angles: np.asarray(self._circuit(circ, angles).to_dense()).ravel()

    def state(self, circ):
        f = self.vector(circ)
        return lambda: f(())

    def expval(self, circ, ham):
        from functools import reduce

        from quimb import pauli

        n = circ.n
        terms = [
            (c * reduce(np.kron, [np.asarray(pauli(p)) for _, p in t]), [n - 1 - q for q, _ in t])
            for c, t in ham
        ]

        def run(angles):
            qc = self._circuit(circ, angles)
            return float(sum(np.real(qc.local_expectation(m, w if len(w) > 1 else w[0])) for m, w in terms))

        return run


PEER = Peer
