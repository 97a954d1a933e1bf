"""Run the missing ones of several samplers and seeds on one configuration, and rank all of them."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from statistics import fmean

from autosmote.config.schema import Config
from autosmote.config.targets import make_classifier
from autosmote.own_table.intervals import paired_difference
from autosmote.progress import UnitProgress
from autosmote.records.files import read_record
from autosmote.runs.execute import check_outcome, execute, execute_in_turn, show_progress
from autosmote.runs.in_process import Outcome
from autosmote.runs.unit import Data, Record, Run, headline, missing

logger = logging.getLogger("autosmote")

_TEST_SHARE = 0.2 / 0.6
"""Test rows by training rows of a split."""

Scores = Mapping[str, Mapping[str, float]]
"""By part and metric."""


def compare(config: Config, units: Sequence[Sequence[Run]], data: Data) -> bool:
    """Run samplers, each in a child process, and print their scores.

    Parameters
    ----------
    config : Config
        Of the group of samplers.
    units : sequence of units
        One for each seed and sampler.
    data : Data

    Returns
    -------
    bool
        Whether every sampler has scores, imputed ones included.

    Raises
    ------
    UserError
        For mistakes in what the samplers share; nothing is written then.
    KeyboardInterrupt
        Records that are finished stay.
    """
    make_classifier(config.clf)  # a mistake in its settings is raised before any work
    split = data.split(config)
    to_do = [runs for unit in units if (runs := missing(unit))]
    logger.info("%s", headline(config, split))
    what = "samplers" if config.seeds == 1 else "runs"
    if len(to_do) < len(units):
        logger.info("%s: %d of %d were done before", what, len(units) - len(to_do), len(units))

    def do(runs: Sequence[Run]) -> Outcome:
        return execute(runs, data, show="search")

    with UnitProgress(len(to_do), what=what) as progress:
        for _, runs, outcome in execute_in_turn(deque(to_do), do):
            if outcome:
                check_outcome(outcome)
            name = runs[0].config.sampler.name
            if config.seeds > 1:
                name += f", seed {runs[0].config.seed}"
            show_progress(progress, name, outcome)
    found, lacking = [], []
    for run in (run for unit in units for run in unit):
        record = read_record(run.folder)
        if record and record["scores"]:
            found.append(record)
        else:
            error = record["error"] if record else "there is no record"
            lacking.append(f"{run.config.sampler.name} ({error})")
    print(ranking(found, config.metric))
    if lacking:
        print(f"autosmote: no scores of {'; '.join(lacking)}", file=sys.stderr)
    return not lacking


def ranking(found: Sequence[Record], metric: str) -> str:
    """Return a table of records by sampler, of several seeds ranked by the mean of their scores.

    Equal ones share the mean of their ranks. The score is that on the extended test, where there is
    one, else on the test part; beside it is its difference to no resampling, seed by seed, with a
    95% interval. One seed ranks nothing: its samplers are in their own order.
    """
    parts = ["test", "validation"]
    if all(record["scores"].get("extended") for record in found):
        parts.insert(0, "extended")
    of_sampler: dict[str, list[Record]] = {}
    for record in found:
        of_sampler.setdefault(record["sampler"], []).append(record)
    seeds = {record["seed"]: record["reference"] for record in found}
    width = max([13, *map(len, of_sampler)])
    ranked = len(seeds) > 1

    def line(rank: str, name: str, scores: Sequence[Scores], difference: str, end: str) -> str:
        means = (f"{_mean(scores, part, metric):>10.4f}" for part in parts)
        return _joined(ranked, rank, f"{name:{width}}", "  ".join(means), difference, end)

    heads = "  ".join(f"{part:>10}" for part in parts)
    against, end = f"{'against no resampling (95%)':>29}", f"{'seconds':>8}  status ({metric})"
    lines = [_joined(ranked, "rank", f"{'sampler':{width}}", heads, against, end)]
    means = {
        name: _mean([record["scores"] for record in of], parts[0], metric)
        for name, of in of_sampler.items()
    }
    order = sorted(of_sampler, key=lambda name: (-means[name], name)) if ranked else of_sampler
    for name in order:
        of = of_sampler[name]
        above = sum(score > means[name] for score in means.values())
        rank = above + (list(means.values()).count(means[name]) + 1) / 2
        seconds = fmean(record["seconds"]["total"] for record in of)
        lines.append(
            line(
                f"{rank:g}", name, [record["scores"] for record in of],
                _difference(of, parts[0], metric) if ranked else "",
                f"{seconds:>8.1f}  {_status(of, len(seeds))}",
            )
        )  # fmt: skip
    if found:
        lines.append(line("", "no resampling", list(seeds.values()), " " * 29, "").rstrip())
    imputed = [record for name in order for record in of_sampler[name] if record["imputed"]]
    if imputed:
        lines.append("imputed: counted as no resampling, because")
        lines += [f"  {record['sampler']}: {record['error']}" for record in imputed]
    if ranked:
        lines.append(
            f"means of {len(seeds)} seeds; the interval counts that their training parts overlap"
        )
    elif len(of_sampler) > 1:
        lines.append(
            "one split says little about which is better: seeds=5 ranks by five, with intervals"
        )
    return "\n".join(lines)


def _joined(ranked: bool, rank: str, name: str, scores: str, difference: str, end: str) -> str:
    """Return a line of the table; without rank and difference, where nothing is ranked."""
    cells = (f"{rank:>5}", name, scores, difference, end) if ranked else (name, scores, end)
    return "  ".join(cells)


def _mean(scores: Sequence[Scores], part: str, metric: str) -> float:
    return fmean(of[part][metric] for of in scores)


def _difference(records: Sequence[Record], part: str, metric: str) -> str:
    found = paired_difference(
        [record["scores"][part][metric] for record in records],
        [record["reference"][part][metric] for record in records],
        test_share=_TEST_SHARE,
    )
    return f"{found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f})"


def _status(records: Sequence[Record], n_seeds: int) -> str:
    """Return the status of one record, or of several how many of them count as no resampling."""
    imputed = sum(record["imputed"] for record in records)
    if n_seeds == 1:
        return f"{records[0]['status']}, imputed" if imputed else str(records[0]["status"])
    text = f"{imputed} of {len(records)} imputed" if imputed else "ok"
    return text if len(records) == n_seeds else f"{text}, {len(records)} of {n_seeds} seeds"
