"""Sweeps: thousands of runs on one machine or many. Resumable; failures are isolated."""
