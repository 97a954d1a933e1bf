"""Count the classifiers that runs train: arms are compared at equal counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from autosmote.config.kinds import KINDS
from autosmote.reports.cells import Study


def count_by_arm(study: Study) -> dict[str, int]:
    """Count the classifiers that a run of each arm trains."""
    done = study.runs.dropna(subset=["config", "iterations"]).drop_duplicates("arm")
    found = {}
    for run in done.to_dict("records"):
        config = json.loads(run["config"])
        search, sampler = config["search"], config["sampler"]
        if KINDS[sampler["kind"]].params_are_search_settings:
            search |= sampler["params"]  # which go first, as in the run
        found[run["arm"]] = count_trained(int(run["iterations"]), search)
    return found


def count_trained(iterations: int, search: Mapping[str, Any]) -> int:
    """Count the classifiers that a run trains, in its search and by its rule.

    Not those without synthetic rows, nor those that are trained to report a score alone.

    Parameters
    ----------
    iterations : int
        Of the search.
    search : dict
        Its settings, as of `autosmote.config.search.SearchConfig`.
    """
    folds, keep = search["folds"], min(search["keep"], iterations)
    crossfit = search["reward"] == "crossfit"
    # The threshold asks classifiers that have not seen the held-out rows.
    by_rule = {"best": 1, "vote": keep, "tuned_vote": keep * (folds + 1 if crossfit else 1)}
    return iterations * (folds if crossfit else 1) + by_rule[search["final"]]
