"""Names in a record that reports rely on: none may go without a new schema version."""

NAMES = set(
    """schema_version protocol_version data_fingerprint status stopped_by error dataset ir clf
    sampler metric seed scores ratio n_synthetic iterations seconds peak_memory_mb config versions
    git_revision imputed""".split()
)
