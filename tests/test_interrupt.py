"""Ctrl-C stops a long run soon, with KeyboardInterrupt, and the process computes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

#: seconds from the signal to the exception; the aim is 0.2 on a machine that does nothing else
LIMIT = 1.0

# Each job would run for minutes. The child must set the handler: a parent may have ignored SIGINT.
CHILD = """
import json, os, signal, sys, threading, time
import numpy as np
import qsim

signal.signal(signal.SIGINT, signal.default_int_handler)
backend, threads = sys.argv[1], int(sys.argv[2])
options = {"backend": backend, "threads": threads}


def long_circuit(num_qubits, used=None):
    # that no planner merges into few gates, on the lowest `used` qubits
    used = num_qubits if used is None else used
    circuit = qsim.Circuit(num_qubits, 1)
    for k in range(20_000):
        circuit.rx(0.1, k % used).cz(k % used, (k + 1) % used)
    return circuit


theta = qsim.Parameter("theta")
many = qsim.compile(qsim.Circuit(12).ry(theta, 0).h(list(range(12))).repeat(40), "Z0", **options)
rows = np.zeros((200_000, 1))
endless = qsim.Circuit(16, 1).while_loop((0, 0), qsim.Circuit(16, 1).h(list(range(16))))
big = qsim.compile(long_circuit(20), **options)
deep = qsim.compile(long_circuit(20, 8), **options)
wide = qsim.compile(long_circuit(23), precision="single", **options)
small = qsim.compile(long_circuit(14).repeat(20), **options)
jobs = {
    "one big state": lambda: big.statevector(),
    "one long pass over a big state": lambda: deep.statevector(),
    "a bigger state": lambda: wide.statevector(),
    "one small state": lambda: small.statevector(),
    "a batch": lambda: many.expectation(rows),
    "a loop": lambda: qsim.distribution(endless, **options),
    "samples": lambda: qsim.sample(endless, shots=10, seed=1, **options),
}
bell = qsim.Circuit(2).h(0).cx(0, 1)
qsim.probabilities(bell, **options)
delays = {}
for name, job in jobs.items():
    sent = []

    def send():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.1 if backend == "cpp" else 0.3, send)  # 0.1: while big programs are planned
    timer.start()
    try:
        job()
        delays[name] = "ended by itself"
    except KeyboardInterrupt:
        delays[name] = time.perf_counter() - sent[0]
    timer.join()
    found = qsim.probabilities(bell, **options)
    assert np.allclose(found, [0.5, 0, 0, 0.5]), found
print(json.dumps(delays))
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_interrupt_raises_and_the_process_goes_on(backend, threads):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, backend, str(threads)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    delays = json.loads(done.stdout)
    assert len(delays) == 7
    assert all(isinstance(delay, float) and delay <= LIMIT for delay in delays.values()), delays


# A handler that computes must not disturb the run it interrupts; the timer stands for any signal.
HANDLER = """
import signal, sys, time
import numpy as np
import qsim

backend, threads = sys.argv[1], int(sys.argv[2])
options = {"backend": backend, "threads": threads}
runs = []
for num_qubits, layers in ((14, 3000), (17, 300)):
    circuit = qsim.Circuit(num_qubits)
    for k in range(layers):
        circuit.ry(0.1 + k % 7, k % num_qubits).cx(k % num_qubits, (k + 3) % num_qubits)
    runs.append(qsim.compile(circuit, **options))
other = qsim.compile(qsim.Circuit(15).h(list(range(15))).rz(0.3, 4).rx(0.2, 9), "Z4", **options)
wanted = [run.statevector() for run in runs]
value = other.expectation()
calls = []


def compute(*_):
    calls.append(other.expectation())


signal.signal(signal.SIGALRM, compute)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
end = time.perf_counter() + 2
while time.perf_counter() < end:
    for run, state in zip(runs, wanted):
        assert np.array_equal(run.statevector(), state)
signal.setitimer(signal.ITIMER_REAL, 0)
assert calls and all(np.array_equal(call, value) for call in calls)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
@pytest.mark.parametrize("threads", [1, 2])
def test_signal_handlers_may_compute(backend, threads):
    done = subprocess.run(
        [sys.executable, "-c", HANDLER, backend, str(threads)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


DAEMON = """
import sys, threading, time
import qsim

circuit = qsim.Circuit(18)
for k in range(400):
    circuit.ry(0.1, k % 18)
program = qsim.compile(circuit, backend=sys.argv[1], threads=2)
program.statevector()


def forever():
    while True:
        program.statevector()


threading.Thread(target=forever, daemon=True).start()
time.sleep(0.3)
"""


def test_the_process_ends_while_a_daemon_thread_computes(backend):
    done = subprocess.run(
        [sys.executable, "-c", DAEMON, backend], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
