"""What the page shows of a table: heads, groups, best values, parts of cells."""

import math

import pandas as pd
import pytest

from autosmote.reports.render.layout import lay_out
from autosmote.reports.render.table import HIGHEST, LOWEST, Cell, Table, spread


def make_table(rows, header=("Group", "Method", "Rank"), **settings):
    rows = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    return Table("t", "Caption", list(header), rows, pd.DataFrame(), **settings)


def number(value, mark=""):
    return Cell(f"{value:.2f}{mark}", sort=value)


RANKED = [
    ["One", "a", number(3.0, "▲")],
    ["One", "own", number(1.0)],
    ["Two", "b", number(2.0)],
    ["Two", "c", number(2.001)],
]


def names_of(rows):
    return [row[0].text for row in rows]


def test_grouped_rows_are_under_titles_and_the_pinned_row_above_them():
    layout = lay_out(make_table(RANKED, n_text=2, grouped=True, pinned=[1]))
    assert names_of(layout.pinned) == ["own"]
    assert [(group.title, names_of(group.rows)) for group in layout.groups] == [
        ("One", ["a"]),
        ("Two", ["b", "c"]),
    ]
    assert layout.group_name == "Group" and layout.n_columns == 2
    assert [head.columns[0].name for head in layout.heads] == ["Method", "Rank"]
    assert [head.columns[0].place for head in layout.heads] == [0, 1]


def test_groups_without_a_column_are_set_apart_without_a_title():
    rows = [row[1:] for row in RANKED]
    layout = lay_out(make_table(rows, header=("Method", "Rank"), groups=[1, 1, 2, 2]))
    assert [(group.title, len(group.rows)) for group in layout.groups] == [("", 2), ("", 2)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"best": {2: LOWEST}, "categories": True}, ["own"]),
        ({"best": {2: LOWEST}}, ["own", "b", "c"]),  # 2.00 and 2.00 are printed alike
        ({"best": {2: HIGHEST}}, ["a", "b", "c"]),
        ({}, []),
    ],
)
def test_best_values_are_those_of_a_group_or_of_all(settings, expected):
    layout = lay_out(make_table(RANKED, n_text=2, grouped=True, **settings))
    rows = [row for group in layout.groups for row in group.rows]
    assert [row[0].text for row in rows if row[1].is_best] == expected


def test_values_that_are_not_known_are_not_the_best():
    rows = [["x", "a", Cell("–", sort=math.nan)], ["x", "b", number(2.0)], ["x", "c", number(3.0)]]
    layout = lay_out(make_table(rows, n_text=2, grouped=True, best={2: LOWEST}))
    assert [row[1].is_best for row in layout.groups[0].rows] == [False, True, False]


@pytest.mark.parametrize(
    ("cell", "text", "mark", "interval", "sort"),
    [
        (Cell("7.17▲†", sort=7.1667), "7.17", "▲†", "", ""),
        (Cell("+0.010 [+0.002, +0.018]", sort=0.0104), "+0.010", "", "[+0.002, +0.018]", ""),
        (Cell("<0.0001▲", sort=0.00002), "<0.0001", "▲", "", "2e-05"),
        (Cell("48 (96)", sort=96), "48 (96)", "", "", "96"),
        (Cell("100%", sort=1.0), "100%", "", "", "1"),
        (Cell("–", sort=math.nan), "–", "", "", ""),
        (Cell("7200.0", sort=7200.04), "7200.0", "", "", ""),
    ],
)
def test_numbers_are_parted_and_keep_what_they_are_sorted_by(cell, text, mark, interval, sort):
    layout = lay_out(make_table([["x", "a", cell]], n_text=2))
    shown = layout.groups[0].rows[0][2]
    assert (shown.text, shown.mark, shown.interval, shown.sort) == (text, mark, interval, sort)


def test_marks_of_what_stands_beside_are_parted_too():
    cell = Cell("7.17", beside="8.26▲", sort=7.17)
    shown = lay_out(make_table([["x", "a", cell]], n_text=2)).groups[0].rows[0][2]
    assert (shown.beside, shown.beside_mark) == ("8.26", "▲")


def test_text_of_a_record_is_whole_whatever_it_looks_like():
    layout = lay_out(make_table([["x", "SIGSEGV [at 0]▲", number(1)]], n_text=2))
    shown = layout.groups[0].rows[0][1]
    assert (shown.text, shown.mark, shown.interval) == ("SIGSEGV [at 0]▲", "", "")


def test_columns_of_words_alone_are_text():
    rows = [["x", "a", number(1), Cell("confirmed")], ["x", "b", number(2), Cell("")]]
    layout = lay_out(make_table(rows, header=("Group", "Method", "Rank", "Held"), n_text=2))
    assert [head.columns[0].is_text for head in layout.heads] == [True, True, False, True]


def test_a_column_of_few_words_can_be_chosen_from_and_the_names_cannot():
    rows = [[f"method {i}", ("best", "vote")[i % 2], number(i)] for i in range(6)]
    layout = lay_out(make_table(rows, header=("Method", "Rule", "Rank"), n_text=2))
    assert [head.columns[0].is_choice for head in layout.heads] == [False, True, False]
    layout = lay_out(make_table(rows, n_text=2, sortable=False))
    assert not any(head.columns[0].is_choice for head in layout.heads)


def test_spans_are_heads_over_their_columns():
    header, spans = spread(["Group", "Method"], ["Overall", "Toy"], ["F1", "MCC"], ["Runs"])
    rows = [["x", "a", *map(number, (1, 2, 3, 4, 5))]]
    table = make_table(rows, header=header, spans=spans, n_text=2, grouped=True)
    assert table.titles[2:] == ["Overall: F1", "Overall: MCC", "Toy: F1", "Toy: MCC", "Runs"]
    layout = lay_out(table)
    assert layout.is_spanned
    assert [(head.name, [column.place for column in head.columns]) for head in layout.heads] == [
        ("", [0]),
        ("Overall", [1, 2]),
        ("Toy", [3, 4]),
        ("", [5]),
    ]


def test_rows_below_have_the_title_that_begins_them():
    footer = [[Cell("Beside"), Cell("d"), number(1)], [Cell(""), Cell("e"), number(2)]]
    layout = lay_out(make_table(RANKED, n_text=2, grouped=True, footer=footer))
    assert [(group.title, names_of(group.rows)) for group in layout.footer] == [
        ("Beside", ["d", "e"])
    ]
    rows = [row[1:] for row in RANKED]
    table = make_table(rows, header=("Method", "Rank"), footer=[row[1:] for row in footer])
    assert [(group.title, names_of(group.rows)) for group in lay_out(table).footer] == [
        ("", ["d", "e"])
    ]
