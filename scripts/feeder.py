"""A 5 MW cluster with 3 MW of sun and a battery on a medium-voltage feeder: room for it, a day, flicker.

Usage: python scripts/feeder.py [OUT]
"""

import sys
from pathlib import Path

import gridai as ga

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/feeder")
case = ga.load_case("cigre_mv")

hosting = ga.studies.Hosting().run(case)  # every load at its highest at once, N-1, a step of 4 %
room = {row[0]: row for row in hosting.tables["hosting"].rows}["14"]
print(f"bus 14 takes {room[2]} MW by snapshot; what stops more: {room[3]} at {room[4]}")
hosting.save(out / "hosting")  # with a map

cluster = ga.Cluster.of("GB200", count=2880, pue=1.1)  # 40 racks that train: 5.0 MW at the meter
placed = case.with_cluster(cluster, bus="14")
day = ga.studies.Timeseries(profiles="day", step_s=60.0, taps=True, tap_vm_pu=1.0).run(placed)
for key in ("vm_min", "percent_max", "tap_moves", "cluster_energy", "losses_energy"):
    line = day.summary[key]
    print(f"{line.label}: {line.value:.4g} {line.unit} {line.element}")
day.save(out / "day")

flicker = ga.studies.Flicker().run(placed)
print(f"Pst at bus 14: {flicker.summary['pst'].value:.2f}, planning level 0.9")
flicker.save(out / "flicker")
