"""Differences between rules are found, run by run, and told apart by the seeds."""

import hashlib
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from autosmote import reports
from autosmote.errors import UserError
from autosmote.records.collected import read_plan, read_records
from autosmote.reports import names
from autosmote.reports.cells import make_cells
from autosmote.reports.report import build_report, write_tables
from autosmote.reports.studies.selection.questions import (
    Selection,
    choose_rules,
    read_selections,
)
from autosmote.reports.study import load_study

ARMS = (
    *("autosmote", "autosmote vote 25", "autosmote vote 10", "autosmote crossfit"),
    *("random", "random vote 25", "smote", "smote vote 25", "bagging vote 25", "none crossfit"),
)
VOTE, SPACE, ROWS = 0.02, 0.015, 0.01
SEARCH = {"reward": "validation", "final": "best", "folds": 5, "keep": 25}


def grid(arm):
    """Return the plan's columns of an arm of these tests."""
    source, _, rule = arm.partition(" ")
    reward, final, keep = {
        "": ("validation", "best", None),
        "vote 10": ("validation", "vote", 10),
        "vote 25": ("validation", "vote", 25),
        "crossfit": ("crossfit", "best", None),
    }[rule]
    return {"source": source, "reward": reward, "final": final, "keep": keep}


def gain(arm, seed):
    """Return what an arm is made to gain on the test part over no resampling."""
    what = grid(arm)
    found = {"autosmote": SPACE, "random": SPACE}.get(what["source"], 0.0)
    found += VOTE * (what["keep"] == 25) + ROWS * (what["reward"] == "crossfit")
    if what["keep"] == 10:  # looks good to whoever decides, and is not
        found += 0.04 if seed in (0, 1) else -0.03
    return found


def change(record):
    """Scores that differ far more between runs than between arms."""
    run = "/".join(str(record[k]) for k in ("dataset", "ir", "clf", "metric", "seed"))
    base = 0.3 + 0.5 * int(hashlib.sha256(run.encode()).hexdigest()[:8], 16) / 16**8
    own = int(hashlib.sha256(f"{run}{record['sampler']}".encode()).hexdigest()[:8], 16) / 16**8
    test = base + gain(record["sampler"], record["seed"]) + 0.004 * (own - 0.5)
    none = record["sampler"].startswith("none")
    for part, score in (("test", test), ("validation", test + 0.05 * (not none))):
        record["scores"][part] = dict.fromkeys(names.METRICS, score)
        record["reference"][part] = dict.fromkeys(names.METRICS, base)
    record["iterations"] = 1000
    record["config"] |= {"search": SEARCH, "sampler": {"kind": "search", "params": {}}}
    return record


def write(bench_reports, folder, experiment="selection", budget="quick", **settings):
    """Write a sweep of known gains and its tables; returns a function that reads one."""
    small = {"arms": ARMS, "datasets": ["phoneme", "mozilla4"], "irs": [20, 100], "seeds": 3}
    settings = small | {"change": change, "grid": grid} | settings
    bench_reports.make_sweep(folder, experiment, budget, **settings)
    write_tables(build_report(folder, experiment, budget))
    return lambda name: pd.read_csv(
        folder / experiment / "tables" / budget / f"{experiment}_{name}.csv",
        keep_default_na=False,
        na_values=[""],
    )


@pytest.fixture
def make_selection(bench_reports, tmp_path):
    return partial(write, bench_reports, tmp_path)


@pytest.fixture(scope="module")
def standard_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("standard")


@pytest.fixture(scope="module")
def standard(bench_reports, standard_folder):
    """All arms, all runs."""
    return write(bench_reports, standard_folder)


def by_pair(frame):
    return frame.set_index(["block", "question", "arm", "against"]).sort_index()


def test_known_gains_are_estimated(standard):
    gains = by_pair(standard("gains_mcc"))
    expected = {
        ("rule", "autosmote vote 25", "autosmote"): VOTE,
        ("rule", "smote vote 25", "smote"): VOTE,
        ("learning", "autosmote vote 25", "random vote 25"): 0,
        ("space", "random", "smote"): SPACE,
        ("sampler", "autosmote vote 25", "bagging vote 25"): SPACE,
        ("reward", "autosmote crossfit", "autosmote"): ROWS,
        ("rows", "autosmote crossfit", "none crossfit"): SPACE,
    }
    for pair, known in expected.items():
        row = gains.loc[("all", *pair)]
        assert row["test"] == pytest.approx(known, abs=0.001)
        assert row["test_low"] < row["test"] < row["test_high"]
        assert (row["test_low"] > 0) == (known > 0)
        assert (row["configurations"], row["runs"]) == (16, 48)
        assert row["wins"] == 16 if known else 0 < row["wins"] < 16
        assert (row["p"] < 0.001) == (known > 0)


def test_differences_equal_those_of_pandas_and_scipy(standard, standard_folder):
    """From the committed files alone: by pandas and scipy."""
    gains = by_pair(standard("gains_macro_f1"))
    records = read_records(standard_folder / "selection").query("metric == 'macro_f1' and seed < 2")
    scores = records.pivot_table(
        index=["dataset", "ir", "clf"], columns="sampler", values="scores.test.macro_f1"
    )
    for (_, arm, against), row in gains.loc["decided"].iterrows():
        difference = scores[arm] - scores[against]
        assert row["test"] == pytest.approx(difference.mean(), rel=1e-4)
        assert row["p"] == pytest.approx(wilcoxon(difference).pvalue, rel=1e-4)
        assert row["wins"] == (difference > 0).sum()
    assert (gains.loc["decided", "p_holm"] >= gains.loc["decided", "p"]).all()


def test_runs_are_paired(make_selection):
    """Where an arm lacks the runs that are easy, its mean is low and its difference is not."""

    def without_the_easy(record):
        record = change(record)
        easy = record["reference"]["test"]["mcc"] > 0.55
        return None if easy and record["sampler"] == "autosmote vote 25" else record

    read = make_selection(change=without_the_easy, arms=["autosmote", "autosmote vote 25"])
    arms = read("arms_mcc").query("block == 'all'").set_index("arm")
    row = by_pair(read("gains_mcc")).loc[("all", "rule", "autosmote vote 25", "autosmote")]
    assert arms.loc["autosmote vote 25", "runs"] < arms.loc["autosmote", "runs"] == 48
    assert row["runs"] == arms.loc["autosmote vote 25", "runs"] < row["runs_planned"] == 48
    assert row["test"] == pytest.approx(VOTE, abs=0.001)
    # An unpaired interval would be as wide as the scores are spread, +-0.15.
    assert row["test_high"] - row["test_low"] < 0.002


def test_differences_of_deciding_seeds_are_judged_by_the_confirming_one(standard, standard_folder):
    gains = by_pair(standard("gains_mcc"))
    pairs = {"vote 25": "confirmed", "vote 10": "reversed"}
    for rule, verdict in pairs.items():
        pair = ("rule", f"autosmote {rule}", "autosmote")
        assert gains.loc[("confirmed", *pair), "held"] == verdict
        assert gains.loc[("decided", *pair), "test_low"] > 0
    of_rescored = gains.xs(("rule", "autosmote vote 10", "autosmote"), level=(1, 2, 3))["test"]
    assert of_rescored["decided"] == pytest.approx(0.04, abs=0.001)
    assert of_rescored["confirmed"] == pytest.approx(-0.03, abs=0.001)
    assert of_rescored["all"] == pytest.approx((2 * 0.04 - 0.03) / 3, abs=0.001)
    tables = standard_folder / "selection" / "tables" / "quick"
    shown = (tables / "selection_gains_mcc.md").read_text()
    (line,) = [line for line in shown.splitlines() if "vote 10 | AutoSMOTE |" in line]
    assert line.endswith("| reversed |") and "Held" in shown

    study = load_study(standard_folder, "selection", "quick")
    cells = {metric: make_cells(study, metric) for metric in study.metrics}
    assert choose_rules(study, read_selections(study), cells) == [
        Selection("autosmote", "validation", "vote 10")
    ]
    text = " ".join(build_report(standard_folder, "selection", "quick").findings)
    assert "Tried with AutoSMOTE: 4 rules (3 with reward validation and 1 with" in text
    assert "on seeds 0 and 1, over all metrics, the best of them is rule vote 10" in text
    assert "what it adds to AutoSMOTE's best sample set: +0.040" in text


def test_conclusions_are_drawn_on_the_extended_test(make_selection, tmp_path):
    """The vote helps on the test part and harms on the extended test, by which is judged."""

    def turned(record):
        record = change(record)
        harm = -2 * VOTE if "vote" in record["sampler"] else 0.0
        for name, more in (("scores", harm), ("reference", 0.0)):
            score = record[name]["test"]["mcc"] + more
            record[name]["extended"] = dict.fromkeys(names.METRICS, score)
        return record

    arms = ["autosmote", "autosmote vote 25", "smote", "smote vote 25"]
    read = make_selection(change=turned, arms=arms, extended=True)
    rows = by_pair(read("gains_mcc"))
    pair = ("rule", "autosmote vote 25", "autosmote")
    row = rows.loc[("all", *pair)]
    assert row["test"] == pytest.approx(VOTE, abs=0.001)
    assert row["extended"] == pytest.approx(-VOTE, abs=0.001)
    assert row["losses"] == 16 and row["extended_high"] < 0
    assert rows.loc[("confirmed", *pair), "held"] == "confirmed"  # that it harms
    report = build_report(tmp_path, "selection", "quick")
    text = " ".join(report.findings)
    assert "By the mean score on the extended test" in text and "is rule best" in text
    tables = {table.name: table for table in report.tables}
    assert "All: extended gain [95%]" in tables["selection_arms_mcc"].header
    on = {row[4].text for row in tables["selection_by_classifier"].rows}
    assert on == {"test part", "extended test"}


def test_what_a_rule_adds_to_smote_belongs_to_the_rule(make_selection, tmp_path):
    make_selection(arms=["autosmote", "autosmote vote 25", "smote", "smote vote 25"])
    text = " ".join(build_report(tmp_path, "selection", "quick").findings)
    assert "rule vote 25: what it adds to SMOTE's, and so belongs to the rule: +0.020" in text
    assert "what it adds to AutoSMOTE beyond what it adds to SMOTE: +0.000" in text.replace(
        "-", "+"
    )


def test_arms_table_has_validation_gain_beside_test_gain(standard):
    arms = standard("arms_macro_f1").set_index(["block", "arm"])
    row = arms.loc["all", "smote vote 25"]
    assert row["test_gain"] == pytest.approx(VOTE, abs=0.001)
    assert row["validation_gain"] == pytest.approx(VOTE + 0.05, abs=0.001)
    assert (row["source"], row["reward"], row["rule"]) == ("smote", "validation", "vote 25")
    assert row["classifiers"] == 1001
    assert list(arms.loc["confirmed", "runs"].unique()) == [16]
    order = list(arms.loc["all"].index)
    assert order.index("autosmote vote 25") < order.index("autosmote crossfit")
    assert order[0] == "autosmote" and order[-1] == "none crossfit"


@pytest.mark.parametrize(
    ("protocol", "trained"), [(1, "on the training part."), (2, "on the same rows.")]
)
def test_gains_say_what_no_resampling_learned_from(make_selection, tmp_path, protocol, trained):
    def of_protocol(record):
        return change(record) | {"protocol_version": protocol}

    make_selection(change=of_protocol, arms=["autosmote", "autosmote crossfit", "none crossfit"])
    tables = {table.name: table for table in build_report(tmp_path, "selection", "quick").tables}
    notes = " ".join(tables["selection_arms_mcc"].notes)
    assert f"without synthetic rows on the same split, trained {trained}" in notes
    assert ("in the row of No resampling" in notes) == (protocol == 1)


def test_by_classifier_table_separates_classifiers(make_selection):
    def only_with_trees(record):
        record = change(record)
        if record["clf"] != "dt" and "vote" in record["sampler"]:
            for part in ("test", "validation"):
                for metric in names.METRICS:
                    record["scores"][part][metric] -= VOTE
        return record

    arms = ["autosmote", "autosmote vote 25", "smote", "smote vote 25"]
    found = make_selection(change=only_with_trees, arms=arms)("by_classifier")
    voted = found.query("metric == 'mcc' and arm == 'autosmote vote 25' and question == 'rule'")
    tests = voted.set_index(["block", "clf"])["test"]
    for block in ("all", "decided", "confirmed"):
        assert tests[block, "dt"] == pytest.approx(VOTE, abs=0.002)
        assert tests[block, "svm"] == pytest.approx(0, abs=0.002)
        assert tests[block, "overall"] == pytest.approx(VOTE / 4, abs=0.002)


@pytest.mark.parametrize("planned", [True, False])
def test_missing_arm_leaves_other_comparisons(make_selection, tmp_path, planned):
    def without(record):
        return None if record["sampler"] == "random vote 25" else change(record)

    arms = ["autosmote", "autosmote vote 25", "random", "random vote 25"]
    arms = arms if planned else arms[:-1]
    read = make_selection(change=without, arms=arms)
    gains = read("gains_mcc").query("arm == 'autosmote vote 25' and question == 'learning'")
    if planned:
        assert list(gains["runs"]) == [0, 0, 0] and gains[["test", "p"]].isna().all(axis=None)
        with pytest.raises(UserError, match="96 of 384 cells"):
            reports.write(tmp_path, "selection", "quick")
    else:
        assert gains.empty
    rest = by_pair(read("gains_mcc")).loc[("all", "rule", "autosmote vote 25", "autosmote")]
    assert (rest["runs"], rest["runs_planned"]) == (48, 48)


def test_plan_without_records_has_tables_and_no_figure(make_selection, tmp_path):
    def nothing(record):
        change(record)

    arms = make_selection(change=nothing, arms=["autosmote", "random"])("arms_mcc")
    assert (arms["runs"] == 0).all() and len(arms) == 6
    assert build_report(tmp_path, "selection", "quick").draw() == []


def test_arm_with_one_metric_and_fewer_seeds_is_compared_where_it_can(make_selection):
    def some(record):
        lacks = record["sampler"] == "smote" and (record["metric"] == "mcc" or record["seed"] == 2)
        return None if lacks else change(record)

    read = make_selection(change=some, arms=["autosmote", "random", "smote"])
    assert by_pair(read("gains_mcc")).loc["all", "space", "random", "smote"]["runs"] == 0
    found = by_pair(read("gains_macro_f1")).xs(("space", "random", "smote"), level=(1, 2, 3))
    assert dict(found["runs"]) == {"all": 32, "confirmed": 0, "decided": 32}
    assert np.isnan(found.loc["confirmed", "test"])


def test_confirmation_has_confirming_seeds_only(make_selection, tmp_path):
    arms = ["autosmote", "autosmote vote 25", "smote", "smote vote 25"]
    read = make_selection("selection_confirmation", arms=arms, irs=[50])
    assert set(read("arms_mcc")["block"]) == {"confirmed"}
    assert set(read("gains_mcc")["block"]) == {"confirmed"}
    assert "autosmote vote 25" in set(read("by_classifier")["arm"])
    text = " ".join(build_report(tmp_path, "selection_confirmation", "quick").findings)
    assert "on seeds 0, 1 and 2" in text and "the best of them" not in text
    folder = tmp_path / "selection_confirmation" / "tables" / "quick"
    table = (folder / "selection_confirmation_arms_mcc.md").read_text()
    assert "Confirmed: 3 seeds (0, 1, 2), not all of which are new." in table


def test_few_configurations_have_no_intervals(make_selection):
    read = make_selection(budget="smoke", datasets=["toy"], irs=[None], seeds=2)
    gains = read("gains_mcc")
    assert set(gains["block"]) == {"decided"} and (gains["configurations"] == 4).all()
    assert gains[["p", "p_holm", "test_low", "test_high"]].isna().all(axis=None)
    assert gains["held"].isna().all()


def test_a_plan_without_sources_is_refused(make_selection):
    with pytest.raises(UserError, match="does not name sources and rules; make it again"):
        make_selection(arms=["autosmote"], grid=lambda arm: {})


def test_twice_is_the_same_to_the_byte(make_selection, tmp_path):
    """In another process too, where sets have another order."""
    make_selection(datasets=["toy"], irs=[None, 20], arms=ARMS[:4])
    reports.write(tmp_path, "selection", "quick")

    def digests():
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    first = digests()
    assert {path.suffix for path in first} >= {".csv", ".md", ".tex", ".svg", ".png"}
    for part in ("tables", "figures"):  # what a killed process had begun to write is cleared away
        (tmp_path / "selection" / part / "quick" / f".{'0' * 32}-half").touch()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "autosmote.reports",
            f"results_dir={tmp_path}",
            "experiment=selection",
        ],
        env={**os.environ, "PYTHONHASHSEED": "7", "MPLBACKEND": "svg"},
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
    )
    assert digests() == first
    assert len(read_plan(tmp_path / "selection", "quick")) == 2 * 4 * 2 * 3 * 4
