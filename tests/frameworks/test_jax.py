"""`qsim.jax` against finite differences, loops and the functions of qsim itself; needs JAX."""

from __future__ import annotations

import functools
import gc

import numpy as np
import pytest

import qsim
from qsim import measurements
from qsim.errors import ArgumentError, GradientError, ParameterError
from qsim.testing import random_circuit

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

import qsim.jax as qj  # noqa: E402
from qsim.jax import foreign, primitives  # noqa: E402
from qsim.jax.columns import angles, is_traceable  # noqa: E402
from qsim.jax.questions import FUNCTIONS, Question  # noqa: E402

x, w = qsim.ParameterVector("x", 2), qsim.ParameterVector("w", 3)
a = qsim.Parameter("a")
CIRCUIT = (
    qsim.Circuit(3)
    .ry(x[0], 0)
    .ry(x[1], 1)
    .cx(0, 1)
    .ry(w[0], 0)
    .ry(w[1] * x[0], 1)
    .rz(w[2], 1)
    .rx(a, 2)
    .cx(2, 0)
)
OBSERVABLES = (["Z0"], ["Z0", "X1", "Z0 Z1"])
CASES = [
    case
    for case in ((OBSERVABLES[0], "cpp"), (OBSERVABLES[1], "cpp"), (OBSERVABLES[1], "numba"))
    if case[1] in qsim.available_backends()
]
needs_core = pytest.mark.skipif(
    qsim.compile(CIRCUIT).backend != "cpp", reason="compiled functions call back where the core is not used"
)
#: One line of the compiled function for each call of the core; callbacks are calls of Python.
CORE, CALLBACK = "@qsim_", "callback"


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def arrays(batch=4, dtype=None):
    rng = np.random.default_rng(0)
    shapes = {"x": (batch, 2), "w": (3,), "a": ()}
    return {k: jnp.asarray(rng.uniform(-2, 2, s), dtype=dtype) for k, s in shapes.items()}


def function(observables, **options):
    return qj.function(CIRCUIT, observables, ("x", "w", "a"), **options)


def lowered(f, *args):
    return jax.jit(f).lower(*args).as_text()


@pytest.mark.parametrize(("observables", "backend"), CASES, ids=str)
def test_values_and_gradients(observables, backend):
    named = arrays()
    f = function(observables, backend=backend)
    wanted, slopes = qsim.value_and_gradient(
        CIRCUIT, observables, {k: np.asarray(v) for k, v in named.items()}, backend=backend
    )
    for make in (lambda f: f, jax.jit):
        np.testing.assert_allclose(make(f)(*named.values()), wanted, atol=1e-13)
        by_x, by_w, by_a = make(jax.grad(lambda *p: f(*p).sum(), (0, 1, 2)))(*named.values())
        np.testing.assert_allclose(by_x, slopes["x"].sum(1), atol=1e-13)
        np.testing.assert_allclose(by_w, slopes["w"].sum((0, 1)), atol=1e-13)
        np.testing.assert_allclose(by_a, slopes["a"].sum(), atol=1e-13)


@pytest.mark.parametrize("observables", OBSERVABLES, ids=len)
@pytest.mark.parametrize("mapped", [False, True])
def test_derivatives_by_jaxs_own_check(observables, mapped):
    f = function(observables)
    f = jax.jit(jax.vmap(f, (0, None, None)) if mapped else f)
    check_grads(f, tuple(arrays(2).values()), order=2, modes=["rev", "fwd"])


@pytest.mark.parametrize(("observables", "backend"), CASES, ids=str)
def test_every_way_to_second_derivatives(observables, backend):
    named = arrays()
    f = function(observables, backend=backend)

    def total(w):
        return f(named["x"], w, named["a"]).sum()

    at = {k: np.asarray(v) for k, v in named.items()}
    second = qsim.hessian(CIRCUIT, observables, at, wrt="w", backend=backend)["w"]["w"].sum((0, 1))
    for outer in (jax.jacfwd, jax.jacrev):
        for inner in (jax.jacfwd, jax.jacrev):
            np.testing.assert_allclose(outer(inner(total))(named["w"]), second, atol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.hessian(total))(named["w"]), second, atol=1e-12)
    along = jax.jvp(jax.grad(total), (named["w"],), (jnp.ones(3),))[1]
    np.testing.assert_allclose(along, second.sum(1), atol=1e-12)


def test_transforms_equal_loops():
    named = arrays()
    f = function(["Z0", "X1", "Z0 Z1"])

    def row(x):
        return f(x, named["w"], named["a"])

    np.testing.assert_allclose(jax.vmap(row)(named["x"]), [row(r) for r in named["x"]], atol=1e-14)
    np.testing.assert_allclose(
        jax.jit(jax.vmap(jax.jacrev(row)))(named["x"]), [jax.jacfwd(row)(r) for r in named["x"]], atol=1e-13
    )
    columns = jax.vmap(row, in_axes=1, out_axes=1)(named["x"].T)
    np.testing.assert_allclose(columns.T, jax.vmap(row)(named["x"]), atol=1e-14)
    many = jax.vmap(lambda w: jax.vmap(lambda x: f(x, w, named["a"]))(named["x"]))(
        jnp.stack([named["w"]] * 2)
    )
    np.testing.assert_allclose(many[1], jax.vmap(row)(named["x"]), atol=1e-14)
    scanned = jax.lax.scan(lambda c, r: (c, row(r)), 0, named["x"])[1]
    np.testing.assert_allclose(scanned, jax.vmap(row)(named["x"]), atol=1e-14)


@needs_core
@pytest.mark.parametrize("observables", OBSERVABLES, ids=len)
def test_compiled_functions_call_no_python(observables):
    f, named = function(observables), arrays(64)
    total = jax.grad(lambda w, x: f(x, w, 0.1).sum())
    for text in (
        lowered(f, *named.values()),
        lowered(jax.vmap(f, (0, None, None)), *named.values()),
        lowered(total, named["w"], named["x"]),
        lowered(jax.jacfwd(total), named["w"], named["x"]),
        lowered(jax.jacfwd(jax.jacfwd(lambda w: f(named["x"], w, 0.1).sum())), named["w"]),
    ):
        assert CORE in text and CALLBACK not in text
    text = lowered(jax.vmap(f, (0, None, None)), *named.values())
    assert text.count(CORE) == 1 and "tensor<64x7xf64>" in text.split(CORE)[1]  # the batch in one call


def test_what_the_core_cannot_do_alone_calls_back():
    named = arrays()
    matrix = qsim.Hermitian(np.diag([1.0, 2.0, 3.0, 5.0]), [0, 1])
    for f in (function("Z0", backend="numba"), function([matrix]), function(measurements.Variance("Z0"))):
        text = lowered(f, *named.values())
        assert CALLBACK in text and CORE not in text
        np.testing.assert_allclose(jax.jit(f)(*named.values()), f(*named.values()), atol=1e-14)
    measured = qsim.Circuit(1, 1).ry(qsim.Parameter("t"), 0).measure(0, 0).ry(0.2, 0)
    value = jax.jit(lambda t: qj.expectation(measured, "Z0", t))(jnp.array([0.3]))
    assert float(value) == pytest.approx(np.cos(0.3) * np.cos(0.2))
    program = qsim.compile(CIRCUIT, "Z0", max_memory="1 MB")
    assert CALLBACK in lowered(lambda p: qj.expectation(program, None, p), jnp.zeros(6))


@needs_core
@pytest.mark.parametrize("seed", range(6))
def test_the_core_alone_equals_numpy(seed):
    rng = np.random.default_rng(seed)
    num_qubits = (1, 3, 6, 9, 11, 12)[seed]
    circuit = random_circuit(num_qubits, 6 * num_qubits, seed=seed, parameters=5)
    sums = [
        qsim.PauliSum({f"Z{q}": rng.normal(), f"X{q}": rng.normal(), "": rng.normal()})
        for q in rng.integers(num_qubits, size=seed % 3 + 1)
    ]
    for precision, atol in (("double", 1e-11), ("single", 2e-4)):
        program = qsim.compile(circuit, sums, precision=precision, threads=2)
        question = Question(program._of_slots())
        slots = program._slots.num_slots
        for batch in (1, 2, 40 if num_qubits < 10 else 5):
            rows = jnp.asarray(rng.uniform(-3, 3, (batch, slots)))
            tangent = jnp.asarray(rng.normal(size=(batch, slots)))
            other = jnp.asarray(rng.normal(size=(batch, slots)))
            cotangent = jnp.asarray(rng.normal(size=(batch, len(sums))))
            given = {
                "values": (rows,),
                "slopes": (rows,),
                "products": (rows, cotangent),
                "pushed": (rows, tangent),
                "curvature": (rows, tangent, cotangent),
                "bent": (rows, tangent, other),
            }
            for name, operands in given.items():
                primitive = primitives._PRIMITIVES[name]
                compiled = jax.jit(functools.partial(primitive.bind, question=question))
                assert CALLBACK not in compiled.lower(*operands).as_text()
                wanted = FUNCTIONS[name](question, *operands)
                for got, expected in zip(compiled(*operands), wanted, strict=True):
                    np.testing.assert_allclose(got, expected, atol=atol * num_qubits, err_msg=name)


def test_dtypes_are_kept():
    for dtype in (jnp.float16, jnp.float32, jnp.float64):
        named = arrays(dtype=dtype)
        f = jax.jit(jax.value_and_grad(lambda w, n=named: function("Z0")(n["x"], w, n["a"]).sum()))
        value, slope = f(named["w"])
        assert value.dtype == slope.dtype == dtype
        at = {k: np.asarray(v, float) for k, v in named.items()}
        wanted = qsim.value_and_gradient(CIRCUIT, "Z0", at, wrt="w")
        tolerance = {2: 5e-3, 4: 1e-6, 8: 1e-13}[jnp.dtype(dtype).itemsize]
        np.testing.assert_allclose(value, wanted[0].sum(), atol=tolerance * 4)
        np.testing.assert_allclose(slope, wanted[1]["w"].sum(0), atol=tolerance * 4)
    named = {**arrays(), "w": arrays(dtype=jnp.float32)["w"]}
    assert function("Z0")(*named.values()).dtype == jnp.float64
    assert jax.grad(lambda w: function("Z0")(named["x"], w, 0.1).sum())(named["w"]).dtype == jnp.float32
    with jax.enable_x64(False):
        f = jax.jit(jax.grad(lambda p: qj.expectation(CIRCUIT, "Z0", p)))
        assert f(np.ones(6)).dtype == jnp.float32
        assert qj.statevector(CIRCUIT, np.ones(6)).dtype == jnp.complex64


def test_shapes():
    for shape in ((), (5,), (2, 3), (0,)):
        assert qj.expectation(CIRCUIT, ["Z0", "Z1"], jnp.zeros((*shape, 6))).shape == (*shape, 2)
        assert jax.jit(lambda p: qj.expectation(CIRCUIT, "Z0", p))(jnp.zeros((*shape, 6))).shape == shape
    constant = qsim.Circuit(1).h(0)
    assert float(jax.jit(lambda: qj.expectation(constant, "X0", {}))()) == pytest.approx(1)
    one = qsim.Circuit(1).ry(qsim.Parameter("t"), 0)
    assert float(qj.expectation(one, "Z0", 0.3)) == pytest.approx(np.cos(0.3))
    some = qsim.compile(CIRCUIT, ["Z0", "Z1"])
    assert qj.expectation(some, None, jnp.zeros(6)).shape == (2,)


def test_functions_by_position_and_name():
    f = qj.function(CIRCUIT, "Z0", "x")
    named = arrays()
    wanted = qj.expectation(CIRCUIT, "Z0", named)
    np.testing.assert_allclose(f(named["x"], w=named["w"], a=named["a"]), wanted)
    np.testing.assert_allclose(qj.function(CIRCUIT, "Z0")(named), wanted)
    np.testing.assert_allclose(qj.function(CIRCUIT, "Z0", [a, w, x])(*list(named.values())[::-1]), wanted)
    assert f.shapes == {"x": (2,), "w": (3,), "a": ()} and "Function of x" in repr(f)


@pytest.mark.parametrize("what", ["state", "probabilities", "variance"])
def test_other_measurements(what):
    named = arrays(2)
    measurement, wanted = {
        "state": (measurements.State(), qsim.statevector),
        "probabilities": (
            measurements.Probabilities([2, 0]),
            lambda c, p: qsim.probabilities(c, p, qubits=[2, 0]),
        ),
        "variance": (measurements.Variance("Z0"), lambda c, p: qsim.variance(c, "Z0", p)),
    }[what]
    f = qj.function(CIRCUIT, measurement, ("x", "w", "a"))
    at = {k: np.asarray(v) for k, v in named.items()}
    np.testing.assert_allclose(f(*named.values()), wanted(CIRCUIT, at), atol=1e-14)
    check_grads(jax.jit(f), tuple(named.values()), order=2, modes=["rev", "fwd"])
    weights = np.random.default_rng(1).normal(size=f(*named.values()).shape)

    def loss(w):
        return (weights * jnp.abs(f(named["x"], w, 0.3)) ** 2).sum()

    np.testing.assert_allclose(
        jax.hessian(loss)(named["w"]), jax.jacfwd(jax.jacfwd(loss))(named["w"]), atol=1e-12
    )


def test_short_forms():
    named = arrays()
    at = {k: np.asarray(v) for k, v in named.items()}
    np.testing.assert_allclose(qj.statevector(CIRCUIT, named), qsim.statevector(CIRCUIT, at), atol=1e-14)
    np.testing.assert_allclose(
        qj.probabilities(CIRCUIT, named, [1]), qsim.probabilities(CIRCUIT, at, qubits=[1]), atol=1e-14
    )


def test_expressions_are_jaxs_own():
    p, q = qsim.Parameter("p"), qsim.Parameter("q")
    circuit = qsim.Circuit(1)
    for expression in (
        *(p * q, p / q, p - q, -p * p, p**3, q**p, 2.0**p, (p + 1) * (q - 2)),
        *(qsim.sin(p * q), qsim.cos(p) + q, qsim.tan(p), qsim.exp(p) * q, qsim.log(q), qsim.sqrt(q)),
        *(qsim.arcsin(p), qsim.arccos(p), qsim.arctan(p * q), qsim.arctan2(p, q)),
    ):
        circuit.ry(expression, 0).rx(0.3, 0)
    program = qsim.compile(circuit, "Z0")
    assert is_traceable(program._slots)
    rows = np.random.default_rng(0).uniform(0.2, 0.9, (5, 2))
    np.testing.assert_allclose(
        angles(program._slots, jnp.asarray(rows)), program._slots.angles(rows), atol=1e-15
    )
    f = jax.jit(jax.vmap(jax.value_and_grad(lambda p: qj.expectation(circuit, "Z0", p))))
    for got, wanted in zip(f(rows), program.value_and_gradient(rows), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-12)
    np.testing.assert_allclose(
        jax.hessian(lambda p: qj.expectation(circuit, "Z0", p))(jnp.asarray(rows[0])),
        program.hessian(rows[0]),
        atol=1e-11,
    )


def test_expressions_that_jax_does_not_know():
    p = qsim.ParameterVector("p", 2)
    circuit = qsim.Circuit(1).generator_sum(["X0", "Z0"], [p[0], p[1]], 0)
    assert not is_traceable(qsim.compile(circuit)._slots)
    at = jnp.array([0.3, 0.5])
    f = jax.jit(jax.value_and_grad(lambda p: qj.expectation(circuit, "Z0", p)))
    for got, wanted in zip(f(at), qsim.value_and_gradient(circuit, "Z0", np.asarray(at)), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-13)


def test_programs_live_as_long_as_what_was_compiled():
    def made(shift):
        p = qsim.ParameterVector("p", 2)
        circuit = qsim.Circuit(2).ry(p[0] + shift, 0).ry(p[1], 1).cx(0, 1)
        return jax.jit(lambda p: qj.expectation(circuit, "Z1", p))

    at = jnp.array([0.4, 0.7])
    alone = [made(shift).lower(at) for shift in (0.1, 0.2)]
    gc.collect()
    compiled = [each.compile() for each in alone]
    del alone
    jax.clear_caches()
    gc.collect()
    wanted = [np.cos(0.4 + shift) * np.cos(0.7) for shift in (0.1, 0.2)]
    np.testing.assert_allclose([each(at) for each in compiled], wanted, atol=1e-14)
    ran = []
    for shift in (0.1, 0.2):  # nothing but the running code holds these
        ran.append(made(shift)(at))
        gc.collect()
    np.testing.assert_allclose(ran, wanted, atol=1e-14)


@needs_core
def test_a_number_that_nobody_holds():
    result = jax.ShapeDtypeStruct((1,), jnp.float64)
    call = jax.ffi.ffi_call("qsim_values", result)
    assert foreign._is_registered()
    with pytest.raises(Exception, match="not known to this process"):
        jax.jit(lambda v: call(v, number=np.int64(7)))(jnp.zeros(2))


@needs_core
def test_callbacks_where_xla_refuses(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("another version")

    foreign._is_registered.cache_clear()
    monkeypatch.setattr(jax.ffi, "register_ffi_target", refuse)
    with pytest.warns(RuntimeWarning, match="Python callbacks.*another version"):
        text = lowered(lambda p: qj.expectation(CIRCUIT, "Z0", p), jnp.zeros(6))
    foreign._is_registered.cache_clear()
    assert CALLBACK in text


def test_it_trains():
    rng = np.random.default_rng(0)
    data = jnp.asarray(rng.uniform(-1, 1, (32, 2)))
    f = function("Z0")
    target = 0.5 * f(data, jnp.array([0.3, 1.5, 0.2]), 0.9)

    def loss(params):
        return ((params["scale"] * f(data, params["w"], params["a"]) - target) ** 2).mean()

    @jax.jit
    def train(params):
        def step(params, _):
            value, slopes = jax.value_and_grad(loss)(params)
            return jax.tree.map(lambda p, s: p - 0.2 * s, params, slopes), value

        return jax.lax.scan(step, params, None, length=100)

    losses = train({"w": jnp.ones(3), "a": jnp.array(0.1), "scale": jnp.array(1.0)})[1]
    assert losses[-1] < 0.2 * losses[0]


def test_errors():
    named = arrays()
    f = function("Z0")
    with pytest.raises(ParameterError, match="none for `w`"):
        qj.expectation(CIRCUIT, "Z0", {"x": named["x"], "a": named["a"]})
    with pytest.raises(ParameterError, match="names `b`"):
        qj.expectation(CIRCUIT, "Z0", {**named, "b": named["a"]})
    with pytest.raises(ParameterError, match=r"`w` must have shape \(\.\.\., 3\)"):
        jax.jit(f)(named["x"], jnp.zeros(4), 0.1)
    with pytest.raises(ParameterError, match=r"shape \(\.\.\., 6\)"):
        qj.expectation(CIRCUIT, "Z0", jnp.zeros((2, 5)))
    with pytest.raises(TypeError, match="`w` is an array of complex"):
        f(named["x"], jnp.zeros(3) + 1j, 0.1)
    with pytest.raises(TypeError, match="`w` is str"):
        f(named["x"], "abc", 0.1)
    with pytest.raises(ArgumentError, match="names 'y'"):
        qj.function(CIRCUIT, "Z0", inputs="y")
    with pytest.raises(ArgumentError, match=r"takes x, w, a, .* got 1 argument"):
        f(named["x"])
    with pytest.raises(ArgumentError, match="takes `w` by its place, but got it by its name, too"):
        f(named["x"], named["w"], named["a"], w=named["w"])
    with pytest.raises(ArgumentError, match=r"takes params, but got 1 .* and w"):
        qj.function(CIRCUIT, "Z0")(named, w=named["w"])
    bad = named["x"].at[2, 1].set(jnp.nan)
    with pytest.raises(ParameterError, match=r"`x\[1\]` must be finite, but is nan in row 2"):
        f(bad, named["w"], named["a"])
    with pytest.raises(Exception, match=r"must be finite.* row 2"):
        jax.jit(f)(bad, named["w"], named["a"]).block_until_ready()
    with pytest.raises(Exception, match=r"must be (finite and not that large|at most 1e)"):
        jax.jit(f)(named["x"], named["w"], 1e200).block_until_ready()


def test_derivatives_that_do_not_exist():
    def f(w):
        return qj.expectation(CIRCUIT, "Z0", {**arrays(), "w": w}).sum()

    second = jax.jacfwd(jax.grad(f))
    for third in (jax.jacfwd, jax.jacrev):
        with pytest.raises(GradientError, match="third derivative"):
            third(second)(jnp.ones(3))
    measured = qsim.Circuit(1, 1).ry(qsim.Parameter("t"), 0).measure(0, 0).ry(0.2, 0)
    for derivative in (jax.grad, jax.jacfwd):
        with pytest.raises(GradientError, match="measure"):
            jax.jit(derivative(lambda t: qj.expectation(measured, "Z0", {"t": t})))(0.3)
