"""A user's table from file to file: what goes in comes out."""

import csv
import gzip
import io
import os
import zlib
from pathlib import Path
from xml.etree.ElementTree import ParseError

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autosmote.data import files
from autosmote.data.column_kinds import LEFT_OUT
from autosmote.data.files import read_table
from autosmote.data.user_table import ReadOptions, read_user_table
from autosmote.data.write_rows import check_exact, check_output, write_rows
from autosmote.errors import UserError

TARGET = ReadOptions(target="class")


def table(tmp_path, text, options=TARGET, name="t.csv", **others):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_user_table(path, options, **others)


ROWS = """\
,customer_id,age,plz,preis,land,tag,lead,leer,class
0,8001,34.0,08520,"1,50",NA,2024-03-01, lead,,gut
1,8014,,10115,"12,25",DE,2024-03-02, lead,,"schl,echt"
2,8027,51.0,08520,"0,75",NA,,b,,gut
3,8040,29.0,10115,"0,80",,2024-03-05,b,,gut
"""


def many_rows():
    """ROWS four times over, their first columns numbered on."""
    header, *rows = ROWS.splitlines(keepends=True)
    cells = [row.split(",", 2) for row in rows * 4]
    return header + "".join(f"{i},{8001 + 13 * i},{row[2]}" for i, row in enumerate(cells))


def test_table_says_what_it_leaves_out_and_what_it_takes_columns_for(tmp_path):
    found = table(tmp_path, many_rows())
    assert list(found.frame) == ["age", "plz", "preis", "land", "lead"]
    assert found.frame.dtypes.astype(str).tolist() == [
        "Int64",
        "object",
        "float64",
        "object",
        "object",
    ]
    notes = "\n".join(found.notes)
    for words in (
        "column 1 has no name and is left out",
        "column 'customer_id' is an id",
        "column 'plz' is text",
        "column 'preis' holds numbers with a decimal comma (else --decimal .)",
        "column 'land' takes NA for a value",
        "column 'tag' holds dates and is left out (give --categorical",
        "column 'leer' is empty",
    ):
        assert words in notes
    assert found.labels[:2].tolist() == ["gut", "schl,echt"]


def test_options_override_every_guess(tmp_path):
    options = ReadOptions(
        target="class", drop=["lead"], categorical=["tag", "age"], id=["land"],
        numeric=["customer_id", "plz"], decimal=",",
    )  # fmt: skip
    found = table(tmp_path, many_rows(), options)
    assert list(found.frame) == ["customer_id", "age", "plz", "preis", "tag"]
    assert found.frame["plz"].tolist()[:2] == [8520, 10115]
    assert found.frame["age"].tolist()[:2] == ["34.0", None]
    assert found.frame["tag"].tolist()[2] is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_given_rows_are_written_byte_for_byte(tmp_path, encoding, line_end):
    given_bytes = many_rows().replace("gut", "güt").replace("\n", line_end).encode(encoding)
    found = table(tmp_path, given_bytes)
    new = found.frame.iloc[:2].assign(preis=[0.123, 7], age=pd.array([30, None], dtype="Int64"))
    write_rows(tmp_path / "o.csv", found, new, ["güt", "schl,echt"])
    written = (tmp_path / "o.csv").read_bytes()
    assert written.startswith(given_bytes)
    assert written[len(given_bytes) :].decode(encoding.removesuffix("-sig")) == line_end.join(
        [',,30.0,08520,"0,12",NA,, lead,,güt', ',,,10115,"7,00",DE,, lead,,"schl,echt"', ""]
    )


QUOTES = {
    "all": ('"a";"t";"class"\n"1";"p";"x"\n"2";"q;";"y"\n', '"1";"p";"x";"1"', ';"m"\n', ';"0"'),
    "text": ('"a","t","class"\n1,"p","x"\n2,"q","y"\n', '1,"p","x",1', ',"m"\n', ",0"),
    "names": ('"a","t","class"\n1,p,x\n2,q,y\n', "1,p,x,1", ',"m"\n', ",0"),
    "needed": ('a,t,class\n1,"p,",x\n2,"q""",y\n', '1,"p,",x,1', ",m\n", ",0"),
    "some": ('a,t,class\n1,p,x\n2,"q",y\n', '1,"p",x,1', ",m\n", ",0"),
}


@pytest.mark.parametrize("quote_formulas", [False, True])
@pytest.mark.parametrize(("text", "new", "name", "mark"), QUOTES.values(), ids=QUOTES)
def test_new_cells_are_in_quotes_where_their_column_is(
    tmp_path, text, new, name, mark, quote_formulas
):
    found = table(tmp_path, text)
    marks = {"m": ["0", "0", "1"]}
    write_rows(
        tmp_path / "o.csv", found, found.frame.iloc[:1], ["x"], extra=marks,
        quote_formulas=quote_formulas,
    )  # fmt: skip
    header, *rows, last = (tmp_path / "o.csv").read_text().splitlines(keepends=True)
    assert last == f"{new}\n" and header.endswith(name)
    assert all(row.endswith(f"{mark}\n") for row in rows)
    given = (
        header.removesuffix(name) + "\n" + "".join(row.replace(f"{mark}\n", "\n") for row in rows)
    )
    assert quote_formulas or given == text


def test_a_new_name_is_in_quotes_behind_empty_lines_too(tmp_path):
    found = table(tmp_path, '\n\n"a","t","class"\n1,p,x\n2,q,y\n')
    write_rows(tmp_path / "o.csv", found, extra={"m": ["0", "1"]})
    expected = '\n\n"a","t","class","m"\n1,p,x,0\n2,q,y,1\n'
    assert (tmp_path / "o.csv").read_text() == expected


@pytest.mark.parametrize("name", ["o.tsv", "o.tsv.gz", "o.csv"])
def test_other_formats_are_written_by_the_suffix_of_the_output(tmp_path, name):
    frame = pd.DataFrame({"a": [1.5, 2.5], "t": ["p, q", "r"], "class": ["x", "y"]})
    frame.to_parquet(tmp_path / "t.parquet")
    found = read_user_table(tmp_path / "t.parquet", TARGET)
    write_rows(tmp_path / name, found, found.frame.iloc[:1], ["x"])
    sep = "," if name == "o.csv" else "\t"
    written = pd.read_csv(tmp_path / name, sep=sep)
    pd.testing.assert_frame_equal(written, pd.concat([frame, frame[:1]], ignore_index=True))


def test_last_row_without_a_line_end_gets_one(tmp_path):
    found = table(tmp_path, "a,class\n1,x\n2,y")
    write_rows(tmp_path / "o.csv", found, found.frame.iloc[:1], ["x"])
    assert (tmp_path / "o.csv").read_text() == "a,class\n1,x\n2,y\n1,x\n"


def test_further_columns_are_added_to_all_rows_and_packed(tmp_path):
    found = table(tmp_path, "a;class\n1,5;'x'\n2,5;y\n")
    new = found.frame.iloc[:1]
    write_rows(tmp_path / "o.csv.gz", found, new, ["y"], extra={"synthetic": ["0", "0", "1"]})
    text = gzip.decompress((tmp_path / "o.csv.gz").read_bytes()).decode()
    assert text == "a;class;synthetic\n1,5;'x';0\n2,5;y;0\n1,5;y;1\n"
    with pytest.raises(UserError, match="has a column 'a' already"):
        write_rows(tmp_path / "o.csv", found, extra={"a": ["0", "0"]})


def test_formulas_are_quoted_if_asked_for(tmp_path):
    text = "a,t,class\n-1.5,=cmd|' /C calc'!A0,x\n2,@SUM(A1),x\n3,plain,y\n"
    found = table(tmp_path, text)
    write_rows(tmp_path / "o.csv", found)
    assert (tmp_path / "o.csv").read_text() == text
    write_rows(tmp_path / "o.csv", found, found.frame.iloc[:1], ["x"], quote_formulas=True)
    rows = list(csv.reader((tmp_path / "o.csv").open(newline="")))
    assert rows[1] == rows[-1] == ["-1.5", "'=cmd|' /C calc'!A0", "x"]
    assert rows[2][1] == "'@SUM(A1)" and rows[3] == ["3", "plain", "y"]


def test_another_file_is_read_by_the_same_kinds(tmp_path):
    found = table(tmp_path, many_rows())
    new = "class,lead,preis,plz,age,extra,land\n,b,2,1,7,9,NA\n,new,3,10115,,8,\n"
    second = table(tmp_path, new, ReadOptions(), "n.csv", like=found.features)
    assert list(second.frame) == list(found.frame)
    assert second.frame.iloc[0].tolist() == [7, "1", 2.0, "NA", "b"] and second.labels is None
    assert not second.notes and second.kinds[5].kind == LEFT_OUT
    with pytest.raises(UserError, match="no column 'age', which the model needs"):
        table(tmp_path, "plz,preis\n1,2\n", ReadOptions(), "n.csv", like=found.features)
    with pytest.raises(UserError, match="'preis', data row 1: 'x' is text"):
        table(tmp_path, new.replace("b,2,", "b,x,"), ReadOptions(), "n.csv", like=found.features)


@pytest.mark.parametrize("decimal", [None, "."])
@pytest.mark.parametrize("name", ["n.csv", "n.parquet", "n.xlsx"])
def test_another_file_may_have_the_other_decimal_sign(tmp_path, name, decimal):
    if name == "n.xlsx":
        pytest.importorskip("openpyxl")
    found = table(tmp_path, "a;pop;class\n1,5;1.234,5;x\n2,25;999,1;y\n")
    new = pd.DataFrame({"a": [1.5, 2.75], "pop": [1.234, 2.25]})
    {"n.csv": new.to_csv, "n.parquet": new.to_parquet, "n.xlsx": new.to_excel}[name](
        tmp_path / name, index=False
    )
    second = read_user_table(tmp_path / name, ReadOptions(decimal=decimal), like=found.features)
    pd.testing.assert_frame_equal(second.frame, new)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("a,class\n", TARGET, "has a header but no rows"),
        ("a,b\n1,x\n", TARGET, "no column 'class'; its columns are a, b"),
        ("a,a,class\n1,2,x\n", TARGET, "more than one column 'a'"),
        ("a,class\n1,x\n2,\n", TARGET, "label of data row 2 is missing"),
        (",class\n1,x\n2,y\n", TARGET, r"no feature beside 'class' \(column 1 has no name"),
        ("a,class\n1,x\n", ReadOptions(target="class", drop=["b"]), "--drop names 'b', but"),
        ("a,class\n1,x\n", ReadOptions(target="class", id=["class"]), "which is the target"),
    ],
)
def test_faulty_table_is_one_sentence(tmp_path, text, options, words):
    with pytest.raises(UserError, match=words) as caught:
        table(tmp_path, text, options)
    assert "\n" not in str(caught.value)


def test_parquet_arff_and_text_are_read_alike(tmp_path):
    frame = pd.DataFrame(
        {
            "age": [34.0, np.nan, 51.0, 29.0] * 4,
            "price": [1.5, 2.25, 3, 4] * 4,
            "zip": ["08520", "10115", "08520", None] * 4,
            "flag": [True, False, False, True] * 4,
            "day": pd.date_range("2024-01-01", periods=16),
            "class": ["x", "y", "x", "x"] * 4,
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    arff = ["@relation r", "@attribute age real", "@attribute price real", "@attribute zip string"]
    arff += ["@attribute flag {True,False}", "@attribute day date", "@attribute class {x,y}"]
    arff += ["@data", *frame.to_csv(header=False, index=False, na_rep="?").splitlines()]
    (tmp_path / "t.arff.gz").write_bytes(gzip.compress("\n".join(arff).encode()))
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    names = ("t.parquet", "t.arff.gz", "t.tsv")
    tables = [read_user_table(tmp_path / name, TARGET) for name in names]
    first = tables[0].frame
    assert first["age"].dtype == "Int64" and list(first) == ["age", "price", "zip", "flag"]
    for found in tables:
        pd.testing.assert_frame_equal(found.frame, first)
        assert "column 'day' holds dates" in "".join(found.notes)
    found = tables[0]
    write_rows(tmp_path / "o.csv", found, found.frame.iloc[:1], ["x"])
    lines = (tmp_path / "o.csv").read_text().splitlines()
    assert lines[1] == "34.0,1.5,08520,True,2024-01-01 00:00:00,x" and "nan" not in "".join(lines)
    assert lines[2].startswith(",2.25,") and lines[-1] == "34.0,1.5,08520,True,,x"


@pytest.mark.parametrize("like", [False, True])
def test_decimal_sign_is_that_of_text_and_not_of_numbers(tmp_path, like):
    frame = pd.DataFrame({"a": [1.234, 2.345], "t": ["1,234", "2,345"], "class": ["x", "y"]})
    frame.to_parquet(tmp_path / "t.parquet")
    options = ReadOptions(target="class", decimal=",", numeric=["t"])
    found = read_user_table(tmp_path / "t.parquet", options)
    if like:
        options = ReadOptions(decimal=",")
        found = read_user_table(tmp_path / "t.parquet", options, like=found.features)
    assert found.frame["a"].tolist() == found.frame["t"].tolist() == [1.234, 2.345]


@pytest.mark.parametrize("name", ["t.parquet", "t.xlsx"])
def test_given_texts_of_other_formats_are_written_as_they_are(tmp_path, name):
    if name == "t.xlsx":
        pytest.importorskip("openpyxl")
    frame = pd.DataFrame(
        {
            "land": ["NA", "DE", " lead", "FR", None, " "],
            "n": ["1", "NA", " 2", None, "?", "1"],
            "class": ["x", " y", "x", "y", "x", "y"],
        }
    )
    {"t.parquet": frame.to_parquet, "t.xlsx": frame.to_excel}[name](tmp_path / name, index=False)
    found = read_user_table(tmp_path / name, ReadOptions(target="class", numeric=["n"]))
    assert found.frame["land"].tolist() == ["NA", "DE", "lead", "FR", None, None]
    assert found.frame["n"].tolist() == [1, pd.NA, 2, pd.NA, pd.NA, 1]
    assert found.labels.tolist() == ["x", "y"] * 3
    write_rows(tmp_path / "o.csv", found)
    written = pd.read_csv(tmp_path / "o.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(written, frame.fillna(""), check_dtype=False)


def as_excel(*rows):
    return lambda *_, **__: pd.DataFrame(rows)


def test_excel_is_read_by_pandas_or_its_package_is_named(tmp_path, monkeypatch):
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    monkeypatch.setattr(files, "find_spec", lambda name: name)
    rows = ["plz", "", "age", "class"], ["08520", "1", "5", "x"], ["NA", "2", "", "y"]
    monkeypatch.setattr(pd, "read_excel", as_excel(*rows))
    found = read_user_table(tmp_path / "t.xlsx", TARGET)
    assert list(found.frame) == ["plz", "age"] and "column 2 has no name" in "".join(found.notes)

    monkeypatch.setattr(pd, "read_excel", as_excel(["a", "a", "class"], ["1", "2", "x"]))
    with pytest.raises(UserError, match="more than one column 'a'"):
        read_user_table(tmp_path / "t.xlsx", TARGET)

    monkeypatch.setattr(pd, "read_excel", as_excel())
    with pytest.raises(UserError, match="is empty"):
        read_user_table(tmp_path / "t.xlsx", TARGET)

    monkeypatch.setattr(files, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="needs the package openpyxl"):
        read_user_table(tmp_path / "t.xlsx", TARGET)


@pytest.mark.parametrize("error", [zlib.error("x"), ParseError("x"), AttributeError("x")])
def test_excel_that_is_damaged_is_said_so(tmp_path, monkeypatch, error):
    def damaged(*_, **__):
        raise error

    (tmp_path / "t.xlsx").write_bytes(b"PK")
    monkeypatch.setattr(files, "find_spec", lambda name: name)
    monkeypatch.setattr(pd, "read_excel", damaged)
    with pytest.raises(UserError, match="is not a readable Excel file"):
        read_user_table(tmp_path / "t.xlsx", TARGET)


def test_names_that_are_twice_in_parquet_are_said_so(tmp_path):
    columns = [pa.array([1, 2]), pa.array([3, 4]), pa.array(["x", "y"])]
    pq.write_table(pa.table(columns, names=["a", "a", "class"]), tmp_path / "t.parquet")
    with pytest.raises(UserError, match="more than one column 'a'"):
        read_user_table(tmp_path / "t.parquet", TARGET)


@pytest.mark.parametrize("name", ["~t.csv", "~$t.csv"])
def test_a_name_may_begin_with_a_tilde(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("a,class\n1,x\n2,y\n")
    assert list(read_user_table(name, TARGET).frame) == ["a"]
    with pytest.raises(UserError, match=r"There is no file ~nobody\.csv"):
        read_user_table("~nobody.csv", TARGET)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
@pytest.mark.parametrize("n_empty", [0, 2])
def test_empty_lines_and_any_line_ends_stay(tmp_path, end, n_empty):
    lines, empty = ["a,class", "1,x", "2,y"], end * n_empty
    text = empty + (end + empty).join(lines) + end + empty
    found = table(tmp_path, text)
    assert list(found.frame["a"]) == [1, 2]
    write_rows(tmp_path / "o.csv", found, pd.DataFrame({"a": [3.0]}), ["x"])
    assert (tmp_path / "o.csv").read_bytes().decode() == f"{text}3,x{end}"
    write_rows(tmp_path / "o.csv", found, extra={"mark": ["0", "1"]})
    marked = [f"{line},{mark}" for line, mark in zip(lines, ["mark", "0", "1"], strict=True)]
    assert (tmp_path / "o.csv").read_bytes().decode() == (
        empty + (end + empty).join(marked) + end + empty
    )


def test_text_that_its_encoding_writes_in_two_ways_is_told_before_the_work(tmp_path):
    twice = b"a,class\n1,x\n2,y\n" + b"3,\x87\x90\n"  # NEC's, in Windows' Japanese
    found = table(tmp_path, twice, ReadOptions(target="class", encoding="cp932"))
    with pytest.raises(UserError, match="save it as UTF-8"):
        check_exact(found)
    check_exact(table(tmp_path, "a,class\n1,x\n2,y\n"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_asked_for(tmp_path, encoding):
    text = "a,class\n1,x\n2,y\n".encode(encoding)
    with pytest.raises(UserError, match="or name its encoding"):
        table(tmp_path, text)
    assert len(table(tmp_path, text, ReadOptions(target="class", encoding=encoding)).frame) == 2


# ---------------------------------------------------------------- the runner's reader


def test_runner_reads_other_separators_encodings_and_decimal_commas(tmp_path):
    (tmp_path / "t.csv").write_bytes("größe;b;\n1,5;x;1\n;y;2\n".encode("cp1252"))
    columns = read_table(tmp_path / "t.csv")
    assert [(column.name, list(column.cells)) for column in columns] == [
        ("größe", ["1.5", None]), ("b", ["x", "y"]),
    ]  # fmt: skip


NUMBER_STYLES = {
    "one sign": ('a,b,y\n"1,5",1.234,u\n"2,25",4,v\n', [[1.5, 2.25], [1234, 4]]),
    "both signs": ("a;b;y\n1,5;1.25;u\n2,25;0.5;v\n", [[1.5, 2.25], [1.25, 0.5]]),
    "points between": ("a;b;y\n3,5;1.234;u\n2,25;999;v\n", [[3.5, 2.25], [1234, 999]]),
    "commas between": ('a,y\n"1,234.5",u\n"12,500.25",v\n', [[1234.5, 12500.25]]),
    "exponents": ("a;y\n1,5e3;u\n2;v\n", [[1500, 2]]),
}


@pytest.mark.parametrize(("text", "values"), NUMBER_STYLES.values(), ids=NUMBER_STYLES)
def test_runner_and_commands_read_the_same_numbers_and_say_the_same(tmp_path, caplog, text, values):
    found = table(tmp_path, text, ReadOptions(target="y"))
    assert found.frame.to_numpy().T.tolist() == values
    with caplog.at_level("INFO", logger="autosmote"):
        columns = read_table(tmp_path / "t.csv")
    assert [[float(cell) for cell in column.cells] for column in columns[:-1]] == values
    commands = [note.partition(" (")[0] for note in found.notes]
    assert [m.removeprefix("t.csv: ").partition(" (")[0] for m in caplog.messages] == commands
    assert "--" not in caplog.text  # the runner has no such options


def test_runner_refuses_what_may_be_decimals_or_thousands_as_the_commands_do(tmp_path):
    (tmp_path / "t.csv").write_text('a,y\n"1,234",u\n5,v\n')
    with pytest.raises(UserError, match="'1,234' may be a decimal number or thousands; write it"):
        read_table(tmp_path / "t.csv")


# ---------------------------------------------------------------- where it is written


def test_output_is_checked_and_nothing_is_left(tmp_path, monkeypatch):
    given_file = tmp_path / "t.csv"
    given_file.write_text("a,class\n1,x\n")
    check_output(tmp_path / "o.csv", given_file)
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for output, words in [
        ("o.xlsx", "must be a .csv, .tsv, .txt, .csv.gz, .tsv.gz, .txt.gz file"),
        ("t.csv", "is the input"),
        ("no/o.csv", "There is no folder"),
        ("folder.csv", "is no file"),
        ("pipe.csv", "is no file"),
    ]:
        with pytest.raises(UserError, match=words):
            check_output(tmp_path / output, given_file)
    names = ["folder.csv", "pipe.csv", "t.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match="is the input"):
        check_output(given_file, Path("~/t.csv"))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, call):
    found = table(tmp_path, "a,class\n1,x\n2,y\n")
    (tmp_path / "o.csv").write_text("last week's\n")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(UserError, match=r"cannot be written \(No space left on device\)"):
        write_rows(tmp_path / "o.csv", found)
    assert (tmp_path / "o.csv").read_text() == "last week's\n"
    assert sorted(os.listdir(tmp_path)) == ["o.csv", "t.csv"]


# ---------------------------------------------------------------- any table

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6).map(
    lambda text: text.replace("\x00", "")
)


def column(cell):
    return lambda n: st.lists(cell, min_size=n, max_size=n)


GAP = st.sampled_from(["", "", "NA"])
KINDS = st.sampled_from(
    [
        column(st.integers(-(10**6), 10**6).map(str) | GAP),
        column(st.integers(0, 99).map("{}.0".format) | GAP),
        column(st.integers(-(10**5), 10**5).map(lambda v: f"{v / 100:.2f}") | GAP),
        column(st.integers(0, 10**5).map(lambda v: f"{v / 100:.2f}".replace(".", ",")) | GAP),
        # Between these a column of whole ones, printed with ".0", is refused.
        column(
            st.floats(-1e100, 1e100).filter(lambda v: not 2**53 < abs(v) < 1e16).map(repr) | GAP
        ),
        column(st.integers(0, 99999).map("{:05}".format)),
        column(st.sampled_from(["red", " blue", "NA", "", '"', "a,b", "x\ny", "=1+1", "nan"])),
        column(TEXT.map(lambda text: f"t{text}")),
        column(st.dates().map(str)),
        column(st.just("")),
        column(st.integers(2**60, 2**63).map(lambda v: f"k{v}")),
    ]
)


@st.composite
def tables(draw):
    """The text of a table with columns of every kind, and a separator."""
    n = draw(st.integers(2, 14))
    columns = [draw(draw(KINDS)(n)) for _ in range(draw(st.integers(1, 5)))]
    columns.append([f"{i % 3}.5" for i in range(n)])  # so that there is a feature
    columns.append(draw(st.lists(st.sampled_from(["x", "y", " z"]), min_size=n, max_size=n)))
    names = [f"c{i}" for i in range(len(columns) - 1)]
    sep, end = draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\n", "\r\n"]))
    out = io.StringIO(newline="")
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    writer = csv.writer(out, delimiter=sep, lineterminator=end, quoting=quoting)
    writer.writerow([*names, "class"])
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue(), sep


@settings(deadline=None, max_examples=150)
@given(made=tables(), seed=st.integers(0, 99))
def test_any_table_comes_out_as_it_went_in(tmp_path_factory, made, seed):
    text, sep = made
    folder = tmp_path_factory.mktemp("any")
    found = table(folder, text, ReadOptions(target="class", sep=sep))
    # Synthetic rows as a search makes them: numbers between given ones, categories of given ones.
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(0, len(found.frame), 5) for _ in range(2))
    new = {}
    for name, kind in found.features.items():
        values = found.frame[name]
        if not kind.is_number:
            new[name] = values.iloc[a].tolist()
            continue
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        between = numbers[a] + rng.random() * (numbers[b] - numbers[a])
        new[name] = np.rint(between) if kind.kind == "whole" else between
    write_rows(folder / "o.csv", found, pd.DataFrame(new), ["x"] * 5)
    written = (folder / "o.csv").read_bytes().decode()
    assert written.startswith(text)
    again = read_user_table(
        folder / "o.csv", ReadOptions(target="class", sep=sep), like=found.features
    )
    assert len(again.frame) == len(found.frame) + 5
    for name, kind in found.features.items():
        cells = again.cells[again.names.index(name)][-5:]
        assert not {"nan", "<NA>", "None"} & (set(cells) - set(found.frame[name].dropna()))
        if kind.is_number:  # as many gaps as were made, and numbers otherwise
            assert [cell == "" for cell in cells] == list(pd.isna(new[name]))
        else:
            assert set(cells) <= {"", *found.cells[found.names.index(name)]}
