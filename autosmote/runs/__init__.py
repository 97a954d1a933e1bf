"""Runs: their plan in units, and the one way to do a unit."""
