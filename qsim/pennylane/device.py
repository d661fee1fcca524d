"""The device ``qsim.qubit``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pennylane.devices import Device, ExecutionConfig
from pennylane.devices.modifiers import single_tape_support
from pennylane.exceptions import DeviceError
from pennylane.math import Interface
from pennylane.tape import QuantumScript
from pennylane.transforms.core import CompilePipeline

from qsim.pennylane import derivatives
from qsim.pennylane.branching import averaged
from qsim.pennylane.plan import Plan, Plans
from qsim.pennylane.preprocess import add_transforms, is_differentiable
from qsim.pennylane.results import unpack
from qsim.pennylane.sampling import sampled

__all__ = ["QsimDevice"]

#: How a circuit with measurements in its middle may run; the last three are one thing here.
_METHODS = ("deferred", "one-shot", "tree-traversal", "device")


#: Interfaces whose tensors come here as they are.
_NATIVE = (Interface.TORCH, Interface.AUTOGRAD)
_JAX = (Interface.JAX, Interface.JAX_JIT)


@single_tape_support
class QsimDevice(Device):
    """PennyLane device on qsim's simulator: batches run as one execution, with exact derivatives.

    Parameters
    ----------
    wires : int or sequence, optional
        Number of wires, or their labels; by default those of each circuit.
    shots : int or sequence of int, optional
        Deprecated by PennyLane in favour of ``qml.set_shots``.
    seed : {"global"}, None, int, SeedSequence, BitGenerator or Generator
        Of the samples. ``"global"`` takes one number from NumPy's global generator.
    precision : {"double", "single"}, optional
        Of the amplitudes; see `qsim.compile`.
    threads : int, optional
        See `qsim.compile`.
    backend : {"cpp", "numba"}, optional
        See `qsim.compile`.
    max_memory : int or str, optional
        For the states of a batch; see `qsim.compile`.

    Examples
    --------
    >>>     >>> from qsim.pennylane import QsimDevice
    >>> @qml.qnode(QsimDevice(wires=2))
    ... def circuit(x):
    ...     qml.RX(x, wires=0)
    ...     qml.CNOT(wires=[0, 1])
    ...     return qml.expval(qml.Z(1))
    >>> float(circuit(0.0))
    1.0
    """

    config_filepath = str(Path(__file__).parent / "qsim_qubit.toml")
    _device_options = ("seed", "precision", "threads", "backend", "max_memory")

    def __init__(
        self,
        wires: Any = None,
        shots: Any = None,
        *,
        seed: Any = "global",
        precision: str | None = None,
        threads: int | None = None,
        backend: str | None = None,
        max_memory: int | str | None = None,
    ) -> None:
        super().__init__(wires=wires, shots=shots)
        if isinstance(seed, str) and seed == "global":
            seed = np.random.randint(0, high=10_000_000)
        self._rng = np.random.default_rng(seed)
        options = {"precision": precision, "threads": threads, "backend": backend, "max_memory": max_memory}
        self._options = options
        self._plans = Plans(options)

    @property
    def name(self) -> str:
        """``"qsim.qubit"``."""
        return "qsim.qubit"

    # -- what PennyLane asks before it runs anything --------------------------------------------------
    def setup_execution_config(
        self, config: ExecutionConfig | None = None, circuit: QuantumScript | None = None
    ) -> ExecutionConfig:
        """Fill in what the configuration leaves open."""
        config = config or ExecutionConfig()
        for option in config.device_options:
            if option not in self._device_options:
                raise DeviceError(f"Device option {option} is not known to {self.name}.")
        updated: dict[str, Any] = {"mcm_config": _resolved(config.mcm_config, circuit)}
        if config.gradient_method in ("best", "adjoint"):
            # PyTorch and autograd get nodes of their own, which PennyLane takes for backpropagation; for JAX
            # it is products with the Jacobian, where PennyLane's default would be the whole of it
            is_native = config.interface in _NATIVE
            updated["gradient_method"] = "backprop" if is_native else "adjoint"
            updated["use_device_gradient"] = True
            updated["use_device_jacobian_product"] = not is_native
            updated["grad_on_execution"] = False
            if config.interface in _JAX:
                # with numbers converted outside, PennyLane's jit would ask for whole Jacobians all the same
                updated["convert_to_numpy"] = False
        return replace(config, **updated)

    def preprocess_transforms(self, execution_config: ExecutionConfig | None = None) -> CompilePipeline:
        """What is done to tapes before they come to `execute`."""
        pipeline = CompilePipeline()
        add_transforms(pipeline, self, execution_config or ExecutionConfig())
        return pipeline

    def supports_derivatives(
        self, execution_config: ExecutionConfig | None = None, circuit: QuantumScript | None = None
    ) -> bool:
        """Whether the adjoint method serves a configuration and a circuit."""
        if execution_config is None:
            return True
        if execution_config.gradient_method not in ("best", "adjoint"):
            return False
        return circuit is None or is_differentiable(circuit, execution_config)

    def supports_vjp(
        self, execution_config: ExecutionConfig | None = None, circuit: QuantumScript | None = None
    ) -> bool:
        """As `supports_derivatives`."""
        return self.supports_derivatives(execution_config, circuit)

    def supports_jvp(
        self, execution_config: ExecutionConfig | None = None, circuit: QuantumScript | None = None
    ) -> bool:
        """As `supports_derivatives`."""
        return self.supports_derivatives(execution_config, circuit)

    # -- running ----------------------------------------------------------------------------------------
    def execute(self, circuits: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """Results of tapes; a batch of parameters is one execution."""
        config = execution_config or ExecutionConfig()
        native = _native_interface(config)
        if native is None:
            results = tuple(self._run(tape, config) for tape in circuits)
        else:
            results = tuple(native(self._plan(tape), tape) for tape in circuits)
        if self.tracker.active:
            self.tracker.update(batches=1)
            self.tracker.record()
            for tape, result in zip(circuits, results, strict=True):
                self._track(tape, executions=1, simulations=1, results=result)
        return results

    def _run(self, tape: QuantumScript, config: ExecutionConfig) -> Any:
        plan = self._plan(tape)
        rows, batch = plan.rows([d for op in tape.operations for d in op.data])
        batch = tape.batch_size if batch is None else batch
        if tape.shots:
            return sampled(plan, tape, rows, batch, self._rng, config.mcm_config.postselect_mode)
        if plan.clbits:
            return averaged(plan, tape, rows, batch)
        initial = plan.initial(tape)
        values = [section.values(rows, initial) for section in plan.sections]
        return unpack(plan, values, batch)

    def _plan(self, tape: QuantumScript) -> Plan:
        return self._plans.find(tape, self.wires)

    def _track(self, tape: QuantumScript, **counts: Any) -> None:
        if tape.shots:
            counts["shots"] = tape.shots.total_shots
        self.tracker.update(**counts, resources=tape.specs["resources"], errors=tape.specs["errors"])
        self.tracker.record()

    # -- derivatives --------------------------------------------------------------------------------------
    def compute_derivatives(self, circuits: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """Jacobians by the trainable parameters."""
        self._count(derivative_batches=1, derivatives=len(circuits))
        return tuple(derivatives.jacobian(self._plan(tape), tape)[1] for tape in circuits)

    def execute_and_compute_derivatives(
        self, circuits: Any, execution_config: ExecutionConfig | None = None
    ) -> Any:
        """Results and Jacobians."""
        self._count(
            execute_and_derivative_batches=1,
            executions=len(circuits),
            derivatives=len(circuits),
            tapes=circuits,
        )
        pairs = [derivatives.jacobian(self._plan(tape), tape) for tape in circuits]
        return tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)

    def compute_vjp(
        self, circuits: Any, cotangents: Any, execution_config: ExecutionConfig | None = None
    ) -> Any:
        """Cotangents times Jacobians: for each trainable parameter an array of its shape."""
        self._count(vjp_batches=1, vjps=len(circuits))
        return tuple(
            derivatives.vjp(self._plan(tape), tape, c)[1]
            for tape, c in zip(circuits, cotangents, strict=True)
        )

    def execute_and_compute_vjp(
        self, circuits: Any, cotangents: Any, execution_config: ExecutionConfig | None = None
    ) -> Any:
        """Results, and what `compute_vjp` gives."""
        self._count(execute_and_vjp_batches=1, executions=len(circuits), vjps=len(circuits), tapes=circuits)
        pairs = [
            derivatives.vjp(self._plan(tape), tape, c) for tape, c in zip(circuits, cotangents, strict=True)
        ]
        return tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)

    def compute_jvp(
        self, circuits: Any, tangents: Any, execution_config: ExecutionConfig | None = None
    ) -> Any:
        """The Jacobians times tangents of the trainable parameters."""
        self._count(jvp_batches=1, jvps=len(circuits))
        return tuple(
            derivatives.jvp(self._plan(tape), tape, t)[1] for tape, t in zip(circuits, tangents, strict=True)
        )

    def execute_and_compute_jvp(
        self, circuits: Any, tangents: Any, execution_config: ExecutionConfig | None = None
    ) -> Any:
        """Results, and what `compute_jvp` gives."""
        self._count(execute_and_jvp_batches=1, executions=len(circuits), jvps=len(circuits), tapes=circuits)
        pairs = [
            derivatives.jvp(self._plan(tape), tape, t) for tape, t in zip(circuits, tangents, strict=True)
        ]
        return tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)

    def _count(self, tapes: Sequence[QuantumScript] = (), **counts: int) -> None:
        if not self.tracker.active:
            return
        for tape in tapes:
            self.tracker.update(resources=tape.specs["resources"], errors=tape.specs["errors"])
        self.tracker.update(**counts)
        self.tracker.record()


def _native_interface(config: ExecutionConfig) -> Any:
    """What runs a tape with the tensors of an interface; None if its numbers are NumPy's."""
    if config.gradient_method != "backprop":
        return None
    if config.interface == Interface.TORCH:
        from qsim.pennylane.torch_tapes import execute

        return execute
    if config.interface == Interface.AUTOGRAD:
        from qsim.pennylane.autograd_tapes import execute

        return execute
    return None


def _resolved(mcm_config: Any, tape: QuantumScript | None) -> Any:
    """The configuration of mid-circuit measurements with a method that this device has."""
    method = mcm_config.mcm_method
    if method is None:
        method = "one-shot" if getattr(tape, "shots", None) else "deferred"
    if method not in _METHODS:
        raise DeviceError(
            f"mcm_method='{method}' is not supported by qsim.qubit; its methods are {', '.join(_METHODS)}."
        )
    if mcm_config.postselect_mode == "fill-shots" and method != "deferred":
        raise DeviceError("postselect_mode='fill-shots' is only supported with mcm_method='deferred'.")
    if method == "device":
        method = "tree-traversal"
    return replace(mcm_config, mcm_method=method)
