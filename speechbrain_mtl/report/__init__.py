"""Results of a run as one self-contained page."""

from speechbrain_mtl.report.page import write_report

__all__ = ["write_report"]
