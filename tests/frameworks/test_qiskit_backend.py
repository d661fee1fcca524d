"""`QsimBackend`: transpiling for it, its results, and Qiskit's primitives on top of it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import qsim
from qsim.errors import ArgumentError

pytest.importorskip("qiskit", minversion="2.2")

from qiskit import transpile
from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister, library
from qiskit.circuit.random import random_circuit
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2, StatevectorEstimator
from qiskit.providers import BackendV2, JobError, JobStatus
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.quantum_info import Operator, SparsePauliOp

from qsim.qiskit import QsimBackend, QsimJob
from qsim.qiskit.programs import alike


def bell():
    circuit = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(1, "a"), ClassicalRegister(2, "b"))
    circuit.name, circuit.metadata = "bell", {"some": 1}
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 2])
    return circuit


def test_results_have_the_form_of_qiskits_simulator():
    options = {"shots": 100, "memory": True, "seed_simulator": 5}
    found = QsimBackend().run(bell(), **options).result()
    wanted = BasicSimulator().run(bell(), **options).result()
    assert set(found.get_counts()) == {"00 0", "10 1"} == set(wanted.get_counts())
    assert len(found.get_memory()) == 100 and set(found.get_memory()) == set(wanted.get_memory())
    counts = found.get_counts()
    assert all(found.get_memory().count(key) == count for key, count in counts.items())
    mine, theirs = found.to_dict()["results"][0], wanted.to_dict()["results"][0]
    for name in ("name", "n_qubits", "memory_slots", "qreg_sizes", "creg_sizes", "global_phase", "metadata"):
        assert mine["header"][name] == theirs["header"][name]
    assert found.success and found.results[0].shots == 100 and found.results[0].seed == 5
    assert found.backend_name == "qsim" and found.backend_version == qsim.__version__
    assert found.get_counts("bell") == counts


def test_jobs():
    backend = QsimBackend(shots=10)
    job = backend.run([bell(), bell()])
    assert isinstance(job, QsimJob) and job.backend() is backend
    result = job.result(timeout=60)
    assert job.status() is JobStatus.DONE and job.done() and job.in_final_state()
    assert result.job_id == job.job_id()
    assert [sum(c.values()) for c in result.get_counts()] == [10, 10]
    with pytest.raises(JobError, match="already"):
        job.submit()
    with pytest.raises(JobError, match="not been submitted"):
        QsimJob(backend, lambda: None).status()
    failed = backend.run(_unknown())
    with pytest.raises(KeyError, match="`mystery`"):
        failed.result()
    assert failed.status() is JobStatus.ERROR


def _unknown():
    from qiskit.circuit import Gate

    circuit = QuantumCircuit(1, 1)
    circuit.append(Gate("mystery", 1, []), [0])
    return circuit


def test_seeds_threads_and_precision():
    def counts(**options):
        circuits = [random_circuit(4, 4, measure=True, seed=s) for s in range(3)]
        return QsimBackend().run(circuits, shots=200, **options).result().get_counts()

    first = counts(seed_simulator=1)
    assert counts(seed_simulator=1) == first
    assert counts(seed_simulator=1, threads=1) == first
    for backend in qsim.available_backends():
        assert counts(seed_simulator=1, backend=backend) == first
    assert counts(seed_simulator=2) != first
    assert counts() != first
    single = counts(seed_simulator=1, precision="single", fuse=False, max_memory="100 MB")
    assert [sum(c.values()) for c in single] == [200] * 3
    backend = QsimBackend(seed_simulator=1)
    backend.set_options(shots=17)
    assert backend.options.shots == 17 and backend.options.seed_simulator == 1
    assert sum(backend.run(bell()).result().get_counts().values()) == 17


@pytest.mark.parametrize("level", range(4))
def test_transpiled_circuits_are_the_same(level):
    backend = QsimBackend()
    circuit = random_circuit(4, 4, seed=3)
    circuit.append(library.QFTGate(3), [2, 0, 3])
    circuit.append(library.UnitaryGate(Operator(library.iSwapGate()).data), [1, 3])
    ready = transpile(circuit, backend, optimization_level=level, seed_transpiler=1)
    assert Operator.from_circuit(ready).equiv(Operator(circuit))
    np.testing.assert_allclose(qsim.from_qiskit(ready).matrix(), Operator(ready).data, atol=1e-10)


def test_the_target():
    backend = QsimBackend()
    assert isinstance(backend, BackendV2) and backend.num_qubits is None and backend.max_circuits is None
    assert backend.coupling_map is None
    names = set(backend.operation_names)
    assert {"cx", "rzx", "u", "measure", "reset", "delay", "unitary", "if_else", "switch_case"} <= names
    circuit = QuantumCircuit(3, 2)
    circuit.initialize([0.6, 0.8], 0)
    circuit.append(library.PauliEvolutionGate(SparsePauliOp("XZ"), Parameter("t")), [0, 1])
    circuit.mcx([0, 1], 2)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.h(0)
        circuit.measure(0, 0)
    ready = transpile(circuit, backend, optimization_level=1)
    assert {"initialize", "PauliEvolution", "while_loop"} <= set(ready.count_ops())


def test_circuits_that_differ_in_numbers_are_one_batch():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2, global_phase=0.1)
    circuit.ry(a, 0)
    circuit.rz(0.3, 0)
    circuit.rxx(b, 0, 1)
    circuit.measure_all()
    values = np.random.default_rng(0).uniform(-3, 3, (6, 2))
    bound = [circuit.assign_parameters(v) for v in values]
    other = QuantumCircuit(2, 2)
    other.x(0)
    other.measure([0, 1], [0, 1])
    groups = alike([*bound[:3], other, *bound[3:]], {})
    assert [places for _, _, places in groups] == [[0, 1, 2, 4, 5, 6], [3]]
    entry, rows, _ = groups[0]
    assert rows.shape == (6, 3)
    again = alike(bound[::-1], {})
    assert again[0][0] is entry
    shots = 20_000
    found = (
        QsimBackend(seed_simulator=4).run([*bound[:3], other, *bound[3:]], shots=shots).result().get_counts()
    )
    assert found[3] == {"01": shots}
    for counts, one in zip([*found[:3], *found[4:]], bound, strict=True):
        for outcome, p in qsim.distribution(qsim.from_qiskit(one)).items():
            # 5 standard errors
            assert abs(counts.get(outcome, 0) / shots - p) < 5 * np.sqrt(p * (1 - p) / shots) + 1e-9


def test_parameter_binds():
    theta = Parameter("theta")
    circuit = QuantumCircuit(1)
    circuit.rx(theta, 0)
    circuit.measure_all()
    backend = QsimBackend(shots=10)
    counts = backend.run([circuit, bell()], parameter_binds=[{theta: [0, np.pi]}, {}]).result().get_counts()
    assert counts[:2] == [{"0": 10}, {"1": 10}] and len(counts) == 3
    assert backend.run(circuit, parameter_binds={"theta": np.pi}).result().get_counts() == {"1": 10}
    with pytest.raises(ArgumentError, match="no value for `theta`"):
        backend.run(circuit)
    with pytest.raises(ArgumentError, match="`parameter_binds`"):
        backend.run([circuit] * 3, parameter_binds=[{theta: 1}] * 2)
    two = circuit.copy()
    two.rx(Parameter("phi"), 0)
    with pytest.raises(ArgumentError, match="equally many"):
        backend.run(two, parameter_binds={"theta": [1, 2], "phi": [1, 2, 3]})


def test_qiskits_primitives_run_on_it():
    theta = Parameter("theta")
    circuit = QuantumCircuit(2)
    circuit.ry(theta, 0)
    circuit.cx(0, 1)
    observables = [[SparsePauliOp(["XX", "ZI"], [1, 0.5])], ["YY"]]
    values = np.linspace(0, 3, 4)[:, None]
    backend = QsimBackend()
    pub = (transpile(circuit, backend), observables, values)
    estimator = BackendEstimatorV2(backend=backend, options={"seed_simulator": 1})
    data = estimator.run([pub], precision=0.02).result()[0].data
    exact = StatevectorEstimator().run([pub]).result()[0].data.evs
    assert (np.abs(data.evs - exact) < 5 * 2 * 0.02).all()
    circuit.measure_all()
    sampler = BackendSamplerV2(backend=backend, options={"seed_simulator": 1})
    counts = sampler.run([(circuit, values)], shots=500).result()[0].data.meas.get_counts(3)
    assert set(counts) == {"00", "11"}


def test_circuits_without_measurements():
    backend = QsimBackend(shots=4)
    with pytest.warns(UserWarning, match="counts will be empty"):
        job = backend.run(QuantumCircuit(1, name="plain"))
    assert job.result().results[0].data.counts == {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert backend.run(QuantumCircuit(1, 2)).result().get_counts() == {"00": 4}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: QsimBackend(shotss=3), ArgumentError, "'shotss'"),
        (lambda: QsimBackend().run(bell(), memry=True), ArgumentError, "'memry'"),
        (lambda: QsimBackend().run(bell(), shots=0), ArgumentError, "`shots`"),
        (lambda: QsimBackend().run(bell(), shots=True), ArgumentError, "`shots`"),
        (lambda: QsimBackend().run(bell(), seed_simulator=-1), ArgumentError, "`seed`"),
        (lambda: QsimBackend().run(bell(), precision="half"), ArgumentError, "'half'"),
        (lambda: QsimBackend().run([bell(), "bell"]), TypeError, "`run_input`"),
        (lambda: QsimBackend().run(3), TypeError, "`run_input`"),
    ],
)
def test_bad_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call()
