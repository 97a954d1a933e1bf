"""Make inputs for scripts/fuzz.py: mostly valid ones, some of them damaged, all from a seed."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.tree import DecisionTreeClassifier

Rng = np.random.Generator


def choose(rng: Rng, *values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


def table(rng: Rng, most_rows: int = 120) -> tuple[pd.DataFrame, np.ndarray]:
    """Return rows that a search can be fitted on: numbers, whole numbers and categories."""
    n = int(rng.integers(40, most_rows))
    labels = choose(rng, ("b", "a"), (0, 1), (False, True), (-1.5, 2.5), ("é", "a b"))
    n_minority = int(rng.integers(8, n // 3))
    y = np.array([labels[0]] * (n - n_minority) + [labels[1]] * n_minority, dtype=object)
    columns: dict[str, Any] = {}
    for i in range(int(rng.integers(1, 5))):
        kind = choose(rng, "normal", "normal", "whole", "constant", "huge", "tiny", "category")
        x = rng.normal(size=n) + (np.arange(n) >= n - n_minority)
        columns[f"{kind} {i}"] = {
            "normal": x,
            "whole": np.round(10 * x).astype(np.int64),
            "constant": np.full(n, 2.5),
            "huge": 1e30 * x,  # a tree refuses what float32 cannot hold
            "tiny": 1e-300 * x,
            "category": np.array(["low", "mid", "é,\"x'"], dtype=object)[rng.integers(0, 3, n)],
        }[kind]
    columns["last"] = rng.normal(size=n)
    order = rng.permutation(n)
    return pd.DataFrame(columns).iloc[order].reset_index(drop=True), y[order].astype(str)


class Tree(DecisionTreeClassifier):
    """A tree that, without copy, writes into whatever rows it is given."""

    def __init__(self, copy: bool = False) -> None:
        super().__init__(max_depth=3, random_state=0)
        self.copy = copy

    def fit(self, X: Any, y: Any) -> Tree:
        return super().fit(self._taken(X), y)

    def predict(self, X: Any) -> np.ndarray:
        return super().predict(self._taken(X))

    def _taken(self, X: Any) -> np.ndarray:
        rows = np.array(X, dtype=float)
        if isinstance(X, pd.DataFrame) and not self.copy:
            for i in range(X.shape[1]):
                X.isetitem(i, X.iloc[::-1, i].to_numpy())
        elif not self.copy:
            X[:] = rows[::-1]
        return rows


def _renamed(rng: Rng, X: pd.DataFrame) -> pd.DataFrame:
    """Return the table with names that are no text, as of a file without a header."""
    names: list[Any] = list(range(X.shape[1]))
    how = choose(rng, "numbers", "numbers in no order", "floats", "mixed", "twice", "dates")
    if how == "numbers in no order":
        names = [int(name) for name in rng.permutation(len(names))]
    elif how == "floats":
        names = [name / 2 for name in names]
    elif how == "mixed":
        names[0] = "a"
    elif how == "twice":
        names[-1] = names[0]
    elif how == "dates":
        names = list(pd.date_range("2024-01-31", periods=len(names), freq="D"))
    return X.set_axis(names, axis=1)


def sampler_input(rng: Rng) -> tuple[Any, Any, dict[str, Any]]:
    """Return rows, labels and settings of the sampler."""
    X, y = table(rng)
    settings: dict[str, Any] = {
        "iterations": int(rng.integers(1, 6)),
        "random_state": int(rng.integers(100)),
        "method": choose(rng, "class_aware", "paper"),
        "K": choose(rng, 1, 2, 5, 30),
        "scoring": choose(rng, "macro_f1", "mcc", "accuracy"),
        "final": choose(rng, "best", "best", "tuned_vote", "diverse_vote"),
        "cv": choose(rng, None, None, 2, 3),
        "standardize": choose(rng, True, False),
    }
    only_numbers = all(kind.kind in "if" for kind in X.dtypes)
    if only_numbers and rng.random() < 0.3:
        settings["estimator"] = Tree()
    if rng.random() < 0.1:
        settings["allow_nan"] = True
        holes = rng.random(len(X)) < 0.1
        X.loc[holes, "last"] = np.nan
    if only_numbers and rng.random() < 0.4:
        X = X.to_numpy(dtype=choose(rng, float, float, np.float32))
        X = choose(rng, X, X, np.asfortranarray(X))
    elif rng.random() < 0.2:
        X = _renamed(rng, X)
    if rng.random() < 0.75:
        return X, y, settings
    how = choose(
        rng, "setting", "label", "none", "nan", "inf", "one class", "rows", "shape", "text"
    )
    if how == "setting":
        name = choose(rng, "K", "iterations", "cv", "scoring", "final", "G2", "time_limit")
        settings[name] = choose(rng, 0, -1, "x", 2.5, float("nan"), [], 10**12)
    elif how == "label":
        y = y[: -int(rng.integers(1, 5))]
    elif how == "none":
        y = choose(rng, list, pd.Series, np.array)([None, *y[1:]])
    elif how in ("nan", "inf"):
        X = pd.DataFrame(X)
        X["last" if "last" in X else X.columns[-1]] = np.nan if how == "nan" else np.inf
    elif how == "one class":
        y = np.full(len(y), "a")
    elif how == "rows":
        X, y = X[:3], y[:3]
    elif how == "shape":
        X = np.zeros((len(y), 0))
    else:
        X = pd.DataFrame(X).assign(mixed=[1, "a"] * (len(y) // 2) + [None] * (len(y) % 2))
    return X, y, settings


def write_table(rng: Rng, folder: Path) -> Path:
    """Write a table as a file that a run can read, three in ten of them damaged."""
    X, y = table(rng)
    frame = X.assign(label=y)
    ending = choose(rng, "csv", "csv", "tsv", "csv.gz", "parquet", "arff", "xlsx")
    path = folder / f"{choose(rng, 'data', 'a b', 'é', '2024.01', 'A.CSV')}.{ending}"
    if "sv" in ending:
        data = _as_text(rng, frame, "\t" if ending == "tsv" else choose(rng, ",", ",", ";", "|"))
        path.write_bytes(gzip.compress(data) if ending.endswith("gz") else data)
    elif ending == "parquet":
        rows = pa.Table.from_pandas(frame)
        if rng.random() < 0.2:  # pandas writes no name twice
            names = [str(name) for name in _renamed(rng, X).columns]
            rows = rows.rename_columns([*names, "label"]).replace_schema_metadata(None)
        pq.write_table(rows, path)
    elif ending == "xlsx":
        frame.to_excel(path, index=False)
    else:
        path.write_text(_as_arff(frame), encoding="utf-8")
    if rng.random() < 0.3:
        path.write_bytes(damage(rng, path.read_bytes()))
    return path


def _as_text(rng: Rng, frame: pd.DataFrame, sep: str) -> bytes:
    """Return a table as programs of many kinds write it: encodings, line ends, empty lines."""
    end = choose(rng, "\n", "\n", "\r\n", "\r", "\r\r\n")
    quoting = choose(rng, csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    text = frame.to_csv(index=False, sep=sep, lineterminator=end, quoting=quoting)
    if rng.random() < 0.2:
        lines = text.split(end)
        lines.insert(int(rng.integers(len(lines))), choose(rng, "", "", " ", "\t"))
        text = end.join(lines)
    if rng.random() < 0.2:
        text = text.rstrip(end)
    encoding = choose(
        rng, *("utf-8",) * 4, "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "cp932"
    )
    return text.encode(encoding, "replace")


def _as_arff(frame: pd.DataFrame) -> str:
    lines = ["@relation r"]
    for name, column in frame.items():
        values = sorted(set(column)) if column.dtype == object else []
        quoted = ",".join("'" + str(v).replace("'", "\\'") + "'" for v in values)
        lines.append(f"@attribute '{name}' " + (f"{{{quoted}}}" if values else "numeric"))
    lines.append("@data")
    for row in frame.itertuples(index=False):
        cells = ("'" + v.replace("'", "\\'") + "'" if isinstance(v, str) else repr(v) for v in row)
        lines.append(",".join(cell.replace("np.float64(", "").rstrip(")") for cell in cells))
    return "\n".join(lines) + "\n"


def damage(rng: Rng, data: bytes) -> bytes:
    """Return a file's bytes cut off, doubled, emptied, or with a few of them changed."""
    at = int(rng.integers(max(1, len(data))))
    how = choose(rng, "half", "twice", "empty", "byte", "put in", "deep", "noise")
    return {
        "half": data[:at],
        "twice": data + data,
        "empty": b"",
        "byte": data[:at] + bytes([choose(rng, 0, 255, 34, 10)]) + data[at + 1 :],
        "put in": data[:at] + rng.bytes(5) + data[at:],
        "deep": b"[" * 100_000,
        "noise": rng.bytes(200),
    }[how]


def with_curve(rng: Rng) -> list[str]:
    """Return overrides by which one run in four draws its curve, as slow as so short a search."""
    return [] if rng.random() < 0.25 else ["save_curve=false"]


def config_input(rng: Rng) -> list[str]:
    """Return overrides of a run on the toy data, a third of them with an odd one."""
    overrides = [
        f"seed={rng.integers(1000)}",
        f"clf={choose(rng, 'dt', 'knn', 'svm', 'dt')}",
        f"metric={choose(rng, 'macro_f1', 'mcc')}",
        f"search.G1={rng.integers(1, 5)}",
        f"search.G2={rng.integers(1, 5)}",
        f"search.K={rng.integers(1, 40)}",
        f"search.lag={rng.integers(1, 6)}",
        f"search.final={choose(rng, 'best', 'vote', 'tuned_vote')}",
        f"search.reward={choose(rng, 'validation', 'crossfit')}",
        f"search.folds={rng.integers(2, 5)}",
        f"search.ablation={choose(rng, 'none', 'none', 'flat', 'random_search', 'no_low_level')}",
        f"search.gamma={rng.random():.3f}",
        f"search.learning_rate={choose(rng, 0.005, 0.1, 1e-9, 1e30)}",
        f"search.method={choose(rng, 'hierarchical', 'hierarchical', 'class_aware')}",
    ]
    overrides = [word for word in overrides if rng.random() < 0.5]
    if rng.random() < 0.35:
        name = choose(
            rng,
            *("dataset", "clf", "sampler", "sampler.params", "clf.params", "clf._target_", "seed"),
            *("search.time_limit", "search.folds", "search.lag", "search.G1", "search.actors"),
            *("ir", "metric", "results_dir", "data_dir", "limits.run_seconds", "search.method"),
            *("+clf.params.max_depth", "+clf.params.ccp_alpha", "search.init_from", "clf.name"),
            *("+sampler.params.K", "preprocess.fit_on", "search.learner", "retry", "x.y.z"),
        )
        value = choose(
            rng,
            *("null", "0", "-1", "1.5", "inf", "nan", "abc", "''", "${seed}", "${x}", "../../x"),
            *("[1,2]", "{a:1}", "1000000000000", "true", "x" * 5000, "os.getcwd", "a=b", "'$m_{$'"),
            *("2024_05", "é", "<b>", "[[[[", "~", "sklearn.tree", "1e400", "/dev/null/x"),
        )
        if (name, value) == ("results_dir", "../../x"):
            value = "x/../y"  # what is made is looked for in the input's own folder
        overrides = [word for word in overrides if not word.startswith(f"{name}=")]
        overrides.append(f"{name}={value}")
    return overrides


def damage_results(rng: Rng, results: Path) -> str:
    """Damage one file of a results folder, or put something in its place; say what was done."""
    files = sorted(path for path in results.rglob("*") if path.is_file() and path.name[0] != ".")
    if not files or rng.random() < 0.4:
        return "nothing"
    path = choose(rng, *files)
    how = choose(rng, "bytes", "bytes", "folder", "link", "json", "gone", "leftover")
    if how == "bytes":
        path.write_bytes(damage(rng, path.read_bytes()))
    elif how == "json":
        path.write_text(json.dumps(choose(rng, [], 1, {}, {"status": "ok"}, None, "x")))
    elif how == "leftover":
        (path.parent / f".{'0' * 32}-{path.name}").write_bytes(b"half")
    else:
        path.unlink()
        if how == "folder":
            path.mkdir()
        elif how == "link":
            path.symlink_to(path.name)
    return f"{how} in place of {path.name}"
