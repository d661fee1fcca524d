"""A circuit as a layer of a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch

from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.program.program import compile
from qsim.torch.columns import Columns
from qsim.torch.compiled import program_number
from qsim.torch.values import as_list, as_real, evaluate

__all__ = ["QuantumLayer"]


class QuantumLayer(torch.nn.Module):
    """Expectation values of a circuit, as a layer whose weights are the circuit's other parameters.

    Parameters
    ----------
    circuit : Circuit
    observables : observable or list of observables
        As for `qsim.expectation`.
    inputs : str or sequence of str
        The parameter or vector that takes the layer's input, or several, in the order of `forward`. Empty:
        the layer has no input.
    init : dict or callable, optional
        Initial weights by name (tensors or arrays), or a function that fills a tensor in place, such as
        ``torch.nn.init.normal_``. By default uniform on [0, 2 pi).
    dtype : torch.dtype, optional
        Of the weights; PyTorch's default dtype by default.
    backend, threads
        See `qsim.compile`.

    Attributes
    ----------
    circuit : Circuit
    one ``torch.nn.Parameter`` for each weight or vector of weights, of its name

    Notes
    -----
    Results have the batch shape and the dtype of the input; the core computes in double precision. Cost as
    for `qsim.torch.expectation`. Layers pickle and copy, also into worker processes.

    Examples
    --------
    >>> import qsim, torch
    >>> x, w = qsim.ParameterVector("x", 2), qsim.ParameterVector("w", 3)
    >>> circuit = qsim.Circuit(2).ry(x[0], 0).ry(x[1], 1).cx(0, 1).ry(w[0], 0).ry(w[1], 1).rz(w[2], 1)
    >>> layer = QuantumLayer(circuit, ["Z0", "Z1"], inputs="x")
    >>> [tuple(p.shape) for p in layer.parameters()]
    [(3,)]
    >>> layer(torch.zeros(5, 2)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        circuit: Circuit,
        observables: Any,
        inputs: Any = "x",
        *,
        init: Mapping[str, Any] | Callable[[torch.Tensor], Any] | None = None,
        dtype: torch.dtype | None = None,
        backend: str | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__()
        self.circuit = circuit
        self.is_single = not isinstance(observables, list | tuple)
        self.inputs = (inputs,) if isinstance(inputs, str) else tuple(inputs)
        self._program = compile(circuit, as_list(observables), backend=backend, threads=threads)
        self._number = program_number(self._program)
        self._columns = Columns(self._program.parameters)
        shapes = {name: self._columns.shape(name) for name in self._columns.shapes}
        for name in self.inputs:
            if name not in shapes:
                raise ArgumentError(
                    "Argument `inputs` must name parameters of the circuit "
                    f"({', '.join(shapes) or 'it has none'}), but names {name!r}."
                )
        self.weights = tuple(name for name in shapes if name not in self.inputs)
        self._attributes = tuple(_attribute(name) for name in self.weights)
        if isinstance(init, Mapping) and set(init) != set(self.weights):
            raise ArgumentError(
                f"Argument `init` must have the weights {', '.join(self.weights) or '(none)'}, but has "
                f"{', '.join(map(str, init)) or 'none'}."
            )
        for name, attribute in zip(self.weights, self._attributes, strict=True):
            weight = torch.empty(shapes[name], dtype=dtype)
            if isinstance(init, Mapping):
                given = torch.as_tensor(init[name], dtype=weight.dtype)
                if given.shape != weight.shape:
                    raise ArgumentError(
                        f"Argument `init` must have shape {tuple(weight.shape)} for `{name}`, but has "
                        f"{tuple(given.shape)}."
                    )
                weight.copy_(given)
            elif init is None:
                torch.nn.init.uniform_(weight, 0.0, 2 * math.pi)
            else:
                init(weight)
            self.register_parameter(attribute, torch.nn.Parameter(weight))

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Values (..., num_observables), or (...) for one observable, for inputs of shape (..., length)."""
        if len(inputs) != len(self.inputs):
            raise ArgumentError(
                f"The layer takes {len(self.inputs)} input(s) ({', '.join(self.inputs) or 'none'}), but got "
                f"{len(inputs)}."
            )
        named = {name: as_real(value, name) for name, value in zip(self.inputs, inputs, strict=True)}
        dtype = named[self.inputs[0]].dtype if inputs else None
        for name, attribute in zip(self.weights, self._attributes, strict=True):
            weight = getattr(self, attribute)
            named[name] = weight if dtype in (None, weight.dtype) else weight.to(dtype)
        values = evaluate(self._program, self._columns, self._columns.check(named), self._number)
        return values[..., 0] if self.is_single else values

    def extra_repr(self) -> str:
        """For ``print(layer)``."""
        count = len(self._program.observables)
        inputs = ", ".join(self.inputs) or "none"
        return f"{self.circuit.num_qubits} qubits, inputs {inputs}, {count} observables"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_number"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._number = program_number(self._program)


def _attribute(name: str) -> str:
    """A name that a module may register: no dots, and none of the module's own."""
    clean = name.replace(".", "_")
    return f"{clean}_" if hasattr(QuantumLayer, clean) or clean in ("circuit", "inputs", "weights") else clean
