"""README's table, picture and badges are those of the committed records and settings."""

import importlib
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import yaml

from autosmote import __version__
from autosmote.reports.report import build_report, write_tables

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
IMAGES = ROOT / "docs" / "images"


@pytest.fixture
def script(monkeypatch):
    """Return the import of a module in scripts/, as its command sees it."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module


def test_readme_table_is_that_of_the_committed_table_2(script):
    table = script("readme_table")
    assert table.with_table(README, table.make_table(ROOT / "results")) == README


def test_readme_table_shows_controls_apart_and_the_extended_test(script, tmp_path, monkeypatch):
    reports = script("bench_reports")
    arms = ["none", "smote", "adasyn", "svmsmote", "tomeklinks", "nearmiss", "autosmote"]
    reports.make_sweep(
        tmp_path, "table2", "quick", arms=arms, beside=["smote_search"],
        datasets=["phoneme", "mozilla4"], irs=[20, 50], seeds=2,
    )  # fmt: skip
    write_tables(build_report(tmp_path, "table2", "quick"))
    text = script("readme_table").make_table(tmp_path)
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")][1:]
    assert rows[0] == "AutoSMOTE" and rows[-1] == "no resampling" and rows[-2] == "SMOTE search†"
    assert len(rows) == 6  # two of the five rivals are left out
    written = pd.read_csv(tmp_path / "table2" / "tables" / "quick" / "table2.csv")
    row = written[(written["arm"] == "autosmote") & (written["column"] == "overall")].iloc[0]
    on_extended = "extended_rank" in written
    rank = row["extended_rank" if on_extended else "rank"]
    assert f"| AutoSMOTE | {rank:.2f} [" in text
    assert ("on the extended test" if on_extended else "on the test part") in text
    assert "among 7 samplers" in text and "†: trains as many classifiers" in text


def test_readme_table_without_records_or_marks_is_refused(script, tmp_path):
    table = script("readme_table")
    with pytest.raises(FileNotFoundError, match="no table of Table 2"):
        table.make_table(tmp_path)
    with pytest.raises(ValueError, match="lacks the marks"):
        table.with_table("# AutoSMOTE\n", "| |")


def test_readme_picture_is_drawn_from_its_runs(script, tmp_path):
    picture = script("readme_picture")
    picture.do_runs(tmp_path, 2, ["search.iterations=4", "search.actors=0"])
    scores = pd.read_csv(tmp_path / "policies.csv")
    assert (
        len(scores) == 2 * len(picture.SAMPLERS) and scores["macro_f1_extended"].between(0, 1).all()
    )
    rows = pd.read_csv(tmp_path / "policies-rows.csv")
    assert set(rows["sampler"]) == set(picture.SAMPLERS)
    assert picture.main(["--folder", str(tmp_path)]) == 0
    drawn = sorted(path.name for path in tmp_path.glob("policies-*.svg"))
    assert drawn == ["policies-dark.svg", "policies-light.svg"]
    before = [(tmp_path / name).read_bytes() for name in drawn]
    picture.main(["--folder", str(tmp_path)])
    assert [(tmp_path / name).read_bytes() for name in drawn] == before


def test_committed_picture_is_of_all_seeds_small_and_what_readme_says(script):
    picture = script("readme_picture")
    scores = pd.read_csv(IMAGES / "policies.csv")
    assert len(scores) == picture.N_SEEDS * len(picture.SAMPLERS)
    assert set(scores["clf"]) == {picture.CLF} and scores["protocol"].nunique() == 1
    for name in ("policies-light.svg", "policies-dark.svg"):
        assert (IMAGES / name).stat().st_size < 300_000
    alternative, _ = re.findall(r'alt="([^"]+)">', README)
    for gain in picture.compute_gains(scores).mean():
        assert f"{gain:+.3f}" in alternative


def test_figure_of_gains_is_drawn_from_its_table(script, tmp_path):
    figure = script("readme_gains")
    assert figure.main(["--folder", str(tmp_path)]) == 0
    drawn = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert drawn == ["gains-dark.svg", "gains-light.svg"]
    for name in drawn:
        assert (IMAGES / name).stat().st_size < 200_000
    gains = figure.read_gains(figure.TABLE)
    assert set(gains["metric"]) == {"macro_f1", "mcc"} and "overall" in set(gains["group"])


def test_readme_says_the_gains_of_its_figure(script):
    figure = script("readme_gains")
    gains = figure.read_gains(figure.TABLE)
    overall = gains[gains["group"] == "overall"].set_index(["source", "metric"])["extended"]
    _, alternative = re.findall(r'alt="([^"]+)">', README)
    for source in ("class_aware", "class_aware random", "autosmote", "svmsmote"):
        macro_f1, mcc = (f"{overall[source, metric]:+.3f}" for metric in ("macro_f1", "mcc"))
        assert re.search(f"{re.escape(macro_f1)}( Macro-F1)? and {re.escape(mcc)}", alternative)


def test_badges_and_citation_say_what_the_settings_say():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [re.search(r"Python :: 3\.(\d+)$", name) for name in project["classifiers"]]
    minors = [int(version[1]) for version in found if version]
    badge = (IMAGES / "python.svg").read_text(encoding="utf-8")
    assert f"Python 3.{min(minors)} to 3.{max(minors)}" in badge
    assert project["license"] == "MIT" and "MIT" in (IMAGES / "licence.svg").read_text("utf-8")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__ and citation["license"] == "MIT"
    paper = citation["preferred-citation"]
    assert paper["title"].startswith("Towards Automated Imbalanced Learning")
    assert len(paper["authors"]) == 6 and paper["type"] == "conference-paper"
    assert (
        f"arXiv:{project['urls']['Paper'].rpartition('/')[2]}" == paper["identifiers"][0]["value"]
    )
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+):", changes, re.M)[1] == __version__
