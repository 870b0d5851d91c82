"""What units have left of their turbines, and how a load is shared among them on the batched power flow."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridai.grid.batch import BatchFlow
from gridai.grid.redispatch import endless_source

UNRATED_MVA = 9000.0
"""A rating of this or more is none: for a branch without one MATPOWER writes 9,900 MVA, pandapower 99,999 kA."""


def headroom(flow: BatchFlow) -> tuple[dict[int, float], float]:
    """Share of each unit of net.gen in the headroom of all, by index, and that headroom. [MW]

    Units at a slack count in the sum and have no entry: what the others do not take falls on them. A unit that states
    no max_p_mw has none, but an ext_grid that feeds the net alone and states none has all that is asked for (inf).
    """
    net, m = flow.net, flow.matrices
    if endless_source(net):
        return {}, float("inf")
    left: dict[int, float] = {}
    total = 0.0
    for table in ("gen", "ext_grid"):
        rows, solved = net[table], net[f"res_{table}"]
        if not len(rows) or "max_p_mw" not in rows.columns:
            continue
        for index, row in rows.iterrows():
            node = m.node_of_bus.get(int(row["bus"]), -1)
            own = float(row["max_p_mw"]) - float(solved.at[index, "p_mw"])
            if not row["in_service"] or node < 0 or not own > 0.0:
                continue
            total += own
            if table == "gen" and not m.reference[node]:
                left[int(index)] = own
    return {k: v / total for k, v in left.items()}, total


def loading_scales(flow: BatchFlow, rating_mva: float | None) -> tuple[Any, int]:
    """Factors on the loadings of line, trafo, trafo3w (rows in this order), and the number of branches without rating.

    rating_mva  rating of branches that state none; None: their loading stays as it is, next to nothing. [MVA]
    """
    net = flow.net
    kv = net.bus["vn_kv"]
    lines, trafos = net.line, net.trafo
    base = kv.reindex(lines["from_bus"]).to_numpy(dtype=float)
    line = np.sqrt(3.0) * base * (lines["max_i_ka"] * lines["df"] * lines["parallel"]).to_numpy(dtype=float)
    trafo = (trafos["sn_mva"] * trafos["df"] * trafos["parallel"]).to_numpy(dtype=float)
    rating = np.concatenate([line, trafo])
    none = ~(rating < UNRATED_MVA)
    scale = np.ones(len(rating) + len(net.trafo3w))
    if rating_mva is not None:
        scale[: len(rating)][none] = np.nan_to_num(rating[none], posinf=1.0) / rating_mva
    return scale, int(none.sum())


def supply_mva(net: Any) -> float:
    """Ratings of the branches at the only unit that holds a voltage, together: what can leave a feeder's source. [MVA]

    Infinite where several units hold voltages, where a branch there states no rating, and where switches join buses.
    """
    held = [int(b) for t in ("ext_grid", "gen") for b in net[t].loc[net[t]["in_service"].astype(bool), "bus"]]
    joined = net.switch[(net.switch["et"] == "b") & net.switch["closed"].astype(bool)]
    if len(held) != 1 or len(net.trafo3w) or len(net.impedance) or len(joined):
        return float("inf")
    kv = float(net.bus.at[held[0], "vn_kv"])
    lines = net.line[net.line["in_service"].astype(bool) & net.line[["from_bus", "to_bus"]].eq(held[0]).any(axis=1)]
    trafos = net.trafo[net.trafo["in_service"].astype(bool) & net.trafo[["hv_bus", "lv_bus"]].eq(held[0]).any(axis=1)]
    by_line = np.sqrt(3.0) * kv * (lines["max_i_ka"] * lines["df"] * lines["parallel"]).to_numpy(dtype=float)
    rating = np.concatenate([by_line, (trafos["sn_mva"] * trafos["df"] * trafos["parallel"]).to_numpy(dtype=float)])
    return float(rating.sum()) if len(rating) and bool((rating < UNRATED_MVA).all()) else float("inf")
