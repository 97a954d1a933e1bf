"""Configurations of runs that several tests begin with."""

import dataclasses

from autosmote.config.schema import ClassifierSettings, Config, DatasetSettings, SamplerSettings

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
