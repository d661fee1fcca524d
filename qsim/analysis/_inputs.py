"""What the functions of this package are given: circuits, parameters to draw, data, kernel matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count, counted
from qsim.binding import bind_values, unknown_parameter
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, CircuitError
from qsim.parameters import Parameter, ParameterVector
from qsim.program.program import Program
from qsim.quantum_kernels.alignment import check_square
from qsim.quantum_kernels.encoding import check_data as check_rows
from qsim.rng import root_sequence
from qsim.simulator import Simulator

__all__ = [
    "Draw",
    "check_data",
    "check_kernel",
    "check_sizes",
    "check_targets",
    "columns_named",
    "counted_columns",
    "data_columns",
    "draw_rows",
    "feature_matrix",
    "generator",
    "is_classification",
    "rows_per_chunk",
    "target_columns",
    "unitary_program",
]

FloatArray = npt.NDArray[np.float64]
#: How parameters are drawn: uniformly between two numbers, or by a function of a generator and a shape.
Draw: TypeAlias = "tuple[float, float] | Callable[[np.random.Generator, tuple[int, int]], Any]"

UNIFORM: Draw = (0.0, 2 * np.pi)
#: States kept at once.
_CHUNK_BYTES = 1 << 26


def generator(seed: Any) -> np.random.Generator:
    """The generator of one call, from whatever qsim takes as a seed."""
    return np.random.Generator(np.random.Philox(root_sequence(seed)))


def unitary_program(circuit: Any, simulator: Simulator, what: str) -> Program:
    """The compiled circuit; refused if its state is random or not normalised."""
    if not isinstance(circuit, Circuit):
        raise TypeError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    program = simulator.compile(circuit)
    if not program.is_static or not program._code.keeps_norm:
        raise CircuitError(
            f"Function `{what}` needs a circuit of unitary gates up to its read-out, but this one measures, "
            "resets, branches or holds a matrix that is not unitary. Use the circuit without that."
        )
    return program


def rows_per_chunk(num_qubits: int, bytes_per_amplitude: int) -> int:
    """States that are kept at once."""
    return max(1, _CHUNK_BYTES // (bytes_per_amplitude << num_qubits))


def draw_rows(
    parameters: Sequence[Parameter],
    rows: int,
    rng: np.random.Generator,
    draw: Any = UNIFORM,
    fixed: Mapping[Any, Any] | None = None,
) -> FloatArray:
    """Values of all parameters for each row: those in `fixed` as given, the others drawn.

    Parameters
    ----------
    draw : (low, high) or callable
        See `Draw`.
    fixed : mapping, optional
        From names to one value for each parameter, as for `qsim.expectation`.
    """
    shape = (rows, len(parameters))
    if callable(draw):
        values = np.array(draw(rng, shape), dtype=float)
        if values.shape != shape:
            raise ArgumentError(
                f"Argument `draw` must give an array of shape {shape}, but gave {values.shape}."
            )
    else:
        low, high = _range(draw)
        values = rng.uniform(low, high, size=shape)
    if fixed is not None:
        if not isinstance(fixed, Mapping):
            raise TypeError(f"Argument `fixed` must map names to values, but is {type(fixed).__name__}.")
        columns = columns_named(parameters, list(fixed), "fixed")
        own = [parameters[column] for column in columns]
        held, batched = bind_values(own, dict(fixed))
        if batched:
            raise ArgumentError("Argument `fixed` must hold one value for each parameter, but has a batch.")
        values[:, columns] = held[0]
    return values


def _range(draw: Any) -> tuple[float, float]:
    try:
        low, high = (float(number) for number in draw)
    except (TypeError, ValueError):
        raise TypeError(
            f"Argument `draw` must be (low, high) or a function of a generator and a shape, but is {draw!r}."
        ) from None
    if not -np.inf < low <= high < np.inf:
        raise ArgumentError(f"Argument `draw` must be finite with low <= high, but is ({low}, {high}).")
    return low, high


def columns_named(parameters: Sequence[Parameter], names: Any, argument: str) -> list[int]:
    """Columns of the parameters that are named, or are elements of the vectors named, ascending."""
    if isinstance(names, str | Parameter | ParameterVector):
        names = [names]
    if not isinstance(names, Iterable):
        raise TypeError(
            f"Argument `{argument}` must be a parameter, its name, or several, but is {type(names).__name__}."
        )
    found: set[int] = set()
    for key in names:
        name = key.name if isinstance(key, Parameter | ParameterVector) else key
        if not isinstance(name, str):
            raise TypeError(
                f"Argument `{argument}` must hold parameters or names, but holds {type(key).__name__}."
            )
        columns = [
            k for k, p in enumerate(parameters) if p.name == name or (p.vector and p.vector[0] == name)
        ]
        if not columns:
            raise unknown_parameter(name, parameters)
        found.update(columns)
    return sorted(found)


def data_columns(parameters: Sequence[Parameter], features: Any = None) -> list[int]:
    """Columns of the features: those named, else of the vector or parameter ``x``, if there is one."""
    if features is not None:
        return columns_named(parameters, features, "features")
    return [k for k, p in enumerate(parameters) if "x" in (p.name, p.vector and p.vector[0])]


def counted_columns(parameters: Sequence[Parameter], wrt: Any, fixed: Mapping[Any, Any] | None) -> list[int]:
    """Columns of the parameters that count: those named, else all that are neither held nor features, else
    all that are not held.
    """
    if wrt is not None:
        return columns_named(parameters, wrt, "wrt")
    held = columns_named(parameters, list(fixed), "fixed") if fixed else []
    free = [k for k in range(len(parameters)) if k not in held]
    features = data_columns(parameters)
    return [k for k in free if k not in features] or free


def feature_matrix(X: Any, columns: Sequence[int]) -> FloatArray:
    """Data with a column for each feature; one empty row where there are no features and no data."""
    if X is None:
        if columns:
            raise ArgumentError(
                f"Argument `X` must be given: the circuit has {counted(len(columns), 'feature')}."
            )
        return np.zeros((1, 0))
    data = check_data(X, least=1)
    if data.shape[1] != len(columns):
        raise ArgumentError(
            f"Argument `X` must have {counted(len(columns), 'column')}, one for each feature of the "
            f"circuit, but has {data.shape[1]}."
        )
    return data


def check_data(X: Any, name: str = "X", least: int = 2) -> FloatArray:
    """A finite array of shape (rows, features), of at least so many rows."""
    array = check_rows(X, name)
    if len(array) < least:
        raise ArgumentError(
            f"Argument `{name}` must hold at least {counted(least, 'row')}, but has {len(array)}."
        )
    return array


def check_targets(y: Any, samples: int) -> npt.NDArray[Any]:
    """One target for each sample: numbers or labels."""
    array = np.asarray(y)
    if array.shape != (samples,):
        raise ArgumentError(f"Argument `y` must have shape ({samples},), but has shape {array.shape}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ArgumentError("Argument `y` must be finite, but holds NaN or infinity.")
    if array.dtype.kind not in "iufbUSO":
        raise TypeError(f"Argument `y` must hold numbers or labels, but is of type {array.dtype}.")
    return array


#: Whole numbers with more distinct values than this are no labels.
_MAX_CLASSES = 20


def is_classification(y: npt.NDArray[Any]) -> bool:
    """Whether targets are labels: text, truth values, or whole numbers of at most 20 kinds."""
    if y.dtype.kind not in "iuf":
        return True
    distinct = np.unique(y)
    return len(distinct) <= _MAX_CLASSES and bool((distinct == np.rint(distinct)).all())


def target_columns(y: npt.NDArray[Any], classification: bool | None = None) -> FloatArray:
    """Targets as numbers, shape (samples, outputs): -1 and 1 for two classes, a column for each of more."""
    if not (is_classification(y) if classification is None else classification):
        return y.astype(np.float64)[:, None]
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ArgumentError(
            f"Argument `y` must have at least 2 classes, but all of it is {classes[:1].tolist()}."
        )
    if len(classes) == 2:
        return np.asarray(2.0 * codes - 1, dtype=np.float64)[:, None]
    return np.where(codes[:, None] == np.arange(len(classes)), 1.0, -1.0).astype(np.float64)


def check_kernel(matrix: Any, name: str) -> FloatArray:
    """A finite, symmetric matrix of shape (samples, samples), exactly symmetric from here on."""
    array = check_square(matrix, name)
    return np.asarray((array + array.T) / 2)


def check_sizes(values: Any, name: str, minimum: int) -> list[int]:
    """Distinct counts, ascending."""
    listed = [values] if not isinstance(values, Iterable) else list(values)
    counts = sorted({check_count(value, name, minimum) for value in listed})
    if not counts:
        raise ArgumentError(f"Argument `{name}` must hold at least one number, but is empty.")
    return counts
