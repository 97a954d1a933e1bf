"""Cross-validate a pipeline: each fold searches in its own training part.

Scaling comes before the sampler, so that the classifier sees rows as the search scored them. The
scores are unbiased, because no synthetic row was made from, or chosen by, a row that is tested.
"""

from imblearn.pipeline import make_pipeline
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from autosmote import AutoSMOTE

X, y = make_classification(
    n_samples=1200, n_features=6, n_informative=4, weights=[0.92], class_sep=0.8, random_state=1
)
knn = KNeighborsClassifier()
pipelines = {
    "as it is": make_pipeline(StandardScaler(), knn),
    # Few minority rows: the mean over three folds is a steadier judge than one held-out part.
    "AutoSMOTE": make_pipeline(
        StandardScaler(), AutoSMOTE(knn, cv=3, iterations=40, random_state=0), knn
    ),
}
for name, pipeline in pipelines.items():
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    result = cross_validate(pipeline, X, y, cv=folds, scoring=["f1_macro", "balanced_accuracy"])
    scores = [result[f"test_{score}"] for score in ("f1_macro", "balanced_accuracy")]
    print(f"{name:10} macro-F1 {scores[0].mean():.3f}  balanced accuracy {scores[1].mean():.3f}")
