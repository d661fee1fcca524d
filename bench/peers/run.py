#!/usr/bin/env python3
"""Compare statevector simulators on common workloads. See README.md."""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.append(os.path.dirname(os.path.dirname(HERE)))  # for bench.machine; an installed qsim goes first
import workloads  # noqa: E402
from adapters import PEERS  # noqa: E402
from bench.machine import facts, machine_seconds  # noqa: E402
from checker import Checker  # noqa: E402
from process import Worker, process_seconds  # noqa: E402

#: A round during which anything else used more processor time than this (in cores) counts as disturbed.
CALM = 0.2


class Comparison:
    """Takes every case through every worker in turn and collects one row per case and worker."""

    def __init__(self, args, meta, results):
        self.args, self.meta, self.results = args, meta, results
        self.checker = Checker(args.cache)
        self.workers = {}
        self.last = defaultdict(dict)  # (worker, group) -> cost, seconds: to skip what would run too long

    def run(self, cases, configurations):
        with open(os.path.join(self.args.cache, "workers.log"), "a") as log:
            self.log = log
            for threads in self.args.threads:
                keys = [key for key in configurations if key[2] == threads]
                # started side by side; peers that cannot be imported drop out
                started = {key: Worker(*key, self.args.python, log) for key in keys}
                self.workers = {key: self.greet(worker) for key, worker in started.items()}
                for case in cases:
                    if threads in case.threads:
                        self.run_case(case, threads)
                for worker in self.workers.values():
                    if worker and not worker.dead:
                        worker.kill()

    def greet(self, worker):
        hello = worker.receive(180)
        peer = worker.key[0]
        if "ready" not in hello:
            self.meta["failed"][peer] = hello.get("error") or hello.get("timeout")
            return None
        self.meta["versions"].setdefault(peer, hello["versions"])
        if hello["details"]:
            self.meta["details"].setdefault(peer, hello["details"])
        return worker

    def run_case(self, case, threads):
        rows = {}
        for key in sorted(self.workers, key=lambda k: k[1] != "complex128"):  # they give the references
            row = self.prepare(case, key)
            if row is not None:
                rows[key] = row
        timed = [key for key, row in rows.items() if "status" not in row]
        self.time_rounds(rows, timed)
        for key, row in rows.items():
            self.release(key, row)
            if key in timed:
                self.summarise(case, key, row)
        compare(list(rows.values()))
        self.results += rows.values()
        show(case, threads, list(rows.values()))
        if self.args.json:
            save(self.args.json, self.meta, self.results)
        self.checker.forget(case)

    def prepare(self, case, key):
        """First execution and check. None: this worker does not take part."""
        peer, precision, threads = key
        row = {"workload": case.workload, "case": case.name, "n": case.n, "op": case.op, "peer": peer}
        row |= {"precision": precision, "threads": threads, "unit": case.unit, "load": os.getloadavg()[0]}
        before = self.last.get((key, case.group)) if case.group else None
        if before:
            predicted = before["seconds"] * max(1.0, case.cost / before["cost"])
            if predicted > self.args.cap:
                return row | {"status": f"skipped: predicted {predicted:.0f} s"}
        if self.workers[key] is None:
            return None
        if self.workers[key].dead:
            self.workers[key] = self.greet(Worker(*key, self.args.python, self.log))
            if self.workers[key] is None:
                return row | {"status": "error: the worker could not be started again"}
        path = os.path.join(self.args.cache, "result.npy")
        answer = self.workers[key].ask(self.args.cap * 2.5, do="prepare", case=case.name, result=path)
        if "build" not in answer:
            kind = next(k for k in ("unsupported", "timeout", "error") if k in answer)
            if kind == "timeout":
                self.last[(key, case.group)] = {"seconds": self.args.cap * 2.5, "cost": case.cost}
            if kind == "unsupported" and "not attempted" not in answer[kind]:
                return None
            return row | {"status": f"{kind}: {answer[kind]}"}
        error, tolerance, against = self.checker.check(case, peer, precision, np.load(path))
        os.remove(path)
        row |= {"build_s": answer["build"], "first_s": answer["first"], "rss_mb": answer["rss"]}
        row |= {"check_error": error, "check_tol": tolerance, "check_against": against}
        if not error <= tolerance:  # also where it is NaN
            return row | {"status": "WRONG RESULT"}
        return row | {"samples": [], "other": []}

    def time_rounds(self, rows, timed):
        """Round-robin over the workers, so that a slow minute of the machine hits all of them."""
        active, spent = list(timed), defaultdict(float)
        for round_number in range(self.args.repeats):
            for key in list(active):
                row, worker = rows[key], self.workers[key]
                if round_number:
                    next_total = spent[key] * (round_number + 1) / round_number
                    if spent[key] > self.args.budget or next_total > 3 * self.args.budget:
                        active.remove(key)
                        continue
                pid, start = worker.process.pid, time.perf_counter()
                busy = machine_seconds() - process_seconds(pid)
                answer = worker.ask(self.args.cap * 2.5, do="time")
                wall = time.perf_counter() - start
                spent[key] += wall
                if "t" not in answer:
                    row["status"] = next(iter(answer.values()))
                    active.remove(key)
                    continue
                others = machine_seconds() - process_seconds(pid) - busy
                row["other"].append(max(0.0, others) / max(wall, 0.02))
                row["samples"].append(answer["t"])

    def release(self, key, row):
        """Let the worker free the case, and note the memory it took."""
        if "rss_mb" in row and not self.workers[key].dead:
            row["rss_mb"] = max(row["rss_mb"], self.workers[key].ask(60, do="release").get("rss", 0))

    def summarise(self, case, key, row):
        other = row.pop("other")
        if not row["samples"] or "status" in row:
            return
        pairs = list(zip(row["samples"], other, strict=True))
        calm = [pair for pair in pairs if pair[1] < CALM] or pairs
        row["samples"], row["other_cpu"] = [pair[0] for pair in calm], max(pair[1] for pair in calm)
        median = statistics.median(row["samples"])
        row |= {"status": "ok", "seconds": median, "value": median / case.per}
        row |= {"min": min(row["samples"]) / case.per, "max": max(row["samples"]) / case.per}
        whole_run = median
        if case.op == "gates":
            itemsize = np.dtype(key[1]).itemsize
            row["GB_per_s"] = 2 * 2.0**case.n * itemsize / median / 1e9
            whole_run = median * workloads.GATE_REPS
        self.last[(key, case.group)] = {"seconds": whole_run, "cost": case.cost}


def compare(rows):
    """Ratios to the fastest; a peer that served as the reference needs a second opinion."""
    ok = [row for row in rows if row.get("status") == "ok"]
    for row in ok:
        row["ratio"] = row["value"] / min(r["value"] for r in ok)
        if row["check_against"].startswith("self") and all(r["peer"] == row["peer"] for r in ok):
            row["note"] = "unverified: no second peer finished"


def show(case, threads, rows):
    columns = ("median", "min", "max", "ratio", "build s", "first s", "RSS MB", "other")
    print(f"\n{case.name}  threads={threads}  [{case.unit}]", flush=True)
    print(f"  {'peer':14s}{'precision':12s}" + "".join(f"{name:>10s}" for name in columns))
    for row in sorted(rows, key=lambda r: r.get("value", 1e99)):
        print(f"  {row['peer']:14s}{row['precision']:12s}", end="")
        if row.get("status") == "ok":
            keys = ("value", "min", "max", "ratio", "build_s", "first_s", "rss_mb", "other_cpu")
            print("".join(f"{row[key]:10.4g}" for key in keys), row.get("note", ""), flush=True)
        else:
            error = f"  (error {row['check_error']:.2g})" if "check_error" in row else ""
            print(f"  {row.get('status')}{error}", flush=True)


def save(path, meta, results):
    """One result a line, so that a change of one case is a change of its lines."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    lines = ",\n".join(json.dumps(row) for row in results)
    with open(path, "w") as file:
        file.write(f'{{"meta": {json.dumps(meta)},\n"results": [\n{lines}\n]}}\n')


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=",".join(PEERS), help="default: %(default)s")
    parser.add_argument("--workloads", default="", help="workloads or case-name prefixes (default: all)")
    parser.add_argument("--precisions", default="complex64,complex128")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--budget", type=float, default=4.0, help="seconds of repeats per peer and case")
    parser.add_argument("--cap", type=float, default=20.0, help="skip a case predicted to run longer")
    parser.add_argument("--cache", default=os.path.join(tempfile.gettempdir(), "qsim-peers"))
    parser.add_argument("--python", default=sys.executable, help="interpreter of the workers")
    parser.add_argument("--quick", action="store_true", help="one or two small cases of each workload")
    parser.add_argument("--json", help="where to write the results")
    parser.add_argument("--append", action="store_true", help="add to an existing --json file")
    args = parser.parse_args()
    args.threads = [int(threads) for threads in args.threads.split(",")]
    args.peers, args.precisions = args.peers.split(","), args.precisions.split(",")
    unknown = sorted(set(args.peers) - set(PEERS))
    if unknown:
        parser.error(f"unknown peer {', '.join(unknown)}; known: {', '.join(PEERS)}")
    return args


def main():
    args = arguments()
    os.makedirs(args.cache, exist_ok=True)
    cases = workloads.all_cases(args.quick)
    if args.workloads:
        wanted = args.workloads.split(",")
        cases = [c for c in cases if c.workload in wanted or c.name.startswith(tuple(wanted))]
    configurations = [
        (peer, precision, threads)
        for threads in args.threads
        for peer in args.peers
        for precision in PEERS[peer].get("precisions", ["complex64", "complex128"])
        if precision in args.precisions
    ]
    meta = facts() | {"repeats": args.repeats, "quick": args.quick}
    meta |= {"versions": {}, "details": {}, "failed": {}}
    results = []
    if args.append and args.json and os.path.exists(args.json):
        with open(args.json) as file:
            old = json.load(file)
        # a case that is measured again replaces its old rows
        again = {(c.name, *key) for c in cases for key in configurations}
        key = ("case", "peer", "precision", "threads")
        results = [row for row in old["results"] if tuple(row[name] for name in key) not in again]
        meta["versions"], meta["details"] = old["meta"]["versions"], old["meta"]["details"]
    start = time.time()
    Comparison(args, meta, results).run(cases, configurations)
    meta["wall_s"] = time.time() - start
    if args.json:
        save(args.json, meta, results)
    for peer, why in meta["failed"].items():
        print(f"not run: {peer}: {why}")
    print(f"wall time {meta['wall_s']:.0f} s")


if __name__ == "__main__":
    main()
