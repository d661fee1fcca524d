"""The device `qsim.qubit` against PennyLane's own simulator; needs PennyLane."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from qsim.errors import GradientError

qml = pytest.importorskip("pennylane")

from pennylane.exceptions import DeviceError, WireError  # noqa: E402

from qsim.pennylane import QsimDevice  # noqa: E402
from qsim.pennylane.plan import Plan, Plans  # noqa: E402

LABELS = ["a", 7, -1.5]


def pair(**options):
    """Our device and PennyLane's on the same wires."""
    wires = options.pop("wires", 3)
    return qml.device("qsim.qubit", wires=wires, **options), qml.device("default.qubit", wires=wires)


def prepare(x, wires=(0, 1, 2)):
    a, b, c = wires
    qml.RX(x, a)
    qml.Rot(0.3, x, 0.5, b)
    qml.CNOT([a, c])
    qml.SingleExcitation(1.1, [c, b])
    qml.RY(0.4, c)


HERMITIAN = np.array([[1, 2j, 0, 0], [-2j, 0, 1, 0], [0, 1, -1, 3], [0, 0, 3, 0.5]])
MEASUREMENTS = {
    "expval": lambda a, b, c: qml.expval(qml.Z(a) @ qml.X(c)),
    "expval-sum": lambda a, b, c: qml.expval(0.5 * qml.Z(a) - qml.X(b) @ qml.Y(c) + 0.25),
    "expval-hermitian": lambda a, b, c: qml.expval(qml.Hermitian(HERMITIAN, [c, a])),
    "expval-projector": lambda a, b, c: qml.expval(qml.Projector([1, 0], [c, a])),
    "expval-product": lambda a, b, c: qml.expval(qml.Hermitian([[1, 2], [2, 0]], b) @ qml.Hadamard(a)),
    "var": lambda a, b, c: qml.var(qml.Y(b)),
    "var-sum": lambda a, b, c: qml.var(qml.Y(b) + 0.3 * qml.Z(a)),
    "probs": lambda a, b, c: qml.probs(wires=[c, a]),
    "probs-all": lambda a, b, c: qml.probs(),
    "probs-observable": lambda a, b, c: qml.probs(op=qml.X(b) @ qml.Y(c)),
    "state": lambda a, b, c: qml.state(),
    "density-matrix": lambda a, b, c: qml.density_matrix([c, a]),
    "purity": lambda a, b, c: qml.purity([b]),
    "entropy": lambda a, b, c: qml.vn_entropy([b, c], log_base=2),
    "mutual-information": lambda a, b, c: qml.mutual_info([a], [b]),
}
SHOTS = {
    "expval": MEASUREMENTS["expval"],
    "expval-sum": MEASUREMENTS["expval-sum"],
    "expval-hermitian": MEASUREMENTS["expval-hermitian"],
    "var": MEASUREMENTS["var"],
    "probs": MEASUREMENTS["probs"],
    "probs-observable": MEASUREMENTS["probs-observable"],
}


@pytest.mark.parametrize("wires", [(0, 1, 2), LABELS], ids=["numbers", "labels"])
@pytest.mark.parametrize("x", [0.7, np.array([0.7, -0.4, 1.9])], ids=["one", "batch"])
@pytest.mark.parametrize("name", MEASUREMENTS)
def test_exact_measurements(name, x, wires):
    def circuit(x):
        prepare(x, wires)
        return MEASUREMENTS[name](*wires)

    ours, theirs = (qml.QNode(circuit, device)(x) for device in pair(wires=wires))
    assert np.shape(ours) == np.shape(theirs)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_several_measurements_are_one_simulation():
    def circuit(x):
        prepare(x)
        return tuple(measure(0, 1, 2) for measure in MEASUREMENTS.values())

    x = np.array([0.7, -0.4])
    device, reference = pair()
    with qml.Tracker(device) as tracker:
        ours = qml.QNode(circuit, device)(x)
    assert tracker.totals["simulations"] == 1
    for found, wanted in zip(ours, qml.QNode(circuit, reference)(x), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("name", SHOTS)
def test_shots(name):
    """5 standard deviations of 20,000 shots; values lie within 5 of 0."""

    def circuit(x):
        prepare(x)
        return SHOTS[name](0, 1, 2)

    device, reference = pair(seed=3)
    found = qml.set_shots(qml.QNode(circuit, device), 20_000)(0.7)
    wanted = qml.QNode(circuit, reference)(0.7)
    assert np.shape(found) == np.shape(wanted)
    np.testing.assert_allclose(found, wanted, atol=5 * 5 / np.sqrt(20_000))
    assert np.any(found != wanted)


def test_forms_of_samples():
    def circuit(x):
        prepare(x)
        return qml.sample(wires=[2, 0]), qml.counts(wires=[1]), qml.sample(qml.X(1)), qml.expval(qml.Z(0))

    device, reference = pair(seed=1)
    for shots in (20, (5, 10), 1):
        ours, theirs = (qml.set_shots(qml.QNode(circuit, d), shots)(0.7) for d in (device, reference))
        entries = zip(ours, theirs, strict=True) if isinstance(shots, tuple) else [(ours, theirs)]
        for found, wanted in entries:
            assert len(found) == len(wanted)
            for a, b in zip(found, wanted, strict=True):
                assert isinstance(a, dict) == isinstance(b, dict)
                assert isinstance(a, dict) or np.shape(a) == np.shape(b)
    batch = qml.set_shots(qml.QNode(circuit, device), 20)(np.array([0.7, 0.1, 0.2]))
    assert batch[0].shape == (3, 20, 2)
    assert [sum(counts.values()) for counts in batch[1]] == [20] * 3
    assert batch[3].shape == (3,)


def test_samples_have_the_wires_in_their_order():
    """On |110>, wire 2 is 0 and wire 0 is 1; no symmetry hides an order."""
    device = qml.device("qsim.qubit", wires=3)

    @qml.set_shots(50)
    @qml.qnode(device)
    def circuit():
        qml.BasisState([1, 1, 0], wires=[0, 1, 2])
        return qml.counts(), qml.sample(wires=[2, 0]), qml.probs([0, 2])

    counts, samples, probabilities = circuit()
    assert counts == {"110": 50}
    assert (samples == [0, 1]).all()
    assert probabilities.tolist() == [0, 0, 1, 0]


def test_classical_shadows():
    device, reference = pair(seed=2)

    def shadow(x):
        prepare(x)
        return qml.classical_shadow(wires=[0, 1, 2], seed=5)

    bits, recipes = qml.set_shots(qml.QNode(shadow, device), 30)(0.7)
    assert bits.shape == recipes.shape == (30, 3)

    def estimate(x):
        prepare(x)
        return qml.shadow_expval(qml.Z(0) @ qml.X(2), seed=5)

    found = qml.set_shots(qml.QNode(estimate, device), 20_000)(np.array([0.7, 0.1]))
    wanted = qml.QNode(lambda x: (prepare(x), qml.expval(qml.Z(0) @ qml.X(2)))[1], reference)(
        np.array([0.7, 0.1])
    )
    np.testing.assert_allclose(found, wanted, atol=5 * 3 / np.sqrt(20_000))


@pytest.mark.parametrize("seed", [11, None, "global", "generator"])
def test_seeds(seed):
    def drawn():
        np.random.seed(9)
        given = np.random.default_rng(4) if seed == "generator" else seed
        device = qml.device("qsim.qubit", wires=3, seed=given)
        node = qml.set_shots(qml.QNode(lambda: (prepare(0.7), qml.sample())[1], device), 200)
        return node(), node()

    first, second = drawn(), drawn()
    assert not np.array_equal(first[0], first[1])
    assert np.array_equal(first, second) == (seed is not None)


def test_a_batch_is_one_execution():
    device = qml.device("qsim.qubit", wires=3)
    node = qml.QNode(lambda x: (prepare(x), qml.expval(qml.Z(0)))[1], device)
    with qml.Tracker(device) as tracker:
        values = node(np.linspace(0, 1, 64))
    assert values.shape == (64,)
    assert tracker.totals["executions"] == 1


def test_prepared_states():
    rng = np.random.default_rng(3)
    amplitudes = rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4))
    amplitudes /= np.linalg.norm(amplitudes, axis=1, keepdims=True)

    def circuit(amplitudes, x):
        qml.StatePrep(amplitudes, wires=[2, 0])
        prepare(x)
        return qml.expval(qml.Y(1)), qml.state()

    device, reference = pair()
    for given in (amplitudes, amplitudes[0]):
        for x in (0.3, np.array([0.1, 0.2, 0.3])):
            ours, theirs = (qml.QNode(circuit, d)(given, x) for d in (device, reference))
            for found, wanted in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_batches_of_matrices_are_taken_apart():
    angles = np.array([0.1, 0.5])
    matrices = np.array([qml.RX(a, 0).matrix() for a in angles])
    device, reference = pair()

    def circuit(matrices):
        qml.QubitUnitary(matrices, wires=1)
        return qml.probs(wires=[1])

    np.testing.assert_allclose(*(qml.QNode(circuit, d)(matrices) for d in (device, reference)), atol=1e-12)


# -- measurements in the middle --------------------------------------------------------------------
def steered(x, measure):
    qml.RX(x, 0)
    qml.RY(0.4, 1)
    first = qml.measure(0)
    second = qml.measure(1, reset=True)
    qml.cond(first, qml.RY)(1.2, 2)
    qml.cond(first & ~second, qml.X)(1)
    return measure(first, second)


STEERED = {
    "expval": lambda m, n: qml.expval(qml.Z(2) @ qml.X(1)),
    "var": lambda m, n: qml.var(qml.Y(2) + 0.3 * qml.Z(1)),
    "probs": lambda m, n: qml.probs(wires=[1, 2]),
    "probs-observable": lambda m, n: qml.probs(op=qml.X(2)),
    "expval-outcomes": lambda m, n: qml.expval(m + 2 * n),
    "var-outcome": lambda m, n: qml.var(m),
    "probs-outcomes": lambda m, n: qml.probs(op=[m, n]),
}


@pytest.mark.parametrize("method", ["deferred", "tree-traversal", "device", "one-shot"])
@pytest.mark.parametrize("name", STEERED)
def test_measurements_in_the_middle(name, method):
    def circuit(x):
        return steered(x, STEERED[name])

    wanted = qml.QNode(circuit, qml.device("default.qubit"), mcm_method="deferred")(0.7)
    device = qml.device("qsim.qubit", seed=1)
    node = qml.QNode(circuit, device, mcm_method=method)
    if method != "one-shot":
        np.testing.assert_allclose(node(0.7), wanted, atol=1e-12)
    sampled = qml.set_shots(node, 10_000)(0.7)
    np.testing.assert_allclose(sampled, wanted, atol=5 * 2 / np.sqrt(10_000))


def test_counts_of_outcomes_belong_to_their_samples():
    """A second reading of a wire must agree with the first, shot by shot."""
    device = qml.device("qsim.qubit", seed=1)

    @qml.set_shots(300)
    @qml.qnode(device, mcm_method="one-shot")
    def circuit(x):
        qml.RX(x, 0)
        m = qml.measure(0)
        return qml.sample(m), qml.sample(wires=[0]), qml.counts(m)

    outcomes, wires, counts = circuit(1.0)
    assert 0 < outcomes.sum() < 300
    np.testing.assert_array_equal(outcomes, wires[:, 0])
    assert counts[1.0] == outcomes.sum()
    assert qml.set_shots(circuit, 10)(np.array([0.0, np.pi]))[0].tolist() == [[0] * 10, [1] * 10]


@pytest.mark.parametrize("method", ["deferred", "tree-traversal"])
def test_postselection(method):
    def circuit(x):
        qml.RX(x, 0)
        qml.CNOT([0, 1])
        qml.measure(0, postselect=1)
        qml.RY(0.3, 1)
        return qml.expval(qml.Z(1))

    device = qml.device("qsim.qubit", seed=1)
    node = qml.QNode(circuit, device, mcm_method=method)
    np.testing.assert_allclose(node(0.7), -np.cos(0.3), atol=1e-12)
    found = qml.set_shots(node, 20_000)(0.7)
    np.testing.assert_allclose(found, -np.cos(0.3), atol=5 / np.sqrt(20_000 * np.sin(0.35) ** 2))


def test_postselected_shots():
    def circuit(x):
        qml.RX(x, 0)
        qml.measure(0, postselect=1)
        return qml.sample(wires=[0])

    def shape(**how):
        node = qml.QNode(circuit, qml.device("qsim.qubit", seed=1), **how)
        return qml.set_shots(node, 1000)(np.pi / 2).shape

    assert shape(mcm_method="deferred", postselect_mode="fill-shots") == (1000, 1)
    assert 400 < shape(mcm_method="deferred", postselect_mode="hw-like")[0] < 600
    assert 400 < shape(mcm_method="one-shot", postselect_mode="hw-like")[0] < 600


# -- what is kept, and what is refused ---------------------------------------------------------------
def test_a_structure_is_compiled_once(monkeypatch):
    made = []
    make = Plan.__init__

    def counted(self, *arguments):
        made.append(self)
        make(self, *arguments)

    monkeypatch.setattr(Plan, "__init__", counted)
    device = qml.device("qsim.qubit", wires=3)
    node = qml.QNode(lambda x: (prepare(x), qml.expval(qml.Z(0)))[1], device)
    for x in (0.1, 0.2, np.array([0.1, 0.2])):
        node(x)
    assert len(made) == 1
    qml.QNode(lambda x: (prepare(x), qml.expval(qml.Z(1)))[1], device)(0.1)
    assert len(made) == 2


def test_numbers_that_are_structure_are_told_apart():
    """Of Pauli words, dimensions, matrices, bits and control values none may serve for another."""
    rng = np.random.default_rng(5)

    def circuit(op):
        for k in range(3):
            qml.RY(0.3 + k, k)
        qml.apply(op)
        return qml.state()

    operations = [
        *(qml.PauliRot(0.3, word, [0, 1]) for word in ("XY", "YX", "ZZ")),
        *(qml.PCPhase(0.3, dimension, [0, 1]) for dimension in (1, 2, 3)),
        *(qml.DiagonalQubitUnitary(np.exp(1j * rng.uniform(size=2)), 0) for _ in range(2)),
        *(qml.ctrl(qml.RX(0.3, 0), [1], control_values=[v]) for v in (0, 1)),
        *(qml.pow(qml.RX(0.3, 0), z) for z in (0.5, 1.5)),
        qml.adjoint(qml.RX(0.3, 0)),
        qml.RX(0.3, 0),
    ]
    device, reference = pair()
    for op in operations:
        np.testing.assert_allclose(*(qml.QNode(circuit, d)(op) for d in (device, reference)), atol=1e-12)


def test_plans_are_few_and_pickle():
    plans = Plans({})
    for k in range(Plans.MOST + 5):
        plans.find(qml.tape.QuantumScript([qml.PauliRot(0.1, "X", k)], [qml.expval(qml.Z(k))]), None)
    assert len(plans._plans) == Plans.MOST
    device = pickle.loads(pickle.dumps(qml.device("qsim.qubit", wires=1, seed=1)))
    assert qml.QNode(lambda: qml.expval(qml.Z(0)), device)() == 1


def test_options():
    single = QsimDevice(wires=1, precision="single", threads=1, max_memory="1 GiB")
    state = qml.QNode(lambda x: (qml.RX(x, 0), qml.state())[1], single)(0.3)
    np.testing.assert_allclose(state, [np.cos(0.15), -1j * np.sin(0.15)], atol=1e-6)


def test_refusals():
    device = qml.device("qsim.qubit", wires=2)
    with pytest.raises(WireError, match="7"):
        qml.QNode(lambda: (qml.X(7), qml.expval(qml.Z(7)))[1], device)()
    with pytest.raises(DeviceError, match="Displacement"):
        qml.QNode(lambda: (qml.Displacement(0.1, 0.2, wires=0), qml.expval(qml.Z(0)))[1], device)()
    with pytest.raises(DeviceError, match="sample"):
        qml.QNode(lambda: qml.sample(wires=[0]), device)()
    with pytest.raises(DeviceError, match="single-branch-statistics"):
        device.setup_execution_config(
            qml.devices.ExecutionConfig(
                mcm_config=qml.devices.MCMConfig(mcm_method="single-branch-statistics")
            )
        )
    with pytest.raises(DeviceError, match="colour"):
        device.setup_execution_config(qml.devices.ExecutionConfig(device_options={"colour": 1}))
    with pytest.raises(GradientError, match="is a matrix, a state"):
        tape = qml.tape.QuantumScript(
            [qml.DiagonalQubitUnitary(np.ones(2), 0)], [qml.expval(qml.Z(0))], trainable_params=[0]
        )
        device.compute_vjp([tape], [1.0])


@pytest.mark.parametrize(
    "obs",
    [
        qml.Z(0) + qml.Z(0),
        qml.Hamiltonian([0.5, 0.7], [qml.Z(1), qml.Z(1)]),
        qml.prod(qml.X(0), qml.X(0), qml.Z(1)),
        -0.5 * (qml.Z(1) + qml.Z(1)),
        qml.Hamiltonian([0.3, 0.7], [qml.I(0), qml.Z(1)]),
    ],
    ids=repr,
)
def test_sums_that_are_one_word_keep_their_sign_with_shots(obs):
    exact, sampled = [], []
    for shots, found in ((None, exact), (20_000, sampled)):

        @qml.set_shots(shots)
        @qml.qnode(QsimDevice(wires=2, seed=3))
        def node():
            qml.RX(0.7, 0)
            qml.RY(1.0, 1)
            return qml.expval(obs), qml.var(obs)

        found.extend(node())
    np.testing.assert_allclose(sampled, exact, atol=0.05)

    @qml.set_shots(20_000)
    @qml.qnode(QsimDevice(wires=2, seed=3))
    def samples():
        qml.RX(0.7, 0)
        qml.RY(1.0, 1)
        return qml.sample(obs)

    assert np.mean(samples()) == pytest.approx(exact[0], abs=0.05)


def test_snapshots_are_taken():
    def node(device):
        @qml.qnode(device)
        def circuit():
            qml.RX(0.3, 0)
            qml.Snapshot("state")
            qml.CNOT([0, 1])
            qml.Snapshot("mean", measurement=qml.expval(qml.Z(1)))
            return qml.expval(qml.Z(0))

        return qml.snapshots(circuit)()

    ours, theirs = map(node, pair(wires=2))
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, atol=1e-12)


def test_operations_of_qutrits_are_refused_by_name():
    @qml.qnode(qml.device("qsim.qubit", wires=1))
    def node():
        qml.TShift(0)
        return qml.expval(qml.Z(0))

    with pytest.raises(qml.exceptions.DeviceError, match="TShift"):
        node()
