"""PennyLane lightning.qubit (C++).  Tapes are handed straight to the device: no QNode, no transforms."""

import numpy as np
import pennylane as qml
from pennylane.devices import ExecutionConfig
from pennylane.tape import QuantumScript

from circuits import matrix

from . import Adapter

OPS = {
    "h": qml.Hadamard,
    "x": qml.X,
    "y": qml.Y,
    "z": qml.Z,
    "sx": qml.SX,
    "cx": qml.CNOT,
    "cz": qml.CZ,
    "swap": qml.SWAP,
    "ccx": qml.Toffoli,
    "rx": qml.RX,
    "ry": qml.RY,
    "rz": qml.RZ,
    "rzz": qml.IsingZZ,
    "p": qml.PhaseShift,
    "cp": qml.ControlledPhaseShift,
}
OBS = {"X": qml.X, "Y": qml.Y, "Z": qml.Z}


class Peer(Adapter):
    name, packages = "lightning", ("pennylane", "pennylane-lightning")

    def _device(self, n, **kw):
        return qml.device("lightning.qubit", wires=n, c_dtype=self.dtype.type, **kw)

    def _ops(self, circ):
        """angles -> list of operations; constant operations are built once."""
        n, plan = circ.n, []
        for g in circ.gates:
            wires = [n - 1 - q for q in g.qubits]
            if g.slot is not None:
                plan.append((OPS[g.name], wires, g.slot))
            elif g.name in OPS:
                plan.append((None, OPS[g.name](*g.params, wires=wires), None))
            else:  # PennyLane matrices have their first wire as the most significant bit
                plan.append((None, qml.QubitUnitary(matrix(g), wires=wires[::-1]), None))
        return lambda angles: [b if a is None else a(float(angles[s]), wires=b) for a, b, s in plan]

    def _ham(self, n, ham):
        terms = [
            qml.prod(*[OBS[p](n - 1 - q) for q, p in t]) if len(t) > 1 else OBS[t[0][1]](n - 1 - t[0][0])
            for _, t in ham
        ]
        return qml.Hamiltonian([c for c, _ in ham], terms)

    def _execute(self, circ, measurements, **kw):
        dev, ops = self._device(circ.n, **kw), self._ops(circ)
        cfg = ExecutionConfig()
        return lambda angles, shots=None: dev.execute(
            [QuantumScript(ops(angles), measurements, shots=shots)], cfg
        )[0]

    def state(self, circ):
        dev, ops = self._device(circ.n), self._ops(circ)(())
        sv = dev.LightningStateVector(circ.n, dtype=self.dtype.type)

        def run():
            sv.reset_state()
            sv._apply_lightning(ops)
            return sv

        return run

    def numpy(self, native, n):
        return native.state

    def expval(self, circ, ham):
        f = self._execute(circ, [qml.expval(self._ham(circ.n, ham))])
        return lambda angles: float(f(angles))

    def batch_values(self, circ, ham):
        """All circuits in one call of the device."""
        dev, ops, cfg = self._device(circ.n), self._ops(circ), ExecutionConfig()
        meas = [qml.expval(self._ham(circ.n, ham))]
        return lambda batch: np.array(dev.execute([QuantumScript(ops(a), meas) for a in batch], cfg), float)

    def zs(self, circ):
        f = self._execute(circ, [qml.expval(qml.Z(circ.n - 1 - i)) for i in range(circ.n)])
        return lambda angles: np.array(f(angles), dtype=float).ravel()

    def vector(self, circ):
        return self._execute(circ, [qml.state()])

    def grad(self, circ, ham, trainable):
        dev, ops = self._device(circ.n, batch_obs=False), self._ops(circ)
        meas, cfg = [qml.expval(self._ham(circ.n, ham))], ExecutionConfig(gradient_method="adjoint")
        # tape parameters are numbered in gate order and include constant-gate parameters
        index, k = {}, 0
        for g in circ.gates:
            if g.slot is not None:
                index[g.slot] = k
            k += 1 if (g.slot is not None or g.params or g.name not in OPS) else 0
        wanted = sorted((index[s], s) for s in trainable)
        slots, params = [s for _, s in wanted], [i for i, _ in wanted]

        def run(angles):
            tape = QuantumScript(ops(angles), meas, trainable_params=params)
            (value,), (jac,) = dev.execute_and_compute_derivatives([tape], cfg)
            g = np.zeros(len(angles))
            g[slots] = np.array(jac, dtype=float).ravel()
            return float(np.squeeze(value)), g

        return run

    def sampler(self, circ, angles):
        f = self._execute(circ, [qml.sample()])
        return lambda shots: f(angles, shots)

    def counts(self, native):
        bits = np.asarray(native).astype(np.int64)
        return super().counts(bits @ (1 << np.arange(bits.shape[1])[::-1]))

    def gates(self, n, gates, psi0):
        sv = self._device(n).LightningStateVector(n, dtype=self.dtype.type)
        sv._apply_state_vector(psi0.astype(self.dtype), qml.wires.Wires(range(n)))
        ops = []
        for g in gates:
            wires = [n - 1 - q for q in g.qubits]
            ops.append(
                OPS[g.name](*g.params, wires=wires)
                if g.name in OPS
                else qml.QubitUnitary(matrix(g), wires=wires[::-1])
            )

        def run():
            sv._apply_lightning(ops)
            return sv

        return run, None


PEER = Peer
