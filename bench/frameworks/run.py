#!/usr/bin/env python3
"""Compare qsim's plugins with what else runs the same script of a framework. See README.md."""

import argparse
import importlib
import json
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: The modules of this folder that hold workloads. Each has WORKLOADS: name -> {peer: prepare}, qsim first.
FRAMEWORKS = ("pennylane", "qiskit", "cirq", "torch", "jax")
BLOCK = 0.02  # seconds of one timed block of calls


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frameworks", default=",".join(FRAMEWORKS), help="default: %(default)s")
    parser.add_argument("--workloads", default="", help="beginnings of names (default: all)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", help="write one line a peer and workload")
    return parser.parse_args()


def limit_threads(count: int) -> None:
    """Before anything is imported that starts threads."""
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "QSIM"):
        os.environ[f"{name}_NUM_THREADS"] = str(count)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def block_of(step, start):
    """Seconds of a call, measured over enough calls; each call gets a number, and other angles from it."""
    calls, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < BLOCK or not calls:
        step(start + calls)
        calls += 1
    return spent / calls, start + calls


def compare(name, peers, rounds):
    """One row a peer: its times, and how many times longer than qsim's they are."""
    import numpy as np

    steps, rows = {}, {}
    for peer, prepare in peers.items():
        try:
            steps[peer] = prepare()
        except ImportError as error:
            print(f"{name}: {peer} left out: {error}")
    expected = None
    for peer, step in steps.items():
        result = [np.asarray(part, complex).ravel() for part in step(0)]
        expected = expected or result
        for got, wanted in zip(result, expected, strict=True):
            error = np.max(np.abs(got - wanted), initial=0.0)
            if not error <= 1e-4 * max(1.0, np.max(np.abs(wanted), initial=0.0)):
                raise AssertionError(f"{name}: {peer} differs by {error:.2g}")
        rows[peer] = {"workload": name, "peer": peer, "samples": []}
    turn = dict.fromkeys(steps, 1)
    for _ in range(rounds):  # peers take turns, so that a slow second of the machine hits all of them
        for peer, step in steps.items():
            seconds, turn[peer] = block_of(step, turn[peer])
            rows[peer]["samples"].append(seconds)
    ours = statistics.median(next(iter(rows.values()))["samples"])
    for row in rows.values():
        row["seconds"] = statistics.median(row["samples"])
        row["ratio"] = row["seconds"] / ours
        spread = f"{min(row['samples']) * 1e6:10.1f} to {max(row['samples']) * 1e6:.1f}"
        print(f"{name:28s}{row['peer']:34s}{row['seconds'] * 1e6:12.1f} us{spread:>26s}{row['ratio']:9.2f}")
    sys.stdout.flush()
    return list(rows.values())


def main() -> None:
    options = arguments()
    limit_threads(options.threads)
    warnings.simplefilter("ignore")
    sys.path[:0] = [str(HERE), str(HERE.parents[1])]
    from bench.machine import facts

    results = []
    for framework in options.frameworks.split(","):
        try:
            module = importlib.import_module(f"{framework}_workloads")
        except ImportError as error:
            print(f"{framework}: left out: {error}")
            continue
        for name, peers in module.WORKLOADS.items():
            if name.startswith(tuple(options.workloads.split(","))):
                results += compare(name, peers, options.rounds)
    if options.json:
        for row in results:
            row["threads"] = options.threads
        lines = ",\n".join(json.dumps(row) for row in results)
        Path(options.json).write_text(f'{{"meta": {json.dumps(facts())},\n"results": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
