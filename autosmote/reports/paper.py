"""The paper's own numbers, as facts to compare with."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from autosmote.reports import names

# Committed in the clone that the project is installed from.
FOLDER = Path(__file__).resolve().parents[2] / "results" / "paper"

SLIPS = (
    "As printed in the paper: ClusterCentroids' overall MCC rank 14.58, where its six columns "
    "average 16.96, and CondensedNearestNeighbour's 17.19, where they average 17.26."
)
"""Of Table 2; the numbers are kept as printed."""


def read_paper_ranks(experiment: str) -> pd.DataFrame:
    """Read the average ranks as printed in Table 2, 3 or 4, whichever the experiment is of.

    Returns
    -------
    DataFrame
        arm, column (a dataset or "overall"), metric, rank, better (the triangle: AutoSMOTE is
        significantly better); empty for other experiments.
    """
    columns = ["arm", "column", "metric", "rank", "better"]
    readers = {"table2": _table2, "table3": _table3, "table4": _table4}
    table = "table2" if experiment in names.TABLE2_EXPERIMENTS else experiment
    if table not in readers:
        return pd.DataFrame(columns=columns)
    printed = pd.read_csv(FOLDER / f"{table}.csv", keep_default_na=False)
    return readers[table](printed)[columns].astype({"better": bool})


def _table2(printed: pd.DataFrame) -> pd.DataFrame:
    arms = {"arm": printed["sampler"].str.lower(), "column": printed["dataset"]}
    return _by_metric(printed.assign(**arms), "autosmote_better")


def _table3(printed: pd.DataFrame) -> pd.DataFrame:
    arms = {name: arm for arm, name in names.VARIANTS.items()}
    arms[names.arm(names.FULL)] = names.FULL
    renamed = printed.rename(columns={"autosmote_better": "better"})
    return renamed.assign(arm=printed["sampler"].map(arms), column=names.OVERALL)


def _table4(printed: pd.DataFrame) -> pd.DataFrame:
    arms = {name.replace("w/o", "without").lower(): arm for arm, name in names.ABLATIONS.items()}
    arms["full autosmote"] = names.FULL
    arm = printed["ablation"].str.lower().map(arms)
    return _by_metric(printed.assign(arm=arm, column=names.OVERALL), "full_better")


def _by_metric(wide: pd.DataFrame, better: str) -> pd.DataFrame:
    parts = [
        wide.assign(metric=metric, rank=wide[f"{metric}_rank"], better=wide[f"{metric}_{better}"])
        for metric in names.METRICS
    ]
    return pd.concat(parts, ignore_index=True)
