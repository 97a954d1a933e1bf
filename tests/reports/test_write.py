"""From a folder that a sweep leaves to tables and figures."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata, wilcoxon

from autosmote import reports
from autosmote.errors import UserError
from autosmote.records.collected import read_records
from autosmote.reports import names
from autosmote.reports.cells import make_cells
from autosmote.reports.paper import read_paper_ranks
from autosmote.reports.report import build_report, write_tables
from autosmote.reports.studies.summarise import summarise
from autosmote.reports.studies.summary import Summary
from autosmote.reports.study import load_study

SMALL = {
    "arms": ["none", "smote", "svmsmote", "sv_gasmote", "autosmote"],
    "datasets": ["phoneme", "mozilla4"],
    "irs": [20, 50],
    "seeds": 2,
}


def tables_of(tmp_path, experiment="table2", budget="paper"):
    """Write the tables, whatever is missing; figures take long and have tests of their own."""
    return write_tables(build_report(tmp_path, experiment, budget))


def table(tmp_path, name="table2", experiment="table2", budget="paper"):
    return pd.read_csv(tmp_path / experiment / "tables" / budget / f"{name}.csv")


def markdown(path):
    """The rows of a Markdown table as a frame of text."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("|")]
    header, _, *rows = [line[2:-2].split(" | ") for line in lines]
    return pd.DataFrame(rows, columns=header)


def test_ranks_and_tests_are_those_of_pandas_and_scipy(make_sweep, tmp_path):
    """From the committed files alone, by other means than the report's."""
    make_sweep(**SMALL)
    tables_of(tmp_path)
    found = table(tmp_path).set_index(["metric", "column", "arm"])
    records = read_records(tmp_path / "table2")
    for metric in names.METRICS:
        scores = records[records["metric"] == metric].pivot_table(
            index=["dataset", "ir", "clf"], columns="sampler", values=f"scores.test.{metric}"
        )
        for column, part in {"overall": scores, **dict(list(scores.groupby("dataset")))}.items():
            ranks = part.rank(axis=1, ascending=False).mean()
            for arm in scores:
                row = found.loc[metric, column, arm]
                assert row["rank"] == pytest.approx(ranks[arm], rel=1e-5)
                assert row["score"] == pytest.approx(part[arm].mean(), rel=1e-5)
                assert row["n"] == len(part) == (16 if column == "overall" else 8)
                if arm != "autosmote":
                    difference = part["autosmote"] - part[arm]
                    expected = wilcoxon(difference, alternative="greater").pvalue
                    assert row["p"] == pytest.approx(expected, rel=1e-4)
                    assert bool(row["better"]) == (expected < 0.05)
                    assert row["gain"] == pytest.approx(difference.median(), rel=1e-4)
                    assert row["wins"] == (difference > 0).sum()


def test_the_papers_numbers_stand_beside_ours(make_sweep, tmp_path):
    make_sweep(**SMALL)
    tables_of(tmp_path)
    shown = markdown(tmp_path / "table2" / "tables" / "paper" / "table2.md")
    shown = shown.set_index("Method")
    assert "(7.18▲)" in shown.loc["SVMSMOTE", "Overall (n = 16): Macro-F1"]
    assert "(8.26▲)" in shown.loc["SVMSMOTE", "Overall (n = 16): MCC"]
    assert "(4.58)" in shown.loc["AutoSMOTE", "Phoneme (n = 8): MCC"]
    assert shown.loc["SVMSMOTE", "Category"] == ""  # that of SMOTE, above it
    latex = (tmp_path / "table2" / "tables" / "paper" / "table2.tex").read_text()
    for word in (r"\toprule", r"\bottomrule", r"$^\blacktriangle$", "7.18", r"\cmidrule"):
        assert word in latex
    n_columns = 8  # category, method, both metrics of overall and two datasets; then imputed
    rows = [
        line for line in latex.splitlines() if line.endswith(r"\\") and "multicolumn" not in line
    ]
    assert {line.count(" & ") for line in rows} == {n_columns}


def test_the_paper_read_as_scores_gives_its_own_order(make_sweep, tmp_path):
    """Its Table 2, fed as scores (the lower a rank the higher), comes out in its ordering."""
    printed = read_paper_ranks("table2").set_index(["column", "arm", "metric"])["rank"]

    def as_printed(record):
        for metric in names.METRICS:
            rank = printed[record["dataset"], record["sampler"], metric]
            record["scores"]["test"][metric] = 1 - rank / 100
        return record

    make_sweep(irs=[50], seeds=1, change=as_printed)
    study = load_study(tmp_path, "table2", "paper")
    for metric in names.METRICS:
        rows = summarise(make_cells(study, metric), "autosmote").set_index(["column", "arm"])
        for dataset in list(names.DATASETS)[:6]:
            ours = rows.loc[dataset, "rank"]
            paper = printed.xs(metric, level="metric").loc[dataset]
            expected = rankdata(paper[ours.index])
            np.testing.assert_allclose(ours, expected)
    summary = Summary(
        pd.concat([summarise(make_cells(study, m), "autosmote") for m in names.METRICS]),
        read_paper_ranks("table2"),
    )
    for metric in names.METRICS:
        assert summary.ordered(metric)[0] == "autosmote"
        assert summary.spearman(metric, "phoneme")[0] == pytest.approx(1)
        assert summary.spearman(metric, "overall")[0] > 0.95


def test_the_papers_numbers_are_as_printed():
    table2 = read_paper_ranks("table2").set_index(["metric", "column", "arm"])
    assert len(table2) == 25 * 7 * 2
    assert set(names.TABLE2) == set(table2.index.get_level_values("arm"))
    assert table2.loc[("mcc", "overall", "clustercentroids"), "rank"] == 14.58  # a slip, kept
    assert table2.loc[("macro_f1", "overall", "smote"), "better"]
    table3 = read_paper_ranks("table3")
    assert set(table3["arm"]) == {*names.VARIANTS, "autosmote"}
    assert len(table3) == 10
    table4 = read_paper_ranks("table4").set_index(["metric", "arm"])
    assert set(table4.index.get_level_values("arm")) == {*names.ABLATIONS, "autosmote"}
    assert table4.loc[("mcc", "flat"), "rank"] == 5.25
    assert read_paper_ranks("figure6").empty


def missing_smote(record):
    """One seed of one configuration was never run."""
    is_one = (record["sampler"], record["dataset"], record["ir"], record["clf"]) == (
        *("smote", "phoneme", 20, "dt"),
    )
    return None if is_one and record["seed"] == 1 and record["metric"] == "mcc" else record


def test_missing_cells_are_refused_with_a_list(make_sweep, tmp_path):
    make_sweep(**SMALL, change=missing_smote)
    with pytest.raises(UserError, match=r"1 of 320 cells(.|\n)*phoneme-ir20-dt-smote-mcc-seed1"):
        reports.write(tmp_path, "table2", "paper")
    assert not (tmp_path / "table2" / "tables").exists()
    tables_of(tmp_path)
    found = table(tmp_path).set_index(["metric", "column", "arm"])
    # The other seed is still compared, for all samplers alike.
    assert found.loc[("mcc", "phoneme", "smote"), "n"] == 8
    assert found.loc[("mcc", "phoneme", "smote"), "runs"] == 15


def test_an_arm_without_a_configuration_is_marked(make_sweep, tmp_path):
    make_sweep(**SMALL, change=lambda r: None if r["sampler"] == "smote" and r["ir"] == 20 else r)
    tables_of(tmp_path)
    shown = markdown(tmp_path / "table2" / "tables" / "paper" / "table2.md").set_index("Method")
    assert "†" in shown.loc["SMOTE", "Overall (n = 16): MCC"]
    assert "†" not in shown.loc["SVMSMOTE", "Overall (n = 16): MCC"]
    row = table(tmp_path).set_index(["metric", "column", "arm"]).loc["mcc", "overall", "smote"]
    assert (row["n"], row["n_planned"], row["n_pairs"]) == (8, 16, 8)


def test_a_failed_run_without_scores_is_missing_and_says_why(make_sweep, tmp_path):
    def broken(record):
        if record["sampler"] == "smote" and record["clf"] == "dt":
            none = dict.fromkeys(("scores", "reference", "rows"))
            record |= none | {"status": "crashed", "error": "SIGSEGV <b>"}
        return record

    make_sweep(**SMALL, change=broken)
    with pytest.raises(UserError, match="crashed, SIGSEGV"):
        reports.write(tmp_path, "table2", "paper")


def test_a_search_cut_by_a_time_limit_is_refused(make_sweep, tmp_path):
    def cut(record):
        if record["sampler"] == "autosmote" and record["seed"] == 0:
            record["stopped_by"] = "time_limit"
        return record

    make_sweep(**SMALL, change=cut)
    with pytest.raises(UserError, match=r"stopped by search\.time_limit"):
        reports.write(tmp_path, "table2", "paper")


def test_imputed_runs_are_ranked_and_counted(make_sweep, tmp_path):
    def failed(record):
        if record["sampler"] == "smote":
            record |= {"imputed": True, "status": "timeout", "error": "it took too long"}
            record["scores"] = record["reference"]
        return record

    make_sweep(**SMALL, change=failed)
    tables_of(tmp_path)
    rows = table(tmp_path).set_index(["metric", "column", "arm"])
    smote, none = rows.loc["mcc", "overall", "smote"], rows.loc["mcc", "overall", "none"]
    assert (smote["imputed"], none["imputed"], smote["runs"]) == (32, 0, 32)
    assert smote["rank"] == none["rank"]
    assert smote["test_gain"] == 0
    failures = table(tmp_path, "failures")
    assert failures.iloc[0].to_dict() == {
        "arm": "smote", "status": "timeout", "error": "it took too long", "runs": 64, "imputed": 64,
    }  # fmt: skip
    sentences = build_report(tmp_path, "table2", "paper").findings
    assert any("64 of 320 runs are imputed" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("protocol_version", 2, "mix protocol versions 1, 2"),
        ("data_fingerprint", "0" * 64, "different data under one name"),
    ],
)
def test_mixed_protocols_and_mixed_data_are_refused(make_sweep, tmp_path, field, value, message):
    def change(record):
        return record | {field: value} if record["sampler"] == "smote" else record

    make_sweep(**SMALL, change=change)
    with pytest.raises(UserError, match=message):
        reports.write(tmp_path, "table2", "paper", allow_missing=True)


def test_four_configurations_are_too_few_and_say_so(make_sweep, tmp_path):
    make_sweep("table2", "smoke", arms=SMALL["arms"], datasets=["toy"], irs=[None], seeds=2)
    tables_of(tmp_path, budget="smoke")
    folder = tmp_path / "table2" / "tables" / "smoke"
    assert "too small" in (folder / "table2.md").read_text()
    tests = markdown(folder / "table2_tests_mcc.md").set_index("Method")
    assert (tests == "n too small").all(axis=None)
    assert table(tmp_path, budget="smoke")[["p", "rank_low", "gain_high"]].isna().all(axis=None)
    assert not table(tmp_path, budget="smoke")["better"].eq(True).any()
    sentences = " ".join(build_report(tmp_path, "table2", "smoke").findings)
    assert "over 4 configurations" in sentences and "a significance test needs 5 conf" in sentences


def test_budgets_have_tables_of_their_own(make_sweep, tmp_path):
    make_sweep(**SMALL)
    make_sweep("table2", "smoke", arms=["none", "autosmote"], datasets=["toy"], irs=[None], seeds=1)
    tables_of(tmp_path)
    tables_of(tmp_path, budget="smoke")
    assert set(table(tmp_path, budget="smoke")["column"]) == {"overall", "toy"}
    assert set(table(tmp_path)["column"]) == {"overall", "phoneme", "mozilla4"}


def digests(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_twice_is_the_same_to_the_byte(make_sweep, tmp_path):
    """In another process too, where sets have another order."""
    make_sweep(arms=["none", "autosmote"], datasets=["toy"], irs=[None], seeds=1, n_iterations=9)
    reports.write(tmp_path, "table2", "paper")
    first = digests(tmp_path)
    assert {path.suffix for path in first} >= {".csv", ".md", ".tex", ".svg", ".png"}
    subprocess.run(
        [sys.executable, "-m", "autosmote.reports", f"results_dir={tmp_path}", "experiment=table2"],
        env={**os.environ, "PYTHONHASHSEED": "7", "MPLBACKEND": "svg"},
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
    )
    assert digests(tmp_path) == first


def test_table3_shows_the_best_of_each_metric(make_sweep, tmp_path):
    arms = ["none", "autosmote", *(f"sv_v{i}" for i in range(7)), "sv_gasmote"]
    make_sweep("table3", arms=arms, datasets=["phoneme"], irs=[20, 50], seeds=1)
    tables_of(tmp_path, "table3")
    shown = markdown(tmp_path / "table3" / "tables" / "paper" / "table3.md")
    assert list(shown.columns)[1::2] == ["Macro-F1", "MCC"]
    assert shown.iloc[0, 0].startswith("1. ")
    rows = table(tmp_path, "table3", "table3").query("metric == 'mcc' and column == 'overall'")
    assert rows.set_index("arm").loc["sv_gasmote", "paper_rank"] != 15.25  # that is Macro-F1's
    assert len(rows) == 10


def test_table4_and_its_ablations(make_sweep, tmp_path):
    make_sweep("table4", arms=[*names.ABLATIONS, "autosmote"], datasets=["mozilla4"], seeds=1)
    tables_of(tmp_path, "table4")
    shown = markdown(tmp_path / "table4" / "tables" / "paper" / "table4.md")
    assert shown["Method"].iloc[0] == "w/o cross-instance sub-policy"
    assert list(shown["Method"].iloc[-2:]) == ["AutoSMOTE", "Spearman's ρ with the paper"]
    of_flat = shown.set_index("Method").loc["Flat policy"]
    assert "(4.67▲)" in of_flat["Overall (n = 12): Macro-F1"]
    assert "(5.25▲)" in of_flat["Overall (n = 12): MCC"]


def test_figure5_needs_histories_and_leaves_out_the_merged(make_sweep, tmp_path):
    arms = [*names.ABLATIONS, "autosmote"]
    make_sweep(
        "figure5", arms=arms, datasets=["mozilla4"], irs=[50], clfs=["svm"], seeds=3, n_iterations=9
    )
    report = build_report(tmp_path, "figure5", "paper")
    (figure,) = [figure for figure in report.draw() if figure.name == "figure5"]
    texts = [text.get_text() for text in figure.canvas.axes[0].texts]
    assert "AutoSMOTE (n = 3)" in texts
    assert not any("Merging" in text for text in texts)
    assert "Mozilla4, IR 50, SVM" in figure.caption


def test_figure6_ranks_values_of_one_hyperparameter(make_sweep, tmp_path):
    arms = ["K=1", "K=30", "K=5", "G2=2", "G2=10"]
    make_sweep("figure6", arms=arms, datasets=["mozilla4"], seeds=2)
    reports.write(tmp_path, "figure6", "paper")
    found = table(tmp_path, "figure6", "figure6")
    of_k = found.query("metric == 'mcc' and parameter == 'K'")
    assert list(of_k["value"]) == [1, 5, 30]
    assert of_k["rank"].sum() == pytest.approx(6)
    assert (of_k["rank_low"] <= of_k["rank"]).all()
    assert (tmp_path / "figure6" / "figures" / "paper" / "figure6.svg").exists()


def test_validation_scores_of_merge_train_val_are_left_out(make_sweep, tmp_path):
    make_sweep("table4", arms=["merge_train_val", "autosmote"], datasets=["mozilla4"], seeds=1)
    tables_of(tmp_path, "table4")
    rows = table(tmp_path, "table4", "table4").set_index(["metric", "column", "arm"])
    merged = rows.loc["mcc", "overall", "merge_train_val"]
    assert np.isnan(merged["validation_gain"]) and not np.isnan(merged["test_gain"])
    assert rows.loc["mcc", "overall", "autosmote"]["validation_rank"] == 1
    shown = markdown(tmp_path / "table4" / "tables" / "paper" / "table4_statistics_mcc.md")
    shown = shown.set_index("Method")
    assert shown.loc["Merging training and validation sets", "Gain on validation"] == "–"
