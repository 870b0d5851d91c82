"""Reports: what a study found, as text, tables, figures and files.

print(report)                     summary and verdicts as aligned text
report.figure("overview")         a matplotlib Figure, drawn when asked for
report.save("out/pause")          figures, CSV, JSON and the whole Result, all of them or none
"""

from __future__ import annotations

from gridai.reports.report import Measure, Report, Table
from gridai.reports.saved import SavedReport, load_report
from gridai.reports.text import plain_table

__all__ = ["Measure", "Report", "SavedReport", "Table", "load_report", "plain_table"]
