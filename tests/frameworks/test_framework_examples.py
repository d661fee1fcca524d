"""The examples for frameworks run, and find what they promise; each needs its framework."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import qsim

EXAMPLES = Path(__file__).parents[2] / "examples"
#: script -> framework
SCRIPTS = {
    "torch_digits": "torch",
    "jax_training": "jax",
    "pennylane_vqe_h2": "pennylane",
    "qiskit_primitives": "qiskit",
    "cirq_sampling": "cirq",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_example(name: str, tmp_path: Path) -> None:
    pytest.importorskip(SCRIPTS[name])
    # the package these tests run on, wherever it is: the source tree of a clone has no built core
    places = [str(Path(qsim.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
