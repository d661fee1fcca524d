"""`max_memory`: batches in pieces, with the bits of the whole, and no more memory than allowed."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from test_memory import needs_proc

import qsim
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, MemoryBudgetError
from qsim.measurements import DensityMatrix, Fidelity, Probabilities, Purity, State, Variance
from qsim.memory import parse_bytes, row_ranges, rows_at_once
from qsim.testing import random_circuit

OBSERVABLES = ["Z0 Z1", {"X0": 0.5, "Y2 Z3": 1.0}, qsim.Projector("01", qubits=[1, 4])]
PAULIS = OBSERVABLES[:2]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        *((1, 1), (np.int64(4096), 4096), ("5 B", 5), ("12 bytes", 12), ("256 MB", 256 * 10**6)),
        *(("256MiB", 256 << 20), (" 1.5 gib ", 3 << 29), ("2kB", 2000), ("1 TB", 10**12), (None, None)),
    ],
)
def test_sizes_are_read(size, expected):
    assert parse_bytes(size) == expected


@pytest.mark.parametrize("size", ["much", "12", "1 XB", "-1 MB", "MB", "", 0, -5, "0 MB", "0.1 B"])
def test_sizes_that_are_none_are_refused(size):
    with pytest.raises(ArgumentError, match="`max_memory` must be"):
        qsim.Simulator(max_memory=size)


@pytest.mark.parametrize("size", [1e6, True, [1]])
def test_sizes_of_other_types_are_refused(size):
    with pytest.raises(TypeError, match="`max_memory` must be a number of bytes"):
        qsim.compile(Circuit(1), max_memory=size)


def test_rows_are_cut_into_ranges():
    assert [(r.start, r.stop) for r in row_ranges(7, 3)] == [(0, 3), (3, 6), (6, 7)]
    assert list(row_ranges(0, 3)) == []
    assert rows_at_once(100, 10, 55) == 5 and rows_at_once(3, 10, 55) == 3 and rows_at_once(100, 10, 1) == 1
    assert rows_at_once(100, 10, 55, max_memory=30) == 3
    assert rows_at_once(100, 10, 55, max_memory=30, held=15) == 1
    with pytest.raises(MemoryBudgetError, match="A row needs 10 bytes, but argument `max_memory` allows 9"):
        rows_at_once(100, 10, 55, max_memory=9, what="A row")


def parametrised(num_qubits: int = 6) -> Circuit:
    x = qsim.Parameter("x")
    circuit = random_circuit(num_qubits, 24, seed=5, parameters=5)
    return circuit.ry(qsim.sin(x), 0).crx(x, 0, 2).rz(0.3 * x, 1)


def values_of(circuit: Circuit, batch: int) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(batch, len(circuit.parameters)))


def branching() -> Circuit:
    x = qsim.Parameter("x")
    return Circuit(4, 1).ry(x, 0).h(1).measure(1, 0).if_else((0, 1), Circuit(4, 1).rx(x, 2)).cx(0, 3)


ANSWERS = {
    "expectation": lambda s, c, v: s.expectation(c, PAULIS, v),
    "expectation of a projector": lambda s, c, v: s.expectation(c, OBSERVABLES, v),
    "variance": lambda s, c, v: s.variance(c, OBSERVABLES, v),
    "probabilities": lambda s, c, v: s.probabilities(c, v, [1, 0]),
    "sample": lambda s, c, v: s.sample(c, v, shots=20, seed=1).ints,
    "amplitudes": lambda s, c, v: s.amplitudes(c, [3, 1], v),
    "density_matrix": lambda s, c, v: s.density_matrix(c, [1, 3], v),
    "purity": lambda s, c, v: s.purity(c, [0, 2], v),
    "von_neumann_entropy": lambda s, c, v: s.von_neumann_entropy(c, [0, 1, 2, 3], v),
    "inner_product": lambda s, c, v: s.inner_product(c, c, v, v[::-1].copy()),
    "inner_product with one": lambda s, c, v: s.inner_product(c, c, v[0], v),
    "fidelity": lambda s, c, v: s.fidelity(c, c, v, v[:1]),
    "initial states": lambda s, c, v: s.expectation(c, PAULIS, v, initial_state=np.eye(64)[: len(v)]),
    "gradient": lambda s, c, v: s.value_and_gradient(c, PAULIS, v)[1],
    "gradient of a projector": lambda s, c, v: s.value_and_gradient(c, OBSERVABLES, v)[1],
    "parameter_shift": lambda s, c, v: s.value_and_gradient(c, PAULIS, v, method="parameter_shift")[1],
    "shots": lambda s, c, v: s.value_and_gradient(
        c, PAULIS, v[:3], method="parameter_shift", shots=10, seed=3
    )[1],
    "hadamard_test": lambda s, c, v: s.value_and_gradient(c, OBSERVABLES, v, method="hadamard_test")[1],
    "finite_difference": lambda s, c, v: s.value_and_gradient(c, PAULIS, v, method="finite_difference")[1],
    "spsa": lambda s, c, v: s.value_and_gradient(c, PAULIS, v, method="spsa", seed=1, directions=3)[1],
    "probabilities' gradient": lambda s, c, v: s.value_and_gradient(c, Probabilities([0, 1, 2, 3]), v)[1],
    "their shift rule": lambda s, c, v: s.value_and_gradient(
        c, Probabilities([0, 1]), v, method="parameter_shift"
    )[1],
    "variance's gradient": lambda s, c, v: s.value_and_gradient(c, Variance("Z0 X1"), v)[1],
    "purity's gradient": lambda s, c, v: s.value_and_gradient(c, Purity([0, 1]), v)[1],
    "vjp": lambda s, c, v: s.vjp(c, DensityMatrix([2]), v, np.eye(2) + 1j)[1],
    "vjp by states": lambda s, c, v: s.vjp(c, PAULIS, v, [1.0, 2.0], initial_state=np.eye(64)[: len(v)])[2],
    "jvp": lambda s, c, v: s.jvp(c, PAULIS, v, v[0])[1],
    "hvp": lambda s, c, v: s.hvp(c, Variance(PAULIS), v, v[0]),
    "geometric_tensor": lambda s, c, v: s.geometric_tensor(c, v),
    "geometric tensor by blocks": lambda s, c, v: s.geometric_tensor(c, v, approximation="block_diagonal"),
    "diagonal Fisher information": lambda s, c, v: s.quantum_fisher(c, v, approximation="diagonal"),
    "classical_fisher": lambda s, c, v: s.classical_fisher(c, v, [0, 1]),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_no_bit_depends_on_it(what, backend, precision):
    circuit = parametrised()
    values = values_of(circuit, 37)
    size = (16 if precision == "double" else 8) << 6
    found = [
        ANSWERS[what](qsim.Simulator(backend, precision, max_memory=limit), circuit, values)
        for limit in (None, 65 * size + 40_000, 90 * size + 60_000, "1 GB")
    ]
    for other in found[1:]:
        assert np.array_equal(found[0], other)


def test_no_bit_of_a_circuit_that_branches_depends_on_it(backend):
    circuit, values = branching(), np.linspace(0, 1, 5)[:, None]
    simulators = [qsim.Simulator(backend, max_memory=limit) for limit in (None, 8192)]
    for call in (
        lambda s: s.expectation(circuit, ["Z0", "Z2"], values),
        lambda s: s.purity(circuit, [0, 2], values),
        lambda s: s.sample(circuit, values, shots=50, seed=1).ints,
    ):
        assert np.array_equal(*(call(s) for s in simulators))
    assert simulators[0].distribution(circuit, values) == simulators[1].distribution(circuit, values)


def test_hessians_that_do_not_fit_go_another_way(backend):
    """All tangents of a row at once would be too much: one parameter at a time, the same up to rounding."""
    circuit = parametrised()
    values = values_of(circuit, 5)
    whole = qsim.hessian(circuit, PAULIS, values, backend=backend)
    small = qsim.hessian(circuit, PAULIS, values, backend=backend, max_memory=60_000)
    np.testing.assert_allclose(small, whole, atol=1e-12)
    again = qsim.hessian(circuit, PAULIS, values, backend=backend, max_memory="80 kB")
    assert np.array_equal(small, again)


def test_an_answer_that_cannot_be_cut_says_what_it_needs():
    circuit = parametrised()
    values = values_of(circuit, 100)
    with pytest.raises(MemoryBudgetError, match=r"state vector, .* 100 rows .* needs 1\d\d KiB, .* 64 KiB"):
        qsim.statevector(circuit, values, max_memory=1 << 16)
    assert qsim.statevector(circuit, values[:20], max_memory=1 << 16).shape == (20, 64)
    with pytest.raises(MemoryBudgetError, match=r"2 states of 6 qubits, beside .* needs .* allows 40 KiB"):
        qsim.probabilities(circuit, values, max_memory=40 << 10)
    with pytest.raises(MemoryBudgetError, match="`max_memory`"):
        qsim.density_matrix(circuit, None, values, max_memory=1 << 16)


@pytest.mark.parametrize(
    "call",
    [
        lambda c, v, m: qsim.statevector(c, v, max_memory=m),
        lambda c, v, m: qsim.expectation(c, "Z0", v, max_memory=m),
        lambda c, v, m: qsim.compile(c, "Z0", max_memory=m).expectation(v),
        lambda c, v, m: qsim.variance(c, "Z0", v, max_memory=m),
        lambda c, v, m: qsim.probabilities(c, v, [0], max_memory=m),
        lambda c, v, m: qsim.sample(c, v, shots=3, max_memory=m),
        lambda c, v, m: qsim.distribution(c, v, max_memory=m),
        lambda c, v, m: qsim.amplitudes(c, [0], v, max_memory=m),
        lambda c, v, m: qsim.density_matrix(c, [0], v, max_memory=m),
        lambda c, v, m: qsim.purity(c, [0], v, max_memory=m),
        lambda c, v, m: qsim.fidelity(c, c, v, v, max_memory=m),
        lambda c, v, m: qsim.gradient(c, "Z0", v, max_memory=m),
        lambda c, v, m: qsim.gradient(c, "Z0", v, method="parameter_shift", max_memory=m),
        lambda c, v, m: qsim.gradient(c, State(), v, max_memory=m),
        lambda c, v, m: qsim.jacobian(c, Fidelity(np.eye(2048)[0]), v, max_memory=m),
        lambda c, v, m: qsim.vjp(c, "Z0", v, 1.0, max_memory=m),
        lambda c, v, m: qsim.jvp(c, "Z0", v, np.ones(len(c.parameters)), max_memory=m),
        lambda c, v, m: qsim.hvp(c, "Z0", v, np.ones(len(c.parameters)), max_memory=m),
        lambda c, v, m: qsim.hessian(c, "Z0", v, max_memory=m),
        lambda c, v, m: qsim.geometric_tensor(c, v, max_memory=m),
        lambda c, v, m: qsim.quantum_fisher(c, v, approximation="diagonal", max_memory=m),
        lambda c, v, m: qsim.classical_fisher(c, v, [0], max_memory=m),
        lambda c, v, m: qsim.optimize.Objective(c, "Z0", max_memory=m)(v),
    ],
)
@pytest.mark.parametrize("shape", ["row", "batch"])
def test_less_than_a_row_is_refused(call, shape):
    circuit = parametrised(11)
    values = values_of(circuit, 4)
    with pytest.raises(MemoryBudgetError, match=r"`max_memory` allows 31\.25 KiB\. Allow more"):
        call(circuit, values if shape == "batch" else values[0], 32_000)


def test_lanes_hold_cotangents_too(backend):
    """A row and lanes that run fit, but not lanes that go back with 16 cotangents."""
    circuit, x = Circuit(6), qsim.ParameterVector("x", 18)
    for k in range(18):
        circuit.rx(x[k], k % 6).rzz(x[k], k % 6, (k + 1) % 6)
    values, size = values_of(circuit, 20), 16 << 6
    measured = Probabilities([0, 1, 2, 3])
    with pytest.raises(MemoryBudgetError, match=r"One row, of .* beside 272 KiB whatever the rows"):
        qsim.jacobian(circuit, measured, values, backend=backend, max_memory=100 * size)
    found = qsim.jacobian(circuit, measured, values, backend=backend, max_memory=400 * size)
    assert np.array_equal(found, qsim.jacobian(circuit, measured, values, backend=backend))


def test_the_short_way_of_one_row_allows_no_more(backend):
    x = qsim.ParameterVector("x", 3)
    circuit = Circuit(6).h(range(6)).rx(x[0], 0).ry(x[1], 1).rzz(x[2], 0, 1).cx(1, 5)
    program = qsim.compile(circuit, "Z0", backend=backend, max_memory=4 << 10)
    row = np.array([0.1, 0.2, 0.3])
    for params in (row, list(row)):
        with pytest.raises(MemoryBudgetError, match="`max_memory` allows 4 KiB"):
            program.value_and_gradient(params)


def test_a_program_tells_and_keeps_it():
    import pickle

    circuit = parametrised()
    program = qsim.compile(circuit, "Z0", max_memory="1 MiB")
    assert program.max_memory == 1 << 20 == pickle.loads(pickle.dumps(program)).max_memory
    assert "max_memory=1048576" in repr(qsim.Simulator(max_memory="1 MiB"))
    assert qsim.Simulator(max_memory="1 MiB").compile(circuit) is not qsim.Simulator().compile(circuit)


# What runs first starts the threads and loads or compiles all kernels.
PEAK = """
import gc, sys
import numpy as np
import qsim

backend, limit = sys.argv[1], int(sys.argv[2])


def circuit(n):
    x = qsim.ParameterVector("x", n)
    made = qsim.Circuit(n)
    for q in range(n):
        made.ry(x[q], q)
    for q in range(n - 1):
        made.cx(q, q + 1).rzz(x[q], q, q + 1)
    return made


calls = {
    "expectation": lambda s, c, v: s.expectation(c, ["Z0", "X1 X2"], v),
    "projector": lambda s, c, v: s.expectation(c, [qsim.Projector("1", qubits=[0]), "Z1"], v),
    "variance": lambda s, c, v: s.variance(c, "X0 X1", v),
    "probabilities": lambda s, c, v: s.probabilities(c, v, [0, 1]),
    "sample": lambda s, c, v: s.sample(c, v, shots=5, seed=1),
    "fidelity": lambda s, c, v: s.fidelity(c, c, v, v[0]),
    "purity": lambda s, c, v: s.purity(c, [0, 1, 2], v),
    "gradient": lambda s, c, v: s.value_and_gradient(c, [f"Z{q}" for q in range(6)], v),
    "vjp": lambda s, c, v: s.vjp(c, [f"Z{q}" for q in range(6)], v, np.ones(6)),
    "parameter_shift": lambda s, c, v: s.value_and_gradient(c, "Z0", v[:40], method="parameter_shift"),
    "shots": lambda s, c, v: s.value_and_gradient(
        c, "Z0", v[:4], method="parameter_shift", shots=5, seed=1
    ),
    "hvp": lambda s, c, v: s.hvp(c, "Z0", v[:30], v[0]),
    "hessian": lambda s, c, v: s.hessian(c, "Z0", v[:2]),
    "quantum_fisher": lambda s, c, v: s.quantum_fisher(c, v[:20]),
}


def peak():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))


def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096


simulator = qsim.Simulator(backend, max_memory=limit, threads=2)
values = np.random.default_rng(0).normal(size=(300, 13))
for name, call in calls.items():
    call(simulator, circuit(9), values[:, :9])
    gc.collect()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak begins anew
    before = resident()
    call(simulator, circuit(13), values)
    print(name, (peak() - before) / limit)
"""


@needs_proc
def test_no_more_memory_than_allowed(backend):
    """300 states of 13 qubits would be 38 MiB, and several times that with what is made of them."""
    command = [sys.executable, "-c", PEAK, backend, str(16 << 20)]
    fresh = {"MALLOC_MMAP_THRESHOLD_": "65536"}  # no array may hide in what an earlier one left
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=os.environ | fresh)
    assert done.returncode == 0, done.stderr
    peaks = {name: float(peak) for name, peak in map(str.split, done.stdout.splitlines())}
    assert len(peaks) == 14 and max(peaks.values()) < 1.2, peaks  # plans, and buffers of kernels


def test_gradients_take_rows_one_by_one_where_lanes_do_not_fit(backend):
    theta = qsim.ParameterVector("t", 2)
    circuit = qsim.Circuit(3).ry(theta[0], 0).cx(0, 1).ry(theta[1], 2)
    rows = np.random.default_rng(0).uniform(0, 3, (203, 2))
    small = qsim.compile(circuit, ["Z0", "X2"], backend=backend, max_memory=4096)
    found = small.value_and_gradient(rows)
    for mine, all_at_once in zip(found, qsim.value_and_gradient(circuit, ["Z0", "X2"], rows), strict=True):
        np.testing.assert_allclose(mine, all_at_once, atol=1e-13)
