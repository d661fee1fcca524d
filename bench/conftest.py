"""Facts beside every result of pytest-benchmark, and the backends and precisions to run on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import qsim
from bench.machine import cpu_model, qsim_facts


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bench-backends", default="", help="comma list (default: every available backend)")
    parser.addoption("--bench-threads", default="1,2", help="comma list of thread counts for big states")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--bench-backends")
        names = asked.split(",") if asked else list(qsim.available_backends())
        metafunc.parametrize("backend", names)
    if "threads" in metafunc.fixturenames:
        metafunc.parametrize(
            "threads", [int(t) for t in metafunc.config.getoption("--bench-threads").split(",")]
        )


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    machine_info["cpu_model"], machine_info["numpy"] = cpu_model(), np.__version__
    machine_info["qsim"] = qsim_facts()


def pytest_benchmark_update_json(config: pytest.Config, benchmarks: Any, output_json: dict[str, Any]) -> None:
    """Statistics without the single timings, so that a results file can be kept in the repository."""
    for bench in output_json["benchmarks"]:
        bench["stats"].pop("data", None)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what a test put into `extra_info`, which pytest-benchmark keeps for the JSON."""
    session = getattr(config, "_benchmarksession", None)
    rows = [b for b in session.benchmarks if b.extra_info.get("ratio")] if session else []
    if rows:
        terminalreporter.section("bandwidth of the kernels / bandwidth of a copy")
        for bench in rows:
            info = bench.extra_info
            terminalreporter.write_line(f"{bench.name:60s} {info['GB_per_s']:7.1f} GB/s {info['ratio']:6.2f}")
