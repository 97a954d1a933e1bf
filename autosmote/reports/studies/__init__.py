"""Summaries and breakdowns of the cells, and studies with tables or figures of their own."""
