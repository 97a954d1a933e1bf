"""Search settings, and their values on a machine. Imports neither torch nor numpy.

The same dataclass is the schema of ``search.*`` on the command line and the argument of
``autosmote.sampler.class_search.ClassSearch``.
"""

import logging
import math
import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.util import find_spec
from numbers import Real
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import Any

from autosmote.errors import UserError
from autosmote.isolation.processes import usable_cores

logger = logging.getLogger("autosmote")

LOW_LEVEL_NETS = ("joint", "paper")
LAMBDA_HEADS = ("discrete", "continuous")
ABLATIONS = (
    "none", "no_cross_instance", "no_instance_specific", "no_low_level", "flat", "random_search",
    "merge_train_val", "random_search_per_row",
)  # fmt: skip
LEARNERS = ("auto", "torch", "numpy")
REWARDS = ("validation", "crossfit")
FINALS = ("best", "vote", "tuned_vote", "diverse_vote")
DIVERSE_POOL = 4
"""Candidates that the members of a diverse vote are chosen from, for each member."""
LARGEST = {
    **{"G1": 10**4, "G2": 10**4, "lag": 1000, "folds": 10**4, "chunks_per_update": 10**4},
    **dict.fromkeys(("buffer_cross", "buffer_instance", "buffer_low"), 10**7),
}
"""Far above what makes sense: beyond it, networks, shared memory or queues would fill a machine."""
_LARGEST = 10**9


_TYPES: dict[Any, tuple[Any, str]] = {
    bool: (bool, "true or false"),
    float: (Real, "a number"),
    float | None: ((Real, NoneType), "a number or null"),
    str: (str, "a text"),
    str | None: ((str, PathLike, NoneType), "a path or null"),
    dict[str, Any]: (Mapping, "settings by name"),
}
"""By a setting's annotation the types of its value, and these in words."""


@dataclass
class SearchConfig:
    """AutoSMOTE's search; the defaults are the paper's (Section 4.1) and its authors'."""

    iterations: int = 1000
    """I: episodes, each one classifier trained and scored. 0, of method=class_aware: one sample
    set, without a search."""
    G1: int | None = None
    """Cross-instance actions 0..G1; null: max(1, round(G / G2)), where G is samples_per_ir x IR."""
    samples_per_ir: float = 4.0
    """G1 x G2 / IR where G1 is null: the most rows around one row, in units of the imbalance
    ratio."""
    G2: int = 10
    """Instance-specific actions 0..G2."""
    K: int = 30
    """Neighbour slots of a minority row, itself included; at most the number of minority rows."""
    include_largest: bool = True
    """Whether G1 and G2 themselves are actions; false, as in the authors' code: 0..G1 - 1 and
    0..G2 - 1."""
    lag: int = 4
    """Episodes in flight: episode n is made with the parameters after episodes 0..n - lag; 1 is
    on-policy. Part of a run's identity; more actors than this have nothing to do."""
    actors: int | str = "auto"
    """Actor processes: auto takes the usable cores, 0 runs all in one process. The result is the
    same for any number."""
    device: str = "auto"
    """The learner's device: auto, cpu or cuda."""
    time_limit: float | None = None
    """Seconds after which the search stops with what it has, looked at after every iteration;
    null: none."""
    patience: int | None = None
    """Iterations without a new best score after which the search stops; null: it does not."""
    init_from: str | None = None
    """Start from the policies that an earlier search saved: its run's folder, or the file; null:
    at random. Rows that were held out here may have taught them (another seed splits anew)."""
    save_policies: bool = False
    """Keep the final policies beside the record, for init_from."""
    method: str = "hierarchical"
    """How sample sets are proposed. hierarchical: the paper's policies; else the import path of a
    class of methods (autosmote.search.method). It is code: only use configs you trust."""
    method_params: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the method's class."""
    learner: str = "auto"
    """How the policies are updated. numpy: on the CPU, without torch, which is faster there, for
    low_level_net=paper and lambda_head=discrete; torch: on the device that `device` names. auto:
    numpy where it can and there is no GPU to use, else torch. Equal to rounding, which grows:
    another run."""
    scoring: str = "auto"
    """auto: a fast exact scorer where there is one for the classifier; refit: scikit-learn."""
    scoring_memory: int = 1024
    """MB that a fast scorer may precompute; beyond it, it falls back to refit."""
    bin_width: int = 10
    """Use counts in one bin of a row's state (Section 3.2): bin = min(count // bin_width, 9)."""
    low_level_rows: int = 10
    """Rows per episode whose low-level steps are learned from."""
    low_level_net: str = "paper"
    """paper: the state's representation joins an action's bin and lambda (Section 3.3); joint: the
    raw state joins them and the neighbour's features (the authors' code)."""
    buffer_cross: int = 2
    """B of the cross-instance queue: steps per update (Algorithm 2)."""
    buffer_instance: int = 300
    """B of the instance-specific queue."""
    buffer_low: int = 300
    """B of the low-level queue."""
    chunks_per_update: int = 1
    """Chunks of B steps in one update, each with V-trace targets of its own; their losses are
    summed (the authors' code: 8)."""
    learning_rate: float = 0.005
    """Adam's, constant."""
    gamma: float = 1.0
    """Discount."""
    value_cost: float = 0.5
    """Weight of the value loss (Eq. 2)."""
    entropy_cost: float = 0.0006
    """Weight of the entropy bonus."""
    max_grad_norm: float = 40.0
    """The gradient's norm is clipped at this."""
    lambda_head: str = "discrete"
    """discrete: one of five weights lambda between a row and its neighbour (the paper); continuous,
    its future work: any between 0 and 1, from a logistic-normal distribution that the low-level
    policy gives for the neighbour it chose. Episodes are scored by refits."""
    under_sampling: bool = False
    """Not of the paper: let one more policy decide, once per episode, which share (0, 0.1, ...,
    0.9) of the majority rows to leave out, those with most minority rows around them first."""
    reward: str = "validation"
    """Rows that score a sample set. validation: the validation part (the paper); crossfit: the
    mean over `folds` folds of the training and validation rows together, with synthetic rows
    made from a fold's training rows alone."""
    folds: int = 5
    """Number of folds of the crossfit reward."""
    final: str = "best"
    """Rule that makes the final classifier from the candidates. best: the sample set with the best
    score (the paper); vote: majority vote of the classifiers trained with each of the `keep` best;
    tuned_vote: the same with the share of votes that scores best on held-out rows; diverse_vote: a
    tuned vote of `keep` among the 4 x `keep` best, chosen for score and for how little their
    predictions on held-out rows are correlated."""
    keep: int = 25
    """Number of candidates that vote."""
    ablation: str = "none"
    """A part of the method that is replaced (Section 4.4). no_cross_instance,
    no_instance_specific: the level's factor is half its largest; no_low_level: neighbours and
    lambdas at random; flat: one policy over "make this sample" and "next row"; random_search: all
    at random; merge_train_val: train and score on the training and validation rows together;
    random_search_per_row: all at random, with one scaling factor a row, 0..G1 x G2, and none for
    all rows."""

    def check(self) -> None:
        """Check every setting.

        Raises
        ------
        UserError
            Where one is out of its range.
        """
        positive = (
            "G2", "K", "lag", "scoring_memory", "low_level_rows",
            "buffer_cross", "buffer_instance", "buffer_low", "keep", "bin_width",
            "chunks_per_update",
        )  # fmt: skip
        given = [name for name in ("G1", "patience") if getattr(self, name) is not None]
        for name in (*positive, *given):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise UserError(f"search.{name} must be a whole number of at least 1, not {value}.")
            if value > LARGEST.get(name, _LARGEST):
                raise UserError(
                    f"search.{name} must be at most {LARGEST.get(name, _LARGEST)}, not {value}."
                )
        least = 1 if self.method == "hierarchical" else 0
        n = self.iterations
        if isinstance(n, bool) or not isinstance(n, int) or not least <= n <= _LARGEST:
            what = f"a whole number of at least {least} and at most {_LARGEST}"
            raise UserError(f"search.iterations must be {what}, not {n}.")
        self._check_types()
        for name in ("learning_rate", "max_grad_norm", "samples_per_ir", "value_cost"):
            if not math.isfinite(getattr(self, name)):
                raise UserError(
                    f"search.{name} must be a finite number, not {getattr(self, name)}."
                )
        for name in ("learning_rate", "max_grad_norm", "samples_per_ir"):
            if not getattr(self, name) > 0:
                raise UserError(f"search.{name} must be above 0, not {getattr(self, name)}.")
        for name in ("value_cost", "entropy_cost"):
            if not getattr(self, name) >= 0:
                raise UserError(f"search.{name} must be at least 0, not {getattr(self, name)}.")
        if not 0 <= self.gamma <= 1:
            raise UserError(f"search.gamma must lie in [0, 1], not {self.gamma}.")
        if self.time_limit is not None and not self.time_limit > 0:
            raise UserError(f"search.time_limit must be above 0 seconds, not {self.time_limit}.")
        if self.actors != "auto" and (
            isinstance(self.actors, bool) or not isinstance(self.actors, int) or self.actors < 0
        ):
            raise UserError(
                f"search.actors must be 'auto' or a whole number of at least 0, not {self.actors}."
            )
        choices = {
            "device": ("auto", "cpu", "cuda"),
            "scoring": ("auto", "refit"),
            "low_level_net": LOW_LEVEL_NETS,
            "lambda_head": LAMBDA_HEADS,
            "ablation": ABLATIONS,
            "learner": LEARNERS,
            "reward": REWARDS,
            "final": FINALS,
        }
        for name, valid in choices.items():
            value = getattr(self, name)
            if value not in valid:
                raise UserError(f"search.{name} must be one of {', '.join(valid)}, not {value}.")
        self._check_selection()

    def _check_types(self) -> None:
        """Check what Hydra does not where a setting comes from sampler.params or from an arm."""
        for setting in fields(self):
            if setting.type not in _TYPES:  # a whole number, which is checked with its range
                continue
            value = getattr(self, setting.name)
            types, must_be = _TYPES[setting.type]
            is_bool = isinstance(value, bool)  # which Python counts as a number, too
            if not isinstance(value, types) or is_bool != (setting.type is bool):
                raise UserError(f"search.{setting.name} must be {must_be}, not {value!r}.")

    def _check_selection(self) -> None:
        if isinstance(self.folds, bool) or not isinstance(self.folds, int) or self.folds < 2:
            raise UserError(f"search.folds must be a whole number of at least 2, not {self.folds}.")
        if self.folds > LARGEST["folds"]:
            raise UserError(f"search.folds must be at most {LARGEST['folds']}, not {self.folds}.")
        if self.learner == "numpy" and (self.device == "cuda" or not self.suits_numpy):
            raise UserError(
                "search.learner=numpy works on the CPU, with search.low_level_net=paper and "
                "search.lambda_head=discrete; use search.learner=torch."
            )
        if self.ablation == "merge_train_val" and self.reward != "validation":
            raise UserError(
                "The ablation merge_train_val holds no rows out, so it takes "
                "search.reward=validation."
            )

    @property
    def suits_numpy(self) -> bool:
        """Whether the numpy learner has these policies."""
        return (self.low_level_net, self.lambda_head) == ("paper", "discrete")

    @property
    def depends_on_scores(self) -> bool:
        """Whether the scores of sample sets decide which others are tried, or how many."""
        if self.method == "hierarchical":
            is_random = self.ablation in ("random_search", "random_search_per_row")
        else:
            is_random = self.method == "class_aware" and (
                self.method_params.get("learner") == "random" or self.iterations == 0
            )
        return not is_random or self.patience is not None or self.time_limit is not None

    @property
    def n_kept(self) -> int:
        """Number of candidates that a search keeps for `final`."""
        if self.final == "best":
            return 1
        return self.keep * (DIVERSE_POOL if self.final == "diverse_vote" else 1)

    @property
    def joins_parts(self) -> bool:
        """Whether synthetic rows are made from training and validation rows together."""
        return self.reward == "crossfit" or self.ablation == "merge_train_val"


def resolve_device(device: str) -> str:
    """Return "cpu" or "cuda" for the learner.

    Raises
    ------
    UserError
        Where "cuda" is asked for and there is none.
    """
    if device == "cpu" or (device == "auto" and not _torch_may_see_a_gpu()):
        return "cpu"
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "search.device=cuda, but torch sees no CUDA GPU here; use search.device=auto or cpu."
        )
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


@cache
def _torch_may_see_a_gpu() -> bool:
    """Return whether torch is built for GPUs; importing it to ask would take a second."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    try:
        build = runpy.run_path(str(Path(spec.origin).with_name("version.py")))
    except OSError:
        return True
    return any(build.get(name) for name in ("cuda", "hip", "rocm"))


def resolve_learner(config: SearchConfig) -> tuple[str, str]:
    """Return how policies are updated, "torch" or "numpy", and on which device.

    Raises
    ------
    UserError
        Where "cuda" is asked for and there is none.
    """
    device = "cpu" if config.learner == "numpy" else resolve_device(config.device)
    if config.learner == "auto":
        return ("numpy" if device == "cpu" and config.suits_numpy else "torch"), device
    return config.learner, device


def resolve_actors(actors: int | str, lag: int) -> int:
    """Return the number of actor processes: the usable cores for "auto", at most the lag."""
    if actors == "auto":
        return min(usable_cores(), lag)
    if int(actors) > lag:
        logger.info("search.actors=%s is reduced to search.lag=%s: no more can work", actors, lag)
    return min(int(actors), lag)


def resolve_G1(config: SearchConfig, ir: float) -> int:
    """Return G1: as set, or so that G1 x G2 is four times the imbalance ratio (Section 4.1)."""
    return config.G1 or max(1, round(config.samples_per_ir * ir / config.G2))


def largest_factors(config: SearchConfig, G1: int) -> tuple[int, int]:
    """Return the largest cross-instance and instance-specific scaling factors.

    Raises
    ------
    UserError
        Where one is 0, so that no rows could be made.
    """
    less = 0 if config.include_largest else 1
    g1, g2 = G1 - less, config.G2 - less
    if min(g1, g2) < 1:
        raise UserError(
            f"search.include_largest=false leaves no scaling factor but 0 with G1={G1} and "
            f"G2={config.G2}; both must be at least 2."
        )
    return (1, g1 * g2) if config.ablation == "random_search_per_row" else (g1, g2)
