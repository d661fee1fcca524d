"""A result that misses the reference gets no time."""

import os

import numpy as np

import reference
from circuits import matrix, random_state, z_mean

TOLERANCE = {"complex64": 1e-5, "complex128": 1e-9}
#: Largest number of qubits for which the NumPy reference is affordable; 16 for operations not listed.
REFERENCE_QUBITS = {
    "state": 20,
    "amps": 20,
    "gates": 22,
    "expval": 16,
    "grad": 16,
    "batch_grad": 8,
    "batch_shift": 8,
    "sample": 20,
    "noise": 5,
}


def expected(case):
    """The result of a case by ``reference.py``."""
    spec = case.make()
    circ = spec.get("circ")
    angles = circ.angles(spec.get("w", ()), spec.get("x")) if circ else None
    if case.op == "state":
        return reference.state(circ)
    if case.op == "amps":
        return reference.state(circ)[spec["amps"]]
    if case.op in ("expval", "overhead"):
        return np.array([reference.expval(circ, spec["ham"], angles)])
    if case.op == "grad":
        value, gradient = reference.grad(circ, spec["ham"], angles)
        return np.concatenate([[value], gradient @ circ.chain(len(spec["w"]))])
    if case.op == "batch_expval":
        return np.array([reference.zs(reference.state(circ, row), case.n) for row in angles])
    if case.op == "hessian":
        chain = circ.chain(len(spec["w"]))
        return chain.T @ reference.hessian(circ, spec["ham"], angles) @ chain
    if case.op in ("batch_grad", "batch_shift"):
        pairs = [reference.grad(circ, z_mean(case.n), row) for row in angles]
        values, gradients = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
        chained = (spec["y"] @ gradients) @ circ.chain(len(spec["w"]))
        return np.concatenate([[spec["y"] @ values], chained]) / len(angles)
    if case.op == "kernel":
        states = np.array([reference.state(circ, row) for row in angles])
        return abs(states @ states.conj().T) ** 2
    if case.op == "sample":
        probabilities = abs(reference.state(circ, angles)) ** 2
        index = np.arange(len(probabilities))
        z = [probabilities @ (1 - 2 * ((index >> q) & 1)) for q in range(case.n)]
        zz = [probabilities @ (1 - 2 * ((index >> q ^ index >> (q + 1)) & 1)) for q in range(case.n - 1)]
        return np.array([spec["shots"], *z, *zz])
    if case.op == "noise":
        return reference.noisy_zs(circ, angles, spec["p"])
    if case.op == "gates":
        psi = random_state(case.n)
        for gate in spec["gates"]:
            psi = reference.apply(psi, case.n, matrix(gate), gate.qubits)
        return psi
    raise KeyError(case.op)


class Checker:
    """Keeps one reference per case: NumPy where affordable, otherwise the first result.

    Workers in complex128 go first, so the first result is a complex128 one wherever a peer has it.
    """

    def __init__(self, folder):
        self.folder, self.references = folder, {}

    def reference(self, case):
        """(name, value), or None where there is none yet."""
        if case.name not in self.references and case.n <= REFERENCE_QUBITS.get(case.op, 16):
            path = os.path.join(self.folder, f"ref-{case.name}.npy")
            if not os.path.exists(path):
                np.save(path, expected(case))
            self.references[case.name] = ("numpy", np.load(path))
        return self.references.get(case.name)

    def check(self, case, peer, precision, got):
        """(error, tolerance, name of the reference)"""
        tolerance, ref = TOLERANCE[precision], self.reference(case)
        if ref is None:
            self.references[case.name] = (f"{peer}/{precision}", np.array(got))
            return 0.0, tolerance, "self (first result)"
        name, value = ref
        if "complex64" in name:
            tolerance = TOLERANCE["complex64"]
        if case.op in ("state", "gates"):
            infidelity, norm = reference.fidelity_error(value, got)
            return max(infidelity, norm / 10), tolerance, name
        if case.op == "amps":  # up to a global phase, and in units of a typical amplitude
            largest = abs(value).argmax()
            difference = np.abs(value / value[largest] * got[largest] - got).max()
            return float(difference * 2 ** (case.n / 2)), tolerance * 10, name
        difference = float(np.abs(value - got).max())
        if case.op == "sample":
            return difference, 6e-3, name
        if case.op == "noise":
            return difference, 5 / np.sqrt(4000 if case.n <= 5 else 100), name
        return difference / max(1.0, float(np.abs(value).max())), tolerance, name

    def forget(self, case):
        """Free the memory of a large reference."""
        if case.n >= 22:
            self.references.pop(case.name, None)
