"""What a step of a layer costs beside the same arithmetic on arrays."""

import torch
from layered import circuit, data, on_arrays

from qsim.torch import QuantumLayer


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


WORKLOADS = {
    f"torch-layer-n{n}-batch{batch}": {
        "qsim.torch.QuantumLayer": layer(n, layers, batch),
        "qsim on arrays": on_arrays(n, layers, batch),
    }
    for n, layers, batch in ((2, 1, 1), (4, 2, 32), (8, 3, 64))
}
