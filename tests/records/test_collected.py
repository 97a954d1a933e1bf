"""Collected tables: sorted, the same to the byte, and read as they were written."""

import gzip
import random

import numpy as np
import pytest

from autosmote.errors import UserError
from autosmote.records import collected


def record(dataset="toy", ir=None, seed=0, score=0.1, **more):
    scores = {part: {"macro_f1": score, "mcc": 1 / 3} for part in ("validation", "test")}
    return {
        "schema_version": 1,
        "protocol_version": 1,
        "status": "ok",
        "error": None,
        "dataset": dataset,
        "ir": ir,
        "clf": "dt",
        "sampler": "none",
        "metric": "mcc",
        "seed": seed,
        "scores": scores,
        "rows": {"train": [270, 21], "resampled": [270, 100]},
        "imputed": False,
        "seconds": {"total": 1.5, "generate": 0.25},
        "config": {"b": [1, None], "a": {"é": 'x,\n"y'}},
        **more,
    }


ROWS = [
    collected.record_row(f"{dataset}-{ir}-{seed}", record(dataset, ir, seed, seed / 7))
    for dataset in ("toy", "phoneme")
    for ir in (None, 20, 100, 12.5)
    for seed in (0, 2, 10)
]


def bytes_of(folder):
    return (folder / collected.RECORDS).read_bytes()


def test_records_are_read_as_written(tmp_path):
    collected.write_records(tmp_path, ROWS)
    table = collected.read_records(tmp_path)
    assert list(table.columns) == list(collected.RECORD_COLUMNS)
    assert list(table["key"][:3]) == [f"phoneme-None-{seed}" for seed in (0, 2, 10)]
    assert table["scores.validation.macro_f1"].tolist()[:3] == [0, 2 / 7, 10 / 7]
    assert table["rows.resampled.minority"].tolist() == [100] * 24
    assert np.isnan(table["ir"][0]) and table["error"].isna().all()
    assert table["config"][0] == '{"a": {"\\u00e9": "x,\\n\\"y"}, "b": [1, null]}'
    assert set(table["sampler"]) == {"none"}  # which pandas would take for a missing value
    costs = collected.read_costs(tmp_path)
    assert set(costs["seconds.generate"]) == {0.25} and costs["peak_memory_mb"].isna().all()


def test_bytes_depend_on_rows_alone(tmp_path):
    collected.write_records(tmp_path / "one", ROWS)
    shuffled = random.Random(0).sample(ROWS, len(ROWS))
    for i in range(0, len(shuffled), 5):
        collected.write_records(tmp_path / "two", shuffled[i : i + 5])
    collected.write_records(tmp_path / "two", shuffled[3:9])
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    header = gzip.decompress(bytes_of(tmp_path / "one"))[:14]
    assert header == b"key,schema_ver" and bytes_of(tmp_path / "one")[4:8] == bytes(4)


def test_a_row_is_replaced_by_a_newer_one(tmp_path):
    collected.write_records(tmp_path, ROWS)
    newer = collected.record_row("toy-20-2", record("toy", 20, 2, score=0.9))
    collected.write_records(tmp_path, [newer])
    table = collected.read_records(tmp_path).set_index("key")
    assert len(table) == len(ROWS)
    assert table.loc["toy-20-2", "scores.test.macro_f1"] == 0.9
    assert table.loc["toy-20-10", "scores.test.macro_f1"] == 10 / 7


def test_a_file_that_would_not_change_is_left_alone(tmp_path):
    collected.write_records(tmp_path, ROWS)
    before = (tmp_path / collected.RECORDS).stat()
    collected.write_records(tmp_path, ROWS[:4])
    after = (tmp_path / collected.RECORDS).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_histories_are_sorted_by_run_and_iteration(tmp_path):
    rows = [
        {"key": key, "iteration": i, "reward": 0.5, "best": 0.5, "n_synthetic": 3}
        for key in ("b", "a")
        for i in (1, 2, 10, 9)
    ]
    collected.write_histories(tmp_path, rows)
    table = collected.read_histories(tmp_path)
    assert table["key"].tolist() == ["a"] * 4 + ["b"] * 4
    assert table["iteration"].tolist() == [1, 2, 9, 10] * 2


def test_missing_files_are_empty_tables_but_a_plan_raises(tmp_path):
    assert len(collected.read_records(tmp_path)) == len(collected.read_histories(tmp_path)) == 0
    with pytest.raises(UserError, match="no plan of the budget 'quick'"):
        collected.read_plan(tmp_path, "quick")


def test_damaged_file_raises_user_error(tmp_path):
    collected.write_records(tmp_path, ROWS)
    (tmp_path / collected.RECORDS).write_bytes(bytes_of(tmp_path)[:100])
    with pytest.raises(UserError, match=r"'records.csv.gz' .* is damaged"):
        collected.read_records(tmp_path)
    with pytest.raises(UserError, match="is damaged"):
        collected.write_records(tmp_path, ROWS)


def test_plan_has_the_further_columns_that_its_rows_use(tmp_path):
    row = {"key": "a", "arm": "none", "dataset": "toy", "clf": "dt", "sampler": "none", "seed": 0}
    beside = row | {"key": "b", "arm": "smote_search", "beside": True}
    grid = row | {"source": "none", "reward": "validation", "final": "best"}
    for budget, rows in (("plain", [row]), ("beside", [row, beside]), ("grid", [grid])):
        collected.write_plan(tmp_path, budget, rows, {})
    plain, marked, of_grid = (
        collected.read_plan(tmp_path, budget) for budget in ("plain", "beside", "grid")
    )
    assert list(plain.columns) == list(collected.PLAN_COLUMNS)
    assert list(marked["beside"].fillna(False)) == [False, True]
    assert list(of_grid.columns[-4:]) == list(collected.GRID_COLUMNS)


def test_records_from_before_a_column_are_read_without_it(tmp_path, monkeypatch):
    new = {"scores.extended.mcc", "reference.extended.mcc"}
    with monkeypatch.context() as patched:
        before = tuple(name for name in collected.RECORD_COLUMNS if name not in new)
        patched.setattr(collected, "RECORD_COLUMNS", before)
        collected.write_records(tmp_path, ROWS)
    table = collected.read_records(tmp_path)
    assert table[sorted(new)].isna().all(axis=None) and table["scores.test.mcc"].notna().all()
    scores = {"test": {"mcc": 0.1}, "extended": {"mcc": 0.25}}
    newer = collected.record_row("toy-20-2", record("toy", 20, 2) | {"scores": scores})
    collected.write_records(tmp_path, [newer])
    table = collected.read_records(tmp_path).set_index("key")
    assert table["scores.extended.mcc"].dropna().to_dict() == {"toy-20-2": 0.25}
    assert len(table) == len(ROWS)


@pytest.mark.parametrize("error", ["one\rtwo", "a\udcffb", 'one\n"two",'])
def test_any_text_of_an_error_leaves_a_table_that_is_read(tmp_path, error):
    row = collected.record_row("odd", record(error=error, grid=[{"error": error}]))
    collected.write_records(tmp_path, ROWS)
    collected.write_records(tmp_path, [row])
    table = collected.read_records(tmp_path).set_index("key")
    assert len(table) == len(ROWS) + 1 and table.loc["odd", "error"][-1] == error[-1]
