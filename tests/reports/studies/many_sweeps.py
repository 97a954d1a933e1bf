"""Made-up sweeps of many datasets: ten families, the first of three datasets, the others of one."""

import hashlib

from autosmote.config.many import COLUMNS
from autosmote.reports import names

FAMILY = {f"d{i}": f"f{max(0, i - 2)}" for i in range(12)}
"""Of each dataset."""


def write_list(path, half="decision"):
    """Write the list: minority rows 20, 30, ..., 130, ratio 5, 10 features, overlap 0, 0.08, ..."""
    lines = [",".join(COLUMNS)]
    for i, (dataset, family) in enumerate(FAMILY.items()):
        minority = 20 + 10 * i
        lines.append(
            f"{dataset},common,{family},{half},{6 * minority},{minority},5,10,0,0,{0.08 * i:.2f}"
        )
    path.write_text("\n".join(lines) + "\n")


VOTE = " crossfit diverse vote 25"
SINGLE = ("none", "weights", "threshold")
BOTH = ("smote", "adasyn", "random", "autosmote", "class_aware random", "class_aware")
ARMS = (
    *(f"{source} crossfit" for source in (*SINGLE, "class_aware started 0", *BOTH)),
    *(f"{source}{VOTE}" for source in BOTH),
)


def grid(arm):
    """Return the plan's columns of an arm of these tests."""
    if arm.endswith(VOTE):
        rule = {"reward": "crossfit", "final": "diverse_vote", "keep": 25}
        return {"source": arm.removesuffix(VOTE), **rule}
    return {
        **{"source": arm.removesuffix(" crossfit"), "reward": "crossfit"},
        **{"final": "best", "keep": None},
    }


def gain(source, family):
    """What a source gains over no resampling: the class-aware search more from family to family."""
    more = 0.004 * (1 + int(family[1:]))
    return {
        **{"smote": 0.02, "adasyn": -0.05, "threshold": 0.015, "weights": 0.01},
        **{"class_aware": 0.02 + more, "class_aware random": 0.02 + more, "random": 0.02},
        **{"autosmote": 0.02 - more},
    }.get(source, 0.0)


def change(record):
    """Scores that differ far more between runs than between arms; knn takes no weights."""
    run = "/".join(str(record[k]) for k in ("dataset", "clf", "metric", "seed"))
    base = 0.3 + 0.4 * int(hashlib.sha256(run.encode()).hexdigest()[:8], 16) / 16**8
    arm = record["sampler"]
    own = gain(grid(arm)["source"], FAMILY.get(record["dataset"], "f0"))
    own += 0.01 * arm.endswith(VOTE)
    # The reference is trained on fewer rows than the arm "none".
    scores = {"validation": base + own, "test": base + own, "extended": None}
    plain = {"validation": base, "test": base - 0.03, "extended": None}
    if arm == "weights crossfit" and record["clf"] == "knn":
        record |= {"status": "failed", "imputed": True, "error": "takes no weights"}
        scores = plain
    for part in scores:
        for name, of in (("scores", scores), ("reference", plain)):
            record[name][part] = of[part] and dict.fromkeys(names.METRICS, of[part])
    record["iterations"] = None if grid(arm)["source"] in SINGLE else 60
    return record
