"""Bad arguments of the answers: module-level functions, Simulator and Program; on every backend."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from badinput_helpers import Case, cases, check_case, each_case

import qsim
from qsim.circuit import Circuit
from qsim.errors import (
    ArgumentError,
    BackendError,
    CircuitError,
    GradientError,
    MemoryBudgetError,
    ObservableError,
    ParameterError,
    QubitError,
    StateError,
    UnboundParameterError,
)
from qsim.testing import random_state

NAN, INF = math.nan, math.inf
THETA = qsim.Parameter("theta")
VECTOR = qsim.ParameterVector("x", 3)


@pytest.fixture(autouse=True)
def _on_each_backend(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QSIM_BACKEND", backend)
    qsim.statevector(bell())  # Numba and its kernels are loaded outside what is measured


def bell() -> Circuit:
    return Circuit(2).h(0).cx(0, 1)


def one() -> Circuit:
    return Circuit(1).rx(THETA, 0)


def three() -> Circuit:
    return Circuit(1).u(*VECTOR, 0)


def logarithm() -> Circuit:
    return Circuit(1).rx(qsim.log(qsim.Parameter("a")), 0)


def random_one() -> Circuit:
    return Circuit(1, 1).h(0).measure(0, 0).h(0)


def state(circuit, params=None, **options):
    return lambda: qsim.statevector(circuit, params, **options)


def mean(observable, circuit=None, params=None, **options):
    return lambda: qsim.expectation(circuit or bell(), observable, params, **options)


def draw(**options):
    return lambda: qsim.sample(bell(), **{"shots": 10, **options})


def start(initial, **options):
    return lambda: qsim.statevector(bell(), initial_state=initial, **options)


PARAMS = cases(
    ("params-missing", state(one()), UnboundParameterError, "none for `theta`"),
    ("params-nan", state(one(), [NAN]), ParameterError, "Parameter `theta` must be finite, but is nan"),
    ("params-inf", state(one(), [INF]), ParameterError, "Parameter `theta` must be finite, but is inf"),
    ("params-array-nan", state(one(), np.array([NAN])), ParameterError, "Parameter `theta` must be finite"),
    ("params-array-inf", mean("Z0", one(), np.array([-INF])), ParameterError, "Parameter `theta` must be"),
    (
        "params-batch-nan",
        state(three(), np.array([[0, 0, 0], [0, NAN, 0]])),
        ParameterError,
        "Parameter `x[1]` must be finite, but is nan in row 1",
    ),
    ("params-overflow", mean("Z0", one(), [10**400]), TypeError, "Parameter `params` must be real numbers"),
    (
        "params-shape",
        state(three(), [1.0, 2.0]),
        ParameterError,
        "Argument `params` must have shape (3,) or (batch, 3), but has shape (2,)",
    ),
    ("params-scalar", state(three(), 1.0), ParameterError, "Argument `params` must have shape (3,)"),
    ("params-empty", state(one(), []), ParameterError, "Argument `params` must have shape (1,)"),
    ("params-transposed", state(three(), np.zeros((3, 2))), ParameterError, "but has shape (3, 2)"),
    ("params-3d", state(one(), np.zeros((2, 2, 1))), ParameterError, "but has shape (2, 2, 1)"),
    ("params-ragged", state(three(), [[1.0, 2, 3], [1.0]]), ParameterError, "Parameter `params` must be"),
    ("params-bool", state(one(), [True]), TypeError, "Parameter `params` must be real numbers"),
    ("params-bool-array", state(one(), np.array([True])), TypeError, "Parameter `params` must be real"),
    ("params-str", state(one(), "a"), TypeError, "Parameter `params` must be real numbers"),
    ("params-str-array", state(one(), ["a"]), TypeError, "Parameter `params` must be real numbers"),
    ("params-objects", state(one(), [None]), TypeError, "Parameter `params` must be real numbers"),
    ("params-complex", state(one(), [1j]), TypeError, "Parameter `params` must be real numbers"),
    ("params-generator", state(one(), (x for x in [1.0])), TypeError, "Parameter `params` must be real"),
    ("params-of-none", state(bell(), [1.0]), ParameterError, "Argument `params` must have shape (0,)"),
    ("dict-unknown", state(one(), {"thta": 1.0}), ParameterError, "Did you mean `theta`?"),
    ("dict-unknown-none", state(bell(), {"a": 1.0}), ParameterError, "whose parameters are: none"),
    ("dict-key-int", state(one(), {0: 1.0}), TypeError, "must have names as keys"),
    ("dict-key-none", state(one(), {None: 1.0}), TypeError, "must have names as keys"),
    ("dict-missing", state(three(), {}), UnboundParameterError, "none for `x[0]`, `x[1]`, `x[2]`"),
    ("dict-nan", state(one(), {"theta": NAN}), ParameterError, "Parameter `theta` must be finite"),
    ("dict-none", state(one(), {"theta": None}), TypeError, "Parameter `theta` must be real numbers"),
    ("dict-str", state(one(), {"theta": "1"}), TypeError, "Parameter `theta` must be real numbers"),
    ("dict-bool", state(one(), {"theta": True}), TypeError, "Parameter `theta` must be real numbers"),
    (
        "dict-2d",
        state(one(), {"theta": np.zeros((2, 1))}),
        ParameterError,
        "Parameter `theta` must have shape",
    ),
    ("dict-vector-scalar", state(three(), {"x": 1.0}), ParameterError, "Parameter `x` must have shape (3,)"),
    ("dict-vector-length", state(three(), {"x": np.zeros(4)}), ParameterError, "but has shape (4,)"),
    ("dict-vector-ragged", state(three(), {"x": [[1.0], [1.0, 2]]}), ParameterError, "Parameter `x` must be"),
    (
        "dict-batches",
        state(one().rx(qsim.Parameter("b"), 0), {"theta": np.zeros(2), "b": np.zeros(3)}),
        ParameterError,
        "Parameter `b` has a batch of 3, but `theta` has one of 2",
    ),
    ("division", state(Circuit(1).rx(1 / THETA, 0), [0.0]), ParameterError, "must be finite, but is inf"),
    ("logarithm", mean("Z0", Circuit(1).rx(qsim.log(THETA), 0), [-1.0]), ParameterError, "but is nan"),
    ("scale", state(Circuit(1).rx(1e308 * THETA, 0), [10.0]), ParameterError, "must be finite, but is inf"),
    (
        "scale-array",
        state(Circuit(1).rx(1e308 * THETA, 0), np.array([10.0])),
        ParameterError,
        "must be finite",
    ),
    ("scale-mean", mean("Z0", Circuit(1).rx(1e308 * THETA, 0), [10.0]), ParameterError, "must be finite"),
)

OBSERVABLES = cases(
    ("observable-none", mean(None), TypeError, "Argument `observable` must be an observable"),
    ("observable-int", mean(3), TypeError, "An observable must be a PauliSum"),
    ("observable-nan", mean(NAN), TypeError, "An observable must be a PauliSum"),
    ("observable-list-none", mean([None]), TypeError, "An observable must be a PauliSum"),
    ("observable-circuit", mean(bell()), TypeError, "An observable must be a PauliSum"),
    ("observable-label", mean("Q0"), ObservableError, "Q"),
    ("observable-empty-list", mean([]), ObservableError, "must hold at least one observable, but is empty"),
    (
        "expression-row",
        lambda: qsim.sample(logarithm(), {"a": [1.0, 2.0, -1.0]}, shots=2, seed=1),
        ParameterError,
        "in row 2 of the values",
    ),
    (
        "expression-row-distribution",
        lambda: qsim.distribution(logarithm(), {"a": [1.0, -1.0]}),
        ParameterError,
        "in row 1 of the values",
    ),
    ("initial-zero-plain", start(np.zeros(4)), StateError, "must have norm 1, but is zero"),
    ("initial-zero-row", start([[1, 0, 0, 0], [0, 0, 0, 0]]), StateError, "but is zero in row 1"),
    ("observable-qubit", mean("Z2"), QubitError, "Qubit 2"),
    ("observable-complex", mean({"Z0": 1j}), ObservableError, "Hermitian"),
    ("observable-nan-term", mean({"Z0": NAN}), ObservableError, "must be finite"),
    ("observable-matrix", mean(np.array([[0, 1], [0, 0]])), ObservableError, "must be Hermitian"),
    ("observable-matrix-nan", mean(np.full((2, 2), NAN)), ObservableError, "must be finite"),
    ("observable-matrix-shape", mean(np.eye(3)), ObservableError, "must have shape (2**k, 2**k)"),
    ("observable-matrix-large", mean(np.eye(8)), QubitError, "Qubit 2"),
    ("observable-empty-array", mean(np.array([])), ObservableError, "must have shape (2**k, 2**k)"),
    ("variance-none", lambda: qsim.variance(bell(), None), TypeError, "Argument `observable` must be"),
    ("compile-observable", lambda: qsim.compile(bell(), "Z5"), QubitError, "Qubit 5"),
    ("program-without", lambda: qsim.compile(bell()).expectation(), ArgumentError, "without observables"),
    ("variance-without", lambda: qsim.compile(bell()).variance(), ArgumentError, "without observables"),
    ("with-observables", lambda: qsim.compile(bell()).with_observables("X9"), QubitError, "Qubit 9"),
)

STATES = cases(
    ("initial-norm", start([1, 1, 0, 0]), StateError, "Argument `initial_state` must have norm 1"),
    ("initial-hint", start([2, 0, 0, 0]), StateError, "Pass normalize=True"),
    (
        "initial-zero",
        start(np.zeros(4), normalize=True),
        StateError,
        "Argument `initial_state` must have norm 1",
    ),
    ("initial-nan", start([NAN, 0, 0, 1]), StateError, "Argument `initial_state` must be finite"),
    (
        "initial-inf",
        start([INF, 0, 0, 1], normalize=True),
        StateError,
        "Argument `initial_state` must be finite",
    ),
    ("initial-imaginary-nan", start([1j * NAN, 0, 0, 1]), StateError, "`initial_state` must be finite"),
    ("initial-short", start([1, 0]), StateError, "must have shape (4,) or (batch, 4), but has shape (2,)"),
    ("initial-scalar", start(1.0), StateError, "Argument `initial_state` must have shape (4,)"),
    ("initial-empty", start([]), StateError, "Argument `initial_state` must have shape (4,)"),
    ("initial-no-rows", start(np.zeros((0, 4))), StateError, "Argument `initial_state` must have shape (4,)"),
    ("initial-tensor", start(np.zeros((2, 2))), StateError, "Argument `initial_state` must have shape (4,)"),
    ("initial-3d", start(np.zeros((1, 1, 4))), StateError, "Argument `initial_state` must have shape (4,)"),
    ("initial-ragged", start([[1, 0, 0, 0], [1]]), StateError, "Argument `initial_state` must"),
    ("initial-str", start("1000"), TypeError, "Argument `initial_state` must be complex numbers"),
    (
        "initial-bool",
        start([True, False, False, False]),
        TypeError,
        "Argument `initial_state` must be complex",
    ),
    ("initial-objects", start([None] * 4), TypeError, "Argument `initial_state` must be complex numbers"),
    ("initial-dict", start({"00": 1.0}), TypeError, "Argument `initial_state` must be complex numbers"),
    (
        "initial-row-norm",
        start(np.array([[1, 0, 0, 0], [1, 1, 0, 0]])),
        StateError,
        "Argument `initial_state` must have norm 1, but has norm 1.41421",
    ),
    (
        "initial-batches",
        lambda: qsim.statevector(one(), np.zeros((3, 1)), initial_state=np.eye(2)),
        ArgumentError,
        "Parameters have a batch of 3, but initial states one of 2",
    ),
    (
        "initial-amplitudes",
        lambda: qsim.amplitudes(bell(), "00", initial_state=[1, 1, 0, 0]),
        StateError,
        "norm 1",
    ),
    ("initial-sample", draw(initial_state=[1, 1, 0, 0]), StateError, "must have norm 1"),
    ("initial-mean", mean("Z0", initial_state=[1, 1, 0, 0]), StateError, "must have norm 1"),
    (
        "initial-distribution",
        lambda: qsim.distribution(bell(), initial_state=[NAN, 1, 0, 0]),
        StateError,
        "must be finite",
    ),
)

SAMPLES = cases(
    ("shots-zero", draw(shots=0), ArgumentError, "Argument `shots` must be at least 1, but is 0"),
    ("shots-negative", draw(shots=-5), ArgumentError, "Argument `shots` must be at least 1"),
    ("shots-float", draw(shots=10.0), TypeError, "Argument `shots` must be an int"),
    ("shots-nan", draw(shots=NAN), TypeError, "Argument `shots` must be an int"),
    ("shots-bool", draw(shots=True), TypeError, "Argument `shots` must be an int"),
    ("shots-none", draw(shots=None), TypeError, "Argument `shots` must be an int"),
    ("shots-str", draw(shots="10"), TypeError, "Argument `shots` must be an int"),
    ("shots-2**40", draw(shots=2**40), MemoryBudgetError, "Argument `shots` is 1099511627776"),
    ("shots-2**80", draw(shots=2**80), MemoryBudgetError, "Argument `shots` is 12089258196146291747"),
    (
        "shots-2**40-branching",
        lambda: qsim.sample(random_one().measure(0, 0), shots=2**40),
        MemoryBudgetError,
        "Argument `shots`",
    ),
    ("seed-negative", draw(seed=-1), ArgumentError, "Argument `seed` must not be negative"),
    ("seed-float", draw(seed=1.0), TypeError, "Argument `seed` must be None, an int"),
    ("seed-nan", draw(seed=NAN), TypeError, "Argument `seed` must be None, an int"),
    ("seed-bool", draw(seed=True), TypeError, "Argument `seed` must be None, an int"),
    ("seed-str", draw(seed="seed"), TypeError, "Argument `seed` must be None, an int"),
    ("seed-list", draw(seed=[1, 2]), TypeError, "Argument `seed` must be None, an int"),
    ("seed-legacy", draw(seed=np.random.RandomState(0)), TypeError, "Argument `seed` must be None, an int"),
    (
        "simulator-seed",
        lambda: qsim.Simulator(seed=-1),
        ArgumentError,
        "Argument `seed` must not be negative",
    ),
    ("sample-missing", lambda: qsim.sample(one(), shots=1), UnboundParameterError, "`theta`"),
)


def program_apply(states, params=None):
    return lambda: qsim.compile(bell()).apply(states, params)


def readonly() -> np.ndarray:
    out = np.array([1, 0, 0, 0], dtype=complex)
    out.flags.writeable = False
    return out


APPLY = cases(
    ("apply-list", program_apply([1, 0, 0, 0]), StateError, "Argument `states` must be a C-contiguous"),
    ("apply-none", program_apply(None), StateError, "Argument `states` must be a C-contiguous"),
    ("apply-dtype", program_apply(np.array([1.0, 0, 0, 0])), StateError, "of dtype float64"),
    ("apply-single", program_apply(np.zeros(4, np.complex64)), StateError, "of dtype complex64"),
    ("apply-strided", program_apply(np.zeros(8, complex)[::2]), StateError, "not contiguous"),
    ("apply-fortran", program_apply(np.zeros((2, 4), complex, order="F")), StateError, "not contiguous"),
    ("apply-read-only", program_apply(readonly()), StateError, "read-only"),
    ("apply-big-endian", program_apply(np.zeros(4, ">c16")), StateError, "of dtype >c16"),
    ("apply-shape", program_apply(np.zeros(8, complex)), StateError, "shape (8,)"),
    (
        "apply-params",
        program_apply(np.zeros(4, complex), [1.0]),
        ParameterError,
        "Argument `params` must have",
    ),
    (
        "apply-rows",
        lambda: qsim.compile(one()).apply(np.zeros((2, 2), complex), np.zeros((3, 1))),
        ArgumentError,
        "Parameters have a batch of 3, but there are 2 states",
    ),
    (
        "apply-random",
        lambda: qsim.compile(random_one()).apply(np.array([1, 0], complex)),
        CircuitError,
        "needs a circuit whose state is not random",
    ),
)

READ_OUT = cases(
    ("statevector-random", state(random_one()), CircuitError, "A state vector needs a circuit whose state"),
    ("probabilities-large", lambda: qsim.probabilities(bell(), qubits=[2]), QubitError, "Qubit 2 is out of"),
    ("probabilities-negative", lambda: qsim.probabilities(bell(), qubits=-1), QubitError, "Qubit -1 is out"),
    ("probabilities-twice", lambda: qsim.probabilities(bell(), qubits=[0, 0]), QubitError, "named twice"),
    (
        "probabilities-bool",
        lambda: qsim.probabilities(bell(), qubits=True),
        TypeError,
        "Qubit must be an int",
    ),
    ("probabilities-str", lambda: qsim.probabilities(bell(), qubits="01"), TypeError, "Qubit must be an int"),
    ("probabilities-float", lambda: qsim.probabilities(bell(), qubits=[0.0]), TypeError, "Qubit must be an"),
    ("amplitudes-length", lambda: qsim.amplitudes(bell(), ["0"]), ArgumentError, "must have 2 characters"),
    ("amplitudes-letters", lambda: qsim.amplitudes(bell(), "0a"), ArgumentError, "'a' at position 1"),
    ("amplitudes-range", lambda: qsim.amplitudes(bell(), [4]), ArgumentError, "must be below 4, but is 4"),
    ("amplitudes-huge", lambda: qsim.amplitudes(bell(), [2**64]), ArgumentError, "must be below 4"),
    ("amplitudes-negative", lambda: qsim.amplitudes(bell(), -1), ArgumentError, "Argument `bitstrings` must"),
    ("amplitudes-float", lambda: qsim.amplitudes(bell(), [0.0]), TypeError, "Argument `bitstrings` must be"),
    ("amplitudes-bool", lambda: qsim.amplitudes(bell(), [True]), TypeError, "Argument `bitstrings` must be"),
    ("amplitudes-none", lambda: qsim.amplitudes(bell(), None), TypeError, "Argument `bitstrings` must be"),
    ("amplitudes-real", lambda: qsim.amplitudes(bell(), 1.5), TypeError, "Argument `bitstrings` must be"),
    ("density-large", lambda: qsim.density_matrix(bell(), [5]), QubitError, "Qubit 5 is out of range"),
    ("density-memory", lambda: qsim.density_matrix(Circuit(20)), MemoryBudgetError, "density matrix"),
    ("purity-none-there", lambda: qsim.purity(bell(), [2]), QubitError, "Qubit 2 is out of range"),
    ("purity-str", lambda: qsim.purity(bell(), "0"), TypeError, "Qubit must be an int"),
    (
        "entropy-base-one",
        lambda: qsim.von_neumann_entropy(bell(), 0, base=1),
        ArgumentError,
        "`base` must be",
    ),
    (
        "entropy-base-zero",
        lambda: qsim.von_neumann_entropy(bell(), 0, base=0),
        ArgumentError,
        "`base` must be",
    ),
    ("entropy-base-nan", lambda: qsim.von_neumann_entropy(bell(), 0, base=NAN), ArgumentError, "`base` must"),
    ("entropy-base-inf", lambda: qsim.von_neumann_entropy(bell(), 0, base=INF), ArgumentError, "`base` must"),
    ("entropy-base-str", lambda: qsim.von_neumann_entropy(bell(), 0, base="2"), TypeError, "`base` must be"),
    (
        "entropy-base-bool",
        lambda: qsim.von_neumann_entropy(bell(), 0, base=True),
        TypeError,
        "`base` must be",
    ),
    ("renyi-alpha-negative", lambda: qsim.renyi_entropy(bell(), 0, alpha=-1), ArgumentError, "`alpha` must"),
    ("renyi-alpha-nan", lambda: qsim.renyi_entropy(bell(), 0, alpha=NAN), ArgumentError, "`alpha` must be"),
    ("renyi-alpha-str", lambda: qsim.renyi_entropy(bell(), 0, alpha="2"), TypeError, "`alpha` must be"),
    ("renyi-alpha-none", lambda: qsim.renyi_entropy(bell(), 0, alpha=None), TypeError, "`alpha` must be"),
    (
        "mutual-shared",
        lambda: qsim.mutual_information(bell(), 0, [0, 1]),
        ArgumentError,
        "must share no qubit",
    ),
    ("mutual-none", lambda: qsim.mutual_information(bell(), None, 1), TypeError, "must be an int or several"),
    ("mutual-large", lambda: qsim.mutual_information(bell(), 0, 3), QubitError, "Qubit 3 is out of range"),
    ("mutual-bool", lambda: qsim.mutual_information(bell(), True, 0), TypeError, "must be an int"),
    ("inner-sizes", lambda: qsim.inner_product(bell(), one(), None, [1.0]), ArgumentError, "have 2 and 1"),
    ("inner-none", lambda: qsim.inner_product(None, bell()), TypeError, "Argument `first` must be a Circuit"),
    ("inner-second", lambda: qsim.inner_product(bell(), 3), TypeError, "Argument `second` must be a Circuit"),
    (
        "inner-random",
        lambda: qsim.inner_product(random_one(), one(), None, [1.0]),
        CircuitError,
        "not random",
    ),
    (
        "inner-batches",
        lambda: qsim.inner_product(one(), one(), np.zeros((2, 1)), np.zeros((3, 1))),
        ArgumentError,
        "batch of 2",
    ),
    ("fidelity-missing", lambda: qsim.fidelity(one(), one()), UnboundParameterError, "`theta`"),
    (
        "fidelity-list",
        lambda: qsim.fidelity([bell()], bell()),
        TypeError,
        "Argument `first` must be a Circuit",
    ),
)

CIRCUITS = cases(
    *[
        (f"circuit-{kind}-{function.__name__}", call, TypeError, "Argument `circuit` must be a Circuit")
        for kind, circuit in (
            ("none", None),
            ("int", 3),
            ("str", "h q[0];"),
            ("list", [1]),
            ("class", Circuit),
        )
        for function, call in (
            (qsim.statevector, lambda c=circuit: qsim.statevector(c)),
            (qsim.expectation, lambda c=circuit: qsim.expectation(c, "Z0")),
            (qsim.sample, lambda c=circuit: qsim.sample(c, shots=1)),
            (qsim.compile, lambda c=circuit: qsim.compile(c)),
            (qsim.purity, lambda c=circuit: qsim.purity(c, 0)),
        )
    ]
)

CHOICES = cases(
    ("backend-unknown", state(bell(), backend="gpu"), BackendError, "Argument `backend` must be one of cpp"),
    ("backend-empty", state(bell(), backend=""), BackendError, "Argument `backend` must be one of cpp"),
    ("backend-int", state(bell(), backend=3), TypeError, "Argument `backend` must be a str"),
    ("backend-list", state(bell(), backend=["cpp"]), TypeError, "Argument `backend` must be a str"),
    ("backend-simulator", lambda: qsim.Simulator("qpu"), BackendError, "Argument `backend` must be one of"),
    ("precision-unknown", state(bell(), precision="half"), ArgumentError, "Argument `precision` must be"),
    ("precision-empty", state(bell(), precision=""), ArgumentError, "Argument `precision` must be 'double'"),
    ("precision-type", state(bell(), precision=np.complex64), TypeError, "Argument `precision` must be"),
    ("precision-int", state(bell(), precision=64), TypeError, "Argument `precision` must be 'double'"),
    ("threads-zero", state(bell(), threads=0), ArgumentError, "Argument `threads` must be at least 1"),
    ("threads-negative", state(bell(), threads=-1), ArgumentError, "Argument `threads` must be at least 1"),
    ("threads-huge", state(bell(), threads=10**6), ArgumentError, "Argument `threads` must be at most 4096"),
    ("threads-float", state(bell(), threads=2.0), TypeError, "Argument `threads` must be an int"),
    ("threads-bool", state(bell(), threads=True), TypeError, "Argument `threads` must be an int"),
    ("threads-str", state(bell(), threads="2"), TypeError, "Argument `threads` must be an int"),
    ("simulator-threads", lambda: qsim.Simulator(threads=0), ArgumentError, "Argument `threads` must be"),
    ("compile-precision", lambda: qsim.compile(bell(), precision="x"), ArgumentError, "Argument `precision`"),
)


def slope(circuit, **options):
    return lambda: qsim.value_and_gradient(circuit, "Z0", [0.1], **options)


def random_rotation() -> Circuit:
    return Circuit(1, 1).rx(THETA, 0).measure(0, 0).if_else((0, 1), Circuit(1, 1).h(0))


GRADIENTS = cases(
    (
        "adjoint of a circuit that branches",
        slope(random_rotation()),
        GradientError,
        "`measure` of qubit 0 before its end",
    ),
    (
        "parameter shift of a circuit that branches",
        slope(random_rotation(), method="parameter_shift"),
        GradientError,
        "Use method='finite_difference'",
    ),
    ("gradient by an unknown method", slope(one(), method="magic"), ArgumentError, "Argument `method`"),
    ("gradient by an unknown parameter", slope(one(), wrt="b"), ParameterError, "Parameter `b`"),
    ("gradient of NaN", lambda: qsim.hessian(one(), "Z0", [np.nan]), ParameterError, "must be finite"),
    ("shots of none", slope(one(), method="spsa", shots=0), ArgumentError, "Argument `shots`"),
    ("shots as text", slope(one(), method="spsa", shots="9"), TypeError, "Argument `shots`"),
    ("shots by adjoint", slope(one(), shots=9), ArgumentError, "Argument `shots`"),
    ("seed as text", slope(one(), method="spsa", seed="x"), TypeError, "Argument `seed`"),
    ("seed below zero", slope(one(), method="spsa", seed=-1), ArgumentError, "Argument `seed`"),
    (
        "directions as a float",
        slope(one(), method="spsa", directions=2.0),
        TypeError,
        "Argument `directions`",
    ),
    ("step of infinity", slope(one(), method="spsa", step=np.inf), ArgumentError, "Argument `step`"),
    ("cotangent of NaN", lambda: qsim.vjp(one(), "Z0", [0.1], np.nan), ArgumentError, "Argument `cotangent`"),
    (
        "cotangent too long",
        lambda: qsim.vjp(one(), "Z0", [0.1], [1, 2]),
        ArgumentError,
        "Argument `cotangent`",
    ),
    ("cotangent as bool", lambda: qsim.vjp(one(), "Z0", [0.1], True), TypeError, "Argument `cotangent`"),
    ("cotangent of None", lambda: qsim.vjp(one(), "Z0", [0.1], None), TypeError, "Argument `cotangent`"),
    ("tangent of NaN", lambda: qsim.jvp(one(), "Z0", [0.1], [np.nan]), ArgumentError, "Argument `tangent`"),
    ("tangent too long", lambda: qsim.jvp(one(), "Z0", [0.1], [1, 2]), ArgumentError, "Argument `tangent`"),
    ("tangent of another name", lambda: qsim.jvp(one(), "Z0", [0.1], {"b": 1.0}), ParameterError, "`b`"),
    ("vector as text", lambda: qsim.hvp(one(), "Z0", [0.1], "x"), TypeError, "Argument `vector`"),
    ("vector ragged", lambda: qsim.hvp(one(), "Z0", [0.1], [[1], [1, 2]]), TypeError, "Argument `vector`"),
    ("no measurement", lambda: qsim.vjp(one(), None, [0.1], 1.0), TypeError, "None"),
    (
        "measured qubit out of range",
        lambda: qsim.gradient(one(), qsim.measurements.Probabilities([9]), [0.1]),
        QubitError,
        "9 is out of range",
    ),
    (
        "target of NaN",
        lambda: qsim.measurements.Fidelity([np.nan, 1]),
        ArgumentError,
        "Argument `states`",
    ),
    ("target of zero", lambda: qsim.measurements.Overlap([0, 0]), StateError, "norm 1"),
    (
        "unknown approximation",
        lambda: qsim.quantum_fisher(one(), [0.1], approximation="blocks"),
        ArgumentError,
        "Argument `approximation`",
    ),
)
CASES = GRADIENTS + PARAMS + OBSERVABLES + STATES + SAMPLES + APPLY + READ_OUT + CIRCUITS + CHOICES


@each_case(CASES)
def test_refused(case: Case) -> None:
    check_case(case)


def test_nothing_of_a_program_can_be_set() -> None:
    program = qsim.compile(one())
    for same in (program, program.with_observables("Z0"), pickle.loads(pickle.dumps(program))):
        for name in ("threads", "observables", "anything"):
            with pytest.raises(AttributeError, match=f"A Program cannot change, so `{name}` cannot be set"):
                setattr(same, name, 3)


def test_a_program_works_on_after_errors() -> None:
    program = qsim.compile(one(), "Z0")
    wanted = program.expectation([0.3])
    for bad in ([NAN], [1.0, 2.0], {"b": 1.0}, None):
        with pytest.raises(ParameterError):
            program.expectation(bad)
    assert program.expectation([0.3]) == wanted


def test_normalize_reaches_every_answer() -> None:
    twice = 2 * random_state(2, 5)
    unit = twice / np.linalg.norm(twice)
    options = {"initial_state": twice, "normalize": True}
    circuit = bell()
    wanted = qsim.statevector(circuit, initial_state=unit)
    np.testing.assert_allclose(qsim.statevector(circuit, **options), wanted, atol=1e-14)
    np.testing.assert_allclose(qsim.amplitudes(circuit, [0, 1, 2, 3], **options), wanted, atol=1e-14)
    np.testing.assert_allclose(qsim.probabilities(circuit, **options), abs(wanted) ** 2, atol=1e-14)
    assert sum(qsim.distribution(circuit, **options).values()) == pytest.approx(1)
    assert abs(qsim.expectation(circuit, "Z0", **options)) <= 1
    assert np.trace(qsim.density_matrix(circuit, **options)) == pytest.approx(1)
