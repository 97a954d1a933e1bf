"""The command: configuration in, one record out.

Exit status: 0 done (or done before), 1 the run failed, 2 a mistake of the user, 130 interrupted.
"""

import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from autosmote.config.commandline import FAILED, run_command
from autosmote.config.schema import (
    SEARCHES,
    Config,
    SamplerSettings,
    members,
    register_schema,
    search_settings,
    validate,
)
from autosmote.config.search import SearchConfig, resolve_device
from autosmote.errors import UserError
from autosmote.evaluation.results import score_table
from autosmote.metrics import METRICS
from autosmote.records import record as records

logger = logging.getLogger("autosmote")


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
    register_schema()
    return run_command(sys.argv[1:] if argv is None else argv, "config", Config, _job)


def _job(config: Config) -> int:
    """One job of Hydra's; of several, each in a child process, which may come to any end."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN:
        return run(config)
    if "BasicLauncher" not in hydra.launcher._target_ and config.search.actors == "auto":
        # The launcher's jobs use the cores.
        config = replace(config, search=replace(config.search, actors=0))
    return run(config, in_child=True)


def run(config: Config, *, in_child: bool = False) -> int:
    """Do what a configuration asks for, unless its records exist, and leave its records.

    Parameters
    ----------
    config : Config
    in_child : bool
        Do a single run in a child process: if that crashes, its record says so, and this one goes
        on.

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
        from autosmote.compare import compare

        return 0 if compare(config, samplers) else FAILED
    return _run_one(config, in_child)


def _run_one(config: Config, in_child: bool) -> int:
    # Imported here, because `--help` needs none of it.
    from autosmote.records.claims import leave_no_trace, wait_for_claim
    from autosmote.runs.unit import Data, headline, plan, run_unit

    data = Data()
    split = data.split(config)
    ((run,),) = plan([config], data)
    if in_child:
        from autosmote.runs.child import do_in_child, wait_while_taken, warm_fork_server

        if old := run.record():
            return _code_of_existing(old, run.folder, config)
        settings: dict[str, Any] = {"data": data, "quiet": False, "mistakes_fail": False}
        wait_while_taken(
            lambda: do_in_child([run], server=warm_fork_server(data, [run]), **settings)
        )
        record = records.read_record(run.folder)
    else:
        try:
            with wait_for_claim(config.results_dir, [run.key]):
                if old := run.record():
                    return _code_of_existing(old, run.folder, config)
                (record,) = run_unit(
                    [run], split, on_start=lambda: logger.info("%s", headline(config, split))
                )
        except UserError:
            leave_no_trace(config.results_dir)
            raise
    if record is None or record["scores"] is None:
        print(f"autosmote: the run failed; its record: {run.folder}", file=sys.stderr)
        return FAILED
    print(summary(record, run.folder))
    return 0 if record["status"] == "ok" else FAILED


def summary(record: dict[str, Any], folder: Path) -> str:
    """The short table at the end of a run."""
    rows = {record["sampler"]: record["scores"], "no resampling": record["reference"]}
    if record["imputed"]:
        rows = {f"{record['sampler']} (imputed)": record["scores"]}
    elif record["sampler"] == "none":
        rows = {"no resampling": record["reference"]}
    columns = [(part, metric) for part in ("validation", "test") for metric in METRICS]
    lines = score_table(
        {name: [scores[part][metric] for part, metric in columns] for name, scores in rows.items()}
    )
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
    if sampler.kind in SEARCHES:
        settings = search_settings(sampler, search)
        settings.check()
        if sampler.kind == "search" and settings.device == "cuda":
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


if __name__ == "__main__":
    sys.exit(main())
