"""Derivatives of what a circuit is asked, by its parameters: one function for each kind of derivative."""

from __future__ import annotations

from typing import Any

from qsim.circuit import Circuit
from qsim.simulator import Simulator

__all__ = ["gradient", "hessian", "hvp", "jacobian", "jvp", "value_and_gradient", "vjp"]


def value_and_gradient(
    circuit: Circuit,
    observable: Any,
    params: Any = None,
    *,
    wrt: Any = None,
    method: str = "adjoint",
    step: float | None = None,
    shots: int | None = None,
    seed: Any = None,
    directions: int | None = None,
    return_std: bool = False,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> tuple[Any, ...]:
    """Expectation values of one or several observables, and their derivatives by the parameters.

    Parameters
    ----------
    circuit : Circuit
    observable : observable, list of observables, or `qsim.measurements.Measurement`
        As for `qsim.expectation`; or whatever else is to be read off the state.
    params : dict or array_like, optional
        As for `qsim.statevector`: data and weights alike, with or without a batch axis.
    wrt : str, Parameter, ParameterVector or a sequence of these, optional
        Derivatives by these parameters only. All by default.
    method : {"adjoint", "parameter_shift", "stochastic_shift", "finite_difference", "spsa", "hadamard_test"}
        See the notes.
    step : float, optional
        Step of ``"finite_difference"`` (default 1e-5 in double precision, 1e-2 in single, 0.1 with shots)
        and ``"spsa"`` (1e-4, 1e-2, 0.1).
    shots : int, optional
        Estimate everything from so many samples of each circuit in each basis, instead of exactly; by
        all methods but ``"adjoint"``. Only for observables.
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator
        Of samples and of random directions. The same seed gives the same numbers whatever the backend,
        threads or size of the batch's chunks.
    directions : int, optional
        Random directions that ``"spsa"`` averages over, and random times of ``"stochastic_shift"``, 1 by
        default.
    return_std : bool
        Also give the standard errors of values and derivatives.
    backend, precision, threads, max_memory
        See `qsim.Simulator`.

    Returns
    -------
    values : float or ndarray, float64
        As `qsim.expectation` gives them: shape (), with (batch,) in front for a batch and
        (num_observables,) behind for a list of observables, or the shape of the measurement. Called S below.
    gradient : ndarray or dict
        For an array of `params` an array of shape S + (num_parameters,), in the order of
        ``circuit.parameters`` or of `wrt`. For a dict a dict with the same keys (those of `wrt`, if given):
        shape S for a parameter, S + (length,) for a vector. Each row of a batch has its own derivatives,
        also by a value that all rows share.
    values_std, gradient_std : of the same forms
        Only with `return_std`.

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
    parameter, or of all gates of a parameter together where these have fewer. ``"stochastic_shift"`` [5]_ is
    the same but for `Circuit.generator_sum`, whose gates it shifts at random times, each of `directions`
    times: unbiased, and from no other gates, where ``"parameter_shift"`` adds rotations of all strings that
    its effective generators have. ``"hadamard_test"`` [3]_ adds a
    qubit and puts the generator of each gate behind it. ``"finite_difference"`` takes central differences,
    two evaluations for each parameter; it serves for comparison, and for circuits that measure in the middle
    or have gates that are not unitary. ``"spsa"`` [4]_ moves all parameters at once in random directions, two
    evaluations for each; its mean is the gradient, but a single one is far from it.

    Parameters that occur several times and expressions of parameters follow the chain rule, exactly.

    With shots each circuit is simulated once and sampled once for each group of Pauli strings that agree
    on every qubit. Estimates by shift rules and Hadamard tests are unbiased.

    References
    ----------
    .. [1] T. Jones and J. Gacon, "Efficient calculation of gradients in classical simulations of
       variational quantum algorithms", arXiv:2009.02823.
    .. [2] D. Wierichs, J. Izaac, C. Wang and C. Y.-Y. Lin, "General parameter-shift rules for quantum
       gradients", Quantum 6, 677 (2022), arXiv:2107.12390.
    .. [3] K. Mitarai and K. Fujii, "Methodology for replacing indirect measurements with direct
       measurements", Phys. Rev. Research 1, 013006 (2019), arXiv:1901.00015.
    .. [4] J. C. Spall, "Multivariate stochastic approximation using a simultaneous perturbation gradient
       approximation", IEEE Trans. Autom. Control 37, 332 (1992).
    .. [5] L. Banchi and G. E. Crooks, "Measuring analytic gradients of general quantum evolution with the
       stochastic parameter shift rule", Quantum 5, 386 (2021), arXiv:2005.10299.

    Examples
    --------
    >>> import numpy as np
    >>> from qsim.parameters import Parameter
    >>> theta = Parameter("theta")
    >>> value, slope = value_and_gradient(Circuit(1).ry(theta, 0), "Z0", {"theta": np.pi / 2})
    >>> round(value, 12), round(slope["theta"], 12)
    (0.0, -1.0)
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).value_and_gradient(
        circuit,
        observable,
        params,
        wrt=wrt,
        method=method,
        step=step,
        shots=shots,
        seed=seed,
        directions=directions,
        return_std=return_std,
    )


def gradient(circuit: Circuit, observable: Any, params: Any = None, **options: Any) -> Any:
    """Derivatives alone; arguments and result as for `value_and_gradient`.

    With `return_std` the derivatives and their standard errors.

    Examples
    --------
    >>> from qsim.parameters import Parameter
    >>> gradient(Circuit(1).rx(Parameter("t"), 0), "Z0", [[0.5], [1.0]]).round(6)
    array([[-0.479426],
           [-0.841471]])
    """
    out = value_and_gradient(circuit, observable, params, **options)
    return out[1] if len(out) == 2 else (out[1], out[3])


def jacobian(circuit: Circuit, observables: Any, params: Any = None, **options: Any) -> Any:
    """Derivatives of several observables, with an axis of observables also if there is but one.

    Arguments as for `value_and_gradient`. An array of shape (num_observables, num_parameters), with (batch,)
    in front for a batch; for a dict of `params` a dict of such arrays. Of a measurement as `gradient`.

    Examples
    --------
    >>> from qsim.parameters import Parameter
    >>> jacobian(Circuit(1).rx(Parameter("t"), 0), ["Z0", "Y0"], [0.5]).round(6)
    array([[-0.479426],
           [-0.877583]])
    """
    from qsim.measurements import Measurement
    from qsim.observables import as_observables

    if not isinstance(observables, Measurement):
        observables = list(as_observables(observables)[0])
    return gradient(circuit, observables, params, **options)


def vjp(
    circuit: Circuit,
    measurement: Any,
    params: Any,
    cotangent: Any,
    *,
    wrt: Any = None,
    initial_state: Any = None,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> tuple[Any, ...]:
    """The value of a measurement, and a cotangent times its Jacobian: reverse differentiation.

    The one step a framework with automatic differentiation needs to train through a circuit.

    Parameters
    ----------
    circuit : Circuit
    measurement : observable, list of observables, or `qsim.measurements.Measurement`
        What is read off the state; an observable stands for its expectation value.
    params : dict or array_like
        As for `qsim.statevector`.
    cotangent : array_like
        Of the shape of the value (without its batch axis it serves all rows): the derivative of a real loss
        by the value, ``dL/d(Re value) + i dL/d(Im value)`` where that is complex.
    wrt : str, Parameter, ParameterVector or a sequence of these, optional
        Derivatives by these parameters only. All by default.
    initial_state : array_like, shape (2**num_qubits,) or (batch, 2**num_qubits), optional
        As for `qsim.statevector`; adds the derivatives by it to the result. This is how data that come in as
        amplitudes are differentiated.
    backend, precision, threads, max_memory
        See `qsim.Simulator`.

    Returns
    -------
    value : float, complex or ndarray
    gradient : ndarray or dict
        The derivatives of the loss, in the form of the gradient that `qsim.value_and_gradient` gives for
        one observable: each row of a batch has its own.
    state_cotangent : ndarray, shape (2**num_qubits,) or (batch, 2**num_qubits), complex128
        Only with `initial_state`: ``dL/d(Re psi) + i dL/d(Im psi)`` by its amplitudes, one row for each row
        of the answer.

    Raises
    ------
    GradientError
        The circuit is not a sequence of unitary gates and a read-out.

    Notes
    -----
    One run forwards and one backwards with a single cotangent, however many numbers the value has.

    Examples
    --------
    >>> from qsim.measurements import Probabilities
    >>> from qsim.parameters import Parameter
    >>> value, slope = vjp(Circuit(1).ry(Parameter("t"), 0), Probabilities(), [0.5], [1.0, 0.0])
    >>> value.round(6), slope.round(6)
    (array([0.938791, 0.061209]), array([-0.239713]))
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).vjp(
        circuit, measurement, params, cotangent, wrt=wrt, initial_state=initial_state
    )


def jvp(
    circuit: Circuit,
    measurement: Any,
    params: Any,
    tangent: Any,
    *,
    wrt: Any = None,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> tuple[Any, Any]:
    """The value of a measurement, and its Jacobian times a tangent: forward differentiation.

    Parameters
    ----------
    circuit, measurement, params, backend, precision, threads, max_memory
        As for `vjp`.
    tangent : dict or array_like
        A direction in the space of the parameters: an array with a column for each parameter (of `wrt`, if
        given), or a dict in which parameters left out have 0. Without a batch axis it serves all rows.
    wrt : str, Parameter, ParameterVector or a sequence of these, optional
        What the columns of an array are.

    Returns
    -------
    value, derivative : float, complex or ndarray
        Of equal shapes.

    Notes
    -----
    One run of a state of one qubit more, the dual state: about two runs of the circuit, however many
    parameters the tangent moves.

    Examples
    --------
    >>> from qsim.parameters import ParameterVector
    >>> t = ParameterVector("t", 2)
    >>> circuit = Circuit(1).rx(t[0], 0).rx(t[1], 0)
    >>> value, slope = jvp(circuit, "Z0", [0.2, 0.3], [1.0, 1.0])
    >>> round(value, 6), round(slope, 6)
    (0.877583, -0.958851)
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).jvp(
        circuit, measurement, params, tangent, wrt=wrt
    )


def hvp(
    circuit: Circuit,
    measurement: Any,
    params: Any,
    vector: Any,
    *,
    wrt: Any = None,
    cotangent: Any = None,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> Any:
    """The Hessian of a measurement times a vector: the derivative of the gradient along a direction.

    Parameters
    ----------
    circuit, measurement, params, wrt, backend, precision, threads, max_memory
        As for `vjp`.
    vector : dict or array_like
        As the tangent of `jvp`.
    cotangent : array_like, optional
        Differentiate the sum of the value times this, as `vjp` does, instead of each number of the value.

    Returns
    -------
    ndarray or dict
        As the gradient of `qsim.value_and_gradient`.

    Notes
    -----
    Exact, by forward over adjoint: the state and its derivative along the vector run forwards as the two
    halves of a state of one qubit more, and so do they and their cotangents backwards. The time of
    about five gradients, whatever the number of parameters.

    Examples
    --------
    >>> from qsim.parameters import ParameterVector
    >>> t = ParameterVector("t", 2)
    >>> circuit = Circuit(1).rx(t[0], 0).rx(t[1], 0)
    >>> hvp(circuit, "Z0", [0.2, 0.3], [1.0, 0.0]).round(6)
    array([-0.877583, -0.877583])
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).hvp(
        circuit, measurement, params, vector, wrt=wrt, cotangent=cotangent
    )


def hessian(
    circuit: Circuit,
    measurement: Any,
    params: Any = None,
    *,
    wrt: Any = None,
    cotangent: Any = None,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> Any:
    """Second derivatives of a measurement by the parameters.

    Parameters
    ----------
    circuit, measurement, params, wrt, backend, precision, threads, max_memory
        As for `vjp`.
    cotangent : array_like, optional
        As for `hvp`.

    Returns
    -------
    ndarray or dict
        With S the shape of the value (of a row, if `cotangent` is given): for an array of `params` of shape
        S + (num_parameters, num_parameters), symmetric; for a dict a dict of dicts, ``hessian[a][b]`` of
        shape S, with (length of a,) and (length of b,) behind for vectors.

    Notes
    -----
    Exact. The tangents of all gates by shifts of their angles, and one sweep back for all of them: the time
    of about one gradient for each parameter, with memory for as many states. Where that does not serve
    (generators that depend on their angles, very many gates or big states) one `hvp` for each parameter, as
    one batch, in the memory of a few states. Parameters that occur several times, and expressions, follow
    the chain rule of second order.

    Examples
    --------
    >>> from qsim.parameters import Parameter, arctan
    >>> x = Parameter("x")
    >>> hessian(Circuit(1).rx(arctan(x), 0), "Z0", {"x": 1.0})["x"]["x"].__round__(6)
    0.176777
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).hessian(
        circuit, measurement, params, wrt=wrt, cotangent=cotangent
    )
