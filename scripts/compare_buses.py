"""The same 100 MW pause at bus 16, inside the New England system, and at bus 39, its strong edge.

Usage: python scripts/compare_buses.py [OUT]
"""

import sys
from pathlib import Path

import gridai as ga

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/compare_buses")
cluster = ga.Cluster.of("H100", count=100_000, pue=1.25)
study = ga.studies.Pause(pause_mw=100, at_s=1.0, resume_s=11.0)
print("bus   zenith Hz   nadir Hz   highest step of its voltage, pu")
for bus in ("16", "39"):
    report = study.run(ga.load_case("ieee39").with_cluster(cluster, bus=bus))
    f_hz = report.result.system.f_hz["COI"]
    vm_pu = report.result.bus.vm_pu[bus]
    print(f"{bus:4s}  {f_hz.max():9.4f}  {f_hz.min():9.4f}   {(vm_pu - vm_pu.iloc[0]).abs().max():.5f}")
    report.save(out / f"bus_{bus}")
