"""Make classifiers and samplers from the import paths in their settings."""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from autosmote.config.kinds import KINDS
from autosmote.config.schema import ClassifierSettings, SamplerSettings
from autosmote.errors import UserError


def make_classifier(settings: ClassifierSettings) -> Any:
    """Make an unfitted scikit-learn classifier.

    Raises
    ------
    UserError
        If the class cannot be found, does not take the parameters, or is no classifier.
    """
    classifier = from_target("clf", settings._target_, settings.params)
    if not (hasattr(classifier, "fit") and hasattr(classifier, "predict")):
        raise UserError(
            f"clf._target_ {settings._target_} has no fit and predict; "
            "name a scikit-learn classifier."
        )
    return classifier


def make_sampler(settings: SamplerSettings, seed: int) -> Any:
    """Make a resampler or a method (see `autosmote.evaluation.sandboxed` for what both are).

    Parameters
    ----------
    settings : SamplerSettings
        With a ``_target_``.
    seed : int
        Its ``random_state``.

    Raises
    ------
    UserError
        If the class cannot be found, does not take the parameters, or is of another kind.
    """
    assert settings._target_ is not None
    sampler = from_target("sampler", settings._target_, settings.params, random_state=seed)
    lacking = [name for name in KINDS[settings.kind].methods if not hasattr(sampler, name)]
    if lacking:
        remedy = "name another class, or another kind by sampler.kind="
        if hasattr(sampler, "fit_resample"):
            remedy = (
                "a sampler of imbalanced-learn's kind is named by sampler.params.sampler of "
                "baselines.imblearn_samplers.ImblearnSampler"
            )
        raise UserError(
            f"sampler._target_ {settings._target_} has no {' and no '.join(lacking)}, which a "
            f"{settings.kind} needs; {remedy}."
        )
    return sampler


def import_object(path: str) -> Any:
    """Import a class by its dotted path, such as ``sklearn.svm.LinearSVC``."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def from_target(group: str, target: str, params: Mapping[str, Any], **offered: Any) -> Any:
    """Call the class at an import path with parameters from the configuration.

    Parameters
    ----------
    group : str
        The configuration group, for messages.
    target : str
        Import path such as ``sklearn.svm.LinearSVC``.
    params : mapping
        Keyword arguments; nested ``_target_`` entries are made first.
    **offered
        Further keyword arguments, passed only if the class has a parameter of that name and
        `params` does not set it (not every sampler takes a ``random_state``).

    Raises
    ------
    UserError
        If the class cannot be found or does not take the parameters.
    """
    try:
        factory = import_object(target)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"{group}._target_ '{target}' cannot be imported ({error}); "
            "check its spelling and that its package is installed."
        ) from error
    accepted = inspect.signature(factory).parameters
    arguments = {k: v for k, v in offered.items() if k in accepted} | dict(params)
    if any(isinstance(v, Mapping) for v in arguments.values()):
        from hydra.utils import instantiate

        arguments = instantiate(arguments, _convert_="all")
    try:
        return factory(**arguments)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{group}.params do not suit {target}: {error}; it takes {', '.join(accepted)}."
        ) from error
