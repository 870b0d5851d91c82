"""A network of your own, built with pandapower: a plant, a strong grid and a data centre at the end of a line.

Usage: python scripts/own_network.py [OUT]
"""

import sys

import pandapower as pp

import gridai as ga

out = sys.argv[1] if len(sys.argv) > 1 else "out/own_network"
net = pp.create_empty_network(f_hz=60.0)
grid, plant, site = (pp.create_bus(net, vn_kv=230.0, name=name) for name in ("grid", "plant", "site"))
pp.create_ext_grid(net, grid, vm_pu=1.02, s_sc_max_mva=5000.0, rx_max=0.1, name="neighbour")
pp.create_gen(net, plant, p_mw=300.0, vm_pu=1.02, sn_mva=500.0, min_p_mw=0.0, max_p_mw=450.0, name="steam")
for name, a, b, km in (("gp", grid, plant, 60.0), ("gs", grid, site, 80.0), ("ps", plant, site, 40.0)):
    pp.create_line_from_parameters(net, a, b, km, 0.05, 0.4, 9.0, 1.5, name=name)
pp.create_load(net, site, p_mw=150.0, q_mvar=30.0, name="town")

case = ga.Case.from_pandapower(net, dynamics="templates").with_cluster(ga.Cluster.of("H100", count=50_000), bus="site")
report = ga.studies.Pause(pause_mw=50, at_s=1.0, resume_s=6.0).run(case)
print(report)
report.save(out)
