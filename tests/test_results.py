"""Samples, distributions of outcomes, and the histogram."""

from __future__ import annotations

import pickle
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qsim.distributions import distribution_from_array, distribution_from_outcomes
from qsim.errors import ArgumentError, ObservableError, QubitError
from qsim.observables import Diagonal, PauliSum, Projector
from qsim.results import SampleEstimate, Samples
from qsim.visual.histogram import plot_histogram


@st.composite
def bit_arrays(draw, max_bits=70, batch=False):
    """Bits of a few shots, with repetitions; more than 63 bits too."""
    num_bits = draw(st.sampled_from([0, 1, 3, 8, 9, 62, 63, 64, max_bits]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    pool = rng.integers(0, 2, (3, num_bits), dtype=np.uint8)
    shape = (2, draw(st.integers(0, 8))) if batch else (draw(st.integers(0, 8)),)
    return pool[rng.integers(0, 3, shape)]


def text_of(row) -> str:
    return "".join(str(int(bit)) for bit in row[::-1])


@given(bits=bit_arrays())
def test_all_views_of_the_outcomes_agree(bits):
    samples = Samples.from_bits(bits)
    labels = [text_of(row) for row in bits]
    np.testing.assert_array_equal(samples.bits, bits)
    assert samples.bits.dtype == np.uint8
    assert samples.ints.tolist() == [int(label or "0", 2) for label in labels]
    assert (samples.shots, samples.num_bits, samples.batch, len(samples)) == (*bits.shape, None, len(bits))
    assert list(samples) == labels == [samples[i] for i in range(len(bits))]
    assert samples.counts() == dict(Counter(labels))
    assert samples.counts(order="big") == dict(Counter(label[::-1] for label in labels))
    for order in ("little", "big"):
        pairs = samples.most_common(order=order)
        assert (
            pairs
            == sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
            == list(samples.counts(order).items())
        )
        assert samples.most_common(2, order=order) == pairs[:2]
    assert samples.probabilities() == {k: v / len(bits) for k, v in samples.counts().items()}
    if bits.shape[1] <= 63:
        assert Samples(samples.ints, samples.num_bits) == samples
        assert samples.ints.dtype == np.int64


@given(bits=bit_arrays(batch=True))
def test_a_batch_is_its_rows(bits):
    samples = Samples.from_bits(bits)
    rows = [Samples.from_bits(row) for row in bits]
    assert (samples.batch, samples.shots, len(samples)) == (2, bits.shape[1], 2)
    assert list(samples) == rows and samples[-1] == rows[1] and samples[1:][0] == rows[1]
    assert samples.counts() == [row.counts() for row in rows]
    assert samples.probabilities() == [row.probabilities() for row in rows]
    assert samples.most_common(1) == [row.most_common(1) for row in rows]
    assert samples.ints.tolist() == [row.ints.tolist() for row in rows]
    np.testing.assert_array_equal(samples.bits, bits)


@given(bits=bit_arrays(), data=st.data())
def test_marginal_is_a_choice_of_columns(bits, data):
    num_bits = bits.shape[1]
    chosen = data.draw(st.lists(st.integers(0, num_bits - 1), unique=True, max_size=5)) if num_bits else []
    marginal = Samples.from_bits(bits).marginal(chosen)
    np.testing.assert_array_equal(marginal.bits, bits[:, chosen])
    assert marginal.num_bits == len(chosen)


@given(bits=bit_arrays())
def test_counts_round_trip_pickle_and_repr(bits):
    samples = Samples.from_bits(bits)
    assert pickle.loads(pickle.dumps(samples)) == samples
    if len(bits):
        assert Samples.from_counts(samples.counts()).counts() == samples.counts()
        assert Samples.from_counts(samples.counts("big"), order="big").counts() == samples.counts()
    assert repr(samples).startswith(f"<Samples: {len(bits)} shots, {bits.shape[1]} bits, {{")
    assert f"{len(bits)} shots" in samples._repr_html_()


def test_counts_are_sorted_by_count_then_label():
    samples = Samples([2, 1, 1, 3, 0, 2], num_bits=3)
    assert list(samples.counts().items()) == [("001", 2), ("010", 2), ("000", 1), ("011", 1)]
    assert list(samples.counts("big").items()) == [("010", 2), ("100", 2), ("000", 1), ("110", 1)]
    assert all(type(count) is int for count in samples.counts().values())


def test_registers_name_bits():
    samples = Samples.from_bits([[1, 0, 1], [0, 0, 1]], registers={"a": [2, 1], "b": [0]})
    assert samples.registers == {"a": (2, 1), "b": (0,)}
    assert samples.marginal("a").counts() == {"01": 2}
    assert samples.marginal("b").counts() == {"0": 1, "1": 1}
    assert pickle.loads(pickle.dumps(samples)).registers == samples.registers
    assert samples[:1].registers == samples.registers
    with pytest.raises(ArgumentError, match="Unknown classical register 'c'; the samples have: 'a', 'b'"):
        samples.marginal("c")
    with pytest.raises(QubitError, match="Bit 3 is out of range"):
        Samples([0], 3, registers={"a": [3]})


def test_samples_are_immutable_and_do_not_share_the_caller_s_array():
    ints = np.array([1, 2])
    samples = Samples(ints, 2)
    ints[0] = 0
    assert samples.ints.tolist() == [1, 2] and ints.flags.writeable
    bits = np.zeros((2, 70), dtype=np.uint8)
    wide = Samples.from_bits(bits)
    bits[:] = 1
    assert not wide.bits.any()
    for values in (samples.ints, wide.bits, pickle.loads(pickle.dumps(samples)).ints):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(samples)


def test_equality_looks_at_outcomes_bits_and_registers():
    samples = Samples([1, 0], 2)
    assert samples == Samples(np.array([1, 0], np.uint8), 2)
    assert samples != Samples([0, 1], 2)
    assert samples != Samples([1, 0], 3)
    assert samples != Samples([[1, 0]], 2)
    assert samples != Samples([1, 0], 2, registers={"c": [0]})
    assert samples != "10"


def test_indexing_as_a_sequence():
    samples = Samples([1, 2, 3], 2)
    assert samples[-1] == "11" and samples[1:] == Samples([2, 3], 2)
    with pytest.raises(IndexError):
        samples[3]
    with pytest.raises(TypeError):
        samples["0"]


# ---- expectation -----------------------------------------------------------------------------------

z_sums = st.lists(st.tuples(st.text("IZ", min_size=3, max_size=3), st.integers(-3, 3)), max_size=4).map(
    PauliSum
)


@given(ints=st.lists(st.integers(0, 7), min_size=2, max_size=20), observable=z_sums)
def test_expectation_is_mean_and_standard_error(ints, observable):
    values = observable.to_matrix(3).diagonal().real[ints]
    value, error = Samples(ints, 3).expectation(observable)
    assert value == pytest.approx(values.mean(), abs=1e-12)
    assert error == pytest.approx(values.std(ddof=1) / len(ints) ** 0.5, abs=1e-12)


def test_expectation_of_other_diagonal_observables_and_batches():
    samples = Samples([[0, 1, 2, 3], [3, 3, 3, 3]], 2)
    for observable in ("Z0 Z1", {"ZZ": 1.0}, Diagonal([1, -1, -1, 1])):
        value, error = samples.expectation(observable)
        np.testing.assert_allclose(value, [0, 1])
        np.testing.assert_allclose(error, [(1 / 3) ** 0.5, 0])
    np.testing.assert_allclose(samples.expectation(Projector("11")).value, [0.25, 1])
    assert samples[0].expectation(Projector("1", [1])).value == 0.5
    assert isinstance(samples[0].expectation("Z0").value, float)
    wide = Samples.from_bits(np.eye(70, dtype=np.uint8)[[0, 69]])
    assert wide.expectation("Z0").value == 0.0


def test_expectation_of_few_shots():
    assert Samples([1], 1).expectation("Z0").value == -1.0
    assert np.isnan(Samples([1], 1).expectation("Z0").standard_error)
    assert np.isnan(Samples([], 1).expectation("Z0")).all()
    assert isinstance(Samples([1], 1).expectation("Z0"), SampleEstimate)


def test_expectation_agrees_with_the_exact_value_within_its_error():
    """5 standard errors: fails for one seed in two million, and the seed is fixed."""
    probabilities = np.array([0.1, 0.2, 0.3, 0.4])
    observable = PauliSum({"Z0": 0.5, "Z0 Z1": -1.5, "": 2.0})
    exact = probabilities @ observable.to_matrix(2).diagonal().real
    samples = Samples(np.random.default_rng(7).choice(4, 20_000, p=probabilities), 2)
    value, error = samples.expectation(observable)
    assert 0 < error < 0.02 and abs(value - exact) < 5 * error


def test_expectation_errors():
    samples = Samples([0, 1], 2)
    with pytest.raises(
        ObservableError, match=r"must be diagonal \(letters I and Z\), because .* PauliSum\({'X0': 1.0}\)"
    ):
        samples.expectation("X0")
    with pytest.raises(QubitError, match="Qubit 2 of the observable is out of range for 2 qubits"):
        samples.expectation("Z2")
    with pytest.raises(ObservableError, match="must be Hermitian"):
        samples.expectation({"Z0": 1j})


# ---- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "error", "text"),
    [
        (
            lambda: Samples([4], 2),
            ArgumentError,
            r"must be in \[0, 2\*\*2\) for 2 bits, but ranges from 4 to 4",
        ),
        (lambda: Samples([-1, 0], 2), ArgumentError, "but ranges from -1 to 0"),
        (lambda: Samples([0.5], 2), TypeError, "Argument `ints` must hold integers, but has dtype float64"),
        (lambda: Samples([True], 2), TypeError, "but has dtype bool"),
        (lambda: Samples(["0"], 2), TypeError, "Argument `ints` must hold integers"),
        (
            lambda: Samples(3, 2),
            ArgumentError,
            r"must have shape \(shots,\) or \(batch, shots\), but has shape \(\)",
        ),
        (lambda: Samples([[[0]]], 2), ArgumentError, r"but has shape \(1, 1, 1\)"),
        (lambda: Samples([0], 64), ArgumentError, "Argument `num_bits` must be at most 63, but is 64"),
        (lambda: Samples([0], -1), ArgumentError, "Argument `num_bits` must be at least 0, but is -1"),
        (lambda: Samples([0], 2.0), TypeError, "Argument `num_bits` must be an int, but is float"),
        (
            lambda: Samples.from_bits([0, 1]),
            ArgumentError,
            r"must have shape \(shots, num_bits\) or .* shape \(2,\)",
        ),
        (lambda: Samples.from_bits([[0, 2]]), ArgumentError, "must hold only 0 and 1"),
        (
            lambda: Samples.from_bits([[0.0, 1.0]]),
            TypeError,
            "must hold integers 0 and 1, but has dtype float64",
        ),
        (
            lambda: Samples.from_counts({"0": 1, "00": 1}),
            ArgumentError,
            r"same length, but has lengths \[1, 2\]",
        ),
        (lambda: Samples.from_counts({"0": -1}), ArgumentError, "`counts` must be at least 0, but is -1"),
        (
            lambda: Samples.from_counts({"0": 0.5}),
            TypeError,
            "Argument `counts` must be an int, but is float",
        ),
        (lambda: Samples.from_counts({"a": 1}), ArgumentError, "Bitstring 'a' has 'a' at position 0"),
        (lambda: Samples([0], 2).marginal([2]), QubitError, "Bit 2 is out of range"),
        (lambda: Samples([0], 2).marginal([0, 0]), QubitError, "Bit 0 is named twice"),
        (
            lambda: Samples([0], 2).most_common(-1),
            ArgumentError,
            "Argument `k` must be at least 0, but is -1",
        ),
        (lambda: Samples([0], 2).counts("up"), ArgumentError, "Argument `order` must be 'little'"),
    ],
)
def test_errors(build, error, text):
    with pytest.raises(error, match=text):
        build()


def test_html_lists_the_most_frequent_outcomes():
    table = Samples(np.arange(40), 6)._repr_html_()
    assert table.count("<code>") == 16 and "and 24 more outcomes" in table
    assert (
        "&lt;Samples: batch of 2, 3 shots each, 1 bits&gt;" in Samples(np.zeros((2, 3), int), 1)._repr_html_()
    )


# ---- distributions ---------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32), num_bits=st.integers(0, 5), order=st.sampled_from(["little", "big"]))
def test_distribution_from_array(seed, num_bits, order):
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(2**num_bits)).round(2)
    found = distribution_from_array(probabilities, order=order)
    assert all(type(value) is float and value > 0 for value in found.values())
    assert list(found.items()) == sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    back = np.zeros_like(probabilities)
    for label, value in found.items():
        back[int((label if order == "little" else label[::-1]) or "0", 2)] = value
    np.testing.assert_array_equal(back, probabilities)


def test_distribution_cutoff_and_many_bits():
    assert distribution_from_array([0.5, 1e-17, 0.5, 0.0], cutoff=1e-12) == {"00": 0.5, "10": 0.5}
    assert distribution_from_outcomes({1 << 69: 0.75, 0: 0.25}, 70) == {"1" + "0" * 69: 0.75, "0" * 70: 0.25}
    with pytest.raises(ArgumentError, match=r"must have shape \(2\*\*num_bits,\), but has shape \(3,\)"):
        distribution_from_array([0.5, 0.25, 0.25])
    with pytest.raises(ArgumentError, match="Argument `order`"):
        distribution_from_outcomes({0: 1.0}, 1, order="up")


# ---- histogram -------------------------------------------------------------------------------------


@pytest.fixture
def ax():
    figure = pytest.importorskip("matplotlib.figure")
    return figure.Figure().subplots()


def bars(ax):
    labels = [label.get_text() for label in ax.get_xticklabels()]
    heights = [[patch.get_height() for patch in container] for container in ax.containers]
    return labels, heights


def test_histogram_of_counts(ax):
    samples = Samples([0, 0, 3, 3, 3, 1], 2)
    assert plot_histogram(samples, ax, title="Bell") is ax
    assert bars(ax) == (["00", "01", "11"], [[2, 1, 3]])
    assert (ax.get_ylabel(), ax.get_title()) == ("shots", "Bell")
    assert ax.get_xlabel() == "outcome (bit 0 rightmost)"


def test_histogram_sorted_by_value_with_the_rest_in_one_bar(ax):
    plot_histogram({"00": 1, "01": 2, "10": 3, "11": 6}, ax, top=2, sort="value", normalize=True)
    labels, [heights] = bars(ax)
    assert labels == ["11", "10", "other (2)"]
    np.testing.assert_allclose(heights, [0.5, 0.25, 0.25])
    assert ax.get_ylabel() == "probability"


def test_histogram_of_several_series(ax):
    plot_histogram([{"0": 0.5, "1": 0.5}, {"1": 1.0}], ax, legend=["before", "after"])
    assert bars(ax) == (["0", "1"], [[0.5, 0.5], [0, 1.0]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["before", "after"]
    assert ax.get_ylabel() == "probability"


def test_histogram_of_a_batch_and_of_all_outcomes(ax):
    samples = Samples([np.arange(64), np.zeros(64, int)], 6)
    plot_histogram(samples, ax, top=None)
    labels, heights = bars(ax)
    assert len(labels) == 64 and [len(series) for series in heights] == [64, 64]
    assert ax.get_xticklabels()[0].get_rotation() == 70


def test_histogram_makes_its_own_figure():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    axes = plot_histogram({"0": 1})
    assert axes.figure.number in pyplot.get_fignums()
    pyplot.close(axes.figure)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (({},), ArgumentError, "Argument `data` must hold at least one outcome, but is empty"),
        (([],), ArgumentError, "but is empty"),
        ((3,), TypeError, "Argument `data` must be Samples, a dictionary .* but is int"),
        (("00",), TypeError, "but is str"),
    ],
)
def test_histogram_data_errors(arguments, error, text):
    with pytest.raises(error, match=text):
        plot_histogram(*arguments)


@pytest.mark.parametrize(
    ("keywords", "error", "text"),
    [
        ({"top": 0}, ArgumentError, "Argument `top` must be at least 1, but is 0"),
        ({"sort": "size"}, ArgumentError, "Argument `sort` must be 'label' or 'value', but is 'size'"),
        ({"legend": ["a", "b"]}, ArgumentError, "Argument `legend` must have 1 names, but has 2"),
    ],
)
def test_histogram_keyword_errors(keywords, error, text, ax):
    with pytest.raises(error, match=text):
        plot_histogram({"0": 1}, ax, **keywords)


def test_missing_matplotlib_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'A plot needs Matplotlib: pip install "qsim-statevector\[viz\]"'):
        plot_histogram({"0": 1})
