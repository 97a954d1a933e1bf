"""Compare AutoSMOTE with simpler methods by cross-validation, in score and seconds.

Three of the paper's datasets with the minority under-sampled to one row for twenty others, two
classifiers, stratified folds that no method has seen. Writes one row per fold to
``<results-dir>/library/comparison.csv``, and the means to ``comparison.md`` beside it. Seconds are
CPU seconds of one process and one thread for fitting everything on one fold's training part.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from imblearn.datasets import make_imbalance
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score, make_scorer, matthews_corrcoef
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TunedThresholdClassifierCV,
)
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from autosmote import AutoSMOTE, AutoSMOTEClassifier
from autosmote.data.datasets import load_dataset
from autosmote.errors import UserError

DATASETS = ("phoneme", "mozilla4", "magictelescope")
RATIO = 20
CLASSIFIERS = {
    "linear SVM": LinearSVC(random_state=0),
    "tree, depth 8": DecisionTreeClassifier(max_depth=8, random_state=0),
}
MACRO_F1 = make_scorer(f1_score, average="macro", zero_division=0)
RATIOS = [round(0.1 * tenths, 1) for tenths in range(1, 11)]


def methods(classifier: Any, iterations: int) -> dict[str, Any]:
    """Return the methods by name, each to be fitted on the training part of a fold."""
    scaled = StandardScaler()
    smote = make_pipeline(scaled, SMOTE(random_state=0), classifier)
    bagged = BalancedBaggingClassifier(
        classifier, n_estimators=25, sampler=SMOTE(random_state=0), random_state=0
    )
    held_out = StratifiedShuffleSplit(1, test_size=0.25, random_state=0)
    search = {"iterations": iterations, "random_state": 0}
    return {
        "as it is": make_pipeline(scaled, classifier),
        "class weights": make_pipeline(
            scaled, clone(classifier).set_params(class_weight="balanced")
        ),
        "tuned threshold": TunedThresholdClassifierCV(
            make_pipeline(scaled, classifier), scoring=MACRO_F1, cv=5, random_state=0
        ),
        "SMOTE": smote,
        "SMOTE, tuned ratio": GridSearchCV(
            smote, {"smote__sampling_strategy": RATIOS}, scoring=MACRO_F1, cv=held_out
        ),
        "SMOTE, bagged, tuned threshold": TunedThresholdClassifierCV(
            make_pipeline(scaled, bagged), scoring=MACRO_F1, cv=5, random_state=0
        ),
        "AutoSMOTE": make_pipeline(scaled, AutoSMOTE(classifier, **search), classifier),
        "AutoSMOTEClassifier": make_pipeline(scaled, AutoSMOTEClassifier(classifier, **search)),
    }


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and labels (1 is the minority), RATIO majority rows for each minority row."""
    dataset = load_dataset(name)
    n_majority = int(np.count_nonzero(dataset.y == 0))
    sizes = {0: n_majority, 1: n_majority // RATIO}
    return make_imbalance(dataset.numeric, dataset.y, sampling_strategy=sizes, random_state=0)


def compare(datasets: Iterable[str], folds: int, iterations: int) -> list[dict[str, Any]]:
    """Fit and score every method on every fold."""
    rows = []
    for dataset in datasets:
        X, y = load(dataset)
        # Another seed than the under-sampling's: the same permutation twice would cut folds along
        # the order of the rows, which are sorted.
        cv = StratifiedKFold(folds, shuffle=True, random_state=1)
        for fold, (train, test) in enumerate(cv.split(X, y)):
            for classifier_name, classifier in CLASSIFIERS.items():
                for method, model in methods(classifier, iterations).items():
                    started = time.process_time()
                    model.fit(X[train], y[train])
                    seconds = time.process_time() - started
                    predicted = model.predict(X[test])
                    row = {
                        "dataset": dataset,
                        "classifier": classifier_name,
                        "method": method,
                        "fold": fold,
                        "macro_f1": round(f1_score(y[test], predicted, average="macro"), 6),
                        "mcc": round(matthews_corrcoef(y[test], predicted), 6),
                        "seconds": round(seconds, 3),
                    }
                    rows.append(row)
                    print(*row.values(), flush=True)
    return rows


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return a table of means over folds: Macro-F1 by dataset and classifier, and seconds."""
    frame = pd.DataFrame(rows)
    columns = frame.groupby(["dataset", "classifier"], sort=False).groups
    lines = [
        "| | " + " | ".join(f"{dataset}, {name}" for dataset, name in columns) + " | seconds |",
        "|---" * (len(columns) + 2) + "|",
    ]
    scores = frame.groupby(["dataset", "classifier", "method"])["macro_f1"].mean()
    for method, own in frame.groupby("method", sort=False):
        cells = []
        for case in columns:
            best = scores[case].max()
            score = scores[(*case, method)]
            cells.append(f"**{score:.3f}**" if score == best else f"{score:.3f}")
        lines.append(f"| {method} | {' | '.join(cells)} | {own['seconds'].mean():.2f} |")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 when the comparison is written, 2 where a dataset is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", nargs="+", default=DATASETS)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    arguments = parser.parse_args(argv)
    warnings.simplefilter("ignore", ConvergenceWarning)
    try:
        rows = compare(arguments.datasets, arguments.folds, arguments.iterations)
    except UserError as error:
        print(f"compare_library: {error}", file=sys.stderr)
        return 2
    folder = arguments.results_dir / "library"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "comparison.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (folder / "comparison.md").write_text(markdown(rows), encoding="utf-8")
    print(markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
