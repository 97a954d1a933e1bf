"""Each error of composition is explained in one sentence."""

import pytest
from composing import compose_run

from autosmote.config.explain import explain


def explained(*overrides: str) -> str:
    with pytest.raises(Exception) as caught:
        compose_run(*overrides)
    sentence = explain(caught.value)
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
def test_explain_is_one_sentence_with_the_remedy(override, parts):
    sentence = explained(override)
    for part in parts:
        assert part in sentence
