"""Presets prepare the amplitudes of the library they are named after, at random points."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import qsim
from qsim import feature_maps
from qsim.errors import ArgumentError
from qsim.feature_maps import presets
from qsim.feature_maps.presets import PRESETS

POINTS = 50


def sampled(circuit: qsim.Circuit, d: int, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Random data and weights, a row each for every point."""
    rng = np.random.default_rng(d)
    x = rng.uniform(low, high, (POINTS, d))
    return x, rng.uniform(-3, 3, (POINTS, len(feature_maps.weights(circuit))))


def states(circuit: qsim.Circuit, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    return qsim.statevector(circuit, {"x": x, **({"theta": theta} if theta.size else {})})


def big_endian(psi: np.ndarray) -> np.ndarray:
    """Amplitudes with qubit 0 as the most significant bit of the index."""
    n = psi.shape[1].bit_length() - 1
    return psi.reshape(-1, *[2] * n).transpose(0, *range(n, 0, -1)).reshape(len(psi), -1)


# -- Qiskit --------------------------------------------------------------------------------------
QISKIT = [
    *(("z", d, {"reps": reps}) for d in (1, 4) for reps in (1, 2)),
    *(("zz", d, {"entanglement": e}) for d in (2, 3, 4) for e in ("full", "linear", "circular")),
    *(("zz", 5, {"entanglement": e, "reps": 3}) for e in ("reverse_linear", "pairwise", [(0, 2), (4, 1)])),
    ("zz", 3, {"alpha": 0.4, "reps": 1}),
    *(("pauli", 4, {"paulis": p}) for p in (["Z", "ZZ"], ["X"], ["Y", "XY"], ["Z", "YZX"], ["ZZZZ"])),
    *(("pauli", d, {"paulis": ["XYZ"], "entanglement": e}) for d in (3, 5) for e in ("linear", "circular")),
    ("pauli", 5, {"paulis": ["YYZ", "XZ"], "entanglement": "reverse_linear"}),
]


@pytest.mark.parametrize(("name", "d", "options"), QISKIT, ids=str)
def test_qiskit(name: str, d: int, options: dict[str, Any]) -> None:
    library = pytest.importorskip("qiskit.circuit.library")
    from qiskit.quantum_info import Statevector

    their_options = dict(options)
    if isinstance(options.get("entanglement"), list):  # theirs are for each length of a Pauli string
        their_options["entanglement"] = {1: [(q,) for q in range(d)], 2: options["entanglement"]}
    theirs = getattr(library, f"{name}_feature_map")(d, **their_options)
    ours = getattr(presets.qiskit, name)(d, **options)
    x, theta = sampled(ours, d, -3, 3)
    names = [f"x[{i}]" for i in range(d)]
    index = {p.name: p for p in theirs.parameters}
    expected = [
        Statevector(theirs.assign_parameters({index[n]: v for n, v in zip(names, row, strict=True)})).data
        for row in x
    ]
    np.testing.assert_allclose(states(ours, x, theta), expected, atol=1e-12)


# -- PennyLane -----------------------------------------------------------------------------------
def _iqp_pattern(qml: Any, x: np.ndarray, theta: np.ndarray, n: int) -> None:
    qml.IQPEmbedding(x, range(n), n_repeats=2, pattern=[[0, 2], [3, 1]])


def _qaoa(field: str, columns: int) -> Callable[..., None]:
    def apply(qml: Any, x: np.ndarray, theta: np.ndarray, n: int) -> None:
        qml.QAOAEmbedding(x, theta.reshape(-1, columns), range(n), local_field=field)

    return apply


PENNYLANE: list[tuple[str, int, dict[str, Any], Callable[..., None]]] = [
    *(
        (
            "angle",
            3,
            {"rotation": axis, "num_qubits": n},
            lambda qml, x, _, n, a=axis: qml.AngleEmbedding(x, range(n), a),
        )
        for axis, n in (("X", 3), ("Y", 4), ("Z", 3))
    ),
    *(
        (
            "amplitude",
            d,
            {},
            lambda qml, x, _, n: qml.AmplitudeEmbedding(x, range(n), pad_with=0.0, normalize=True),
        )
        for d in (2, 3, 5, 8)
    ),
    ("iqp", 3, {}, lambda qml, x, _, n: qml.IQPEmbedding(x, range(n))),
    ("iqp", 4, {"n_repeats": 2, "pattern": [(0, 2), (3, 1)]}, _iqp_pattern),
    ("qaoa", 1, {"layers": 2}, _qaoa("Y", 1)),
    ("qaoa", 2, {"layers": 2, "local_field": "Z"}, _qaoa("Z", 3)),
    ("qaoa", 3, {"layers": 2, "num_qubits": 4, "local_field": "X"}, _qaoa("X", 8)),
]


@pytest.mark.parametrize(
    ("name", "d", "options", "template"), PENNYLANE, ids=lambda v: "" if callable(v) else str(v)
)
def test_pennylane(name: str, d: int, options: dict[str, Any], template: Callable[..., None]) -> None:
    qml = pytest.importorskip("pennylane")
    ours = getattr(presets.pennylane, name)(d, **options)
    x, theta = sampled(ours, d, -3, 3)
    n = ours.num_qubits

    @qml.qnode(qml.device("default.qubit", wires=n))
    def state(row: np.ndarray, weights: np.ndarray) -> Any:
        template(qml, row, weights, n)
        return qml.state()

    expected = [state(row, weights) for row, weights in zip(x, theta, strict=True)]
    np.testing.assert_allclose(big_endian(states(ours, x, theta)), expected, atol=1e-12)


def test_pennylane_basis() -> None:
    qml = pytest.importorskip("pennylane")
    bits = np.array([[k >> i & 1 for i in range(3)] for k in range(8)])

    @qml.qnode(qml.device("default.qubit", wires=3))
    def state(row: np.ndarray) -> Any:
        qml.BasisEmbedding(row, range(3))
        return qml.state()

    ours = qsim.statevector(presets.pennylane.basis(3), {"x": bits})
    np.testing.assert_allclose(big_endian(ours), [state(row) for row in bits], atol=1e-12)


# -- sQUlearn ------------------------------------------------------------------------------------
SQULEARN: list[tuple[str, str, int, dict[str, Any]]] = [
    *(
        (
            "hubregtsen",
            "HubregtsenEncodingCircuit",
            d,
            {"num_qubits": n, "num_layers": 2, "final_encoding": f},
        )
        for d, n in ((1, 1), (2, 2), (4, 4), (2, 4), (5, 3))
        for f in (False, True)
    ),
    ("hubregtsen", "HubregtsenEncodingCircuit", 3, {"num_qubits": 3, "closed": False}),
    *(
        ("yz_cx", "YZ_CX_EncodingCircuit", d, {"num_qubits": n, "num_layers": 3, "c": 0.7, "closed": closed})
        for d, n in ((2, 2), (4, 4), (5, 3))
        for closed in (True, False)
    ),
    *(
        ("high_dim", "HighDimEncodingCircuit", d, {"num_qubits": n, "layer_type": t})
        for d, n in ((4, 2), (12, 2), (1, 1), (7, 3))
        for t in ("rows", "columns")
    ),
    *(
        ("high_dim", "HighDimEncodingCircuit", 7, {"num_qubits": 3, "num_layers": 3, **o})
        for o in ({"cycling": False}, {"cycling_type": "hat"}, {"entangling_gate": "cx"})
    ),
    (
        "high_dim",
        "HighDimEncodingCircuit",
        8,
        {"num_qubits": 2, "num_layers": 3, "cycling": False, "layer_type": "columns"},
    ),
    *(
        ("chebyshev_tower", "ChebyshevTower", 2, {"num_qubits": n, "num_chebyshev": 2, "num_layers": 2, **o})
        for n in (2, 4)
        for o in (
            {},
            {"arrangement": "alternating", "alpha": 1.5},
            {"rotation_gate": "rz"},
            {"hadamard_start": False, "nonlinearity": "arctan", "rotation_gate": "rx"},
        )
    ),
    *(
        ("chebyshev_pqc", "ChebyshevPQC", d, {"num_qubits": n, "num_layers": 2, **o})
        for d, n in ((2, 2), (2, 4), (3, 5))
        for o in ({}, {"closed": False, "entangling_gate": "rzz"})
    ),
    ("chebyshev_pqc", "ChebyshevPQC", 2, {"num_qubits": 3, "nonlinearity": "arctan"}),
    *(
        ("chebyshev_rx", "ChebyshevRx", d, {"num_qubits": n, "num_layers": 2, "closed": closed})
        for d, n in ((1, 1), (2, 4), (3, 3))
        for closed in (False, True)
        if n > 1 or not closed
    ),
    *(
        ("param_z", "ParamZFeatureMap", d, {"num_qubits": n, "num_layers": layers, "entangling": True})
        for d, n in ((1, 1), (2, 5), (4, 4))
        for layers in (2, 3)
    ),
    ("param_z", "ParamZFeatureMap", 3, {"num_qubits": 3}),
    *(
        (
            "multi_control",
            "MultiControlEncodingCircuit",
            d,
            {"num_qubits": n, "num_layers": 2, "final_encoding": f, "closed": closed},
        )
        for d, n in ((2, 2), (2, 4), (5, 3))
        for f in (False, True)
        for closed in (False, True)
    ),
    *(
        (
            "kyriienko",
            "KyriienkoEncodingCircuit",
            d,
            {"num_qubits": n, "encoding_style": s, "num_encoding_layers": e},
        )
        for d, n in ((1, 2), (2, 4), (3, 3))
        for e in (1, 2)
        for s in ("chebyshev_tower", "chebyshev_sparse", "chebyshev_product")
    ),
    *(("qcnn", "QCNNEncodingCircuit", n, {"num_qubits": n}) for n in (1, 2, 3, 4, 6, 8)),
]


@pytest.mark.parametrize(("name", "circuit_class", "d", "options"), SQULEARN, ids=str)
def test_squlearn(name: str, circuit_class: str, d: int, options: dict[str, Any]) -> None:
    library = pytest.importorskip("squlearn.encoding_circuit")
    from qiskit.quantum_info import Statevector

    more = {"default": True} if name == "qcnn" else {}
    theirs = getattr(library, circuit_class)(**options, **more)
    ours = getattr(presets.squlearn, name)(d, **options)
    x, theta = sampled(ours, d, -0.95, 0.95)
    assert theirs.num_parameters == theta.shape[1]
    expected = [
        Statevector(theirs.get_circuit(row, weights).qiskit_circuit).data
        for row, weights in zip(x, theta, strict=True)
    ]
    np.testing.assert_allclose(states(ours, x, theta), expected, atol=1e-12)


# -- the table -----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_records(name: str) -> None:
    record = feature_maps.get(name)
    library, _, function = name.partition(".")
    assert record is PRESETS[name] and record.name == name
    assert record.build is getattr(getattr(presets, library), function)
    assert feature_maps.get(record.build) is pickle.loads(pickle.dumps(record)) is record
    for d in (1, 2, 3, 8):
        circuit = record.build(d)
        assert len(feature_maps.data_parameters(circuit)) == d
    assert record.trainable == bool(feature_maps.weights(circuit))
    assert record.spectrum(2) is None and record.period is None


def test_unknown_presets_get_a_hint() -> None:
    with pytest.raises(ArgumentError, match=r"Unknown feature map `qiskit.zzz`. Did you mean `qiskit.zz`"):
        feature_maps.get("qiskit.zzz")
