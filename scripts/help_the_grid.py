"""What a cluster can do for the grid: swings at Kundur's interarea mode smoothed, and 100 MW for a lost unit.

Usage: python scripts/help_the_grid.py [OUT]
"""

import sys
from pathlib import Path

import gridai as ga

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/help_the_grid")

kundur = ga.load_case("kundur").with_cluster(ga.Cluster.of("H100", count=100_000), bus="9")
names = "floor,ramp,stagger,supercapacitor,battery"
smooth = ga.studies.Mitigate(remedies=names, frequency_hz=0.5082, unit="none").run(kundur)
for name, *cells in smooth.tables["remedies"].rows:
    print(f"{name}: {cells[0]:.1f} MW at the meter swing the machines by {cells[5]:.2f} mHz")
smooth.save(out / "mitigate")

ieee39 = ga.load_case("ieee39").with_cluster(ga.Cluster.of("H100", count=200_000), bus="16")
answer = ga.studies.Respond(power_mw=100, delays_s=(0.1, 1.0, 2.0)).run(ieee39)
for key in ("nadir_without", "nadir", "harm_steep"):
    line = answer.summary[key]
    print(f"{line.label}: {line.value:.3f} {line.unit} {line.note}")
answer.save(out / "respond")
