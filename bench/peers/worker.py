"""One peer in one process.  Reads JSON commands on stdin, answers on stdout."""

import contextlib
import ctypes
import gc
import json
import os
import resource
import sys
import time
import traceback
from importlib import metadata

import numpy as np

from adapters import Unsupported, load
from circuits import random_state, z_mean
from workloads import all_cases

clock = time.perf_counter
MIN_BLOCK = 0.02  # seconds of work per timed block


def reset_peak():
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        pass


def peak_mb():
    try:
        with open("/proc/self/status") as f:
            for line in f:
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) // 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


class Task:
    """Builds one case; ``once(i)`` executes it and returns a checkable result lazily."""

    def __init__(self, adapter, case):
        self.a, self.case = adapter, case
        self.spec = case.make()
        t0 = clock()
        getattr(self, "build_" + case.op)(**self.spec)
        self.build = clock() - t0

    def _angles(self, base, i):
        return base if i == 0 else base + 1e-3 * (1 + i % 50)

    def build_state(self, circ, **_):
        run = self.a.state(circ)
        self.once = lambda i: run()
        self.result = lambda r: np.asarray(self.a.numpy(r, circ.n))

    def build_amps(self, circ, amps, **_):
        run = self.a.amps(circ, amps)
        self.once, self.result = lambda i: run(), np.asarray

    def build_expval(self, circ, ham, w):
        run, base = self.a.expval(circ, ham), circ.angles(w)
        self.once, self.result = lambda i: run(self._angles(base, i)), lambda r: np.array([r], float)

    def build_grad(self, circ, ham, w):
        run, base, chain = self.a.grad(circ, ham, circ.trainable), circ.angles(w), circ.chain(len(w))

        def once(i):
            v, g = run(self._angles(base, i))
            return v, np.asarray(g, float) @ chain

        self.once = once
        self.result = lambda r: np.concatenate([[float(r[0])], r[1]])

    def build_batch_expval(self, circ, x, w, **_):
        run, base = self.a.batch_zs(circ), circ.angles(w, x)
        self.once, self.result = lambda i: run(self._angles(base, i)), lambda r: np.asarray(r, float)

    def build_batch_shift(self, circ, x, w, y):
        self.build_batch_grad(circ, x, w, y, self.a.batch_shift)

    def build_hessian(self, circ, ham, w):
        run, base, chain = self.a.hessian(circ, ham), circ.angles(w), circ.chain(len(w))
        self.once = lambda i: chain.T @ np.asarray(run(self._angles(base, i)), float) @ chain
        self.result = lambda r: r

    def build_batch_grad(self, circ, x, w, y, method=None):
        make = self.a.batch_grad if method is None else method
        run, base = make(circ, z_mean(circ.n), circ.trainable), circ.angles(w, x)
        chain = circ.chain(len(w))

        def once(i):
            v, g = run(self._angles(base, i))
            return float(y @ np.asarray(v)) / len(y), (y @ np.asarray(g)) @ chain / len(y)

        self.once = once
        self.result = lambda r: np.concatenate([[r[0]], r[1]]).astype(float)

    def build_kernel(self, circ, x):
        run, base = self.a.gram(circ), circ.angles((), x)
        self.once, self.result = lambda i: run(self._angles(base, i)), lambda r: r.astype(float)

    def build_sample(self, circ, w, shots):
        run = self.a.sampler(circ, circ.angles(w))

        def result(r):
            c = self.a.counts(r)
            keys, vals = np.fromiter(c.keys(), np.int64), np.fromiter(c.values(), float)
            z = [(vals * (1 - 2 * ((keys >> q) & 1))).sum() / vals.sum() for q in range(circ.n)]
            zz = [
                (vals * (1 - 2 * ((keys >> q ^ keys >> (q + 1)) & 1))).sum() / vals.sum()
                for q in range(circ.n - 1)
            ]
            return np.array([vals.sum(), *z, *zz])

        self.once, self.result = lambda i: run(shots), result

    def build_overhead(self, circ, ham, w, calls):
        run, base = self.a.expval(circ, ham), circ.angles(w)

        def once(i):
            v, t0, n = run(base), clock(), 0
            while n < calls:
                run(base + 1e-4 * n)
                n += 1
                if n % 50 == 0 and clock() - t0 > 2.0:
                    break
            self.per_call = (clock() - t0) / n
            return v

        self.once, self.result = once, lambda r: np.array([r], float)

    def build_noise(self, circ, w, p, trajectories):
        run = self.a.noise(circ, circ.angles(w), p)
        self.once = lambda i: run(trajectories)
        # more statistics for the check of the small case
        self.result = lambda r: np.asarray(run(4000) if circ.n <= 5 else r, float)

    def build_gates(self, n, gates):
        self.run_gates, self.base = self.a.gates(n, gates, random_state(n))
        self.once = lambda i: self.run_gates()
        self.count = len(gates)
        self.result = lambda r: np.asarray(self.a.numpy(r, n))

    # -- timing ------------------------------------------------------------
    def first(self):
        t0 = clock()
        r = self.once(0)
        t = clock() - t0
        self.estimate, self.calls = t, 1
        result = self.result(r)
        if self.case.op == "gates" and self.base is not None:  # more gates, for a better difference
            self.count *= 2
            self.run_gates, self.base = self.a.gates(
                self.case.n, self.spec["gates"] * 2, random_state(self.case.n)
            )
        return t, result

    def block(self):
        """Seconds per execution, averaged over a block of at least MIN_BLOCK."""
        inner = max(1, min(2000, int(MIN_BLOCK / max(self.estimate, 1e-7))))
        t0 = clock()
        for _ in range(inner):
            self.once(self.calls)
            self.calls += 1
        t = (clock() - t0) / inner
        self.estimate = t
        if self.case.op == "overhead":
            t = self.per_call
        if self.case.op == "gates":
            if self.base is not None:
                t0 = clock()
                self.base()
                base = clock() - t0
                if t - base < 0.1 * base:
                    raise RuntimeError("gate time is below the noise of the subtracted run")
                t -= base
            t /= self.count
        return t, inner


def main(peer, precision, threads):
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # chatter of the libraries goes to stderr

    def say(**message):
        out.write(json.dumps(message) + "\n")
        out.flush()

    start = clock()
    try:
        adapter = load(peer)(precision, threads)
    except Exception as error:  # not installed, or it cannot start here
        traceback.print_exc()
        say(error=f"{type(error).__name__}: {error}")
        return
    versions = {}
    for package in adapter.packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    say(ready=True, import_s=clock() - start, versions=versions, details=adapter.details())
    task = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["do"] == "prepare":
                task = None
                reset_peak()
                case = next(c for q in (False, True) for c in all_cases(q) if c.name == command["case"])
                if case.n > adapter.max_n.get(case.op, 99):
                    raise Unsupported(f"n > {adapter.max_n[case.op]} not attempted")
                task = Task(adapter, case)
                first, result = task.first()
                rss = peak_mb()
                np.save(command["result"], result)
                del result
                say(build=task.build, first=first, rss=rss)
            elif command["do"] == "time":
                seconds, inner = task.block()
                say(t=seconds, inner=inner)
            elif command["do"] == "release":
                rss, task = peak_mb(), None
                gc.collect()
                say(rss=rss)
        except Unsupported as error:
            say(unsupported=str(error))
        except Exception as error:
            traceback.print_exc()
            say(error=f"{type(error).__name__}: {str(error)[:300]}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
