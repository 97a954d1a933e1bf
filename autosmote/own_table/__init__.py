"""For a table of one's own: what over-sampling gives there, and a classifier to keep."""
