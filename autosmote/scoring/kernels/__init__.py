"""Compiled loops that scorers and drop-in classifiers share."""
