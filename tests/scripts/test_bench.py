"""Run the benchmarks in small, and check their tables; no speed is tested."""

import csv
import importlib
import json
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
PNG = b"\x89PNG\r\n"


@pytest.fixture
def script(monkeypatch):
    """A benchmark as its command sees it: scripts/ comes first on the import path."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_bench_search_on_toy_data_writes_rows_and_report(script, tmp_path, capsys, monkeypatch):
    bench = script("bench_search")
    monkeypatch.setattr(script("bench_cases"), "_AT_LEAST", 8)
    arguments = [
        "--full", "--cases", "toy/svm", "--results-dir", str(tmp_path), "--iterations", "9",
        "--rounds", "1", "--budget", "0", "--episodes", "2",
    ]  # fmt: skip
    assert bench.main(arguments) == 0
    printed = capsys.readouterr().out
    base = tmp_path / "bench" / "search_full"
    rows = read(base.with_suffix(".csv"))
    assert tuple(rows[0]) == bench.COLUMNS
    kinds = [row["kind"] for row in rows]
    assert kinds == ["loop"] * 4 + ["score"] + ["generator"] * 2 + ["run"]
    loops, score, generators, run = rows[:4], rows[4], rows[5:7], rows[7]
    assert [(r["net"], r["scorer"], r["actors"]) for r in loops] == [
        ("paper", "svm", "2"), ("paper", "refit", "2"), ("paper", "svm", "0"),
        ("joint", "svm", "2"),
    ]  # fmt: skip
    # Same rewards with refits, and inline: the ratios compare the same work.
    assert [r["different"] for r in loops] == ["", "0", "0", ""]
    assert loops[0]["ratio"] == "" and all(float(r["ratio"]) > 0 for r in loops[1:])
    for row in loops:
        assert int(row["iterations"]) == 8  # the budget of 0 seconds ended it
        for part in ("generate_ms", "score_ms", "learn_ms", "iterations_per_s", "setup_s"):
            assert float(row[part]) > 0
    assert score["different"] == "0" and int(score["compared"]) % 97 == 0  # validation rows
    for row in (score, *generators):
        slow, fast, ratio = (float(row[name]) for name in ("slow_ms", "fast_ms", "ratio"))
        assert ratio == pytest.approx(slow / fast, rel=1e-3)
    assert [r["net"] for r in generators] == ["paper", "joint"]
    assert all(int(r["n_synthetic"]) > 0 and r["different"] == "0" for r in generators)
    assert run["iterations"] == "9" and float(run["total_s"]) > float(run["setup_s"])

    text = base.with_suffix(".md").read_text()
    assert text in printed
    assert "cores" in text and rows[0]["revision"] in text and "numpy" in text
    for figure in ("exact generator against naive", "svm score against refit", "peak memory"):
        assert f"| {figure}" in text
    png = base.with_suffix(".png").read_bytes()
    assert png.startswith(PNG) and base.with_suffix(".svg").exists()

    # What is there is not measured again, unless it is asked for or the code is another.
    monkeypatch.setattr(bench.Bench, "case", None)
    base.with_suffix(".png").unlink()
    assert bench.main([*arguments, "--draw"]) == 0
    assert base.with_suffix(".png").read_bytes() == png
    assert bench.main(arguments) == 0
    assert "measured before at this revision" in capsys.readouterr().out
    assert read(base.with_suffix(".csv")) == rows
    with pytest.raises(TypeError, match="NoneType"):
        bench.main([*arguments, "--force"])
    monkeypatch.setattr(bench, "revision", lambda: "another")
    with pytest.raises(TypeError, match="NoneType"):
        bench.main(arguments)


def test_bench_search_without_data_takes_the_toy_data(script, tmp_path, monkeypatch, capsys):
    bench = script("bench_search")
    monkeypatch.delenv("AUTOSMOTE_DATA_DIR", raising=False)
    measured = []
    monkeypatch.setattr(bench.Bench, "case", lambda _, case, **kw: measured.append(case) or [])
    monkeypatch.setattr(bench, "alone", lambda script, job: {})
    monkeypatch.setattr(bench, "report", lambda rows, base, load: "")
    assert bench.main(["--results-dir", str(tmp_path)]) == 0
    assert "the toy data instead" in capsys.readouterr().out
    assert [case.dataset for case in measured] == ["toy"] * 4


def test_bench_search_malformed_case_is_a_mistake(script, capsys):
    bench = script("bench_search")
    assert bench.Case.parse("mozilla4/svm/12.5") == bench.Case("mozilla4", "svm", 12.5)
    for wrong in ("mozilla4", "mozilla4/forest", "mozilla4/svm/", "mozilla4/svm/x", "a/svm/5/1"):
        assert bench.main(["--cases", wrong]) == 2
        assert f"not '{wrong}'" in capsys.readouterr().err


def test_bench_report_judges_targets(script):
    report = script("bench_report")
    score = {"kind": "score", "dataset": "phoneme", "ir": 50, "net": None}
    kinds = {
        "loop": [
            {"dataset": "mozilla4", "clf": "adaboost", "ir": 50, "scorer": "refit", "actors": 0,
             "generate_ms": 10.0, "score_ms": 400.0, "learn_ms": 20.0, "ratio": 1.7,
             "against": "joint, refit, 2 actors"},
            {"dataset": "mozilla4", "clf": "svm", "ir": 50, "scorer": "svm", "actors": 0,
             "generate_ms": 10.0, "score_ms": 4.0, "learn_ms": 20.0, "ratio": 1.2,
             "against": "joint, auto, 2 actors"},
        ],
        "score": [
            {**score, "clf": "knn", "ratio": 49.0}, {**score, "clf": "knn", "ratio": 900.0},
            {**score, "clf": "svm", "ratio": 1.6}, {**score, "clf": "adaboost", "ratio": 5.0},
            {**score, "clf": "adaboost", "ratio": 125.0},
        ],
        "generator": [
            {"dataset": "phoneme", "clf": "svm", "ir": 50, "net": "joint", "slow_ms": 0.9,
             "ratio": 150.0},
            {"dataset": "phoneme", "clf": "svm", "ir": 50, "net": "paper", "slow_ms": 1.1,
             "ratio": 90.0},
        ],
        "run": [
            {"dataset": "mozilla4", "clf": "svm", "ir": 50, "iterations": 1000, "actors": 2,
             "total_s": 10.5, "peak_memory_mb": 500.0},
            {"dataset": "electricity", "clf": "knn", "ir": 20, "iterations": 50, "actors": 2,
             "total_s": 9.0, "peak_memory_mb": 2200.0},
        ],
    }  # fmt: skip
    rows = [row for found in kinds.values() for row in found]
    verdicts = [(line[0], line[-1]) for line in report.targets(kinds, rows)]
    assert verdicts == [
        ("exact generator against naive, per synthetic row, joint net", "met"),
        ("exact generator against naive, per synthetic row, paper net", ""),  # too slow to count
        ("knn score against refit, each data set", "not met"),
        ("adaboost score against refit, mean", "stretch met"),
        ("adaboost score against refit, least", "met"),
        ("dt score against refit, mean", ""),
        ("svm score against refit, mean", "met"),
        ("search of 1000 iterations, mozilla4/svm, IR 50", "stretch met"),
        ("the same, mean over the 24 pairs", ""),
        ("2 actors against inline, where scoring dominates", "met"),
        ("peak memory, electricity, IR 20, 2 actors", "not met"),
        ("peak memory, electricity, IR 20, 40 actors", ""),
    ]


def test_bench_growth_on_small_sizes_writes_rows_and_report(script, tmp_path, monkeypatch, capsys):
    bench = script("bench_growth")
    sizes = {"n_minority": (8, 16), "K": (2, 4), "n_train": (256,), "n_features": (3,)}
    monkeypatch.setattr(bench, "SIZES", {**sizes, "folds": (2,), "actors": (1,)})
    small = {"n_minority": 8, "K": 2, "n_train": 256, "n_features": 3, "folds": 0, "actors": 0}
    monkeypatch.setattr(bench, "BASE", small)
    # In this process: one of their own each, which the other test has, would take long.
    monkeypatch.setattr(bench, "alone", lambda _, job: bench.point(json.loads(json.dumps(job))))
    arguments = ["--results-dir", str(tmp_path), "--iterations", "2", "--budget", "0"]
    assert bench.main([*arguments, "--clfs", "knn"]) == 0
    printed = capsys.readouterr().out
    base = tmp_path / "bench" / "growth"
    rows = read(base.with_suffix(".csv"))
    assert tuple(rows[0]) == bench.COLUMNS
    varied = ("n_minority", "K", "folds", "actors")
    assert [tuple(int(row[name]) for name in varied) for row in rows] == [
        (8, 2, 0, 0), (16, 2, 0, 0), (8, 4, 0, 0), (8, 2, 2, 0), (8, 2, 0, 1),
    ]  # fmt: skip
    for row in rows:
        assert row["scorer"] == "knn" and int(row["iterations"]) >= 2
        for cost in ("wall_ms", "generate_ms", "score_ms", "learn_ms", "setup_s"):
            assert float(row[cost]) > 0
    text = base.with_suffix(".md").read_text()
    assert text in printed and "| knn | minority rows N |" in text
    png = base.with_suffix(".png").read_bytes()
    assert png.startswith(PNG) and base.with_suffix(".svg").exists()
    base.with_suffix(".png").unlink()
    monkeypatch.setattr(bench, "alone", None)  # nothing is measured
    assert bench.main([*arguments, "--draw"]) == 0
    assert base.with_suffix(".png").read_bytes() == png
    assert read(base.with_suffix(".csv")) == rows


def test_exponents_are_the_slopes_of_a_power_law(script):
    bench = script("bench_growth")
    others = {"n_features": 8, "folds": 0, "actors": 0, "wall_ms": None}
    points = [
        {**others, "clf": "dt", "n_minority": n, "K": K, "n_train": m,
         "generate_ms": 3 * n**0.5 * K**2, "score_ms": 1e-3 * m, "learn_ms": 5.0, "added_mb": None}
        for n, K, m in ((8, 4, 64), (32, 4, 64), (128, 4, 64), (8, 8, 64), (8, 4, 256))
    ]  # fmt: skip
    (_, _, *by_n), (_, _, *by_k), (_, _, *by_m), *rest = bench.exponents(points)
    assert by_n[1:4] == pytest.approx([0.5, 0, 0]) and by_n[0] is by_n[4] is None
    assert by_k[1:4] == pytest.approx([2, 0, 0])
    assert by_m[1:4] == pytest.approx([0, 1, 0])
    assert all(exponents == [None] * 5 for _, _, *exponents in rest)


def test_bench_startup_writes_the_seconds_of_each_phase(script, tmp_path, capsys):
    bench = script("bench_startup")
    arguments = ["--rounds", "1", "--iterations", "3", "--results-dir", str(tmp_path)]
    assert bench.main(arguments) == 0
    rows = read(tmp_path / "bench" / "startup.csv")
    assert [row["case"] for row in rows] == list(bench.CASES)
    for row in rows:
        phases = [float(row[phase]) for phase in bench.PHASES]
        assert min(phases) >= 0 and sum(phases) == pytest.approx(float(row["wall_s"]), rel=0.01)
    assert (tmp_path / "bench" / "startup.md").read_text() in capsys.readouterr().out + "\n"


def test_bench_whole_on_toy_data_writes_rows_and_verdicts(script, tmp_path, capsys):
    bench = script("bench_whole")
    arguments = [
        "--cases", "toy/dt", "--iterations", "20", "--rounds", "1", "--results-dir", str(tmp_path),
    ]  # fmt: skip
    assert bench.main(arguments) == 0
    rows = read(tmp_path / "bench" / "whole.csv")
    assert [row["kind"] for row in rows] == ["first result", "import", "paper", "class_aware"]
    assert [row["iterations"] for row in rows] == ["", "", "20", "1"]
    for row in rows:
        assert float(row["wall_s"]) > 0 and float(row["cpu_s"]) > 0
    text = (tmp_path / "bench" / "whole.md").read_text()
    assert text == capsys.readouterr().out.split("\n", 2)[2]
    assert text.count("| met |") + text.count("stretch met") + text.count("not met") == 5


def test_bench_whole_verdicts_compare_with_both_targets(script):
    bench = script("bench_whole")
    rows = [
        {"kind": "first result", "wall_s": 3.0, "cpu_s": 9.0},
        {"kind": "import", "wall_s": 9.0, "cpu_s": 1.6},
        {"kind": "paper", "wall_s": 4.0, "iterations": 1000},
        {"kind": "paper", "wall_s": 16.0, "iterations": 1000},
        {"kind": "class_aware", "wall_s": 2.0, "iterations": 60},
    ]
    found = {what[:12]: (value, verdict) for what, value, *_, verdict in bench.verdicts(rows)}
    assert found["`python -m a"] == (3.0, "met")
    assert found['`python -c "'] == (1.6, "not met")
    assert found["1000 iterati"] == (10.0, "met")
    assert found["the same aga"] == (pytest.approx(125 / 0.89, abs=0.01), "met")
    assert found["class-aware,"] == (2.0, "stretch met")


def test_bench_refits_scales_a_few_iterations(script, tmp_path, capsys):
    bench = script("bench_refits")
    arguments = [
        "--rows", "300", "--estimators", "dt", "forest", "logistic", "--iterations", "3",
        "--results-dir", str(tmp_path),
    ]  # fmt: skip
    assert bench.main(arguments) == 0 and not list(tmp_path.iterdir())
    assert bench.main([*arguments, "--write"]) == 0
    rows = read(tmp_path / "bench" / "refits.csv")
    assert tuple(rows[0]) == bench.COLUMNS
    assert [(row["estimator"], row["scorer"], row["folds"]) for row in rows] == [
        ("dt", "tree", "0"), ("dt", "tree", "5"), ("dt", "refit", "0"),
        ("forest", "forest", "0"), ("forest", "forest", "5"), ("forest", "refit", "0"),
        ("logistic", "refit", "0"), ("logistic", "refit", "5"),
    ]  # fmt: skip
    for row in rows:
        once, each, whole = (float(row[name]) for name in ("once_s", "iteration_s", "search_s"))
        assert whole == pytest.approx(once + 299 * each, rel=1e-3) and each > 0
    text = (tmp_path / "bench" / "refits.md").read_text()
    assert text in capsys.readouterr().out and "| 300 | forest | forest |" in text
