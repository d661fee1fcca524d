"""Expectation values as a function of JAX arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from qsim._columns import name_of
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, ParameterError
from qsim.jax.columns import Columns, angles, is_traceable
from qsim.jax.primitives import values
from qsim.parameters import ParameterVector
from qsim.program.program import Program
from qsim.simulator import Simulator

__all__ = ["Function", "expectation", "function"]


def expectation(
    circuit: Circuit | Program,
    observable: Any,
    params: Any,
    *,
    backend: str | None = None,
    threads: int | None = None,
) -> Any:
    """Expectation values of one or several observables, a function that JAX transforms and compiles.

    Parameters
    ----------
    circuit : Circuit or Program
        A Program is used as it is, with its own observables if `observable` is None.
    observable : observable or list of observables
        As for `qsim.expectation`.
    params : array_like or dict of array_like
        Shape (..., num_parameters), in the order of ``circuit.parameters``; or for each parameter, its name
        or that of a vector an array of shape (...) or (..., length). Leading dimensions broadcast.
    backend, threads
        See `qsim.compile`.

    Returns
    -------
    jax.Array
        The leading dimensions of `params`, then (num_observables,) for a list; of the dtype of `params`. The
        core computes in double precision.

    Raises
    ------
    ParameterError
        Values are missing, of the wrong shape, or not finite. Inside compiled functions, JAX raises its own
        error with this message for values that are not finite.
    TypeError
        `params` holds no real numbers.
    GradientError
        When a derivative is taken of a circuit that measures before its end, or a third derivative.

    Notes
    -----
    ``jax.grad``, ``jacrev``, ``jacfwd``, ``hessian``, ``jvp``, ``vjp``, ``vmap``, ``jit`` and all their
    compositions up to two derivatives; what ``vmap`` maps becomes part of the batch. Compiled functions call
    the C++ core without Python; see docs/jax.md for what still needs a callback. Cost as for `qsim.vjp`; up to
    two observables gradients are taken with the values, see `qsim.value_and_gradient`.

    Examples
    --------
    >>> import jax
    >>> from qsim.parameters import Parameter
    >>> circuit = Circuit(1).ry(Parameter("theta"), 0)
    >>> slope = jax.jit(jax.grad(lambda theta: expectation(circuit, "Z0", {"theta": theta})))
    >>> print(f"{slope(0.5):.4f}")
    -0.4794
    """
    return Function(circuit, observable, backend=backend, threads=threads)(params)


def function(
    circuit: Circuit | Program,
    observable: Any,
    inputs: Any = (),
    *,
    backend: str | None = None,
    threads: int | None = None,
) -> Function:
    """The function of `expectation` for one circuit, compiled once; see `Function`."""
    return Function(circuit, observable, inputs, backend=backend, threads=threads)


class Function:
    """Expectation values of a circuit, as a function of its parameters.

    Parameters
    ----------
    circuit, observable, backend, threads
        As for `expectation`.
    inputs : str or sequence of str
        Parameters or vectors that the function takes one by one, in this order; it takes the others by their
        names. Empty: it takes one argument, `params` of `expectation`.

    Attributes
    ----------
    program : Program
    shapes : dict of tuple
        For the name of each parameter or vector the shape of its values, without a batch.

    Examples
    --------
    >>> import jax, qsim
    >>> x, w = qsim.ParameterVector("x", 2), qsim.ParameterVector("w", 2)
    >>> circuit = qsim.Circuit(2).ry(x[0], 0).ry(x[1], 1).cx(0, 1).ry(w[0], 0).ry(w[1], 1)
    >>> model = Function(circuit, ["Z0", "Z1"], inputs=("x", "w"))
    >>> model.shapes
    {'x': (2,), 'w': (2,)}
    >>> model(jax.numpy.zeros((5, 2)), jax.numpy.ones(2)).shape
    (5, 2)
    """

    def __init__(
        self,
        circuit: Circuit | Program,
        observable: Any,
        inputs: Any = (),
        *,
        backend: str | None = None,
        threads: int | None = None,
    ) -> None:
        program = (
            circuit if isinstance(circuit, Program) else Simulator(backend, None, threads).compile(circuit)
        )
        if observable is None and isinstance(circuit, Program):
            observable = list(program.observables)
            self._is_single = circuit._is_single
        else:
            self._is_single = not isinstance(observable, list | tuple)
        listed = list(observable) if isinstance(observable, list | tuple) else [observable]
        self.program = program.with_observables(listed)
        self._inner = self.program._of_slots() if is_traceable(self.program._slots) else self.program
        self._columns = Columns(self.program.parameters)
        self.shapes = {name: self._columns.shape(name) for name in self._columns.shapes}
        self.inputs = (inputs,) if isinstance(inputs, str) else tuple(name_of(name) for name in inputs)
        for name in self.inputs:
            if name not in self.shapes:
                raise ArgumentError(
                    "Argument `inputs` must name parameters of the circuit "
                    f"({', '.join(self.shapes) or 'it has none'}), but names {name!r}."
                )

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """Values (..., num_observables), or (...) for one observable."""
        expected = self.inputs or ("params",)
        if len(arrays) != len(expected) or (named and not self.inputs):
            raise ArgumentError(
                f"The function takes {len(expected)} argument(s) ({', '.join(expected)})"
                f"{' and names' if self.inputs else ''}, but got {len(arrays)}"
                f"{' and ' + ', '.join(named) if named else ''}."
            )
        params = dict(zip(self.inputs, arrays, strict=True), **named) if self.inputs else arrays[0]
        columns, given = self._gather(params)
        rows = columns.side_by_side(given) if given else jnp.zeros(0)
        if self._inner is not self.program:
            rows = angles(self.program._slots, rows)
        out = values(self._inner, rows)
        return out[..., 0] if self._is_single else out

    def __repr__(self) -> str:
        names = ", ".join(self.inputs) or "params"
        return f"<Function of {names}: {self.program!r}>"

    def _gather(self, params: Any) -> tuple[Columns, list[Any]]:
        """Arrays, checked, and how they make rows of the program's parameters."""
        if isinstance(params, Mapping):
            named = {name_of(key): _checked(value, name_of(key)) for key, value in params.items()}
            return self._columns, self._columns.check(named)
        count = len(self.program.parameters)
        array = _checked(params, "params")
        if array.ndim == 0 and count == 1:
            array = array[None]
        if array.ndim == 0 or array.shape[-1] != count or not count:
            raise ParameterError(
                f"Argument `params` must have shape (..., {count}), but has shape {tuple(array.shape)}."
                + ("" if count else " The circuit has no parameters: pass {}.")
            )
        return Columns(list(ParameterVector("params", count))), [array]


def _checked(value: Any, name: str) -> Any:
    try:
        array = jnp.asarray(value)
    except (TypeError, ValueError):
        array = None
    if array is None or not (
        jnp.issubdtype(array.dtype, jnp.floating) or jnp.issubdtype(array.dtype, jnp.integer)
    ):
        what = type(value).__name__ if array is None else f"an array of {array.dtype}"
        raise TypeError(f"Argument `params` must hold arrays of real numbers, but `{name}` is {what}.")
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(jnp.result_type(float))
