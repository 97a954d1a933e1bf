"""Run the examples in docstrings, and make the API reference from the docstrings."""

import doctest
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "autosmote"
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


def test_sampler_has_an_example():
    assert "autosmote.sampler.autosmote" in WITH_EXAMPLES


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_docstring_examples_give_what_they_show(module):
    result = doctest.testmod(import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0 and result.failed == 0


def test_api_reference_is_made(tmp_path):
    command = [sys.executable, "-m", "pdoc", "--docformat", "numpy", "--output-directory"]
    subprocess.run(
        [*command, tmp_path, "autosmote.sampler.autosmote"], check=True, capture_output=True
    )
    page = (tmp_path / "autosmote" / "sampler" / "autosmote.html").read_text(encoding="utf-8")
    assert "baseline_score_" in page and "validation_fraction" in page
