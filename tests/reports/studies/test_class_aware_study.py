"""Gains of the class-aware search at equal budgets, and what is said of its claims."""

import hashlib

import pandas as pd
import pytest

from autosmote.reports import names
from autosmote.reports.report import TITLES, build_report, write_figures, write_tables
from autosmote.reports.studies.class_aware import EXPERIMENTS

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
    of = frame[(frame["what"] == "gains") & (frame["metric"] == "mcc")].set_index(["arm", "group"])
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


def test_figure_is_drawn_once_and_the_same_each_time(bench_reports, tmp_path):
    first = [path.read_bytes() for path in write_figures(report(bench_reports, tmp_path))]
    again = [path.read_bytes() for path in write_figures(report(bench_reports, tmp_path))]
    assert len(first) == 3 and first == again


def test_experiments_have_titles():
    assert set(EXPERIMENTS) <= set(TITLES)
