"""`autosmote resample`, from a file to a file."""

import numpy as np
import pandas as pd
import pytest

from autosmote.__main__ import main


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
    assert main([*COMMAND, "--estimator", estimator, "--iterations", "25", "--seed", "1"]) == 0
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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data.csv": "none.csv"}, "There is no file none.csv"),
        ({"kind": "sort"}, "no column 'sort'"),
        ({"kind": "city"}, "label of data row 1 is missing"),
        ({"out.csv": "data.csv"}, "not the input"),
        ({"out.csv": "out.xlsx"}, "must be a .csv file"),
        ({"out.csv": "no/out.csv"}, "no folder"),
        ({"1": "0"}, "n_jobs"),
    ],
)
def test_mistakes_are_one_sentence(table, capsys, change, words):
    assert main([change.get(word, word) for word in COMMAND]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("autosmote: ") and words in shown and "Traceback" not in shown


def test_too_few_rows_for_three_parts(table, capsys):
    table.drop(index=table.index[table["kind"] == "bad"][3:]).to_csv("data.csv", index=False)
    assert main(COMMAND) == 2
    assert "Class 'bad' has 3 rows" in capsys.readouterr().err


def test_anything_else_is_a_run(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0 and "dataset=mozilla4" in capsys.readouterr().out
