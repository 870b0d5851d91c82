"""The table of agreement with PSS/E, every series run from its RAW and DYR, and that of WECC's swings.

Usage: python scripts/validation_table.py [folder for README.md, default tests/validation]

The reference data are looked for in $GRIDAI_REFERENCE, else in ../shared/reference beside the checkout; without them
the table holds the rows of tests/validation/psse_samples alone.
"""

import os
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))

from tests.validation import psse_table, wecc_table  # noqa: E402

out = Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT / "tests" / "validation"
reference = Path(os.environ.get("GRIDAI_REFERENCE", CHECKOUT.parent / "shared" / "reference"))

if (reference / "psse").is_dir():
    text = psse_table.markdown(reference / "psse") + wecc_table.markdown(reference)
else:
    text = f"{psse_table.markdown(None)}\nNo reference data at {reference}: set GRIDAI_REFERENCE.\n"
out.mkdir(parents=True, exist_ok=True)
(out / "README.md").write_text(text, encoding="utf-8")
print(text)
