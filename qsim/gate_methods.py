"""One method of `Circuit` for each record of the gate table, made from the table at import.

``gate_methods.pyi`` tells type checkers and editors the same; `stub_text` generates it, and a test
compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qsim.gates import GATES, GateSpec, unique_specs
from qsim.operations import GateOperation
from qsim.parameters import MAX_ANGLE

__all__ = ["GateMethods", "stub_text"]


class GateMethods:
    """Base of `Circuit`; holds the methods made from the gate table."""

    __slots__ = ()


def qubit_names(spec: GateSpec) -> list[str]:
    """Argument names for the gate's qubits: controls, then targets."""
    controls, targets = spec.num_controls, spec.num_qubits - spec.num_controls
    names = ["control"] if controls == 1 else [f"control{i}" for i in range(1, controls + 1)]
    if targets == 1:
        return [*names, "target" if controls else "qubit"]
    return names + [f"{'target' if controls else 'qubit'}{i}" for i in range(1, targets + 1)]


def _describe(spec: GateSpec) -> str:
    params = f"({', '.join(spec.param_names)})" if spec.param_names else ""
    also = f" Also called {', '.join(f'`{a}`' for a in spec.aliases)}." if spec.aliases else ""
    return f"Append gate `{spec.name}{params}`.{also} `controls` and `control_values` add further controls."


def _make_method(name: str, spec: GateSpec) -> Callable[..., Any]:
    params, qubits = list(spec.param_names), qubit_names(spec)
    arguments = "".join(f", {a}" for a in (*params, *qubits))
    param_tuple, qubit_tuple = (f"({''.join(a + ', ' for a in names)})" for names in (params, qubits))
    # Building costs at most 2 microseconds a gate: the common case (ints in range, finite floats, no
    # further controls) is checked in line, and everything else goes through Circuit._gate.
    common = [f"type({q}) is int and 0 <= {q} < n" for q in qubits]
    common += [f"{a} != {b}" for i, a in enumerate(qubits) for b in qubits[:i]]
    common += [f"type({p}) is float and {-MAX_ANGLE!r} <= {p} <= {MAX_ANGLE!r}" for p in params]
    common += ["control_values is None", "type(controls) is tuple", "not controls"]
    source = (
        f"def {name}(self{arguments}, *, controls=(), control_values=None):\n"
        f"    n = self.num_qubits\n"
        f"    if {' and '.join(common)}:\n"
        f"        self._operations.append(GateOperation(spec, {param_tuple}, {qubit_tuple}))\n"
        f"        if self._cache:\n"
        f"            self._cache = {{}}\n"
        f"        return self\n"
        f"    return self._gate(spec, {param_tuple}, {qubit_tuple}, controls, control_values)\n"
    )
    namespace: dict[str, Any] = {"spec": spec, "GateOperation": GateOperation}
    exec(source, namespace)
    method: Callable[..., Any] = namespace[name]
    method.__doc__ = _describe(spec)
    method.__module__ = __name__
    method.__qualname__ = f"Circuit.{name}"
    return method


def stub_text() -> str:
    """The text of ``gate_methods.pyi``."""
    lines = [
        "# Generated from the gate table by qsim.gate_methods.stub_text(); do not edit.",
        "from collections.abc import Callable",
        "from typing import Any, Self",
        "",
        "from qsim.gates import GateSpec",
        "",
        "class GateMethods:",
        "    __slots__ = ()",
    ]
    for spec in unique_specs():
        arguments = "".join(f", {a}: Any" for a in (*spec.param_names, *qubit_names(spec)))
        for name in (spec.name, *spec.aliases):
            lines.append(
                f"    def {name}(self{arguments}, *, controls: Any = (), control_values: Any = None) -> "
                "Self: ..."
            )
    lines += ["", "def qubit_names(spec: GateSpec) -> list[str]: ...", "def stub_text() -> str: ...", ""]
    return "\n".join(lines)


for _name, _spec in GATES.items():
    setattr(GateMethods, _name, _make_method(_name, _spec))
