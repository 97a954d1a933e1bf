"""Tables, figures and one page from collected records; reads records, never runs anything."""

from __future__ import annotations

from pathlib import Path


def write(
    results_dir: str | Path, experiment: str, budget: str, allow_missing: bool = False
) -> list[Path]:
    """Write the tables and figures of an experiment from its collected records.

    Parameters
    ----------
    results_dir : str or Path
    experiment, budget : str
        <results_dir>/<experiment> holds the records, and plans/<budget>.csv.gz.
    allow_missing : bool
        Mark cells without a score instead of refusing them.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    UserError
        If cells are missing, with a list; or if there is no plan, or records of different
        protocol versions or data are mixed.
    """
    from autosmote.records.claims import wait_for_claim
    from autosmote.records.files import remove_leftovers
    from autosmote.reports.report import build_report, write_figures, write_tables
    from autosmote.reports.study import refuse_missing

    report = build_report(results_dir, experiment, budget)
    if not allow_missing:
        refuse_missing(report.study)
    with wait_for_claim(results_dir, [f"report {experiment}"]):
        for part in ("tables", "figures"):
            remove_leftovers(report.study.folder / part / budget)
        return write_tables(report) + write_figures(report)
