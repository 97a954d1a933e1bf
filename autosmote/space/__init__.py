"""Search spaces: which synthetic rows a search can make (Section 3.1)."""
