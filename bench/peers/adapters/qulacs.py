"""Qulacs: C++/OpenMP, complex128.  Backprop for gradients, block optimiser for fixed circuits."""

import numpy as np
import qulacs
from qulacs import gate as G

from circuits import gate_angle, matrix

from . import Adapter

PAULI = {"X": 1, "Y": 2, "Z": 3}


def make_gate(g, angles=()):
    q, t = g.qubits, gate_angle(g, angles)
    plain = {
        "h": G.H,
        "x": G.X,
        "y": G.Y,
        "z": G.Z,
        "sx": G.sqrtX,
        "sy": G.sqrtY,
        "cx": G.CNOT,
        "cz": G.CZ,
        "swap": G.SWAP,
        "ccx": G.TOFFOLI,
    }
    if g.name in plain:
        return plain[g.name](*q)
    if g.name in ("rx", "ry", "rz"):  # qulacs uses exp(+i t/2 P)
        return {"rx": G.RX, "ry": G.RY, "rz": G.RZ}[g.name](q[0], -t)
    if g.name == "rzz":
        return G.PauliRotation(list(q), [3, 3], -t)
    if g.name == "cp":
        m = G.to_matrix_gate(G.U1(q[1], t))
        m.add_control_qubit(q[0], 1)
        return m
    return G.DenseMatrix(list(q), matrix(g, angles))


def observable(n, ham):
    obs = qulacs.Observable(n)
    for c, term in ham:
        obs.add_operator(c, " ".join(f"{p} {q}" for q, p in term))
    return obs


class Peer(Adapter):
    name, packages = "qulacs", ("qulacs",)

    def _fixed(self, circ, angles=()):
        qc = qulacs.QuantumCircuit(circ.n)
        for g in circ.gates:
            qc.add_gate(make_gate(g, angles))
        return qc

    def _parametric(self, circ):
        qc = qulacs.ParametricQuantumCircuit(circ.n)
        order = []
        for g in circ.gates:
            if g.slot is None:
                qc.add_gate(make_gate(g))
                continue
            order.append(g.slot)
            if g.name == "rzz":
                qc.add_parametric_multi_Pauli_rotation_gate(list(g.qubits), [3, 3], 0.0)
            else:
                getattr(qc, f"add_parametric_{g.name.upper()}_gate")(g.qubits[0], 0.0)
        state = qulacs.QuantumState(circ.n)

        def bind(angles):
            for i, s in enumerate(order):
                qc.set_parameter(i, -float(angles[s]))
            return qc

        def forward(angles):
            bind(angles)
            state.set_zero_state()
            qc.update_quantum_state(state)
            return state

        return order, bind, forward

    def state(self, circ):
        qc = self._fixed(circ)
        if circ.n >= 16:
            qulacs.circuit.QuantumCircuitOptimizer().optimize_light(qc)  # faster here than any block size
        state = qulacs.QuantumState(circ.n)

        def run():
            state.set_zero_state()
            qc.update_quantum_state(state)
            return state

        return run

    def numpy(self, native, n):
        return native.get_vector()

    def amps(self, circ, indices):
        run = self.state(circ)

        def amps():
            state = run()
            return np.array([state.get_amplitude(int(i)) for i in indices])

        return amps

    def expval(self, circ, ham):
        _, _, forward = self._parametric(circ)
        obs = observable(circ.n, ham)
        return lambda angles: obs.get_expectation_value(forward(angles))

    def zs(self, circ):
        _, _, forward = self._parametric(circ)

        def run(angles):
            state = forward(angles)
            return np.array([2 * state.get_zero_probability(i) - 1 for i in range(circ.n)])

        return run

    def vector(self, circ):
        _, _, forward = self._parametric(circ)
        return lambda angles: forward(angles).get_vector()

    def grad(self, circ, ham, trainable):
        order, bind, forward = self._parametric(circ)
        obs = observable(circ.n, ham)

        def run(angles):
            value = obs.get_expectation_value(forward(angles))
            g = np.zeros(len(angles))
            g[order] = np.negative(bind(angles).backprop(obs))
            return value, g

        return run

    def sampler(self, circ, angles):
        _, _, forward = self._parametric(circ)
        return lambda shots: forward(angles).sampling(shots)

    def noise(self, circ, angles, p):
        qc = qulacs.QuantumCircuit(circ.n)
        for g in circ.gates:
            qc.add_gate(make_gate(g, angles))
            for q in g.qubits:
                qc.add_gate(G.DepolarizingNoise(q, p))
        state = qulacs.QuantumState(circ.n)

        def run(trajectories):
            total = np.zeros(circ.n)
            for _ in range(trajectories):
                state.set_zero_state()
                qc.update_quantum_state(state)
                total += [2 * state.get_zero_probability(i) - 1 for i in range(circ.n)]
            return total / trajectories

        return run

    def gates(self, n, gates, psi0):
        ops, state = [make_gate(g) for g in gates], qulacs.QuantumState(n)
        state.load(psi0)

        def run():
            for op in ops:
                op.update_quantum_state(state)
            return state

        return run, None


PEER = Peer
