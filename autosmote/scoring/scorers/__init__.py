"""Validation predictions of a classifier without refitting it, and by refitting it."""
