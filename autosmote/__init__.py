"""AutoSMOTE: learned over-sampling for imbalanced classification by hierarchical RL."""

__version__ = "0.1.0"
