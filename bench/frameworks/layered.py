"""The circuit and the data of the workloads that train a layer."""

import numpy as np

import qsim


def circuit(num_qubits: int, layers: int) -> qsim.Circuit:
    x = qsim.ParameterVector("x", num_qubits)
    w = qsim.ParameterVector("w", 2 * num_qubits * layers)
    circuit, weights = qsim.Circuit(num_qubits), iter(w)
    for _ in range(layers):
        for qubit in range(num_qubits):
            circuit.ry(x[qubit], qubit)
        for qubit in range(num_qubits):
            circuit.ry(next(weights), qubit).rz(next(weights), qubit)
        for qubit in range(num_qubits):
            circuit.cx(qubit, (qubit + 1) % num_qubits)
    return circuit


def data(num_qubits: int, layers: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.uniform(0, 1, (batch, num_qubits)), rng.uniform(0, 6, 2 * num_qubits * layers)


def on_arrays(num_qubits: int, layers: int, batch: int):
    """The step without a framework: the values, and the gradient of their sum by the weights."""

    def prepare():
        inputs, weights = data(num_qubits, layers, batch)
        program = qsim.compile(circuit(num_qubits, layers), ["Z0"], threads=1)

        def step(call):
            params = {"x": inputs + 1e-3 * call, "w": weights}
            values, gradients = program.value_and_gradient(params, wrt="w")
            return values, gradients["w"].sum((0, 1))

        return step

    return prepare
