"""The check suites of imbalanced-learn and scikit-learn, counted in the output.

No check is excepted. scikit-learn skips its check of array API input unless SCIPY_ARRAY_API is set.
"""

from functools import partial

import pytest
from imblearn.utils import estimator_checks as imblearn_checks
from sklearn.utils import estimator_checks as sklearn_checks

from autosmote import AutoSMOTE, AutoSMOTEClassifier

SHORT = {"iterations": 3, "random_state": 0}
VARIANTS = {
    "default": AutoSMOTE(**SHORT),
    "allow_nan": AutoSMOTE(**SHORT, allow_nan=True),
    "paper": AutoSMOTE(**SHORT, method="paper"),
}
# imbalanced-learn runs these two beside its suite.
BESIDE = ("check_param_validation", "check_dataframe_column_names_consistency")

IMBLEARN = {
    f"{variant}-{check.func.__name__}": (sampler, check)
    for variant, sampler in VARIANTS.items()
    for sampler, check in [
        *imblearn_checks.estimator_checks_generator(sampler),
        *((sampler, partial(getattr(imblearn_checks, name), "AutoSMOTE")) for name in BESIDE),
    ]
}
CLASSIFIERS = {
    "classifier": AutoSMOTEClassifier(**SHORT, cv=2, keep=3),
    "classifier_held_out": AutoSMOTEClassifier(**SHORT, cv=None, keep=3),
}
SKLEARN = {
    f"{variant}-{number}-{check.func.__name__}": (sampler, check)
    for variant, estimator in {
        **{name: VARIANTS[name] for name in ("default", "paper")},
        **CLASSIFIERS,
    }.items()
    for number, (sampler, check) in enumerate(sklearn_checks.estimator_checks_generator(estimator))
}


@pytest.mark.parametrize(("sampler", "check"), IMBLEARN.values(), ids=IMBLEARN)
def test_imbalanced_learn_checks_pass(sampler, check):
    check(sampler)


@pytest.mark.parametrize(("sampler", "check"), SKLEARN.values(), ids=SKLEARN)
def test_scikit_learn_checks_pass(sampler, check):
    check(sampler)


def test_check_suites_are_complete(capsys):
    with capsys.disabled():
        print(
            f"\nAutoSMOTE: {len(IMBLEARN)} checks of imbalanced-learn ({', '.join(VARIANTS)}), "
            f"{len(SKLEARN)} of scikit-learn (and {', '.join(CLASSIFIERS)}), none excepted"
        )
    assert len(IMBLEARN) >= 3 * 17 + 1  # allow_nan has one more
    assert len(SKLEARN) >= 2 * 40 + 2 * 50
