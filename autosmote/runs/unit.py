"""Units of work: a dataset, ratio, seed and sampler, for all planned classifiers and metrics.

A resampled training part is made once per unit and serves every classifier and metric of it; each
of these pairs is a *run* with a record of its own. A search or a method depends on both; but a
search serves all rules for what becomes of its sample sets (search.final), each of them a run.
A run that has a record is done and is not repeated.

    data = Data()
    for unit in plan(configs, data):
        if runs := missing(unit):
            run_unit(runs, data.split(runs[0].config))
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.config.schema import CHOICE, SEARCHES, Config, search_settings
from autosmote.config.targets import make_classifier
from autosmote.errors import UserError, describe_error, interrupts_let_through
from autosmote.evaluation.protocol import evaluate
from autosmote.isolation.forkserver import ForkServer
from autosmote.progress import Progress
from autosmote.records import record as records

if TYPE_CHECKING:
    from autosmote.data.datasets import Dataset
    from autosmote.data.splits import Split
    from autosmote.evaluation.results import Evaluation

Record = dict[str, Any]


class Data:
    """Datasets, each loaded once, and the last split, for units that follow one another."""

    def __init__(self) -> None:
        self._datasets: dict[str, Dataset] = {}
        self._split: tuple[str, Split] | None = None

    def dataset(self, config: Config) -> Dataset:
        from autosmote.data.datasets import load_dataset

        key = _key([asdict(config.dataset), config.data_dir])
        if key not in self._datasets:
            self._datasets[key] = load_dataset(
                config.dataset.name,
                data_dir=config.data_dir,
                path=config.dataset.path,
                target=config.dataset.target,
            )
        return self._datasets[key]

    def split(self, config: Config) -> Split:
        from autosmote.data.splits import make_split

        dataset = self.dataset(config)
        fit_on = config.preprocess.fit_on
        key = _key([dataset.name, dataset.fingerprint, config.ir, config.seed, fit_on])
        if self._split is None or self._split[0] != key:
            made = make_split(dataset, ir=config.ir, seed=config.seed, fit_on=fit_on)
            self._split = (key, made)
        return self._split[1]


@dataclass(frozen=True)
class Run:
    """One classifier and metric of a unit.

    Attributes
    ----------
    config : Config
    identity : dict
        Everything that can change the result.
    folder : Path
        Of the record.
    source : str
        Where the data came from.
    """

    config: Config
    identity: dict[str, Any]
    folder: Path
    source: str

    @property
    def key(self) -> str:
        """The run's name, from its identity."""
        return self.folder.name

    def record(self) -> Record | None:
        """The record of before, unless the run is to be repeated."""
        found = None if self.config.force else records.read_record(self.folder)
        return None if found and self.is_repeated(found["status"]) else found

    def is_repeated(self, status: str) -> bool:
        """Whether a run that ended so is to be done again, by `force` and `retry`."""
        retry = self.config.retry
        return self.config.force or (
            status == "timeout" if retry == "timeout" else status != "ok" and retry == "failed"
        )

    def make_record(self, status: str, **found: Any) -> Record:
        return records.make_record(
            self.config, self.identity, status=status, data_source=self.source, **found
        )


def plan(configs: Iterable[Config], data: Data) -> list[list[Run]]:
    """Sort runs into units, in the order in which these first appear; none twice.

    Raises
    ------
    UserError
        For mistakes in the settings of the data.
    """
    units: dict[str, dict[Path, Run]] = {}
    for config in configs:
        dataset = data.dataset(config)
        identity = records.identity(config, dataset.fingerprint)
        folder = records.run_folder(config.results_dir, identity)
        unit = units.setdefault(_key([_shared(config, identity), config.results_dir]), {})
        unit[folder] = Run(config, identity, folder, dataset.source)
    return [list(unit.values()) for unit in units.values()]


def _shared(config: Config, identity: Mapping[str, Any]) -> dict[str, Any]:
    """What the runs of a unit have in common."""
    kind, shared = config.sampler.kind, {"kind": config.sampler.kind, **identity}
    if kind in SEARCHES:
        shared["search"] = _without_choice(identity["search"])
    if kind == "search":
        sampler = identity["sampler"]
        shared["sampler"] = sampler | {"params": _without_choice(sampler["params"])}
    if kind not in ("search", "method"):
        shared["metric"] = None
    if kind in ("none", "resampler"):
        shared["clf"] = None
    return shared


def _without_choice(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in CHOICE}


def missing(unit: Iterable[Run]) -> list[Run]:
    """The runs of a unit that are to be done."""
    return [run for run in unit if run.record() is None]


def run_unit(
    runs: Sequence[Run],
    split: Split,
    *,
    on_start: Callable[[], None] | None = None,
    mistakes_fail: bool = False,
    quiet: bool = False,
) -> list[Record]:
    """Do runs of one unit, and leave the record of each.

    Parameters
    ----------
    runs : sequence of Run
    split : Split
    on_start : callable, optional
        Called when the settings are known to be good, before the work.
    mistakes_fail : bool
        Let a sampler that cannot be made be a failure, instead of the user's mistake.
    quiet : bool
        Do not show how far a search is.

    Returns
    -------
    list of dict
        The records. Scores are missing where the classifier could not be trained at all.

    Raises
    ------
    UserError
        For mistakes in the settings; nothing is written then.
    KeyboardInterrupt
        After a partial.json was written for each run.
    """
    config = runs[0].config
    sampler = config.sampler
    if sampler.kind in ("resampler", "method"):
        ForkServer.of_this_process()  # begins to start it, which takes seconds
    classifiers = {_key(asdict(run.config.clf)): run.config.clf for run in runs}
    made = {key: make_classifier(settings) for key, settings in classifiers.items()}
    search = None
    if sampler.kind in SEARCHES:
        search = [search_settings(run.config.sampler, run.config.search) for run in runs]
    progress = Progress(search[0].iterations, config.metric) if search and not quiet else None
    evaluations: Sequence[Evaluation | Exception]
    try:
        with interrupts_let_through(), progress or nullcontext():
            evaluations = evaluate(
                split,
                sampler,
                [(made[_key(asdict(run.config.clf))], run.config.metric) for run in runs],
                seed=config.seed,
                limits=config.limits,
                search=search,
                on_start=on_start,
                on_iteration=progress.update if progress else None,
                mistakes_fail=mistakes_fail,
            )
    except KeyboardInterrupt as interrupt:
        for run in runs:
            _keep_partial(run, getattr(interrupt, "result", None), split)
        raise
    except UserError:
        raise
    except Exception as error:
        evaluations = [error] * len(runs)
    return [_keep(run, found, split) for run, found in zip(runs, evaluations, strict=True)]


def _keep(run: Run, found: Evaluation | Exception, split: Split) -> Record:
    """Write all of a run's files, the record last."""
    if isinstance(found, Exception):
        traceback.print_exception(found)
        status = "memory" if isinstance(found, MemoryError) else "failed"
        record = run.make_record(status, error=describe_error(found))
    else:
        record = run.make_record(found.status, evaluation=found, error=found.error)
        if found.search is not None:
            _keep_search(run, found)
        if run.config.save_data:
            names = split.feature_names
            if found.new_features:
                names = tuple(f"feature_{i}" for i in range(found.X.shape[1]))
            records.write_training_part(run.folder, found.X, found.y, names)
    records.write_json(run.folder, "record.json", record)
    (run.folder / "partial.json").unlink(missing_ok=True)
    return record


def _keep_search(run: Run, found: Evaluation) -> None:
    from autosmote.records.curve import plot_curve
    from autosmote.search.loop import SearchResult

    assert found.search is not None
    history, metric = found.search.history, run.config.metric
    records.write_history(run.folder, history)
    if isinstance(found.search, SearchResult):
        records.write_samples(run.folder, found.search.best.samples)
        if search_settings(run.config.sampler, run.config.search).save_policies:
            records.write_policies(run.folder, found.search.parameters)
    reference = found.reference["validation"][metric]
    records.write_file(
        run.folder / "curve.png",
        lambda path: plot_curve(
            history, path, metric=metric, title=title(run.config), reference=reference
        ),
    )


def _keep_partial(run: Run, result: Any, split: Split) -> None:
    """Write what an interrupted run has; the files of a finished run of before stay as they are."""
    folder = run.folder
    if result is not None and not (folder / "record.json").exists():
        records.write_history(folder, result.history)
        records.write_samples(folder, result.best.samples)
        settings = search_settings(run.config.sampler, run.config.search)
        # Else the training part is not the split's, and the sampler alone could tell it.
        as_given = (
            not settings.under_sampling
            and settings.ablation != "merge_train_val"
            and settings.reward == "validation"
        )
        if run.config.save_data and as_given:
            X = np.vstack([split.X_train, result.X_synthetic])
            y = np.concatenate([split.y_train, np.ones(len(result.X_synthetic), np.int8)])
            records.write_training_part(folder, X, y, split.feature_names)
    records.write_json(folder, "partial.json", run.make_record("interrupted", search=result))
    print(f"autosmote: what there is so far: {folder / 'partial.json'}", file=sys.stderr)


def title(config: Config) -> str:
    """A configuration in a few words."""
    ir = "own IR" if config.ir is None else f"IR {config.ir:g}"
    return (
        f"{config.dataset.name}, {ir}, {config.clf.name}, {config.sampler.name}, seed {config.seed}"
    )


def headline(config: Config, split: Split) -> str:
    """What is about to be worked on."""
    n_min = int(split.y_train.sum())
    return (
        f"{title(config)}: {len(split.y_train) - n_min} majority and {n_min} minority training "
        f"rows, {split.X_train.shape[1]} features"
    )


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
