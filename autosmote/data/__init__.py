"""From a source of rows to a dataset, and from a dataset to a split."""
