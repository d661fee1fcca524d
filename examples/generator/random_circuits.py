"""Random circuits on a grid, as in demonstrations of quantum computational advantage."""

from __future__ import annotations

import random

from generator import oracle
from generator.source import Source

#: Couplers of the four patterns, as (horizontal or vertical, parity); cycles go through A B C D C D A B.
PATTERNS = {"A": (True, 0), "B": (True, 1), "C": (False, 0), "D": (False, 1)}
SEQUENCE = "ABCDCDAB"
#: Up to here the oracle simulates all qubits; beyond, light cones of at most so many.
FULL_ORACLE, SMALL_CONE = 20, 14


def random_circuit(n: int, columns: int, cycles: int, seed: int, cross_entropy: bool) -> Source:
    """Cycles of random sqrt(X), sqrt(Y), sqrt(W), none twice in a row on a qubit, and of CZ couplers."""
    generator = random.Random(seed)
    out = Source("", "", "")
    out.qreg("q", n)
    last = [""] * n
    for cycle in range(cycles + 1):
        for q in range(n):
            last[q] = generator.choice([name for name in ("sqrt_x", "sqrt_y", "sqrt_w") if name != last[q]])
            out.gate(last[q], q)
        if cycle == cycles:
            break
        horizontal, parity = PATTERNS[SEQUENCE[cycle % len(SEQUENCE)]]
        for q in range(n):
            row, column = divmod(q, columns)
            if horizontal and column + 1 < columns and q + 1 < n and (row + column) % 2 == parity:
                out.gate("cz", q, q + 1)
            if not horizontal and q + columns < n and (row + column) % 2 == parity:
                out.gate("cz", q, q + columns)
    if n <= FULL_ORACLE:
        state = oracle.run(n, out.gates)
        chosen = {f"Z{q}": 1.0 for q in range(n)}
        value = oracle.expectation(state, chosen)
        how = "the sum of all <Z>, by an independent simulation"
    else:
        cones = {q: {p for call in oracle.light_cone(out.gates, q) for p in call[2]} for q in range(n)}
        small = [q for q in range(n) if len(cones[q]) <= SMALL_CONE]
        chosen = {f"Z{q}": 1.0 for q in small}
        value = sum(oracle.expectation_z(out.gates, q) for q in small)
        how = f"the sum of <Z> of the qubits with light cones of at most {SMALL_CONE}, simulated alone"
    statistics = (
        "The outcomes follow the Porter-Thomas distribution: the mean of 2^n P over samples is 2, so "
        "the linear cross-entropy (that mean minus 1) is 1, up to the scatter of samples and circuit."
        if cross_entropy
        else "The circuit is shallow, so <Z> of qubits near the border is known from their light cones."
    )
    named = Source(
        f"random_{n}",
        f"""Random circuit of {n} qubits on a grid of {columns} columns, {cycles} cycles.
Each cycle has a random sqrt(X), sqrt(Y) or sqrt(W) on every qubit and one of four patterns of CZ couplers.
{statistics}
The value is {how}.""",
        "F. Arute et al. (2019), arXiv:1910.11333; S. Boixo et al. (2016), arXiv:1608.00263.",
    )
    named.observable(chosen, value)
    if cross_entropy:
        named.header.append("// cross entropy: 1")
    named.text(
        "gate sqrt_x q { rx(pi/2) q; }",
        "gate sqrt_y q { ry(pi/2) q; }",
        "gate sqrt_w q { rz(-pi/4) q; rx(pi/2) q; rz(pi/4) q; }",
    )
    named.lines += out.lines
    return named
