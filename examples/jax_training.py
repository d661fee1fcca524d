"""Train a data re-uploading model on a function of one variable, in one compiled JAX loop.

    python examples/jax_training.py [--steps 400]

Three qubits take up x twice, with trainable rotations in between; the prediction is a weighted sum of three
expectation values. Adam in a `jax.lax.scan` under `jax.jit` runs all steps: Python is not asked between the
first and the last, nor for a gradient. A second derivative is taken at the end. Needs JAX:
pip install ".[jax]".
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

import qsim

NUM_QUBITS, NUM_LAYERS, POINTS, STEPS = 3, 3, 64, 400
#: The least share of variance explained with which the example counts as a success.
LEAST_R2 = 0.99


@dataclass
class Outcome:
    """What the training gave."""

    losses: Any
    r2: float
    seconds: float
    curvature: float

    @property
    def is_good(self) -> bool:
        return self.r2 >= LEAST_R2

    def lines(self) -> list[str]:
        steps = len(self.losses)
        return [
            f"jax_training: {steps} steps of {POINTS} points in {self.seconds:.2f} s "
            f"({self.seconds / steps * 1e6:.0f} us each)",
            f"    loss {self.losses[0]:.4f} at first, {self.losses[-1]:.6f} at last, R2 {self.r2:.4f}",
            f"    second derivative of the loss by the first weight {self.curvature:.4f}",
        ]


def circuit() -> qsim.Circuit:
    """Layers of trainable rotations, with x in between and rings of CZ."""
    x = qsim.Parameter("x")
    w = qsim.ParameterVector("w", 2 * NUM_QUBITS * NUM_LAYERS)
    made, weights = qsim.Circuit(NUM_QUBITS), iter(w)
    for layer in range(NUM_LAYERS):
        for qubit in range(NUM_QUBITS):
            if layer:
                made.rx(x, qubit)
            made.ry(next(weights), qubit).rz(next(weights), qubit)
        for qubit in range(NUM_QUBITS):
            made.cz(qubit, (qubit + 1) % NUM_QUBITS)
    return made


def train(steps: int = STEPS, seed: int = 0) -> Outcome:
    """Fit sin(x) + cos(2 x) / 2 on [-pi, pi]."""
    import qsim.jax  # isort: skip (it says what to install where JAX is missing)
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(seed)
    x = jnp.linspace(-np.pi, np.pi, POINTS)
    wanted = jnp.sin(x) + 0.5 * jnp.cos(2 * x)
    model = qsim.jax.function(circuit(), [f"Z{q}" for q in range(NUM_QUBITS)], inputs=("x", "w"))
    params = {
        "w": jnp.asarray(rng.uniform(0, 2 * np.pi, model.shapes["w"])),
        "out": jnp.ones(NUM_QUBITS),
    }

    def predict(params: Any) -> Any:
        return model(x, params["w"]) @ params["out"]

    def loss(params: Any) -> Any:
        return ((predict(params) - wanted) ** 2).mean()

    def step(state: Any, count: Any) -> Any:
        params, mean, square = state
        value, slopes = jax.value_and_grad(loss)(params)
        mean = jax.tree.map(lambda m, s: 0.9 * m + 0.1 * s, mean, slopes)
        square = jax.tree.map(lambda v, s: 0.99 * v + 0.01 * s * s, square, slopes)

        def moved(p: Any, m: Any, v: Any) -> Any:
            return p - 0.05 * m / (1 - 0.9**count) / (jnp.sqrt(v / (1 - 0.99**count)) + 1e-8)

        return (jax.tree.map(moved, params, mean, square), mean, square), value

    @jax.jit
    def run(params: Any) -> Any:
        zeros = jax.tree.map(jnp.zeros_like, params)
        return jax.lax.scan(step, (params, zeros, zeros), jnp.arange(1.0, steps + 1))

    compiled = run.lower(params).compile()
    begun = time.perf_counter()
    (params, _, _), losses = jax.block_until_ready(compiled(params))
    seconds = time.perf_counter() - begun

    def of_first(weight: Any) -> Any:
        return loss({**params, "w": params["w"].at[0].set(weight)})

    curvature = jax.jit(jax.grad(jax.grad(of_first)))(params["w"][0])
    left = ((predict(params) - wanted) ** 2).mean() / wanted.var()
    return Outcome(np.asarray(losses), 1 - float(left), seconds, float(curvature))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        outcome = train(options.steps, options.seed)
    except ImportError as error:
        print(f"Not run: {error}", file=sys.stderr)
        return 0
    print("\n".join(outcome.lines()))
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
