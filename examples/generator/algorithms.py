"""Transforms, arithmetic, search and hidden strings: circuits whose answers are closed forms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from generator.source import Source, bits


# -- states and transforms -------------------------------------------------------------------------
def ghz(n: int) -> Source:
    out = Source(
        f"ghz_{n}",
        f"GHZ state of {n} qubits: all zero or all one, each half of the time.",
        "D. M. Greenberger, M. A. Horne, A. Zeilinger (1989), arXiv:0712.0921.",
    )
    out.outcome("0" * n, 0.5)
    out.outcome("1" * n, 0.5)
    out.observable({f"Z0 Z{n - 1}": 1.0}, 1.0)
    out.qreg("q", n)
    out.creg("c", n)
    out.gate("h", 0)
    for q in range(n - 1):
        out.gate("cx", q, q + 1)
    out.text("measure q -> c;")
    return out


def append_qft(out: Source, qubits: Sequence[int], sign: int = 1) -> None:
    """|x> -> sum_k exp(sign 2 pi i x k / N) |k> / sqrt(N), swaps included."""
    n = len(qubits)
    for high in reversed(range(n)):
        out.gate("h", qubits[high])
        for low in reversed(range(high)):
            out.gate("cu1", qubits[low], qubits[high], params=(sign * math.pi / (1 << (high - low)),))
    for k in range(n // 2):
        out.gate("swap", qubits[k], qubits[n - 1 - k])


def qft(n: int, period_bits: int, offset: int) -> Source:
    out = Source(
        f"qft_{n}",
        f"""Quantum Fourier transform of {n} qubits, applied to a comb.
The input is the equal superposition of all x = {offset} mod {1 << period_bits}.
Its transform has equal peaks at the multiples of {1 << (n - period_bits)},
whatever the offset: this is how Shor's algorithm reads a period.""",
        "D. Coppersmith (1994), arXiv:quant-ph/0201067.",
    )
    for k in range(1 << period_bits):
        out.outcome(bits(k << (n - period_bits), n), 1 / (1 << period_bits))
    low = range(n - period_bits)
    out.observable({f"Z{q}": 1.0 for q in low}, float(len(low)))
    qubits = out.qreg("q", n)
    out.creg("c", n)
    for q in range(period_bits):
        if offset >> q & 1:
            out.gate("x", q)
    for q in range(period_bits, n):
        out.gate("h", q)
    append_qft(out, qubits)
    out.text("measure q -> c;")
    return out


def phase_estimation(n: int, phase: Fraction, name: str) -> Source:
    exact = (phase * (1 << n)).denominator == 1
    reading = (
        f"The phase has {n} binary digits, so it is read with certainty."
        if exact
        else "The phase has no finite binary expansion; with d the distance of k from 2^n * phase, P(k) = "
        " sin(pi d)^2 / (2^n sin(pi d / 2^n))^2. The outcomes listed are the likeliest."
    )
    out = Source(
        name,
        f"""Phase estimation with {n} counting qubits of the phase gate with eigenvalue exp(2 pi i {phase}).
{reading}""",
        "A. Y. Kitaev (1995), arXiv:quant-ph/9511026; R. Cleve et al. (1998), arXiv:quant-ph/9708016.",
    )
    size = 1 << n

    def probability(k: int) -> float:
        distance = float(phase * size - k)
        if distance == 0:
            return 1.0
        return (math.sin(math.pi * distance) / (size * math.sin(math.pi * distance / size))) ** 2

    ranked = sorted(range(size), key=lambda k: -probability(k))
    for k in ranked[: 1 if exact else 6]:
        out.outcome(bits(k, n), probability(k))
    counting = out.qreg("k", n)
    [target] = out.qreg("target", 1)
    out.creg("c", n)
    mean = sum(probability(k) * (1 - 2 * (k >> (n - 1) & 1)) for k in range(size))
    out.observable({f"Z{n - 1}": 1.0}, mean)
    out.gate("x", target)
    for q in counting:
        out.gate("h", q)
    for q in counting:
        turns = phase * (1 << q) % 1
        if turns:
            out.gate("cu1", q, target, params=(2 * math.pi * float(turns),))
    # the inverse transform, without swaps on the circuit: the counting qubits are named in reverse
    for k in range(n // 2):
        out.gate("swap", counting[k], counting[n - 1 - k])
    for high in range(n):
        for low in range(high):
            out.gate("cu1", counting[low], counting[high], params=(-math.pi / (1 << (high - low)),))
        out.gate("h", counting[high])
    out.text("measure k -> c;")
    return out


# -- arithmetic, search, hidden strings ------------------------------------------------------------
def adder(n: int, a: int, b: int) -> Source:
    other = a ^ (1 << (n - 1))
    out = Source(
        f"adder_cuccaro_{n}",
        f"""Ripple-carry adder of two {n}-bit numbers: b becomes a + b, with the carry in its own bit.
a is put into the superposition of {a} and {other}, b is {b}; a and the sum are measured, so the outcomes
are "a sum" = "{bits(a, n)} {bits(a + b, n + 1)}" ({a} + {b} = {a + b})
and "{bits(other, n)} {bits(other + b, n + 1)}".""",
        "S. A. Cuccaro et al. (2004), arXiv:quant-ph/0410184.",
    )
    out.outcome(bits(a, n) + bits(a + b, n + 1), 0.5)
    out.outcome(bits(other, n) + bits(other + b, n + 1), 0.5)
    carries = [(number + b) >> n & 1 for number in (a, other)]
    out.observable({f"Z{2 * n + 1}": 1.0}, float(1 - sum(carries)))
    out.text("gate majority a, b, c { cx c, b; cx c, a; ccx a, b, c; }")
    out.text("gate unmajority a, b, c { ccx a, b, c; cx c, a; cx a, b; }")
    [carry_in] = out.qreg("carry_in", 1)
    qa, qb = out.qreg("a", n), out.qreg("b", n)
    [carry] = out.qreg("carry", 1)
    out.creg("sum", n + 1)
    out.creg("a_out", n)
    for q in range(n):
        if (a >> q & 1) and q != n - 1:
            out.gate("x", qa[q])
        if b >> q & 1:
            out.gate("x", qb[q])
    out.gate("h", qa[n - 1])
    chain = [carry_in, *qa]
    for q in range(n):
        out.gate("majority", chain[q], qb[q], qa[q])
    out.gate("cx", qa[n - 1], carry)
    for q in reversed(range(n)):
        out.gate("unmajority", chain[q], qb[q], qa[q])
    out.text(*(f"measure b[{q}] -> sum[{q}];" for q in range(n)), f"measure carry[0] -> sum[{n}];")
    out.text("measure a -> a_out;")
    return out


def grover(n: int, marked: int) -> Source:
    """With a chain of Toffoli gates on n - 2 extra qubits, as OpenQASM 2 has no multi-controlled gates."""
    theta = math.asin(2 ** (-n / 2))
    rounds = math.floor(math.pi / 4 / theta)
    success = math.sin((2 * rounds + 1) * theta) ** 2
    out = Source(
        f"grover_{n}",
        f"""Grover's search for {bits(marked, n)} among {1 << n} strings, {rounds} rounds.
The success probability is sin((2k + 1) theta)^2 with sin(theta) = 2^(-n/2): {success:.6f}.""",
        "L. K. Grover (1996), arXiv:quant-ph/9605043; M. Boyer et al. (1998), arXiv:quant-ph/9605034.",
    )
    rest = (1 - success) / ((1 << n) - 1)
    out.outcome(bits(marked, n), success)
    out.observable({"Z0": 1.0}, (1 - 2 * (marked & 1)) * (success - rest))
    q = out.qreg("q", n)
    spare = out.qreg("spare", n - 2)
    out.creg("c", n)

    def flip_phase_of_ones() -> None:
        """-1 on |1...1>: the spare qubits collect the AND of all but the last, in a chain undone after."""
        chain = [(q[0], q[1], spare[0]), *((q[k + 2], spare[k], spare[k + 1]) for k in range(n - 3))]
        for triple in chain:
            out.gate("ccx", *triple)
        out.gate("cz", spare[-1], q[n - 1])
        for triple in reversed(chain):
            out.gate("ccx", *triple)

    def flip_all(where: int) -> None:
        for k in range(n):
            if where >> k & 1:
                out.gate("x", q[k])

    for k in q:
        out.gate("h", k)
    everything = (1 << n) - 1
    for _ in range(rounds):
        flip_all(~marked & everything)
        flip_phase_of_ones()
        flip_all(~marked & everything)
        for k in q:
            out.gate("h", k)
        flip_all(everything)
        flip_phase_of_ones()
        flip_all(everything)
        for k in q:
            out.gate("h", k)
    out.text("measure q -> c;")
    return out


def bernstein_vazirani(n: int, secret: int) -> Source:
    out = Source(
        f"bernstein_vazirani_{n}",
        f"""Bernstein-Vazirani: one query of f(x) = s.x mod 2 tells all {n} bits of s.
s = {bits(secret, n)} comes out with certainty.""",
        "E. Bernstein, U. Vazirani, SIAM J. Comput. 26 (1997) 1411.",
    )
    out.outcome(bits(secret, n), 1.0)
    terms = {f"Z{k}": 1.0 for k in range(n)}
    out.observable(terms, float(n - 2 * secret.bit_count()))
    q = out.qreg("q", n)
    [answer] = out.qreg("answer", 1)
    out.creg("c", n)
    out.gate("x", answer)
    for k in [*q, answer]:
        out.gate("h", k)
    for k in range(n):
        if secret >> k & 1:
            out.gate("cx", q[k], answer)
    for k in q:
        out.gate("h", k)
    out.text("measure q -> c;")
    return out


def hidden_shift(n: int, shift: int) -> Source:
    out = Source(
        f"hidden_shift_{n}",
        f"""Hidden shift of a bent function: f(x, y) = x.y on 2 x {n // 2} bits, which is its own dual.
One query of f(z + s) and one of f give s = {bits(shift, n)} with certainty.""",
        "M. Roetteler (2010), arXiv:0811.3208.",
    )
    out.outcome(bits(shift, n), 1.0)
    out.observable({f"Z{k}": 1.0 for k in range(n)}, float(n - 2 * shift.bit_count()))
    q = out.qreg("q", n)
    out.creg("c", n)

    def all_hadamards() -> None:
        for k in q:
            out.gate("h", k)

    def function() -> None:
        for k in range(n // 2):
            out.gate("cz", q[k], q[k + n // 2])

    def move() -> None:
        for k in range(n):
            if shift >> k & 1:
                out.gate("x", q[k])

    all_hadamards()
    move()
    function()
    move()
    all_hadamards()
    function()
    all_hadamards()
    out.text("measure q -> c;")
    return out
