"""Does over-sampling help on a table, and a classifier for tomorrow's rows.

Run: python examples/own_table.py
"""

from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

import autosmote

ITERATIONS = 30

X, y = make_classification(n_samples=400, weights=[0.85], class_sep=0.7, random_state=0)
X, X_new, y, y_new = train_test_split(X, y, stratify=y, random_state=0)

tree = DecisionTreeClassifier(max_depth=5, random_state=0)
methods = ["tuned threshold", "AutoSMOTE with the vote"]
found = autosmote.compare(X, y, tree, methods=methods, iterations=ITERATIONS, repeats=1)
print(found[["score", "difference", "low", "high", "seconds"]].round(3))
print(found.attrs["conclusion"])

model = autosmote.AutoSMOTEClassifier(tree, iterations=ITERATIONS, random_state=0).fit(X, y)
print(f"kept: {model.chosen_}; scores on rows held out: {model.scores_}")
print(f"accuracy on new rows: {model.score(X_new, y_new):.3f}")
