"""Search with a scorer of your own: rows that lead to the fewest costly mistakes.

A missed minority row costs ten times a false alarm. Any scikit-learn scorer can be the reward; the
search then refits the classifier in every iteration, so any classifier will do.
"""

import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, make_scorer
from sklearn.model_selection import train_test_split

from autosmote import AutoSMOTE

MISSED, FALSE_ALARM = 10.0, 1.0


def savings(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Return the savings per row against predicting the majority class for every row."""
    (_, alarms), (missed, _) = confusion_matrix(y_true, y_pred, labels=[0, 1])
    cost = MISSED * missed + FALSE_ALARM * alarms
    return (MISSED * np.count_nonzero(y_true == 1) - cost) / len(y_true)


X, y = make_classification(n_samples=1500, weights=[0.95], flip_y=0.02, random_state=3)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
classifier = LogisticRegression()
scorer = make_scorer(savings)
sampler = AutoSMOTE(classifier, scoring=scorer, iterations=50, random_state=0)
X_new, y_new = sampler.fit_resample(X_train, y_train)

weighted = LogisticRegression(class_weight={0: FALSE_ALARM, 1: MISSED}).fit(X_train, y_train)
print(f"as it is:      {scorer(classifier.fit(X_train, y_train), X_test, y_test):.3f}")
print(f"AutoSMOTE:     {scorer(classifier.fit(X_new, y_new), X_test, y_test):.3f}")
print(f"class weights: {scorer(weighted, X_test, y_test):.3f}, which are cheaper: try them first")
