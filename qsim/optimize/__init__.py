"""Optimisers for the parameters of circuits: thin, and made of steps that can be saved and resumed exactly.

`minimize` runs any of them over an `Objective` or a function of your own; `scipy_minimize` hands the same to
SciPy.

Examples
--------
>>> import qsim
>>> t = qsim.ParameterVector("t", 2)
>>> circuit = qsim.Circuit(2).ry(t[0], 0).ry(t[1], 1).cx(0, 1)
>>> energy = qsim.PauliSum({"Z0 Z1": 1.0, "X0": 0.5})
>>> result = minimize(Objective(circuit, energy), [0.1, 0.2], Adam(0.1), steps=200)
>>> round(result.value, 3)
-1.118
"""

from __future__ import annotations

from qsim.optimize.first_order import Adam, GradientDescent, QuantumNaturalGradient
from qsim.optimize.loop import Optimizer, Result, State, minimize
from qsim.optimize.objective import Objective
from qsim.optimize.rotations import Rotoselect, Rotosolve
from qsim.optimize.scipy import scipy_minimize
from qsim.optimize.spsa import QNSPSA, SPSA

__all__ = [
    "QNSPSA",
    "SPSA",
    "Adam",
    "GradientDescent",
    "Objective",
    "Optimizer",
    "QuantumNaturalGradient",
    "Result",
    "Rotoselect",
    "Rotosolve",
    "State",
    "minimize",
    "scipy_minimize",
]
