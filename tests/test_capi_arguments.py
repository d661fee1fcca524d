"""What the C interface refuses, and where it must hold up: threads, forks, signals, C programs, Numba."""

from __future__ import annotations

import math
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import qsim
from qsim import native
from qsim.errors import ArgumentError, BackendError, MemoryBudgetError

pytest.importorskip("qsim._capi", reason="the C interface is not built here")
from qsim import capi

lib, ffi = capi.lib, capi.ffi
ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "c" / "ground_state.c"
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
NULL = ffi.NULL


def circuit() -> qsim.Circuit:
    return qsim.Circuit(2).h(0).rx(qsim.Parameter("a"), 0).cx(0, 1).ry(qsim.Parameter("b"), 1)


@pytest.fixture
def program() -> capi.Program:
    return capi.Program(circuit())


def refused(code: int, expected: int = lib.QSIM_ERROR_ARGUMENT) -> str:
    """The message of a call that must have failed."""
    assert code == expected == lib.qsim_last_error_code(), ffi.string(lib.qsim_last_error())
    assert lib.qsim_last_error_line() == lib.qsim_last_error_column() == 0
    return ffi.string(lib.qsim_last_error()).decode("utf-8", "replace")


def test_versions():
    assert lib.qsim_abi_version() == lib.QSIM_ABI_VERSION == 1
    assert ffi.string(lib.qsim_version()).decode() == qsim.__version__


# -- arguments ------------------------------------------------------------------------------------------
GOOD_GATE = {"size": ffi.sizeof("qsim_gate"), "num_qubits": 1}
BAD_GATES = [
    ({"size": 0}, r"`gates\[1\].size` must be sizeof\(qsim_gate\)"),
    ({"size": 7777}, "size` must be"),
    ({"name": None}, r"`gates\[1\].name` must not be NULL"),
    ({"name": b"hh"}, r"name` must be that of a gate, but is `hh` \(did you mean"),
    ({"name": b"x" * 5000}, "must be that of a gate"),
    ({"name": b"\xff\xfe"}, "must be that of a gate"),
    ({"qubits": None}, "qubits` must not be NULL"),
    ({"qubits": [2]}, r"qubits\[0\]` must be between 0 and 1, but is 2"),
    ({"qubits": [-1]}, "but is -1"),
    ({"num_qubits": -1}, "num_qubits` must be between 0 and 2, but is -1"),
    ({"num_qubits": 3}, "between 0 and 2, but is 3"),
    ({"num_qubits": 0}, "num_qubits` must be 1 for gate `rx`, but is 0"),
    ({"qubits": [0, 0], "num_qubits": 2, "name": b"cx", "num_angles": 0}, "which the gate has already"),
    ({"num_angles": 0}, "num_angles` must be 1 for gate `rx`, but is 0"),
    ({"num_angles": -5}, "but is -5"),
    ({"angles": None}, "angles` must not be NULL"),
    (
        {"angles": [{"param": 1, "scale": 1.0}]},
        r"param` must be -1 or the number of one of 1 parameter, but is 1",
    ),
    ({"angles": [{"param": -2}]}, "but is -2"),
    ({"angles": [{"param": -1, "shift": math.nan}]}, r"angles\[0\].shift` must be finite, but is nan"),
    ({"angles": [{"param": 0, "scale": math.inf}]}, "scale` must be finite, but is inf"),
    ({"angles": [{"param": -1, "shift": 1e101}]}, "must be at most 1e\\+100 in magnitude, but is 1e\\+101"),
    ({"num_controls": 1}, "controls` must not be NULL"),
    ({"num_controls": 1, "controls": [0]}, r"controls\[0\]` is qubit 0, which the gate has already"),
    (
        {"num_controls": 1, "controls": [1], "control_values": [2]},
        r"control_values\[0\]` must be 0 or 1, but is 2",
    ),
    ({"num_controls": 99}, "num_controls` must be between"),
    ({"matrix": [1.0, 0.0]}, "matrix` must be NULL, as gate `rx` has none"),
    ({"paulis": b"X"}, "paulis` must be NULL but for"),
    ({"name": b"unitary", "num_angles": 0}, "matrix` must not be NULL"),
    ({"name": b"unitary", "num_angles": 1, "matrix": [1.0] * 8}, "num_angles` must be 0"),
    ({"name": b"unitary", "num_angles": 0, "matrix": [1.0] * 8}, "must be unitary, but its product"),
    (
        {"name": b"unitary", "num_angles": 0, "matrix": [math.nan] * 8},
        "must hold finite numbers, but entry 0",
    ),
    ({"name": b"diagonal", "num_angles": 0, "matrix": [1.0, 0, 2.0, 0]}, "must be unitary"),
    ({"name": b"pauli_rotation"}, "paulis` must not be NULL"),
    ({"name": b"pauli_rotation", "paulis": b"XX"}, "must have one letter for each of 1 qubit, but has 2"),
    ({"name": b"pauli_rotation", "paulis": b"X" * 900}, "but has more"),
    ({"name": b"pauli_rotation", "paulis": b"Q"}, "letters I, X, Y and Z, but has another at position 0"),
    ({"name": b"pauli_rotation", "paulis": b"X", "num_angles": 0}, "num_angles` must be 1"),
]


@pytest.mark.parametrize(("changes", "words"), BAD_GATES, ids=range(len(BAD_GATES)))
def test_bad_gates(changes, words):
    fields = {
        **GOOD_GATE,
        **{"name": b"rx", "qubits": [0], "angles": [{"param": 0, "scale": 1.0}], "num_angles": 1},
        **changes,
    }
    kinds = {"name": "char[]", "paulis": "char[]", "qubits": "int32_t[]", "controls": "int32_t[]"}
    kinds |= {"control_values": "int32_t[]", "angles": "qsim_angle[]", "matrix": "double[]"}
    kept = {k: ffi.new(kinds[k], v) if v is not None else NULL for k, v in fields.items() if k in kinds}
    good = ffi.new("char[]", b"h"), ffi.new("int32_t[]", [1])
    gates = ffi.new("qsim_gate[2]", [{**GOOD_GATE, "name": good[0], "qubits": good[1]}, {**fields, **kept}])
    out = ffi.new("qsim_program *", 123)
    assert re.search(words, refused(lib.qsim_program_from_gates(gates, 2, 2, 1, NULL, out)))
    assert out[0] == 123


def test_longer_records_of_a_later_version_are_read():
    size = ffi.sizeof("qsim_gate")
    raw = ffi.new("char[]", 2 * (size + 16))
    name, qubits = ffi.new("char[]", b"x"), ffi.new("int32_t[]", [0])
    for k in range(2):
        gate = ffi.cast("qsim_gate *", raw + k * (size + 16))
        gate.size, gate.name, gate.qubits, gate.num_qubits = size + 16, name, qubits + 0, 1
    out = ffi.new("qsim_program *")
    capi.check(lib.qsim_program_from_gates(ffi.cast("qsim_gate *", raw), 2, 1, 0, NULL, out))
    state = ffi.new("double[4]")
    capi.check(lib.qsim_state(out[0], NULL, 0, 1, state, 4))
    assert list(state) == [1, 0, 0, 0]
    capi.check(lib.qsim_program_free(out[0]))


def test_bad_arguments_of_programs():
    out = ffi.new("qsim_program *")
    size = ffi.sizeof("qsim_options")

    def make(*args):
        return refused(lib.qsim_program_from_gates(*args))

    def with_options(**fields):
        return make(NULL, 0, 1, 0, ffi.new("qsim_options *", {"size": size, **fields}), out)

    assert "`out` must not be NULL" in make(NULL, 0, 1, 0, NULL, NULL)
    assert "`gates` must not be NULL" in make(NULL, 1, 1, 0, NULL, out)
    assert "`num_gates` must be between 0" in make(NULL, -1, 1, 0, NULL, out)
    for count in (-1, 63, 2**31 - 1):
        assert "`num_qubits` must be between 0 and 62" in make(NULL, 0, count, 0, NULL, out)
    assert "`num_params` must be between 0" in make(NULL, 0, 1, -1, NULL, out)
    assert "`options->size` must be sizeof(qsim_options)" in with_options(size=3)
    assert "`options->precision` must be between 0 and 1, but is 7" in with_options(precision=7)
    assert "`options->threads` must be between 0 and 4096, but is -2" in with_options(threads=-2)
    assert "`text` must not be NULL" in refused(lib.qsim_program_from_qasm(NULL, NULL, out))
    assert out[0] == 0


def test_handles_that_are_none(program):
    observables = capi.Observables("Z0", 2)
    out = ffi.new("double[16]")
    for handle in (0, -1, 1, 2**62, observables.handle):
        assert "must be a program that is not freed" in refused(lib.qsim_state(handle, out, 2, 1, out, 8))
        refused(lib.qsim_program_free(handle))
        refused(lib.qsim_program_info(handle, *[NULL] * 5))
        refused(lib.qsim_sample(handle, out, 2, 1, 0, 0, NULL, 0))
        refused(lib.qsim_probabilities(handle, out, 2, 1, NULL, 0, out, 1))
        refused(lib.qsim_value_and_gradient(handle, observables.handle, out, 2, 1, out, 1, out, 2))
    for handle in (0, -1, program.handle):
        words = refused(lib.qsim_expectation(program.handle, handle, out, 2, 1, out, 1))
        assert "`observables` must be observables that are not freed" in words
        refused(lib.qsim_observables_free(handle))


def test_freeing_twice_is_an_error():
    handle = capi._handle("program", lib.qsim_program_from_gates, NULL, 0, 1, 0, NULL)
    assert lib.qsim_program_free(handle) == lib.QSIM_OK
    assert f"but {handle} is none" in refused(lib.qsim_program_free(handle))
    other = capi._handle("program", lib.qsim_program_from_gates, NULL, 0, 1, 0, NULL)
    assert other != handle  # numbers are not given out again
    assert lib.qsim_program_free(other) == lib.QSIM_OK


def test_bad_arguments_of_runs(program):
    sums = capi.Observables(["Z0", "X1"], 2)
    other = capi.Observables("Z0", 3)
    p, o = program.handle, sums.handle
    row = ffi.new("double[2]", [0.1, 0.2])
    out = ffi.new("double[64]")
    ints = ffi.new("int64_t[64]")
    assert "`num_params` must be 2" in refused(lib.qsim_state(p, row, 3, 1, out, 8))
    assert "`params` must not be NULL" in refused(lib.qsim_state(p, NULL, 2, 1, out, 8))
    assert "`batch` must not be negative" in refused(lib.qsim_state(p, row, 2, -1, out, 8))
    assert "more numbers than there can be" in refused(lib.qsim_state(p, row, 2, 2**62, out, 8))
    words = "`length` must be 8 for `out` of shape (1, 2**2, 2), but is 7"
    assert words in refused(lib.qsim_state(p, row, 2, 1, out, 7))
    assert "`out` must not be NULL" in refused(lib.qsim_state(p, row, 2, 1, NULL, 8))
    single = ffi.new("float[8]")
    assert "double precision, whose states qsim_state() gives" in refused(
        lib.qsim_state_single(p, row, 2, 1, single, 8)
    )
    half = capi.Program(circuit(), precision="single")
    assert "qsim_state_single() gives" in refused(lib.qsim_state(half.handle, row, 2, 1, out, 8))
    for bad in (math.nan, math.inf, -math.inf, 1e101):
        rows = ffi.new("double[4]", [0, 0, 0, bad])
        message = refused(lib.qsim_expectation(p, o, rows, 2, 2, out, 4))
        assert "`params` must hold numbers that are finite" in message
        assert "but parameter 1 of row 1 is" in message
        refused(lib.qsim_value_and_gradient(p, o, rows, 2, 2, out, 4, out, 8))
        refused(lib.qsim_sample(p, rows, 2, 2, 1, 0, ints, 2))
    assert "must be of 2 qubits like the program, but is of 3" in refused(
        lib.qsim_expectation(p, other.handle, row, 2, 1, out, 1)
    )
    assert "`length` must be 2 for `out` of shape (1, 2)" in refused(
        lib.qsim_expectation(p, o, row, 2, 1, out, 1)
    )
    assert "`values_length` must be 2" in refused(
        lib.qsim_value_and_gradient(p, o, row, 2, 1, out, 1, out, 4)
    )
    assert "`gradients_length` must be 4 for `gradients` of shape (1, 2, 2)" in refused(
        lib.qsim_value_and_gradient(p, o, row, 2, 1, out, 2, out, 3)
    )
    assert "`gradients` must not be NULL" in refused(
        lib.qsim_value_and_gradient(p, o, row, 2, 1, out, 2, NULL, 4)
    )
    assert "`shots` must not be negative" in refused(lib.qsim_sample(p, row, 2, 1, -1, 0, ints, 0))
    assert "`length` must be 5" in refused(lib.qsim_sample(p, row, 2, 1, 5, 0, ints, 4))
    refused(lib.qsim_sample(p, row, 2, 2**40, 2**40, 0, ints, 4))
    for qubits, words in (([0, 0], "listed already"), ([2], "between 0 and 1"), ([-1], "between 0 and 1")):
        message = refused(lib.qsim_probabilities(p, row, 2, 1, qubits, len(qubits), out, 1 << len(qubits)))
        assert words in message
    assert "`num_listed` must be between 0 and 2" in refused(
        lib.qsim_probabilities(p, row, 2, 1, [0, 1], 3, out, 8)
    )
    assert "`qubits` must not be NULL" in refused(lib.qsim_probabilities(p, row, 2, 1, NULL, 1, out, 2))


def test_more_classical_bits_than_a_number_has():
    text = "OPENQASM 2.0; qreg q[1]; creg c[{}]; U(3.141592653589793,0,0) q; measure q[0] -> c[{}];"
    assert capi.Program(text.format(63, 62)).sample(2, seed=0).tolist() == [1 << 62] * 2
    with pytest.raises(ArgumentError, match="measures 64 classical bits, but a sample has at most 63"):
        capi.Program(text.format(64, 3)).sample(2, seed=0)


def test_bad_terms():
    out = ffi.new("qsim_observables *")
    masks, numbers = ffi.new("uint64_t[]", [1, 4]), ffi.new("double[]", [1.0, 2.0])

    def make(x=masks, z=masks, c=numbers, terms=2, offsets=(0, 2), count=1, qubits=2):
        offsets = NULL if offsets is None else list(offsets)
        return refused(lib.qsim_observables_from_terms(x, z, c, terms, offsets, count, qubits, out))

    assert "has a mask with bits beyond its 2 qubits" in make()
    for name in "xzc":
        assert "must not be NULL" in make(**{name: NULL})
    assert "`offsets` must not be NULL" in make(offsets=None)
    assert "`num_observables` must be between 1" in make(count=0)
    assert "`num_terms` must be between 0" in make(terms=-1)
    assert "`num_qubits` must be between 0 and 62" in make(qubits=63)
    for offsets in ((1, 2), (0, 3), (0, 1), (0, -1)):
        assert "`offsets` must rise from 0 to 2" in make(offsets=offsets)
    assert "`coefficients[1]` must be finite, but is nan" in make(c=ffi.new("double[]", [1, math.nan]))
    assert "`texts` must not be NULL" in refused(lib.qsim_observables_from_text(NULL, 1, 2, out))
    texts = ffi.new("char *[1]")
    assert "`texts[0]` must not be NULL" in refused(lib.qsim_observables_from_text(texts, 1, 2, out))
    assert "`num_observables` must" in refused(lib.qsim_observables_from_text(texts, 0, 2, out))


def test_python_arguments(program):
    with pytest.raises(ArgumentError, match=r"must have shape \(2,\) or \(batch, 2\), but has shape \(3,\)"):
        program.state([1, 2, 3])
    with pytest.raises(TypeError, match="must be a Circuit or a str, but is int"):
        capi.Program(3)
    with pytest.raises(ArgumentError, match="`precision` must be"):
        capi.Program(circuit(), precision="half")
    with pytest.raises(ArgumentError, match="`shots` must"):
        program.sample(-1, [0, 0], seed=0)
    with pytest.raises(OverflowError):
        program.sample(1, [0, 0], seed=-1)


@pytest.mark.parametrize("num_qubits", [40, 62])
def test_states_that_no_memory_holds_are_refused_at_once(num_qubits):
    wide = capi.Program(qsim.Circuit(num_qubits).h(0))
    began = time.perf_counter()
    with pytest.raises(MemoryBudgetError, match=r"needs .* is free"):
        wide.expectation("Z0")
    with pytest.raises(MemoryBudgetError, match=f"A run of {num_qubits} qubits in double precision needs"):
        wide.sample(1, seed=0)
    assert time.perf_counter() - began < 1


def test_max_memory():
    program = capi.Program(qsim.Circuit(12).h(0), max_memory=60_000)
    with pytest.raises(MemoryBudgetError, match=r"needs 64 KiB, but `max_memory` is 58\.59 KiB"):
        program.sample(1, seed=0)
    few = capi.Program(qsim.Circuit(12).rx(qsim.Parameter("a"), 0), max_memory=200_000)
    params = np.linspace(0, 1, 7)[:, None]
    np.testing.assert_allclose(few.value_and_gradient("Z0", params)[0], np.cos(params[:, 0]), atol=1e-14)


# -- where it stands ------------------------------------------------------------------------------------
def test_paths():
    assert (Path(qsim.get_include()) / "qsim.h").is_file()
    assert Path(qsim.get_library()).is_file()


def test_a_missing_library_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(native, "_PACKAGE", tmp_path)
    with pytest.raises(BackendError, match=r"is missing .*without a working C\+\+ compiler"):
        qsim.get_library()


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm from binutils")
@pytest.mark.skipif(sys.platform != "linux", reason="asks for dynamic symbols as Linux has them")
def test_the_symbols_of_the_core_are_hidden():
    from qsim import _core

    def symbols(path: str) -> set[str]:
        lines = subprocess.run(
            ["nm", "-D", "--defined-only", path], capture_output=True, text=True, check=True
        )
        return {line.split()[-1] for line in lines.stdout.splitlines()}

    header = (Path(qsim.get_include()) / "qsim.h").read_text()
    declared = {
        line.split("(")[0].split()[-1].lstrip("*")
        for line in header.splitlines()
        if line.startswith("QSIM_API")
    }
    assert symbols(qsim.get_library()) == declared
    assert symbols(_core.__file__) == {"PyInit__core"}


# -- programs in C --------------------------------------------------------------------------------------
def compiled(source: Path, tmp_path: Path, *flags: str) -> Path:
    library = Path(qsim.get_library())
    binary = tmp_path / "program"
    warnings = ("-Wall", "-Wextra", "-Werror", "-pedantic")
    subprocess.run(
        [
            *(COMPILER, *flags, *warnings, str(source), f"-I{qsim.get_include()}", str(library)),
            *(f"-Wl,-rpath,{library.parent}", "-o", str(binary)),
        ],
        check=True,
    )
    return binary


@pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")
@pytest.mark.skipif(not EXAMPLE.exists(), reason="no examples here (installed from a wheel)")
def test_the_example_in_c(tmp_path):
    binary = compiled(EXAMPLE, tmp_path, "-std=c99")
    result = subprocess.run([binary], capture_output=True, text=True, check=True, env={})
    energy, bell = result.stdout.splitlines()
    assert -4.7588 < float(energy.split()[4]) < -4.7
    counts = [int(word) for word in bell.split()[2::3]]
    assert counts[1:3] == [0, 0] and sum(counts) == 1000 and min(counts[0], counts[3]) > 400


@pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")
@pytest.mark.parametrize("language", ["c", "c++"])
def test_the_header_alone_is_enough(tmp_path, language):
    source = tmp_path / ("main.c" if language == "c" else "main.cpp")
    source.write_text(
        "#include <qsim.h>\n"
        "#include <locale.h>\n"
        "int main(void) {\n"
        '  const char *text = "0.5 * Z0";\n'
        "  qsim_program program = 0;\n"
        "  qsim_observables observables = 0;\n"
        "  double value = 0;\n"
        '  setlocale(LC_ALL, "de_DE.UTF-8");\n'
        '  if (qsim_program_from_qasm("OPENQASM 2.0; qreg q[1]; U(0.5,0,0) q[0];", 0, &program)) return 1;\n'
        "  if (qsim_observables_from_text(&text, 1, 1, &observables)) return 2;\n"
        "  if (qsim_expectation(program, observables, 0, 0, 1, &value, 1)) return 3;\n"
        "  if (value < 0.43879128 || value > 0.43879129) return 4;\n"
        "  if (qsim_program_free(program) || qsim_observables_free(observables)) return 5;\n"
        '  return qsim_program_from_qasm("x", 0, &program) == QSIM_ERROR_QASM ? 0 : 6;\n'
        "}\n"
    )
    flags = ("-std=c99",) if language == "c" else ("-x", "c++", "-std=c++11")
    library = Path(qsim.get_library())
    binary = tmp_path / "program"
    words = [COMPILER, *flags, "-Wall", "-Wextra", "-Werror", str(source), "-x", "none", str(library)]
    words += [f"-I{qsim.get_include()}", f"-Wl,-rpath,{library.parent}", "-o", str(binary)]
    subprocess.run(words, check=True)
    assert subprocess.run([binary], check=False).returncode == 0


def test_a_processor_without_the_kernels_asked_for():
    code = (
        "from qsim import capi, Circuit\n"
        "try:\n    capi.Program(Circuit(1))\nexcept Exception as error:\n    print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "QSIM_ISA": "sse9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "QSIM_ISA='sse9' was asked for, but this CPU runs: baseline" in result.stdout


# -- Numba ----------------------------------------------------------------------------------------------
def test_numba_calls_it_without_the_interpreter():
    numba = pytest.importorskip("numba")
    from numba.core.typing import cffi_utils

    cffi_utils.register_module(capi.module)
    value_and_gradient = lib.qsim_value_and_gradient

    @numba.njit
    def descend(program, observables, params, steps, rate):
        values, gradient = np.zeros(1), np.zeros(params.size)
        for _ in range(steps):
            code = value_and_gradient(
                program,
                observables,
                ffi.from_buffer(params),
                params.size,
                1,
                ffi.from_buffer(values),
                1,
                ffi.from_buffer(gradient),
                params.size,
            )
            if code != 0:
                return code, values[0]
            params -= rate * gradient
        return 0, values[0]

    assert descend.nopython_signatures == []
    program = capi.Program(circuit())
    observables = capi.Observables({"Z0 Z1": 1.0}, 2)
    params = np.array([0.3, 0.4])
    code, value = descend(program.handle, observables.handle, params, 200, 0.4)
    assert code == 0 and value == pytest.approx(-1.0, abs=1e-6)
    assert descend.nopython_signatures
    assert descend(0, observables.handle, params, 1, 0.1)[0] == lib.QSIM_ERROR_ARGUMENT


# -- threads, forks, signals ----------------------------------------------------------------------------
def test_errors_are_those_of_the_thread():
    refused(lib.qsim_program_free(-5))
    found = []
    thread = threading.Thread(target=lambda: found.append(lib.qsim_last_error_code()))
    thread.start()
    thread.join()
    assert found == [lib.QSIM_OK]
    assert "-5" in ffi.string(lib.qsim_last_error()).decode()


def test_threads_share_a_program_and_may_free_it_meanwhile():
    big = qsim.Circuit(15)
    for q in range(15):
        big.h(q).rz(qsim.Parameter("a"), q).cx(q, (q + 1) % 15)
    expected = qsim.statevector(big, [0.3])
    shared = capi._handle(
        "program", lib.qsim_program_from_gates, *(gates := capi.gates_of(big))[:2], 15, 1, NULL
    )
    states, codes = [np.empty(1 << 15, complex) for _ in range(4)], []
    params = ffi.new("double[1]", [0.3])
    ready = threading.Barrier(5)

    def run(state):
        ready.wait()
        codes.append(lib.qsim_state(shared, params, 1, 1, ffi.from_buffer("double[]", state), 2 << 15))

    threads = [threading.Thread(target=run, args=(state,)) for state in states]
    for thread in threads:
        thread.start()
    ready.wait()
    time.sleep(0.001)
    assert lib.qsim_program_free(shared) == lib.QSIM_OK
    for thread in threads:
        thread.join()
    assert set(codes) <= {lib.QSIM_OK, lib.QSIM_ERROR_ARGUMENT}  # a thread may come too late
    if set(codes) == {lib.QSIM_OK}:
        for state in states:
            np.testing.assert_allclose(state, expected, atol=1e-13)
    assert gates


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_runs():
    code = (
        "import os, numpy as np, qsim\nfrom qsim import capi\n"
        "p = capi.Program(qsim.Circuit(16).h(range(16)), threads=2)\n"
        "before = p.state()\npid = os.fork()\nok = np.array_equal(p.state(), before)\n"
        "if pid == 0:\n    os._exit(0 if ok else 1)\n"
        "print(os.waitpid(pid, 0)[1], ok)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.split() == ["0", "True"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers of POSIX")
def test_a_signal_ends_a_run():
    code = (
        "import signal, time, qsim\nfrom qsim import capi\n"
        "signal.signal(signal.SIGALRM, signal.default_int_handler)\n"
        "c = qsim.Circuit(20)\n"
        "for k in range(2000):\n    c.rx(0.1 * k, k % 20).cx(k % 20, (k + 3) % 20)\n"
        "p = capi.Program(c)\nsignal.setitimer(signal.ITIMER_REAL, 0.5)\nbegan = time.perf_counter()\n"
        "try:\n    p.sample(1, seed=0); print('ran')\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
        "print(time.perf_counter() - began)\n"
        "print(abs(capi.Program(qsim.Circuit(1).h(0)).expectation('X0') - 1) < 1e-12)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    ended, seconds, right = result.stdout.split()
    assert right == "True"
    assert ended == "interrupted" and float(seconds) < 2.0
