"""Configurations of small runs on the toy data, with the samplers of tests/rivals.py."""

from dataclasses import replace

from autosmote.config.schema import (
    ClassifierSettings,
    Config,
    DatasetSettings,
    SamplerSettings,
)
from autosmote.config.search import SearchConfig
from autosmote.runs.unit import Data, Run, plan

CLASSIFIERS = {
    "dt": ClassifierSettings("dt", "sklearn.tree.DecisionTreeClassifier", {"random_state": 0}),
    "svm": ClassifierSettings("svm", "sklearn.svm.LinearSVC", {"random_state": 0}),
    "broken": ClassifierSettings("broken", "sklearn.svm.LinearSVC", {"C": -1}),
}
AUTOSMOTE = SamplerSettings("autosmote", kind="search")
SMALL_SEARCH = SearchConfig(iterations=3, G1=2, G2=2, actors=0, device="cpu")
CLASS_AWARE_RANDOM = SamplerSettings(
    "random numbers",
    params={"method": "class_aware", "method_params": {"learner": "random"}},
    kind="search",
)
RANDOM_EPISODES = SamplerSettings(
    "random episodes", params={"ablation": "random_search"}, kind="search"
)
SEEDS = SamplerSettings("seeds", "rivals.Jittering", True, {}, "resamplings")


def rival(name="Jittering", kind="resampler", takes_ratio=True, **params) -> SamplerSettings:
    return SamplerSettings(name.lower(), f"rivals.{name}", takes_ratio, params, kind)


def small_config(results_dir, sampler, clf="dt", metric="macro_f1", **settings) -> Config:
    """Return the configuration of a run of a second."""
    return Config(
        dataset=DatasetSettings("toy"),
        clf=CLASSIFIERS[clf],
        sampler=sampler,
        results_dir=str(results_dir),
        **{"ir": None, "metric": metric, "search": SMALL_SEARCH, **settings},
    )


class UnitMaker:
    """Makes units of two runs from a class of tests/rivals.py or another classifier.

    Attributes
    ----------
    data : Data
        With their dataset loaded.
    """

    def __init__(self, results_dir) -> None:
        self.results_dir, self.data = results_dir, Data()

    def __call__(self, name="Jittering", clf=CLASSIFIERS["dt"], seed=0, **params) -> list[Run]:
        sampler = SamplerSettings("none", kind="none") if name == "none" else rival(name, **params)
        config = small_config(self.results_dir, sampler, seed=seed)
        both = [replace(config, clf=clf, metric=metric) for metric in ("macro_f1", "mcc")]
        (runs,) = plan(both, self.data)
        return runs
