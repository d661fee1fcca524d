"""Estimators for scikit-learn, made of feature maps and circuits.

They need scikit-learn: ``pip install "qsim-statevector[sklearn]"``.
"""

from __future__ import annotations

try:
    import sklearn as sklearn
except ImportError as error:
    raise ImportError('qsim.sklearn needs scikit-learn: pip install "qsim-statevector[sklearn]".') from error

from qsim.sklearn.kernel_machines import QSVC

__all__ = ["QSVC"]
