"""Gains in figures are those of the tables, with intervals of the same bootstrap."""

from dataclasses import replace

import numpy as np
import pytest

from autosmote.reports.cells import make_cells
from autosmote.reports.names import OVERALL
from autosmote.reports.paper import read_paper_ranks
from autosmote.reports.statistics.bootstrap import draw_means, draw_scores, interval
from autosmote.reports.statistics.significance import friedman_p
from autosmote.reports.studies.gains import compute_gains
from autosmote.reports.studies.summary import summarise_all
from autosmote.reports.study import load_study

BESIDE = ["smote_search"]


@pytest.fixture
def cells_of(make_sweep, tmp_path):
    """SMOTE lacks a seed of one configuration, the control all of one ratio with a tree."""

    def lacking(record):
        what = record["sampler"], record["ir"], record["clf"], record["seed"]
        if what == ("smote", 20, "knn", 1) or what[:3] == ("smote_search", 50, "dt"):
            return None
        return record

    make_sweep(
        arms=["none", "smote", "autosmote"], beside=BESIDE, datasets=["phoneme", "mozilla4"],
        irs=[20, 50], seeds=2, change=lacking,
    )  # fmt: skip
    study = load_study(tmp_path, "table2", "paper")
    return {metric: make_cells(study, metric) for metric in study.metrics}


def test_gains_equal_those_of_the_tables(cells_of):
    summary = summarise_all(cells_of, BESIDE, read_paper_ranks("table2"))
    found = compute_gains(cells_of, BESIDE)
    assert len(found) == 2 * 4
    for row in found.to_dict("records"):
        shown = summary.get(row["metric"], OVERALL, row["arm"])
        assert row["n"] == shown["n"]
        for name in ("validation_gain", "test_gain"):
            assert row[name] == pytest.approx(shown[name], abs=1e-12)
        assert row["test_gain_low"] <= row["test_gain"] <= row["test_gain_high"]
    of = found.set_index(["metric", "arm"])
    assert of.loc[("mcc", "smote_search"), "n"] < of.loc[("mcc", "smote"), "n"] == 16


def test_draws_of_means_equal_those_of_scores(cells_of):
    cells = cells_of["mcc"].only(["none", "smote", "autosmote"])
    expected = [draws.means.mean(axis=1) for draws in draw_scores(cells, n_draws=50)]
    np.testing.assert_allclose(draw_means(cells, cells.test, 50), np.concatenate(expected))
    gains = replace(cells, test=cells.test_gain)
    drawn = np.concatenate([draws.means.mean(axis=1) for draws in draw_scores(gains)])
    low, high = interval(gains.means().mean(axis=0), drawn)
    again = interval(gains.means().mean(axis=0), draw_means(cells, cells.test_gain))
    np.testing.assert_allclose([low, high], again, atol=1e-12)


def test_gains_of_few_configurations_have_no_interval(make_sweep, tmp_path):
    make_sweep(arms=["none", "autosmote"], datasets=["phoneme"], irs=[20], seeds=2)
    study = load_study(tmp_path, "table2", "paper")
    found = compute_gains({"mcc": make_cells(study, "mcc")}, [])
    assert list(found["n"]) == [4, 4]
    assert found[["test_gain_low", "test_gain_high"]].isna().all(axis=None)
    assert found["test_gain"].notna().all()


def test_friedman_p_tells_different_ranks_from_equal_ones():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (40, 4))
    assert friedman_p(noise) > 0.01
    assert friedman_p(noise + [0, 0, 0, 3]) < 1e-6
    assert friedman_p(np.ones((10, 3))) == 1.0
    assert friedman_p(noise[:4]) is None and friedman_p(noise[:, :2]) is None
