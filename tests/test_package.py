"""What importing the package costs and brings in."""

from __future__ import annotations

import subprocess
import sys


def test_import_loads_no_framework():
    code = "import qsim, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "qsim" in loaded.split()
    assert not {"numba", "scipy", "matplotlib", "torch", "jax"} & set(loaded.split())
