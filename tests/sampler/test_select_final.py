"""Final rules: the best candidate, votes, and tuned votes."""

import dataclasses

import numpy as np
import pytest
from estimators import Complaining
from searching import search_in
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from autosmote import AutoSMOTE
from autosmote.config.groups import load_sampler
from autosmote.config.search import FINALS, SearchConfig
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.errors import UserError
from autosmote.evaluation.protocol import evaluate
from autosmote.metrics import METRICS, macro_f1
from autosmote.sampler import folds, search_trials, selection
from autosmote.sampler.diversity import choose_diverse
from autosmote.sampler.selection import select_final
from autosmote.sampler.vote import Vote
from autosmote.search import loop
from autosmote.search.candidates import Candidate, InterpolatedSet, TopCandidates
from autosmote.streams import Purpose, derived_seed

TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
SETTINGS = {"iterations": 30, "G1": 3, "G2": 3, "K": 4, "actors": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def toy():
    return make_split(load_dataset("toy"), ir=None, seed=0)


def evaluated(split, metric="macro_f1", sampler="autosmote", estimator=TREE, seed=0, **settings):
    config = SearchConfig(**{**SETTINGS, **settings})
    (found,) = evaluate(
        split, load_sampler(sampler), [(estimator, metric)], seed=seed, search=config
    )
    return found


def searched_trials(split, **settings):
    """The trials of a search on a split, before any rule has chosen."""
    config = SearchConfig(**{**SETTINGS, **settings})
    X, y = split.X_train, split.y_train
    searched = search_in(X, y, TREE, config, validation=(split.X_val, split.y_val))
    return searched.trials(searched.run(), X, y, apart=True)


@pytest.fixture(scope="module")
def data():
    return make_classification(300, weights=[0.85], flip_y=0.1, random_state=3)


@pytest.fixture(scope="module")
def trials(toy):
    return searched_trials(toy, final="vote", keep=7)


class Constant:
    """A fitted classifier that gives the same labels whatever the rows."""

    def __init__(self, *labels):
        self.labels, self.classes_ = np.array(labels), np.array(["many", "rare"])

    def predict(self, X):
        return self.labels


def test_a_vote_takes_the_majority_and_gives_shares():
    members = [
        Constant("rare", "rare", "many", "many"),
        Constant("rare", "many", "rare", "many"),
        Constant("rare", "rare", "many", "many"),
    ]
    vote = Vote(members, "rare")
    assert vote.predict(None).tolist() == ["rare", "rare", "many", "many"]
    thirds = np.array([3, 2, 1, 0]) / 3
    assert np.allclose(vote.predict_proba(None), np.column_stack([1 - thirds, thirds]))
    assert Vote(members, "rare", 1 / 3).predict(None).tolist() == ["rare"] * 3 + ["many"]
    assert Vote(members, "rare", 1.0).predict(None).tolist() == ["rare"] + ["many"] * 3
    # The rarer class may come first in sorted order, too; a tie is called rare.
    tied = Vote(members[:2], "many")
    assert tied.predict(None).tolist() == ["rare", "many", "many", "many"]
    assert np.allclose(tied.predict_proba(None)[:, 0], [0, 0.5, 0.5, 1])


def candidate(score, iteration, counts, left_out=0.0):
    samples = np.array(counts, dtype=np.int32)
    return Candidate(score, iteration, InterpolatedSet(samples, samples, left_out))


def test_top_candidates_are_the_best_distinct_sets():
    offered = [
        (0.5, [1, 0]), (0.7, [0, 1]), (0.7, [2, 0]), (0.7, [0, 1]), (0.6, [3, 0]), (0.4, [4, 4]),
        (np.nan, [5, 5]),
    ]  # fmt: skip
    top, first = TopCandidates(3), TopCandidates(1)
    for iteration, (score, counts) in enumerate(offered, start=1):
        top.offer(candidate(score, iteration, counts))
        first.offer(candidate(score, iteration, counts))
    assert [(c.score, c.iteration) for c in top.best] == [(0.7, 2), (0.7, 3), (0.6, 5)]
    assert [c.iteration for c in first.best] == [2]
    # Rows that are left out make another set of the same samples.
    top.offer(candidate(0.8, 8, [0, 1], left_out=0.3))
    kept = [(c.iteration, c.sample_set.left_out) for c in top.best]
    assert kept == [(8, 0.3), (2, 0.0), (3, 0.0)]


def test_a_vote_is_that_of_the_classifiers_of_the_best_sets(toy, trials):
    assert len(trials.candidates) == 7
    for final, kept, members in [
        ("vote", 7, trials.candidates),
        ("vote", 5, trials.candidates[:5]),
    ]:
        choice = select_final(trials, final, kept)
        votes = np.array(
            [clone(TREE).fit(*trials.table(one)).predict(toy.X_test) for one in members]
        )
        expected = (votes.mean(axis=0) >= 0.5).astype(int)
        assert np.array_equal(choice.model().predict(toy.X_test), expected)
        assert choice.chosen is trials.candidates[0]
    assert not np.array_equal(votes[0], votes[1])  # or a vote would say nothing


@pytest.mark.parametrize("actors", [0, 2])
@pytest.mark.parametrize("sampler", ["autosmote", "autosmote_class_aware", "smote_search"])
def test_votes_ask_what_a_search_has_kept_as_they_would_ask_new_classifiers(
    toy, monkeypatch, sampler, actors
):
    settings = {"reward": "crossfit", "final": "diverse_vote", "keep": 5, "folds": 3}
    settings |= {"sampler": sampler, "actors": actors}

    def asked(*_):
        raise AssertionError("a classifier was trained again")

    with monkeypatch.context() as alone:
        for tables in (search_trials.InterpolatedTables, search_trials.ResampledTables):
            alone.setattr(tables, "predict_minority", asked)
        kept = evaluated(toy, **settings)
    monkeypatch.setattr(
        loop, "Candidate", lambda score, n, made, held_out: Candidate(score, n, made)
    )
    again = evaluated(toy, **settings)
    assert kept.status == again.status == "ok" and kept.scores == again.scores
    monkeypatch.setattr(search_trials.InterpolatedTables, "predict_minority", asked)
    monkeypatch.setattr(search_trials.ResampledTables, "predict_minority", asked)
    assert evaluated(toy, **settings).status == "failed"  # so these were asked


def test_a_tuned_vote_has_the_share_that_scores_best(toy, trials):
    choice = select_final(trials, "tuned_vote", 7)
    votes = sum(clone(TREE).fit(*trials.table(c)).predict(toy.X_val) for c in trials.candidates)
    scores = {n: macro_f1(toy.y_val, (votes >= n).astype(int)) for n in range(1, 8)}
    chosen = round(choice.threshold * 7)
    assert scores[chosen] == max(scores.values()) > min(scores.values())
    model = choice.model()
    assert macro_f1(toy.y_val, model.predict(toy.X_val)) == scores[chosen]
    # One member more or less tells what the search itself was rewarded by.
    assert trials.candidates[0].score == macro_f1(
        toy.y_val, clone(TREE).fit(*trials.table(trials.candidates[0])).predict(toy.X_val)
    )


def test_a_diverse_vote_prefers_members_that_differ_on_the_held_out_rows(toy):
    trials = searched_trials(toy, final="diverse_vote", keep=5)
    among = trials.candidates
    assert len(among) == 20  # four times as many as vote
    choice = select_final(trials, "diverse_vote", 5)
    predictions = [
        clone(TREE).fit(*trials.table(one)).predict(toy.X_val).astype(bool) for one in among
    ]
    scores = [one.score for one in among]
    expected = [among[i] for i in choose_diverse(scores, predictions, 5)]
    assert list(choice.members) == expected and choice.chosen is among[0]
    assert list(choice.members) != list(among[:5])

    def mean_correlation(members):
        chosen = [predictions[among.index(one)] for one in members]
        return np.corrcoef(np.array(chosen, dtype=float)).mean()

    assert mean_correlation(choice.members) < mean_correlation(among[:5])
    votes = np.sum([predictions[among.index(one)] for one in choice.members], axis=0)
    best = max(macro_f1(toy.y_val, (votes >= n).astype(int)) for n in range(1, 6))
    assert macro_f1(toy.y_val, choice.model().predict(toy.X_val)) == best


@pytest.mark.parametrize("metric", ["macro_f1", "mcc"])
def test_a_reward_by_folds_is_their_mean_and_all_rows_are_learned_from(toy, metric):
    found = evaluated(toy, metric, reward="crossfit", folds=3)
    assert found.scores["validation"][metric] == pytest.approx(found.search.best.score)
    n = len(toy.y_train) + len(toy.y_val)
    assert found.rows["train"] == [
        n - (toy.y_train.sum() + toy.y_val.sum()),
        n - found.rows["train"][0],
    ]
    model = clone(TREE).fit(found.X, found.y)
    for name, value in METRICS.items():
        assert found.scores["test"][name] == value(toy.y_test, model.predict(toy.X_test))
    # No resampling learns from the same rows and is measured by the same folds.
    X, y = np.vstack([toy.X_train, toy.X_val]), np.append(toy.y_train, toy.y_val)
    random_state = derived_seed(0, Purpose.FOLDS)
    folds = StratifiedKFold(3, shuffle=True, random_state=random_state).split(X, y)
    plain = [
        METRICS[metric](
            y[held], clone(TREE).fit(X[np.sort(rows)], y[np.sort(rows)]).predict(X[held])
        )
        for rows, held in folds
    ]
    assert found.reference["validation"][metric] == pytest.approx(np.mean(plain))
    model = clone(TREE).fit(X, y)
    for name, value in METRICS.items():
        assert found.reference["test"][name] == value(toy.y_test, model.predict(toy.X_test))


@pytest.mark.parametrize("sampler", ["autosmote", "smote_search"])
def test_reward_by_folds_makes_them_once_and_does_not_ask_for_the_validation_part(
    toy, sampler, monkeypatch
):
    asked, made = [], []
    predict, make = DecisionTreeClassifier.predict, folds.make_folds

    def observed(self, X, check_input=True):
        asked.append(len(X))
        return predict(self, X, check_input)

    monkeypatch.setattr(DecisionTreeClassifier, "predict", observed)
    monkeypatch.setattr(folds, "make_folds", lambda *_, **__: made.append(1) or make(*_, **__))
    evaluated(toy, sampler=sampler, reward="crossfit", folds=3, iterations=2, scoring="refit")
    assert made == [1]
    assert len(toy.y_val) not in asked and asked.count(len(toy.X_look)) == 2


def test_rewards_by_folds_are_the_same_for_any_number_of_actors(toy):
    one, two = (
        evaluated(toy, reward="crossfit", final="vote", keep=5, folds=3, actors=actors)
        for actors in (0, 2)
    )
    assert one.search.history["reward"].tolist() == two.search.history["reward"].tolist()
    assert one.scores == two.scores


def test_rule_that_fails_is_imputed_alone(toy, monkeypatch):
    select = selection.select_final

    def without_tuning(trials, final, keep):
        if final == "tuned_vote":
            raise MemoryError("no room for votes")
        return select(trials, final, keep)

    searches = [SearchConfig(**SETTINGS, final=final, keep=5) for final in FINALS]
    jobs = [(TREE, "mcc")] * len(searches)
    expected = evaluate(toy, load_sampler("autosmote"), jobs, seed=0, search=searches)
    monkeypatch.setattr(selection, "select_final", without_tuning)
    found = evaluate(toy, load_sampler("autosmote"), jobs, seed=0, search=searches)
    for config, of_rule, before in zip(searches, found, expected, strict=True):
        fails = config.final == "tuned_vote"
        assert (of_rule.status, of_rule.imputed) == (("memory", True) if fails else ("ok", False))
        assert of_rule.scores == (of_rule.reference if fails else before.scores)
        assert (of_rule.search is None) == fails


@pytest.mark.parametrize("sampler", ["autosmote", "smote_search"])
def test_rules_that_share_a_search_choose_as_alone(toy, sampler):
    searches = [SearchConfig(**SETTINGS, final=final, keep=5) for final in FINALS]
    searches.append(SearchConfig(**SETTINGS, final="vote", keep=9))
    together = evaluate(
        toy, load_sampler(sampler), [(TREE, "mcc")] * len(searches), seed=0, search=searches
    )
    for config, found in zip(searches, together, strict=True):
        alone = evaluated(toy, "mcc", sampler, final=config.final, keep=config.keep)
        assert found.scores == alone.scores and np.array_equal(found.X, alone.X)
        assert found.search.best.iteration == alone.search.best.iteration


@pytest.mark.parametrize("sampler", ["autosmote", "smote_search"])
def test_rules_that_share_a_search_have_the_warnings_that_each_has_alone(toy, sampler):
    tree = Complaining(max_depth=2, random_state=0)
    settings = {**SETTINGS, "iterations": 12}
    choices = [("vote", 3), ("best", 3), ("tuned_vote", 2), ("vote", 2)]
    searches = [SearchConfig(**settings, final=final, keep=keep) for final, keep in choices]
    jobs = [(tree, "mcc")] * len(searches)
    together = evaluate(toy, load_sampler(sampler), jobs, seed=0, search=searches)
    alone = [
        evaluate(toy, load_sampler(sampler), jobs[:1], seed=0, search=config)[0]
        for config in searches
    ]
    assert [one.warnings for one in together] == [one.warnings for one in alone]
    assert alone[0].warnings != alone[1].warnings  # else nothing is told apart here


def test_rule_seconds_count_all_that_a_rule_uses(toy, monkeypatch):
    trials = searched_trials(toy, final="vote", keep=5)
    fit, clock = type(trials)._fit, [0.0]

    def slow(self, candidate):
        clock[0] += 1.0
        return fit(self, candidate)

    monkeypatch.setattr(type(trials), "_fit", slow)
    monkeypatch.setattr(search_trials.time, "perf_counter", lambda: clock[0])

    def seconds(final, keep):
        with trials.rule_alone([]) as charged:
            choice = select_final(trials, final, keep)
            for _ in range(2):
                choice.predict_minority(toy.X_test)
            return charged()

    assert seconds("vote", 3) == 3
    assert seconds("vote", 5) == 5  # two classifiers more
    assert seconds("best", 5) == 1
    assert seconds("vote", 5) == 5 and clock[0] == 5


@pytest.mark.parametrize("final", FINALS)
def test_no_rule_looks_at_the_test_labels(toy, final):
    rng = np.random.default_rng(1)
    permuted = dataclasses.replace(
        toy, y_test=rng.permutation(toy.y_test), y_extra=rng.permutation(toy.y_extra)
    )
    first, second = (evaluated(split, final=final, keep=5) for split in (toy, permuted))
    assert first.scores["validation"] == second.scores["validation"]
    assert np.array_equal(first.X, second.X)
    for part in ("test", "extended"):
        assert first.scores[part] != second.scores[part]


def test_estimator_keeps_the_voting_classifier_beside_the_rows(data):
    X, y = data
    labels = np.where(y == 1, "a rare", "many")  # the rarer class is the first in sorted order
    sampler = AutoSMOTE(TREE, final="vote", keep=5, iterations=20, random_state=0)
    X_new, y_new = sampler.fit_resample(X, labels)
    alone = AutoSMOTE(TREE, iterations=20, random_state=0)
    assert np.array_equal(alone.fit_resample(X, labels)[0], X_new)
    assert not hasattr(alone, "ensemble_")
    ensemble = sampler.ensemble_
    assert list(ensemble.classes_) == ["a rare", "many"] and len(ensemble.members) == 5
    first = clone(TREE).fit(X_new, y_new)
    assert np.array_equal(ensemble.members[0].predict(X), first.predict(X))
    shares = ensemble.predict_proba(X)[:, 0]
    assert np.array_equal(ensemble.predict(X) == "a rare", shares >= 0.5)
    assert np.mean((shares > 0) & (shares < 1)) > 0  # they do not all say the same


def test_a_tuned_vote_takes_scikit_learns_scorers_and_folds(data):
    X, y = data
    settings = {"iterations": 10, "final": "tuned_vote", "keep": 5, "random_state": 0}
    sampler = AutoSMOTE(TREE, scoring="balanced_accuracy", cv=3, **settings).fit(X, y)
    assert sampler.fit_resample(X, y)[1].sum() >= y.sum()
    assert round(sampler.ensemble_.threshold * 5) in range(1, 6)
    # Where the score does not depend on the threshold, the majority decides.
    by_rank = AutoSMOTE(TREE, scoring="roc_auc", cv=3, **settings)
    by_rank.fit_resample(X, y)
    assert by_rank.ensemble_.threshold == pytest.approx(0.4, abs=0.21)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"final": "mean"}, "search.final must be one of best, vote, tuned_vote, diverse_vote"),
        ({"reward": "test"}, "search.reward must be one of validation, crossfit"),
        ({"keep": 0}, "search.keep must be a whole number of at least 1"),
        ({"folds": 1}, "search.folds must be a whole number of at least 2"),
        ({"ablation": "merge_train_val", "reward": "crossfit"}, "holds no rows out"),
    ],
)
def test_invalid_selection_settings_are_refused(settings, says):
    with pytest.raises(UserError, match=says):
        SearchConfig(**settings).check()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"K": 10**12}, "^K must be at most 1000000000, not 1000000000000"),
        ({"method": "paper", "iterations": 0}, "^iterations must be a whole number of at least 1"),
        ({"search_options": {"folds": 1}}, "^folds must be a whole number of at least 2"),
        ({"search_options": {"init_from": "no/search.policies"}}, "^init_from=no/search.policies"),
    ],
)
def test_estimator_refuses_settings_as_scikit_learn_does_and_by_their_names_here(
    data, settings, says
):
    with pytest.raises(ValueError, match=says):
        AutoSMOTE(TREE, **{"iterations": 2, **settings}).fit_resample(*data)


def test_estimator_refuses_folds_with_validation_and_votes_on_three_classes(data):
    X, y = data
    with pytest.raises(ValueError, match="give no validation"):
        AutoSMOTE(
            TREE, validation=(X, y), search_options={"reward": "crossfit"}, iterations=2
        ).fit_resample(X, y)
    three = np.where(np.arange(len(y)) % 9 == 0, 2, y)
    with pytest.raises(ValueError, match="final=vote works for two classes, but there are 3"):
        AutoSMOTE(TREE, final="vote", iterations=2).fit_resample(X, three)
