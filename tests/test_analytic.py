"""Circuits whose answer is a formula."""

from __future__ import annotations

import numpy as np
import pytest

import qsim
from qsim.circuit import Circuit
from qsim.observables import PauliSum
from qsim.parameters import Parameter
from qsim.testing import assert_states_close


def qft(num_qubits: int) -> Circuit:
    circuit = Circuit(num_qubits)
    for high in reversed(range(num_qubits)):
        circuit.h(high)
        for low in range(high):
            circuit.cp(np.pi / 2 ** (high - low), low, high)
    for q in range(num_qubits // 2):
        circuit.swap(q, num_qubits - 1 - q)
    return circuit


@pytest.mark.parametrize("num_qubits", [1, 2, 3, 8, 15, 17])
def test_ghz(backend, precision, num_qubits):
    circuit = Circuit(num_qubits).h(0)
    for q in range(1, num_qubits):
        circuit.cx(q - 1, q)
    wanted = np.zeros(1 << num_qubits)
    wanted[[0, -1]] = np.sqrt(0.5)
    state = qsim.statevector(circuit, backend=backend, precision=precision)
    assert_states_close(state, wanted, atol=1e-14 if precision == "double" else 1e-6)
    parity = PauliSum({"X" * num_qubits: 1.0})
    assert qsim.expectation(circuit, parity, backend=backend) == pytest.approx(1, abs=1e-13)
    if num_qubits > 1:
        assert qsim.von_neumann_entropy(circuit, [0], backend=backend) == pytest.approx(1)
        assert qsim.mutual_information(circuit, [0], [1], backend=backend) == pytest.approx(
            2 if num_qubits == 2 else 1
        )


@pytest.mark.parametrize("num_qubits", [1, 2, 5, 10, 16])
def test_quantum_fourier_transform(backend, num_qubits):
    """Amplitude k of QFT|j> is exp(2 pi i j k / N) / sqrt(N): NumPy's inverse FFT."""
    size = 1 << num_qubits
    j = (0x9E3779B9 * num_qubits) % size
    start = np.zeros(size)
    start[j] = 1
    state = qsim.statevector(qft(num_qubits), initial_state=start, backend=backend)
    assert_states_close(state, np.fft.ifft(start) * np.sqrt(size), atol=1e-12)


def test_quantum_fourier_transform_of_a_random_state(backend):
    rng = np.random.default_rng(1)
    start = rng.normal(size=1 << 9) + 1j * rng.normal(size=1 << 9)
    start /= np.linalg.norm(start)
    state = qsim.statevector(qft(9), initial_state=start, backend=backend)
    assert_states_close(state, np.fft.ifft(start, norm="ortho"), atol=1e-12)


@pytest.mark.parametrize("num_qubits, rounds", [(2, 1), (4, 3), (6, 5), (8, 12)])
def test_grover(backend, num_qubits, rounds):
    """After k rounds the marked state has probability sin((2k + 1) asin(2**(-n/2)))**2."""
    marked = (1 << num_qubits) - 3
    bits = [marked >> q & 1 for q in range(num_qubits)]
    others, last = list(range(num_qubits - 1)), num_qubits - 1
    circuit = Circuit(num_qubits).h(range(num_qubits))
    for _ in range(rounds):
        for values in (bits, [0] * num_qubits):
            if values is not bits:
                circuit.h(range(num_qubits))
            if not values[-1]:
                circuit.x(last)
            circuit.z(last, controls=others, control_values=values[:-1])
            if not values[-1]:
                circuit.x(last)
            if values is not bits:
                circuit.h(range(num_qubits))
    wanted = np.sin((2 * rounds + 1) * np.arcsin(2 ** (-num_qubits / 2))) ** 2
    assert qsim.probabilities(circuit, backend=backend)[marked] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("secret", ["1", "1011", "110100111010"])
def test_bernstein_vazirani(backend, secret):
    n = len(secret)
    circuit = Circuit(n + 1, n).x(n).h(range(n + 1))
    for q, bit in enumerate(reversed(secret)):
        if bit == "1":
            circuit.cx(q, n)
    circuit.h(range(n)).measure(range(n), range(n))
    assert qsim.sample(circuit, shots=20, seed=1, backend=backend).counts() == {secret: 20}
    assert qsim.distribution(circuit, backend=backend) == pytest.approx({secret: 1.0})


@pytest.mark.parametrize("numerator", [0, 1, 11, 31])
def test_phase_estimation_of_an_exact_phase(backend, numerator):
    bits = 5
    circuit = Circuit(bits + 1, bits).x(bits).h(range(bits))
    for q in range(bits):
        circuit.cp(2 * np.pi * numerator / 2**bits * 2**q, q, bits)
    circuit = circuit.compose(qft(bits).inverse(), range(bits), []).measure(range(bits), range(bits))
    assert qsim.distribution(circuit, backend=backend) == pytest.approx({f"{numerator:05b}": 1.0})


def test_phase_estimation_of_an_inexact_phase(backend):
    """The distribution is a Fejer kernel around the phase."""
    bits, phase = 4, 0.3127
    circuit = Circuit(bits + 1, bits).x(bits).h(range(bits))
    for q in range(bits):
        circuit.cp(2 * np.pi * phase * 2**q, q, bits)
    circuit = circuit.compose(qft(bits).inverse(), range(bits), [])
    size = 1 << bits
    delta = 2 * np.pi * (phase - np.arange(size) / size)
    wanted = (np.sin(size * delta / 2) / np.sin(delta / 2) / size) ** 2
    p = qsim.probabilities(circuit, qubits=range(bits), backend=backend)
    np.testing.assert_allclose(p, wanted, atol=1e-13)


def test_expectation_is_a_cosine(backend, precision):
    theta = Parameter("theta")
    thetas = np.linspace(-7, 7, 101)
    circuit = Circuit(1).ry(theta, 0)
    values = qsim.expectation(
        circuit, ["Z0", "X0", "Y0"], {"theta": thetas}, backend=backend, precision=precision
    )
    wanted = np.stack([np.cos(thetas), np.sin(thetas), 0 * thetas], axis=1)
    np.testing.assert_allclose(values, wanted, atol=1e-14 if precision == "double" else 1e-6)
    variances = qsim.variance(circuit, "Z0", {"theta": thetas}, backend=backend)
    np.testing.assert_allclose(variances, np.sin(thetas) ** 2, atol=1e-14)


def test_rotations_about_each_axis(backend):
    """<Z> after RX and RY is a cosine, after RZ on |+> <X> is one."""
    theta = Parameter("t")
    for circuit, observable in (
        (Circuit(1).rx(theta, 0), "Z0"),
        (Circuit(1).ry(theta, 0), "Z0"),
        (Circuit(1).h(0).rz(theta, 0), "X0"),
        (Circuit(1).h(0).p(theta, 0), "X0"),
        (Circuit(2).rxx(theta, 0, 1), "Z0"),
        (Circuit(2).ryy(theta, 0, 1), "Z1"),
        (Circuit(2).h([0, 1]).rzz(theta, 0, 1), "X1"),
        (Circuit(3).rx(theta, 2), "Z2"),
        (Circuit(2).x(0).crx(theta, 0, 1), "Z1"),
    ):
        assert qsim.expectation(circuit, observable, [0.83], backend=backend) == pytest.approx(np.cos(0.83))


def test_entropies_of_known_states(backend):
    theta = 0.7
    tilted = Circuit(2).ry(theta, 0).cx(0, 1)
    p = np.cos(theta / 2) ** 2
    wanted = -p * np.log2(p) - (1 - p) * np.log2(1 - p)
    assert qsim.von_neumann_entropy(tilted, [0], backend=backend) == pytest.approx(wanted)
    assert qsim.purity(tilted, [1], backend=backend) == pytest.approx(p**2 + (1 - p) ** 2)
    assert qsim.renyi_entropy(tilted, [0], alpha=3, backend=backend) == pytest.approx(
        -np.log2(p**3 + (1 - p) ** 3) / 2
    )
    assert qsim.renyi_entropy(tilted, [0], alpha=np.inf, backend=backend) == pytest.approx(-np.log2(p))
    assert qsim.renyi_entropy(tilted, [0], alpha=0, backend=backend) == pytest.approx(1)
    product = Circuit(4).ry(0.3, 0).rx(1.1, 1).h(2)
    for qubits in ([0], [1, 3], [0, 1, 2, 3]):
        assert qsim.von_neumann_entropy(product, qubits, backend=backend) == pytest.approx(0, abs=1e-12)
        assert qsim.purity(product, qubits, backend=backend) == pytest.approx(1)
    w = Circuit(3).prepare(np.array([0, 1, 1, 0, 1, 0, 0, 0]) / np.sqrt(3))
    assert qsim.purity(w, [2], backend=backend) == pytest.approx(5 / 9)


def test_teleportation_without_measurement(backend):
    """Deferred corrections: the state arrives, the other qubits end in |++>."""
    circuit = Circuit(3).u(0.4, 1.1, -0.7, 0).h(1).cx(1, 2).cx(0, 1).h(0).cx(1, 2).cz(0, 2)
    wanted = np.kron(qsim.statevector(Circuit(1).u(0.4, 1.1, -0.7, 0)), np.full(4, 0.5))
    assert_states_close(qsim.statevector(circuit, backend=backend), wanted, atol=1e-14)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_order_of_the_trotter_error(order):
    """Halving the step divides the error by 2**order."""
    h = PauliSum({"Z0 Z1": 0.8, "X0": 0.5, "Y1": -0.4, "X1 Z2": 0.3, "Z2": 0.6})
    levels, vectors = np.linalg.eigh(h.to_matrix(3))
    time = 0.8
    exact = (vectors * np.exp(-1j * levels * time)) @ vectors.conj().T
    errors = [
        np.linalg.norm(Circuit(3).exp_pauli_sum(h, time, order=order, steps=steps).matrix() - exact, 2)
        for steps in (4, 8, 16)
    ]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(slopes, order, atol=0.15)


def test_spin_chain_energy_is_conserved(backend):
    """Evolution under H keeps <H>, up to the error of the product formula."""
    h = PauliSum({"X0 X1": 1.0, "Y0 Y1": 1.0, "Z0 Z1": 0.5, "X1 X2": 1.0, "Y1 Y2": 1.0, "Z1 Z2": 0.5})
    t = Parameter("t")
    circuit = Circuit(3).x(0).exp_pauli_sum(h, t, order=4, steps=20)
    energies = qsim.expectation(circuit, h, [[0.0], [0.5], [1.0], [2.0]], backend=backend)
    np.testing.assert_allclose(energies, energies[0], atol=1e-5)
    magnetisation = qsim.expectation(circuit, {"Z0": 1, "Z1": 1, "Z2": 1}, [[0.0], [2.0]], backend=backend)
    np.testing.assert_allclose(magnetisation, 1.0, atol=1e-6)


def test_hidden_shift_of_a_bent_function(backend):
    """x.y on 2 x 3 bits is its own dual: one query finds the shift."""
    half, shift = 3, 0b101101
    n = 2 * half

    def bent(circuit: Circuit) -> Circuit:
        for q in range(half):
            circuit.cz(q, q + half)
        return circuit

    circuit = Circuit(n).h(range(n))
    flips = [q for q in range(n) if shift >> q & 1]
    circuit.x(flips)
    bent(circuit).x(flips).h(range(n))
    bent(circuit).h(range(n))
    assert qsim.probabilities(circuit, backend=backend)[shift] == pytest.approx(1)


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("alpha", [0, 0.01, 0.1, 0.5])
def test_renyi_entropy_of_low_order_of_a_product_state(alpha, precision):
    """Rounding leaves eigenvalues of 1e-17 and negative ones; a small power would make them count."""
    circuit = Circuit(8)
    for q in range(8):
        circuit.ry(0.3 + q, q).rz(0.1 * q, q)
    entropy = qsim.renyi_entropy(circuit, range(4), alpha=alpha, precision=precision)
    assert entropy == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_amplitudes_of_any_size_are_normalized(size):
    state = qsim.statevector(Circuit(1).prepare([3 * size, 4j * size], normalize=True))
    np.testing.assert_allclose(state, [0.6, 0.8j])
