"""The documents' way to Table 2 by pandas alone gives what the reports give."""

from pathlib import Path

import pandas as pd
import pytest
from documents import blocks

from autosmote.reports.report import build_report, write_tables

ROOT = Path(__file__).parents[2]


def snippet():
    (code,) = [block for _, block in blocks("python") if "records.csv.gz" in block]
    return code


def check(folder, monkeypatch, capsys):
    """Run the snippet in a folder; its last table, of MCC, is that of table2.csv."""
    monkeypatch.chdir(folder)
    found: dict = {}
    exec(snippet(), found)  # it is our own
    assert "macro_f1" in capsys.readouterr().out
    written = pd.read_csv("results/table2/tables/quick/table2.csv")
    written = written[written["metric"] == "mcc"]
    if "beside" in written:
        written = written[~written["beside"]]
    ranks = written.pivot_table("rank", "arm", "column")
    table = found["table"]
    assert set(table.columns) == set(ranks.columns) and set(table.index) == set(ranks.index)
    pd.testing.assert_frame_equal(
        table, ranks.loc[table.index, table.columns], check_names=False, rtol=1e-5
    )


def test_snippet_has_at_most_15_lines():
    assert len(snippet().splitlines()) <= 15


@pytest.mark.parametrize(("irs", "beside"), [([20, 50], ["smote_search"]), ([None], [])])
def test_snippet_on_a_made_up_sweep_equals_the_report(
    irs, beside, bench_reports, tmp_path, monkeypatch, capsys
):
    results = tmp_path / "results"
    arms = ["none", "smote", "autosmote"]
    bench_reports.make_sweep(
        results,
        "table2",
        "quick",
        arms=arms,
        beside=beside,
        datasets=["phoneme", "toy"],
        irs=irs,
        seeds=2,
    )
    write_tables(build_report(results, "table2", "quick"))
    check(tmp_path, monkeypatch, capsys)


@pytest.mark.skipif(
    not (ROOT / "results/table2/plans/quick.csv.gz").exists(),
    reason="no records of Table 2 with budget=quick are committed",
)
def test_snippet_on_committed_records_equals_their_table(monkeypatch, capsys):
    check(ROOT, monkeypatch, capsys)
