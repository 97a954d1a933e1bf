"""From collected records to tables, figures and one page; reads records, never runs anything."""

from autosmote.reports.report import write

__all__ = ["write"]
