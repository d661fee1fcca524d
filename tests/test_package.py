"""The package as a whole: what importing costs and brings in, and life without the core or without Numba."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import qsim
from qsim.backends.base import available_backends

TESTS = Path(__file__).parent
HAS_CORE = importlib.util.find_spec("qsim._core") is not None
#: a module whose entry in sys.modules is None cannot be imported
WITHOUT_CORE = "import sys; sys.modules['qsim._core'] = None\n"
WITHOUT_NUMBA = "import sys; sys.modules['numba'] = None\n"
BELL = "bell = qsim.Circuit(2).h(0).cx(0, 1)\n"


def python(code: str, *, check: bool = True, **environment: str | None) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("QSIM_")}
    for name, value in environment.items():
        env.pop(name, None)
        if value is not None:
            env[name] = value
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=900)
    assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def output(code: str, **environment: str | None) -> str:
    return python(code, **environment).stdout.strip()


def error(code: str, **environment: str | None) -> str:
    """The last line a failing process writes."""
    done = python(code, check=False, **environment)
    assert done.returncode == 1, done.stderr
    return done.stderr.strip().splitlines()[-1]


# -- importing ------------------------------------------------------------------------------------------
def test_import_loads_no_framework():
    modules = output("import qsim, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))").split()
    heavy = {
        "numba",
        "scipy",
        "matplotlib",
        "torch",
        "jax",
        "qiskit",
        "pennylane",
        "cirq",
        "sympy",
        "qulacs",
        "openfermion",
        "tqdm",
        "openqasm3",
    }
    assert "qsim" in modules
    assert not heavy & set(modules)


def test_everyday_use_loads_no_framework():
    """Building and running on the C++ core needs NumPy only."""
    if not HAS_CORE:
        pytest.skip("the C++ core is not built")
    code = "import qsim, sys\n" + BELL + "qsim.expectation(bell, 'Z0 Z1'); qsim.sample(bell, shots=2)\n"
    code += (
        "bell.to_json(); qsim.compile(bell).explain()\nprint(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    modules = set(output(code).split())
    assert not {"numba", "scipy", "matplotlib", "qiskit", "openqasm3"} & modules


def test_import_time():
    """The best of several: what the import costs, not what else the machine does."""
    code = "import time; start = time.perf_counter(); import qsim; print(time.perf_counter() - start)"
    assert min(float(output(code)) for _ in range(5)) <= 0.15


def test_every_public_name_is_there():
    assert "__version__" in qsim.__all__
    for name in qsim.__all__:
        module = qsim._SOURCES.get(name, ("", ""))[0]
        if module.startswith("qsim.converters.") and not importlib.util.find_spec(module.split(".")[-1]):
            continue  # a framework that the tests' environment leaves out
        assert getattr(qsim, name) is not None
    assert set(qsim.__all__) <= set(dir(qsim))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = qsim.nothing


def test_modules_are_attributes():
    code = (
        "import qsim; print(qsim.classical.Bit(0), qsim.errors.QsimError.__name__, 'classical' in dir(qsim))"
    )
    assert python(code).stdout.split() == ["c[0]", "QsimError", "True"]
    elsewhere = {"cirq", "jax", "torch"}  # these need what the tests' environment leaves out
    for name in set(qsim._SUBMODULES) - elsewhere:
        assert getattr(qsim, name).__name__ == f"qsim.{name}"


@pytest.mark.parametrize(
    ("name", "used"),
    [
        *(
            ("torch", "torch"),
            ("jax", "jax"),
            ("sklearn", "sklearn"),
            ("cirq", "cirq"),
            ("cirq", "from_cirq"),
        ),
        *(("qulacs", "from_qulacs"), ("openfermion", "to_openfermion"), ("qiskit", "qiskit")),
    ],
)
def test_missing_extras_say_the_pip_command(name, used):
    without = f"import sys; sys.modules[{name!r}] = None; import qsim; qsim.{used}"
    assert f'pip install "qsim-statevector[{name}]"' in error(without)


def test_old_extras_say_what_is_needed():
    old = "import sys, types; torch = types.ModuleType('torch'); torch.__version__ = '2.3.1+cpu'"
    expected = (
        'PyTorch 2.4 or later, but 2.3.1+cpu is installed: pip install --upgrade "qsim-statevector[torch]"'
    )
    assert expected in error(f"{old}; sys.modules['torch'] = torch; import qsim; qsim.torch")


def test_types_are_announced():
    assert (Path(qsim.__file__).parent / "py.typed").exists()


# -- choosing -------------------------------------------------------------------------------------------
def test_bad_environment_variables_are_refused():
    run = "import qsim\n" + BELL + "print(qsim.expectation(bell, 'Z0 Z1'))"
    assert (
        "BackendError: Environment variable QSIM_BACKEND must be one of cpp, numba, but is 'fast'"
        in error(run, QSIM_BACKEND="fast")
    )
    assert "ArgumentError: QSIM_PRECISION must be 'double' or 'single', but is 'half'" in error(
        run, QSIM_PRECISION="half"
    )
    assert "ArgumentError: QSIM_NUM_THREADS must be a number from 1 to 4096, but is 'all'" in error(
        run, QSIM_NUM_THREADS="all"
    )
    if HAS_CORE:
        assert "BackendError: QSIM_ISA='sse9'" in error(run, QSIM_ISA="sse9")


@pytest.mark.skipif(not HAS_CORE, reason="the C++ core is not built")
def test_isa_is_taken_from_the_environment():
    from qsim import _core

    for isa in _core.available_isas():
        code = "import qsim\n" + BELL + "qsim.statevector(bell); from qsim import _core; print(_core.isa())"
        assert output(code, QSIM_ISA=isa) == isa


def test_settings_are_taken_from_the_environment():
    code = "import qsim; s = qsim.Simulator(); print(s.backend, s.precision, s.threads)"
    for backend in available_backends():
        found = output(code, QSIM_BACKEND=backend, QSIM_PRECISION="single", QSIM_NUM_THREADS="3")
        assert found == f"{backend} single 3"
    assert output(code, OMP_NUM_THREADS="5").endswith(" 5")
    assert output(code, OMP_NUM_THREADS="5", QSIM_NUM_THREADS="2").endswith(" 2")


# -- one backend without the other ----------------------------------------------------------------------
def test_without_the_core_numba_serves():
    code = WITHOUT_CORE + "import qsim\n" + BELL
    code += "print(qsim.available_backends(), qsim.Simulator().backend)\n"
    code += "print(round(qsim.expectation(bell, 'Z0 Z1'), 9))"
    assert output(code) == "('numba',) numba\n1.0"
    message = error(WITHOUT_CORE + "import qsim\n" + BELL + "qsim.statevector(bell, backend='cpp')")
    assert "BackendError: Argument `backend` asks for 'cpp', which cannot be used here" in message
    assert message.endswith("Available: numba.")


@pytest.mark.skipif(not HAS_CORE, reason="the C++ core is not built")
def test_without_numba_the_core_serves():
    code = WITHOUT_NUMBA + "import qsim\n" + BELL + "print(round(qsim.expectation(bell, 'Z0 Z1'), 9))"
    assert output(code) == "1.0"
    message = error(WITHOUT_NUMBA + "import qsim\n" + BELL + "qsim.statevector(bell, backend='numba')")
    assert "BackendError: Argument `backend` asks for 'numba', which cannot be used here" in message


def test_without_either_the_message_says_what_to_install():
    message = error(WITHOUT_CORE + WITHOUT_NUMBA + "import qsim\n" + BELL + "qsim.statevector(bell)")
    assert "BackendError: No backend is available" in message
    assert "pip install numba" in message


@pytest.mark.skipif(not HAS_CORE, reason="the C++ core is not built: the whole suite runs without it")
def test_suite_passes_without_the_core():
    """A part of every kind of test, in a process that cannot import the extension."""
    files = ["test_analytic.py", "test_dynamic.py", "test_results.py", "badinput/test_odd_but_legal.py"]
    files += ["properties/test_dynamic_properties.py"]
    root = TESTS.parent
    options = ["-q", "-p", "no:cacheprovider", "-c", str(root / "pyproject.toml"), "--rootdir", str(root)]
    arguments = [*(str(TESTS / name) for name in files), *options]
    code = WITHOUT_CORE + f"import pytest\nsys.exit(pytest.main({arguments!r}))"
    done = python(code)
    assert "passed" in done.stdout
    assert "[cpp" not in done.stdout


def test_without_a_home_directory(tmp_path):
    """Caches go where they can, or nowhere; no import and no run needs a home."""
    code = "import qsim\n" + BELL + "print(qsim.probabilities(bell).round(9).tolist())"
    for backend in available_backends():
        found = output(code, HOME="/nonexistent", XDG_CACHE_HOME=None, QSIM_BACKEND=backend)
        assert found == "[0.5, 0.0, 0.0, 0.5]"
