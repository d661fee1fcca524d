"""What happens to tapes before they run: decomposition, checks, and batches that have to be taken apart."""

from __future__ import annotations

from typing import Any

import pennylane as qml
from pennylane.devices.preprocess import (
    decompose,
    device_resolve_dynamic_wires,
    no_sampling,
    validate_device_wires,
    validate_measurements,
)
from pennylane.measurements import (
    ClassicalShadowMP,
    DensityMatrixMP,
    ExpectationMP,
    MutualInfoMP,
    ProbabilityMP,
    PurityMP,
    SampleMeasurement,
    ShadowExpvalMP,
    StateMeasurement,
    StateMP,
    VarianceMP,
    VnEntropyMP,
)
from pennylane.ops import MidMeasure
from pennylane.transforms import broadcast_expand, defer_measurements
from pennylane.transforms.core import transform

from qsim.converters.pennylane_gates import is_supported, num_columns, table_gate
from qsim.pennylane.plan import is_state

__all__ = ["add_transforms", "is_differentiable"]

#: Measurements with exact derivatives.
_DIFFERENTIABLE = (
    *(
        ExpectationMP,
        VarianceMP,
        ProbabilityMP,
        StateMP,
        DensityMatrixMP,
        PurityMP,
        VnEntropyMP,
        MutualInfoMP,
    ),
)
_NAME = "qsim.qubit"


def add_transforms(pipeline: Any, device: Any, config: Any) -> None:
    """Append all transforms for a configuration to a pipeline."""
    method = config.mcm_config.mcm_method
    if method == "deferred":
        pipeline.add_transform(defer_measurements, allow_postselect=True)
    pipeline.add_transform(
        decompose,
        stopping_condition=_supported if method != "deferred" else _supported_gate,
        skip_initial_state_prep=True,
        device_wires=device.wires,
        target_gates=device.capabilities.gate_set(),
        name=_NAME,
    )
    pipeline.add_transform(
        device_resolve_dynamic_wires, wires=device.wires, allow_resets=method != "deferred"
    )
    pipeline.add_transform(validate_device_wires, device.wires, name=_NAME)
    pipeline.add_transform(
        validate_measurements,
        analytic_measurements=_is_exact,
        sample_measurements=_is_sampled,
        name=_NAME,
    )
    if method != "deferred":
        pipeline.add_transform(_defer_postselected)
    pipeline.add_transform(_expand_batches)
    if config.gradient_method in ("adjoint", "backprop"):
        pipeline.add_transform(no_sampling, name=f"exact derivatives + {_NAME}")


def _first(results: Any) -> Any:
    return results[0]


def _supported(op: Any) -> bool:
    return is_supported(op)


def _supported_gate(op: Any) -> bool:
    return not isinstance(op, MidMeasure) and is_supported(op)


def _is_exact(mp: Any) -> bool:
    return isinstance(mp, StateMeasurement)


def _is_sampled(mp: Any) -> bool:
    return isinstance(mp, SampleMeasurement | ClassicalShadowMP | ShadowExpvalMP)


@transform
def _defer_postselected(tape: Any) -> Any:
    """Exact results behind a postselected measurement come from a projected state."""
    if tape.shots or not any(
        isinstance(op, MidMeasure) and op.postselect is not None for op in tape.operations
    ):
        return (tape,), _first
    return defer_measurements(tape, allow_postselect=True)


@transform
def _expand_batches(tape: Any) -> Any:
    """One tape for each row of a batch, where the rows differ by more than numbers that are parameters."""
    if tape.batch_size is None or not _must_expand(tape):
        return (tape,), _first
    return broadcast_expand(tape)


def _must_expand(tape: Any) -> bool:
    for position, op in enumerate(tape.operations):
        if op.batch_size is None or table_gate(type(op)) is not None or (position == 0 and is_state(op)):
            continue
        if None in num_columns(op):
            return True
    return any(mp.obs is not None and mp.obs.batch_size is not None for mp in tape.measurements)


def is_differentiable(tape: Any, config: Any) -> bool:
    """Whether the adjoint method serves a tape as the user wrote it."""
    if tape.shots or not all(isinstance(mp, _DIFFERENTIABLE) for mp in tape.measurements):
        return False
    if any(_is_traced(d) for mp in tape.measurements if mp.obs is not None for d in mp.obs.data):
        return False  # by numbers of an observable PennyLane differentiates itself
    if config.mcm_config.mcm_method in (None, "deferred"):
        return not any(isinstance(op, MidMeasure) and op.postselect is not None for op in tape.operations)
    return not any(isinstance(op, MidMeasure) for op in tape.operations)


def _is_traced(number: Any) -> bool:
    """Whether an interface differentiates by a number; autograd marks arrays as trainable by default."""
    interface = qml.math.get_interface(number)
    if interface == "torch":
        return bool(number.requires_grad)
    return interface in ("autograd", "jax") and (
        "Box" in type(number).__name__ or "Tracer" in type(number).__name__
    )
