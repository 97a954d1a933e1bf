"""Do a unit in this process: claim it, evaluate its runs, write their records."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autosmote.atomic import write_file
from autosmote.config.kinds import KINDS
from autosmote.config.targets import make_classifier
from autosmote.errors import (
    UnreadableError,
    UserError,
    describe_error,
    interrupts_let_through,
    let_interrupts_through,
)
from autosmote.evaluation.protocol import evaluate
from autosmote.interrupts import interrupts_held
from autosmote.isolation.forkserver import ForkServer
from autosmote.isolation.spawn import is_single_threaded
from autosmote.progress import Progress
from autosmote.records import files
from autosmote.records.claims import claim
from autosmote.records.curve import plot_curve
from autosmote.records.curve_process import CurveDrawer
from autosmote.runs.unit import Data, Record, Run, headline, missing, title
from autosmote.search.candidates import InterpolatedSet

if TYPE_CHECKING:
    from autosmote.data.splits import Split
    from autosmote.evaluation.results import Evaluation

logger = logging.getLogger("autosmote")

Show = Literal["nothing", "search", "all"]
"""Output of a unit: none; the progress of its search, below the caller's bar; its headline too."""


@dataclass(frozen=True)
class Outcome:
    """Result of an attempt to do a unit.

    Attributes
    ----------
    state : {"done", "taken", "stopped", "unreadable", "unwritable", "unstarted", "left"}
        All its runs have records; another process works on it; it was ended by a stop of the
        sweep; what it needs cannot be read, its records cannot be written, or no process can be
        started for it, as `error` says; the job that was to do it has ended, by `error` where that
        is known.
    statuses : tuple of str
        Of the runs that were done now.
    error : str, optional
    """

    state: str
    statuses: tuple[str, ...] = ()
    error: str | None = None

    @property
    def failed(self) -> bool:
        """Whether any of the runs that were done now is not ok."""
        return any(status != "ok" for status in self.statuses)


class _Unwritable(Exception):
    """A run's files cannot be written; the message says why."""


@contextmanager
def _writing() -> Iterator[None]:
    """Raise errors of writing as `_Unwritable`: those of the work are no reason to stop a sweep."""
    try:
        yield
    except OSError as error:
        raise _Unwritable(error.strerror or type(error).__name__) from error


def do_unit(
    runs: Sequence[Run], data: Data, *, show: Show = "nothing", mistakes_fail: bool = True
) -> Outcome:
    """Do the runs of a unit that have no record, unless another process works on one of them.

    Parameters
    ----------
    runs : sequence of Run
        Of one unit.
    data : Data
    show : {"nothing", "search", "all"}
    mistakes_fail : bool
        Record a sampler that cannot be made as failed, instead of raising the user's mistake.

    Raises
    ------
    UserError
        For mistakes in the settings, and for what cannot be read unless `mistakes_fail`; no record
        is written then.
    KeyboardInterrupt
        After a partial.json was written for each run.
    """
    config = runs[0].config
    with claim(config.results_dir, [run.key for run in runs]) as mine:
        if not mine:
            return Outcome("taken")
        to_do = missing(runs)
        try:
            with _writing():
                for run in to_do:
                    files.remove_leftovers(run.folder)
                files.check_run_folders([run.folder for run in to_do])
            made = _evaluate(to_do, data.split(config), show, mistakes_fail) if to_do else []
        except _Unwritable as error:
            return Outcome("unwritable", error=str(error))
        except UnreadableError as error:
            if not mistakes_fail:
                raise
            return Outcome("unreadable", error=str(error))
    return Outcome("done", tuple(record["status"] for record in made))


def _evaluate(runs: Sequence[Run], split: Split, show: Show, mistakes_fail: bool) -> list[Record]:
    """Evaluate runs of one unit, and write the record of each.

    Scores are missing where the classifier could not be trained at all.
    """
    config, search = runs[0].config, runs[0].search
    settings = {_key(run): run.config.clf for run in runs}
    classifiers = {key: make_classifier(clf) for key, clf in settings.items()}
    progress = None
    if search and show != "nothing":
        position = 1 if show == "search" else None
        progress = Progress(search.iterations, config.metric, position=position)
    start = (lambda: logger.info("%s", headline(config, split))) if show == "all" else None
    with ExitStack() as stack:
        draw = plot_curve
        # A user waits for a single search: another process imports matplotlib meanwhile.
        to_import = "matplotlib" not in sys.modules and is_single_threaded()
        evaluations: Sequence[Evaluation | BaseException]
        try:
            if KINDS[config.sampler.kind].is_sandboxed:
                ForkServer.of_this_process()  # begins to start it, which takes seconds
            if search and show == "all" and to_import:
                draw = stack.enter_context(closing(CurveDrawer())).draw
            with interrupts_let_through(), progress or nullcontext():
                evaluations = evaluate(
                    split,
                    config.sampler,
                    [(classifiers[_key(run)], run.config.metric) for run in runs],
                    seed=config.seed,
                    limits=config.limits,
                    search=[run.search for run in runs if run.search] or None,
                    on_start=start,
                    on_iteration=progress.update if progress else None,
                    mistakes_fail=mistakes_fail,
                )
        except KeyboardInterrupt as interrupt:
            metrics = dict.fromkeys(run.config.metric for run in runs)
            so_far = dict(zip(metrics, getattr(interrupt, "results", ()), strict=False))
            with _writing(), interrupts_held():
                for run in runs:
                    _write_partial(run, so_far.get(run.config.metric), split)
            raise
        except UserError:
            raise
        except (Exception, SystemExit, GeneratorExit) as error:  # a classifier may raise any
            evaluations = [error] * len(runs)
        pairs = zip(runs, evaluations, strict=True)
        with _writing(), interrupts_held():
            return [_write(run, found, split, draw) for run, found in pairs]


def _key(run: Run) -> str:
    """Return the same text for runs with the same classifier, which is fitted once for them."""
    return json.dumps(asdict(run.config.clf), sort_keys=True)


def _write(
    run: Run, found: Evaluation | BaseException, split: Split, draw: Callable[..., None]
) -> Record:
    """Write all of a run's files, the record last."""
    if isinstance(found, BaseException):
        with suppress(Exception):  # of a class of someone else's
            traceback.print_exception(found)
        status = "memory" if isinstance(found, MemoryError) else "failed"
        record = run.make_record(status, error=describe_error(found))
    else:
        record = run.make_record(found.status, evaluation=found, error=found.error)
        if found.search is not None:
            _write_search(run, found, draw)
        if run.config.save_data:
            names = split.feature_names
            if found.new_features:
                names = tuple(f"feature_{i}" for i in range(found.X.shape[1]))
            files.write_training_part(run.folder, found.X, found.y, names)
    files.write_json(run.folder, "record.json", record)
    (run.folder / "partial.json").unlink(missing_ok=True)
    return record


def _write_search(run: Run, found: Evaluation, draw: Callable[..., None]) -> None:
    """Write a search's history, curve, best sample set and, where asked for, policies."""
    result: Any = found.search
    assert run.search is not None
    files.write_history(run.folder, result.history)
    _write_sample_set(run, result.best.sample_set)
    if run.search.save_policies:
        files.write_policies(run.folder, result.parameters)
    metric = run.config.metric
    if not result.iterations or not run.config.save_curve:
        return
    try:
        write_file(
            run.folder / "curve.png",
            lambda path: draw(
                result.history,
                path,
                metric=metric,
                title=title(run.config),
                reference=found.reference["validation"][metric],
            ),
        )
    except OSError:  # then the record cannot be written either
        raise
    except Exception as error:
        let_interrupts_through(error)
        (run.folder / "curve.png").unlink(missing_ok=True)  # of an earlier run
        logger.warning("The curve was not drawn (%s); all else is kept.", describe_error(error))


def _write_sample_set(run: Run, sample_set: Any) -> None:
    """Write the samples of an interpolation space; resamplings are made again from a record."""
    if isinstance(sample_set, InterpolatedSet):
        files.write_samples(run.folder, sample_set.samples)


def _write_partial(run: Run, result: Any, split: Split) -> None:
    """Write what an interrupted run has; the files of an earlier finished run stay."""
    folder, search = run.folder, run.search
    if result is not None and not (folder / "record.json").exists():
        assert search is not None
        files.write_history(folder, result.history)
        _write_sample_set(run, result.best.sample_set)
        # Else the search's training part is not the split's, and only the sampler knows it.
        is_training_part = not (search.under_sampling or search.joins_parts)
        if run.config.save_data and is_training_part and result.X_synthetic is not None:
            X = np.vstack([split.X_train, result.X_synthetic])
            y = np.concatenate([split.y_train, np.ones(len(result.X_synthetic), np.int8)])
            files.write_training_part(folder, X, y, split.feature_names)
    files.write_json(folder, "partial.json", run.make_record("interrupted", search=result))
    print(f"autosmote: what there is so far: {folder / 'partial.json'}", file=sys.stderr)
