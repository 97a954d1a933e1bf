"""Names as the paper prints them, in the paper's order, for names as records have them."""

from __future__ import annotations

from collections.abc import Iterable

from autosmote.reports.variant_names import VARIANT_NAMES

METRICS = {"macro_f1": "Macro-F1", "mcc": "MCC"}
CLASSIFIERS = {"adaboost": "AdaBoost", "dt": "DecisionTree", "knn": "KNN", "svm": "SVM"}
DATASETS = {
    name.lower(): name
    for name in (
        *("Phoneme", "PhishingWebsites", "EEGEyeState"),
        *("Mozilla4", "MagicTelescope", "Electricity", "Toy"),
    )
}
OVERALL = "overall"
"""The column of a table over all datasets."""
FULL = "autosmote"
"""The row that the others are compared with."""
MERGED = "merge_train_val"
"""The ablation that trains on the validation part, so that its score there means nothing."""

_CATEGORIES = {
    "No-resampling": "none",
    "Under-sampling": (
        "ClusterCentroids CondensedNearestNeighbour EditedNearestNeighbours "
        "RepeatedEditedNearestNeighbours AllKNN InstanceHardnessThreshold NearMiss "
        "NeighbourhoodCleaningRule OneSidedSelection RandomUnderSampler TomekLinks"
    ),
    "Over-sampling": "RandomOverSampler SMOTE SMOTEN ADASYN BorderlineSMOTE KMeansSMOTE SVMSMOTE",
    "Combined over- and under-sampling": "SMOTEENN SMOTETomek",
    "Generative models": "CTGAN TVAE",
    "Meta-learning": "MESA",
    "Auto-sampling": "AutoSMOTE",
}
BESIDE = "With as many classifiers"
"""The category of arms that are ranked beside the others."""
_TABLE2 = {
    name.lower(): (category, name)
    for category, names in _CATEGORIES.items()
    for name in names.split()
}
TABLE2 = tuple(_TABLE2)
"""The samplers of Table 2 as records name them, in its order."""
TABLE2_EXPERIMENTS = ("table2", "table2_confirmation")
"""Those that Table 2's layout, its further pairs and the paper's numbers belong to."""
ABLATIONS = {
    "no_cross_instance": "w/o cross-instance sub-policy",
    "no_instance_specific": "w/o instance-specific sub-policy",
    "no_low_level": "w/o low-level policy",
    "flat": "Flat policy",
    "random_search": "Random search",
    MERGED: "Merging training and validation sets",
}
READING = "random_search_per_row"
"""Random search as the paper may mean it as well, beside its ablations."""
EXTENSIONS = {
    "under_sampling": "Majority rows left out as well",
    "continuous_lambda": "Continuous lambda",
}
"""Beyond the paper; the arms of conf/experiment/extensions.yaml."""
VARIANTS = {
    f"sv_{record}": name
    for record, name in (
        ("supervised_smote", "SupervisedSMOTE"),
        ("gasmote", "GASMOTE"),
        ("cluster_smote", "ClusterSMOTE"),
        ("smote_pso", "SMOTEPSO"),
        ("and_smote", "ANDSMOTE"),
        ("borderline_smote1", "BorderlineSMOTE1"),
    )
}
"""Those that the paper's Table 3 names, as it prints them."""
_CONTROLS = (
    {
        "random": ABLATIONS["random_search"],
        "bagging weighted": "Bagging with class weights",
        "bagging balanced": "Balanced bagging",
        "threshold": "Tuned threshold",
        "weights": "Class weights",
        "oversampling": "Random over-sampling",
        "autosmote_class_aware": "Class-aware search",
        "randomsearch": "Random search in its space",
        READING: "Random search: one factor a row",
        "smote_search": "SMOTE search",
        "svmsmote_search": "SVMSMOTE search",
    }
    | {
        f"class_aware{part}": f"Class-aware search{what}"
        for part, what in {
            "": "",
            " narrow": ", floor 0.1",
            " gradient": ", policy gradient",
            " random": ", random draws",
            " n": ": number of rows alone",
            " n, rows": ": number and rows",
            " n, places": ": number, neighbours, lambda",
            " under-sampling": ", majority rows left out",
            " majority distance": ", nearest majority row",
            " middle": ", middle of the segment",
            " neighbour distance": ", density at the neighbour",
            " wide draws": ", floor 0.1, half wide",
            " started": ", learned start",
            " started 0": ": one set of the learned start",
            **{
                f"{start} {n}": f"{what}, {n} classifiers"
                for start, what in (("", ""), (" started", ", learned start"))
                for n in (60, 100, 300, 1000)
            },
        }.items()
    }
    | {f"smote {n}": f"SMOTE search, {n} classifiers" for n in (60, 100, 300, 1000)}
)
OF_CONTROLS = ("smote", "svmsmote")
"""The samplers of Table 2 whose seeds and ratios its controls search."""


def arm(name: str) -> str:
    """Return a row's name: a sampler's, an ablation's, or the label of the plan."""
    if name == "none":
        return "No resampling"
    if name in _TABLE2:
        return _TABLE2[name][1]
    known = ABLATIONS | EXTENSIONS | _CONTROLS
    if name.startswith("sv_"):
        return VARIANT_NAMES.get(name[3:], name[3:])
    return known.get(name, name)


def category(name: str) -> str:
    """Return the category of Table 2 that a sampler belongs to; "Other" for those outside it."""
    return _TABLE2[name][0] if name in _TABLE2 else "Other"


def dataset(name: str) -> str:
    return "Overall" if name == OVERALL else DATASETS.get(name, name)


def ratio(ir: float | None) -> str:
    """Return an imbalance ratio as text; None and nan are the data's own."""
    return "own" if ir is None or ir != ir else f"{ir:g}"


def in_order(names: Iterable[str], order: Iterable[str]) -> list[str]:
    """Sort names by a given order, those outside it after them by the alphabet."""
    place = {name: i for i, name in enumerate(order)}
    return sorted(set(names), key=lambda name: (place.get(name, len(place)), name))


def arms_in_order(names: Iterable[str]) -> list[str]:
    """Sort arms as the paper's Tables 2 and 4 do, AutoSMOTE last; values of a hyperparameter by
    size."""
    order = [name for name in TABLE2 if name != FULL]
    found = in_order(names, [*order, *ABLATIONS, *EXTENSIONS])
    return sorted(found, key=lambda name: (name == FULL, split_label(name) or ("", 0.0)))


def split_label(name: str) -> tuple[str, float] | None:
    """Split a row's name such as "G2=5" into hyperparameter and value; None for other names."""
    parameter, _, value = name.rpartition("=")
    try:
        return (parameter, float(value)) if parameter else None
    except ValueError:
        return None
