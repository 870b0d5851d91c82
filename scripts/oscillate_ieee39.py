"""Where is bus 16 of the New England system sensitive? Scan it, then let a cluster swing at the peak and beside it.

Usage: python scripts/oscillate_ieee39.py [OUT]
"""

import sys
from pathlib import Path

import numpy as np

import gridai as ga
from gridai.engine import Demand, Signal, compile_system, state_space

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/oscillate_ieee39")
case = ga.load_case("ieee39").with_cluster(ga.Cluster.of("H100", count=100_000), bus="16")
f_hz = np.geomspace(0.2, 3.0, 300)
tie = state_space(compile_system(case), [Demand("cluster")], [Signal("branch", "1-39", "p_mw")]).response(f_hz)[:, 0, 0]
peak_hz = float(f_hz[np.argmax(np.abs(tie))])
print(f"line 1-39 answers most at {peak_hz:.3f} Hz: {np.abs(tie).max():.3f} MW per MW of the cluster")
for name, at_hz in (("peak", peak_hz), ("twice", 2.0 * peak_hz)):
    report = ga.studies.Oscillate(shape="sine", amplitude_mw=20.0, frequency_hz=at_hz, until_s=25.0).run(case)
    flow = report.result.branch.p_mw["1-39"].loc[15.0:]
    print(
        f"{name}: 40 MW from lowest to highest at {at_hz:.3f} Hz swings line 1-39 by {flow.max() - flow.min():.1f} MW"
    )
    report.save(out / name)
