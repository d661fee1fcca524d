"""What tests of the backends' own functions share: dtypes, strategies, and how exact results must be."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

DTYPES = [np.dtype(np.complex128), np.dtype(np.complex64)]
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from(DTYPES)
thread_counts = st.integers(1, 3)
# Function-scoped fixtures do not change between examples here: the backend is a module's constant.
property_test = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def tolerance(dtype: np.dtype, steps: int = 1) -> float:
    return (3e-15 if dtype == np.complex128 else 2e-6) * (1 + steps)
