"""A search of label 1 in plain arrays, before it runs."""

from autosmote.sampler.class_search import ClassSearch, SearchRows
from autosmote.sampler.folds import make_folds, shuffled_folds


def search_in(X, y, estimator, config, validation=None):
    """Make a search that scores on validation rows, or without these on folds of X and y."""
    cv = None if validation else shuffled_folds(config.folds, 0)
    folds = make_folds(X, y, fraction=0, validation=validation, cv=cv, seed=0)
    return ClassSearch(
        SearchRows.plain(X, y, folds), 1, estimator, metric="macro_f1", seed=0, config=config
    )
