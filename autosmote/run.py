"""The command: configuration in, one record out.

Exit status: 0 done (or done before), 1 the run failed, 2 a mistake of the user, 130 interrupted.
"""

import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from autosmote import records
from autosmote.config import (
    CONF_DIR,
    Config,
    SamplerSettings,
    explain,
    members,
    register_schema,
    search_settings,
    validate,
)
from autosmote.errors import UserError
from autosmote.progress import logging_to_stderr
from autosmote.search_config import SearchConfig, resolve_device

if TYPE_CHECKING:
    from omegaconf import DictConfig

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
        stack.enter_context(logging_to_stderr())
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
    """Do what a configuration asks for, unless its records exist, and leave its records.

    Returns
    -------
    int
        0 if the record is ok, 1 if the run failed; for a group of samplers 1 only if one of them
        has no scores.

    Raises
    ------
    UserError
        For mistakes in the settings or the data; nothing is written then.
    KeyboardInterrupt
        After partial.json was written.
    """
    validate(config)
    is_group = config.sampler.kind == "group"
    samplers = members(config.sampler) if is_group else [config.sampler]
    for sampler in samplers:
        _check_search(sampler, config.search)
    records.check_writable(config.results_dir)
    if is_group:
        from autosmote.comparison import compare

        return 0 if compare(config, samplers) else FAILED
    return _run_one(config)


def _run_one(config: Config) -> int:
    # Imported here, because `--help` needs none of it.
    from autosmote.units import Data, headline, plan, run_unit

    data = Data()
    split = data.split(config)
    ((run,),) = plan([config], data)
    if old := run.record():
        return _code_of_existing(old, run.folder, config)
    (record,) = run_unit([run], split, on_start=lambda: logger.info("%s", headline(config, split)))
    if record["scores"] is None:
        print(f"autosmote: the run failed; its record: {run.folder}", file=sys.stderr)
        return FAILED
    print(summary(record, run.folder))
    return 0 if record["status"] == "ok" else FAILED


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
        lines.append(f"{record['sampler']} ({record['status']}): {record['error']}")
    return "\n".join([*lines, ", ".join(facts), f"record: {folder / 'record.json'}"])


def _check_search(sampler: SamplerSettings, search: SearchConfig) -> None:
    """Check a search's settings before any work, not after the data are loaded."""
    if sampler.kind == "search":
        settings = search_settings(sampler, search)
        settings.check()
        if settings.device == "cuda":
            resolve_device(settings.device)


def _code_of_existing(record: dict[str, Any], folder: Path, config: Config) -> int:
    """What an existing record means for this run."""
    where = folder / "record.json"
    if record["status"] == "ok":
        score = record["scores"]["test"][config.metric]
        print(f"Done before, test {config.metric} {score:.4f}: {where} (force=true runs it again).")
        return 0
    print(f"Failed before ({record['error']}): {where} (retry=failed runs it again).")
    return FAILED


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
