"""CTGAN and TVAE: learn from minority rows only, keep categories, train once for all ratios."""

import sys
from pathlib import Path

import numpy as np
import pytest
from parts import Part, check_first_use, check_resampler, global_states, is_changed, mixed, numeric

from autosmote.errors import UserError
from baselines.generative import CTGAN, TVAE

needs_sdv = pytest.mark.rivals("sdv")
BOTH = pytest.mark.parametrize("cls", [CTGAN, TVAE])


@pytest.fixture(autouse=True)
def nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    assert list(Path().iterdir()) == []


@needs_sdv
@BOTH
@pytest.mark.parametrize("part", [numeric(), mixed()], ids=["numeric", "mixed"])
def test_resample_keeps_the_rows_and_adds_minority_rows(cls, part):
    X, y = check_resampler(lambda: cls(random_state=0, epochs=2), part, 0.5)
    n = len(part.X)
    assert np.array_equal(X[:n], part.X) and np.array_equal(y[:n], part.y)
    assert int(y.sum()) == np.count_nonzero(part.y == 0) // 2 and (y[n:] == 1).all()
    assert is_changed(X, y, part)


@needs_sdv
@BOTH
def test_new_rows_are_whole_categories_within_the_range(cls):
    part = mixed()
    X, _ = cls(random_state=0, epochs=2).fit(part.X, part.y, groups=part.groups).resample(1.0)
    new, minority = X[len(part.X) :], part.X[part.y == 1]
    assert len(new) == 200 - 24
    assert (new[:, 2:4].sum(axis=1) == 1).all()
    assert set(np.unique(new[:, 2:])) == {0.0, 1.0}
    # The second category is missing at times, in the training rows as in the new ones.
    assert set(new[:, 4:7].sum(axis=1)) == {0.0, 1.0}
    numbers, trained = new[:, :2], minority[:, :2]
    assert (numbers >= trained.min(axis=0)).all() and (numbers <= trained.max(axis=0)).all()
    assert len(np.unique(numbers[:, 0])) > 20


@needs_sdv
@BOTH
def test_resample_is_independent_of_earlier_ratios(cls):
    part = numeric(100, 20)
    fitted = cls(random_state=0, epochs=2).fit(part.X, part.y)
    model = fitted._model
    first = fitted.resample(0.5)[0]
    more = fitted.resample(1.0)[0]
    assert np.array_equal(first, fitted.resample(0.5)[0])
    assert fitted._model is model
    assert len(first) == 150 and len(more) == 200
    other = cls(random_state=1, epochs=2).fit(part.X, part.y).resample(0.5)[0]
    assert not np.array_equal(first, other)


@needs_sdv
@BOTH
def test_training_on_all_rows_keeps_minority_rows_alone(cls):
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(-5, 1, (200, 2)), rng.normal(5, 1, (100, 2))])
    y = (np.arange(300) >= 200).astype(np.int8)
    short = {"rows": "all", "epochs": 40, "batch_size": 50}
    fitted = cls(random_state=0, **short).fit(X, y)
    less, labels = fitted.resample(0.75)
    more = fitted.resample(1.0)[0]
    assert np.array_equal(less[:300], X) and labels.sum() == 150
    assert np.array_equal(more[:350], less)  # smaller ratios take fewer of the same rows
    assert len(np.unique(more[300:], axis=0)) > 90
    assert np.mean(more[300:] > 0) > 0.6  # where the minority is
    again = cls(random_state=0, **short).fit(X, y).resample(1.0)[0]
    assert np.array_equal(more, again)


@needs_sdv
def test_training_on_all_rows_keeps_whole_categories():
    part = mixed()
    fitted = TVAE(random_state=0, rows="all", epochs=2)
    X, y = fitted.fit(part.X, part.y, groups=part.groups).resample(0.5)
    new = X[len(part.X) :]
    assert len(new) and y.sum() == np.count_nonzero(part.y == 0) // 2
    assert set(np.unique(new[:, 2:])) == {0.0, 1.0}


@needs_sdv
@pytest.mark.parametrize("every", [0, 10])
def test_synthesizer_that_hardly_makes_minority_rows_adds_those_it_makes(every):
    part = numeric(80, 20)
    fitted = TVAE(random_state=0, rows="all", epochs=1).fit(part.X, part.y)
    table, calls = fitted._model.sample(num_rows=5)["rows"].assign(label="0"), []

    def sample(num_rows):
        calls.append(num_rows)
        rare = every and len(calls) % every == 0
        return {"rows": table.assign(label=["1" if rare else "0", *"0000"])}

    fitted._model.sample = sample
    if every:
        assert fitted.resample(1.0)[1].sum() == 20 + 5
        assert fitted.resample(0.5)[1].sum() == 20 + 5
    else:
        with pytest.raises(ValueError, match="none of 500000 rows sampled is of the minority"):
            fitted.resample(1.0)
    assert len(calls) == 50


def test_rows_that_are_neither_are_refused():
    with pytest.raises(UserError, match="rows must be minority or all, not some"):
        TVAE(random_state=0, rows="some")


@needs_sdv
def test_first_use_leaves_global_generators_unchanged():
    check_first_use("""
from baselines.generative import TVAE
TVAE(random_state=0, epochs=1).fit(part.X, part.y).resample(0.5)
""")


@needs_sdv
def test_new_rows_depend_on_the_minority_only():
    part = numeric(100, 20)
    elsewhere = Part(np.where(part.y[:, None] == 1, part.X, part.X + 50), part.y)
    new = [
        TVAE(random_state=0, epochs=2).fit(p.X, p.y).resample(0.5)[0][len(p.X) :]
        for p in (part, elsewhere)
    ]
    assert np.array_equal(*new)


@needs_sdv
def test_new_rows_have_the_minority_s_clusters():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(0, 1, (100, 2)), rng.normal([5, -5], 0.5, (40, 2))])
    X[100:120] *= -1  # two clusters, (5, -5) and (-5, 5)
    y = (np.arange(140) >= 100).astype(np.int8)
    new = TVAE(random_state=0, epochs=150).fit(X, y).resample(1.0)[0][140:]
    share = np.mean(new[:, 0] > 0)
    assert 0.2 < share < 0.8
    assert np.corrcoef(new.T)[0, 1] < -0.5


@needs_sdv
@BOTH
def test_fit_takes_two_minority_rows_and_raises_for_one(cls):
    part = numeric(60, 2)
    X, y = cls(random_state=0, epochs=1).fit(part.X, part.y).resample(0.5)
    assert y.sum() == 30 and np.isfinite(X).all()
    part, state = numeric(60, 1), global_states()
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        cls(random_state=0, epochs=1).fit(part.X, part.y).resample(0.5)
    assert global_states() == state


@needs_sdv
def test_ratio_that_is_not_above_the_data_s_raises():
    part = numeric(100, 20)
    with pytest.raises(ValueError, match="not above that of the data"):
        TVAE(random_state=0, epochs=1).fit(part.X, part.y).resample(0.2)


@needs_sdv
def test_unknown_parameter_raises():
    with pytest.raises(UserError, match=r"epoch does not suit sdv's CTGAN.* it takes .*epochs"):
        CTGAN(random_state=0, epoch=3)


@BOTH
def test_missing_package_raises(cls, monkeypatch):
    monkeypatch.setitem(sys.modules, "sdv", None)
    with pytest.raises(UserError, match="extra `generative`"):
        cls(random_state=0)


@needs_sdv
@pytest.mark.slow
@BOTH
def test_resample_after_training_with_default_settings_makes_all_ratios(cls):
    part = mixed(2000, 100)
    fitted = cls(random_state=0).fit(part.X, part.y, groups=part.groups)
    fitted._model.fit = None  # sampling must not train again
    for ratio in np.arange(1, 11) / 10:
        _, y = fitted.resample(float(ratio))
        assert y.sum() == int(ratio * 2000)
