"""`autosmote resample`, from a file to a file."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from estimators import Coded
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from autosmote.__main__ import main
from autosmote.scoring import reward


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rare = rng.permutation(np.repeat([True, False], [30, 170]))
    frame = pd.DataFrame(
        {
            "age": pd.Series(rng.integers(18, 90, 200) + 8 * rare).astype("Int64"),
            "income": (rng.normal(3000, 900, 200) - 400 * rare).round(2),
            "city": np.where(rng.random(200) < 0.3 + 0.2 * rare, "Bern", 'Zug, "ZG"'),
            "kind": np.where(rare, "bad", "good"),
        }
    )
    frame.loc[::20, ["age", "city"]] = None
    frame.loc[3::20, "income"] = np.nan
    frame.to_csv("data.csv", index=False)
    return frame


COMMAND = ["resample", "data.csv", "--target", "kind", "-o", "out.csv", "--jobs", "1"]


@pytest.mark.parametrize("estimator", ["dt", "logistic"])
def test_given_rows_are_written_as_they_were_and_synthetic_ones_after_them(
    table, tmp_path, capsys, estimator
):
    assert main([*COMMAND, "--estimator", estimator, "--iterations", "25", "--seed", "4"]) == 0
    given = (tmp_path / "data.csv").read_text()
    written = (tmp_path / "out.csv").read_text().replace("\r\n", "\n")
    assert written.startswith(given)
    new = pd.read_csv("out.csv").iloc[len(table) :]
    assert len(new) > 0 and set(new["kind"]) == {"bad"} and set(new["city"]) <= set(table["city"])
    assert not new.isna().any(axis=None) and (new["age"] == new["age"].round()).all()
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    shown = capsys.readouterr()
    assert f"synthetic rows: {len(new)} of class bad" in shown.out
    assert "25/25 iterations" in shown.err
    for name in ("as it is", "with synthetic rows"):
        (line,) = [line for line in shown.out.splitlines() if line.startswith(name)]
        assert all(-1 <= float(cell) <= 1 for cell in line.split()[-4:])


def test_numbers_alone_need_no_encoder(table, capsys):
    table[["income", "kind"]].dropna().to_csv("data.csv", index=False)
    assert main([*COMMAND, "--iterations", "3", "--curve", "search.png"]) == 0
    assert "search.png" in capsys.readouterr().out


@pytest.mark.parametrize("rare", ["bad", "worse"])
def test_labels_are_numbers_for_the_classifier_and_texts_in_the_output(table, capsys, rare):
    table.replace("bad", rare).to_csv("data.csv", index=False)
    Coded.seeds.clear()
    arguments = ["--estimator", "estimators.Coded", "--iterations", "20", "--seed", "4"]
    assert main([*COMMAND, *arguments]) == 0
    assert Coded.seeds == {4}
    new = pd.read_csv("out.csv").iloc[len(table) :]
    assert len(new) > 0 and set(new["kind"]) == {rare}
    assert f"synthetic rows: {len(new)} of class {rare}" in capsys.readouterr().out


@pytest.mark.parametrize("rare", ["bad", "worse"])
def test_fast_scorers_are_used_whichever_label_sorts_first(table, monkeypatch, rare):
    used, make = [], reward.make_scorer

    def made(*arguments, **settings):
        scorer = make(*arguments, **settings)
        used.append(scorer.name)
        return scorer

    monkeypatch.setattr(reward, "make_scorer", made)
    table[["income", "kind"]].dropna().replace("bad", rare).to_csv("data.csv", index=False)
    assert main([*COMMAND, "--estimator", "dt", "--iterations", "2"]) == 0
    assert set(used) > {"refit"}


def test_any_score_is_searched_for_and_shown_beside_the_two(table, tmp_path, capsys):
    arguments = ["--scoring", "balanced_accuracy", "--iterations", "5"]
    assert main([*COMMAND, *arguments]) == 0
    shown = capsys.readouterr()
    assert "balanced_accuracy" in shown.out
    (line,) = [line for line in shown.out.splitlines() if line.startswith("as it is")]
    assert len(line.split()[3:]) == 6
    assert main([*COMMAND, "--scoring", "macro_f2"]) == 2
    assert "no score 'macro_f2' (did you mean macro_f1?)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data.csv": "none.csv"}, "There is no file none.csv"),
        ({"kind": "sort"}, "no column 'sort'"),
        ({"kind": "city"}, "label of data row 1 is missing"),
        ({"out.csv": "data.csv"}, "is the input"),
        ({"out.csv": "out.xlsx"}, "must be a .csv, .tsv"),
        ({"out.csv": "no/out.csv"}, "no folder"),
    ],
)
def test_mistakes_are_one_sentence(table, capsys, change, words):
    assert main([change.get(word, word) for word in COMMAND]) == 2
    shown = capsys.readouterr().err
    (said,) = (line for line in shown.splitlines() if line.startswith("autosmote: "))
    assert words in said and "Traceback" not in shown


@pytest.mark.parametrize(
    ("few", "message"), [(3, "Class 'bad' has 3 rows"), (0, "All rows are of class 'good'")]
)
def test_too_few_rows_for_three_parts(table, capsys, few, message):
    table.drop(index=table.index[table["kind"] == "bad"][few:]).to_csv("data.csv", index=False)
    assert main(COMMAND) == 2
    assert message in capsys.readouterr().err


def test_anything_else_is_a_run(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0 and "dataset=mozilla4" in capsys.readouterr().out


def faithful_rows(n=240, seed=0):
    """Lines of a table with cells of every kind, and a header."""
    rng = np.random.default_rng(seed)
    lines = [";kunde;alter;plz;preis;land;tag;lead;leer;klasse"]
    for i in range(n):
        rare = i % 6 == 0
        age = "" if i % 11 == 0 else f"{rng.integers(18, 80) + 9 * rare}.0"
        lines.append(
            f"{i};{2**60 + 3 * i};{age};{rng.choice(['08520', '10115'])};"
            f"{rng.integers(1, 90)},{rng.integers(0, 9)}5;{rng.choice(['NA', 'DE', ''])};"
            f"{1 + i % 28}.03.2024;{rng.choice([' lead', 'b'])};;{'schl(echt' if rare else 'güt'}"
        )
    return lines


def synthetic_lines(path, n_given, encoding="cp1252"):
    return [
        line.split(";")
        for line in path.read_bytes().decode(encoding).split("\r\n")[1 + n_given : -1]
    ]


COMMAND_DE = ["resample", "d.csv", "--target", "klasse", "-o", "o.csv", "--jobs", "1"]


def test_cells_come_out_as_they_went_in(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    given = "\r\n".join([*faithful_rows(), ""]).encode("cp1252")
    (tmp_path / "d.csv").write_bytes(given)
    assert main([*COMMAND_DE, "--estimator", "knn", "--iterations", "25"]) == 0
    assert (tmp_path / "o.csv").read_bytes().startswith(given)
    new = synthetic_lines(tmp_path / "o.csv", 240)
    assert new and {len(cells) for cells in new} == {10}
    index, client, age, plz, price, land, day, lead, empty, label = zip(*new, strict=True)
    assert set(index) | set(client) | set(day) | set(empty) == {""}
    assert all(float(cell) % 1 == 0 and cell.endswith(".0") for cell in age)
    assert set(plz) <= {"08520", "10115"} and set(land) <= {"NA", "DE"}
    assert all(len(cell.partition(",")[2]) == 2 and "." not in cell for cell in price)
    assert set(lead) <= {" lead", "b"} and set(label) == {"schl(echt"}
    said = capsys.readouterr().err
    for words in ("semicolons", "cp1252", "column 1 has no name", "'kunde' ", "'tag' holds dates"):
        assert words in said


def test_a_column_empty_in_the_training_part_gives_empty_cells(tmp_path, monkeypatch):
    from autosmote.resample import _parts

    monkeypatch.chdir(tmp_path)
    lines = faithful_rows()
    y = np.array([line.rpartition(";")[2] for line in lines[1:]], dtype=object)
    _, _, test = _parts(y, 0)
    for column, value in ((2, "30.0"), (5, "DE")):
        for row in range(240):
            cells = lines[1 + row].split(";")
            cells[column] = value if row in test else ""
            lines[1 + row] = ";".join(cells)
    (tmp_path / "d.csv").write_bytes("\r\n".join([*lines, ""]).encode("cp1252"))
    assert main([*COMMAND_DE, "--iterations", "25"]) == 0
    new = synthetic_lines(tmp_path / "o.csv", 240)
    assert new and {cells[2] for cells in new} == {cells[5] for cells in new} == {""}


def test_synthetic_rows_are_marked_if_asked_for(table, capsys):
    assert main([*COMMAND, "--iterations", "20", "--seed", "4", "--mark", "made"]) == 0
    written = pd.read_csv("out.csv")
    assert written["made"].tolist() == [0] * 200 + [1] * (len(written) - 200)
    assert len(written) > 200
    assert main([*COMMAND, "--mark", "age"]) == 2
    assert "has a column 'age'" in capsys.readouterr().err


def test_where_nothing_helps_the_given_rows_alone_are_written(table, tmp_path, capsys):
    # The class can be told from one column: no rows can help.
    table.assign(told=(table["kind"] == "bad") + 0.5).to_csv("data.csv", index=False)
    assert main([*COMMAND, "--iterations", "5"]) == 0
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "data.csv").read_bytes()
    shown = capsys.readouterr().out
    assert "synthetic rows: none. No synthetic rows scored better than none" in shown
    assert "with synthetic rows " not in shown


@pytest.mark.usefixtures("heeded_signals")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_signal_gives_the_best_so_far(table, tmp_path, capsys, monkeypatch, number):
    from autosmote.sampler import autosmote as module

    run = module.ClassSearch.run

    def interrupted(self, on_iteration, **settings):
        def report(iteration, score, best):
            if iteration == 15:
                signal.raise_signal(getattr(signal, number))

        return run(self, report, **settings)

    monkeypatch.setattr(module.ClassSearch, "run", interrupted)
    status = main([*COMMAND, "--seed", "4"])
    assert status == 128 + getattr(signal, number)
    assert (tmp_path / "out.csv").read_bytes().startswith((tmp_path / "data.csv").read_bytes())
    assert len(pd.read_csv("out.csv")) > 200
    shown = capsys.readouterr()
    assert "interrupted, so this is the best so far" in shown.err and "written: out" in shown.out


class Scaling(Pipeline):
    """A classifier that writes into its rows, unless it copies."""

    copy = False

    def __init__(self):
        steps = [("scale", StandardScaler(copy=self.copy)), ("logistic", LogisticRegression())]
        super().__init__(steps)

    def get_params(self, deep=True):
        return {}


class Copying(Scaling):
    copy = True


def test_scores_shown_are_those_of_an_estimator_that_copies_its_rows(table, capsys):
    table[["income", "kind"]].dropna().to_csv("data.csv", index=False)
    shown = []
    for kind in (Copying, Scaling):
        command = [*COMMAND, "--estimator", f"{__name__}.{kind.__name__}", "--iterations", "5"]
        assert main(command) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]


class Signalling(DecisionTreeClassifier):
    """A tree that signals its process in one of its fits, counted from 1."""

    at, fits, passed = 1, 0, False

    def fit(self, X, y):
        Signalling.fits += 1
        if Signalling.fits == Signalling.at:
            signal.raise_signal(signal.SIGTERM)
            Signalling.passed = True
        return super().fit(X, y)


@pytest.fixture
def signalling(monkeypatch):
    monkeypatch.setattr(Signalling, "fits", 0)
    monkeypatch.setattr(Signalling, "passed", False)
    return Signalling


def test_a_signal_before_the_search_ends_at_once(table, tmp_path, signalling, capsys):
    signalling.at = 1
    assert main([*COMMAND, "--estimator", f"{__name__}.Signalling"]) == 128 + signal.SIGTERM
    assert not signalling.passed and not (tmp_path / "out.csv").exists()
    assert "interrupted, nothing was written" in capsys.readouterr().err


def test_a_signal_between_two_searches_keeps_the_rows_of_the_first(
    table, tmp_path, signalling, capsys
):
    few = table.index % 9 == 5
    three = table[["income"]].assign(kind=table["kind"].mask(few, "rare")).dropna()
    three.loc[three["kind"] == "rare", "income"] += 900
    three.to_csv("data.csv", index=False)
    command = [*COMMAND, "--estimator", f"{__name__}.Signalling", "--iterations", "2"]
    lengths = {}
    for signalling.at in range(1, 9):
        signalling.fits = 0
        status = main(command)
        assert status == 128 + signal.SIGTERM
        said = capsys.readouterr().err
        lengths[signalling.at] = said.count("/2 iterations")
        if "2/2 iterations" in said:  # one search is done
            assert "this is the best so far" in said or "interrupted, written" in said, (
                signalling.at
            )
            assert (tmp_path / "out.csv").exists()
            (tmp_path / "out.csv").unlink()
    assert min(lengths.values()) < 2 < max(lengths.values())  # before, between and in the second


@pytest.mark.parametrize("curve", ["curve", "curve."])
def test_a_curve_without_an_ending_is_a_png(table, tmp_path, capsys, curve):
    assert main([*COMMAND, "--iterations", "2", "--curve", curve]) == 0
    assert f"written: out.csv, {curve}" in capsys.readouterr().out
    assert (tmp_path / curve).read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in tmp_path.iterdir()} == {"data.csv", "out.csv", curve}


def test_a_curve_that_is_no_file_is_refused_before_the_work(table, tmp_path, capsys):
    (tmp_path / "curve.png").mkdir()
    assert main([*COMMAND, "--time-limit", "2", "--curve", "curve.png"]) == 2
    assert "The curve curve.png is no file; give another name." in capsys.readouterr().err


def test_a_name_that_is_no_text_has_its_picture(table, tmp_path):
    name = os.fsdecode(b"t\xe9.csv")
    try:
        (tmp_path / "data.csv").rename(tmp_path / name)
    except OSError:
        pytest.skip("the file system takes no such names")
    command = [sys.executable, "-m", "autosmote", "resample", name, *COMMAND[2:]]
    done = subprocess.run([*command, "--iterations", "2"], capture_output=True, check=False)
    assert done.returncode == 0 and b"written: out.csv, out.png" in done.stdout


def test_a_signal_after_the_search_waits_until_the_rows_are_written(
    table, tmp_path, capsys, monkeypatch
):
    from autosmote import resample

    write = resample.write_rows

    def signalled(*arguments, **settings):
        signal.raise_signal(signal.SIGTERM)
        write(*arguments, **settings)

    monkeypatch.setattr(resample, "write_rows", signalled)
    assert main([*COMMAND, "--iterations", "5"]) == 128 + signal.SIGTERM
    assert (tmp_path / "out.csv").read_bytes().startswith((tmp_path / "data.csv").read_bytes())
    assert "interrupted, written: out.csv" in capsys.readouterr().err


def test_time_that_is_over_in_the_first_iteration_gives_the_best_so_far(table, tmp_path, capsys):
    arguments = ["--estimator", "forest", "--time-limit", "0.000001"]
    assert main([*COMMAND, *arguments]) == 0
    assert (tmp_path / "out.csv").read_bytes().startswith((tmp_path / "data.csv").read_bytes())
    shown = capsys.readouterr()
    assert "synthetic rows: " in shown.out and "written: out.csv" in shown.out


@pytest.mark.parametrize(("seed", "helps"), [(2, True), (3, False)])
def test_a_short_search_at_a_large_ratio_is_no_worse_than_no_rows_or_writes_none(
    tmp_path, monkeypatch, capsys, seed, helps
):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(seed)
    rare = np.arange(2010) % 201 == 0  # ten rows to 2,000
    frame = pd.DataFrame({"x": rng.normal(2 * rare), "y": rng.normal(size=2010)}).round(3)
    frame.assign(kind=np.where(rare, "bad", "good")).to_csv("data.csv", index=False)
    assert main([*COMMAND, "--iterations", "10", "--seed", str(seed)]) == 0
    shown = capsys.readouterr().out
    # The first column of numbers is the score searched for, on the validation part.
    scores = dict(re.findall(r"^(as it is|with synthetic rows) +(\S+)", shown, re.MULTILINE))
    assert (len(pd.read_csv("out.csv")) > 2010) == helps
    if helps:
        assert float(scores["with synthetic rows"]) > float(scores["as it is"])
    else:
        assert "No synthetic rows scored better than none" in shown


HUGE = {"int64": 2**63 - 1, "smallest": -(2**63), "uint64": 2**64 - 1}


@pytest.mark.parametrize("number", HUGE.values(), ids=HUGE)
def test_whole_numbers_beyond_floats_are_one_sentence_or_come_out_exactly(
    table, tmp_path, capsys, number
):
    table.assign(big=str(number)).to_csv("data.csv", index=False)
    assert main(COMMAND) == 2
    said = f"column 'big', data row 1: {number} is beyond 2**53"
    assert said in capsys.readouterr().err
    assert main([*COMMAND, "--categorical", "big", "--iterations", "20", "--seed", "4"]) == 0
    written = pd.read_csv("out.csv", dtype=str)
    assert len(written) > 200 and set(written["big"]) == {str(number)}


def test_ids_beyond_floats_come_out_as_they_went_in_and_no_synthetic_row_has_one(
    table, tmp_path, capsys
):
    ids = [str(2**60 + 3 * i) for i in range(200)]
    table.assign(ref=ids).to_csv("data.csv", index=False)
    assert main([*COMMAND, "--iterations", "20", "--seed", "4"]) == 0
    written = pd.read_csv("out.csv", dtype=str, keep_default_na=False)
    assert len(written) > 200
    assert list(written["ref"][:200]) == ids and set(written["ref"][200:]) == {""}
    assert "column 'ref' is an id, different in every row, and is left out" in (
        capsys.readouterr().err
    )


def test_a_picture_that_fails_half_way_costs_itself_and_leaves_the_one_before(
    table, tmp_path, capsys, monkeypatch
):
    from autosmote.records import curve

    def fail(history, path, **_):
        path.write_bytes(b"half")
        raise ValueError("no fonts")

    monkeypatch.setattr(curve, "plot_curve", fail)
    (tmp_path / "out.png").write_bytes(b"last week's")
    assert main([*COMMAND, "--iterations", "2"]) == 0
    assert "no picture of the search: ValueError: no fonts" in capsys.readouterr().err
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"data.csv", "out.csv", "out.png"}
    assert (tmp_path / "out.png").read_bytes() == b"last week's"


def test_the_place_is_checked_before_the_work(table, capsys, monkeypatch):
    from autosmote import atomic

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.tempfile, "TemporaryFile", full)
    assert main([*COMMAND, "--iterations", "1000000"]) == 2
    assert "cannot be written (No space left on device)" in capsys.readouterr().err


def test_texts_of_many_values_are_left_out_and_not_one_hot_encoded(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = [f"ref-{i},{rng.normal():.3f},{'ab'[i % 9 == 0]}" for i in range(40_000)]
    (tmp_path / "data.csv").write_text("\n".join(["ref,x,kind", *rows, ""]))
    assert main([*COMMAND, "--iterations", "1"]) == 0
    assert "column 'ref' is text that is different in every row and is left out" in (
        capsys.readouterr().err
    )
