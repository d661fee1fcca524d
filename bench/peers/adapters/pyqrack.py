"""PyQrack (CPU build, complex64): separability-tracking simulator, one call per gate through ctypes."""

from typing import ClassVar

import numpy as np
from pyqrack import Pauli, QrackSimulator

from circuits import matrix

from . import Adapter, Unsupported

PAULI = {"X": Pauli.PauliX, "Y": Pauli.PauliY, "Z": Pauli.PauliZ}


class Peer(Adapter):
    name, packages = "pyqrack", ("pyqrack-cpu",)
    max_n: ClassVar[dict[str, int]] = {"state": 22, "grad": 4, "batch_grad": 0, "expval": 16}

    def __init__(self, precision, threads):
        super().__init__(precision, threads)

    def _plan(self, circ):
        plan = []
        for g in circ.gates:
            q = g.qubits
            t = g.params[0] if g.params else None
            if g.name in ("h", "x", "y", "z", "sx"):
                plan.append((lambda s, a, f=g.name, q=q[0]: getattr(s, f)(q), None))
            elif g.name in ("rx", "ry", "rz"):
                p = PAULI[g.name[1].upper()]
                plan.append((lambda s, a, p=p, q=q[0], t=t: s.r(p, t if a is None else a, q), g.slot))
            elif g.name in ("cx", "cz"):
                plan.append((lambda s, a, f="m" + g.name, q=q: getattr(s, f)([q[0]], q[1]), None))
            elif g.name == "ccx":
                plan.append((lambda s, a, q=q: s.mcx([q[0], q[1]], q[2]), None))
            elif g.name == "swap":
                plan.append((lambda s, a, q=q: s.swap(*q), None))
            elif g.name == "fsim":
                plan.append((lambda s, a, q=q, p=g.params: s.fsim(p[0], p[1], *q), None))
            elif g.name == "rzz":
                plan.append((lambda s, a, q=q, t=t: s.phase_parity(t if a is None else a, list(q)), g.slot))
            elif g.name == "cp":
                m = [1, 0, 0, complex(np.exp(1j * t))]
                plan.append((lambda s, a, q=q, m=m: s.mcmtrx([q[0]], m, q[1]), None))
            elif len(q) == 1:
                m = [complex(v) for v in matrix(g).ravel()]
                plan.append((lambda s, a, q=q[0], m=m: s.mtrx(m, q), None))
            else:
                raise Unsupported(f"{len(q)}-qubit matrix")
        return plan

    def _forward(self, circ):
        plan = self._plan(circ)

        def run(angles=()):
            sim = QrackSimulator(circ.n, is_gpu=False)
            for f, slot in plan:
                f(sim, None if slot is None else float(angles[slot]))
            return sim

        return run

    def state(self, circ):
        f = self._forward(circ)

        def run():
            sim = f()
            sim.prob_perm(list(range(circ.n)), [False] * circ.n)  # gates are queued; needs the whole state
            return sim

        return run

    def numpy(self, native, n):
        return np.array(native.out_ket())

    def expval(self, circ, ham):
        f = self._forward(circ)
        terms = [(c, [q for q, _ in t], [PAULI[p] for _, p in t]) for c, t in ham]

        def run(angles):
            sim = f(angles)
            return sum(c * sim.pauli_expectation(q, b) for c, q, b in terms)

        return run

    def zs(self, circ):
        f = self._forward(circ)

        def run(angles):
            sim = f(angles)
            return np.array([1 - 2 * sim.prob(i) for i in range(circ.n)])

        return run

    def vector(self, circ):
        f = self._forward(circ)
        return lambda angles: np.array(f(angles).out_ket())

    def sampler(self, circ, angles):
        f = self._forward(circ)
        return lambda shots: f(angles).measure_shots(list(range(circ.n)), shots)


PEER = Peer
