"""The headline of a report: what came out, to be read if nothing else is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autosmote.records.collected import read_histories
from autosmote.reports import names
from autosmote.reports.claims import OF_PARAMETERS
from autosmote.reports.names import FULL, METRICS, OVERALL
from autosmote.reports.ranked import Ranked
from autosmote.reports.studies.case_study import write_case_study
from autosmote.reports.studies.class_aware.study import CLAIMS, Found
from autosmote.reports.studies.courses import write_course
from autosmote.reports.verdicts import (
    ABOVE,
    BELOW,
    NOTHING,
    OPEN,
    TESTS,
    TOO_FEW,
    Row,
    count_configurations,
    count_noun,
    join_words,
    locate,
)

_STANDS = {ABOVE: "better than", BELOW: "worse than", OPEN: "not shown to differ from"}


def write_ranked_headline(found: Ranked) -> str:
    """Write the headline of an experiment whose arms are ranked; empty where nothing can be said.

    Table 4 and the extensions compare AutoSMOTE with parts of itself, Figures 5 to 7 have questions
    of their own; the others say what place it has, and what its search is worth.
    """
    study = found.study
    if study.experiment == "figure5":
        course = next(iter(write_course(study, read_histories(study.folder))), "")
        return re.sub(r" \([^()]*\d\.\d{3}[^()]*\)", "", course)  # without the list of scores
    if study.experiment == "figure7":
        return next(reversed(write_case_study(study)), "")
    if len(found.of_values):
        return _of_values(found.of_values)
    of_parts = {*names.ABLATIONS, *names.EXTENSIONS, names.READING}
    if len(found.differences) and set(found.differences["against"]) <= of_parts:
        return _compare(f"{_on(found.differences)}, AutoSMOTE is", found.differences)
    if FULL not in found.summary.arms:
        return ""
    return " ".join(filter(None, (_standing(found), _controls(found))))


def _standing(found: Ranked) -> str:
    """Say what place AutoSMOTE has, and where the paper has it."""
    summary = found.summary.judged
    parts, printed_first = [], []
    for metric in summary.metrics:
        ranks = {arm: summary.get(metric, OVERALL, arm)["rank"] for arm in summary.ordered(metric)}
        if FULL not in ranks:
            continue
        own = ranks.pop(FULL)
        place = 1 + sum(rank < own for rank in ranks.values())
        best = min(ranks, key=lambda arm: ranks[arm], default="")
        rival = f", {names.arm(best)} {ranks[best]:.2f}" if best else ""
        parts.append(
            f"number {place} of {len(ranks) + 1} by {METRICS[metric]} (average rank {own:.2f}"
            f"{rival})"
        )
        printed = {
            arm: found.summary.get(metric, OVERALL, arm).get("paper_rank", np.nan)
            for arm in (*ranks, FULL)
        }
        known = {arm: rank for arm, rank in printed.items() if not np.isnan(rank)}
        printed_first.append(len(known) > 1 and min(known, key=lambda arm: known[arm]) == FULL)
    if not parts:
        return ""
    n = count_noun(summary.n(OVERALL), "configuration")
    paper = "; in the paper it is first" if all(printed_first) else ""
    return f"On the {summary.test}, over {n}, AutoSMOTE is {join_words(parts)}{paper}."


def _controls(found: Ranked) -> str:
    """Say what AutoSMOTE's search is worth: how it stands to arms with as many classifiers."""
    frame = found.differences
    if len(frame):
        frame = frame[frame["against"].isin(found.study.beside)]
    if len(frame):
        return _compare("To arms that train as many classifiers it is", frame)
    if len(found.countings):
        return (
            "No arm here trains as many classifiers, so nothing tells its search from its budget."
        )
    return ""


def _on(frame: pd.DataFrame) -> str:
    """Return by what and over how many configurations differences are judged."""
    row = frame.to_dict("records")[0]
    n = count_noun(count_configurations(row), "configuration")
    return f"On the {TESTS[row['judged']]}, over {n}"


def _compare(head: str, frame: pd.DataFrame) -> str:
    """Finish a sentence by than whom AutoSMOTE is better or worse."""
    if all(locate(row) == TOO_FEW for row in frame.to_dict("records")):
        return f"{_on(frame)}, {NOTHING}."
    return f"{head} {_tally(frame)}."


def _tally(frame: pd.DataFrame) -> str:
    """Say by metric than whom AutoSMOTE is better or worse; once where the metrics agree."""
    by_metric = {metric: _tally_rows(rows) for metric, rows in _by_metric(frame).items()}
    if len(set(by_metric.values())) == 1:
        shown = join_words([METRICS[metric] for metric in by_metric])
        return f"{next(iter(by_metric.values()))} (by {shown})"
    return "; ".join(f"by {METRICS[metric]} {text}" for metric, text in by_metric.items())


def _tally_rows(rows: Sequence[Row], name: Callable[[Row], str] | None = None) -> str:
    def default(row: Row) -> str:
        return names.arm(row["against"])

    parts = []
    for where, stands in _STANDS.items():
        there = [(name or default)(row) for row in rows if locate(row) == where]
        if there:
            parts.append(f"{stands} {join_words(there)}")
    return ", ".join(parts)


def _by_metric(frame: pd.DataFrame) -> dict[str, list[Mapping[str, Any]]]:
    of: dict[str, list[Mapping[str, Any]]] = {}
    for row in frame.to_dict("records"):
        of.setdefault(row["metric"], []).append(row)
    return {metric: of[metric] for metric in names.in_order(of, METRICS)}


def _of_values(frame: pd.DataFrame) -> str:
    """Say how many of the values that the paper finds worse than the default are worse here."""
    worse = {
        f"{parameter}={value:g}"
        for parameter, (_, values, _) in OF_PARAMETERS.items()
        for value in values
    }
    frame = frame[frame["against"].isin(worse)]
    if frame.empty:
        return ""
    texts = []
    for metric, rows in _by_metric(frame).items():
        places = [locate(row) for row in rows]
        if set(places) == {TOO_FEW}:
            texts.append(f"by {METRICS[metric]} {NOTHING}")
        else:
            texts.append(
                f"{places.count(ABOVE)} of {len(places)} are worse here by {METRICS[metric]} and "
                f"{places.count(BELOW)} better"
            )
    return (
        f"{_on(frame)}: of the values of hyperparameters that the paper finds worse than its "
        f"defaults, {'; '.join(texts)}."
    )


def write_class_aware_headline(found: Found) -> str:
    """Write the headline of the class-aware search: how it stands to each rival."""
    frame = found.of(CLAIMS)
    frame = frame if frame.empty else frame[frame["group"] == OVERALL]
    if frame.empty:
        return ""
    last = frame.iloc[-1]
    same = (frame[["reward", "rule", "block"]] == last[["reward", "rule", "block"]]).all(axis=1)
    frame = frame[same].assign(judged=found.judged)
    n = count_noun(int(last["configurations"]), "configuration")
    if all(locate(row) == TOO_FEW for row in frame.to_dict("records")):
        return f"On the {TESTS[found.judged]}, over {n}, {NOTHING}."
    texts = []
    for metric, rows in _by_metric(frame).items():
        tally = _tally_rows(rows, lambda row: names.arm(found.selections[row["against"]].source))
        texts.append(f"by {METRICS[metric]} {tally}")
    return (
        f"On the {TESTS[found.judged]}, over {n}, by rule {last['rule']} with reward "
        f"{last['reward']}, the class-aware search is {'; '.join(texts)}."
    )
