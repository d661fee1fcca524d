"""The report: verdicts on data whose winner is known, forms, pictures, bad input."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qsim
from qsim import analysis
from qsim.analysis import Report, plots, report
from qsim.datasets import ad_hoc
from qsim.errors import ArgumentError, ParameterError

pytest.importorskip("sklearn")

FAST: dict[str, Any] = {"bandwidths": [1.0, 0.3], "folds": 3}


@pytest.fixture(scope="module")
def ad_hoc_report() -> Report:
    return report("zz", *ad_hoc(80, seed=7), **FAST)


@pytest.fixture(scope="module")
def trainable_report() -> Report:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = np.where(X[:, 0] + 0.3 * rng.normal(size=60) > 0, "<b>high</b>", "low")
    x, t = qsim.ParameterVector("x", 2), qsim.ParameterVector("theta", 7)
    circuit = qsim.Circuit(2, name="<upload>").ry(x[0], 0).ry(x[1], 1).rz(t[0], 0).ry(t[1], 1).cx(0, 1)
    circuit.ry(x[0], 0).ry(x[1], 1).rz(t[2], 0).ry(t[3], 1).cx(0, 1).ry(t[4], 0).rz(t[5], 0)
    circuit.rz(t[6], 0)
    return report(circuit, X, y, weights={"theta[0]": 0.3}, **FAST)


def test_quantum_leads_on_its_own_data(ad_hoc_report: Report) -> None:
    found = ad_hoc_report
    assert found.winner == "quantum" and found.lead.low > 0
    assert "leads on these data" in found.verdict and "nothing about other data" in found.verdict
    assert found.best(True).name == "fidelity kernel SVM" and found.best(True).estimate.value > 0.9
    assert found.quantum_complexity.bound < found.classical_complexity.bound
    assert found.frequencies is None and found.rank is None and found.gradients is None
    assert [score.is_quantum for score in found.scores] == [True, True, False, False, False]


def test_a_linear_rule_is_no_win() -> None:
    rng = np.random.default_rng(1)
    X = rng.uniform(0, 6, size=(120, 2))
    found = report("zz", X, (X[:, 0] > X[:, 1]).astype(int), bandwidths=[1.0], folds=3)
    assert found.winner == "classical" and "Classical methods win" in found.verdict
    assert found.best(False).estimate.value > 0.9
    assert any("no easier for the quantum kernel" in text for text in found.findings)


def test_an_easy_task_is_a_tie() -> None:
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1], 30)
    found = report("angle", rng.normal(size=(60, 2)) * 0.1 + y[:, None], y, **FAST)
    assert found.winner == "tie" and "simpler choice" in found.verdict
    assert found.lead.low <= 0 <= found.lead.high


def test_noise_is_no_better_than_guessing() -> None:
    rng = np.random.default_rng(3)
    found = report("angle", rng.normal(size=(60, 2)), np.repeat([0, 1], 30), **FAST)
    assert found.winner == "chance" and "better than guessing (0.500)" in found.verdict


def test_scores_are_those_of_predictions(ad_hoc_report: Report) -> None:
    _, y = ad_hoc(80, seed=7)
    for score in ad_hoc_report.scores:
        assert score.predictions.shape == y.shape
        assert score.estimate.value == pytest.approx((score.predictions == y).mean())
        assert score.estimate.low <= score.estimate.value <= score.estimate.high
        assert len(score.chosen) == 3
    assert ad_hoc_report.chance == 0.5
    assert set(ad_hoc_report.scores[0].chosen[0]) == {"bandwidth", "C"}


def test_numbers_agree_with_the_functions(ad_hoc_report: Report) -> None:
    X, y = ad_hoc(80, seed=7)
    found = ad_hoc_report
    matrix = qsim.quantum_kernels.FidelityKernel("zz")(found.bandwidth * X)
    alone = analysis.kernel_concentration(matrix, 2)
    assert found.kernel.variance.value == pytest.approx(alone.variance.value)
    shift = found.quantum_complexity.regularization
    assert found.quantum_complexity.value == pytest.approx(float(analysis.model_complexity(matrix, y, shift)))
    spread = analysis.meyer_wallach(qsim.statevector(qsim.feature_maps.zz(2), {"x": found.bandwidth * X}))
    assert spread.min() - 1e-9 <= found.entanglement.values.min()
    assert found.entanglement.values.max() <= spread.max() + 1e-9


def test_weights(trainable_report: Report) -> None:
    found = trainable_report
    assert found.rank is not None and found.rank.num_parameters == 7 and found.rank.redundant >= 1
    assert found.gradients is not None and len(found.gradients.parameters) == 7
    assert found.dimension is not None and found.dimension.num_weights == 7
    assert found.frequencies is not None
    np.testing.assert_allclose(found.frequencies["x[0]"], [0, 1, 2])
    assert found.surrogate.r2.value > 0.999
    assert any("need no quantum computer" in text for text in found.findings)
    assert any("weights are redundant" in text for text in found.findings)
    assert "6 of 7 weights were drawn at random" in " ".join(found.notes)


def test_regression() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(70, 2))
    y = 100 + 30 * X[:, 0] + rng.normal(size=70)
    found = report("angle", X, y, **FAST)
    assert not found.classification and found.chance == 0.0
    assert found.best(False).name == "ridge regression" and found.best(False).estimate.value > 0.98
    assert "R^2 on unseen points" in str(found)
    whole = report("angle", X, np.rint(y).astype(int), task="regression", **FAST)
    assert not whole.classification
    score = found.scores[2]
    direct = 1 - ((score.predictions - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert score.estimate.value == pytest.approx(direct)


def test_several_classes_and_estimators() -> None:
    sklearn = pytest.importorskip("qsim.sklearn")
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    found = report(sklearn.QSVC("angle", bandwidth=0.5), X, names, max_samples=60, **FAST)
    assert found.name == "QSVC with angle" and found.num_samples == 60
    assert "QSVC as given" in [score.name for score in found.scores]
    assert found.chance == pytest.approx(1 / 3)
    assert any("60 of 150 points" in note for note in found.notes)
    assert min(score.estimate.value for score in found.scores) > 0.8
    kernel = qsim.quantum_kernels.FidelityKernel("angle")
    assert report(kernel, X, y, max_samples=60, **FAST).circuit.num_qubits == 4
    from sklearn.svm import SVC

    with pytest.raises(TypeError, match="estimator with a quantum kernel or circuit"):
        report(SVC(), X, y)


def test_variational_models() -> None:
    sklearn = pytest.importorskip("qsim.sklearn")
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(60, 2))
    y = (X[:, 0] > 0).astype(int)
    model = sklearn.QNNClassifier("angle", num_layers=1, epochs=30, learning_rate=0.1, random_state=0)
    found = report(model, X, y, **FAST)
    assert found.name == "QNNClassifier" and found.scores[2].name == "QNNClassifier as given"
    assert found.scores[2].estimate.value > 0.8
    assert found.rank is not None and found.rank.num_parameters == 4
    assert any("would have seen the answers" in note for note in found.notes)
    network = sklearn.QNNRegressor(num_layers=1, epochs=2, random_state=0)
    numbers = report(network, X, X[:, 0] + 0.5, **FAST)
    assert numbers.frequencies is not None  # of the trained factors
    assert len(numbers.frequencies["x[0]"]) == 2 and numbers.frequencies["x[0]"][1] not in (0.0, 1.0)


def test_reports_are_reproducible(ad_hoc_report: Report) -> None:
    def figures(found: Report) -> str:
        return re.sub(r"\n[\d.]+ s$", "", str(found))

    again = report("zz", *ad_hoc(80, seed=7), **FAST)
    assert figures(again) == figures(ad_hoc_report)
    other = report("zz", *ad_hoc(80, seed=7), seed=1, **FAST)
    assert figures(other) != figures(ad_hoc_report)


def test_text(ad_hoc_report: Report, trainable_report: Report) -> None:
    text = str(ad_hoc_report)
    for part in ("2 qubits, 80 points of 2 features", "RBF SVM", "logistic regression", "random features",
                 "fidelity kernel SVM", "geometric difference", "effective rank", "guessing"):  # fmt: skip
        assert part in text
    assert "Weights, 7" in str(trainable_report) and "Notes" in str(trainable_report)
    assert max(len(line) for line in text.splitlines() if line.startswith("  ")) < 200


class Checker(HTMLParser):
    """Counts tags, and refuses those that are not closed."""

    VOID = ("meta", "br", "img")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html(trainable_report: Report, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    page = trainable_report.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page
    assert "data:image/png;base64," in page and page.startswith("<!DOCTYPE html>")
    fragment = trainable_report._repr_html_()
    assert "<img" not in fragment and "base64" not in trainable_report.to_html(plots=False)
    for text in (page, fragment):
        checker = Checker()
        checker.feed(text)
        assert checker.open == [] and "table" in checker.seen
        assert "upload" not in checker.seen and "&lt;upload&gt;" in text  # names are escaped


def test_pictures(trainable_report: Report, ad_hoc_report: Report, tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot
    from matplotlib.axes import Axes

    assert len(trainable_report.plot().axes) == 8 and len(ad_hoc_report.plot().axes) == 6
    circuit, line = trainable_report.circuit, qsim.Circuit(1).rx(qsim.Parameter("x"), 0)
    spectrum = analysis.fourier_spectrum(circuit)
    series = analysis.fourier_coefficients(circuit, "Z0", {"theta": np.arange(7.0)})
    scaling = analysis.gradient_variance_scaling(
        lambda n: qsim.ansatz.real_amplitudes(n), (2, 3, 4), observable="Z0", num_samples=20, seed=1
    )
    shown = [
        *(spectrum, series, analysis.fourier_coefficients(line, "Z0"), scaling),
        analysis.fisher_spectrum(circuit, np.zeros((2, 2)), num_samples=5, seed=1),
        *(trainable_report.kernel, trainable_report.scan, trainable_report.expressibility),
        *(trainable_report.entanglement, trainable_report.surrogate, trainable_report.gradients),
        trainable_report.dimension,
    ]
    for result in shown:
        made = result.plot()
        figure, ax = pyplot.subplots()
        assert isinstance(made, Axes) and result.plot(ax) is ax
        figure.savefig(tmp_path / "plot.png")
        pyplot.close("all")
    figure, ax = pyplot.subplots()
    assert plots.plot_scores(trainable_report, ax) is ax
    assert len(ax.get_yticklabels()) == len(trainable_report.scores)
    pyplot.close("all")
    # each function of the module is used by one of these
    assert len(plots.__all__) == len({type(r) for r in shown}) + 1


def test_missing_libraries(monkeypatch: pytest.MonkeyPatch, ad_hoc_report: Report) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="viz"):
        ad_hoc_report.kernel.plot()
    with pytest.raises(ImportError, match="viz"):
        ad_hoc_report.plot()
    assert "<table" in ad_hoc_report._repr_html_()
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"qsim-statevector\[sklearn\]"):
        report("zz", *ad_hoc(20, seed=1))


def test_importing_loads_nothing() -> None:
    code = (
        "import sys, qsim; qsim.analysis; "
        "bad = {'sklearn', 'scipy', 'matplotlib', 'numba'} & set(sys.modules); assert not bad, bad; "
        "qsim.analysis.expressibility(qsim.Circuit(1)); assert 'sklearn' not in sys.modules"
    )
    root = str(Path(qsim.__file__).parents[1])
    subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r}); {code}"], check=True)
    assert set(analysis.__all__) <= set(dir(analysis))
    for name in analysis.__all__:
        assert getattr(analysis, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        analysis.nonsense  # noqa: B018


X2, Y2 = np.random.default_rng(0).normal(size=(40, 2)), np.repeat([0, 1], 20)


def changed(row: int, column: int, value: float) -> Any:
    out = X2.copy()
    out[row, column] = value
    return out


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        (changed(3, 1, np.nan), Y2, {}, "`X` must be finite, but is nan in row 3, column 1"),
        (changed(0, 0, np.inf), Y2, {}, "`X` must be finite, but is inf in row 0, column 0"),
        (X2[:, 0], Y2, {}, "reshape"),
        (X2[:0], Y2[:0], {}, "at least 4 rows, but has 0"),
        (X2[:1], Y2[:1], {}, "at least 4 rows, but has 1"),
        (X2, Y2[:5], {}, r"`y` must have shape \(40,\)"),
        (X2, np.zeros(40, dtype=int), {}, "`y` must have at least 2 classes, but all of it is 0"),
        (X2, np.full(40, 1.5), {}, "`y` must vary, but all of it is 1.5"),
        (X2, np.where(np.arange(40) < 2, "rare", "usual"), {}, "4 points of each class, but has 2 of 'rare'"),
        (X2, np.full(40, np.nan), {}, "`y` must be finite"),
        (np.ones((40, 2)), Y2, {}, "all of its columns are constant"),
        (X2[:6], np.arange(6) / 7, {}, "at least 10 rows"),
        (np.ones((40, 3)) * np.arange(40)[:, None], Y2, {"model": qsim.feature_maps.angle(2)}, "features"),
        (X2, Y2, {"task": "ranking"}, "`task` must be 'classification' or 'regression'"),
        (X2, Y2, {"bandwidths": []}, "`bandwidths` must hold positive"),
        (X2, Y2, {"bandwidths": [0.0]}, "`bandwidths` must hold positive"),
        (X2, Y2, {"folds": 1}, "`folds` must be at least 2"),
        (X2, Y2, {"confidence": 1.0}, "`confidence` must lie between 0 and 1"),
        (X2, Y2, {"reps": 1}, r"no argument `reps`.*zz\(2, reps=1\)"),
        (X2, Y2, {"random_state": 1}, r"no argument `random_state`.*`seed`"),
        (X2, Y2, {"max_samples": 5}, "`max_samples` must be at least 10"),
    ],
)  # fmt: skip
def test_bad_input(X: Any, y: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises((ArgumentError, TypeError), match=message):
        report(**{"model": "angle", "X": X, "y": y, **options})


@pytest.mark.parametrize(
    ("feature_map", "width"), [("chebyshev_tower", 1.0), ("product", 1.0), ("product", 2.0)]
)
def test_maps_with_a_domain(feature_map: str, width: float) -> None:
    """Neither the scan of bandwidths nor the points of the surrogate leave [-1, 1]."""
    X = np.random.default_rng(2).uniform(-width, width, size=(40, 2))
    X[0] = width
    found = report(feature_map, X, (X[:, 0] > 0).astype(int), bandwidths=[0.45, 1 / width], folds=3)
    assert found.scan.bandwidths.max() == pytest.approx(1 / width) and found.surrogate.random.r2.value > 0.5
    with pytest.raises(ParameterError, match=r"takes numbers in \[-1, 1\].*qsim.feature_maps.scale"):
        report(feature_map, 1.01 * X, Y2, bandwidths=[1 / width])


def test_texts_are_no_targets_of_a_regression() -> None:
    with pytest.raises(TypeError, match="must hold numbers for a regression"):
        report("angle", X2, np.array(["a", "b"] * 20), task="regression")


def test_constant_columns_are_told() -> None:
    X = np.column_stack([X2, np.full(40, 3.0)])
    found = report("angle", X, Y2, **FAST)
    assert "Constant in all rows, so that it tells nothing: column 2." in found.notes


def test_a_class_of_four_points() -> None:
    y = np.where(np.arange(40) < 4, "rare", "usual")
    found = report("angle", X2 + (y == "rare")[:, None], y, folds=5, bandwidths=[1.0])
    assert len(found.scores[0].chosen) == 4


def test_integers_are_not_scaled() -> None:
    X = np.random.default_rng(0).integers(0, 2, (24, 3))
    found = report("basis", X, X[:, 0] ^ X[:, 1], folds=3)
    assert found.bandwidth == 1 and list(found.scan.bandwidths) == [1]
