"""Results of a run as one self-contained page."""

from speechbrain_mtl.report.page import write_report
from speechbrain_mtl.report.table import probe_table

__all__ = ["probe_table", "write_report"]
