"""Names in a record that reports rely on: none may go without a new schema version."""

NAMES = set(
    """schema_version protocol_version data_fingerprint status stopped_by error dataset ir clf
    sampler metric seed scores ratio n_synthetic iterations seconds peak_memory_mb config versions
    git_revision imputed""".split()
)


def whole_record(**values):
    """Return a record as the first version wrote it, of no search, with some values replaced."""
    scores = {part: {"macro_f1": 0.5, "mcc": 0.25} for part in ("validation", "test")}
    record = {
        "schema_version": 1,
        "protocol_version": 1,
        "data_fingerprint": "0" * 64,
        "status": "ok",
        "stopped_by": None,
        "error": None,
        "dataset": "toy",
        "ir": None,
        "clf": "dt",
        "sampler": "none",
        "metric": "macro_f1",
        "seed": 0,
        "scores": scores,
        "ratio": None,
        "n_synthetic": 0,
        "iterations": None,
        "seconds": {"total": 30.0},
        "peak_memory_mb": 100.5,
        "imputed": False,
        "config": {},
        "versions": {"numpy": "2"},
        "git_revision": None,
    }
    assert set(record) == NAMES
    return record | values
