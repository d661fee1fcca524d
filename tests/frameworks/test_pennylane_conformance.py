"""PennyLane's tests of devices (``pl-device-test``) on `qsim.qubit`; needs PennyLane, flaky, pytest-mock."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

qml = pytest.importorskip("pennylane")
pytest.importorskip("flaky")
pytest.importorskip("pytest_mock")

SUITE = Path(qml.__file__).parent / "devices" / "tests"
#: Files that do not start another framework; the command runs all of them, sampled ones too.
ANALYTIC = (
    *("test_gates.py", "test_gates_with_expval.py", "test_measurements.py", "test_properties.py"),
    *("test_return_system.py", "test_templates.py", "test_tracker.py", "test_wires.py"),
)
SAMPLED = ("test_measurements.py", "test_return_system.py", "test_tracker.py", "test_wires.py")


@pytest.mark.parametrize(
    ("shots", "files", "least"),
    [("None", ANALYTIC, 354), ("20000", SAMPLED, 83)],
    ids=["analytic", "shots"],
)
def test_device_suite(shots, files, least, tmp_path):
    """No failure, and as many passes as there were: skipped tests are no successes."""
    command = [sys.executable, "-m", "pytest", *(str(SUITE / name) for name in files)]
    command += ["--device=qsim.qubit", f"--shots={shots}", "--skip-ops", "--no-flaky-report"]
    command += ["-q", "-p", "no:cacheprovider", f"--rootdir={SUITE}", f"-c={SUITE / 'pytest.ini'}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    (passed,) = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) >= least, done.stdout[-500:]
