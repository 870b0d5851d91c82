"""Three buses with a strong source at A, a load at B and a converter with its controls at C, for the engine.

A (GENCLS) --- A-C --- C (unit "pv", 100 MVA)
  \\                   /
   A-B ---- B ---- B-C          B carries the load
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd

from gridai.case import Case
from gridai.results import Result

Z_PU = 0.01 + 0.12j


def network(p_mw: float = 40.0, vm_pu: float = 1.015, load_mw: float = 60.0) -> Any:
    """The pandapower net; each line has r + j x = Z_PU on 100 MVA."""
    net = pp.create_empty_network(sn_mva=100.0, f_hz=60.0)
    at = {name: pp.create_bus(net, 138.0, name=name) for name in "ABC"}
    pp.create_load(net, at["B"], load_mw, 10.0, name="load")
    pp.create_gen(net, at["A"], 0.0, 1.01, sn_mva=500.0, slack=True, name="grid")
    pp.create_gen(net, at["C"], p_mw, vm_pu, sn_mva=100.0, name="pv")
    ohm = 138.0**2 / 100.0 * Z_PU
    for i, k in ("AB", "AC", "BC"):
        pp.create_line_from_parameters(net, at[i], at[k], 1.0, ohm.real, ohm.imag, 0.0, 99.0, name=f"{i}-{k}")
    return net


def table(unit: str, values: dict[str, Any]) -> pd.DataFrame:
    """A dynamic table of one row."""
    return pd.DataFrame([{"unit": unit, **values}])


def case(models: dict[str, dict[str, Any]], h_s: float = 6.0, net: Any = None, **kwargs: Any) -> Case:
    """The case with these models on "pv" and a classical machine of inertia h_s (0: infinite bus) at A."""
    tables = {name: table("pv", values) for name, values in models.items()}
    tables["gencls"] = table("grid", {"h_s": h_s, "d_pu": 2.0, "xd1_pu": 0.2})
    tables["zip"] = pd.DataFrame([{"unit": "*", "pz": 1.0, "pi": 0.0, "pp": 0.0, "qz": 1.0, "qi": 0.0, "qp": 0.0}])
    return Case.from_pandapower(network(**kwargs) if net is None else net, dynamics=tables, name="renewable")


def channel(result: Result, quantity: str, unit: str = "pv") -> np.ndarray:
    """Values of a unit's channel over time, as recorded (powers in pu of its base)."""
    for k, c in enumerate(result.channels):
        if (c.kind, c.element, c.quantity) == ("gen", unit, quantity):
            return result.data[:, k]
    raise AssertionError(f"no channel {quantity} of {unit}")


def at(result: Result, quantity: str, t_s: float, unit: str = "pv") -> float:
    """The value just after t_s."""
    k = int(np.searchsorted(result.t_s, t_s, side="right")) - 1
    return float(channel(result, quantity, unit)[k])
