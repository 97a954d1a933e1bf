"""Runs, and the units that they form: runs that share a resampling or a search.

A resampled training part serves every classifier and metric, so that runs which differ in these
alone are one unit. A method depends on both, and so does a search, unless it learns nothing: then
one serves both metrics. A search serves all rules that make the final classifier of its candidates
(search.final, search.keep), each of them a run.

    data = Data()
    for unit in plan(configs, data):
        execute(unit, data)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autosmote.config.kinds import CHOICE, KINDS
from autosmote.config.schema import Config, resolve_search
from autosmote.config.search import SearchConfig, resolve_device
from autosmote.errors import UnreadableError, UserError
from autosmote.records.files import read_record, record_stamp
from autosmote.records.identity import identity, run_folder
from autosmote.records.record import make_record

if TYPE_CHECKING:
    from autosmote.data.datasets import Dataset
    from autosmote.data.splits import Split

Record = dict[str, Any]


@contextmanager
def _reading(config: Config) -> Iterator[None]:
    """Raise whatever is wrong with the data as theirs, and errors of a disk or network in words."""
    try:
        yield
    except UserError as error:
        raise UnreadableError(str(error)) from error
    except OSError as error:
        raise UnreadableError(
            f"The data of dataset={config.dataset.name} cannot be read "
            f"({error.strerror or type(error).__name__}); check the disk or the connection that "
            "they come from, and start the same command again."
        ) from error


class Data:
    """Cache of all datasets and of the last split, for units that follow one another."""

    def __init__(self) -> None:
        self._datasets: dict[str, Dataset] = {}
        self._split: tuple[str, Split] | None = None
        self._checked: set[str] = set()

    @property
    def keys(self) -> frozenset[str]:
        """Names of the loaded datasets."""
        return frozenset(self._datasets)

    def dataset(self, config: Config) -> Dataset:
        """Return the dataset of a run.

        Raises
        ------
        UnreadableError
            If it cannot be loaded.
        """
        from autosmote.data.datasets import load_dataset

        key = _key([asdict(config.dataset), config.data_dir])
        if key not in self._datasets:
            with _reading(config):
                self._datasets[key] = load_dataset(
                    config.dataset.name,
                    data_dir=config.data_dir,
                    path=config.dataset.path,
                    target=config.dataset.target,
                    source=config.dataset.source,
                    openml_id=config.dataset.id,
                    version=config.dataset.version,
                )
        return self._datasets[key]

    def split(self, config: Config) -> Split:
        """Return the split of a run.

        Raises
        ------
        UnreadableError
            If the data cannot be loaded, or not have the imbalance ratio.
        """
        from autosmote.data.splits import make_split

        dataset = self.dataset(config)
        fit_on = config.preprocess.fit_on
        key = _key([dataset.name, dataset.fingerprint, config.ir, config.seed, fit_on])
        if self._split is None or self._split[0] != key:
            with _reading(config):
                made = make_split(dataset, ir=config.ir, seed=config.seed, fit_on=fit_on)
            self._split = (key, made)
        return self._split[1]

    def check_ir(self, config: Config) -> None:
        """Check that the data can have an imbalance ratio, once for all seeds.

        Raises
        ------
        UserError
            If they cannot.
        """
        key = _key([asdict(config.dataset), config.ir])
        if key not in self._checked:
            self.split(config)
            self._checked.add(key)

    def check_folds(self, config: Config, search: SearchConfig) -> None:
        """Check that each fold of a search can hold out a minority row, once for all seeds.

        Raises
        ------
        UserError
            If there are more folds than such rows.
        """
        key = _key([asdict(config.dataset), config.ir, search.folds])
        if search.reward == "crossfit" and key not in self._checked:
            split = self.split(config)
            n_rows = int(split.y_train.sum() + split.y_val.sum())
            if search.folds > n_rows:
                raise UserError(
                    f"search.folds={search.folds} is more than the {n_rows} minority rows of the "
                    "training and validation part; choose fewer."
                )
            self._checked.add(key)


@dataclass(frozen=True)
class Run:
    """Configuration with its resolved search, identity and folder.

    Attributes
    ----------
    config : Config
    search : SearchConfig or None
        Resolved and checked settings of the search; None for a sampler that does not search.
    identity : dict
        Everything that can change the result.
    folder : Path
        Of the record.
    source : str
        Where the data came from.
    planned : tuple or None
        Stamp of the record that there was when this was planned, which `force` and `retry` repeat:
        a later one is this run's, though it may have failed again.
    """

    config: Config
    search: SearchConfig | None
    identity: dict[str, Any]
    folder: Path
    source: str
    planned: tuple[int, int] | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """Name of the run's folder, from its identity."""
        return self.folder.name

    def record(self) -> Record | None:
        """Return the existing record, unless the run is to be repeated."""
        found = read_record(self.folder)
        if found and self.is_repeated(found["status"]):
            return None if record_stamp(self.folder) == self.planned else found
        return found

    def is_repeated(self, status: str) -> bool:
        """Return whether `force` or `retry` repeat a run with this status."""
        retry = self.config.retry
        return self.config.force or (
            status == "timeout" if retry == "timeout" else status != "ok" and retry == "failed"
        )

    def make_record(self, status: str, **found: Any) -> Record:
        """Return a record of this run (see `autosmote.records.record.make_record`)."""
        return make_record(
            self.config, self.identity, status=status, data_source=self.source, **found
        )


def plan(configs: Iterable[Config], data: Data) -> list[list[Run]]:
    """Sort runs into units, in the order in which these first appear; none twice.

    Raises
    ------
    UserError
        For mistakes in the settings, and for a ratio that the data cannot have; mistakes in those
        of a search are found before any data are loaded.
    """
    configs = list(configs)
    searches = [resolve_search(config.sampler, config.search) for config in configs]
    units: dict[str, dict[Path, Run]] = {}
    for config, search in zip(configs, searches, strict=True):
        dataset = data.dataset(config)
        data.check_ir(config)
        if search is not None:
            data.check_folds(config, search)
            if KINDS[config.sampler.kind].params_are_search_settings:
                check_method(search)
        found = identity(config, search, dataset.fingerprint)
        folder = run_folder(config.results_dir, found, config.dataset.shown_name)
        unit = units.setdefault(_key([_shared(config, search, found), config.results_dir]), {})
        unit[folder] = Run(config, search, found, folder, dataset.source, record_stamp(folder))
    return [list(unit.values()) for unit in units.values()]


def check_method(search: SearchConfig) -> None:
    """Raise UserError where a search's method is none, unless it is one of our own."""
    from autosmote.search.method import METHODS, method_class

    if search.method not in METHODS:
        method_class(search)


def _shared(
    config: Config, search: SearchConfig | None, identity: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the runs of a unit have in common."""
    kind = KINDS[config.sampler.kind]
    shared = {"kind": kind.name, **identity}
    if kind.is_search:
        shared["search"] = _without_choice(identity["search"])
    if kind.params_are_search_settings:
        sampler = identity["sampler"]
        shared["sampler"] = sampler | {"params": _without_choice(sampler["params"])}
    if kind.serves_metrics or (search is not None and not search.depends_on_scores):
        shared["metric"] = None
    if kind.serves_classifiers:
        shared["clf"] = None
    return shared


def _without_choice(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in CHOICE}


def missing(unit: Iterable[Run]) -> list[Run]:
    """Return the runs of a unit that are to be done."""
    return [run for run in unit if run.record() is None]


def check_devices(runs: Iterable[Run]) -> None:
    """Raise UserError where this machine lacks a device that a search asks for."""
    for run in runs:
        kind = KINDS[run.config.sampler.kind]
        if run.search and kind.trains_networks and run.search.device == "cuda":
            resolve_device(run.search.device)


def title(config: Config) -> str:
    """Return a configuration in a few words."""
    ir = "own IR" if config.ir is None else f"IR {config.ir:g}"
    return (
        f"{config.dataset.shown_name}, {ir}, {config.clf.name}, {config.sampler.name}, "
        f"seed {config.seed}"
    )


def headline(config: Config, split: Split) -> str:
    """Return a line on a configuration and its training part."""
    n_min = int(split.y_train.sum())
    return (
        f"{title(config)}: {len(split.y_train) - n_min} majority and {n_min} minority training "
        f"rows, {split.X_train.shape[1]} features"
    )


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
