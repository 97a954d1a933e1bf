"""Configurations of runs that several tests begin with."""

import dataclasses
from pathlib import Path

from autosmote.config.kinds import KINDS
from autosmote.config.schema import ClassifierSettings, Config, DatasetSettings, SamplerSettings
from autosmote.records.identity import identity, run_folder

# A search of a second, on the command line.
FEW = ("search.iterations=8", "search.actors=0", "search.device=cpu", "search.G1=3", "search.G2=3")
FINGERPRINT = "a" * 64
CONFIG = Config(
    dataset=DatasetSettings("mozilla4", 50),
    clf=ClassifierSettings("svm", "sklearn.svm.LinearSVC", {"random_state": 0}),
    sampler=SamplerSettings("autosmote", kind="search"),
    ir=50.0,
)
SMOTE = SamplerSettings("smote", "somewhere.SMOTE", takes_ratio=True)


def changed(**settings) -> Config:
    return dataclasses.replace(CONFIG, **settings)


def identity_of(config: Config, fingerprint: str = FINGERPRINT) -> dict:
    """Return the identity of a run; settings of its search need not be possible ones."""
    search = config.search
    if KINDS[config.sampler.kind].params_are_search_settings:
        search = dataclasses.replace(search, **config.sampler.params)
    return identity(config, search if KINDS[config.sampler.kind].is_search else None, fingerprint)


def folder_of(config: Config, fingerprint: str = FINGERPRINT) -> Path:
    """Return the folder of a run in results/."""
    return run_folder("results", identity_of(config, fingerprint))
