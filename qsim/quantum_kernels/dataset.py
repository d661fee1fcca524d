"""Data sets as states: encoded on the way, or once and kept, in memory or in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.errors import ArgumentError, StateError
from qsim.memory import check_free_memory
from qsim.quantum_kernels.encoding import Encoder

__all__ = ["EncodedDataset", "Rows", "as_rows"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]

#: Bytes of states that are encoded at a time.
_CHUNK_BYTES = 1 << 24


class EncodedRows:
    """Rows of data that are encoded whenever their states are asked for."""

    def __init__(self, encoder: Encoder, X: FloatArray) -> None:
        self._encoder, self.X = encoder, X
        self.count = len(X)
        self.dtype = encoder.dtype
        self.state_bytes = self.dtype.itemsize << encoder.program(X.shape[1]).num_qubits

    def states(self, first: int, stop: int) -> ComplexArray:
        return self._encoder.states(self.X[first:stop])


def as_rows(encoder: Encoder, X: Any, name: str = "X") -> Rows:
    """Data, or a data set that is encoded already, as a source of states."""
    if isinstance(X, EncodedDataset):
        if X.dtype != encoder.dtype:
            raise ArgumentError(
                f"Argument `{name}` must be encoded in the kernel's precision, {encoder.dtype}, but is in "
                f"{X.dtype}."
            )
        if X.fingerprint != encoder.fingerprint(X.X.shape[1]):
            raise ArgumentError(
                f"Argument `{name}` must be encoded by the kernel's feature map with the same weights, but "
                "was encoded by another. Encode it anew: EncodedDataset(kernel, X)."
            )
        return X
    return EncodedRows(encoder, encoder.check(X, name))


class EncodedDataset:
    """A data set encoded once: its states are kept, in memory or in a file, and serve every kernel matrix.

    Parameters
    ----------
    feature_map : Circuit, str, callable or QuantumKernel
        As for `FidelityKernel`; of a kernel, its feature map, parameters and precision.
    X : array_like, shape (rows, features)
    y : array_like, shape (rows,), optional
        Labels, for `batches`.
    params : dict, optional
        Values of the map's trainable parameters.
    path : path-like, optional
        Keep the states in this ``.npy`` file, of which only what is used is read into memory; the data set is
        written piece by piece, so it may be larger than the memory. `EncodedDataset.load` opens it again.
    backend, precision, threads
        See `qsim.compile`.

    Attributes
    ----------
    X, y : ndarray
    states_array : ndarray, shape (rows, 2**num_qubits)
        Read-only; memory-mapped if there is a `path`.
    fingerprint : str
        Of the feature map and its weights: kernels refuse a data set that another map has encoded.

    Notes
    -----
    ``data[rows]`` with a slice, a mask or numbers of rows is a data set of these rows, as cross-validation
    takes them; ``data[row]`` is a state.

    Examples
    --------
    >>> import numpy as np
    >>> import qsim
    >>> x = qsim.ParameterVector("x", 2)
    >>> data = EncodedDataset(qsim.Circuit(2).ry(x[0], 0).ry(x[1], 1), [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    >>> len(data), data.states_array.shape
    (3, (3, 4))
    >>> [len(rows) for rows, states in data.batches(2)]
    [2, 1]
    """

    def __init__(
        self,
        feature_map: Any,
        X: Any,
        y: Any = None,
        *,
        params: Any = None,
        path: str | Path | None = None,
        backend: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        encoder = getattr(feature_map, "encoder", None)
        if not isinstance(encoder, Encoder):
            encoder = Encoder(feature_map, params, backend=backend, precision=precision, threads=threads)
        elif params is not None or backend is not None or precision is not None or threads is not None:
            raise ArgumentError(
                "Arguments `params`, `backend`, `precision` and `threads` must be left out where "
                "`feature_map` is a kernel, which has its own."
            )
        self.X = encoder.check(X)
        self.y = _labels(y, len(self.X))
        self.fingerprint = encoder.fingerprint(self.X.shape[1])
        num_qubits = encoder.program(self.X.shape[1]).num_qubits
        shape = (len(self.X), 1 << num_qubits)
        size = encoder.dtype.itemsize << num_qubits
        self.states_array: ComplexArray
        if path is None:
            check_free_memory(
                len(self.X) * size,
                f"A data set of {len(self.X)} states of {num_qubits} qubits",
                "Give a path, to keep it in a file, or use precision='single'.",
            )
            self.states_array = np.empty(shape, dtype=encoder.dtype)
        else:
            self.states_array = _created(Path(path), shape, encoder.dtype)
            labels = {} if self.y is None else {"y": self.y}
            np.savez(_beside(path), X=self.X, fingerprint=self.fingerprint, **labels)
        rows = max(1, _CHUNK_BYTES // size)
        for first in range(0, len(self.X), rows):
            self.states_array[first : first + rows] = encoder.states(self.X[first : first + rows])
        if path is not None and isinstance(self.states_array, np.memmap):
            self.states_array.flush()
            self.states_array = _opened(Path(path))
        self.states_array.flags.writeable = False

    @classmethod
    def load(cls, path: str | Path) -> EncodedDataset:
        """Open what was kept in a file; the states stay there until they are used."""
        self = cls.__new__(cls)
        self.states_array = _opened(Path(path))
        with np.load(_beside(path), allow_pickle=False) as stored:
            self.X = stored["X"]
            self.y = stored.get("y")
            self.fingerprint = str(stored["fingerprint"])
        if self.states_array.ndim != 2 or len(self.states_array) != len(self.X):
            raise StateError(
                f"File {path} must hold one state for each of {len(self.X)} rows, but has shape "
                f"{self.states_array.shape}."
            )
        return self

    @property
    def count(self) -> int:
        return len(self.X)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.states_array.dtype

    @property
    def state_bytes(self) -> int:
        return int(self.states_array.shape[1]) * self.dtype.itemsize

    @property
    def num_qubits(self) -> int:
        return int(self.states_array.shape[1]).bit_length() - 1

    def states(self, first: int, stop: int) -> ComplexArray:
        """States of rows `first` to `stop - 1`."""
        return np.asarray(self.states_array[first:stop])

    def batches(
        self, size: int, *, shuffle: bool = False, seed: int | None = None
    ) -> Iterator[tuple[npt.NDArray[np.int64], ComplexArray]]:
        """Mini-batches: the numbers of their rows, and their states.

        Parameters
        ----------
        size : int
            Rows of a batch; the last may have fewer.
        shuffle : bool
        seed : int, optional
            Of the order, if shuffled.
        """
        size = check_count(size, "size", 1)
        order = np.arange(len(self))
        if shuffle:
            np.random.default_rng(seed).shuffle(order)
        for first in range(0, len(self), size):
            rows = order[first : first + size]
            yield rows, np.asarray(self.states_array[rows])

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, int | np.integer):
            return np.asarray(self.states_array[rows])
        other = EncodedDataset.__new__(EncodedDataset)
        other.fingerprint = self.fingerprint
        other.states_array, other.X = self.states_array[rows], self.X[rows]
        other.y = None if self.y is None else self.y[rows]
        other.states_array.flags.writeable = False
        return other

    def __repr__(self) -> str:
        place = "in a file" if isinstance(self.states_array, np.memmap) else "in memory"
        return f"<EncodedDataset: {len(self)} states of {self.num_qubits} qubits, {self.dtype}, {place}>"


def _labels(y: Any, rows: int) -> Any:
    if y is None:
        return None
    labels = np.asarray(y)
    if labels.shape != (rows,):
        raise ArgumentError(f"Argument `y` must have shape ({rows},), but has shape {labels.shape}.")
    return labels


def _beside(path: str | Path) -> Path:
    """The file with the data and labels, beside that of the states."""
    return Path(f"{path}.data.npz")


def _created(path: Path, shape: tuple[int, int], dtype: Any) -> ComplexArray:
    if not shape[0]:  # an empty file cannot be mapped
        raise ArgumentError("Argument `X` must have a row to be kept in a file, but has none.")
    return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)


def _opened(path: Path) -> ComplexArray:
    return np.lib.format.open_memmap(path, mode="r")


#: Where a kernel gets its states from.
Rows = EncodedRows | EncodedDataset
