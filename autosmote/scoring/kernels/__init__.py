"""Compiled loops that the scorers and the drop-in classifiers share."""
