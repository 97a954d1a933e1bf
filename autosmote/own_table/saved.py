"""A fitted classifier in a file, with what it needs to be used tomorrow.

The file is joblib's, and so is code: whoever loads it runs what is in it. The classifier lies in
it as bytes, so that format and versions are checked before it is unpacked.
"""

from __future__ import annotations

import io
import platform
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from autosmote.data.column_kinds import ColumnKind
from autosmote.data.write_rows import write_output
from autosmote.errors import UserError, describe_error

FORMAT = 1
"""Of the file; a change that older code cannot read raises it."""
_PACKAGES = ("autosmote", "scikit-learn", "numpy", "pandas", "lightgbm", "xgboost", "catboost")


@dataclass(frozen=True)
class SavedModel:
    """A classifier and the table that it was fitted on, in words.

    Attributes
    ----------
    classifier : fitted classifier
        Of the labels 0, 1, ..., positions in `labels`.
    labels : list of str
    target : str
    columns : mapping of str to ColumnKind
        The features, in order.
    medians : mapping of str to float
        Of columns of numbers, where the classifier takes none that are missing.
    categories : mapping of str to collection of str
        That were there, of columns of categories.
    """

    classifier: Any
    labels: list[str]
    target: str
    columns: Mapping[str, ColumnKind]
    medians: Mapping[str, float] = field(default_factory=dict)
    categories: Mapping[str, Collection[str]] = field(default_factory=dict)


def save(model: SavedModel, path: Path) -> None:
    """Write a model in one step.

    Raises
    ------
    UserError
        When the file cannot be written; an older one is left as it was.
    """
    import joblib

    packed = io.BytesIO()
    joblib.dump(model, packed)
    content = {"format": FORMAT, "versions": _versions(), "model": packed.getvalue()}
    write_output(path, lambda temporary: joblib.dump(content, temporary, compress=3))


def load(path: Path) -> tuple[SavedModel, str]:
    """Read a model; return it and a sentence where library versions differ, else an empty one.

    Raises
    ------
    UserError
        When the file is none of `autosmote fit`, or of another format, or cannot be unpacked.
    """
    import joblib

    if not path.is_file():
        raise UserError(f"There is no file {path}; check its name and folder.")
    try:
        content = joblib.load(path)
        found = content["format"]
    except Exception as error:
        raise UserError(f"{path} is no model that autosmote fit has saved; name one.") from error
    if found != FORMAT:
        raise UserError(
            f"{path} is of format {found}, and this version of autosmote reads {FORMAT}; fit the "
            "model again."
        )
    note = _difference(content["versions"], _versions())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn's of its version, which the note names
            model = joblib.load(io.BytesIO(content["model"]))
    except Exception as error:
        reason = (note or describe_error(error)).rstrip(".")
        raise UserError(f"{path} cannot be unpacked ({reason}); fit it again.") from error
    return model, note


def _versions() -> dict[str, str]:
    from autosmote import __version__

    found = {"Python": ".".join(platform.python_version_tuple()[:2]), "autosmote": __version__}
    for package in _PACKAGES[1:]:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _difference(saved: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Say which libraries are of another version than when the model was saved."""
    changed = [
        f"{name} {there} (here {here.get(name, 'none')})"
        for name, there in saved.items()
        if here.get(name) != there
    ]
    if not changed:
        return ""
    return (
        f"The model was saved with {', '.join(changed)}; predictions may differ, and are the same "
        "for sure only with those versions."
    )
