"""Settings of a sweep, and the runs that they expand to.

conf/experiment holds the runs that a table or a figure needs, conf/budget the part of them that is
run, and conf/experiment_budget what one budget changes in one experiment. All have this schema;
overrides of the command line come last.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from autosmote.config.groups import load_datasets, load_group, load_sampler
from autosmote.config.schema import (
    MISSING,
    ClassifierSettings,
    Config,
    LimitSettings,
    PreprocessSettings,
    SamplerSettings,
    validate,
    with_settings,
)
from autosmote.config.search import SearchConfig
from autosmote.config.shapes import check_shapes
from autosmote.errors import UserError
from autosmote.sweep.variants import (
    Variant,
    by_label,
    expand_samplers,
    variant_samplers,
)

_MOST_WORKERS = 10_000
LAUNCHERS = ("local", "ray", "submitit")


@dataclass
class Arm:
    """A row of a table or a point of a figure: a sampler with settings of its own."""

    sampler: str = MISSING
    label: str = MISSING
    params: dict[str, Any] = field(default_factory=dict)
    search: dict[str, Any] = field(default_factory=dict)
    """Settings that differ from those of the sweep's `search`. With reward=crossfit and without
    iterations of its own, an arm has 1/folds as many, which train as many classifiers."""


@dataclass
class Source:
    """Origin of a grid's sample sets: a sampler with settings of its own.

    In a text of `params` stands {dataset} for the name of the dataset of each run.
    """

    sampler: str = MISSING
    params: dict[str, Any] = field(default_factory=dict)
    search: dict[str, Any] = field(default_factory=dict)
    rules: list[str] | None = None
    """The rules that it is combined with; null: all of the grid."""


@dataclass
class Grid:
    """Arms as a product of sources and rules, each labelled "<source> <rule>".

    The rule "best" is that of the paper and is not named in a label.
    """

    sources: dict[str, Source] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Search settings by name."""


@dataclass
class SweepConfig:
    """Many runs: each combination of the lists."""

    name: str = MISSING
    """The experiment: records are collected in <results_dir>/<name>/."""
    budget: str = MISSING
    """The name of the plan; custom where the command line changes its runs."""
    samplers: list[str] = field(default_factory=list)
    """Samplers or groups of samplers; each is an arm under its own name."""
    beside: list[str] = field(default_factory=list)
    """Labels of arms that tables rank beside the others: each alone among them, so that their ranks
    stay as they are. Those that are not run are passed over."""
    arms: list[Arm] = field(default_factory=list)
    """Further arms."""
    grid: Grid = field(default_factory=Grid)
    """Further arms, as a product."""
    variants: dict[str, Variant] = field(default_factory=dict)
    """Further arms: samplers with other settings, labelled "<sampler> [<variant>]"."""
    params: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Arguments by a sampler's name, as in {mesa: {n_members: 5}}."""
    datasets: list[str] = field(default_factory=list)
    """Datasets; tables of a collection, as in common:yeast4; or sets of the many datasets, as in
    many:decision or "many:decision up to 5000 rows"."""
    irs: list[float | None] = field(default_factory=list)
    """Imbalance ratios; null keeps the data as they are."""
    clfs: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    n_seeds: dict[str, int] = field(default_factory=dict)
    """Dear classifiers, which have the first so many of the seeds alone, as in {lightgbm: 2}."""
    search: SearchConfig = field(default_factory=SearchConfig)
    preprocess: PreprocessSettings = field(default_factory=PreprocessSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    histories: bool = False
    """Collect the history of each search."""
    save_data: bool = False
    """Keep each resampled training part."""
    save_curves: bool = True
    """Draw the course of each search."""
    results_dir: str = "results"
    data_dir: str | None = None
    """A folder with the six datasets as ARFF; null: AUTOSMOTE_DATA_DIR, else OpenML."""
    launcher: str = "local"
    """local: processes of this machine; ray: tasks of a Ray cluster; submitit: jobs of SLURM, or
    of this machine by submitit.cluster=local."""
    workers: int | None = None
    """Units at a time; null: the usable cores (local), all cores of the cluster (ray), 8 jobs
    (submitit)."""
    unit_seconds: float | None = 7200.0
    """Time limit of a unit, after which its process is ended; null: none."""
    unit_memory_mb: float | None = None
    """Memory limit of a unit's processes together; null: an equal share of 80 % of the available
    memory."""
    dry_run: bool = False
    """Print the plan and its hours on this machine, and run nothing."""
    force: bool = False
    """Run everything again."""
    retry: str | None = None
    """failed: run again all runs that are not ok; timeout: those that passed a time limit."""
    reports: bool = True
    """Write tables and figures at the end."""
    allow_missing: bool = False
    """Write tables and figures even where cells are missing, and mark these."""
    imputed_is_ok: bool = False
    """Exit with status 0 even where a sampler failed and was imputed by no resampling."""
    collect_every: float = 300.0
    """Seconds between two collections of the records so far."""
    ray: dict[str, Any] = field(default_factory=dict)
    """Arguments of ray.init, e.g. {address: auto}; without any a cluster is started here."""
    submitit: dict[str, Any] = field(default_factory=dict)
    """Parameters of submitit's executor, e.g. {slurm_partition: cpu, timeout_min: 600}."""


# Settings that make another plan where the command line changes them.
PLANNED = (
    *("samplers", "beside", "arms", "grid", "variants", "params", "datasets", "irs", "clfs"),
    *("metrics", "seeds", "n_seeds", "search", "preprocess", "limits"),
)


def check(config: SweepConfig) -> None:
    """Raise UserError for settings that types do not check, before any work."""
    check_shapes(config)
    for name in ("datasets", "irs", "clfs", "metrics", "seeds"):
        if not getattr(config, name):
            raise UserError(f"{name} is empty, so there is nothing to run; give at least one.")
    if not config.samplers and not config.arms and not config.grid.sources:
        raise UserError("samplers and arms are empty, so there is nothing to run.")
    if config.launcher not in LAUNCHERS:
        raise UserError(
            f"launcher={config.launcher} is not known; choose one of {', '.join(LAUNCHERS)}."
        )
    if config.workers is not None and not 1 <= config.workers <= _MOST_WORKERS:
        raise UserError(
            f"workers must lie between 1 and {_MOST_WORKERS} or be null, not {config.workers}."
        )
    for clf, n_seeds in config.n_seeds.items():
        if n_seeds < 1:
            raise UserError(
                f"n_seeds.{clf} must be at least 1, not {n_seeds}; leave {clf} out of clfs to run "
                "it on no seed."
            )
    for name in ("unit_seconds", "unit_memory_mb", "collect_every"):
        value = getattr(config, name)
        if value is not None and not value > 0:
            raise UserError(f"{name} must be above 0, not {value:g}.")


def grid_arms(grid: Grid) -> list[tuple[str, Arm]]:
    """Return the arms of a grid, each with the name of its source.

    Raises
    ------
    UserError
        If a source names a rule that the grid lacks.
    """
    found = []
    for name, source in grid.sources.items():
        for rule in grid.rules if source.rules is None else source.rules:
            if rule not in grid.rules:
                raise UserError(
                    f"The source '{name}' names the rule '{rule}', which the grid lacks; it has "
                    f"{', '.join(grid.rules)}."
                )
            label = name if rule == "best" else f"{name} {rule}"
            search = source.search | grid.rules[rule]
            found.append((name, Arm(source.sampler, label, source.params, search)))
    return found


def arms(config: SweepConfig) -> list[tuple[str, SamplerSettings, SearchConfig]]:
    """Return the labelled samplers of a sweep, each with the settings of its search.

    Raises
    ------
    UserError
        If one does not exist, or two arms have one label.
    """
    found: dict[str, tuple[SamplerSettings, SearchConfig]] = {}
    base = config.search
    if base.actors == "auto":  # the units at a time use the cores
        base = replace(base, actors=0)

    def add(label: str, sampler: SamplerSettings, search: SearchConfig = base) -> None:
        if found.setdefault(label, (sampler, search)) != (sampler, search):
            raise UserError(f"Two arms have the label '{label}', but other settings.")

    for member in expand_samplers(config.samplers):
        add(member.name, member)
    for arm in [*config.arms, *(arm for _, arm in grid_arms(config.grid))]:
        sampler = load_sampler(arm.sampler)
        search = with_settings(base, arm.search, "search.{} of an arm")
        if search.reward == "crossfit" and "iterations" not in arm.search:
            search = replace(search, iterations=max(1, search.iterations // search.folds))
        add(arm.label, replace(sampler, params=sampler.params | arm.params), search)
    for label, variant, sampler in variant_samplers(config.variants):
        changes = config.variants[variant].search
        add(label, sampler, with_settings(base, changes, "search.{} of a variant"))
    for name in config.params:
        load_sampler(name)  # it need not be in this sweep, but must exist
    return [
        (
            label,
            replace(sampler, params=sampler.params | config.params.get(sampler.name, {})),
            search,
        )
        for label, (sampler, search) in found.items()
    ]


def list_beside(config: SweepConfig) -> set[str]:
    """Return the labels of the arms that are ranked beside the others; none without others."""
    labels = {label for label, *_ in arms(config)}
    beside = labels & set(config.beside)
    return beside if beside < labels else set()


def expand(config: SweepConfig) -> Iterator[tuple[str, Config]]:
    """Yield the configurations of a sweep, each with the label of its arm.

    Raises
    ------
    UserError
        For a setting that is not possible.
    """
    variants = by_label(config.variants)
    datasets = load_datasets(config.datasets)
    for clf in config.n_seeds:
        _load("clf", clf, ClassifierSettings)  # it need not be in this sweep, but must exist
    for (label, sampler, search), dataset, ir, (place, seed) in itertools.product(
        arms(config), datasets, config.irs, enumerate(config.seeds)
    ):
        variant = variants.get(label, Variant())
        clfs = [clf for clf in config.clfs if place < config.n_seeds.get(clf, place + 1)]
        if variant.clfs:
            clfs = [variant.clfs[clf] for clf in clfs if clf in variant.clfs]
        for clf, metric in itertools.product(clfs, config.metrics):
            run = Config(
                dataset=dataset,
                clf=_load("clf", clf, ClassifierSettings),
                sampler=replace(sampler, params=_named(sampler.params, dataset.name)),
                search=search,
                preprocess=with_settings(
                    config.preprocess, variant.preprocess, "preprocess.{} of a variant", "setting"
                ),
                limits=with_settings(
                    config.limits, variant.limits, "limits.{} of a variant", "setting"
                ),
                ir=ir,
                metric=metric,
                seed=seed,
                results_dir=config.results_dir,
                data_dir=config.data_dir,
                force=config.force,
                retry=config.retry,
                save_data=config.save_data,
                save_curve=config.save_curves,
            )
            validate(run)
            yield label, run


def _named(params: Any, dataset: str) -> Any:
    """Return a sampler's params with the name of the dataset in the place of {dataset}."""
    if isinstance(params, dict):
        return {name: _named(value, dataset) for name, value in params.items()}
    return params.replace("{dataset}", dataset) if isinstance(params, str) else params


@cache
def _load(group: str, name: str, schema: type[Any]) -> Any:
    return load_group(group, name, schema)


def plan_name(budget: str, overrides: list[str]) -> str:
    """Return the budget's name, or "custom" where overrides change the plan."""
    keys = {override.lstrip("+~").partition("=")[0].partition(".")[0] for override in overrides}
    return "custom" if keys & set(PLANNED) else budget
