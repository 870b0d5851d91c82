"""Fit a workload to a power trace and put it into a grid: a made-up hour of 512 GPUs, or your own file and its GPUs.

Usage: python scripts/fit_trace.py [OUT [TRACE GPUS]]
"""

import sys
from pathlib import Path

import numpy as np

import gridai as ga
from gridai.cluster import Training, load_cluster

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/fit_trace")
out.mkdir(parents=True, exist_ok=True)
trace, gpus = (sys.argv[2], int(sys.argv[3])) if len(sys.argv) > 3 else (str(out / "measured.csv"), 512)
if len(sys.argv) <= 3:
    t = np.arange(0.0, 3600.0)
    run = Training(step_s=14.0, comm_level=0.85, eval_every=20, eval_s=25.0, eval_level=0.8, ripple=0.005)
    watt = 850.0 * gpus * run.profile(3600.0, gpus, 8, seed=1).value(t)
    np.savetxt(trace, np.column_stack([t, watt]), delimiter=",", header="t_s,power_W", comments="", fmt="%.1f")

report = ga.studies.Fit(trace=trace, gpus=gpus, cluster_file=str(out / "cluster.toml"), count=100_000).run()
report.save(out / "fit")
for key in ("error_mean", "error_swing", "error_line_mw", "error_ramp"):
    print(f"{report.summary[key].label}: {report.summary[key].value:+.1f} %")

cluster = load_cluster(out / "cluster.toml")
case = ga.load_case("ieee39").with_cluster(cluster, bus="16")
pause = ga.studies.Pause(pause_mw=50.0).run(case)
print(f"{cluster} pauses 50 MW at bus 16: nadir {pause.summary['nadir'].value:.3f} Hz after its return")
