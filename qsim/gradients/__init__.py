"""Derivatives of expectation values: `value_and_gradient`, `gradient` and `jacobian`."""

from __future__ import annotations

from typing import Any

from qsim.circuit import Circuit
from qsim.simulator import Simulator

__all__ = ["gradient", "jacobian", "value_and_gradient"]


def value_and_gradient(
    circuit: Circuit,
    observable: Any,
    params: Any = None,
    *,
    wrt: Any = None,
    method: str = "adjoint",
    step: float | None = None,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
) -> tuple[Any, Any]:
    """Expectation values of one or several observables, and their derivatives by the parameters.

    Parameters
    ----------
    circuit : Circuit
    observable : observable or list of observables
        As for `qsim.expectation`.
    params : dict or array_like, optional
        As for `qsim.statevector`: data and weights alike, with or without a batch axis.
    wrt : str, Parameter, ParameterVector or a sequence of these, optional
        Derivatives by these parameters only. All by default.
    method : {"adjoint", "parameter_shift", "finite_difference"}
        See the notes.
    step : float, optional
        Step of ``"finite_difference"``. Default: 1e-5 in double precision, 1e-2 in single.
    backend, precision, threads
        See `qsim.Simulator`.

    Returns
    -------
    values : float or ndarray, float64
        As `qsim.expectation` gives them: shape (), with (batch,) in front for a batch and
        (num_observables,) behind for a list of observables. Called S below.
    gradient : ndarray or dict
        For an array of `params` an array of shape S + (num_parameters,), in the order of
        ``circuit.parameters`` or of `wrt`. For a dict a dict with the same keys (those of `wrt`, if given):
        shape S for a parameter, S + (length,) for a vector. Each row of a batch has its own derivatives,
        also by a value that all rows share.

    Raises
    ------
    GradientError
        The method cannot differentiate this circuit; the message names what stands in the way and the methods
        that can.

    Notes
    -----
    ``"adjoint"`` [1]_ runs the circuit once forwards and once backwards: the time of a few expectation
    values for each observable, whatever the number of parameters, and the memory of a state and one more
    for each observable, whatever the depth. ``"parameter_shift"`` [2]_ evaluates the circuit at shifted
    angles, as hardware must: exact as well, with two evaluations for each frequency of each gate with a
    parameter. ``"finite_difference"`` takes central differences, two evaluations for each parameter; it
    serves for comparison, and for circuits that measure in the middle or have gates that are not unitary.

    Parameters that occur several times and expressions of parameters follow the chain rule, exactly.

    References
    ----------
    .. [1] T. Jones and J. Gacon, "Efficient calculation of gradients in classical simulations of
       variational quantum algorithms", arXiv:2009.02823.
    .. [2] D. Wierichs, J. Izaac, C. Wang and C. Y.-Y. Lin, "General parameter-shift rules for quantum
       gradients", Quantum 6, 677 (2022), arXiv:2107.12390.

    Examples
    --------
    >>> import numpy as np
    >>> from qsim.parameters import Parameter
    >>> theta = Parameter("theta")
    >>> value, slope = value_and_gradient(Circuit(1).ry(theta, 0), "Z0", {"theta": np.pi / 2})
    >>> round(value, 12), round(slope["theta"], 12)
    (0.0, -1.0)
    """
    return Simulator(backend, precision, threads).value_and_gradient(
        circuit, observable, params, wrt=wrt, method=method, step=step
    )


def gradient(circuit: Circuit, observable: Any, params: Any = None, **options: Any) -> Any:
    """Derivatives alone; arguments and result as for `value_and_gradient`.

    Examples
    --------
    >>> from qsim.parameters import Parameter
    >>> gradient(Circuit(1).rx(Parameter("t"), 0), "Z0", [[0.5], [1.0]]).round(6)
    array([[-0.479426],
           [-0.841471]])
    """
    return value_and_gradient(circuit, observable, params, **options)[1]


def jacobian(circuit: Circuit, observables: Any, params: Any = None, **options: Any) -> Any:
    """Derivatives of several observables, with an axis of observables also if there is but one.

    Arguments as for `value_and_gradient`. An array of shape (num_observables, num_parameters), with (batch,)
    in front for a batch; for a dict of `params` a dict of such arrays.

    Examples
    --------
    >>> from qsim.parameters import Parameter
    >>> jacobian(Circuit(1).rx(Parameter("t"), 0), ["Z0", "Y0"], [0.5]).round(6)
    array([[-0.479426],
           [-0.877583]])
    """
    from qsim.observables import as_observables

    return gradient(circuit, list(as_observables(observables)[0]), params, **options)
