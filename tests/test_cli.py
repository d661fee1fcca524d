"""The command line: every command in process, exit codes, one line for each error; one run as a process."""

from __future__ import annotations

import importlib.util
import io
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

import qsim
from qsim import doctor, settings
from qsim.circuit import Circuit
from qsim.cli import info, main
from qsim.cli.info import describe
from qsim.operations import Measure
from qsim.parameters import Parameter, ParameterVector

BELL = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
h q[0];
cx q[0],q[1];
measure q -> c;
"""
#: what Numba's first use says, on a machine that has not compiled its kernels yet
NOTICE = "Compiling Numba kernels, once; later runs use the cache.\n"


@pytest.fixture
def bell(tmp_path):
    path = tmp_path / "bell.qasm"
    path.write_text(BELL)
    return str(path)


@pytest.fixture
def parametrised(tmp_path):
    theta, x = Parameter("theta"), ParameterVector("x", 2)
    path = tmp_path / "ansatz.json"
    path.write_text(Circuit(2).ry(theta, 0).rx(x[0], 1).rz(x[1], 1).to_json())
    return str(path)


def error_of(capsys, *argv: str) -> str:
    """The one line a failing command writes."""
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("qsim: error: ") and err.count("\n") == 1
    return err.removeprefix("qsim: error: ").rstrip("\n")


def output_of(capsys, *argv: str) -> str:
    assert main(argv) == 0
    out, err = capsys.readouterr()
    assert err in ("", NOTICE)
    return out


# -- run ---------------------------------------------------------------------------------------------
def test_run_reports(bell, capsys):
    out = output_of(capsys, "run", bell, "--shots", "1000", "--seed", "1", "--observable", "Z0 Z1")
    lines = out.splitlines()
    assert lines[0] == "Circuit   bell"
    assert lines[1] == "Qubits    2, 2 classical bits"
    assert lines[2] == "Gates     4 operations, depth 3 (2 measure, 1 h, 1 cx)"
    assert "Outcomes of 1000 shots, seed 1 (bit 0 rightmost), 2 of 2 shown" in lines
    counts = qsim.sample(Circuit.from_qasm(BELL), shots=1000, seed=1).counts()
    for label, count in counts.items():
        (line,) = [line for line in lines if line.startswith(f"  {label}  ")]
        assert line.split()[1:3] == [str(count), f"{count / 10:.2f}"] and "█" in line
    assert lines[-1] == "  Z0 Z1   1.0000000000"


def test_run_as_json(bell, capsys):
    argv = (
        "run",
        bell,
        "--seed",
        "3",
        "--precision",
        "single",
        "--threads",
        "1",
        "--observable",
        "Z0",
        "--json",
    )
    report = json.loads(output_of(capsys, *argv))
    assert report["circuit"] == {
        "name": "bell",
        "num_qubits": 2,
        "num_clbits": 2,
        "num_operations": 4,
        "depth": 3,
        "operations": {"measure": 2, "h": 1, "cx": 1},
    }
    assert (report["shots"], report["seed"], report["precision"], report["threads"]) == (1000, 3, "single", 1)
    assert set(report["counts"]) == {"00", "11"} and sum(report["counts"].values()) == 1000
    assert report["expectations"]["Z0"] == pytest.approx(0, abs=1e-6)
    assert set(report["seconds"]) == {"load", "compile", "run"}
    again = json.loads(output_of(capsys, *argv))
    assert again["counts"] == report["counts"]


def test_run_on_each_backend(bell, backend, capsys):
    out = output_of(capsys, "run", bell, "--seed", "1", "--shots", "50", "--backend", backend, "--json")
    report = json.loads(out)
    assert report["backend"] == backend
    assert report["counts"] == qsim.sample(Circuit.from_qasm(BELL), shots=50, seed=1).counts()


def test_run_without_measurement_is_exact(tmp_path, capsys):
    path = tmp_path / "state.json"
    path.write_text(Circuit(2).ry(2 * math.asin(0.6), 0).x(1).to_json())
    report = json.loads(output_of(capsys, "run", str(path), "--json"))
    assert report["shots"] is None
    assert report["probabilities"] == pytest.approx({"10": 0.64, "11": 0.36})
    out = output_of(capsys, "run", str(path), "--top", "1")
    assert "  10  0.640000  █" in out and "  11  " not in out
    assert "counts" in json.loads(output_of(capsys, "run", str(path), "--shots", "5", "--json"))


def test_equal_outcomes_are_ordered(tmp_path, capsys):
    path = tmp_path / "uniform.json"
    path.write_text(Circuit(21).h(range(21)).to_json())
    report = json.loads(output_of(capsys, "run", str(path), "--top", "3", "--json"))
    assert list(report["probabilities"]) == [f"{k:021b}" for k in range(3)]
    assert report["probabilities"]["0" * 21] == pytest.approx(2.0**-21)
    assert f"  {'0' * 21}  4.7684e-07  █" in output_of(capsys, "run", str(path), "--top", "1")
    path.write_text(Circuit(2).h(0).reset(0).h([0, 1]).to_json())
    report = json.loads(output_of(capsys, "run", str(path), "--json"))
    assert report["probabilities"] == pytest.approx(dict.fromkeys(["00", "01", "10", "11"], 0.25))


def test_measurement_inside_a_body_is_sampled(tmp_path, capsys):
    path = tmp_path / "loop.json"
    path.write_text(Circuit(1, 1).for_loop(range(2), Circuit(1, 1).x(0).append(Measure(0, 0))).to_json())
    assert json.loads(output_of(capsys, "run", str(path), "--json"))["counts"] == {"0": 1000}


def test_parameters(parametrised, capsys):
    argv = ["run", parametrised, "--param", "theta=pi/3", "--param", "x=0.5, -2*pi**2", "--json"]
    report = json.loads(output_of(capsys, *argv, "--observable", "Z0", "--observable", "Z1"))
    assert report["expectations"] == pytest.approx({"Z0": 0.5, "Z1": math.cos(0.5)})
    argv = ["run", parametrised, "--param", "theta=0", "--param", "x[0]=1e-1", "--param", "x[1]=1", "--json"]
    assert json.loads(output_of(capsys, *argv))["probabilities"]["00"] == pytest.approx(math.cos(0.05) ** 2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Z1", 0.0),
        ("ZZ", 1.0),
        ("Z0 Z1", 1.0),
        ("0.5 Z0 Z1 - X0 X1", -0.5),
        ("- 2*Z0 Z1 + 1e-1 X0 X1 + 3", 1.1),
        ("ZZ + XX", 2.0),
        (".5 Z0 Z1 + .5 Z0 Z1", 1.0),
    ],
)
def test_observables(bell, text, value, capsys):
    report = json.loads(output_of(capsys, "run", bell, f"--observable={text}", "--json"))
    assert report["expectations"] == {text: pytest.approx(value)}


def test_histogram(bell, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "h.png"
    out = output_of(capsys, "run", bell, "--histogram", str(picture))
    assert out.endswith(f"Wrote {picture}.\n")
    assert picture.read_bytes().startswith(b"\x89PNG")


# -- draw, convert -----------------------------------------------------------------------------------
def test_draw(bell, capsys, monkeypatch):
    out = output_of(capsys, "draw", bell, "--fold", "-1")
    assert out == str(Circuit.from_qasm(BELL).draw(fold=-1)) + "\n"
    assert output_of(capsys, "draw", bell, "--fold", "-1", "--reverse-bits").index("q1") < out.index("q1")
    long = Circuit(1).h([0])
    for _ in range(3000):
        long.h(0)
    monkeypatch.setattr(sys, "stdin", io.StringIO(long.to_json()))
    assert "1001 more operations" in output_of(capsys, "draw", "-")
    monkeypatch.setattr(sys, "stdin", io.StringIO(long.to_json()))
    assert output_of(capsys, "draw", "-", "--all").count("┤ H ├") == 3001


def test_draw_picture(bell, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    for name, start in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml")):
        picture = tmp_path / name
        assert output_of(capsys, "draw", bell, "--mpl", str(picture)) == f"Wrote {picture}.\n"
        assert picture.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("name", "options", "start"),
    [
        ("out.qasm", [], "OPENQASM 3"),
        ("out.qasm", ["--to", "2"], "OPENQASM 2.0;"),
        ("out.qasm2", [], "OPENQASM 2.0;"),
        ("out.json", [], "{"),
        ("out.txt", ["--to", "json"], "{"),
    ],
)
def test_convert(bell, tmp_path, capsys, monkeypatch, name, options, start):
    target = tmp_path / name
    assert output_of(capsys, "convert", bell, str(target), *options) == ""
    text = target.read_text()
    assert text.startswith(start) and text.endswith("\n")
    assert output_of(capsys, "convert", bell, "-", *(options or ["--to", "3"])).startswith(("OPENQASM", "{"))
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    drawn = output_of(capsys, "draw", "-", "--fold", "-1")
    assert drawn == output_of(capsys, "draw", bell, "--fold", "-1")


# -- info, doctor ------------------------------------------------------------------------------------
def test_info(capsys):
    out = output_of(capsys, "info")
    found = describe()
    assert found["version"] == qsim.__version__ and found["backend"] in found["backends"]
    for text in (
        qsim.__version__,
        found["cpu"],
        f"{found['backend']}: {found['backend_reason']}",
        "qubits in double",
    ):
        assert text in out
    report = json.loads(output_of(capsys, "info", "--json"))
    assert set(report) == set(found)
    assert report["largest_num_qubits"]["single"] == report["largest_num_qubits"]["double"] + 1


def test_info_follows_the_environment(capsys, monkeypatch):
    monkeypatch.setenv("QSIM_BACKEND", "numba")
    monkeypatch.setenv("QSIM_NUM_THREADS", "3")
    monkeypatch.setenv("QSIM_PRECISION", "single")
    found = json.loads(output_of(capsys, "info", "--json"))
    assert (found["backend"], found["backend_reason"]) == ("numba", "QSIM_BACKEND asks for it")
    assert (found["threads"], found["threads_from"], found["precision"]) == (3, "QSIM_NUM_THREADS", "single")
    monkeypatch.setenv("QSIM_BACKEND", "cuda")
    assert "QSIM_BACKEND must be one of cpp, numba" in error_of(capsys, "info")


def test_info_says_why_numba_serves(monkeypatch):
    monkeypatch.delenv("QSIM_BACKEND", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = describe()
    assert (found["isa"], found["isas"], found["backends"]) == (None, [], [])
    assert info._reason("numba") == f"{settings.missing_core()}, so Numba serves"


def test_a_source_tree_without_the_core_says_how_to_build_it(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "__file__", str(tmp_path / "qsim" / "settings.py"))
    assert settings.missing_core() == "the C++ core is not built"
    (tmp_path / "csrc").mkdir()
    (tmp_path / "setup.py").touch()
    text = settings.missing_core()
    assert f"in the source tree {tmp_path.resolve()}, which is what Python imports" in text
    assert "run `pip install -e .` there" in text
    monkeypatch.setattr(doctor, "available_backends", lambda: ("numba",))
    with pytest.raises(doctor.Skipped, match="which is what Python imports"):
        doctor._require_backend("cpp")


def test_info_says_where_qsim_is(capsys):
    assert f"{qsim.__version__}, in {Path(qsim.__file__).resolve().parents[1]}" in output_of(capsys, "info")


def test_doctor_finds_this_installation_sound():
    out = io.StringIO()
    assert doctor.run_doctor(out), out.getvalue()
    lines = out.getvalue().splitlines()
    assert len(lines) == len(doctor.CHECKS) + 2 and len(doctor.CHECKS) >= 20
    assert all(line.startswith(("ok  ", "skip")) for line in lines[:-2])
    assert lines[-1].endswith("qsim works here.")


def test_doctor_tells_what_is_wrong(capsys, monkeypatch):
    def broken() -> str:
        raise AssertionError("amplitudes differ\nby 1e-3")

    def absent() -> str:
        raise doctor.Skipped("nothing to test")

    monkeypatch.setattr(doctor, "CHECKS", {"one": broken, "two": absent, "three": lambda: "fine"})
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  one" in out and "AssertionError: amplitudes differ by 1e-3" in out
    assert "skip  two" in out and "ok    three" in out
    assert "1 of 3 tests failed, 1 skipped" in out


# -- errors ------------------------------------------------------------------------------------------
def test_malformed_file_names_line_and_column(tmp_path, capsys):
    path = tmp_path / "bad.qasm"
    path.write_text(BELL.replace("cx q[0],q[1];", "cx q[0],q[2];"))
    message = error_of(capsys, "run", str(path))
    assert message.startswith(f"{path}: line 6, column ")
    assert error_of(capsys, "draw", str(path)) == error_of(capsys, "convert", str(path), "-") == message
    path.write_bytes(b'OPENQASM 2.0;\ninclude "qelib1.inc";\n\xff\xfe')
    assert error_of(capsys, "run", str(path)) == f"{path}: line 3, column 1: The file is not UTF-8 text."


CIRCUIT_JSON = '{"format": 1, "num_qubits": %s, "num_clbits": 0, "operations": %s}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"format": 1}',
        CIRCUIT_JSON % ("1", "[{}]"),
        CIRCUIT_JSON % ("1", '[{"gate": "h", "qubits": [7]}]'),
        CIRCUIT_JSON % ('"one"', "[]"),
        "[" * 100_000,
    ],
)
def test_malformed_json(tmp_path, capsys, text):
    path = tmp_path / "bad.json"
    path.write_text(text)
    assert error_of(capsys, "run", str(path)).startswith(f"{path}: ")


def test_files_that_cannot_be_read_or_written(bell, tmp_path, capsys):
    missing = str(tmp_path / "missing.qasm")
    assert error_of(capsys, "run", missing) == f"{missing}: No such file or directory."
    assert error_of(capsys, "run", str(tmp_path)) == f"{tmp_path}: Is a directory."
    target = str(tmp_path / "no" / "out.qasm")
    assert error_of(capsys, "convert", bell, target) == f"{target}: No such file or directory."


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--shots", "0"], "Argument `--shots` must be at least 1, but is 0."),
        (["--top", "0"], "Argument `--top` must be at least 1, but is 0."),
        (["--seed", "-1"], "Argument `seed` must not be negative, but is -1."),
        (["--threads", "0"], "Argument `threads` must be at least 1, but is 0."),
        (["--backend", "gpu"], "Argument `backend` must be one of cpp, numba, but is 'gpu'."),
        (["--observable", "Z7"], "Qubit 7"),
        (["--observable", "Q0"], "Label 'Q0' has 'Q' at position 0"),
        (["--observable", "0.5 Z0 ? X1"], "Observable '0.5 Z0 ? X1' cannot be read at character 1;"),
        (["--observable", "Z0 - - X1"], "Observable 'Z0 - - X1' cannot be read at character 4;"),
        (["--param", "theta=1"], "Parameter `theta` does not occur in the circuit"),
        (["--param", "theta"], "Option --param must be NAME=VALUE, but is 'theta'."),
        (["--param", "a=1", "--param", "a=2"], "Option --param gives parameter `a` twice."),
        (
            ["--histogram", "x.foo"],
            "Option --histogram must name a picture file (.png, .svg, .pdf, ...), but is",
        ),
        (["--histogram", "no/x.png"], "Option --histogram names a file in a directory that does not exist"),
    ],
)
def test_bad_options(bell, capsys, argv, message):
    assert error_of(capsys, "run", bell, *argv).startswith(message)


@pytest.mark.parametrize(
    "value", ["", "x", "1,", "1+", "10**400", "1/0", "__import__('os')", "True", "1j", "(" * 999]
)
def test_bad_parameter_values(parametrised, capsys, value):
    message = error_of(capsys, "run", parametrised, "--param", f"theta={value}")
    assert message.startswith("The value of parameter `theta` must be a number such as 0.3 or pi/4, but is ")


def test_parameters_without_values(parametrised, capsys):
    expected = (
        "The circuit has parameters without values: theta, x[0], x[1]. Give them with --param NAME=VALUE."
    )
    assert error_of(capsys, "run", parametrised) == expected


def test_circuit_that_does_not_fit(tmp_path, capsys):
    path = tmp_path / "huge.qasm"
    path.write_text(BELL.replace("q[2]", "q[60]").replace("creg c[2]", "creg c[60]"))
    assert "60 qubits in complex128 need" in error_of(capsys, "run", str(path))
    assert main(["draw", str(path)]) == 0


def test_without_matplotlib(bell, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    hint = 'needs Matplotlib: pip install "qsim-statevector[viz]".'
    assert error_of(capsys, "run", bell, "--histogram", "h.png") == f"Option --histogram {hint}"
    assert error_of(capsys, "draw", bell, "--mpl", "h.png") == f"Option --mpl {hint}"


def test_debug_shows_the_traceback(capsys):
    assert main(["run", "missing.qasm", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err and err.endswith("qsim: error: missing.qasm: No such file or directory.\n")


@pytest.mark.parametrize(
    "argv", [[], ["fly"], ["run"], ["run", "a.qasm", "--shots", "many"], ["draw", "a", "--to", "3"]]
)
def test_usage_errors(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert "usage: qsim" in capsys.readouterr().err


def test_faults_of_qsim_are_not_hidden(bell, monkeypatch):
    def fault(*args: object, **options: object) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(qsim, "compile", fault)
    with pytest.raises(ZeroDivisionError):
        main(["run", bell])


def test_interrupt(bell, monkeypatch):
    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(qsim, "compile", interrupt)
    assert main(["run", bell]) == 130


# -- as a process ------------------------------------------------------------------------------------
def run_process(*argv: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qsim", *argv]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, **options)


def test_as_a_process(bell):
    done = run_process("run", bell, "--seed", "1", "--json")
    assert done.returncode == 0 and done.stderr in ("", NOTICE)
    assert sum(json.loads(done.stdout)["counts"].values()) == 1000
    done = run_process("--version")
    assert (done.returncode, done.stdout) == (0, f"qsim {qsim.__version__}\n")
    done = run_process("draw", "-", input="OPENQASM 2.0;\nqreg q[1];\nrx(0.1 q[0];\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("qsim: error: <stdin>: line 3, column ") and done.stderr.count("\n") == 1


def test_terminal_without_unicode(bell):
    import os

    done = run_process("draw", bell, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and "? H ?" in done.stdout


def test_closed_pipe(bell):
    command = f'"{sys.executable}" -m qsim convert "{bell}" - | true'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
