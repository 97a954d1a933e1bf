"""Over-sample for one classifier, and score it on rows that the search has not seen."""

from sklearn.datasets import make_classification
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

from autosmote import AutoSMOTE

X, y = make_classification(
    n_samples=1500, n_features=8, n_informative=4, weights=[0.93], flip_y=0.03, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

tree = DecisionTreeClassifier(max_depth=5, random_state=0)
sampler = AutoSMOTE(tree, iterations=60, random_state=0)
X_new, y_new = sampler.fit_resample(X_train, y_train)

print(f"{sampler.sampling_strategy_[1]} synthetic rows of class 1")
print(f"held-out part of the training rows: {sampler.baseline_score_:.3f} without, ", end="")
print(f"{sampler.best_score_:.3f} with them")
for name, rows in (("without", (X_train, y_train)), ("with", (X_new, y_new))):
    score = f1_score(y_test, tree.fit(*rows).predict(X_test), average="macro")
    print(f"test rows, {name} them: macro-F1 {score:.3f}")
