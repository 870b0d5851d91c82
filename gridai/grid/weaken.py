"""A weaker connection: a new bus behind a series impedance, and a load moved to it."""

from __future__ import annotations

import copy
from typing import Any

from gridai.errors import CaseError
from gridai.grid.names import bus_keys_of, element_names
from gridai.grid.redispatch import with_row
from gridai.units import line_ohm_from_pu


def behind_impedance(net: Any, load: str, bus_name: str, z_pu: complex) -> Any:
    """A copy of a net in which a load stands at a new bus behind an impedance at its old one.

    load      name of the load that moves.
    bus_name  key of the new bus; must not be in use.
    z_pu      series impedance on the net's base; 0 leaves the net as it is. [pu]

    Raises CaseError for a name in use, a load that is not there, a negative impedance.
    """
    if z_pu == 0:
        return net
    names = element_names(net)
    if load not in names.get("load", ()):
        raise CaseError(f"load '{load}': no such load in the net")
    if bus_name in names["bus"]:
        raise CaseError(f"the bus name '{bus_name}' is used already: choose another one")
    if not (z_pu.real >= 0.0 and z_pu.imag >= 0.0):
        raise CaseError(f"impedance {z_pu:.4g} pu: give a resistance and a reactance of 0 or more")
    out = copy.copy(net)
    row = list(names["load"]).index(load)
    old = int(net.load["bus"].iloc[row])
    kv = float(net.bus.at[old, "vn_kv"])
    out.bus = with_row(net.bus, {"name": bus_name, "vn_kv": kv, "type": "b"})
    new = int(out.bus.index[-1])
    r_ohm, x_ohm = (float(line_ohm_from_pu(part, kv, float(net.sn_mva))) for part in (z_pu.real, z_pu.imag))
    out.line = with_row(
        net.line,
        {
            "name": f"{bus_keys_of(net)[old]}-{bus_name}",
            "from_bus": old,
            "to_bus": new,
            "length_km": 1.0,
            "r_ohm_per_km": r_ohm,
            "x_ohm_per_km": x_ohm,
            "c_nf_per_km": 0.0,
            "g_us_per_km": 0.0,
            "max_i_ka": float("nan"),
            "df": 1.0,
            "parallel": 1,
        },
    )
    out.load = net.load.copy()
    out.load.iloc[row, out.load.columns.get_loc("bus")] = new
    return out
