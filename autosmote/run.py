"""The command: configuration in, one record out.

Exit status: 0 done (or done before), 1 the run failed, 2 a mistake of the user, 130 interrupted.
"""

import logging
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from autosmote import records
from autosmote.config import CONF_DIR, Config, explain, register_schema, validate
from autosmote.errors import UserError
from autosmote.privacy import describe_error
from autosmote.progress import Progress
from autosmote.search_config import SearchConfig, resolve_device

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from autosmote.evaluation import Evaluation
    from autosmote.splits import Split

logger = logging.getLogger("autosmote")

FAILED, MISTAKE, INTERRUPTED = 1, 2, 130


class RunFailed(Exception):
    """A run in another process than the command's has failed, and has said why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line asks for.

    Parameters
    ----------
    argv : sequence of str, optional
        Overrides and flags as on the command line, which is the default.

    Returns
    -------
    int
        The exit status.
    """
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    arguments = list(sys.argv[1:] if argv is None else argv)
    register_schema()
    codes: list[int] = []
    here = os.getpid()

    def job(settings: "DictConfig") -> None:
        code = _job(settings)
        codes.append(code)
        if code and os.getpid() != here:  # a launcher's process, whose `codes` nobody reads
            raise RunFailed(code)

    decorate = hydra.main(config_path=str(CONF_DIR), config_name="config", version_base="1.3")
    with ExitStack() as stack:
        stack.enter_context(_logging_to_stderr())
        stack.enter_context(_sigterm_as_interrupt())
        if sweep := [word for word in arguments if word in ("-m", "--multirun")]:
            # First, since Hydra's parser does not find settings on both sides of a flag.
            arguments = sweep[:1] + [word for word in arguments if word not in sweep]
            # Hydra notes a sweep's settings in a folder; nobody needs it afterwards.
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="autosmote-"))
            arguments.append(f"hydra.sweep.dir='{scratch}'")
        stack.enter_context(_as_command_line(arguments))
        try:
            decorate(job)()
        except RunFailed as failure:
            return failure.code
        except (HydraException, OmegaConfBaseException) as error:
            print(f"autosmote: {explain(error)}", file=sys.stderr)
            return MISTAKE
        except KeyboardInterrupt:
            print("autosmote: interrupted", file=sys.stderr)
            return INTERRUPTED
    return max(codes, default=0)


def _job(settings: "DictConfig") -> int:
    """One job of Hydra's: run, and say what is wrong with the input; returns the exit status."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        config = OmegaConf.to_object(settings)
        assert isinstance(config, Config)
        return run(config)
    except (OmegaConfBaseException, UserError) as error:
        sentence = error if isinstance(error, UserError) else explain(error)
        print(f"autosmote: {sentence}", file=sys.stderr)
        return MISTAKE


def run(config: Config) -> int:
    """Do one run, unless its record exists, and leave its record.

    Returns
    -------
    int
        0 if the record is ok, 1 if the run failed.

    Raises
    ------
    UserError
        For mistakes in the settings or the data; nothing is written then.
    KeyboardInterrupt
        After partial.json was written.
    """
    validate(config)
    search = _search_config(config)
    records.check_writable(config.results_dir)
    # Imported here, because `--help` needs none of it.
    from autosmote.classifiers import make_classifier, make_sampler
    from autosmote.datasets import load_dataset
    from autosmote.evaluation import evaluate
    from autosmote.splits import make_split

    dataset = load_dataset(
        config.dataset.name,
        data_dir=config.data_dir,
        path=config.dataset.path,
        target=config.dataset.target,
    )
    split = make_split(dataset, ir=config.ir, seed=config.seed, fit_on=config.preprocess.fit_on)
    identity = records.identity(config, dataset.fingerprint)
    folder = records.run_folder(config.results_dir, identity)
    code = _code_of_existing(folder, config)
    if code is not None:
        return code
    estimator = make_classifier(config.clf)
    if config.sampler._target_ is not None:
        make_sampler(config.sampler, config.seed)  # a mistake in its settings is said at once
    logger.info("%s", _headline(config, split))

    def make_record(status: str, **found: Any) -> dict[str, Any]:
        return records.make_record(
            config, identity, status=status, data_source=dataset.source, **found
        )

    progress = Progress(config.search.iterations, config.metric) if search else None
    try:
        with progress or nullcontext():
            evaluation = evaluate(
                split,
                config.sampler,
                estimator,
                metric=config.metric,
                seed=config.seed,
                search=search,
                on_iteration=progress.update if progress else None,
            )
    except UserError:
        raise
    except KeyboardInterrupt as interrupt:
        partial = make_record("interrupted", search=getattr(interrupt, "result", None))
        _keep_partial(folder, partial, getattr(interrupt, "result", None), config, split)
        raise
    except Exception as error:
        traceback.print_exc()
        status = "memory" if isinstance(error, MemoryError) else "failed"
        records.write_json(folder, "record.json", make_record(status, error=describe_error(error)))
        print(f"autosmote: the run failed; its record: {folder}", file=sys.stderr)
        return FAILED
    record = make_record(evaluation.status, evaluation=evaluation, error=evaluation.error)
    _keep(folder, record, evaluation, config, split)
    print(summary(record, folder))
    return 0 if evaluation.status == "ok" else FAILED


def summary(record: dict[str, Any], folder: Path) -> str:
    """The short table at the end of a run."""
    lines = [
        f"{'':24}{'validation':^22}{'test':^22}",
        f"{'':24}{'macro_f1':>10}{'mcc':>10}  {'macro_f1':>10}{'mcc':>10}",
    ]
    rows = {record["sampler"]: record["scores"], "no resampling": record["reference"]}
    if record["imputed"]:
        rows = {f"{record['sampler']} (imputed)": record["scores"]}
    elif record["sampler"] == "none":
        rows = {"no resampling": record["reference"]}
    for name, scores in rows.items():
        cells = [
            f"{scores[part][metric]:>10.4f}"
            for part in ("validation", "test")
            for metric in ("macro_f1", "mcc")
        ]
        lines.append(f"{name:24}{cells[0]}{cells[1]}  {cells[2]}{cells[3]}")
    facts = [f"{record['n_synthetic']} synthetic rows", f"{record['seconds']['total']:.1f} s"]
    if record["ratio"] is not None:
        facts.insert(1, f"ratio {record['ratio']:g}")
    if record["search"]:
        facts.insert(1, f"best of {record['iterations']} iterations")
    if record["error"]:
        lines.append(f"{record['sampler']} failed: {record['error']}")
    return "\n".join([*lines, ", ".join(facts), f"record: {folder / 'record.json'}"])


def _search_config(config: Config) -> SearchConfig | None:
    """The search's checked settings; None for any other sampler."""
    if config.sampler.name != "autosmote":
        return None
    config.search.check()
    if config.search.device == "cuda":
        resolve_device(config.search.device)  # before any work, not after the data are loaded
    return config.search


def _code_of_existing(folder: Path, config: Config) -> int | None:
    """What an existing record means for this run; None if the run is to be done."""
    old = records.read_record(folder)
    if old is None or config.force:
        return None
    where = folder / "record.json"
    if old["status"] == "ok":
        score = old["scores"]["test"][config.metric]
        print(f"Done before, test {config.metric} {score:.4f}: {where} (force=true runs it again).")
        return 0
    if config.retry == "failed":
        return None
    print(f"Failed before ({old['error']}): {where} (retry=failed runs it again).")
    return FAILED


def _headline(config: Config, split: "Split") -> str:
    n_min = int(split.y_train.sum())
    return (
        f"{_title(config)}: {len(split.y_train) - n_min} majority and {n_min} minority training "
        f"rows, {split.X_train.shape[1]} features"
    )


def _title(config: Config) -> str:
    ir = "own IR" if config.ir is None else f"IR {config.ir:g}"
    return (
        f"{config.dataset.name}, {ir}, {config.clf.name}, {config.sampler.name}, seed {config.seed}"
    )


def _keep(
    folder: Path, record: dict[str, Any], evaluation: "Evaluation", config: Config, split: "Split"
) -> None:
    """Write all of a run's files, the record last."""
    if evaluation.search is not None:
        from autosmote.plots import plot_curve

        history = evaluation.search.history
        records.write_history(folder, history)
        records.write_counts(folder, evaluation.search.counts)
        reference = evaluation.reference["validation"][config.metric]
        records.write_file(
            folder / "curve.png",
            lambda path: plot_curve(
                history, path, metric=config.metric, title=_title(config), reference=reference
            ),
        )
    if config.save_data:
        records.write_training_part(folder, evaluation.X, evaluation.y, split.feature_names)
    records.write_json(folder, "record.json", record)
    (folder / "partial.json").unlink(missing_ok=True)


def _keep_partial(
    folder: Path, partial: dict[str, Any], result: Any, config: Config, split: "Split"
) -> None:
    """Write what an interrupted run has; the files of a finished run of before stay as they are."""
    if result is not None and not (folder / "record.json").exists():
        records.write_history(folder, result.history)
        records.write_counts(folder, result.counts)
        if config.save_data:
            import numpy as np

            X = np.vstack([split.X_train, result.X_synthetic])
            y = np.concatenate([split.y_train, np.ones(len(result.X_synthetic), np.int8)])
            records.write_training_part(folder, X, y, split.feature_names)
    records.write_json(folder, "partial.json", partial)
    print(f"autosmote: what there is so far: {folder / 'partial.json'}", file=sys.stderr)


@contextmanager
def _logging_to_stderr() -> Iterator[None]:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def _as_command_line(arguments: list[str]) -> Iterator[None]:
    """Give Hydra its arguments, and make it raise its errors instead of printing them."""
    argv, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [argv[0], *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = argv
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM, with which schedulers end a job, be as clean an end as Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


if __name__ == "__main__":
    sys.exit(main())
