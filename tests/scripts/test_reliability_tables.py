"""Rows of the tables of kills and inputs replace and follow each other."""

import csv
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def test_a_row_takes_the_place_of_its_own_and_new_columns_join(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from reliability_tables import add_row

    path = tmp_path / "new" / "kills.csv"
    for seed, lost in ((10, 0), (2, 1), (2, 0)):
        add_row(path, {"command": "run", "seed": seed, "lost": lost}, by=("command", "seed"))
    add_row(path, {"command": "fit", "seed": 0, "left": 3}, by=("command", "seed"))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["command"], row["seed"], row["lost"], row["left"]) for row in rows] == [
        ("fit", "0", "", "3"),
        ("run", "2", "0", ""),
        ("run", "10", "0", ""),
    ]
    assert all(row["code"] for row in rows)
    assert path.with_suffix(".md").read_text().startswith("| command | seed | left | code | lost |")
