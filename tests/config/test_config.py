"""Every configuration composes and means what it says; every error of composition is explained."""

import ast
import inspect
from dataclasses import fields, replace

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from autosmote.config import schema as config
from autosmote.config import search as search_config
from autosmote.config.explain import explain
from autosmote.config.groups import load_sampler, members
from autosmote.config.names import CONF_DIR, GROUPS, available
from autosmote.config.schema import ClassifierSettings, Config, register_schema, validate
from autosmote.config.targets import from_target, make_classifier, make_sampler
from autosmote.errors import UserError
from baselines.variants_registry import VARIANTS

TABLE2 = """
ClusterCentroids CondensedNearestNeighbour EditedNearestNeighbours
RepeatedEditedNearestNeighbours AllKNN InstanceHardnessThreshold NearMiss
NeighbourhoodCleaningRule OneSidedSelection RandomUnderSampler TomekLinks
ADASYN BorderlineSMOTE KMeansSMOTE RandomOverSampler SMOTE SMOTEN SVMSMOTE
SMOTEENN SMOTETomek
""".split()


def composed(*overrides: str) -> Config:
    register_schema()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return OmegaConf.to_object(compose("config", overrides=list(overrides)))


def explained(*overrides: str) -> str:
    with pytest.raises(Exception) as caught:
        composed(*overrides)
    sentence = explain(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith((".", "..."))
    return sentence


@pytest.mark.parametrize(
    ("group", "option"), [(group, option) for group in GROUPS for option in available(group)]
)
def test_every_option_composes(group, option):
    config = composed(f"{group}={option}")
    validate(config)
    if group != "search":
        assert getattr(config, group).name == option


def test_defaults():
    config = composed()
    names = (config.dataset.name, config.clf.name, config.sampler.name, config.metric, config.seed)
    assert names == ("toy", "dt", "autosmote", "macro_f1", 0)
    assert config.ir is None
    assert config.preprocess.fit_on == "train"


def test_ir_follows_the_dataset_unless_given():
    assert composed("dataset=mozilla4").ir == 50
    assert composed("dataset=mozilla4", "ir=20").ir == 20
    assert composed("dataset=mozilla4", "ir=null").ir is None


def test_the_paper_s_regime():
    search = composed("search=paper").search
    assert (search.actors, search.lag, search.iterations) == (40, 40, 1000)


def test_samplers_are_those_of_table_2():
    rivals = {name.lower() for name in TABLE2}
    assert set(available("sampler")) >= rivals | {"none", "autosmote"}


def test_all_is_table_2():
    names = {sampler.name for sampler in members(load_sampler("all"))}
    assert names == {name.lower() for name in TABLE2} | {
        *("none", "ctgan", "tvae", "mesa", "autosmote")
    }
    assert len(names) == 25


def test_variants_are_the_85():
    first, *names = [sampler.name for sampler in members(load_sampler("variants"))]
    assert first == "none" and len(names) == 85
    assert set(names) == {variant.sampler for variant in VARIANTS.values() if variant.in_85}


def test_modern_rivals_are_there():
    found = members(load_sampler("modern"))
    assert {sampler.kind for sampler in found} == {"method", "search"}


@pytest.mark.parametrize("name", [n for n in available("sampler") if not n.startswith("sv_")])
def test_a_sampler_s_file_means_the_same_without_hydra(name):
    assert load_sampler(name) == composed(f"sampler={name}").sampler


def test_a_group_s_params_reach_its_samplers():
    group = replace(load_sampler("all"), params={"smote": {"k_neighbors": 3}})
    params = {sampler.name: sampler.params for sampler in members(group)}
    assert params["smote"] == {"sampler": "imblearn.over_sampling.SMOTE", "k_neighbors": 3}
    assert "k_neighbors" not in params["svmsmote"]


@pytest.mark.parametrize("name", TABLE2)
def test_sampler_config_agrees_with_its_class(name):
    sampler = composed(f"sampler={name.lower()}").sampler
    make_sampler(sampler, seed=0)
    made = from_target("sampler", sampler.params["sampler"], {})
    assert type(made).__name__ == name
    assert sampler.takes_ratio == (made._sampling_type != "clean-sampling")
    assert made.get_params() == type(made)().get_params()


@pytest.mark.parametrize("name", ["svm", "knn", "dt", "adaboost"])
def test_classifiers_are_scikit_learn_s_defaults(name):
    classifier = make_classifier(composed(f"clf={name}").clf)
    expected = type(classifier)().get_params()
    if "random_state" in expected:
        expected["random_state"] = 0
    assert classifier.get_params() == expected
    assert type(classifier).__module__.startswith("sklearn.")


@pytest.mark.parametrize("module", [config, search_config])
def test_every_setting_is_explained(module):
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for setting, after in zip(node.body, [*node.body[1:], None], strict=True):
                if isinstance(setting, ast.AnnAssign):
                    documented = isinstance(after, ast.Expr) and isinstance(
                        after.value, ast.Constant
                    )
                    is_group = ast.unparse(setting.annotation).endswith(("Settings", "Config"))
                    assert documented or is_group, ast.unparse(setting)


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("clf=SVM", ["no clf 'SVM'", "adaboost, dt, knn, svm", "did you mean svm?"]),
        ("sampler=smoet", ["no sampler 'smoet'", "svmsmote", "did you mean smote?"]),
        ("dataset=mozila4", ["no dataset 'mozila4'", "phoneme", "did you mean mozilla4?"]),
        ("search=papper", ["default, paper", "did you mean paper?"]),
        ("serch.K=3", ["no setting 'serch'", "did you mean search?"]),
        ("search.G3=3", ["no setting 'search.G3'", "G2, K"]),
        ("search.iteration=3", ["did you mean iterations?"]),
        ("clf.params.max_depth=3", ["+clf.params.max_depth="]),
        ("ir=many", ["ir must be a number or null, not 'many'"]),
        ("seed=1.5", ["seed must be a whole number, not '1.5'"]),
        ("force=perhaps", ["force must be true or false, not 'perhaps'"]),
        ("search.G1=x", ["search.G1 must be a whole number or null, not 'x'"]),
        ("search.time_limit=soon", ["search.time_limit must be a number or null"]),
        ("search.actors=[1]", ["search.actors must be a whole number or text"]),
        ("limits.memory_mb=much", ["limits.memory_mb must be a number or null, not 'much'"]),
        ("limits.seconds=3", ["resampling_seconds, run_seconds, memory_mb"]),
        ("clf=svm,dt", ["run all of them by -m"]),
        ("clf", ["Error parsing override 'clf'", "key=value"]),
        ("ir=${nothing}", ["nothing"]),
    ],
)
def test_errors_are_explained(override, parts):
    sentence = explained(override)
    for part in parts:
        assert part in sentence


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("metric=f1", "choose one of macro_f1, mcc"),
        ("metric=MCC", "did you mean mcc?"),
        ("retry=all", "null, none, failed"),
        ("limits.run_seconds=0", "limits.run_seconds must be above 0 or null, not 0"),
        ("sampler.kind=serch", "did you mean search?"),
        ("sampler=none sampler.kind=resampler", "needs its class; .* sampler._target_="),
        ("seed=-1", "seed must lie between"),
        ("seed=4294967296", "seed must lie between"),
    ],
)
def test_values_that_types_cannot_check(override, part):
    with pytest.raises(UserError, match=part.replace("?", r"\?")):
        validate(composed(*override.split()))


def test_classifier_from_elsewhere():
    settings = ClassifierSettings(
        "bagging",
        "sklearn.ensemble.BaggingClassifier",
        {"estimator": {"_target_": "sklearn.tree.DecisionTreeClassifier", "max_depth": 2}},
    )
    assert make_classifier(settings).estimator.max_depth == 2


@pytest.mark.parametrize(
    ("target", "params", "part"),
    [
        ("sklearn.svm.LinearSVM", {}, "cannot be imported"),
        ("sklearn.svn.LinearSVC", {}, "cannot be imported"),
        ("LinearSVC", {}, "cannot be imported"),
        ("sklearn.svm.LinearSVC", {"c": 1}, "clf.params do not suit .* it takes .*C"),
        ("sklearn.preprocessing.StandardScaler", {}, "no fit and predict"),
    ],
)
def test_classifier_that_cannot_be_made(target, params, part):
    with pytest.raises(UserError, match=part):
        make_classifier(ClassifierSettings("mine", target, params))


def test_offered_arguments_go_only_where_they_are_taken():
    tomek = from_target("sampler", "imblearn.under_sampling.TomekLinks", {}, random_state=3)
    assert "random_state" not in tomek.get_params()
    smote = from_target("sampler", "imblearn.over_sampling.SMOTE", {}, random_state=3)
    assert smote.random_state == 3
    fixed = {"random_state": 5}
    smote = from_target("sampler", "imblearn.over_sampling.SMOTE", fixed, random_state=3)
    assert smote.random_state == 5


def test_conf_holds_no_folder_that_is_a_key():
    # Hydra would take `ir=50` for the group conf/ir.
    groups = {path.name for path in CONF_DIR.iterdir() if path.is_dir()}
    assert not groups & {f.name for f in fields(Config) if f.name not in GROUPS}
