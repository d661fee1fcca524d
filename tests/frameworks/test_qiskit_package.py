"""What is imported when, and what a missing package says."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_qiskit_only_its_use_fails():
    out = run(
        """
        import sys
        sys.modules["qiskit"] = None
        from qsim import *
        import qsim
        for call in (lambda: qsim.from_qiskit(1), lambda: qsim.to_qiskit(1), lambda: qsim.qiskit):
            try:
                call()
            except ImportError as error:
                print(error)
        """
    )
    assert out.splitlines() == [
        f'{user} needs Qiskit: pip install "qsim-statevector[qiskit]".'
        for user in ("qsim.from_qiskit", "qsim.to_qiskit", "qsim.qiskit")
    ]


def test_gradients_alone_need_qiskit_machine_learning():
    pytest.importorskip("qiskit", minversion="2.2")
    out = run(
        """
        import sys
        sys.modules["qiskit_machine_learning"] = None
        import qsim.qiskit
        print("QsimQGT" in dir(qsim.qiskit), "qiskit_aer" in sys.modules)
        try:
            qsim.qiskit.QsimQGT
        except ImportError as error:
            print(error)
        """
    )
    assert out.splitlines() == [
        "True False",
        "qsim.qiskit.QsimQGT needs qiskit-machine-learning: "
        'pip install "qsim-statevector[qiskit-machine-learning]".',
    ]


def test_names():
    pytest.importorskip("qiskit", minversion="2.2")
    import qsim.qiskit

    assert qsim.qiskit.QsimBackend().name == "qsim"
    with pytest.raises(AttributeError, match="QsimNothing"):
        _ = qsim.qiskit.QsimNothing
