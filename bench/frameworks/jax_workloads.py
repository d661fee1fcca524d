"""What a step under ``jax.jit`` costs beside the same arithmetic on arrays."""

import jax
import numpy as np
from layered import circuit, data, on_arrays

import qsim.jax

jax.config.update("jax_enable_x64", True)


def under_jit(num_qubits: int, layers: int, batch: int):
    """Loss: the sum of all values; its gradient by the weights, and the values."""

    def prepare():
        inputs, weights = data(num_qubits, layers, batch)
        model = qsim.jax.function(circuit(num_qubits, layers), ["Z0"], ("x", "w"), threads=1)

        def loss(weights, inputs):
            values = model(inputs, weights)
            return values.sum(), values

        compiled = jax.jit(jax.grad(loss, has_aux=True))
        weights = jax.numpy.asarray(weights)

        def step(call):
            slopes, values = compiled(weights, inputs + 1e-3 * call)
            return np.asarray(values), np.asarray(slopes)

        return step

    return prepare


WORKLOADS = {
    f"jax-step-n{n}-batch{batch}": {
        "qsim.jax under jit": under_jit(n, layers, batch),
        "qsim on arrays": on_arrays(n, layers, batch),
    }
    for n, layers, batch in ((2, 1, 1), (4, 2, 32), (8, 3, 64))
}
