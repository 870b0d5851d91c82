"""A three-phase fault in the tie of Kundur's two-area system, cleared after 50 ms: do the areas stay together?

Usage: python scripts/fault_kundur.py [OUT]
"""

import sys

import gridai as ga
from gridai.engine import BusFault

out = sys.argv[1] if len(sys.argv) > 1 else "out/fault_kundur"
system = ga.engine.compile_system(ga.load_case("kundur"))
result = ga.engine.simulate(system, events=[BusFault(bus="8", at_s=1.0, clear_s=1.05)], until_s=10.0)
angle = result.gen.angle_rad
spread = (angle.max(axis=1) - angle.min(axis=1)).max()
print(f"largest angle between two machines: {spread * 57.29578:.1f} degrees")
print(f"lowest voltage after clearing: {result.bus.vm_pu.loc[1.06:].min().min():.3f} pu")
result.save(out)
print(f"saved in {out}")
