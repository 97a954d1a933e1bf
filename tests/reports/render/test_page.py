"""The page: whole, self-contained, escaped; and opened in a real browser where there is one."""

import re
import shutil
import subprocess
from functools import partial
from html.parser import HTMLParser

import pandas as pd
import pytest

from autosmote.reports import __main__ as command
from autosmote.reports.page import write_page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Tags, attributes and text, and whether every tag is closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


EVIL = "<script>alert('x')</script> & \"quoted\""


@pytest.fixture(scope="module")
def page(bench_reports, tmp_path_factory):
    """Two experiments: one complete, one with a failed sampler and a missing cell."""

    def change(record):
        if record["sampler"] == "smote" and record["clf"] == "dt":
            record |= {"status": "failed", "imputed": True, "error": EVIL}
            record["scores"] = record["reference"]
        is_missing = record["clf"] == "svm" and record["sampler"] == "none" and record["seed"] == 1
        return None if is_missing else record

    results_dir = tmp_path_factory.mktemp("results")
    make_sweep = partial(bench_reports.make_sweep, results_dir)
    arms = ["none", "smote", "svmsmote", "autosmote"]
    make_sweep("table2", "quick", arms=arms, datasets=["phoneme"], irs=[50], seeds=2, change=change)
    make_sweep("figure6", arms=["K=1", "K=5"], datasets=["toy"], irs=[None], seeds=1)
    folder = results_dir / "table1" / "tables"
    folder.mkdir(parents=True)
    counts = {"majority (paper)": [3818], "majority (ours)": [3818]}
    pd.DataFrame({"dataset": ["phoneme"], **counts}).to_csv(folder / "table1.csv", index=False)
    return write_page(results_dir)


def test_page_is_whole_and_needs_no_other_file(page):
    parsed = Page(page.read_text(encoding="utf-8"))
    ids = [attributes["id"] for attributes in parsed.of("section")]
    assert ids == ["how", "runs", "table1", "table2-quick", "figure6-paper", "versions"]
    assert [link["href"] for link in parsed.of("a")] == [f"#{name}" for name in ids]
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in parsed.of("img"))
    assert all(image["alt"] for image in parsed.of("img"))
    assert len(parsed.of("img")) == 5
    assert not parsed.of("link")
    assert all("src" not in attributes for attributes in parsed.of("script"))
    sources = [v for _, attributes in parsed.tags for k, v in attributes.items() if k in ("src",)]
    assert not any(re.match(r"\w+://|//", source) for source in sources)


def test_page_says_what_is_missing_failed_and_how_it_was_made(page):
    text = " ".join(Page(page.read_text(encoding="utf-8")).text)
    assert "Preliminary: 2 of 64 planned cells have no score" in text
    assert "phoneme-ir50-svm-none-mcc-seed1 (none): not run" in text
    assert "python -m autosmote.sweep experiment=table2 budget=quick" in text
    assert "Runs that failed" in text
    assert "scikit-learn" in text
    assert "The triangles are not adjusted" in text


def test_page_escapes_text_from_records(page):
    html = page.read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert any(EVIL in text for text in Page(html).text)


def test_page_with_records_that_cannot_be_compared_shows_the_rest(make_sweep, tmp_path):
    small = {"arms": ["none", "autosmote"], "datasets": ["toy"], "irs": [None], "seeds": 1}
    make_sweep("table2", **small, change=lambda r: r | {"protocol_version": 1 + (r["clf"] == "dt")})
    make_sweep("figure6", **small | {"arms": ["K=1", "K=5"]})
    parsed = Page(write_page(tmp_path).read_text(encoding="utf-8"))
    assert "mix protocol versions 1, 2" in " ".join(parsed.text)
    assert "figure6-paper" in [attributes["id"] for attributes in parsed.of("section")]


def test_command_writes_the_page_the_same_to_the_byte(page, capsys):
    before = page.read_bytes()
    assert command.main([f"results_dir={page.parents[1]}"]) == 0
    assert capsys.readouterr().out.strip() == str(page)
    assert page.read_bytes() == before


def browse(*arguments):
    """The output of a headless browser; the test is skipped where none is installed."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    done = subprocess.run(
        [browser, *flags, *arguments], capture_output=True, text=True, timeout=90, check=True
    )
    return done.stdout, done.stderr


def rows_of(dom):
    """Name and overall rank of each row of Table 2's first table, from above."""
    body = re.search(r'id="table2-quick".*?<tbody>(.*?)</tbody>', dom, re.S)[1]
    rows = [re.findall(r"<td([^>]*)>(.*?)</td>", row) for row in body.split("</tr>")[:-1]]
    return [(row[1][1], float(re.search(r'data-sort="(.*?)"', row[3][0])[1])) for row in rows]


def test_page_tables_are_sorted_in_a_browser(page, tmp_path):
    click = """
const heads = document.querySelectorAll("#table2-quick table tr.columns th");
heads[3].firstElementChild.click();
"""
    before, _ = browse("--dump-dom", page.as_uri())
    clicked = tmp_path / "clicked.html"
    html = page.read_text(encoding="utf-8")
    clicked.write_text(html.replace("</script></body>", f"{click}</script></body>"), "utf-8")
    after, _ = browse("--dump-dom", clicked.as_uri())
    rows = rows_of(before)
    assert [name for name, _ in rows] == ["No resampling", "SMOTE", "SVMSMOTE", "AutoSMOTE"]
    assert rows_of(after) == sorted(rows, key=lambda row: row[1]) != rows
    assert 'aria-sort="ascending"' in after and 'aria-sort="ascending"' not in before


def test_page_is_drawn_by_a_browser_without_errors(page, tmp_path):
    picture = tmp_path / "page.png"
    _, errors = browse(
        f"--screenshot={picture}",
        "--window-size=1300,3000",
        "--enable-logging=stderr",
        page.as_uri(),
    )
    from matplotlib.image import imread

    assert "CONSOLE" not in errors  # neither an error of the script nor a refused resource
    pixels = imread(picture)
    assert pixels.shape[:2] == (3000, 1300)
    # Figures are drawn: AutoSMOTE's orange is there.
    orange = abs(pixels[..., :3] - [0.835, 0.369, 0.0]).max(axis=2) < 0.02
    assert orange.sum() > 100
