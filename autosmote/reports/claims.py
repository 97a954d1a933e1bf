"""What differences say of the paper's claims, in sentences: what holds and what is contradicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.names import METRICS
from autosmote.reports.verdicts import (
    ABOVE,
    BELOW,
    NOTHING,
    OPEN,
    TESTS,
    TOO_FEW,
    Row,
    join_words,
    locate,
    phrase_both,
    phrase_difference,
    phrase_sample,
)

RANDOM = "random_search"
"""The ablation that the paper has in the last place."""
OF_PARAMETERS = {
    "G1xG2/IR": (4.0, (1.0, 2.0, 8.0), "the best value is 4"),
    "G2": (10.0, (2.0, 40.0), "a value that is too small or too large is worse"),
    "K": (30.0, (1.0,), "a very small value is much worse"),
}
"""By hyperparameter (Section 4.5): the default, the values that are worse, and the claim."""


def write_controls(differences: pd.DataFrame, metric: str, beside: Sequence[str]) -> list[str]:
    """Say whether AutoSMOTE is better than each control, and than the samplers they are made of."""
    rows = sorted(_rows(differences, metric), key=lambda row: row["against"] not in beside)
    found = []
    for row in rows:
        is_control = row["against"] in beside
        said = {
            ABOVE: "AutoSMOTE is better",
            BELOW: "AutoSMOTE is worse, which contradicts the paper",
            OPEN: "neither is shown to be better, as the interval holds 0",
            TOO_FEW: NOTHING,
        }
        if is_control:
            said[BELOW] = "AutoSMOTE is worse, so that its search gains nothing over its budget"
            said[OPEN] += ", so that its search is not shown to gain anything over its budget"
        found.append(f"{METRICS[metric]}: {_against(row)}: {said[locate(row)]}.")
    if not beside:
        found.append(
            f"{METRICS[metric]}: no arm that was run trains as many classifiers as AutoSMOTE, so "
            "nothing here tells its search from its budget."
        )
    return found


def write_extensions(differences: pd.DataFrame, metric: str) -> list[str]:
    """Say whether each extension helps."""
    said = {
        ABOVE: "the extension harms",
        BELOW: "the extension helps",
        OPEN: "the extension is not shown to help or to harm, as the interval holds 0",
        TOO_FEW: NOTHING,
    }
    return [
        f"{METRICS[metric]}: {_against(row)}: {said[locate(row)]}."
        for row in _rows(differences, metric)
        if row["against"] in names.EXTENSIONS
    ]


def write_ablations(differences: pd.DataFrame, of_random: pd.DataFrame, metric: str) -> list[str]:
    """Say which parts help, which do not, and whether random search is last.

    `of_random` holds the differences of random search to the other arms.
    """
    rows = [row for row in _rows(differences, metric) if row["against"] in names.ABLATIONS]
    if not rows:
        return []
    said = {
        ABOVE: ("AutoSMOTE is better than", "as in the paper"),
        BELOW: ("AutoSMOTE is worse than", "which contradicts the paper"),
        OPEN: (
            "AutoSMOTE is not shown to differ from",
            "the intervals hold 0, so that these do not support the paper",
        ),
        TOO_FEW: ("AutoSMOTE less the ablation is, of", NOTHING),
    }
    parts = []
    for where, (begin, end) in said.items():
        there = [row for row in rows if locate(row) == where]
        if there:
            listed = join_words(
                [f"{names.arm(row['against'])} ({phrase_both(row)})" for row in there]
            )
            parts.append(f"{begin} {listed}: {end}")
    head = (
        f"{METRICS[metric]}: in the paper AutoSMOTE is better than each ablation. Here, over "
        f"{phrase_sample(rows[0])}{_budgets(rows)}: "
    )
    return [
        f"{head}{'; '.join(parts)}.",
        *_random_is_last(of_random, metric),
        *_other_reading(of_random, metric),
    ]


def _random_is_last(of_random: pd.DataFrame, metric: str) -> list[str]:
    rows = [row for row in _rows(of_random, metric) if row["against"] != names.READING]
    if not rows:
        return []
    there: dict[str, list[str]] = {}
    for row in rows:
        text = f"{names.arm(row['against'])} ({phrase_difference(row, row['judged'])})"
        there.setdefault(locate(row), []).append(text)
    listed = {where: join_words(texts) for where, texts in there.items()}
    head = (
        f"{METRICS[metric]}: in the paper random search is last. Here its score less that of the "
        f"others, on the {TESTS[rows[0]['judged']]}, over {phrase_sample(rows[0])}: "
    )
    if TOO_FEW in listed:
        return [f"{head}{listed[TOO_FEW]}; {NOTHING}."]
    parts = []
    if ABOVE in listed:
        parts.append(f"it is better than {listed[ABOVE]}, which contradicts the paper")
    if BELOW in listed:
        last = "so it is last, as in the paper" if set(listed) == {BELOW} else "as in the paper"
        parts.append(f"it is worse than {listed[BELOW]}, {last}")
    else:
        parts.append("it is not shown to be worse than any, which does not support the paper")
    if OPEN in listed:
        parts.append(f"it is not shown to differ from {listed[OPEN]}")
    return [f"{head}{'; '.join(parts)}."]


def _other_reading(of_random: pd.DataFrame, metric: str) -> list[str]:
    return [
        f"{METRICS[metric]}: random search less its other reading, one scaling factor a row: "
        f"{phrase_both(row)}, over {phrase_sample(row)}."
        for row in _rows(of_random, metric)
        if row["against"] == names.READING
    ]


def write_hyperparameters(differences: pd.DataFrame, metric: str) -> list[str]:
    """Say of each hyperparameter whether the values that the paper finds worse are worse here.

    The differences are those of the default to the other values.
    """
    found = []
    for parameter, (default, worse, claim) in OF_PARAMETERS.items():
        against = {f"{parameter}={value:g}" for value in worse}
        rows = [row for row in _rows(differences, metric) if row["against"] in against]
        said = {
            ABOVE: ", as in the paper",
            BELOW: ", which contradicts the paper",
            OPEN: ": the interval holds 0, which does not support the paper",
            TOO_FEW: "",
        }
        parts = [
            f"{default:g} less {row['against'].rpartition('=')[2]} is {phrase_both(row)}"
            f"{said[locate(row)]}"
            for row in rows
        ]
        parts += [NOTHING] * any(locate(row) == TOO_FEW for row in rows)
        if parts:
            found.append(
                f"{METRICS[metric]}, {parameter}: in the paper {claim}. Here, over "
                f"{phrase_sample(rows[0])}, {'; '.join(parts)}."
            )
    return found


def _against(row: Row) -> str:
    """Return the difference to an arm, with the classifiers that both train."""
    name = names.arm(row["against"])
    return f"AutoSMOTE less {name}{_budgets([row])}: {phrase_both(row)}, over {phrase_sample(row)}"


def _budgets(rows: Sequence[Row]) -> str:
    """Say how many classifiers AutoSMOTE trains, and the others; nothing where it is not known."""
    own, others = rows[0]["classifiers"], {row["classifiers_against"] for row in rows}
    if others == {own}:
        return f" ({own:.0f} classifiers each)"
    if len(others) > 1 or np.isnan([own, *others]).any():
        return ""
    return f" ({own:.0f} classifiers to {others.pop():.0f})"


def _rows(frame: pd.DataFrame, metric: str) -> list[Mapping[str, Any]]:
    return frame[frame["metric"] == metric].to_dict("records") if len(frame) else []
