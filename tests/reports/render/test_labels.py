"""Names in figures cover neither each other nor the points, and lines to them do not cross."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

from autosmote.records.figure_style import COLUMN, DPI, SMALL, new_canvas, style
from autosmote.reports import names
from autosmote.reports.render.labels import fix_layout, name_line_ends, name_points


def boxes_of(axes, texts):
    wanted = set(texts.values())
    found = [text for text in axes.findobj(Text) if text.get_text() in wanted]
    return {text.get_text(): text.get_window_extent() for text in found}


def cross(first, second):
    """Whether two segments in pixels cross, by solving for where their lines meet."""
    (p, p2), (q, q2) = first, second
    sides = np.array([p2 - p, q - q2]).T
    if abs(np.linalg.det(sides)) < 1e-12:
        return False
    along = np.linalg.solve(sides, q - p)
    return bool(((along > 0) & (along < 1)).all())


@pytest.fixture(params=range(4))
def crowd(request):
    """A panel of a figure with 25 points, most of them close together."""
    rng = np.random.default_rng(request.param)
    at = np.concatenate([rng.normal(0, 0.4, (22, 2)), rng.normal(0, 1, (8, 2))])
    arms = ["autosmote", "none", *list(names.TABLE2)[1:29]]
    points = {arm: tuple(place) for arm, place in zip(arms, at, strict=False)}
    with style():
        canvas = new_canvas(COLUMN, 3)
        axes = canvas.add_subplot()
        axes.plot(*np.array(list(points.values())).T, "o")
        axes.margins(0.1)
        fix_layout(canvas)
    return axes, points


def test_names_cover_no_other_name_and_no_point(crowd):
    axes, points = crowd
    texts = {arm: names.arm(arm) for arm in list(points)[:10]}
    written = name_points(axes, points, texts)
    boxes = boxes_of(axes, {arm: texts[arm] for arm in written})
    assert len(boxes) == len(written) >= 6 and {"autosmote", "none"} <= set(written)
    for one, other in combinations(boxes.values(), 2):
        assert not one.padded(-1).overlaps(other.padded(-1))
    frame = axes.get_window_extent().padded(1)
    at = axes.transData.transform(list(points.values()))
    for box in boxes.values():
        assert frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1)
        assert not any(box.contains(x, y) for x, y in at)


def test_lines_to_names_do_not_cross(crowd):
    axes, points = crowd
    name_points(axes, points, {arm: names.arm(arm) for arm in list(points)[:10]})
    to_pixels = axes.transAxes
    lines = [line for line in axes.get_lines() if line.get_transform() is to_pixels]
    ends = [to_pixels.transform(np.column_stack(line.get_data())) for line in lines]
    assert not any(cross(one, other) for one, other in combinations(ends, 2))


def test_name_of_autosmote_is_written_where_there_is_no_room():
    """A panel too small for any name: the others are left out."""
    with style():
        canvas = new_canvas(1, 1)
        axes = canvas.add_subplot()
        points = {"smote": (0.4, 0.4), "autosmote": (0.5, 0.5)}
        axes.plot([0.4, 0.5], [0.4, 0.5], "o")
        fix_layout(canvas)
        texts = {"smote": "x" * 90, "autosmote": "y" * 90}
        assert name_points(axes, points, texts) == ["autosmote"]
        assert [text.get_text() for text in axes.texts] == ["y" * 90]


def test_names_of_lines_are_in_the_order_of_their_ends_and_apart():
    ends = {"a": (1.0, 0.5), "b": (1.0, 0.5), "c": (1.0, 0.501), "d": (1.0, 0.0)}
    with style():
        canvas = new_canvas(COLUMN, 2.5)
        axes = canvas.add_subplot()
        axes.plot([0, 1], [0, 0.501])
        axes.margins(x=0)
        axes.autoscale_view()
        name_line_ends(axes, 2.0, ends, {key: key * 3 for key in ends}, dict.fromkeys(ends, "k"))
        canvas.draw_without_rendering()
    heights = {text.get_text()[0]: text.get_window_extent().y0 for text in axes.texts}
    assert sorted(heights, key=heights.get) == ["d", "a", "b", "c"]
    assert min(np.diff(sorted(heights.values()))) >= SMALL * DPI / 72
    figure = canvas.bbox
    assert all(text.get_window_extent().x1 <= figure.x1 for text in axes.texts)
