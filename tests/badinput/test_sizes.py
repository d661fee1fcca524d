"""Sizes from nothing to far beyond any machine, under a limit of the address space.

Each size runs in one child with 3 GB of address space: what fits runs, what does not is a typed error in
a tenth of a second, before anything is allocated, and the process goes on.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SMALL = (0, 1, 2)
BIG = (29, 30, 31, 32, 33, 34, 40, 62, 63, 64, 65, 66, 127, 1000, 2**31, 2**63)
LIMIT = 3 << 30

CHILD = """
import json, resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
import numpy as np
import qsim
from qsim.circuit import Circuit

backend = sys.argv[1]
options = {"backend": backend, "threads": 2}
bell = Circuit(2).h(0).cx(0, 1)
qsim.expectation(bell, "Z0 Z1", **options), qsim.sample(bell, shots=2, seed=1, **options)


def calls(n):
    def circuit():
        return Circuit(n) if n == 0 else Circuit(n).h(0).x(n - 1)

    yield "statevector", lambda: qsim.statevector(circuit(), **options).shape == (2**n,)
    yield "single", lambda: qsim.statevector(circuit(), precision="single", **options).shape == (2**n,)
    yield "expectation", lambda: abs(qsim.expectation(circuit(), {"": 1.0}, **options) - 1) < 1e-9
    yield "probabilities", lambda: qsim.probabilities(circuit(), **options).shape == (2**n,)
    yield "one qubit", lambda: abs(sum(qsim.probabilities(circuit(), qubits=[0][:n], **options)) - 1) < 1e-9
    yield "sample", lambda: len(qsim.sample(circuit(), shots=3, seed=1, **options)) == 3
    yield "distribution", lambda: abs(sum(qsim.distribution(circuit(), **options).values()) - 1) < 1e-9
    yield "amplitudes", lambda: qsim.amplitudes(circuit(), [0], **options).shape == (1,)
    yield "density matrix", lambda: qsim.density_matrix(circuit(), **options).shape == (2**n, 2**n)
    yield "inner product", lambda: abs(qsim.inner_product(circuit(), circuit(), **options) - 1) < 1e-9
    yield "compile", lambda: qsim.compile(circuit(), **options).num_qubits == n
    yield "measured", lambda: len(qsim.sample(circuit().measure_all(), shots=3, seed=1, **options)) == 3
    yield "matrix", lambda: circuit().matrix().shape == (2**n, 2**n)


out = {}
for n in json.loads(sys.argv[3]):
    for name, call in calls(n):
        start = time.perf_counter()
        try:
            found = call()
            result = "right" if found else "wrong"
        except Exception as error:
            kinds = [c.__name__ for c in type(error).__mro__]
            result = [kinds, str(error)]
        out[f"{name} {n}"] = [result, time.perf_counter() - start]
        assert np.allclose(qsim.probabilities(bell, **options), [0.5, 0, 0, 0.5])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([out, peak]))
"""


def run(backend: str, sizes: tuple[int, ...]) -> tuple[dict, int]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, backend, str(LIMIT), json.dumps(sizes)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    found, peak = json.loads(done.stdout)
    return found, peak


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit of the address space")
class TestUnderALimit:
    def test_small_sizes_work(self, backend):
        found, _ = run(backend, SMALL)
        assert {name: result for name, (result, _) in found.items() if result != "right"} == {}

    def test_big_sizes_are_refused_before_anything_is_allocated(self, backend):
        found, peak = run(backend, BIG)
        assert len(found) == 13 * len(BIG)
        for name, (result, seconds) in found.items():
            assert isinstance(result, list), f"{name}: {result}"
            kinds, message = result
            if "matrix" in name.split()[0]:
                assert "CircuitError" in kinds or "ArgumentError" in kinds, (name, result)
            else:
                assert {"MemoryBudgetError", "ArgumentError"} & set(kinds), (name, result)
            assert "QsimError" in kinds, (name, result)
            assert message.endswith("."), (name, message)
            assert seconds <= 0.5, (name, seconds)
        assert peak <= 1 << 30, "a state was allocated"


@pytest.mark.parametrize("num_qubits, single", [(40, "complex128"), (41, "complex64")])
def test_messages_say_what_is_needed_free_and_would_fit(num_qubits, single):
    import qsim

    precision = "double" if single == "complex128" else "single"
    with pytest.raises(qsim.errors.MemoryBudgetError) as caught:
        qsim.statevector(qsim.Circuit(num_qubits), precision=precision)
    message = str(caught.value)
    assert message.startswith(f"{num_qubits} qubits in {single} need 16 TiB, ")
    assert " is free; at most " in message
    assert message.endswith("fewer qubits.")
    assert ("precision='single'" in message) == (precision == "double")


def test_a_batch_too_large_is_refused():
    import numpy as np

    import qsim

    theta = qsim.Parameter("t")
    circuit = qsim.Circuit(24).rx(theta, 0)
    with pytest.raises(qsim.errors.MemoryBudgetError, match=r"for a batch of 1000000 need .* smaller batch"):
        qsim.statevector(circuit, np.zeros((1_000_000, 1)))
