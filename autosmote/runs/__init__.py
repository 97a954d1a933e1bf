"""Runs that share a resampling, and the way to do them."""
