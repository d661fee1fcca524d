"""What the standard include files of OpenQASM define, as names of gates in qsim's table."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["INCLUDES", "QELIB1", "STDGATES", "gate_hint"]


def _same(names: str) -> dict[str, str]:
    return {name: name for name in names.split()}


#: qelib1.inc as Qiskit ships it, with the gates Qiskit's own exporter takes for granted
QELIB1: dict[str, str] = {
    **_same("u0 u u2 p id x y z h s sdg t tdg rx ry rz sx sxdg cx cz cy swap ch ccx cswap crx cry crz cp"),
    **_same("csx cu cu3 rxx rzz rccx c3x c4x"),
    "u1": "p",
    "u3": "u",
    "cu1": "cp",
    "rc3x": "rcccx",
    "c3sqrtx": "c3sx",
}

#: stdgates.inc of OpenQASM 3
STDGATES: dict[str, str] = {
    **_same("p x y z h s sdg t tdg sx rx ry rz cx cy cz cp crx cry crz ch swap ccx cswap cu id u2"),
    "u1": "p",
    "u3": "u",
    "CX": "cx",
    "phase": "p",
    "cphase": "cp",
}

INCLUDES: dict[str, dict[str, str]] = {"qelib1.inc": QELIB1, "stdgates.inc": STDGATES}


def gate_hint(name: str, defined: Iterable[str]) -> str:
    """What a gate that is not defined may have been meant to be, among those that are."""
    from qsim.foreign_names import table_name

    known = list(defined)
    wanted = table_name(name)
    if wanted is not None:
        for library in (STDGATES, QELIB1):
            same = next((own for own, gate in library.items() if gate == wanted and own in known), None)
            if same is not None:
                return f" (did you mean `{same}`?)"
        return ""
    near = difflib.get_close_matches(name, known, n=2)
    return f" (did you mean {' or '.join(f'`{n}`' for n in near)}?)" if near else ""
