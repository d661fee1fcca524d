"""TensorCircuit-NG on the JAX backend: everything jit-compiled, batches by vmap, gradients by autodiff."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import tensorcircuit as tc

from circuits import matrix

from . import Adapter

NATIVE = {"h", "x", "y", "z", "cx", "cz", "swap", "rx", "ry", "rz"}


class Peer(Adapter):
    name, packages = "tensorcircuit", ("tensorcircuit-ng", "jax", "jaxlib")
    max_n: ClassVar[dict[str, int]] = {
        "state": 20,
        "expval": 12,
        "grad": 8,
        "batch_grad": 8,
        "batch_shift": 8,
    }  # larger: minutes of XLA compilation

    def __init__(self, precision, threads):
        super().__init__(precision, threads)
        tc.set_backend("jax")
        tc.set_dtype(precision)

    def _psi(self, circ):
        n = circ.n
        consts = {
            id(g): jnp.asarray(self._big(g), self.dtype)
            for g in circ.gates
            if g.slot is None and g.name not in NATIVE
        }

        def psi(angles, start=None):
            c = tc.Circuit(n, inputs=start) if start is not None else tc.Circuit(n)
            for g in circ.gates:
                q = [n - 1 - i for i in g.qubits]
                if g.slot is not None or (g.name in NATIVE and g.params):
                    getattr(c, g.name)(*q, theta=angles[g.slot] if g.slot is not None else g.params[0])
                elif g.name in NATIVE:
                    getattr(c, g.name)(*q)
                else:
                    c.any(*q[::-1], unitary=consts[id(g)])
            return c.state()

        return psi

    @staticmethod
    def _big(g):
        return matrix(g)

    def _angles(self, a):
        return jnp.asarray(a, jnp.float32 if self.precision == "complex64" else jnp.float64)

    def state(self, circ):
        start = np.zeros(2**circ.n, self.dtype)
        start[0] = 1
        f, start = jax.jit(lambda s: self._psi(circ)((), s)), jnp.asarray(start)
        return lambda: f(start).block_until_ready()

    def _energy(self, circ, ham):
        psi, code = self._psi(circ), {"X": 1, "Y": 2, "Z": 3}
        strings = np.zeros((len(ham), circ.n), int)
        for row, (_, t) in zip(strings, ham, strict=True):
            for q, p in t:
                row[circ.n - 1 - q] = code[p]
        mvp = tc.quantum.PauliStringSum2MVP(strings.tolist(), [c for c, _ in ham])

        def energy(angles):
            v = psi(angles)
            return jnp.real(jnp.vdot(v, mvp(v)))

        return energy

    def expval(self, circ, ham):
        f = jax.jit(self._energy(circ, ham))
        return lambda angles: float(f(self._angles(angles)))

    def batch_values(self, circ, ham):
        f = jax.jit(jax.vmap(self._energy(circ, ham)))
        return lambda batch: np.asarray(f(self._angles(batch)))

    def hessian(self, circ, ham):
        f = jax.jit(jax.hessian(self._energy(circ, ham)))
        return lambda angles: np.asarray(f(self._angles(angles)))

    def grad(self, circ, ham, trainable):
        f = jax.jit(jax.value_and_grad(self._energy(circ, ham)))

        def run(angles):
            v, g = f(self._angles(angles))
            return float(v), np.asarray(g)

        return run

    def batch_zs(self, circ):
        psi, n = self._psi(circ), circ.n

        def zs(angles):
            prob = jnp.abs(psi(angles)) ** 2
            return jnp.stack(
                [jnp.sum(prob.reshape(-1, 2, 2**q), axis=(0, 2)) @ jnp.array([1.0, -1.0]) for q in range(n)]
            )

        f = jax.jit(jax.vmap(zs))
        return lambda batch: np.asarray(f(self._angles(batch)))

    def batch_grad(self, circ, ham, trainable):
        f = jax.jit(jax.vmap(jax.value_and_grad(self._energy(circ, ham))))

        def run(batch):
            v, g = f(self._angles(batch))
            return np.asarray(v), np.asarray(g)

        return run

    def batch_vector(self, circ):
        f = jax.jit(jax.vmap(self._psi(circ)))
        return lambda batch: np.asarray(f(self._angles(batch)))

    def gram(self, circ):
        psi = jax.vmap(self._psi(circ))

        def fidelities(batch):
            states = psi(batch)
            return jnp.abs(states @ states.conj().T) ** 2

        f = jax.jit(fidelities)
        return lambda batch: np.asarray(f(self._angles(batch)))

    def sampler(self, circ, angles):
        psi, _n = self._psi(circ), circ.n

        @jax.jit
        def draw(a, key):
            cdf = jnp.cumsum(jnp.abs(psi(a)) ** 2)
            return jnp.searchsorted(cdf, jax.random.uniform(key, (10**6,), cdf.dtype) * cdf[-1])

        key = jax.random.PRNGKey(0)
        return lambda shots: np.asarray(draw(self._angles(angles), key))[:shots]

    def gates(self, n, gates, psi0):
        from circuits import Circuit

        one = jax.jit(lambda s: self._psi(Circuit(n, list(gates)))((), s))
        state = jnp.asarray(psi0.astype(self.dtype))
        return lambda: one(state).block_until_ready(), None


PEER = Peer
