"""MESA: an ensemble of under-sampled members with a sampler learned by soft actor-critic."""

from baselines.mesa.model import MESA

__all__ = ["MESA"]
