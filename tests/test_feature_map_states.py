"""Feature maps against their formulas, written out densely with NumPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qsim
from qsim import feature_maps
from qsim.errors import ArgumentError

EYE, X, Y, Z = np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])
H = (X + Z) / np.sqrt(2)
PAULI = {"I": EYE, "X": X, "Y": Y, "Z": Z, "x": X, "y": Y, "z": Z}


def on(matrix: np.ndarray, q: int, n: int) -> np.ndarray:
    """A one-qubit matrix on qubit q of n, the least significant qubit rightmost in the product."""
    return np.kron(np.kron(np.eye(2 ** (n - 1 - q)), matrix), np.eye(2**q))


def word(letters: dict[int, str], n: int) -> np.ndarray:
    out = np.eye(2**n, dtype=complex)
    for q, letter in letters.items():
        out = out @ on(PAULI[letter], q, n)
    return out


def rotation(letters: dict[int, str], angle: float, n: int) -> np.ndarray:
    """exp(-i angle P / 2)."""
    p = word(letters, n)
    return np.cos(angle / 2) * np.eye(2**n) - 1j * np.sin(angle / 2) * p


def phase(angle: float, q: int, n: int) -> np.ndarray:
    return on(np.diag([1, np.exp(1j * angle)]), q, n)


def controlled(matrix: np.ndarray, a: int, b: int, n: int) -> np.ndarray:
    one = on(np.diag([0, 1]), a, n)
    return np.eye(2**n) - one + one @ on(matrix, b, n)


def zero(n: int) -> np.ndarray:
    return np.eye(2**n)[0].astype(complex)


class Dense:
    """A state vector to which gates are applied by matrices."""

    def __init__(self, n: int) -> None:
        self.n, self.psi = n, zero(n)

    def h(self) -> None:
        for q in range(self.n):
            self.psi = on(H, q, self.n) @ self.psi

    def r(self, axis: str, angle: float, q: int) -> None:
        self.psi = rotation({q: axis}, angle, self.n) @ self.psi

    def rot(self, phi: float, theta: float, omega: float, q: int) -> None:
        for axis, angle in zip("zyz", (phi, theta, omega), strict=True):
            self.r(axis, angle, q)

    def rzz(self, angle: float, a: int, b: int) -> None:
        self.psi = rotation({a: "z", b: "z"}, angle, self.n) @ self.psi

    def c(self, matrix: np.ndarray, a: int, b: int) -> None:
        self.psi = controlled(matrix, a, b, self.n) @ self.psi

    def cr(self, axis: str, angle: float, a: int, b: int) -> None:
        self.c(rotation({0: axis}, angle, 1), a, b)


def ring(n: int) -> list[tuple[int, int]]:
    return [(q, (q + 1) % n) for q in range(n if n > 2 else n - 1)]


def run(circuit: qsim.Circuit, x: np.ndarray, theta: np.ndarray | None = None) -> np.ndarray:
    values = {"x": np.asarray(x, dtype=float)}
    if theta is not None:
        values["theta"] = theta
    return qsim.statevector(circuit, values)


def assert_equal_up_to_phase(a: np.ndarray, b: np.ndarray) -> None:
    assert abs(abs(np.vdot(a, b)) - 1) < 1e-12 and abs(np.linalg.norm(a) - 1) < 1e-12


def draw(d: int, m: int = 0, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.9, 0.9, d), rng.uniform(-3, 3, m)


# -- basis states and amplitudes -----------------------------------------------------------------
@pytest.mark.parametrize("bits", list(itertools.product((0, 1), repeat=3)))
def test_basis(bits: tuple[int, ...], backend: str) -> None:
    psi = qsim.statevector(feature_maps.basis(3, num_qubits=4), {"x": list(bits)}, backend=backend)
    expected = np.zeros(16)
    expected[sum(b << q for q, b in enumerate(bits))] = 1
    np.testing.assert_allclose(psi, expected, atol=1e-15)


numbers = st.one_of(st.just(0.0), st.floats(-2, 2).filter(lambda v: abs(v) > 1e-3))
vectors = st.lists(numbers, min_size=1, max_size=9).filter(any)


@given(x=vectors)
def test_amplitude_loads_any_vector(x: list[float], backend: str) -> None:
    """Zeros and signs in any place."""
    x = np.array(x)
    psi = qsim.statevector(feature_maps.amplitude(len(x)), {"x": x}, backend=backend)
    expected = np.zeros(len(psi))
    expected[: len(x)] = x / np.linalg.norm(x)
    np.testing.assert_allclose(psi, expected, atol=1e-14)


def test_amplitude_in_single_precision_and_on_more_qubits() -> None:
    x = np.array([0.5, -1.0, 0.0, 2.0, 3.0])
    psi = qsim.statevector(feature_maps.amplitude(5, num_qubits=4), {"x": x}, precision="single")
    np.testing.assert_allclose(psi[:5], x / np.linalg.norm(x), atol=1e-6)
    assert not psi[5:].any()
    with pytest.raises(ArgumentError, match="`num_qubits` must be at least 3 for 5 features, but is 2"):
        feature_maps.amplitude(5, num_qubits=2)


def test_sparse_amplitudes() -> None:
    x, states = np.array([1.0, -2.0, 0.5]), [9, 0, 4]
    expected = np.zeros(16)
    expected[states] = x / np.linalg.norm(x)
    np.testing.assert_allclose(run(feature_maps.amplitude(3, states=states), x), expected, atol=1e-14)
    assert feature_maps.amplitude(3, states=states, num_qubits=6).num_qubits == 6
    for wrong in ([0, 1], [0, 1, 1]):
        with pytest.raises(ArgumentError, match="`states` must be 3 different basis states"):
            feature_maps.amplitude(3, states=wrong)
    with pytest.raises(ArgumentError, match="`num_qubits` must be at least 4, but is 3"):
        feature_maps.amplitude(3, states=states, num_qubits=3)


@given(x=st.lists(st.floats(-2, 2), min_size=1, max_size=40).filter(lambda v: max(map(abs, v)) > 1e-3))
@settings(max_examples=40)
def test_matrix_product_states_of_enough_bonds_are_exact(x: list[float]) -> None:
    circuit = feature_maps.mps_amplitudes(x, max_bond=8)
    expected = np.zeros(2**circuit.num_qubits)
    expected[: len(x)] = np.array(x) / np.linalg.norm(x)
    np.testing.assert_allclose(qsim.statevector(circuit), expected, atol=1e-12)


@pytest.mark.parametrize("max_bond", [1, 2, 4, 8])
def test_matrix_product_states_lose_what_the_singular_values_say(max_bond: int) -> None:
    rng = np.random.default_rng(1)
    smooth = np.exp(-(np.linspace(-2, 2, 256) ** 2)) * (1 + 0.2 * np.sin(np.linspace(0, 9, 256)))
    rough = rng.normal(size=256) + 1j * rng.normal(size=256)
    for values, least in ((smooth, {1: 0.5, 2: 0.99, 4: 0.9999, 8: 1 - 1e-6}), (rough, None)):
        values = values / np.linalg.norm(values)
        circuit = feature_maps.mps_amplitudes(values, max_bond=max_bond)
        widths = {len(op.qubits) for op in circuit}
        assert max(widths) == max_bond.bit_length()
        overlap = abs(np.vdot(values, qsim.statevector(circuit))) ** 2
        spectra = [np.linalg.svd(values.reshape(2**cut, -1), compute_uv=False) for cut in range(1, 8)]
        lost = [(s[max_bond:] ** 2).sum() for s in spectra]
        # no state of these bonds is nearer than the worst cut allows, and theirs add up at most
        assert 1 - 2 * sum(lost) - 1e-12 <= overlap <= 1 - max(lost) + 1e-12
        if least:
            assert overlap > least[max_bond]


@pytest.mark.parametrize(
    ("values", "max_bond", "message"),
    [
        ([0.0, 0.0], 2, "`values` must not be all zeros"),
        ([1.0, np.nan], 2, "`values` must be finite"),
        ([], 2, r"`values` must be a vector of at least one number, but has shape \(0,\)"),
        ([[1.0]], 2, r"`values` must be a vector of at least one number, but has shape \(1, 1\)"),
        ([1.0, 2.0], 0, "`max_bond` must be at least 1"),
    ],
)
def test_matrix_product_states_that_cannot_be(values: list, max_bond: int, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        feature_maps.mps_amplitudes(values, max_bond=max_bond)


@pytest.mark.parametrize("structure", ["tree", "ladder"])
@given(x=vectors)
def test_unary_loads_any_vector(structure: str, x: list[float]) -> None:
    x = np.array(x)
    circuit = feature_maps.unary(len(x), structure=structure)
    expected = np.zeros(2**circuit.num_qubits)
    expected[1 << np.arange(len(x))] = x / np.linalg.norm(x)
    np.testing.assert_allclose(run(circuit, x), expected, atol=1e-14)


def test_the_unary_tree_is_shallow() -> None:
    assert feature_maps.unary(64).depth() == 7  # X and log2(64) layers
    assert feature_maps.unary(64, structure="ladder").depth() == 64


@given(x=vectors, weight=st.integers(1, 3))
def test_hamming_weight_loads_any_vector(x: list[float], weight: int) -> None:
    x = np.array(x)
    circuit = feature_maps.hamming_weight(len(x), weight=weight)
    order = feature_maps.weight_order(circuit.num_qubits, weight)
    expected = np.zeros(2**circuit.num_qubits)
    for value, qubits in zip(x / np.linalg.norm(x), order, strict=False):
        expected[sum(1 << q for q in qubits)] = value
    np.testing.assert_allclose(run(circuit, x), expected, atol=1e-14)


@pytest.mark.parametrize(("n", "k"), [(n, k) for n in range(8) for k in range(n + 2)])
def test_weight_order_is_a_revolving_door(n: int, k: int) -> None:
    order = feature_maps.weight_order(n, k)
    assert sorted(order) == sorted(itertools.combinations(range(n), k))
    for here, there in itertools.pairwise(order):
        assert len(set(here) - set(there)) == 1


def test_hamming_weight_needs_enough_states() -> None:
    assert feature_maps.hamming_weight(10, weight=3).num_qubits == 5
    with pytest.raises(
        ArgumentError, match="must be at least 5 for 10 features on states with 3 ones, but is 4"
    ):
        feature_maps.hamming_weight(10, weight=3, num_qubits=4)


@pytest.mark.parametrize("size", [2, 3])
def test_random_access_codes_are_the_corners_of_a_square_or_cube(size: int) -> None:
    circuit = feature_maps.random_access_code(2 * size, bits_per_qubit=size)
    axes = "XZ" if size == 2 else "XYZ"
    for bits in itertools.product((0, 1), repeat=2 * size):
        psi = run(circuit, np.array(bits))
        for k, bit in enumerate(bits):
            p = on(PAULI[axes[k % size]], k // size, 2)
            assert np.vdot(psi, p @ psi).real == pytest.approx((-1) ** bit / math.sqrt(size), abs=1e-12)


# -- images ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("d", [1, 2, 3, 4, 6, 8])
def test_frqi(d: int) -> None:
    x = np.random.default_rng(d).uniform(0, np.pi / 2, d)
    n = max(math.ceil(math.log2(d)), 1)
    padded = np.append(x, np.zeros(2**n - d))
    expected = np.concatenate([np.cos(padded), np.sin(padded)]) / 2 ** (n / 2)
    np.testing.assert_allclose(run(feature_maps.frqi(d), x), expected, atol=1e-14)


@pytest.mark.parametrize(("d", "bits"), [(1, 1), (2, 2), (3, 3), (4, 4), (2, 8), (5, 2)])
def test_neqr(d: int, bits: int) -> None:
    x = np.random.default_rng(d).integers(0, 2**bits, d)
    x[0] = 2**bits - 1
    n = max(math.ceil(math.log2(d)), 1)
    expected = np.zeros(2 ** (n + bits))
    for i in range(2**n):
        expected[i + (int(x[i]) if i < d else 0) * 2**n] = 2 ** (-n / 2)
    np.testing.assert_allclose(run(feature_maps.neqr(d, bits=bits), x), expected, atol=1e-13)


def test_qpie_is_amplitude_encoding() -> None:
    x = np.array([3.0, 0.0, 1.0, 2.0, 5.0])
    np.testing.assert_array_equal(run(feature_maps.qpie(5), x), run(feature_maps.amplitude(5), x))


# -- rotation angles -------------------------------------------------------------------------------
@pytest.mark.parametrize("axis", "xyz")
def test_angle(axis: str) -> None:
    x, _ = draw(3)
    dense = Dense(3)
    if axis == "z":
        dense.h()
    for q in range(3):
        dense.r(axis, x[q], q)
    np.testing.assert_allclose(run(feature_maps.angle(3, rotation=axis), x), dense.psi, atol=1e-14)


def test_the_angle_kernel_is_a_product_of_cosines() -> None:
    x, y = np.random.default_rng(0).uniform(-3, 3, (2, 4))
    a, b = run(feature_maps.angle(4), np.array([x, y]))
    assert abs(np.vdot(a, b)) ** 2 == pytest.approx(np.prod(np.cos((x - y) / 2) ** 2), abs=1e-14)


def test_dense_angle() -> None:
    x, _ = draw(5)
    dense = Dense(3)
    for q in range(3):
        dense.r("y", x[2 * q], q)
        dense.r("z", x[2 * q + 1] if q < 2 else 0.0, q)
    np.testing.assert_allclose(run(feature_maps.dense_angle(5), x), dense.psi, atol=1e-14)


def test_hardware_efficient_angle() -> None:
    x, _ = draw(4)
    dense = Dense(4)
    for _ in range(3):
        for q in range(4):
            dense.r("x", x[q], q)
        for a, b in ring(4):
            dense.c(Z, a, b)
    psi = run(feature_maps.hardware_efficient_angle(4, layers=3), x)
    np.testing.assert_allclose(psi, dense.psi, atol=1e-14)


# -- phases between Hadamard gates -----------------------------------------------------------------
def pauli_state(x: np.ndarray, words: list[dict[int, str]], reps: int, alpha: float) -> np.ndarray:
    """[prod_S exp(-i alpha phi_S P_S / 2) H]^reps |0>, S in the order given."""
    dense = Dense(len(x))
    for _ in range(reps):
        dense.h()
        for letters in words:
            values = [x[q] for q in letters]
            angle = values[0] if len(values) == 1 else np.prod(np.pi - np.array(values))
            dense.psi = rotation(letters, alpha * angle, len(x)) @ dense.psi
    return dense.psi


@pytest.mark.parametrize(("reps", "alpha"), [(1, 2.0), (2, 2.0), (3, 0.3)])
def test_z_and_zz(reps: int, alpha: float) -> None:
    x, _ = draw(3)
    singles = [{q: "Z"} for q in range(3)]
    pairs = [{a: "Z", b: "Z"} for a, b in itertools.combinations(range(3), 2)]
    assert_equal_up_to_phase(
        run(feature_maps.z(3, reps=reps, alpha=alpha), x), pauli_state(x, singles, reps, alpha)
    )
    assert_equal_up_to_phase(
        run(feature_maps.zz(3, reps=reps, alpha=alpha), x), pauli_state(x, singles + pairs, reps, alpha)
    )


def test_pauli_puts_the_last_letter_on_the_first_qubit() -> None:
    x, _ = draw(4)
    blocks = list(itertools.combinations(range(4), 3))
    words = [{q: "Y"} for q in range(4)] + [dict(zip(block, "ZYX", strict=True)) for block in blocks]
    psi = run(feature_maps.pauli(4, paulis=["Y", "XYZ"], reps=2, alpha=0.7), x)
    assert_equal_up_to_phase(psi, pauli_state(x, words, 2, 0.7))


def test_pauli_takes_a_function_of_the_features() -> None:
    x, _ = draw(3)
    circuit = feature_maps.pauli(3, paulis=["Z"], reps=1, data_map=lambda values: np.sin(values[0]))
    assert_equal_up_to_phase(run(circuit, x), pauli_state(np.sin(x), [{q: "Z"} for q in range(3)], 1, 2.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"paulis": "ZZ"}, "`paulis` must be a sequence of Pauli strings"),
        ({"paulis": []}, "`paulis` must be a sequence of Pauli strings"),
        ({"paulis": ["IZ"]}, "must hold strings over X, Y and Z, but holds 'IZ'"),
        ({"paulis": ["ZZZ"], "entanglement": "pairwise"}, "'pairwise' for two letters only"),
        ({"paulis": ["ZZZ"], "entanglement": [(0, 1)]}, "must be a name for Pauli strings of 3 letters"),
        ({"paulis": ["ZZZ"], "entanglement": "star"}, "`entanglement` must be 'full', .* but is 'star'"),
        ({"entanglement": [(0, 1, 2)]}, r"must hold pairs of qubits, but holds \(0, 1, 2\)"),
        ({"entanglement": [(0, 9)]}, "Qubit 9 is out of range"),
        ({"entanglement": [(1, 1)]}, "named twice in a pair of `entanglement`"),
        ({"reps": 0}, "`reps` must be at least 1"),
    ],
)
def test_pauli_strings_that_cannot_be(options: dict, message: str) -> None:
    with pytest.raises((ArgumentError, qsim.errors.QubitError), match=message):
        feature_maps.pauli(4, **options)


def test_iqp() -> None:
    x, _ = draw(3)
    dense = Dense(3)
    for _ in range(2):
        dense.h()
        for q in range(3):
            dense.r("z", x[q], q)
        for a, b in itertools.combinations(range(3), 2):
            dense.rzz(x[a] * x[b], a, b)
    np.testing.assert_allclose(run(feature_maps.iqp(3, reps=2), x), dense.psi, atol=1e-14)


def test_param_z() -> None:
    x, theta = draw(3, 6)
    dense = Dense(3)
    for layer in range(2):
        dense.h()
        for q in range(3):
            dense.psi = phase(theta[3 * layer + q] * x[q], q, 3) @ dense.psi
        for q in range(2):
            dense.c(X, q, q + 1)
    np.testing.assert_allclose(run(feature_maps.param_z(3), x, theta), dense.psi, atol=1e-14)


def test_iqp_generative() -> None:
    x, theta = draw(3, 7)
    subsets = [s for k in (1, 2, 3) for s in itertools.combinations(range(3), k)]
    dense = Dense(3)
    dense.h()
    for q in range(3):
        dense.r("z", x[q], q)
    for weight, subset in zip(theta, subsets, strict=True):
        dense.psi = rotation(dict.fromkeys(subset, "Z"), weight, 3) @ dense.psi
    dense.h()
    psi = run(feature_maps.iqp_generative(3, max_weight=5), x, theta)
    np.testing.assert_allclose(psi, dense.psi, atol=1e-14)


# -- re-uploading ----------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [1, 2, 4])
def test_reuploading(n: int) -> None:
    x, theta = draw(n, 9 * n)
    weights = iter(theta)
    dense = Dense(n)
    for layer in range(3):
        for q in range(n if layer else 0):
            dense.r("x", x[q], q)
        for q in range(n):
            dense.rot(*(next(weights) for _ in range(3)), q)
        for a, b in ring(n):
            dense.c(X, a, b)
    np.testing.assert_allclose(run(feature_maps.reuploading(n), x, theta), dense.psi, atol=1e-13)


def test_trainable_reuploading_cycles_over_layers() -> None:
    x, theta = draw(3, 2 * 13)
    weights = iter(theta)
    slots = iter([0, 1, 2, 0])
    dense = Dense(2)

    def u3(q: int) -> None:
        t, p, l = (next(weights) for _ in range(3))  # noqa: E741
        u = np.array(
            [
                [np.cos(t / 2), -np.exp(1j * l) * np.sin(t / 2)],
                [np.exp(1j * p) * np.sin(t / 2), np.exp(1j * (p + l)) * np.cos(t / 2)],
            ]
        )
        dense.psi = on(u, q, 2) @ dense.psi

    for q in range(2):
        u3(q)
    for _ in range(2):
        for q in range(2):
            w, b = next(weights), next(weights)
            dense.r("z", w * x[next(slots)] + b, q)
            u3(q)
        dense.c(X, 0, 1)
    circuit = feature_maps.trainable_reuploading(3, num_qubits=2, layers=2)
    np.testing.assert_allclose(run(circuit, x, theta), dense.psi, atol=1e-13)


@pytest.mark.parametrize(("d", "n"), [(1, 1), (2, 2), (3, 3), (2, 4)])
def test_qaoa(d: int, n: int) -> None:
    per_layer = {1: 1, 2: 3}.get(n, 2 * n)
    x, theta = draw(d, 2 * per_layer)
    dense = Dense(n)

    def write() -> None:
        for q in range(n):
            if q < d:
                dense.r("x", x[q], q)
            else:
                dense.psi = on(H, q, n) @ dense.psi

    for layer in range(2):
        weights = iter(theta[layer * per_layer :])
        write()
        for a, b in ring(n):
            dense.rzz(next(weights), a, b)
        for q in range(n):
            dense.r("y", next(weights), q)
    write()
    psi = run(feature_maps.qaoa(d, layers=2, num_qubits=n), x, theta)
    np.testing.assert_allclose(psi, dense.psi, atol=1e-13)


@pytest.mark.parametrize(("d", "n", "every"), [(3, 3, False), (3, 3, True), (5, 3, False), (2, 2, False)])
def test_hubregtsen(d: int, n: int, every: bool) -> None:
    per_layer = 2 * n if n > 2 else n
    x, theta = draw(d, 2 * per_layer)
    dense = Dense(n)

    def write() -> None:
        for i in range(math.ceil(d / n) * n):
            dense.r("zx"[i // n % 2], x[i % d], i % n)

    for layer in range(2):
        weights = iter(theta[layer * per_layer :])
        if every or layer == 0:
            dense.h()
        write()
        for q in range(n):
            dense.r("y", next(weights), q)
        for a, b in ring(n) if n > 2 else []:
            dense.cr("z", next(weights), a, b)
    write()
    hadamards = "every" if every else "first"
    circuit = feature_maps.hubregtsen(d, num_qubits=n, layers=2, final_encoding=True, hadamards=hadamards)
    np.testing.assert_allclose(run(circuit, x, theta), dense.psi, atol=1e-13)


@pytest.mark.parametrize(("d", "n"), [(2, 2), (5, 3), (4, 4)])
def test_yz_cx(d: int, n: int) -> None:
    x, theta = draw(d, 4 * n)
    dense = Dense(n)
    slot = 0
    for layer in range(2):
        for q in range(n):
            for k, axis in enumerate("yz"):
                dense.r(axis, theta[2 * slot + k] + 0.7 * x[slot % d], q)
            slot += 1
        for q in range(layer % 2, n, 2):
            dense.c(X, q, (q + 1) % n)
    psi = run(feature_maps.yz_cx(d, num_qubits=n, layers=2, scale=0.7), x, theta)
    np.testing.assert_allclose(psi, dense.psi, atol=1e-13)


@pytest.mark.parametrize("order", ["rows", "columns"])
@pytest.mark.parametrize("entangler", ["siswap", "cx"])
def test_high_dimensional(order: str, entangler: str) -> None:
    x, _ = draw(7)
    n = 3
    dense = Dense(n)
    dense.h()
    for layer in range(2):
        for q in [0, 1] if layer else []:
            if entangler == "cx":
                dense.c(X, q, q + 1)
            else:
                for letter in "XY":
                    dense.psi = rotation({q: letter, q + 1: letter}, -np.pi / 4, n) @ dense.psi
        for i in range(3 * n):
            q, kind = (i // 3, i % 3) if order == "rows" else (i % n, i // n)
            dense.r("zyz"[kind], x[(9 * layer + i) % 7], q)
    circuit = feature_maps.high_dimensional(7, num_qubits=n, order=order, entangler=entangler)
    np.testing.assert_allclose(run(circuit, x), dense.psi, atol=1e-13)


@pytest.mark.parametrize(("n", "closed"), [(2, True), (3, False), (4, True)])
def test_multi_control(n: int, closed: bool) -> None:
    count = n if closed else n - 1
    x, theta = draw(n, 3 * count)
    weights = iter(theta)
    dense = Dense(n)
    dense.h()
    for q in range(n):
        dense.r("z", x[q], q)
    for a in [*range(0, count, 2), *range(1, count, 2)]:
        for axis in "xyz":
            dense.cr(axis, next(weights), a, (a + 1) % n)
    psi = run(feature_maps.multi_control(n, closed=closed), x, theta)
    np.testing.assert_allclose(psi, dense.psi, atol=1e-13)


# -- Fourier and Chebyshev ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "factors"),
    [("constant", (1, 1, 1)), ("tower", (1, 2, 3)), ("exponential", (1, 2, 4)), ("ternary", (1, 3, 9))],
)
@pytest.mark.parametrize("axis", "xyz")
def test_fourier_maps(name: str, factors: tuple[int, ...], axis: str) -> None:
    x, _ = draw(2)
    dense = Dense(6)
    if axis == "z":
        dense.h()
    for i in range(2):
        for j, factor in enumerate(factors):
            dense.r(axis, factor * x[i], 3 * i + j)
    circuit = getattr(feature_maps, f"fourier_{name}")(2, qubits_per_feature=3, rotation=axis)
    np.testing.assert_allclose(run(circuit, x), dense.psi, atol=1e-13)


def test_the_exponential_map_is_a_fourier_state() -> None:
    """On x = 2 pi k / 2^m it is the Fourier transform of the basis state k, up to its phase."""
    m, k = 4, 5
    psi = run(feature_maps.fourier_exponential(1, qubits_per_feature=m), [2 * np.pi * k / 2**m])
    assert_equal_up_to_phase(psi, np.exp(2j * np.pi * k * np.arange(2**m) / 2**m) / 2 ** (m / 2))


def test_chebyshev_amplitudes_are_chebyshev_polynomials() -> None:
    x, _ = draw(1)
    for name, degrees in (("chebyshev_sparse", (1, 1, 1)), ("chebyshev_tower", (1, 2, 3))):
        expected = np.ones(1)
        for degree in degrees:
            t = np.polynomial.chebyshev.Chebyshev.basis(degree)(x[0])
            u = np.sin(degree * np.arccos(x[0]))
            expected = np.kron([t, u], expected)
        psi = run(getattr(feature_maps, name)(1, qubits_per_feature=3), x)
        np.testing.assert_allclose(psi, expected, atol=1e-13)


def test_product_encodes_the_feature_as_an_expectation_value() -> None:
    x, _ = draw(3)
    circuit = feature_maps.product(3)
    values = qsim.expectation(circuit, ["X0", "X1", "X2", "Z1", "X0 X2"], {"x": x})
    np.testing.assert_allclose(values, [*x, np.sqrt(1 - x[1] ** 2), x[0] * x[2]], atol=1e-14)


@pytest.mark.parametrize(("n", "closed", "gate"), [(2, True, "crz"), (3, True, "rzz"), (4, False, "crz")])
def test_chebyshev_pqc(n: int, closed: bool, gate: str) -> None:
    count = n if closed and n > 2 else n - 1
    x, theta = draw(2, 2 * n + 2 * (n + count))
    weights = iter(theta)
    dense = Dense(n)
    slot = 0
    for q in range(n):
        dense.r("y", next(weights), q)
    for _ in range(2):
        for q in range(n):
            dense.r("x", next(weights) * np.arccos(x[slot % 2]), q)
            slot += 1
        for a in [*range(0, count, 2), *range(1, count, 2)]:
            if gate == "crz":
                dense.cr("z", next(weights), a, (a + 1) % n)
            else:
                dense.rzz(next(weights), a, (a + 1) % n)
    for q in range(n):
        dense.r("y", next(weights), q)
    circuit = feature_maps.chebyshev_pqc(2, num_qubits=n, layers=2, closed=closed, entangler=gate)
    np.testing.assert_allclose(run(circuit, x, theta), dense.psi, atol=1e-13)


def test_chebyshev_rx_with_arctan() -> None:
    x, theta = draw(3, 6)
    dense = Dense(3)
    for q in range(3):
        dense.r("x", theta[q] * np.arctan(x[q]), q)
    for q in range(3):
        dense.r("x", theta[3 + q], q)
    for q in (0, 1):
        dense.c(X, q, q + 1)
    psi = run(feature_maps.chebyshev_rx(3, nonlinearity="arctan"), x, theta)
    np.testing.assert_allclose(psi, dense.psi, atol=1e-13)


# -- evolutions and groups -----------------------------------------------------------------------------
def random_spins(n: int, seed: int) -> Dense:
    """The product state both evolutions start from."""
    rng = np.random.default_rng(seed)
    dense = Dense(n)
    for q in range(n):
        height, azimuth = rng.random(2)
        dense.r("y", np.arccos(1 - 2 * height), q)
        dense.r("z", 2 * np.pi * azimuth, q)
    return dense


def exponential(hamiltonian: np.ndarray, time: float) -> np.ndarray:
    levels, vectors = np.linalg.eigh(hamiltonian)
    return (vectors * np.exp(-1j * time * levels)) @ vectors.conj().T


def test_heisenberg() -> None:
    x, _ = draw(3)
    dense = random_spins(4, 7)
    for _ in range(20):
        for j in range(3):
            h = sum(word({j: p, j + 1: p}, 4) for p in "XYZ")
            dense.psi = exponential(h, x[j] * 1.0 / 20) @ dense.psi  # t = d / 3 = 1
    np.testing.assert_allclose(run(feature_maps.heisenberg(3, seed=7), x), dense.psi, atol=1e-12)


def test_random_spins_are_uniform_on_the_sphere() -> None:
    circuit = feature_maps.heisenberg(299, steps=1)
    rotations = [operation.params[0] for operation in circuit.operations[: 2 * 300]]
    heights = np.sort(np.cos(rotations[::2]))
    assert np.abs(heights - np.linspace(-1, 1, 300)).max() < 0.2  # Kolmogorov distance 0.1: p = 0.005
    assert len(set(rotations)) == 600


@pytest.mark.parametrize(("order", "power"), [(1, 1), (2, 2)])
def test_hamiltonian_converges_to_the_evolution_at_its_order(order: int, power: int) -> None:
    x, _ = draw(15)
    words = ["".join(letters) for letters in itertools.product("IXYZ", repeat=2)][1:]
    h = sum(value * np.kron(PAULI[a], PAULI[b]) for value, (a, b) in zip(x, words, strict=True))
    exact = exponential(h, 0.4) @ random_spins(2, 0).psi

    def error(steps: int) -> float:
        psi = run(feature_maps.hamiltonian(15, time=0.4, steps=steps, order=order), x)
        return float(np.linalg.norm(psi - exact))

    assert error(16) < 0.05
    assert error(16) / error(32) == pytest.approx(2**power, rel=0.1)


def test_hamiltonian_of_commuting_words_is_exact() -> None:
    x, _ = draw(2)
    psi = run(feature_maps.hamiltonian(2, paulis=["XXI", "ZZZ"], time=1.3, seed=4), x)
    h = x[0] * word({1: "X", 2: "X"}, 3) + x[1] * word({0: "Z", 1: "Z", 2: "Z"}, 3)
    np.testing.assert_allclose(psi, exponential(h, 1.3) @ random_spins(3, 4).psi, atol=1e-13)


@pytest.mark.parametrize("paulis", [["X"], ["X", "XY"], []])
def test_hamiltonian_needs_a_word_for_each_feature(paulis: list[str]) -> None:
    with pytest.raises(ArgumentError, match="`paulis` must be 2 words of one length, one for each feature"):
        feature_maps.hamiltonian(2, paulis=paulis)


def test_covariant() -> None:
    x, theta = draw(5, 3)
    dense = Dense(3)
    for q in range(3):
        dense.r("y", theta[q], q)
    for a, b in ((0, 1), (1, 2)):
        dense.c(Z, a, b)
    for q in range(3):
        if q < 2:
            dense.psi = on(exponential(Z, -x[2 * q + 1]), q, 3) @ dense.psi
        dense.psi = on(exponential(X, -x[2 * q]), q, 3) @ dense.psi
    np.testing.assert_allclose(run(feature_maps.covariant(5), x, theta), dense.psi, atol=1e-13)


# -- random and convolutional --------------------------------------------------------------------------
@settings(max_examples=30)
@given(
    d=st.integers(1, 6),
    layers=st.integers(1, 4),
    seed=st.integers(0, 2**32),
    probability=st.floats(0, 1),
)
def test_random_layers_write_all_features_about_equally(
    d: int, layers: int, seed: int, probability: float
) -> None:
    circuit = feature_maps.random_layers(d, layers=layers, seed=seed, feature_probability=probability)
    again = feature_maps.random_layers(d, layers=layers, seed=seed, feature_probability=probability)
    assert circuit == again
    written = [p.name for op in circuit for v in op.params for p in v.parameters if p.name.startswith("x")]
    counts = [written.count(f"x[{i}]") for i in range(d)]
    assert min(counts) >= 1 and max(counts) - min(counts) <= 1
    assert len(written) == max(d, round(probability * layers * d))
    assert len(written) + len(feature_maps.weights(circuit)) == layers * d


def test_random_layers_differ_and_keep_to_their_encodings() -> None:
    circuits = [feature_maps.random_layers(4, seed=seed, encodings=["x"]) for seed in range(5)]
    assert all(a != b for a, b in itertools.combinations(circuits, 2))
    angles = {str(v) for circuit in circuits for op in circuit for v in op.params}
    assert all(angle.startswith(("x[", "theta[")) for angle in angles)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encodings": ["y"]}, "`encodings` must be 'x', 'pi_x' or 'arctan_x', but is 'y'"),
        ({"encodings": []}, "`encodings` must be a sequence of names"),
        ({"encodings": "x"}, "`encodings` must be a sequence of names"),
        ({"feature_probability": 1.5}, "`feature_probability` must be between 0 and 1"),
        ({"num_qubits": 1, "layers": 2}, "is 4, but 2 layers of 1 qubits have 2 rotations"),
    ],
)
def test_random_layers_that_cannot_be(options: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        feature_maps.random_layers(4, **options)


def test_qcnn_is_the_network_behind_phases() -> None:
    x, theta = draw(4, feature_maps.get("qcnn").num_weights(4))
    encoding = qsim.Circuit(4)
    for _ in range(2):
        for q in range(4):
            encoding.h(q).p(x[q], q)
    network = qsim.ansatz.qcnn(4).bind({"theta": theta})
    np.testing.assert_allclose(
        run(feature_maps.qcnn(4), x, theta), qsim.statevector(encoding.compose(network)), atol=1e-13
    )


# -- projected features ----------------------------------------------------------------------------------
def test_projected_features_are_bloch_vectors() -> None:
    data = np.random.default_rng(0).uniform(-1, 1, (3, 4))
    theta = np.random.default_rng(1).uniform(-3, 3, 8)
    found = feature_maps.projected_features(data, "hubregtsen", theta=theta)
    circuit = feature_maps.hubregtsen(4)
    assert found.shape == (3, 12)
    for row, features in zip(data, found, strict=True):
        rho = [qsim.density_matrix(circuit, [q], {"x": row, "theta": theta}) for q in range(4)]
        expected = [np.trace(r @ PAULI[letter]).real for r in rho for letter in "XYZ"]
        np.testing.assert_allclose(features, expected, atol=1e-13)
    x, y = found[:2]
    rhos = [
        [qsim.density_matrix(circuit, [q], {"x": data[i], "theta": theta}) for q in range(4)] for i in (0, 1)
    ]
    distance = sum(np.linalg.norm(a - b) ** 2 for a, b in zip(*rhos, strict=True))
    assert np.sum((x - y) ** 2) == pytest.approx(2 * distance)


def test_projected_features_of_options_and_without_weights() -> None:
    assert feature_maps.projected_features([[0.1, 0.2]], "zz", reps=1).shape == (1, 6)
    with pytest.raises(
        ArgumentError, match=r"`theta` must have shape \(4,\), .*`hubregtsen`, but has shape \(0,\)"
    ):
        feature_maps.projected_features(
            [[0.1, 0.2, 0.3, 0.4]], "hubregtsen", closed=False, num_qubits=2, layers=2
        )
    a, b = qsim.Parameter("a"), qsim.Parameter("b")  # without a vector x all parameters are data
    mine = feature_maps.projected_features([[0.1, 0.2]], qsim.Circuit(2).rx(a, 0).rx(b, 1))
    np.testing.assert_allclose(mine[0, 2::3], np.cos([0.1, 0.2]), atol=1e-14)
    with pytest.raises(ArgumentError, match=r"needs data in \[-1, 1\]"):
        feature_maps.projected_features([[0.1, 2.0]], "product")
