"""Qiskit Aer statevector method.  Batches and parameter shift go through parameter_binds in one call."""

from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error  # noqa: F401  (depolarizing_error used below)

from circuits import matrix

from . import Adapter


def append(qc, g, angle=None):
    args = ([angle] if angle is not None else list(g.params)) if g.name != "fsim" else []
    if g.name in ("h", "x", "y", "z", "sx", "cx", "cz", "swap", "ccx", "rx", "ry", "rz", "rzz", "p", "cp"):
        getattr(qc, g.name)(*args, *g.qubits)
    else:
        qc.unitary(matrix(g), list(g.qubits))


class Peer(Adapter):
    name, packages = "aer", ("qiskit", "qiskit-aer")
    max_n: ClassVar[dict[str, int]] = {"grad": 12}

    def _sim(self, **kw):
        return AerSimulator(
            method="statevector",
            precision="single" if self.precision == "complex64" else "double",
            max_parallel_threads=self.threads,
            runtime_parameter_bind_enable=True,
            **kw,
        )

    def _circuit(self, circ):
        params = ParameterVector("a", len(circ.sources))
        qc = QuantumCircuit(circ.n)
        for g in circ.gates:
            append(qc, g, params[g.slot] if g.slot is not None else None)
        return qc, params

    def _batch(self, qc, params, read):
        """batch of angle vectors -> [read(data)] for each, in one Aer job."""
        sim = self._sim()

        def run(batch):
            batch = np.atleast_2d(batch)
            binds = [{p: batch[:, i].tolist() for i, p in enumerate(params)}] if len(params) else None
            res = sim.run(qc, shots=1, parameter_binds=binds).result()
            if not res.success:
                raise RuntimeError(res.status)
            return [read(res.data(k)) for k in range(len(batch))]

        return run

    def _op(self, n, ham):
        return SparsePauliOp.from_sparse_list(
            [("".join(p for _, p in t), [q for q, _ in t], c) for c, t in ham], n
        )

    def state(self, circ):
        qc, _ = self._circuit(circ)
        qc.save_statevector()
        sim = self._sim()
        return lambda: sim.run(qc, shots=1).result().data(0)["statevector"]

    def amps(self, circ, indices):
        qc, _ = self._circuit(circ)
        qc.save_amplitudes([int(i) for i in indices])
        sim = self._sim()
        return lambda: np.asarray(sim.run(qc, shots=1).result().data(0)["amplitudes"])

    def batch_values(self, circ, ham):
        qc, params = self._circuit(circ)
        qc.save_expectation_value(self._op(circ.n, ham), range(circ.n))
        f = self._batch(qc, params, lambda d: d["expectation_value"])
        return lambda batch: np.array(f(batch), dtype=float)

    def expval(self, circ, ham):
        f = self.batch_values(circ, ham)
        return lambda angles: float(f(angles)[0])

    def batch_zs(self, circ):
        qc, params = self._circuit(circ)
        for i in range(circ.n):
            qc.save_expectation_value(SparsePauliOp("Z"), [i], label=f"z{i}")
        f = self._batch(qc, params, lambda d: [d[f"z{i}"] for i in range(circ.n)])
        return lambda batch: np.array(f(batch), dtype=float)

    def batch_grad(self, circ, ham, trainable):
        f = self.batch_values(circ, ham)

        def run(batch):  # one job with every shifted point of every sample
            b, k, m = len(batch), len(trainable), 2 * len(trainable) + 1
            pts = np.repeat(batch[:, None], m, axis=1)
            for j, s in enumerate(trainable):
                pts[:, 2 * j, s] += np.pi / 2
                pts[:, 2 * j + 1, s] -= np.pi / 2
            v, g = f(pts.reshape(b * m, -1)).reshape(b, m), np.zeros(batch.shape)
            g[:, trainable] = (v[:, 0 : 2 * k : 2] - v[:, 1 : 2 * k : 2]) / 2
            return v[:, -1], g

        return run

    def batch_vector(self, circ):
        qc, params = self._circuit(circ)
        qc.save_statevector()
        f = self._batch(qc, params, lambda d: np.asarray(d["statevector"]))
        return lambda batch: np.array(f(batch))

    def sampler(self, circ, angles):
        qc, params = self._circuit(circ)
        qc = qc.assign_parameters(dict(zip(params, angles, strict=True)))
        qc.measure_all()
        sim = self._sim()
        return lambda shots: sim.run(qc, shots=shots).result().data(0)["counts"]

    def counts(self, native):
        return {int(k, 16): v for k, v in native.items()}

    def noise(self, circ, angles, p):
        err = depolarizing_error(4 * p / 3, 1)
        qc = QuantumCircuit(circ.n)
        for g in circ.gates:
            append(qc, g, float(angles[g.slot]) if g.slot is not None else None)
            for q in g.qubits:
                qc.append(err, [q])
        for i in range(circ.n):
            qc.save_expectation_value(SparsePauliOp("Z"), [i], label=f"z{i}")
        sim = self._sim()

        def run(trajectories):
            d = sim.run(qc, shots=trajectories).result().data(0)
            return np.array([d[f"z{i}"] for i in range(circ.n)])

        return run

    def gates(self, n, gates, psi0):
        def build(ops):
            qc = QuantumCircuit(n)
            qc.set_statevector(psi0)
            for g in ops:
                append(qc, g)
            qc.save_statevector()
            sim = self._sim(fusion_enable=False)
            return lambda: sim.run(qc, shots=1).result().data(0)["statevector"]

        return build(gates), build([])


PEER = Peer
