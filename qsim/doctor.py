"""Self tests of an installation: does everything that users rely on work on this machine?"""

from __future__ import annotations

import functools
import math
import os
import pickle
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TextIO

import numpy as np

import qsim
from qsim.backends.base import available_backends
from qsim.circuit import Circuit
from qsim.errors import (
    MemoryBudgetError,
    QasmError,
    QubitError,
    UnboundParameterError,
    UnknownGateError,
)
from qsim.gates import unique_specs
from qsim.memory import format_bytes, free_memory
from qsim.parameters import Parameter
from qsim.settings import missing_core

__all__ = ["CHECKS", "run_doctor"]

#: Largest difference from the exact answer, in double and in single precision.
DOUBLE, SINGLE = 1e-12, 2e-5
_FORK_SECONDS = 20.0


class Skipped(Exception):
    """A check that means nothing here; the text says why."""


Check = Callable[[], str]
#: name -> function that returns a remark, or raises
CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Register a self test."""

    def register(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return register


def run_doctor(out: TextIO | None = None) -> bool:
    """Run all self tests, one line each, and print a verdict.

    Parameters
    ----------
    out : text file, optional
        Standard output by default.

    Returns
    -------
    bool
        Whether no test failed. Tests of what is not installed are skipped.
    """
    stream = sys.stdout if out is None else out
    width = max(map(len, CHECKS))
    failed = skipped = 0
    begin = time.perf_counter()
    for name, function in CHECKS.items():
        start = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                verdict, remark = "ok  ", function()
        except Skipped as reason:
            verdict, remark = "skip", str(reason)
            skipped += 1
        except Exception as error:  # whatever is wrong with the installation
            verdict, remark = "FAIL", f"{type(error).__name__}: {' '.join(str(error).split())}"
            failed += 1
        seconds = time.perf_counter() - start
        print(f"{verdict}  {name:<{width}}  {seconds:6.2f} s  {remark}".rstrip(), file=stream, flush=True)
    total = time.perf_counter() - begin
    passed = len(CHECKS) - failed - skipped
    extra = f", {skipped} skipped" if skipped else ""
    if failed:
        verdict = (
            f"{failed} of {len(CHECKS)} tests failed{extra} ({total:.1f} s): this installation is not sound."
        )
    else:
        verdict = f"{passed} of {len(CHECKS)} tests passed{extra} ({total:.1f} s): qsim works here."
    print(f"\n{verdict}", file=stream)
    return not failed


# -- helpers -----------------------------------------------------------------------------------------
def _random_circuit(num_qubits: int, num_gates: int, seed: int, *, controls: bool = True) -> Circuit:
    """Gates of the whole table at random places, some with further controls."""
    rng = np.random.default_rng(seed)
    specs = [spec for spec in unique_specs() if spec.num_qubits <= num_qubits]
    circuit = Circuit(num_qubits)
    for _ in range(num_gates):
        spec = specs[rng.integers(len(specs))]
        places = rng.permutation(num_qubits).tolist()
        params = rng.uniform(-math.pi, math.pi, spec.num_params).tolist()
        own, rest = places[: spec.num_qubits], places[spec.num_qubits :]
        extra = rest[: int(rng.integers(0, 3))] if controls else []
        values = rng.integers(0, 2, len(extra)).tolist()
        circuit.append(spec, params, own, controls=extra, control_values=values)
    return circuit


def _big_circuit(num_qubits: int) -> Circuit:
    """Layers of rotations, entangling gates and diagonals, on more qubits than one tile holds."""
    rng = np.random.default_rng(5)
    circuit = Circuit(num_qubits)
    for layer in range(3):
        for q in range(num_qubits):
            circuit.ry(rng.uniform(0, 3), q).rz(rng.uniform(0, 3), q)
        for q in range(num_qubits - 1):
            circuit.cx(q, (q + 1 + layer) % num_qubits)
        circuit.rzz(0.3, 0, num_qubits - 1).swap(1, num_qubits - 2).ccx(0, num_qubits - 1, 3)
    return circuit


@functools.cache
def _exact_cases() -> tuple[tuple[Circuit, Any], ...]:
    """Circuits and their states by dense matrices, which share no code with the backends."""
    cases = [_random_circuit(n, 25, seed) for n in (1, 3, 6) for seed in range(4)]
    return tuple((circuit, circuit.matrix()[:, 0]) for circuit in cases)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _require_backend(name: str) -> None:
    if name not in available_backends():
        what = missing_core() if name == "cpp" else "Numba is not installed"
        raise Skipped(what)


def _compare(backend: str, precision: str = "double") -> str:
    _require_backend(backend)
    worst = max(
        float(np.abs(qsim.statevector(circuit, backend=backend, precision=precision) - exact).max())
        for circuit, exact in _exact_cases()
    )
    _require(worst < (DOUBLE if precision == "double" else SINGLE), f"amplitudes differ by {worst:.1e}")
    return f"{len(_exact_cases())} circuits, largest error {worst:.0e}"


# -- the tests -----------------------------------------------------------------------------------------
@check("import time")
def _check_import() -> str:
    code = (
        "import sys, time; start = time.perf_counter(); import qsim; "
        "print(time.perf_counter() - start, 'numba' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    seconds, numba = out.stdout.split()
    _require(numba == "False", "`import qsim` imports Numba")
    _require(float(seconds) < 2.0, f"`import qsim` takes {float(seconds):.2f} s")
    return f"import qsim takes {1e3 * float(seconds):.0f} ms"


@check("versions")
def _check_versions() -> str:
    _require(sys.version_info >= (3, 11), "Python must be at least 3.11")
    _require(int(np.__version__.split(".")[0]) >= 2, f"NumPy must be at least 2, but is {np.__version__}")
    return f"Python {sys.version.split()[0]}, NumPy {np.__version__}"


@check("gate table")
def _check_gates() -> str:
    for spec in unique_specs():
        matrix = spec.matrix(*(0.3 + 0.4 * k for k in range(spec.num_params)))
        error = float(np.abs(matrix @ matrix.conj().T - np.eye(len(matrix))).max())
        _require(error < 1e-14, f"gate `{spec.name}` is not unitary ({error:.1e})")
    return f"{len(unique_specs())} gates are unitary"


@check("C++ core, double precision")
def _check_cpp() -> str:
    return _compare("cpp")


@check("C++ core, single precision")
def _check_cpp_single() -> str:
    return _compare("cpp", "single")


@check("instruction sets")
def _check_isas() -> str:
    _require_backend("cpp")
    from qsim import _core

    chosen = _core.isa()
    big = _big_circuit(16)  # more than one tile
    expected = qsim.statevector(big, backend="cpp")
    try:
        for isa in _core.available_isas():
            _core.set_isa(isa)
            worst = float(np.abs(qsim.statevector(big, backend="cpp") - expected).max())
            _require(worst < DOUBLE, f"{isa}: amplitudes of a big state differ by {worst:.1e}")
            for precision in ("double", "single"):
                try:
                    _compare("cpp", precision)
                except AssertionError as error:
                    raise AssertionError(f"{isa}, {precision} precision: {error}") from error
    finally:
        _core.set_isa(chosen)
    return f"{', '.join(_core.available_isas())}; in use: {chosen}"


@check("Numba backend")
def _check_numba() -> str:
    return _compare("numba")


@check("backends agree on a big state")
def _check_agreement() -> str:
    if len(available_backends()) < 2:
        raise Skipped(f"only {', '.join(available_backends())} is available")
    circuit = _big_circuit(16)
    first, second = (qsim.statevector(circuit, backend=name) for name in available_backends()[:2])
    worst = float(np.abs(first - second).max())
    _require(worst < DOUBLE, f"amplitudes differ by {worst:.1e}")
    return f"16 qubits, {len(circuit)} gates, largest difference {worst:.0e}"


@check("norm of a big state")
def _check_norm() -> str:
    state = qsim.statevector(_big_circuit(18))
    error = abs(float(np.vdot(state, state).real) - 1)
    _require(error < DOUBLE, f"the norm is off by {error:.1e}")
    return f"18 qubits, off by {error:.0e}"


@check("same result at any number of threads")
def _check_threads() -> str:
    circuit = _big_circuit(17)
    states = [qsim.statevector(circuit, threads=count) for count in (1, 2, 3)]
    values = [qsim.expectation(circuit, "Z0 X16", threads=count) for count in (1, 2, 3)]
    _require(all(np.array_equal(states[0], s) for s in states), "amplitudes depend on the threads")
    _require(len(set(values)) == 1, "an expectation value depends on the threads")
    return "bit for bit, 1 to 3 threads"


@check("one program in many threads")
def _check_shared() -> str:
    theta = Parameter("theta")
    program = qsim.compile(Circuit(6).ry(theta, 0).cx(0, 5), "Z5", threads=1)
    angles = np.linspace(0, 3, 64)
    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda a: program.expectation([a]), angles))
    _require(bool(np.allclose(values, np.cos(angles), atol=DOUBLE)), "concurrent runs disturb one another")
    return "64 runs in 8 threads"


@check("child processes")
def _check_fork() -> str:
    if not hasattr(os, "fork"):
        raise Skipped("this system has no fork()")
    circuit = _big_circuit(15)
    expected = qsim.expectation(circuit, "Z0 Z1")
    child = os.fork()
    if child == 0:  # nothing but the exit status may leave the child
        status = 1
        try:
            status = 0 if qsim.expectation(circuit, "Z0 Z1") == expected else 2
        finally:
            os._exit(status)
    end = time.monotonic() + _FORK_SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            _require(code == 0, f"the child of fork() ended with {code}")
            return "the child of fork() gets the same value"
        time.sleep(0.005)
    os.kill(child, 9)
    os.waitpid(child, 0)
    raise AssertionError(f"the child of fork() hangs for {_FORK_SECONDS:.0f} s")


@check("batches of parameters")
def _check_batch() -> str:
    theta = Parameter("theta")
    angles = np.linspace(-3, 3, 101)
    values = qsim.expectation(Circuit(2).ry(theta, 0).cx(0, 1), ["Z1", "X0 X1"], {"theta": angles})
    exact = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    error = float(np.abs(values - exact).max())
    _require(error < DOUBLE, f"expectation values are off by {error:.1e}")
    return f"cos and sin of {len(angles)} angles, largest error {error:.0e}"


@check("observables")
def _check_observables() -> str:
    circuit = _random_circuit(4, 30, 11)
    state = circuit.matrix()[:, 0]
    terms = {"Z0 Z1": 0.5, "X2": -1.25, "Y0 X3": 0.75, "": 0.1}
    pauli_sum = qsim.PauliSum(terms)
    matrix = np.asarray(pauli_sum.to_matrix(num_qubits=4))
    exact = float(np.vdot(state, matrix @ state).real)
    values = qsim.expectation(circuit, [pauli_sum, qsim.Hermitian(matrix, [0, 1, 2, 3])])
    error = float(np.abs(np.asarray(values) - exact).max())
    _require(error < DOUBLE, f"expectation values are off by {error:.1e}")
    return f"Pauli sum and matrix, largest error {error:.0e}"


@check("sampling")
def _check_sampling() -> str:
    circuit = _random_circuit(3, 15, 3)
    shots = 20_000
    exact = np.abs(circuit.matrix()[:, 0]) ** 2
    found = [
        np.bincount(qsim.sample(circuit, shots=shots, seed=7, backend=name).ints, minlength=8)
        for name in available_backends()
    ]
    _require(all(np.array_equal(found[0], other) for other in found), "a seed means another thing elsewhere")
    expected = shots * exact
    some = expected > 5
    chi_square = float(((found[0] - expected)[some] ** 2 / expected[some]).sum())
    _require(chi_square < 40, f"frequencies do not fit the probabilities (chi-square {chi_square:.1f})")
    return f"{shots} shots, chi-square {chi_square:.1f}, the same on each backend"


@check("measurement and feed-forward")
def _check_teleportation() -> str:
    circuit = Circuit(3, 3).ry(1.1, 0).rz(0.4, 0).h(1).cx(1, 2).cx(0, 1).h(0)
    circuit.measure([0, 1], [0, 1])
    circuit.if_else((1, 1), Circuit(3, 3).x(2)).if_else((0, 1), Circuit(3, 3).z(2))
    circuit.rz(-0.4, 2).ry(-1.1, 2).measure(2, 2)
    outcomes = qsim.distribution(circuit)
    wrong = sum(p for bits, p in outcomes.items() if bits[0] == "1")
    _require(wrong < DOUBLE, f"teleportation fails with probability {wrong:.1e}")
    _require(len(outcomes) == 4, f"there are {len(outcomes)} branches instead of 4")
    return "teleportation, all 4 branches"


@check("OpenQASM 2 round trip")
def _check_qasm2() -> str:
    return _round_trip(2)


@check("OpenQASM 3 round trip")
def _check_qasm3() -> str:
    return _round_trip(3)


def _round_trip(version: int) -> str:
    circuit = _random_circuit(5, 40, 21, controls=version == 3)
    back = Circuit.from_qasm(circuit.to_qasm(version))
    overlap = float(abs(np.vdot(circuit.matrix()[:, 0], back.matrix()[:, 0])))
    _require(abs(overlap - 1) < 1e-9, f"the circuit read back gives another state (overlap {overlap:.6f})")
    return f"{len(circuit)} gates"


@check("JSON and pickle")
def _check_json() -> str:
    circuit = _random_circuit(5, 40, 22).measure_all()
    _require(Circuit.from_json(circuit.to_json()) == circuit, "JSON gives another circuit")
    program = pickle.loads(pickle.dumps(qsim.compile(circuit, "Z0")))
    _require(
        program.expectation() == qsim.expectation(circuit, "Z0"), "a pickled program gives another value"
    )
    return "circuit and program"


@check("drawing")
def _check_drawing() -> str:
    text = str(Circuit(2, 1).h(0).cx(0, 1).measure(1, 0).draw("text", fold=-1))
    _require("⊕" in text and "┤ H ├" in text, "the drawing lacks a gate")
    _random_circuit(6, 60, 4).draw("text")
    return "text"


@check("errors for bad input")
def _check_errors() -> str:
    attempts: list[tuple[type[Exception], Callable[[], Any]]] = [
        (QubitError, lambda: Circuit(2).cx(0, 0)),
        (QubitError, lambda: Circuit(2).h(2)),
        (UnknownGateError, lambda: Circuit(1).append("hadamrd", (), 0)),
        (UnboundParameterError, lambda: qsim.statevector(Circuit(1).rx(Parameter("t"), 0))),
        (QasmError, lambda: Circuit.from_qasm("OPENQASM 2.0;\nqreg q[1];\nh q[0")),
    ]
    for expected, attempt in attempts:
        try:
            attempt()
        except expected:
            continue
        raise AssertionError(f"{expected.__name__} is not raised")
    return f"{len(attempts)} classes"


@check("memory")
def _check_memory() -> str:
    for num_qubits in (50, 200):
        try:
            qsim.statevector(Circuit(num_qubits).h(0))
        except MemoryBudgetError:
            continue
        raise AssertionError(f"a state of {num_qubits} qubits is not refused")
    program = qsim.compile(Circuit(10).h(0).rx(Parameter("t"), 1), "Z0")
    program.expectation([0.1])
    before = _resident()
    for _ in range(3000):
        program.expectation([0.1])
        program.statevector([0.1])
    grown = _resident() - before
    _require(grown < 20 << 20, f"3000 runs leave {format_bytes(grown)} behind")
    free = free_memory()
    return "too large states are refused" + ("" if free is None else f"; {format_bytes(free)} free")


def _resident() -> int:
    """Bytes of memory this process holds; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
