"""What a user's column is taken for, and how synthetic values are written into it."""

import re

import numpy as np
import pandas as pd
import pytest

from autosmote.data.column_kinds import (
    CATEGORY,
    DECIMAL,
    LEFT_OUT,
    WHOLE,
    as_written,
    classify,
    find_decimal,
    find_other_decimal,
    numeric,
)
from autosmote.errors import UserError

IDS = [str(1000 + 7 * i) for i in range(40)]


@pytest.mark.parametrize(
    ("name", "cells", "kind", "said"),
    [
        ("age", ["34", "27", "34"], WHOLE, ""),
        ("age", ["34.0", "", "27.0"], WHOLE, ""),
        ("age", ["34", "NA", "27.", "?"], WHOLE, ""),
        ("price", ["1.5", "2", "2.25"], DECIMAL, ""),
        ("price", ["1e5", "2", "nan"], DECIMAL, ""),
        ("price", ["1,50", "2,25"], DECIMAL, "decimal comma (else --decimal .)"),
        ("price", ["1,234,567", "2"], WHOLE, "commas between thousands (else --decimal ,)"),
        ("price", ["1,234.5", "2"], DECIMAL, "commas between thousands"),
        ("zip", ["08520", "10115", "08520"], CATEGORY, "leading zeros"),
        ("phone", ["+4917012345", "+4930123456", "+4930123456"], CATEGORY, "plus sign"),
        ("phone", ["030 1234", "0171 55", "030 1234"], CATEGORY, ""),
        ("offset", ["+5", "-3", "+5"], WHOLE, ""),
        ("country", ["NA", "DE", "NA"], CATEGORY, "takes NA for a value"),
        ("", ["1", "2", "2"], LEFT_OUT, "no name and is left out (name it"),
        ("Unnamed: 0", ["1", "2", "2"], LEFT_OUT, "no name and is left out (name it"),
        ("gone", ["", "NA", " "], LEFT_OUT, "is empty and is left out"),
        ("row", [str(i) for i in range(20)], LEFT_OUT, "numbers the rows"),
        ("row", [str(i) for i in range(5)], WHOLE, ""),
        ("customer_id", IDS, LEFT_OUT, "is an id"),
        ("customerId", IDS, LEFT_OUT, "is an id"),
        ("paid", IDS, WHOLE, ""),
        ("code", [str(2**60 + 9 * i) for i in range(20)], LEFT_OUT, "--numeric"),
        ("ref", [f"r{i}x" for i in range(20)], LEFT_OUT, "different in every row"),
        ("ref", [f"r{i}x" for i in range(5)], CATEGORY, ""),
        ("ref", [f"r{i // 2}x" for i in range(2400)], LEFT_OUT, "1,200 different texts"),
        ("zip", [f"{i // 3:05}" for i in range(100)], CATEGORY, "leading zeros"),
        ("zip", [f"{i // 10:05}" for i in range(600)], CATEGORY, "leading zeros"),
        ("zip", [f"{i // 9:05}" for i in range(540)], LEFT_OUT, "60 different texts in 540 rows"),
        ("zip", [f"{max(i, 40):05}" for i in range(100)], LEFT_OUT, "60 different texts in 100"),
        ("name", [f"n{max(i, 40)}" for i in range(100)], LEFT_OUT, "give --categorical to use"),
        ("code", [f"{i:05}" for i in range(20)], LEFT_OUT, "digits in every row"),
        ("day", ["2024-03-01", "2024-12-31", ""], LEFT_OUT, "dates and is left out (give --cat"),
        ("day", ["01.03.2024", "31.12.24"], LEFT_OUT, "dates"),
        ("day", ["3/1/2024 12:30", "12/31/2024 1:00:05"], LEFT_OUT, "dates"),
        ("day", ["2024-03-01T10:00:00Z", "2024-03-01T10:00:00.5+01:00"], LEFT_OUT, "dates"),
        ("day", ["2024-03-01", "NA", "2024-12-31"], LEFT_OUT, "dates"),
        ("share", ["12%", "13 %", "NA", "12%"], CATEGORY, "percentages (write them without %"),
        ("share", ["1,5%", "2.5%", ""], CATEGORY, "percentages"),
        ("share", [f"{i}.5%" for i in range(20)], LEFT_OUT, "percentages that are different in"),
        ("share", ["12%", "13%", "all"], CATEGORY, ""),
        ("version", ["1.2.99", "1.10.3"], CATEGORY, ""),
    ],
)
def test_column_is_taken_for(name, cells, kind, said):
    found, words = classify(name, cells, None, where="t.csv")
    assert found.kind == kind and said in words and bool(words) == bool(said)


def test_each_guess_that_is_said_ends_with_what_overrides_it():
    (mark,) = (m for m in test_column_is_taken_for.pytestmark if m.name == "parametrize")
    said = [classify(name, cells, None, where="t")[1] for name, cells, _, _ in mark.args[1]]
    guesses = [words for words in said if words]
    assert len(guesses) > 20
    for words in guesses:
        remedy = re.search(r"\((.+)\)$", words)[1]
        assert re.match(r"else --|give --|name it|fill it in|group|write|else leave", remedy), words


@pytest.mark.parametrize(
    ("declared", "cells", "kind", "said"),
    [
        ("x,y", ["x", "y", "x"], CATEGORY, ""),
        ("1,2", ["1", "2", "1"], CATEGORY, ""),
        ("n", [f"n{i // 2}" for i in range(6000)], LEFT_OUT, "3,000 different texts"),
        ("n", [f"n{i}" for i in range(20)], LEFT_OUT, "different in every row"),
        ("n", [f"n{max(i, 40)}" for i in range(100)], LEFT_OUT, "60 different texts in 100"),
        ("NA,DE", ["NA", "DE", "NA"], CATEGORY, "takes NA for a value"),
    ],
)
def test_declared_categories_go_by_the_rules_of_text(declared, cells, kind, said):
    found, words = classify("c", cells, None, where="t", declared=tuple(declared.split(",")))
    assert found.kind == kind and said in words and bool(words) == bool(said)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1", "2", "x"], "row 3: 'x' is text in a column of numbers"),
        (["red", "7", "red"], "row 2: '7' is a number in a column of text"),
        (["1,234", "5"], "'1,234' may be a decimal number or thousands; give --decimal"),
    ],
)
def test_column_of_two_minds_is_refused(cells, words):
    # The second is read as a decimal comma where the table says nothing else.
    with pytest.raises(UserError) as caught:
        classify("c", cells, None, where="t.csv")
        raise UserError("nothing was refused")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "sep", "sign"),
    [
        ([["1,5", "2"], ["x", "y"]], ",", ","),
        ([["1.5", "2"]], ";", "."),
        ([["1", "2"]], ";", ","),
        ([["1", "2"]], ",", None),
        ([["1.234,5"], ["1.500"]], ";", ","),
        ([["1,234.5"]], ",", "."),
    ],
)
def test_decimal_sign_is_that_of_a_column_that_leaves_no_choice(columns, sep, sign):
    assert find_decimal(columns, sep) == sign


@pytest.mark.parametrize(
    ("cells", "values", "texts"),
    [
        (["34.0", "", "27.0"], [30, 5], ["30.0", "5.0"]),
        (["34", "27"], [30, -5], ["30", "-5"]),
        (["1.50", "2.25"], [1.5, 0.123], ["1.50", "0.12"]),
        (["1.5", "2.25", "3"], [1.5, 2, 0.126], ["1.5", "2", "0.13"]),
        (["-1.5", "2.5"], [-0.01, np.nan], ["0.0", ""]),
        (["1e-7", "2.5e-6"], [1.234e-7, 5.0], ["1.2e-07", "5"]),
        (["1,50", "2,25"], [1.5, 1234.567], ["1,50", "1234,57"]),
        (["1.234,5", "2"], [1234.56, 7], ["1.234,6", "7"]),
        (["1,234,567", "20"], [7654321, 8], ["7,654,321", "8"]),
        ([" lead", " lead", "b"], ["lead", "b", None, pd.NA, np.nan], [" lead", "b", "", "", ""]),
    ],
)
def test_synthetic_cells_look_like_the_columns_own(cells, values, texts):
    kind, _ = classify("c", cells, None, where="t")
    assert kind.texts(values) == texts


@pytest.mark.parametrize(
    ("cells", "value"),
    [(["1.234", "2.500"], 1234), (["0.234", "2.500"], 0.234), (["1.23", "2.5"], 1.23)],
)
def test_points_in_a_table_of_decimal_commas(cells, value):
    kind, said = classify("c", cells, ",", where="t")
    assert kind.values(cells, "t", "c")[0] == value
    assert ("points between thousands (else --decimal .)" in said) == (value == 1234)


def test_values_are_whole_numbers_floats_or_text_with_none():
    def values(cells):
        return classify("c", cells, None, where="t")[0].values(cells, "t", "c")

    assert values(["1", "2"]).dtype == "int64"
    assert values(["1", "NA", "9007199254740992"]).tolist() == [1, pd.NA, 2**53]
    assert values(["1", "NA"]).dtype == "Int64"
    assert values(["1.5", "-0.0", ""]).fillna(9).tolist() == [1.5, 0.0, 9]
    assert values([" a", "a", "null", "NA"]).tolist() == ["a", "a", None, "NA"]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1", "9007199254740993"], r"row 2: 9007199254740993 is beyond 2\*\*53.*--id"),
        (["1", "1" * 5000], "too large for a 64-bit number"),
        (["1.5", "1e400"], "'1e400' is too large"),
    ],
)
def test_numbers_that_floats_do_not_hold_are_refused(cells, words):
    kind, _ = classify("c", cells, None, where="t")
    with pytest.raises(UserError, match=words):
        kind.values(cells, "t", "c")


COMMA, POINT = ["1,5", "2,25"], ["1.5", "2.25"]
THOUSANDS, YEARS = ["1.234,5", "999,1"], ["34", "27"]


@pytest.mark.parametrize(
    ("known", "cells", "decimal", "values", "said"),
    [
        (COMMA, ["1.5", "3"], None, [1.5, 3], ""),
        (COMMA, ["1.5", "3"], ".", [1.5, 3], ""),
        (COMMA, ["1,5", "x"], None, "data row 2: 'x' is text in a column of numbers; correct", ""),
        (COMMA, ["1.5", "x"], ".", "data row 2: 'x' is text", ""),
        (COMMA, ["1.234", "3"], None, "'1.234' may be a decimal number or thousands", ""),
        (COMMA, ["1,234", "3"], None, [1.234, 3], "a decimal comma (else --decimal .)"),
        (COMMA, ["1.234,5"], None, [1234.5], "points between thousands (else --decimal .)"),
        (POINT, ["1,5", "2"], None, [1.5, 2], "a decimal comma (else --decimal .)"),
        (POINT, ["1,234", "2"], None, "'1,234' may be a decimal number or thousands", ""),
        (POINT, ["1,234", "2"], ",", [1.234, 2], "a decimal comma"),
        (POINT, ["1.234"], None, [1.234], ""),
        (THOUSANDS, ["1.234", "2.250"], ".", [1.234, 2.25], ""),
        (THOUSANDS, ["1.234", "2.250"], None, [1234, 2250], "points between thousands (else"),
        (YEARS, ["2.5", "3"], None, [2.5, 3], "holds '2.5' where the model has seen whole numbers"),
        (YEARS, ["1e2", ""], None, [100, np.nan], "holds '1e2'"),
        (YEARS, ["9007199254740994"], None, [2.0**53 + 2], "holds '9007199254740994'"),
        (YEARS, ["2,5"], None, [2.5], "a decimal comma (else --decimal .); it holds '2,5'"),
        (YEARS, ["35", "NA"], None, [35, pd.NA], ""),
        (YEARS, ["", "NA"], None, [pd.NA, pd.NA], ""),
    ],
)
def test_a_known_column_is_read_as_another_table_writes_it(known, cells, decimal, values, said):
    kind, _ = classify("c", known, None, where="t")
    try:
        read, words = as_written(kind, "c", cells, decimal, "new")
        found = read.values(cells, "new", "c").tolist()
    except UserError as error:
        assert isinstance(values, str) and values in str(error)
        assert "--categorical" not in str(error)
        return
    np.testing.assert_array_equal(pd.isna(found), pd.isna(values))
    assert [v for v in found if not pd.isna(v)] == [v for v in values if not pd.isna(v)]
    assert said in words and bool(words) == bool(said)


@pytest.mark.parametrize(
    ("known", "new", "sign"),
    [
        ([COMMA], [["1.5"]], "."),
        ([COMMA, COMMA], [["1.5"], ["1.234"]], "."),
        ([COMMA, POINT], [["2,5"], ["1.234"]], None),
        ([YEARS, COMMA], [["1,5"], ["3"]], ","),
        ([COMMA], [["1.5", "x"]], None),
        ([["a", "b"], POINT], [["1,5"], ["2"]], None),
    ],
)
def test_another_decimal_sign_is_that_of_a_column_that_its_kind_cannot_read(known, new, sign):
    kinds = [classify("c", cells, None, where="t")[0] for cells in known]
    assert find_other_decimal(list(zip(kinds, new, strict=True))) == sign


def test_a_kind_reads_other_cells_or_names_the_row():
    kind = numeric("c", ["1,5", "2,5"], ",", "t")
    assert kind.values(["3,25", "NA"], "t", "c").fillna(0).tolist() == [3.25, 0]
    with pytest.raises(UserError, match="data row 2: 'x' is text in a column of numbers"):
        kind.values(["1", "x"], "t", "c")
    whole = numeric("c", ["1", "2"], ".", "t")
    with pytest.raises(UserError, match=r"'1\.5' is no whole number"):
        whole.values(["1.5"], "t", "c")
    with pytest.raises(UserError, match="given as --numeric, but holds text"):
        numeric("c", ["1", "x"], ".", "t")
