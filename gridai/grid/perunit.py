"""Lines and transformers given in per unit on the system base, turned into pandapower's ohm and percent."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridai import units as base
from gridai.errors import Problems
from gridai.grid.csvtable import Table


def from_per_unit(table: str, columns: dict[str, Any], raw: Table, net: Any, found: Problems) -> dict[str, Any]:
    """Replace r_pu, x_pu, b_pu (lines) or r_pu, x_pu, ratio (transformers) by pandapower's columns.

    Line: length 1 km, bases s_base_mva and the from bus. Transformer: impedance on the lv side, bases s_base_mva and
    the lv bus; `ratio` is the off-nominal turns ratio on the hv side. Tables in ohm and percent come back as they are.
    """
    if "x_pu" not in columns:
        return columns
    kv = np.asarray(net.bus["vn_kv"], dtype=float)
    return _line(columns, kv, net) if table == "line" else _trafo(columns, kv, raw, net, found)


def _line(columns: dict[str, Any], kv: Any, net: Any) -> dict[str, Any]:
    out = {k: v for k, v in columns.items() if k not in ("r_pu", "x_pu", "b_pu")}
    if any(k not in columns for k in ("r_pu", "x_pu", "b_pu", "from_bus")):
        return out
    vn, s_base = kv[np.asarray(columns["from_bus"], dtype=int)], float(net.sn_mva)
    r, x, b = (np.asarray(columns[k], dtype=float) for k in ("r_pu", "x_pu", "b_pu"))
    out["length_km"] = np.ones(len(x))
    out["r_ohm_per_km"] = base.line_ohm_from_pu(r, vn, s_base)
    out["x_ohm_per_km"] = base.line_ohm_from_pu(x, vn, s_base)
    out["c_nf_per_km"] = base.line_nf_from_b_pu(b, vn, s_base, float(net.f_hz))
    return out


def _trafo(columns: dict[str, Any], kv: Any, raw: Table, net: Any, found: Problems) -> dict[str, Any]:
    out = {k: v for k, v in columns.items() if k not in ("r_pu", "x_pu", "ratio")}
    if any(k not in columns for k in ("hv_bus", "lv_bus", "r_pu")):
        return out
    hv, lv = (kv[np.asarray(columns[k], dtype=int)] for k in ("hv_bus", "lv_bus"))
    s_base = float(net.sn_mva)
    ratio, sn = _floats(columns, "ratio"), _floats(columns, "sn_mva")
    vn_hv, vn_lv = _floats(columns, "vn_hv_kv"), _floats(columns, "vn_lv_kv")
    for k in np.flatnonzero(~np.isnan(vn_hv) & (ratio != 1.0)):
        found.add(raw.file, raw.rows[k], "ratio", ratio[k], "give either ratio or vn_hv_kv, not both")
    sn = np.where(np.isnan(sn), s_base, sn)
    vn_hv, vn_lv = np.where(np.isnan(vn_hv), hv * ratio, vn_hv), np.where(np.isnan(vn_lv), lv, vn_lv)
    r, x = _floats(columns, "r_pu"), _floats(columns, "x_pu")
    turns = (lv / vn_lv) ** 2  # pandapower refers vk_percent to the transformer's own lv voltage
    out |= {"sn_mva": sn, "vn_hv_kv": vn_hv, "vn_lv_kv": vn_lv}
    out["vkr_percent"] = base.percent_from_pu(r, s_base, sn) * turns
    out["vk_percent"] = np.sign(x) * base.percent_from_pu(np.hypot(r, x), s_base, sn) * turns
    return out


def _floats(columns: dict[str, Any], name: str) -> Any:
    return np.array([np.nan if v is None else v for v in columns[name]], dtype=float)
