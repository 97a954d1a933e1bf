"""The experiments on choosing among the sample sets that a search tried."""
