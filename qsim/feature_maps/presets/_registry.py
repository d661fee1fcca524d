"""The table of presets: each has the record of the feature map it is a form of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from qsim.circuit import Circuit
from qsim.feature_maps.records import FEATURE_MAPS, FeatureMap

__all__ = ["PRESETS", "preset"]

Build = TypeVar("Build", bound=Callable[..., Circuit])

#: "library.name" -> record
PRESETS: dict[str, FeatureMap] = {}


def preset(like: str, **facts: Any) -> Callable[[Build], Build]:
    """Enters a function into `PRESETS` with the facts of a feature map that hold for any of its options.

    Period and spectrum are not among them, as options differ; `facts` overrides.
    """

    def enter(build: Build) -> Build:
        name = f"{build.__module__.rpartition('.')[2]}.{build.__name__}"
        summary = (build.__doc__ or "").strip().splitlines()[0]
        known = {"period": None, "spectrum_rule": None, "qubits": "", **facts}
        PRESETS[name] = dataclasses.replace(
            FEATURE_MAPS[like], name=name, build=build, summary=summary, **known
        )
        return build

    return enter
