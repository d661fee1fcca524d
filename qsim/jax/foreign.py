"""How compiled JAX functions call the core: foreign functions of XLA, which need no Python when they run.

The core has a handler for each primitive (csrc/ffi). A call carries the number of a program that the core
knows as long as somebody holds it: what JAX traced holds the Program, what it lowered and what it compiled
hold the core's object.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
import warnings
import weakref
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters import mlir

from qsim.gradients.adjoint import is_too_big, reverse_of
from qsim.gradients.states import dual_of, dual_reverse_of
from qsim.jax.questions import Question
from qsim.parameters import MAX_ANGLE
from qsim.program.dual import Velocities
from qsim.program.execution import MANY_ROWS
from qsim.program.program import Program

__all__ = ["is_foreign", "lower_to_core"]

#: What the core needs a dual tape for.
_SECOND = ("pushed", "curvature")
#: Of each program the number and the core's object: of values and gradients, and with what `_SECOND` needs.
_bound: weakref.WeakKeyDictionary[Program, dict[bool, tuple[int, Any]]] = weakref.WeakKeyDictionary()


def lower_to_core(name: str, otherwise: Any, ctx: Any, *operands: Any, question: Question) -> Any:
    """The lowering rule of the primitive `name`: a call of the core, or what `otherwise` makes of it."""
    if not is_foreign(question):
        return otherwise(ctx, *operands, question=question)
    program = question.program
    if name == "bent":
        return mlir.lower_fun(functools.partial(_bent, question), multiple_results=True)(ctx, *operands)
    program._rows_at_once(1, len(program.observables) + (6 if name in _SECOND else 2))
    number, held = _bound_program(program, name in _SECOND)
    ctx.module_context.add_keepalive(held)
    return jax.ffi.ffi_lowering(f"qsim_{name}")(ctx, *operands, number=np.int64(number))


def is_foreign(question: Question) -> bool:
    """Whether compiled functions answer this without Python.

    That needs the C++ core, gates up to the read-out, observables that are Pauli sums, expressions that JAX
    knows, and no limit of memory.
    """
    program = question.program
    return (
        question.measurement is None
        and program.backend == "cpp"
        and program._is_static_pauli()
        and not program._slots.expressions
        and program.max_memory is None
        and _is_registered()
    )


@functools.cache
def _is_registered() -> bool:
    """Make the handlers known to XLA, once; False if it does not take the core's version of the interface."""
    from qsim import _core

    try:
        for name, stages in _core.xla_handlers().items():
            jax.ffi.register_ffi_target(f"qsim_{name}", stages, platform="cpu")
    except Exception as error:
        warnings.warn(
            f"qsim.jax runs compiled functions through Python callbacks, as JAX {jax.__version__} refuses "
            f"the core's foreign functions: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


def _bound_program(program: Program, second: bool) -> tuple[int, Any]:
    """The number of a program and the core's object.

    The number is a digest of the program: code that JAX keeps on disk finds the same program in another
    process, or none.
    """
    known = _bound.setdefault(program, {})
    if second not in known:
        digest = hashlib.blake2b(pickle.dumps((program, second)), digest_size=8).digest()
        number = int.from_bytes(digest, "little", signed=True)
        known[second] = number, _make_bound(program, second, number)
    return known[second]


def _make_bound(program: Program, second: bool, number: int) -> Any:
    from qsim import _core

    columns = list(range(program._slots.num_slots))
    made = reverse_of(program, columns)
    forth, back = program._least_lane_rows(False), program._least_lane_rows(True)
    if is_too_big(program, len(program.observables) + 1):
        back = None
    return _core.bound_program(
        number,
        program._handles[0],
        program._paulis,
        program._observed_lanes(MANY_ROWS),
        MANY_ROWS if forth is None else forth,
        MANY_ROWS if back is None else back,
        None if made is None else (made[1], made[0].slots, made[0].weights),
        _second_order(program, columns) if second else None,
        program.precision == "single",
        program.threads,
        MAX_ANGLE,
    )


def _second_order(program: Program, columns: list[int]) -> Any:
    dual, dual_columns = dual_of(program, columns)
    handle, reverse, columns_back = dual_reverse_of(program, columns)
    return dual, _arrays(dual_columns), (handle, reverse.slots, reverse.weights), _arrays(columns_back)


def _arrays(velocities: Velocities) -> tuple[Any, ...]:
    slots, scales, shifts, levels, functions = (
        zip(*velocities.columns, strict=True) if velocities.columns else [()] * 5
    )
    return (
        np.array(slots, dtype=np.int32),
        *(np.array(a, dtype=np.float64) for a in (scales, shifts, levels)),
        np.array([function == "sin" for function in functions], dtype=np.uint8),
    )


def _bent(question: Question, x: Any, first: Any, second: Any) -> Any:
    """``s . d2E/dx2 . t``, by one product for each observable."""
    from qsim.jax.primitives import curvatures

    return [jnp.einsum("...op,...p->...o", curvatures(question, x, first), second, precision="highest")]
