"""Settings: typed schemas, groups of conf/, the command line, and errors in plain words."""
