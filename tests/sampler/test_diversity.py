"""Members of a diverse vote."""

import numpy as np
import pytest

from autosmote.sampler.diversity import choose_diverse


def plain_choice(scores, predictions, n):
    """Choose by the definition, with numpy's correlation."""
    chosen = [0]
    while len(chosen) < n:
        left = [i for i in range(len(scores)) if i not in chosen]

        def worth(i):
            return scores[i] - 0.5 * np.mean(
                [np.corrcoef(predictions[i], predictions[j])[0, 1] for j in chosen]
            )

        chosen.append(max(left, key=worth))
    return chosen


def test_choose_diverse_random_predictions_equals_definition():
    rng = np.random.default_rng(0)
    predictions = rng.random((12, 200)) < rng.uniform(0.1, 0.6, (12, 1))
    scores = np.sort(rng.uniform(0.4, 0.8, 12))[::-1].tolist()
    assert choose_diverse(scores, list(predictions), 8) == plain_choice(scores, predictions, 8)


def test_choose_diverse_alike_and_other_member_takes_other():
    one = np.array([1, 1, 1, 0, 0, 0], dtype=bool)
    other = np.array([1, 0, 0, 0, 0, 1], dtype=bool)
    assert choose_diverse([0.9, 0.9, 0.8], [one, one, other], 2) == [0, 2]
    # A much better score outweighs it.
    assert choose_diverse([0.9, 0.9, 0.3], [one, one, other], 2) == [0, 1]


@pytest.mark.parametrize("constant", [False, True])
def test_choose_diverse_constant_predictions_come_last(constant):
    one = np.array([1, 0, 1, 0], dtype=bool)
    nothing = np.full(4, constant)
    assert choose_diverse([0.8, 0.8, 0.79], [one, nothing, ~one], 3) == [0, 2, 1]


def test_choose_diverse_few_candidates_takes_all():
    rows = list(np.eye(3, dtype=bool))
    assert sorted(choose_diverse([0.5, 0.4, 0.3], rows, 25)) == [0, 1, 2]
