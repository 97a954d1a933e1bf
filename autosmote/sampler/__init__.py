"""AutoSMOTE for everyone's data: an imbalanced-learn sampler."""
