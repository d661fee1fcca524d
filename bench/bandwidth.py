"""How close each kernel comes to the speed at which this machine copies memory.

    python -m bench.bandwidth                       # 24 qubits, C++
    python -m bench.bandwidth --num-qubits 20 --backends cpp,numba

One gate at a time on a big state should cost what it costs to read and write the state once. Each round
times a copy of the state and then the gate, so a slow moment of the machine falls on both; the ratio is the
median over the rounds. Bytes are those of the cache lines the gate has to change, `share` of the state, read
and written; ratio / share is what counting the whole state would give.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.kernels import KERNELS, PLACES, Kernel, moved_share, place_qubits, prepare, random_state
from bench.machine import Copier, Spread, facts, inner_loops, machine_seconds, qsim_facts

__all__ = ["TARGET", "main", "measure"]

#: What a memory-bound kernel should reach, as a share of the copy bandwidth.
TARGET = 0.7


def seconds_per_call(run: Callable[[], object], loops: int) -> float:
    start = time.perf_counter()
    for _ in range(loops):
        run()
    return (time.perf_counter() - start) / loops


def measure_kernel(
    kernel: Kernel,
    qubits: tuple[int, ...],
    states: npt.NDArray[Any],
    copier: Copier,
    threads: int,
    backends: list[str],
    rounds: int,
) -> list[dict[str, Any]]:
    """One row per backend; the backends take turns within each round."""
    share = moved_share(kernel, qubits, states.itemsize)
    moved = share * copier.bytes_moved
    runs = [prepare(kernel, qubits, states, threads, backend) for backend in backends]
    for run in runs:
        run()  # compiles, where the backend compiles at first use
    loops = [inner_loops(run, 0.005) for run in runs]
    seconds: list[list[float]] = [[] for _ in runs]
    ratios: list[list[float]] = [[] for _ in runs]
    start, busy = time.perf_counter(), machine_seconds() - time.process_time()
    for _ in range(rounds):
        for i, run in enumerate(runs):
            copy = copier.bandwidth()
            seconds[i].append(seconds_per_call(run, loops[i]))
            ratios[i].append(moved / seconds[i][-1] / copy)
    other = (machine_seconds() - time.process_time() - busy) / (time.perf_counter() - start)
    rows = []
    for i, backend in enumerate(backends):
        time_spread = Spread(seconds[i])
        rows.append(
            {
                "backend": backend,
                "seconds": time_spread.as_dict(),
                "share": share,
                "GB_per_s": moved / time_spread.median / 1e9,
                "ratio": Spread(ratios[i]).as_dict(),
                "times_first_backend": time_spread.median / Spread(seconds[0]).median,
                "other_cpu": max(0.0, other),
            }
        )
    return rows


def measure(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Rows of the table, one at a time."""
    for precision in args.precisions:
        states = random_state(args.num_qubits, precision)
        scratch = np.ones(states.size, states.dtype)
        for threads in args.threads:
            copier = Copier(states, threads, scratch)
            for kernel in KERNELS:
                if args.gates and kernel.name not in args.gates:
                    continue
                for place in args.places:
                    qubits = place_qubits(kernel, place, args.num_qubits)
                    if qubits is None:
                        continue
                    case = {"gate": kernel.name, "place": place, "n": args.num_qubits}
                    case |= {"precision": precision, "threads": threads, "memory_bound": kernel.memory_bound}
                    rows = measure_kernel(kernel, qubits, states, copier, threads, args.backends, args.rounds)
                    yield from (case | row for row in rows)


HEADER = (
    f"{'gate':10s}{'place':6s}{'precision':10s}{'thr':>4s} {'backend':8s}{'ms':>9s}{'share':>7s}{'GB/s':>7s}"
    f"{'ratio':>8s}{'(min':>8s}{'max)':>7s}{'x first':>9s}{'other':>7s}"
)


def line(row: dict[str, Any]) -> str:
    ratio = row["ratio"]
    low = row["memory_bound"] and ratio["median"] < TARGET
    return (
        f"{row['gate']:10s}{row['place']:6s}{row['precision']:10s}{row['threads']:4d} {row['backend']:8s}"
        f"{1e3 * row['seconds']['median']:9.3f}{row['share']:7.2f}{row['GB_per_s']:7.1f}"
        f"{ratio['median']:8.2f}{ratio['min']:8.2f}{ratio['max']:7.2f}{row['times_first_backend']:9.2f}{row['other_cpu']:7.2f}"
        + (f"  < {TARGET}" if low else "")
    )


def summary(rows: list[dict[str, Any]]) -> str:
    bound = [row for row in rows if row["memory_bound"]]
    out = []
    for backend in dict.fromkeys(row["backend"] for row in rows):
        mine = [row for row in bound if row["backend"] == backend]
        if mine:
            low = sum(row["ratio"]["median"] < TARGET for row in mine)
            worst = min(mine, key=lambda row: row["ratio"]["median"])
            out.append(
                f"{backend}: {low} of {len(mine)} memory-bound rows below {TARGET} of the copy bandwidth; "
                f"lowest {worst['ratio']['median']:.2f} ({worst['gate']} {worst['place']}, "
                f"{worst['precision']}, {worst['threads']} threads)"
            )
        slower = max(row["times_first_backend"] for row in rows if row["backend"] == backend)
        if slower != 1.0:
            out.append(f"{backend}: at most {slower:.2f} times the time of {rows[0]['backend']}")
    return "\n".join(out)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--num-qubits", type=int, default=24)
    parser.add_argument("--backends", default="cpp", help="comma list; times are compared to the first")
    parser.add_argument("--precisions", default="single,double")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--places", default=",".join(PLACES))
    parser.add_argument("--gates", default="", help="comma list (default: all)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="where to write the results")
    args = parser.parse_args(argv)
    for name in ("backends", "precisions", "places", "gates"):
        setattr(args, name, [word for word in getattr(args, name).split(",") if word])
    args.threads = [int(word) for word in args.threads.split(",")]
    return args


def main(argv: list[str] | None = None) -> None:
    args = arguments(argv)
    meta = facts() | qsim_facts()
    print(", ".join(f"{key} {value}" for key, value in meta.items()))
    print(f"{args.num_qubits} qubits; ratio = bandwidth of the gate / bandwidth of a copy of the state\n")
    print(HEADER)
    rows = []
    for row in measure(args):
        rows.append(row)
        print(line(row), flush=True)
    print("\n" + summary(rows))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(json.dumps(row) for row in rows)
        args.json.write_text(f'{{"meta": {json.dumps(meta)},\n"results": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
