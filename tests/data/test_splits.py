"""Splits: under-sampling, parts and preprocessing."""

import numpy as np
import pytest

from autosmote.data.columns import NUMBER, RawColumn
from autosmote.data.datasets import build_dataset, load_dataset
from autosmote.data.splits import make_split
from autosmote.errors import UserError

PARTS = ("train", "val", "test")


def made_up(n_majority=200, n_minority=50):
    """Return a dataset whose column `id` numbers the rows, the minority's from 1000."""
    ids = [*range(n_majority), *range(1000, 1000 + n_minority)]
    n = len(ids)
    columns = [
        RawColumn("id", [str(i) for i in ids], NUMBER),
        RawColumn("gap", [None if i % 7 == 0 else str(i % 5) for i in ids], NUMBER),
        RawColumn("kind", [[None, "a", "b"][i % 3] for i in ids], ("b", "a", "never")),
        RawColumn("flat", ["4"] * n, NUMBER),
        RawColumn("gone", [None] * n, NUMBER),
        RawColumn("label", ["maj"] * n_majority + ["min"] * n_minority, ("min", "maj")),
    ]
    return build_dataset("made up", columns, "label", where="made up", source="test")


def part(split, name):
    return getattr(split, f"X_{name}"), getattr(split, f"y_{name}")


def ids_of(dataset, split):
    """Return the row numbers of each part, recovered from the scaled `id` column."""
    scaled = np.concatenate([part(split, name)[0][:, 0] for name in PARTS])
    y = np.concatenate([part(split, name)[1] for name in PARTS])
    # The scaling is affine, and no majority row is ever removed: its ends give both constants.
    ids = dataset.numeric[:, 0]
    low, high = ids.min(), ids[dataset.y == 0].max()
    slope = (high - low) / (scaled[y == 0].max() - scaled[y == 0].min())
    recovered = np.rint(low + (scaled - scaled.min()) * slope).astype(int)
    bounds = np.cumsum([len(part(split, name)[1]) for name in PARTS])[:-1]
    return np.split(recovered, bounds)


def counts(split):
    return [(int((y == 0).sum()), int(y.sum())) for _, y in (part(split, name) for name in PARTS)]


def test_parts_are_disjoint_complete_and_stratified():
    data = made_up()
    split = make_split(data, ir=None, seed=3)
    assert counts(split) == [(120, 30), (40, 10), (40, 10)]
    rows = ids_of(data, split)
    assert sorted(np.concatenate(rows)) == sorted(data.numeric[:, 0])
    for ids, name in zip(rows, PARTS, strict=True):
        np.testing.assert_array_equal(ids >= 1000, part(split, name)[1] == 1)
    assert split.ir is None and split.ir_train == 4.0
    assert (split.fingerprint, split.dataset, split.seed) == (data.fingerprint, "made up", 3)


@pytest.mark.parametrize(
    ("ir", "n_minority", "expected"),
    [
        (4, 50, [30, 10, 10]),
        (4.4, 45, [27, 9, 9]),
        (7, 28, [17, 5, 6]),
        (10, 20, [12, 4, 4]),
        (15, 13, [8, 2, 3]),
        (22, 9, [5, 2, 2]),
    ],
)
def test_minority_is_undersampled_before_the_split(ir, n_minority, expected):
    split = make_split(made_up(), ir=ir, seed=0)
    assert [minority for _, minority in counts(split)] == expected
    assert [majority for majority, _ in counts(split)] == [120, 40, 40]
    assert sum(expected) == n_minority == 200 // ir
    assert split.ir == ir and split.ir_train == 120 / expected[0]


@pytest.mark.parametrize(
    ("n_majority", "n_minority", "ir"),
    [
        (25, 11, 25 / 11),  # in floating point 25 / (25 / 11) is less than 11
        (200, 35, 5.714285714),  # a little below the ratio, as printed decimals are
    ],
)
def test_own_ratio_keeps_all_rows(n_majority, n_minority, ir):
    split = make_split(made_up(n_majority, n_minority), ir=ir, seed=0)
    assert sum(minority for _, minority in counts(split)) == n_minority


def test_seed_decides_rows_and_a_higher_ratio_keeps_a_subset():
    data = made_up()
    chosen = {}
    for ir in (5, 10):
        for seed in (0, 1):
            rows = np.concatenate(ids_of(data, make_split(data, ir=ir, seed=seed)))
            chosen[ir, seed] = set(rows[rows >= 1000])
    assert chosen[5, 0] != chosen[5, 1]
    assert chosen[10, 0] < chosen[5, 0] and chosen[10, 1] < chosen[5, 1]
    first, again, other = (make_split(data, ir=5, seed=seed) for seed in (0, 0, 1))
    for name in PARTS:
        np.testing.assert_array_equal(part(first, name)[0], part(again, name)[0])
        np.testing.assert_array_equal(part(first, name)[1], part(again, name)[1])
    assert not np.array_equal(first.X_train, other.X_train)


def test_arrays_have_the_documented_types_and_layout():
    split = make_split(made_up(), ir=None, seed=0)
    for name in PARTS:
        X, y = part(split, name)
        assert X.dtype == np.float64 and X.flags.c_contiguous and np.isfinite(X).all()
        assert y.dtype == np.int8 and y.shape == (len(X),)
        assert X.shape[1] == len(split.feature_names)


def test_categories_become_one_hot_groups():
    data = made_up()
    split = make_split(data, ir=None, seed=0)
    assert split.feature_names == (
        "id", "gap", "flat", "gone", "kind=a", "kind=b", "kind=never",
    )  # fmt: skip
    assert split.groups == [(4, 7)]
    for ids, name in zip(ids_of(data, split), PARTS, strict=True):
        block = part(split, name)[0][:, 4:7]
        # i % 3 is 0 where the category is missing: a block of zeros.
        np.testing.assert_array_equal(
            block, np.eye(3)[:, [1, 2, 0]][ids % 3] * (ids % 3 > 0)[:, None]
        )


def test_scaler_is_fitted_on_the_training_part():
    data = made_up()
    split = make_split(data, ir=None, seed=0)
    ids = ids_of(data, split)
    mean, std = ids[0].mean(), ids[0].std()
    for rows, name in zip(ids, PARTS, strict=True):
        np.testing.assert_allclose(part(split, name)[0][:, 0], (rows - mean) / std)
    assert abs(split.X_val[:, 0].mean()) > 1e-3  # otherwise the assertion above is void
    # Missing values are left out of the statistics and become the mean afterwards.
    gap = [np.where(rows % 7 == 0, np.nan, rows % 5) for rows in ids]
    mean, std = np.nanmean(gap[0]), np.nanstd(gap[0])
    for values, name in zip(gap, PARTS, strict=True):
        expected = np.nan_to_num((values - mean) / std)
        np.testing.assert_allclose(part(split, name)[0][:, 1], expected, atol=1e-12)
    # A constant column and one without any value.
    assert not split.X_train[:, 2:4].any() and not split.X_test[:, 2:4].any()


def test_fit_on_all_scales_by_all_rows_after_undersampling():
    data = made_up()
    split = make_split(data, ir=20, seed=0, fit_on="all")
    everything = np.concatenate([part(split, name)[0][:, 0] for name in PARTS])
    assert len(everything) == 210  # not the 250 before under-sampling
    np.testing.assert_allclose([everything.mean(), everything.std()], [0, 1], atol=1e-9)
    assert abs(split.X_train[:, 0].mean()) > 1e-3
    by_train = make_split(data, ir=20, seed=0)
    for name in PARTS:  # the same rows, scaled otherwise
        np.testing.assert_array_equal(part(split, name)[1], part(by_train, name)[1])


def test_column_without_values_in_the_training_part_is_zero():
    data = made_up()
    ids = ids_of(data, make_split(data, ir=None, seed=0))
    sparse = data.numeric.copy()
    sparse[~np.isin(data.numeric[:, 0], ids[2]), 1] = np.nan  # values in the test part only
    object.__setattr__(data, "numeric", sparse)
    with np.errstate(all="raise"):
        split = make_split(data, ir=None, seed=0)
    assert not split.X_test[:, 1].any() and np.isfinite(split.X_test).all()


def test_toy_split_equals_the_golden_one():
    """If this fails, all recorded results have changed: raise the protocol version."""
    split = make_split(load_dataset("toy"), ir=None, seed=0)
    assert counts(split) == [(270, 21), (90, 7), (90, 7)]
    np.testing.assert_allclose(split.X_train[0], [-0.67455559, 0.94807159], atol=1e-8)
    np.testing.assert_allclose(split.X_test[-1], [-1.88005212, 1.40992501], atol=1e-8)
    assert np.flatnonzero(split.y_val).tolist() == [14, 21, 40, 51, 65, 88, 96]


def test_toy_split_has_fresh_rows_as_extended_test():
    dataset = load_dataset("toy")
    split = make_split(dataset, ir=None, seed=0)
    assert (split.y_extra == 0).sum() == 18_557 and (split.y_extra == 1).sum() == 1_443
    assert split.ir_whole == pytest.approx(450 / 35)
    own = {tuple(row) for row in np.vstack([split.X_train, split.X_val, split.X_test])}
    assert len(own) == 485 and not own & {tuple(row) for row in split.X_extra}
    # Scaled by the training part, as the others: the same point has the same features.
    shifted = make_split(dataset, ir=None, seed=1)
    for ours, others in zip(split.X_extra.T, shifted.X_extra.T, strict=True):
        slope, offset = np.polyfit(ours, others, 1)
        np.testing.assert_allclose(others, offset + slope * ours, atol=1e-9)


def extra_ids(dataset, split):
    """Return the row numbers of the extra rows, by the scaling of the parts' rows."""
    ids = np.concatenate(ids_of(dataset, split))
    scaled = np.concatenate([part(split, name)[0][:, 0] for name in PARTS])
    slope, offset = np.polyfit(scaled, ids, 1)
    return np.rint(offset + slope * split.X_extra[:, 0]).astype(int)


@pytest.mark.parametrize("ir", [4, 5, 10, 20])
def test_extra_rows_are_the_minority_rows_that_were_removed(ir):
    data = made_up()
    split = make_split(data, ir=ir, seed=3)
    kept, extra = np.concatenate(ids_of(data, split)), extra_ids(data, split)
    assert split.ir_whole == ir and (split.y_extra == 1).all()
    assert len(extra) == 50 - 200 // ir
    assert sorted([*kept, *extra]) == sorted(data.numeric[:, 0])
    assert not len(make_split(data, ir=None, seed=3).y_extra)


def test_extra_rows_are_limited_and_the_same_for_each_ratio(monkeypatch):
    monkeypatch.setattr("autosmote.data.splits.MAX_EXTRA", 12)
    data = made_up()
    found = [extra_ids(data, make_split(data, ir=ir, seed=3)).tolist() for ir in (8, 10, 20)]
    assert found[0] == found[1] == found[2] and len(found[0]) == 12
    assert found[0] != extra_ids(data, make_split(data, ir=20, seed=4)).tolist()


@pytest.mark.parametrize(
    ("ir", "message"),
    [
        ("many", "ir=many is not a positive number"),
        (True, "ir=True is not a positive number"),
        (0, "ir=0 is not a positive number"),
        (-5, "ir=-5 is not a positive number"),
        (float("nan"), "ir=nan is not a positive number"),
        (float("inf"), "ir=inf is not a positive number"),
        (3.9, r"ir=3\.9 is below the data's own ratio of 4 \(200 to 50 rows\)"),
        (23, "ir=23 leaves 8 minority rows, too few for 2 in each"),
        (1e9, r"ir=1000000000\.0 leaves 0 minority rows"),
    ],
)
def test_invalid_ratio_raises(ir, message):
    with pytest.raises(UserError, match=message):
        make_split(made_up(), ir=ir, seed=0)


def test_too_few_minority_rows_raise():
    with pytest.raises(UserError, match=r"made up has 6 minority rows, too few.*get more data"):
        make_split(made_up(n_minority=6), ir=None, seed=0)


@pytest.mark.parametrize("seed", [-1, 1.5, "x", None, True])
def test_invalid_seed_raises(seed):
    with pytest.raises(UserError, match="whole number from 0 on"):
        make_split(made_up(), ir=None, seed=seed)


def test_invalid_fit_on_raises():
    with pytest.raises(UserError, match=r"preprocess\.fit_on=test is not valid; .*train, all"):
        make_split(made_up(), ir=None, seed=0, fit_on="test")


@pytest.mark.parametrize("part", ["train", "other"])
def test_split_number_that_overflows_is_named(part):
    columns, n = [], 100
    # Of one row in a hundred the deviation of the training part is finite or not, by the seed.
    rows = range(n) if part == "train" else [7]
    cells = [str(i % 9) for i in range(n)]
    for row in rows:
        cells[row] = f"{'-' * (row % 2)}1.7e308"
    columns.append(RawColumn("huge", cells, NUMBER))
    columns.append(RawColumn("label", ["a", "b", "a", "a"] * (n // 4), ("a", "b")))
    data = build_dataset("t", columns, "label", where="t", source="t")
    with pytest.raises(UserError, match=r"column 'huge': .*1\.7e\+308 is so large"):
        for seed in range(9):
            make_split(data, ir=None, seed=seed)
