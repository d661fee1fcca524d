"""Drawings as text: exactly what small circuits look like."""
# ruff: noqa: RUF001

from __future__ import annotations

import math

import numpy as np
import pytest

from qsim import classical
from qsim.circuit import Circuit
from qsim.gates import get_gate
from qsim.parameters import Parameter, ParameterVector
from qsim.visual import draw_text

theta = Parameter("theta")
x = ParameterVector("x", 2)


def with_registers() -> Circuit:
    circuit = Circuit(3, 3).h(0)
    circuit.quantum_registers = {"a": (0, 1), "anc": (2,)}
    circuit.classical_registers = {"low": (0, 1), "flag": (2,)}
    return circuit.measure(1, 1).measure(2, 2).if_else((2, 1), Circuit(3, 3).x(0))


def with_variables() -> Circuit:
    circuit = Circuit(1, 2)
    i = circuit.declare("i", "int", 8, 0)
    circuit.assign(i, i + 1).assign(1, classical.Bit(0))
    return circuit.rx(classical.Cast("float", 64, i), 0)


def with_sub_circuits() -> Circuit:
    bell = Circuit(2, name="bell").h(0).cx(0, 1)
    inverse, _ = bell.to_gate().inverse(())
    return Circuit(2).append(bell, (), [1, 0]).append(inverse, (), [0, 1])


#: name -> (circuit, width, drawing)
DRAWINGS: dict[str, tuple[Circuit, int, str]] = {
    "bell": (
        Circuit(2).h(0).cx(0, 1),
        -1,
        """
    ┌───┐
q0: ┤ H ├──●──
    └───┘  │
q1: ───────⊕──
""",
    ),
    "empty": (
        Circuit(2, 1),
        -1,
        """
q0: ───

q1: ───

 c: ═══
""",
    ),
    "measure_all": (
        Circuit(2).measure_all(),
        -1,
        """
     ┌─┐
 q0: ┤M├─────
     └╥┘ ┌─┐
 q1: ─╫──┤M├─
      ║  └╥┘
c/2: ═▼═══▼══
      0   1
""",
    ),
    "controls": (
        Circuit(4).x(2, controls=[0, 3], control_values=[1, 0]).cz(0, 2).swap(0, 3).cswap(1, 0, 2),
        -1,
        """
q0: ─●───●───×───×──
     │   │   │   │
q1: ─┼───┼───┼───●──
     │   │   │   │
q2: ─⊕───●───┼───×──
     │       │
q3: ─○───────×──────
""",
    ),
    "controlled_box": (
        Circuit(3).cry(0.5, 0, 2).rzz(math.pi / 4, 1, 2, controls=[0]).rxx(1, 0, 2, controls=[1]),
        -1,
        """
                             ┌────────┐
q0: ─────●───────────●───────┤0       ├─
         │      ┌────┴─────┐ │ RXX(1) │
q1: ─────┼──────┤0         ├─┤●       ├─
    ┌────┴────┐ │ RZZ(π/4) │ │        │
q2: ┤ RY(0.5) ├─┤1         ├─┤1       ├─
    └─────────┘ └──────────┘ └────────┘
""",
    ),
    "numbers": (
        Circuit(1).rx(math.pi, 0).ry(-3 * math.pi / 4, 0).rz(0.123456, 0).p(1e-7, 0).p(0, 0),
        -1,
        """
    ┌───────┐ ┌───────────┐ ┌───────────┐ ┌──────────┐ ┌──────┐
q0: ┤ RX(π) ├─┤ RY(-3π/4) ├─┤ RZ(0.123) ├─┤ P(1e-07) ├─┤ P(0) ├─
    └───────┘ └───────────┘ └───────────┘ └──────────┘ └──────┘
""",
    ),
    "symbols": (
        Circuit(1).rx(theta / 2, 0).rz((np.pi - x[0]) * (np.pi - x[1]), 0).p(2.5 * theta + 0.123456, 0),
        -1,
        """
    ┌─────────────┐ ┌───────────────────────────┐ ┌──────────────────────┐
q0: ┤ RX(theta/2) ├─┤ RZ((π - x[0])*(π - x[1])) ├─┤ P(2.5*theta + 0.123) ├─
    └─────────────┘ └───────────────────────────┘ └──────────────────────┘
""",
    ),
    "ports": (
        Circuit(3).unitary(np.eye(4), [2, 0], name="W").pauli_rotation(0.5, "XY", [0, 1]),
        -1,
        """
    ┌───┐ ┌───────────────┐
q0: ┤1  ├─┤Y              ├─
    │ W │ │ PauliRot(0.5) │
q1: ┼───┼─┤X              ├─
    │   │ └───────────────┘
q2: ┤0  ├───────────────────
    └───┘
""",
    ),
    "daggers": (
        Circuit(1).sdg(0).sx(0).sxdg(0).append(get_gate("gpi_dg"), 1.0, 0),
        -1,
        """
    ┌────┐ ┌────┐ ┌─────┐ ┌────────┐
q0: ┤ S† ├─┤ √X ├─┤ √X† ├─┤ GPi(1) ├─
    └────┘ └────┘ └─────┘ └────────┘
""",
    ),
    "idle": (
        Circuit(2).reset(0).barrier().barrier(1).delay(20, 1, "ns").h(0),
        -1,
        """
         ░ ┌───┐
q0: |0>──░─┤ H ├──────────────────
         ░ └─░─┘ ┌──────────────┐
q1: ─────░───░───┤ Delay(20 ns) ├─
         ░   ░   └──────────────┘
""",
    ),
    "phase": (
        Circuit(2).gphase(math.pi / 3).h(0).append("gphase", 0.5, (), controls=[0, 1]),
        -1,
        """
           ┌───┐
   q0: ────┤ H ├────────────●────────
           └───┘            │
   q1: ─────────────────────●────────
       ┌────────────┐ ┌─────┴──────┐
phase: │ phase(π/3) │ │ phase(0.5) │
       └────────────┘ └────────────┘
""",
    ),
    "sub": (
        with_sub_circuits(),
        -1,
        """
    ┌──────┐ ┌───────┐
q0: ┤1     ├─┤0      ├─
    │ bell │ │ bell† │
q1: ┤0     ├─┤1      ├─
    └──────┘ └───────┘
""",
    ),
    "ifelse": (
        Circuit(2, 1).h(0).measure(0, 0).if_else((0, 1), Circuit(2, 1).x(1), Circuit(2, 1).h(0).z(1)),
        -1,
        """
              ╭ if c ╌╌ else ╌╮
    ┌───┐ ┌─┐ ╎       ╎ ┌───┐ ╎
q0: ┤ H ├─┤M├─╎───────╎─┤ H ├─╎─
    └───┘ └╥┘ ╎ ┌───┐ ╎ ├───┤ ╎
q1: ───────╫──╎─┤ X ├─╎─┤ Z ├─╎─
           ║  ╎ └───┘ ╎ └───┘ ╎
           ║  ╰╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╯
           ║
 c: ═══════▼════════════════════
""",
    ),
    "loops": (
        Circuit(2, 2)
        .for_loop(range(0, 6, 2), Circuit(2, 2).h(0).if_else((0, 0), Circuit(2, 2).break_loop()))
        .while_loop(([0, 1], 3), Circuit(2, 2).measure(1, 1)),
        -1,
        """
     ╭ for _ in [0:2:4] ╌╌╌╮
     ╎       ╭ if !c[0] ╌╮ ╎
     ╎ ┌───┐ ╎ ┌───────┐ ╎ ╎
 q0: ╎─┤ H ├─╎─┤ break ├─╎─╎───────────────────
     ╎ └───┘ ╎ └───────┘ ╎ ╎
     ╎       ╰╌╌╌╌╌╌╌╌╌╌╌╯ ╎
     ╰╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╯
                             ╭ while c == 3 ╌╮
                             ╎      ┌─┐      ╎
 q1: ────────────────────────╎──────┤M├──────╎─
                             ╎      └╥┘      ╎
c/2: ════════════════════════╎═══════▼═══════╎═
                             ╎       1       ╎
                             ╰╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╯
""",
    ),
    "switch": (
        Circuit(1, 2).switch([0, 1], {0: Circuit(1).x(0), (1, 2): Circuit(1).y(0)}, Circuit(1).z(0)),
        -1,
        """
     ╭ switch c case 0 ╌╌ case 1, 2 ╌╌ default ╌╮
     ╎      ┌───┐       ╎   ┌───┐    ╎  ┌───┐   ╎
 q0: ╎──────┤ X ├───────╎───┤ Y ├────╎──┤ Z ├───╎─
     ╎      └───┘       ╎   └───┘    ╎  └───┘   ╎
     ╰╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╯

c/2: ═════════════════════════════════════════════
""",
    ),
    "registers": (
        with_registers(),
        -1,
        """
                 ╭ if flag ╌╮
       ┌───┐     ╎  ┌───┐   ╎
 a[0]: ┤ H ├─────╎──┤ X ├───╎─
       └───┘     ╎  └───┘   ╎
                 ╰╌╌╌╌╌╌╌╌╌╌╯
        ┌─┐
 a[1]: ─┤M├───────────────────
        └╥┘  ┌─┐
  anc: ──╫───┤M├──────────────
         ║   └╥┘
low/2: ══▼════╬═══════════════
         1    ║
 flag: ═══════▼═══════════════
""",
    ),
    "variables": (
        with_variables(),
        -1,
        """
                      ┌──────────────────┐
  q0: ────────────────┤ RX(float[64](i)) ├─
      ┌─────────────┐ └──────────────────┘
 c/2: ╡ c[1] = c[0] ╞══════════════════════
      └┬───────────┬┘
vars: ═╡ i = i + 1 ╞═══════════════════════
       └───────────┘
""",
    ),
    "fold": (
        Circuit(2).h(0).cx(0, 1).ry(0.25, 0).ry(0.5, 1).cx(0, 1).h(0),
        30,
        """
    ┌───┐     ┌──────────┐
q0: ┤ H ├──●──┤ RY(0.25) ├─»
    └───┘  │  ├─────────┬┘
q1: ───────⊕──┤ RY(0.5) ├──»
              └─────────┘

        ┌───┐
q0:«─●──┤ H ├─
     │  └───┘
q1:«─⊕────────
""",
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_text_is_exactly_this(name):
    circuit, width, expected = DRAWINGS[name]
    assert str(draw_text(circuit, fold=width)) == expected[1:-1]


def test_highest_qubit_on_top():
    drawing = draw_text(Circuit(2, 1).h(0).cx(0, 1).measure(1, 0), fold=-1, reverse_bits=True)
    expected = """
              ┌─┐
q1: ───────⊕──┤M├─
    ┌───┐  │  └╥┘
q0: ┤ H ├──●───╫──
    └───┘      ║
 c: ═══════════▼══
"""
    assert drawing == expected[1:-1]


def test_drawing_shows_itself_in_the_console():
    drawing = Circuit(1).h(0).draw()
    assert repr(drawing) == str(drawing) == str(Circuit(1).h(0))
    assert isinstance(drawing, str)
