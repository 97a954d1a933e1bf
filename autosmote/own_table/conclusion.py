"""The one sentence at the end of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from autosmote.own_table.intervals import Difference, paired_difference
from autosmote.own_table.methods import AS_IT_IS, CLASS_WEIGHTS, SIMPLE, SYNTHETIC, THRESHOLD

ROWS_NEEDED = 20
"""Of the smallest class; with fewer a test part holds so few that no interval is to be trusted."""
WIDE = 0.05
"""An interval of a tie that reaches further than this to either side does not show that two
methods are alike."""

_NAMES = {AS_IT_IS: "the table as it is", CLASS_WEIGHTS: "class weights", THRESHOLD: "a tuned "
          "threshold"}  # fmt: skip


def conclude(
    scores: Mapping[str, Sequence[float]],
    *,
    metric: str,
    folds: int,
    smallest: int,
    label: str,
    seconds: Mapping[str, float] | None = None,
) -> str:
    """Say in one sentence whether synthetic rows help, which, by how much, or what is not known.

    Parameters
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
    seconds : mapping of str to float, optional
        Of one fit of each method.

    Notes
    -----
    The best of the synthetic methods is compared with the simple ones (`SIMPLE`). Its interval is
    as wide as several methods need that the best is taken of (Bonferroni).
    """
    simple = [name for name in SIMPLE if name in scores]
    synthetic = [name for name in SYNTHETIC if name in scores]
    if not simple or not synthetic:
        return "Nothing can be concluded, as there are not both methods with and without synthetic rows."
    means = {name: float(np.mean(values)) for name, values in scores.items()}
    confidence = 1 - 0.05 / len(synthetic)

    def difference(one: str, other: str, confidence: float = confidence) -> Difference:
        return paired_difference(
            scores[one], scores[other], test_share=1 / (folds - 1), confidence=confidence
        )

    best = max(synthetic, key=means.__getitem__)
    rival = max(simple, key=means.__getitem__)
    gain = difference(best, rival)
    if smallest < ROWS_NEEDED:
        least = max(abs(gain.high - gain.mean), 0.0)
        return (
            f"It cannot be told here whether synthetic rows help: class '{label}' has {smallest} "
            f"rows, where {ROWS_NEEDED} are the least to judge by, and differences in {metric} "
            f"below about {least:.2f} cannot be told from chance."
        )
    if gain.above:
        return _win(best, rival, gain, metric, means, seconds, synthetic, difference)
    if gain.below:
        return (
            f"Synthetic rows do not help here: {best}, the best of them, scores "
            f"{-gain.mean:.3f} less in {metric} than {_name(rival)} ({_interval(gain)})."
        )
    # The simplest that is not clearly worse than the best simple one, nor than the synthetic one.
    free = next(
        name for name in simple
        if not difference(rival, name, 0.95).above and not difference(best, name).above
    )  # fmt: skip
    gain = difference(best, free)
    if max(abs(gain.low), abs(gain.high)) > WIDE:
        return (
            f"It cannot be told here whether synthetic rows help: {best}, the best of them, "
            f"scores {gain.mean:+.3f} in {metric} against {_name(free)} ({_interval(gain)}), and "
            "until more rows or repeats decide, the latter costs nothing."
        )
    return (
        f"{_capital(_name(free))} is as good here and costs nothing: {best}, the best with "
        f"synthetic rows, scores {gain.mean:+.3f} in {metric} against it ({_interval(gain)})."
    ).replace("lass weights is", "lass weights are")


def _win(best, rival, gain, metric, means, seconds, synthetic, difference):  # type: ignore[no-untyped-def]
    sentence = (
        f"Synthetic rows help here: {best} scores {means[best]:.3f} in {metric}, "
        f"{gain.mean:.3f} more than {_name(rival)} ({_interval(gain)}), the best without them"
    )
    cheaper = next(
        (
            name for name in synthetic[: synthetic.index(best)]
            if not difference(best, name).above and difference(name, rival).above
        ),
        None,
    )  # fmt: skip
    if cheaper is not None:
        sentence += f"; {cheaper} is simpler and not clearly worse ({means[cheaper]:.3f})"
    elif seconds:
        sentence += f"; a fit takes {seconds[best]:.1f} s instead of {seconds[rival]:.1f} s"
    return f"{sentence}."


def _name(method: str) -> str:
    return _NAMES.get(method, method)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _interval(difference: Difference) -> str:
    return f"interval {difference.low:+.3f} to {difference.high:+.3f}"
