"""Typed settings of a run, as Hydra's schema and as what `--help` explains."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import PurePath
from typing import Any, TypeVar

from autosmote.config.kinds import KINDS
from autosmote.config.names import did_you_mean
from autosmote.config.search import SearchConfig
from autosmote.config.shapes import check_shapes
from autosmote.errors import UserError
from autosmote.metrics import METRICS

LAST_SEED = 2**32 - 1
"""The end of the range of numpy's RandomState, which samplers use."""
_MOST_SEEDS = 10_000
MISSING = "???"  # OmegaConf's mark for a value that the group's file must give


@dataclass
class DatasetSettings:
    """Dataset settings."""

    name: str = MISSING
    """toy, file, one of the paper's six in lower case, or a table's name in its source."""
    default_ir: float | None = None
    """The imbalance ratio of a run that gives none; null keeps the data as they are."""
    path: str | None = None
    """For dataset=file: a CSV, TSV, Parquet, ARFF or XLSX file."""
    target: str | None = None
    """For dataset=file: the name of the label's column; for dataset=openml, if it is not the
    default target."""
    source: str | None = None
    """openml, imblearn or common: the collection that the table `name` is in."""
    id: int | None = None
    """For dataset=openml: the dataset's number there."""
    version: int | None = None
    """For dataset=openml without a number: the version of the dataset called `name` there."""

    @property
    def shown_name(self) -> str:
        """What a person calls it: the name, or that of the file."""
        return PurePath(self.path).name.partition(".")[0] or self.name if self.path else self.name


@dataclass
class ClassifierSettings:
    """Settings of a scikit-learn classifier."""

    name: str = MISSING
    """The name in records and tables."""
    _target_: str = MISSING
    """The class's import path. It is code: only use configs you trust."""
    params: dict[str, Any] = field(default_factory=dict)
    """Arguments of the class; random_state is fixed, so that a seed varies the data and the
    sampler only."""


@dataclass
class SamplerSettings:
    """Sampler settings."""

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
    """none: the training part unchanged; search: AutoSMOTE's search; resampler: a class that makes
    a new training part; method: a class that is its own classifier and also gets the validation
    part; resamplings: a resampler's class with many seeds and ratios, by the settings iterations,
    reward, folds, final and keep of `search`, as a control of what learning adds; group: several
    samplers, one after the other."""
    members: list[str] = field(default_factory=list)
    """The samplers of a group."""
    steps: str | None = None
    """The name of one of the params, a number that the class's time grows with, such as epochs: the
    hours of a sweep are estimated by it."""


@dataclass
class LimitSettings:
    """Limits of a resampler or a method, which runs in a process of its own. The process is ended
    when it passes a limit; the run then has the scores of no resampling, marked as imputed."""

    resampling_seconds: float | None = 60.0
    """CPU seconds for each resampling, those of processes that it starts included; null: none.
    Where one ratio takes more, the larger ones are skipped. A resampler that is trained first may
    take as many as for all of its ratios together. A resampling that waits is ended after five
    times as long."""
    run_seconds: float | None = None
    """By the clock, for all work of a resampler or a method in one run; null: none."""
    memory_mb: float | None = None
    """For the process and those it starts, on Linux; null: 80 % of the memory that is available
    when it starts."""


@dataclass
class PreprocessSettings:
    """Preprocessing of the features."""

    fit_on: str = "train"
    """train: scaling is fitted on the training part; all: on all rows before the split, as in the
    paper, which leaks."""


@dataclass
class Config:
    """Settings of a run."""

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
    seeds: int = 1
    """Above 1: as many runs, with seeds from `seed` on, and their means with intervals; for a group
    of samplers also their ranks."""
    results_dir: str = "results"
    """Records go to <results_dir>/runs/."""
    data_dir: str | None = None
    """A folder with the six datasets as ARFF; null: AUTOSMOTE_DATA_DIR, else OpenML."""
    force: bool = False
    """Run again even where there is a record."""
    retry: str | None = None
    """failed: run again where the record is not ok; timeout: where a time limit was passed."""
    save_data: bool = False
    """Keep the resampled training part beside the record."""
    save_curve: bool = True
    """Draw the course of a search beside the record."""


def register_schema(name: str = "schema", node: type[Any] = Config) -> None:
    """Make a schema known to Hydra, under the name that its file in conf/ gives it."""
    from hydra.core.config_store import ConfigStore

    ConfigStore.instance().store(name=name, node=node)


def validate(config: Config) -> None:
    """Check the settings that types do not, before any work.

    The ranges of `ir`, `preprocess` and `search` are checked by the code that uses them.

    Raises
    ------
    UserError
        With the setting's name, its value and what is allowed.
    """
    check_shapes(config)
    for key, allowed in (("metric", list(METRICS)), ("retry", [None, "none", "failed", "timeout"])):
        value = getattr(config, key)
        if value not in allowed:
            names = ["null" if name is None else name for name in allowed]
            hint = did_you_mean(str(value), names)
            raise UserError(f"{key}={value} is not known; choose one of {', '.join(names)}{hint}.")
    if not 0 <= config.seed <= LAST_SEED:
        raise UserError(f"seed must lie between 0 and {LAST_SEED}, not {config.seed}.")
    if not 1 <= config.seeds <= _MOST_SEEDS:
        raise UserError(f"seeds must lie between 1 and {_MOST_SEEDS:,}, not {config.seeds}.")
    if (last := config.seed + config.seeds - 1) > LAST_SEED:
        raise UserError(
            f"seeds={config.seeds} from seed={config.seed} on would go up to {last}; the last one "
            f"may be {LAST_SEED}."
        )
    for limit in fields(config.limits):
        value = getattr(config.limits, limit.name)
        if value is not None and not value > 0:
            raise UserError(f"limits.{limit.name} must be above 0 or null, not {value:g}.")
    check_sampler(config.sampler)


def check_sampler(sampler: SamplerSettings) -> None:
    """Raise UserError where a sampler's settings do not fit its kind."""
    if sampler.kind not in KINDS:
        raise UserError(
            f"sampler.kind={sampler.kind} is not known; choose one of {', '.join(KINDS)}"
            f"{did_you_mean(sampler.kind, list(KINDS))}."
        )
    if KINDS[sampler.kind].needs_class and sampler._target_ is None:
        raise UserError(
            f"The {sampler.kind} '{sampler.name}' needs its class; give its import path by "
            "sampler._target_=."
        )


def resolve_search(sampler: SamplerSettings, search: SearchConfig) -> SearchConfig | None:
    """Return the checked settings of a sampler's search; None for a sampler that does not search.

    Raises
    ------
    UserError
        If a setting is unknown, out of its range or not possible with the others.
    """
    kind = KINDS[sampler.kind]
    if not kind.is_search:
        return None
    if kind.params_are_search_settings:
        search = with_settings(search, sampler.params, "sampler.params.{}")
    search.check()
    return search


Settings = TypeVar("Settings", SearchConfig, PreprocessSettings, LimitSettings)


def with_settings(
    settings: Settings, changes: Mapping[str, Any], where: str, what: str = "setting of the search"
) -> Settings:
    """Return settings with some of them replaced.

    `where` is what the user calls one of the changes, with its name for the braces, and `what`
    which kind of setting it should be.

    Raises
    ------
    UserError
        If there is no such setting.
    """
    names = [f.name for f in fields(settings)]
    for name in changes:
        if name not in names:
            raise UserError(
                f"{where.format(name)} is no {what}; there are "
                f"{', '.join(names)}{did_you_mean(name, names)}."
            )
    return replace(settings, **changes)
