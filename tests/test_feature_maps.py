"""Feature maps: what every record declares, found again in numbers; look-up; slots."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import qsim
from qsim import feature_maps
from qsim.errors import ArgumentError
from qsim.feature_maps import FEATURE_MAPS, FeatureMap

RECORDS = [pytest.param(record, id=name) for name, record in FEATURE_MAPS.items()]
MATHS = {"ceil": math.ceil, "log2": math.log2, "sqrt": math.sqrt, "max": max}
#: options that are not the defaults, for which spectra are looked at as well
OTHER_OPTIONS = {
    "amplitude": [{}],
    "angle": [
        {"rotation": "x"},
        {"rotation": "z"},
        {"num_qubits": 5, "on_mismatch": "cycle"},
        {"num_qubits": 5, "on_mismatch": "pad"},
    ],
    "dense_angle": [{"num_qubits": 4, "on_mismatch": "cycle"}],
    "hardware_efficient_angle": [{"layers": 3, "rotation": "y"}, {"num_qubits": 3, "on_mismatch": "cycle"}],
    "z": [{"reps": 1}, {"reps": 3, "alpha": 1.0}],
    "reuploading": [{"layers": 1, "rotation": "z"}, {"num_qubits": 3, "on_mismatch": "cycle"}],
    "qaoa": [{"layers": 2}, {"num_qubits": 3}],
    "hubregtsen": [
        {"layers": 2, "final_encoding": True},
        {"num_qubits": 1},
        {"hadamards": "every", "layers": 2},
    ],
    "yz_cx": [{"layers": 1}, {"scale": 0.5, "num_qubits": 3}],
    "high_dimensional": [{"num_qubits": 2, "layers": 1, "entangler": "cx"}, {"order": "columns"}],
    "multi_control": [{"layers": 2}, {"final_encoding": True}, {"closed": False}],
    "fourier_constant": [{"qubits_per_feature": 3}],
    "fourier_tower": [{"qubits_per_feature": 3}],
    "fourier_exponential": [{"qubits_per_feature": 3}, {"rotation": "y"}],
    "fourier_ternary": [{"qubits_per_feature": 3}],
    "heisenberg": [{"time": 1.5, "steps": 2}],
    "hamiltonian": [{"order": 2, "steps": 2}, {"steps": 3, "time": 0.5}],
    "covariant": [{"fiducial": "shared"}],
    "neqr": [{"bits": 1}, {"bits": 3}],
    "iqp_generative": [{"max_weight": 1}],
}
SPECTRA = [
    pytest.param(record, options, id=f"{name}-{options}")
    for name, record in FEATURE_MAPS.items()
    if record.spectrum_rule is not None
    for options in [{}, *OTHER_OPTIONS.get(name, [])]
]


def values(record: FeatureMap, rows: int, d: int, seed: int = 0) -> np.ndarray:
    """Random data inside the domain, away from its ends."""
    low, high = (max(record.domain[0], -2.0), min(record.domain[1], 2.0))
    margin = 0.05 * (high - low)
    return np.random.default_rng(seed).uniform(low + margin, high - margin, (rows, d))


def states(circuit: qsim.Circuit, x: np.ndarray, seed: int = 1) -> np.ndarray:
    """State vectors for rows of data, with the same random weights for all rows."""
    x = np.atleast_2d(x)
    given = {"x": x}
    weights = feature_maps.weights(circuit)
    if weights:
        theta = np.random.default_rng(seed).uniform(0.3, 2.8, len(weights))
        given["theta"] = np.tile(theta, (len(x), 1))
    return np.atleast_2d(qsim.statevector(circuit, given))


def random_observable(size: int, seed: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    return matrix + matrix.conj().T


def expectations(circuit: qsim.Circuit, x: np.ndarray, seed: int = 1) -> np.ndarray:
    psi = states(circuit, x, seed)
    return np.einsum("bi,ij,bj->b", psi.conj(), random_observable(psi.shape[1]), psi).real


# -- what records declare ------------------------------------------------------------------------
@pytest.mark.parametrize("record", RECORDS)
def test_a_circuit_has_the_data_qubits_and_weights_of_its_record(record: FeatureMap) -> None:
    for d in (1, 2, 3, 4, 5, 8):
        circuit = record.build(d)
        assert [p.name for p in feature_maps.data_parameters(circuit)] == [f"x[{i}]" for i in range(d)]
        names = [p.name for p in feature_maps.weights(circuit)]
        assert names == [f"theta[{i}]" for i in range(len(names))]
        assert circuit.num_qubits == record.num_qubits(d) == eval(record.qubits, {**MATHS, "d": d})
        assert len(names) == record.num_weights(d)
        assert circuit.name == record.name
    assert bool(names) == record.trainable


@pytest.mark.parametrize("record", RECORDS)
def test_records_say_everything(record: FeatureMap) -> None:
    assert record.summary.endswith(".") and record.formula and record.scaling and record.reference
    assert record.family
    low, high = record.data_range
    assert record.domain[0] <= low < high <= record.domain[1]
    assert record.build.__doc__.count("Parameters\n") == record.build.__doc__.count("Returns\n") == 1


@pytest.mark.parametrize("record", RECORDS)
def test_states_are_normalised_and_depend_on_each_feature(record: FeatureMap) -> None:
    d = 3
    circuit = record.build(d)
    x = values(record, 1, d)
    moved = np.repeat(x, d, axis=0) + 0.1 * np.eye(d)
    psi = states(circuit, np.concatenate([x, moved]))
    np.testing.assert_allclose(np.linalg.norm(psi, axis=1), 1, atol=1e-12)
    assert (np.abs(psi[1:] @ psi[0].conj()) ** 2 < 1 - 1e-7).all()


@pytest.mark.parametrize("record", RECORDS)
def test_gradients_by_data_are_those_of_differences(record: FeatureMap) -> None:
    d = 3
    circuit = record.build(d)
    x = values(record, 1, d, seed=5)[0]
    theta = np.random.default_rng(6).uniform(0.3, 2.8, len(feature_maps.weights(circuit)))
    given = {"x": x, **({"theta": theta} if len(theta) else {})}
    n = circuit.num_qubits
    observable = qsim.PauliSum({f"Z{q} X{(q + 1) % n}" if n > 1 else "X0": 0.3 + q for q in range(n)})

    def value(data: np.ndarray) -> float:
        return float(qsim.expectation(circuit, observable, {**given, "x": data}))

    found = qsim.gradient(circuit, observable, given)["x"]
    step = 1e-5 * np.eye(d)
    expected = [(value(x + h) - value(x - h)) / 2e-5 for h in step]
    np.testing.assert_allclose(found, expected, atol=1e-7)


@pytest.mark.parametrize("record", [p for p in RECORDS if p.values[0].period is not None])
def test_the_period_is_a_period_and_no_part_of_it_is(record: FeatureMap) -> None:
    d = 3
    circuit = record.build(d)
    x = values(record, 1, d)
    for i in range(d):
        for parts, expected in ((1, True), (2, False), (3, False)):
            shifted = x + np.eye(d)[i] * record.period / parts
            overlap = abs(np.vdot(*states(circuit, np.concatenate([x, shifted]))))
            assert (abs(overlap - 1) < 1e-10) == expected, (i, parts, overlap)


@pytest.mark.parametrize(("record", "options"), SPECTRA)
def test_the_spectrum_is_that_of_a_generic_model(record: FeatureMap, options: dict) -> None:
    """All declared frequencies occur in <M> for a random M, and no others."""
    d = 2
    circuit = record.build(d, **options)
    x = values(record, 1, d)
    for i, declared in enumerate(record.spectrum(d, **options)):
        unit = declared[1]
        np.testing.assert_allclose(np.array(declared) / unit, np.arange(len(declared)), atol=1e-12)
        samples = 4 * len(declared)
        grid = np.repeat(x, samples, axis=0)
        grid[:, i] = x[0, i] + np.arange(samples) * 2 * math.pi / unit / samples
        found = np.abs(np.fft.rfft(expectations(circuit, grid))) / samples
        occurring = np.flatnonzero(found > 1e-9)
        assert occurring.tolist() == list(range(len(declared))), found


@pytest.mark.parametrize("record", [p for p in RECORDS if p.values[0].spectrum_rule is None])
def test_without_a_spectrum_there_is_none(record: FeatureMap) -> None:
    assert record.spectrum(3) is None


@pytest.mark.parametrize("record", [p for p in RECORDS if p.values[0].homogeneous])
def test_only_the_direction_counts(record: FeatureMap) -> None:
    circuit = record.build(5)
    x = values(record, 1, 5)
    np.testing.assert_allclose(states(circuit, 1e3 * x), states(circuit, x), atol=1e-13)


# -- look-up -------------------------------------------------------------------------------------
def test_get_takes_names_functions_circuits_and_records() -> None:
    record = FEATURE_MAPS["zz"]
    assert feature_maps.get("zz") is feature_maps.get(feature_maps.zz) is feature_maps.get(record) is record
    x = qsim.ParameterVector("x", 2)
    theta = qsim.ParameterVector("theta", 1)
    circuit = qsim.Circuit(2, name="mine").rx(x[1], 0).ry(theta[0], 1).rz(x[0], 0)
    mine = feature_maps.get(circuit)
    assert (mine.name, mine.trainable, mine.num_qubits(2), mine.num_weights(2)) == ("mine", True, 2, 1)
    assert mine.build(2) == circuit and mine.spectrum(2) is None
    circuit.h(0)
    assert mine.build(2) != circuit  # it was a copy
    with pytest.raises(ArgumentError, match="has 2 data parameters, but 3 features must be encoded"):
        mine.build(3)


def test_get_takes_functions_of_ones_own() -> None:
    def mine(num_features: int, *, power: int = 1) -> qsim.Circuit:
        """A map of mine.

        And more.
        """
        x = qsim.ParameterVector("x", num_features)
        circuit = qsim.Circuit(num_features)
        for q in range(num_features):
            circuit.rx(x[q] ** power, q)
        return circuit

    record = feature_maps.get(mine)
    assert (record.name, record.summary) == ("mine", "A map of mine.")
    assert record(3, power=2).num_qubits == record.num_qubits(3) == 3


def test_data_parameters_of_a_circuit_without_x() -> None:
    a, b = qsim.Parameter("a"), qsim.Parameter("b")
    assert feature_maps.data_parameters(qsim.Circuit(1).rx(a, 0).ry(b, 0)) == (a, b)
    theta = qsim.ParameterVector("theta", 1)
    circuit = qsim.Circuit(1).rx(theta[0], 0).ry(b, 0)
    assert feature_maps.data_parameters(circuit) == () and feature_maps.weights(circuit) == (theta[0], b)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("zzz", ArgumentError, r"Unknown feature map `zzz`. Did you mean `zz`"),
        ("ZZ", ArgumentError, r"Unknown feature map `ZZ`. Did you mean `zz`"),
        ("Chebyshev_Towr", ArgumentError, r"Did you mean `chebyshev_tower`"),
        ("", ArgumentError, r"Unknown feature map ``. `qsim.feature_maps.FEATURE_MAPS` lists"),
        (3, TypeError, "must be a name, a function that returns a Circuit"),
    ],
)
def test_what_is_no_feature_map_is_refused(source: object, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        feature_maps.get(source)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ZZFeatureMap", "qiskit.zz"),
        ("zz_feature_map", "qiskit.zz"),
        ("AngleEmbedding", "pennylane.angle"),
        ("IQPEmbedding", "pennylane.iqp"),
        ("HubregtsenEncodingCircuit", "squlearn.hubregtsen"),
        ("KyriienkoEncodingCircuit", "squlearn.kyriienko"),
    ],
)
def test_names_of_other_libraries_lead_to_presets(name: str, meant: str) -> None:
    with pytest.raises(ArgumentError, match=f"Unknown feature map `{name}`. Did you mean `{meant}`"):
        feature_maps.get(name)
    with pytest.raises(AttributeError, match=f"no attribute '{name}'. Did you mean `presets.{meant}`"):
        getattr(feature_maps, name)


def test_attributes_that_do_not_exist() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'hubregsten'. Did you mean `hubregtsen`"):
        _ = feature_maps.hubregsten
    assert not hasattr(feature_maps, "__nothing__")


@pytest.mark.parametrize("record", RECORDS)
def test_backends_and_precisions_agree(record: FeatureMap, backend: str) -> None:
    circuit = record.build(3)
    x = values(record, 4, 3)
    weights = feature_maps.weights(circuit)
    given = {"x": x, **({"theta": np.linspace(-1, 1, len(weights))} if weights else {})}
    expected = qsim.statevector(circuit, given)
    for precision, atol in (("double", 1e-12), ("single", 3e-6)):
        found = qsim.statevector(circuit, given, backend=backend, precision=precision)
        np.testing.assert_allclose(found, expected, atol=atol)


def test_modules_need_no_import_and_circuits_pickle() -> None:
    assert qsim.feature_maps is feature_maps and qsim.ansatz.sim
    for record in FEATURE_MAPS.values():
        circuit = record.build(3)
        assert pickle.loads(pickle.dumps(circuit)) == circuit
        assert pickle.loads(pickle.dumps(record)) is record is feature_maps.get(record.build)
    mine = feature_maps.get(qsim.Circuit(1, name="zz").rx(qsim.Parameter("x[0]"), 0))
    again = pickle.loads(pickle.dumps(mine))
    assert again.name == "zz" and again.build(1) == mine.build(1)


# -- features and slots --------------------------------------------------------------------------
def test_cycle_repeats_and_pad_appends_zeros() -> None:
    x = np.array([0.4, -1.1])
    cycled = states(feature_maps.angle(2, num_qubits=5, on_mismatch="cycle"), x)
    np.testing.assert_allclose(cycled, states(feature_maps.angle(5), x[[0, 1, 0, 1, 0]]), atol=1e-15)
    padded = states(feature_maps.angle(2, num_qubits=5, on_mismatch="pad"), x)
    np.testing.assert_allclose(padded, states(feature_maps.angle(5), [*x, 0, 0, 0]), atol=1e-15)


@pytest.mark.parametrize("name", ["angle", "hardware_efficient_angle", "reuploading", "param_z", "product"])
def test_features_and_slots_that_do_not_fit_are_refused(name: str) -> None:
    build = getattr(feature_maps, name)
    with pytest.raises(ArgumentError, match="must be 5, the slots of the feature map, but is 3"):
        build(3, num_qubits=5)
    with pytest.raises(ArgumentError, match="has 2 slots: some features would be lost"):
        build(3, num_qubits=2, on_mismatch="cycle")
    with pytest.raises(ArgumentError, match="`on_mismatch` must be 'error', 'cycle' or 'pad', but is 'wrap'"):
        build(3, num_qubits=5, on_mismatch="wrap")


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize(
    ("count", "error"), [(0, ArgumentError), (-1, ArgumentError), (2.0, TypeError), (True, TypeError)]
)
def test_numbers_of_features_that_are_none(record: FeatureMap, count: object, error: type) -> None:
    with pytest.raises(error, match="Argument `num_features` must be"):
        record.build(count)


def test_constant_columns_and_nan() -> None:
    circuit = feature_maps.zz(2)
    same = states(circuit, np.full((3, 2), 0.7))
    np.testing.assert_array_equal(same[0], same[2])
    with pytest.raises(qsim.errors.ParameterError, match=r"`x\[1\]` must be finite, but is nan in row 1"):
        states(circuit, np.array([[0.1, 0.2], [0.3, np.nan]]))
