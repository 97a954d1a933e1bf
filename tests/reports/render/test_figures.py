"""Every figure can be read: no small or clipped text, no empty panel, n and intervals named."""

import re
from itertools import combinations

import numpy as np
import pytest
from made_up_scores import give_scores
from matplotlib.text import Text

from autosmote.records.figure_style import PAGE, SMALL
from autosmote.reports import names
from autosmote.reports.render.critical_difference import MOST_COMPARED, Ranking, draw_rankings
from autosmote.reports.render.drawing import MOST_NAMED
from autosmote.reports.render.forest import Estimate, Panel, draw_forest, order_rows
from autosmote.reports.report import build_report, write_figures

CONTROLS = ["autosmote_class_aware", "smote_search"]
GAINS = {"autosmote": 0.05, "svmsmote": 0.04, "smote": 0.03, "tvae": 0.02, "nearmiss": -0.1}


@pytest.fixture(scope="module")
def folder(bench_reports, tmp_path_factory):
    """The results of all samplers of Table 2 with two controls, and of the other experiments."""
    results = tmp_path_factory.mktemp("figures")
    both = {"datasets": ["phoneme", "mozilla4"], "seeds": 2, "change": give_scores(GAINS)}
    bench_reports.make_sweep(
        results, "table2", irs=[20, 50], beside=CONTROLS, extended=True, **both
    )
    bench_reports.make_sweep(
        results, "table4", arms=[*names.ABLATIONS, "autosmote"], irs=[20, 50], **both
    )
    bench_reports.make_sweep(
        results, "figure5", arms=[*names.ABLATIONS, "autosmote"], datasets=["mozilla4"], irs=[50],
        clfs=["svm"], seeds=3, n_iterations=40,
    )  # fmt: skip
    bench_reports.make_sweep(
        results, "figure6", arms=["K=1", "K=30", "K=5", "G2=2", "G2=10"], datasets=["mozilla4"],
        seeds=2,
    )  # fmt: skip
    return results


@pytest.fixture(scope="module")
def figures(folder):
    return {
        figure.name: figure
        for experiment in ("table2", "table4", "figure5", "figure6")
        for figure in build_report(folder, experiment, "paper").draw()
    }


NAMES = [
    *("figure4", "table2_differences", "table2_cost", "table2_gains", "table2_pairs"),
    *("table4_by_group", "table4_pairs", "figure5", "figure6"),
]


def texts_of(canvas):
    canvas.draw_without_rendering()
    return [text for text in canvas.findobj(Text) if text.get_visible() and text.get_text()]


@pytest.mark.parametrize("name", NAMES)
def test_text_is_large_enough_and_not_clipped(figures, name):
    canvas = figures[name].canvas
    assert canvas.get_size_inches()[0] == PAGE
    frame = canvas.bbox.padded(2)
    texts = texts_of(canvas)
    assert min(text.get_fontsize() for text in texts) >= SMALL
    # Labels of ticks beyond the limits are there and not drawn.
    of_ticks = {id(label) for axes in canvas.axes for label in _tick_labels(axes)}
    for text in (text for text in texts if id(text) not in of_ticks):
        box = text.get_window_extent()
        assert frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1), text


def _tick_labels(axes):
    return [*axes.get_xticklabels(which="both"), *axes.get_yticklabels(which="both")]


@pytest.mark.parametrize("name", NAMES)
def test_no_panel_is_empty_and_all_axes_are_labelled(figures, name):
    for axes in figures[name].canvas.axes:
        drawn = [line for line in axes.get_lines() if np.isfinite(line.get_ydata()).any()]
        assert len(drawn) > 1
    if "differences" not in name:  # its scale is labelled by its title
        canvas = figures[name].canvas
        for axes in canvas.axes:
            place = axes.get_subplotspec()
            assert axes.get_xlabel() or not place.is_last_row()


@pytest.mark.parametrize("name", NAMES)
def test_n_and_the_interval_are_named(figures, name):
    figure = figures[name]
    shown = " ".join([figure.caption, *(text.get_text() for text in texts_of(figure.canvas))])
    assert re.search(r"n = \d+|\d+ configuration", shown)
    assert "95%" in figure.caption or name in ("figure5", "table2_differences")


def test_scatter_names_ten_and_what_stands_out(figures):
    for axes in figures["table2_cost"].canvas.axes:
        shown = {text.get_text() for text in axes.texts}
        assert {"AutoSMOTE", "Class-aware search", "No resampling", "SVMSMOTE"} <= shown
        assert 7 <= len(shown) <= MOST_NAMED
        boxes = [text.get_window_extent().padded(-1) for text in axes.texts]
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_differences_are_coloured_by_what_they_show(figures):
    axes = figures["table4_pairs"].canvas.axes[0]
    marks = [line for line in axes.get_lines() if line.get_marker() == "o"]
    (own,) = [line for line in marks if np.isfinite(line.get_xdata()).any()]
    assert own.get_color() == "#D55E00"  # all ablations gain nothing
    assert own.get_xdata() == pytest.approx([0.05] * 6, abs=0.01)


def test_hyperparameters_mark_the_default(figures):
    above = figures["figure6"].canvas.axes[:2]  # of G2 and K
    assert [[patch.get_x() + 0.35 for patch in axes.patches] for axes in above] == [[1], [2]]


def test_course_is_drawn_by_its_steps_alone(figures, folder):
    figure = figures["figure5"]
    report = build_report(folder, "figure5", "paper")
    assert len(report.study.runs) > 0
    for axes in figure.canvas.axes:
        (own, *_) = [line for line in axes.get_lines() if line.get_linewidth() == 1.8]
        x, y = own.get_data()
        assert x[-1] == 40 and (np.diff(y) >= 0).all()


def test_captions_are_written_beside_the_figures(folder):
    written = write_figures(build_report(folder, "table2", "paper"))
    (captions,) = [path for path in written if path.suffix == ".md"]
    text = captions.read_text()
    for path in written:
        if path.suffix == ".svg":
            name = path.stem.replace("_", r"\_")
            assert f"]({path.name})" in text and f"**{name}.**" in text
    assert "95% bootstrap intervals" in text
    assert {path.suffix for path in written} == {".svg", ".png", ".md"}
    assert all(path.stat().st_size < 150_000 for path in written if path.suffix == ".svg")


def test_forest_of_many_rows_keeps_the_first_and_those_that_stand_out():
    rows = {f"arm{i}": Estimate(1 - i / 50, 0.9 - i / 50, 1.1 - i / 50) for i in range(40)}
    rows |= {"autosmote": Estimate(-0.5), "none": Estimate(0)}
    panel = Panel("MCC", "gain", rows)
    order = order_rows([panel])
    canvas = draw_forest([panel], order, {key: key for key in rows}, mark="mean", ring="ring")
    shown = [label.get_text() for label in canvas.axes[0].get_yticklabels()]
    assert shown == [*(f"arm{i}" for i in range(20)), "none", "autosmote", "20 others"]


def test_critical_differences_show_the_average_ranks_that_are_given():
    scores = np.tile([0.1, 0.2, 0.3], (6, 1))
    given = Ranking("MCC", "families", ["a", "b", "c"], scores, np.array([2.5, 2.25, 1.25]))
    (axes,) = draw_rankings([given]).axes
    shown = " ".join(text.get_text() for text in axes.texts)
    assert "2.50" in shown and "2.25" in shown and "1.25" in shown


def test_critical_differences_join_what_does_not_differ():
    rng = np.random.default_rng(0)
    base = rng.normal(0, 0.01, (30, 3))
    scores = base + [0.5, 0.5, 0.1]
    canvas = draw_rankings([Ranking("MCC", "datasets", ["smote", "autosmote", "none"], scores)])
    (axes,) = canvas.axes
    bars = [line for line in axes.get_lines() if line.get_linewidth() == 2.5]
    ranks = {text.get_text().split()[0]: text for text in axes.texts if "SMOTE" in text.get_text()}
    assert set(ranks) == {"SMOTE", "AutoSMOTE"}
    (bar,) = bars
    assert bar.get_xdata()[1] < 2 and bar.get_xdata()[0] > 1  # both of the first two, not the last
    assert axes.get_title() == (
        "MCC: average ranks of 3 methods, n = 30 datasets; Friedman p < 0.001"
    )


def test_critical_differences_of_many_methods_show_autosmote_wherever_it_stands():
    arms = [f"arm{i}" for i in range(29)] + ["autosmote"]
    scores = np.tile(np.linspace(1, 0, 30), (6, 1)) + np.random.default_rng(1).normal(
        0, 1e-4, (6, 30)
    )
    (axes,) = draw_rankings([Ranking("MCC", "datasets", arms, scores)]).axes
    shown = [text.get_text() for text in axes.texts]
    assert "30.00 AutoSMOTE" in shown
    assert len([text for text in shown if "." in text]) == MOST_COMPARED + 1
    assert f"{MOST_COMPARED + 1} of 30 methods, n = 6" in axes.get_title()


def test_critical_differences_of_too_few_blocks_have_no_bars():
    scores = np.array([[0.1, 0.2, 0.3]] * 4)
    (axes,) = draw_rankings([Ranking("MCC", "datasets", ["a", "b", "c"], scores)]).axes
    assert not [line for line in axes.get_lines() if line.get_linewidth() == 2.5]
    assert axes.get_title().endswith("n = 4 datasets; n too small for tests")


def test_name_that_begins_a_formula_is_text(make_sweep, tmp_path):
    arms = ["none", "$m_{$", "autosmote"]
    make_sweep(arms=arms, datasets=["phoneme"], irs=[20, 50], seeds=1)
    written = write_figures(build_report(tmp_path, "table2", "paper"))
    (gains,) = [path for path in written if path.name == "table2_gains.svg"]
    assert ">$m_{$<" in gains.read_text()
