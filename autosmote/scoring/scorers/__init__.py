"""Fast exact scorers: a classifier's validation predictions, without refitting it."""
