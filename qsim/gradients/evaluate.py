"""One entry for all methods: which parameters are meant, and the shape of the result."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.binding import bind_values, unknown_parameter
from qsim.errors import ArgumentError, GradientError
from qsim.gradients.chain import slot_jacobian
from qsim.parameters import Parameter, ParameterVector
from qsim.program.short_way import plain_angles

if TYPE_CHECKING:
    from qsim.gradients.evaluations import Options
    from qsim.program.program import Program

__all__ = [
    "METHODS",
    "Request",
    "direction_array",
    "read_request",
    "require_unitary",
    "to_parameters",
    "value_and_gradient",
    "wanted_slots",
]

FloatArray = npt.NDArray[np.float64]
#: A parameter as the user named it, columns of its elements (-1: not in the circuit), whether it is a vector.
Entry = tuple[Any, list[int], bool]

#: Each but the first is a module here with a function `estimate` of the program, the values of the parameters
#: (batch, num_parameters), the columns wanted and `Options`. It gives values (batch, size), derivatives
#: (batch, size, num_parameters), of which the other columns may hold anything, and the variances of both.
METHODS = (
    "adjoint",
    "parameter_shift",
    "stochastic_shift",
    "finite_difference",
    "spsa",
    "hadamard_test",
)
#: Those that draw random numbers without shots, too: they take `directions`, and have a spread with several.
RANDOM = ("spsa", "stochastic_shift")
#: Methods that take these arguments.
_TAKERS = {
    "step": ("finite_difference", "spsa"),
    "shots": METHODS[1:],
    "seed": METHODS[1:],
    "directions": RANDOM,
}


def value_and_gradient(
    program: Program,
    params: Any,
    wrt: Any,
    method: str,
    return_std: bool = False,
    measurement: Any = None,
    **given: Any,
) -> tuple[Any, ...]:
    """See `qsim.value_and_gradient`; `given` are the fields of `Options`, None where not given."""
    if (
        method == "adjoint"
        and measurement is None
        and not return_std
        and all(value is None for value in given.values())
    ):
        program._require_observables()
        return _by_adjoint(program, read_request(program, params, wrt), None)
    options = _options(method, return_std, given)
    if measurement is not None:
        program, options = _attached(program, measurement, options)
    else:
        program._require_observables()
    request = read_request(program, params, wrt)
    if method == "adjoint":
        return _by_adjoint(program, request, options.measurement)
    if options.measurement is not None:
        options.measurement.check_batch(len(request.values))
    found = _function_of(method)(program, request.values, request.columns, options)
    if options.measurement is not None:
        shape = options.measurement.shape(program)
        found = [a.reshape(len(a), *shape, *a.shape[2:]) for a in found]
    elif program._is_single:
        found = [a[:, 0] for a in found]
    out = request.value(found[0]), request.gradient(found[1])
    if not return_std:
        return out
    return *out, request.value(np.sqrt(found[2])), request.gradient(np.sqrt(found[3]))


def _by_adjoint(program: Program, request: Request, measurement: Any) -> tuple[Any, Any]:
    if measurement is not None:
        require_unitary(program, "adjoint")
        measurement.check_batch(len(request.values))
        from qsim.gradients.derivatives import measured_jacobian

        out, jacobian = measured_jacobian(program, measurement, request)
    else:
        from qsim.gradients.adjoint import values_and_jacobian

        out, jacobian = values_and_jacobian(program, request.values, request.columns, None)
        if program._is_single:
            out, jacobian = out[:, 0], jacobian[:, 0]
    return request.value(out), request.gradient(jacobian)


def _options(method: Any, return_std: Any, given: dict[str, Any]) -> Options:
    if method not in METHODS:
        near = difflib.get_close_matches(str(method), METHODS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ArgumentError(
            f"Argument `method` must be one of {', '.join(METHODS)}, but is {method!r}.{hint}"
        )
    for name, value in given.items():
        if value is not None and method not in _TAKERS[name]:
            takers = " or ".join(map(repr, _TAKERS[name]))
            raise ArgumentError(f"Argument `{name}` is for method {takers}, but the method is {method!r}.")
    chosen = {name: value for name, value in given.items() if value is not None}
    if "shots" in chosen:
        chosen["shots"] = check_count(chosen["shots"], "shots", 1)
    if "directions" in chosen:
        chosen["directions"] = check_count(chosen["directions"], "directions", 1)
    from qsim.gradients.evaluations import Options

    options = Options(**chosen)
    if not isinstance(return_std, bool):
        raise TypeError(f"Argument `return_std` must be a bool, but is {type(return_std).__name__}.")
    if return_std:
        if method == "adjoint" or (options.shots is None and method not in RANDOM):
            raise ArgumentError(
                "Argument `return_std` needs `shots` or method 'spsa' or 'stochastic_shift': else nothing is "
                "random."
            )
        if options.shots == 1 or (method in RANDOM and options.directions == 1):
            name = "shots" if options.shots == 1 else "directions"
            raise ArgumentError(f"Argument `return_std` needs at least 2 {name}: one has no spread.")
    return options


def _attached(program: Program, what: Any, options: Options) -> tuple[Program, Options]:
    """The program for a measurement; expectation values become its observables."""
    from qsim.measurements import Expectation, as_measurement

    measurement = as_measurement(what)
    program = measurement.attach(program)
    if isinstance(measurement, Expectation):
        return program, options
    return program, replace(options, measurement=measurement)


@dataclass(frozen=True, eq=False)
class Request:
    """The values of the parameters, by which of them to differentiate, and the form of the answer.

    Attributes
    ----------
    values : ndarray, shape (batch, num_parameters), float64
    batched, as_dict : bool
        Whether the user gave a batch axis, and a dict.
    entries : list of (key, columns, is_vector), or None
        What to differentiate by, as the user named it; None: all parameters in their order. A column of
        -1 is not in the circuit.
    columns : list of int
        All columns among them, ascending.
    """

    values: FloatArray
    batched: bool
    as_dict: bool
    entries: list[Entry] | None
    columns: list[int]

    def value(self, out: Any) -> Any:
        """Values, from (batch, ...)."""
        out = out if self.batched else out[0]
        return out.item() if np.ndim(out) == 0 else out

    def gradient(self, jacobian: Any) -> Any:
        """Derivatives, from (batch, ..., num_parameters)."""
        jacobian = jacobian if self.batched else jacobian[0]
        if self.entries is None:
            return jacobian
        if not self.as_dict:
            return _taken(jacobian, [column for _, some, _ in self.entries for column in some])
        parts = [_taken(jacobian, some) for _, some, _ in self.entries]
        return {
            key: part if is_vector else part[0].item() if part.ndim == 1 else part[..., 0]
            for (key, _, is_vector), part in zip(self.entries, parts, strict=True)
        }

    def matrix(self, second: Any) -> Any:
        """Matrices over the parameters, from (batch, ..., num_parameters, num_parameters)."""
        second = second if self.batched else second[0]
        if self.entries is None:
            return second
        if not self.as_dict:
            places = [c for _, some, _ in self.entries for c in some]
            return _taken(np.swapaxes(_taken(second, places), -1, -2), places).swapaxes(-1, -2)
        out: dict[Any, dict[Any, Any]] = {}
        for first, some, first_is_vector in self.entries:
            rows = np.swapaxes(_taken(np.swapaxes(second, -1, -2), some), -1, -2)
            out[first] = {}
            for key, others, is_vector in self.entries:
                part = _taken(rows, others)
                part = part if is_vector else part[..., 0]
                part = part if first_is_vector else part[..., 0, :] if is_vector else part[..., 0]
                out[first][key] = part.item() if part.ndim == 0 else part
        return out

    def vector(self, program: Program, given: Any, name: str) -> tuple[FloatArray, list[int]]:
        """A direction in the space of the parameters, (batch, num_parameters), and its columns.

        A dict names parameters, and all others have 0; an array has the columns of `wrt`.
        """
        out = np.zeros(self.values.shape)
        moved: set[int] = set()
        if isinstance(given, Mapping):
            for key, value in given.items():
                array = direction_array(value, f"{name}[{key!r}]")
                _, some, is_vector = _entry(program, key, array if array.ndim else None)
                if twice := moved.intersection(some) - {-1}:
                    raise ArgumentError(
                        f"Argument `{name}` must name each parameter once, but names "
                        f"`{program.parameters[min(twice)].name}` twice."
                    )
                rows = array if is_vector else array[..., None]
                self._place(out, rows, some, f"{name}[{key!r}]")
                moved.update(some)
            return out, sorted(moved - {-1})
        array = direction_array(given, name)
        places = list(range(len(out.T)))
        if self.entries is not None:
            places = [c for _, some, _ in self.entries for c in some]
        if array.ndim == 0 and len(places) == 1:
            array = array.reshape(1)
        self._place(out, array, places, name)
        return out, self.columns

    def _place(self, out: FloatArray, rows: FloatArray, places: list[int], name: str) -> None:
        batch = len(out)
        if (
            rows.ndim not in (1, 2)
            or rows.shape[-1] != len(places)
            or (rows.ndim == 2 and len(rows) != batch)
        ):
            raise ArgumentError(
                f"Argument `{name}` must have shape ({len(places)},) or (batch, {len(places)}) with the "
                f"batch of `params`, {batch}, but has shape {rows.shape}."
            )
        if len(places) == out.shape[1] and min(places, default=0) >= 0 and len(set(places)) == len(places):
            out[:, places] = rows
            return
        for k, place in enumerate(places):
            if place >= 0:
                out[:, place] += rows[..., k]


def direction_array(given: Any, name: str) -> FloatArray:
    """Finite real numbers."""
    try:
        array = np.asarray(given)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"Argument `{name}` must be real numbers, but is {type(given).__name__}.")
    if not np.isfinite(array).all():
        raise ArgumentError(f"Argument `{name}` must be finite, but holds NaN or infinity.")
    return array.astype(float)


def read_request(program: Program, params: Any, wrt: Any) -> Request:
    """See `Request`."""
    plain = plain_angles(program, params)  # one row, without expressions: the values are the angles
    values, batched = bind_values(program.parameters, params) if plain is None else (plain, False)
    as_dict = isinstance(params, Mapping)
    entries: list[Entry] | None = None  # all columns in their order
    if wrt is not None:
        entries = [_entry(program, key, None) for key in _listed(wrt)]
    elif as_dict:
        entries = [_entry(program, key, value) for key, value in params.items()]
    count = values.shape[1]
    columns = range(count) if entries is None else {c for _, some, _ in entries for c in some if c >= 0}
    return Request(values, batched, as_dict, entries, sorted(columns))


@cache
def _function_of(method: str) -> Any:
    return importlib.import_module(f"qsim.gradients.{method}").estimate


def require_unitary(program: Program, method: str) -> None:
    """Refuse what is not a sequence of unitary gates and a read-out."""
    code = program._code
    if code.is_static and code.keeps_norm:
        return
    what = f"Method {method!r}" if method in METHODS else f"Function `{method}`"
    way_out = "Use method='finite_difference'" + ("." if method in METHODS else " of `value_and_gradient`.")
    raise GradientError(
        f"{what} needs a circuit of unitary gates up to its read-out, but this one {code.obstacle()}. "
        f"{way_out}"
    )


def to_parameters(
    program: Program, values: FloatArray, by_slot: Any, columns: list[int], squared: bool = False
) -> Any:
    """The chain rule, from derivatives by slots (batch, num_observables, num_slots) to parameters.

    With `squared` from variances of independent estimates of them.
    """
    if not program._slots.expressions:
        return by_slot
    count = values.shape[1]
    out = by_slot[..., :count].copy()
    slots, places, slopes = slot_jacobian(program, values, columns)
    inner = slots >= count
    slopes = slopes[:, inner] ** 2 if squared else slopes[:, inner]
    terms = by_slot[..., slots[inner]] * slopes[:, None]
    np.add.at(np.moveaxis(out, -1, 0), places[inner], np.moveaxis(terms, -1, 0))
    return out


def wanted_slots(program: Program, columns: list[int]) -> frozenset[int]:
    """The slots that depend on some of these parameters, but for those that others differentiate."""
    chosen = {program.parameters[c] for c in columns}
    count = len(program.parameters)
    return frozenset(columns) | {
        slot
        for slot, e in enumerate(program._slots.expressions, count)
        if not e.is_held and chosen.intersection(e.parameters)
    }


def _listed(wrt: Any) -> list[Any]:
    if isinstance(wrt, str | Parameter | ParameterVector):
        return [wrt]
    if not isinstance(wrt, Iterable):
        raise TypeError(
            f"Argument `wrt` must be a parameter, its name, or several, but is {type(wrt).__name__}."
        )
    return list(wrt)


def _entry(program: Program, key: Any, value: Any) -> Entry:
    """Columns of a parameter or of a vector's elements; `value` tells the length if nothing else does."""
    name = key.name if isinstance(key, Parameter | ParameterVector) else key
    if not isinstance(name, str):
        raise TypeError(f"Argument `wrt` must hold parameters or names, but holds {type(key).__name__}.")
    columns, vectors = program._derive("columns", lambda: _columns(program.parameters))
    if name in columns:
        return key, [columns[name]], False
    elements = vectors.get(name, {})
    if not elements and not isinstance(key, ParameterVector):
        raise unknown_parameter(name, program.parameters)
    lengths = [length for _, length in elements.values() if length is not None]
    if isinstance(key, ParameterVector):
        lengths.append(len(key))
    if value is not None and not lengths:
        lengths.append(np.shape(value)[-1])
    length = max(lengths, default=max(elements, default=-1) + 1)
    return key, [elements[i][0] if i in elements else -1 for i in range(length)], True


def _columns(parameters: Sequence[Parameter]) -> tuple[dict[str, int], dict[str, dict[int, Any]]]:
    """Name to column; and name of a vector to the column and the vector's length for each index."""
    vectors: dict[str, dict[int, Any]] = {}
    for column, p in enumerate(parameters):
        if p.vector:
            vectors.setdefault(p.vector[0], {})[p.vector[1]] = (column, p.vector_length)
    return {p.name: column for column, p in enumerate(parameters)}, vectors


def _taken(jacobian: FloatArray, columns: list[int]) -> FloatArray:
    """Columns of a Jacobian, zero for those that are not in the circuit."""
    index = np.array(columns, dtype=np.int64)
    if not index.size or index.min() >= 0:
        return jacobian[..., index]
    out = np.zeros((*jacobian.shape[:-1], len(index)), dtype=jacobian.dtype)
    out[..., index >= 0] = jacobian[..., index[index >= 0]]
    return out
