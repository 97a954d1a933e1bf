"""Identities of runs: all that can change a result, and the folder that is named by it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autosmote.config.kinds import KINDS, SELECTION
from autosmote.config.schema import Config
from autosmote.config.search import SearchConfig
from autosmote.search.class_aware.starts import table_digest
from autosmote.search.hierarchical.parameters import policies_digest, read_policies

PROTOCOL_VERSION = 2
"""Raised whenever a result can change; golden results fail if one moves without it."""

# Where and how fast a search runs and what it keeps, never what it finds.
_MACHINE_SETTINGS = {"actors", "device", "save_policies"}
# The sampler's settings that can change a result; its kind goes with its class.
_SAMPLER_SETTINGS = ("name", "_target_", "takes_ratio", "params")


def identity(config: Config, search: SearchConfig | None, fingerprint: str) -> dict[str, Any]:
    """Return everything that can change a run's result.

    Parameters
    ----------
    config : Config
    search : SearchConfig or None
        Of `autosmote.config.schema.resolve_search`.
    fingerprint : str
        The dataset's, so that other data under the same name are another run.
    """
    found: dict[str, Any] = {
        "protocol_version": PROTOCOL_VERSION,
        "dataset": config.dataset.name,
        "data_fingerprint": fingerprint,
        "ir": _whole(config.ir),
        "clf": asdict(config.clf),
        "sampler": {name: getattr(config.sampler, name) for name in _SAMPLER_SETTINGS},
        "metric": config.metric,
        "seed": config.seed,
        "preprocess": asdict(config.preprocess),
    }
    kind = KINDS[config.sampler.kind]
    if search is not None and not kind.params_are_search_settings:
        found["search"] = {name: getattr(search, name) for name in SELECTION}
    elif search is not None:
        settings, defaults = asdict(search), asdict(SearchConfig())
        # Without those at their defaults: a setting that comes later leaves old runs their names.
        # The protocol version stands for the defaults.
        found["search"] = {
            name: value
            for name, value in settings.items()
            if value != defaults[name] and name not in _MACHINE_SETTINGS
        }
        if settings["init_from"] is not None:
            digest = policies_digest(read_policies(settings["init_from"]))
            replace_init_from(digest, found["search"], found["sampler"])
        if isinstance(settings["method_params"].get("start"), str):
            found["search"]["starts"] = table_digest()
    if kind.limits:
        found["limits"] = {name: getattr(config.limits, name) for name in kind.limits}
    return found


def run_folder(
    results_dir: str | Path, run_identity: Mapping[str, Any], dataset: str | None = None
) -> Path:
    """Return a run's folder; its name begins readable, with the dataset's name, and ends unique."""
    ir = run_identity["ir"]
    readable = "-".join(
        [
            dataset or run_identity["dataset"],
            "irown" if ir is None else f"ir{ir:g}",
            run_identity["clf"]["name"],
            run_identity["sampler"]["name"],
            run_identity["metric"],
            f"seed{run_identity['seed']}",
        ]
    )
    text = json.dumps(run_identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    safe = re.sub(r"[^\w.]+", "-", readable)[:150]
    return Path(results_dir) / "runs" / f"{safe}-{digest}"


def replace_init_from(digest: str, search: dict[str, Any], sampler: dict[str, Any]) -> None:
    """Replace the path of initial policies, in place, by a digest of their content."""
    if search.get("init_from") is not None:
        search["init_from"] = digest
    if sampler["params"].get("init_from") is not None:
        sampler["params"] = sampler["params"] | {"init_from": digest}


def _whole(number: float | None) -> float | int | None:
    """Return 50 for 50.0, for names and records alike."""
    return int(number) if number is not None and float(number).is_integer() else number
