"""The least and the most that the numbers of a comparison, or of a search, may be."""

from autosmote.config.schema import LAST_SEED

FOLDS = (2, 10**4)
REPEATS = (1, 10**4)
ITERATIONS = (0, 10**9)
SEEDS = (0, LAST_SEED)
