"""Run every command that README and docs/ show, with short searches and few jobs."""

import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autosmote.__main__ import COMMANDS
from autosmote.__main__ import main as command
from autosmote.data.datasets import PAPER_DATASETS
from autosmote.run import main
from autosmote.sweep.command import main as sweep

ROOT = Path(__file__).resolve().parent.parent
SHORT = ["search.iterations=3", "search.actors=0"]


def commands() -> list[list[str]]:
    """Return the words of each command in the documents' fenced blocks, without comments."""
    found = []
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    text = "\n".join(path.read_text(encoding="utf-8") for path in documents)
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S):
        if language != "sh":
            continue
        for line in block.replace("\\\n", " ").splitlines():
            line = line.strip().removeprefix("$ ")
            if re.match(
                r"(\w+=\S+ )*(\S*python -m autosmote\.(run|sweep)|\S*autosmote|make)\b", line
            ):
                found.append(shlex.split(line, comments=True))
    return found


def arguments_of(words: list[str]) -> list[str] | None:
    """Return the arguments of autosmote's command; None if the words call none."""
    for position, word in enumerate(words):
        if word in ("autosmote.run", "autosmote.sweep") or Path(word).name == "autosmote":
            return words[position + 1 :]
    if "make" in words and "run" in words:
        variables = dict(word.split("=", 1) for word in words if "=" in word)
        return shlex.split(variables.get("ARGS", ""))
    return None


def with_few_jobs(arguments: list[str]) -> list[str]:
    """Return the arguments of a multirun with one value of each list but the last."""
    lists = [n for n, word in enumerate(arguments) if "," in word and "[" not in word]
    short = list(arguments)
    for n in lists[:-1]:
        short[n] = short[n].partition(",")[0]
    return short


def cases() -> list:
    found = []
    for words in commands():
        arguments = arguments_of(words) or []
        needs_data = any(f"dataset={name}" in arguments for name in PAPER_DATASETS)
        marks = [pytest.mark.data] if needs_data else []
        found.append(pytest.param(words, id=" ".join(words), marks=marks))
    return found


def write_table(path: str, target: str) -> None:
    label = np.where(np.arange(90) % 9 == 0, "rare", "common")
    pd.DataFrame({"size": np.arange(90) % 7, target: label}).to_csv(path, index=False)


def run_on_a_table(arguments: list[str]) -> None:
    """Run a command for a table of one's own in this folder, with what it needs."""
    few = ["--iterations", "3", "--jobs", "1"]
    if arguments[0] == "predict":
        write_table("my.csv", "churned")
        write_table(arguments[2], "churned")
        assert command(["fit", "my.csv", "--target", "churned", *few, "-o", arguments[1]]) == 0
        assert command(arguments) == 0
    else:
        write_table(arguments[1], arguments[arguments.index("--target") + 1])
        splits = ["--folds", "2", "--repeats", "1"] if arguments[0] == "compare" else []
        assert command([*arguments, *few, *splits]) == 0
    if "-o" in arguments:
        assert Path(arguments[arguments.index("-o") + 1]).exists()


def test_readme_shows_the_two_main_commands():
    assert ["make", "run"] in commands()
    assert ["make", "test"] in commands()


@pytest.mark.parametrize("words", cases())
def test_readme_command_runs(words, tmp_path, monkeypatch):
    arguments = arguments_of(words)
    if "make" in words:
        # The target is there; to run it here would install, or start the tests again.
        make = words[words.index("make") :]
        subprocess.run([make[0], "-n", *make[1:]], cwd=ROOT, check=True, capture_output=True)
    if arguments is None:
        return
    monkeypatch.chdir(tmp_path)
    if arguments[:1] and arguments[0] in COMMANDS:
        run_on_a_table(arguments)
        return
    given = dict(word.split("=", 1) for word in arguments if "=" in word)
    if given.get("dataset") == "file":
        write_table(given["dataset.path"], given["dataset.target"])
    if "--help" in arguments:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 0
        return
    if "autosmote.sweep" in words:
        assert sweep([*arguments, *SHORT[:1]]) == 0
    else:
        arguments = with_few_jobs(arguments) if "-m" in arguments else arguments
        assert main([*arguments, *SHORT]) == 0
    assert list(tmp_path.rglob("record.json"))


def test_readme_python_example_resamples(tmp_path, monkeypatch):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    (block,) = [block for block in blocks if "import AutoSMOTE" in block]
    monkeypatch.chdir(tmp_path)
    write_table("data.csv", "label")
    names: dict = {}
    exec(block.replace("iterations=300", "iterations=3"), names)
    assert len(names["X_new"]) >= 90 and names["y_new"].name == "label"


def test_readme_comparison_equals_the_committed_one():
    table = (ROOT / "results" / "library" / "comparison.md").read_text(encoding="utf-8")
    assert table in (ROOT / "README.md").read_text(encoding="utf-8")
