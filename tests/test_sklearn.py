"""Estimators for scikit-learn: its own checks, and its own methods on our matrices."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, make_moons
from sklearn.decomposition import KernelPCA
from sklearn.exceptions import NotFittedError
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.utils.estimator_checks import check_estimator

import qsim
import qsim.sklearn as models
from qsim.errors import ArgumentError, CircuitError
from qsim.quantum_kernels import FidelityKernel, ProjectedKernel
from qsim.sklearn.model_circuits import model_circuit

RNG = np.random.default_rng(3)
ESTIMATORS = [name for name in models.__all__ if name not in ("Covariance", "reservoir_circuit")]
TRANSFORMERS = ["QuantumFeatureMap", "QuantumPCA"]
REGRESSORS = ["QNNRegressor", "QSVR", "QuantumGaussianProcessRegressor", "QuantumKernelRidge"]
REGRESSORS += ["QuantumReservoirRegressor"]
CLASSIFIERS = ["QNNClassifier", "QSVC", "QuantumGaussianProcessClassifier"]
#: Arguments with which an estimator is quick enough to be fitted often.
QUICK = {"QNNClassifier": {"epochs": 5}, "QNNRegressor": {"epochs": 5}}


def made(name, **options):
    return getattr(models, name)(**{**QUICK.get(name, {}), **options})


def test_each_kind_is_listed():
    assert sorted(ESTIMATORS) == sorted(TRANSFORMERS + REGRESSORS + CLASSIFIERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ESTIMATORS)
def test_scikit_learns_own_checks(name):
    """As constructed by default; none is expected to fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(getattr(models, name)(), on_fail=None)
    failed = [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"]
    assert not failed
    assert sum(r["status"] == "passed" for r in results) > 40
    assert not any(r["status"] == "xfail" for r in results)


# -- what is fitted ---------------------------------------------------------------------------------------
X, Y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
TARGET = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]


def gram(data, other=None, bandwidth=0.4):
    return FidelityKernel("angle")(data * bandwidth, None if other is None else other * bandwidth)


def test_support_vectors_are_those_of_scikit_learn():
    ours = models.QSVC(bandwidth=0.4, C=2.0).fit(X[::2], Y[::2])
    theirs = SVC(kernel="precomputed", C=2.0).fit(gram(X[::2]), Y[::2])
    found, expected = (
        ours.decision_function(X[1::2]),
        theirs.decision_function(gram(X[1::2], X[::2])),
    )
    np.testing.assert_allclose(found, expected, atol=0.02)  # the solvers stop at a tolerance of 1e-3
    assert np.array_equal(ours.predict(X[1::2]), theirs.predict(gram(X[1::2], X[::2])))
    assert np.array_equal(ours.classes_, [0, 1, 2])


def test_support_vector_regression_is_that_of_scikit_learn():
    ours = models.QSVR(bandwidth=0.4, C=2.0).fit(X[::2], TARGET[::2])
    theirs = SVR(kernel="precomputed", C=2.0).fit(gram(X[::2]), TARGET[::2])
    np.testing.assert_allclose(ours.predict(X[1::2]), theirs.predict(gram(X[1::2], X[::2])), atol=0.02)


def test_kernel_ridge_is_that_of_scikit_learn():
    weights = RNG.uniform(size=75)
    ours = models.QuantumKernelRidge(0.1, bandwidth=0.4).fit(X[::2], TARGET[::2], weights)
    theirs = KernelRidge(alpha=0.1, kernel="precomputed").fit(gram(X[::2]), TARGET[::2], weights)
    np.testing.assert_allclose(ours.predict(X[1::2]), theirs.predict(gram(X[1::2], X[::2])), atol=1e-8)


def test_kernel_pca_is_that_of_scikit_learn():
    ours = models.QuantumPCA(3, bandwidth=0.4).fit(X[::2])
    theirs = KernelPCA(3, kernel="precomputed", eigen_solver="dense").fit(gram(X[::2]))
    np.testing.assert_allclose(ours.transform(X[1::2]), theirs.transform(gram(X[1::2], X[::2])), atol=1e-10)
    np.testing.assert_allclose(ours.eigenvalues_, theirs.eigenvalues_)


@pytest.mark.parametrize("rows", [5, 100], ids=["fewer rows than dimensions", "more"])
def test_density_matrix_pca(rows):
    data = X[:: len(X) // rows][:rows]
    states = qsim.statevector(qsim.feature_maps.angle(4), {"x": data * 0.4})
    rho = states.T @ states.conj() / rows
    levels, vectors = np.linalg.eigh(rho)
    pca = models.QuantumPCA(3, method="density", feature_map="angle", bandwidth=0.4).fit(data)
    np.testing.assert_allclose(pca.eigenvalues_, levels[::-1][:3], atol=1e-12)
    for k in range(3):
        np.testing.assert_allclose(rho @ pca.components_[k], levels[-1 - k] * pca.components_[k], atol=1e-12)
    expected = np.abs(states.conj() @ vectors[:, ::-1][:, :3]) ** 2
    np.testing.assert_allclose(pca.transform(data), expected, atol=1e-10)
    np.testing.assert_allclose(pca.transform(data).mean(axis=0), pca.eigenvalues_, atol=1e-12)


def test_gaussian_process_regression_by_its_formulas():
    """With the hyperparameters left as they are: mean ``k K^-1 y`` and variance ``k(x, x) - k K^-1 k``."""
    model = models.QuantumGaussianProcessRegressor(
        "angle", bandwidth=0.4, optimizer=None, normalize_y=False, noise=0.1, alpha=1e-9
    ).fit(X[::2], TARGET[::2])
    K, k = gram(X[::2]) + (0.1 + 1e-9) * np.eye(75), gram(X[1::2], X[::2])
    mean, deviation = model.predict(X[1::2], return_std=True)
    np.testing.assert_allclose(mean, k @ np.linalg.solve(K, TARGET[::2]), atol=1e-9)
    variance = 1.1 - (k * np.linalg.solve(K, k.T).T).sum(axis=1)
    np.testing.assert_allclose(deviation**2, variance, atol=1e-8)
    assert model.sample_y(X[:3], 4).shape == (3, 4)
    tuned = models.QuantumGaussianProcessRegressor("angle", bandwidth=0.4, normalize_y=False, noise=0.1)
    tuned.fit(X[::2], TARGET[::2])
    assert tuned.log_marginal_likelihood() > model.log_marginal_likelihood()


def test_covariances_join_scikit_learns():
    from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel

    covariance = ConstantKernel(2.0) * models.Covariance(FidelityKernel("angle")) + WhiteKernel(0.1)
    value, slope = covariance(X[:5], eval_gradient=True)
    exact = FidelityKernel("angle")(X[:5])
    np.testing.assert_allclose(value, 2 * exact + 0.1 * np.eye(5))
    assert slope.shape == (5, 5, 2)
    np.testing.assert_allclose(slope[:, :, 0], 2 * exact)
    np.testing.assert_allclose(covariance.diag(X[:5]), 2.1)
    copied = clone(covariance)
    np.testing.assert_allclose(copied(X[:5]), value)
    assert "Covariance(FidelityKernel('angle'))" in repr(covariance)


def test_weights_of_rows_are_repetitions():
    weights = RNG.integers(0, 3, len(X))
    repeated = np.repeat(np.arange(len(X)), weights)
    for name, target in (("QSVC", Y), ("QSVR", TARGET)):
        one = made(name, bandwidth=0.4).fit(X, target, weights)
        two = made(name, bandwidth=0.4).fit(X[repeated], target[repeated])
        assert np.array_equal(one.predict(X), two.predict(X))
        assert (weights[one.support_] > 0).all()
    one = models.QSVC(bandwidth=0.4, class_weight="balanced").fit(X, Y, weights)
    two = models.QSVC(bandwidth=0.4, class_weight="balanced").fit(X[repeated], Y[repeated])
    np.testing.assert_allclose(one.decision_function(X), two.decision_function(X), atol=1e-9)


# -- feature maps as transformers -------------------------------------------------------------------------
def test_outputs_of_the_feature_map():
    data = X[:6]
    circuit = qsim.feature_maps.zz(4)
    for output, expected in (
        ("projected", qsim.expectation(circuit, [f"{p}{q}" for q in range(4) for p in "XYZ"], {"x": data})),
        ("probabilities", qsim.probabilities(circuit, {"x": data})),
    ):
        mapped = models.QuantumFeatureMap("zz", output=output)
        np.testing.assert_allclose(mapped.fit_transform(data), expected, atol=1e-12)
        assert len(mapped.get_feature_names_out()) == expected.shape[1]
    states = models.QuantumFeatureMap("zz", output="state").fit(data)
    found = states.transform(data)
    np.testing.assert_allclose(
        found[:, :16] + 1j * found[:, 16:], qsim.statevector(circuit, {"x": data}), atol=1e-12
    )
    assert states.get_feature_names_out()[[0, 1, 16]].tolist() == ["re(0000)", "re(0001)", "im(0000)"]
    some = models.QuantumFeatureMap("zz", output="expectation", observables=["Z0", {"X1": 0.5}]).fit(data)
    assert some.get_feature_names_out().tolist() == ["Z0", "observable1"]
    np.testing.assert_allclose(
        some.transform(data), qsim.expectation(circuit, ["Z0", {"X1": 0.5}], {"x": data}), atol=1e-12
    )
    every = models.QuantumFeatureMap("zz", output="expectation").fit(data)
    assert every.transform(data).shape == (6, 4 + 6)


def test_inner_products_of_projected_features_are_the_kernel():
    mapped = models.QuantumFeatureMap("zz", bandwidth=0.3).fit_transform(X[:8])
    kernel = ProjectedKernel("zz", kind="linear")(0.3 * X[:8])
    np.testing.assert_allclose(mapped @ mapped.T / 2 + 4 / 2, kernel, atol=1e-12)


# -- circuits of the variational models -------------------------------------------------------------------
@pytest.mark.parametrize(
    ("feature_map", "ansatz", "qubits", "weights"),
    [
        (None, None, 3, 2 * 3 * 3),
        (None, "real_amplitudes", 3, 2 * (3 * 3 + 12)),
        ("angle", None, 3, 2 * 6),
        ("zz", lambda n: qsim.ansatz.efficient_su2(n, reps=1), 3, 2 * 12),
        ("angle", qsim.Circuit(3).ry(qsim.Parameter("a"), 0).rz(qsim.Parameter("b"), 2), 3, 2 * 2),
        ("hubregtsen", None, 3, None),
    ],
)
def test_circuits_of_models(feature_map, ansatz, qubits, weights):
    circuit, centers = model_circuit(feature_map, ansatz, 3, 2)
    vectors = {p.vector[0] for p in circuit.parameters}
    assert vectors == {"x", "w"} and circuit.num_qubits == qubits
    names = [p.name for p in circuit.parameters if p.vector[0] == "w"]
    assert sorted(names) == sorted(f"w[{k}]" for k in range(len(centers)))
    assert weights is None or len(names) == weights


@pytest.mark.parametrize("num_features", [1, 2, 9, 11, 25])
def test_default_circuits_use_every_feature(num_features):
    circuit, _ = model_circuit(None, None, num_features, 1)
    used = {p.vector[1] for p in circuit.parameters if p.vector[0] == "x"}
    assert used == set(range(num_features))
    assert circuit.num_qubits == max(2, min(10, num_features))
    from qsim.sklearn.base import layered_angles

    encoding = layered_angles(num_features)
    assert len(encoding.parameters) == num_features and encoding.num_qubits == min(10, num_features)


@pytest.mark.parametrize("loss", ["_cross_entropy", "_squared_error"])
def test_losses_against_finite_differences(loss):
    from qsim.sklearn import networks

    function = getattr(networks, loss)
    scores, targets = RNG.normal(size=(4, 3)), np.eye(3)[[0, 2, 1, 1]]
    _, slope = function(scores, targets)
    for place in np.ndindex(4, 3):
        step = np.zeros((4, 3))
        step[place] = 1e-6
        ends = function(scores + step, targets)[0] - function(scores - step, targets)[0]
        assert slope[place] == pytest.approx(ends / 2e-6, abs=1e-8)


def test_training_lowers_the_loss_and_learns():
    data, labels = make_moons(120, noise=0.1, random_state=0)
    model = models.QNNClassifier(epochs=40, random_state=1).fit(data, labels)
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0] and len(model.loss_curve_) == 40
    assert model.score(data, labels) > 0.9 > LogisticRegression().fit(data, labels).score(data, labels)
    np.testing.assert_allclose(model.predict_proba(data).sum(axis=1), 1)
    assert np.array_equal(model.decision_function(data) > 0, model.predict(data) == 1)


def test_regression_of_several_targets():
    both = np.column_stack([TARGET, 5 + 3 * X[:, 0]])
    for name in REGRESSORS:
        if name == "QSVR":
            continue
        model = made(name, random_state=0).fit(X, both)
        assert model.predict(X[:7]).shape == (7, 2)
        assert model.score(X, both) > 0.3


def test_reservoirs_evolve_under_their_hamiltonian():
    """Many Trotter steps against the exponential of the Hamiltonian, from the same draws."""
    options = {"coupling": 1.3, "field": 0.8, "time": 0.7, "seed": 5}
    circuit = models.reservoir_circuit(2, 3, trotter_steps=400, **options)
    generator = np.random.default_rng(5)
    couplings = generator.uniform(-0.65, 0.65, (3, 3))
    inputs, offsets = generator.uniform(0.5, 1.5, 3), generator.uniform(0, np.pi, 3)
    pairs = {f"X{a} X{b}": couplings[a, b] for a, b in ((0, 1), (0, 2), (1, 2))}
    energy = qsim.PauliSum({**pairs, **{f"Z{q}": 0.8 for q in range(3)}}).to_matrix(3)
    levels, vectors = np.linalg.eigh(energy)
    evolution = (vectors * np.exp(-0.7j * levels)) @ vectors.conj().T
    state = np.eye(8)[0].astype(complex)
    for value in (0.4, -1.1):
        kick = qsim.Circuit(3)
        for q in range(3):
            kick.ry(inputs[q] * value + offsets[q], q)
        state = evolution @ qsim.statevector(kick, initial_state=state)
    np.testing.assert_allclose(qsim.statevector(circuit, {"x": [0.4, -1.1]}), state, atol=5e-3)


def test_reservoirs_remember_every_step():
    windows = RNG.normal(size=(80, 4))
    for step in range(4):
        model = models.QuantumReservoirRegressor(random_state=0).fit(windows, windows[:, step])
        assert model.score(windows, windows[:, step]) > 0.95


# -- life with scikit-learn -------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ESTIMATORS)
def test_clones_and_pickles_answer_alike(name):
    target = Y if name in CLASSIFIERS else TARGET
    ask = "transform" if name in TRANSFORMERS else "predict"
    model = made(name, random_state=3).fit(X[::3], target[::3])
    expected = getattr(model, ask)(X)
    assert np.array_equal(getattr(pickle.loads(pickle.dumps(model)), ask)(X), expected)
    again = clone(model).fit(X[::3], target[::3])
    assert np.array_equal(getattr(again, ask)(X), expected)
    with pytest.raises(NotFittedError):
        getattr(clone(model), ask)(X)


def test_trained_maps_draw_their_weights():
    options = {"feature_map": "trainable_reuploading", "bandwidth": 0.5}
    one, two, three = (models.QSVC(**options, random_state=seed).fit(X, Y) for seed in (0, 0, 1))
    assert np.array_equal(one.kernel_(X), two.kernel_(X))
    assert not np.allclose(one.kernel_(X), three.kernel_(X))
    length = len(qsim.feature_maps.weights(qsim.feature_maps.get("trainable_reuploading").build(4)))
    given = models.QSVC(**options, params={"theta": np.full(length, 0.2)}).fit(X, Y)
    assert np.array_equal(given.kernel_.params["theta"], np.full(length, 0.2))


def test_kernels_of_ones_own_and_projected_ones():
    kernel = ProjectedKernel("zz", order=2, gamma=0.2)
    own = models.QSVC(kernel=kernel).fit(X, Y)
    np.testing.assert_allclose(own.decision_function(X[:3]).shape, (3, 3))
    assert own.kernel_ is kernel
    scaled = models.QSVC("zz", kernel="projected", gamma="scale", bandwidth=0.2).fit(X, Y)
    assert scaled.kernel_.gamma == pytest.approx(ProjectedKernel("zz").scale_gamma(0.2 * X))
    assert scaled.score(X, Y) > 0.85


def test_pipelines_and_grid_search():
    data, labels = load_breast_cancer(return_X_y=True)
    search = GridSearchCV(
        make_pipeline(MinMaxScaler(), models.QSVC("angle")),
        {"qsvc__bandwidth": [0.1, 1.0], "qsvc__C": [1.0, 10.0]},
        cv=3,
    ).fit(data[:200, :5], labels[:200])
    assert search.best_score_ > 0.9
    mapped = make_pipeline(StandardScaler(), models.QuantumFeatureMap(bandwidth=0.3), LogisticRegression())
    assert cross_val_score(mapped, data[:200, :5], labels[:200], cv=3).mean() > 0.9


def test_precision_and_threads_reach_the_kernel():
    model = models.QSVC(precision="single", threads=1, max_memory=1 << 20, bandwidth=0.4).fit(X, Y)
    assert model.kernel_(X[:2]).dtype == np.float32 and model.kernel_.max_memory == 1 << 20
    assert model.kernel_.encoder.program(4).threads == 1
    assert model.score(X, Y) > 0.9


# -- what is refused --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ESTIMATORS)
def test_bad_data_is_refused(name):
    target = Y if name in CLASSIFIERS else TARGET
    model = made(name)
    ask = "transform" if name in TRANSFORMERS else "predict"
    hole = X.copy()
    hole[3, 1] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        model.fit(hole, target)
    with pytest.raises(ValueError, match="0 sample"):
        model.fit(X[:0], target[:0])
    with pytest.raises(ValueError, match="0 feature"):
        model.fit(X[:, :0], target)
    with pytest.raises(ValueError, match="Expected 2D array"):
        model.fit(X[:, 0], target)
    model.fit(X[:30:2], target[:30:2]) if name not in CLASSIFIERS else model.fit(X[::9], target[::9])
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4"):
        getattr(model, ask)(X[:, :3])


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_class_is_refused(name):
    with pytest.raises(ValueError, match="class"):
        made(name).fit(X[:10], Y[:10])


@pytest.mark.parametrize("name", [*REGRESSORS, *TRANSFORMERS])
def test_one_row_and_constant_columns_are_taken(name):
    model = made(name)
    ask = "transform" if name in TRANSFORMERS else "predict"
    constant = np.ones((6, 2))
    found = getattr(model.fit(constant, np.arange(6.0)), ask)(constant)
    assert np.isfinite(found).all()
    if name != "QuantumPCA":  # of one row there is no component
        assert np.isfinite(getattr(model.fit(X[:1], TARGET[:1]), ask)(X[:2])).all()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_constant_columns_are_taken_by_classifiers(name):
    data = np.column_stack([np.ones(20), np.linspace(-1, 1, 20)])
    model = made(name, random_state=0)
    assert model.fit(data, data[:, 1] > 0).predict(data).shape == (20,)


def test_bad_parameters_are_refused():
    for options, message in (
        ({"bandwidth": 0.0}, "`bandwidth` must be positive"),
        ({"kernel": "rbf"}, "`kernel` must be 'fidelity', 'projected'"),
        ({"feature_map": "no map"}, "Unknown feature map `no map`"),
        ({"feature_map": "chebyshev_tower"}, r"needs data in \[-1, 1\].*scale"),
        (
            {"feature_map": qsim.feature_maps.angle(3)},
            "`X` must have 3 features for this feature map, but has 4",
        ),
    ):
        with pytest.raises(ArgumentError, match=message):
            models.QSVC(**options).fit(X, Y)
    for options, message in (
        ({"epochs": 0}, "`epochs` must be at least 1"),
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
        ({"num_layers": 0}, "`num_layers` must be at least 1"),
        ({"learning_rate": -1.0}, "`learning_rate` must be positive, but is -1.0"),
        ({"bandwidth": -1.0}, "`bandwidth` must be positive, but is -1.0"),
        ({"ansatz": "nothing"}, "`ansatz` must be the name of one of qsim.ansatz.ANSATZE"),
        ({"ansatz": "RealAmplitudes"}, "but is 'RealAmplitudes'. Did you mean `real_amplitudes`"),
        ({"feature_map": "angle", "ansatz": qsim.Circuit(2)}, "`ansatz` must have 4 qubits"),
        ({"feature_map": "chebyshev_tower"}, r"needs data in \[-1, 1\]"),
    ):
        with pytest.raises(ArgumentError, match=message):
            models.QNNClassifier(**options).fit(X, Y)
    with pytest.raises(TypeError, match="`ansatz` must be a name, a Circuit or a function"):
        models.QNNClassifier("angle", ansatz=lambda n: n).fit(X, Y)
    with pytest.raises(ArgumentError, match="`output` must be one of"):
        models.QuantumFeatureMap(output="bits").fit(X)
    with pytest.raises(ArgumentError, match="`method` must be 'kernel' or 'density'"):
        models.QuantumPCA(method="svd").fit(X)
    for model in (models.QSVC, models.QuantumPCA, models.QuantumFeatureMap, models.QNNClassifier):
        with pytest.raises(TypeError, match=r"`bandwidth` must be a number, but is 'auto'.*GridSearchCV"):
            model(bandwidth="auto").fit(X, Y)
    with pytest.raises(TypeError, match=r"`alpha` must be a number, but is 'zz'.*feature_map="):
        models.QuantumKernelRidge("zz").fit(X, TARGET)
    with pytest.raises(TypeError, match=r"`n_components` must be a number, but is 'zz'.*feature_map="):
        models.QuantumPCA("zz").fit(X)
    with pytest.raises(ArgumentError, match="`kernel` must be 'fidelity' for the method 'density'"):
        models.QuantumPCA(method="density", kernel="projected").fit(X)
    with pytest.raises(ArgumentError, match="`read_out` must be 'z', 'zz' or 'xyz'"):
        models.QuantumReservoirRegressor(read_out="x").fit(X, TARGET)
    with pytest.raises(ValueError, match=r"at least one non-zero|must be positive for some row"):
        models.QSVC().fit(X, Y, np.zeros(len(X)))
    measured = qsim.Circuit(1, 1).ry(qsim.ParameterVector("x", 1)[0], 0).measure(0, 0).h(0)
    with pytest.raises(CircuitError, match="A quantum kernel needs a circuit whose state is not random"):
        models.QSVC(measured).fit(X[:, :1], Y)


def test_without_scikit_learn_the_command_is_named():
    code = "import sys; sys.modules['sklearn'] = None\nimport qsim.quantum_kernels\nimport qsim.sklearn"
    env = {k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert 'qsim.sklearn needs scikit-learn: pip install "qsim-statevector[sklearn]"' in done.stderr


def test_kernels_do_not_import_scikit_learn():
    code = "import sys, qsim; qsim.quantum_kernels.FidelityKernel('angle')([[0.1]])\n"
    code += "print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
