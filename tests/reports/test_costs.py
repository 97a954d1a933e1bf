"""Seconds are in the tables and figures of costs alone."""

import gzip
import hashlib

import pandas as pd
import pytest
from made_up_scores import give_scores

from autosmote import reports
from autosmote.records.collected import COSTS
from autosmote.reports.report import build_report

EXPERIMENTS = {
    "table2": {"arms": ["none", "smote", "autosmote"], "beside": ["smote_search"]},
    "class_aware": {"arms": ["autosmote", "smote"]},
}


def grid(arm):
    return {"source": arm, "reward": "validation", "final": "best", "keep": None}


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_records_that_differ_in_costs_alone_give_the_same_other_files(
    make_sweep, tmp_path, experiment
):
    more = {"grid": grid} if experiment == "class_aware" else {}
    make_sweep(
        experiment, **EXPERIMENTS[experiment], **more, extended=True, datasets=["phoneme"],
        irs=[20], seeds=1, change=give_scores({"autosmote": 0.1}),
    )  # fmt: skip
    folder = tmp_path / experiment

    def write():
        paths = reports.write(tmp_path, experiment, "paper")
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    first = write()
    costs = pd.read_csv(folder / COSTS)
    costs["seconds.total"] *= 3.7
    costs["peak_memory_mb"] += 11
    (folder / COSTS).write_bytes(gzip.compress(costs.to_csv(index=False).encode()))
    second = write()
    assert first.keys() == second.keys()
    moved = {name for name in first if first[name] != second[name]}
    expected = {f"{experiment}_costs.{form}" for form in ("csv", "md", "tex")}
    if experiment == "table2":
        expected |= {f"{experiment}_cost.{form}" for form in ("svg", "png")}
    assert moved == expected


def test_costs_are_medians_of_runs_and_hours_of_all(make_sweep, tmp_path):
    def cost(record):
        record["seconds"]["total"] = 3600.0 * (1 + record["seed"])
        return record

    make_sweep(
        arms=["none", "autosmote"], datasets=["phoneme"], irs=[20], clfs=["dt"], seeds=3,
        change=cost,
    )  # fmt: skip
    (table,) = [t for t in build_report(tmp_path, "table2", "paper").tables if "costs" in t.name]
    row = table.data.set_index(["metric", "arm"]).loc["mcc", "autosmote"]
    assert (row["runs"], row["seconds"], row["hours"]) == (3, 7200, 6)
    assert [cell.text for cell in table.rows[1]] == [
        "AutoSMOTE",
        "6",
        "7200.0",
        "7200.0",
        "12.00",
        "500",
    ]


def test_costs_that_are_gone_leave_an_empty_table(make_sweep, tmp_path):
    make_sweep(arms=["none", "autosmote"], datasets=["phoneme"], irs=[20, 50], seeds=1)
    (tmp_path / "table2" / COSTS).unlink()
    report = build_report(tmp_path, "table2", "paper")
    (table,) = [table for table in report.tables if "costs" in table.name]
    assert table.rows == []
    assert "table2_cost" not in [figure.name for figure in report.draw()]
