"""One thread for each classifier that is trained to score, as the processes of a search use cores.

Threads of numpy, scikit-learn and OpenMP are limited where the processes start
(`autosmote.search.actor_pool`). What a classifier starts by a parameter of its own is not.
"""

from __future__ import annotations

from typing import Any

_NUMBERS = ("n_jobs", "num_threads", "nthread", "thread_count")
"""Parameters that say how many threads or processes a classifier uses."""

_ALL_CORES = {"lightgbm": "n_jobs", "xgboost": "n_jobs", "catboost": "thread_count"}
"""Packages whose classifiers use all cores by default, and the parameter that says otherwise."""


def single_threaded(estimator: Any) -> Any:
    """Return a classifier that uses one thread or process.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Unfitted.

    Returns
    -------
    scikit-learn classifier
        A clone with other numbers of threads, in the classifiers inside it as well; `estimator`
        itself where it uses one already.
    """
    from sklearn.base import clone

    given = estimator.get_params()
    # Of scikit-learn's None is one, but for a context of joblib's that the processes do not have.
    wanted = {name for name, n in given.items() if _last(name) in _NUMBERS and n is not None}
    for prefix, part in [("", estimator), *((f"{name}__", value) for name, value in given.items())]:
        for base in type(part).__mro__:
            if number := _ALL_CORES.get(base.__module__.partition(".")[0]):
                wanted.add(prefix + number)
    changed = {name: 1 for name in wanted if given.get(name) != 1}
    return clone(estimator).set_params(**changed) if changed else estimator


def _last(name: str) -> str:
    return name.rpartition("__")[2]
