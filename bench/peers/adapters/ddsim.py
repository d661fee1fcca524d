"""MQT DDSIM: decision diagrams.  Wins on structure, cannot hold generic dense states."""

from typing import ClassVar

import numpy as np
from mqt.core.ir import QuantumComputation
from mqt.ddsim import CircuitSimulator

from circuits import gate_angle

from . import Adapter, Unsupported


class Peer(Adapter):
    name, packages = "ddsim", ("mqt-ddsim", "mqt-core")
    max_n: ClassVar[dict[str, int]] = {"sample": 16}

    def _circuit(self, circ, angles=()):
        qc = QuantumComputation(circ.n)
        for g in circ.gates:
            q, t = g.qubits, gate_angle(g, angles)
            if g.name in ("h", "x", "y", "z", "sx", "swap") or g.name in ("cx", "cz"):
                getattr(qc, g.name)(*q)
            elif g.name in ("rx", "ry", "rz", "p", "rzz", "cp"):
                getattr(qc, g.name)(t, *q)
            else:
                raise Unsupported(g.name)
        return qc

    def state(self, circ):
        qc = self._circuit(circ)

        def run():
            sim = CircuitSimulator(qc)
            sim.simulate(0)
            return sim, sim.get_constructed_dd()

        return run

    def numpy(self, native, n):
        return np.array(native[1].get_vector())

    def sampler(self, circ, angles):
        qc = self._circuit(circ, angles)
        return lambda shots: CircuitSimulator(qc).simulate(shots)

    def counts(self, native):
        return {int(k, 2): v for k, v in native.items()}


PEER = Peer
