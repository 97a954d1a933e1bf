"""Files of figures tell neither when nor by which version they were made, and hold text as text."""

import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from autosmote.records.figure_style import (
    COLUMN,
    DPI,
    PAGE,
    SMALL,
    label_log_axis,
    new_canvas,
    save_canvas,
    style,
    to_svg,
)


def draw(path, title=None):
    with style():
        canvas = new_canvas(COLUMN, 2)
        axes = canvas.add_subplot()
        axes.plot([1, 2], [1, 3], "o-", label="a line")
        axes.set_xlabel("iteration")
        axes.legend()
        save_canvas(canvas, path, title)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["svg", "png"])
def test_file_is_the_same_each_time_and_has_no_version(tmp_path, form):
    first = draw(tmp_path / f"a.{form}", "A title")
    assert first == draw(tmp_path / f"b.{form}", "A title")
    assert matplotlib.__version__.encode() not in first
    assert b"A title" in first


def test_svg_has_text_as_text(tmp_path):
    text = draw(tmp_path / "a.svg").decode()
    assert ">iteration<" in text and ">a line<" in text and "sans-serif" in text


def test_svg_has_short_coordinates_and_its_numbers_whole():
    with style():
        canvas = new_canvas(COLUMN, 2)
        axes = canvas.add_subplot()
        axes.plot(np.linspace(0, 1, 7), np.linspace(0, 3.3, 7))
        axes.set_title("0.123456 of 10.0")
        text = to_svg(canvas)
    paths = re.findall(r' d="([^"]*)"', text)
    assert len(paths) > 5 and not re.search(r"\.\d{3}", " ".join(paths))
    assert ">0.123456 of 10.0<" in text and "rotate(-0" not in text
    ElementTree.fromstring(text)  # noqa: S314 - ours


def test_png_has_300_dots_per_inch(tmp_path):
    from PIL import Image

    draw(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (COLUMN * DPI, 2 * DPI)
        assert image.info["dpi"] == pytest.approx((DPI, DPI), rel=1e-3)


def test_style_has_no_smaller_text_and_ends_with_its_context():
    before = matplotlib.rcParams.copy()
    with style():
        canvas = new_canvas(PAGE, 2)
        axes = canvas.add_subplot()
        axes.set_title("title")
        axes.plot([0, 1], [0, 1], label="a")
        axes.legend()
        canvas.draw_without_rendering()
        sizes = [text.get_fontsize() for text in canvas.findobj(matplotlib.text.Text)]
    assert min(sizes) == SMALL
    assert matplotlib.rcParams.copy() == before


@pytest.mark.parametrize(
    ("limits", "shown"), [((0.03, 40), ["0.1", "1", "10"]), ((0.8, 6), ["1", "2", "5"])]
)
def test_log_axis_has_plain_numbers(limits, shown):
    with style():
        canvas = new_canvas(COLUMN, 2)
        axes = canvas.add_subplot(xscale="log", xlim=limits)
        label_log_axis(axes.xaxis)
        canvas.draw_without_rendering()
        low, high = limits
        ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        assert [label.get_text() for x, label in ticks if low <= x <= high] == shown
        assert not any(label.get_text() for label in axes.get_xticklabels(minor=True))
