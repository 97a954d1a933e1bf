"""Variants of Table 2 take the places of the arms that they change, and nothing else moves."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.report import build_report, write_tables
from autosmote.reports.studies.sensitivity import (
    compute_sensitivity,
    split_arm,
    title_arms,
    write_findings,
)

BASE = ["none", "smote", "tvae", "autosmote"]
STUDY = SimpleNamespace(beside=["randomsearch"])


def make_cells(variants, *, extended=True, planned=None):
    """Cells of random scores, of two data sets and two classifiers."""
    configurations = [(d, 50.0, c) for d in ("phoneme", "mozilla4") for c in ("adaboost", "dt")]
    arms = [*BASE, "randomsearch", *variants]
    shape = (len(configurations), len(arms), 2)
    test = np.random.default_rng(0).random(shape)
    planned = np.ones(shape[:2], dtype=bool) if planned is None else planned(configurations, arms)
    test[~planned] = np.nan
    rest = {
        name: test.copy()
        for name in ("validation", "plain_test", "plain_extended", "plain_validation")
    }
    return Cells(
        metric="mcc", configurations=configurations, arms=arms, seeds=[0, 1], test=test,
        extended=test**2 if extended else np.full(shape, np.nan), **rest,
        imputed=np.zeros(shape, dtype=bool), planned=planned,
    )  # fmt: skip


def rows_of(cells):
    return compute_sensitivity(STUDY, {"mcc": cells}).set_index(["variant", "arm"])


def mean_rank(scores, place):
    """Average rank of one of the columns of means over the seeds, by scipy."""
    return np.mean([rankdata(-row)[place] for row in scores.mean(axis=2)])


def test_arms_have_their_samplers_names_variant_by_variant():
    arms = ["smote [fit_on_all]", "autosmote [public]", "autosmote", "smote", "tvae [public]"]
    assert list(title_arms([*arms, *arms]).items()) == [
        ("smote", "SMOTE"),
        ("autosmote", "AutoSMOTE"),
        ("tvae [public]", "TVAE [public]"),
        ("autosmote [public]", "AutoSMOTE [public]"),
        ("smote [fit_on_all]", "SMOTE [fit_on_all]"),
    ]


def test_split_arm_tells_variants_from_samplers():
    assert split_arm("smote [fit_on_all]") == ("smote", "fit_on_all")
    assert split_arm("smote") == ("smote", "")


def test_a_variant_of_one_sampler_moves_the_ranks_of_all():
    cells = make_cells(["autosmote [public]"])
    found = rows_of(cells)
    base, changed = cells.test[:, :4], cells.test[:, [0, 1, 2, 5]]
    for arm, place in (("tvae", 2), ("autosmote", 3)):
        row = found.loc["public", arm]
        assert found.loc[("", arm), "test_rank"] == pytest.approx(mean_rank(base, place))
        assert row["test_rank"] == pytest.approx(mean_rank(changed, place))
        change = mean_rank(changed, place) - mean_rank(base, place)
        assert row["test_change"] == pytest.approx(change)
        assert row["extended_rank"] == pytest.approx(mean_rank(changed**2, place))
    difference = (cells.test[:, 5] - cells.test[:, 3]).mean()
    assert found.loc[("public", "autosmote"), "test_difference"] == pytest.approx(difference)
    assert np.isnan(found.loc[("public", "tvae"), "test_difference"])
    assert np.isnan(found.loc[("", "autosmote"), "test_change"])


def test_random_search_is_ranked_beside_the_others_where_it_is_changed():
    cells = make_cells(["autosmote [public]", "randomsearch [random_per_row]"])
    found = rows_of(cells)
    assert ("public", "randomsearch") not in found.index
    beside = cells.test[:, [0, 1, 2, 3, 6]]
    row = found.loc["random_per_row", "randomsearch"]
    assert row["test_rank"] == pytest.approx(mean_rank(beside, 4))
    # It takes no place among the samplers of Table 2.
    assert found.loc[("random_per_row", "autosmote"), "test_change"] == 0
    assert found.loc[("", "autosmote"), "test_rank"] <= 4


def test_a_replaced_classifier_changes_its_own_configurations_alone():
    def planned(configurations, arms):
        return np.array([["[" not in arm or c[2] == "adaboost" for arm in arms]
                         for c in configurations])  # fmt: skip

    variants = [f"{arm} [samme_r]" for arm in BASE]
    cells = make_cells(variants, planned=planned)
    row = rows_of(cells).loc["samme_r", "autosmote"]
    changed = cells.test[:, :4].copy()
    changed[[0, 2]] = cells.test[[0, 2]][:, 5:9]
    assert row["n"] == 2
    assert row["test_rank"] == pytest.approx(mean_rank(changed, 3))
    difference = (cells.test[[0, 2]][:, 8] - cells.test[[0, 2]][:, 3]).mean()
    assert row["test_difference"] == pytest.approx(difference)


def test_without_an_extended_test_its_ranks_are_not_known():
    found = rows_of(make_cells(["autosmote [public]"], extended=False))
    assert found["extended_rank"].isna().all() and found["test_rank"].notna().all()


def test_findings_name_the_range_and_the_papers_rank():
    frame = compute_sensitivity(STUDY, {"mcc": make_cells(["autosmote [public]"])})
    sentences = write_findings(frame)
    assert len(sentences) == 2  # random search is in no variant
    assert "MCC: AutoSMOTE has the average rank" in sentences[0]
    assert "in the paper 5.37; with one decision changed it has" in sentences[0]


def test_report_has_one_table_with_the_papers_ranks(make_sweep, tmp_path):
    changed = [arm for arm in names.TABLE2 if arm not in ("mesa", "tvae")]
    arms = [*names.TABLE2, *(f"{arm} [fit_on_all]" for arm in changed), "autosmote [public]"]
    make_sweep(
        "sensitivity", "quick", arms=arms, beside=["randomsearch"], irs=[50],
        datasets=["phoneme", "mozilla4"], seeds=2, extended=True,
    )  # fmt: skip
    report = build_report(tmp_path, "sensitivity", "quick")
    assert [table.name for table in report.tables] == [
        "sensitivity", "sensitivity_costs", "failures",
    ]  # fmt: skip
    write_tables(report)
    folder = tmp_path / "sensitivity" / "tables" / "quick"
    text = (folder / "sensitivity.md").read_text()
    assert "(4.72)" in text and "(17.31)" in text
    assert "Preprocessing fitted before the split: not run for TVAE, MESA, " in text
    assert "Random search in its space, which keep their scores" in text
    frame = pd.read_csv(folder / "sensitivity.csv", keep_default_na=False, na_values=["nan"])
    assert set(frame["variant"]) == {"", "public", "fit_on_all"}
    assert report.findings[0].startswith("Macro-F1: AutoSMOTE has the average rank")
