"""A classifier that scores uses one thread; the final one as many as it was given."""

from typing import ClassVar

import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from autosmote.sampler.autosmote import AutoSMOTE
from autosmote.scoring.threads import single_threaded


class OtherPackages(DecisionTreeClassifier):
    """Uses all cores by default, as LightGBM does."""

    def __init__(self, n_jobs=None, random_state=None):
        super().__init__(random_state=random_state)
        self.n_jobs = n_jobs


OtherPackages.__module__ = "lightgbm.sklearn"


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (RandomForestClassifier(n_jobs=-1), "n_jobs"),
        (make_pipeline(StandardScaler(), KNeighborsClassifier(n_jobs=4)),
         "kneighborsclassifier__n_jobs"),
        (VotingClassifier([("forest", RandomForestClassifier(n_jobs=2))]), "forest__n_jobs"),
        (BaggingClassifier(OtherPackages()), "estimator__n_jobs"),
        (OtherPackages(), "n_jobs"),
        (OtherPackages(-1), "n_jobs"),
    ],
    ids=str,
)  # fmt: skip
def test_single_threaded_sets_numbers_of_threads(estimator, name):
    before = estimator.get_params()[name]
    changed = single_threaded(estimator)
    assert changed.get_params()[name] == 1 and type(changed) is type(estimator)
    assert estimator.get_params()[name] == before


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(),
        RandomForestClassifier(n_jobs=1),
        LogisticRegression(),
        DecisionTreeClassifier(),
        OtherPackages(1),
    ],
    ids=str,
)
def test_single_threaded_leaves_a_classifier_with_one_thread_as_it_is(estimator):
    assert single_threaded(estimator) is estimator


def test_single_threaded_sets_lightgbms_other_names_as_well():
    lightgbm = pytest.importorskip("lightgbm")
    model = single_threaded(
        lightgbm.LGBMClassifier(n_estimators=5, num_threads=2, verbose=-1, random_state=0)
    )
    assert model.get_params()["num_threads"] == model.get_params()["n_jobs"] == 1


class Noting(DecisionTreeClassifier):
    """Notes the numbers of threads with which it was fitted."""

    seen: ClassVar[set] = set()

    def __init__(self, n_jobs=None, random_state=None):
        super().__init__(random_state=random_state)
        self.n_jobs = n_jobs

    def fit(self, X, y, sample_weight=None):
        Noting.seen.add(self.n_jobs)
        return super().fit(X, y, sample_weight)


def test_search_trains_by_one_thread_and_the_vote_by_as_many_as_given():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 2)), np.arange(120) % 6 == 0
    Noting.seen = set()
    search = AutoSMOTE(Noting(n_jobs=-1), iterations=2, random_state=0)
    search.fit_resample(X, y)
    assert Noting.seen == {1}
    vote = AutoSMOTE(Noting(n_jobs=-1), iterations=2, final="vote", keep=2, random_state=0)
    vote.fit_resample(X, y)
    assert {member.n_jobs for member in vote.ensemble_.members} == {-1}
