"""The documentation's site: what is generated, and a whole build."""

import importlib
import re
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import fields
from pathlib import Path

import pytest
from documents import PAGES, README, ROOT

from autosmote.__main__ import COMMANDS
from autosmote.config.names import available
from autosmote.config.search import SearchConfig
from autosmote.reports.render.writers import write_text

SCRIPTS = ROOT / "scripts"


@pytest.fixture
def script(monkeypatch):
    """Return the import of a module in scripts/, as MkDocs finds it."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


def test_command_reference_has_every_option_of_every_parser(script):
    text = script("docs_commands").write_commands()
    for name, module in COMMANDS.items():
        (section,) = re.findall(rf"^### autosmote {name}\n(.*?)(?=^### |\Z)", text, re.M | re.S)
        parser: ArgumentParser = importlib.import_module(module)._parser()
        options = [option for action in parser._actions for option in action.option_strings]
        assert len(options) > 3
        for option in set(options) - {"-h", "--help"}:
            assert re.search(rf"`{option}\b", section), option
        assert "%(" not in section


def test_settings_table_has_key_default_and_meaning_of_each_field(script):
    text = script("docs_commands").write_run_settings()
    for field in fields(SearchConfig):
        assert f"| `search.{field.name}=` |" in text
    assert "| `search.G2=` | `10` | Instance-specific actions 0..G2. |" in text
    assert "| `limits.run_seconds=` | `null` |" in text and "| `force=` | `false` |" in text
    rows = [line for line in text.splitlines()[2:] if line]
    assert all(len(re.split(r"(?<!\\)\|", row)) == 5 for row in rows)


def test_sweep_settings_leave_out_those_of_a_run(script):
    text = script("docs_commands").write_sweep_settings()
    assert "`launcher=`" in text and "`search.G2=`" not in text and "`results_dir=`" not in text


def test_groups_and_experiments_have_every_option(script):
    commands = script("docs_commands")
    text = commands.write_groups() + commands.write_experiments()
    for group in ("dataset", "clf", "search", "experiment", "budget"):
        for name in available(group):
            assert f"`{group}={name}`" in text
    for name in available("sampler"):
        assert f"`sampler={name}`" in text or f"`{name}`" in text


def test_make_targets_are_those_of_the_makefile(script):
    text = script("docs_commands").write_targets(ROOT / "Makefile")
    assert "| `make docs` |" in text and "| `make test` |" in text and "`make api`" not in text


def test_experiment_pages_have_findings_tables_and_figures(script, tmp_path):
    pages = {page.uri: page for page in script("docs_results").make_experiment_pages(results_of(
        tmp_path, "table4"))}  # fmt: skip
    page = pages["results/table4.md"]
    assert set(pages) == {page.uri}
    assert "\n# Table 4: ablations\n" in page.text
    assert "## What the records say\n\n- " in page.text
    assert "| Method | Overall" in page.text and '??? note "' in page.text
    assert page.figures and all(path.is_file() for path in page.figures.values())
    assert "Runs that failed: 0" not in page.text  # a table without rows


def test_results_that_are_not_there_leave_no_page_and_say_so(script, tmp_path):
    results = script("docs_results")
    assert list(results.make_experiment_pages(tmp_path / "nothing")) == []
    assert results.write_overview(tmp_path / "nothing") == "No experiment has tables here yet."
    folder = results_of(tmp_path, "table4")
    for path in folder.glob("table4/tables/*/*.md"):
        path.unlink()
    assert list(results.make_experiment_pages(folder)) == []
    assert "no gone.md" in results.include_markdown(tmp_path / "gone.md")
    assert "no gone.md" in results.fold_markdown(tmp_path / "gone.md")


def test_experiment_page_whose_records_cannot_be_read_says_so(script, tmp_path):
    folder = results_of(tmp_path, "table4")
    write_text(folder / "table4" / "records.csv.gz", "no table")
    (page,) = script("docs_results").make_experiment_pages(folder)
    assert "could not be computed" in page.text and "| Method | Overall" in page.text


def results_of(tmp_path: Path, experiment: str) -> Path:
    """Return a folder of results with a copy of a committed experiment."""
    target = tmp_path / "results"
    shutil.copytree(ROOT / "results" / experiment, target / experiment)
    return target


def test_overall_columns_are_moved_beside_the_names(script):
    move = script("docs_results").put_overall_first
    table = (
        "| A | B | x | Overall | y |\n| --- | --- | ---: | ---: | ---: |\n"
        "| a | b\\|c | 1 | 2 | 3 |\n\n- note | 1"
    )
    assert move(table) == (
        "| A | B | Overall | x | y |\n| --- | --- | ---: | ---: | ---: |\n"
        "| a | b\\|c | 2 | 1 | 3 |\n\n- note | 1"
    )
    assert move("no table") == "no table"


def test_texts_of_records_form_no_markup(script):
    markup = script("docs_markup")
    assert markup.plain("a <b>\n*c* `d` [e](f)") == r"a &lt;b> \*c\* \`d\` [e\](f)"
    assert markup.with_code("`a_b|c` _d_ <e>") == r"`a_b\|c` \_d\_ &lt;e>"


def test_formulas_become_mathml_and_nothing_else_changes(script):
    pytest.importorskip("latex2mathml")
    page = r'<p>a <span class="arithmatex">\(x_1 &lt; 2\)</span> b</p>'
    made = script("docs_formulas").formulas_to_mathml(page)
    assert made.startswith("<p>a <math") and made.endswith("</math> b</p>")
    assert "arithmatex" not in made and "<msub>" in made and 'display="inline"' in made


def test_every_formula_of_the_documents_is_known(script):
    pytest.importorskip("latex2mathml")
    convert = script("docs_formulas").convert
    found = 0
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for latex in re.findall(r"^\$\$\n(.*?)\n\$\$$", text, re.M | re.S):
            found += 1
            assert "\\" not in re.sub(r"<[^>]+>", "", convert(latex)), latex
    assert found > 5


def test_home_page_links_within_the_site(script):
    pytest.importorskip("latex2mathml")
    hooks = script("docs_hooks")
    home = hooks.make_home(README.read_text(encoding="utf-8"))
    assert "docs/" not in re.sub(r"`[^`]*`", "", home)
    assert "#only-dark)" in home and "<picture>" not in home
    for target in re.findall(r"\]\((?!https)([^)#]+)", home):
        assert (ROOT / "docs" / target).is_file() or target == "changelog.md", target
    text = hooks.link_pages("see `docs/method.md` and `docs/gone.md`", "results/table4.md")
    assert text == "see [Method (protocol 2)](../method.md) and `docs/gone.md`"


@pytest.mark.slow
def test_site_is_built_without_a_warning_and_needs_no_network(tmp_path):
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*.html")}
    for page in PAGES:
        assert page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() in pages
    assert {"index.html", "changelog.html", "results/table2.html"} <= set(pages)
    texts = {name: path.read_text(encoding="utf-8") for name, path in pages.items()}
    for name, text in texts.items():
        loaded = re.findall(r'<(?:script|img|iframe)[^>]+src="([^"]+)"', text)
        loaded += re.findall(r'<link[^>]+rel="(?:stylesheet|preconnect)"[^>]+href="([^"]+)"', text)
        assert not [url for url in loaded if url.startswith(("http", "//"))], name
        assert "<!-- generated" not in text and "<!-- include" not in text, name
    assert "validation_fraction" in texts["api.html"] and "<math" in texts["method.html"]
    assert "search.lambda_head=" in texts["command_line.html"]
