"""How much load the New England system may lose at once, and how that falls with its inertia.

Held against the no-trip zones of PRC-024 (ERCOT): beyond them generators may trip too.

Usage: python scripts/largest_loss.py [OUT]
"""

import sys

import gridai as ga

out = sys.argv[1] if len(sys.argv) > 1 else "out/largest_loss"
case = ga.load_case("ieee39")
search = ga.studies.LargestLoss(
    profile="prc-024-ercot", inertia=(0.1, 0.5, 1.0, 2.0), high_mw=1500.0, tol_mw=10.0, until_s=15.0
)
report = search.run(case)
print(report)
report.save(out)
