"""Make the record of a run: its scores, search, costs, resolved settings and versions."""

import platform
import resource
from collections.abc import Mapping
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autosmote.config.schema import Config
from autosmote.records.identity import PROTOCOL_VERSION, replace_init_from
from autosmote.records.provenance import git_revision, versions

if TYPE_CHECKING:
    from autosmote.evaluation.results import Evaluation, PartScores, Scores
    from autosmote.search.result import SearchResult

SCHEMA_VERSION = 1
"""Raised whenever a name in a record changes its meaning or goes."""

_MAX_PARAMETERS = 64


def make_record(
    config: Config,
    run_identity: Mapping[str, Any],
    *,
    status: str,
    data_source: str,
    evaluation: "Evaluation | None" = None,
    search: "SearchResult | None" = None,
    error: str | None = None,
) -> dict[str, Any]:
    """Return the record of a run.

    Parameters
    ----------
    config : Config
    run_identity : dict
        Of `autosmote.records.identity.identity`.
    status : {"ok", "failed", "memory", "timeout", "crashed", "interrupted"}
    data_source : str
        Where the rows came from, without absolute paths.
    evaluation : Evaluation, optional
        None if the run ended early.
    search : SearchResult, optional
        The search so far, of a run that was interrupted in it.
    error : str, optional
    """
    result: Any = search or (evaluation and evaluation.search)
    record: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "protocol_version": PROTOCOL_VERSION,
        "data_fingerprint": run_identity["data_fingerprint"],
        "data_source": data_source,
        "status": status,
        "stopped_by": result.stopped_by if result else None,
        "error": error,
        "dataset": config.dataset.name,
        "ir": run_identity["ir"],
        "clf": config.clf.name,
        "sampler": config.sampler.name,
        "metric": config.metric,
        "seed": config.seed,
        "scores": _of_parts(evaluation.scores) if evaluation else None,
        "reference": _of_parts(evaluation.reference) if evaluation else None,
        "imputed": evaluation.imputed if evaluation else False,
        "ratio": evaluation.ratio if evaluation else None,
        "n_synthetic": evaluation.n_synthetic if evaluation else None,
        "rows": evaluation.rows if evaluation else None,
        "grid": [asdict(point) for point in evaluation.grid] if evaluation else [],
        "warnings": evaluation.warnings if evaluation else [],
        "iterations": result.iterations if result else None,
        "search": None,
        "seconds": evaluation.seconds if evaluation else (result.seconds if result else None),
        "peak_memory_mb": _peak_memory_mb(evaluation, result),
        "config": _portable(config, run_identity),
        "versions": versions(config),
        "git_revision": git_revision(),
        "machine": {"system": platform.system(), "architecture": platform.machine()},
    }
    if result:
        names = ("G1", "scorer", "actors", "device")
        record["search"] = {
            "best_score": None if isnan(result.best.score) else result.best.score,
            "best_iteration": result.best.iteration,
            "left_out": result.best.sample_set.left_out,
            **{name: getattr(result, name) for name in names},
            "parameters": _few(result.parameters),
        }
    return record


def _few(parameters: Mapping[str, Any]) -> dict[str, list[float]] | None:
    """Return a method's final parameters where they are some dozens of numbers, not networks."""
    if not 0 < sum(map(len, parameters.values())) <= _MAX_PARAMETERS:
        return None
    return {name: [round(float(x), 4) for x in values] for name, values in parameters.items()}


def _of_parts(scores: "PartScores") -> dict[str, "Scores | None"]:
    """Return the scores on each part; None for an extended test that there is not."""
    return {part: scores.get(part) for part in ("validation", "test", "extended")}


def _portable(config: Config, run_identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resolved configuration without folders; a data file by its name only."""
    settings = asdict(config)
    for other in ("results_dir", "data_dir", "seeds"):
        settings.pop(other)
    if settings["dataset"]["path"]:
        settings["dataset"]["path"] = Path(settings["dataset"]["path"]).name
    if digest := run_identity.get("search", {}).get("init_from"):
        replace_init_from(digest, settings["search"], settings["sampler"])
    else:  # set, perhaps, for other samplers of the sweep: no setting of this one
        settings["search"]["init_from"] = None
    return settings


def _peak_memory_mb(evaluation: "Evaluation | None", search: Any) -> float:
    """Return the peak of all processes of a search; else of this process and the sampler's."""
    if search and search.peak_memory_mb:
        return search.peak_memory_mb
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    own = peak / (2**20 if platform.system() == "Darwin" else 2**10)
    return own + (evaluation.peak_memory_mb if evaluation else 0.0)
