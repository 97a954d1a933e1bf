"""Plans: which units, in which order, how long."""

import pandas as pd
import pytest

from autosmote.search_config import SearchConfig
from autosmote.sweep.planning import Estimate, make_plan
from autosmote.sweep.settings import Arm
from autosmote.units import Data


def table(rows):
    """Records and costs of runs: (key, sampler, dataset, iterations, total, score)."""
    found = pd.DataFrame(rows, columns=["key", "sampler", "dataset", "iterations", "t", "s"])
    costs = found[["key"]].assign(**{"seconds.total": found.pop("t"), "seconds.score": found["s"]})
    return found.drop(columns="s"), costs


def unit_of(plan, sampler):
    (unit,) = (unit for unit in plan.units if unit.sampler == sampler)
    return unit


def test_classifiers_and_metrics_share_a_unit_but_for_a_search(small):
    config = small(samplers=["smote", "autosmote"], clfs=["dt", "svm"])
    sizes = sorted(len(unit.runs) for unit in make_plan(config, Data()).units)
    assert sizes == [1, 1, 1, 1, 4]


def test_equal_arms_are_one_run_with_two_rows(small):
    config = small(
        samplers=[], arms=[Arm("autosmote", "a"), Arm("autosmote", "b")], metrics=["mcc"]
    )
    plan = make_plan(config, Data())
    assert len(plan.units) == 1
    (first, second) = plan.rows
    assert first["key"] == second["key"] and (first["arm"], second["arm"]) == ("a", "b")


def test_what_is_long_comes_first(small):
    config = small(samplers=["none", "tomeklinks", "smote", "mesa"], metrics=["mcc"])
    order = [unit.sampler for unit in make_plan(config, Data()).units]
    assert order == ["mesa", "smote", "tomeklinks", "none"]


def test_the_time_of_a_shared_resampling_counts_once(small):
    # 10 s of resampling, and 2 s of a classifier's fits that both metrics share.
    rows = [(f"k{i}", "smote", "toy", None, 12.0, 2.0) for i in range(4)]
    estimate = Estimate(*table(rows))
    unit = unit_of(make_plan(small(samplers=["smote"], clfs=["dt", "svm"]), Data()), "smote")
    assert estimate.unit(unit.runs, Data()) == (pytest.approx(10 + 2 + 2), 4)


def test_a_search_s_time_follows_its_iterations(small):
    rows = [("k", "autosmote", "phoneme", 1000, 50.0, 20.0)]
    estimate = Estimate(*table(rows))
    search = SearchConfig(iterations=300, G1=2)
    plan = make_plan(small(samplers=["autosmote"], metrics=["mcc"], search=search), Data())
    (unit,) = plan.units
    seconds, n = estimate.unit(unit.runs, Data())  # of another data set, for want of this one
    assert (seconds, n) == (pytest.approx(15.0), 1)
    assert unit.n_records == 0
