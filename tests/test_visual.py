"""Drawings: every gate and operation in every renderer, labels, folding, limits."""
# ruff: noqa: RUF001

from __future__ import annotations

import html
import math
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qsim
from qsim import classical
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.gates import get_gate, unique_specs
from qsim.parameters import Parameter
from qsim.visual import draw_html, draw_mpl, draw_text
from qsim.visual.labels import clip, family_of, number_text, shape_of, text_width
from qsim.visual.layout import chunks, column_widths, lay_out

theta = Parameter("theta")


# -- every gate, every operation, every renderer -----------------------------------------------------
def every_operation() -> Circuit:
    circuit = Circuit(3, 3)
    i = circuit.declare("i", "int", 8)
    circuit.h(0).measure([0, 1], [0, 1]).reset(2).barrier().barrier(0, 2).delay(3.5, [0, 1], "us")
    circuit.kraus([np.eye(2) * 0.6, np.diag([0.8, 0.8])], 1).kraus([np.eye(4)], [2, 0])
    circuit.if_else((0, 1), Circuit(3).x(1), Circuit(3).z(2)).while_loop(
        (1, 1), Circuit(3, 3).h(1).measure(1, 1)
    )
    circuit.for_loop([1, 2, 5], Circuit(3).x(0).continue_loop()).for_loop(
        range(3), Circuit(3).break_loop(), i
    )
    circuit.for_loop(classical.Bits((0, 1)), Circuit(3).x(0)).for_loop(range(0), Circuit(3))
    circuit.switch([0, 1], {0: Circuit(3).x(0)}).switch(2, [], Circuit(3).x(0)).switch(2, [])
    circuit.assign(i, i + 1).assign(2, classical.Bit(0) & classical.Bit(1)).rx(
        classical.Cast("angle", 32, i), 0
    )
    return circuit


def every_user_gate() -> Circuit:
    circuit = Circuit(3)
    circuit.unitary(np.eye(8), [1, 2, 0]).diagonal([1, 1j], 0).permutation([1, 0, 3, 2], [2, 0])
    circuit.generator(np.diag([1, 2]), theta, 1).pauli("XYZ", [0, 1, 2]).pauli_rotation(
        theta, "ZIX", [0, 1, 2]
    )
    circuit.multi_rz(0.5, [0, 2]).pcphase(0.3, 2, [0, 1]).exp_pauli_sum({"Z0 Z1": 1.0, "X2": 0.5}, 0.7)
    circuit.prepare([0.6, 0.8], 1).prepare([0.6, 0.8j], 1, controls=[0]).append(
        Circuit(2).cx(0, 1), (), [0, 2]
    )
    circuit.append(Circuit(0).gphase(0.5), (), ()).append(Circuit(1).h(0).control(1), (), [0, 2])
    return circuit.compose(Circuit(3).t(0).sx(1).power(0.5)).compose(
        Circuit(3).prepare([0.6, 0.8], 0).inverse()
    )


@pytest.fixture
def axes():
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    yield lambda *args, **kwargs: draw_mpl(*args, **kwargs)
    plt.close("all")


def labels_of(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("spec", unique_specs(), ids=lambda spec: spec.name)
@pytest.mark.parametrize("num_controls", [0, 1, 2])
def test_every_gate_draws(spec, num_controls, axes):
    circuit = Circuit(spec.num_qubits + num_controls + 1)
    params = [0.1 + k for k in range(spec.num_params)]
    controls = range(spec.num_qubits, spec.num_qubits + num_controls)
    circuit.append(spec, params, range(spec.num_qubits), controls=controls)
    shape = shape_of(spec, num_controls)
    text = draw_text(circuit, fold=-1)
    total_controls = num_controls + len(shape.controls)
    if shape.symbol == "box":
        assert shape.label in text
        assert all(number_text(p) in text for p in params)
        assert text.count("●") == total_controls
    else:
        symbol = {"plus": "⊕", "dot": "●", "cross": "×"}[shape.symbol]
        num_targets = spec.num_qubits - len(shape.controls)
        assert text.count(symbol) == num_targets + total_controls * (symbol == "●")
    assert html.escape(text) in draw_html(circuit)
    drawn = labels_of(axes(circuit))
    assert (shape.label in drawn) == (shape.symbol == "box")


@pytest.mark.parametrize("circuit", [every_operation(), every_user_gate()], ids=["operations", "user gates"])
def test_every_operation_draws(circuit, axes):
    for reverse in (False, True):
        for fold in (-1, 40, 1):
            assert draw_text(circuit, fold=fold, reverse_bits=reverse)
            assert axes(circuit, fold=fold, reverse_bits=reverse).texts
    text = draw_text(circuit, fold=-1)
    assert html.escape(text) in draw_html(circuit)
    for frame in lay_out(circuit).frames:
        assert all(f" {label} " in text for _, label in frame.sections)


OPERATION_LABELS = """\
0>|░|Delay(3.5 us)|Kraus| if c[0] | else | while c[1] | break | continue | for _ in {1, 2, 5} |\
 for i in [0:2] | for _ in {} | switch {c[0], c[1]} case 0 | switch c[2] default |\
i = i + 1|c[2] = c[0] & c[1]"""
USER_GATE_LABELS = """\
unitary|diagonal|permutation|generator(theta)|PauliRot(theta)|pcphase(0.3)|exp_pauli_sum(0.7)|prepare|prepare†|\
circuit"""


@pytest.mark.parametrize(
    ("circuit", "labels"), [(every_operation(), OPERATION_LABELS), (every_user_gate(), USER_GATE_LABELS)]
)
def test_labels_of_operations(circuit, labels):
    text = draw_text(circuit, fold=-1)
    assert [label for label in labels.split("|") if label and label not in text] == []


# -- labels ------------------------------------------------------------------------------------------
def test_numbers():
    values = [
        0,
        math.pi,
        -math.pi,
        math.pi / 2,
        2 * math.pi / 3,
        7 * math.pi / 32,
        math.pi / 1024,
        1.5,
        -0.001,
        1e10,
        1.5707,
    ]
    texts = ["0", "π", "-π", "π/2", "2π/3", "7π/32", "π/1024", "1.5", "-0.001", "1e+10", "1.57"]
    assert [number_text(v) for v in values] == texts


def test_controls_are_found_in_matrices():
    assert shape_of(get_gate("crot")).label == "Rot"
    assert shape_of(get_gate("cu3")).controls == (1,)
    assert shape_of(get_gate("c3sx")) == ("box", "√X", (1, 1, 1), ("",))
    assert shape_of(get_gate("rccx")).controls == ()
    assert [family_of(get_gate(name)) for name in ("x", "z", "h", "rx", "rz", "iswap", "rxx")] == [
        "permutation", "phase", "mixing", "rotation", "phase", "permutation", "rotation",
    ]  # fmt: skip


def test_control_characters_and_long_names_stay_in_their_box():
    circuit = (
        Circuit(1).unitary(np.eye(2), 0, name="a\nb\x1b[31m\t" + "long" * 30).rx(Parameter("p\nq" * 50), 0)
    )
    text = draw_text(circuit, fold=-1)
    assert len(text.splitlines()) == 3
    assert "\x1b" not in text and "\t" not in text
    assert "…" in text
    assert clip("x" * 41) == "x" * 39 + "…"


def test_wide_characters_keep_the_columns():
    text = draw_text(Circuit(1).rx(Parameter("角度"), 0).h(0), fold=-1)
    top, middle, bottom = (line[4:] for line in text.splitlines())
    assert text_width(top) == text_width(bottom)
    assert text_width(middle) == text_width(top) + 1


def test_html_is_escaped():
    page = draw_html(Circuit(1).rx(Parameter("<script>alert('&')</script>"), 0))
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert Circuit(1).h(0)._repr_html_() == draw_html(Circuit(1).h(0))


# -- limits ------------------------------------------------------------------------------------------
def test_note_on_what_is_left_out(axes):
    circuit = Circuit(1).h([0] * 1)
    for _ in range(9):
        circuit.h(0)
    text = draw_text(circuit, fold=-1, max_operations=4)
    assert text.count("┤ H ├") == 4
    assert text.splitlines()[-1].startswith("... and 6 more operations")
    assert draw_text(circuit, fold=-1, max_operations=None).count("┤ H ├") == 10
    assert "... and 10 more" in draw_text(circuit, max_operations=0)
    assert any("6 more" in label for label in labels_of(axes(circuit, max_operations=4)))
    loop = Circuit(1).for_loop(range(3), circuit)
    assert draw_text(loop, fold=-1, max_operations=4).count("┤ H ├") == 3
    assert "┤ … ├" in draw_text(loop, fold=-1, max_operations=4)


def test_huge_circuits_are_shown_at_once():
    circuit = Circuit(20)
    for k in range(50_000):
        circuit.rx(0.1, k % 20).cx(k % 20, (k + 3) % 20)
    start = time.perf_counter()
    page = circuit._repr_html_()
    assert time.perf_counter() - start < 2.0
    assert "99500 more operations" in page and len(page) < 300_000
    page = Circuit(100_000).h(99_999)._repr_html_()
    assert "100000 qubits" in page and len(page) < 2000


def test_deep_nesting_becomes_a_box():
    body = Circuit(1, 1).x(0)
    for _ in range(40):
        body = Circuit(1, 1).if_else((0, 1), body)
    text = draw_text(body, fold=-1)
    assert text.count(" if c ") > 10
    assert "┤ if c ├" in text


def test_empty_circuits(axes):
    assert draw_text(Circuit(0)) == ""
    assert draw_html(Circuit(0)).startswith("<pre")
    assert len(axes(Circuit(0)).texts) == 0
    assert draw_text(Circuit(0).gphase(0.5)).splitlines()[1] == "phase: │ phase(0.5) │"
    assert draw_text(Circuit(0).for_loop(range(2), Circuit(0))).count("for") == 1


# -- properties --------------------------------------------------------------------------------------
@st.composite
def circuits(draw):
    num_qubits = draw(st.integers(1, 5))
    circuit = Circuit(num_qubits, 2)
    specs = [spec for spec in unique_specs() if spec.num_qubits <= num_qubits]
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["gate"] * 6 + ["measure", "if", "barrier", "assign"]))
        if kind == "gate":
            spec = draw(st.sampled_from(specs))
            places = draw(st.permutations(range(num_qubits)))
            controls = places[spec.num_qubits : spec.num_qubits + draw(st.integers(0, 2))]
            circuit.append(spec, [0.5] * spec.num_params, places[: spec.num_qubits], controls=controls)
        elif kind == "measure":
            circuit.measure(draw(st.integers(0, num_qubits - 1)), draw(st.integers(0, 1)))
        elif kind == "if":
            body = Circuit(num_qubits, 2).x(draw(st.integers(0, num_qubits - 1)))
            circuit.if_else((draw(st.integers(0, 1)), 1), body, body if draw(st.booleans()) else None)
        elif kind == "barrier":
            circuit.barrier(*draw(st.sets(st.integers(0, num_qubits - 1), min_size=1)))
        else:
            circuit.assign(0, classical.Bit(1))
    return circuit


@given(circuit=circuits(), reverse=st.booleans())
def test_nothing_overlaps(circuit, reverse):
    drawing = lay_out(circuit, reverse_bits=reverse)
    taken = set()
    for element in drawing.elements:
        last = element.bit[0] if element.bit else element.bottom
        rows = element.box if element.kind == "barrier" else range(element.top, last + 1)
        places = {(row, element.column) for row in rows}
        assert not places & taken
        taken |= places
    for frame in drawing.frames:  # the borders of frames are columns of their own
        columns = {column for column, _ in frame.sections} | {frame.end}
        assert not {(row, c) for row in range(frame.top, frame.bottom + 1) for c in columns} & taken


@given(circuit=circuits(), width=st.integers(20, 120))
def test_folded_lines_fit_and_hold_everything(circuit, width):
    folded, whole = draw_text(circuit, fold=width), draw_text(circuit, fold=-1)
    assert folded == draw_text(circuit, fold=width)
    widest = max((len(line) for line in whole.splitlines()), default=0)
    drawing = lay_out(circuit)
    widths = column_widths(drawing, lambda e: 10, 2, lambda label: len(label) + 4)
    columns = [column for chunk in chunks(drawing, widths, width) for column in chunk]
    assert columns == list(range(drawing.num_columns))
    for symbol in "●⊕×▼":
        assert folded.count(symbol) == whole.count(symbol)
    if widest <= width - 3:
        assert folded == whole


@given(circuit=circuits())
def test_lines_fit_the_width_where_no_box_is_wider(circuit):
    text = draw_text(circuit, fold=60)
    assert max((len(line) for line in text.splitlines()), default=0) <= 60


# -- Matplotlib --------------------------------------------------------------------------------------
def test_mpl_draws_into_given_axes(axes):
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert axes(Circuit(2).h(0).cx(0, 1), ax, title="Bell") is ax
    assert ax.get_title() == "Bell"
    assert {"q0", "q1", "H"} <= set(labels_of(ax))


def test_mpl_keeps_dollars_and_stays_inside_the_axes(axes):
    ax = axes(Circuit(2, 2).rx(Parameter("$x$"), 0).measure(0, 1).if_else((1, 1), Circuit(2).x(1)))
    assert "$x$" in labels_of(ax)
    ax.figure.canvas.draw()
    limits = ax.get_window_extent()
    for text in ax.texts:
        box = text.get_window_extent()
        assert limits.x0 <= box.x0 and box.x1 <= limits.x1 and limits.y0 <= box.y0 and box.y1 <= limits.y1


def test_mpl_labels_fit_their_boxes(axes):
    ax = axes(every_user_gate(), fold=-1)
    ax.figure.canvas.draw()
    from matplotlib.patches import FancyBboxPatch

    boxes = [p.get_window_extent() for p in ax.patches if isinstance(p, FancyBboxPatch)]
    for text in ax.texts:
        if text.get_text() in ("unitary", "exp_pauli_sum", "PauliRot", "permutation", "generator"):
            extent = text.get_window_extent()
            assert any(
                b.x0 <= extent.x0 and extent.x1 <= b.x1 and b.y0 <= extent.y0 and extent.y1 <= b.y1
                for b in boxes
            ), text.get_text()


def test_mpl_folds(axes):
    circuit = Circuit(1)
    for _ in range(30):
        circuit.h(0)
    assert labels_of(axes(circuit, fold=10)).count("q0") == 3
    assert labels_of(axes(circuit, fold=-1)).count("q0") == 1


def test_without_matplotlib(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "qsim.visual.artist", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "qsim-statevector\[viz\]"'):
        draw_mpl(Circuit(1))


# -- arguments ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("function", [draw_text, draw_mpl, draw_html])
def test_only_circuits_are_drawn(function):
    with pytest.raises(TypeError, match=r"Argument `circuit` must be a Circuit, but is str\."):
        function("h q[0];")


def test_bad_arguments():
    with pytest.raises(ArgumentError, match=r"Argument `fold` must be at least -1, but is -2\."):
        draw_text(Circuit(1), fold=-2)
    with pytest.raises(ArgumentError, match=r"Argument `max_operations` must be at least 0, but is -1\."):
        draw_mpl(Circuit(1), max_operations=-1)
    with pytest.raises(ArgumentError, match=r"Argument `output` must be 'text' or 'mpl', but is 'latex'\."):
        Circuit(1).draw("latex")
    with pytest.raises(AttributeError, match="no attribute 'draw_latex'"):
        _ = qsim.visual.draw_latex
