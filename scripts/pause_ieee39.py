"""100,000 H100s at bus 16 of the New England system pause 100 MW of training at 1 s and come back at 11 s.

Usage: python scripts/pause_ieee39.py [OUT]
"""

import sys

import gridai as ga

out = sys.argv[1] if len(sys.argv) > 1 else "out/pause_ieee39"
cluster = ga.Cluster.of("H100", count=100_000, pue=1.25)
case = ga.load_case("ieee39").with_cluster(cluster, bus="16")
report = ga.studies.Pause(pause_mw=100, at_s=1.0, resume_s=11.0).run(case)
print(report)
report.save(out)
print(f"lowest voltage of bus 16: {report.result.bus.vm_pu['16'].min():.4f} pu; figures and tables in {out}")
