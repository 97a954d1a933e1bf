"""Write README's table of results from the committed Table 2.

    python scripts/readme_table.py           rewrites it, between its two marks
    python scripts/readme_table.py --check   status 1 if README has another

Of its most complete records, and on the extended test where they have one, else on the test part.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from autosmote.reports import names
from autosmote.reports.render.writers import write_text

ROOT = Path(__file__).resolve().parents[1]
MARKS = "<!-- table 2: made by scripts/readme_table.py -->", "<!-- end of table 2 -->"
COMMITTED = (("table2", "paper"), ("table2_confirmation", "quick"), ("table2", "quick"))
"""Experiments of Table 2 and their budgets; the first that has tables is shown."""
N_BEST = 2
"""Rivals that are shown: those with the best ranks, and SMOTE."""


def make_table(results_dir: Path) -> str:
    """Return the table in Markdown, with a line below it that says what it is of.

    Raises
    ------
    FileNotFoundError
        If none of `COMMITTED` is.
    """
    for experiment, budget in COMMITTED:
        path = results_dir / experiment / "tables" / budget / f"{experiment}.csv"
        if path.is_file():
            break
    else:
        raise FileNotFoundError(f"there is no table of Table 2 in {results_dir}")
    found = pd.read_csv(path)
    found = found[found["column"] == names.OVERALL].set_index(["metric", "arm"])
    test = "extended_" if "extended_rank" in found and found["extended_rank"].notna().any() else ""
    metrics = names.in_order(found.index.get_level_values("metric"), names.METRICS)
    beside = found.get("beside", pd.Series(False, found.index)).fillna(False).astype(bool)

    def cell(metric: str, arm: str) -> str:
        return _cell(found.loc[(metric, arm)].to_dict(), test)

    arms = list(dict.fromkeys(found.index[~beside].get_level_values("arm")))
    mean_rank = found[f"{test}rank"].groupby("arm").mean()
    rivals = [arm for arm in arms if arm not in (names.FULL, "none")]
    order = sorted(rivals, key=lambda arm: mean_rank[arm])
    best = [arm for n, arm in enumerate(order) if n < N_BEST or arm == "smote"]
    controls = list(dict.fromkeys(found.index[beside].get_level_values("arm")))
    shown = [(arm, names.arm(arm)) for arm in (names.FULL, *best)]
    shown += [(arm, f"{names.arm(arm)}†") for arm in controls]
    shown.append(("none", "no resampling"))
    lines = ["| | " + " | ".join(names.METRICS[metric] for metric in metrics) + " |"]
    lines.append("|---|" + "---|" * len(metrics))
    for arm, name in shown:
        lines.append(f"| {name} | " + " | ".join(cell(metric, arm) for metric in metrics) + " |")
    row = found.loc[(metrics[0], names.FULL)]
    n = int(row["extended_n"] if test else row["n"])
    on = "extended test" if test else "test part"
    note = (
        f"Average rank among {len(arms)} samplers on the {on}, 1 is best, [95% interval], (the "
        f"paper's, on its test part); n = {n} configurations, `{experiment}`, budget `{budget}`, "
        f"{_protocol(path.with_suffix('.md'))}."
    )
    if controls:
        note += " †: trains as many classifiers as AutoSMOTE; ranked alone among the others."
    return "\n".join([*lines, "", note])


def _cell(row: Mapping[str, Any], test: str) -> str:
    text = f"{row[f'{test}rank']:.2f}"
    low, high = (row.get(f"{test}rank_{end}", float("nan")) for end in ("low", "high"))
    if low == low:
        text += f" [{low:.1f}, {high:.1f}]"
    printed = row.get("paper_rank", float("nan"))
    return text if printed != printed else f"{text} ({printed:.2f})"


def _protocol(table: Path) -> str:
    """Return the protocol that the table's records are of, as its last note has it."""
    found = re.search(r"protocol [\d/]+", table.read_text(encoding="utf-8"))
    return found[0] if found else "of an unknown protocol"


def with_table(readme: str, table: str) -> str:
    """Return README with a table between its marks."""
    before, mark, rest = readme.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not mark or not end:
        raise ValueError(f"README lacks the marks {MARKS[0]} and {MARKS[1]}")
    return f"{before}{mark}\n{table}\n{end}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write README's table, or check it; return the exit status."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; status 1 if it differs"
    )
    parser.add_argument("--results-dir", type=Path, default=ROOT / "results")
    options = parser.parse_args(arguments)
    path = ROOT / "README.md"
    readme = path.read_text(encoding="utf-8")
    made = with_table(readme, make_table(options.results_dir))
    if options.check:
        print("README's table is up to date" if made == readme else "README's table differs")
        return int(made != readme)
    write_text(path, made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
