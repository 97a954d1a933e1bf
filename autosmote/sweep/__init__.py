"""Sweeps: thousands of runs as units of work, on one machine or many, that survive anything."""
