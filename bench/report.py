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
    ("all peers", "peers.json", all_peers),
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


if __name__ == "__main__":
    main()
