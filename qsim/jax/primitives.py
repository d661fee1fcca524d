"""Values of a program and their derivatives as primitives that JAX differentiates, transposes and maps.

Angles ``x`` (..., slots) become values ``E`` (..., size). With ``c`` a cotangent of E and ``t``, ``s``
tangents of the angles, six functions are closed under two derivatives of any mode:

* `values`: ``E``; `slopes`: ``E`` and ``dE/dx``, one sweep where numbers are few;
* `products`: ``c . dE/dx``, and `pushed`: ``dE/dx . t``: each is the other's transpose;
* `curvature`: ``c . d2E/dx2 . t``, and `bent`: ``s . d2E/dx2 . t``: where the chain ends.

All but the angles enter linearly. Leading dimensions are the core's batch, so what ``jax.vmap`` maps is one
more of them.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from qsim.errors import GradientError
from qsim.gradients.evaluate import require_unitary
from qsim.jax.foreign import lower_to_core
from qsim.jax.questions import FUNCTIONS, Question

__all__ = ["curvatures", "values"]


def values(question: Question, x: Any) -> Any:
    """``E`` (..., size) at angles (..., slots), a JAX array of float32 or float64."""
    return _bind("values", question, x)[0]


def _bind(name: str, question: Question, *arrays: Any) -> Any:
    return _PRIMITIVES[name].bind(*arrays, question=question)


def _shapes(name: str, question: Question, x: Any) -> list[tuple[int, ...]]:
    """The shapes of the results."""
    batch, slots = x.shape[:-1], x.shape[-1]
    observables = (*batch, question.size)
    if name == "slopes":
        return [observables, (*observables, slots)]
    return [(*batch, slots) if name in ("products", "curvature") else observables]


def _make(name: str) -> Primitive:
    primitive = Primitive(f"qsim_{name}")
    primitive.multiple_results = True
    run = FUNCTIONS[name]

    def abstract(x: Any, *rest: Any, question: Question) -> Any:
        return [jax.core.ShapedArray(shape, x.dtype) for shape in _shapes(name, question, x)]

    def eager(*arrays: Any, question: Question) -> Any:
        return [jnp.asarray(out) for out in run(question, *arrays)]

    def callback(*arrays: Any, question: Question) -> Any:
        x = arrays[0]
        results = tuple(jax.ShapeDtypeStruct(shape, x.dtype) for shape in _shapes(name, question, x))
        return jax.pure_callback(
            functools.partial(run, question), results, *arrays, vmap_method="broadcast_all"
        )

    def mapped(arrays: Any, dims: Any, *, question: Question) -> Any:
        size = next(a.shape[d] for a, d in zip(arrays, dims, strict=True) if d is not None)
        moved = [
            jnp.broadcast_to(a, (size, *a.shape)) if d is None else jnp.moveaxis(a, d, 0)
            for a, d in zip(arrays, dims, strict=True)
        ]
        out = primitive.bind(*moved, question=question)
        return out, [0] * len(out)

    primitive.def_impl(eager)
    primitive.def_abstract_eval(abstract)
    batching.primitive_batchers[primitive] = mapped
    called = mlir.lower_fun(callback, multiple_results=True)
    mlir.register_lowering(primitive, called)
    mlir.register_lowering(primitive, functools.partial(lower_to_core, name, called), platform="cpu")
    return primitive


_PRIMITIVES = {name: _make(name) for name in FUNCTIONS}


def _along(slopes: Any, tangent: Any) -> Any:
    """``slopes @ tangent``, of few rows each: products and sums that XLA fuses with what follows."""
    return (slopes * tangent[..., None, :]).sum(-1)


def _is_zero(tangent: Any) -> bool:
    return isinstance(tangent, ad.Zero)


def _values_jvp(primals: Any, tangents: Any, *, question: Question) -> Any:
    (x,), (t,) = primals, tangents
    require_unitary(question.program, "jax.grad")
    if not question.is_eager:
        return _bind("values", question, x), _bind("pushed", question, x, t)
    found, slopes = _bind("slopes", question, x)
    return [found], [_along(slopes, t)]


def _slopes_jvp(primals: Any, tangents: Any, *, question: Question) -> Any:
    (x,), (t,) = primals, tangents
    found, slopes = _bind("slopes", question, x)
    return [found, slopes], [_along(slopes, t), curvatures(question, x, t)]


def curvatures(question: Question, x: Any, tangent: Any) -> Any:
    """``d2E/dx2 . t`` of each observable, (..., size, slots)."""
    size = question.size
    shape = (*x.shape[:-1], size, x.shape[-1])
    each = jnp.broadcast_to(jnp.eye(size, dtype=x.dtype), (*x.shape[:-1], size, size))
    rows, moved = (jnp.broadcast_to(a[..., None, :], shape) for a in (x, tangent))
    return _bind("curvature", question, rows, moved, each)[0]


def _linear_jvp(name: str, second: str | None) -> Any:
    """The rule of a function linear in all but the angles, by which its derivative is `second`."""

    def rule(primals: Any, tangents: Any, *, question: Question) -> Any:
        moved = []
        if not _is_zero(tangents[0]):
            if second is None:
                raise _too_high()
            x, rest = primals[0], primals[1]
            pair = (tangents[0], rest) if name == "products" else (rest, tangents[0])
            moved.append(_bind(second, question, x, *pair)[0])
        for k, tangent in enumerate(tangents[1:], 1):
            if not _is_zero(tangent):
                moved.append(_bind(name, question, *primals[:k], tangent, *primals[k + 1 :])[0])
        return _bind(name, question, *primals), [functools.reduce(jnp.add, moved)]

    return rule


def _transpose(name: str, by: dict[int, Any]) -> Any:
    """The rule: `by` gives the function for the place of the linear argument, and how it takes its own."""

    def rule(cotangents: Any, *arrays: Any, question: Question) -> Any:
        (cotangent,) = cotangents
        place = next(k for k, a in enumerate(arrays) if ad.is_undefined_primal(a))
        out: list[Any] = [None] * len(arrays)
        if not _is_zero(cotangent):
            other, arguments = by[place]
            out[place] = _bind(other, question, *arguments(arrays, cotangent))[0]
        return out

    return rule


def _too_high() -> GradientError:
    return GradientError(
        "Functions of circuits in JAX have first and second derivatives, but a third derivative was asked "
        "for. For second derivatives use jax.hessian, or jax.jvp of jax.grad."
    )


ad.primitive_jvps[_PRIMITIVES["values"]] = _values_jvp
ad.primitive_jvps[_PRIMITIVES["slopes"]] = _slopes_jvp
for _name, _second in {"products": "curvature", "pushed": "bent", "curvature": None, "bent": None}.items():
    ad.primitive_jvps[_PRIMITIVES[_name]] = _linear_jvp(_name, _second)

_TRANSPOSES: dict[str, dict[int, Any]] = {
    "products": {1: ("pushed", lambda a, out: (a[0], out))},
    "pushed": {1: ("products", lambda a, out: (a[0], out))},
    "curvature": {
        1: ("curvature", lambda a, out: (a[0], out, a[2])),
        2: ("bent", lambda a, out: (a[0], a[1], out)),
    },
    "bent": {
        1: ("curvature", lambda a, out: (a[0], a[2], out)),
        2: ("curvature", lambda a, out: (a[0], a[1], out)),
    },
}
for _name, _by in _TRANSPOSES.items():
    ad.primitive_transposes[_PRIMITIVES[_name]] = _transpose(_name, _by)
