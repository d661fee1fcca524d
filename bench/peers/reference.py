"""Slow, simple numpy reference used to check every peer."""

import numpy as np

from circuits import FIXED, PAULI, matrix


def apply(psi, n, m, qubits):
    """Apply little-endian matrix m to ``qubits``; trailing axes of psi are a batch."""
    k, rest = len(qubits), psi.shape[1:]
    t = psi.reshape((2,) * n + rest)
    axes = [n - 1 - q for q in reversed(qubits)]
    t = np.tensordot(m.reshape((2,) * (2 * k)), t, axes=(list(range(k, 2 * k)), axes))
    return np.moveaxis(t, list(range(k)), axes).reshape((2**n, *rest))


def state(circ, angles=()):
    psi = np.zeros(2**circ.n, complex)
    psi[0] = 1
    for g in circ.gates:
        psi = apply(psi, circ.n, matrix(g, angles), g.qubits)
    return psi


def _parity(v):
    v = v.copy()
    for s in (16, 8, 4, 2, 1):
        v ^= v >> s
    return v & 1


def apply_ham(ham, psi, n):
    idx, out = np.arange(2**n), np.zeros_like(psi)
    for coef, term in ham:
        x = sum(1 << q for q, p in term if p in "XY")
        z = sum(1 << q for q, p in term if p in "YZ")
        ny = sum(p == "Y" for _, p in term)
        src = idx ^ x
        out += coef * 1j**ny * (1 - 2 * _parity(src & z)) * psi[src]
    return out


def expval(circ, ham, angles):
    psi = state(circ, angles)
    return float(np.vdot(psi, apply_ham(ham, psi, circ.n)).real)


def zs(psi, n):
    prob = abs(psi) ** 2
    return np.array([prob.reshape(-1, 2, 2**q).sum(axis=(0, 2)) @ [1, -1] for q in range(n)])


def grad(circ, ham, angles):
    """Value and d/d(angles) by the adjoint method."""
    psi = state(circ, angles)
    lam = apply_ham(ham, psi, circ.n)
    value, g = float(np.vdot(psi, lam).real), np.zeros(len(angles))
    for gate in reversed(circ.gates):
        if gate.slot is not None:
            gen = FIXED[PAULI[gate.name]] if gate.name in PAULI else np.diag([1, -1, -1, 1]).astype(complex)
            g[gate.slot] += np.vdot(lam, apply(psi, circ.n, gen, gate.qubits)).imag
        m = matrix(gate, angles).conj().T
        psi, lam = apply(psi, circ.n, m, gate.qubits), apply(lam, circ.n, m, gate.qubits)
    return value, g


def hessian(circ, ham, angles):
    """Second derivatives by the angles, each of one Pauli rotation: two shift rules, one after the other."""

    def f(*moves):
        moved = np.array(angles, float)
        for slot, shift in moves:
            moved[slot] += shift
        return expval(circ, ham, moved)

    count, half = len(angles), np.pi / 2
    out, here = np.empty((count, count)), f()
    for i in range(count):
        out[i, i] = (f((i, np.pi)) - here) / 2
        for j in range(i):
            signs = [(a, b) for a in (1, -1) for b in (1, -1)]
            out[i, j] = out[j, i] = sum(a * b * f((i, a * half), (j, b * half)) for a, b in signs) / 4
    return out


def noisy_zs(circ, angles, p):
    """Exact <Z_i> with depolarizing(p) after every gate on every touched qubit."""
    n = circ.n
    rho = np.zeros((2**n, 2**n), complex)
    rho[0, 0] = 1

    def both(r, m, qs):
        r = apply(r, n, m, qs)
        return apply(r.conj().T.copy(), n, m, qs).conj().T

    for g in circ.gates:
        rho = both(rho, matrix(g, angles), g.qubits)
        for q in g.qubits:
            rho = (1 - p) * rho + sum(p / 3 * both(rho, FIXED[s], (q,)) for s in "xyz")
    return zs(np.sqrt(abs(np.diag(rho))), n)


def fidelity_error(a, b, block=1 << 20):
    """(infidelity, norm error) of state b against reference a, accumulated in double precision."""
    ab = aa = bb = 0.0
    for i in range(0, len(a), block):
        x, y = a[i : i + block].astype(np.complex128), b[i : i + block].astype(np.complex128)
        ab, aa, bb = ab + np.vdot(x, y), aa + np.vdot(x, x).real, bb + np.vdot(y, y).real
    return abs(1 - abs(ab) ** 2 / (aa * bb)), abs(1 - np.sqrt(bb / aa))
