"""Files of other programs: PSS/E RAW and DYR, MATPOWER; in and out.

case, report = import_case("case.raw", "case.dyr")
print(report)                       # every record used, out of service, or unsupported with its line
write_raw(case, "out.raw"); write_dyr(case, "out.dyr")
"""

from __future__ import annotations

from gridai.exchange.dyr_write import write_dyr
from gridai.exchange.importing import Import, import_case
from gridai.exchange.loads import LoadConversion
from gridai.exchange.matpower import import_matpower
from gridai.exchange.raw_write import write_raw
from gridai.exchange.report import ImportReport

__all__ = ["Import", "ImportReport", "LoadConversion", "import_case", "import_matpower", "write_dyr", "write_raw"]
