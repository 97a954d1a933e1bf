"""The one sentence at the end of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autosmote.own_table.intervals import Difference, paired_difference
from autosmote.own_table.methods import (
    AS_IT_IS,
    CLASS_WEIGHTS,
    SIMPLE,
    SYNTHETIC,
    THRESHOLD,
    UNDER_VOTE,
)
from autosmote.own_table.scorings import is_up_to_one

ROWS_NEEDED = 20
"""Of the smallest class; with fewer a test part holds so few that no interval is to be trusted."""
WIDE = 0.05
"""An interval of a tie that reaches further than this to either side does not show that two
methods are alike; of scores with 1 as the best alone, as of others 0.05 may be much or little."""

_NAMES = {AS_IT_IS: "the unchanged table", THRESHOLD: "a tuned threshold"}
_PLURAL = (CLASS_WEIGHTS,)


@dataclass(frozen=True)
class Results:
    """What a comparison found.

    Attributes
    ----------
    scores : mapping of str to sequence of float
        For each method its score on each split, the same splits for all.
    metric : str
    folds : int
        Of each repeat.
    smallest : int
        Rows of the smallest class.
    label : str
        That class.
    """

    scores: Mapping[str, Sequence[float]]
    metric: str
    folds: int
    smallest: int
    label: str

    @property
    def simple(self) -> list[str]:
        """The methods without synthetic rows, in the order of trial."""
        return [name for name in SIMPLE if name in self.scores]

    @property
    def synthetic(self) -> list[str]:
        """The methods with synthetic rows, the simplest first."""
        return [name for name in SYNTHETIC if name in self.scores]

    def mean(self, name: str) -> float:
        return float(np.mean(self.scores[name]))

    def difference(self, one: str, other: str) -> Difference:
        """Return a difference; its interval allows for the best being one of several methods.

        The best is taken with synthetic rows and without: the larger choice sets the width.
        """
        return paired_difference(
            self.scores[one],
            self.scores[other],
            test_share=1 / (self.folds - 1),
            confidence=1 - 0.05 / max(1, len(self.synthetic), len(self.simple)),
        )

    def alike(self, one: str, other: str) -> bool:
        """Return whether two methods are shown to score nearly the same."""
        found = self.difference(one, other)
        return is_up_to_one(self.metric) and max(abs(found.low), abs(found.high)) <= WIDE


def conclude(results: Results) -> str:
    """Say in one sentence whether synthetic rows help, which, by how much, or what is not known.

    Notes
    -----
    The best of the methods with synthetic rows is compared with the best without (`SIMPLE`). The
    interval is as wide as it has to be where the best of several is taken (Bonferroni).
    """
    if not results.simple or not results.synthetic:
        return "Nothing is concluded, as not both methods with and without synthetic rows are here."
    best = max(results.synthetic, key=results.mean)
    rival = max(results.simple, key=results.mean)
    gain = results.difference(best, rival)
    if results.smallest < ROWS_NEEDED or gain.high != gain.high:
        return _too_few(results, gain)
    if gain.above:
        return _win(results, best, rival, gain)
    if gain.below:
        return (
            f"Synthetic rows do not help here: {best}, the best of them, scores "
            f"{-gain.mean:.3f} less in {results.metric} than {_name(rival)} ({_interval(gain)})."
        )
    # The first in the order of trial that is as good, and clearly worse than neither.
    for name in results.simple:
        worse = results.difference(rival, name).above or results.difference(best, name).above
        if results.alike(best, name) and not worse:
            return _tie(results, best, name)
    return _open(best, rival, results.metric, gain)


def _too_few(results: Results, gain: Difference) -> str:
    least = gain.high - gain.mean
    known = f", and differences in {results.metric} below {least:.2f} may be chance"
    return (
        f"It cannot be told here whether synthetic rows help: class '{results.label}' has "
        f"{results.smallest} rows, where {ROWS_NEEDED} are the least to judge by"
        f"{known if least == least else ''}."
    )


def _win(results: Results, best: str, rival: str, gain: Difference) -> str:
    sentence = (
        f"Synthetic rows help here: {best} scores {results.mean(best):.3f} in {results.metric}, "
        f"{gain.mean:.3f} more than {_name(rival)} ({_interval(gain)}), the best without them"
    )
    for name in results.synthetic[: results.synthetic.index(best)]:
        if results.difference(name, rival).above and not results.difference(best, name).above:
            return (
                f"{sentence}; {name} ({results.mean(name):.3f}) is simpler and not clearly worse."
            )
    return f"{sentence}."


def _open(best: str, rival: str, metric: str, gain: Difference) -> str:
    return (
        f"It cannot be told here whether synthetic rows help: {best}, the best of them, scores "
        f"{gain.mean:+.3f} in {metric} against {_name(rival)} ({_interval(gain)}); "
        f"until more rows or repeats decide, the latter {_price(rival)}."
    )


def _tie(results: Results, best: str, free: str) -> str:
    gain = results.difference(best, free)
    name = _name(free)
    are = "are" if free in _PLURAL else "is"
    return (
        f"{name[0].upper()}{name[1:]} {are} as good here and {_price(free)}: {best}, the best with "
        f"synthetic rows, scores {gain.mean:+.3f} in {results.metric} ({_interval(gain)})."
    )


def _price(method: str) -> str:
    if method == UNDER_VOTE:  # its fits are as many as those of a vote over synthetic rows
        return "needs no synthetic rows"
    return "cost nothing" if method in _PLURAL else "costs nothing"


def _name(method: str) -> str:
    return _NAMES.get(method, method)


def _interval(difference: Difference) -> str:
    return f"interval {difference.low:+.3f} to {difference.high:+.3f}"
