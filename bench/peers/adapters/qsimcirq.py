"""Google qsim through qsimcirq (C++, AVX-512, complex64 only)."""

from typing import ClassVar

import cirq
import numpy as np
import qsimcirq
import sympy

from circuits import matrix

from . import Adapter, Unsupported

ONE = {
    "h": cirq.H,
    "x": cirq.X,
    "y": cirq.Y,
    "z": cirq.Z,
    "sx": cirq.X**0.5,
    "sy": cirq.Y**0.5,
    "cx": cirq.CNOT,
    "cz": cirq.CZ,
    "swap": cirq.SWAP,
    "ccx": cirq.TOFFOLI,
}


class Peer(Adapter):
    name, packages = "qsimcirq", ("qsimcirq", "cirq-core")
    max_n: ClassVar[dict[str, int]] = {"grad": 8, "batch_grad": 4}

    def _sim(self, n, **kw):
        kw.setdefault("max_fused_gate_size", 3 if n >= 16 else 2)  # 3 beat 2, 4 and 5 at n = 20..22
        return qsimcirq.QSimSimulator(
            qsimcirq.QSimOptions(cpu_threads=self.threads, **kw), circuit_memoization_size=2
        )

    def _op(self, g, qs, angle=None):
        q = [qs[i] for i in g.qubits]
        t = angle if angle is not None else (g.params[0] if g.params else None)
        if g.name in ONE:
            return ONE[g.name](*q)
        if g.name in ("rx", "ry", "rz"):
            return getattr(cirq, g.name)(t)(*q)
        if g.name == "rzz":
            return cirq.ZZPowGate(exponent=t / np.pi, global_shift=-0.5)(*q)
        if g.name == "cp":
            return cirq.CZPowGate(exponent=t / np.pi)(*q)
        if g.name == "fsim":
            return cirq.FSimGate(*g.params)(*q)
        return cirq.MatrixGate(matrix(g))(*q[::-1])

    def _circuit(self, circ, angles=None):
        """Qubit order: cirq's first qubit is the most significant bit."""
        line = cirq.LineQubit.range(circ.n)
        qs = line[::-1]
        syms = sympy.symbols(f"a0:{len(circ.sources)}")
        ops = [
            self._op(
                g, qs, None if g.slot is None else (syms[g.slot] if angles is None else float(angles[g.slot]))
            )
            for g in circ.gates
        ]
        return cirq.Circuit(ops), line, qs, [s.name for s in syms]

    def state(self, circ):
        qc, line, _, _ = self._circuit(circ)
        sim = self._sim(circ.n)
        return lambda: sim.simulate_into_1d_array(qc, qubit_order=line)[1]

    def amps(self, circ, indices):
        qc, line, _, _ = self._circuit(circ)
        sim, bits = self._sim(circ.n), [int(i) for i in indices]
        return lambda: np.array(sim.compute_amplitudes(qc, bits, qubit_order=line))

    def _observables(self, qs, ham):
        return cirq.PauliSum.from_pauli_strings(
            [cirq.PauliString({qs[q]: getattr(cirq, p) for q, p in t}, coefficient=c) for c, t in ham]
        )

    def _sweep(self, circ, hams):
        qc, line, qs, names = self._circuit(circ)
        sim, obs = self._sim(circ.n), [self._observables(qs, h) for h in hams]

        def run(batch):
            sweep = [
                cirq.ParamResolver(dict(zip(names, map(float, a), strict=True))) for a in np.atleast_2d(batch)
            ]
            return np.real(sim.simulate_expectation_values_sweep(qc, obs, sweep, qubit_order=line))

        return run

    def batch_values(self, circ, ham):
        f = self._sweep(circ, [ham])
        return lambda batch: f(batch)[:, 0]

    def expval(self, circ, ham):
        f = self._sweep(circ, [ham])
        return lambda angles: float(f(angles)[0, 0])

    def batch_zs(self, circ):
        return self._sweep(circ, [[(1.0, ((i, "Z"),))] for i in range(circ.n)])

    def batch_vector(self, circ):
        qc, line, _, names = self._circuit(circ)
        sim = self._sim(circ.n)

        def run(batch):
            res = [cirq.ParamResolver(dict(zip(names, map(float, a), strict=True))) for a in batch]
            return np.array(
                [sim.simulate_into_1d_array(qc, param_resolver=r, qubit_order=line)[1] for r in res]
            )

        return run

    def sampler(self, circ, angles):
        qc, line, _, _ = self._circuit(circ, angles)
        qc.append(cirq.measure(*line, key="m"))
        sim = self._sim(circ.n)
        return lambda shots: sim.run(qc, repetitions=shots).measurements["m"]

    def counts(self, native):
        bits = np.asarray(native).astype(np.int64)
        return super().counts(bits @ (1 << np.arange(bits.shape[1])[::-1]))

    def noise(self, circ, angles, p):
        line = cirq.LineQubit.range(circ.n)
        qs, ops = line[::-1], []
        for g in circ.gates:
            ops.append(self._op(g, qs, None if g.slot is None else float(angles[g.slot])))
            ops += [cirq.depolarize(p)(qs[q]) for q in g.qubits]
        qc, obs = cirq.Circuit(ops), [cirq.PauliSum.from_pauli_strings([cirq.Z(q)]) for q in qs]

        def run(trajectories):
            sim = self._sim(circ.n, ev_noisy_repetitions=trajectories)
            return np.real(sim.simulate_expectation_values(qc, obs, qubit_order=line))

        return run

    def gates(self, n, gates, psi0):
        if len(gates[0].qubits) < 2:
            raise Unsupported("single-qubit gates are always fused")
        line, psi0 = cirq.LineQubit.range(n), psi0.astype(np.complex64)
        sim = self._sim(n, max_fused_gate_size=2)

        def build(ops):
            qc = cirq.Circuit([self._op(g, line[::-1]) for g in ops] + [cirq.I(q) for q in line])
            return lambda: sim.simulate_into_1d_array(qc, qubit_order=line, initial_state=psi0)[1]

        return build(gates), build([])


PEER = Peer
