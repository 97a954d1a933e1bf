"""Class-aware sampling policies: one distribution over pool rows, eight numbers, cross-entropy."""
