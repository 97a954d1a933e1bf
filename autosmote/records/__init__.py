"""Records of runs: identity, content, files, claims, and collected tables."""
