"""Run every command and every block of Python in README and docs/, with short searches."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from documents import ROOT, blocks, output_after

from autosmote.__main__ import COMMANDS
from autosmote.__main__ import main as command
from autosmote.data.datasets import PAPER_DATASETS
from autosmote.reports.__main__ import main as reports
from autosmote.run import main
from autosmote.sweep.command import main as sweep

SHORT = ["search.iterations=3", "search.actors=0"]
MODULES = ("run", "sweep", "reports")
# What installs, or needs what tests must not ask for, by its first word: tests/test_dockerfile.py
# and .ci/run do these.
OUTSIDE = {"docker", "python", ".venv/bin/pip", "."}
FEW = {"iterations": 3, "folds": 2, "repeats": 1, "cv": 2, "n_jobs": 1}
"""Arguments that the blocks of Python are run with."""
SHOWN_IN_FULL = "README-1"
"""The block of Python whose output README shows: it is run as it stands."""


def lines() -> list[tuple[str, list[str]]]:
    """Return the words of each line in the documents' blocks of commands, with its block."""
    found = []
    for name, block in blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.strip().removeprefix("$ "), comments=True)
            if words:
                found.append((name, words))
    return found


def program(words: list[str]) -> str:
    """Return what a line starts: a module of ours, autosmote, make, or another program."""
    words = [word for word in words if not re.match(r"\w+=", word)]
    if words[1:2] == ["-m"] and Path(words[0]).name == "python":
        return words[2]
    return Path(words[0]).name if Path(words[0]).name == "autosmote" else words[0]


def arguments_of(words: list[str]) -> list[str] | None:
    """Return the arguments of autosmote's command; None if the words call none."""
    for position, word in enumerate(words):
        if word.startswith("autosmote.") or Path(word).name == "autosmote":
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


def is_ours(words: list[str]) -> bool:
    return program(words) in ("autosmote", "make", *(f"autosmote.{name}" for name in MODULES))


def cases() -> list:
    found: dict[str, list] = {}
    for _, words in lines():
        if not is_ours(words):
            continue
        arguments = arguments_of(words) or []
        needs_data = any(f"dataset={name}" in arguments for name in PAPER_DATASETS)
        marks = [pytest.mark.data] if needs_data else []
        found[" ".join(words)] = pytest.param(words, id=" ".join(words), marks=marks)
    return list(found.values())


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


def copy_results(experiment: str) -> None:
    """Copy an experiment's records and plans into this folder."""
    source, target = ROOT / "results" / experiment, Path("results", experiment)
    shutil.copytree(source / "plans", target / "plans")
    for path in source.glob("*.csv.gz"):
        shutil.copy(path, target)


def test_readme_shows_the_two_main_commands():
    shown = [words for name, words in lines() if name.startswith("README")]
    assert ["make", "run"] in shown
    assert ["make", "test"] in shown


def test_documents_show_no_command_that_no_test_knows():
    assert not [
        " ".join(words) for _, words in lines() if not is_ours(words) and words[0] not in OUTSIDE
    ]


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
    if "autosmote.reports" in words:
        # Of the smallest experiment that is committed; Table 2's takes a minute.
        copy_results("table4")
        assert reports([word.replace("table2", "table4") for word in arguments]) == 0
        assert list(tmp_path.glob("results/table4/tables/*/*.md"))
        return
    if "autosmote.sweep" in words:
        assert sweep([*arguments, *SHORT[:1]]) == 0
    else:
        arguments = with_few_jobs(arguments) if "-m" in arguments else arguments
        assert main([*arguments, *SHORT]) == 0
    assert list(tmp_path.rglob("record.json"))


def python_cases() -> list:
    """Return the blocks of Python but for that of Table 2, which tests/reports has."""
    return [
        pytest.param(name, block, id=name)
        for name, block in blocks("python")
        if "records.csv.gz" not in block
    ]


@pytest.mark.parametrize(("name", "block"), python_cases())
def test_python_of_the_documents_runs(name, block, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_table("data.csv", "label")
    write_table("my.csv", "churned")
    if name != SHOWN_IN_FULL:
        for argument, few in FEW.items():
            block = re.sub(rf"\b{argument}=-?\d+", f"{argument}={few}", block)
    names: dict = {}
    exec(block, names)
    printed = capsys.readouterr().out
    if name == SHOWN_IN_FULL:
        assert output_after(block) == printed.splitlines()
    if name == "python-1":
        assert len(names["X_new"]) >= 90 and names["y_new"].name == "label"


def test_comparison_that_the_python_page_speaks_of_is_committed():
    table = (ROOT / "results" / "library" / "comparison.md").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert "<!-- include: results/library/comparison.md -->" in page
    means = {
        row[0]: sum(float(cell.strip("*")) for cell in row[1:-1]) / len(row[1:-1])
        for row in (
            [cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]
        )
    }
    said = {
        "AutoSMOTEClassifier": 0.738, "tuned threshold": 0.709, "SMOTE, tuned ratio": 0.705,
        "AutoSMOTE": 0.706,
    }  # fmt: skip
    for method, mean in said.items():
        assert f"{mean:.3f}" in page and means[method] == pytest.approx(mean, abs=0.0006)


def test_rules_of_readme_have_the_gains_of_the_half_that_no_decision_saw():
    folder = ROOT / "results" / "many_confirmation" / "tables" / "quick"
    gains = pd.read_csv(folder / "many_confirmation_gains.csv")
    overall = gains[(gains["what"] == "over no resampling") & (gains["group"] == "overall")]
    found = overall.set_index(["source", "form", "metric"])["gain"]
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for words, source, form in (
        ("the vote of the class-aware search, ", "class_aware", "vote"),
        ("(SMOTE's ", "smote", "vote"),
        ("tune its threshold, ", "threshold", "best set"),
        ("balanced bagging search, ", "bagging balanced", "vote"),
    ):
        macro_f1, mcc = (found[source, form, metric] for metric in ("macro_f1", "mcc"))
        assert f"{words}{macro_f1:+.3f}, {mcc:+.3f}" in text
    assert f"({overall['families'].max()} families; gains" in text
    assert f"Where {overall['classifiers'].max():.0f} fits" in text


@pytest.mark.slow
def test_means_over_six_splits_are_those_that_readme_says():
    from sklearn.datasets import load_digits
    from sklearn.ensemble import BaggingClassifier
    from sklearn.metrics import f1_score
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier

    from autosmote import AutoSMOTEClassifier

    X, y = load_digits(return_X_y=True)
    tree = DecisionTreeClassifier(max_depth=5, random_state=0)
    models = {
        "the tree has": tree,
        "AutoSMOTE": AutoSMOTEClassifier(tree, iterations=100, random_state=0),
        "without synthetic rows": BaggingClassifier(tree, 25, random_state=0),
    }
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for words, model in models.items():
        scores = []
        for seed in range(6):
            X_train, X_test, y_train, y_test = train_test_split(
                X, y == 8, stratify=y, random_state=seed
            )
            predicted = model.fit(X_train, y_train).predict(X_test)
            scores.append(f1_score(y_test, predicted, average="macro"))
        assert f"{words} {np.mean(scores):.3f}" in text
