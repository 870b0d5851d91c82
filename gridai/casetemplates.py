"""Typical dynamic data for a net that has none: machines, exciters, governors, inverters and loads by size and type.

Templates let a study start; they are not the data of the machines at hand, and every case that uses them says so
in its notes and provenance.

Sources
    ENTSO-E, "Documentation on controller tests in test grid configurations", SG SPD report, 26.11.2013: the steam unit
    (500 MVA) with SEXS and TGOV1. Saturation is left out.
    P. Kundur, "Power System Stability and Control", 1994, tables 3.2 and 4.2: the ranges that the values for small and
    for hydro units were chosen from.
    HYGOV: chosen from the usual tuning for a water time constant of 1.5 s, temporary droop about 2.5 Tw / (2 H),
    reset about 3.3 Tw (Kundur, section 9.1.1).
    DERA1: IEEE Std 1547-2018, category II, and at 50 Hz the frequencies of Regulation (EU) 2016/631, article 13.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.grid.redispatch import with_row

if TYPE_CHECKING:
    import pandas as pd

    from gridai.case import Case
    from gridai.grid import OperatingPoint

STEAM = {
    "h_s": 4.0, "d_pu": 0.0, "ra_pu": 0.0, "xd_pu": 2.0, "xq_pu": 1.8, "xd1_pu": 0.35, "xq1_pu": 0.5, "xd2_pu": 0.25,
    "xl_pu": 0.15, "td10_s": 6.0, "tq10_s": 1.0, "td20_s": 0.05, "tq20_s": 0.05, "s10": 0.0, "s12": 0.0,
}  # fmt: skip
SMALL_STEAM = {
    **STEAM,
    "h_s": 3.0,
    "xd_pu": 1.8,
    "xq_pu": 1.7,
    "xd1_pu": 0.25,
    "xd2_pu": 0.18,
    "xl_pu": 0.12,
    "td10_s": 5.0,
}
SMALL_BELOW_MVA = 100.0
HYDRO = {
    "h_s": 3.0, "d_pu": 0.0, "ra_pu": 0.0, "xd_pu": 1.0, "xq_pu": 0.7, "xd1_pu": 0.3, "xd2_pu": 0.22, "xl_pu": 0.15,
    "td10_s": 6.0, "td20_s": 0.05, "tq20_s": 0.06, "s10": 0.0, "s12": 0.0,
}  # fmt: skip
EQUIVALENT = {"h_s": 5.0, "d_pu": 0.0, "ra_pu": 0.0, "xd1_pu": 0.3}
SEXS = {"ta_tb": 0.3, "tb_s": 10.0, "k": 200.0, "te_s": 0.05, "emin_pu": 0.0, "emax_pu": 4.0}
TGOV1 = {"r_pu": 0.05, "t1_s": 0.5, "vmax_pu": 1.0, "vmin_pu": 0.0, "t2_s": 3.0, "t3_s": 10.0, "dt_pu": 0.0}
HYGOV = {
    "r_perm_pu": 0.05, "r_temp_pu": 0.6, "tr_s": 5.0, "tf_s": 0.05, "tg_s": 0.5, "velm_pu_per_s": 0.2, "gmax_pu": 1.0,
    "gmin_pu": 0.0, "tw_s": 1.5, "at": 1.2, "dturb_pu": 0.0, "qnl_pu": 0.08,
}  # fmt: skip
# Constant-current P and constant-impedance Q: the usual assumption of transmission studies.
LOAD = {
    "pz": 0.0, "pi": 1.0, "pp": 0.0, "qz": 1.0, "qi": 0.0, "qp": 0.0, "kpf": 0.0, "kqf": 0.0, "tf_s": 0.05,
    "v_switch_pu": 0.7,
}  # fmt: skip
CURRENT_SOURCE = {**LOAD, "qz": 0.0, "qi": 1.0}
DERA1 = {"freq_flag": 1.0, "ddn": 20.0, "dup": 0.0}
"""Inverters: power falls by 5 % droop above nominal frequency; the rest are the model's defaults (category II)."""
DERA1_50_HZ = {"fdbd1_pu": -0.004, "fdbd2_pu": 0.004, "fl_hz": 47.5, "fh_hz": 51.5}
DISTRIBUTION_KV = 36.0  # up to here a net is a feeder, and its sgens are inverters
SUN_AND_WIND = ("pv", "photovoltaic", "solar", "wind", "wp", "wt", "wec", "inverter")
FEEDER_PROFILES = {60.0: "ansi-c84-1", 50.0: "en50160"}
"""Criteria profile of a feeder of one's own by nominal frequency in Hz, see `feeder_profile`."""
STORES = ("battery", "bess", "storage")
UNSTATED = ("", "none", "nan", "wye", "delta", "current_source", "ibr", "sgen")
"""What pandapower and its writers put into the type of an sgen that says nothing of its kind."""
POWER_FACTOR = 0.85  # of a machine whose rating is estimated from its turbine
GRID_SHORT_CIRCUIT = 20.0  # times the exchanged power, where an ext_grid states no short-circuit power
STATEMENT = (
    "dynamic data are TEMPLATES: typical values by unit size and type (ENTSO-E controller tests 2013, Kundur 1994), "
    "not data of these machines"
)
HYDRO_WORDS = ("hydro", "water", "pump")


def feeder_profile(net: Any, f_hz: float) -> str:
    """Name of the profile of a pandapower net that is a feeder, else "".

    A feeder has most of its buses at up to 36 kV, no machine, and no voltage limits of its own (min_vm_pu, max_vm_pu).
    """
    low = net.bus["vn_kv"].to_numpy(dtype=float) <= DISTRIBUTION_KV
    machines = len(net.gen) > 0 and bool(net.gen["in_service"].astype(bool).any())
    own = any(net.bus[c].notna().any() for c in ("min_vm_pu", "max_vm_pu") if c in net.bus.columns)
    return FEEDER_PROFILES.get(f_hz, "") if not machines and not own and 2 * int(low.sum()) > len(low) else ""


def with_templates(case: Case) -> tuple[dict[str, pd.DataFrame], Any, tuple[str, ...]]:
    """Dynamic tables, the net with ratings filled in and some sgens as negative loads, and the notes on all that."""
    point = case.solve()
    net = copy.copy(case.net)
    net.gen, net.ext_grid, net.sgen, net.load = (t.copy() for t in (net.gen, net.ext_grid, net.sgen, net.load))
    rows: dict[str, list[dict[str, Any]]] = {}
    notes = [STATEMENT]
    _gens(net, point, rows, notes)
    _ext_grids(net, point, rows, notes)
    loads = [{"unit": "*", **LOAD}] if point.network.loads.name else []
    inverters = _inverters(net, point, rows, notes, case.f_hz)
    loads += _sgens(net, point, inverters, notes)
    if loads:
        rows["zip"] = loads
        notes.append("loads: P of constant current, Q of constant impedance (template)")
    return {model: _frame(model, table) for model, table in rows.items()}, net, tuple(notes)


def _frame(model: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows)
    frame.attrs["file"] = f"template {model}"
    return frame


def _gens(net: Any, point: OperatingPoint, rows: dict[str, list[dict[str, Any]]], notes: list[str]) -> None:
    units = point.network.units
    estimated, still = [], []
    for index, name in zip(net.gen.index, net.gen["name"], strict=True):
        if name not in units.name:
            continue
        k = units.name.index(name)
        p, s = float(units.p_mw[k]), float(np.hypot(units.p_mw[k], units.q_mvar[k]))
        sn = float(units.sn_mva[k])
        if not sn > 0.0:
            sn = _rating_mva(p, s, float(units.max_p_mw[k]))
            net.gen.at[index, "sn_mva"] = sn
            estimated.append(f"{name} {sn:.1f}")
        hydro = any(word in str(net.gen.at[index, "type"]).lower() for word in HYDRO_WORDS)
        machine, data = ("gensal", HYDRO) if hydro else ("genrou", SMALL_STEAM if sn < SMALL_BELOW_MVA else STEAM)
        rows.setdefault(machine, []).append({"unit": name, **data})
        rows.setdefault("sexs", []).append({"unit": name, **SEXS})
        if p > 1e-6 * sn:
            model, governor = ("hygov", HYGOV) if hydro else ("tgov1", TGOV1)
            rows.setdefault(model, []).append({"unit": name, **governor})
        else:
            still.append(name)
    if estimated:
        notes.append("ratings in MVA estimated from turbine or operating point: " + ", ".join(estimated))
    if still:
        notes.append("no governor on units that give no active power (condensers, pumps): " + ", ".join(still))


def _rating_mva(p_mw: float, s_mva: float, max_p_mw: float) -> float:
    """Rating of a machine that states none: its turbine at power factor 0.85, and no less than what it gives."""
    turbine = max_p_mw if np.isfinite(max_p_mw) and max_p_mw < 1e5 else 0.0
    return float(np.ceil(max(turbine / POWER_FACTOR, abs(p_mw) / POWER_FACTOR, s_mva, 1.0) * 10.0) / 10.0)


def _ext_grids(net: Any, point: OperatingPoint, rows: dict[str, list[dict[str, Any]]], notes: list[str]) -> None:
    """A machine like the others where the net has gens; the rest of the world (H = 0) where it has none."""
    units = point.network.units
    if "sn_mva" not in net.ext_grid.columns:
        net.ext_grid["sn_mva"] = np.nan
    alone = "gen" not in units.kind
    for index, name in zip(net.ext_grid.index, net.ext_grid["name"], strict=True):
        if name not in units.name:
            continue
        k = units.name.index(name)
        p, s = float(units.p_mw[k]), float(np.hypot(units.p_mw[k], units.q_mvar[k]))
        given = float(net.ext_grid.at[index, "s_sc_max_mva"]) if "s_sc_max_mva" in net.ext_grid.columns else np.nan
        if alone:
            sn = max(s, 1.0)
            short = given if given > 0.0 else GRID_SHORT_CIRCUIT * sn
            rows.setdefault("gencls", []).append({"unit": name, **EQUIVALENT, "h_s": 0.0, "xd1_pu": sn / short})
            origin = "" if given > 0.0 else ", assumed"
            notes.append(
                f"ext_grid '{name}': infinite bus (frequency fixed) behind {short:.0f} MVA short circuit{origin}"
            )
        else:
            sn = _rating_mva(p, s, float(units.max_p_mw[k]))
            rows.setdefault("gencls", []).append({"unit": name, **EQUIVALENT})
            if p > 1e-6 * sn:
                rows.setdefault("tgov1", []).append({"unit": name, **TGOV1})
            notes.append(
                f"ext_grid '{name}': classical machine of {sn:.1f} MVA (estimated), H 5 s, with a steam governor"
            )
        net.ext_grid.at[index, "sn_mva"] = sn


def _inverters(
    net: Any, point: OperatingPoint, rows: dict[str, list[dict[str, Any]]], notes: list[str], f_hz: float
) -> set[str]:
    """Sgens of distribution (sun, wind, batteries, or kind unstated) get DERA1: their names."""
    units, found = point.network.units, set()
    values = DERA1 if f_hz > 55.0 else {**DERA1, **DERA1_50_HZ}
    for index in net.sgen.index:
        name = net.sgen.at[index, "name"]
        if name not in units.name:
            continue
        k = units.name.index(name)
        p, q = float(units.p_mw[k]), float(units.q_mvar[k])
        kind = _inverter_kind(str(net.sgen.at[index, "type"]), p)
        if not kind or net.bus.at[net.sgen.at[index, "bus"], "vn_kv"] > DISTRIBUTION_KV:
            continue
        stated = float(units.sn_mva[k])
        net.sgen.at[index, "sn_mva"] = max(stated if stated > 0.0 else 0.0, np.hypot(p, q), 1e-3)
        own = {"type_flag": 0.0, "pmin_pu": -1.0} if kind == "store" else {"type_flag": 1.0, "pmin_pu": 0.0}
        rows.setdefault("dera1", []).append({"unit": name, "pf_flag": float(p != 0.0), **values, **own})
        found.add(name)
    if found:
        notes.append(
            f"{len(found)} sgens at up to {DISTRIBUTION_KV:g} kV are inverters (DERA1, template): constant power "
            + "factor, less power above nominal frequency, trip by voltage and frequency as IEEE 1547-2018 category II "
            + ("sets it" if f_hz > 55.0 else "sets it (frequencies of Regulation (EU) 2016/631)")
            + "; a store's energy is not counted"
        )
    return found


def _inverter_kind(stated: str, p_mw: float) -> str:
    """ "sun or wind", "store", or nothing for an sgen of this type and power."""
    words = stated.lower().replace("-", " ").replace("_", " ").split()
    if any(word.startswith(STORES) for word in words):
        return "store"
    inverter = stated.strip().lower() in UNSTATED or any(word.startswith(SUN_AND_WIND) for word in words)
    return "sun or wind" if inverter and p_mw >= 0.0 else ""


def _sgens(net: Any, point: OperatingPoint, inverters: set[str], notes: list[str]) -> list[dict[str, Any]]:
    """The other static generators become negative loads of constant current."""
    rows, gone = [], set()
    units = point.network.units
    for name, power in zip(units.name, zip(units.p_mw, units.q_mvar, units.kind, strict=True), strict=True):
        if power[2] != "sgen" or name in inverters:
            continue
        bus = int(net.sgen.loc[net.sgen["name"] == name, "bus"].iloc[0])
        label = name if name not in set(net.load["name"]) else f"{name} (sgen)"
        values = {"name": label, "bus": bus, "p_mw": -power[0], "q_mvar": -power[1], "type": "sgen"}
        net.load = with_row(net.load, values)
        rows.append({"unit": label, **CURRENT_SOURCE})
        gone.add(name)
    if rows:
        net.sgen = net.sgen[~net.sgen["name"].isin(gone)].copy()
        notes.append(
            f"{len(rows)} sgens stand as negative loads of constant current, without control or protection (template)"
        )
    return rows
