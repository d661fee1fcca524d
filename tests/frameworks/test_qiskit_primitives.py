"""Estimator, sampler and observables against Qiskit's own primitives and matrices."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest

import qsim
from qsim.errors import ArgumentError, ObservableError
from qsim.observables import Hermitian, PauliSum, StateProjector

pytest.importorskip("qiskit", minversion="2.2")

from qiskit.circuit import (
    ClassicalRegister,
    Gate,
    Parameter,
    ParameterVector,
    QuantumCircuit,
    QuantumRegister,
)
from qiskit.circuit.library import HamiltonianGate, RYGate
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import (
    DensityMatrix,
    Operator,
    Pauli,
    SparseObservable,
    SparsePauliOp,
    Statevector,
)

from qsim.qiskit import QsimEstimator, QsimSampler
from qsim.qiskit.programs import blocks, compiled, unique_rows

BACKENDS = [b for b in ("cpp", "numba") if b in qsim.available_backends()]


def asymmetric(num_qubits=3):
    """A circuit whose parameters are in another order in Qiskit (by name) than in qsim (by appearance)."""
    v, z = ParameterVector("v", 12), Parameter("a")
    circuit = QuantumCircuit(num_qubits, global_phase=0.2)
    for qubit in range(num_qubits):
        circuit.ry(v[11 - qubit] + 0.2, qubit)
        circuit.rz(v[qubit] * z, qubit)
    circuit.cx(0, 1)
    circuit.rxx(v[10], 0, num_qubits - 1)
    circuit.rx(0.3, 1)
    return circuit


def values_for(circuit, *shape, seed=0):
    return np.random.default_rng(seed).uniform(-3, 3, (*shape, circuit.num_parameters))


OBSERVABLE = SparsePauliOp(["XIZ", "IYI", "III"], [1.0, 0.5, -0.3])


# -- observables ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "source",
    [
        OBSERVABLE,
        SparsePauliOp(["XYZ"], [1j]),
        Pauli("-XYZ"),
        SparseObservable.from_list([("X0+", 0.5), ("rl-", -1.0), ("1YI", 2.0), ("III", 0.1)]),
        SparseObservable.zero(3),
    ],
    ids=["sum", "imaginary", "pauli", "projectors", "zero"],
)
def test_pauli_observables(source):
    wanted = (
        source.to_matrix()
        if not isinstance(source, SparseObservable)
        else SparsePauliOp.from_sparse_observable(source).to_matrix()
    )
    found = qsim.from_qiskit(source)
    assert isinstance(found, PauliSum)
    np.testing.assert_allclose(found.to_matrix(3), wanted, atol=1e-12)
    back = qsim.to_qiskit(found, num_qubits=3)
    assert isinstance(back, SparsePauliOp) and back.num_qubits == 3
    np.testing.assert_allclose(back.to_matrix(), wanted, atol=1e-12)


def test_matrices_and_states():
    matrix = np.array([[1, 2j, 0, 0], [-2j, 0.5, 0, 1], [0, 0, 0, 0], [0, 1, 0, -1]])
    found = qsim.from_qiskit(Operator(matrix))
    assert isinstance(found, Hermitian)
    np.testing.assert_allclose(found.to_matrix(2), matrix)
    np.testing.assert_allclose(qsim.to_qiskit(found, num_qubits=2).data, matrix)
    np.testing.assert_allclose(qsim.to_qiskit(found, num_qubits=3).data, np.kron(np.eye(2), matrix))
    state = Statevector([0.6, 0.8j])
    assert isinstance(qsim.from_qiskit(state), StateProjector)
    np.testing.assert_allclose(qsim.from_qiskit(state).to_matrix(1), DensityMatrix(state).data)
    np.testing.assert_allclose(qsim.from_qiskit(DensityMatrix(state)).to_matrix(1), DensityMatrix(state).data)


def test_observables_that_do_not_fit():
    with pytest.raises(ObservableError, match="`num_qubits`"):
        qsim.to_qiskit("X2", num_qubits=2)
    with pytest.raises(ObservableError, match="parameters"):
        qsim.from_qiskit(SparsePauliOp(["X"], np.array([Parameter("c")])))
    with pytest.raises(ObservableError, match="at most 63"):
        qsim.from_qiskit(SparsePauliOp("X" * 64))


# -- the estimator -------------------------------------------------------------------------------------
SHAPES = [
    ((), ()),
    ((5,), ()),
    ((), (3,)),
    ((5,), (3, 1)),
    ((3,), (3,)),
    ((2, 1, 2), (3, 1)),
    ((0,), ()),
]


@pytest.mark.parametrize(("bindings", "observables"), SHAPES, ids=str)
def test_broadcasting_is_qiskits(bindings, observables):
    circuit = asymmetric()
    three = np.array([OBSERVABLE, Pauli("ZZI"), "IIX"], dtype=object)
    asked = three.reshape(observables).tolist() if observables else OBSERVABLE
    pub = (circuit, asked, values_for(circuit, *bindings))
    wanted = StatevectorEstimator().run([pub]).result()
    found = QsimEstimator().run([pub]).result()
    assert found.metadata == wanted.metadata
    assert found[0].metadata == wanted[0].metadata
    assert found[0].data.shape == wanted[0].data.shape
    assert found[0].data.evs.shape == wanted[0].data.evs.shape
    assert type(found[0].data.evs) is type(wanted[0].data.evs) is np.ndarray
    np.testing.assert_allclose(found[0].data.evs, wanted[0].data.evs, atol=1e-12)
    np.testing.assert_array_equal(found[0].data.stds, np.zeros_like(wanted[0].data.evs))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("precision", ["double", "single"])
def test_backends_and_precisions(backend, precision):
    circuit = asymmetric()
    pub = (circuit, [[OBSERVABLE], ["ZZI"]], values_for(circuit, 7))
    wanted = StatevectorEstimator().run([pub]).result()[0].data.evs
    found = (
        QsimEstimator(options={"backend": backend, "precision": precision}).run([pub]).result()[0].data.evs
    )
    np.testing.assert_allclose(found, wanted, atol=1e-12 if precision == "double" else 1e-5)


def test_bindings_by_name_in_any_grouping():
    circuit = asymmetric()
    values = values_for(circuit, 4)
    names = [p.name for p in circuit.parameters]
    split = BindingsArray(
        {
            (names[0], names[3]): values[:, [0, 3]],
            tuple(n for k, n in enumerate(names) if k not in (0, 3)): np.delete(values, [0, 3], axis=1),
        }
    )
    found = QsimEstimator().run([(circuit, OBSERVABLE, split), (circuit, OBSERVABLE, values)]).result()
    np.testing.assert_array_equal(found[0].data.evs, found[1].data.evs)


def test_several_pubs_of_one_and_of_other_circuits():
    first, second = asymmetric(), QuantumCircuit(1)
    second.h(0)
    second.metadata = {"which": "second"}
    rows = values_for(first, 3)
    pubs = [
        (first, OBSERVABLE, rows),
        (second, "X"),
        (first, ["ZII", "IIZ"], rows[1]),
        (first, OBSERVABLE, rows[::-1]),
    ]
    wanted = StatevectorEstimator().run(pubs).result()
    found = QsimEstimator().run(pubs).result()
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a.data.evs, b.data.evs, atol=1e-12)
    assert found[1].metadata["circuit_metadata"] == {"which": "second"}
    same = EstimatorPub.coerce((first, OBSERVABLE, rows))
    twice = QsimEstimator().run([same, same]).result()
    np.testing.assert_array_equal(twice[0].data.evs, twice[1].data.evs)
    noisy = QsimEstimator(seed=1).run([EstimatorPub.coerce((first, OBSERVABLE, rows), 0.1)] * 2).result()
    assert (noisy[0].data.evs != noisy[1].data.evs).all()


@pytest.mark.parametrize("precision", [0.02, 0.1])
def test_shot_noise_has_the_standard_errors_it_says(precision):
    """200 estimates: their spread is the mean of `stds` within 5 of its own standard errors."""
    circuit = asymmetric()
    row = values_for(circuit)
    rows = np.repeat(row[None], 200, axis=0)
    result = QsimEstimator(seed=5).run([(circuit, OBSERVABLE, rows)], precision=precision).result()[0]
    exact = QsimEstimator().run([(circuit, OBSERVABLE, row)]).result()[0].data.evs
    evs, stds = result.data.evs, result.data.stds
    assert result.metadata["target_precision"] == precision
    assert result.metadata["shots"] == np.ceil(1 / precision**2)
    assert len(np.unique(evs)) > 20
    error = stds.mean()
    assert abs(evs.mean() - exact) < 5 * error / np.sqrt(200)
    assert abs(evs.std() - error) < 5 * error / np.sqrt(400)


def test_precision_of_a_pub_comes_first_then_of_run_then_the_default():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    estimator = QsimEstimator(default_precision=0.5)
    result = estimator.run(
        [(circuit, "Z", None, 0.1), (circuit, "Z"), (circuit, "Z", None, 0.0)], precision=0.2
    ).result()
    assert [r.metadata["target_precision"] for r in result] == [0.1, 0.2, 0.0]
    assert estimator.run([(circuit, "Z")]).result()[0].metadata["target_precision"] == 0.5
    assert result[2].data.stds == 0
    single = estimator.run([(circuit, "Z")], precision=1.0).result()[0].data
    assert abs(single.evs) == 1 and single.stds == pytest.approx(1.0)


def test_seeds_of_estimates():
    circuit = asymmetric()
    pubs = [(circuit, OBSERVABLE, values_for(circuit, 3))] * 2

    def evs(estimator):
        return [r.data.evs for r in estimator.run(pubs, precision=0.1).result()]

    estimator = QsimEstimator(seed=3)
    np.testing.assert_array_equal(evs(estimator), evs(estimator))
    np.testing.assert_array_equal(evs(estimator), evs(QsimEstimator(seed=3, options={"threads": 1})))
    assert not np.array_equal(evs(estimator), evs(QsimEstimator(seed=4)))
    drawn = QsimEstimator(seed=np.random.default_rng(3))
    assert not np.array_equal(evs(drawn), evs(drawn))


def test_measured_circuits_mean_the_state_behind_the_measurement():
    circuit = QuantumCircuit(2, 1)
    circuit.h([0, 1])
    circuit.measure(0, 0)
    evs = QsimEstimator().run([(circuit, ["IX", "XI", "XX", "IZ"])]).result()[0].data.evs
    np.testing.assert_allclose(evs, [0, 1, 0, 0], atol=1e-12)


def test_circuits_that_branch():
    circuit = QuantumCircuit(2, 1)
    circuit.ry(0.7, 0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.h(1)
    wanted = [np.cos(0.7), np.sin(0.35) ** 2, 0.0, np.cos(0.35) ** 2]
    observables = ["IZ", "XI", "IX", "ZI"]
    evs = QsimEstimator().run([(circuit, observables)]).result()[0].data.evs
    np.testing.assert_allclose(evs, wanted, atol=1e-12)
    data = QsimEstimator(seed=1).run([(circuit, observables)], precision=0.01).result()[0].data
    spread = np.sqrt(1 - np.square(wanted))
    np.testing.assert_allclose(data.stds, 0.01 * spread, atol=1e-12)
    assert (np.abs(data.evs - wanted) < 5 * data.stds).all()


def test_a_program_is_kept_and_a_changed_circuit_is_seen():
    circuit = asymmetric()
    first = compiled(circuit, {})
    assert compiled(circuit, {}) is first
    assert compiled(circuit.copy(), {}) is first
    assert compiled(circuit, {"threads": 1}) is not first
    row = values_for(circuit)
    before = QsimEstimator().run([(circuit, OBSERVABLE, row)]).result()[0].data.evs
    circuit.data[-1] = circuit.data[-1].replace(operation=type(circuit.data[-1].operation)(0.3 + 1e-9))
    assert compiled(circuit, {}) is not first
    after = QsimEstimator().run([(circuit, OBSERVABLE, row)]).result()[0].data.evs
    assert 0 < abs(after - before) < 1e-8
    circuit.global_phase += 0.1
    assert QsimEstimator().run([(circuit, OBSERVABLE, row)]).result()[0].data.evs == pytest.approx(after)


def test_estimators_in_threads():
    circuit = asymmetric()
    rows = values_for(circuit, 20)
    wanted = QsimEstimator().run([(circuit, OBSERVABLE, rows)]).result()[0].data.evs
    found = {}

    def work(number):
        found[number] = QsimEstimator().run([(circuit, OBSERVABLE, rows)]).result()[0].data.evs

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        np.testing.assert_array_equal(found[k], wanted)


def test_blocks_cover_the_pairs_asked_and_nothing_else():
    rng = np.random.default_rng(1)
    rows, observables = rng.integers(0, 6, 20), rng.integers(0, 4, 20)
    covered = [(r, o) for some, asked in blocks(rows, observables) for r in some for o in asked]
    assert sorted(covered) == sorted(set(zip(rows.tolist(), observables.tolist(), strict=True)))
    everything = np.divmod(np.arange(12), 4)
    assert len(blocks(*everything)) == 1
    assert blocks(np.zeros(0, np.int64), np.zeros(0, np.int64)) == []
    kept, which = unique_rows(np.array([[1.0, 2], [3, 4], [1, 2]]))
    np.testing.assert_array_equal(kept[which], [[1, 2], [3, 4], [1, 2]])
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: QsimEstimator(options={"shots": 3}), ArgumentError, "`options`.*'shots'"),
        (lambda: QsimEstimator(options={"precision": "half"}), ArgumentError, "'half'"),
        (lambda: QsimEstimator(seed="x"), TypeError, "`seed`"),
        (lambda: QsimSampler(options={"nothing": 3}), ArgumentError, "'nothing'"),
        (lambda: QsimEstimator().run([QuantumCircuit(1)]), ValueError, "wrap it"),
        (lambda: QsimEstimator().run([(QuantumCircuit(1), "ZZ")]), ValueError, "number of qubits"),
        (lambda: QsimEstimator().run([(asymmetric(), OBSERVABLE)]), ValueError, "number of parameters"),
        (lambda: QsimEstimator().run([(QuantumCircuit(1), "Z")], precision=-1), ValueError, "non-negative"),
        (lambda: QsimSampler().run([QuantumCircuit(1, 1)], shots=0), ValueError, "positive"),
    ],
)
def test_bad_arguments(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_values_that_are_no_numbers_fail_in_the_job():
    circuit = asymmetric()
    job = QsimEstimator().run([(circuit, OBSERVABLE, np.full(circuit.num_parameters, np.nan))])
    with pytest.raises(ValueError, match="finite"):
        job.result()


def test_primitives_pickle():
    circuit = asymmetric()
    estimator = pickle.loads(pickle.dumps(QsimEstimator(seed=1, options={"threads": 1})))
    assert estimator.options.threads == 1 and estimator.seed == 1
    job = estimator.run([(circuit, OBSERVABLE, values_for(circuit))])
    result = pickle.loads(pickle.dumps(job.result()))
    assert (
        result[0].data.evs
        == QsimEstimator().run([(circuit, OBSERVABLE, values_for(circuit))]).result()[0].data.evs
    )
    assert pickle.loads(pickle.dumps(QsimSampler(default_shots=3))).default_shots == 3


def test_options_can_be_changed():
    estimator = QsimEstimator(options={"threads": 1})
    assert estimator.options.threads == 1
    estimator.options.update_options(precision="single")
    circuit = asymmetric()
    pub = (circuit, OBSERVABLE, values_for(circuit))
    assert estimator.run([pub]).result()[0].data.evs != QsimEstimator().run([pub]).result()[0].data.evs


# -- the sampler ---------------------------------------------------------------------------------------
def measured():
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(2, "al"), ClassicalRegister(10, "be"))
    circuit.compose(asymmetric(), [0, 1, 2], inplace=True)
    circuit.measure([2, 0], [0, 1])
    circuit.measure(1, 11)
    circuit.metadata = {"kind": "test"}
    return circuit


@pytest.mark.parametrize("shape", [(), (3,), (2, 2)], ids=str)
def test_samples_have_qiskits_form_and_distribution(shape):
    """Each outcome's frequency is within 5 standard errors of the exact one: 1 false alarm in 10**5 runs."""
    circuit, shots = measured(), 4000
    pub = (circuit, values_for(circuit, *shape))
    found = QsimSampler(seed=2).run([pub], shots=shots).result()
    wanted = StatevectorSampler(seed=1).run([pub], shots=shots).result()
    assert found.metadata == wanted.metadata
    assert found[0].metadata == wanted[0].metadata
    assert list(found[0].data) == list(wanted[0].data) and found[0].data.shape == wanted[0].data.shape
    for name in ("al", "be"):
        mine, theirs = found[0].data[name], wanted[0].data[name]
        assert (mine.shape, mine.num_bits, mine.num_shots) == (
            theirs.shape,
            theirs.num_bits,
            theirs.num_shots,
        )
        assert mine.array.shape == theirs.array.shape and mine.array.dtype == theirs.array.dtype
    for index in np.ndindex(shape):
        bound = circuit.assign_parameters(values_for(circuit, *shape)[index])
        exact = qsim.distribution(qsim.from_qiskit(bound))
        counts = found[0].join_data().get_counts(index) if shape else found[0].join_data().get_counts()
        assert set(counts) <= set(exact)
        for outcome, p in exact.items():
            assert abs(counts.get(outcome, 0) / shots - p) < 5 * np.sqrt(p * (1 - p) / shots) + 1e-9


def test_shots_of_a_pub_come_first():
    circuit = measured()
    pubs = [(circuit, values_for(circuit), 7), (circuit, values_for(circuit))]
    result = QsimSampler(default_shots=9).run(pubs).result()
    assert [r.data.al.num_shots for r in result] == [7, 9]
    assert QsimSampler().run(pubs, shots=11).result()[1].data.al.num_shots == 11
    assert QsimSampler().default_shots == 1024


def test_seeds_of_samples():
    circuit = measured()
    pubs = [(circuit, values_for(circuit, 2))] * 2

    def arrays(sampler):
        return [r.data.be.array for r in sampler.run(pubs, shots=50).result()]

    sampler = QsimSampler(seed=3)
    first = arrays(sampler)
    np.testing.assert_array_equal(first, arrays(sampler))
    for backend in BACKENDS:
        np.testing.assert_array_equal(first, arrays(QsimSampler(seed=3, options={"backend": backend})))
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, arrays(QsimSampler()))


def test_measurements_in_the_middle_and_control_flow():
    circuit = QuantumCircuit(2, 3)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    circuit.reset(0)
    circuit.measure(0, 2)
    counts = QsimSampler(seed=1).run([circuit], shots=1000).result()[0].data.c.get_counts()
    assert set(counts) == {"000", "011"} and abs(counts["000"] - 500) < 5 * np.sqrt(250)


def test_registers_that_share_bits_and_are_out_of_order():
    from qiskit.circuit import Clbit, Qubit

    bits = [Clbit() for _ in range(4)]
    circuit = QuantumCircuit(
        [Qubit(), Qubit()],
        bits,
        ClassicalRegister(name="a", bits=[bits[3], bits[0]]),
        ClassicalRegister(name="b", bits=bits[:2]),
    )
    circuit.x(1)
    circuit.measure([0, 1], [0, 3])
    data = QsimSampler().run([circuit], shots=3).result()[0].data
    assert data.a.get_counts() == {"01": 3} and data.b.get_counts() == {"00": 3}


def test_wide_registers():
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(70, "wide"), ClassicalRegister(9, "next"))
    circuit.x(0)
    circuit.measure([0, 1], [69, 3])
    circuit.measure(0, 72)
    data = QsimSampler().run([circuit], shots=2).result()[0].data
    assert data.wide.get_int_counts() == {1 << 69: 2}
    assert data.next.get_int_counts() == {1 << 2: 2}


def test_circuits_that_measure_nothing():
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    assert QsimSampler().run([circuit], shots=5).result()[0].data.c.get_counts() == {"00": 5}
    with pytest.warns(UserWarning, match="no output classical registers"):
        result = QsimSampler().run([QuantumCircuit(1)], shots=5).result()[0]
    assert len(list(result.data)) == 0


def test_equal_bits_in_another_order_are_another_circuit():
    a, b = QuantumRegister(1, "a"), QuantumRegister(1, "b")
    c, d = ClassicalRegister(1, "c"), ClassicalRegister(1, "d")
    for quantum, classical in (((a, b), (c, d)), ((b, a), (c, d)), ((a, b), (d, c))):
        circuit = QuantumCircuit(*quantum, *classical)
        circuit.x(a[0])
        value = QsimEstimator().run([(circuit, "IZ")]).result()[0].data.evs
        assert value == pytest.approx(-1.0 if quantum[0] is a else 1.0)
        circuit.measure(a, c)
        circuit.measure(b, d)
        data = QsimSampler().run([circuit], shots=5).result()[0].data
        assert data.c.get_counts() == {"1": 5}
        assert data.d.get_counts() == {"0": 5}


class Opaque(Gate):
    """A gate that is known by its matrix alone; to Qiskit two of them are equal."""

    def __init__(self, angle):
        super().__init__("opaque", 1, [])
        self.angle = angle

    def __array__(self, dtype=None, copy=None):
        return RYGate(self.angle).to_matrix()


def hamiltonian(angle):
    return HamiltonianGate(np.array([[0, -0.5j], [0.5j, 0]]) * angle, 1.0)


@pytest.mark.parametrize("make", [Opaque, hamiltonian])
@pytest.mark.parametrize("inside", [False, True])
def test_gates_that_qiskit_takes_for_equal_are_told_apart(make, inside):
    for angle in (0.7, 0.7 * (1 + 4e-6)):
        circuit = QuantumCircuit(1)
        circuit.append(make(angle), [0])
        if inside:
            outer = QuantumCircuit(1)
            outer.append(circuit.to_instruction(), [0])
            circuit = outer
        value = QsimEstimator().run([(circuit, "Z")]).result()[0].data.evs
        assert value == pytest.approx(np.cos(angle), abs=1e-9)
