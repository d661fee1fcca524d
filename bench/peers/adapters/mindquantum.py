"""MindQuantum mqvector simulator (C++/OpenMP, AVX).  Native adjoint gradients and native batches."""

import mindquantum as mq
import numpy as np
from mindquantum.core import gates as G
from mindquantum.core.circuit import Circuit as MQCircuit
from mindquantum.core.operators import Hamiltonian, QubitOperator
from mindquantum.simulator import Simulator

from circuits import gate_angle, matrix

from . import Adapter


class Peer(Adapter):
    name, packages = "mindquantum", ("mindquantum",)

    def _sim(self, n):
        return Simulator("mqvector", n, dtype=getattr(mq, self.precision))  # threads: OMP_NUM_THREADS

    def _gate(self, g, angle=None):
        q = list(g.qubits)
        plain = {"h": G.H, "x": G.X, "y": G.Y, "z": G.Z, "sx": G.SX}
        if g.name in plain:
            return plain[g.name].on(q[0])
        if g.name in ("cx", "ccx"):
            return G.X.on(q[-1], q[:-1])
        if g.name == "cz":
            return G.Z.on(q[1], q[0])
        if g.name == "swap":
            return G.SWAP.on(q)
        t = angle if angle is not None else gate_angle(g, ())
        if g.name in ("rx", "ry", "rz"):
            return getattr(G, g.name.upper())(t).on(q[0])
        if g.name == "rzz":
            return G.Rzz(t).on(q)
        if g.name == "cp":
            return G.PhaseShift(t).on(q[1], q[0])
        return G.UnivMathGate(g.name, np.asarray(matrix(g), complex)).on(q)

    def _circuit(self, circ, encoder=False):
        out, block, kind = MQCircuit(), MQCircuit(), None
        for g in circ.gates:
            src = circ.sources[g.slot][0] if g.slot is not None else kind
            if encoder and src != kind and len(block):
                out += block.as_encoder() if kind == "x" else block
                block = MQCircuit()
            kind = src
            block += self._gate(g, f"a{g.slot}" if g.slot is not None else None)
        return out + (block.as_encoder() if encoder and kind == "x" else block)

    def _ham(self, ham):
        op = QubitOperator()
        for c, t in ham:
            op += QubitOperator(" ".join(f"{p}{q}" for q, p in t), c)
        return Hamiltonian(op).astype(getattr(mq, self.precision))

    def _forward(self, circ):
        qc, sim = self._circuit(circ), self._sim(circ.n)
        slots = [int(name[1:]) for name in qc.params_name]

        def run(angles=()):
            sim.reset()
            sim.apply_circuit(qc, pr=np.asarray(angles)[slots] if slots else None)
            return sim

        return run

    def state(self, circ):
        return self._forward(circ)

    def numpy(self, native, n):
        return native.get_qs()

    def expval(self, circ, ham):
        f, h = self._forward(circ), self._ham(ham)
        return lambda angles: float(np.real(f(angles).get_expectation(h)))

    def zs(self, circ):
        f, hams = self._forward(circ), [self._ham([(1.0, ((i, "Z"),))]) for i in range(circ.n)]

        def run(angles):
            sim = f(angles)
            return np.real([sim.get_expectation(h) for h in hams])

        return run

    def vector(self, circ):
        f = self._forward(circ)
        return lambda angles: f(angles).get_qs()

    def grad(self, circ, ham, trainable):
        qc, sim = self._circuit(circ), self._sim(circ.n)
        slots = [int(name[1:]) for name in qc.params_name]
        ops = sim.get_expectation_with_grad(self._ham(ham), qc)

        def run(angles):
            v, d = ops(np.asarray(angles)[slots])
            g = np.zeros(len(angles))
            g[slots] = np.real(d).ravel()
            return float(np.real(v).ravel()[0]), g

        return run

    def batch_grad(self, circ, ham, trainable):
        qc, sim = self._circuit(circ, encoder=True), self._sim(circ.n)
        enc, ans = ([int(s[1:]) for s in names] for names in (qc.encoder_params_name, qc.ansatz_params_name))
        ops = sim.get_expectation_with_grad(self._ham(ham), qc, parallel_worker=self.threads)

        def run(batch):
            v, _, d = ops(batch[:, enc], batch[0, ans])
            g = np.zeros(batch.shape)
            g[:, ans] = np.real(d)[:, 0, :]
            return np.real(v)[:, 0], g

        return run

    def sampler(self, circ, angles):
        qc, sim = self._circuit(circ), self._sim(circ.n)
        slots = [int(name[1:]) for name in qc.params_name]
        qc = qc.measure_all()

        def run(shots):
            sim.reset()
            return sim.sampling(qc, pr={f"a{s}": float(angles[s]) for s in slots}, shots=shots)

        return run

    def counts(self, native):
        return {int(k, 2): v for k, v in native.data.items()}

    def noise(self, circ, angles, p):
        qc, sim = MQCircuit(), self._sim(circ.n)
        hams = [self._ham([(1.0, ((i, "Z"),))]) for i in range(circ.n)]
        for g in circ.gates:
            qc += self._gate(g, float(angles[g.slot]) if g.slot is not None else None)
            for q in g.qubits:
                qc += G.DepolarizingChannel(p).on(q)

        def run(trajectories):
            total = np.zeros(circ.n)
            for _ in range(trajectories):
                sim.reset()
                sim.apply_circuit(qc)
                total += np.real([sim.get_expectation(h) for h in hams])
            return total / trajectories

        return run

    def gates(self, n, gates, psi0):
        sim, ops = self._sim(n), MQCircuit([self._gate(g) for g in gates])
        sim.set_qs(psi0)

        def run():
            sim.apply_circuit(ops)
            return sim

        return run, None


PEER = Peer
