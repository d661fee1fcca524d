"""Expectation values, probabilities and states as functions of JAX arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from qsim._columns import name_of
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, ParameterError
from qsim.jax.columns import Columns, angles, is_traceable
from qsim.jax.primitives import values
from qsim.jax.questions import Question
from qsim.measurements import Expectation, Measurement, Probabilities, State
from qsim.parameters import ParameterVector
from qsim.program.program import Program
from qsim.simulator import Simulator

__all__ = ["Function", "expectation", "function", "probabilities", "statevector"]


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
        error with a message like this one for values that are not finite.
    TypeError
        `params` holds no real numbers.
    GradientError
        When a derivative is taken of a circuit that measures before its end, or a third derivative.

    Notes
    -----
    ``jax.grad``, ``jacrev``, ``jacfwd``, ``hessian``, ``jvp``, ``vjp``, ``vmap``, ``jit`` and all their
    compositions up to two derivatives; what ``vmap`` maps becomes part of the batch. Compiled functions call
    the C++ core without Python (docs/jax.md says what needs a callback). Cost as for `qsim.vjp`; up to two
    observables gradients are taken with the values, see `qsim.value_and_gradient`.

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


def probabilities(
    circuit: Circuit | Program,
    params: Any,
    qubits: Any = None,
    *,
    backend: str | None = None,
    threads: int | None = None,
) -> Any:
    """Probabilities of the basis states of some qubits, a function that JAX transforms and compiles.

    Parameters
    ----------
    circuit, params, backend, threads
        As for `expectation`.
    qubits : sequence of int, optional
        The first is the least significant bit of the result's index; all by default.

    Returns
    -------
    jax.Array
        The leading dimensions of `params`, then (2**k,).

    Notes
    -----
    Compiled functions call back into Python. Derivatives as for `expectation`, at the cost of `qsim.vjp` and
    `qsim.jvp`.

    Examples
    --------
    >>> probabilities(Circuit(2).h(1), {}).shape
    (4,)
    """
    return Function(circuit, Probabilities(qubits), backend=backend, threads=threads)(params)


def statevector(
    circuit: Circuit | Program, params: Any, *, backend: str | None = None, threads: int | None = None
) -> Any:
    """Amplitudes of the state, a function that JAX transforms and compiles.

    Parameters
    ----------
    circuit, params, backend, threads
        As for `expectation`.

    Returns
    -------
    jax.Array
        The leading dimensions of `params`, then (2**num_qubits,); complex64 if `params` is float32.

    Notes
    -----
    As for `probabilities`.

    Examples
    --------
    >>> statevector(Circuit(2).h(1), {}).shape
    (4,)
    """
    return Function(circuit, State(), backend=backend, threads=threads)(params)


def function(
    circuit: Circuit | Program,
    observable: Any,
    inputs: Any = (),
    *,
    backend: str | None = None,
    threads: int | None = None,
) -> Function:
    """What `expectation` computes of one circuit, as a function compiled once: a `Function`, which see."""
    return Function(circuit, observable, inputs, backend=backend, threads=threads)


class Function:
    """Expectation values of a circuit, or whatever its state can be asked, as a function of its parameters.

    Parameters
    ----------
    circuit, backend, threads
        As for `expectation`.
    observable : observable, list of observables or Measurement
        As for `expectation`, or one of `qsim.measurements`.
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
        if isinstance(circuit, Program):
            base = circuit
        else:
            base = Simulator(backend, threads=threads).compile(circuit)
        if isinstance(observable, Expectation):
            observable = observable.observables
        #: whether JAX evaluates the expressions of parameters, so that the core sees their values alone
        self._by_slots = is_traceable(base._slots)
        inner = base._of_slots() if self._by_slots else base
        if isinstance(observable, Measurement):
            self._is_single = False
            self.program = observable.attach(base)
            self._question = Question(observable.attach(inner), observable)
        else:
            self._is_single = not isinstance(observable, list | tuple)
            if observable is None and base is circuit:
                observable, self._is_single = list(base.observables), base._is_single
            listed = list(observable) if isinstance(observable, list | tuple) else [observable]
            self.program = base.with_observables(listed)
            self._question = Question(inner.with_observables(listed))
        self._columns = Columns(base.parameters)
        self.shapes = {name: self._columns.shape(name) for name in self._columns.shapes}
        self.inputs = (inputs,) if isinstance(inputs, str) else tuple(name_of(name) for name in inputs)
        for name in self.inputs:
            if name not in self.shapes:
                raise ArgumentError(
                    "Argument `inputs` must name parameters of the circuit "
                    f"({', '.join(self.shapes) or 'it has none'}), but names {name!r}."
                )

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """Values (..., num_observables), (...) for one observable, or of the shape of the measurement."""
        expected = self.inputs or ("params",)
        if len(arrays) != len(expected) or (named and not self.inputs):
            others = ", and other parameters by name" if self.inputs else ""
            given = " and " + ", ".join(named) if named else ""
            raise ArgumentError(
                f"The function takes {', '.join(expected)}{others}, but got {len(arrays)} argument(s){given}."
            )
        for name in self.inputs:
            if name in named:
                raise ArgumentError(f"The function takes `{name}` by its place, but got it by its name, too.")
        by_name = dict(zip(self.inputs, arrays, strict=False), **named)
        columns, parts = self._gather(by_name if self.inputs else arrays[0])
        rows = columns.side_by_side(parts) if parts else jnp.zeros(0)
        dtype = rows.dtype
        if dtype not in (jnp.float32, jnp.float64):
            rows = rows.astype(jnp.float32)
        out = values(self._question, angles(self.program._slots, rows) if self._by_slots else rows)
        shape = (*rows.shape[:-1], *self._question.shape)
        if self._question.is_complex:
            half = self._question.size // 2
            return (out[..., :half] + 1j * out[..., half:]).reshape(shape)
        out = out.astype(dtype).reshape(shape)
        return out[..., 0] if self._is_single else out

    def __repr__(self) -> str:
        return f"<Function of {', '.join(self.inputs) or 'params'}: {self._question!r}>"

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
