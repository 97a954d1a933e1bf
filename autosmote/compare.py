"""Several samplers on one configuration: run what is missing, and rank them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import replace

from autosmote.config.schema import Config, SamplerSettings
from autosmote.config.targets import make_classifier
from autosmote.progress import UnitProgress
from autosmote.records import record as records
from autosmote.runs.unit import Data, Record, headline, missing, plan, run_unit

logger = logging.getLogger("autosmote")


def compare(config: Config, samplers: Sequence[SamplerSettings]) -> bool:
    """Run samplers one after the other, and print them ranked by the test score.

    Parameters
    ----------
    config : Config
        All but the sampler.
    samplers : sequence of SamplerSettings

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
    make_classifier(config.clf)  # a mistake in its settings is said before any work
    data = Data()
    split = data.split(config)
    units = plan([replace(config, sampler=sampler) for sampler in samplers], data)
    to_do = [runs for unit in units if (runs := missing(unit))]
    logger.info("%s", headline(config, split))
    if len(to_do) < len(units):
        logger.info("samplers: %d of %d were done before", len(units) - len(to_do), len(units))
    with UnitProgress(len(to_do)) as progress:
        for runs in to_do:
            name = runs[0].config.sampler.name
            progress.begin(name)
            made = run_unit(runs, split, mistakes_fail=True)
            progress.end(name, failed=any(record["status"] != "ok" for record in made))
    found, lacking = [], []
    for run in (run for unit in units for run in unit):
        record = records.read_record(run.folder)
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
    """A table of records by their test score; equal ones share the mean of their ranks."""
    scores = [record["scores"]["test"][metric] for record in found]
    order = sorted(range(len(found)), key=lambda i: (-scores[i], found[i]["sampler"]))
    width = max([13, *(len(record["sampler"]) for record in found)])
    lines = [
        f"{'rank':>5}  {'sampler':{width}}  {'test':>7}  {'validation':>10}  {'seconds':>8}  "
        f"status ({metric})"
    ]
    for i in order:
        record = found[i]
        above = sum(score > scores[i] for score in scores)
        rank = above + (scores.count(scores[i]) + 1) / 2
        status = f"{record['status']}, imputed" if record["imputed"] else record["status"]
        lines.append(
            f"{rank:>5g}  {record['sampler']:{width}}  {scores[i]:>7.4f}  "
            f"{record['scores']['validation'][metric]:>10.4f}  "
            f"{record['seconds']['total']:>8.1f}  {status}"
        )
    if found:
        none = found[0]["reference"]
        lines.append(
            f"{'':5}  {'no resampling':{width}}  {none['test'][metric]:>7.4f}  "
            f"{none['validation'][metric]:>10.4f}"
        )
    imputed = [found[i] for i in order if found[i]["imputed"]]
    if imputed:
        lines.append("imputed: counted as no resampling, because")
        lines += [f"  {record['sampler']}: {record['error']}" for record in imputed]
    return "\n".join(lines)
