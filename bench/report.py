"""Write the tables of docs/benchmarks.md from the results in bench/results/.

    python -m bench.report            # rewrite the tables
    python -m bench.report --check    # exit with 1 if they do not say what the results say

Each table stands between two comments, ``<!-- begin: name -->`` and ``<!-- end: name -->``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.bandwidth import TARGET

__all__ = ["main", "replace_section"]

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"
RESULTS = ROOT / "bench" / "results"
FIGURE = ROOT / "docs" / "images" / "peers.svg"
Row = dict[str, Any]


def replace_section(text: str, name: str, table: str) -> str:
    """`text` with everything between the two comments of section `name` replaced."""
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"The document must hold `{begin}` and `{end}` exactly once each.")
    head, rest = text.split(begin)
    return f"{head}{begin}\n{table.strip()}\n{end}{rest.split(end)[1]}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def machine(meta: dict[str, Any]) -> str:
    isa = f", {meta['isa']}" if "isa" in meta else ""
    return (
        f"{meta['cpu']}, {meta['cores']} cores{isa}; commit {meta['commit']}, Python {meta['python']}, "
        f"NumPy {meta['numpy']}; {meta['started']}."
    )


# ------------------------------------------------------------------ bandwidth
def by_gate(data: dict[str, Any], cell: Callable[[Row], str], backend: str) -> str:
    """One line per gate, one column per precision and thread count, the places side by side."""
    rows = [row for row in data["results"] if row["backend"] == backend]
    columns = list(dict.fromkeys((row["precision"], row["threads"]) for row in rows))
    cells: dict[str, dict[tuple[str, int], list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        cells[row["gate"]][row["precision"], row["threads"]].append(cell(row))
    header = ["gate", *(f"{precision}, {threads} thr" for precision, threads in columns)]
    return table(header, ([gate, *(" / ".join(row[c]) for c in columns)] for gate, row in cells.items()))


def bandwidth(data: dict[str, Any]) -> str:
    rows = [row for row in data["results"] if row["memory_bound"]]
    reached = sum(row["ratio"]["median"] >= TARGET for row in rows)
    n, places = data["results"][0]["n"], dict.fromkeys(row["place"] for row in data["results"])
    return (
        f"{machine(data['meta'])}\n\n{n} qubits, places {' / '.join(places)}. {reached} of {len(rows)} "
        f"memory-bound rows reach {TARGET}.\n\n"
        + by_gate(data, lambda row: f"{row['ratio']['median']:.2f}", data["results"][0]["backend"])
    )


def backends(data: dict[str, Any]) -> str:
    names = list(dict.fromkeys(row["backend"] for row in data["results"]))
    n, places = data["results"][0]["n"], dict.fromkeys(row["place"] for row in data["results"])
    parts = [f"{machine(data['meta'])}\n\n{n} qubits, places {' / '.join(places)}."]
    for name in names[1:]:
        worst = max(row["times_first_backend"] for row in data["results"] if row["backend"] == name)
        parts.append(f"Time of `{name}` as a multiple of `{names[0]}`; at most {worst:.2f}.")
        parts.append(by_gate(data, lambda row: f"{row['times_first_backend']:.2f}", name))
    return "\n\n".join(parts)


# ------------------------------------------------------------ pytest-benchmark
def duration(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def timings(data: dict[str, Any]) -> str:
    """A line per test: median, quartiles and, where there is one, the figure per gate or in the process."""
    info = data["machine_info"]
    meta = {"cpu": info["cpu_model"], "cores": info["cpu"]["count"], "started": data["datetime"][:19]}
    meta |= {"commit": data["commit_info"]["id"][:12], "python": info["python_version"]}
    meta |= {"numpy": info["numpy"]} | {k: v for k, v in info["qsim"].items() if k == "isa"}
    rows = []
    for bench in data["benchmarks"]:
        stats, extra = bench["stats"], bench["extra_info"]
        special = [
            f"{duration(value)} {key.removeprefix('seconds_').replace('_', ' ')}"
            for key, value in extra.items()
            if "seconds" in key
        ]
        quartiles = f"{duration(stats['q1'])} - {duration(stats['q3'])}"
        rows.append(
            [bench["name"].removeprefix("test_"), duration(stats["median"]), quartiles, "; ".join(special)]
        )
    return machine(meta) + "\n\n" + table(["what", "median", "quartiles", "which is"], rows)


# ----------------------------------------------------------------- frameworks
def frameworks(data: dict[str, Any]) -> str:
    """A line per workload and peer: median, extremes, and how many times longer than qsim it takes."""
    rows, seen = [], ""
    for row in data["results"]:
        name = "" if row["workload"] == seen else row["workload"]
        seen = row["workload"]
        extremes = f"{duration(min(row['samples']))} - {duration(max(row['samples']))}"
        rows.append([name, row["peer"], duration(row["seconds"]), extremes, f"{row['ratio']:.3g}"])
    return machine(data["meta"]) + "\n\n" + table(["workload", "run by", "median", "extremes", "ratio"], rows)


# ---------------------------------------------------------------------- peers
PRECISIONS = {"complex64": "single", "complex128": "double"}


def fastest(rows: Iterable[Row]) -> Row | None:
    return min(rows, key=lambda row: float(row["value"]), default=None)


def peers(data: dict[str, Any]) -> str:
    """qsim beside the fastest other simulator of the same precision; below 1 qsim is faster."""
    groups: dict[tuple[str, int, str], list[Row]] = defaultdict(list)
    for row in data["results"]:
        groups[row["case"], row["threads"], row["unit"]].append(row)
    lines, ratios = [], []
    for (case, threads, unit), rows in groups.items():
        line = [case, str(threads), unit]
        for precision in PRECISIONS:
            same = [row for row in rows if row.get("status") == "ok" and row["precision"] == precision]
            own = fastest(row for row in same if row["peer"] == "qsim")
            other = fastest(row for row in same if row["peer"] != "qsim")
            line.append(f"{own['value']:.4g}" if own else "-")
            line.append(f"{other['value']:.4g} {other['peer']}" if other else "-")
            line.append(f"{own['value'] / other['value']:.2f}" if own and other else "-")
            if own and other:
                ratios.append(own["value"] / other["value"])
        lines.append(line)
    header = ["case", "thr", "unit"]
    for name in PRECISIONS.values():
        header += [f"qsim {name}", "fastest other", "ratio"]
    build = data["meta"]["details"].get("qsim", {})
    used = {"qsim": build.get("version", "-")}
    for packages in data["meta"]["versions"].values():
        used |= packages
    versions = "; ".join(f"{name} {version}" for name, version in used.items())
    wrong = {who(row) for row in data["results"] if row.get("status") == "WRONG RESULT"}
    parts = [
        machine(data["meta"] | build),
        f"qsim is the fastest in {sum(ratio < 1 for ratio in ratios)} of {len(ratios)} comparisons.",
        table(header, lines),
        f"Versions: {versions}.",
    ]
    if wrong:
        parts.append(f"Left out for a wrong result: {', '.join(sorted(wrong))}.")
    return "\n\n".join(parts)


#: Beginning of a case's name, and how many times faster than the best other simulator qsim should be there
#: (single, double precision).
GOALS = {
    "rqc-n20": (1.5, 8),
    "rqc-n22": (1.5, 8),
    "rqc-n24": (1.5, 10),
    "rqc-n26": (1.5, 10),
    "qft-dense-n20": (5, 8),
    "qft-dense-n24": (6, 15),
    "hea-expval-tfim-n16": (4, 10),
    "hea-expval-tfim-n20": (4, 10),
    "hea-expval-pauli200-n20": (3, 6),
    "qaoa-expval-n16": (5, 12),
    "qaoa-expval-n20": (5, 12),
    "qaoa-expval-n22": (5, 12),
    "sample-n20": (4, 4),
}


def big_states(data: dict[str, Any]) -> str:
    """Times faster than the best other simulator, with the spread of both; two threads against one."""
    lines: list[list[str]] = []
    own_times: dict[tuple[str, str, int], float] = {}
    for row in data["results"]:
        goal = next((g for name, g in GOALS.items() if row["case"].startswith(name)), None)
        if goal is None or row["peer"] != "qsim" or row.get("status") != "ok":
            continue
        key = row["case"], row["precision"], row["threads"]
        own_times[key] = row["value"]
        others = [
            r
            for r in data["results"]
            if (r["case"], r["precision"], r["threads"]) == key
            and r["peer"] != "qsim"
            and r.get("status") == "ok"
        ]
        other = fastest(others)
        single = list(PRECISIONS).index(row["precision"])
        lines.append(
            [
                row["case"],
                PRECISIONS[row["precision"]],
                str(row["threads"]),
                row["unit"],
                spread_of(row),
                f"{spread_of(other)} {other['peer']}" if other else "-",
                f"{other['value'] / row['value']:.2f}" if other else "-",
                f"{goal[single]}",
            ]
        )
    header = [
        "case",
        "precision",
        "thr",
        "unit",
        "qsim (min to max)",
        "best other (min to max)",
        "times faster",
        "goal",
    ]
    scaling = [
        [case, PRECISIONS[precision], f"{own_times[case, precision, 1] / value:.2f}"]
        for (case, precision, threads), value in own_times.items()
        if threads == 2 and (case, precision, 1) in own_times
    ]
    parts = [table(header, lines)]
    if scaling:
        parts += [
            "Two threads against one (goal 1.8):",
            table(["case", "precision", "times faster"], scaling),
        ]
    return "\n\n".join(parts)


def spread_of(row: Row) -> str:
    return f"{row['value']:.4g} ({row['min']:.4g} to {row['max']:.4g})"


def plot_peers(data: dict[str, Any], path: Path) -> None:
    """Time against the number of qubits, a line for each simulator."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "qsim"  # the same figure from the same results
    panels = ["rqc-n", "qft-dense-n", "hea-expval-tfim-n", "qaoa-expval-n"]
    figure, axes = plt.subplots(len(PRECISIONS), len(panels), figsize=(14, 7), squeeze=False)
    for axes_row, (precision, name) in zip(axes, PRECISIONS.items(), strict=True):
        for axis, prefix in zip(axes_row, panels, strict=True):
            best: dict[str, dict[int, float]] = defaultdict(dict)
            for row in data["results"]:
                if (
                    row["case"].startswith(prefix)
                    and row["precision"] == precision
                    and row.get("status") == "ok"
                ):
                    times = best[row["peer"]]
                    times[row["n"]] = min(times.get(row["n"], float("inf")), row["seconds"])
            for peer, times in sorted(best.items()):
                style = {"linewidth": 3, "color": "black"} if peer == "qsim" else {"linewidth": 1}
                axis.plot(
                    sorted(times), [times[n] for n in sorted(times)], "o-", markersize=3, label=peer, **style
                )
            axis.set(
                yscale="log", title=f"{prefix.removesuffix('-n')}, {name}", xlabel="qubits", ylabel="seconds"
            )
            axis.legend(fontsize=6)
    figure.tight_layout()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def who(row: Row) -> str:
    return f"{row['peer']} {PRECISIONS[row['precision']]} {row['case']}"


def all_peers(data: dict[str, Any]) -> str:
    """Every median of every simulator."""
    names = sorted({(row["peer"], row["precision"]) for row in data["results"] if row.get("status") == "ok"})
    groups: dict[tuple[str, int, str], dict[tuple[str, str], str]] = defaultdict(dict)
    for row in data["results"]:
        if row.get("status") == "ok":
            cell = f"{row['value']:.4g}"
            groups[row["case"], row["threads"], row["unit"]][row["peer"], row["precision"]] = cell
    header = ["case", "thr", "unit", *(f"{peer} {PRECISIONS[precision]}" for peer, precision in names)]
    return table(
        header, ([c, str(t), u, *(cells.get(n, "") for n in names)] for (c, t, u), cells in groups.items())
    )


#: Section of the document, file of results, writer.
SECTIONS: list[tuple[str, str, Callable[[dict[str, Any]], str]]] = [
    ("bandwidth", "bandwidth.json", bandwidth),
    ("backends", "backends.json", backends),
    ("overhead", "overhead.json", timings),
    ("peers", "peers.json", peers),
    ("big states", "peers.json", big_states),
    ("all peers", "peers.json", all_peers),
    ("frameworks", "frameworks.json", frameworks),
]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, say whether anything would change"
    )
    args = parser.parse_args(argv)
    before = text = DOCUMENT.read_text()
    for name, file, write in SECTIONS:
        path = args.results / file
        if path.exists():
            text = replace_section(text, name, write(json.loads(path.read_text())))
        else:
            print(f"{path} is missing; section `{name}` stays as it is.")
    if args.check:
        sys.exit(text != before)
    DOCUMENT.write_text(text)
    if (args.results / "peers.json").exists():
        plot_peers(json.loads((args.results / "peers.json").read_text()), FIGURE)


if __name__ == "__main__":
    main()
