"""From the values a user gives to the parameters they are for: one array of a batch, or a table of names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.errors import ParameterError, UnboundParameterError
from qsim.parameters import MAX_ANGLE, Parameter, ParameterVector, magnitude_text

__all__ = ["bind_values", "unknown_parameter", "values_by_name"]

FloatArray = npt.NDArray[np.float64]


def unknown_parameter(name: Any, parameters: Sequence[Parameter]) -> ParameterError:
    """The error for a name the circuit does not have, with the nearest names."""
    names = list(dict.fromkeys([p.name for p in parameters] + [p.vector[0] for p in parameters if p.vector]))
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    listed = ", ".join(f"`{n}`" for n in names[:8]) + (", ..." if len(names) > 8 else "") if names else "none"
    return ParameterError(
        f"Parameter `{name}` does not occur in the circuit, whose parameters are: {listed}.{hint}"
    )


def bind_values(parameters: Sequence[Parameter], params: Any) -> tuple[FloatArray, bool]:
    """Values of all parameters for all rows of a batch.

    Parameters
    ----------
    parameters : sequence of Parameter
        The circuit's parameters, in order.
    params : None, dict, or array_like
        A dict from name (or `Parameter`, `ParameterVector`) to a scalar or (batch,) for a parameter, to
        (length,) or (batch, length) for a vector; or one array of shape (num_parameters,) or
        (batch, num_parameters); or a number, if there is one parameter.

    Returns
    -------
    values : ndarray, shape (batch, num_parameters), float64
    batched : bool
        Whether the user gave a batch axis.

    Raises
    ------
    UnboundParameterError, ParameterError, TypeError
    """
    if params is None:
        if parameters:
            raise _unbound(parameters)
        return np.zeros((1, 0)), False
    if isinstance(params, Mapping):
        return _bind_dict(parameters, params)
    values = _as_float(params, "params")
    count = len(parameters)
    if values.ndim == 0 and count == 1:
        values = values[None]
    if values.ndim not in (1, 2) or values.shape[-1] != count:
        raise ParameterError(
            f"Argument `params` must have shape ({count},) or (batch, {count}), but has shape {values.shape}."
        )
    batched = values.ndim == 2
    values = values if batched else values[None, :]
    _check_finite(values, [p.name for p in parameters])
    return values, batched


def _bind_dict(parameters: Sequence[Parameter], params: Mapping[Any, Any]) -> tuple[FloatArray, bool]:
    columns = {p.name: i for i, p in enumerate(parameters)}
    vectors: dict[str, list[tuple[int, int]]] = {}
    lengths: dict[str, int] = {}
    for i, p in enumerate(parameters):
        if p.vector:
            vectors.setdefault(p.vector[0], []).append((i, p.vector[1]))
            if p.vector_length is not None:
                lengths[p.vector[0]] = p.vector_length
    filled: list[tuple[list[int], FloatArray]] = []
    batch: int | None = None
    batch_name = ""
    for key, value in params.items():
        name = key.name if isinstance(key, Parameter | ParameterVector) else key
        if not isinstance(name, str):
            raise TypeError(
                f"Argument `params` must have names as keys, but has a key of type {type(key).__name__}."
            )
        array = _as_float(value, name)
        if name in columns:
            targets, rows = [columns[name]], array[..., None]
            expected = "() or (batch,)"
        elif name in vectors:
            targets = [column for column, _ in vectors[name]]
            indices = [index for _, index in vectors[name]]
            length = lengths.get(name)
            expected = f"({length},) or (batch, {length})"
            if not length:
                expected = f"(length,) or (batch, length), length {max(indices) + 1} or more"
            fits = array.ndim > 0 and (
                array.shape[-1] == length if length else array.shape[-1] > max(indices)
            )
            rows = array[..., indices] if fits else np.empty((0, 0, 0))
        elif isinstance(key, ParameterVector) and array.ndim and array.shape[-1] == len(key):
            continue  # a vector none of whose elements are used
        else:
            raise unknown_parameter(name, parameters)
        if rows.ndim not in (1, 2):
            raise ParameterError(
                f"Parameter `{name}` must have shape {expected}, but has shape {array.shape}."
            )
        if rows.ndim == 2:
            if batch is not None and len(rows) != batch and 1 not in (batch, len(rows)):
                raise ParameterError(
                    f"Parameter `{name}` has a batch of {len(rows)}, but `{batch_name}` has one of {batch}; "
                    "they must be equal or 1."
                )
            if batch is None or batch == 1:
                batch, batch_name = len(rows), name
        _check_finite(np.atleast_2d(rows), [parameters[t].name for t in targets])
        filled.append((targets, rows))
    values = np.empty((1 if batch is None else batch, len(parameters)))
    given: set[int] = set()
    for targets, rows in filled:
        if twice := given.intersection(targets):
            raise ParameterError(
                "Argument `params` must give each parameter once, but gives "
                f"`{parameters[min(twice)].name}` twice."
            )
        values[:, targets] = rows
        given.update(targets)
    missing = [p for i, p in enumerate(parameters) if i not in given]
    if missing:
        raise _unbound(missing)
    return values, batch is not None


def values_by_name(parameters: Sequence[Parameter], values: Any) -> dict[Parameter | str, Any]:
    """Numbers or expressions for some of the parameters, by the parameters' names.

    Parameters
    ----------
    parameters : sequence of Parameter
        The circuit's parameters, in order.
    values : dict, array_like or number
        As for `Circuit.bind`.

    Raises
    ------
    ParameterError, TypeError
    """
    known = {p.name: p for p in parameters}
    if values is None:
        raise TypeError("Argument `values` must be a dict or the values in order, but is None.")
    if not isinstance(values, Mapping):
        listed = list(values) if isinstance(values, Iterable) else [values]
        if len(listed) != len(known):
            raise ParameterError(f"Argument `values` must hold {len(known)} values, but holds {len(listed)}.")
        return dict(zip(known, listed, strict=True))
    vectors: dict[str, list[Parameter]] = {}
    for p in parameters:
        if p.vector:
            vectors.setdefault(p.vector[0], []).append(p)
    table: dict[Parameter | str, Any] = {}
    for key, value in values.items():
        name = key.name if isinstance(key, Parameter | ParameterVector) else key
        if name in known:
            table[name] = value
        elif name in vectors:
            for index, element in enumerate(_elements(name, vectors[name], value)):
                table[f"{name}[{index}]"] = element
        else:
            raise unknown_parameter(name, parameters)
    return table


def _elements(name: str, parameters: list[Parameter], value: Any) -> list[Any]:
    """Values of the elements of a vector, as many as it has."""
    length = parameters[-1].vector_length
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise ParameterError(
            f"Parameter `{name}` must have shape ({length or 'length'},), but is {type(value).__name__}."
        )
    listed = list(value)
    needed = length or max(p.vector[1] for p in parameters if p.vector) + 1
    if len(listed) < needed or (length and len(listed) > length):
        raise ParameterError(f"Parameter `{name}` must have shape ({needed},), but has ({len(listed)},).")
    return listed


def _as_float(value: Any, name: str) -> FloatArray:
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise ParameterError(f"Parameter `{name}` must be a regular array of numbers: {error}.") from None
    if array.dtype.kind not in "iuf" and array.size:
        raise TypeError(f"Parameter `{name}` must be real numbers, but is of type {array.dtype}.")
    numbers = np.ascontiguousarray(array, dtype=np.float64).reshape(array.shape)
    return numbers if numbers.flags.aligned else numbers.copy()


def _check_finite(values: FloatArray, names: Sequence[str]) -> None:
    good = np.abs(values) <= MAX_ANGLE  # False for NaN
    if not good.all():
        row, column = np.argwhere(~good)[0]
        where = f" in row {row}" if len(values) > 1 else ""
        raise ParameterError(
            f"Parameter `{names[column]}` must be {magnitude_text(values[row, column])}{where}."
        )


def _unbound(parameters: Sequence[Parameter]) -> UnboundParameterError:
    names = ", ".join(f"`{p.name}`" for p in parameters[:8]) + (", ..." if len(parameters) > 8 else "")
    return UnboundParameterError(
        f"Argument `params` must give every parameter of the circuit a value, but has none for {names}."
    )
