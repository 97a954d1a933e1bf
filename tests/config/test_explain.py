"""Each error of composition is explained in one sentence."""

import pytest
from composing import compose_run, compose_sweep

from autosmote.config.explain import explain, explain_file
from autosmote.config.schema import Config
from autosmote.sweep.settings import SweepConfig


def explained(*overrides: str, compose=compose_run, schema=Config) -> str:
    with pytest.raises(Exception) as caught:
        compose(*overrides)
    sentence = explain(caught.value, schema)
    assert "\n" not in sentence
    assert sentence.endswith((".", "..."))
    return sentence


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("clf=SVM", ["no clf 'SVM'", "adaboost_samme_r, catboost, dt", "did you mean svm?"]),
        ("sampler=smoet", ["no sampler 'smoet'", "svmsmote", "did you mean smote?"]),
        ("dataset=mozila4", ["no dataset 'mozila4'", "phoneme", "did you mean mozilla4?"]),
        ("search=papper", ["default, paper", "did you mean paper?"]),
        ("serch.K=3", ["no setting 'serch'", "did you mean search?"]),
        ("search.G3=3", ["no setting 'search.G3'", "G2, K"]),
        ("search.iteration=3", ["did you mean iterations?"]),
        ("clf.params.max_depth=3", ["+clf.params.max_depth="]),
        ("ir=many", ["ir must be a number or null, not 'many'"]),
        ("seed=1.5", ["seed must be a whole number, not 1.5"]),
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
def test_explain_is_one_sentence_with_the_remedy(override, parts):
    sentence = explained(override)
    for part in parts:
        assert part in sentence


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("limits=5", "limits must hold settings by name, not 5."),
        ("limits=[1]", "limits must hold settings by name, not [1]."),
        ("limits.run_seconds=[a]", "limits.run_seconds must be a number or null, not ['a']."),
        ("preprocess.fit_on=null", "preprocess.fit_on must be text, not null."),
        ("arms=5", "arms must be a list, not 5."),
        ("arms=[5]", "arms[0] must hold settings by name, not 5."),
        ("arms=[{params:5}]", "arms[0].params must hold settings by name, not 5."),
        ("arms=[{search:[1]}]", "arms[0].search must hold settings by name, not [1]."),
        ("arms=[{sampler:[1]}]", "arms[0].sampler must be text, not [1]."),
        ("arms=[{limits:5}]", "setting 'limits'; under 'arms' there are sampler, label, params,"),
        ("+variants={a:{limits:5}}", "variants.a.limits must hold settings by name, not 5."),
        ("+variants={a:{limits:[1]}}", "variants.a.limits must hold settings by name, not [1]."),
        ("+variants={a:{samplers:b}}", "variants.a.samplers must be a list, not 'b'."),
        ("variants={a:{}}", "variants has no 'a' yet; add it by +variants={a: {...}}."),
        ("+variants.a={}", "variants.a cannot be added alone; write +variants={a: {...}}."),
        ("+grid={sources:{a:{rules:5}}}", "grid.sources.a.rules must be a list or null, not 5."),
        ("+grid={rules:{best:[1]}}", "grid.rules.best must hold settings by name, not [1]."),
        ("+params.smote=5", "params.smote must hold settings by name, not 5."),
        ("seeds=[a]", "seeds[0] must be a whole number, not 'a'."),
    ],
)
def test_explain_names_the_setting_of_a_sweep(override, says):
    overrides = ("experiment=table2", "budget=smoke", override)
    assert says in explained(*overrides, compose=compose_sweep, schema=SweepConfig)


def _raise_of_the_work(config_path):
    raise ValueError("a default of the work")


def test_explain_file_without_a_file_of_settings_is_none():
    assert explain_file(ValueError("of the work")) is None
    with pytest.raises(ValueError) as caught:
        _raise_of_the_work("mine")
    assert explain_file(caught.value) is None
    assert explain_file(FileNotFoundError(2, "No such file", "/there/table.csv")) is None


def test_explain_file_that_may_not_be_read_names_it_without_its_folder():
    error = PermissionError(13, "Permission denied", "/there/conf/clf/mine.yaml")
    assert explain_file(error) == "mine.yaml cannot be read (Permission denied); check the file."
