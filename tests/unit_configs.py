"""Configurations of small runs on the toy data, with the samplers of tests/rivals.py."""

from autosmote.config.schema import (
    ClassifierSettings,
    Config,
    DatasetSettings,
    SamplerSettings,
)
from autosmote.config.search import SearchConfig

CLASSIFIERS = {
    "dt": ClassifierSettings("dt", "sklearn.tree.DecisionTreeClassifier", {"random_state": 0}),
    "svm": ClassifierSettings("svm", "sklearn.svm.LinearSVC", {"random_state": 0}),
    "broken": ClassifierSettings("broken", "sklearn.svm.LinearSVC", {"C": -1}),
}
AUTOSMOTE = SamplerSettings("autosmote", kind="search")
SEEDS = SamplerSettings("seeds", "rivals.Jittering", True, {}, "resamplings")


def rival(name="Jittering", kind="resampler", takes_ratio=True, **params) -> SamplerSettings:
    return SamplerSettings(name.lower(), f"rivals.{name}", takes_ratio, params, kind)


def small_config(results_dir, sampler, clf="dt", metric="macro_f1", **settings) -> Config:
    """Return the configuration of a run of a second."""
    return Config(
        dataset=DatasetSettings("toy"),
        clf=CLASSIFIERS[clf],
        sampler=sampler,
        search=SearchConfig(iterations=3, G1=2, G2=2, actors=0, device="cpu"),
        results_dir=str(results_dir),
        **{"ir": None, "metric": metric, **settings},
    )
