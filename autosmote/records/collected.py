"""Read and write the collected records of an experiment: what is committed and reported.

A folder <results_dir>/<experiment>/ holds the following files. Each is sorted, and the same to the
byte however often the sweep was interrupted:

    records.csv.gz           one row per run, for all budgets; nested names joined by a dot
    histories.csv.gz         the history of each search, where the experiment asks for it
    plans/<budget>.csv.gz    which runs the budget asks for, and the row of a table they are for
    plans/<budget>.json      the command that asked for it

and costs.csv.gz, the seconds and memory of each run, which differ each time.
A run's *key* is its folder's name, which comes from its identity.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autosmote.atomic import write_file
from autosmote.errors import UserError, valid
from autosmote.records.files import write_json

if TYPE_CHECKING:
    import pandas as pd

RECORDS, COSTS, HISTORIES = "records.csv.gz", "costs.csv.gz", "histories.csv.gz"

_SCORES = tuple(
    f"{part}.{metric}"
    for part in ("validation", "test", "extended")
    for metric in ("macro_f1", "mcc")
)
RECORD_COLUMNS = (
    *("key", "schema_version", "protocol_version", "data_fingerprint", "data_source"),
    *("status", "stopped_by", "error", "dataset", "ir", "clf", "sampler", "metric", "seed"),
    *(f"scores.{name}" for name in _SCORES),
    *(f"reference.{name}" for name in _SCORES),
    *("ratio", "n_synthetic", "iterations", "imputed"),
    *("rows.train.majority", "rows.train.minority"),
    *("rows.resampled.majority", "rows.resampled.minority"),
    *("rows.test.majority", "rows.test.minority"),
    *("rows.extended.majority", "rows.extended.minority"),
    *("search.best_score", "search.best_iteration", "search.G1", "search.scorer"),
    *("search.device", "search.parameters.means", "search.parameters.deviations"),
    *("git_revision", "grid", "warnings", "config", "versions"),
)
COST_COLUMNS = (
    *("key", "seconds.total", "seconds.generate", "seconds.score", "seconds.learn"),
    *("peak_memory_mb", "machine.system", "machine.architecture"),
)
HISTORY_COLUMNS = ("key", "iteration", "reward", "best", "n_synthetic")
PLAN_COLUMNS = ("key", "arm", "dataset", "ir", "clf", "sampler", "metric", "seed")
GRID_COLUMNS = ("source", "reward", "final", "keep")
"""Further columns of a plan whose arms are a grid of sources and rules."""
BESIDE = "beside"
"""A further column of a plan: true for arms that are ranked beside the others."""

_ORDER = ("dataset", "ir", "clf", "metric", "sampler", "seed", "arm", "key", "iteration")
_JSON = ("grid", "warnings", "config", "versions")
_TEXT = {
    *("key", "arm", "data_fingerprint", "data_source", "status", "stopped_by", "error"),
    *("dataset", "clf", "sampler", "metric", "search.scorer", "search.device", "git_revision"),
    *("machine.system", "machine.architecture", *_JSON),
    *("source", "reward", "final", "search.parameters.means", "search.parameters.deviations"),
}


_TRUTH_VALUES = {"imputed", BESIDE}
_NEEDED = {"key", "dataset", "clf", "sampler", "metric", "seed", "arm", "status", "config"}
_NEEDED |= {"iteration", "best", "seconds.total"}
"""Columns that each table has had from the first version on, where it is among its columns."""


def record_row(key: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as a row for records.csv.gz and costs.csv.gz, which differ in columns."""
    flat: dict[str, Any] = {"key": key}
    for name, value in record.items():
        if name in _JSON:
            flat[name] = json.dumps(value, sort_keys=True)
        elif name == "rows":
            for part, counts in (value or {}).items():
                flat[f"rows.{part}.majority"], flat[f"rows.{part}.minority"] = counts
        else:
            flat |= dict(_flatten(name, value))
    return flat


def _flatten(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for inner, what in value.items():
            yield from _flatten(f"{name}.{inner}", what)
    else:
        yield name, value


def read_records(folder: str | Path) -> pd.DataFrame:
    """Read records.csv.gz with the types of its columns; empty where there is none.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    return _read(Path(folder) / RECORDS, RECORD_COLUMNS)


def read_costs(folder: str | Path) -> pd.DataFrame:
    """Read costs.csv.gz, in seconds and MB; empty where there is none."""
    return _read(Path(folder) / COSTS, COST_COLUMNS)


def read_histories(folder: str | Path) -> pd.DataFrame:
    """Read histories.csv.gz, a row per run and iteration; empty where there is none."""
    return _read(Path(folder) / HISTORIES, HISTORY_COLUMNS)


def read_plan(folder: str | Path, budget: str) -> pd.DataFrame:
    """Read the runs that a budget asks for.

    Raises
    ------
    UserError
        If there is no such plan.
    """
    path = Path(folder) / "plans" / f"{budget}.csv.gz"
    if not path.exists():
        raise UserError(
            f"There is no plan of the budget '{budget}' in '{Path(folder).name}'; "
            f"make one by experiment={Path(folder).name} budget={budget} of autosmote.sweep."
        )
    table = _read(path, (*PLAN_COLUMNS, *GRID_COLUMNS, BESIDE))
    further = [(GRID_COLUMNS, "source"), ((BESIDE,), BESIDE)]
    unused = [name for names, told_by in further for name in names if table[told_by].isna().all()]
    return table.drop(columns=unused)


def read_about(folder: str | Path, budget: str) -> dict[str, Any]:
    """Read the command that asked for a plan; empty where there is none.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    path = Path(folder) / "plans" / f"{budget}.json"
    with _damage_of(path):
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        if not isinstance(about, dict) or not isinstance(about.get("command") or "", str):
            raise ValueError("it names no command")
    return about


def write_plan(
    folder: str | Path, budget: str, rows: Iterable[Mapping[str, Any]], about: Mapping[str, Any]
) -> None:
    """Write the runs that a budget asks for, and the command that asked for it."""
    plans, rows = Path(folder) / "plans", list(rows)
    columns = PLAN_COLUMNS + GRID_COLUMNS * any("source" in row for row in rows)
    columns += (BESIDE,) * any(row.get(BESIDE) for row in rows)
    _write(plans / f"{budget}.csv.gz", columns, sorted(_cells(rows, columns), key=_order))
    write_json(plans, f"{budget}.json", about)


def write_records(folder: str | Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write records.csv.gz and costs.csv.gz from rows of `record_row`.

    Rows of other runs stay.
    """
    rows = list(rows)
    for name, columns in ((RECORDS, RECORD_COLUMNS), (COSTS, COST_COLUMNS)):
        _merge(Path(folder) / name, columns, rows)


def write_histories(folder: str | Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write histories.csv.gz; rows of other runs stay."""
    _merge(Path(folder) / HISTORIES, HISTORY_COLUMNS, list(rows))


def _merge(path: Path, columns: Sequence[str], rows: list[Mapping[str, Any]]) -> None:
    new = list(_cells(rows, columns))
    keys = {cells["key"] for cells in new}
    # As text, so that rows of before stay the same to the byte.
    text = _read_text(path, columns)
    with _damage_of(path):
        _check_header(text, columns)
        old = list(csv.DictReader(io.StringIO(text), restval="", strict=True))
        _check_unique([(cells["key"], cells.get("iteration")) for cells in old])
        kept = [cells for cells in old if cells["key"] not in keys]
        ordered = sorted(kept + new, key=_order)
    _write(path, columns, ordered)


def _cells(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[dict[str, str]]:
    for row in rows:
        values = [(name, row.get(name)) for name in columns]
        yield {name: "" if value is None else _plain(str(value)) for name, value in values}


def _plain(text: str) -> str:
    """Return a text without what readers of CSV take for a line's end, or cannot be encoded."""
    return valid(text.replace("\r", " "))


def _order(cells: Mapping[str, str]) -> tuple[str | float, ...]:
    """Return the sort key of a row: what a reader looks for, then what makes it unique."""
    numbers = ("ir", "seed", "iteration")
    return tuple(
        float(cells.get(name) or 0) if name in numbers else cells.get(name, "") for name in _ORDER
    )


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write some columns of rows to a plain CSV file."""
    _replace(path, _as_csv(columns, rows).encode())


def _write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    # Neither time nor name in the archive: the same rows give the same bytes.
    _replace(path, gzip.compress(_as_csv(columns, rows).encode(), mtime=0))


def _as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _replace(path: Path, data: bytes) -> None:
    """Write a file, unless it would not change."""
    if not path.exists() or path.read_bytes() != data:
        write_file(path, lambda temporary: temporary.write_bytes(data))


def _read_text(path: Path, columns: Sequence[str]) -> str:
    with _damage_of(path):
        try:
            return gzip.decompress(path.read_bytes()).decode()
        except FileNotFoundError:
            return ",".join(columns) + "\n"


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    kinds = {name: "object" for name in columns if name in _TEXT}
    kinds |= dict.fromkeys(_TRUTH_VALUES, "boolean")
    text = _read_text(path, columns)
    with _damage_of(path):
        _check_header(text, columns)
        # Only what is empty is missing: a sampler is called "none".
        table = pd.read_csv(
            io.StringIO(text),
            dtype=kinds,
            keep_default_na=False,
            na_values=[""],
            float_precision="round_trip",
        )
        _check_table(path, table)
    return table.reindex(columns=list(columns))


@contextmanager
def _damage_of(path: Path) -> Generator[None, None, None]:
    """Raise whatever is wrong with the content of a file as a user error that names the file."""
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError, csv.Error, KeyError) as error:
        remedy = "restore it from the repository, or remove it: what is in runs/ is collected again"
        if path.parent.name == "plans":
            remedy = "remove it, and start its sweep again, which plans anew"
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"'{path.name}' in '{path.parent.name}' is damaged ({why}); {remedy}."
        ) from error


def _check_header(text: str, columns: Sequence[str]) -> None:
    """Raise ValueError where the columns are not those of such a table, of whatever version."""
    header = next(csv.reader(io.StringIO(text), strict=True), [])
    foreign = [name for name in header if name not in columns]
    if foreign or len(set(header)) < len(header):
        raise ValueError(f"its columns are others, as {', '.join(foreign[:3]) or 'one twice'}")
    if lacking := [name for name in columns if name in _NEEDED and name not in header]:
        raise ValueError(f"it has no column {', '.join(lacking)}")


def _check_table(path: Path, table: pd.DataFrame) -> None:
    """Raise ValueError where the rows are not those of such a table."""
    for name, column in table.items():
        is_number = name not in _TEXT | _TRUTH_VALUES
        if is_number and len(table) and column.dtype.kind not in "if":
            raise ValueError(f"its column {name} holds no numbers")
        if name in _JSON:
            for text in column.dropna().unique():
                try:
                    value = json.loads(text)
                except RecursionError as error:
                    raise ValueError(f"its column {name} is nested too deeply") from error
                if not isinstance(value, list if name in ("grid", "warnings") else dict):
                    raise ValueError(f"its column {name} holds something else")
    if table["key"].isna().any():
        raise ValueError("a row has no key")
    iterations = table["iteration"] if "iteration" in table else [None] * len(table)
    if path.parent.name != "plans":  # a run may serve two rows of a table
        _check_unique(zip(table["key"], iterations, strict=True))


def _check_unique(rows: Iterable[tuple[Any, Any]]) -> None:
    found = list(rows)
    if len(set(found)) < len(found):
        raise ValueError("it has some rows twice")
