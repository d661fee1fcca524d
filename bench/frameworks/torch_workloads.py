"""What a step of a layer costs beside the same arithmetic on arrays."""

import numpy as np
import torch

import qsim
from qsim.torch import QuantumLayer


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


def layer(num_qubits: int, layers: int, batch: int):
    """Loss: the sum of all values; its gradient by the weights."""

    def prepare():
        torch.set_num_threads(1)
        inputs, weights = data(num_qubits, layers, batch)
        module = QuantumLayer(circuit(num_qubits, layers), ["Z0"], threads=1)
        with torch.no_grad():
            module.w.copy_(torch.tensor(weights))
        batches = torch.tensor(inputs)

        def step(call):
            module.zero_grad()
            values = module(batches + 1e-3 * call)
            values.sum().backward()
            return values.detach().numpy(), module.w.grad.numpy()

        return step

    return prepare


def arrays(num_qubits: int, layers: int, batch: int):
    def prepare():
        inputs, weights = data(num_qubits, layers, batch)
        program = qsim.compile(circuit(num_qubits, layers), ["Z0"], threads=1)

        def step(call):
            params = {"x": inputs + 1e-3 * call, "w": weights}
            values, gradients = program.value_and_gradient(params, wrt="w")
            return values, gradients["w"].sum((0, 1))

        return step

    return prepare


WORKLOADS = {
    f"torch-layer-n{n}-batch{batch}": {
        "qsim.torch.QuantumLayer": layer(n, layers, batch),
        "qsim on arrays": arrays(n, layers, batch),
    }
    for n, layers, batch in ((2, 1, 1), (4, 2, 32), (8, 3, 64))
}
