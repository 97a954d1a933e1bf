"""Report every rival on one configuration: status, reason, time and score, from their records.

    python scripts/rivals_report.py --results-dir results

reads the records in ``<results-dir>/runs`` and writes, for each dataset and imbalance ratio,
``<results-dir>/rivals/<dataset>-ir<ir>.csv`` with a row per sampler, and ``README.md`` beside them
with what failed and how long everything took. Runs come from

    python -m autosmote.run sampler=all dataset=phoneme ir=20 clf=dt
    python -m autosmote.run sampler=variants dataset=phoneme ir=20 clf=dt

Where a sampler has no record, the report says so and the command exits with status 1.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from autosmote.config.groups import load_sampler
from autosmote.records.collected import write_csv
from autosmote.records.files import read_record
from autosmote.reports.render.writers import write_text

Record = dict[str, Any]
COLUMNS = (
    *("sampler", "status", "seconds", "seconds_resampling", "ratio", "n_synthetic"),
    *("ratios_ok", "ratios_unchanged", "ratios_failed", "ratios_skipped"),
    *("validation_macro_f1", "test_macro_f1", "test_mcc", "imputed", "peak_memory_mb", "reason"),
)


def read_runs(results_dir: Path) -> dict[tuple[str, Any], dict[str, Record]]:
    """Read records by dataset and imbalance ratio, then by sampler."""
    found: dict[tuple[str, Any], dict[str, Record]] = {}
    for path in sorted((results_dir / "runs").glob("*/record.json")):
        if record := read_record(path.parent):
            configuration = (record["dataset"], record["ir"])
            samplers = found.setdefault(configuration, {})
            if record["sampler"] in samplers:
                raise SystemExit(
                    f"{record['sampler']} has two records on {configuration[0]}: give a results "
                    "folder with one classifier, metric and seed."
                )
            samplers[record["sampler"]] = record
    return found


def make_row(record: Record) -> dict[str, Any]:
    """Return a record as a row of the CSV file."""
    points = Counter(point["status"] for point in record["grid"])
    failed = sum(points[status] for status in ("failed", "timeout", "memory", "crashed"))
    seconds, scores = record["seconds"], record["scores"]
    values = (
        *(record["sampler"], record["status"], round(seconds["total"], 1)),
        *(round(seconds["generate"] + seconds["learn"], 1), record["ratio"], record["n_synthetic"]),
        *(points["ok"], points["unchanged"], failed, points["skipped"]),
        *(round(scores["validation"]["macro_f1"], 4), round(scores["test"]["macro_f1"], 4)),
        *(round(scores["test"]["mcc"], 4), record["imputed"], round(record["peak_memory_mb"])),
        explain(record),
    )
    return dict(zip(COLUMNS, values, strict=True))


def explain(record: Record) -> str:
    """Return why a sampler failed, or which points of its grid did."""
    if record["error"]:
        return record["error"]
    texts = {
        point["error"] or "it changed nothing"
        for point in record["grid"]
        if point["status"] not in ("ok", "skipped")
    }
    return "; ".join(sorted(texts))


def summarise(name: str, rows: Sequence[dict[str, Any]], groups: dict[str, list[str]]) -> list[str]:
    """Return a configuration's part of the README."""
    by_name = {found["sampler"]: found for found in rows}
    lines = [f"## {name}", ""]
    for group, members in groups.items():
        there = [by_name[member] for member in members if member in by_name]
        status = Counter(found["status"] for found in there)
        seconds = sum(found["seconds"] for found in there)
        counts = ", ".join(f"{n} {what}" for what, n in status.most_common())
        lines.append(
            f"- `sampler={group}`: {len(there)} of {len(members)} records ({counts}), "
            f"{seconds:.0f} s"
        )
        if lacking := [member for member in members if member not in by_name]:
            lines.append(f"- not run: {', '.join(lacking)}")
    slow = [found for found in rows if found["seconds"] >= 10]
    slow.sort(key=lambda found: -found["seconds"])
    told = ", ".join(f"{found['sampler']} {found['seconds']:.0f}" for found in slow)
    rest = sum(found["seconds"] for found in rows if found["seconds"] < 10)
    lines += [
        f"- seconds of those that took 10 or more: {told}; all others together {rest:.0f}",
        "",
        "| no result: counted as no resampling | status | reason |",
        "|---|---|---|",
    ]
    lines += [
        f"| {found['sampler']} | {found['status']} | {found['reason']} |"
        for found in rows
        if found["status"] != "ok"
    ]
    lines += ["", "| a result, but not from every ratio | ok | unchanged | failed | reason |"]
    lines.append("|---|---|---|---|---|")
    lines += [
        f"| {found['sampler']} | {found['ratios_ok']} | {found['ratios_unchanged']} | "
        f"{found['ratios_failed']} | {found['reason']} |"
        for found in rows
        if found["status"] == "ok" and (found["ratios_unchanged"] or found["ratios_failed"])
    ]
    return [*lines, ""]


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    parser.add_argument("--out", type=Path, help="where the report goes, else <results-dir>/rivals")
    parser.add_argument("--groups", nargs="+", default=["all", "variants"])
    parser.add_argument("--machine", default="", help="a sentence about the machine and its load")
    args = parser.parse_args(None if arguments is None else list(arguments))
    out = args.out or args.results_dir / "rivals"

    groups = {group: load_sampler(group).members for group in args.groups}
    names = list(dict.fromkeys(name for members in groups.values() for name in members))
    lines = [
        "# Every rival on one configuration",
        "",
        "Made by `scripts/rivals_report.py` from the records of `python -m autosmote.run`. One row",
        "per sampler is in the CSV file of the same name.",
        *([args.machine] if args.machine else []),
        "",
    ]
    code = 0
    for (dataset, ir), found in read_runs(args.results_dir).items():
        name = f"{dataset}-ir{ir if ir is not None else 'own'}"
        if lacking := [sampler for sampler in names if sampler not in found]:
            print(f"{name}: no record of {', '.join(lacking)}", file=sys.stderr)
            code = 1
        rows = [make_row(found[sampler]) for sampler in names if sampler in found]
        write_csv(out / f"{name}.csv", COLUMNS, rows)
        lines += summarise(name, rows, groups)
        print(f"{out / name}.csv: {len(rows)} samplers")
    write_text(out / "README.md", "\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
