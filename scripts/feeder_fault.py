"""A fault on a feeder: which part of its sun and wind and of a GPU hall with UPS leaves, and what comes back.

Usage: python scripts/feeder_fault.py [OUT]
"""

import sys
from dataclasses import replace
from pathlib import Path

from pandapower import networks

import gridai as ga
from gridai.cluster import RideThrough, UpsClass

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/feeder_fault")

net = networks.create_cigre_network_mv(with_der="pv_wind")
net.sgen[["p_mw", "sn_mva"]] = net.sgen[["p_mw", "sn_mva"]] * 5.0  # five times the benchmark's sun and wind
case = ga.Case.from_pandapower(net)  # its sgens become DER_A by template
older = case.dynamics["dera1"].assign(vrfrac=0.5, tvl0_s=0.3)  # half of the inverters stay off once they tripped
case = replace(case, dynamics={**case.dynamics, "dera1": older})
ups = UpsClass(groups=4, v_spread_pu=0.03, return_s=1.0, walk_s=1.5)
hall = ga.Cluster.of("H100", count=3000, ride_through=RideThrough((ups,)))
case = case.with_cluster(hall, bus="Bus 10", name="hall", balance="slack")

report = ga.studies.Fault(bus="Bus 8", at_s=1.0, clear_s=1.25, x_pu=0.018, until_s=6.0).run(case)
result = report.result
for name, part in result.gen.connected.iloc[-1].items():
    print(f"{name}: {100 * part:.0f} % of the inverters are there in the end")
inverters = result.gen.p_mw[list(case.net.sgen["name"])].sum(axis=1)
for t in (0.9, 1.2, 3.0, 6.0):
    row = inverters.index.searchsorted(t) - 1
    print(f"{t:.1f} s: sun and wind {inverters.iloc[row]:.2f} MW, hall {result.cluster.p_mw['hall'].iloc[row]:.2f} MW")
report.save(out)
