"""Everything the README and docs/ say runs: Python blocks as doctests, console blocks as commands.

The blocks of one file share their names, in order, as a reader would type them. A ``python`` block with
prompts is compared with what it prints; one without is executed. In a ``console`` block every line after
``$ qsim`` is run, and the lines below it must be what the command prints (``...`` stands for anything).
"""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

import qsim

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FILES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
#: Blocks that import one of these stand alone, and are skipped where it is missing.
FRAMEWORKS = ("qiskit", "pennylane", "cirq", "qulacs", "openfermion", "torch", "jax")


class Block(NamedTuple):
    language: str
    text: str
    line: int


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a Markdown file."""
    text = path.read_text(encoding="utf-8")
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [Block(m.group(1), m.group(2), text.count("\n", 0, m.start()) + 1) for m in found]


def frameworks(block: Block) -> list[str]:
    """The frameworks a block imports."""
    imported = re.findall(r"^(?:>>> )?(?:import|from) (\w+)", block.text, flags=re.MULTILINE)
    return [name for name in FRAMEWORKS if name in imported]


WITH_PYTHON = [path for path in FILES if any(block.language == "python" for block in blocks(path))]
WITH_CONSOLE = [path for path in FILES if any(block.language == "console" for block in blocks(path))]


def test_there_are_blocks_to_run() -> None:
    assert {"README.md", "guide.md", "conventions.md"} <= {path.name for path in WITH_PYTHON}
    assert {"README.md", "guide.md"} <= {path.name for path in WITH_CONSOLE}


@pytest.mark.parametrize("path", WITH_PYTHON, ids=lambda path: path.name)
def test_python_blocks(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    run([block for block in blocks(path) if block.language == "python" and not frameworks(block)], path)


@pytest.mark.parametrize(
    ("path", "block"),
    [(path, block) for path in FILES for block in blocks(path) if frameworks(block)],
    ids=lambda value: "-".join(frameworks(value)) if isinstance(value, Block) else value.name,
)
def test_other_frameworks(path: Path, block: Block) -> None:
    for name in frameworks(block):
        pytest.importorskip(name)
    run([block], path)


def run(chosen: list[Block], path: Path) -> None:
    """Execute blocks in order, in one namespace; fail with a report of what differs."""
    names: dict[str, Any] = {"__name__": "__main__"}
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    report: list[str] = []
    for block in chosen:
        if ">>>" in block.text:
            test = doctest.DocTestParser().get_doctest(block.text, names, path.name, str(path), block.line)
            runner.run(test, out=report.append, clear_globs=False)
            names.update(test.globs)
        else:
            exec(compile("\n" * block.line + block.text, str(path), "exec"), names)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("path", WITH_CONSOLE, ids=lambda path: path.name)
def test_console_blocks(path: Path, tmp_path: Path) -> None:
    lay_out(tmp_path)
    environment = {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", "MPLBACKEND": "agg"}
    # the package these tests run on, wherever it is: the source tree of a clone has no built core
    places = [str(Path(qsim.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(places)
    ran = 0
    for block in blocks(path):
        if block.language != "console":
            continue
        for command, expected in commands(block.text):
            assert command[0] == "qsim", f"{path.name}: a console block may only show qsim, not {command}"
            result = subprocess.run(
                [sys.executable, "-m", "qsim", *command[1:]],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                encoding="utf-8",
                timeout=300,
            )
            assert result.returncode == 0, f"{shlex.join(command)}: {result.stderr}"
            if expected:
                matches = doctest.OutputChecker().check_output(expected, result.stdout, OPTIONS)
                assert matches, f"{path.name}, {shlex.join(command)} printed:\n{result.stdout}"
            ran += 1
    assert ran


def commands(text: str) -> list[tuple[list[str], str]]:
    """(arguments, expected output) of each command after a ``$``."""
    out: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            out.append((shlex.split(line[2:]), []))
        else:
            out[-1][1].append(line + "\n")
    return [(command, "".join(expected)) for command, expected in out]


def lay_out(directory: Path) -> None:
    """What a reader has in the directory of the clone."""
    shutil.copytree(ROOT / "examples" / "circuits", directory / "examples" / "circuits")


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_gate_table_is_up_to_date() -> None:
    generated = script("generate_gates").gate_page()
    assert generated == (DOCS / "gates.md").read_text(encoding="utf-8"), (
        "docs/gates.md is older than the gate table; run: python docs/generate_gates.py"
    )


def test_gallery_of_feature_maps_is_up_to_date() -> None:
    page = script("generate_feature_maps")
    generated = page.gallery_page()
    assert generated == (DOCS / "feature_map_gallery.md").read_text(encoding="utf-8"), (
        "docs/feature_map_gallery.md is older than the records; run: python docs/generate_feature_maps.py"
    )
    from qsim.feature_maps import FEATURE_MAPS

    assert {record.family for record in FEATURE_MAPS.values()} == set(page.FAMILIES)
    assert f"{len(FEATURE_MAPS)} encodings" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert page.PICTURE.exists() and page.PICTURE.stat().st_size < 100_000


def test_the_picture_of_kernels_can_be_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    script("generate_feature_maps").draw_kernels(tmp_path / "kernels.png")
    assert (tmp_path / "kernels.png").read_bytes().startswith(b"\x89PNG")


def test_every_gate_is_in_the_page() -> None:
    from qsim.gates import GATES

    page = (DOCS / "gates.md").read_text(encoding="utf-8")
    assert [name for name in GATES if f"`{name}`" not in page] == []


ANGLES = (0.3, -1.1, 0.7, 2.3)


def gates_named(table: str) -> list[Any]:
    """Cases (gate, name elsewhere) of one column of the page."""
    from qsim.gates import get_gate

    page = script("generate_gates")
    names = getattr(page, table)
    if not isinstance(names, dict):
        names = {name: getattr(page, f"{table}_NAMES", {}).get(name, name) for name in sorted(names)}
    return [pytest.param(get_gate(name), other, id=name) for name, other in names.items()]


@pytest.mark.parametrize(("gate", "name"), gates_named("OPENQASM2"))
def test_names_of_openqasm2(gate: Any, name: str) -> None:
    check_qasm_name(gate, name, 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[{}];')


@pytest.mark.parametrize(("gate", "name"), gates_named("OPENQASM3"))
def test_names_of_openqasm3(gate: Any, name: str) -> None:
    check_qasm_name(gate, name, 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[{}] q;')


def check_qasm_name(gate: Any, name: str, head: str) -> None:
    params = ANGLES[: gate.num_params]
    arguments = f"({', '.join(map(str, params))})" if params else ""
    places = ", ".join(f"q[{k}]" for k in range(gate.num_qubits))
    circuit = qsim.Circuit.from_qasm(f"{head.format(max(1, gate.num_qubits))}\n{name}{arguments} {places};")
    expected = np.kron(np.eye(2 if gate.num_qubits == 0 else 1), gate.matrix(*params))
    np.testing.assert_allclose(circuit.matrix(), expected, atol=1e-12)


@pytest.mark.parametrize(("gate", "name"), gates_named("QISKIT"))
def test_names_of_qiskit(gate: Any, name: str) -> None:
    library = pytest.importorskip("qiskit.circuit.library")
    operator = pytest.importorskip("qiskit.quantum_info").Operator
    theirs = operator(getattr(library, name)(*ANGLES[: gate.num_params])).data
    np.testing.assert_allclose(theirs, gate.matrix(*ANGLES[: gate.num_params]), atol=1e-12)


@pytest.mark.parametrize(("gate", "name"), gates_named("PENNYLANE"))
def test_names_of_pennylane(gate: Any, name: str) -> None:
    pennylane = pytest.importorskip("pennylane")
    name, _, negative = name.partition("(-")
    params = [-p if negative else p for p in ANGLES[: gate.num_params]]
    wires = list(range(gate.num_qubits))
    operation = getattr(pennylane, name)(*params, wires=wires)
    theirs = operation.matrix(wire_order=wires[::-1]) if wires else operation.matrix()
    ours = np.squeeze(gate.matrix(*ANGLES[: gate.num_params]))
    np.testing.assert_allclose(np.squeeze(theirs), ours, atol=1e-12)


def test_every_error_class_is_in_the_page() -> None:
    import qsim.errors

    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    assert [name for name in qsim.errors.__all__ if f"`{name}`" not in page] == []


def test_every_public_name_is_in_the_guide_or_the_readme() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in FILES)
    assert [name for name in qsim.__all__ if not re.search(rf"\b{name}\b", pages)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name) if name else path
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def anchors(path: Path) -> set[str]:
    """The anchors of a Markdown file's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_readme_commands_name_files_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert ".venv/bin/python examples/run_all.py" in text
    assert ".venv-test/bin/pytest -n auto tests" in text
    for file in ("examples/run_all.py", "LICENSE", "CHANGELOG.md", "CITATION.cff"):
        assert (ROOT / file).exists()
