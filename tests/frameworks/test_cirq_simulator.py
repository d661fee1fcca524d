"""`QsimSimulator` beside ``cirq.Simulator``; needs Cirq."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest

import qsim

cirq = pytest.importorskip("cirq")
import sympy  # noqa: E402

import qsim.cirq as qc  # noqa: E402
from qsim.cirq import plans  # noqa: E402

DTYPES = (np.complex64, np.complex128)
A, B = sympy.symbols("a b")


def tolerance(dtype):
    return 2e-6 if dtype == np.complex64 else 1e-12


def random_circuit(qubits, seed=0, moments=12):
    return cirq.testing.random_circuit(qubits, moments, 0.8, random_state=seed)


def parametrised(qubits):
    """Asymmetric in the qubits and in the parameters."""
    return cirq.Circuit(
        [cirq.X(q) ** (A * (k + 1) / 3) for k, q in enumerate(qubits)],
        [cirq.CZ(*pair) ** (B + 0.1) for pair in itertools.pairwise(qubits)],
        [cirq.ry(A - k * B).on(q) for k, q in enumerate(qubits)],
        cirq.ISWAP(qubits[0], qubits[-1]) ** B,
    )


SWEEP = cirq.Zip(cirq.Linspace("a", 0, 1, 5), cirq.Linspace("b", -1, 0.7, 5))


# -- final states ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [2, 11])
def test_final_states(dtype, count):
    qubits = cirq.LineQubit.range(count)
    circuit = random_circuit(qubits)
    rng = np.random.default_rng(0)
    vector = rng.normal(size=2**count) + 1j * rng.normal(size=2**count)
    vector = (vector / np.linalg.norm(vector)).astype(dtype)
    for order in (qubits, qubits[::-1], list(rng.permutation(qubits))):
        for initial in (None, 0, 1, vector, vector.reshape((2,) * count)):
            arguments = {"qubit_order": order, "initial_state": initial}
            expected = cirq.Simulator(dtype=np.complex128).simulate(circuit, **arguments)
            result = qc.QsimSimulator(dtype=dtype).simulate(circuit, **arguments)
            assert isinstance(result, qc.QsimTrialResult) and result.final_state_vector.dtype == dtype
            np.testing.assert_allclose(
                result.final_state_vector, expected.final_state_vector, atol=tolerance(dtype)
            )
            assert result.qubit_map == expected.qubit_map


@pytest.mark.parametrize("backend", qsim.available_backends())
def test_sweeps_are_batches(backend, monkeypatch):
    calls = []
    statevector = qsim.Program.statevector
    monkeypatch.setattr(
        qsim.Program, "statevector", lambda self, v, **k: calls.append(len(v)) or statevector(self, v, **k)
    )
    circuit = parametrised(cirq.LineQubit.range(4))
    simulator = qc.QsimSimulator(dtype=np.complex128, backend=backend, threads=1)
    results = simulator.simulate_sweep(circuit, SWEEP)
    assert calls == [5]
    for result, expected in zip(
        results, cirq.Simulator(dtype=np.complex128).simulate_sweep(circuit, SWEEP), strict=True
    ):
        np.testing.assert_allclose(result.final_state_vector, expected.final_state_vector, atol=1e-7)
        assert result.params == expected.params


def test_a_circuit_is_compiled_once():
    plans._plan_of.cache_clear()
    simulator, circuit = qc.QsimSimulator(), parametrised(cirq.LineQubit.range(3))
    for value in (0.1, 0.2):
        simulator.simulate(circuit, {"a": value, "b": 0.3})
    again = cirq.Circuit(circuit.all_operations())  # another object of the same structure
    simulator.simulate(again, {"a": 0.3, "b": 0.1})
    assert plans._plan_of.cache_info().misses == 1
    circuit.append(cirq.X(cirq.LineQubit(0)))
    simulator.simulate(circuit, {"a": 0.3, "b": 0.1})
    assert plans._plan_of.cache_info().misses == 2


class Unhashable(cirq.testing.SingleQubitGate):
    def __eq__(self, other):
        return isinstance(other, Unhashable)

    def _unitary_(self):
        return cirq.unitary(cirq.Y**0.3)


def test_gates_without_a_hash():
    qubits = cirq.LineQubit.range(11)
    circuit = cirq.Circuit(cirq.H.on_each(*qubits), Unhashable().on(qubits[3]))
    same = cirq.Circuit(cirq.H.on_each(*qubits), cirq.Y(qubits[3]) ** 0.3)
    expected = cirq.Simulator(dtype=np.complex128).simulate(same).final_state_vector
    simulator = qc.QsimSimulator(dtype=np.complex128)
    np.testing.assert_allclose(simulator.simulate(circuit).final_state_vector, expected, atol=1e-12)
    *_, step = simulator.simulate_moment_steps(circuit)
    np.testing.assert_allclose(step.state_vector(), expected, atol=1e-7)


def test_resolvers_of_formulas():
    circuit = parametrised(cirq.LineQubit.range(3))
    resolver = {"a": B * 2, "b": 0.2}
    expected = cirq.Simulator(dtype=np.complex128).simulate(circuit, resolver).final_state_vector
    result = qc.QsimSimulator(dtype=np.complex128).simulate(circuit, resolver)
    np.testing.assert_allclose(result.final_state_vector, expected, atol=1e-7)
    with pytest.raises(ValueError, match=r"symbols were not specified in parameter sweep: `b` is b"):
        qc.QsimSimulator().simulate(circuit, {"a": 0.1})


def test_symbols_that_formulas_of_qsim_lack_are_resolved_first():
    circuit = cirq.Circuit(cirq.X(cirq.LineQubit(0)) ** sympy.Abs(A))
    result = qc.QsimSimulator().simulate(circuit, {"a": -1})
    np.testing.assert_allclose(result.final_state_vector, [0, 1], atol=1e-6)


def test_one_can_go_on_from_a_result():
    qubits = cirq.LineQubit.range(11)
    first, second = random_circuit(qubits, 1), random_circuit(qubits, 2)
    simulator = qc.QsimSimulator(dtype=np.complex128)
    result = simulator.simulate(first, qubit_order=qubits)
    before = result.final_state_vector.copy()
    gone_on = simulator.simulate(second, qubit_order=qubits, initial_state=result._final_simulator_state)
    expected = cirq.Simulator(dtype=np.complex128).simulate(first + second, qubit_order=qubits)
    np.testing.assert_allclose(gone_on.final_state_vector, expected.final_state_vector, atol=1e-7)
    np.testing.assert_array_equal(result.final_state_vector, before)
    np.testing.assert_allclose(
        result.density_matrix_of(qubits[:2]),
        cirq.density_matrix_from_state_vector(before, indices=[0, 1]),
        atol=1e-12,
    )
    assert result.dirac_notation().startswith("(") and "output vector" in str(result)


def test_results_that_measured():
    qubits = cirq.LineQubit.range(3)
    circuit = parametrised(qubits) + cirq.measure(qubits[2], qubits[0], key="m", invert_mask=(True,))
    seen = set()
    for result in qc.QsimSimulator(seed=1).simulate_sweep(circuit, [{"a": 0.3, "b": 0.4}] * 20):
        bits = tuple(int(b) for b in result.measurements["m"])
        seen.add(bits)
        tensor = result.final_state_vector.reshape(2, 2, 2)
        kept = np.linalg.norm(tensor[bits[1], :, 1 - bits[0]])
        assert kept == pytest.approx(1, abs=1e-5) and result.params.param_dict == {"a": 0.3, "b": 0.4}
    assert len(seen) > 1


# -- samples -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("measured", [1, 2, 3])
def test_seeds_give_what_cirq_gives(measured):
    qubits = cirq.LineQubit.range(3)
    circuit = random_circuit(qubits, 3)
    circuit.append(cirq.measure(*qubits[:measured][::-1], key="m", invert_mask=(False, True)[:measured]))
    circuit.append(cirq.measure(qubits[0], key="n"))
    theirs = cirq.Simulator(seed=5, dtype=np.complex128, split_untangled_states=False)
    ours = qc.QsimSimulator(seed=5, dtype=np.complex128)
    for _ in range(2):
        assert ours.run(circuit, repetitions=200) == theirs.run(circuit, repetitions=200)


def test_confusion_maps_give_what_cirq_gives():
    a, b, c = cirq.LineQubit.range(3)
    confusion = {(0,): np.array([[0.8, 0.2], [0.1, 0.9]]), (1, 2): np.roll(np.eye(4), 1, axis=1)}
    circuit = cirq.Circuit(
        cirq.H(a), cirq.CX(a, b), cirq.measure(a, b, c, key="m", confusion_map=confusion, invert_mask=(True,))
    )
    theirs = cirq.Simulator(seed=2, split_untangled_states=False).run(circuit, repetitions=50)
    assert qc.QsimSimulator(seed=2).run(circuit, repetitions=50) == theirs


def test_samples_of_many_qubits():
    """Beyond the table of probabilities: samples of the core, in the right order."""
    qubits = cirq.LineQubit.range(18)
    circuit = cirq.Circuit(
        cirq.H(qubits[0]), [cirq.CX(qubits[0], q) for q in qubits[1:9]], cirq.X(qubits[17])
    )
    circuit.append(cirq.measure(*qubits, key="m"))
    first, again = (qc.QsimSimulator(seed=1).run(circuit, repetitions=4000) for _ in range(2))
    assert first == again
    bits = first.measurements["m"]
    assert (bits[:, :9] == bits[:, :1]).all() and not bits[:, 9:17].any() and bits[:, 17].all()
    assert abs(bits[:, 0].mean() - 0.5) < 0.05  # 6 standard deviations


def test_run_sweeps_are_batches(monkeypatch):
    calls = []
    probabilities = qsim.Program.probabilities
    monkeypatch.setattr(
        qsim.Program,
        "probabilities",
        lambda self, v, *a, **k: calls.append(len(v)) or probabilities(self, v, *a, **k),
    )
    qubits = cirq.LineQubit.range(3)
    circuit = parametrised(qubits) + cirq.measure(*qubits, key="m")
    results = qc.QsimSimulator(seed=3, dtype=np.complex128).run_sweep(circuit, SWEEP, repetitions=100)
    assert calls == [5]
    theirs = cirq.Simulator(seed=3, dtype=np.complex128, split_untangled_states=False)
    assert results == theirs.run_sweep(circuit, SWEEP, repetitions=100)


def dynamic(a, b):
    return cirq.Circuit(
        *(cirq.H(a), cirq.measure(a, key="m"), cirq.X(b).with_classical_controls("m"), cirq.H(a)),
        *(cirq.reset(b), cirq.X(b).with_classical_controls("m"), cirq.measure(a, b, key="out")),
        cirq.measure(b, key="m"),
    )


@pytest.mark.parametrize("repetitions", [30, 2000])
def test_circuits_that_branch(repetitions, monkeypatch):
    """Few repetitions go step by step in Cirq, many follow qsim's branches."""
    if repetitions > 100:
        monkeypatch.setattr(cirq.SimulatesIntermediateStateVector, "_core_iterator", None)
    a, b = cirq.LineQubit.range(2)
    result = qc.QsimSimulator(seed=1).run(dynamic(a, b), repetitions=repetitions)
    first, last = (result.records["m"][:, k, 0] for k in range(2))
    np.testing.assert_array_equal(first, last)
    np.testing.assert_array_equal(result.records["out"][:, 0, 1], first)
    assert set(first) == {0, 1} and result.records["m"].shape == (repetitions, 2, 1)
    if repetitions > 100:
        for bits in (first, result.records["out"][:, 0, 0]):
            assert abs(bits.mean() - 0.5) < 6 * 0.5 / repetitions**0.5


def test_noise_is_sampled():
    a, b = cirq.LineQubit.range(2)
    circuit = cirq.Circuit(cirq.X(a) ** A, cirq.CX(a, b), cirq.measure(a, b, key="m"))
    noise = cirq.ConstantQubitNoiseModel(cirq.depolarize(0.1))
    results = qc.QsimSimulator(noise=noise, seed=4).run_sweep(circuit, [{"a": 0.3}, {"a": 1}], 20_000)
    for result, value in zip(results, (0.3, 1), strict=True):
        expected = _outcomes(circuit, noise, value)
        got = np.bincount(result.data["m"], minlength=4) / 20_000
        np.testing.assert_allclose(got, expected, atol=6 * 0.5 / 20_000**0.5)


def _outcomes(circuit, noise, value):
    """Probabilities of what is measured, under noise, by density matrices."""
    resolved = cirq.resolve_parameters(circuit, {"a": value})
    qubits = sorted(circuit.all_qubits())
    moments = []
    for moment in noise.noisy_moments(resolved, qubits):
        if cirq.is_measurement(cirq.Circuit(moment)):
            break
        moments.append(moment)
    rho = cirq.DensityMatrixSimulator().simulate(cirq.Circuit(moments), qubit_order=qubits)
    return np.diag(rho.final_density_matrix).real


def test_what_qsim_has_no_form_for_goes_step_by_step():
    a = cirq.LineQubit(0)
    again = cirq.CircuitOperation(
        cirq.FrozenCircuit(cirq.H(a), cirq.measure(a, key="k")),
        use_repetition_ids=False,
        repeat_until=cirq.KeyCondition(cirq.MeasurementKey("k")),
    )
    result = qc.QsimSimulator(seed=1).run(cirq.Circuit(again, cirq.measure(a, key="end")), repetitions=150)
    assert result.records["end"].all()
    qudit = cirq.LineQid(0, 3)
    circuit = cirq.Circuit(cirq.XPowGate(dimension=3)(qudit) ** 2, cirq.measure(qudit, key="q"))
    assert (qc.QsimSimulator().run(circuit, repetitions=150).measurements["q"] == 2).all()


# -- expectation values and amplitudes -----------------------------------------------------------------------
@pytest.mark.parametrize("dtype", DTYPES)
def test_expectation_values(dtype):
    qubits = cirq.LineQubit.range(4)
    circuit = parametrised(qubits)
    observables = [
        0.5 * cirq.Z(qubits[0]) * cirq.X(qubits[3]) - cirq.Y(qubits[1]) + 2,
        cirq.Z(qubits[2]),
        cirq.X(qubits[1]) * cirq.Z(qubits[0]),
    ]
    for order in (qubits, qubits[::-1]):
        for initial in (None, 5):
            arguments = {"qubit_order": order, "initial_state": initial}
            expected = cirq.Simulator(dtype=np.complex128).simulate_expectation_values_sweep(
                circuit, observables, SWEEP, **arguments
            )
            values = qc.QsimSimulator(dtype=dtype).simulate_expectation_values_sweep(
                circuit, observables, SWEEP, **arguments
            )
            np.testing.assert_allclose(values, np.real(expected), atol=tolerance(dtype))
    measured = circuit + cirq.measure(qubits[0])
    with pytest.raises(ValueError, match="permit_terminal_measurements=True"):
        qc.QsimSimulator().simulate_expectation_values(measured, observables, {"a": 1, "b": 1})
    values = qc.QsimSimulator(seed=1).simulate_expectation_values(
        measured, cirq.Z(qubits[0]), {"a": 0.4, "b": 1}, permit_terminal_measurements=True
    )
    assert abs(values[0]) == pytest.approx(1, abs=1e-6)


def test_amplitudes():
    qubits = cirq.LineQubit.range(3)
    circuit = parametrised(qubits)
    expected = cirq.Simulator(dtype=np.complex128).compute_amplitudes_sweep(circuit, [1, 6], SWEEP)
    values = qc.QsimSimulator(dtype=np.complex128).compute_amplitudes_sweep(circuit, [1, 6], SWEEP)
    np.testing.assert_allclose(values, expected, atol=1e-7)


# -- steps ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize("count", [3, 11])
def test_steps(split, count):
    qubits = cirq.LineQubit.range(count)
    circuit = random_circuit(qubits, 7) + cirq.measure(qubits[1], key="m") + random_circuit(qubits, 8)
    steps = qc.QsimSimulator(dtype=np.complex128, seed=1, split_untangled_states=split)
    theirs = cirq.Simulator(dtype=np.complex128, seed=1, split_untangled_states=split)
    for step, expected in zip(
        steps.simulate_moment_steps(circuit, qubit_order=qubits[::-1]),
        theirs.simulate_moment_steps(circuit, qubit_order=qubits[::-1]),
        strict=True,
    ):
        np.testing.assert_allclose(step.state_vector(), expected.state_vector(), atol=1e-7)
        assert step.measurements == expected.measurements
    np.testing.assert_array_equal(
        step.sample(qubits[:2], repetitions=5, seed=3), expected.sample(qubits[:2], repetitions=5, seed=3)
    )


def test_steps_with_many_qubits_are_qsims(monkeypatch):
    qubits = cirq.LineQubit.range(11)
    circuit = cirq.Circuit(cirq.H.on_each(*qubits), cirq.CZ(qubits[0], qubits[10]), cirq.T(qubits[3]))
    calls = []
    apply = qsim.Program.apply
    monkeypatch.setattr(qsim.Program, "apply", lambda self, s: calls.append(s.shape) or apply(self, s))
    *_, step = qc.QsimSimulator(split_untangled_states=False).simulate_moment_steps(circuit)
    assert calls == [(2048,)] * 13
    np.testing.assert_allclose(
        step.state_vector(), cirq.Simulator().simulate(circuit).final_state_vector, atol=1e-6
    )


# -- small things --------------------------------------------------------------------------------------------
def test_arguments_are_checked():
    for dtype in (np.int32, np.float64, np.clongdouble):
        with pytest.raises(ValueError, match="complex64 or complex128"):
            qc.QsimSimulator(dtype=dtype)
    with pytest.raises(ValueError, match="no measurements"):
        qc.QsimSimulator().run(cirq.Circuit(cirq.X(cirq.LineQubit(0))))
    assert qc.QsimSimulator().run(cirq.Circuit(cirq.measure(cirq.LineQubit(0), key="m")), repetitions=0)


def test_pickles():
    simulator = pickle.loads(pickle.dumps(qc.QsimSimulator(seed=1, dtype=np.complex128)))
    a = cirq.LineQubit(0)
    assert isinstance(simulator.simulate(cirq.Circuit(cirq.X(a))), qc.QsimTrialResult)  # it still compiles
    np.testing.assert_allclose(simulator.simulate(cirq.Circuit(cirq.X(a))).final_state_vector, [0, 1])


# -- what is kept ------------------------------------------------------------------------------------------
class Turn(cirq.Gate):
    """A gate of the user's, which may change."""

    def __init__(self, angle):
        self.angle = angle

    def _num_qubits_(self):
        return 1

    def _unitary_(self):
        return cirq.unitary(cirq.ry(self.angle))


class OtherX(cirq.XPowGate):
    """Equal to X, as equality is inherited, but not X."""

    def _unitary_(self):
        return cirq.unitary(cirq.ry(0.3))

    def _apply_unitary_(self, args):
        return NotImplemented


@pytest.mark.parametrize(
    "wrap",
    [
        lambda op: op,
        lambda op: op.with_tags("tag"),
        lambda op: op.controlled_by(cirq.LineQubit(1)),
        lambda op: cirq.ControlledGate(op.gate).on(cirq.LineQubit(1), *op.qubits),
        lambda op: cirq.CircuitOperation(cirq.FrozenCircuit(op)),
        lambda op: cirq.ParallelGate(op.gate, 2).on(cirq.LineQubit(0), cirq.LineQubit(2)),
    ],
)
@pytest.mark.parametrize("count", [3, 11])
def test_gates_of_others_are_not_taken_for_ones_seen_before(wrap, count):
    qubits = cirq.LineQubit.range(count)
    ours, theirs = (kind(dtype=np.complex128) for kind in (qc.QsimSimulator, cirq.Simulator))

    def check(circuit):
        finals, steps = [], []
        for simulator in (ours, theirs):
            finals.append(simulator.simulate(circuit, qubit_order=qubits).final_state_vector)
            steps.append([step.state_vector() for step in simulator.simulate_moment_steps(circuit, qubits)])
        np.testing.assert_allclose(*finals, atol=1e-7)
        np.testing.assert_allclose(*steps, atol=1e-7)

    gate = Turn(0.1)
    circuit = cirq.Circuit(cirq.X(qubits[1]), wrap(gate.on(qubits[0])))
    check(circuit)
    gate.angle = 1.2
    check(circuit)
    assert OtherX() == cirq.X
    for gate in (cirq.X, OtherX(), cirq.X):
        check(cirq.Circuit(cirq.X(qubits[1]), wrap(gate.on(qubits[0]))))


def test_plans_are_kept_for_gates_of_cirq():
    qubits = cirq.LineQubit.range(2)
    circuit = parametrised(qubits)
    settings = plans.Settings("double", None, None)
    assert plans.plan_of(circuit, tuple(qubits), settings) is plans.plan_of(circuit, tuple(qubits), settings)
    same = plans.plan_of(parametrised(qubits), tuple(qubits), settings)
    assert same is plans.plan_of(circuit, tuple(qubits), settings)


def test_no_observables():
    circuit = cirq.Circuit(cirq.X(cirq.LineQubit(0)) ** A)
    points = cirq.Points("a", [0, 1])
    for kind in (cirq.Simulator, qc.QsimSimulator):
        assert kind().simulate_expectation_values_sweep(circuit, [], points) == [[], []]
