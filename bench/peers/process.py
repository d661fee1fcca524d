"""A worker process per peer, precision and thread count."""

import json
import os
import select
import subprocess

from adapters import PEERS

HERE = os.path.dirname(os.path.abspath(__file__))
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
TICKS = os.sysconf("SC_CLK_TCK")


def process_seconds(pid):
    """Processor time of one process, in seconds (Linux)."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pin_to_one_core():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


class Worker:
    """Runs ``worker.py`` and talks JSON with it, one line a message. ``dead`` says why it ended."""

    def __init__(self, peer, precision, threads, python, log):
        self.key, self.dead = (peer, precision, threads), None
        env = os.environ | {name: str(threads) for name in THREAD_VARIABLES} | {"PYTHONWARNINGS": "ignore"}
        env |= PEERS[peer].get("env", lambda threads: {})(threads)
        self.process = subprocess.Popen(
            [python, os.path.join(HERE, "worker.py"), peer, precision, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=env,
            text=True,
            preexec_fn=pin_to_one_core if threads == 1 else None,
        )

    def receive(self, timeout):
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            self.kill(f"timeout > {timeout:.0f} s")
            return {"timeout": self.dead}
        line = self.process.stdout.readline()
        if not line:
            self.kill(f"worker died (exit {self.process.poll()})")
            return {"error": self.dead}
        return json.loads(line)

    def ask(self, timeout, **command):
        if self.dead:
            return {"error": self.dead}
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self.kill(f"worker died (exit {self.process.poll()})")
            return {"error": self.dead}
        return self.receive(timeout)

    def kill(self, why="closed"):
        self.dead = why
        self.process.kill()
        self.process.wait()
