"""The settings of a run: a typed schema for Hydra, and its errors in plain words."""

import re
from dataclasses import dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from autosmote.errors import UserError
from autosmote.metrics import METRICS
from autosmote.search_config import SearchConfig

# The project is installed editable from a clone: conf/ lies beside the package.
CONF_DIR = Path(__file__).resolve().parent.parent / "conf"
GROUPS = ("dataset", "clf", "sampler", "search")
MISSING = "???"  # OmegaConf's mark for a value that the group's file must give


@dataclass
class DatasetSettings:
    """Where the rows come from."""

    name: str = MISSING
    """toy, file, or one of the paper's six in lower case."""
    default_ir: float | None = None
    """The imbalance ratio of a run that gives none; null keeps the data as they are."""
    path: str | None = None
    """For dataset=file: a CSV, Parquet or ARFF file."""
    target: str | None = None
    """For dataset=file: the name of the label's column."""


@dataclass
class ClassifierSettings:
    """A scikit-learn classifier."""

    name: str = MISSING
    """The name in records and tables."""
    _target_: str = MISSING
    """The class's import path. It is code: only use configs you trust."""
    params: dict[str, Any] = field(default_factory=dict)
    """Arguments of the class; random_state is fixed, so that a seed varies the data and the
    sampler only."""


@dataclass
class SamplerSettings:
    """A sampler with imbalanced-learn's interface, or `none`, or `autosmote`."""

    name: str = MISSING
    """The name in records and tables, lower case."""
    _target_: str | None = None
    """The class's import path; null for none and autosmote. It is code, like a classifier's."""
    takes_ratio: bool = False
    """Whether `sampling_strategy` accepts a ratio n_min/n_maj. If so the ratio is tuned on the
    validation part over 0.1, ..., 1.0, else the sampler runs once with its defaults."""
    params: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the class."""


@dataclass
class PreprocessSettings:
    """How features are prepared."""

    fit_on: str = "train"
    """train: scaling is fitted on the training part; all: before the split, as the paper does,
    which leaks."""


@dataclass
class Config:
    """One run."""

    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    clf: ClassifierSettings = field(default_factory=ClassifierSettings)
    sampler: SamplerSettings = field(default_factory=SamplerSettings)
    search: SearchConfig = field(default_factory=SearchConfig)
    preprocess: PreprocessSettings = field(default_factory=PreprocessSettings)
    ir: float | None = "${dataset.default_ir}"  # type: ignore[assignment]
    """N_maj / N_min after the minority is under-sampled; null keeps the data as they are."""
    metric: str = "macro_f1"
    """macro_f1 or mcc: the reward, the choice on validation and the headline."""
    seed: int = 0
    """Changes the under-sampling, the split, the sampler and the search."""
    results_dir: str = "results"
    """Records go to <results_dir>/runs/."""
    data_dir: str | None = None
    """A folder with the six datasets as ARFF; null: AUTOSMOTE_DATA_DIR, else OpenML."""
    force: bool = False
    """Run again although there is a record."""
    retry: str | None = None
    """failed: run again where the record is not ok."""
    save_data: bool = False
    """Keep the resampled training part beside the record."""


def register_schema() -> None:
    """Make the schema known to Hydra, under the name that conf/config.yaml gives it."""
    from hydra.core.config_store import ConfigStore

    ConfigStore.instance().store(name="schema", node=Config)


def validate(config: Config) -> None:
    """Check what types cannot, before any work.

    The ranges of `ir`, `preprocess` and `search` are checked by the code that uses them.

    Raises
    ------
    UserError
        With the setting's name, its value and what is allowed.
    """
    for key, allowed in (("metric", list(METRICS)), ("retry", [None, "failed"])):
        value = getattr(config, key)
        if value not in allowed:
            names = ["null" if name is None else name for name in allowed]
            hint = _did_you_mean(str(value), names)
            raise UserError(f"{key}={value} is not known; choose one of {', '.join(names)}{hint}.")
    if not 0 <= config.seed < 2**32:  # the range of numpy's RandomState, which samplers use
        raise UserError(f"seed must lie between 0 and {2**32 - 1}, not {config.seed}.")


def available(group: str) -> list[str]:
    """Names of a group's options, e.g. of all samplers."""
    return sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml"))


def explain(error: BaseException) -> str:
    """Turn an error of Hydra's composition into one sentence with the remedy."""
    cause = error.__cause__ or error
    group, _, name = (getattr(error, "missing_cfg_file", None) or "").rpartition("/")
    if group:
        names = sorted(getattr(error, "options", None) or available(group))
        return (
            f"There is no {group} '{name}'; choose one of "
            f"{', '.join(names)}{_did_you_mean(name, names)}."
        )
    full_key = getattr(cause, "full_key", None)
    if full_key and (unknown := re.match(r"Key '(\w+)' (?:is )?not in", str(cause))):
        parent, _, _ = full_key.rpartition(".")
        keys = _keys(parent)
        if not keys:  # a free dictionary, such as clf.params
            return f"{full_key} is not set yet; add it by a plus sign: +{full_key}=..."
        where = f"under '{parent}'" if parent else "at the top level"
        return (
            f"There is no setting '{full_key}'; {where} there are "
            f"{', '.join(keys)}{_did_you_mean(unknown[1], keys)}."
        )
    if full_key and type(cause).__name__ == "ValidationError":
        wanted = _wanted(full_key)
        given = re.search(r"Value '(.*?)'", str(cause), re.DOTALL)
        value = f", not '{given[1]}'" if given else ""
        return f"{full_key} must be {wanted}{value}."
    if ambiguous := re.search(r"Ambiguous value for argument '(.*?)'", str(error)):
        return (
            f"{ambiguous[1]} has several values; run all of them by -m, or put a list in brackets."
        )
    first_line = next((line for line in str(error).splitlines() if line.strip()), repr(error))
    return (
        f"The settings cannot be read: {first_line.strip().rstrip('.')}; they are written "
        "key=value (see --help)."
    )


def _did_you_mean(given: str, names: list[str]) -> str:
    by_lower = {name.lower(): name for name in names}
    close = get_close_matches(given.lower(), by_lower, n=1)
    return f" (did you mean {by_lower[close[0]]}?)" if close else ""


def _schema(key: str) -> Any:
    """The dataclass or the annotation at a dotted key; None where the schema ends."""
    node: Any = Config
    for part in key.split(".") if key else []:
        if not is_dataclass(node):
            return None
        node = {f.name: f.type for f in fields(node)}.get(part)
    return node


def _keys(parent: str) -> list[str]:
    node = _schema(parent)
    return [f.name for f in fields(node)] if is_dataclass(node) else []


def _wanted(key: str) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    node = _schema(key)
    types = getattr(node, "__args__", (node,))
    names = [words[t] for t in words if t in types]
    if type(None) in types:
        names.append("null")
    return " or ".join(names) or "of another type"
