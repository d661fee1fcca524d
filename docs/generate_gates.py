"""Write docs/gates.md from the gate table: python docs/generate_gates.py

A test generates the page again and compares, so it cannot fall behind the table.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qsim.gates import Gate, GateSpec, unique_specs

PAGE = Path(__file__).parent / "gates.md"

#: Names elsewhere, where a gate of the same matrix exists (up to the order of index bits).
OPENQASM2 = {  # qelib1.inc as the OpenQASM 2 paper has it
    *(
        "u",
        "u2",
        "p",
        "cx",
        "id",
        "x",
        "y",
        "z",
        "h",
        "s",
        "sdg",
        "t",
        "tdg",
        "rx",
        "ry",
        "rz",
        "cz",
        "cy",
        "ch",
    ),
    *("ccx", "crz", "cp", "cu3", "u0"),
}
OPENQASM2_NAMES = {"u": "u3", "p": "u1", "cp": "cu1"}
OPENQASM3 = {  # stdgates.inc and the built-in gphase
    *("p", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "rx", "ry", "rz", "cx", "cy", "cz", "cp", "crx"),
    *("cry", "crz", "ch", "swap", "ccx", "cswap", "cu", "id", "gphase"),
}
QISKIT = {
    **{"id": "IGate", "x": "XGate", "y": "YGate", "z": "ZGate", "h": "HGate", "s": "SGate", "sdg": "SdgGate"},
    **{"t": "TGate", "tdg": "TdgGate", "sx": "SXGate", "sxdg": "SXdgGate", "rx": "RXGate", "ry": "RYGate"},
    **{
        "rz": "RZGate",
        "p": "PhaseGate",
        "gphase": "GlobalPhaseGate",
        "u": "UGate",
        "u2": "U2Gate",
        "r": "RGate",
    },
    **{"cx": "CXGate", "cy": "CYGate", "cz": "CZGate", "ch": "CHGate", "cs": "CSGate", "csdg": "CSdgGate"},
    **{
        "csx": "CSXGate",
        "crx": "CRXGate",
        "cry": "CRYGate",
        "crz": "CRZGate",
        "cp": "CPhaseGate",
        "cu": "CUGate",
    },
    **{"cu3": "CU3Gate", "swap": "SwapGate", "iswap": "iSwapGate", "ecr": "ECRGate", "dcx": "DCXGate"},
    **{"rxx": "RXXGate", "ryy": "RYYGate", "rzz": "RZZGate", "rzx": "RZXGate", "xx_plus_yy": "XXPlusYYGate"},
    **{
        "xx_minus_yy": "XXMinusYYGate",
        "ccx": "CCXGate",
        "ccz": "CCZGate",
        "cswap": "CSwapGate",
        "c3x": "C3XGate",
    },
    **{"c4x": "C4XGate", "c3sx": "C3SXGate", "rccx": "RCCXGate", "rcccx": "RC3XGate"},
}
PENNYLANE = {
    **{"id": "Identity", "x": "PauliX", "y": "PauliY", "z": "PauliZ", "h": "Hadamard", "s": "S", "t": "T"},
    **{"sx": "SX", "rx": "RX", "ry": "RY", "rz": "RZ", "p": "PhaseShift", "gphase": "GlobalPhase(-phi)"},
    **{"u": "U3", "u2": "U2", "rot": "Rot", "cx": "CNOT", "cy": "CY", "cz": "CZ", "ch": "CH", "crx": "CRX"},
    **{"cry": "CRY", "crz": "CRZ", "crot": "CRot", "cp": "ControlledPhaseShift", "cphase00": "CPhaseShift00"},
    **{"cphase01": "CPhaseShift01", "cphase10": "CPhaseShift10", "swap": "SWAP", "iswap": "ISWAP"},
    **{"siswap": "SISWAP", "ecr": "ECR", "rxx": "IsingXX", "ryy": "IsingYY", "rzz": "IsingZZ"},
    **{"ising_xy": "IsingXY", "pswap": "PSWAP", "fermionic_swap": "FermionicSWAP"},
    **{"single_excitation": "SingleExcitation", "single_excitation_plus": "SingleExcitationPlus"},
    **{"single_excitation_minus": "SingleExcitationMinus", "double_excitation": "DoubleExcitation"},
    **{"double_excitation_plus": "DoubleExcitationPlus", "double_excitation_minus": "DoubleExcitationMinus"},
    **{"orbital_rotation": "OrbitalRotation", "ccx": "Toffoli", "ccz": "CCZ", "cswap": "CSWAP"},
    **{"qubit_carry": "QubitCarry", "qubit_sum": "QubitSum"},
}

INTRODUCTION = """# Gates

<!-- Written by docs/generate_gates.py from the gate table; do not edit. -->

Every gate of the table is a method of `Circuit` under its name and its aliases: parameters first, then qubits
(controls, then targets), as in `circuit.crx(theta, control, target)`. Each takes `controls=` and
`control_values=` for further controls. The first qubit is the least significant bit of a matrix's index
([conventions](conventions.md)). Matrices stand without their built-in controls: `cx` is X behind one control.
Where a gate is made of others, they are listed in the order they act, on the gate's qubits a, b, c, ...

Methods that carry data (`unitary`, `diagonal`, `permutation`, `pauli_rotation`, ...) are in the
[guide](guide.md#gates-that-carry-data). An inverse written `name_dg` has no record of its own and is found by
that name. Names elsewhere stand where a gate of the same matrix exists; OpenQASM 2 means qelib1.inc as in its
paper, OpenQASM 3 means stdgates.inc. What has no name there is written out as a gate definition.
"""


def gate_page() -> str:
    """The text of docs/gates.md."""
    columns = ["gate", "also called", "qubits (controls)", "parameters", "inverse"]
    columns += ["OpenQASM 2", "OpenQASM 3", "Qiskit", "PennyLane"]
    overview = ["## Overview", "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    definitions = ["## Definitions", ""]
    for spec in unique_specs():
        overview.append("| " + " | ".join(_row(spec)) + " |")
        definitions += _definition(spec)
    return "\n".join([INTRODUCTION, *overview, "", *definitions]).rstrip() + "\n"


def _row(spec: GateSpec) -> list[str]:
    controls = f" ({spec.num_controls})" if spec.num_controls else ""
    return [
        f"`{spec.name}`",
        ", ".join(f"`{alias}`" for alias in spec.aliases),
        f"{spec.num_qubits}{controls}",
        ", ".join(spec.param_names),
        _inverse(spec),
        f"`{OPENQASM2_NAMES.get(spec.name, spec.name)}`" if spec.name in OPENQASM2 else "",
        f"`{spec.name}`" if spec.name in OPENQASM3 else "",
        f"`{QISKIT[spec.name]}`" if spec.name in QISKIT else "",
        f"`{PENNYLANE[spec.name]}`" if spec.name in PENNYLANE else "",
    ]


def _inverse(spec: GateSpec) -> str:
    from qsim.parameters import Parameter

    names = [Parameter(name) for name in spec.param_names]
    gate, params = spec.inverse(names)
    arguments = ", ".join(_number_text(p) for p in params)
    return f"`{gate.name}{f'({arguments})' if params else ''}`"


def _number_text(value: object) -> str:
    text = str(value)
    return text.replace(str(np.pi / 2), "pi/2").replace(str(np.pi), "pi")


def _definition(spec: GateSpec) -> list[str]:
    title = f"### {spec.name}" + (f"({', '.join(spec.param_names)})" if spec.param_names else "")
    behind = (
        f"Behind {spec.num_controls} control{'s' * (spec.num_controls > 1)}:" if spec.num_controls else ""
    )
    if spec.const is None:
        return [title, "", _parts_text(spec), ""]
    return [title, "", *([behind, ""] if behind else []), "```text", *_matrix_rows(spec), "```", ""]


def _parts_text(spec: GateSpec) -> str:
    from qsim.parameters import Parameter

    parts = spec.decompose([Parameter(name) for name in spec.param_names])
    if not parts:
        return "The identity; its parameter means nothing."
    return "Made of " + ", ".join(f"`{_call(part.gate, part.params, part.qubits)}`" for part in parts) + "."


def _call(gate: Gate, params: tuple[object, ...], qubits: tuple[int, ...]) -> str:
    arguments = f"({', '.join(_fraction_text(p) for p in params)})" if params else ""
    return f"{gate.name}{arguments} {', '.join('abcdefgh'[q] for q in qubits)}"


def _fraction_text(value: object) -> str:
    if isinstance(value, float):
        for divisor in (1, 2, 3, 4, 6, 8):
            if abs(value * divisor - np.pi) < 1e-12:
                return "pi" if divisor == 1 else f"pi/{divisor}"
    return _number_text(value)


def _matrix_rows(spec: GateSpec) -> list[str]:
    """The matrix on the targets; beyond two targets only what differs from the identity."""
    assert spec.const is not None
    size = len(spec.const)
    if size > 4:
        return _sparse_rows(spec)
    cells = [[_entry_text(spec, row, column) for column in range(size)] for row in range(size)]
    widths = [max(len(cells[row][column]) for row in range(size)) for column in range(size)]
    return [
        "[ " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + " ]"
        for row in cells
    ]


def _sparse_rows(spec: GateSpec) -> list[str]:
    assert spec.const is not None
    bits = len(spec.const).bit_length() - 1
    rows = []
    for row in range(len(spec.const)):
        for column in range(len(spec.const)):
            text = _entry_text(spec, row, column)
            if text not in ("0",) and not (text == "1" and row == column):
                rows.append(f"<{row:0{bits}b}| |{column:0{bits}b}> = {text}")
    return [*rows, "all else as the identity"]


def _entry_text(spec: GateSpec, row: int, column: int) -> str:
    """One entry as a formula, e.g. ``-i sin(theta/2)``."""
    assert spec.const is not None
    pieces = [(spec.const[row, column], "")]
    for term in spec.terms:
        name = spec.param_names[0]
        argument = name if term.omega == 1 else f"{name}/{round(1 / term.omega)}"
        cos, sin = term.cos[row, column], term.sin[row, column]
        if cos != 0 and np.isclose(sin / cos, 1j):
            pieces.append((cos, f"exp(i {argument})"))
        elif cos != 0 and np.isclose(sin / cos, -1j):
            pieces.append((cos, f"exp(-i {argument})"))
        else:
            pieces += [(cos, f"cos({argument})"), (sin, f"sin({argument})")]
    shown = [_product_text(value, factor) for value, factor in pieces if abs(value) > 1e-15]
    if not shown:
        return "0"
    return " + ".join(shown).replace("+ -", "- ")


_CONSTANTS = {
    **{
        "1": 1.0,
        "i": 1j,
        "sqrt(1/2)": np.sqrt(0.5),
        "i sqrt(1/2)": 1j * np.sqrt(0.5),
        "1/2": 0.5,
        "i/2": 0.5j,
    },
    **{"(1+i)/2": (1 + 1j) / 2, "(1-i)/2": (1 - 1j) / 2, "exp(i pi/4)": np.exp(0.25j * np.pi)},
    **{"exp(-i pi/4)": np.exp(-0.25j * np.pi)},
}


def _product_text(value: complex, factor: str) -> str:
    for sign in (1, -1):
        for text, constant in _CONSTANTS.items():
            if np.isclose(value, sign * constant):
                prefix = "-" if sign < 0 else ""
                if not factor:
                    return prefix + text
                return prefix + (factor if text == "1" else f"{text} {factor}")
    raise ValueError(f"The entry {value} has no short text; add it to _CONSTANTS.")


if __name__ == "__main__":
    PAGE.write_text(gate_page(), encoding="utf-8")
    print(f"wrote {PAGE}")
