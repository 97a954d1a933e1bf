"""Made-up tables keep what they promise, and faults of what commands write are found."""

from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
GIVEN = "id,age,fee,code,ill\n1,40,1.50,007,no\n2,,3.25,008,yes\n3,50,2.00,007,yes\n"
GOOD = ",45,2.75,008,yes\n"


@pytest.fixture(autouse=True)
def scripts_on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))


@pytest.fixture
def made_up():
    from made_up_tables import MadeUp

    return MadeUp(lambda n, rng: None, "ill", ("no", "yes"), (3, 2), (1, 1), ("id",))


def test_made_up_tables_have_their_rows_and_classes_and_the_same_seed_gives_the_same():
    from made_up_tables import TABLES

    for made_up in TABLES.values():
        pairs = zip(made_up.tables(3), made_up.tables(3), strict=True)
        for (table, again), n_rows in zip(pairs, (made_up.rows, made_up.new_rows), strict=True):
            n_rare = (table[made_up.target] == made_up.labels[1]).sum()
            assert (len(table), n_rare) == n_rows
            assert table.equals(again)
    assert all(made_up.tables(0)[0].columns.is_unique for made_up in TABLES.values())


@pytest.mark.parametrize(
    ("out", "fault"),
    [
        (GIVEN + GOOD, ""),
        (GIVEN, ""),
        (GIVEN.replace("1.50", "1.5") + GOOD, "the given rows are not byte for byte"),
        (GIVEN + "4,45,2.75,008,yes\n", "'4' in a synthetic row is no value of the column 'id'"),
        (GIVEN + ",45.5,2.75,008,yes\n", "'45.5'"),
        (GIVEN + ",51,2.75,008,yes\n", "'51'"),
        (GIVEN + ",45,2.7,008,yes\n", "'2.7'"),
        (GIVEN + ",nan,2.75,008,yes\n", "'nan'"),
        (GIVEN + ",,2.75,008,yes\n", "''"),
        (GIVEN + ",45,2.75,8,yes\n", "'8'"),
        (GIVEN + ",45,2.75,008,no\n", "'no'"),
        (GIVEN + "45,2.75,008,yes\n", "not a cell for each column"),
    ],
)
def test_faults_of_synthetic_rows_are_found(out, fault, made_up, tmp_path):
    from own_tables_checks import find_fault

    (tmp_path / "table.csv").write_text(GIVEN)
    (tmp_path / "out.csv").write_text(out)
    found = find_fault("resample", tmp_path, made_up)
    assert fault in found and bool(found) == bool(fault)


@pytest.mark.parametrize(
    ("predictions", "fault"),
    [
        ("id,predicted ill,score no,score yes\n9,no,0.9,0.1\n", ""),
        ("id,predicted ill,score no,score yes\n8,no,0.9,0.1\n", "not byte for byte"),
        ("id,predicted ill,score no,score yes\n", "0 rows are predicted, and 1 were given"),
        ("id,predicted ill,score no,score yes\n9,nan,0.9,0.1\n", "'nan', which is no class"),
        ("id,predicted ill,score no,score yes\n9,no,1.9,0.1\n", "between 0 and 1"),
    ],
)
def test_faults_of_predictions_are_found(predictions, fault, made_up, tmp_path):
    from own_tables_checks import find_fault

    (tmp_path / "new.csv").write_text("id\n9\n")
    (tmp_path / "predictions.csv").write_text(predictions)
    found = find_fault("predict", tmp_path, made_up)
    assert fault in found and bool(found) == bool(fault)


def test_a_file_that_is_not_there_is_a_fault(made_up, tmp_path):
    from own_tables_checks import OUTPUTS, find_fault

    (tmp_path / "new.csv").write_text("id\n9\n")
    assert all(find_fault(command, tmp_path, made_up) for command in OUTPUTS)


@pytest.mark.slow
def test_a_small_table_goes_through_all_four_commands(tmp_path, capsys):
    from own_tables import main

    assert main(["--tables", "medical", "--iterations", "3", "--results-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""
    lines = (tmp_path / "own_tables" / "own_tables.md").read_text().splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| medical")]
    assert [row[1] for row in rows] == ["fit", "compare", "predict", "resample"]
    assert all(row[2] and float(row[3]) > 0 and float(row[4]) > 50 for row in rows)
