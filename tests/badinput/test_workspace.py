"""Memory for the work around a state is counted too: what does not fit is refused, the process goes on."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

NUM_QUBITS = 24

# The limit leaves room for two states and a little: one state runs, three are refused.
CHILD = """
import json, resource, sys
import numpy as np
import qsim
from qsim.circuit import Circuit

n, backend = int(sys.argv[1]), sys.argv[2]
options = {"backend": backend, "threads": 2}


def answers(n):
    circuit = Circuit(n).h(0).cx(0, n - 1)
    dynamic = Circuit(n, 3)
    for k in range(3):
        dynamic.h(k).measure(k, k)
    dynamic.x([0, 1, 2])
    yield "statevector", lambda: len(qsim.statevector(circuit, **options)) == 1 << n
    yield "expectation", lambda: abs(qsim.expectation(circuit, "Z0", **options)) < 1e-9
    yield "diagonal", lambda: abs(qsim.expectation(circuit, qsim.Diagonal([1, 2]), **options) - 1.5) < 1e-9
    yield "sample", lambda: qsim.sample(circuit, shots=3, **options).shots == 3
    yield "marginal", lambda: np.allclose(qsim.probabilities(circuit, qubits=[0], **options), 0.5)
    yield "variance", lambda: abs(qsim.variance(circuit, "X0", **options) - 1) < 1e-9
    yield "matrix", lambda: abs(qsim.expectation(circuit, np.eye(2), **options) - 1) < 1e-9
    yield "density matrix", lambda: qsim.density_matrix(circuit, [0, 3], **options).shape == (4, 4)
    yield "purity", lambda: abs(qsim.purity(circuit, [0], **options) - 0.5) < 1e-9
    turned = Circuit(n).ry(qsim.Parameter("t"), 0).cx(0, n - 1)
    yield "gradient", lambda: abs(qsim.gradient(turned, "Z0", [0.5], **options)[0] + np.sin(0.5)) < 1e-9
    yield "branches", lambda: len(qsim.distribution(dynamic, **options)) == 8
    yield "batch", lambda: qsim.statevector(circuit, np.zeros((4, 0)), **options).shape == (4, 1 << n)


for _, call in answers(17):
    call()  # loads and starts everything there is, threads and their memory too
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = used + (16 << n) * 5 // 2
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
found = {}
for name, call in answers(n):
    try:
        found[name] = "right" if call() else "wrong"
    except Exception as error:
        found[name] = f"{type(error).__name__}: {error}"
assert all(call() for _, call in answers(4))
print(json.dumps(found))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit of the address space")
def test_work_that_does_not_fit_is_refused(backend):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(NUM_QUBITS), backend], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    runs = ("statevector", "expectation", "diagonal", "sample", "marginal", "variance", "matrix")
    runs += ("density matrix", "purity")
    assert {name: found.pop(name) for name in runs} == dict.fromkeys(runs, "right")
    copies = "MemoryBudgetError: 24 qubits in complex128 (3 copies) need 768 MiB, "
    assert found.pop("gradient").startswith(copies)
    assert "MemoryBudgetError: A circuit that branches keeps a state for each open branch" in found.pop(
        "branches"
    )
    assert "MemoryBudgetError: 24 qubits in complex128 for a batch of 4 need 1 GiB, " in found.pop("batch")
    assert not found
