"""A resampled training part is scored as the classifier trained on it predicts."""

import numpy as np
import pytest
from imblearn.combine import SMOTETomek
from imblearn.over_sampling import SMOTE, SVMSMOTE
from problems import SHAPES
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from autosmote.scoring.scorers import added_rows
from autosmote.scoring.scorers.added_rows import ResampledScorer

CLASSIFIERS = {
    "svm": LinearSVC(random_state=0),
    "knn": KNeighborsClassifier(),
    "dt": DecisionTreeClassifier(random_state=0),
    "adaboost": AdaBoostClassifier(random_state=0),
}
SAMPLERS = {"smote": SMOTE, "svmsmote": SVMSMOTE, "smotetomek": SMOTETomek}


@pytest.fixture
def fits(monkeypatch):
    """Record the classifiers that are trained for a prediction."""
    made = []

    def counting(estimator):
        made.append(estimator)
        return clone(estimator)

    monkeypatch.setattr(added_rows, "clone", counting)
    return made


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("clf", CLASSIFIERS)
def test_resampled_scorer_predicts_as_the_classifier(clf, sampler, shape, fits):
    problem = SHAPES[shape]()
    scorer = ResampledScorer(CLASSIFIERS[clf], problem.X_train, problem.y_train, problem.X_val)
    different = []
    for seed, ratio in enumerate((0.3, 0.6, 1.0)):
        X, y = SAMPLERS[sampler](sampling_strategy=ratio, random_state=seed).fit_resample(
            problem.X_train, problem.y_train
        )
        expected = clone(CLASSIFIERS[clf]).fit(X, y).predict(problem.X_val)
        different.append(scorer.predict(X, y) != expected)
    # Rows on a grid tie for the k-th place; liblinear stops at a tolerance.
    ties = shape in ("one_hot", "rounded")
    tolerated = {"knn": 0.01 * ties, "svm": 0.002}.get(clf, 0.0)
    assert np.mean(different) <= tolerated
    if clf not in ("svm", "knn"):
        assert len(fits) == 3
    elif sampler != "smotetomek":  # which may take rows away
        assert not fits


@pytest.mark.parametrize("clf", ["svm", "knn"])
def test_resampled_scorer_in_any_order_of_calls_predicts_the_same(clf):
    problem = SHAPES["numeric"]()
    tables = [
        SMOTE(random_state=seed).fit_resample(problem.X_train, problem.y_train) for seed in range(3)
    ]

    def scorer():
        return ResampledScorer(CLASSIFIERS[clf], problem.X_train, problem.y_train, problem.X_val)

    one = scorer()
    forth = [one.predict(*table) for table in tables]
    back = [scorer().predict(*table) for table in reversed(tables)]
    assert np.array_equal(forth, back[::-1])


def test_resampled_scorer_where_rows_are_not_just_added_trains(fits):
    problem = SHAPES["one_hot"]()
    X, y = problem.X_train, problem.y_train
    new = np.vstack([X, X[y == 1][:3]])
    outside = new.copy()
    outside[-1, -1] = 1.0  # a category that no training row has
    for rows, labels in (
        (X, y),  # nothing is added
        (X[1:], y[1:]),
        (X[::-1].copy(), y[::-1].copy()),
        (new, np.append(y, [1, 0, 1])),
        (outside, np.append(y, [1, 1, 1])),
    ):
        fits.clear()
        scorer = ResampledScorer(LinearSVC(random_state=0), X, y, problem.X_val)
        expected = LinearSVC(random_state=0).fit(rows, labels).predict(problem.X_val)
        assert np.array_equal(scorer.predict(rows, labels), expected) and len(fits) == 1
    # Parameters that no fast scorer supports.
    for estimator in (KNeighborsClassifier(weights="distance"), LinearSVC(loss="hinge")):
        fits.clear()
        scorer = ResampledScorer(estimator, X, y, problem.X_val)
        labels = np.append(y, [1, 1, 1])
        expected = clone(estimator).fit(new, labels).predict(problem.X_val)
        assert np.array_equal(scorer.predict(new, labels), expected) and len(fits) == 1
