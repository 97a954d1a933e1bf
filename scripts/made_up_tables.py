"""Three made-up tables of the kinds that users have, for `own_tables.py`.

Each is written as ``table.csv``, with the classes, and ``new.csv``, rows that come later, without
them. A row's class depends on its features: the rarest are those of the highest risk, to which
chance is added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MadeUp:
    """A kind of table.

    Attributes
    ----------
    make : function
        From the number of rows and random numbers to the features and each row's risk.
    target : str
    labels : tuple of str
        The common class and the rare one.
    rows, new_rows : tuple of int
        Of the table, and of the rows that come later: how many, and how many of the rare class.
    left_out : tuple of str
        Columns that are no features.
    """

    make: Callable[[int, np.random.Generator], tuple[pd.DataFrame, Floats]]
    target: str
    labels: tuple[str, str]
    rows: tuple[int, int]
    new_rows: tuple[int, int]
    left_out: tuple[str, ...] = ()

    def tables(self, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the table, and the rows that come later, both with their classes."""
        n = self.rows[0]
        rng = np.random.default_rng(seed)
        frame, risk = self.make(n + self.new_rows[0], rng)
        risk = risk + rng.logistic(size=len(risk))
        parts = (slice(None, n), self.rows[1]), (slice(n, None), self.new_rows[1])
        table, new = (self._labelled(frame[part], risk[part], rare) for part, rare in parts)
        return table, new

    def _labelled(self, frame: pd.DataFrame, risk: Floats, n_rare: int) -> pd.DataFrame:
        is_rare = np.zeros(len(risk), dtype=int)
        is_rare[np.argsort(-risk)[:n_rare]] = 1
        return frame.assign(**{self.target: np.array(self.labels)[is_rare]})


def _with_gaps(
    values: NDArray, share: float, rng: np.random.Generator, form: str = ""
) -> list[str]:
    """Return values as text, a share of them missing."""
    gaps = rng.random(len(values)) < share
    return ["" if gap else format(v, form) for v, gap in zip(values, gaps, strict=True)]


def _customers(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    """Make customers: who is new, pays much or calls often leaves, in some branches more often."""
    branch = rng.integers(1, 31, n)
    months = np.minimum(rng.geometric(0.04, n), 120)
    plan = rng.choice(["basic", "plus", "family", "business"], n, p=[0.4, 0.3, 0.2, 0.1])
    fee = np.select([plan == "basic", plan == "plus", plan == "family"], [19.9, 34.9, 49.9], 89.5)
    fee = fee * rng.uniform(0.8, 1.3, n)
    calls = rng.poisson(1.2, n)
    pays_itself = rng.random(n) < 0.55
    paperless = rng.random(n) < 0.6
    days = rng.integers(0, 28, n)
    frame = pd.DataFrame(
        {
            "customer_id": 100_001 + np.arange(n),
            "signed_up": pd.Timestamp("2026-06-01") - pd.to_timedelta(30 * months + days, unit="D"),
            "plan": plan,
            "region": _with_gaps(
                rng.choice(["north", "south", "east", "west"], n, p=[0.4, 0.3, 0.2, 0.1]), 0.05, rng
            ),
            "branch": [f"{code:04d}" for code in branch],
            "months": months,
            "monthly_fee": [f"{money:.2f}" for money in fee],
            "paid_in_all": _with_gaps(fee * months, 0.08, rng, ".2f"),
            "support_calls": _with_gaps(calls, 0.1, rng, "d"),
            "pays_automatically": pays_itself,
            "paperless": paperless,
        }
    )
    dear = (plan == "basic") & (fee > 22)
    risk = 2.5 * (months < 9) + 1.1 * calls + 2.0 * dear * ~pays_itself - 1.0 * (plan == "family")
    return frame, risk + 0.8 * (branch % 7 == 0) + 0.6 * paperless * (months > 60)


def _payments(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    """Make payments: small ones at night in a row, and large ones far away, may be fraud."""
    hour = rng.uniform(0, 24, n)
    amount = rng.lognormal(3.2, 1.1, n)
    in_last_hour = rng.poisson(0.6, n)
    distance = rng.exponential(12, n)
    since_last = rng.exponential(200, n)
    scores = rng.normal(size=(n, 5))
    frame = pd.DataFrame(
        {
            "hour": np.round(hour, 2),
            "amount": [f"{money:.2f}" for money in amount],
            "in_last_hour": in_last_hour,
            "km_from_home": np.round(distance, 1),
            "minutes_since_last": np.floor(since_last).astype(int),
            **{f"score_{i + 1}": np.round(scores[:, i], 4) for i in range(scores.shape[1])},
        }
    )
    testing = 3.0 * (hour < 5) * (amount < 15) * np.minimum(in_last_hour, 3)
    spending = 4.0 * (distance > 30) * (amount > 60) + 3.0 * (distance > 30) * (since_last < 60)
    return frame, testing + spending + 0.9 * scores[:, 0] - 0.6 * scores[:, 1] * (distance > 20)


def _patients(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    """Make patients: complications come with age and pressure together, or low haemoglobin."""
    age = rng.integers(28, 91, n)
    sex = rng.choice(["f", "m"], n)
    pressure = np.round(rng.normal(112 + 0.4 * (age - 28), 14, n)).astype(int)
    haemoglobin = rng.normal(np.where(sex == "f", 13.3, 14.6), 1.3)
    smokes = (rng.random(n) < 0.25).astype(int)
    frame = pd.DataFrame(
        {
            "age": age,
            "sex": sex,
            "systolic": _with_gaps(pressure, 0.06, rng, "d"),
            "cholesterol": _with_gaps(rng.normal(205, 38, n).astype(int), 0.2, rng, "d"),
            "haemoglobin": _with_gaps(haemoglobin, 0.1, rng, ".1f"),
            "days_in_ward": rng.poisson(4, n),
            "smokes": smokes,
        }
    )
    risk = 3.0 * (age > 65) * (pressure > 140) + 1.5 * np.maximum(12.5 - haemoglobin, 0) + smokes
    return frame, 1.5 * risk


TABLES: Mapping[str, MadeUp] = {
    "churn": MadeUp(
        _customers,
        "churned",
        ("no", "yes"),
        (4_000, 400),
        (1_000, 100),
        ("customer_id", "signed_up"),
    ),
    "fraud": MadeUp(_payments, "is_fraud", ("0", "1"), (30_000, 149), (6_000, 30)),
    "medical": MadeUp(_patients, "complication", ("none", "yes"), (320, 15), (160, 8)),
}
"""The tables by name: 10% of 4,000, 200 common rows for each rare one of 30,000, 15 of 320."""
