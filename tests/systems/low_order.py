"""The low-order machine of Anderson and Mirheydar (1990) as a case: a GENCLS, a reheat governor, constant-power loads.

pu on 1,000 MVA; see test_low_order_response.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandapower as pp
import pandas as pd

from gridai.case import Case

R, KM, FH, TR, D = 0.05, 0.95, 0.3, 8.0, 1.0
MVA, F_HZ, LIMIT_PU = 1000.0, 60.0, 0.01
H_S = 4.0
PROFILE = """
title = "one limit"
f_hz = 60.0
[[limit]]
criterion = "{criterion}"
{side} = {limit}
unit = "Hz"
clause = "own"
edition = "test"
source = "this test"
confidence = "V"
"""


def profile(folder: Path, f_hz: float, criterion: str = "frequency_zenith", side: str = "high") -> str:
    """A profile file with one limit on the frequency."""
    path = folder / f"{criterion}-{f_hz:.6g}.toml"
    path.write_text(PROFILE.format(criterion=criterion, side=side, limit=f_hz))
    return str(path)


def aggregate(governor: str, **lags: float) -> Case:
    """The machine, its governor, a town of 500 MW that stays and sites of 300 MW that may be lost."""
    net = pp.create_empty_network(f_hz=F_HZ, sn_mva=100.0)
    bus = pp.create_bus(net, 230.0, name="B")
    pp.create_gen(net, bus, p_mw=0.0, vm_pu=1.0, sn_mva=MVA, min_p_mw=0, max_p_mw=MVA, slack=True, name="G")
    pp.create_load(net, bus, p_mw=500.0, q_mvar=100.0, name="town")
    pp.create_load(net, bus, p_mw=300.0, q_mvar=0.0, name="sites")
    law = dict.fromkeys(("pz", "pi", "qi", "qp", "kpf", "kqf"), 0.0) | {"pp": 1.0, "qz": 1.0}
    tables = {
        "gencls": pd.DataFrame([{"unit": "G", "h_s": H_S, "d_pu": D, "ra_pu": 0.0, "xd1_pu": 0.3}]),
        "zip": pd.DataFrame([{"unit": "*", **law, "tf_s": 0.02, "v_switch_pu": 0.7}]),
    }
    if governor == "tgov1":
        row = {"r_pu": R / KM, "t2_s": FH * TR, "t3_s": TR, "vmax_pu": 2.0, "vmin_pu": -1.0, "dt_pu": 0.0, **lags}
    else:
        shares = {f"k{n}": 0.0 for n in range(1, 9)} | {"k1": FH, "k3": 1.0 - FH}
        zeros = dict.fromkeys(("jbus", "t1_s", "t2_s", "t6_s", "t7_s"), 0.0)
        limits = {"uo_pu_per_s": 10.0, "uc_pu_per_s": -10.0, "pmax_pu": 2.0, "pmin_pu": -1.0}
        row = {"k": KM / R, "t5_s": TR, **shares, **zeros, **limits, **lags}
    tables[governor] = pd.DataFrame([{"unit": "G", **row}])
    return Case.from_pandapower(net, dynamics=tables, name="low-order")


def plant(h_s: float, valve_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator of the speed deviation for a load that is lost [pu/pu], valve and reheater in."""
    lag = np.polymul([valve_s, 1.0], [TR, 1.0])
    return lag, np.polyadd(np.polymul([2 * h_s, D], lag), np.array([FH * TR, 1.0]) * KM / R)
