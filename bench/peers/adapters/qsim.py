"""qsim, this project: one Program per circuit, angles as one array, a batch in one call."""

import numpy as np

import qsim
from circuits import Circuit, matrix
from qsim import _core
from qsim.backends.base import get_backend
from qsim.program.flow import compile_flow
from qsim.program.slots import SlotAllocator
from qsim.quantum_kernels import FidelityKernel

from . import Adapter

NATIVE = {"h", "x", "y", "z", "sx", "cx", "cz", "swap", "ccx", "rx", "ry", "rz", "rzz", "p", "cp"}


class Peer(Adapter):
    name, packages = "qsim", ()

    def __init__(self, precision, threads):
        super().__init__(precision, threads)
        self.options = {"precision": "single" if precision == "complex64" else "double", "threads": threads}

    def details(self):
        return {"version": qsim.__version__, "isa": _core.isa()}

    @staticmethod
    def _circuit(circ, angles=None):
        """Slots become parameters in their order, or constants where `angles` are given."""
        slots = qsim.ParameterVector("a", len(circ.sources)) if angles is None else angles
        circuit = qsim.Circuit(circ.n)
        for gate in circ.gates:
            if gate.name in NATIVE:
                params = gate.params if gate.slot is None else (slots[gate.slot],)
                circuit.append(gate.name, params, gate.qubits)
            else:
                circuit.unitary(matrix(gate), gate.qubits)
        return circuit

    def _program(self, circ, observables=None, angles=None):
        return qsim.compile(self._circuit(circ, angles), observables=observables, **self.options)

    @staticmethod
    def _observable(ham):
        return qsim.PauliSum({" ".join(f"{p}{q}" for q, p in term): c for c, term in ham})

    def state(self, circ):
        return self._program(circ).statevector

    def vector(self, circ):
        return self._program(circ).statevector

    def batch_vector(self, circ):
        return self._program(circ).statevector

    def gram(self, circ):
        data = qsim.ParameterVector("x", len(circ.sources))
        return FidelityKernel(self._circuit(circ, data), **self.options)

    def expval(self, circ, ham):
        return self._program(circ, self._observable(ham)).expectation

    def batch_values(self, circ, ham):
        return self._program(circ, self._observable(ham)).expectation

    def zs(self, circ):
        return self._program(circ, [qsim.PauliSum({f"Z{i}": 1.0}) for i in range(circ.n)]).expectation

    def batch_zs(self, circ):
        return self.zs(circ)

    def grad(self, circ, ham, trainable, **method):
        """Adjoint differentiation, of one row of angles or a batch of them."""
        program = self._program(circ, self._observable(ham))
        every = len(trainable) == len(circ.sources)
        weights = None if every else [f"a[{slot}]" for slot in trainable]

        def run(angles):
            value, some = program.value_and_gradient(angles, wrt=weights, **method)
            if every:
                return value, some
            gradient = np.zeros(angles.shape)
            gradient[..., trainable] = some
            return value, gradient

        return run

    def batch_grad(self, circ, ham, trainable):
        return self.grad(circ, ham, trainable)

    def batch_shift(self, circ, ham, trainable):
        return self.grad(circ, ham, trainable, method="parameter_shift")

    def hessian(self, circ, ham):
        return self._program(circ, self._observable(ham)).hessian

    def sampler(self, circ, angles):
        program = self._program(circ, angles=angles)
        return lambda shots: program.sample(shots=shots, seed=1).ints

    def gates(self, n, gates, psi0):
        """In place and one gate at a time, below the Program, which starts from a state of its own."""
        backend, state = get_backend(), psi0.astype(self.dtype)[None]
        circuits = [self._circuit(Circuit(n, [gate])) for gate in gates]
        tapes = [compile_flow(circuit, SlotAllocator(())).tapes[0] for circuit in circuits]
        handles = [backend.compile(tape) for tape in tapes]
        angles = np.zeros((1, 0))

        def run():
            for handle in handles:
                backend.apply(handle, state, angles, self.threads)
            return state[0]

        return run, None


PEER = Peer
