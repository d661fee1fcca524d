"""Cirq's own tests of its simulator, run on `QsimSimulator`; needs Cirq, whose wheel has them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import qsim

cirq = pytest.importorskip("cirq")

TESTS = Path(cirq.__file__).parent / "sim" / "sparse_simulator_test.py"
#: Each with its reason; docs/cirq.md has them for people to read.
MISSES = {
    # counts calls of a private method that steps through moments, which a compiled circuit does not
    "test_run_repetitions_measure_at_end": 4,
}


def test_cirqs_own_tests():
    if not TESTS.exists():
        pytest.skip("this Cirq was installed without its tests")
    here = Path(__file__).parent
    places = [str(here), str(Path(qsim.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "cirq_simulator_replaced",
                "-p",
                "no:cacheprovider",
            ),
            *("-p", "no:xdist", "-p", "no:randomly", "--tb=no", str(TESTS)),
        ],
        cwd=here,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    failed = re.findall(r"^(?:FAILED|ERROR) .*?::(\w+)", done.stdout, flags=re.MULTILINE)
    assert {name: failed.count(name) for name in failed} == MISSES, done.stdout[-3000:] + done.stderr[-3000:]
    passed = int(re.search(r"(\d+) passed", done.stdout).group(1))
    assert passed >= 185
