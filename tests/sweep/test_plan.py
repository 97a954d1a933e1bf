"""Plans: which units, in which order, how long."""

import inspect
import json
from pathlib import Path

import pandas as pd
import pytest

from autosmote.config.groups import load_sampler
from autosmote.config.search import SearchConfig
from autosmote.config.targets import import_object
from autosmote.records import collected
from autosmote.records.identity import PROTOCOL_VERSION
from autosmote.runs.unit import Data
from autosmote.sweep.estimate import Estimate
from autosmote.sweep.plan import make_plan
from autosmote.sweep.settings import Arm


def table(rows, clf="dt", reward="validation", ir=20, sampler=None):
    """Records and costs of runs: (key, sampler, dataset, iterations, total, score)."""
    found = pd.DataFrame(rows, columns=["key", "sampler", "dataset", "iterations", "t", "s"])
    config = json.dumps({"search": {"reward": reward}, "sampler": sampler or {}})
    found = found.assign(clf=clf, ir=ir, config=config)
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


def test_rows_of_arms_beside_are_marked(small):
    config = small(samplers=["none", "smote_search"], beside=["smote_search"], metrics=["mcc"])
    marks = {row["arm"]: row.get("beside") for row in make_plan(config, Data()).rows}
    assert marks == {"none": None, "smote_search": True}


def test_plan_puts_long_units_first(small):
    config = small(samplers=["none", "tomeklinks", "smote", "mesa"], metrics=["mcc"])
    order = [unit.sampler for unit in make_plan(config, Data()).units]
    assert order == ["mesa", "smote", "tomeklinks", "none"]


def test_estimate_counts_a_shared_resampling_once(small):
    # 10 s of resampling, and 2 s of a classifier's fits that both metrics share.
    rows = [(f"k{i}", "smote", "toy", None, 12.0, 2.0) for i in range(4)]
    estimate = Estimate(*table(rows))
    unit = unit_of(make_plan(small(samplers=["smote"], clfs=["dt", "svm"]), Data()), "smote")
    assert estimate.unit(unit.runs, Data()) == (pytest.approx(10 + 2 + 2), 4)


def test_estimate_of_a_search_grows_with_iterations(small):
    rows = [("k", "autosmote", "phoneme", 1000, 50.0, 20.0)]
    estimate = Estimate(*table(rows))
    search = SearchConfig(iterations=300, G1=2)
    plan = make_plan(small(samplers=["autosmote"], metrics=["mcc"], search=search), Data())
    (unit,) = plan.units
    seconds, n = estimate.unit(unit.runs, Data())  # of another data set, for want of this one
    assert (seconds, n) == (pytest.approx(15.0), 1)
    assert unit.n_records == 0


def test_estimate_of_a_class_that_counts_steps_grows_with_them(small):
    def counted(n, **changes):
        return {"steps": "environment_steps", "params": {"environment_steps": n}} | changes

    def seconds(*frames):
        found, costs = (pd.concat(part) for part in zip(*frames, strict=True))
        params = {"mesa": {"environment_steps": 450}}
        (unit,) = make_plan(small(samplers=["mesa"], metrics=["mcc"], params=params), Data()).units
        return Estimate(found, costs).unit(unit.runs, Data())

    # A second of its 31 is the classifier's, which does not grow.
    long = table([("k", "mesa", "toy", None, 31.0, 2.0)], sampler=counted(1500))
    short = table([("l", "mesa", "toy", None, 4.0, 2.0)], sampler=counted(150))
    assert seconds(long) == (pytest.approx(1 + 0.3 * 29), 1)
    assert seconds(long, short) == (pytest.approx(1 + (0.3 * 29 + 3 * 2) / 2), 2)
    unknown = table([("m", "mesa", "toy", None, 500.0, 2.0)], sampler=counted(0, steps=None))
    assert seconds(long, unknown) == seconds(long)
    assert seconds(unknown)[1] == 0  # a rough guess: nobody knows of how many steps these are


@pytest.mark.parametrize("name", ["mesa", "optuna"])
def test_sampler_file_with_steps_gives_the_default_of_its_class(name):
    sampler = load_sampler(name)
    default = inspect.signature(import_object(sampler._target_)).parameters[sampler.steps].default
    assert sampler.params[sampler.steps] == default


def test_estimate_uses_the_most_similar_runs(small):
    kinds = [("svm", "crossfit", 20), ("svm", "validation", 20), ("dt", "crossfit", 20)]
    parts = [
        table([(f"k{i}", "autosmote", "toy", 100, 100.0 * 4**i, 0.0)], *kind)
        for i, kind in enumerate(kinds)
    ]
    found, costs = (pd.concat(frames) for frames in zip(*parts, strict=True))
    estimate = Estimate(found, costs)

    def seconds(clf, reward):
        search = SearchConfig(iterations=1, G1=2, reward=reward)
        config = small(samplers=["autosmote"], clfs=[clf], metrics=["mcc"], search=search)
        (unit,) = make_plan(config, Data()).units
        return estimate.unit(unit.runs, Data())

    assert seconds("svm", "crossfit") == (pytest.approx(1.0), 1)  # the toy data's ratio is no 20
    assert seconds("svm", "validation") == (pytest.approx(4.0), 1)
    assert seconds("dt", "validation") == (pytest.approx(16.0), 1)  # by the classifier
    assert seconds("knn", "crossfit") == (pytest.approx(7.0), 3)  # by the dataset


@pytest.mark.parametrize("protocol, n", [(PROTOCOL_VERSION, 1), (PROTOCOL_VERSION - 1, 0)])
def test_other_experiments_of_this_protocol_tell_how_long_a_sampler_takes(small, protocol, n):
    row = {"key": "k", "protocol_version": protocol, "dataset": "toy", "clf": "dt", "seed": 0}
    row |= {"sampler": "autosmote", "metric": "mcc", "status": "ok", "iterations": 10}
    row |= {"config": "{}", "seconds.total": 40.0, "seconds.score": 0.0}
    config = small(samplers=["autosmote"], metrics=["mcc"], search=SearchConfig(iterations=5, G1=2))
    collected.write_records(Path(config.results_dir) / "another", [row])
    (Path(config.results_dir) / "damaged").mkdir()
    (Path(config.results_dir) / "damaged" / collected.RECORDS).write_bytes(b"no gzip")
    (unit,) = make_plan(config, Data()).units
    assert unit.n_records == n and (unit.seconds == pytest.approx(20.0)) == bool(n)


def test_estimate_takes_records_without_reward_as_validation(small):
    found, costs = table([("k", "autosmote", "toy", 1, 3.0, 0.0)])
    found["config"] = json.dumps({"search": {"K": 30}})
    config = small(samplers=["autosmote"], metrics=["mcc"], search=SearchConfig(iterations=2, G1=2))
    (unit,) = make_plan(config, Data()).units
    assert Estimate(found, costs).unit(unit.runs, Data()) == (pytest.approx(6.0), 1)


def test_estimate_prefers_the_same_ratio(small):
    parts = [table([(f"k{ir}", "autosmote", "toy", 1, float(ir), 0.0)], ir=ir) for ir in (20, 50)]
    found, costs = (pd.concat(frames) for frames in zip(*parts, strict=True))
    search = SearchConfig(iterations=1, G1=2)
    config = small(samplers=["autosmote"], irs=[20], metrics=["mcc"], search=search)
    (unit,) = make_plan(config, Data()).units
    assert Estimate(found, costs).unit(unit.runs, Data()) == (pytest.approx(20.0), 1)
