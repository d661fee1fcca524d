"""The examples: every circuit gives what its header promises; the generator still writes the same files."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import qsim

EXAMPLES = Path(__file__).parents[1] / "examples"
CIRCUITS = sorted((EXAMPLES / "circuits").glob("*.qasm"))
#: Larger circuits are run by the README's command.
MAX_QUBITS = 16


@pytest.fixture(scope="module")
def run_all() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_all", EXAMPLES / "run_all.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["run_all"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def no_learning(request: pytest.FixtureRequest, run_all: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of circuits train nothing, which takes most of a minute where scikit-learn is installed."""
    if request.node.name != "test_digits":
        monkeypatch.setattr(run_all, "run_digits", lambda *arguments: False)
    if request.node.name != "test_real_data":
        monkeypatch.setattr(run_all, "run_real_data", lambda *arguments: False)
    if request.node.name != "test_frameworks":
        monkeypatch.setattr(run_all, "FRAMEWORKS", {})


def test_there_are_circuits() -> None:
    assert len(CIRCUITS) >= 20


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("backend", qsim.available_backends())
@pytest.mark.parametrize("path", CIRCUITS, ids=lambda path: path.stem)
def test_outcomes_are_as_promised(run_all: ModuleType, path: Path, backend: str, precision: str) -> None:
    if qsim.load(path).num_qubits > MAX_QUBITS:
        pytest.skip(f"more than {MAX_QUBITS} qubits: run by examples/run_all.py")
    simulator = qsim.Simulator(backend, precision)
    result, samples = run_all.run_circuit(path, simulator, shots=4096, seed=1)
    assert result.misses == []
    assert result.checks >= 1
    assert samples.shots == 4096


@pytest.mark.parametrize("backend", qsim.available_backends())
def test_report_and_pictures(
    run_all: ModuleType, backend: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["bit_flip_code", "phase_estimation_third_8"]
    assert run_all.main([*names, "--backend", backend, "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    report = (tmp_path / "report.txt").read_text(encoding="utf-8")
    for name in names:
        assert f"{name}: " in printed and f"{name}: " in report
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert "2 circuits in" in report and "all as expected" in report
    assert f": {backend}, double precision" in printed


def test_max_qubits_leaves_out_larger_circuits(run_all: ModuleType, tmp_path: Path) -> None:
    options = ["vqe_h2", "qft_12", "--max-qubits", "4", "--no-pictures", "--output", str(tmp_path)]
    assert run_all.main(options) == 0
    report = (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert "vqe_h2" in report and "qft_12" not in report


@pytest.mark.parametrize(
    ("line", "replacement", "message"),
    [
        ("// outcome: 11 0.5", "// outcome: 11 0.6", "probability of 11: expected 0.6"),
        ("// outcome: 11 0.5", "// outcome: 01 0.5", "frequency of 01: expected 0.5"),
        ("// value: 1", "// value: 0.9", "expectation value: expected 0.9"),
    ],
)
def test_a_missed_promise_is_an_error(
    run_all: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    line: str,
    replacement: str,
    message: str,
) -> None:
    header = ["// Bell pair", "// outcome: 11 0.5", "// observable: 0.5 * Z0 Z1 + 0.5 * X0 X1", "// value: 1"]
    program = ["OPENQASM 2.0;", 'include "qelib1.inc";', "qreg q[2];", "h q[0];", "cx q[0], q[1];"]
    text = "\n".join([*header, *program])
    monkeypatch.setattr(run_all, "CIRCUITS", tmp_path)
    options = ["--no-pictures", "--output", str(tmp_path / "output")]
    (tmp_path / "bell.qasm").write_text(text, encoding="utf-8")
    assert run_all.main(options) == 0
    (tmp_path / "bell.qasm").write_text(text.replace(line, replacement), encoding="utf-8")
    assert run_all.main(options) == 1
    printed = capsys.readouterr().out
    assert message in printed and "NOT as expected: bell" in printed


def test_a_header_without_promises_is_an_error(
    run_all: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run_all, "CIRCUITS", tmp_path)
    (tmp_path / "bare.qasm").write_text("// Nothing\nOPENQASM 3.0;\nqubit q;\n", encoding="utf-8")
    assert run_all.main(["--no-pictures", "--output", str(tmp_path)]) == 1


def test_digits(
    run_all: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A short training, where scikit-learn is; the README's command runs the whole one."""
    pytest.importorskip("sklearn")
    monkeypatch.setattr(run_all, "CIRCUITS", tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)
    import digits

    monkeypatch.setattr(digits, "STEPS", 80)
    monkeypatch.setattr(digits, "LEAST_ACCURACY", 0.8)
    bell = (
        '// outcome: 11 0.5\nOPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nh q[0];\ncx q[0], q[1];\n'
    )
    (tmp_path / "bell.qasm").write_text(bell, encoding="utf-8")
    assert run_all.main(["--output", str(tmp_path)]) == 0
    assert "test accuracy" in capsys.readouterr().out
    assert "logistic regression" in (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr(digits, "LEAST_ACCURACY", 1.1)
    assert run_all.main(["--output", str(tmp_path), "--no-pictures"]) == 1
    assert "NOT as expected: digits" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert run_all.main(["--output", str(tmp_path), "--no-pictures"]) == 0
    assert "No digits" in capsys.readouterr().err


def test_frameworks(
    run_all: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a framework is missing, its example is left out with a word on how to get it."""
    monkeypatch.setattr(run_all, "FRAMEWORKS", {"lucky": "json", "missing": "no_such_framework"})
    monkeypatch.setattr(run_all, "EXAMPLES", tmp_path)
    (tmp_path / "lucky.py").write_text("def main(arguments):\n    return 1\n", encoding="utf-8")
    assert run_all.run_frameworks() == ["lucky"]
    assert 'pip install "qsim-statevector[no_such_framework]"' in capsys.readouterr().err


def test_real_data(
    run_all: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One small report; the README's command makes them all."""
    pytest.importorskip("sklearn")
    monkeypatch.setattr(run_all, "CIRCUITS", tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)
    import real_data

    monkeypatch.setattr(real_data, "DATA", {name: real_data.DATA[name] for name in ("ad_hoc", "iris")})
    bell = (
        '// outcome: 11 0.5\nOPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nh q[0];\ncx q[0], q[1];\n'
    )
    (tmp_path / "bell.qasm").write_text(bell, encoding="utf-8")
    assert run_all.main(["--output", str(tmp_path), "--no-pictures"]) == 0
    printed = capsys.readouterr().out
    table = (tmp_path / "report.txt").read_text(encoding="utf-8")
    for name, qubits in (("ad_hoc", "2"), ("iris", "4")):
        assert re.search(rf"^{name} +{qubits} +accuracy", printed, re.MULTILINE)
        assert name in table
        page = (tmp_path / f"report_{name}.html").read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>") and "RBF SVM" in page
    assert re.search(r"^ad_hoc.*quantum$", printed, re.MULTILINE)
    monkeypatch.setattr(real_data, "is_as_expected", lambda *arguments: False)
    assert run_all.main(["--output", str(tmp_path), "--no-pictures"]) == 1
    assert "NOT as expected: real_data" in capsys.readouterr().out
    monkeypatch.undo()
    assert real_data.main(["ad_hoc", "--max-samples", "60", "--output", str(tmp_path)]) == 0
    assert "leads on these data" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        real_data.main(["nonsense"])
    assert "no such data set: nonsense" in capsys.readouterr().err


def test_prepared_data() -> None:
    pytest.importorskip("sklearn")
    import numpy as np

    sys.path.insert(0, str(EXAMPLES))
    import real_data

    for name, size in (("digits", 8), ("wine", 8), ("diabetes", 8), ("breast_cancer", 8), ("iris", 4)):
        X, y = real_data.DATA[name]()
        assert X.shape == (len(y), size)
        np.testing.assert_allclose([X.min(axis=0), X.max(axis=0)], [[0] * size, [np.pi] * size], atol=1e-9)


def test_sums_in_headers(run_all: ModuleType) -> None:
    assert run_all.read_sum("0.5 * Z0 Z1 - X2 + 3") == {"Z0 Z1": 0.5, "X2": -1.0, "": 3.0}
    assert run_all.read_sum("- 2e-1 * Y3") == {"Y3": -0.2}
    assert run_all.read_sum("-0.25") == {"": -0.25}


def test_generator_writes_the_committed_files(tmp_path: Path) -> None:
    """All but the largest, whose expected values take the generator minutes."""
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "from generator import source; source.CIRCUITS = pathlib.Path(sys.argv[2])\n"
        "import generate_circuits\n"
        "for made in generate_circuits.sources(max_qubits=16): made.write()\n"
    )
    subprocess.run([sys.executable, "-c", code, str(EXAMPLES), str(tmp_path)], check=True, timeout=300)
    written = sorted(tmp_path.glob("*.qasm"))
    assert len(written) >= 10
    for path in written:
        committed = (EXAMPLES / "circuits" / path.name).read_text(encoding="utf-8").splitlines()
        for new, old in zip(path.read_text(encoding="utf-8").splitlines(), committed, strict=True):
            assert _same(new, old), f"{path.name}: {new!r} is no longer {old!r}"


def _same(new: str, old: str) -> bool:
    """Equal lines, up to the last digits of computed figures."""
    if new == old:
        return True
    ours, theirs = new.split(), old.split()
    if not new.startswith("//") or ours[:-1] != theirs[:-1]:
        return False
    return float(ours[-1]) == pytest.approx(float(theirs[-1]), abs=1e-10)
