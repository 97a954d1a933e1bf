"""Statistics of paired runs: ranks, tests, bootstrap intervals."""
