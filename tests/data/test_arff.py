"""ARFF declarations: what may follow them, and that no text is tried in many ways."""

import pytest

from autosmote.data.arff import parse_arff
from autosmote.data.columns import DATE, NUMBER, TEXT
from autosmote.errors import UserError


def declared(*lines):
    text = "\n".join(["@relation r", *lines, "@data", ",".join("?" * len(lines)), ""])
    return [(column.name, column.declared) for column in parse_arff(text.encode(), "t.arff")]


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("@attribute a numeric % in cm", ("a", NUMBER)),
        ("@attribute a real [0,100]", ("a", NUMBER)),
        ("@ATTRIBUTE\ta  INTEGER[1, 10]   % of ten", ("a", NUMBER)),
        ("  @attribute 'a b' string%free", ("a b", TEXT)),
        ("@attribute a date", ("a", DATE)),
        ("@attribute a DATE yyyy-MM-dd % day", ("a", DATE)),
        ("@attribute a date 'yyyy-MM-dd HH:mm:ss'", ("a", DATE)),
        ("@attribute a {x,y} % both", ("a", ("x", "y"))),
        ("@attribute a { 'x, y' , \"it's\", 50% }", ("a", ("x, y", "it's", "50%"))),
        ("@attribute a{x,'it\\'s','\\u00e9\\t'}", ("a", ("x", "it's", "é\t"))),
    ],
)
def test_declaration_is_read(line, column):
    assert declared(line) == [column]


@pytest.mark.parametrize(
    "line",
    [
        "@attribute a",
        "@attribute a {x y}",
        "@attribute a {x,y",
        "@attribute a {x,y} z",
        "@attribute a numerical",
        "@attribute a real [0,100",
        "@attribute a dates",
        "@attribute a date 'yyyy",
        "@attribute a date yyyy-MM-dd HH:mm",
        "@attribute 'a real",
        "@attribute a {x,'y}",
        # Each took time that grew exponentially or with the square of its length.
        "@attribute a {" + ", ".join(f"v{i}" for i in range(50_000)),
        "@attribute a {" + ", ".join(f"'v\\'{i}" for i in range(50_000)),
        "@attribute a {x" + " " * 100_000 + "y}",
        "@attribute a" + " " * 100_000 + "x",
        "@attribute a {" + "\\" * 100_000,
        "@attribute " + "'" * 100_001,
    ],
    ids=lambda line: line[:30],
)
def test_faulty_declaration_is_refused_at_once(line):
    with pytest.raises(UserError, match="faulty attribute declaration"):
        declared(line)


def test_names_twice_are_refused():
    with pytest.raises(UserError, match="of different names"):
        declared("@attribute a real", "@attribute 'a' real")


def test_unknown_escape_in_a_row_is_refused():
    text = "@relation r\n@attribute a string\n@data\n'\\q'\n"
    with pytest.raises(UserError, match="line 4: the row cannot be split"):
        parse_arff(text.encode(), "t.arff")
