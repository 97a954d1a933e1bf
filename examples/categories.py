"""A DataFrame with categories, whole numbers and missing values; labels are text.

Given rows are returned unchanged, with names, types and missing values. Synthetic rows have valid
categories, whole numbers where the column has them, and no missing values. The classifier is
trained on such rows, so it needs an encoder in front.
"""

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from autosmote import AutoSMOTE
from autosmote.encoding import tabular

rng = np.random.default_rng(0)
n = 600
left = rng.random(n) < 0.1
table = pd.DataFrame(
    {
        "months": rng.integers(1, 72, n) // np.where(left, 3, 1),
        "invoice": rng.normal(60, 15, n).round(2) + 12 * left,
        "contract": pd.Categorical(
            np.where(rng.random(n) < 0.3 + 0.5 * left, "monthly", "yearly"),
            categories=["monthly", "yearly"],
        ),
        "paperless": rng.random(n) < 0.6,
    }
)
table.loc[rng.choice(n, 30, replace=False), "invoice"] = np.nan
customer = pd.Series(np.where(left, "left", "stayed"), name="customer")

estimator = tabular(RandomForestClassifier(n_estimators=10, random_state=0))
sampler = AutoSMOTE(estimator, iterations=15, allow_nan=True, cv=3, random_state=0)
table_new, customer_new = sampler.fit_resample(table, customer)

print(table_new.dtypes.to_string())
print(customer_new.value_counts().to_string())
print(f"macro-F1 over 3 folds: {sampler.baseline_score_:.3f} as it is, ", end="")
print(f"{sampler.best_score_:.3f} with synthetic rows")
print(table_new.tail(3).to_string())
