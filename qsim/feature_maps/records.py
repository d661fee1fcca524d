"""What is known about a feature map: one record for each, declared beside the function that builds it."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from qsim._checks import check_count, counted
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.parameters import Parameter

__all__ = ["FEATURE_MAPS", "FeatureMap", "data_parameters", "feature_map", "get", "weights"]

#: Frequencies of one feature, from 0 upwards; the negative ones belong to them.
Frequencies = tuple[float, ...]
#: (number of features, options with their defaults) -> the frequencies of each feature
SpectrumRule = Callable[[int, dict[str, Any]], tuple[Frequencies, ...] | None]
Build = TypeVar("Build", bound=Callable[..., Circuit])


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """A feature map and what is known about it.

    Calling it is calling `build`.

    Attributes
    ----------
    name : str
        Of the function in `qsim.feature_maps`, and the key in `FEATURE_MAPS`.
    build : callable
        ``build(num_features, **options)`` returns a `Circuit` whose data are the elements of
        ``ParameterVector("x", num_features)``; weights, if there are any, are those of
        ``ParameterVector("theta", m)``. All options have defaults.
    summary : str
        One line.
    formula : str
        The unitary, or the state; factors act from right to left.
    qubits : str
        Their number for d features and default options, in terms of ``d``.
    domain : tuple of float
        What each feature has to lie in: ``(-inf, inf)`` if every number will do.
    integer : bool
        Whether features are integers (bits, intensities): nothing lies between two of them.
    homogeneous : bool
        Whether only the direction of the data counts, so that a row of zeros has no state.
    scaling : str
        Advice: what to scale data to.
    data_range : tuple of float
        The same as numbers: `scale` maps the smallest and largest value of a column to it.
    period : float or None
        Of the state (up to its phase) in every feature, with default options; None if there is none, or one
        that depends on the number of features.
    trainable : bool
        Whether there are weights, with default options.
    reference : str
    family : str
        The heading under which the gallery shows it.
    """

    name: str
    build: Callable[..., Circuit]
    summary: str
    formula: str = ""
    qubits: str = ""
    domain: tuple[float, float] = (-math.inf, math.inf)
    integer: bool = False
    homogeneous: bool = False
    scaling: str = ""
    data_range: tuple[float, float] = (-math.pi, math.pi)
    period: float | None = None
    trainable: bool = False
    reference: str = ""
    family: str = ""
    spectrum_rule: SpectrumRule | None = field(default=None, repr=False)

    def __call__(self, num_features: int, **options: Any) -> Circuit:
        return self.build(num_features, **options)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Maps of the library pickle by name, as rules of spectra are no pickles."""
        return (get, (self.name,)) if _known().get(self.name) is self else super().__reduce_ex__(protocol)

    def num_qubits(self, num_features: int, **options: Any) -> int:
        """How many qubits the map of that many features has; O(size of the circuit)."""
        return self.build(num_features, **options).num_qubits

    def num_weights(self, num_features: int, **options: Any) -> int:
        """How many weights the map of that many features has; O(size of the circuit)."""
        return len(weights(self.build(num_features, **options)))

    def spectrum(self, num_features: int, **options: Any) -> tuple[Frequencies, ...] | None:
        """The frequencies of each feature in expectation values, from 0 upwards.

        A model ``<psi(x)| M |psi(x)>`` is a Fourier series in feature i whose frequencies are these and
        their negatives [1]_; for a generic M each of them occurs.

        Returns
        -------
        tuple of tuple of float, or None
            None where the model is no Fourier series in single features with fixed frequencies: products of
            features, functions of them, trained frequencies.

        References
        ----------
        .. [1] M. Schuld, R. Sweke, J. J. Meyer, Phys. Rev. A 103, 032430 (2021).
        """
        if self.spectrum_rule is None:
            return None
        return self.spectrum_rule(num_features, {**_defaults(self.build), **options})


def _defaults(build: Callable[..., Circuit]) -> dict[str, Any]:
    return {
        name: parameter.default
        for name, parameter in inspect.signature(build).parameters.items()
        if parameter.default is not parameter.empty
    }


#: name -> record, in the order of the gallery
FEATURE_MAPS: dict[str, FeatureMap] = {}


def feature_map(**facts: Any) -> Callable[[Build], Build]:
    """Enters a function into `FEATURE_MAPS`; the first line of its docstring is the summary."""

    def enter(build: Build) -> Build:
        name = build.__name__
        summary = (build.__doc__ or "").strip().splitlines()[0]
        FEATURE_MAPS[name] = FeatureMap(name=name, build=build, summary=summary, **facts)
        return build

    return enter


def get(source: FeatureMap | str | Circuit | Callable[..., Circuit]) -> FeatureMap:
    """The record of a feature map, from its name, its function, a function of your own, or a circuit.

    Parameters
    ----------
    source : str, callable, Circuit or FeatureMap
        Names of presets are like ``"qiskit.zz"``. A callable of your own must return a Circuit for
        ``source(num_features, **options)``. A Circuit stands for itself and has as many features as it has
        data parameters (see `data_parameters`).

    Returns
    -------
    FeatureMap

    Raises
    ------
    ArgumentError
        If there is no map of that name.
    TypeError
        If `source` is none of these.

    Examples
    --------
    >>> get("zz").num_qubits(3)
    3
    >>> get(Circuit(1).rx(Parameter("x[0]"), 0)).build(1).num_qubits
    1
    """
    if isinstance(source, FeatureMap):
        return source
    known = _known()
    if isinstance(source, str):
        if source in known:
            return known[source]
        raise ArgumentError(
            f"Unknown feature map `{source}`. {name_hint(source, known)}`qsim.feature_maps.FEATURE_MAPS` "
            "lists all names."
        )
    if isinstance(source, Circuit):
        return _of_circuit(source)
    if callable(source):
        for record in known.values():
            if record.build is source:
                return record
        name = getattr(source, "__name__", type(source).__name__)
        summary = (getattr(source, "__doc__", None) or "").strip().partition("\n")[0]
        return FeatureMap(name=name, build=source, summary=summary)
    raise TypeError(
        "A feature map must be a name, a function that returns a Circuit, a Circuit or a FeatureMap, but is "
        f"{type(source).__name__}."
    )


def _known() -> dict[str, FeatureMap]:
    """Maps and presets by name."""
    from qsim.feature_maps.presets import PRESETS

    return {**FEATURE_MAPS, **PRESETS}


def name_hint(name: str, known: Mapping[str, FeatureMap]) -> str:
    """A question with the names that may be meant: near ones, or what another library calls `name`."""

    def plain(text: str) -> str:
        return text.rpartition(".")[2].replace("_", "").lower()

    # the summary of a preset begins with the name it has in its library
    meant = [
        key
        for key, record in known.items()
        if record.summary.startswith("``")
        and plain(record.summary.split("``")[1].split("(")[0]) == plain(name)
    ]
    # letters of another case first: `ZZ` is near to none of the names
    near = meant or [key for key in known if key.lower() == name.lower()]
    near = near or difflib.get_close_matches(name.lower(), known, n=2)
    return f"Did you mean {' or '.join(f'`{key}`' for key in near)}? " if near else ""


class _FixedCircuit:
    """The function of a feature map that is one circuit."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit

    def __call__(self, num_features: int) -> Circuit:
        size = len(data_parameters(self.circuit))
        if check_count(num_features, "num_features", 0) != size:
            raise ArgumentError(
                f"The circuit given as a feature map has {counted(size, 'data parameter')}, but "
                f"{counted(num_features, 'feature')} must be encoded."
            )
        return self.circuit.copy()


def _of_circuit(circuit: Circuit) -> FeatureMap:
    return FeatureMap(
        name=circuit.name or "circuit",
        build=_FixedCircuit(circuit.copy()),
        summary="A circuit of the user's.",
        trainable=bool(weights(circuit)),
    )


def data_parameters(circuit: Circuit) -> tuple[Parameter, ...]:
    """The parameters of a circuit that stand for data: the elements of the vector ``x``.

    Where there is no such vector and no vector ``theta`` either, all parameters are data.
    """
    data, rest = _split(circuit)
    if data or any(p.vector and p.vector[0] == "theta" for p in rest):
        return data
    return rest


def weights(circuit: Circuit) -> tuple[Parameter, ...]:
    """The parameters of a circuit that do not stand for data (see `data_parameters`)."""
    data = set(data_parameters(circuit))
    return tuple(p for p in circuit.parameters if p not in data)


def _split(circuit: Circuit) -> tuple[tuple[Parameter, ...], tuple[Parameter, ...]]:
    parameters = circuit.parameters
    data = tuple(p for p in parameters if p.vector and p.vector[0] == "x")
    return data, tuple(p for p in parameters if p not in data)
