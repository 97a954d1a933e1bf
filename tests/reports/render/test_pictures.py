"""Pictures in the page are whole, small, and left out by a rule where there are too many."""

import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import unquote

import numpy as np
from matplotlib.figure import Figure as Canvas

from autosmote.reports.render import drawing
from autosmote.reports.render.drawing import Figure
from autosmote.reports.render.html import Section, render
from autosmote.reports.render.pictures import make_pictures


def draw(name, n_points=5, text="a < b & 'c' \"d\" #1 50% 0.12345"):
    with drawing.style():
        canvas = Canvas(figsize=(5, 3))
        axes = canvas.subplots()
        values = np.random.default_rng(0).random((2, n_points))
        axes.plot(*values, "o")
        axes.set_title(text, parse_math=True)
    return Figure(name, f"Caption of {name}.", canvas)


def of_one(figure, limit=10**6):
    [[picture]] = make_pictures([([figure], "table2/figures/quick")], limit)
    return picture


def test_svg_in_the_address_is_whole_and_keeps_its_text():
    picture = of_one(draw("small"))
    assert not re.search("[<>\"'&#]", picture.source)
    svg = unquote(picture.source.removeprefix("data:image/svg+xml,"))
    root = ElementTree.fromstring(svg)  # noqa: S314
    texts = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "a < b & 'c' \"d\" #1 50% 0.12345" in texts
    assert "Verdana" in svg and "<!--" not in svg
    places = re.findall(r' (?:d|x|y|transform)="([^"]*)"', svg)
    assert places and not [place for place in places if re.search(r"\.\d{3}", place)]
    assert (picture.width, picture.height) == (600, 360)


def test_figure_of_many_points_becomes_pixels():
    many, few = of_one(draw("many", 20_000)), of_one(draw("few"))
    assert many.source.startswith("data:image/webp;base64,")
    assert few.source.startswith("data:image/svg+xml,")
    assert len(many.source) < 300_000


def test_pictures_are_the_same_each_time():
    first, second = (of_one(draw("same", n)).source for n in (9, 9))
    assert first == second
    assert of_one(draw("same", 20_000)).source == of_one(draw("same", 20_000)).source


def test_later_pictures_are_left_out_where_there_is_no_room():
    sections = [([draw("a"), draw("b")], "x/figures/quick"), ([draw("c"), draw("d")], "y")]
    size = len(of_one(draw("a")).source)
    made = make_pictures(sections, limit=int(2.5 * size))
    assert [[bool(picture.source) for picture in pictures] for pictures in made] == [
        [True, False],
        [True, False],
    ]
    assert made[0][1].place == "x/figures/quick/b.svg"
    section = Section("s", "S", figures=sections[0][0], folder="x/figures/quick")
    page = render([section], limit=len(render([section])) - size // 2)
    assert page.count("<img") == 1
    assert "Left out here, for the size of this page: Caption of b." in page
    assert "It is in x/figures/quick/b.svg." in page


def test_figure_that_matplotlib_refuses_is_said_to_be_missing():
    picture = of_one(draw("bad", text="$m_{$"))
    assert picture.source == "" and picture.place == ""
