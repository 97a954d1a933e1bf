"""Variants of an experiment: which runs they are, and what the plan calls them."""

import pytest
from composing import compose_run, compose_sweep

from autosmote.config.schema import resolve_search
from autosmote.errors import UserError
from autosmote.runs.unit import Data
from autosmote.sweep.command import main
from autosmote.sweep.plan import make_plan
from autosmote.sweep.settings import arms, expand, plan_name
from autosmote.sweep.variants import Variant


def labels_of(config):
    return [label for label, *_ in arms(config)]


def test_each_sampler_of_a_variant_is_an_arm_with_its_settings(small):
    variants = {
        "joint": Variant(["autosmote"], search={"low_level_net": "joint"}),
        "all": Variant(["smote", "randomsearch"], preprocess={"fit_on": "all"}),
        "deep": Variant(["randomsearch"], params={"ablation": "random_search_per_row"}),
        "slow": Variant(["smote"], limits={"resampling_seconds": 9.0}),
    }
    found = dict(expand(small(samplers=["smote"], metrics=["mcc"], variants=variants)))
    assert list(found) == [
        *("smote", "autosmote [joint]", "smote [all]", "randomsearch [all]"),
        *("randomsearch [deep]", "smote [slow]"),
    ]
    assert found["autosmote [joint]"].search.low_level_net == "joint"
    assert found["smote [all]"].preprocess.fit_on == "all"
    assert found["smote"].preprocess.fit_on == "train"
    assert found["smote [slow]"].limits.resampling_seconds == 9.0
    assert found["smote"].limits.resampling_seconds == 60.0
    deep = found["randomsearch [deep]"]
    assert resolve_search(deep.sampler, deep.search).ablation == "random_search_per_row"


def test_a_group_without_some_of_its_members(small):
    variant = Variant(["modern", "smote"], without=["optuna", "smote"])
    found = labels_of(small(samplers=[], variants={"v": variant}))
    assert "classweights [v]" in found
    assert not {"optuna [v]", "smote [v]"} & set(found)


def test_a_replaced_classifier_keeps_its_name_in_the_plan_and_shares_the_resampling(small):
    variant = Variant(["smote"], clfs={"adaboost": "adaboost_samme_r"})
    config = small(
        samplers=["smote"], clfs=["dt", "adaboost"], metrics=["mcc"], variants={"r": variant}
    )
    plan = make_plan(config, Data())
    assert [(row["arm"], row["clf"]) for row in plan.rows] == [
        *(("smote", "dt"), ("smote", "adaboost"), ("smote [r]", "adaboost")),
    ]
    (unit,) = plan.units
    assert [run.config.clf.name for run in unit.runs] == ["dt", "adaboost", "adaboost_samme_r"]
    # A budget without the classifier has no runs of the variant.
    assert len(make_plan(small(samplers=["smote"], variants={"r": variant}), Data()).rows) == 2


@pytest.mark.parametrize(
    ("variant", "says"),
    [
        (Variant(["smot"]), "did you mean smote"),
        (Variant(["all"], without=["smotte"]), "leaves out 'smotte', which it does not have"),
        (Variant(["smote"], preprocess={"fiton": "all"}), "preprocess.fiton of a variant"),
        (Variant(["smote"], limits={"seconds": 1}), "limits.seconds of a variant is no setting"),
        (Variant(["autosmote"], search={"bins": 1}), r"search\.bins of a variant is no setting"),
        (Variant(["smote"], clfs={"dt": "tree"}), "There is no clf 'tree'"),
    ],
)
def test_mistakes_in_a_variant_are_told(small, variant, says):
    with pytest.raises(UserError, match=says):
        list(expand(small(variants={"v": variant})))


def test_variants_make_another_plan():
    assert plan_name("quick", ["variants.public.samplers=[]"]) == "custom"


@pytest.fixture(scope="module")
def quick():
    return compose_sweep("experiment=sensitivity", "budget=quick")


class TestSensitivity:
    def test_base_is_the_25_at_one_ratio(self, quick):
        base = [label for label in labels_of(quick) if "[" not in label]
        assert len(base) == 26 and base[-1] == "randomsearch"
        assert (quick.irs, quick.seeds, quick.search.iterations) == ([50], [0, 1], 300)
        assert quick.params["mesa"] == compose_sweep("experiment=table2", "budget=quick").params[
            "mesa"
        ]  # fmt: skip

    def test_arms_of_each_variant(self, quick):
        found = labels_of(quick)
        counts = {
            name: sum(label.endswith(f"[{name}]") for label in found) for name in quick.variants
        }
        assert counts == {
            **{"public": 1, "joint_net": 1, "random_per_row": 1, "all_rows": 2},
            **{"samme_r": 26, "fit_on_all": 20},
        }

    def test_public_is_the_option_of_the_search(self, quick):
        (search,) = [s for label, _, s in arms(quick) if label == "autosmote [public]"]
        public = compose_run("search=public", "search.iterations=300", "search.actors=0").search
        assert search == public


def test_sensitivity_runs_from_the_plan_to_its_table(tmp_path, capsys):
    """The smoke budget of some of its samplers; those of the rivals' packages are left out."""
    overrides = [
        "experiment=sensitivity", "budget=smoke",
        "samplers=[none,smote,autosmote,randomsearch]",
        "variants.all_rows.samplers=[]", "variants.samme_r.samplers=[none,smote,autosmote]",
        "variants.fit_on_all.samplers=[smote]", "variants.fit_on_all.without=[]",
        "clfs=[adaboost]", "search.iterations=5", "workers=1", f"results_dir={tmp_path}",
    ]  # fmt: skip
    assert main(overrides) == 0
    assert "22 runs: 22 ok, 0 failed" in capsys.readouterr().out
    text = (tmp_path / "sensitivity" / "tables" / "custom" / "sensitivity.md").read_text()
    for title in ("Table 2 as it is", "Regime of the public implementation", "by SAMME.R"):
        assert title in text
