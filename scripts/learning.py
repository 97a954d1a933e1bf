"""Compare the rewards of a search's last iterations with those of uniformly random episodes.

For each dataset, classifier and seed this runs the search, a random search in the same space, and
rivals (all resumable: finished runs are skipped), and writes one table, a row per search, to
``<results-dir>/tables/learning.csv`` and ``.md``. `make learning` runs it on the six datasets.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autosmote.data.datasets import PAPER_DATASETS
from autosmote.records.files import read_record
from autosmote.reports.render.writers import markdown_table
from autosmote.run import main as run

LAST = 100
CLASSIFIERS = ("svm", "knn", "dt", "adaboost")


def overrides(args: argparse.Namespace) -> Iterator[list[str]]:
    """Yield the command lines of all runs."""
    for seed in args.seeds:
        for dataset in args.datasets:
            for clf in args.clfs:
                common = [
                    f"dataset={dataset}", f"clf={clf}", f"seed={seed}", f"ir={args.ir}",
                    f"metric={args.metric}", f"results_dir={args.results_dir}",
                ]  # fmt: skip
                yield [*common, f"search.iterations={args.iterations}", *args.set]
                yield [
                    *common, f"search.iterations={args.random}", "search.ablation=random_search",
                ]  # fmt: skip
                yield from ([*common, f"sampler={rival}"] for rival in args.rivals)


def read_runs(results_dir: Path) -> Iterator[dict[str, Any]]:
    """Yield finished records, a search's with its rewards."""
    for folder in sorted((results_dir / "runs").iterdir()):
        record = read_record(folder)
        if record is None or record["status"] != "ok":
            continue
        if (folder / "history.csv").exists():
            record["rewards"] = np.genfromtxt(folder / "history.csv", delimiter=",", names=True)[
                "reward"
            ]
        yield record


def table(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per search: its rewards and scores, and those of random search and rivals."""

    def case(record: dict[str, Any]) -> tuple:
        return tuple(record[key] for key in ("dataset", "ir", "clf", "metric", "seed"))

    random = {
        case(r): r["rewards"].mean()
        for r in records
        if r["sampler"] == "autosmote" and r["config"]["search"]["ablation"] == "random_search"
    }
    rivals: dict[tuple, dict[str, float]] = {}
    for r in records:
        if r["sampler"] != "autosmote":
            for part in ("validation", "test"):
                scores = rivals.setdefault(case(r), {})
                scores[f"{r['sampler']} {part}"] = r["scores"][part][r["metric"]]
    rows = []
    for r in records:
        if r["sampler"] != "autosmote" or r["config"]["search"]["ablation"] != "none":
            continue
        last = r["rewards"][-LAST:].mean()
        at_random = random.get(case(r), np.nan)
        rows.append(
            {
                **{key: r[key] for key in ("dataset", "ir", "clf", "metric", "seed")},
                "net": r["config"]["search"]["low_level_net"],
                "iterations": r["iterations"],
                "iterations/s": round(r["iterations"] / r["seconds"]["total"], 1),
                "random mean": round(at_random, 4),
                f"last {LAST} mean": round(last, 4),
                "learned": round(last - at_random, 4),
                "validation": round(r["scores"]["validation"][r["metric"]], 4),
                "test": round(r["scores"]["test"][r["metric"]], 4),
                "n_synthetic": r["n_synthetic"],
                "none validation": round(r["reference"]["validation"][r["metric"]], 4),
                "none test": round(r["reference"]["test"][r["metric"]], 4),
                **{name: round(value, 4) for name, value in rivals.get(case(r), {}).items()},
            }
        )
    return rows


def write(rows: list[dict[str, Any]], folder: Path) -> str:
    """Write the table as CSV and Markdown, and return the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with open(folder / "learning.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    lines = [[str(row.get(name, "")) for name in columns] for row in rows]
    text = markdown_table(columns, lines, n_text=len(columns))
    (folder / "learning.md").write_text(text)
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=list(PAPER_DATASETS))
    parser.add_argument("--clfs", nargs="+", default=list(CLASSIFIERS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--ir", default="50")
    parser.add_argument("--metric", default="macro_f1")
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--random", type=int, default=200, help="uniformly random episodes")
    parser.add_argument("--rivals", nargs="*", default=[])
    parser.add_argument("--results-dir", type=Path, default=Path("results/learning"))
    parser.add_argument("--set", nargs="*", default=[], help="more settings of the search")
    args = parser.parse_args()
    code = 0
    for command in overrides(args):
        code = max(code, run(command))
        if code > 1:  # a mistake or an interruption would repeat itself
            return code
    print(write(table(list(read_runs(args.results_dir))), args.results_dir / "tables"))
    return code


if __name__ == "__main__":
    sys.exit(main())
