"""Train a variational classifier on the handwritten digits that scikit-learn ships.

    python examples/digits.py [--steps 600] [--output DIRECTORY]

The 8 x 8 pictures are reduced to 24 numbers by principal components. Eight qubits take them up in three
layers of rotations by ``w * x + b``, with rings of CZ in between; a linear layer turns 24 expectation values
into the scores of the ten digits. All pictures of a minibatch are one batch of the circuit, and the gradient
of the loss by all its weights is one vector-Jacobian product. The accuracy on pictures not seen in training
stands beside that of a logistic regression on the same 24 numbers. The loss is plotted to digits.png (with
Matplotlib). Needs scikit-learn: pip install ".[sklearn]".
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import qsim
from qsim.optimize import Adam, minimize

OUTPUT = Path(__file__).parent / "output"
NUM_QUBITS, NUM_LAYERS, NUM_CLASSES = 8, 3, 10
NUM_FEATURES = NUM_QUBITS * NUM_LAYERS
BATCH, STEPS = 64, 600
#: The least accuracy on test pictures with which the example counts as a success.
LEAST_ACCURACY = 0.9


@dataclass
class Outcome:
    """What the training gave."""

    accuracy: float
    logistic_accuracy: float
    seconds: float
    losses: list[float] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return self.accuracy >= LEAST_ACCURACY

    def lines(self) -> list[str]:
        return [
            f"digits: {NUM_CLASSES} classes, {NUM_QUBITS} qubits, {len(self.losses)} steps of {BATCH} "
            f"pictures in {self.seconds:.1f} s",
            f"    loss {self.losses[0]:.3f} at first, {np.mean(self.losses[-20:]):.3f} at last",
            f"    test accuracy {self.accuracy:.3f}; logistic regression {self.logistic_accuracy:.3f}",
        ]


def load_data(seed: int) -> tuple[Any, Any, Any, Any]:
    """Training and test features, of about unit size, and labels."""
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pixels, labels = load_digits(return_X_y=True)
    split = train_test_split(pixels, labels, test_size=0.25, random_state=seed, stratify=labels)
    reduce = make_pipeline(PCA(NUM_FEATURES, random_state=seed), StandardScaler())
    return reduce.fit_transform(split[0]), reduce.transform(split[1]), split[2], split[3]


def classifier() -> qsim.Program:
    """The circuit and what is measured."""
    x = qsim.ParameterVector("x", NUM_FEATURES)
    w = qsim.ParameterVector("w", NUM_FEATURES)
    b = qsim.ParameterVector("b", 3 * NUM_FEATURES)
    circuit = qsim.Circuit(NUM_QUBITS)
    for k in range(NUM_FEATURES):
        layer, q = divmod(k, NUM_QUBITS)
        circuit.ry(w[k] * x[k] + b[3 * k], q).rz(b[3 * k + 1], q).ry(b[3 * k + 2], q)
        if q == NUM_QUBITS - 1 and layer < NUM_LAYERS - 1:
            for first in range(NUM_QUBITS):
                circuit.cz(first, (first + 1) % NUM_QUBITS)
    ring = [f"Z{q} Z{(q + 1) % NUM_QUBITS}" for q in range(NUM_QUBITS)]
    return qsim.compile(circuit, [f"{p}{q}" for p in "ZX" for q in range(NUM_QUBITS)] + ring)


#: Weights of the circuit's rotations, then of the linear layer.
SIZES = (NUM_FEATURES, 3 * NUM_FEATURES, NUM_CLASSES * 3 * NUM_QUBITS, NUM_CLASSES)


def split_weights(weights: Any) -> tuple[dict[str, Any], Any, Any]:
    """The circuit's parameters, the matrix and the offsets that a flat vector stands for."""
    w, b, matrix, offsets = np.split(weights, np.cumsum(SIZES)[:-1])
    return {"w": w, "b": b}, matrix.reshape(NUM_CLASSES, -1), offsets


def softmax(scores: Any) -> Any:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def train(steps: int, seed: int = 0, progress: bool = False) -> Outcome:
    """Train, and test on pictures not seen."""
    from sklearn.linear_model import LogisticRegression

    start = time.perf_counter()
    seen, unseen, labels, test_labels = load_data(seed)
    program = classifier()

    def loss(weights: Any, step: int) -> tuple[float, Any]:
        """Cross entropy of a minibatch that the number of the step chooses, and its gradient."""
        rows = np.random.default_rng([seed, step]).choice(len(seen), BATCH, replace=False)
        own, matrix, offsets = split_weights(weights)
        params = {"x": seen[rows], **own}
        values = program.expectation(params)
        chances = softmax(values @ matrix.T + offsets)
        right = np.eye(NUM_CLASSES)[labels[rows]]
        slope = (chances - right) / BATCH
        _, gradient = program.vjp(params, slope @ matrix, wrt=["w", "b"])
        parts = (
            gradient["w"].sum(axis=0),
            gradient["b"].sum(axis=0),
            (slope.T @ values).ravel(),
            slope.sum(axis=0),
        )
        return float(-np.log((chances * right).sum(axis=1)).mean()), np.concatenate(parts)

    first = np.random.default_rng(seed).normal(scale=0.3, size=sum(SIZES))
    first[:NUM_FEATURES] += 0.5
    found = minimize(loss, first, Adam(0.03), steps=steps, progress=progress)
    assert found.state is not None
    own, matrix, offsets = split_weights(found.state.x)
    scores = program.expectation({"x": unseen, **own}) @ matrix.T + offsets
    accuracy = float((scores.argmax(axis=1) == test_labels).mean())
    logistic = LogisticRegression(max_iter=2000).fit(seen, labels).score(unseen, test_labels)
    return Outcome(accuracy, float(logistic), time.perf_counter() - start, found.values)


def save_plot(outcome: Outcome, path: Path) -> None:
    """The loss of each step, and its running mean."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    axes.plot(outcome.losses, color="0.8", label="minibatch")
    width = min(20, len(outcome.losses))
    mean = np.convolve(outcome.losses, np.ones(width) / width, mode="valid")
    axes.plot(np.arange(width - 1, len(outcome.losses)), mean, label=f"mean of {width}")
    axes.set(xlabel="step", ylabel="cross entropy", title=f"Digits: test accuracy {outcome.accuracy:.3f}")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    outcome = train(options.steps, options.seed, progress=True)
    print("\n".join(outcome.lines()))
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        save_plot(outcome, options.output / "digits.png")
    except ImportError:
        print('No plot: it needs Matplotlib (pip install ".[viz]").', file=sys.stderr)
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
