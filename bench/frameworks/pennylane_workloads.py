"""PennyLane's workloads: a classifier under PyTorch, and the adjoint gradient of a big ansatz."""

import numpy as np
import pennylane as qml
import torch
from pennylane import numpy as pnp

QUBITS, LAYERS, BATCH = 8, 3, 64


def classifier(device: str, **how):
    """Forward and backward of a network: embedding, entangling layers, <Z> of each qubit, a linear layer."""

    def prepare():
        torch.set_num_threads(1)
        torch.manual_seed(1)
        dev = qml.device(device, wires=QUBITS)

        @qml.qnode(dev, interface="torch", **how)
        def circuit(inputs, weights):
            qml.AngleEmbedding(inputs, wires=range(QUBITS))
            qml.StronglyEntanglingLayers(weights, wires=range(QUBITS))
            return [qml.expval(qml.Z(k)) for k in range(QUBITS)]

        shape = qml.StronglyEntanglingLayers.shape(LAYERS, QUBITS)
        layer = qml.qnn.TorchLayer(circuit, {"weights": shape})
        model = torch.nn.Sequential(layer, torch.nn.Linear(QUBITS, 2)).double()
        rng = np.random.default_rng(1)
        inputs = torch.tensor(rng.uniform(0, np.pi, (BATCH, QUBITS)))
        labels = torch.tensor(rng.integers(0, 2, BATCH))

        def step(call):
            model.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(inputs + 1e-3 * call), labels)
            loss.backward()
            return loss.detach().numpy(), layer.weights.grad.numpy()

        return step

    return prepare


def ansatz(num_qubits: int, layers: int, device: str):
    """The gradient by all angles of <Z0> after layers of RY, RZ and a ring of CNOTs."""

    def prepare():
        dev = qml.device(device, wires=num_qubits)

        @qml.qnode(dev, diff_method="adjoint")
        def circuit(weights):
            for layer in weights:
                for k in range(num_qubits):
                    qml.RY(layer[k, 0], wires=k)
                    qml.RZ(layer[k, 1], wires=k)
                for k in range(num_qubits):
                    qml.CNOT(wires=[k, (k + 1) % num_qubits])
            return qml.expval(qml.Z(0))

        weights = np.random.default_rng(1).uniform(0, 6, (layers, num_qubits, 2))
        gradient = qml.grad(circuit)

        def step(call):
            return (np.asarray(gradient(pnp.array(weights + 1e-3 * call, requires_grad=True))),)

        return step

    return prepare


WORKLOADS = {
    f"pennylane-classifier-n{QUBITS}-batch{BATCH}": {
        "qsim.qubit": classifier("qsim.qubit"),
        "lightning.qubit adjoint": classifier("lightning.qubit", diff_method="adjoint"),
        "default.qubit backprop": classifier("default.qubit", diff_method="backprop"),
    },
    **{
        f"pennylane-adjoint-n{n}-layers10": {
            device: ansatz(n, 10, device) for device in ("qsim.qubit", "lightning.qubit")
        }
        for n in (12, 20)
    },
}
