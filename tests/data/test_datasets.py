"""Loading datasets: the embedded toy data, a user's file, and a local folder of the paper's six."""

import csv
import os
import re

import arff
import numpy as np
import pandas as pd
import pytest

from autosmote.data.arff import parse_arff
from autosmote.data.datasets import DATASET_NAMES, PAPER_DATASETS, load_dataset, n_features
from autosmote.errors import UserError

# A number with a gap, text with a gap, a boolean, an integer code, and a label: 8 against 4.
ROWS = [
    ("0.5", "red", "True", "3", "ok"),
    ("1.5", "blue", "False", "1", "ok"),
    ("", "red", "True", "2", "bad"),
    ("2.25", "", "True", "2", "ok"),
    ("-1", "green", "False", "1", "bad"),
    ("0.125", "red", "False", "1", "ok"),
    ("7", "blue", "True", "3", "ok"),
    ("8", "green", "True", "2", "ok"),
    ("9", "green", "False", "2", "bad"),
    ("1e1", "blue", "True", "1", "ok"),
    ("11", "red", "True", "3", "bad"),
    ("12", "red", "False", "3", "ok"),
]
HEADER = ("size", "colour", "flag", "code", "label")


def write_csv(path, rows=ROWS, header=HEADER):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def load_text(tmp_path, text, target="label", name="table.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_dataset("file", path=path, target=target)


def assert_same(a, b):
    assert a.fingerprint == b.fingerprint
    assert a.classes == b.classes
    assert a.categories == b.categories
    assert a.numeric_names == b.numeric_names
    assert a.categorical_names == b.categorical_names
    for field in ("numeric", "categorical", "y"):
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field))


# ---------------------------------------------------------------- the toy data


def test_toy_has_the_documented_shape_classes_and_fingerprint():
    toy = load_dataset("toy")
    assert toy.numeric.shape == (485, 2)
    assert toy.categorical.shape == (485, 0)
    assert int(toy.y.sum()) == 35
    assert toy.classes == ("normal", "rare")
    assert toy.y.dtype == np.int8 and toy.numeric.dtype == np.float64
    # The same bits on every platform and numpy.
    assert toy.fingerprint == "5d9816328abcbee4bc6b41995052697ef1737a5da24cc2de8652a93bd7c0dc05"


def test_toy_minority_lies_on_both_sides_of_the_majority():
    toy = load_dataset("toy")
    x, rare = toy.numeric[:, 0], toy.y == 1
    left, right = rare & (x < -1), rare & (x > 1)
    assert left.sum() == 17 and right.sum() == 18
    assert x[left].mean() < np.median(x[~rare]) < x[right].mean()
    # The segment between the clusters crosses the majority: interpolation there produces noise.
    middle = (toy.numeric[left].mean(axis=0) + toy.numeric[right].mean(axis=0)) / 2
    nearest = np.argsort(np.linalg.norm(toy.numeric - middle, axis=1))[:10]
    assert toy.y[nearest].sum() == 0


# ---------------------------------------------------------------- a user's file


def test_csv_columns_are_typed_and_rows_sorted(tmp_path):
    data = load_dataset("file", path=write_csv(tmp_path / "t.csv"), target="label")
    assert data.numeric_names == ("size", "code")  # integer codes are numbers
    assert data.categorical_names == ("colour", "flag")
    assert data.categories == (("blue", "green", "red"), ("False", "True"))
    assert data.classes == ("ok", "bad")
    assert data.y.sum() == 4
    assert data.source == "file t.csv"
    size = data.numeric[:, 0]
    assert np.isnan(size[-1]) and not np.isnan(size[:-1]).any()
    assert (np.diff(size[:-1]) > 0).all()
    assert data.categorical[size == 2.25, 0].tolist() == [-1]
    assert data.numeric[size == 10, 1].tolist() == [1]
    assert data.y[size == -1].tolist() == [1]


def test_shuffled_rows_are_the_same_dataset(tmp_path):
    first = load_dataset("file", path=write_csv(tmp_path / "a.csv"), target="label")
    rng = np.random.default_rng(0)
    for _ in range(5):
        shuffled = [ROWS[i] for i in rng.permutation(len(ROWS))]
        path = write_csv(tmp_path / "b.csv", shuffled)
        assert_same(first, load_dataset("file", path=path, target="label"))


def test_rows_equal_at_nine_digits_have_one_order(tmp_path):
    a, b = "0.1234567890123,1,x", "0.1234567890124,1,x"
    rest = "\n0.5,2,x\n0.7,3,y\n"
    one = load_text(tmp_path, f"u,v,label\n{a}\n{b}{rest}")
    two = load_text(tmp_path, f"u,v,label\n{b}\n{a}{rest}")
    assert_same(one, two)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("2.25", "2.250000000001", True),  # beyond 9 significant digits
        ("2.25", "2.2500001", False),
        ("1.5,blue", "1.5,green", False),
        ("9,green,False,2,bad", "9,green,False,2,ok", False),
        ("2.25,", "2.25,blue", False),
    ],
)
def test_fingerprint_depends_on_every_value_at_nine_digits(tmp_path, old, new, same):
    text = write_csv(tmp_path / "t.csv").read_text()
    assert old in text
    before = load_text(tmp_path, text).fingerprint
    after = load_text(tmp_path, text.replace(old, new, 1)).fingerprint
    assert (before == after) is same


def test_noise_in_the_last_bits_moves_no_row(tmp_path):
    clean = load_text(tmp_path, "u,v,label\n0.3,1,x\n0.3,2,y\n0.3,3,x\n")
    noisy = load_text(tmp_path, "u,v,label\n0.30000000000000004,1,x\n0.3,2,y\n0.3,3,x\n")
    np.testing.assert_array_equal(clean.numeric[:, 1], noisy.numeric[:, 1])
    assert clean.fingerprint == noisy.fingerprint


def test_negative_zero_is_zero(tmp_path):
    one = load_text(tmp_path, "u,v,label\n-0,1,x\n0,2,y\n-0.0,3,x\n")
    two = load_text(tmp_path, "u,v,label\n0,1,x\n-0,2,y\n0,3,x\n")
    assert_same(one, two)
    assert not np.signbit(one.numeric).any()


def test_parquet_equals_csv(tmp_path):
    frame = pd.DataFrame(ROWS, columns=HEADER)
    frame = frame.assign(
        size=pd.to_numeric(frame["size"]),
        colour=frame["colour"].replace("", None),
        flag=frame["flag"] == "True",
        code=frame["code"].astype("int16"),
    )
    frame.sample(frac=1, random_state=1).to_parquet(tmp_path / "t.parquet")
    assert_same(
        load_dataset("file", path=tmp_path / "t.parquet", target="label"),
        load_dataset("file", path=write_csv(tmp_path / "t.csv"), target="label"),
    )


def test_parquet_column_types_decide_numbers_and_categories(tmp_path):
    frame = pd.DataFrame(
        {
            "zip": ["1", "2", "x"],  # a text column may hold digits
            "kind": pd.Categorical(["b", "a", None], categories=["c", "b", "a"]),
            "label": [0.0, 1.0, 0.0],
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    data = load_dataset("file", path=tmp_path / "t.parquet", target="label")
    assert data.categories == (("1", "2", "x"), ("a", "b", "c"))
    assert data.classes == ("0", "1")


def test_arff_equals_csv(tmp_path):
    lines = [
        "% made up", "@relation 'a b'", "@Attribute size\tREAL",
        "@ATTRIBUTE colour {red, 'blue', green}", "@attribute flag {True,False}",
        "@attribute code Integer", "@attribute 'label' {bad,ok}", "@Data", "% a comment", "",
    ]  # fmt: skip
    lines += [",".join(cell or "?" for cell in row) for row in ROWS]
    from_arff = load_text(tmp_path, "\r\n".join(lines), name="t.arff")
    assert_same(from_arff, load_dataset("file", path=write_csv(tmp_path / "t.csv"), target="label"))


def test_arff_quotes_and_declared_categories(tmp_path):
    text = (
        "@relation r\n@attribute 'a name' {'x, y', \"it's\", z, never}\n"
        "@attribute free string\n@attribute v numeric\n@attribute label {n,p}\n@data\n"
        "'x, y', 'one, two' , 1 ,n\n\"it's\",'100% \\'sure\\'',?,n\n?,?, 2.5,'p'\n% z\nz,two,3,n\n"
    )
    data = load_text(tmp_path, text, name="t.arff")
    assert data.categorical_names == ("a name", "free")
    assert data.categories[0] == ("it's", "never", "x, y", "z")
    assert set(data.categories[1]) == {"one, two", "100% 'sure'", "two"}
    np.testing.assert_array_equal(data.numeric[:, 0], [1, 2.5, 3, np.nan])
    assert data.categorical[:, 0].tolist() == [2, -1, 3, 0]


def test_arff_percent_sign_inside_a_value_is_no_comment(tmp_path):
    text = "@relation r\n@attribute a {50%,60%}\n@attribute label {n,p}\n@data\n50%,n\n60%,p\n50%,n"
    assert load_text(tmp_path, text, name="t.arff").categories == (("50%", "60%"),)


def test_numeric_and_quoted_targets_are_labels(tmp_path):
    text = "@relation r\n@attribute label numeric\n@attribute a real\n@data\n1,2\n1.0,3\n0,4\n"
    data = load_text(tmp_path, text, name="t.arff")
    assert data.classes == ("1", "0")
    assert data.numeric_names == ("a",)


def test_tie_makes_the_second_label_the_minority(tmp_path):
    for text in ("a,label\n1,z\n2,b\n3,b\n4,z\n", "a,label\n1,b\n2,z\n3,z\n4,b\n"):
        assert load_text(tmp_path, text).classes == ("b", "z")


def test_all_missing_and_constant_columns_load(tmp_path):
    data = load_text(tmp_path, "gone,same,word,label\n,1,a,x\n,1,a,x\n,1,a,y\n")
    assert data.numeric_names == ("gone", "same")
    assert np.isnan(data.numeric[:, 0]).all()
    assert data.categories == (("a",),)


def test_duplicate_rows_are_kept(tmp_path):
    data = load_text(tmp_path, "a,label\n1,x\n1,x\n1,x\n1,y\n")
    assert len(data.y) == 4 and data.y.sum() == 1


# ---------------------------------------------------------------- bad input

ARFF_HEAD = "@relation r\n@attribute a numeric\n@attribute c {u,v}\n@attribute label {x,y}\n"

BAD_FILES = {
    "no target": ("t.csv", "a,b\n1,x\n2,y\n", "no column 'label'.*its columns are a, b"),
    "unknown separator": ("t.csv", "a:label\n1:x\n", "its columns are a:label"),
    "one class": ("t.csv", "a,label\n1,x\n2,x\n", r"1 classes \(x\).*exactly two"),
    "three classes": ("t.csv", "a,label\n1,x\n2,y\n3,z\n", r"3 classes \(x, y, z\)"),
    "no rows": ("t.csv", "a,label\n", "has no rows"),
    "empty": ("t.csv", "", "is empty"),
    "missing label": ("t.csv", "a,label\n1,x\n2,\n3,y\n", "1 labels are missing.*data row 2"),
    "text in numbers": (
        "t.csv", "a,label\n1,x\n2,x\noops,y\n", "column 'a', data row 3: 'oops' is text in a col"),
    "number in text": (
        "t.csv", "a,label\nred,x\n7,x\nred,y\n", "column 'a', data row 2: '7' is a number in a"),
    "infinite": ("t.csv", "a,label\n1,x\n1e999,y\n", "data row 2: '1e999' is not a finite"),
    "long row": ("t.csv", "a,label\n1,x\n1,x,3\n", "line 3: 3 values where the header names 2"),
    "short row": ("t.csv", "a,label\n1,x\n1\n", "line 3: 1 values where the header names 2"),
    "open quote": ("t.csv", 'a,label\n1,x\n"1,x\n', "line 3: .*quotes"),
    "binary": ("t.csv", b"a,label\n\xff\x00,x\n", "not text in UTF-8"),
    "only the label": ("t.csv", "label\nx\ny\n", "no feature beside 'label'"),
    "same name": ("t.csv", "a,a,label\n1,2,x\n3,4,y\n", "more than one column 'a'"),
    "too many texts": (
        "t.csv", "a,label\n" + "".join(f"n{i},{'xy'[i % 2]}\n" for i in range(1001)),
        "column 'a' has 1,001 different texts"),
    "suffix": ("t.xls", "", r"suffix '\.xls'; save the table as \.csv, .*\.parquet, \.arff"),
    "not parquet": ("t.parquet", "junk", "not a readable Parquet file"),
    "no data line": ("t.arff", ARFF_HEAD, "no @DATA line"),
    "no attribute": ("t.arff", "@relation r\n@data\n1,2\n", "faulty attribute declaration"),
    "faulty attribute": (
        "t.arff", ARFF_HEAD + "@attribute d data\n@data\n", "faulty attribute.*attribute d data"),
    "arff date": (
        "t.arff", ARFF_HEAD.replace("a numeric", "a date") + "@data\n2024-03-01,u,x\n?,v,y\n",
        "column 'a' holds dates; leave it out, or"),
    "arff no rows": ("t.arff", ARFF_HEAD + "@data\n", "has no rows"),
    "arff cut": ("t.arff", ARFF_HEAD + "@data\n1,u,x\n1,v\n", "line 7: 2 values where 3"),
    "arff quoted cut": ("t.arff", ARFF_HEAD + "@data\n1,'u',x\n1,'v\n", "line 7: .*3 values"),
    "arff text": ("t.arff", ARFF_HEAD + "@data\n1,u,x\nold,u,y\n", "column 'a', data row 2: 'old'"),
    "undeclared": ("t.arff", ARFF_HEAD + "@data\n1,w,x\n1,u,y\n", "row 1: 'w' is none of the decl"),
    "sparse": ("t.arff", ARFF_HEAD + "@data\n{0 1, 2 y}\n", "sparse ARFF"),
    "not utf-8": ("t.arff", ARFF_HEAD.encode() + b"@data\n1,u,\xe9\n", "not text in UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_load_bad_file_raises_one_sentence(tmp_path, name, content, message):
    with pytest.raises(UserError, match=message) as caught:
        load_text(tmp_path, content, name=name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_long_column_lists_are_shortened(tmp_path):
    header = ",".join(f"c{i}" for i in range(50))
    with pytest.raises(UserError, match="c19 and 30 more"):
        load_text(tmp_path, header + "\n")


def test_parquet_column_of_an_unsupported_type_raises(tmp_path):
    frame = pd.DataFrame({"when": pd.to_datetime(["2020-01-01"] * 2), "label": ["x", "y"]})
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(UserError, match=r"column 'when' has the type timestamp"):
        load_dataset("file", path=tmp_path / "t.parquet", target="label")


def test_load_without_file_or_with_wrong_settings_raises(tmp_path):
    with pytest.raises(UserError, match=r"no file .*gone\.csv"):
        load_dataset("file", path=tmp_path / "gone.csv", target="label")
    for settings in ({"path": "t.csv"}, {"target": "label"}, {}):
        with pytest.raises(UserError, match=r"needs dataset\.path=.*dataset\.target="):
            load_dataset("file", **settings)
    with pytest.raises(UserError, match="belong to dataset=file, not to dataset=toy"):
        load_dataset("toy", path="t.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_load_unreadable_file_raises(tmp_path):
    path = write_csv(tmp_path / "t.csv")
    path.chmod(0)
    with pytest.raises(UserError, match="cannot be read: Permission denied"):
        load_dataset("file", path=path, target="label")


def test_load_unknown_name_lists_the_valid_ones():
    with pytest.raises(UserError) as caught:
        load_dataset("Phoneme")
    for name in DATASET_NAMES:
        assert name in str(caught.value)


# ---------------------------------------------------------------- a local folder


def test_toy2_is_the_local_file_or_else_the_toy_data(tmp_path, monkeypatch):
    monkeypatch.delenv("AUTOSMOTE_DATA_DIR", raising=False)
    toy = load_dataset("toy")
    for folder in (None, tmp_path):
        without = load_dataset("toy2", data_dir=folder)
        assert (without.name, without.source) == ("toy2", "generated")
        assert without.fingerprint == toy.fingerprint
    rows = ["label,x,y", *(f"nominal,{i},{i % 5}" for i in range(60))]
    rows += [f"anomalous,{i}.5,7" for i in range(9)]
    (tmp_path / "toy2.csv").write_text("\n".join(rows))
    found = load_dataset("toy2", data_dir=tmp_path)
    assert found.source == "local file toy2.csv" and found.classes == ("nominal", "anomalous")
    assert found.numeric.shape == (69, 2) and found.y.sum() == 9


@pytest.mark.parametrize("by_variable", [False, True])
def test_data_dir_without_the_file_raises(tmp_path, monkeypatch, by_variable):
    if by_variable:
        monkeypatch.setenv("AUTOSMOTE_DATA_DIR", str(tmp_path))
    with pytest.raises(UserError, match=r"no readable eeg-eye-state\.arff"):
        load_dataset("eegeyestate", data_dir=None if by_variable else tmp_path)


def test_data_dir_argument_overrides_the_environment_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOSMOTE_DATA_DIR", str(tmp_path / "variable"))
    with pytest.raises(UserError, match="argument"):
        load_dataset("phoneme", data_dir=tmp_path / "argument")


class TestPaperDatasets:
    pytestmark = pytest.mark.data

    @pytest.mark.parametrize("name", PAPER_DATASETS)
    def test_counts_are_those_of_table_1(self, data_dir, name):
        data = load_dataset(name, data_dir=data_dir)
        expected = PAPER_DATASETS[name]
        assert len(data.y) == expected.n_majority + expected.n_minority
        assert data.y.sum() == expected.n_minority
        assert n_features(data) == expected.n_features
        assert data.source == f"local file {expected.file_name}"
        assert data.numeric.dtype == np.float64
        assert "ID" not in data.numeric_names

    def test_nominal_attributes_are_categorical(self, data_dir):
        phishing = load_dataset("phishingwebsites", data_dir=data_dir)
        assert phishing.numeric.shape[1] == 0 and phishing.categorical.shape[1] == 30
        electricity = load_dataset("electricity", data_dir=data_dir)
        assert electricity.categories == (("1", "2", "3", "4", "5", "6", "7"),)

    @pytest.mark.parametrize("file_name", ["phoneme.arff", "PhishingWebsites.arff"])
    def test_parser_agrees_with_liac_arff(self, data_dir, file_name):
        text = (data_dir / file_name).read_text()
        columns = parse_arff(text.encode(), file_name)
        theirs = arff.loads(text)
        assert [column.name for column in columns] == [name for name, _ in theirs["attributes"]]
        for column, cells in zip(columns, zip(*theirs["data"], strict=True), strict=True):
            if isinstance(column.declared, tuple):
                assert column.cells == cells
            else:
                assert [float(cell) for cell in column.cells] == list(cells)

    def test_shuffled_copy_is_equal_and_truncated_copy_raises(self, data_dir, tmp_path):
        text = (data_dir / "phoneme.arff").read_text()
        head, body = re.split(r"(?<=@DATA\n)", text)
        rows = body.splitlines()
        copy = tmp_path / "phoneme.arff"
        shuffled = np.random.default_rng(0).permutation(rows)
        copy.write_text(head + "\n".join(shuffled) + "\n")
        original = load_dataset("phoneme", data_dir=data_dir)
        assert_same(original, load_dataset("phoneme", data_dir=tmp_path))
        copy.write_text(head + "\n".join(rows[:-1]) + "\n")
        with pytest.raises(UserError, match="cut short or another version"):
            load_dataset("phoneme", data_dir=tmp_path)
