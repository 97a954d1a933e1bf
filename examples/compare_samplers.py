"""Compare samplers and plot the search: writes search.png and samplers.png into this folder.

Pass another folder as an argument. The boxes show test scores of five random splits: see how far
they overlap before you trust a difference.
"""

import sys
from pathlib import Path

from imblearn.over_sampling import SMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from matplotlib.figure import Figure
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.tree import DecisionTreeClassifier

from autosmote import AutoSMOTE
from autosmote.records.curve import plot_curve

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
X, y = make_classification(
    n_samples=1500, n_features=8, n_informative=4, weights=[0.95], class_sep=0.9, random_state=5
)
tree = DecisionTreeClassifier(max_depth=5, random_state=0)
auto = AutoSMOTE(tree, iterations=40, random_state=0)
samplers = {
    "none": "passthrough",
    "random": RandomOverSampler(random_state=0),
    "SMOTE": SMOTE(random_state=0),
    "Borderline": BorderlineSMOTE(random_state=0),
    "AutoSMOTE": auto,
}
splits = StratifiedShuffleSplit(5, test_size=0.3, random_state=0)
scores = {
    name: cross_val_score(make_pipeline(sampler, tree), X, y, cv=splits, scoring="f1_macro")
    for name, sampler in samplers.items()
}
for name, values in scores.items():
    print(f"{name:11} macro-F1 {values.mean():.3f} (standard deviation {values.std():.3f})")

figure = Figure(figsize=(6, 3.5), layout="constrained")
axes = figure.add_subplot()
axes.boxplot(list(scores.values()), tick_labels=list(scores))
axes.set_ylabel("test macro-F1")
figure.savefig(folder / "samplers.png")

auto.fit_resample(X, y)
plot_curve(
    auto.history_,
    folder / "search.png",
    metric=auto.scoring,
    title="AutoSMOTE on all rows",
    reference=auto.baseline_score_,
)
