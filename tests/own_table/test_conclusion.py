"""The concluding sentence, on constructed results."""

import numpy as np
import pytest

from autosmote.own_table.conclusion import Results, conclude
from autosmote.own_table.intervals import paired_difference
from autosmote.own_table.methods import (
    AS_IT_IS,
    AUTOSMOTE,
    CLASS_WEIGHTS,
    RANDOM_OVER,
    SMOTE,
    THRESHOLD,
    UNDER_VOTE,
)

NOISE = np.resize([0.001, -0.001, 0.002, -0.002, 0.0], 10)


def results(smallest=200, spread=1.0, metric="macro_f1", noise=(), **means):
    """Return results of ten splits, which scatter by the spread, of some methods by their own."""
    names = {
        "plain": AS_IT_IS, "weights": CLASS_WEIGHTS, "threshold": THRESHOLD, "copies": RANDOM_OVER,
        "bags": UNDER_VOTE, "smote": SMOTE, "auto": AUTOSMOTE,
    }  # fmt: skip
    scores = {
        names[key]: list(mean + dict(noise).get(key, spread) * np.roll(NOISE, place))
        for place, (key, mean) in enumerate(means.items())
    }
    return Results(scores, metric, 5, smallest, "churned")


def test_conclude_of_a_clear_win_names_the_method_and_the_gain():
    sentence = conclude(results(plain=0.6, threshold=0.65, smote=0.66, auto=0.75))
    assert sentence.startswith(
        "Synthetic rows help here: AutoSMOTE with the vote scores 0.750 in macro_f1, 0.100 more "
        "than a tuned threshold (interval +0.09"
    )
    assert sentence.endswith("), the best without them.")


def test_conclude_of_a_win_that_a_simpler_method_shares_says_so():
    sentence = conclude(results(plain=0.6, threshold=0.65, smote=0.749, auto=0.75))
    assert "AutoSMOTE with the vote scores 0.750" in sentence
    assert sentence.endswith("; SMOTE, tuned ratio (0.749) is simpler and not clearly worse.")


@pytest.mark.parametrize(
    ("means", "start"),
    [
        (
            {"plain": 0.6, "threshold": 0.75, "auto": 0.751},
            "A tuned threshold is as good here and costs nothing: AutoSMOTE with the vote, the "
            "best with synthetic rows, scores +0.001 in macro_f1 (interval ",
        ),
        (
            {"plain": 0.75, "threshold": 0.75, "auto": 0.751},
            "The unchanged table is as good here and costs nothing: ",
        ),
        (
            {"plain": 0.6, "weights": 0.75, "auto": 0.75},
            "Class weights are as good here and cost nothing: ",
        ),
        (
            {"plain": 0.6, "weights": 0.75, "threshold": 0.75, "auto": 0.75},
            "A tuned threshold is as good here and costs nothing: ",
        ),
        (
            {"plain": 0.6, "threshold": 0.65, "bags": 0.75, "auto": 0.751},
            "Under-sampling with the vote is as good here and needs no synthetic rows: ",
        ),
    ],
)
def test_conclude_of_a_tie_names_the_first_in_the_order_of_trial_that_is_as_good(means, start):
    assert conclude(results(**means)).startswith(start)


@pytest.mark.parametrize("noisy", ["plain", "threshold"])
def test_conclude_of_a_tie_passes_over_a_noisy_method_that_shows_nothing(noisy):
    means = {"plain": 0.62, "threshold": 0.62, "weights": 0.7, "auto": 0.701}
    sentence = conclude(results(noise={noisy: 80.0}, **means))
    assert sentence.startswith("Class weights are as good here and cost nothing: AutoSMOTE")


def test_conclude_of_an_open_question_names_the_best_without_synthetic_rows():
    noise = {"plain": 80.0, "auto": 60.0}
    sentence = conclude(results(noise=noise, plain=0.62, threshold=0.7, auto=0.71))
    assert sentence.startswith("It cannot be told here") and "against a tuned threshold" in sentence
    assert sentence.endswith("until more rows or repeats decide, the latter costs nothing.")
    sentence = conclude(results(noise=noise, plain=0.62, bags=0.7, auto=0.71))
    assert sentence.endswith("decide, the latter needs no synthetic rows.")


@pytest.mark.parametrize("metric", ["neg_brier_score", "neg_log_loss", "score"])
def test_conclude_of_a_score_of_another_range_goes_by_the_interval_alone(metric):
    tie = conclude(results(metric=metric, plain=-0.02, auto=-0.02))
    assert tie.startswith("It cannot be told here")
    win = conclude(results(metric=metric, plain=-0.02, auto=-0.01))
    assert win.startswith("Synthetic rows help here")


def test_difference_allows_for_the_larger_choice_of_methods():
    found = results(plain=0.6, weights=0.6, threshold=0.6, copies=0.6, auto=0.6)
    one, other = found.scores[AUTOSMOTE], found.scores[AS_IT_IS]
    of_four = paired_difference(one, other, test_share=0.25, confidence=1 - 0.05 / 4)
    assert found.difference(AUTOSMOTE, AS_IT_IS) == of_four


def test_conclude_of_a_loss_says_by_how_much():
    sentence = conclude(results(plain=0.6, copies=0.8, smote=0.7, auto=0.71))
    assert sentence.startswith(
        "Synthetic rows do not help here: AutoSMOTE with the vote, the best of them, scores 0.090 "
        "less in macro_f1 than random over-sampling (interval -0.0"
    )


def test_conclude_of_a_wide_interval_does_not_call_it_a_tie():
    sentence = conclude(results(spread=60.0, plain=0.6, threshold=0.62, smote=0.63, auto=0.65))
    assert sentence.startswith("It cannot be told here whether synthetic rows help: AutoSMOTE")
    assert "as good" not in sentence
    assert sentence.endswith("until more rows or repeats decide, the latter costs nothing.")


@pytest.mark.parametrize("auto", [0.61, 0.9])
def test_conclude_of_few_rows_says_what_cannot_be_told_even_of_a_large_gain(auto):
    sentence = conclude(results(smallest=12, plain=0.6, auto=auto))
    assert sentence.startswith(
        "It cannot be told here whether synthetic rows help: class 'churned' has 12 rows, where 20 "
        "are the least to judge by, and differences in macro_f1 below 0.0"
    )


def test_conclude_without_a_method_of_each_sort_concludes_nothing():
    assert conclude(results(plain=0.6, threshold=0.7)).startswith("Nothing is concluded")


@pytest.mark.parametrize("smallest", [5, 500])
@pytest.mark.parametrize("auto", [0.4, 0.6, 0.8])
@pytest.mark.parametrize("spread", [0.0, 1.0, 100.0])
def test_conclude_is_one_sentence(smallest, auto, spread):
    sentence = conclude(results(smallest, spread, plain=0.6, threshold=0.6, smote=0.5, auto=auto))
    assert sentence.endswith(".") and ". " not in sentence and "nan" not in sentence


def test_paired_difference_has_nadeau_and_bengios_variance():
    one, other = np.array([0.5, 0.7, 0.6, 0.8]), np.array([0.4, 0.65, 0.6, 0.7])
    found = paired_difference(one, other, test_share=0.25)
    error = np.sqrt(np.var(one - other, ddof=1) * (1 / 4 + 0.25))
    assert found.mean == pytest.approx(0.0625)
    assert found.high - found.mean == pytest.approx(3.182446 * error, rel=1e-6)


def test_paired_difference_of_one_split_has_no_interval():
    found = paired_difference([0.5], [0.4], test_share=0.25)
    assert np.isnan(found.low) and not found.above and not found.below
