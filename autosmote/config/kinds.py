"""Table of the kinds of samplers with their properties."""

from dataclasses import dataclass

SELECTION = ("iterations", "reward", "folds", "final", "keep")
"""Settings of a search that do not say how its sample sets are made: all that `resamplings` use."""
CHOICE = ("final", "keep")
"""Settings of a search that take effect once all sample sets have been scored."""

_RESAMPLER_METHODS = ("fit", "resample", "transform")


@dataclass(frozen=True)
class Kind:
    """Properties of a kind of samplers.

    Attributes
    ----------
    name : str
        The value of `sampler.kind`.
    methods : tuple of str
        Methods that its class must have; empty for a kind without a class.
    is_search : bool
        It scores many sample sets, by the settings of `search`.
    params_are_search_settings : bool
        The sampler's params are settings of the search, and not arguments of its class.
    trains_networks : bool
        It may import torch.
    limits : tuple of str
        Settings of `limits` that can change its result: those of its sandbox.
    serves_classifiers, serves_metrics : bool
        One unit, and so one resampling, serves all classifiers, or all metrics.
    seconds : float
        A guess at the seconds of one resampling of 10,000 rows, where no record tells.
    """

    name: str
    methods: tuple[str, ...] = ()
    is_search: bool = False
    params_are_search_settings: bool = False
    trains_networks: bool = False
    limits: tuple[str, ...] = ()
    serves_classifiers: bool = False
    serves_metrics: bool = False
    seconds: float = 0.0

    @property
    def needs_class(self) -> bool:
        """Whether `sampler._target_` must be given."""
        return bool(self.methods)

    @property
    def is_sandboxed(self) -> bool:
        """Whether it works in a process of its own, with limits."""
        return bool(self.limits)

    @property
    def is_classifier(self) -> bool:
        """Whether it trains a classifier of its own."""
        return "predict" in self.methods


KINDS = {
    kind.name: kind
    for kind in (
        Kind("none", serves_classifiers=True, serves_metrics=True, seconds=0.2),
        Kind("search", is_search=True, params_are_search_settings=True, trains_networks=True),
        Kind("resamplings", methods=_RESAMPLER_METHODS, is_search=True, serves_metrics=True),
        Kind(
            "resampler",
            methods=_RESAMPLER_METHODS,
            limits=("resampling_seconds", "run_seconds", "memory_mb"),
            serves_classifiers=True,
            serves_metrics=True,
            seconds=2.0,
        ),
        Kind(
            "method",
            methods=("fit", "predict"),
            limits=("run_seconds", "memory_mb"),
            seconds=100.0,
        ),
        Kind("group"),
    )
}
