"""The runs that a sweep expands to, and mistakes in its settings."""

from collections import Counter
from dataclasses import replace

import pytest
from composing import compose_sweep

from autosmote.config.names import CONF_DIR
from autosmote.config.schema import resolve_search
from autosmote.config.search import SearchConfig
from autosmote.errors import UserError
from autosmote.reports.names import ABLATIONS, FULL, READING
from autosmote.sweep.settings import Arm, Grid, Source, arms, check, expand, list_beside, plan_name
from autosmote.sweep.variants import Variant

EXPERIMENTS = sorted(path.stem for path in (CONF_DIR / "experiment").glob("*.yaml"))


@pytest.mark.parametrize("budget", ["smoke", "quick", "paper"])
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_composes_with_every_budget(experiment, budget):
    config = compose_sweep(f"experiment={experiment}", f"budget={budget}")
    check(config)
    if budget != "smoke":  # what each seed has is the same, and long
        config = replace(config, seeds=config.seeds[:1], metrics=config.metrics[:1])
    runs = list(expand(config))
    labels = {label for label, _ in runs}
    assert labels == {label for label, *_ in arms(config)}
    assert {run.seed for _, run in runs} == set(config.seeds)
    if budget == "smoke":
        names = {run.dataset.name for _, run in runs if run.dataset.source is None}
        assert names == {"toy"} and len(runs) < 1000


def test_table2_has_the_papers_protocol():
    config = compose_sweep("experiment=table2")
    runs = [run for _, run in expand(config)]
    assert len(runs) == (25 + 4) * 6 * 3 * 4 * 2 * 5
    assert {run.search.iterations for run in runs} == {1000}
    assert {run.search.actors for run in runs} == {0}  # the units use the cores
    configurations = {(run.dataset.name, run.ir, run.clf.name) for run in runs}
    assert len(configurations) == 72


def test_quick_budget_has_eight_configurations_per_dataset():
    runs = [run for _, run in expand(compose_sweep("experiment=table2", "budget=quick"))]
    configurations = {(run.dataset.name, run.ir, run.clf.name) for run in runs}
    assert len(configurations) == 48
    assert {run.search.iterations for run in runs} == {300}
    mesa = next(run for run in runs if run.sampler.name == "mesa")
    assert mesa.sampler.params == {"environment_steps": 450, "random_steps": 150}


@pytest.mark.parametrize("budget", ["smoke", "quick", "paper"])
def test_arms_beside_table2_train_as_many_classifiers_as_autosmote(budget):
    config = compose_sweep("experiment=table2", f"budget={budget}")
    runs = {label: run for label, run in expand(config)}
    beside = list_beside(config)
    assert beside == {
        *("autosmote_class_aware", "smote_search", "svmsmote_search", "randomsearch"),
    }
    searches = {label: resolve_search(runs[label].sampler, runs[label].search) for label in runs}
    full = searches[FULL]
    for label in beside:
        search = searches[label]
        assert (search.iterations, search.reward, search.final) == (
            *(full.iterations, full.reward, full.final),
        )


def test_arms_beside_are_those_that_are_run_with_others():
    beside = ("experiment=table2", "samplers=[none,smote_search]")
    assert list_beside(compose_sweep(*beside)) == {"smote_search"}
    for samplers in ("[none]", "[smote_search]"):  # nothing beside, or nothing that it is beside
        config = compose_sweep("experiment=table2", f"samplers={samplers}")
        assert len(arms(config)) == 1 and list_beside(config) == set()


def test_class_aware_is_decided_and_confirmed_on_other_seeds_with_equal_budgets():
    decided, confirmed = (
        list(expand(compose_sweep(f"experiment={name}", "budget=quick")))
        for name in ("class_aware", "class_aware_confirmation")
    )
    assert {run.seed for _, run in decided} == {0, 1}
    assert {run.seed for _, run in confirmed} == {10, 11, 12}
    assert {label for label, _ in confirmed} < {label for label, _ in decided}
    for label, run in decided:
        search = resolve_search(run.sampler, run.search)
        if search and not label.startswith("none"):
            folds = search.folds if search.reward == "crossfit" else 1
            assert search.iterations * folds == 300, label


def test_table2_is_confirmed_by_the_same_arms_on_other_seeds():
    first, confirmed = (
        [
            (label, run.dataset.name, run.seed)
            for label, run in expand(compose_sweep(f"experiment={name}", "budget=quick"))
        ]
        for name in ("table2", "table2_confirmation")
    )
    assert {seed for *_, seed in confirmed} == {10, 11, 12}
    assert {run[:2] for run in first} == {run[:2] for run in confirmed}


def test_params_of_a_source_may_name_the_dataset_of_the_run():
    config = compose_sweep("experiment=class_aware_start", "budget=quick")
    found = {
        (run.dataset.name, run.sampler.params["method_params"]["start"])
        for label, run in expand(config)
        if label.startswith("class_aware started")
    }
    assert found == {(name, f"learned without {name}") for name in config.datasets}


def test_figure4_equals_table2():
    for budget in ("smoke", "quick", "paper"):
        of_figure, of_table = (
            compose_sweep(f"experiment={name}", f"budget={budget}")
            for name in ("figure4", "table2")
        )
        assert of_figure == of_table


def test_table4_is_autosmote_six_ablations_and_a_reading_beside_them():
    for budget, n in (("paper", 12 * 2 * 5), ("quick", 8 * 2 * 2)):
        config = compose_sweep("experiment=table4", f"budget={budget}")
        assert config.beside == [READING]
        runs = list(expand(config))
        labels = Counter(label for label, _ in runs)
        assert labels == dict.fromkeys([FULL, *ABLATIONS, READING], n)
        for label, run in runs:
            ablation = resolve_search(run.sampler, run.search).ablation
            assert ablation == ("none" if label == FULL else label)


def test_figure5_has_1000_iterations_of_all_but_merge_train_val():
    for budget, n in (("paper", 5), ("quick", 2)):
        config = compose_sweep("experiment=figure5", f"budget={budget}")
        assert config.histories and config.search.iterations == 1000
        labels = Counter(label for label, _ in expand(config))
        assert labels == {arm: n for arm in (FULL, *ABLATIONS) if arm != "merge_train_val"}


def test_command_line_overrides_the_budget():
    config = compose_sweep("experiment=table2", "budget=quick", "seeds=[7]", "search.iterations=5")
    assert config.seeds == [7] and config.search.iterations == 5


@pytest.mark.parametrize(
    ("override", "name"),
    [
        ("workers=3", "quick"),
        ("launcher=ray", "quick"),
        ("retry=failed", "quick"),
        ("seeds=[1]", "custom"),
        ("search.K=5", "custom"),
        ("limits.memory_mb=100", "custom"),
        ("+params.mesa.n_members=5", "custom"),
    ],
)
def test_plan_name_is_custom_where_runs_change(override, name):
    assert plan_name("quick", ["experiment=table2", override]) == name


def test_arms_are_samplers_with_labels(small):
    config = small(
        samplers=["none"],
        arms=[Arm("autosmote", "few", {"K": 5}), Arm("autosmote", "many", {"K": 50})],
        params={"autosmote": {"G2": 3}},
    )
    labelled = {label: sampler for label, sampler, _ in arms(config)}
    assert list(labelled) == ["none", "few", "many"]
    assert labelled["few"].params == {"K": 5, "G2": 3}
    assert len(list(expand(config))) == 6


def test_arm_with_crossfit_has_iterations_for_as_many_fits(small):
    config = small(
        samplers=["none"],
        arms=[
            Arm("autosmote", "vote", search={"final": "vote", "keep": 9}),
            Arm("smote_search", "folds", search={"reward": "crossfit", "folds": 4}),
            Arm("autosmote", "own", search={"reward": "crossfit", "iterations": 7}),
        ],
        search=SearchConfig(iterations=40),
    )
    found = {label: search for label, _, search in arms(config)}
    assert (found["none"].final, found["none"].iterations) == ("best", 40)
    assert (found["vote"].final, found["vote"].keep, found["vote"].iterations) == ("vote", 9, 40)
    assert found["folds"].iterations == 10 and found["own"].iterations == 7
    by_label = {label: run.search for label, run in expand(config)}
    assert by_label == found
    with pytest.raises(UserError, match=r"search\.finale of an arm is no setting"):
        arms(small(arms=[Arm("autosmote", "typo", search={"finale": "vote"})]))


def test_a_dear_classifier_has_the_first_seeds_alone(small):
    config = small(clfs=["dt", "knn"], seeds=[7, 3, 5], n_seeds={"knn": 2, "svm": 1})
    seeds: dict[str, set[int]] = {}
    for _, run in expand(config):
        seeds.setdefault(run.clf.name, set()).add(run.seed)
    assert seeds == {"dt": {3, 5, 7}, "knn": {3, 7}}
    assert plan_name("quick", ["n_seeds.dt=1"]) == "custom"


def test_a_sampler_of_two_groups_is_one_arm(small):
    labels = [label for label, *_ in arms(small(samplers=["none", "all", "none"]))]
    assert len(labels) == len(set(labels)) == 25


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"seeds": []}, "seeds is empty"),
        ({"samplers": []}, "samplers and arms are empty"),
        ({"launcher": "slurm"}, "choose one of local, ray, submitit"),
        ({"workers": 0}, "workers must lie between 1"),
        ({"unit_seconds": 0.0}, "unit_seconds must be above 0"),
        ({"n_seeds": {"dt": 0}}, "n_seeds.dt must be at least 1, not 0; leave dt out of clfs"),
        ({"seeds": [{"a": 1}]}, r"seeds\[0\] must be a whole number, not {'a': 1}"),
        ({"clfs": [["dt"]]}, r"clfs\[0\] must be text, not \['dt'\]"),
        ({"datasets": [{"a": 1}]}, r"datasets\[0\] must be text"),
        ({"beside": [{}]}, r"beside\[0\] must be text"),
        ({"params": {"smote": 5}}, "params.smote must hold settings by name, not 5"),
        ({"arms": [Arm("none", "a", params=[])]}, r"arms\[0\].params must hold settings by name"),
        ({"irs": [float("nan")]}, r"irs\[0\] must be a finite number or null"),
    ],
)
def test_check_refuses_impossible_settings(small, settings, says):
    with pytest.raises(UserError, match=says):
        check(small(**settings))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"samplers": ["smoten", "smot"]}, "did you mean smote"),
        ({"clfs": ["tree"]}, "There is no clf 'tree'"),
        ({"n_seeds": {"tree": 1}}, "There is no clf 'tree'"),
        ({"datasets": ["phonem"]}, "did you mean phoneme"),
        ({"metrics": ["f1"]}, "metric=f1"),
        ({"params": {"mess": {}}}, "There is no sampler 'mess'"),
        (
            {"variants": {"a": Variant(["smote"], limits={"run_seconds": "b"})}},
            "limits.run_seconds must be a number or null, not 'b'",
        ),
        (
            {"variants": {"a": Variant(["smote"], preprocess={"fit_on": [1]})}},
            r"preprocess.fit_on must be text, not \[1\]",
        ),
        (
            {"arms": [Arm("smote", "a"), Arm("adasyn", "a")]},
            "Two arms have the label 'a'",
        ),
    ],
)
def test_expand_refuses_unknown_names(small, settings, says):
    with pytest.raises(UserError, match=says):
        list(expand(small(**settings)))


class TestGrid:
    def test_arms_are_the_product_of_sources_and_rules(self, small):
        sources = {
            "a": Source("smote_search"),
            "b": Source("autosmote", {"K": 5}, rules=["vote 9"]),
        }
        rules = {"best": {}, "vote 9": {"final": "vote", "keep": 9}}
        found = arms(small(samplers=[], grid=Grid(sources, rules)))
        assert [label for label, *_ in found] == ["a", "a vote 9", "b vote 9"]
        assert [search.final for *_, search in found] == ["best", "vote", "vote"]
        assert found[2][1].params == {"K": 5}

    def test_an_unknown_rule_is_refused(self, small):
        grid = Grid({"a": Source("smote_search", rules=["vote 8"])}, {"best": {}})
        with pytest.raises(UserError, match="names the rule 'vote 8', which the grid lacks"):
            arms(small(samplers=[], grid=grid))

    def test_a_label_of_other_settings_is_refused(self, small):
        grid = Grid({"a": Source("smote_search")}, {"vote 9": {"final": "vote", "keep": 9}})
        other = Arm("smote_search", "a vote 9", search={"final": "vote", "keep": 8})
        with pytest.raises(UserError, match="Two arms have the label 'a vote 9'"):
            arms(small(samplers=[], arms=[other], grid=grid))

    @pytest.mark.parametrize(
        ("experiment", "expected"),
        [
            (
                "class_aware_confirmation",
                [
                    *(
                        f"{source}{rule}"
                        for source in (
                            *("class_aware", "class_aware random", "autosmote", "random"),
                            *("smote", "svmsmote"),
                        )
                        for rule in (
                            *("", " crossfit", " crossfit tuned vote 25"),
                            " crossfit diverse vote 25",
                        )
                    ),
                    *(
                        f"bagging {kind} crossfit{rule}"
                        for kind in ("weighted", "balanced")
                        for rule in ("", " tuned vote 25", " diverse vote 25")
                    ),
                    *("threshold", "none crossfit"),
                ],
            ),
        ],
    )
    def test_experiment_has_the_expected_labels_and_names_no_run_twice(self, experiment, expected):
        config = compose_sweep(f"experiment={experiment}", "budget=quick")
        found = arms(config)
        assert [label for label, *_ in found] == expected
        settings = [repr((sampler, search)) for _, sampler, search in found]
        assert len(set(settings)) == len(found)


def test_datasets_may_be_tables_of_a_collection_named_in_records(small):
    source = Source("autosmote", {"method_params": {"start": "learned without {dataset}"}})
    grid = Grid({"a": source}, {"best": {}})
    config = small(samplers=[], grid=grid, datasets=["toy", "common:yeast4"], metrics=["mcc"])
    toy, yeast = (run for _, run in expand(config))
    assert (toy.dataset.name, toy.dataset.source) == ("toy", None)
    assert (yeast.dataset.name, yeast.dataset.source) == ("yeast4", "common")
    assert yeast.sampler.params["method_params"]["start"] == "learned without yeast4"


def test_curves_are_drawn_unless_the_experiment_says_otherwise(small):
    assert all(run.save_curve for _, run in expand(small()))
    assert not any(run.save_curve for _, run in expand(small(save_curves=False)))
