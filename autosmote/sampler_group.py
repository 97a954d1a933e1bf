"""Run the missing ones of several samplers on one configuration, and rank all of them."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Mapping, Sequence

from autosmote.config.schema import Config
from autosmote.config.targets import make_classifier
from autosmote.progress import UnitProgress
from autosmote.records.files import read_record
from autosmote.runs.execute import check_outcome, execute, execute_in_turn, show_progress
from autosmote.runs.in_process import Outcome
from autosmote.runs.unit import Data, Record, Run, headline, missing

logger = logging.getLogger("autosmote")


def compare(config: Config, units: Sequence[Sequence[Run]], data: Data) -> bool:
    """Run samplers, each in a child process, and print them ranked.

    Parameters
    ----------
    config : Config
        Of the group of samplers.
    units : sequence of units
        One per sampler.
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
    if len(to_do) < len(units):
        logger.info("samplers: %d of %d were done before", len(units) - len(to_do), len(units))

    def do(runs: Sequence[Run]) -> Outcome:
        return execute(runs, data, show="search")

    with UnitProgress(len(to_do)) as progress:
        for _, runs, outcome in execute_in_turn(deque(to_do), do):
            if outcome:
                check_outcome(outcome)
            show_progress(progress, runs[0].config.sampler.name, outcome)
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
    """Return a table of records by their score; equal ones share the mean of their ranks.

    The score is that on the extended test, where there is one, else on the test part.
    """
    with_extended = all(record["scores"].get("extended") for record in found)
    parts = [*(["extended"] if with_extended else []), "test", "validation"]
    scores = [record["scores"][parts[0]][metric] for record in found]
    order = sorted(range(len(found)), key=lambda i: (-scores[i], found[i]["sampler"]))
    width = max([13, *(len(record["sampler"]) for record in found)])

    def columns(of_parts: Mapping[str, Mapping[str, float]]) -> str:
        return "  ".join(f"{of_parts[part][metric]:>10.4f}" for part in parts)

    heads = "  ".join(f"{part:>10}" for part in parts)
    lines = [f"{'rank':>5}  {'sampler':{width}}  {heads}  {'seconds':>8}  status ({metric})"]
    for i in order:
        record = found[i]
        above = sum(score > scores[i] for score in scores)
        rank = above + (scores.count(scores[i]) + 1) / 2
        status = f"{record['status']}, imputed" if record["imputed"] else record["status"]
        lines.append(
            f"{rank:>5g}  {record['sampler']:{width}}  {columns(record['scores'])}  "
            f"{record['seconds']['total']:>8.1f}  {status}"
        )
    if found:
        lines.append(f"{'':5}  {'no resampling':{width}}  {columns(found[0]['reference'])}")
    imputed = [found[i] for i in order if found[i]["imputed"]]
    if imputed:
        lines.append("imputed: counted as no resampling, because")
        lines += [f"  {record['sampler']}: {record['error']}" for record in imputed]
    return "\n".join(lines)
