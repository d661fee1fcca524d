"""Kernels: closed forms, an oracle of dense states, memory, shots, derivatives, training."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
import warnings
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import qsim
from qsim.errors import ArgumentError, GradientError, MemoryBudgetError, ParameterError, UnboundParameterError
from qsim.quantum_kernels import (
    EncodedDataset,
    FidelityKernel,
    NystroemFeatures,
    ProjectedKernel,
    QuantumKernel,
    alignment_gradient,
    emulate_shots,
    kernel_target_alignment,
    train_kernel,
)

RNG = np.random.default_rng(7)


def entangling(num_features=3):
    """A map with weights, products of features, and a parameter that is no element of a vector."""
    x, t, s = qsim.ParameterVector("x", num_features), qsim.ParameterVector("t", 4), qsim.Parameter("s")
    circuit = qsim.Circuit(3)
    for q in range(3):
        circuit.ry(s * x[q], q).rz(t[q] * x[q], q)
    return circuit.cx(0, 1).cx(1, 2).ry(t[3], 2).rx(x[0] * x[1], 0)


WEIGHTS = {"t": np.array([0.3, -0.8, 1.1, 0.4]), "s": 0.7}


def states_of(X, weights=WEIGHTS):
    return np.array([qsim.statevector(entangling(), {"x": row, **weights}) for row in X])


def reduced(state, kept, n=3):
    """The reduced density matrix by tracing out, one index at a time."""
    rho = np.outer(state, state.conj()).reshape((2,) * (2 * n))
    for q in sorted(set(range(n)) - set(kept)):  # the axis of qubit q is n - 1 - q, less what is gone already
        m = rho.ndim // 2
        axis = n - 1 - q - sum(n - 1 - g < n - 1 - q for g in set(range(n)) - set(kept) if g < q)
        rho = np.trace(rho, axis1=axis, axis2=axis + m)
    return rho.reshape(2 ** len(kept), -1)


# -- values -----------------------------------------------------------------------------------------------
@given(
    X=hnp.arrays(float, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=st.floats(-7, 7)),
    rotation=st.sampled_from(["x", "y"]),
)
@settings(max_examples=50)
def test_angle_map_is_a_product_of_squared_cosines(X, rotation, backend, precision):
    kernel = FidelityKernel(
        lambda d: qsim.feature_maps.angle(d, rotation=rotation), backend=backend, precision=precision
    )
    found = kernel(X)
    expected = (np.cos((X[:, None] - X[None]) / 2) ** 2).prod(axis=2)
    tolerance = 1e-12 if precision == "double" else 1e-5
    assert found.dtype == (np.float64 if precision == "double" else np.float32)
    np.testing.assert_allclose(found, expected, atol=tolerance)
    np.testing.assert_allclose(kernel(X, X[:2]), expected[:, :2], atol=tolerance)
    assert (found == found.T).all() and (found.diagonal() == 1).all() and found.max() <= 1
    assert np.linalg.eigvalsh(found)[0] > -1e-5


def test_fidelities_of_entangled_states():
    X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=(4, 3))
    kernel = FidelityKernel(entangling(), WEIGHTS)
    a, b = states_of(X), states_of(Y)
    np.testing.assert_allclose(kernel(X), np.abs(a @ a.conj().T) ** 2, atol=1e-13)
    np.testing.assert_allclose(kernel(X, Y), np.abs(a @ b.conj().T) ** 2, atol=1e-13)
    assert np.array_equal(kernel.diag(X), np.ones(6))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_projected_kernels_against_reduced_density_matrices(order):
    X, Y = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3))
    a, b = states_of(X), states_of(Y)
    subsets = list(combinations(range(3), order))
    linear, distance = np.zeros((4, 3)), np.zeros((4, 3))
    for i, j in np.ndindex(4, 3):
        for kept in subsets:
            one, two = reduced(a[i], kept), reduced(b[j], kept)
            linear[i, j] += np.trace(one @ two).real
            distance[i, j] += np.linalg.norm(one - two) ** 2
    options = {"order": order, "gamma": 0.6}
    np.testing.assert_allclose(
        ProjectedKernel(entangling(), WEIGHTS, kind="linear", **options)(X, Y), linear, atol=1e-12
    )
    np.testing.assert_allclose(
        ProjectedKernel(entangling(), WEIGHTS, **options)(X, Y), np.exp(-0.6 * distance), atol=1e-12
    )


@pytest.mark.parametrize("kind", ["rbf", "linear"])
def test_projected_kernel_of_one_set(kind):
    X = RNG.normal(size=(7, 3))
    kernel = ProjectedKernel("zz", kind=kind, order=2)
    found = kernel(X)
    np.testing.assert_allclose(found, kernel(X, X), atol=1e-12)
    np.testing.assert_allclose(found.diagonal(), kernel.diag(X), atol=1e-12)
    assert np.linalg.eigvalsh(found)[0] > -1e-12


def test_gamma_scale_is_that_of_scikit_learn():
    X = RNG.normal(size=(9, 3))
    kernel = ProjectedKernel("zz", gamma="scale")
    features = kernel.features(X)
    gamma = 1 / (features.shape[1] * features.var())
    assert kernel.scale_gamma(X) == pytest.approx(gamma)
    np.testing.assert_allclose(kernel(X), kernel.with_gamma(gamma)(X))
    constant = ProjectedKernel("angle", gamma="scale")(np.ones((3, 2)))  # no variance to divide by
    np.testing.assert_allclose(constant, 1, atol=1e-14)


def test_one_batched_call_and_not_a_circuit_for_each_pair(monkeypatch):
    from qsim.program.program import Program

    calls = []
    run = Program.statevector
    monkeypatch.setattr(Program, "statevector", lambda self, p: calls.append(len(p)) or run(self, p))
    FidelityKernel("zz")(RNG.normal(size=(40, 4)))
    assert calls == [40]


@pytest.mark.parametrize("max_memory", [1 << 16, 1 << 18, 1 << 20])
@given(rows=st.integers(1, 60), columns=st.integers(0, 60))
@settings(max_examples=15)
def test_tiles_give_the_same_matrix(max_memory, rows, columns):
    X, Y = RNG.normal(size=(rows, 6)), RNG.normal(size=(columns, 6))
    whole, tiled = FidelityKernel("zz"), FidelityKernel("zz", max_memory=max_memory)
    np.testing.assert_allclose(tiled(X), whole(X), atol=1e-13)
    np.testing.assert_allclose(tiled(X, Y), whole(X, Y), atol=1e-13)
    assert np.array_equal(tiled(X), tiled(X).T)
    few = ProjectedKernel("zz", max_memory=max_memory)
    np.testing.assert_allclose(few(X, Y), ProjectedKernel("zz")(X, Y), atol=1e-13)


def test_threads_change_no_bit():
    X, Y = RNG.normal(size=(300, 8)), RNG.normal(size=(150, 8))
    one, three = (FidelityKernel("zz", threads=threads) for threads in (1, 3))
    assert np.array_equal(one(X), three(X)) and np.array_equal(one(X, Y), three(X, Y))


def test_without_threadpoolctl_there_is_the_same_matrix(monkeypatch):
    from qsim.quantum_kernels import parallel

    X = RNG.normal(size=(300, 8))
    expected = FidelityKernel("zz", threads=2)(X)
    monkeypatch.setattr(parallel, "_controller", lambda: None)
    np.testing.assert_allclose(FidelityKernel("zz", threads=2)(X), expected, atol=1e-14)


def test_errors_in_threads_arrive():
    from qsim.quantum_kernels.parallel import run_all

    def fail():
        raise ValueError("from a task")

    with pytest.raises(ValueError, match="from a task"):
        run_all([lambda: None, fail, lambda: None, fail], 3)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="no peak of memory to read")
def test_memory_stays_within_the_bound():
    """Peak of a process of its own: 600 states of 12 qubits are 39 MB, the matrix is 3 MB."""
    code = (
        "import numpy as np, sys; from qsim.quantum_kernels import FidelityKernel\n"
        "X = np.random.default_rng(0).normal(size=(600, 12))\n"
        "kernel = FidelityKernel('zz', max_memory=int(sys.argv[1])); kernel(X[:90])\n"
        "def peak(): return int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) * 1024\n"
        "before = peak(); kernel(X); print(peak() - before)"
    )
    peaks = [
        int(subprocess.run([sys.executable, "-c", code, str(size)], capture_output=True, check=True).stdout)
        for size in (1 << 23, 1 << 28)
    ]
    matrix = 8 * 600 * 600
    assert peaks[0] < (1 << 23) + 3 * matrix
    assert peaks[1] > 3e7  # the bound is what makes the difference


def test_too_little_memory_is_refused():
    with pytest.raises(MemoryBudgetError, match="`max_memory` is 1000 bytes, but three states need 12 KiB"):
        FidelityKernel("zz", max_memory=1000)(RNG.normal(size=(5, 8)))


def test_kernels_pickle_and_keep_their_answers():
    X = RNG.normal(size=(5, 3))
    for kernel in (
        FidelityKernel("zz", shots=100, seed=3),
        FidelityKernel(entangling(), WEIGHTS),
        ProjectedKernel("zz"),
    ):
        before = kernel(X)
        assert np.array_equal(pickle.loads(pickle.dumps(kernel))(X), before)


def test_a_map_without_a_vector_takes_its_parameters_as_data():
    a, b = qsim.Parameter("a"), qsim.Parameter("b")
    kernel = FidelityKernel(qsim.Circuit(2).ry(a, 0).ry(b, 1))
    X = RNG.normal(size=(3, 2))
    np.testing.assert_allclose(kernel(X), FidelityKernel("angle")(X), atol=1e-14)


def test_an_element_of_the_data_may_be_unused():
    x = qsim.ParameterVector("x", 3)
    X = RNG.normal(size=(3, 3))
    found = FidelityKernel(qsim.Circuit(1).ry(x[2], 0))(X)
    np.testing.assert_allclose(found, np.cos((X[:, 2, None] - X[:, 2]) / 2) ** 2, atol=1e-14)


# -- encoded data sets ------------------------------------------------------------------------------------
@pytest.mark.parametrize("where", ["memory", "file"])
def test_encoded_data_sets_stand_for_their_data(where, tmp_path):
    X, Y, labels = RNG.normal(size=(9, 3)), RNG.normal(size=(4, 3)), np.arange(9)
    kernel = FidelityKernel(entangling(), WEIGHTS)
    path = None if where == "memory" else tmp_path / "states.npy"
    data = EncodedDataset(kernel, X, labels, path=path)
    assert len(data) == 9 and data.num_qubits == 3
    assert isinstance(data.states_array, np.memmap) is (where == "file")
    np.testing.assert_allclose(data.states_array, states_of(X), atol=1e-14)
    assert not data.states_array.flags.writeable
    np.testing.assert_allclose(kernel(data), kernel(X), atol=1e-14)
    np.testing.assert_allclose(kernel(data, Y), kernel(X, Y), atol=1e-14)
    np.testing.assert_allclose(kernel(Y, data), kernel(Y, X), atol=1e-14)
    for order, kind in ((1, "rbf"), (2, "linear")):
        projected = ProjectedKernel(entangling(), WEIGHTS, order=order, kind=kind)
        np.testing.assert_allclose(projected(data), projected(X), atol=1e-14)
        np.testing.assert_allclose(projected(Y, data), projected(Y, X), atol=1e-14)
    seen = np.concatenate([rows for rows, _ in data.batches(4, shuffle=True, seed=1)])
    assert not np.array_equal(seen, np.arange(9)) and np.array_equal(np.sort(seen), np.arange(9))
    for rows, states in data.batches(4):
        np.testing.assert_array_equal(states, data.states_array[rows])
    if path is not None:
        again = EncodedDataset.load(path)
        assert np.array_equal(again.X, X) and np.array_equal(again.y, labels)
        assert np.array_equal(kernel(again), kernel(data))


def test_rows_of_a_data_set_are_states_and_data_sets():
    X, labels = RNG.normal(size=(9, 3)), np.arange(9)
    kernel = FidelityKernel(entangling(), WEIGHTS)
    data = EncodedDataset(kernel, X, labels)
    np.testing.assert_array_equal(data[-2], data.states_array[7])
    for rows in (slice(2, 7), [8, 0, 3], labels % 2 == 1):
        some = data[rows]
        assert np.array_equal(some.X, X[rows]) and np.array_equal(some.y, labels[rows])
        assert not some.states_array.flags.writeable
        np.testing.assert_allclose(kernel(some, data), kernel(X[rows], X), atol=1e-14)


def test_projections_of_kept_states_need_no_data():
    kernel, X = ProjectedKernel(entangling(), WEIGHTS), RNG.normal(size=(5, 3))
    data = EncodedDataset(kernel, X)
    other = EncodedDataset(kernel, X[::-1])
    other.X = X  # what is measured are the states
    np.testing.assert_allclose(kernel(other), kernel(data)[::-1, ::-1], atol=1e-14)


def test_encoding_works_in_pieces(monkeypatch):
    from qsim.quantum_kernels import dataset

    X = RNG.normal(size=(7, 3))
    monkeypatch.setattr(dataset, "_CHUNK_BYTES", 2 * 16 * 8)
    np.testing.assert_allclose(
        EncodedDataset(entangling(), X, params=WEIGHTS).states_array, states_of(X), atol=1e-14
    )


def test_data_sets_of_another_kind_are_refused():
    X = RNG.normal(size=(3, 3))
    single = EncodedDataset("zz", X, precision="single")
    with pytest.raises(ArgumentError, match="encoded in the kernel's precision, complex128"):
        FidelityKernel("zz")(single)
    for kernel in (FidelityKernel("zz"), ProjectedKernel("zz")):
        with pytest.raises(ArgumentError, match="`Y` must have 3 features"):
            kernel(EncodedDataset("zz", X), RNG.normal(size=(3, 2)))
        with pytest.raises(ArgumentError, match="`X` must be encoded by the kernel's feature map"):
            kernel(EncodedDataset("z", X))
    trained = FidelityKernel(entangling(), WEIGHTS)
    with pytest.raises(ArgumentError, match="with the same weights, but was encoded by another"):
        trained(EncodedDataset(trained.with_params({**WEIGHTS, "s": 0.1}), X))
    with pytest.raises(ArgumentError, match=r"`y` must have shape \(3,\)"):
        EncodedDataset("zz", X, [1, 2])
    with pytest.raises(ArgumentError, match="must be left out where `feature_map` is a kernel"):
        EncodedDataset(FidelityKernel("zz"), X, precision="single")


# -- shots ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("test", "variance"), [("inversion", 0.3 * 0.7), ("swap", 1 - 0.3**2)])
def test_shot_noise_has_the_mean_and_variance_of_its_test(test, variance):
    """20,000 entries of 100 shots: the mean within 6 standard errors, the variance within 10 %."""
    exact = np.full((200, 100), 0.3)
    drawn = emulate_shots(exact, 100, seed=5, test=test)
    error = math.sqrt(variance / 100)
    assert abs(drawn.mean() - 0.3) < 6 * error / math.sqrt(drawn.size)
    assert drawn.var() == pytest.approx(error**2, rel=0.1)  # the error of this estimate is 1 %
    assert np.allclose(drawn * 100, np.round(drawn * 100))


def test_shots_of_one_set_are_symmetric_and_repeat():
    X = RNG.normal(size=(6, 3))
    kernel = FidelityKernel("zz", shots=50, seed=2)
    found = kernel(X)
    assert np.array_equal(found, found.T) and (found.diagonal() == 1).all()
    assert np.array_equal(found, kernel(X))
    assert not np.array_equal(found, FidelityKernel("zz", shots=50, seed=3)(X))
    assert np.array_equal(FidelityKernel("zz", shots=50, seed=2, max_memory=1 << 17)(X), found)


# -- derivatives and training -----------------------------------------------------------------------------
KERNELS = [
    FidelityKernel(entangling(), WEIGHTS),
    ProjectedKernel(entangling(), WEIGHTS, gamma=0.7),
    ProjectedKernel(entangling(), WEIGHTS, order=2, gamma=0.3),
    ProjectedKernel(entangling(), WEIGHTS, kind="linear", order=2),
]


def moved(kernel, name, place, step):
    value = np.array(WEIGHTS[name], dtype=float)
    value[place] += step
    return kernel.with_params({**WEIGHTS, name: value})


@pytest.mark.parametrize("kernel", KERNELS, ids=[f"kernel{k}" for k in range(len(KERNELS))])
@pytest.mark.parametrize("separate", [False, True])
def test_derivatives_against_finite_differences(kernel, separate):
    X = RNG.normal(size=(5, 3))
    Y = RNG.normal(size=(4, 3)) if separate else None
    value, slopes = kernel.gradient(X, Y)
    np.testing.assert_allclose(value, kernel(X, Y), atol=1e-12)
    weights = RNG.normal(size=value.shape)
    again, pulled = kernel.vjp(X, weights, Y)
    np.testing.assert_allclose(again, value, atol=1e-12)
    for name, place in [("s", ()), *(("t", (k,)) for k in range(4))]:
        h = 1e-5
        expected = (moved(kernel, name, place, h)(X, Y) - moved(kernel, name, place, -h)(X, Y)) / (2 * h)
        np.testing.assert_allclose(slopes[name][(..., *place)], expected, atol=1e-8)
        assert np.asarray(pulled[name])[place] == pytest.approx(float((weights * expected).sum()), abs=1e-7)


def test_derivatives_by_some_weights():
    X = RNG.normal(size=(3, 3))
    kernel = KERNELS[0]
    _, every = kernel.gradient(X)
    _, some = kernel.gradient(X, wrt=["s", "t[1]"])
    assert set(some) == {"s", "t[1]"} and some["t[1]"].shape == (3, 3)
    np.testing.assert_allclose(some["t[1]"], every["t"][..., 1], atol=1e-14)
    assert set(kernel.vjp(X, np.ones((3, 3)), wrt="t")[1]) == {"t"}
    with pytest.raises(ParameterError, match="`q` does not occur"):
        kernel.gradient(X, wrt="q")
    with pytest.raises(GradientError, match="has no weights"):
        FidelityKernel("zz").gradient(X)
    with pytest.raises(GradientError, match="'scale' has no derivatives"):
        ProjectedKernel(entangling(), WEIGHTS, gamma="scale").vjp(X, np.ones((3, 3)))
    with pytest.raises(ArgumentError, match=r"`cotangent` must have the shape of the matrix, \(3, 3\)"):
        kernel.vjp(X, np.ones(3))


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("kernel", KERNELS[:2], ids=["fidelity", "projected"])
def test_gradient_of_the_alignment(kernel, centered):
    X, y = RNG.normal(size=(8, 3)), np.array([0, 1, 1, 0, 2, 2, 1, 0])
    value, slopes = alignment_gradient(kernel, X, y, centered=centered)
    assert value == pytest.approx(kernel_target_alignment(kernel(X), y, centered=centered), abs=1e-12)
    for name, place in [("s", ()), ("t", (0,)), ("t", (3,))]:
        h = 1e-5
        ends = [
            kernel_target_alignment(moved(kernel, name, place, step)(X), y, centered=centered)
            for step in (h, -h)
        ]
        assert np.asarray(slopes[name])[place] == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-8)


@pytest.mark.parametrize("batch_size", [None, 12])
def test_training_raises_the_alignment(batch_size):
    X = np.random.default_rng(1).normal(size=(40, 3))
    y = X[:, 0] > 0
    kernel = FidelityKernel(entangling(), {**WEIGHTS, "s": 0.3})
    trained = train_kernel(kernel, X, y, steps=25, batch_size=batch_size, seed=4)
    measured = [kernel_target_alignment(k(X), y, centered=True) for k in (kernel, trained.kernel)]
    assert [trained.before, trained.after] == pytest.approx(measured, abs=1e-12)
    assert trained.after > trained.before + 0.1
    assert kernel.params["s"] == 0.3  # the kernel that was given stays as it is
    again = train_kernel(kernel, X, y, steps=25, batch_size=batch_size, seed=4)
    assert np.array_equal(again.kernel.params["t"], trained.kernel.params["t"])


def test_weights_that_change_no_kernel_are_told():
    X, y = RNG.normal(size=(12, 3)), np.arange(12) % 2
    for layers, cancels in ((1, True), (2, False)):
        circuit = qsim.feature_maps.hubregtsen(3, layers=layers)
        kernel = FidelityKernel(circuit, {"theta": np.linspace(0.2, 0.9, 6 * layers)})
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            trained = train_kernel(kernel, X, y, steps=3)
            alignment_gradient(kernel, X, y)
        assert (trained.after == pytest.approx(trained.before, abs=1e-12)) == cancels
        assert [str(each.message)[:31] for each in told] == ["The kernel does not change with"] * (
            2 * cancels
        )


def test_training_by_some_weights_and_a_loss_of_ones_own():
    X, y = RNG.normal(size=(6, 3)), np.array([0, 1, 0, 1, 0, 1])

    def loss(matrix, labels):
        target = np.equal.outer(labels, labels).astype(float)
        return float(((matrix - target) ** 2).sum()), 2 * (matrix - target)

    trained = train_kernel(FidelityKernel(entangling(), WEIGHTS), X, y, wrt="s", loss=loss, steps=10)
    assert trained.after < trained.before
    assert np.array_equal(trained.kernel.params["t"], WEIGHTS["t"])
    with pytest.raises(ArgumentError, match="`loss` must be 'alignment' or a function"):
        train_kernel(FidelityKernel(entangling(), WEIGHTS), X, y, loss="accuracy")
    with pytest.raises(ArgumentError, match="must have a value of `t`"):
        train_kernel(FidelityKernel(entangling(), {"s": 1.0}), X, y)


# -- Nystroem ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("precision", ["double", "single"])
def test_nystroem_is_exact_on_landmarks_and_nearer_with_more(precision):
    X = RNG.normal(size=(60, 4))
    kernel = FidelityKernel("zz", precision=precision)
    exact = kernel(X)
    errors = []
    for count in (5, 20, 60):
        features = NystroemFeatures(kernel, count, seed=1).fit(X)
        found = features(X)
        assert found.shape == (60, count)
        chosen = np.ix_(features.rows, features.rows)
        tolerance = 1e-9 if precision == "double" else 1e-3
        np.testing.assert_allclose((found @ found.T)[chosen], exact[chosen], atol=tolerance)
        errors.append(np.linalg.norm(found @ found.T - exact))
    assert errors[0] > errors[1] > errors[2] and errors[2] < 60 * tolerance


def test_nystroem_with_landmarks_given():
    X = RNG.normal(size=(6, 2))
    kernel = FidelityKernel("angle")
    repeated = NystroemFeatures(kernel, np.repeat(X[:3], 2, axis=0))(X)  # of lower rank than landmarks
    once = NystroemFeatures(kernel, X[:3])(X)
    np.testing.assert_allclose(repeated @ repeated.T, once @ once.T, atol=1e-9)
    with pytest.raises(ArgumentError, match=r"call fit\(\) with data first"):
        NystroemFeatures(kernel, 3)(X)
    with pytest.raises(ArgumentError, match="must have 7 rows, the number of landmarks"):
        NystroemFeatures(kernel, 7).fit(X)


# -- what is refused --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([[0.1, np.nan]], ArgumentError, "`X` must be finite, but is nan in row 0, column 1"),
        ([[0.1, np.inf]], ArgumentError, "but is inf in row 0, column 1"),
        ([0.1, 0.2], ArgumentError, r"must have shape \(rows, features\).*X.reshape\(-1, 1\)"),
        ([[], []], ArgumentError, r"has shape \(2, 0\)"),
        ([[1.0, 2.0], [3.0]], ArgumentError, "rows of the same length"),
        ([["a", "b"]], TypeError, "`X` must be real numbers"),
        ([[1j, 2.0]], TypeError, "`X` must be real numbers"),
        (None, TypeError, "`X` must be real numbers, but is of type NoneType"),
        (np.zeros((2, 3)), ArgumentError, "`X` must have 2 features for this feature map, but has 3"),
    ],
)
@pytest.mark.parametrize("kind", [FidelityKernel, ProjectedKernel])
def test_bad_data_is_refused(X, error, message, kind):
    with pytest.raises(error, match=message):
        kind(qsim.feature_maps.angle(2))(X)


@pytest.mark.parametrize("feature_map", ["amplitude", "dense_angle", "zz"])
@pytest.mark.parametrize("kind", [FidelityKernel, ProjectedKernel])
def test_other_features_of_the_second_set_are_refused(feature_map, kind):
    """Also where both numbers of features need as many qubits."""
    kernel = kind(feature_map)
    message = "`Y` must have 4 features, as `X` has, but has 3"
    with pytest.raises(ArgumentError, match=message):
        kernel(np.ones((2, 4)), np.ones((5, 3)))
    with pytest.raises(ArgumentError, match=message):
        kernel.gradient(np.ones((2, 4)), np.ones((5, 3)))


def test_weights_of_another_number_are_refused():
    for length in (5, 7):
        kernel = FidelityKernel("hubregtsen", {"theta": np.ones(length)})
        with pytest.raises(ParameterError, match=rf"`theta` must have shape \(6,\).*has shape \({length},\)"):
            kernel(np.ones((2, 3)))


def test_bad_maps_are_refused():
    with pytest.raises(TypeError, match="feature map must be a name"):
        FidelityKernel(3)
    with pytest.raises(ArgumentError, match="Unknown feature map `zzz`"):
        FidelityKernel("zzz")
    with pytest.raises(TypeError, match="must give a Circuit for a number of features, but gives int"):
        FidelityKernel(lambda d: d)([[0.1]])
    with pytest.raises(ParameterError, match=r'must take its data by a ParameterVector\("x", features\)'):
        FidelityKernel(qsim.Circuit(1).h(0))([[0.1]])
    with pytest.raises(UnboundParameterError, match="has none for `s`, `t"):
        FidelityKernel(entangling())([[0.1, 0.2, 0.3]])
    measured = qsim.Circuit(1, 1).ry(qsim.ParameterVector("x", 1)[0], 0).measure(0, 0).h(0)
    with pytest.raises(qsim.errors.CircuitError, match="A quantum kernel needs a circuit whose state"):
        FidelityKernel(measured)([[0.1]])
    x = qsim.ParameterVector("x", 1)
    shrinking = qsim.Circuit(1).ry(x[0], 0).unitary(np.eye(2) / 2, [0], check=False)
    with pytest.raises(qsim.errors.CircuitError, match="has a matrix that is not unitary"):
        FidelityKernel(shrinking)([[0.1]])
    with pytest.raises(ArgumentError, match="`order` must be at most the number of qubits, 2, but is 3"):
        ProjectedKernel("angle", order=3)([[0.1, 0.2]])
    for gamma in (0, -1.0, math.nan, "auto", True):
        with pytest.raises(ArgumentError, match="`gamma` must be a positive number or 'scale'"):
            ProjectedKernel("angle", gamma=gamma)
    with pytest.raises(ArgumentError, match="`kind` must be 'rbf' or 'linear'"):
        ProjectedKernel("angle", kind="poly")
    with pytest.raises(TypeError, match="`params` must be a dict"):
        FidelityKernel("angle", [1.0])
    with pytest.raises(TypeError):
        QuantumKernel("angle")


def test_odd_but_legal_data():
    kernel = FidelityKernel("zz")
    assert kernel(np.empty((0, 3))).shape == (0, 0)
    assert kernel(np.ones((2, 3)), np.empty((0, 3))).shape == (2, 0)
    assert ProjectedKernel("zz")(np.empty((0, 3))).shape == (0, 0)
    np.testing.assert_array_equal(kernel(np.ones((1, 3))), [[1.0]])
    np.testing.assert_allclose(kernel(np.ones((3, 2))), np.ones((3, 3)), atol=1e-14)  # constant columns
    np.testing.assert_allclose(kernel([[1, 2], [3, 4]]), kernel([[1.0, 2.0], [3.0, 4.0]]))
