"""Rewards of sample sets, fast exact scorers, and drop-in classifiers."""
