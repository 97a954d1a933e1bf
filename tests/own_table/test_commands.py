"""The commands compare, fit and predict, from files to files."""

import csv
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from documents import ROOT
from waiting import wait_for_end, wait_until

import autosmote
from autosmote.__main__ import main
from autosmote.config.commandline import Ended
from autosmote.data.column_kinds import CATEGORY, DECIMAL, WHOLE
from autosmote.isolation.processes import descendants
from autosmote.own_table import comparison, saved
from autosmote.own_table.methods import AS_IT_IS, THRESHOLD

FIT = ["--target", "churned", "--iterations", "4", "--jobs", "1", "--estimator"]


def table(n=120, seed=0):
    rng = np.random.default_rng(seed)
    churned = rng.random(n) < 0.25
    return pd.DataFrame(
        {
            "age": rng.integers(20, 70, n),
            "usage": (rng.normal(churned, 1.0)).round(2),
            "country": np.where(rng.random(n) < 0.1, "NA", "DE"),
            "churned": np.where(churned, "yes", "no"),
        }
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table().to_csv("my.csv", index=False)
    table(30, seed=1).drop(columns="churned").to_csv("new.csv", index=False)
    return tmp_path


def fitted(name="model.joblib", estimator="dt"):
    assert main(["fit", "my.csv", *FIT, estimator, "-o", name]) == 0
    return name


def test_saved_model_holds_nothing_that_differs_by_run(folder):
    found, _ = saved.load(Path(fitted()))
    history = getattr(found.classifier, "history_", None) or found.classifier[-1].history_
    assert len(history["reward"]) and "seconds" not in history
    assert found.categories
    assert all(list(texts) == sorted(texts) for texts in found.categories.values())


@pytest.mark.parametrize("estimator", ["dt", "knn", "logistic", "sklearn.naive_bayes.GaussianNB"])
def test_fit_and_predict_give_each_new_row_a_class(folder, capsys, estimator):
    fitted(estimator=estimator)
    assert "rows held out: as it is 0." in capsys.readouterr().out
    assert main(["predict", "model.joblib", "new.csv", "-o", "out.csv"]) == 0
    names = ("new.csv", "out.csv")
    given, found = (list(csv.reader((folder / name).read_text().splitlines())) for name in names)
    assert [row[:3] for row in found] == given
    assert found[0][3:] == ["predicted churned", "score no", "score yes"]
    for row in found[1:]:
        assert row[3] == ("yes" if float(row[5]) > float(row[4]) else "no")
    assert sorted(os.listdir()) == ["model.joblib", "my.csv", "new.csv", "out.csv"]


def arff_of(frame):
    lines = [f"@attribute {name} {'string' if frame[name].dtype == object else 'real'}"
             for name in frame]  # fmt: skip
    return "\n".join(["@relation r", *lines, "@data", frame.to_csv(index=False, header=False)])


FORMATS = {
    "t.csv": lambda frame, path: frame.to_csv(path, sep=";", decimal=",", index=False),
    "t.txt": lambda frame, path: frame.to_csv(path, sep="|", index=False),
    "t.tsv.gz": lambda frame, path: frame.to_csv(path, sep="\t", index=False),
    "t.parquet": lambda frame, path: frame.to_parquet(path),
    "t.arff": lambda frame, path: path.write_text(arff_of(frame)),
    "t.xlsx": lambda frame, path: frame.to_excel(path, index=False),
}


@pytest.mark.parametrize("name", FORMATS)
def test_all_four_commands_read_every_format(folder, capsys, name):
    if name == "t.xlsx":
        pytest.importorskip("openpyxl")
    frame = table()
    FORMATS[name](frame, folder / name)
    few = ["--target", "churned", "--iterations", "2", "--jobs", "1"]
    compared = ["--methods", AS_IT_IS, "--folds", "2", "--repeats", "1"]
    assert main(["compare", name, *few, *compared]) == 0
    assert main(["fit", name, *few, "-o", "m.joblib"]) == 0
    assert main(["predict", "m.joblib", name, "-o", "p.csv"]) == 0
    assert main(["resample", name, *few, "-o", "r.csv"]) == 0
    model, _ = saved.load(folder / "m.joblib")
    assert list(model.columns) == ["age", "usage", "country"]
    # Written as it was read; what was no separated text as any CSV.
    sep, decimal = {"t.csv": ";,", "t.txt": "|.", "t.tsv.gz": "\t."}.get(name, ",.")
    for written in ("p.csv", "r.csv"):
        found = pd.read_csv(written, keep_default_na=False, sep=sep, decimal=decimal)
        pd.testing.assert_frame_equal(found[list(frame)][:120], frame, check_dtype=False)


READING = ["--sep", ":", "--decimal", ",", "--encoding", "cp1251"]
TELLING = ["--drop", "usage", "--categorical", "age", "--id", "code", "--numeric", "zip"]


def test_all_four_commands_take_what_is_said_of_a_table(folder, capsys):
    frame = table().assign(code=np.arange(120) % 7, zip=[f"{i % 9:03}" for i in range(120)])
    frame["country"] = np.where(frame["country"] == "NA", "Перу", "DE")
    frame.assign(share=0.5 + frame["age"] % 2).to_csv(
        "my.csv", index=False, sep=":", decimal=",", encoding="cp1251"
    )
    few = [*READING, *TELLING, "--target", "churned", "--iterations", "2", "--jobs", "1"]
    compared = ["--methods", AS_IT_IS, "--folds", "2", "--repeats", "1"]
    assert main(["compare", "my.csv", *few, *compared]) == 0
    assert main(["resample", "my.csv", *few, "-o", "r.csv"]) == 0
    assert main(["fit", "my.csv", *few, "-o", "m.joblib"]) == 0
    kinds = {name: kind.kind for name, kind in saved.load(folder / "m.joblib")[0].columns.items()}
    assert kinds == {"age": CATEGORY, "country": CATEGORY, "zip": WHOLE, "share": DECIMAL}
    # A model knows what its columns are.
    assert main(["predict", "m.joblib", "my.csv", *READING, "-o", "p.csv"]) == 0
    for written in ("r.csv", "p.csv"):
        lines = (folder / written).read_text(encoding="cp1251").splitlines()
        given = (folder / "my.csv").read_text(encoding="cp1251").splitlines()
        assert all(new.startswith(old) for old, new in zip(given, lines, strict=False))


def test_predict_writes_given_cells_as_they_are(folder):
    text = 'usage;country;age\r\n0,50; NA ;34,0\r\n;"DE";051\r\n'.encode("utf-16")
    (folder / "odd.csv").write_bytes(text)
    fitted()
    assert main(["predict", "model.joblib", "odd.csv", "-o", "out.csv"]) == 0
    given, found = (
        (folder / name).read_bytes().decode("utf-16").split("\r\n")
        for name in ("odd.csv", "out.csv")
    )
    assert len(found) == len(given)
    assert all(new.startswith(old) for old, new in zip(given, found, strict=True))


@pytest.mark.parametrize("command", ["compare", "fit", "resample"])
def test_rows_that_are_sorted_by_class_are_not_told_by_their_index(folder, capsys, command):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"noise": rng.random(120).round(3), "churned": ["a"] * 90 + ["b"] * 30})
    frame.to_csv("my.csv")  # with its index, as pandas does
    methods = ["--methods", AS_IT_IS, "--folds", "2", "--repeats", "1"]
    more = {"compare": methods, "fit": ["-o", "m.joblib"], "resample": ["-o", "r.csv"]}[command]
    few = ["--target", "churned", "--iterations", "2", "--jobs", "1"]
    assert main([command, "my.csv", *few, *more]) == 0
    shown = capsys.readouterr()
    assert "my.csv: column 1 has no name and is left out (name it to use it)" in shown.err
    assert float(re.search(r"as it is +(0\.\d+)", shown.out)[1]) < 0.8


@pytest.mark.parametrize("estimator", ["dt", "knn"])
@pytest.mark.parametrize("command", ["compare", "fit", "resample"])
def test_number_that_overflows_is_one_sentence_with_column_and_value(
    folder, capsys, command, estimator
):
    table().assign(usage=[1e308] * 3 + [0.5] * 117).to_csv("my.csv", index=False)
    output = {"compare": "c.csv", "fit": "m.joblib", "resample": "r.csv"}[command]
    arguments = ["--target", "churned", "--estimator", estimator, "-o", output]
    assert main([command, "my.csv", *arguments]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("autosmote: X holds 1e+308 in column 'usage'; ")
    assert not os.path.exists(output)


def test_fit_whose_time_is_over_at_once_keeps_the_best_so_far(folder, capsys):
    arguments = ["--time-limit", "0.000001", "--iterations", "100000", "--jobs", "1"]
    assert main(["fit", "my.csv", "--target", "churned", *arguments, "-o", "m.joblib"]) == 0
    assert "kept: " in capsys.readouterr().out
    assert main(["predict", "m.joblib", "new.csv", "-o", "out.csv"]) == 0


def test_fit_where_nothing_helps_keeps_the_plain_classifier_and_says_so(folder, capsys):
    frame = table()
    # The class can be told from one column: nothing can score higher.
    frame.assign(told=(frame["churned"] == "yes") + 0.5).to_csv("my.csv", index=False)
    fitted()
    assert "kept: as it is, as nothing else scores higher\n" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_killed_comparison_leaves_no_process(folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "autosmote", "compare", "my.csv", "--target", "churned"]
        + ["--jobs", "2", "--iterations", "100000"],
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: len(descendants(process.pid)) >= 4)
    below = descendants(process.pid)
    process.kill()
    process.wait()
    wait_for_end(below)


@pytest.mark.parametrize("command", ["compare", "fit", "predict", "resample"])
def test_full_disk_leaves_what_was_there_and_no_half_file(folder, capsys, monkeypatch, command):
    methods = ["--methods", AS_IT_IS, "--folds", "2", "--repeats", "1"]
    arguments = {
        "compare": ["my.csv", "--target", "churned", "--jobs", "1", *methods, "-o", "out.csv"],
        "fit": ["my.csv", *FIT, "dt", "-o", "out.joblib"],
        "predict": ["model.joblib", "new.csv", "-o", "out.csv"],
        "resample": ["my.csv", *FIT, "dt", "-o", "out.csv"],
    }[command]
    fitted()
    output = folder / arguments[-1]
    output.write_text("last week's")
    before = sorted(os.listdir())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main([command, *arguments]) == 2
    assert "cannot be written (No space left on device)" in capsys.readouterr().err
    assert output.read_text() == "last week's" and sorted(os.listdir()) == before


def test_that_a_model_is_code_is_said_where_it_is_used(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    assert "is code" in " ".join(capsys.readouterr().out.split())
    for page in ("own_table.md", "security.md"):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        assert "`.joblib`" in text and "is code" in text


def test_predict_finds_columns_by_name_and_names_those_that_it_does_not_use(folder, capsys):
    fitted()
    main(["predict", "model.joblib", "new.csv", "-o", "first.csv"])
    new = pd.read_csv("new.csv", keep_default_na=False)
    new = new[["usage", "country", "age"]].assign(colour="red")
    new.to_csv("other.csv", index=False)
    capsys.readouterr()
    assert main(["predict", "model.joblib", "other.csv", "-o", "second.csv"]) == 0
    assert "the model does not use 'colour'" in capsys.readouterr().err
    first, second = pd.read_csv("first.csv"), pd.read_csv("second.csv")
    assert (first["score yes"] == second["score yes"]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda new: new.drop(columns="usage"), "no column 'usage', which the model needs"),
        (lambda new: new.assign(age="old"), "column 'age'"),
    ],
)
def test_predict_for_a_table_of_other_columns_is_refused_and_writes_nothing(
    folder, capsys, change, message
):
    fitted()
    change(pd.read_csv("new.csv", keep_default_na=False)).to_csv("other.csv", index=False)
    assert main(["predict", "model.joblib", "other.csv", "-o", "out.csv"]) == 2
    assert message in capsys.readouterr().err
    assert not os.path.exists("out.csv")


def test_predict_reads_another_decimal_sign_and_fractions_and_says_so(folder, capsys):
    fitted()
    new = pd.read_csv("new.csv", keep_default_na=False).assign(age=30.0)
    new.to_csv("new.csv", index=False)
    new.replace({"age": {30.0: 30.5}}).to_csv("other.csv", index=False, sep=";", decimal=",")
    main(["predict", "model.joblib", "new.csv", "-o", "first.csv"])
    capsys.readouterr()
    assert main(["predict", "model.joblib", "other.csv", "-o", "second.csv"]) == 0
    said = capsys.readouterr().err
    assert "column 'usage' holds numbers with a decimal comma (else --decimal .)" in said
    assert "column 'age'" in said and "'30,5' where the model has seen whole numbers" in said
    first, second = pd.read_csv("first.csv"), pd.read_csv("second.csv", sep=";")
    assert (first["score yes"] == second["score yes"]).all()
    with pytest.raises(SystemExit):
        main(["predict", "model.joblib", "new.csv", "-o", "out.csv", "--decimal", "x"])


def test_predict_names_categories_that_the_model_has_not_seen(folder, capsys):
    fitted()
    new = pd.read_csv("new.csv", keep_default_na=False)
    new.loc[:1, "country"] = ["Mars", "Venus"]
    new.to_csv("new.csv", index=False)
    capsys.readouterr()
    assert main(["predict", "model.joblib", "new.csv", "-o", "out.csv"]) == 0
    said = capsys.readouterr().err
    assert "and 1 more in column 'country' (2 of" in said and "new to the model" in said


def test_predict_where_a_number_is_missing_takes_the_median_and_says_so(folder, capsys):
    table().drop(columns="country").to_csv("my.csv", index=False)
    fitted()
    new = pd.read_csv("new.csv", keep_default_na=False)
    new.loc[0, "usage"] = np.nan
    new.to_csv("new.csv", index=False)
    assert main(["predict", "model.joblib", "new.csv", "-o", "out.csv"]) == 0
    assert "1 missing in column 'usage'" in capsys.readouterr().err


def test_predict_refuses_a_model_of_another_format(folder, capsys):
    fitted()
    content = joblib.load("model.joblib")
    joblib.dump(content | {"format": 99, "model": b"of tomorrow"}, "model.joblib")
    assert main(["predict", "model.joblib", "new.csv", "-o", "out.csv"]) == 2
    assert "of format 99, and this version of autosmote reads 1" in capsys.readouterr().err


def test_predict_says_which_library_is_of_another_version(folder, capsys, monkeypatch):
    fitted()
    capsys.readouterr()
    here = saved._versions()
    monkeypatch.setattr(saved, "_versions", lambda: here | {"scikit-learn": "9.9"})
    assert main(["predict", "model.joblib", "new.csv", "-o", "out.csv"]) == 0
    assert "The model was saved with scikit-learn" in (said := capsys.readouterr().err)
    assert "(here 9.9)" in said and said.count("scikit-learn") == 1


def test_predict_of_what_cannot_be_unpacked_here_names_the_versions(folder, capsys):
    fitted()
    content = joblib.load("model.joblib")
    content["versions"]["numpy"] = "0.1"
    joblib.dump(content | {"model": b"no pickle"}, "model.joblib")
    assert main(["predict", "model.joblib", "new.csv", "-o", "out.csv"]) == 2
    assert "cannot be unpacked (The model was saved with numpy 0.1" in capsys.readouterr().err


@pytest.mark.parametrize("content", [{"a": 1}, [1]])
def test_predict_refuses_a_file_that_is_no_model(folder, capsys, content):
    joblib.dump(content, "model.joblib")
    assert main(["predict", "model.joblib", "new.csv", "-o", "out.csv"]) == 2
    assert "no model that autosmote fit has saved" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "my.csv", *FIT, "dt", "-o", "model.pkl"], "must be a .joblib file"),
        (["fit", "my.csv", *FIT, "dt", "-o", "no/model.joblib"], "no folder for the output"),
        (["fit", "no.csv", *FIT, "dt", "-o", "model.joblib"], "There is no file no.csv"),
        (["fit", "my.csv", *FIT, "tree", "-o", "model.joblib"], "There is no estimator 'tree'"),
        (["predict", "no.joblib", "new.csv", "-o", "out.csv"], "There is no file no.joblib"),
        (["compare", "my.csv", *FIT[:2], "-o", "my.csv"], "is the input"),
        (["compare", "my.csv", "--target", "churn"], "no column 'churn'"),
        (["comapre", "my.csv", *FIT[:2]], "no command 'comapre' (did you mean compare?)"),
    ],
)
def test_commands_say_what_is_wrong_in_one_sentence(folder, capsys, arguments, message):
    before = sorted(os.listdir())
    assert main(arguments) == 2
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line.startswith("autosmote: ")]
    assert len(lines) == 1 and message in lines[0] and not said.out
    assert "Traceback" not in said.err
    assert sorted(os.listdir()) == before


def write_classes(few):
    labels = ["a"] * few + ["b"] * (40 - few)
    pd.DataFrame({"x": np.arange(40) % 7, "churned": labels}).to_csv("my.csv", index=False)


def test_commands_say_at_once_what_they_begin_with(folder, capsys):
    write_classes(9)
    options = ["--target", "churned", "--iterations", "2", "--jobs", "1"]
    assert main(["fit", "my.csv", *options, "-o", "model.joblib"]) == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert first == "my.csv: 40 rows of 1 feature, of which 31 are 'b', 9 are 'a'; starting"
    many = pd.DataFrame({"x": np.arange(60) % 7, "churned": np.arange(60) % 6})
    many.to_csv("my.csv", index=False)
    main(["resample", "my.csv", *options, "-o", "out.csv"])
    assert ", 10 are '3', the others of 2 further classes; starting" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("few", "message"),
    [(0, "All rows are of class 'b'"), (1, "Class 'a' has 1 row, and 2 are needed to train with")],
)
def test_fit_names_a_class_of_too_few_rows_as_the_table_does(folder, capsys, few, message):
    write_classes(few)
    assert main(["fit", "my.csv", *FIT, "dt", "-o", "model.joblib"]) == 2
    assert message in capsys.readouterr().err


def test_fit_of_a_class_of_two_rows_gives_a_model(folder):
    write_classes(2)
    fitted()


def test_compare_prints_and_writes_the_same_table_and_a_picture(folder, capsys):
    arguments = ["--methods", THRESHOLD, "--folds", "2", "--repeats", "1", "--jobs", "1"]
    assert main(["compare", "my.csv", "--target", "churned", *arguments]) == 0
    said = capsys.readouterr().out.splitlines()
    written = pd.read_csv("my-comparison.csv")
    assert list(written["method"]) == [AS_IT_IS, THRESHOLD]
    assert f"{written['score'][1]:.4f}" in said[2]
    assert said[3].startswith("Nothing is concluded")
    with open("my-comparison.png", "rb") as file:
        assert file.read(4) == b"\x89PNG"


def test_compare_whose_picture_fails_prints_and_writes_the_rest(folder, capsys, monkeypatch):
    def fail(*_, **__):
        raise ValueError("no fonts")

    monkeypatch.setattr("autosmote.own_table.picture.draw", fail)
    arguments = ["--methods", AS_IT_IS, "--folds", "2", "--repeats", "1", "--jobs", "1"]
    assert main(["compare", "my.csv", "--target", "churned", *arguments]) == 0
    said = capsys.readouterr()
    assert "no picture of the comparison: ValueError: no fonts" in said.err
    assert said.out.startswith("method ") and "written: my-comparison.csv\n" in said.out
    assert sorted(os.listdir()) == ["my-comparison.csv", "my.csv", "new.csv"]


def test_compare_whose_table_cannot_be_written_has_printed_it(folder, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("autosmote.data.write_rows.write_file", full)
    arguments = ["--methods", AS_IT_IS, "--folds", "2", "--repeats", "1", "--jobs", "1"]
    assert main(["compare", "my.csv", "--target", "churned", *arguments]) == 2
    assert "Nothing is concluded" in capsys.readouterr().out


def interrupt_fits(monkeypatch, after, interrupt):
    """Interrupt a comparison instead of a fit after some; return the splits of the others."""
    fit, done = comparison._fit_one, []

    def interrupted(name, split, *arguments):
        if len(done) == after:
            raise interrupt
        done.append(split)
        return fit(name, split, *arguments)

    monkeypatch.setattr(comparison, "_fit_one", interrupted)
    return done


COMPARE = ["compare", "my.csv", "--target", "churned", "--methods", THRESHOLD, "--jobs", "1"]


@pytest.mark.parametrize(
    ("interrupt", "status"), [(KeyboardInterrupt(), 130), (Ended(signal.SIGTERM), 143)]
)
@pytest.mark.parametrize("n_splits", [1, 3])
def test_compare_that_is_interrupted_prints_whole_splits_and_concludes_nothing(
    folder, capsys, monkeypatch, interrupt, status, n_splits
):
    done = interrupt_fits(monkeypatch, 2 * n_splits + 1, interrupt)
    assert main(COMPARE) == status
    said = capsys.readouterr()
    head, as_it_is, threshold, sentence = said.out.splitlines()
    assert head.startswith("method ") and as_it_is.startswith(AS_IT_IS)
    assert threshold.startswith(THRESHOLD) and ("to" in threshold) == (n_splits > 1)
    assert sentence == (
        f"Interrupted after {n_splits} of 10 splits: the table is of these alone, and nothing is "
        "concluded from it."
    )
    assert said.err.endswith("autosmote: interrupted, nothing was written\n")
    assert max(done) == n_splits and sorted(os.listdir()) == ["my.csv", "new.csv"]


def test_compare_that_is_interrupted_in_its_first_split_prints_no_table(
    folder, capsys, monkeypatch
):
    interrupt_fits(monkeypatch, 1, KeyboardInterrupt())
    assert main(COMPARE) == 130
    said = capsys.readouterr()
    assert said.out == "" and "interrupted, nothing was written" in said.err


def test_table_of_an_interrupted_comparison_is_that_of_its_splits(folder, monkeypatch):
    X, y = table().drop(columns="churned"), table()["churned"]
    settings = {"methods": [THRESHOLD], "folds": 3, "repeats": 1}
    whole = autosmote.compare(X, y, "dt", **settings)
    interrupt_fits(monkeypatch, 5, KeyboardInterrupt())
    with pytest.raises(comparison.ComparisonInterrupted) as caught:
        autosmote.compare(X, y, "dt", **settings)
    scores = {name: found[:2] for name, found in whole.attrs["splits"].items()}
    assert caught.value.table.attrs["splits"] == scores
    assert caught.value.table.loc[THRESHOLD, "score"] == np.mean(scores[THRESHOLD])


def test_fit_that_is_interrupted_leaves_no_file(folder, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("autosmote.sampler.classifier.AutoSMOTEClassifier.fit", interrupted)
    assert main(["fit", "my.csv", *FIT, "dt", "-o", "model.joblib"]) == 130
    assert sorted(os.listdir()) == ["my.csv", "new.csv"]
    assert "interrupted, nothing was written" in capsys.readouterr().err


def test_a_comparison_is_named_by_all_of_its_table_but_suffixes(folder):
    few = ["--target", "churned", "--methods", "class weights", "--repeats", "1", "--jobs", "1"]
    for name in ("2024.01.csv", "2024.02.csv"):
        (folder / name).write_bytes((folder / "my.csv").read_bytes())
        assert main(["compare", name, *few]) == 0
    names = {path.name for path in folder.glob("*-comparison.csv")}
    assert names == {"2024.01-comparison.csv", "2024.02-comparison.csv"}


def test_predict_names_no_column_twice(folder):
    frame = table()
    frame["churned"] = frame["churned"].replace({"yes": "a", "no": "a_"})
    frame.to_csv("my.csv", index=False)
    fitted()
    table(30, seed=1).drop(columns="churned").assign(**{"score a": 1}).to_csv("new.csv")
    assert main(["predict", "model.joblib", "new.csv", "-o", "out.csv"]) == 0
    names = (folder / "out.csv").read_text().splitlines()[0].split(",")
    assert sorted(names[-3:]) == ["predicted churned", "score a_", "score a__"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--iterations", "-5"], "--iterations: it must be a whole number from 0"),
        (["--iterations", "1000000000000"], "--iterations: it must be a whole number from 0"),
        (["--time-limit", "nan"], "--time-limit: it must be a number of seconds above 0"),
        (["--repeats", "100000000"], "--repeats: it must be a whole number from 1 to 10,000"),
        (["--folds", "1"], "--folds: it must be a whole number from 2"),
        (["--seed", "-1"], "--seed: it must be a whole number from 0"),
        (["--jobs", "0"], "--jobs: it must be a whole number but 0"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_by_the_options_name(folder, capsys, options, words):
    with pytest.raises(SystemExit) as ended:
        main(["compare", "my.csv", "--target", "churned", *options])
    assert ended.value.code == 2 and words in capsys.readouterr().err
