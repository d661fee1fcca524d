"""What a step under ``jax.jit`` costs beside the same arithmetic on arrays, and in another simulator."""

import jax
import numpy as np
from layered import circuit, data, on_arrays

import qsim
import qsim.jax

jax.config.update("jax_enable_x64", True)


def trained(model, weights, inputs):
    """Loss: the sum of all values; its gradient by the weights, and the values."""

    def loss(weights, inputs):
        values = model(inputs, weights)
        return values.sum(), values

    compiled = jax.jit(jax.grad(loss, has_aux=True))
    weights = jax.numpy.asarray(weights)

    def step(call):
        slopes, values = compiled(weights, inputs + 1e-3 * call)
        return np.asarray(values), np.asarray(slopes)

    return step


def in_core(num_qubits: int, layers: int, batch: int):
    def prepare():
        inputs, weights = data(num_qubits, layers, batch)
        model = qsim.jax.function(circuit(num_qubits, layers), ["Z0"], ("x", "w"), threads=1)
        return trained(model, weights, inputs)

    return prepare


def by_callbacks(num_qubits: int, layers: int, batch: int):
    """The same, kept from the core's foreign functions by a limit of memory that is never met."""

    def prepare():
        inputs, weights = data(num_qubits, layers, batch)
        program = qsim.compile(circuit(num_qubits, layers), threads=1, max_memory="1 GB")
        return trained(qsim.jax.function(program, ["Z0"], ("x", "w")), weights, inputs)

    return prepare


def pennylane(num_qubits: int, layers: int, batch: int):
    """PennyLane's own differentiation: JAX sees every gate."""

    def prepare():
        import pennylane as qml

        inputs, weights = data(num_qubits, layers, batch)

        @qml.qnode(qml.device("default.qubit", wires=num_qubits), interface="jax", diff_method="backprop")
        def node(x, w):
            for layer in range(layers):
                for qubit in range(num_qubits):
                    qml.RY(x[:, qubit], wires=qubit)
                for qubit in range(num_qubits):
                    first = 2 * (layer * num_qubits + qubit)
                    qml.RY(w[first], wires=qubit)
                    qml.RZ(w[first + 1], wires=qubit)
                for qubit in range(num_qubits):
                    qml.CNOT(wires=[qubit, (qubit + 1) % num_qubits])
            return qml.expval(qml.Z(0))

        return trained(node, weights, inputs)

    return prepare


WORKLOADS = {
    f"jax-step-n{n}-batch{batch}": {
        "qsim.jax under jit": in_core(n, layers, batch),
        "qsim.jax by callbacks": by_callbacks(n, layers, batch),
        "qsim on arrays": on_arrays(n, layers, batch),
        "default.qubit under jit": pennylane(n, layers, batch),
    }
    for n, layers, batch in ((2, 1, 1), (4, 2, 32), (8, 3, 64))
}
