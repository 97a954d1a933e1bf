"""MESA: an ensemble of under-sampled members whose sampler is learned by soft actor-critic."""

from baselines.mesa.model import MESA

__all__ = ["MESA"]
