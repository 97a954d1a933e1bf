"""The experiments on a hundred datasets: gains over families of datasets, and when what pays."""
