"""Shapers: remedies at the cluster and at its site, one a file; each filters power against time and counts its cost.

from gridai.cluster.shapers import Battery, RampLimit, shape, smoothed
chain = shape(cluster.demand(60.0), [RampLimit(5.0, 5.0), Battery(power_mw=20.0, energy_mj=200.0)])
chain.power, chain.cost.ballast_mj
cluster = smoothed(cluster, Battery(power_mw=20.0, energy_mj=200.0))
"""

from gridai.cluster.shapers.ballast import Ballast
from gridai.cluster.shapers.base import Chain, Cost, Shaped, Shaper, area, shape
from gridai.cluster.shapers.battery import Battery, supercapacitor
from gridai.cluster.shapers.capacitor import Capacitor
from gridai.cluster.shapers.jitter import Jitter
from gridai.cluster.shapers.measures import Restlessness, restlessness
from gridai.cluster.shapers.power_cap import PowerCap
from gridai.cluster.shapers.power_floor import PowerFloor
from gridai.cluster.shapers.ramp_limit import RampLimit
from gridai.cluster.shapers.smoothed import Smoothed, smoothed
from gridai.cluster.shapers.stagger import Stagger

__all__ = [
    "Ballast",
    "Battery",
    "Capacitor",
    "Chain",
    "Cost",
    "Jitter",
    "PowerCap",
    "PowerFloor",
    "RampLimit",
    "Restlessness",
    "Shaped",
    "Shaper",
    "Smoothed",
    "Stagger",
    "area",
    "restlessness",
    "shape",
    "smoothed",
    "supercapacitor",
]
