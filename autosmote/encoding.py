"""Public alias of `autosmote.sampler.encoding.tabular`."""

from autosmote.sampler.encoding import tabular

__all__ = ["tabular"]
