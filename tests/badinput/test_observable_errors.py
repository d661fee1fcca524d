"""Bad arguments of observables, samples and distributions."""

from __future__ import annotations

import math

import numpy as np
from badinput_helpers import Case, cases, check_case, each_case

from qsim import Diagonal, Hermitian, PauliString, PauliSum, Projector, Samples, SparseMatrix, StateProjector
from qsim.errors import ArgumentError, MemoryBudgetError, ObservableError, QubitError, StateError
from qsim.results import distribution_from_array

NAN, INF = math.nan, math.inf
COMPLEX_DIAGONAL = np.array([1.0, 1j])

PAULIS = cases(
    ("label-letter", lambda: PauliSum("Q0"), ObservableError, "'Q' at position 0"),
    ("label-number", lambda: PauliSum("Z-1"), ObservableError, "Z-1"),
    ("label-twice", lambda: PauliSum("Z0 X0"), QubitError, "ubit 0"),
    ("label-qubit-63", lambda: PauliSum("Z63"), QubitError, "Qubit 63 in label"),
    ("label-qubit-huge", lambda: PauliSum("Z99999999999999999999"), QubitError, "is out of range"),
    ("label-long", lambda: PauliSum("Z" * 64), QubitError, "label of 64 letters is too long"),
    ("label-none", lambda: PauliSum(None), TypeError, "Argument `terms` must be a dictionary"),
    ("label-int", lambda: PauliSum(3), TypeError, "Argument `terms` must be a dictionary"),
    ("label-bytes", lambda: PauliSum(b"Z0"), TypeError, "Argument `terms` must be a dictionary"),
    ("label-array", lambda: PauliSum(np.eye(2)), TypeError, "Argument `terms` must be a dictionary"),
    ("term-int", lambda: PauliSum([3]), TypeError, "A term must be a label"),
    ("term-triple", lambda: PauliSum([("Z0", 1.0, 2.0)]), TypeError, "A term must be a label"),
    ("key-int", lambda: PauliSum({0: 1.0}), TypeError, "label"),
    ("key-none", lambda: PauliSum({None: 1.0}), TypeError, "label"),
    (
        "coefficient-nan",
        lambda: PauliSum({"Z0": NAN}),
        ObservableError,
        "The coefficient of 'Z0' must be finite",
    ),
    ("coefficient-inf", lambda: PauliSum({"Z0": INF}), ObservableError, "The coefficient of 'Z0' must be"),
    ("coefficient-str", lambda: PauliSum({"Z0": "1"}), TypeError, "The coefficient of 'Z0' must be a real"),
    ("coefficient-bool", lambda: PauliSum({"Z0": True}), TypeError, "The coefficient of 'Z0' must be"),
    ("coefficient-none", lambda: PauliSum({"Z0": None}), TypeError, "The coefficient of 'Z0' must be"),
    (
        "coefficient-huge",
        lambda: PauliSum({"Z0": 10**400}),
        ObservableError,
        "The coefficient of 'Z0' must be",
    ),
    (
        "dense-lengths",
        lambda: PauliSum({"XX": 1.0, "XXX": 1.0}),
        ObservableError,
        "must have the same length",
    ),
    ("sum-qubits", lambda: PauliSum("Z3", num_qubits=2), QubitError, "Qubit 3"),
    (
        "sum-qubits-negative",
        lambda: PauliSum("Z3", num_qubits=-2),
        ObservableError,
        "`num_qubits` must not be",
    ),
    ("sum-qubits-float", lambda: PauliSum("Z3", num_qubits=4.0), TypeError, "`num_qubits` must be an int"),
    ("sum-order", lambda: PauliSum("ZX", order="middle"), ArgumentError, "Argument `order` must be"),
    ("sum-times-nan", lambda: PauliSum("Z0") * NAN, ObservableError, "must be finite"),
    ("sum-matrix-huge", lambda: PauliSum("Z40").to_matrix(), MemoryBudgetError, "dense matrix on 41 qubits"),
    (
        "masks-shape",
        lambda: PauliSum.from_masks([0, 1], [1], [1.0]),
        ObservableError,
        "must have the same shape",
    ),
    (
        "masks-float",
        lambda: PauliSum.from_masks([0.0], [1], [1.0]),
        TypeError,
        "`x_masks` must hold integers",
    ),
    (
        "masks-negative",
        lambda: PauliSum.from_masks([-1], [1], [1.0]),
        QubitError,
        "`x_masks` must hold masks",
    ),
    ("masks-huge", lambda: PauliSum.from_masks([1 << 63], [1], [1.0]), QubitError, "`x_masks` must hold"),
    (
        "masks-nan",
        lambda: PauliSum.from_masks([1], [1], [NAN]),
        ObservableError,
        "`coefficients` must be finite",
    ),
    ("string-letter", lambda: PauliString("ZQ"), ObservableError, "'Q'"),
    ("string-none", lambda: PauliString(None), TypeError, "must be"),
    ("string-nan", lambda: PauliString("Z0", NAN), ObservableError, "`coefficient` must be finite"),
    ("from-dict", lambda: PauliSum.from_dict({}), ObservableError, "Argument `data` must be a dictionary"),
    ("from-dict-none", lambda: PauliSum.from_dict(None), ObservableError, "Argument `data` must be"),
    ("from-json", lambda: PauliSum.from_json("{"), ObservableError, "Argument `text` must be JSON"),
    (
        "from-matrix-shape",
        lambda: PauliSum.from_matrix(np.eye(3)),
        ObservableError,
        "must have shape (2**k, 2**k)",
    ),
    (
        "from-matrix-nan",
        lambda: PauliSum.from_matrix(np.full((2, 2), NAN)),
        ObservableError,
        "must be finite",
    ),
)

MATRICES = cases(
    ("hermitian-not", lambda: Hermitian([[0, 1], [0, 0]]), ObservableError, "`matrix` must be Hermitian"),
    ("hermitian-complex", lambda: Hermitian(np.diag(COMPLEX_DIAGONAL)), ObservableError, "must be Hermitian"),
    ("hermitian-nan", lambda: Hermitian([[NAN, 0], [0, 1]]), ObservableError, "`matrix` must be finite"),
    ("hermitian-shape", lambda: Hermitian(np.eye(4)[:2]), ObservableError, "`matrix` must have shape"),
    ("hermitian-empty", lambda: Hermitian(np.zeros((0, 0))), ObservableError, "`matrix` must have shape"),
    (
        "hermitian-ragged",
        lambda: Hermitian([[1], [1, 2]]),
        ObservableError,
        "`matrix` must be a regular array",
    ),
    ("hermitian-str", lambda: Hermitian("X"), TypeError, "`matrix` must hold numbers"),
    ("hermitian-none", lambda: Hermitian(None), TypeError, "`matrix` must hold numbers"),
    ("hermitian-bool", lambda: Hermitian(np.eye(2, dtype=bool)), TypeError, "`matrix` must hold numbers"),
    ("hermitian-qubits", lambda: Hermitian(np.eye(4), [0]), ObservableError, "`qubits` must have 2 entries"),
    ("hermitian-twice", lambda: Hermitian(np.eye(4), [1, 1]), QubitError, "has qubit 1 twice"),
    ("hermitian-negative", lambda: Hermitian(np.eye(2), -1), QubitError, "Qubit -1 is out of range"),
    ("hermitian-float", lambda: Hermitian(np.eye(2), [0.0]), TypeError, "Each of `qubits` must be an int"),
    ("hermitian-order", lambda: Hermitian(np.eye(2), order=1), ArgumentError, "Argument `order` must be"),
    ("diagonal-length", lambda: Diagonal([1, 2, 3]), ObservableError, "`values` must have shape (2**k,)"),
    ("diagonal-empty", lambda: Diagonal([]), ObservableError, "Argument `values` must"),
    ("diagonal-nan", lambda: Diagonal([NAN, 1]), ObservableError, "Argument `values` must be finite"),
    (
        "diagonal-complex",
        lambda: Diagonal(COMPLEX_DIAGONAL),
        ObservableError,
        "Argument `values` must be real",
    ),
    ("diagonal-str", lambda: Diagonal("ab"), TypeError, "Argument `values` must hold numbers"),
    ("diagonal-qubits", lambda: Diagonal([1, 2], [0, 1]), ObservableError, "`qubits` must have 1 entries"),
    (
        "diagonal-function",
        lambda: Diagonal.from_function(lambda bits: bits, range(2)),
        ObservableError,
        "Argument `values` must have shape",
    ),
    (
        "diagonal-function-huge",
        lambda: Diagonal.from_function(lambda bits: bits[:, 0], range(60)),
        MemoryBudgetError,
        "60 qubits",
    ),
    ("projector-letter", lambda: Projector("1a"), ArgumentError, "'a' at position 1"),
    ("projector-two", lambda: Projector([0, 2]), ArgumentError, "must be 0 or 1, but one is 2"),
    ("projector-none", lambda: Projector(None), TypeError, "Argument `bits` must be a bitstring"),
    ("projector-qubits", lambda: Projector("11", [0]), ObservableError, "`qubits` must have 2 entries"),
    ("projector-both", lambda: Projector({0: 1}, [0]), ObservableError, "`qubits` must be left out"),
    ("projector-nan", lambda: Projector([NAN]), ArgumentError, "must be 0 or 1"),
    ("state-norm", lambda: StateProjector([1, 1]), StateError, "`amplitudes` must have norm 1"),
    ("state-zero", lambda: StateProjector([0, 0], normalize=True), StateError, "must have norm 1"),
    ("state-length", lambda: StateProjector([1, 0, 0]), StateError, "`amplitudes` must have shape"),
    ("state-nan", lambda: StateProjector([NAN, 0]), ObservableError, "`amplitudes` must be finite"),
    ("sparse-shape", lambda: SparseMatrix(np.eye(3)), ObservableError, "must have shape (2**"),
    ("sparse-nan", lambda: SparseMatrix(np.full((2, 2), NAN)), ObservableError, "must be finite"),
    ("sparse-not", lambda: SparseMatrix(np.array([[0, 1], [0, 0]])), ObservableError, "must be Hermitian"),
    ("sparse-none", lambda: SparseMatrix(None), TypeError, "must hold numbers"),
    ("mean-length", lambda: Diagonal([1, 2]).expectation([1, 0, 0]), StateError, "shape"),
    ("mean-short", lambda: Diagonal([1, 2], [3]).expectation([1, 0]), QubitError, "Qubit 3"),
)

SAMPLES = cases(
    ("samples-range", lambda: Samples([4], 2), ArgumentError, "Argument `ints` must be in [0, 2**2)"),
    ("samples-negative", lambda: Samples([-1], 2), ArgumentError, "Argument `ints` must be in [0, 2**2)"),
    ("samples-float", lambda: Samples([0.5], 2), TypeError, "Argument `ints` must hold integers"),
    ("samples-str", lambda: Samples("01", 2), TypeError, "Argument `ints` must hold integers"),
    ("samples-none", lambda: Samples(None, 2), TypeError, "Argument `ints` must hold integers"),
    ("samples-scalar", lambda: Samples(1, 2), ArgumentError, "Argument `ints` must have shape (shots,)"),
    ("samples-bits", lambda: Samples([0], 64), ArgumentError, "Argument `num_bits` must be at most 63"),
    ("samples-bits-bool", lambda: Samples([0], True), TypeError, "Argument `num_bits` must be an int"),
    ("samples-register", lambda: Samples([0], 1, registers={"c": [1]}), QubitError, "Bit 1 is out of range"),
    ("samples-ragged", lambda: Samples([[0], [0, 1]], 1), ArgumentError, "Argument `ints` must be a regular"),
    ("from-bits-two", lambda: Samples.from_bits([[2]]), ArgumentError, "`bits` must hold only 0 and 1"),
    ("from-bits-1d", lambda: Samples.from_bits([0, 1]), ArgumentError, "Argument `bits` must have shape"),
    ("from-bits-float", lambda: Samples.from_bits([[0.0]]), TypeError, "`bits` must hold integers"),
    ("from-bits-ragged", lambda: Samples.from_bits([[0], [0, 1]]), ArgumentError, "`bits` must be a regular"),
    ("from-counts-letters", lambda: Samples.from_counts({"0a": 1}), ArgumentError, "'a' at position 1"),
    ("from-counts-lengths", lambda: Samples.from_counts({"0": 1, "00": 1}), ArgumentError, "length"),
    ("from-counts-negative", lambda: Samples.from_counts({"0": -1}), ArgumentError, "must be at least 0"),
    ("from-counts-float", lambda: Samples.from_counts({"0": 1.5}), TypeError, "must be an int"),
    ("from-counts-key", lambda: Samples.from_counts({0: 1}), TypeError, "must be a str"),
    ("from-counts-none", lambda: Samples.from_counts(None), TypeError, "Argument `counts` must be"),
    ("marginal-range", lambda: Samples([0], 1).marginal(3), QubitError, "Bit 3 is out of range"),
    (
        "marginal-register",
        lambda: Samples([0], 1).marginal("c"),
        ArgumentError,
        "Unknown classical register 'c'",
    ),
    ("marginal-none", lambda: Samples([0], 1).marginal(None), TypeError, "Bit must be an int or several"),
    ("mean-not-diagonal", lambda: Samples([0], 1).expectation("X0"), ObservableError, "must be diagonal"),
    ("mean-bit", lambda: Samples([0], 1).expectation("Z4"), QubitError, "Qubit 4"),
    ("counts-order", lambda: Samples([0], 1).counts(order="x"), ArgumentError, "Argument `order` must be"),
    (
        "most-common",
        lambda: Samples([0], 1).most_common(-1),
        ArgumentError,
        "Argument `k` must be at least 0",
    ),
    (
        "array-length",
        lambda: distribution_from_array([1, 2, 3]),
        ArgumentError,
        "`probabilities` must have shape",
    ),
    ("array-str", lambda: distribution_from_array("ab"), TypeError, "Argument `probabilities` must be"),
)

CASES = PAULIS + MATRICES + SAMPLES


@each_case(CASES)
def test_refused(case: Case) -> None:
    check_case(case)
