"""The report on the rivals: a row per sampler, what failed and why, and none missing."""

import csv
import importlib
from pathlib import Path

import pytest

from autosmote.config.groups import load_sampler
from autosmote.run import main as run

SCRIPTS = Path(__file__).parents[2] / "scripts"
MEMBERS = ["none", "randomoversampler", "kmeanssmote"]


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module("rivals_report")

    def few(name):
        group = load_sampler(name)
        group.members = MEMBERS
        return group

    monkeypatch.setattr(module, "load_sampler", few)
    return module


def test_rivals_report_lists_status_reason_and_missing_samplers(report, tmp_path, capsys):
    results = [f"results_dir={tmp_path}", "clf=dt"]
    assert run(["sampler=none", *results]) == run(["sampler=randomoversampler", *results]) == 0
    arguments = ["--results-dir", str(tmp_path), "--machine", "A quiet machine."]
    assert report.main(arguments) == 1
    assert "toy-irown: no record of kmeanssmote" in capsys.readouterr().err
    text = (tmp_path / "rivals" / "README.md").read_text()
    assert "- `sampler=all`: 2 of 3 records (2 ok)" in text and "- not run: kmeanssmote" in text

    assert run(["sampler=kmeanssmote", *results]) == 1
    assert report.main(arguments) == 0
    with (tmp_path / "rivals" / "toy-irown.csv").open(newline="") as stream:
        none, random, kmeans = csv.DictReader(stream)
    assert [none["sampler"], random["sampler"], kmeans["sampler"]] == MEMBERS
    # At 0.1, ..., 1.0 of 270 to 21 rows; the data's own ratio is not tried.
    assert (random["status"], random["ratios_ok"], random["ratios_failed"]) == ("ok", "10", "0")
    assert int(random["n_synthetic"]) == int(float(random["ratio"]) * 270) - 21
    assert (kmeans["status"], kmeans["imputed"], kmeans["ratios_failed"]) == (
        "failed",
        "True",
        "10",
    )
    assert "No clusters found" in kmeans["reason"]
    assert kmeans["test_macro_f1"] == none["test_macro_f1"]

    text = (tmp_path / "rivals" / "README.md").read_text()
    assert "- `sampler=all`: 3 of 3 records (2 ok, 1 failed)" in text
    assert "| kmeanssmote | failed | RuntimeError: No clusters found" in text
    assert "A quiet machine." in text


def test_rivals_report_two_records_of_one_sampler_are_refused(report, tmp_path):
    for seed in (0, 1):
        assert run(["sampler=none", f"seed={seed}", f"results_dir={tmp_path}"]) == 0
    with pytest.raises(SystemExit, match="none has two records on toy"):
        report.main(["--results-dir", str(tmp_path)])
