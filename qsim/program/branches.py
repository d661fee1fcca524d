"""Execution of flow code by branching: a measurement splits a branch, it is never drawn shot by shot.

One mechanism serves exact distributions, where a branch weighs its probability, and sampling, where
it weighs a number of shots that each measurement splits binomially. The live states are those on one
path of the tree, so memory grows with the number of open measurements, not of outcomes; only at the
head of a loop do exact branches wait for each other, and those that have become equal join.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.backends.base import Backend
from qsim.errors import CircuitError, ParameterError, StateError
from qsim.memory import check_free_memory
from qsim.operations import GateOperation
from qsim.parameters import MAX_ANGLE, magnitude_text
from qsim.program.flow import (
    AssignStep,
    ChannelStep,
    FlowCode,
    GateStep,
    JumpStep,
    LoopNextStep,
    LoopStartStep,
    MeasureStep,
    ResetStep,
    TapeStep,
)
from qsim.program.lower import TapeBuilder
from qsim.program.slots import SlotAllocator

__all__ = ["Branch", "exact_split", "normalize_states", "run_branches", "shot_split"]

#: Weight below which an exact branch is dropped; a loop that ends only with probability 1 needs it.
NEGLIGIBLE = 1e-15
#: A branch that takes this many steps is taken to be a loop that never ends.
MAX_STEPS = 1_000_000

#: Kraus operators are constants, so their tapes have no slots.
_NO_ANGLES = np.zeros((1, 0))

#: (probability of the first outcome among several, weight) -> weight of each outcome
Split = Callable[[npt.NDArray[np.float64], float], npt.NDArray[Any]]


class Branch:
    """One path of the execution: where it is, its state, its classical values, its weight."""

    __slots__ = ("bits", "loops", "pc", "state", "steps", "variables", "weight")

    def __init__(
        self,
        state: npt.NDArray[Any],
        bits: list[int],
        variables: dict[str, Any],
        weight: float,
        pc: int = 0,
        loops: dict[int, tuple[Sequence[Any], int]] | None = None,
        steps: int = 0,
    ) -> None:
        self.state = state
        self.bits = bits
        self.variables = variables
        self.weight = weight
        self.pc = pc
        self.loops = loops if loops is not None else {}
        self.steps = steps

    def fork(self, weight: float) -> Branch:
        """A copy with another weight; the state is copied."""
        _check_copies(self.state, 1)
        return Branch(
            self.state.copy(),
            list(self.bits),
            dict(self.variables),
            weight,
            self.pc,
            dict(self.loops),
            self.steps,
        )


def _check_copies(state: npt.NDArray[Any], count: int) -> None:
    """Refuse copies of a state that do not fit: how many branches are open, nobody knows before."""
    if state.nbytes * count > 1 << 24:
        check_free_memory(
            state.nbytes * count,
            f"A circuit that branches keeps a state for each open branch, and one more of "
            f"{state.shape[1].bit_length() - 1} qubits",
            "Measure fewer qubits before the end, or use fewer qubits.",
        )


def exact_split(probabilities: npt.NDArray[np.float64], weight: float) -> npt.NDArray[np.float64]:
    """Weights in proportion to the probabilities; negligible outcomes get none."""
    weights = weight * probabilities
    weights[weights < NEGLIGIBLE] = 0.0
    return weights


def shot_split(generator: np.random.Generator) -> Split:
    """Shots drawn from the multinomial distribution."""

    def split(probabilities: npt.NDArray[np.float64], weight: float) -> npt.NDArray[np.int64]:
        return generator.multinomial(int(weight), probabilities / probabilities.sum())

    return split


def run_branches(
    code: FlowCode,
    handles: list[Any],
    branch: Branch,
    angles: npt.NDArray[np.float64],
    split: Split,
    backend: Backend,
    threads: int,
) -> Iterator[Branch]:
    """Every branch with its final state, just before the read-out at the end of the circuit.

    Parameters
    ----------
    code : FlowCode
    handles : list
        The code's tapes, compiled by the backend.
    branch : Branch
        Where to start; its state, shape (1, 2**num_qubits), is used up.
    angles : ndarray, shape (1, num_slots)
    split : callable
        `exact_split`, or what `shot_split` makes.
    """
    stack = [branch]
    parked: dict[Any, list[Branch]] = {}
    while stack or parked:
        if not stack:
            for group in parked.values():
                stack.extend(group)
            parked = {}
        current = stack.pop()
        outcome = _advance(current, stack, code, handles, angles, split, backend, threads)
        if outcome is not _Outcome.GONE and not code.keeps_norm:
            normalize_states(current.state)
        if outcome is _Outcome.FINISHED:
            yield current
        elif outcome is _Outcome.REPEATS:
            if split is exact_split:
                _park(current, parked, backend, threads)
            else:
                stack.append(current)


def normalize_states(states: npt.NDArray[Any]) -> None:
    """Divide each state by its norm, in place, after gates that are not unitary."""
    for row in states:
        largest = max(float(np.abs(row.real).max()), float(np.abs(row.imag).max()))
        if not 0 < largest < np.inf:
            what = "is zero" if largest == 0 else "is not finite"
            raise StateError(
                f"A state must have a norm to divide by, but after gates with check=False it {what}. "
                "Check their matrices, or ask for the state vector."
            )
        row /= row.dtype.type(largest)  # squares of very small or large numbers would leave the range
        row /= row.dtype.type(np.linalg.norm(row))


class _Outcome(Enum):
    """How a branch stopped for the moment."""

    FINISHED = 0  # at the read-out
    GONE = 1  # split into others, or without weight
    REPEATS = 2  # at the head of a loop again


def _park(branch: Branch, parked: dict[Any, list[Branch]], backend: Backend, threads: int) -> None:
    """Keep a branch until all others are at the head of a loop; branches that have become equal join.

    Without this a loop that repeats on failure doubles the branches at every turn, though failures
    leave the same state. Branches are never added coherently, so a global phase is no difference.
    """
    # with their values: those of a loop over bits differ between branches whose bits are equal by now
    loops = tuple(sorted((loop, position, values) for loop, (values, position) in branch.loops.items()))
    group = parked.setdefault(
        (branch.pc, tuple(branch.bits), tuple(sorted(branch.variables.items())), loops), []
    )
    tolerance = 1e-12 if branch.state.dtype == np.complex128 else 1e-5
    for other in group:
        overlap = abs(backend.inner_products(other.state, branch.state, threads)[0])
        if abs(overlap - 1) < tolerance:
            other.weight += branch.weight
            return
    group.append(branch)


def _advance(
    branch: Branch,
    stack: list[Branch],
    code: FlowCode,
    handles: list[Any],
    angles: npt.NDArray[np.float64],
    split: Split,
    backend: Backend,
    threads: int,
) -> _Outcome:
    """Run one branch to the read-out or back to the head of a loop; those that split off go to the stack."""
    from qsim.classical import evaluate

    steps, end = code.steps, code.tail
    while branch.pc < end:
        branch.steps += 1
        if branch.steps > MAX_STEPS:
            raise CircuitError(
                f"A loop must end, but after {MAX_STEPS} steps the circuit still runs. "
                "Check the condition of its while loops."
            )
        step = steps[branch.pc]
        branch.pc += 1
        if isinstance(step, TapeStep):
            backend.apply(handles[step.tape], branch.state, angles, threads)
        elif isinstance(step, MeasureStep | ResetStep):
            for outcome, part in _measure(branch, step.qubit, split, backend, threads):
                if isinstance(step, MeasureStep):
                    part.bits[step.clbit] = outcome
                elif outcome:
                    backend.apply(handles[step.flip], part.state, angles, threads)
                if part is not branch:
                    stack.append(part)
            if not branch.weight:
                return _Outcome.GONE
        elif isinstance(step, ChannelStep):
            stack.extend(_channel(branch, step, handles, split, backend, threads))
            return _Outcome.GONE
        elif isinstance(step, JumpStep):
            if step.unless is None or not evaluate(step.unless, branch.bits, branch.variables):
                repeats = step.target < branch.pc
                branch.pc = step.target
                if repeats:
                    return _Outcome.REPEATS
        elif isinstance(step, AssignStep):
            _assign(branch, step.target, step.value)
        elif isinstance(step, LoopStartStep):
            branch.loops[step.loop] = (_loop_values(step.values, branch), 0)
        elif isinstance(step, LoopNextStep):
            values, position = branch.loops[step.loop]
            if position == len(values):
                branch.pc = step.end
                del branch.loops[step.loop]  # so that it keeps no branches apart
            else:
                if step.variable is not None:
                    _assign(branch, step.variable, values[position])
                branch.loops[step.loop] = (values, position + 1)
        elif isinstance(step, GateStep):
            _run_time_gate(branch, step.operation, backend, threads)
    return _Outcome.FINISHED


def _measure(
    branch: Branch, qubit: int, split: Split, backend: Backend, threads: int
) -> list[tuple[int, Branch]]:
    """(outcome, branch) for each outcome with weight; the given branch is used for the last of them."""
    state, mask = branch.state[0], 1 << qubit
    p = np.array([backend.probability(state, mask, value, threads) for value in (0, mask)])
    if not 1e-280 < p.sum() < 1e280:  # only gates that are not unitary lead there
        normalize_states(branch.state)
        p = np.array([backend.probability(state, mask, value, threads) for value in (0, mask)])
    weights = split(p / p.sum(), branch.weight)
    outcomes = [k for k in (0, 1) if weights[k] > 0]
    out: list[tuple[int, Branch]] = []
    for k in outcomes:
        part = branch if k == outcomes[-1] else branch.fork(weights[k])
        part.weight = weights[k]
        out.append((k, part))
    if not outcomes:
        branch.weight = 0
    for k, part in out:
        # the norm is put right at every measurement, so rounding cannot build up over many
        backend.collapse(part.state[0], mask, mask if k else 0, 1 / np.sqrt(p[k]), threads)
    return out


def _channel(
    branch: Branch,
    step: ChannelStep,
    handles: list[Any],
    split: Split,
    backend: Backend,
    threads: int,
) -> list[Branch]:
    """One branch for each Kraus operator with weight."""
    _check_copies(branch.state, len(step.tapes))
    candidates = []
    norms = np.empty(len(step.tapes))
    for k, tape in enumerate(step.tapes):
        state = branch.state.copy()
        backend.apply(handles[tape], state, _NO_ANGLES, threads)
        norms[k] = backend.norm_squared(state, threads)[0]
        candidates.append(state)
    if not norms.sum() > 0:
        normalize_states(branch.state)  # a channel keeps the trace, so the state itself is zero
    weights = split(norms / norms.sum(), branch.weight)
    out = []
    for k, state in enumerate(candidates):
        if weights[k] > 0:
            state *= state.dtype.type(1 / np.sqrt(norms[k]))
            out.append(
                Branch(
                    state,
                    list(branch.bits),
                    dict(branch.variables),
                    weights[k],
                    branch.pc,
                    dict(branch.loops),
                    branch.steps,
                )
            )
    return out


def _assign(branch: Branch, target: Any, value: Any) -> None:
    from qsim.classical import Bit, Bits, ClassicalType, converted

    if isinstance(target, Bit):
        branch.bits[target.index] = int(
            converted(value, ClassicalType("bit", None), branch.bits, branch.variables)
        )
    elif isinstance(target, Bits):
        kind = ClassicalType("bit", len(target.indices))
        number = int(converted(value, kind, branch.bits, branch.variables))
        for position, index in enumerate(target.indices):
            branch.bits[index] = number >> position & 1
    else:
        kind = ClassicalType(target.kind, target.size)
        branch.variables[target.name] = converted(value, kind, branch.bits, branch.variables)


def _loop_values(values: Any, branch: Branch) -> Sequence[Any]:
    from qsim.classical import Bits, evaluate

    if isinstance(values, range):
        return values  # never a tuple of them: it may be long
    if isinstance(values, tuple):
        return tuple(
            evaluate(v, branch.bits, branch.variables) if not isinstance(v, int | float) else v
            for v in values
        )
    if isinstance(values, Bits):
        return tuple(branch.bits[i] for i in values.indices)
    number = int(evaluate(values, branch.bits, branch.variables))
    return tuple(number >> k & 1 for k in range(number.bit_length()))


def _run_time_gate(branch: Branch, operation: GateOperation, backend: Backend, threads: int) -> None:
    from qsim.classical import Expression, evaluate

    params = []
    for p in operation.params:
        value = float(evaluate(p, branch.bits, branch.variables)) if isinstance(p, Expression) else p
        if not isinstance(value, float):
            raise ParameterError(
                f"Gate `{operation.name}` mixes the free parameter `{value}` with run-time values; bind "
                "it first."
            )
        if not -MAX_ANGLE <= value <= MAX_ANGLE:
            raise ParameterError(f"A parameter of gate `{operation.name}` must be {magnitude_text(value)}.")
        params.append(value)
    bound = GateOperation(
        operation.gate, tuple(params), operation.targets, operation.controls, operation.control_values
    )
    num_qubits = branch.state.shape[1].bit_length() - 1
    builder = TapeBuilder(num_qubits, SlotAllocator(()))
    builder.add(bound)
    backend.apply(backend.compile(builder.finish(0)), branch.state, np.zeros((1, 0)), threads)
