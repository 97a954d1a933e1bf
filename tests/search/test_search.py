"""Algorithm 2 as a whole: deterministic, learning, stoppable, and never left hanging."""

import contextlib
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from estimators import Counting, Faulty
from sklearn.base import clone
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_info, threadpool_limits
from waiting import is_running, wait_for_end

from autosmote.config.search import (
    ABLATIONS,
    SearchConfig,
    largest_factors,
    resolve_actors,
    resolve_G1,
)
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.errors import UserError, describe_warnings
from autosmote.metrics import macro_f1
from autosmote.sampler.class_search import run_search
from autosmote.search import actor_pool
from autosmote.search.actor_pool import ActorError, ProcessPool, raise_remote, warn_again
from autosmote.search.actor_process import as_sent, take_warnings
from autosmote.search.hierarchical.method import ablation_rules
from autosmote.search.result import SearchInterrupted


@pytest.fixture(scope="module")
def toy():
    return make_split(load_dataset("toy"), ir=None, seed=0)


def search(split, estimator=None, seed=0, on_iteration=None, metric="macro_f1", **settings):
    settings = {"actors": 0, **settings}
    return run_search(
        split.X_train, split.y_train, split.X_val, split.y_val,
        estimator or DecisionTreeClassifier(random_state=0),
        metric=metric, ir=None, seed=seed, config=SearchConfig(**settings),
        on_iteration=on_iteration,
    )  # fmt: skip


@pytest.mark.parametrize(("learner", "counts"), [("torch", (0, 1, 3)), ("numpy", (0, 2))])
def test_the_number_of_actors_changes_nothing(toy, learner, counts):
    results = [search(toy, iterations=60, actors=n, learner=learner) for n in counts]
    assert [r.actors for r in results] == list(counts)
    for other in results[1:]:
        for key in ("iteration", "reward", "best", "n_synthetic"):
            assert np.array_equal(other.history[key], results[0].history[key])
        assert np.array_equal(other.best.sample_set.samples, results[0].best.sample_set.samples)
        assert np.array_equal(other.X_synthetic, results[0].X_synthetic)
        for level, flat in results[0].parameters.items():
            assert np.array_equal(other.parameters[level], flat)
    assert len(np.unique(results[0].history["reward"])) > 5


@pytest.mark.parametrize("learner", ["torch", "numpy"])
@pytest.mark.parametrize("actors", [0, 1])
def test_search_leaves_the_limits_on_threads_as_they_were(toy, learner, actors):
    with threadpool_limits(2):
        before = [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()]
        search(toy, iterations=3, actors=actors, learner=learner)
        after = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    assert [(path, after[path]) for path, _ in before] == before


def test_seed_and_lag_change_the_rewards(toy):
    first = search(toy, iterations=40)
    for settings in ({"seed": 1}, {"lag": 1}):
        other = search(toy, iterations=40, **settings)
        assert not np.array_equal(other.history["reward"], first.history["reward"])


def test_best_samples_have_the_score_that_was_reported(toy):
    result = search(toy, iterations=80, metric="macro_f1")
    rewards = result.history["reward"]
    assert result.best.iteration == np.argmax(rewards) + 1  # ties go to the earlier
    assert result.best.score == rewards.max()
    assert np.array_equal(result.history["best"], np.maximum.accumulate(rewards))
    n_synthetic = result.history["n_synthetic"][result.best.iteration - 1]
    assert result.X_synthetic.shape == (n_synthetic, toy.X_train.shape[1])
    X = np.vstack([toy.X_train, result.X_synthetic])
    y = np.append(toy.y_train, np.ones(n_synthetic, dtype=np.int8))
    tree = clone(DecisionTreeClassifier(random_state=0)).fit(X, y)
    assert macro_f1(toy.y_val, tree.predict(toy.X_val)) == result.best.score


@pytest.mark.parametrize("lag", [1, 8])
def test_search_learns_better_than_its_first_episodes(toy, lag):
    learned, uniform = [], []
    for seed in range(3):
        split = make_split(load_dataset("toy"), ir=None, seed=seed)
        settings = {"estimator": LinearSVC(random_state=0), "seed": seed, "iterations": 500}
        result = search(split, lag=lag, **settings)
        learned.append(result.history["reward"][-50:].mean())
        result = search(split, ablation="random_search", **settings)
        uniform.append(result.history["reward"].mean())
    assert np.mean(learned) > np.mean(uniform)


def test_both_low_level_nets_and_every_ablation_run_and_differ(toy):
    seen = set()
    for settings in (
        {"low_level_net": "joint"},
        {"low_level_net": "paper"},
        *({"ablation": name} for name in ABLATIONS if name != "none"),
    ):
        result = search(toy, iterations=30, **settings)
        seen.add(result.history["n_synthetic"].tobytes() + result.history["reward"].tobytes())
    assert len(seen) == 2 + 7


def test_fixed_factors_of_ablations_are_halves_rounded_up():
    rules = ablation_rules("no_cross_instance", 5, 10)
    assert (rules.fixed_g1, rules.fixed_g2) == (3, 5)


def test_largest_factors_are_one_less_without_the_largest():
    assert largest_factors(SearchConfig(), 20) == (20, 10)
    assert largest_factors(SearchConfig(include_largest=False), 20) == (19, 9)
    with pytest.raises(UserError, match="both must be at least 2"):
        largest_factors(SearchConfig(include_largest=False), 1)


def test_random_search_per_row_makes_as_many_rows_as_all_its_factors_say(toy):
    settings = {"G1": 6, "G2": 4, "iterations": 200}
    result = search(toy, ablation="random_search_per_row", **settings)
    n_rows = toy.y_train.sum()
    made = result.history["n_synthetic"]
    # The mean of each row's 0..24 is 12, and that of an episode hardly moves from it.
    assert abs(made.mean() / n_rows - 12) < 0.5
    assert made.min() > 6 * n_rows and made.max() < 18 * n_rows
    base = search(toy, ablation="random_search", **settings).history["n_synthetic"]
    assert base.std() > 2 * made.std() and base.min() == 0
    assert result.best.sample_set.row_counts.max() > 18  # a factor beyond G2 and G1


def test_G1_is_four_times_the_imbalance_over_G2():
    assert [resolve_G1(SearchConfig(), ir) for ir in (20, 50, 100, 1.5)] == [8, 20, 40, 1]
    assert resolve_G1(SearchConfig(G1=3), 50) == 3


def test_a_time_limit_stops_the_search(toy):
    result = search(toy, iterations=10**6, time_limit=0.5)
    assert result.stopped_by == "time_limit"
    assert 1 <= result.iterations < 10**6
    assert len(result.history["reward"]) == result.iterations
    assert search(toy, iterations=3, time_limit=1e-9).iterations == 1


def test_patience_stops_the_search_when_the_best_has_not_moved(toy):
    whole = search(toy, iterations=200)
    result = search(toy, iterations=200, patience=20)
    assert result.stopped_by == "patience"
    assert result.iterations == result.best.iteration + 20 < 200
    # It is the same search until then, so it stopped at the first such wait.
    best = whole.history["best"]
    assert np.array_equal(result.history["best"], best[: result.iterations])
    waits = [n for n in range(20, 200) if best[n - 20] == best[n]]
    assert result.iterations == waits[0] + 1
    assert search(toy, iterations=20, patience=20).stopped_by == "iterations"


def test_iterations_are_reported_in_order(toy):
    seen = []
    result = search(
        toy, iterations=20, actors=2, on_iteration=lambda n, reward, best: seen.append((n, best))
    )
    assert [n for n, _ in seen] == list(range(1, 21))
    assert [best for _, best in seen] == result.history["best"].tolist()


@pytest.fixture
def pools(monkeypatch):
    """The pools of actor processes that a test's searches start."""
    started = []

    class Noted(ProcessPool):
        def __init__(self, *arguments):
            started.append(self)
            super().__init__(*arguments)

    monkeypatch.setattr("autosmote.search.loop.ProcessPool", Noted)
    return started


def test_interrupted_keeps_the_best_so_far_and_ends_the_actors(toy, pools):
    pids = []

    def interrupt(iteration, reward, best):
        if iteration == 10:
            pids.extend(pools[0].pids())
            raise KeyboardInterrupt

    with pytest.raises(SearchInterrupted) as caught:
        search(toy, iterations=1000, actors=2, on_iteration=interrupt)
    result = caught.value.result
    assert result.iterations == 10 and result.stopped_by == "interrupted"
    assert result.best.score == result.history["reward"].max()
    assert len(pids) == 3
    wait_for_end(pids)


def _children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            found += map(int, file.read().split())
    return found


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("kill", "by signal SIGKILL"),
        ("exit", "with exit code 7"),
    ],
)
def test_faulty_actor_ends_the_search_with_its_reason(toy, pools, fault, words):
    with pytest.raises(ActorError, match=words):
        search(toy, Faulty(len(toy.X_train), fault), iterations=50, actors=2)
    assert pools[0]._host.poll() is not None


@pytest.mark.parametrize("actors", [0, 1, 2])
@pytest.mark.parametrize("where", ["host", "actor"])
def test_error_of_the_classifier_is_the_same_for_any_number_of_actors(toy, pools, actors, where):
    n_train = 1 if where == "host" else len(toy.X_train)
    with pytest.raises(ValueError, match=r"^this classifier does not like synthetic rows$"):
        search(toy, Faulty(n_train), iterations=50, actors=actors)
    assert all(pool._host.poll() is not None for pool in pools)


class Particular(Exception):
    """An error that cannot be made again from its message alone."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def test_error_that_cannot_be_sent_is_an_actor_error_with_its_text():
    pickled, text = as_sent(Particular("one", "two"))
    assert pickled is None
    with pytest.raises(ActorError, match="one and two"):
        raise_remote((pickled, text))


class Odd(UserWarning):
    """A warning that cannot be made again from its message alone."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def warn_in_turn():
    for warning in (UserWarning("a"), Odd("b", "c"), UserWarning("a"), RuntimeWarning("a")):
        warnings.warn(warning, stacklevel=1)


def test_warnings_of_another_process_are_those_that_it_has_not_sent_before():
    sent = {("RuntimeWarning", "a")}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_in_turn()
        found = take_warnings(caught, sent)
        assert not caught and not take_warnings(caught, sent)
        warn_again(found, {})
    assert describe_warnings(caught) == ["UserWarning: a", "Odd: b and c"]
    assert {one.filename for one in caught} == {__file__}


def test_warnings_of_a_search_are_the_same_for_any_number_of_actors(toy):
    def warned(actors):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            search(toy, Counting(max_depth=3, random_state=0), iterations=12, actors=actors)
        return describe_warnings(caught)

    alone = warned(0)
    assert len(alone) > 2  # else their order tells nothing
    assert warned(1) == alone and warned(3) == alone


def test_host_that_is_killed_while_it_starts_is_an_actor_error(toy, pools, monkeypatch):
    start = actor_pool.start_process

    def start_killed(*arguments):
        process = start(*arguments)
        process.kill()
        process.wait()
        return process

    monkeypatch.setattr(actor_pool, "start_process", start_killed)
    with pytest.raises(ActorError, match="host ended by signal SIGKILL"):
        search(toy, iterations=50, actors=2)


@pytest.mark.parametrize("moment", ["publish", "dispatch", "result"])
def test_host_that_is_killed_at_any_moment_is_an_actor_error(toy, monkeypatch, moment):
    class Killed(ProcessPool):
        def _kill_at(self, now):
            if now == moment:
                self._host.kill()
                self._host.wait()

        def publish(self, version, parameters):
            self._kill_at("publish")
            super().publish(version, parameters)

        def dispatch(self, n, version):
            self._kill_at("dispatch")
            super().dispatch(n, version)

        def result(self, n):
            self._kill_at("result")
            return super().result(n)

    monkeypatch.setattr("autosmote.search.loop.ProcessPool", Killed)
    with pytest.raises(ActorError, match="SIGKILL"):
        search(toy, iterations=500, actors=2)


def threads():
    import torch

    pools = sorted((pool["filepath"], pool["num_threads"]) for pool in threadpool_info())
    return torch.get_num_threads(), pools, list(warnings.filters), np.geterr()


@pytest.mark.parametrize("learner", ["numpy", "torch"])
@pytest.mark.parametrize("actors", [0, 2])
@pytest.mark.parametrize("fault", [None, "host", "actor", "callback"])
def test_search_gives_back_threads_and_filters(toy, learner, actors, fault):
    def stop(*_):
        raise KeyboardInterrupt

    n_train = {None: 10**9, "host": 1, "actor": len(toy.X_train), "callback": 10**9}[fault]
    with threadpool_limits(limits=3):
        before = threads()
        with contextlib.suppress(ValueError, KeyboardInterrupt):
            search(
                toy, Faulty(n_train), iterations=4, actors=actors, learner=learner,
                on_iteration=stop if fault == "callback" else None,
            )  # fmt: skip
            assert fault is None
        assert threads() == before


@pytest.mark.parametrize("learner", ["numpy", "torch"])
@pytest.mark.parametrize("settings", [{"learning_rate": 1e30}, {"value_cost": 1e300}])
def test_search_whose_policies_diverge_stops_with_the_best_so_far(toy, learner, settings):
    buffers = {"buffer_instance": 20, "buffer_low": 20}
    result = search(toy, iterations=60, learner=learner, device="cpu", **buffers, **settings)
    assert result.stopped_by == "diverged" and 1 <= result.iterations < 60
    assert result.best.score == np.nanmax(result.history["reward"])
    assert "search.learning_rate" in result.errors[-1] and "\n" not in result.errors[-1]
    assert all(np.isfinite(flat).all() for flat in result.parameters.values())


def test_search_with_a_scorer_of_huge_numbers_stops_with_the_best_so_far(toy):
    result = search(toy, metric=huge, iterations=60, buffer_instance=20, buffer_low=20)
    assert result.stopped_by == "diverged" and result.best.score > 1e299


def huge(estimator, X, y):
    """Score near the largest number that there is."""
    return 1e300 * (1 + estimator.score(X, y))


def test_a_killed_host_ends_the_search(toy, pools):
    def kill(iteration, reward, best):
        if iteration == 5:
            pools[0]._host.kill()

    with pytest.raises(ActorError, match="host ended by signal SIGKILL"):
        search(toy, iterations=500, actors=2, on_iteration=kill)


@pytest.mark.parametrize("way", ["Forked", "Popen"])
def test_nothing_is_left_after_kill_9_of_the_parent(tmp_path, way):
    script = tmp_path / "search_for_long.py"
    script.write_text(
        "from autosmote.isolation.processes import prepare_process\n"
        "prepare_process()\n"
        "import threading\n"
        f"if {way == 'Popen'}:\n"
        "    threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "import numpy as np\n"
        "from autosmote.search import loop\n"
        "class Noted(loop.ProcessPool):\n"
        "    def __init__(self, *arguments):\n"
        "        super().__init__(*arguments)\n"
        "        print(type(self._host).__name__, flush=True)\n"
        "loop.ProcessPool = Noted\n"
        "from autosmote.sampler.class_search import run_search\n"
        "from autosmote.config.search import SearchConfig\n"
        "from sklearn.tree import DecisionTreeClassifier\n"
        "rng = np.random.default_rng(0)\n"
        "X, y = rng.normal(size=(400, 3)), (np.arange(400) < 40).astype('int8')\n"
        "def tell(n, reward, best):\n"
        "    print(n, flush=True)\n"
        "run_search(X, y, X, y, DecisionTreeClassifier(), metric='mcc', ir=None, seed=0,\n"
        "           config=SearchConfig(iterations=10**6, actors=2), on_iteration=tell)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=env
    )
    assert [parent.stdout.readline() for _ in range(2)] == [f"{way}\n", "1\n"]
    pids = [pid for child in _children(parent.pid) for pid in (child, *_children(child))]
    assert len(pids) == 3 and all(map(is_running, pids))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for_end(pids)


def test_more_actors_than_the_lag_are_reduced_with_a_log_line(caplog):
    caplog.set_level("INFO", logger="autosmote")
    assert resolve_actors(40, 4) == 4
    assert "reduced" in caplog.text
    assert resolve_actors(0, 4) == 0
    assert 1 <= resolve_actors("auto", 4) <= 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"K": 0}, "search.K must be a whole number of at least 1, not 0"),
        ({"G1": 0}, "search.G1"),
        ({"bin_width": 0}, "search.bin_width must be a whole number of at least 1"),
        ({"chunks_per_update": 0}, "search.chunks_per_update"),
        ({"G2": 2.5}, "search.G2"),
        ({"iterations": -1}, "search.iterations"),
        ({"lag": True}, "search.lag"),
        ({"actors": -1}, "search.actors"),
        ({"actors": "many"}, "search.actors"),
        ({"time_limit": 0}, "search.time_limit"),
        ({"patience": 0}, "search.patience must be a whole number of at least 1"),
        ({"device": "gpu"}, "auto, cpu, cuda"),
        ({"ablation": "flatt"}, "random_search"),
        ({"learning_rate": 0}, "search.learning_rate"),
        ({"entropy_cost": -1}, "search.entropy_cost"),
        ({"gamma": 1.5}, "search.gamma"),
        ({"learner": "jax"}, "search.learner must be one of auto, torch, numpy"),
        ({"learner": "numpy", "device": "cuda"}, "search.learner=numpy works on the CPU"),
        ({"learner": "numpy", "low_level_net": "joint"}, "use search.learner=torch"),
        ({"learning_rate": "abc"}, "search.learning_rate must be a number, not 'abc'"),
        ({"time_limit": "soon"}, "search.time_limit must be a number or null, not 'soon'"),
        ({"gamma": True}, "search.gamma must be a number, not True"),
        ({"under_sampling": "false"}, "search.under_sampling must be true or false, not 'false'"),
        ({"under_sampling": 1}, "search.under_sampling must be true or false"),
        ({"init_from": 3}, "search.init_from must be a path or null"),
        ({"method": ["a"]}, "search.method must be a text"),
        ({"method_params": "a"}, "search.method_params must be settings by name"),
    ],
)
def test_settings_of_another_type_or_out_of_range_are_told_with_what_they_must_be(settings, words):
    with pytest.raises(UserError, match=words):
        SearchConfig(**settings).check()


def test_device_cuda_without_a_gpu_is_refused(toy):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(UserError, match="no CUDA GPU"):
        search(toy, device="cuda", iterations=1)
