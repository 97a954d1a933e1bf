"""The fast generator against the plain one, and what a score may depend on."""

import numpy as np
import pytest

from autosmote.search.hierarchical import network_kernels as kernels
from autosmote.search.hierarchical.episode import EpisodeGenerator, Rules
from autosmote.search.hierarchical.episode_kernels import FIXED, UNIFORM
from autosmote.search.hierarchical.parameters import LEVELS, initial_parameters
from autosmote.search.hierarchical.reference import PlainPolicies, plain_episode
from autosmote.space.base import N_LAMBDAS
from autosmote.space.pool import build_space

G1, G2 = 10, 4


def make(low_level_net="joint", n=14, K=8, scale=3.0, one_hot=False, **settings):
    """A space, a generator, and parameters that are far from uniform."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(n, 3))
    if one_hot:
        X = np.eye(3)[rng.integers(3, size=n)]
    space = build_space(X, K)
    generator = EpisodeGenerator(space, G1, G2, low_level_net=low_level_net, **settings)
    flat = {level: scale * initial_parameters(generator.shapes[level], rng) for level in LEVELS}
    generator.load(np.concatenate(list(flat.values())))
    return space, generator, flat


@pytest.mark.parametrize("low_level_net", ["joint", "paper"])
@pytest.mark.parametrize(("one_hot", "bin_width"), [(False, 10), (True, 10), (False, 4)])
def test_episode_equals_plain_episode(low_level_net, one_hot, bin_width):
    space, generator, flat = make(
        low_level_net, one_hot=one_hot, low_level_rows=99, bin_width=bin_width
    )
    plain_policies = PlainPolicies(
        space, flat, G1=G1, G2=G2, low_level_net=low_level_net, bin_width=bin_width
    )
    crossed = 0
    for seed in range(6):
        plain = plain_episode(plain_policies, np.random.default_rng(seed))
        made = generator.generate(np.random.default_rng(seed))
        assert made.g1 == plain.g1
        assert made.g2.tolist() == plain.g2
        assert made.row.tolist() == plain.row
        assert made.action.tolist() == plain.action
        assert made.bins_low.tolist() == plain.bins
        np.testing.assert_allclose(made.g1_log_prob, plain.g1_log_prob, atol=1e-4)
        np.testing.assert_allclose(made.g2_log_prob, plain.g2_log_prob, atol=1e-4)
        np.testing.assert_allclose(made.log_prob, plain.log_prob, atol=1e-4)
        assert made.n_synthetic == len(plain.rows)
        if plain.rows:
            ours = np.sort(space.rows(made.samples).round(9), axis=0)
            np.testing.assert_allclose(ours, np.sort(np.round(plain.rows, 9), axis=0), atol=1e-8)
            crossed = max(crossed, made.bins_low.max())
    assert crossed >= 3  # bins were crossed, or the test says little


def test_kept_steps_end_with_their_rows():
    _, generator, _ = make(low_level_rows=3)
    made = generator.generate(np.random.default_rng(1))
    assert made.g1 > 0
    kept = np.unique(made.row)
    assert len(kept) == 3 and np.all(np.diff(made.row) >= 0)
    assert np.array_equal(made.end, np.append(np.diff(made.row) > 0, True))
    for i in kept:
        assert np.sum(made.row == i) == made.g1 * made.g2[i]
    # The steps that are kept are those of the whole episode.
    _, everything, _ = make(low_level_rows=99)
    whole = everything.generate(np.random.default_rng(1))
    where = np.isin(whole.row, kept)
    assert np.array_equal(whole.action[where], made.action)
    assert np.array_equal(whole.bins_low[where], made.bins_low)
    assert np.array_equal(whole.samples, made.samples)


def test_g1_zero_makes_no_samples_and_still_decides_every_row():
    space, generator, _ = make()
    generator.rules = Rules(cross=FIXED, fixed_g1=0)
    made = generator.generate(np.random.default_rng(0))
    assert made.n_synthetic == 0 and len(made.row) == 0
    assert len(made.g2) == space.n_rows and made.g2.max() > 0 and made.bins.max() == 0


def test_fixed_and_uniform_levels():
    space, generator, _ = make()
    generator.rules = Rules(cross=FIXED, instance=FIXED, fixed_g1=3, fixed_g2=2)
    made = generator.generate(np.random.default_rng(0))
    assert made.g1 == 3 and set(made.g2) == {2} and made.n_synthetic == 6 * space.n_rows
    generator.rules = Rules(cross=UNIFORM, instance=UNIFORM, low=UNIFORM)
    episodes = [generator.generate(np.random.default_rng(seed)) for seed in range(300)]
    share = np.bincount([e.g1 for e in episodes], minlength=G1 + 1) / 300
    assert np.all(np.abs(share - 1 / (G1 + 1)) < 0.07)
    actions = np.concatenate([e.action for e in episodes])
    n_actions = space.K * N_LAMBDAS
    frequency = np.bincount(actions, minlength=n_actions) / len(actions)
    assert frequency.shape == (n_actions,) and np.all(np.abs(frequency * n_actions - 1) < 0.35)
    assert episodes[0].log_prob == pytest.approx(-np.log(n_actions))


def test_zero_parameters_are_uniform_policies():
    space, generator, flat = make()
    generator.load(np.zeros(sum(map(len, flat.values())), dtype=np.float32))
    made = generator.generate(np.random.default_rng(0))
    assert made.log_prob == pytest.approx(-np.log(space.K * N_LAMBDAS))
    assert made.g2_log_prob == pytest.approx(-np.log(G2 + 1))


def test_a_score_has_the_same_bits_whatever_was_computed_before_it():
    _, generator, _ = make()
    low = generator._low
    slot, slot_bin, weights, w2, b2, score, score_b = low[2:9]
    h = np.zeros((N_LAMBDAS, kernels.HIDDEN + 1), dtype=np.float32)
    acc = np.empty((N_LAMBDAS + 1, kernels.HIDDEN), dtype=np.float32)
    used = np.empty(kernels.HIDDEN + 4, dtype=np.int64)
    base = np.empty(kernels.HIDDEN, dtype=np.float32)

    def scores(entries):
        out = {}
        for i, j, own, other in entries:
            kernels.row_base(low, True, i, own, h, used, acc, base)
            five = np.empty(N_LAMBDAS, dtype=np.float32)
            kernels.slot_scores(
                base, slot[j], slot_bin[other], weights, w2, b2, score, score_b, h, used, acc, five
            )
            out[i, j, own, other] = five.tobytes()
        return out

    rng = np.random.default_rng(0)
    entries = [tuple(int(v) for v in e) for e in rng.integers(0, 10, size=(60, 4))]
    together = scores(entries)
    assert scores(entries[::-1]) == together
    alone = {}
    for entry in entries:
        h[:], acc[:], used[:], base[:] = 7, np.nan, 0, np.nan  # what others leave behind
        h[:, -1] = 0
        alone.update(scores([entry]))
    assert alone == together
