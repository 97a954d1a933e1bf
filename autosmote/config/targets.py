"""Make classifiers and samplers from the import paths in their settings."""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from autosmote.config.kinds import KINDS
from autosmote.config.schema import ClassifierSettings, SamplerSettings
from autosmote.errors import UserError, let_interrupts_through, shorten


def make_classifier(settings: ClassifierSettings) -> Any:
    """Make an unfitted scikit-learn classifier.

    Raises
    ------
    UserError
        If the class cannot be found, does not take the parameters, or is no classifier.
    """
    from sklearn.base import is_regressor

    classifier = from_target("clf", settings._target_, settings.params)
    if not (hasattr(classifier, "fit") and hasattr(classifier, "predict")):
        raise UserError(
            f"clf._target_ {settings._target_} has no fit and predict; "
            "name a scikit-learn classifier."
        )
    if hasattr(classifier, "__sklearn_tags__") and is_regressor(classifier):
        raise UserError(f"clf._target_ {settings._target_} is a regressor; name a classifier.")
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


def check_classifier(settings: ClassifierSettings) -> None:
    """Check a classifier's parameters, as far as scikit-learn can before there are data.

    Raises
    ------
    UserError
        As `make_classifier` does, or if a parameter is out of its range.
    """
    classifier = make_classifier(settings)
    # LightGBM and XGBoost inherit the check, and lack what it needs.
    if not hasattr(classifier, "_parameter_constraints"):
        return
    try:
        classifier._validate_params()
    except ValueError as error:
        raise UserError(f"clf.params do not suit {settings._target_}: {error}") from error


def import_object(path: str) -> Any:
    """Import a class or function by its dotted path, such as ``sklearn.svm.LinearSVC``.

    Raises
    ------
    ImportError
        If there is no such path, or importing it fails in whatever way.
    """
    module, _, name = path.rpartition(".")
    if not module or not all(part.isidentifier() for part in path.split(".")):
        raise ImportError("it is no import path")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:
        let_interrupts_through(error)
        raise ImportError(str(error) or type(error).__name__) from error
    if not callable(found):
        raise ImportError("it is no class")
    return found


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
        accepted = inspect.signature(factory).parameters
    except (ImportError, ValueError, TypeError) as error:
        raise UserError(
            f"{group}._target_ '{shorten(target)}' cannot be imported ({error}); "
            "check its spelling and that its package is installed."
        ) from error
    arguments = {k: v for k, v in offered.items() if k in accepted} | dict(params)
    if any(isinstance(v, Mapping) for v in arguments.values()):
        from hydra.errors import HydraException
        from hydra.utils import instantiate

        try:
            arguments = instantiate(arguments, _convert_="all")
        except HydraException as error:
            raise UserError(f"{group}.params cannot be made: {error}.") from error
    try:
        return factory(**arguments)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{group}.params do not suit {target}: {error}; it takes {', '.join(accepted)}."
        ) from error
