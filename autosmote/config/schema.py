"""The settings of a run: a typed schema for Hydra, and its errors in plain words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from autosmote.config.search import SearchConfig
from autosmote.errors import UserError
from autosmote.metrics import METRICS

# The project is installed editable from a clone: conf/ lies beside the package.
CONF_DIR = Path(__file__).resolve().parents[2] / "conf"
GROUPS = ("dataset", "clf", "sampler", "search")
MISSING = "???"  # OmegaConf's mark for a value that the group's file must give
KINDS = ("none", "search", "resamplings", "resampler", "method", "group")
SEARCHES = ("search", "resamplings")
"""Kinds that try many sample sets, by the settings of `search`."""


@dataclass
class DatasetSettings:
    """Where the rows come from."""

    name: str = MISSING
    """toy, file, or one of the paper's six in lower case."""
    default_ir: float | None = None
    """The imbalance ratio of a run that gives none; null keeps the data as they are."""
    path: str | None = None
    """For dataset=file: a CSV, Parquet or ARFF file."""
    target: str | None = None
    """For dataset=file: the name of the label's column."""


@dataclass
class ClassifierSettings:
    """A scikit-learn classifier."""

    name: str = MISSING
    """The name in records and tables."""
    _target_: str = MISSING
    """The class's import path. It is code: only use configs you trust."""
    params: dict[str, Any] = field(default_factory=dict)
    """Arguments of the class; random_state is fixed, so that a seed varies the data and the
    sampler only."""


@dataclass
class SamplerSettings:
    """What is done about the imbalance."""

    name: str = MISSING
    """The name in records and tables, lower case."""
    _target_: str | None = None
    """The import path of a resampler's or a method's class. It is code, like a classifier's."""
    takes_ratio: bool = False
    """Whether a resampler accepts a ratio n_min/n_maj. If so the ratio is tuned on the validation
    part over 0.1, ..., 1.0, else the sampler runs once with its defaults."""
    params: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the class; of a search, settings that differ from `search`; of a
    group, such arguments under its samplers' names."""
    kind: str = "resampler"
    """none: the training part as it is; search: AutoSMOTE's; resampler: a class that makes a new
    training part; method: a class that is its own classifier, made with the validation part;
    resamplings: a resampler's class, tried with many seeds and ratios by the settings iterations,
    reward, folds, final and keep of `search`, as a control of what learning adds; group: several
    samplers, one after the other."""
    members: list[str] = field(default_factory=list)
    """The samplers of a group."""


@dataclass
class LimitSettings:
    """What a resampler or a method may use: it runs in a process of its own, which is ended when
    it passes a limit. It then counts as no resampling, marked as imputed."""

    resampling_seconds: float | None = 60.0
    """For each resampling; null: none. Where one ratio takes longer, the larger ones are skipped.
    A resampler that is trained first may take as long as for all of its ratios together."""
    run_seconds: float | None = None
    """For all that a resampler or a method does in one run; null: none."""
    memory_mb: float | None = None
    """For the process and those it starts, where the system tells (Linux); null: 80 % of what is
    available when it starts."""


@dataclass
class PreprocessSettings:
    """How features are prepared."""

    fit_on: str = "train"
    """train: scaling is fitted on the training part; all: before the split, as the paper does,
    which leaks."""


@dataclass
class Config:
    """One run."""

    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    clf: ClassifierSettings = field(default_factory=ClassifierSettings)
    sampler: SamplerSettings = field(default_factory=SamplerSettings)
    search: SearchConfig = field(default_factory=SearchConfig)
    preprocess: PreprocessSettings = field(default_factory=PreprocessSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    ir: float | None = "${dataset.default_ir}"  # type: ignore[assignment]
    """N_maj / N_min after the minority is under-sampled; null keeps the data as they are."""
    metric: str = "macro_f1"
    """macro_f1 or mcc: the reward, the choice on validation and the headline."""
    seed: int = 0
    """Changes the under-sampling, the split, the sampler and the search."""
    results_dir: str = "results"
    """Records go to <results_dir>/runs/."""
    data_dir: str | None = None
    """A folder with the six datasets as ARFF; null: AUTOSMOTE_DATA_DIR, else OpenML."""
    force: bool = False
    """Run again although there is a record."""
    retry: str | None = None
    """failed: run again where the record is not ok; timeout: where a limit on time was passed."""
    save_data: bool = False
    """Keep the resampled training part beside the record."""


def register_schema(name: str = "schema", node: type[Any] = Config) -> None:
    """Make a schema known to Hydra, under the name that its file in conf/ gives it."""
    from hydra.core.config_store import ConfigStore

    ConfigStore.instance().store(name=name, node=node)


def validate(config: Config) -> None:
    """Check what types cannot, before any work.

    The ranges of `ir`, `preprocess` and `search` are checked by the code that uses them.

    Raises
    ------
    UserError
        With the setting's name, its value and what is allowed.
    """
    for key, allowed in (("metric", list(METRICS)), ("retry", [None, "none", "failed", "timeout"])):
        value = getattr(config, key)
        if value not in allowed:
            names = ["null" if name is None else name for name in allowed]
            hint = _did_you_mean(str(value), names)
            raise UserError(f"{key}={value} is not known; choose one of {', '.join(names)}{hint}.")
    if not 0 <= config.seed < 2**32:  # the range of numpy's RandomState, which samplers use
        raise UserError(f"seed must lie between 0 and {2**32 - 1}, not {config.seed}.")
    for limit in fields(config.limits):
        value = getattr(config.limits, limit.name)
        if value is not None and not value > 0:
            raise UserError(f"limits.{limit.name} must be above 0 or null, not {value:g}.")
    check_sampler(config.sampler)


def check_sampler(sampler: SamplerSettings) -> None:
    """Check that a sampler's settings fit its kind.

    Raises
    ------
    UserError
    """
    if sampler.kind not in KINDS:
        raise UserError(
            f"sampler.kind={sampler.kind} is not known; choose one of {', '.join(KINDS)}"
            f"{_did_you_mean(sampler.kind, list(KINDS))}."
        )
    if sampler.kind in ("resampler", "method", "resamplings") and sampler._target_ is None:
        raise UserError(
            f"The {sampler.kind} '{sampler.name}' needs its class; give its import path by "
            "sampler._target_=."
        )


def search_settings(sampler: SamplerSettings, search: SearchConfig) -> SearchConfig:
    """The settings of a search, with those that its sampler fixes; and of resamplings.

    Raises
    ------
    UserError
        If one of these is no setting of the search, or resamplings cannot have it.
    """
    if sampler.kind == "resamplings":  # its params are its class's
        return search
    return with_settings(search, sampler.params, "sampler.params.{}")


def with_settings(search: SearchConfig, settings: Mapping[str, Any], where: str) -> SearchConfig:
    """The settings of a search, some of them replaced.

    Parameters
    ----------
    search : SearchConfig
    settings : dict
    where : str
        What the user calls a setting of these, with its name for the braces.

    Raises
    ------
    UserError
        If one of them is no setting of the search.
    """
    names = [f.name for f in fields(search)]
    for name in settings:
        if name not in names:
            raise UserError(
                f"{where.format(name)} is no setting of the search; there are "
                f"{', '.join(names)}{_did_you_mean(name, names)}."
            )
    return replace(search, **settings)


SELECTION = ("iterations", "reward", "folds", "final", "keep")
"""Settings of a search that do not say how its sample sets are made: what resamplings share."""
CHOICE = ("final", "keep")
"""Those that say what becomes of the sample sets once they were tried."""


def load_group(group: str, name: str, schema: type[Any]) -> Any:
    """Read an option of a group from its file, as the command does for `group=name`.

    Raises
    ------
    UserError
        If there is no such option, or its file does not suit the schema.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    path = CONF_DIR / group / f"{name}.yaml"
    if not path.is_file():
        names = available(group)
        raise UserError(f"There is no {group} '{name}'{_did_you_mean(name, names)}.")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(schema), OmegaConf.load(path))
        return OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        raise UserError(f"In {path.name}: {explain(error)}") from error


def load_sampler(name: str) -> SamplerSettings:
    """Read a sampler's settings from its file.

    Raises
    ------
    UserError
        If there is no such sampler, or its file is not good.
    """
    settings = load_group("sampler", name, SamplerSettings)
    check_sampler(settings)
    return settings


def members(group: SamplerSettings) -> list[SamplerSettings]:
    """The samplers of a group, with the group's params for them.

    Raises
    ------
    UserError
        If one of them does not exist or is a group itself, or params name another one.
    """
    for name in group.params:
        if name not in group.members:
            raise UserError(
                f"sampler.params.{name} does not name a sampler of '{group.name}'"
                f"{_did_you_mean(name, group.members)}."
            )
    found = []
    for name in group.members:
        member = load_sampler(name)
        if member.kind == "group":
            raise UserError(f"The group '{group.name}' holds '{name}', which is a group as well.")
        given = group.params.get(name, {})
        if not isinstance(given, dict):
            raise UserError(f"sampler.params.{name} must hold settings of '{name}', not '{given}'.")
        found.append(replace(member, params=member.params | given))
    return found


def available(group: str) -> list[str]:
    """Names of a group's options, e.g. of all samplers."""
    return sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml"))


def explain(error: BaseException, schema: type[Any] = Config) -> str:
    """Turn an error of Hydra's composition into one sentence with the remedy."""
    cause = error.__cause__ or error
    if lacking := re.search(r"You must specify '(\w+)'", str(error)):
        return (
            f"There is no default {lacking[1]}; give one by {lacking[1]}=, out of "
            f"{', '.join(available(lacking[1]))}."
        )
    group, _, name = (getattr(error, "missing_cfg_file", None) or "").rpartition("/")
    if group:
        names = sorted(getattr(error, "options", None) or available(group))
        # A hundred SMOTE variants would hide the rest.
        shown = [name for name in names if not name.startswith("sv_")]
        shown += ["sv_<name>"] if len(shown) < len(names) else []
        return (
            f"There is no {group} '{name}'; choose one of "
            f"{', '.join(shown)}{_did_you_mean(name, names)}."
        )
    full_key = getattr(cause, "full_key", None)
    if full_key and (unknown := re.match(r"Key '(\w+)' (?:is )?not in", str(cause))):
        parent, _, _ = full_key.rpartition(".")
        keys = _keys(parent, schema)
        if not keys:  # a free dictionary, such as clf.params
            return f"{full_key} is not set yet; add it by a plus sign: +{full_key}=..."
        where = f"under '{parent}'" if parent else "at the top level"
        return (
            f"There is no setting '{full_key}'; {where} there are "
            f"{', '.join(keys)}{_did_you_mean(unknown[1], keys)}."
        )
    if full_key and type(cause).__name__ == "ValidationError":
        wanted = _wanted(full_key, schema)
        given = re.search(r"Value '(.*?)'", str(cause), re.DOTALL)
        value = f", not '{given[1]}'" if given else ""
        return f"{full_key} must be {wanted}{value}."
    if ambiguous := re.search(r"Ambiguous value for argument '(.*?)'", str(error)):
        return (
            f"{ambiguous[1]} has several values; run all of them by -m, or put a list in brackets."
        )
    first_line = next((line for line in str(error).splitlines() if line.strip()), repr(error))
    return (
        f"The settings cannot be read: {first_line.strip().rstrip('.')}; they are written "
        "key=value (see --help)."
    )


def _did_you_mean(given: str, names: list[str]) -> str:
    by_lower = {name.lower(): name for name in names}
    close = get_close_matches(given.lower(), by_lower, n=1)
    return f" (did you mean {by_lower[close[0]]}?)" if close else ""


def _schema(key: str, schema: type[Any]) -> Any:
    """The dataclass or the annotation at a dotted key; None where the schema ends."""
    node: Any = schema
    for part in key.split(".") if key else []:
        if not is_dataclass(node):
            return None
        node = {f.name: f.type for f in fields(node)}.get(part)
    return node


def _keys(parent: str, schema: type[Any]) -> list[str]:
    node = _schema(parent, schema)
    return [f.name for f in fields(node)] if is_dataclass(node) else []


def _wanted(key: str, schema: type[Any]) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    node = _schema(key, schema)
    types = getattr(node, "__args__", (node,))
    names = [words[t] for t in words if t in types]
    if type(None) in types:
        names.append("null")
    return " or ".join(names) or "of another type"
