"""The page: whole, self-contained, escaped; and opened in a real browser where there is one."""

import html as markup
import re
import shutil
import subprocess
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from autosmote.reports import __main__ as command
from autosmote.reports.page import write_page
from autosmote.reports.render import html as html_module

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VOID = {"meta", "img", "br", "link", "input", "hr", "wbr"}
OWN_LINKS = {"#main", "#contents"}


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

    @property
    def links(self):
        """The addresses of the list of sections."""
        return [found["href"] for found in self.of("a") if found["href"] not in OWN_LINKS]


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
    small = {"datasets": ["phoneme", "mozilla4"], "irs": [50], "seeds": 2}
    make_sweep("table2", "quick", arms=arms, **small, change=change)
    make_sweep("figure6", arms=["K=1", "K=5"], datasets=["toy"], irs=[None], seeds=1)
    folder = results_dir / "table1" / "tables"
    folder.mkdir(parents=True)
    counts = {"majority (paper)": [3818], "majority (ours)": [3818]}
    pd.DataFrame({"dataset": ["phoneme"], **counts}).to_csv(folder / "table1.csv", index=False)
    return write_page(results_dir)


@pytest.fixture(scope="module")
def parsed(page):
    return Page(page.read_text(encoding="utf-8"))


def test_page_is_whole_and_needs_no_other_file(parsed):
    ids = [attributes["id"] for attributes in parsed.of("section")]
    assert ids == ["table2-quick", "figure6-paper", "table1", "how", "runs", "versions"]
    assert parsed.links == [f"#{name}" for name in ids]
    images = parsed.of("img")
    assert all(re.match(r"data:image/(svg\+xml,|webp;base64,)", image["src"]) for image in images)
    assert all(image["alt"] for image in images)
    assert len(images) >= 5
    assert not parsed.of("link")
    assert all("src" not in attributes for attributes in parsed.of("script"))
    sources = [v for _, attributes in parsed.tags for k, v in attributes.items() if k in ("src",)]
    assert not any(re.match(r"\w+://|//", source) for source in sources)


def section_of(page, key):
    return re.search(rf'<section id="{key}".*?</section>', page.read_text("utf-8"), re.DOTALL)[0]


def test_page_begins_with_verdict_and_picture_and_folds_the_rest(page):
    text = section_of(page, "table2-quick")
    head, _, folded = text.partition("<details")
    assert '<p class="verdict">On the test part, over 8 configurations, AutoSMOTE is number' in head
    assert head.count("<img") == 1
    assert "<table" not in head and folded.count("<table") >= 6
    text = page.read_text("utf-8")
    assert text.index('class="verdict"') < text.index("The triangles are not adjusted")
    assert text.index('class="verdict"') < text.index("<nav")


def test_page_has_metrics_in_columns_of_their_own_and_overall_beside_the_name(page):
    table = re.search(r"<table.*?</table>", section_of(page, "table2-quick"), re.DOTALL)[0]
    groups = re.findall(r'<th scope="colgroup" colspan="2">(.*?)</th>', table)
    assert [re.sub("<wbr>", "", name).partition(" (")[0] for name in groups] == [
        *("Overall", "Phoneme", "Mozilla4"),
    ]
    second = re.findall(r'<th scope="col" data-column="\d+">(.*?)</th>', table.split("</tr>")[1])
    assert second == ["Macro-F1", "MCC"] * 3
    assert not re.search(r"\d\.\d\d/\d", table)


def test_page_pins_autosmote_and_groups_the_others_by_category(page):
    table = re.search(r"<table.*?</table>", section_of(page, "table2-quick"), re.DOTALL)[0]
    bodies = re.findall(r"<tbody.*?</tbody>", table, re.DOTALL)
    assert bodies[0].startswith('<tbody class="pinned">')
    assert re.findall(r'<th scope="row">(.*?)</th>', bodies[0]) == ["AutoSMOTE"]
    titles = [re.findall(r'scope="rowgroup" colspan="\d+"><span>(.*?)<', body) for body in bodies]
    assert titles == [[], ["No-resampling"], ["Over-sampling"]]
    assert "With as many classifiers" not in table
    best = re.findall(r"<td><b>\d\.\d\d</b>", table)
    assert 6 <= len(best) <= 12  # one a column, more where some tie


def test_page_leaves_plans_of_a_part_out_beside_one_of_a_budget(make_sweep, tmp_path):
    small = {"arms": ["none", "autosmote"], "datasets": ["toy"], "irs": [None], "seeds": 1}
    make_sweep("table2", "quick", **small)
    make_sweep("table2", "custom", **small)
    make_sweep("table4", "custom", **small)
    ids = [found["id"] for found in Page(write_page(tmp_path).read_text("utf-8")).of("section")]
    assert ids[:2] == ["table2-quick", "table4-custom"] and "table2-custom" not in ids


def test_page_gives_each_table_a_caption_and_its_cells_a_scope(page, parsed):
    text = page.read_text("utf-8")
    ids = re.findall(r'<caption id="([^"]+)">', text)
    assert len(ids) == len(set(ids)) == len(parsed.of("table"))
    assert {found["scope"] for found in parsed.of("th")} == {"col", "colgroup", "row", "rowgroup"}
    assert all(found["aria-labelledby"] in text for found in parsed.of("section"))
    for landmark in ("header", "main", "footer", "nav"):
        assert len(parsed.of(landmark)) == 1
    assert parsed.of("a")[0]["href"] == "#main"


def test_page_says_what_is_missing_failed_and_how_it_was_made(parsed):
    text = " ".join(parsed.text)
    assert "Preliminary: 4 of 128 planned cells have no score" in text
    assert "phoneme-ir50-svm-none-mcc-seed1 (none): not run" in text
    assert "python -m autosmote.sweep experiment=table2 budget=quick" in text
    assert "Runs that failed" in text
    assert "scikit-learn" in text
    assert "The triangles are not adjusted" in text
    assert "The counts of 1 of 1 dataset are the paper's." in text


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


def run_in_browser(page, folder, code):
    """The page as a browser has it after its script and then some code, as HTML.

    Its content security policy, which would refuse that code, is taken out.
    """
    text = page.read_text(encoding="utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    changed = folder / "changed.html"
    changed.write_text(text.replace("</script></body>", f"{code}</script></body>"), "utf-8")
    dom, _ = browse("--dump-dom", changed.as_uri())
    return dom


def rows_of(dom):
    """Name and overall rank of each row of Table 2, without the one on top, from above."""
    table = re.search(r'id="table2-quick".*?(<table.*?</table>)', dom, re.DOTALL)[1]
    found = []
    for row in re.findall(r"<tr(?![^>]*hidden)[^>]*>(.*?)</tr>", table.split("</tbody>", 1)[1]):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        name = re.sub("<small.*", "", cells[0])
        numbers = [re.match(r"(?:<b>)?([\d.]+)", cell) for cell in cells[1:2]]
        found += [(markup.unescape(name), float(number[1])) for number in numbers if number]
    return [row for row in found if not row[0].startswith("Spearman")]


FIRST_TABLE = 'const table = document.querySelector("#table2-quick table");\n'
OVERALL = 'table.querySelector("th[data-column=\\"1\\"] button")'


def test_page_tables_are_sorted_in_a_browser(page, tmp_path):
    before = run_in_browser(page, tmp_path, "")
    rows = rows_of(before)
    assert [name for name, _ in rows] == ["No resampling", "SMOTE", "SVMSMOTE"]
    once, twice, thrice = (
        run_in_browser(page, tmp_path, FIRST_TABLE + f"{OVERALL}.click();\n" * n) for n in (1, 2, 3)
    )
    ascending = sorted(rows, key=lambda row: row[1])
    assert rows_of(once) == ascending and rows_of(twice) == ascending[::-1]
    assert rows_of(thrice) == rows
    assert 'aria-sort="ascending"' in once and 'aria-sort="descending"' in twice
    assert "aria-sort=" not in re.sub("<s(cript|tyle)>.*?</s", "", before, flags=re.DOTALL)
    # AutoSMOTE stays on top.
    assert (
        '<tbody class="pinned"'
        in once.partition('aria-sort="ascending"')[2].partition("</tbody>")[0]
    )


def test_page_columns_of_one_dataset_can_be_chosen_in_a_browser(page, tmp_path):
    choose = """
const select = table.parentElement.previousElementSibling.querySelectorAll("select")[1];
select.value = "2";
select.dispatchEvent(new Event("change"));
const shown = [...table.querySelectorAll("tbody.pinned td")].filter(cell => !cell.hidden).length;
document.title = `${select.parentElement.firstChild.textContent}${shown}`;
"""
    dom = run_in_browser(page, tmp_path, FIRST_TABLE + choose)
    # Both metrics of the dataset, and the column of imputed runs.
    assert "<title>Dataset 3</title>" in dom


def test_page_rows_of_one_category_can_be_chosen_in_a_browser(page, tmp_path):
    choose = """
const select = table.parentElement.previousElementSibling.querySelector("select");
select.value = "2";
select.dispatchEvent(new Event("change"));
"""
    dom = run_in_browser(page, tmp_path, FIRST_TABLE + choose)
    assert [name for name, _ in rows_of(dom)] == ["SMOTE", "SVMSMOTE"]
    assert "2 of 3 rows" in dom


def test_page_without_scripts_has_no_controls(page):
    text = page.read_text(encoding="utf-8").partition("<script>")[0]
    assert "<select" not in text and "<button" not in text and "<input" not in text


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


def test_page_pictures_are_whole_drawings(parsed):
    for image in parsed.of("img"):
        kind, _, drawn = image["src"].partition(",")
        if kind == "data:image/svg+xml":
            text = unquote(drawn)
            assert text.startswith("<svg") and text.endswith("</svg>") and "<text" in text
        assert int(image["width"]) > 300 and int(image["height"]) > 100


def luminance(colour):
    """Relative luminance of a colour such as #1b1b1b, as the accessibility guidelines define it."""
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "faint", "link"])
@pytest.mark.parametrize("ground", ["back", "band", "own"])
def test_page_text_has_enough_contrast(scheme, ink, ground):
    style = (Path(html_module.__file__).parent / "page.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", blocks[scheme]))
    light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
