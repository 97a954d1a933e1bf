"""Count the classifiers that runs train: arms are compared at equal counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from autosmote.config.kinds import KINDS
from autosmote.config.search import DIVERSE_POOL, SearchConfig
from autosmote.reports.study import Study

if TYPE_CHECKING:
    import pandas as pd


def count_by_arm(study: Study) -> dict[str, int]:
    """Count the classifiers that a run of each arm trains, where that is known."""
    done = study.runs.dropna(subset=["config"])
    counts = {arm: _count(runs) for arm, runs in done.groupby("arm", sort=False)}
    return {arm: n for arm, n in counts.items() if n}


def _count(runs: pd.DataFrame) -> int:
    """Count those of an arm: of its search, or of its grid of ratios."""
    searched = runs.dropna(subset=["iterations"])
    if searched.empty:
        points = (json.loads(text) for text in runs["grid"].dropna())
        return max((sum(p["score"] is not None for p in of_run) for of_run in points), default=0)
    run = searched.iloc[0]
    config = json.loads(run["config"])
    # Records from before a setting came do not name it.
    search, sampler = asdict(SearchConfig()) | config["search"], config["sampler"]
    if KINDS[sampler["kind"]].params_are_search_settings:
        search |= sampler["params"]  # which go first, as in the run
    return count_trained(int(run["iterations"]), search)


def count_trained(iterations: int, search: Mapping[str, Any]) -> int:
    """Count the classifiers that a run trains, in its search and by its rule.

    Not those without synthetic rows, nor those that are trained to report a score alone. What a
    classifier of the search has predicted on held-out rows is no other one's work, whether it was
    kept or, by earlier code, predicted again.

    Parameters
    ----------
    iterations : int
        Of the search.
    search : dict
        Its settings, as of `autosmote.config.search.SearchConfig`.
    """
    folds, keep = search["folds"], min(search["keep"], iterations)
    pool = min(DIVERSE_POOL * search["keep"], iterations)
    crossfit = search["reward"] == "crossfit"
    by_rule = {
        "best": 1,
        "vote": keep,
        "tuned_vote": keep,
        "diverse_vote": keep if crossfit else pool,
    }
    return iterations * (folds if crossfit else 1) + by_rule[search["final"]]
