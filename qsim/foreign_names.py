"""What other frameworks call a gate or a method, for the hint behind an unknown name.

Loaded only when a name is not found. A name that differs from one of the gate table in case and underscores
alone (``IsingXX``, ``SWAP``) needs no entry here.
"""

from __future__ import annotations

import difflib

from qsim.gate_spec import GATES

__all__ = ["hint", "table_name"]

#: name elsewhere, without case, underscores and the word "gate" -> name in the table
_GATES = {
    **{"identity": "id", "paulix": "x", "pauliy": "y", "pauliz": "z", "not": "x", "hadamard": "h"},
    **{"sqrtx": "sx", "sqrtxdg": "sxdg", "vi": "sxdg", "sqrty": "sy", "sqrtydg": "sydg"},
    **{"si": "sdg", "ti": "tdg", "sinv": "sdg", "tinv": "tdg"},
    **{"phasegate": "p", "ccnot": "ccx", "cccx": "c3x", "cccnot": "c3x", "controlledphase": "cp"},
    **{"xx": "rxx", "yy": "ryy", "zz": "rzz", "xxphase": "rxx", "yyphase": "ryy", "zzphase": "rzz"},
    **{"xy": "ising_xy", "riswap": "siswap", "isswap": "iswap", "givensrotation": "givens"},
    **{"molmersorensen": "ms", "sycamore": "syc", "controlledswap": "cswap"},
}

#: name elsewhere, likewise -> what to write here
_METHODS = {
    **dict.fromkeys(
        ("qubitunitary", "unitary", "matrix", "densematrix", "singlequbitunitary"),
        "unitary(matrix, qubits)",
    ),
    "controlledqubitunitary": "unitary(matrix, qubits, controls=controls)",
    **dict.fromkeys(("diagonalqubitunitary", "diagonal", "diagonalmatrix"), "diagonal(entries, qubits)"),
    **dict.fromkeys(
        ("mcx", "mct", "mcnot", "multicontrolledx", "mctoffoli", "multicontrolx"), "mcx(controls, target)"
    ),
    **dict.fromkeys(("mcp", "mcphase", "mcu1"), "mcp(lam, controls, target)"),
    **dict.fromkeys(("mcz", "multicontrolledz"), "z(target, controls=controls)"),
    **{f"mcr{axis}": f"mcr{axis}(theta, controls, target)" for axis in "xyz"},
    "multirz": "multi_rz(theta, qubits)",
    **dict.fromkeys(("paulirot", "paulirotation"), "pauli_rotation(theta, label, qubits)"),
    "pauli": "pauli(label, qubits)",
    **dict.fromkeys(
        ("paulievolution", "approxtimeevolution", "trotterproduct", "commutingevolution"),
        "exp_pauli_sum(pauli_sum, time)",
    ),
    **dict.fromkeys(("hamiltonian", "hermitianevolution"), "generator(matrix, time, qubits)"),
    **dict.fromkeys(
        (
            *("stateprep", "statepreparation", "amplitudeembedding", "qubitstatevector", "setstate"),
            "mottonenstatepreparation",
        ),
        "prepare(amplitudes, qubits)",
    ),
    **dict.fromkeys(("basisstate", "basisembedding"), "x(qubits that are 1)"),
    "angleembedding": "rx(theta, qubit)",
    "specialunitary": "special_unitary(thetas, qubits)",
    "integercomparator": "integer_comparator(value, qubits, target)",
    "permutation": "permutation(permutation, qubits)",
    "wait": "delay(duration, qubits)",
    # not gates, but looked for on a circuit
    **dict.fromkeys(("assignparameters", "bindparameters", "resolveparameters"), "bind(values)"),
    **dict.fromkeys(("iftest", "cif"), "if_else(condition, body)"),
    **dict.fromkeys(("toinstruction", "makegate"), "to_gate(name)"),
    **dict.fromkeys(("qasm", "qasm3", "toopenqasm"), "to_qasm()"),
    **dict.fromkeys(("fromqasmstr", "fromqasmfile"), "from_qasm(text)"),
    **dict.fromkeys(("measureactive", "measureallqubits"), "measure_all()"),
    **dict.fromkeys(("adjoint", "dagger"), "inverse()"),
    "addregister": "declare(name) for a variable; the numbers of qubits and bits are given to Circuit()",
    **dict.fromkeys(("data", "gates", "instructions", "alloperations"), "operations"),
    **dict.fromkeys(("qubits", "numwires", "nqubits", "width"), "num_qubits"),
    "clbits": "num_clbits",
}


def _plain(name: str) -> str:
    """A name without what frameworks write in different ways."""
    plain = name.lower().replace("_", "").replace("-", "").replace(" ", "")
    if plain.startswith("add") and plain.endswith("gate"):  # add_X_gate
        plain = plain[3:]
    plain = plain.removesuffix("gate") or plain
    for ending in ("dagger", "dag", "adjoint"):
        if plain.endswith(ending) and len(plain) > len(ending):
            return plain.removesuffix(ending) + "dg"
    return plain


def table_name(name: str) -> str | None:
    """The table's name of a gate that is known under another name elsewhere, or None."""
    plain = _plain(name)
    found = _GATES.get(plain)
    if found is None:
        found = next((known for known in GATES if known.replace("_", "").lower() == plain), None)
    return None if found is None else GATES[found].name


def hint(name: str) -> str:
    """A sentence, or nothing, about what an unknown name may have been meant to be."""
    known = table_name(name)
    if known is not None:
        return f"Did you mean `{known}`?"
    method = _METHODS.get(_plain(name))
    if method is not None:
        return f"Did you mean `circuit.{method}`?"
    near = difflib.get_close_matches(name.lower(), GATES, n=3)
    return f"Did you mean {' or '.join(f'`{n}`' for n in near)}?" if near else ""
