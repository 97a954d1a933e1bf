"""The rule of the experiments on many datasets: its sentences, and the table that judges it."""

from __future__ import annotations

import numpy as np

from autosmote.reports.render.table import Cell, Table, format_estimate, format_number
from autosmote.reports.studies.costs import compute_costs
from autosmote.reports.studies.many.arms import VOTE, Arms
from autosmote.reports.studies.many.rule import THE_RULE
from autosmote.reports.studies.many.study import Found


def make_rule_table(name: str, found: Found, notes: list[str]) -> Table:
    """Make the table of the rule against choosing always the same; `notes` are its last ones."""
    seconds = _seconds(found)
    data = found.judged.assign(seconds=[seconds.get(one, np.nan) for one in found.judged["choice"]])
    rows = [
        [
            Cell(title_of_choice(found.arms, row["choice"])),
            Cell(f"{100 * row['share']:.0f}%", sort=row["share"]),
            format_estimate(row, "gain", 3, sign=True),
            Cell("") if row["choice"] == THE_RULE else format_estimate(row, "less", 3, sign=True),
            format_estimate(row, "regret", 3),
            Cell(format_number(row["seconds"], 1), sort=row["seconds"]),
        ]
        for row in data.to_dict("records")
    ]
    first = data.iloc[0]
    return Table(
        name,
        f"The rule against choosing always the same, {found.half} half",
        [
            *("Choice", "Chosen by the rule", f"Gain [95%] (n = {first['families']})"),
            *("Rule less this [95%]", "Regret [95%]", "Seconds"),
        ],
        rows,
        data,
        notes=[
            "; ".join(write_rule(found)),
            "Scores are means over Macro-F1 and MCC. Gain: over no resampling. Regret: the best "
            "choice of each dataset and classifier, as it turned out, less this; chance makes it "
            "larger than it is. Seconds: median of a run.",
            *notes,
        ],
    )


def _seconds(found: Found) -> dict[str, float]:
    """Return the median seconds of a run by source; of the rule as it chooses."""
    costs = compute_costs(found.study).groupby("arm")["seconds"].mean()
    shares = found.judged.set_index("choice")["share"].drop(THE_RULE)
    of = {source: costs.get(found.arms.find(source, VOTE), np.nan) for source in shares.index}
    chosen = {source: share for source, share in shares.items() if share > 0}
    return of | {THE_RULE: sum(share * of[source] for source, share in chosen.items())}


def title_of_choice(arms: Arms, choice: str) -> str:
    """Return the name of a choice of the rule, or of the rule itself."""
    arm = arms.find(choice, VOTE)
    return arms.title(arm) if arm else f"{choice[0].upper()}{choice[1:]}"


def write_rule(found: Found) -> list[str]:
    """Return the rule in sentences, one for each of its choices; empty without a rule."""
    if found.rule is None:
        return []
    lines = []
    for conditions, choice in found.rule.paths():
        when = ", ".join(conditions) or "always"
        lines.append(f"{when[0].upper()}{when[1:]}: {title_of_choice(found.arms, choice)}")
    return lines
