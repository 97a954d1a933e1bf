"""Scores on the extended test stand beside those on the test part, and are left out without."""

import numpy as np
import pytest
from made_up_scores import give_scores
from scipy.stats import wilcoxon

from autosmote.records.collected import read_records
from autosmote.reports.cells import make_cells
from autosmote.reports.report import build_report
from autosmote.reports.study import load_study

SMALL = {
    "arms": ["none", "smote", "autosmote"],
    "datasets": ["phoneme", "mozilla4"],
    "irs": [20, 50],
    "seeds": 2,
}
GAINS = {"smote": 0.1, "autosmote": 0.2}
TURNED = {"smote": 0.2, "autosmote": 0.1}


def tables(tmp_path, experiment="table2"):
    return {table.name: table for table in build_report(tmp_path, experiment, "paper").tables}


def column(table, head):
    place = table.titles.index(head)
    return {row[table.n_text - 1].text: row[place].text for row in table.rows}


def test_table2_has_ranks_on_both_tests(make_sweep, tmp_path):
    make_sweep(**SMALL, extended=True, change=give_scores(GAINS, extended=TURNED))
    found = tables(tmp_path)
    table = found["table2"]
    on_test, extended = (
        column(table, f"{head} (n = 16): MCC") for head in ("Overall", "Overall, extended")
    )
    assert on_test["AutoSMOTE"] == "1.00" and extended["AutoSMOTE"] == "2.00"
    assert table.titles[2:6] == [  # next to the name
        *("Overall (n = 16): Macro-F1", "Overall (n = 16): MCC"),
        *("Overall, extended (n = 16): Macro-F1", "Overall, extended (n = 16): MCC"),
    ]
    of_datasets = found["table2_extended"]
    assert column(of_datasets, "Phoneme (n = 8): MCC")["SMOTE"] == "1.00"
    assert not any(cell.beside for row in of_datasets.rows for cell in row)  # the paper has none
    statistics = found["table2_statistics_mcc"]
    assert column(statistics, "Rank [95%]")["AutoSMOTE"].startswith("1.00")
    assert column(statistics, "Rank, extended [95%]")["AutoSMOTE"].startswith("2.00")
    for head in ("Extended score [95%]", "Gain on extended"):
        assert "–" not in column(statistics, head).values()
    beside = {row[0].text: row[1].beside for row in found["table2_by_classifier_and_ratio"].rows}
    assert beside == {"No resampling": "3.00", "SMOTE": "1.00", "AutoSMOTE": "2.00"}


def test_the_confirmation_of_table2_is_in_its_layout_without_seconds(make_sweep, tmp_path):
    """Its runs stood beside other work."""
    name = "table2_confirmation"
    make_sweep(name, **SMALL, beside=["smote_search"], extended=True, change=give_scores(GAINS))
    report = build_report(tmp_path, name, "paper")
    found = {table.name: table for table in report.tables}
    assert found[name].titles[:2] == ["Category", "Method"] and f"{name}_countings" in found
    pairs = found[f"{name}_pairs"].data
    beside = {row[1].text: row[2].beside for row in found[name].rows}
    assert beside["AutoSMOTE"] and beside["SMOTE"] and beside["No resampling"]  # the paper's
    assert ("autosmote", "smote") in set(zip(pairs["arm"], pairs["against"], strict=True))
    assert f"{name}_costs" not in found
    assert f"{name}_cost" not in [figure.name for figure in report.draw()]


def test_extended_columns_are_those_of_scipy(make_sweep, tmp_path):
    make_sweep(**SMALL, extended=True, change=give_scores(GAINS, extended=TURNED))
    row = tables(tmp_path)["table2"].data.set_index(["metric", "column", "arm"])
    records = read_records(tmp_path / "table2").query("metric == 'mcc'")
    scores = records.pivot_table(
        index=["dataset", "ir", "clf"], columns="sampler", values="scores.extended.mcc"
    )
    found = row.loc["mcc", "overall", "smote"]
    difference = scores["autosmote"] - scores["smote"]
    assert found["extended_score"] == pytest.approx(scores["smote"].mean())
    assert found["extended_p"] == pytest.approx(wilcoxon(difference, alternative="greater").pvalue)
    assert found["extended_gain"] == pytest.approx(difference.median())
    assert found["extended_test_gain"] == pytest.approx(0.2, abs=0.002)
    assert found["extended_losses"] == 16 and found["wins"] == 16


def test_records_without_an_extended_test_leave_its_columns_out(make_sweep, tmp_path):
    make_sweep(**SMALL, change=give_scores(GAINS))
    for table in tables(tmp_path).values():
        assert not [head for head in table.titles if "xtended" in head]
        assert not [name for name in table.data if "extended" in name]
    found = build_report(tmp_path, "table2", "paper").findings
    assert "No record here has an extended test: all is on the test part." in found


def test_a_dataset_that_keeps_its_own_ratio_is_left_out_of_the_extended_ranks(make_sweep, tmp_path):
    def own_ratio(record):
        record = give_scores(GAINS)(record)
        for name in ("scores", "reference") if record["dataset"] == "mozilla4" else ():
            record[name]["extended"] = None
        return record

    make_sweep(**SMALL, extended=True, change=own_ratio)
    table = tables(tmp_path)["table2"]
    ranks = column(table, "Overall, extended (n = 8): MCC")
    assert ranks["AutoSMOTE"] == "1.00"  # complete: nothing of it is missing


def test_table3_has_a_column_of_the_extended_test(make_sweep, tmp_path):
    arms = SMALL | {"arms": ["none", "sv_ccr", "autosmote"]}
    change = give_scores({"sv_ccr": 0.1, "autosmote": 0.2}, extended={"sv_ccr": 0.2})
    make_sweep("table3", **arms, extended=True, change=change)
    table = tables(tmp_path, "table3")["table3"]
    assert table.header[:3] == ["Sampler", "Macro-F1", "Macro-F1, extended"]
    assert [cell.text for cell in table.rows[1][:3]] == ["2. CCR", "2.00▲", "1.00"]


def test_figure6_has_ranks_and_scores_on_both_tests(make_sweep, tmp_path):
    change = give_scores({"K=5": 0.1}, extended={"K=1": 0.1})
    make_sweep(
        "figure6", arms=["K=1", "K=5"], datasets=["mozilla4"], seeds=1, extended=True, change=change
    )
    table = tables(tmp_path, "figure6")["figure6"]
    assert column(table, "Rank [95%]") == {"K=1": "2.00 [2.00, 2.00]", "K=5": "1.00 [1.00, 1.00]"}
    extended = column(table, "Rank, extended [95%]")
    assert extended == {"K=1": "1.00 [1.00, 1.00]", "K=5": "2.00 [2.00, 2.00]"}


def test_cells_with_fallback_and_on_extended_by_hand(make_sweep, tmp_path):
    make_sweep(**SMALL, extended=True, change=give_scores(GAINS, extended=TURNED))
    cells = make_cells(load_study(tmp_path, "table2", "paper"), "mcc")
    on = cells.on_extended()
    np.testing.assert_array_equal(on.test, cells.extended)
    np.testing.assert_array_equal(on.test_gain, cells.extended_gain)
    back = cells.with_fallback()
    none = cells.arms.index("none")
    np.testing.assert_array_equal(back.test[:, none], cells.plain_test[:, none])
    assert (back.validation >= cells.plain_validation).all()
