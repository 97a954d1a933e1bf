"""Gains of the class-aware search at equal budgets, and what is said of its claims."""

import hashlib

import pandas as pd
import pytest

from autosmote.errors import UserError
from autosmote.records.collected import read_records
from autosmote.reports import names
from autosmote.reports.report import TITLES, build_report, write_figures, write_tables
from autosmote.reports.studies.class_aware.findings import _CLAIMED
from autosmote.reports.studies.class_aware.study import CLAIMED_OVER, EXPERIMENTS

GAINS = {"class_aware": 0.04, "class_aware random": 0.01, "autosmote": 0.01, "smote": 0.02}
ARMS = (
    *("class_aware", "class_aware crossfit diverse vote 25", "class_aware random"),
    *("autosmote", "smote", "smote crossfit diverse vote 25", "threshold", "none crossfit"),
)
DIVERSE = " crossfit diverse vote 25"


def grid(arm):
    """Return the plan's columns of an arm of these tests."""
    if arm.endswith(DIVERSE):
        rule = {"reward": "crossfit", "final": "diverse_vote", "keep": 25}
        return {"source": arm.removesuffix(DIVERSE), **rule}
    reward = "crossfit" if arm.endswith(" crossfit") else "validation"
    source = arm.removesuffix(" crossfit")
    return {"source": source, "reward": reward, "final": "best", "keep": None}


def change(record):
    """Scores that differ far more between runs than between arms; knn gains nothing."""
    run = "/".join(str(record[k]) for k in ("dataset", "ir", "clf", "metric", "seed"))
    base = 0.3 + 0.4 * int(hashlib.sha256(run.encode()).hexdigest()[:8], 16) / 16**8
    arm = record["sampler"]
    own = int(hashlib.sha256(f"{run}{arm}".encode()).hexdigest()[:8], 16) / 16**8
    gain = GAINS.get(grid(arm)["source"], 0.0) * (record["clf"] != "knn")
    for part, less in (("test", 0.0), ("extended", 0.01), ("validation", 0.0)):
        score = base + gain + 0.004 * (own - 0.5) - less
        record["scores"][part] = dict.fromkeys(names.METRICS, score)
        record["reference"][part] = dict.fromkeys(names.METRICS, base)
    record["iterations"] = 300
    return record


def report(bench_reports, folder, experiment="class_aware", **settings):
    small = {"arms": ARMS, "datasets": ["phoneme", "mozilla4"], "irs": [20, 100], "seeds": 2}
    small |= {"clfs": ["knn", "dt"], "extended": True, "change": change, "grid": grid}
    bench_reports.make_sweep(folder, experiment, "quick", **(small | settings))
    return build_report(folder, experiment, "quick")


def test_gains_are_those_over_smote_by_the_same_rule_in_each_group(bench_reports, tmp_path):
    made = report(bench_reports, tmp_path)
    write_tables(made)
    (found,) = [table for table in made.tables if table.name == "class_aware_gains"]
    frame = pd.read_csv(tmp_path / "class_aware/tables/quick/class_aware_gains.csv")
    assert len(frame) == len(found.data)
    of = frame[(frame["question"] == "gains") & (frame["metric"] == "mcc")].set_index(
        ["arm", "group"]
    )
    assert of.loc[("class_aware", "dt"), "extended"] == pytest.approx(0.02, abs=0.003)
    assert of.loc[("class_aware", "knn"), "extended"] == pytest.approx(0, abs=0.003)
    assert of.loc[("class_aware", "overall"), "test"] == pytest.approx(0.01, abs=0.003)
    assert of.loc[("class_aware" + DIVERSE, "overall"), "against"] == "smote" + DIVERSE
    assert set(of.loc["class_aware"].index) == {"overall", "knn", "dt", "IR 20", "IR 100"}
    assert of.loc[("class_aware", "overall"), "configurations"] == 8
    assert of.loc[("class_aware", "overall"), "extended_low"] > 0
    assert pd.isna(of.loc[("class_aware", "dt"), "extended_low"])  # four configurations
    assert "smote" not in of.index.get_level_values("arm")
    assert "n = 8" in " ".join(found.header)


@pytest.mark.parametrize(
    ("experiment", "above", "below"),
    [
        ("class_aware", "holds on the deciding seeds, +0.0", "does not hold: it is worse, -0.0"),
        ("class_aware_confirmation", "confirmed, +0.0", "contradicted, -0.0"),
    ],
)
def test_findings_say_of_each_claim_whether_it_holds_and_over_what(
    bench_reports, tmp_path, monkeypatch, experiment, above, below
):
    monkeypatch.setitem(GAINS, "autosmote", 0.08)
    texts = report(bench_reports, tmp_path, experiment).findings
    start = "MCC: the class-aware search by rule best with reward validation "

    def of(claim):
        (text,) = [text for text in texts if text.startswith(start + claim)]
        return text.removeprefix(start + claim)

    smote = of("gains over SMOTE's seeds and ratios: ")
    assert smote.startswith(above) and "95% interval" in smote
    assert smote.endswith("on the extended test over 8 configurations and 16 runs.")
    assert of("gains over the paper's search: ").startswith(below)
    assert of("gains over one classifier with a tuned threshold: ").startswith(above)
    assert len([text for text in texts if "rule diverse vote 25 with reward crossfit" in text]) == 6


@pytest.mark.parametrize("experiment", ["class_aware", "class_aware_confirmation"])
def test_seconds_of_runs_beside_other_work_are_not_reported(bench_reports, tmp_path, experiment):
    tables = [table.name for table in report(bench_reports, tmp_path, experiment).tables]
    assert (f"{experiment}_costs" in tables) == (experiment == "class_aware")
    assert "failures" in tables[-1]


def test_findings_of_four_configurations_conclude_nothing(bench_reports, tmp_path):
    texts = report(bench_reports, tmp_path, clfs=["dt"]).findings
    claims = [text for text in texts if "the class-aware search by rule" in text]
    assert claims and all("too few configurations to say" in text for text in claims)


def test_ablations_are_compared_with_the_search_itself_and_budgets_with_smotes(
    bench_reports, tmp_path
):
    arms = ("class_aware", "class_aware n", "class_aware 100", "smote 100", "class_aware 300")
    made = report(bench_reports, tmp_path, "class_aware_ablations", arms=arms)
    (table,) = [table for table in made.tables if table.name == "class_aware_ablations_gains"]
    of = table.data.drop_duplicates("arm").set_index("arm")["against"].to_dict()
    assert of == {"class_aware n": "class_aware", "class_aware 100": "smote 100"}
    assert "number of rows alone" in str(table.rows)


def test_a_learned_start_is_compared_with_what_its_classifiers_could_have_been(
    bench_reports, tmp_path
):
    arms = ("class_aware crossfit", "class_aware started crossfit", "class_aware 60 crossfit")
    arms += ("class_aware started 60 crossfit", "smote crossfit")
    made = report(bench_reports, tmp_path, "class_aware_start", arms=arms)
    (table,) = [table for table in made.tables if table.name == "class_aware_start_gains"]
    claims = table.data[table.data["question"] == "claims"].drop_duplicates(["arm", "against"])
    of_started = claims[claims["source"] == "class_aware started 60"]["against"]
    assert set(of_started) == {"class_aware crossfit", "class_aware 60 crossfit", "smote crossfit"}
    of_started = claims[claims["source"] == "class_aware started"]["against"]
    assert of_started.tolist() == ["class_aware crossfit"]
    start = "MCC: the class-aware search, learned start, 60 classifiers by rule best"
    assert len([text for text in made.findings if text.startswith(start)]) == 3


def test_rules_are_compared_with_the_best_set_of_the_same_source(bench_reports, tmp_path):
    """Where the vote gains as much for each source, it is said of each."""

    def voted(record):
        record = change(record)
        for part in record["scores"].values():
            for metric in part:
                part[metric] += 0.03 * ("vote" in record["sampler"])
        return record

    arms = ("class_aware", "class_aware crossfit", "class_aware" + DIVERSE)
    arms += ("smote", "smote crossfit", "smote" + DIVERSE, "threshold", "none crossfit")
    made = report(bench_reports, tmp_path, change=voted, arms=arms)
    (table,) = [table for table in made.tables if table.name == "class_aware_rules"]
    of = table.data[table.data["metric"] == "mcc"].set_index(["arm", "group"])
    for source in ("class_aware", "smote"):
        row = of.loc[(source + DIVERSE, "overall")]
        assert row["against"] == f"{source} crossfit"
        assert row["extended"] == pytest.approx(0.03, abs=0.003) and row["extended_low"] > 0
        assert of.loc[(source, "dt"), "extended"] == pytest.approx(0, abs=0.003)
    assert set(table.data["source"]) == {"class_aware", "smote"}
    (text,) = [text for text in made.findings if text.startswith("MCC: rule diverse vote 25")]
    assert " to Class-aware search and +0.03" in text and text.endswith(
        " to SMOTE on the extended test, over 8 configurations of the deciding seeds."
    )


def test_differences_are_those_of_pandas_on_the_runs_that_both_have(bench_reports, tmp_path):
    """Where an arm lacks the runs that are easy, its mean is low and its difference is not."""

    def without_the_easy(record):
        record = change(record)
        easy = record["reference"]["test"]["mcc"] > 0.5
        return None if easy and record["sampler"] == "class_aware" else record

    made = report(bench_reports, tmp_path, change=without_the_easy, seeds=3)
    data = made.tables[0].data
    records = read_records(tmp_path / "class_aware")
    for block, seeds in {"decided": (0, 1), "confirmed": (2,)}.items():
        rows = records[(records["metric"] == "mcc") & records["seed"].isin(seeds)]
        scores = rows.pivot_table(
            index=["dataset", "ir", "clf", "seed"], columns="sampler", values="scores.test.mcc"
        )
        difference = (scores["class_aware"] - scores["smote"]).dropna()
        assert 0 < len(difference) < len(scores)
        (row,) = data[
            (data["arm"] == "class_aware")
            & (data["question"] == "gains")
            & (data[["metric", "group", "block"]] == ["mcc", "overall", block]).all(axis=1)
        ].to_dict("records")
        assert row["test"] == pytest.approx(difference.mean(), rel=1e-6)
        assert row["runs"] == len(difference)


def test_a_missing_arm_leaves_the_other_comparisons(bench_reports, tmp_path):
    def without(record):
        return None if record["sampler"] == "autosmote" else change(record)

    texts = report(bench_reports, tmp_path, change=without).findings
    assert any("gains over SMOTE's seeds and ratios: holds" in text for text in texts)
    (text,) = [t for t in texts if t.startswith("MCC") and "the paper's search" in t]
    assert "too few configurations to say" in text


def test_a_plan_without_records_has_tables_and_no_figure(bench_reports, tmp_path):
    def nothing(record):
        change(record)

    made = report(bench_reports, tmp_path, change=nothing)
    assert (made.tables[0].data["runs"] == 0).all() and made.draw() == []


def test_a_plan_without_sources_is_refused(bench_reports, tmp_path):
    with pytest.raises(UserError, match="does not name sources and rules; make it again"):
        report(bench_reports, tmp_path, grid=lambda arm: {})


def test_each_claim_is_in_words():
    assert set(_CLAIMED) == {rival for rivals in CLAIMED_OVER.values() for rival in rivals}


def test_figure_is_drawn_once_and_the_same_each_time(bench_reports, tmp_path):
    first = [path.read_bytes() for path in write_figures(report(bench_reports, tmp_path))]
    again = [path.read_bytes() for path in write_figures(report(bench_reports, tmp_path))]
    assert len(first) == 3 and first == again


def test_experiments_have_titles():
    assert set(EXPERIMENTS) <= set(TITLES)
