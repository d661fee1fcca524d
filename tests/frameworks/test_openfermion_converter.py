"""`qsim.from_openfermion` and `qsim.to_openfermion`; needs OpenFermion."""

from __future__ import annotations

import numpy as np
import pytest

import qsim
from qsim.errors import ObservableError

openfermion = pytest.importorskip("openfermion")
import sympy  # noqa: E402


def test_operators_both_ways():
    theirs = openfermion.QubitOperator("X0 Y2", 0.5) + openfermion.QubitOperator("Z1", 2j) + 3
    ours = qsim.from_openfermion(theirs)
    assert ours == qsim.PauliSum([("X0 Y2", 0.5), ("Z1", 2j), ("", 3)])
    assert qsim.to_openfermion(ours) == theirs
    assert qsim.to_openfermion(qsim.PauliString("Y3", -1)) == openfermion.QubitOperator("Y3", -1)
    assert qsim.from_openfermion(openfermion.QubitOperator()) == qsim.PauliSum()
    matrix = openfermion.get_sparse_operator(theirs, 3).toarray()  # qubit 0 is the most significant bit there
    np.testing.assert_allclose(ours.to_matrix(3, order="big"), matrix, atol=1e-14)


def test_fermions_are_transformed_first():
    fermions = openfermion.FermionOperator("1^ 0", 0.5) + openfermion.FermionOperator("0^ 1", 0.5)
    with pytest.raises(TypeError, match=r"is FermionOperator. Transform it first, .*jordan_wigner"):
        qsim.from_openfermion(fermions)
    hopping = qsim.from_openfermion(openfermion.jordan_wigner(fermions))
    assert hopping == qsim.PauliSum({"Y0 Y1": 0.25, "X0 X1": 0.25})


def test_bad_operators_are_refused():
    with pytest.raises(ObservableError, match="but one is `a`"):
        qsim.from_openfermion(openfermion.QubitOperator("X0", sympy.Symbol("a")))
    with pytest.raises(TypeError, match=r"but is str\.$"):
        qsim.from_openfermion("X0")
    with pytest.raises(TypeError, match="must be a PauliString or PauliSum"):
        qsim.to_openfermion("X0")
