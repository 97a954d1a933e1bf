"""Names of folders and settings are text on the page and in Markdown, and never markup."""

import base64
import hashlib
import re
import shutil

import pandas as pd
from test_page import Page

from autosmote.reports.page import write_page
from autosmote.reports.render.drawing import Figure
from autosmote.reports.render.html import Section, render
from autosmote.reports.render.table import Cell, Table
from autosmote.reports.render.writers import to_markdown

LIVE = "<img src=x onerror=alert(1)>\" onload='alert(2)'"


def test_experiment_and_budget_with_markup_in_their_names_are_text(make_sweep, tmp_path):
    make_sweep(arms=["none", "smote"], datasets=["phoneme"], irs=[20], seeds=2)
    (tmp_path / "table2" / "plans" / "paper.csv.gz").rename(
        tmp_path / "table2" / "plans" / f"{LIVE}.csv.gz"
    )
    shutil.move(tmp_path / "table2", tmp_path / LIVE)
    page = Page(write_page(tmp_path).read_text())
    assert not any("src" in found and found["src"] == "x" for found in page.of("img"))
    assert not any(name.startswith("on") for _, found in page.tags for name in found)
    assert any(LIVE in text for text in page.text)


def test_anchors_are_plain_and_lead_somewhere():
    keys = [f"{LIVE}-{LIVE}", "table2-paper", "a b", "a<b", "a-b", "ä"]
    page = Page(render([Section(key, key) for key in keys]))
    ids = [found["id"] for found in page.of("section")]
    assert page.links == [f"#{id_}" for id_ in ids]
    assert len(set(ids)) == len(ids) and "table2-paper" in ids and "a-b" in ids
    assert all(re.fullmatch(r"[A-Za-z0-9_.=-]+", id_) for id_ in ids)


def test_policy_allows_the_pages_own_style_and_script_alone():
    text = render([])
    policy = next(f["content"] for f in Page(text).of("meta") if "http-equiv" in f)
    assert "unsafe" not in policy and "default-src 'none'" in policy
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert 'style="' not in text  # the policy would not apply it


def test_figure_that_cannot_be_drawn_costs_itself_alone():
    from matplotlib.figure import Figure as Canvas

    good, bad = Canvas(), Canvas()
    bad.suptitle("$m_{$")
    figures = [Figure("bad", "Bad", bad), Figure("good", "Good", good)]
    page = Page(render([Section("a", "A", texts=["whole"], figures=figures)]))
    assert [found["alt"] for found in page.of("img")] == ["Good"]
    assert "This figure could not be drawn: Bad" in page.text and "whole" in page.text


def test_markdown_has_names_as_text():
    rows = [[Cell(LIVE), Cell("[a](javascript:x)")]]
    notes = [f"From {LIVE}/records.csv.gz\n# [a](b)"]
    text = to_markdown(Table("t", LIVE, [LIVE, "b"], rows, pd.DataFrame(), notes=notes))
    assert not re.search(r"(?<!\\)<", text) and not re.search(r"(?<!\\)\]\(", text)
    assert not re.search(r"^#", text, re.MULTILINE)
