"""Qiskit's primitives and qiskit-machine-learning's networks, with each of their simulators."""

import numpy as np
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp


def ansatz(num_qubits: int, layers: int) -> tuple[QuantumCircuit, list, list]:
    """Layers of data and weights on every qubit, and a ring of CX."""
    data, weights = ParameterVector("x", num_qubits), ParameterVector("w", 2 * num_qubits * layers)
    circuit, free = QuantumCircuit(num_qubits), iter(weights)
    for _ in range(layers):
        for qubit in range(num_qubits):
            circuit.ry(data[qubit], qubit)
        for qubit in range(num_qubits):
            circuit.ry(next(free), qubit)
            circuit.rz(next(free), qubit)
        for qubit in range(num_qubits):
            circuit.cx(qubit, (qubit + 1) % num_qubits)
    return circuit, list(data), list(weights)


def observable(num_qubits: int) -> SparsePauliOp:
    """The transverse-field Ising chain."""
    fields = [("X", [q], 0.5) for q in range(num_qubits)]
    bonds = [("ZZ", [q, q + 1], 1.0) for q in range(num_qubits - 1)]
    return SparsePauliOp.from_sparse_list(fields + bonds, num_qubits=num_qubits)


def own_estimator():
    from qsim.qiskit import QsimEstimator

    return QsimEstimator(options={"threads": 1})


def aer_estimator():
    from qiskit_aer.primitives import EstimatorV2

    return EstimatorV2(options={"backend_options": {"max_parallel_threads": 1}})


def estimates(num_qubits: int, layers: int, bindings: int, make):
    """One pub with a batch of bindings."""

    def prepare():
        circuit, _, _ = ansatz(num_qubits, layers)
        estimator, asked = make(), observable(num_qubits)
        values = np.random.default_rng(1).uniform(0, 6, (bindings, circuit.num_parameters))

        def step(call):
            job = estimator.run([(circuit, asked, values + 1e-3 * call)])
            return (job.result()[0].data.evs,)

        return step

    return prepare


def network(num_qubits: int, layers: int, batch: int, make, gradient=None):
    """EstimatorQNN forwards and backwards."""

    def prepare():
        from qiskit_machine_learning.neural_networks import EstimatorQNN

        circuit, data, weights = ansatz(num_qubits, layers)
        estimator = make()
        network = EstimatorQNN(
            circuit=circuit,
            observables=SparsePauliOp.from_sparse_list([("Z", [0], 1.0)], num_qubits=num_qubits),
            input_params=data,
            weight_params=weights,
            estimator=estimator,
            gradient=None if gradient is None else gradient(estimator),
            default_precision=0.0,
        )
        rng = np.random.default_rng(1)
        inputs, values = rng.uniform(0, 1, (batch, num_qubits)), rng.uniform(0, 6, len(weights))

        def step(call):
            rows = inputs + 1e-3 * call
            return network.forward(rows, values), network.backward(rows, values)[1]

        return step

    return prepare


def own_gradient(estimator):
    from qsim.qiskit import QsimEstimatorGradient

    return QsimEstimatorGradient(estimator)


def default_estimator():
    """What EstimatorQNN takes if it is given nothing."""
    from qiskit_machine_learning.primitives import QMLEstimator

    return QMLEstimator()


WORKLOADS = {
    "qiskit-estimator-n8-1000": {
        "qsim.qiskit.QsimEstimator": estimates(8, 3, 1000, own_estimator),
        "qiskit_aer EstimatorV2": estimates(8, 3, 1000, aer_estimator),
    },
    "qiskit-qnn-n6-batch64": {
        "qsim.qiskit, QsimEstimatorGradient": network(6, 2, 64, own_estimator, own_gradient),
        "EstimatorQNN's default": network(6, 2, 64, default_estimator),
    },
}
