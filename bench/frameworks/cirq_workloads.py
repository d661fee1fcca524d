"""Random circuits on a grid, as in cirq.experiments, and sweeps of expectation values; complex64."""

import itertools
import os

import cirq
import numpy as np
import qsimcirq
import sympy

from qsim.cirq import QsimSimulator

ANGLE = sympy.Symbol("a")
SYCAMORE = cirq.FSimGate(np.pi / 2, np.pi / 6)


def grid_circuit(rows: int, columns: int, two_qubit_gate: cirq.Gate, layers: int = 14) -> cirq.Circuit:
    qubits = cirq.GridQubit.rect(rows, columns)
    body = cirq.experiments.random_rotations_between_grid_interaction_layers_circuit(
        qubits, layers, two_qubit_op_factory=lambda a, b, _: two_qubit_gate(a, b), seed=7
    )
    return cirq.Circuit(cirq.rx(ANGLE).on_each(*qubits)) + body


def qsim_simulator() -> QsimSimulator:
    return QsimSimulator(seed=1)


def qsimcirq_simulator(fused: int):
    def make():
        threads = int(os.environ["OMP_NUM_THREADS"])
        options = qsimcirq.QSimOptions(cpu_threads=threads, max_fused_gate_size=fused)
        return qsimcirq.QSimSimulator(options, seed=1)

    return make


def cirq_simulator() -> cirq.Simulator:
    return cirq.Simulator(seed=1)


def final_state(make, circuit: cirq.Circuit):
    """The state at the end; 4096 of its amplitudes are compared, in units of their root mean square."""

    def prepare():
        simulator, scale = make(), 2 ** (len(circuit.all_qubits()) / 2)

        def step(call):
            state = simulator.simulate(circuit, {"a": 0.3 + 0.01 * call}).final_state_vector
            return (scale * state[:4096],)

        return step

    return prepare


def samples(make, circuit: cirq.Circuit):
    """10,000 samples of all qubits. Seeds differ between simulators, so only shapes are compared."""

    def prepare():
        simulator = make()
        measured = circuit + cirq.measure(*sorted(circuit.all_qubits()), key="m")

        def step(call):
            result = simulator.run(measured, {"a": 0.3 + 0.01 * call}, repetitions=10_000)
            return (result.measurements["m"].shape,)

        return step

    return prepare


def sweep(make, num_qubits: int, points: int):
    """The values of an Ising chain's energy at the points of a sweep."""

    def prepare():
        qubits = cirq.LineQubit.range(num_qubits)
        names = [f"t{k}" for k in range(2 * num_qubits)]
        angles = [sympy.Symbol(name) for name in names]
        circuit = cirq.Circuit()
        for layer in range(2):
            circuit += [cirq.ry(angles[layer * num_qubits + k]).on(q) for k, q in enumerate(qubits)]
            circuit += [cirq.CZ(*pair) for pair in itertools.pairwise(qubits)]
        energy = sum(cirq.Z(a) * cirq.Z(b) for a, b in itertools.pairwise(qubits))
        energy += sum(0.5 * cirq.X(q) for q in qubits)
        simulator, rng = make(), np.random.default_rng(0)
        values = rng.uniform(0, 6, (points, len(angles)))

        def step(call):
            points = [
                cirq.ParamResolver(dict(zip(names, row, strict=True)))
                for row in (values + 1e-3 * call).tolist()
            ]
            return (np.real(simulator.simulate_expectation_values_sweep(circuit, energy, points)),)

        return step

    return prepare


def peers(workload, *arguments, fused=(2, 3, 4), with_cirq=False):
    makers = {"qsim.cirq.QsimSimulator": qsim_simulator}
    makers |= {f"qsimcirq, fused size {size}": qsimcirq_simulator(size) for size in fused}
    if with_cirq:
        makers["cirq.Simulator"] = cirq_simulator
    return {name: workload(make, *arguments) for name, make in makers.items()}


WORKLOADS = {
    "cirq-sweep-n10-100": peers(sweep, 10, 100, fused=(2,), with_cirq=True),
    "cirq-cz-n16-state": peers(final_state, grid_circuit(4, 4, cirq.CZ), with_cirq=True),
}
for rows, columns in ((4, 5), (2, 11), (4, 6)):
    for name, gate in (("cz", cirq.CZ), ("fsim", SYCAMORE)):
        circuit = grid_circuit(rows, columns, gate)
        WORKLOADS[f"cirq-{name}-n{rows * columns}-state"] = peers(final_state, circuit)
        WORKLOADS[f"cirq-{name}-n{rows * columns}-samples"] = peers(samples, circuit)
