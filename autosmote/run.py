"""The command `python -m autosmote.run`: configuration in, one record out.

Exit status: 0 done (or done before), 1 the run failed, 2 a mistake of the user, 130 interrupted by
Ctrl-C, 143 by SIGTERM, 129 by SIGHUP; an interrupted search leaves the best so far, partial.json.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing import current_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autosmote.isolation.processes import end_with_parent, prepare_process

prepare_process()

from autosmote.config.commandline import FAILED, end_process, run_command
from autosmote.config.groups import members
from autosmote.config.schema import Config, register_schema, validate
from autosmote.config.targets import check_classifier
from autosmote.evaluation.results import score_table
from autosmote.records.files import check_writable, read_record

if TYPE_CHECKING:
    from autosmote.runs.in_process import Outcome
    from autosmote.runs.unit import Data, Run


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
    arguments = list(sys.argv[1:] if argv is None else argv)
    return run_command(_with_groups(arguments), "config", Config, _job)


def _with_groups(arguments: Sequence[str]) -> list[str]:
    """Read ``sampler=[smote,autosmote]`` as a group of these samplers."""
    found = []
    for word in arguments:
        key, _, value = word.partition("=")
        if key == "sampler" and value.startswith("[") and value.endswith("]"):
            found += ["sampler=all", "sampler.name=list", f"sampler.members={value}"]
        else:
            found.append(word)
    return found


def _job(config: Config) -> int:
    """Do one job of Hydra's; of several, each in a child process, so that a crash ends it alone."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN:
        return run(config)
    if "LokyProcess" in current_process().name:  # of hydra/launcher=joblib
        end_with_parent(os.getppid())
    if "BasicLauncher" not in hydra.launcher._target_ and config.search.actors == "auto":
        # The launcher's jobs use the cores.
        config = replace(config, search=replace(config.search, actors=0))
    return run(config, in_child=True)


def run(config: Config, *, in_child: bool = False) -> int:
    """Do what a configuration asks for, unless its records exist, and write its records.

    Parameters
    ----------
    config : Config
    in_child : bool
        Do a single run in a child process: if that crashes, its record says so, and this one goes
        on. Of several samplers or seeds each has a child always.

    Returns
    -------
    int
        0 if the record is ok, 1 if the run failed; for several samplers or seeds 1 only if one of
        them has no scores.

    Raises
    ------
    UserError
        For mistakes in the settings or the data; nothing is written then.
    KeyboardInterrupt
        After partial.json was written.
    """
    # Imported here, because `--help` needs none of it.
    from autosmote.runs.unit import Data, check_devices, plan

    validate(config)
    check_classifier(config.clf)
    is_group = config.sampler.kind == "group"
    samplers = members(config.sampler) if is_group else [config.sampler]
    check_writable(config.results_dir)
    data = Data()
    each = [
        replace(config, sampler=sampler, seed=config.seed + further, seeds=1)
        for further in range(config.seeds)  # the data of a seed are kept for all samplers
        for sampler in samplers
    ]
    units = plan(each, data)
    check_devices(run for unit in units for run in unit)
    if is_group or config.seeds > 1:
        from autosmote.sampler_group import compare

        return 0 if compare(config, units, data) else FAILED
    ((single,),) = units
    return _run_one(single, data, in_child)


def _run_one(run: Run, data: Data, in_child: bool) -> int:
    from autosmote.runs.execute import check_outcome, execute, execute_in_turn

    def do(run: Run) -> Outcome:
        return execute([run], data, in_child=in_child, show="all", mistakes_fail=False)

    outcome = [outcome for _, _, outcome in execute_in_turn(deque([run]), do) if outcome][-1]
    check_outcome(outcome)
    record = read_record(run.folder)
    assert record is not None
    if not outcome.statuses:
        return _code_of_existing(record, run.folder, run.config)
    if record["scores"] is None:
        print(f"autosmote: the run failed; its record: {run.folder}", file=sys.stderr)
        return FAILED
    print(summary(record, run.folder))
    return 0 if record["status"] == "ok" else FAILED


def summary(record: dict[str, Any], folder: Path) -> str:
    """Return the short table at the end of a run."""
    rows = {record["sampler"]: record["scores"], "no resampling": record["reference"]}
    if record["imputed"]:
        rows = {f"{record['sampler']} (imputed)": record["scores"]}
    elif record["sampler"] == "none":
        rows = {"no resampling": record["reference"]}
    lines = score_table(rows)
    facts = [f"{record['n_synthetic']} synthetic rows", f"{record['seconds']['total']:.1f} s"]
    if record["ratio"] is not None:
        facts.insert(1, f"ratio {record['ratio']:g}")
    if record["search"]:
        n = record["iterations"]
        facts.insert(1, f"best of {n} iterations" if n else "not searched")
    if record["error"]:
        lines.append(f"{record['sampler']} ({record['status']}): {record['error']}")
    judged = ["test"] + ["extended"] * bool(record["reference"]["extended"])
    of_parts = [
        f"{part.replace('extended', 'extended test')} {record['rows'][part][0]:,} majority and "
        f"{record['rows'][part][1]:,} minority rows"
        for part in judged
    ]
    return "\n".join(
        [*lines, "; ".join(of_parts), ", ".join(facts), f"record: {folder / 'record.json'}"]
    )


def _code_of_existing(record: dict[str, Any], folder: Path, config: Config) -> int:
    """Say what an existing record means for this run; return the exit status."""
    where = folder / "record.json"
    if record["status"] == "ok":
        score = record["scores"]["test"][config.metric]
        print(f"Done before, test {config.metric} {score:.4f}: {where} (force=true runs it again).")
        return 0
    print(f"Failed before ({record['error']}): {where} (retry=failed runs it again).")
    return FAILED


if __name__ == "__main__":
    end_process(main)
