"""One row of a small circuit goes to the core by a short way: it gives what the long way gives, and refuses
nothing that the long way takes.
"""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest

import qsim
from qsim.errors import ParameterError, QubitError
from qsim.parameters import MAX_ANGLE
from qsim.testing import random_circuit


def make(num_qubits: int, observable, backend: str, precision: str = "double", fuse: bool = True):
    circuit = random_circuit(num_qubits, 40, seed=num_qubits, parameters=5)
    return qsim.compile(circuit, observable, backend=backend, precision=precision, fuse=fuse)


@pytest.mark.parametrize("num_qubits", [1, 2, 5, 9, 10, 12, 13])
def test_it_gives_what_a_batch_gives(num_qubits, backend, precision):
    program = make(
        num_qubits, {"Z" * num_qubits: 1.5, "X" + "I" * (num_qubits - 1): -0.5}, backend, precision
    )
    rows = np.random.default_rng(1).uniform(-3, 3, (2, len(program.parameters)))
    limit = 1e-12 if precision == "double" else 2e-5
    states, values = program.statevector(rows), program.expectation(rows)
    means, slopes = program.value_and_gradient(rows)
    for k, row in enumerate(rows):
        state, value = program.statevector(row), program.expectation(row)
        mean, slope = program.value_and_gradient(row)
        assert state.shape == (1 << num_qubits,) and state.dtype == program.dtype
        assert isinstance(value, float) and isinstance(mean, float) and slope.dtype == np.float64
        np.testing.assert_allclose(state, states[k], atol=limit)
        np.testing.assert_allclose([value, mean], [values[k], means[k]], atol=3 * limit)
        np.testing.assert_allclose(slope, slopes[k], atol=10 * limit)
        assert np.array_equal(state, program.statevector(row.tolist()))  # a list goes the long way
        assert value == program.expectation(row.tolist())


def test_what_else_is_taken_or_refused(backend):
    program = make(3, "ZZZ", backend)
    count = len(program.parameters)
    row = np.linspace(-1, 1, count)
    value, (mean, slope) = program.expectation(row), program.value_and_gradient(row)
    strided = np.repeat(row, 2)[::2]
    for given in (strided, row.astype(object).tolist(), dict(zip(program.parameters, row, strict=True))):
        assert program.expectation(given) == value
    unaligned = np.frombuffer(b"\0" + row.tobytes(), dtype=np.uint8)[1:].view(np.float64)
    assert program.expectation(unaligned) == value
    plain = qsim.compile(qsim.Circuit(2).rx(qsim.Parameter("x"), 0), "Z0", backend=backend)
    assert plain.expectation(unaligned[:1]) == plain.expectation(row[:1])
    swapped = row.astype(">f8")
    assert program.expectation(swapped) == value
    found = program.value_and_gradient(row, wrt=program.parameters[:2])
    assert found[0] == mean and np.array_equal(found[1], slope[:2])
    for bad in (np.nan, np.inf, -2 * MAX_ANGLE):
        wrong = row.copy()
        wrong[1] = bad
        for ask in (program.statevector, program.expectation, program.value_and_gradient):
            with pytest.raises(ParameterError, match=program.parameters[1].name.replace("[", r"\[")):
                ask(wrong)
    for ask in (program.statevector, program.expectation, program.value_and_gradient):
        with pytest.raises(ParameterError, match="shape"):
            ask(row[:-1])
    copy = pickle.loads(pickle.dumps(program))
    assert copy.expectation(row) == value
    other = program.with_observables("XXX")
    assert other.expectation(row) != value
    assert other.value_and_gradient(row)[0] == pytest.approx(other.expectation(row))


def test_answers_are_new_arrays(backend):
    program = make(2, "ZZ", backend)
    row = np.linspace(-1, 1, len(program.parameters))
    first, again = program.statevector(row), program.statevector(row)
    assert not np.shares_memory(first, again) and first.flags.writeable
    assert not np.shares_memory(program.value_and_gradient(row)[1], program.value_and_gradient(row)[1])


def test_texts_are_read_once():
    """Observables given as texts are kept with the circuit, each for itself, also by copies."""
    theta = qsim.Parameter("theta")
    circuit = qsim.Circuit(2).ry(theta, 0)
    wanted = {"Z0": np.cos(0.3), "X0": np.sin(0.3), "Z1": 1.0}
    for _ in range(2):
        for text, value in wanted.items():
            assert qsim.expectation(circuit, text, 0.3) == pytest.approx(value)
            assert qsim.expectation(circuit, [text], 0.3) == pytest.approx([value])
        assert qsim.expectation(circuit, list(wanted), 0.3) == pytest.approx(list(wanted.values()))
        assert qsim.gradient(circuit, "X0", {"theta": 0.3})["theta"] == pytest.approx(np.cos(0.3))
        with pytest.raises(QubitError):
            qsim.expectation(circuit, "Z2", 0.3)
    program = qsim.compile(circuit, "Z0")
    other = pickle.loads(pickle.dumps(program.with_observables("X0")))
    assert [p.expectation(0.3) for p in (program, other)] == pytest.approx([np.cos(0.3), np.sin(0.3)])


def test_batches_go_by_it_too(backend, precision):
    """Rows of an array have the gradients they have one by one and by names; what is wrong is refused."""
    atol = 1e-12 if precision == "double" else 2e-5
    for observables in ("X0 Z1", ["Z0", "X1 Y2"]):
        program = make(3, observables, backend, precision)
        names, count = [p.name for p in program.parameters], len(program.parameters)
        for batch in (1, 2, 7, 40):
            rows = np.random.default_rng(batch).uniform(-4, 4, (batch, count))
            values, slopes = program.value_and_gradient(rows)
            for row, value, slope in zip(rows, values, slopes, strict=True):
                one = program.value_and_gradient(row)
                np.testing.assert_allclose(value, one[0], atol=atol)
                np.testing.assert_allclose(slope, one[1], atol=atol)
            named = program.value_and_gradient(dict(zip(names, rows.T, strict=True)))
            np.testing.assert_allclose(values, named[0], atol=atol)
            for k, name in enumerate(names):
                np.testing.assert_allclose(slopes[..., k], named[1][name], atol=atol)
            far = np.asfortranarray(rows[::-1])
            np.testing.assert_allclose(program.value_and_gradient(far)[1], slopes[::-1], atol=atol)
        for bad in (rows[:, 1:], np.full_like(rows, np.nan), rows * 1e300):
            with warnings.catch_warnings(), pytest.raises(ParameterError):
                warnings.simplefilter("error")
                program.value_and_gradient(bad)
