"""Where synthetic rows may lie (Section 3.1)."""
