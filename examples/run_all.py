"""Run every circuit of examples/circuits, check what comes out, and write a report with pictures.

    python examples/run_all.py [--backend numba] [--max-qubits 20] [NAME ...]

Then train a classifier of handwritten digits (digits.py; with scikit-learn: pip install ".[sklearn]"), and
run the examples of the frameworks that are installed, unless circuits are named.

Each file says in its header what must come out (see generate_circuits.py); a miss makes the exit code 1.
The report goes to the terminal and to examples/output/report.txt, a histogram of the samples of each
circuit beside it (with Matplotlib: pip install ".[viz]").
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import qsim
from qsim.operations import GateOperation

EXAMPLES = Path(__file__).parent
CIRCUITS = EXAMPLES / "circuits"
OUTPUT = EXAMPLES / "output"

#: Examples that need another framework; each has a function `main` that returns an exit code.
FRAMEWORKS = {"pennylane_vqe_h2": "pennylane"}

#: Exact figures must be met to this, in units of the largest value there can be.
TOLERANCES = {"double": 1e-9, "single": 2e-4}
#: Samples must be as good as this many standard deviations: a miss by chance once in 10^6 or more.
SIGMAS = 5.0


@dataclass
class Expected:
    """What the header of a file promises."""

    title: str = ""
    outcomes: dict[str, float] = field(default_factory=dict)
    observable: dict[str, float] = field(default_factory=dict)
    value: float | None = None
    cross_entropy: float | None = None


@dataclass
class Result:
    """What a circuit gave: figures for the report, and what was not as promised."""

    name: str
    circuit: qsim.Circuit
    seconds: dict[str, float] = field(default_factory=dict)
    top: list[tuple[str, float]] = field(default_factory=list)
    value: float = math.nan
    misses: list[str] = field(default_factory=list)
    checks: int = 0

    def check(self, text: str, found: float, expected: float, tolerance: float) -> None:
        self.checks += 1
        if not abs(found - expected) <= tolerance:
            self.misses.append(f"{text}: expected {expected:.12g} (+- {tolerance:.1g}), found {found:.12g}")


# -- headers ---------------------------------------------------------------------------------------
def read_header(text: str) -> Expected:
    """The promises in the comments at the top of a file."""
    out = Expected()
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        comment = line[2:].strip()
        out.title = out.title or comment
        key, colon, rest = comment.partition(": ")
        if not colon:
            continue
        if key == "outcome":
            bitstring, probability = rest.split()
            out.outcomes[bitstring] = float(probability)
        elif key == "observable":
            for label, coefficient in read_sum(rest).items():
                out.observable[label] = out.observable.get(label, 0.0) + coefficient
        elif key == "value":
            out.value = float(rest)
        elif key == "cross entropy":
            out.cross_entropy = float(rest)
    return out


def read_sum(text: str) -> dict[str, float]:
    """Terms of a sum such as ``0.5 * Z0 Z1 - X2 + 3``."""
    terms: dict[str, float] = {}
    sign, coefficient, label = 1.0, 1.0, []

    def finish() -> None:
        key = " ".join(label)
        terms[key] = terms.get(key, 0.0) + sign * coefficient

    for position, token in enumerate(text.split()):
        if token in "+-":
            if position:
                finish()
            sign, coefficient, label = (1.0 if token == "+" else -1.0), 1.0, []
        elif token[0] in "XYZ":
            label.append(token)
        elif token != "*":
            coefficient = float(token)
    finish()
    return terms


# -- running ---------------------------------------------------------------------------------------
def run_circuit(path: Path, simulator: qsim.Simulator, shots: int, seed: int) -> tuple[Result, qsim.Samples]:
    """Load, sample and check one file."""
    expected = read_header(path.read_text(encoding="utf-8"))
    start = time.perf_counter()
    circuit = qsim.load(path)
    loaded = time.perf_counter()
    program = simulator.compile(circuit, expected.observable)
    compiled = time.perf_counter()
    samples = program.sample(shots=shots, seed=seed)
    sampled = time.perf_counter()
    result = Result(path.stem, circuit)
    result.value = program.expectation()
    result.seconds = {
        "load": loaded - start,
        "compile": compiled - loaded,
        "sample": sampled - compiled,
        "expectation": time.perf_counter() - sampled,
    }
    result.top = [(bitstring, count / shots) for bitstring, count in samples.most_common(4)]
    tolerance = TOLERANCES[simulator.precision]
    if expected.value is not None:
        scale = sum(abs(coefficient) for coefficient in expected.observable.values())
        result.check("expectation value", result.value, expected.value, tolerance * max(1.0, scale))
    if expected.outcomes:
        check_outcomes(result, program, samples, expected, tolerance)
    if expected.cross_entropy is not None:
        check_cross_entropy(result, program, samples, expected.cross_entropy)
    if not result.checks:
        result.misses.append("the header promises nothing to check")
    return result, samples


def matches(bitstring: str, pattern: str) -> bool:
    """Whether an outcome is one that the pattern stands for; a dot is any bit."""
    return len(bitstring) == len(pattern) and all(
        p in (".", b) for b, p in zip(bitstring, pattern, strict=True)
    )


def check_outcomes(
    result: Result, program: qsim.Program, samples: qsim.Samples, expected: Expected, tolerance: float
) -> None:
    """The exact probability of each promised outcome, and how often the samples have it."""
    distribution = program.distribution()
    counts = samples.counts()
    for pattern, probability in expected.outcomes.items():
        exact = sum(p for bitstring, p in distribution.items() if matches(bitstring, pattern))
        found = (
            sum(count for bitstring, count in counts.items() if matches(bitstring, pattern)) / samples.shots
        )
        scatter = math.sqrt(probability * (1 - probability) / samples.shots)
        result.check(f"probability of {pattern}", exact, probability, tolerance)
        # one count more or less, as the normal approximation is poor where few are expected
        result.check(f"frequency of {pattern}", found, probability, SIGMAS * scatter + 1 / samples.shots)


def check_cross_entropy(
    result: Result, program: qsim.Program, samples: qsim.Samples, expected: float
) -> None:
    """2^n times the mean probability of the sampled outcomes, minus 1."""
    p = program.probabilities() * 2.0**program.num_qubits
    found = float(p[samples.ints].mean()) - 1
    exact = float((p * p).mean()) - 1  # of all outcomes, weighted as they are drawn
    # P has a gamma distribution (mean 2, variance 2) among drawn outcomes; the circuit's own scatter is small
    result.check("cross-entropy of the samples", found, exact, SIGMAS * math.sqrt(2 / samples.shots))
    result.check("cross-entropy of the circuit", exact, expected, 0.05)


# -- reporting -------------------------------------------------------------------------------------
def report_lines(result: Result, expected_title: str) -> list[str]:
    """The lines of one circuit in the report."""
    circuit = result.circuit
    timing = ", ".join(f"{name} {duration(seconds)}" for name, seconds in result.seconds.items())
    top = "  ".join(f"{bitstring}: {100 * share:.3g} %" for bitstring, share in result.top)
    verdict = f"as expected ({result.checks} checks)" if not result.misses else "NOT AS EXPECTED"
    return [
        f"{result.name}: {expected_title}",
        f"  {circuit.num_qubits} qubits, {count_gates(circuit)} gates, depth {circuit.depth()}; {timing}",
        f"  top outcomes   {top}",
        f"  expectation    {result.value:.9g}",
        f"  outcome        {verdict}",
        *(f"    {miss}" for miss in result.misses),
        "",
    ]


def count_gates(circuit: qsim.Circuit) -> int:
    """Gates of a circuit; those in the bodies of conditions and loops count once."""
    return sum(
        isinstance(operation, GateOperation) + sum(count_gates(body) for body in operation.bodies)
        for operation in circuit.operations
    )


def duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def save_histogram(result: Result, samples: qsim.Samples, path: Path) -> None:
    """A picture of the samples."""
    from matplotlib.figure import Figure

    from qsim.visual import plot_histogram

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    plot_histogram(
        samples, figure.subplots(), top=16, sort="value", title=f"{result.name}, {samples.shots} shots"
    )
    figure.savefig(path, dpi=100)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="circuits to run (default: all)")
    parser.add_argument("--backend", choices=("cpp", "numba"))
    parser.add_argument("--precision", choices=("double", "single"))
    parser.add_argument("--threads", type=int)
    parser.add_argument("--max-qubits", type=int, default=64, help="leave out larger circuits")
    parser.add_argument("--shots", type=int, default=4096)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, help="directory of the report and the pictures"
    )
    parser.add_argument("--no-pictures", action="store_true")
    options = parser.parse_args(arguments)

    paths = {path.stem: path for path in sorted(CIRCUITS.glob("*.qasm"))}
    unknown = [name for name in options.names if name not in paths]
    if unknown:
        parser.error(f"no such circuit: {', '.join(unknown)}; there are {', '.join(paths)}")
    simulator = qsim.Simulator(options.backend, options.precision, options.threads)
    pictures = not options.no_pictures and has_matplotlib()
    options.output.mkdir(parents=True, exist_ok=True)

    settings = f"{simulator.backend}, {simulator.precision} precision, {simulator.threads} threads"
    heading = f"qsim {qsim.__version__}: {settings}"
    lines = [heading, ""]
    print(heading, end="\n\n")
    start, missed, run = time.perf_counter(), [], 0
    for name in options.names or paths:
        text = paths[name].read_text(encoding="utf-8")
        if qsim.Circuit.from_qasm(text).num_qubits > options.max_qubits:
            continue
        result, samples = run_circuit(paths[name], simulator, options.shots, options.seed)
        run += 1
        if result.misses:
            missed.append(name)
        part = report_lines(result, read_header(text).title)
        print("\n".join(part), flush=True)
        lines += part
        if pictures:
            save_histogram(result, samples, options.output / f"{name}.png")
    seconds = time.perf_counter() - start
    if not options.names and has_sklearn():
        if run_digits(options, pictures, lines):
            missed.append("digits")
        if run_real_data(options, lines):
            missed.append("real_data")
    if not options.names:
        missed += run_frameworks()
    verdict = "all as expected" if not missed else f"NOT as expected: {', '.join(missed)}"
    last = f"{run} circuits in {seconds:.1f} s: {verdict}"
    print(last)
    (options.output / "report.txt").write_text("\n".join([*lines, last, ""]), encoding="utf-8")
    where = f"report.txt and {run} histograms" if pictures else "report.txt"
    print(f"{where} in {options.output}")
    return 1 if missed or not run else 0


def run_digits(options: argparse.Namespace, pictures: bool, lines: list[str]) -> bool:
    """Train the classifier of digits.py; whether it is worse than promised."""
    sys.path.insert(0, str(EXAMPLES))
    import digits

    outcome = digits.train(digits.STEPS)
    part = outcome.lines()
    print("\n".join(part), flush=True)
    lines += part
    if pictures:
        digits.save_plot(outcome, options.output / "digits.png")
    return not outcome.is_good


def run_real_data(options: argparse.Namespace, lines: list[str]) -> bool:
    """Reports on quantum kernels by real_data.py; whether even the map that made the ad-hoc data loses."""
    sys.path.insert(0, str(EXAMPLES))
    import real_data

    print("\nQuantum kernels beside tuned classical methods")
    table, found = real_data.run(list(real_data.DATA), "zz", 150, options.output, pictures=False)
    lines += ["", "Quantum kernels beside tuned classical methods", *table]
    return not real_data.is_as_expected(found, "zz")


def run_frameworks() -> list[str]:
    """Run the examples of other frameworks; the names of those that did not find what they look for."""
    sys.path.insert(0, str(EXAMPLES))
    missed = []
    for name, framework in FRAMEWORKS.items():
        if importlib.util.find_spec(framework) is None:
            print(
                f'No {name}: it needs {framework} (pip install "qsim-statevector[{framework}]").',
                file=sys.stderr,
            )
            continue
        print(f"\n{name}")
        if importlib.import_module(name).main([]):
            missed.append(name)
    return missed


def has_sklearn() -> bool:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        print(
            'No digits and no real data: they need scikit-learn (pip install "qsim-statevector[sklearn]").',
            file=sys.stderr,
        )
        return False
    return True


def has_matplotlib() -> bool:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print('No pictures: they need Matplotlib (pip install "qsim-statevector[viz]").', file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
