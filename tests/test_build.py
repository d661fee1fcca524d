"""The compiled core as built: layout shared with Python, instruction sets, no leaking symbols, errors."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qsim.errors import BackendError
from qsim.program import tape

core = pytest.importorskip("qsim._core", reason="the C++ core is not built here")

ROOT = Path(__file__).resolve().parents[1]


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_records_have_the_same_layout_in_both_languages():
    assert core.INSTRUCTION == tape.INSTRUCTION
    assert core.SEGMENT == tape.SEGMENT
    assert tape.INSTRUCTION.itemsize == tape.INSTRUCTION_STRUCT.size == 72


def test_stubs_name_what_the_module_holds():
    stub = ast.parse(Path(core.__file__).with_name("_core.pyi").read_text())
    described = {
        node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else node.target.id
        for node in stub.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AnnAssign)
    }
    assert described == {name for name in dir(core) if not name.startswith("_")}


def test_stubs_name_the_arguments():
    stub = ast.parse(Path(core.__file__).with_name("_core.pyi").read_text())
    for node in stub.body:
        if isinstance(node, ast.FunctionDef):
            signature = getattr(core, node.name).__doc__.splitlines()[0]
            names = [argument.arg for argument in node.args.args]
            inside = signature[signature.index("(") + 1 : signature.rindex(") ->")]
            found = [part.split(":")[0].strip() for part in inside.split(", ") if ":" in part]
            assert found == names, node.name


class TestInstructionSets:
    def test_the_best_available_one_is_chosen(self):
        result = run_python("import qsim._core as c; print(c.isa())", QSIM_ISA="")
        assert result.stdout.strip() == core.available_isas()[-1]

    def test_baseline_is_always_there(self):
        assert core.available_isas()[0] == "baseline"

    @pytest.mark.parametrize("isa", core.available_isas())
    def test_environment_overrides(self, isa):
        result = run_python("import qsim._core as c; print(c.isa())", QSIM_ISA=isa)
        assert result.stdout.strip() == isa

    @pytest.mark.parametrize("isa", ["nonsense", "AVX2", "avx512 "])
    def test_bad_value_in_the_environment_raises(self, isa):
        code = (
            "import qsim.backends as b, qsim.errors as e\n"
            "try:\n    b.get_backend('cpp')\n"
            "except e.BackendError as error:\n    print(error)\n"
        )
        result = run_python(code, QSIM_ISA=isa)
        runs = ", ".join(core.available_isas())
        assert result.stdout.strip() == f"QSIM_ISA='{isa}' was asked for, but this CPU runs: {runs}."

    def test_bad_value_in_the_environment_stops_the_default_backend_too(self):
        result = run_python(
            "import qsim.backends as b; b.get_backend()", QSIM_ISA="nonsense", QSIM_BACKEND=""
        )
        assert result.returncode != 0
        assert "BackendError: QSIM_ISA='nonsense'" in result.stderr

    def test_bad_name_raises_and_changes_nothing(self):
        before = core.isa()
        with pytest.raises(
            RuntimeError, match=r"Instruction set 'sse9' was asked for, but this CPU runs: baseline"
        ):
            core.set_isa("sse9")
        assert core.isa() == before


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm from binutils")
def test_kernel_objects_export_one_table_and_nothing_weak():
    """A weak symbol compiled with wide instructions could replace the linker's copy for every CPU."""
    objects = sorted(ROOT.glob("build/temp*/csrc/isa/*.o"))
    if not objects:
        pytest.skip("no object files here (installed from a wheel)")
    for path in objects:
        lines = subprocess.run(["nm", "-C", str(path)], capture_output=True, text=True, check=True).stdout
        kinds = [(line.split()[-2], line.split()[-1]) for line in lines.splitlines()]
        exported = [name for kind, name in kinds if kind.isupper() and kind != "U"]
        assert exported == [f"qsim::kernels_{path.stem}"]
        assert not [name for kind, name in kinds if kind in "vVwWu"]


def test_import_keeps_denormals():
    result = run_python("import qsim._core; print(5e-324 > 0, 5e-324 / 2 == 0, 1e-310 * 0.5 > 0)")
    assert result.stdout.split() == ["True", "True", "True"]


def test_import_is_quick_and_loads_no_framework():
    code = (
        "import sys, qsim, qsim.backends; print([m for m in ('numba', 'torch', 'jax') if m in sys.modules])"
    )
    assert run_python(code).stdout.strip() == "[]"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_runs_on_threads():
    code = (
        "import os, numpy as np, qsim._core as c\n"
        "s = np.ones((1, 1 << 18), complex)\n"
        "assert c.norm_squared(s, 2)[0] == 1 << 18\n"
        "pid = os.fork()\n"
        "ok = c.norm_squared(s, 2)[0] == 1 << 18\n"
        "if pid == 0:\n    os._exit(0 if ok else 1)\n"
        "print(os.waitpid(pid, 0)[1], ok)\n"
    )
    assert run_python(code).stdout.split() == ["0", "True"]


class TestBackendChoice:
    def test_unknown_name(self):
        from qsim.backends import get_backend

        with pytest.raises(
            BackendError, match="Argument `backend` must be one of cpp, numba, but is 'fortran'"
        ):
            get_backend("fortran")

    def test_unknown_name_in_the_environment(self, monkeypatch):
        from qsim.backends import get_backend

        monkeypatch.setenv("QSIM_BACKEND", "fortran")
        with pytest.raises(BackendError, match="Environment variable QSIM_BACKEND must be one of cpp, numba"):
            get_backend()

    def test_the_core_is_preferred(self, monkeypatch):
        from qsim.backends import available_backends, get_backend

        monkeypatch.delenv("QSIM_BACKEND", raising=False)
        assert available_backends()[0] == "cpp"
        assert get_backend().name == "cpp"

    def test_a_missing_core_falls_back_to_numba(self):
        code = (
            "import sys; sys.modules['qsim._core'] = None\n"
            "import qsim.backends as b\n"
            "print(b.get_backend().name)\n"
            "try:\n    b.get_backend('cpp')\n"
            "except b.base.BackendError as error:\n    print(error)\n"
        )
        name, message = run_python(code, QSIM_BACKEND="").stdout.strip().splitlines()
        assert name == "numba"
        assert message.startswith("Argument `backend` asks for 'cpp', which cannot be used here")


def make_tape(**changes: int) -> tuple[object, ...]:
    """A valid tape of one X on qubit 0 of two, with some fields of its instruction changed."""
    instructions = np.zeros(1, tape.INSTRUCTION)
    instructions["pattern"] = tape.Pattern.DENSE
    instructions["num_targets"] = 1
    instructions["slot"] = -1
    for name, value in changes.items():
        instructions[name] = value
    segments = np.zeros(1, tape.SEGMENT)
    segments["stop"] = 1
    segments["active"] = 1
    return 2, 1, instructions, np.array([0], np.int32), np.array([0, 1, 1, 0], complex), segments


class TestTapeChecks:
    def test_valid(self):
        handle = core.compile(*make_tape())
        states = np.array([[1, 2, 3, 4]], complex)
        core.apply(handle, states, np.zeros((1, 1)), 1)
        assert states.tolist() == [[2, 1, 4, 3]]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"pattern": 5}, "unknown pattern 5"),
            ({"slot": 1}, "slot 1, but the tape has 1 slots"),
            ({"slot": -2}, "slot -2"),
            ({"ctrl_mask": 4}, "mask with bits beyond its 2 qubits"),
            ({"ctrl_value": 2}, "control values outside its control mask"),
            ({"ctrl_mask": 1}, "both as control and as target"),
            ({"num_targets": 0}, "at least one target"),
            ({"num_targets": 3}, "more targets than there are qubits"),
            ({"num_targets": 2}, "beyond the end of `integers`"),
            ({"targets": -1}, "beyond the end of `integers`"),
            ({"targets": 1}, "beyond the end of `integers`"),
            ({"data": 1}, "beyond the end of `constants`"),
            ({"data": -1}, "beyond the end of `constants`"),
            ({"data": 2**62}, "beyond the end of `constants`"),
            ({"num_terms": 1}, "beyond the end of `constants`"),
            ({"pattern": tape.Pattern.PERMUTATION}, "beyond the end of `integers`"),
            ({"pattern": tape.Pattern.PAULI_ROTATION}, "which has no targets"),
        ],
    )
    def test_bad_instruction(self, changes, message):
        with pytest.raises(ValueError, match="Instruction 0 of the tape .*" + message):
            core.compile(*make_tape(**changes))

    def test_bad_target(self):
        arguments = list(make_tape())
        for target in (-1, 2):
            arguments[3] = np.array([target], np.int32)
            with pytest.raises(ValueError, match=f"has target {target}, which is not one of its 2 qubits"):
                core.compile(*arguments)

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("start", 1, "does not continue"),
            ("stop", 2, "does not continue"),
            ("active", 0, "whose targets are not all active"),
            ("active", 8, "active qubits beyond"),
        ],
    )
    def test_bad_segment(self, field, value, message):
        arguments = make_tape()
        arguments[5][field] = value
        with pytest.raises(ValueError, match=message):
            core.compile(*arguments)

    def test_missing_segments(self):
        arguments = list(make_tape())
        arguments[5] = np.zeros(0, tape.SEGMENT)
        with pytest.raises(ValueError, match="leave out instructions"):
            core.compile(*arguments)


class TestArrayChecks:
    @pytest.fixture
    def handle(self):
        return core.compile(*make_tape())

    @pytest.mark.parametrize(
        ("states", "message"),
        [
            (np.zeros((1, 4)), "`states` must have dtype complex64 or complex128, but has float64"),
            (np.zeros((1, 8), complex), r"`states` must hold states of 2 qubits, but has shape \(1, 8\)"),
            (np.zeros((1, 3), complex), "`states` must have a power of two"),
            (np.zeros(4, complex), r"`states` must have 2 dimensions, but has shape \(4,\)"),
            (np.zeros((1, 8), complex)[:, ::2], "`states` must be C-contiguous"),
            (np.zeros((1, 4), ">c16"), "`states` must have dtype"),
        ],
    )
    def test_bad_states(self, handle, states, message):
        with pytest.raises(ValueError, match=message):
            core.apply(handle, states, np.zeros((1, 1)), 1)

    def test_read_only_states(self, handle):
        states = np.zeros((1, 4), complex)
        states.flags.writeable = False
        with pytest.raises(ValueError, match="`states` must be writable, but is read-only"):
            core.apply(handle, states, np.zeros((1, 1)), 1)

    def test_unaligned_states(self, handle):
        states = np.zeros(65, np.uint8)[1:].view(np.complex128).reshape(1, 4)
        with pytest.raises(ValueError, match="`states` must be aligned in memory"):
            core.apply(handle, states, np.zeros((1, 1)), 1)

    def test_states_must_be_an_array(self, handle):
        with pytest.raises(TypeError, match="`states` must be a NumPy array"):
            core.apply(handle, [[1, 0, 0, 0]], np.zeros((1, 1)), 1)

    @pytest.mark.parametrize(
        ("angles", "message"),
        [
            (np.zeros((1, 2)), r"`angles` must have shape \(batch, 1\), but has shape \(1, 2\)"),
            (np.zeros((3, 1)), "`angles` must have 1 or 2 rows"),
            (np.zeros((1, 1), np.float32), "`angles` must have dtype float64, but has float32"),
            (np.zeros(1), "`angles` must have 2 dimensions"),
        ],
    )
    def test_bad_angles(self, handle, angles, message):
        with pytest.raises(ValueError, match=message):
            core.apply(handle, np.zeros((2, 4), complex), angles, 1)

    @pytest.mark.parametrize("threads", [0, -1, 10**6])
    def test_bad_threads(self, handle, threads):
        with pytest.raises(ValueError, match="`threads` must be between 1 and 4096"):
            core.apply(handle, np.zeros((1, 4), complex), np.zeros((1, 1)), threads)

    def test_bad_shots(self):
        with pytest.raises(ValueError, match="`shots` must not be negative, but is -1"):
            core.sample(np.ones(4, complex), 0, -1, 1)
        for bad_state in (np.zeros(4, complex), np.full(4, np.nan, complex)):
            with pytest.raises(ValueError, match="finite norm above zero"):
                core.sample(bad_state, 0, 1, 1)

    def test_bad_qubits(self):
        states = np.ones((1, 4), complex)
        with pytest.raises(ValueError, match="`qubits` has qubit 1 twice"):
            core.probabilities(states, np.array([1, 1], np.int32), 1)
        with pytest.raises(ValueError, match="`qubits` must hold qubits between 0 and 1, but has 2"):
            core.probabilities(states, np.array([2], np.int32), 1)

    def test_bad_masks(self):
        state = np.ones(4, complex)
        with pytest.raises(ValueError, match="`mask` must have no bits beyond the 2 qubits"):
            core.probability(state, 4, 0, 1)
        with pytest.raises(ValueError, match="`value` must have no bits outside `mask`"):
            core.collapse(state, 1, 2, 1.0, 1)
        with pytest.raises(ValueError, match="`index` must be between 0 and 3, but is 4"):
            core.set_basis_state(state[None], 4, 1)

    def test_different_states(self):
        with pytest.raises(ValueError, match="`b` must have the dtype and shape of `a`"):
            core.inner_products(np.ones((1, 4), complex), np.ones((1, 4), np.complex64), 1)

    def test_bad_pauli_sums(self):
        masks = np.zeros(1, np.uint64)
        with pytest.raises(ValueError, match="must have the same length"):
            core.compile_paulis(2, masks, masks, np.ones(2), np.array([0, 2], np.int64))
        with pytest.raises(ValueError, match="must rise from 0 to the number of terms"):
            core.compile_paulis(2, masks, masks, np.ones(1), np.array([0, 2], np.int64))
        with pytest.raises(ValueError, match="Term 0 has a mask with bits beyond its 2 qubits"):
            core.compile_paulis(2, masks + np.uint64(4), masks, np.ones(1), np.array([0, 1], np.int64))
