"""Rivals of AutoSMOTE with imbalanced-learn's interface; they know nothing of its search."""
