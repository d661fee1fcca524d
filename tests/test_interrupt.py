"""Ctrl-C stops a long run, and the process computes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

CHILD = """
import os, signal, sys, threading, time
import qsim
signal.signal(signal.SIGINT, signal.default_int_handler)
circuit = qsim.Circuit(20)
for k in range(4000):
    circuit.rx(0.1, k % 20)
program = qsim.compile(circuit, backend=sys.argv[1])
qsim.statevector(qsim.Circuit(20).h(0).rx(0.1, 1), backend=sys.argv[1])
print("ready", flush=True)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    program.statevector()
except KeyboardInterrupt:
    print(qsim.probabilities(qsim.Circuit(1).x(0), backend=sys.argv[1]).tolist())
"""


def test_interrupt_raises_and_the_process_goes_on(backend):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, backend], capture_output=True, text=True, env=os.environ, timeout=120
    )
    assert -done.returncode != signal.SIGINT
    assert done.stdout.split("\n")[1] == "[0.0, 1.0]", done.stderr
