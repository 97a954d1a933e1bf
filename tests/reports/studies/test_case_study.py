"""Figure 7 is drawn from the rows that a sweep kept."""

import re

import numpy as np
import pandas as pd
import pytest

from autosmote.records.files import write_training_part
from autosmote.reports import names
from autosmote.reports.report import build_report, write_figures
from autosmote.reports.studies.case_study import find_synthetic_rows

ARMS = ["none", "smote", "autosmote"]


def keep_rows(results_dir, arm, X, y):
    """Keep an arm's training part of seed 0, as a sweep does."""
    key = f"toy-irown-dt-{arm}-macro_f1-seed0"
    write_training_part(results_dir / key, X, y, ("x", "y"))
    folder = results_dir / "figure7" / "data"
    folder.mkdir(exist_ok=True)
    (results_dir / key / "train_resampled.csv.gz").rename(folder / f"{key}.csv.gz")


def frame(rows):
    return pd.DataFrame(rows, columns=["x", "y", "label"])


def test_find_synthetic_rows_counts_each_row_as_often_as_added():
    original = frame([(0, 0, 1), (0, 0, 1), (1, 1, 1), (5, 5, 0), (2, 2, 0)])
    part = frame(
        [(0, 0, 1), (0, 0, 1), (0, 0, 1), (1, 1, 1), (5, 5, 0), (2, 2, 1), (2, 2, 0), (3, 3, 1)]
    )
    found = find_synthetic_rows(original, part)
    # One more copy of (0, 0); (2, 2) is new to the minority.
    assert sorted(found[["x", "y"]].itertuples(index=False, name=None)) == [(0, 0), (2, 2), (3, 3)]


@pytest.fixture
def kept(make_sweep, tmp_path):
    """A sweep of figure7 that kept its rows: 30 of the majority, 6 of the minority, then more."""

    def imputed(record):
        if record["sampler"] == "smote":
            record |= {"imputed": True, "status": "timeout", "error": "too slow"}
        return record

    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1, (30, 2)), rng.normal(3, 1, (6, 2))])
    y = np.repeat([0, 1], [30, 6])
    more = np.concatenate([X, X[-2:], rng.normal(3, 1, (5, 2))])
    make_sweep(
        "figure7", arms=ARMS, datasets=["toy"], irs=[None], clfs=["dt"], seeds=2, change=imputed
    )
    for arm in ARMS:
        rows, labels = (more, np.append(y, [1] * 7)) if arm == "autosmote" else (X, y)
        keep_rows(tmp_path, arm, rows, labels)
    return tmp_path


def test_case_study_has_a_panel_for_each_sampler(kept):
    report = build_report(kept, "figure7", "paper")
    (figure,) = [figure for figure in report.draw() if figure.name == "figure7"]
    *panels, scores = figure.canvas.axes
    titles = [axes.get_title(loc="left") for axes in panels]
    assert titles == ["AutoSMOTE", "SMOTE, imputed", "No resampling"]
    below = [axes.texts[0].get_text() for axes in panels]
    assert below[0].startswith("7 synthetic; score 0.") and below[1].startswith("0 synthetic;")
    assert "n = 30 majority and 6 minority rows (seed 0)" in figure.caption
    assert scores.get_title(loc="left").startswith("Best: ")
    first = figure.canvas.axes[0]
    drawn = {line.get_label(): len(line.get_xdata()) for line in first.get_lines()}
    assert drawn == {"majority": 30, "synthetic": 7, "minority": 6}
    region = first.images[0].get_array()
    assert set(np.unique(region)) == {0, 1}


def test_case_study_says_in_the_picture_who_is_best_over_the_seeds(kept):
    """Not on the first seed, whose rows are shown, and not by the order of the arms."""
    report = build_report(kept, "figure7", "paper")
    (figure,) = [figure for figure in report.draw() if figure.name == "figure7"]
    runs = report.study.runs
    means = runs[runs["metric"] == "macro_f1"].groupby("arm")["scores.test.macro_f1"].mean()
    scores = figure.canvas.axes[-1]
    assert scores.get_title(loc="left") == f"Best: {names.arm(means.idxmax())}"
    widths = [bar.get_width() for bar in scores.patches]
    assert widths == pytest.approx(sorted(means, reverse=True))
    assert "mean over 2 seeds" in figure.caption
    dots = [len(line.get_xdata()) for line in scores.get_lines()]
    assert dots == [2, 2, 2]


@pytest.mark.parametrize("n", [1, 3, 4, 6, 7, 8])
def test_case_study_has_no_empty_panel(make_sweep, tmp_path, n):
    arms = ["none", "autosmote", *(f"s{i}" for i in range(n - 1))][: max(n, 1)]
    make_sweep("figure7", arms=arms, datasets=["toy"], irs=[None], clfs=["dt"], seeds=1)
    for arm in arms:
        X = np.repeat(np.arange(12.0), 2).reshape(12, 2)
        keep_rows(tmp_path, arm, X, np.array([0] * 8 + [1] * 4))
    (figure,) = [
        figure for figure in build_report(tmp_path, "figure7", "paper").draw()
        if figure.name == "figure7"
    ]  # fmt: skip
    panels = figure.canvas.axes
    assert len(panels) == len(arms) + 1
    places = [axes.get_subplotspec() for axes in panels]
    cells = {(row, column) for place in places for row in place.rowspan for column in place.colspan}
    grid = places[0].get_gridspec()
    assert len(cells) == grid.nrows * grid.ncols


def test_case_study_says_how_many_rows_lie_among_the_majority(make_sweep, tmp_path):
    """Of SMOTE's four rows one is at a majority row, of AutoSMOTE's two both are."""
    majority, minority = [(float(x), 0.0) for x in range(9)], [(0.0, 9.0), (9.0, 9.0)]
    more = {"smote": [(1.0, 8.5), (2.0, 9.0), (8.0, 9.0), (4.0, 0.1)]}
    more |= {"autosmote": [(4.0, 0.1), (5.0, 0.2)], "none": []}
    make_sweep("figure7", arms=ARMS, datasets=["toy"], irs=[None], clfs=["dt"], seeds=1)
    for arm, added in more.items():
        X, y = np.array(majority + minority + added), np.array([0] * 9 + [1] * (2 + len(added)))
        keep_rows(tmp_path, arm, X, y)
    text = " ".join(build_report(tmp_path, "figure7", "paper").findings)
    assert "over 1 seed: AutoSMOTE 100% and SMOTE 25%. AutoSMOTE does not have" in text
    assert "the smallest share, which contradicts the paper" in text
    assert "AutoSMOTE's test Macro-F1 is" in text and "in the paper it is 1.0" in text


@pytest.mark.parametrize(("seeds", "shown"), [(2, False), (6, True)])
def test_case_study_has_an_interval_over_splits_if_they_are_enough(
    make_sweep, tmp_path, seeds, shown
):
    def change(record):
        better = 0.1 + 0.06 * (record["seed"] % 2) if record["sampler"] == "autosmote" else 0.0
        record["scores"]["test"]["macro_f1"] = 0.5 + 0.05 * record["seed"] + better
        return record

    make_sweep(
        "figure7", arms=ARMS, datasets=["toy"], irs=[None], clfs=["dt"], seeds=seeds, change=change
    )
    X, y = np.array([(0.0, 0.0), (9.0, 9.0), (8.0, 8.0)]), np.array([0, 1, 1])
    for arm, size in (("none", 2), ("autosmote", 3)):
        keep_rows(tmp_path, arm, X[:size], y[:size])
    text = " ".join(build_report(tmp_path, "figure7", "paper").findings)
    assert "it is above all others as well" in text
    found = re.search(r"\+0\.130 \[\+0\.(\d+), \+0\.(\d+)\], bootstrap over the splits", text)
    assert bool(found) == shown
    # Paired: the splits differ by far more than the samplers.
    assert not found or 100 < int(found[1]) < 130 < int(found[2]) < 160


def test_case_study_writes_svg_png_and_caption(kept):
    written = {path.name for path in write_figures(build_report(kept, "figure7", "paper"))}
    # One configuration has no ranks to draw.
    assert written == {"figure7.svg", "figure7.png", "captions.md"}


def test_case_study_without_kept_rows_is_no_figure(make_sweep, tmp_path):
    make_sweep("figure7", arms=ARMS, datasets=["toy"], irs=[None], clfs=["dt"], seeds=1)
    assert build_report(tmp_path, "figure7", "paper").draw() == []
