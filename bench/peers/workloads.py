"""The cases: which circuit, at which size, asked for what, reported in which unit."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from circuits import (
    Circuit,
    Gate,
    add_hea,
    add_zz_map,
    hea,
    qaoa,
    qft,
    random_paulis,
    random_unitary,
    rqc,
    tfim,
    zz_features,
)


@dataclass
class Case:
    """One line of the table. ``make()`` returns the arguments of ``Task.build_<op>``."""

    workload: str
    name: str
    n: int
    op: str
    make: Callable[[], dict]
    cost: float = 1.0  # relative work, used to skip hopeless sizes
    group: str = ""  # cases of one group are comparable through cost
    threads: tuple = (1, 2)
    per: float = 1.0  # report time / per  ...
    unit: str = "s"  # ... in this unit
    quick: bool = False


def weights(count, seed=2):
    return np.random.default_rng(seed).uniform(0, 2 * math.pi, count)


# ------------------------------------------------------------- single gates
GATE_REPS = 8
ROTATIONS = ("rx", "rz", "rzz")
GATE_SIZES = {"h": 1, "x": 1, "rx": 1, "rz": 1, "cx": 2, "cz": 2, "swap": 2, "rzz": 2}
GATE_SIZES |= {"u2": 2, "ccx": 3, "u3": 3, "u4": 4, "u5": 5}


def gates_case(n, kind, place):
    """Gates alternating between two overlapping target sets: successive gates cannot be merged."""
    k = GATE_SIZES[kind]
    base = {"low": 0, "mid": n // 2 - k // 2, "high": n - k - 1}[place]
    targets = tuple(range(base, base + k)), tuple(range(base + 1, base + 1 + k))
    gates = []
    for r in range(GATE_REPS):
        if kind[0] == "u":
            unitary = random_unitary(k, zlib.crc32(kind.encode()) + r % 2)
            gates.append(Gate("unitary", targets[r % 2], (), None, unitary))
        else:
            gates.append(Gate(kind, targets[r % 2], (0.3 + 0.1 * r,) if kind in ROTATIONS else ()))
    return {"n": n, "gates": gates}


def gates() -> Iterator[Case]:
    wanted = [(22, kind, "mid") for kind in GATE_SIZES]
    wanted += [(22, kind, place) for kind in ("h", "cx", "u2", "u4") for place in ("low", "high")]
    wanted += [(24, kind, "mid") for kind in ("h", "u2")]
    for n, kind, place in wanted:
        yield Case(
            "gates",
            f"gate-{kind}-{place}-n{n}",
            n,
            "gates",
            lambda n=n, kind=kind, place=place: gates_case(n, kind, place),
            cost=2.0**n,
            group="gates",
            per=2.0**n * 1e-9,
            unit="ns/amp",
            threads=(2,) if n == 24 else (1, 2) if place == "mid" else (1,),
            quick=n == 22 and kind in ("h", "cx", "u2") and place == "mid",
        )


# ----------------------------------------------------------- whole circuits
def random_circuits() -> Iterator[Case]:
    for n in (20, 22, 24, 26):
        yield Case(
            "rqc",
            f"rqc-n{n}-d14",
            n,
            "amps" if n > 24 else "state",
            lambda n=n: {"circ": rqc(n, 14), "amps": np.arange(256) * 997},
            cost=n * 2.0**n,
            group="rqc",
            threads=(1, 2) if n == 20 else (2,),
            quick=n == 20,
        )


def fourier_transforms() -> Iterator[Case]:
    for basis in (False, True):
        for n in (20, 24):
            yield Case(
                "qft",
                f"qft-{'basis' if basis else 'dense'}-n{n}",
                n,
                "state",
                lambda n=n, basis=basis: {"circ": qft(n, basis)},
                cost=n * n * 2.0**n,
                group=f"qft{basis}",
                threads=(1, 2) if n == 20 and not basis else (2,),
                quick=n == 20,
            )


def sampling(quick) -> Iterator[Case]:
    n = 16 if quick else 20

    def make():
        circ, count = hea(n, 2)
        return {"circ": circ, "w": weights(count), "shots": 10**6}

    yield Case("sample", f"sample-n{n}-1e6", n, "sample", make, quick=True)


# ------------------------------------------------------ values and gradients
def gradient_cost(n, op):
    """Gradients of this repository's circuits have O(n) parameters."""
    return n if op.endswith("grad") else 1


def ansatz() -> Iterator[Case]:
    """Hardware-efficient ansatz: one value, or value and full gradient."""
    sizes = [(tfim, n) for n in (4, 8, 12, 16, 20)] + [(random_paulis, n) for n in (12, 20)]
    for op in ("expval", "grad"):
        for hamiltonian, n in sizes:

            def make(n=n, hamiltonian=hamiltonian):
                circ, count = hea(n, 4)
                return {"circ": circ, "ham": hamiltonian(n), "w": weights(count)}

            name = "tfim" if hamiltonian is tfim else "pauli200"
            yield Case(
                f"hea_{op}",
                f"hea-{op}-{name}-n{n}",
                n,
                op,
                make,
                cost=n * (2.0**n + 500) * gradient_cost(n, op),
                group=op + name,
                threads=(1,) if n <= 12 else (1, 2) if n == 16 else (2,),
                per=1e-3,
                unit="ms",
                quick=n in (4, 12) and name == "tfim",
            )


def optimisation() -> Iterator[Case]:
    for op in ("expval", "grad"):
        for n in (16, 20, 22):

            def make(n=n):
                circ, ham, count = qaoa(n, 3)
                return {"circ": circ, "ham": ham, "w": weights(count) / 6}

            yield Case(
                "qaoa",
                f"qaoa-{op}-n{n}-p3",
                n,
                op,
                make,
                cost=n * 2.0**n * gradient_cost(n, op),
                group=f"qaoa{op}",
                per=1e-3,
                unit="ms",
                threads=(1, 2) if n == 16 else (2,),
                quick=n == 16,
            )


# ----------------------------------------------------- machine-learning jobs
def batches() -> Iterator[Case]:
    for op in ("batch_expval", "batch_grad"):
        for n in (4, 8, 12):

            def make(n=n):
                circ = Circuit(n)
                add_zz_map(circ, 1)
                count, rng = add_hea(circ, 3), np.random.default_rng(4)
                x = zz_features(rng.uniform(0, math.pi, (256, n)))
                return {"circ": circ, "x": x, "w": weights(count), "y": rng.choice([-1.0, 1.0], 256)}

            yield Case(
                op,
                f"{op}-n{n}-b256",
                n,
                op,
                make,
                cost=n * (2.0**n + 500) * gradient_cost(n, op),
                group=op,
                per=1e-3,
                unit="ms",
                quick=n == 8,
            )


def shift_rules() -> Iterator[Case]:
    """The gradient of a batch as hardware takes it: two circuits for each weight of each sample."""

    def make():
        circ = Circuit(8)
        add_zz_map(circ, 1)
        count, rng = add_hea(circ, 3), np.random.default_rng(4)
        x = zz_features(rng.uniform(0, math.pi, (256, 8)))
        return {"circ": circ, "x": x, "w": weights(count), "y": rng.choice([-1.0, 1.0], 256)}

    yield Case(
        "batch_shift", "batch_shift-n8-b256", 8, "batch_shift", make, per=1e-3, unit="ms", threads=(1,)
    )


def curvature() -> Iterator[Case]:
    """Second derivatives of one expectation value by 24 weights."""

    def make():
        circ, count = hea(6, 2)
        return {"circ": circ, "ham": tfim(6), "w": weights(count)}

    yield Case("hessian", "hessian-n6-w24", 6, "hessian", make, per=1e-3, unit="ms", threads=(1,), quick=True)


def kernels() -> Iterator[Case]:
    for n, rows in ((8, 200), (12, 200), (10, 1000)):

        def make(n=n, rows=rows):
            circ = Circuit(n)
            add_zz_map(circ, 2)
            return {"circ": circ, "x": zz_features(np.random.default_rng(6).uniform(0, math.pi, (rows, n)))}

        yield Case(
            "kernel",
            f"kernel-n{n}-m{rows}",
            n,
            "kernel",
            make,
            cost=n * (2.0**n + 500),
            group="kernel",
            per=1e-3,
            unit="ms",
            quick=n == 8,
        )


def overhead() -> Iterator[Case]:
    def make():
        circ = Circuit(2)
        circ.rot("ry", 0, w=0)
        circ.rot("ry", 1, w=1)
        circ.add("cx", 0, 1)
        circ.rot("rz", 0, w=2)
        circ.rot("rx", 1, w=3)
        return {"circ": circ, "ham": [(1.0, ((1, "Z"),))], "w": weights(4), "calls": 10000}

    yield Case(
        "overhead", "overhead-2q5g", 2, "overhead", make, per=1e-6, unit="us/call", threads=(1,), quick=True
    )


def noise() -> Iterator[Case]:
    for n in (5, 12):  # n = 5 is checked against an exact density matrix

        def make(n=n):
            circ, count = hea(n, 3)
            return {"circ": circ, "w": weights(count), "p": 0.005, "trajectories": 200}

        yield Case(
            "noise",
            f"noise-n{n}-t200",
            n,
            "noise",
            make,
            per=1e-3,
            unit="ms",
            quick=n == 5,
            cost=2.0**n,
        )


def all_cases(quick=False) -> list[Case]:
    """Every case in the order of the table; with ``quick`` one small case or two of each kind."""
    cases = [
        *gates(),
        *random_circuits(),
        *fourier_transforms(),
        *ansatz(),
        *batches(),
        *shift_rules(),
        *curvature(),
        *kernels(),
        *sampling(quick),
        *optimisation(),
        *overhead(),
        *noise(),
    ]
    return [c for c in cases if c.quick] if quick else cases
