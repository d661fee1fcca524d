"""Adapter base class and registry.

An adapter turns neutral circuits into one simulator's own objects.  Every
method *builds* (untimed as execution, reported as build time) and returns a
function that is timed.  Leave a method out and the workload is reported as
unsupported for that peer.  See README.md, "Adding an adapter".
"""

import importlib
from typing import ClassVar

import numpy as np

# Precisions offered and environment needed by each peer, known without importing it.
PEERS = {
    "qsim": {"env": lambda t: {"QSIM_BACKEND": "cpp"}},
    "qulacs": {"precisions": ["complex128"], "env": lambda t: {"QULACS_NUM_THREADS": str(t)}},
    "qsimcirq": {"precisions": ["complex64"]},
    "lightning": {},
    "mindquantum": {},
    "aer": {},
    "qibojit": {},
    "tensorcircuit": {"env": lambda t: {"JAX_PLATFORMS": "cpu"}},
    "pyqrack": {"precisions": ["complex64"]},
    "ddsim": {"precisions": ["complex128"]},
    "quimb": {"precisions": ["complex128"]},
}


class Unsupported(Exception):
    pass


class Adapter:
    name = ""
    packages = ()  # distributions whose versions are reported
    max_n: ClassVar[dict[str, int]] = {}  # op -> largest n worth trying

    def __init__(self, precision, threads):
        self.precision, self.threads = precision, threads
        self.dtype = np.dtype(precision)

    def details(self):
        """Facts about the build that belong beside the results, such as the instruction set."""
        return {}

    # -- to implement (each returns a function) ------------------------------
    def state(self, circ):
        """() -> native state handle"""
        raise Unsupported("state")

    def numpy(self, native, n):
        """native state handle -> little-endian numpy vector (not timed)"""
        return np.asarray(native)

    def expval(self, circ, ham):
        """angles -> float"""
        raise Unsupported("expval")

    def zs(self, circ):
        """angles -> array of <Z_i>"""
        raise Unsupported("zs")

    def vector(self, circ):
        """angles -> numpy state vector"""
        raise Unsupported("vector")

    def sampler(self, circ, angles):
        """shots -> native outcomes; ``counts(native)`` -> {int: count}"""
        raise Unsupported("sampler")

    def noise(self, circ, angles, p):
        """trajectories -> mean <Z_i>, depolarizing(p) on each touched qubit after each gate"""
        raise Unsupported("noise")

    def hessian(self, circ, ham):
        """angles -> second derivatives by them"""
        raise Unsupported("hessian")

    def gates(self, n, gates, psi0):
        """(run, base): ``run`` applies the gates and returns a native state.  If a run cannot
        start from a live state, ``base`` does everything but the gates and is subtracted."""
        raise Unsupported("gates")

    # -- with defaults ---------------------------------------------------------
    def amps(self, circ, indices):
        run = self.state(circ)
        return lambda: self.numpy(run(), circ.n)[indices]

    def grad(self, circ, ham, trainable):
        """angles -> (value, d/d(angles)); default: parameter shift."""
        f = self.batch_values(circ, ham)

        def run(angles):
            pts = np.repeat(np.asarray(angles)[None], 2 * len(trainable) + 1, axis=0)
            for k, s in enumerate(trainable):
                pts[2 * k, s] += np.pi / 2
                pts[2 * k + 1, s] -= np.pi / 2
            v, g = f(pts), np.zeros(len(angles))
            g[trainable] = (v[0:-1:2] - v[1:-1:2]) / 2
            return v[-1], g

        return run

    def batch_shift(self, circ, ham, trainable):
        """The same for a batch, by parameter shifts."""
        f = Adapter.grad(self, circ, ham, trainable)

        def run(batch):
            res = [f(a) for a in batch]
            return np.array([r[0] for r in res]), np.array([r[1] for r in res])

        return run

    def batch_values(self, circ, ham):
        f = self.expval(circ, ham)
        return lambda batch: np.array([f(a) for a in batch])

    def batch_zs(self, circ):
        f = self.zs(circ)
        return lambda batch: np.array([f(a) for a in batch])

    def batch_grad(self, circ, ham, trainable):
        f = self.grad(circ, ham, trainable)

        def run(batch):
            res = [f(a) for a in batch]
            return np.array([r[0] for r in res]), np.array([r[1] for r in res])

        return run

    def batch_vector(self, circ):
        f = self.vector(circ)
        return lambda batch: np.array([f(a) for a in batch])

    def gram(self, circ):
        """batch -> fidelities of all pairs: states, then one matrix product."""
        f = self.batch_vector(circ)

        def run(batch):
            states = np.asarray(f(batch))
            return abs(states @ states.conj().T) ** 2

        return run

    def counts(self, native):
        values, counts = np.unique(np.asarray(native), return_counts=True)
        return dict(zip(values.tolist(), counts.tolist(), strict=True))


def load(name):
    return importlib.import_module(f"adapters.{name}").PEER
