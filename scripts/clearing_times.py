"""Critical clearing times of three-phase faults at some buses of the New England system, and who loses step first.

Usage: python scripts/clearing_times.py [OUT]
"""

import sys
from pathlib import Path

import gridai as ga

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/clearing_times")
case = ga.load_case("ieee39")
print("bus   line opened   clearing time   loses step")
for bus, branch in (("16", "16-17"), ("21", "21-22"), ("29", "26-29"), ("4", "4-14"), ("2", "2-3")):
    report = ga.studies.Cct(bus=bus, branch=branch, tol_s=0.002).run(case)
    cct, lost = report.summary["cct"], report.summary["loses_step"]
    print(f"{bus:4s}  {branch:11s}  {1e3 * cct.value:8.0f} ms      {lost.element}")
    report.save(out / f"bus_{bus}")
