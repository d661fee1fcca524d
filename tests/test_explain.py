"""What `Program.explain` tells, the machine's figures it rests on, and `qsim bench`."""

from __future__ import annotations

import json
import re
import time

import numpy as np
import pytest
from conftest import ISAS

import qsim
from qsim import machine
from qsim.circuit import Circuit
from qsim.cli import main
from qsim.errors import ArgumentError, CircuitError

needs_core = pytest.mark.skipif(not ISAS, reason="the C++ core is not built")
LAYERS = Circuit(17)
X = qsim.ParameterVector("x", 17)
for _ in range(3):
    for _q in range(17):
        LAYERS.rx(X[_q], _q).rz(0.3, _q).cx(_q, (_q + 5) % 17)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache directory, and nothing known of the machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(machine, "_known", {})
    return tmp_path


@needs_core
def test_fused_programs_tell_segments_and_cost(precision):
    program = qsim.compile(LAYERS, precision=precision, threads=1, backend="cpp")
    text = program.explain()
    passes = int(re.search(r"fused: (\d+) passes over the state", text)[1])
    assert passes >= 2 and text.count("\n  segment ") == min(passes, 12)
    assert re.search(r"predicted: [\d.e-]+ ms, of which .* for memory and .* for arithmetic", text)
    assert "rotations" in text and "multiply-adds per amplitude" in text and "measured" not in text
    total = float(re.search(r"moved, ([\d.]+) multiply-adds", text)[1])
    parts = [float(part) for part in re.findall(r"segment .*; ([\d.]+) multiply-adds", text)]
    assert total == pytest.approx(sum(parts), rel=1e-3) and total > 100
    size = qsim.memory.format_bytes((2 * passes - 1) * program.dtype.itemsize << 17)
    assert f"{size} moved" in text


def test_measured_times(backend):
    program = qsim.compile(LAYERS, threads=1, backend=backend)
    for params in (None, np.linspace(0, 1, 17), {"x": np.zeros(17)}):
        start = time.perf_counter()
        text = program.explain(measure=True, params=params)
        seconds = time.perf_counter() - start
        measured = re.search(r"\nmeasured: ([\d.]+) (ms|s)$", text)
        assert 0 < float(measured[1]) * (1e-3 if measured[2] == "ms" else 1) < seconds
    with pytest.raises(ArgumentError, match="Argument `params` must be one row of values, but is 3 rows"):
        program.explain(measure=True, params=np.zeros((3, 17)))


def test_programs_that_are_not_fused(backend):
    plain = qsim.compile(LAYERS, fuse=False, backend=backend).explain()
    assert "fused" not in plain and "predicted" not in plain
    assert re.search(r"segment 0: instructions 0-\d+, qubits 0-5 and \[", plain)
    assert "fits one tile" in qsim.compile(Circuit(3).h(0), backend=backend).explain()
    assert "measured" not in qsim.compile(Circuit(3), backend=backend).explain(measure=True)
    measured = Circuit(15, 1).h(14).measure(14, 0).if_else((0, 1), Circuit(15, 1).rx(0.3, 2)).h(14)
    branching = qsim.compile(measured, backend=backend)
    assert "tape 1: " in branching.explain()
    with pytest.raises(CircuitError, match="measured time"):
        branching.explain(measure=True)


def test_how_batches_run(backend):
    x = qsim.ParameterVector("x", 3)
    circuit = Circuit(3).ry(x[0], 0).rx(x[1], 1).cx(0, 1).rzz(x[2], 1, 2).ccx(0, 1, 2)
    text = qsim.compile(circuit, backend=backend).explain()
    assert text.endswith(
        "batches of 3 rows or more: a row in each lane, 2 turns, 3 phases in 1 pass, 1 matrix"
    )
    text = qsim.compile(circuit.prepare([0.6, 0.8], [0]).h(0), backend=backend).explain()
    assert text.endswith("batches: row by row (lanes do not run these gates, or gain nothing)")
    assert "batches: row by row (too big for lanes)" in qsim.compile(LAYERS, backend=backend).explain()


@needs_core
def test_segments_beyond_the_first_twelve_are_counted():
    circuit = LAYERS.bind(np.linspace(0, 1, 17)).repeat(30)
    text = qsim.compile(circuit, backend="cpp").explain()
    passes = int(re.search(r"fused: (\d+) passes", text)[1])
    assert f"\n  ... {passes - 12} more segments\n" in text


@needs_core
def test_figures_are_measured_once_and_kept(cache, monkeypatch):
    start = time.perf_counter()
    quick = machine.figures(1)
    assert time.perf_counter() - start < 2  # the aim is 0.2
    assert machine.figures(1) is quick and not list(cache.iterdir())
    assert 1e8 < quick.bandwidth < 1e13 and 1e8 < quick.peak_double < quick.peak_single < 1e14

    kept = machine.Figures(1e9, 2e9, 3e9)
    assert machine.save([(1, kept)]) == machine.cache_file()
    monkeypatch.setattr(machine, "_known", {})
    monkeypatch.setattr(machine, "measure", None)
    assert machine.figures(1) == kept
    assert "1 GB/s, 3 Gflop/s" in qsim.compile(LAYERS, threads=1, backend="cpp").explain()


@needs_core
@pytest.mark.parametrize(
    "text", ["", "[]", "{", "null", '{"a": 1}', '{"a": {"bandwidth": 1}}', "\0"], ids=repr
)
def test_a_damaged_cache_is_no_cache(cache, text):
    path = machine.cache_file()
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert machine.figures(1).bandwidth > 0
    assert machine.save([(1, machine.Figures(1.0, 2.0, 3.0))]) == path
    assert len(json.loads(path.read_text())) == 1


@needs_core
def test_a_cache_that_cannot_be_written(cache, monkeypatch, capsys):
    (cache / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache / "file"))
    monkeypatch.setattr(machine, "measure", lambda threads, quick=False: machine.Figures(1e9, 2e9, 3e9))
    monkeypatch.setattr("qsim.cli.bench.measure", machine.measure)
    assert main(["bench"]) == 0
    assert "cannot be written" in capsys.readouterr().out
    assert machine.figures(1).bandwidth == 1e9


@needs_core
def test_bench_measures_and_keeps(capsys):
    assert main(["bench", "--threads", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["threads"] for row in found["figures"]] == [1, 2] and found["isa"] in ISAS
    assert len(json.loads(machine.cache_file().read_text())) == 2
    assert main(["bench", "--threads", "1"]) == 0
    out = capsys.readouterr().out
    assert "1 thread: copies " in out and str(machine.cache_file()) in out


@needs_core
def test_every_instruction_set_has_a_peak(isa):
    from qsim import _core

    single, double = _core.peak_flops(True, 1), _core.peak_flops(False, 1)
    assert 1e8 < double < single < 1e13
    with pytest.raises(ValueError):
        _core.peak_flops(True, 0)
