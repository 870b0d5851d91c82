"""Modes of Kundur's two-area system: who swings against whom, how well it is damped, where a load would excite it.

Usage: python scripts/modes_kundur.py [OUT]
"""

import sys

import gridai as ga

out = sys.argv[1] if len(sys.argv) > 1 else "out/modes_kundur"
case = ga.load_case("kundur")
linear = ga.engine.linearise(ga.engine.compile_system(case))
for mode in linear.oscillations:
    shape = {unit: f"{abs(x):.2f} at {x.real / abs(x):+.2f}" for unit, x in linear.mode_shape(mode).items()}
    print(f"{linear.frequency_hz[mode]:.4f} Hz, damping {100 * linear.damping[mode]:.2f} %, size and cosine: {shape}")
report = ga.studies.Modes(scan_bus="9", profile="ercot").run(case)
print(report)
report.save(out)
