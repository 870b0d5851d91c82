"""Fault levels by IEC 60909 from pandapower's calc_sc, with machine data from the dynamic tables."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridai.errors import CaseError

COS_PHI = 0.85
"""Rated power factor of machines that state none."""
REACTANCES = {"genrou": "xd2_pu", "gensal": "xd2_pu", "genroe": "xd2_pu", "gensae": "xd2_pu", "gencls": "xd1_pu"}


@dataclass(frozen=True)
class Levels:
    """Three-phase faults at every energised bus, by pandapower index, and what was assumed.

    ikss_ka  initial symmetrical short-circuit current. [kA]
    skss_mva  short-circuit power. [MVA]
    xr        reactance over resistance of the Thevenin impedance.
    """

    ikss_ka: Mapping[int, float]
    skss_mva: Mapping[int, float]
    notes: tuple[str, ...]
    xr: Mapping[int, float]


def fault_levels(net: Any, dynamics: Mapping[str, Any], case: str = "max") -> Levels:
    """Fault levels of a net. Loads, clusters and static generators without a current (k) feed nothing into a fault.

    dynamics  tables of machine models by name, as in Case.dynamics: xd2_pu (classical: xd1_pu) on the unit's sn_mva.
    case      "max" or "min", of IEC 60909.

    Raises CaseError where a unit has no reactance, or pandapower refuses the net (its words are kept).
    """
    from pandapower.shortcircuit import calc_sc

    work = copy.deepcopy(net)
    reactance = _reactances(dynamics)
    notes = _machines(work, reactance)
    _grids(work, reactance)
    stated = work.sgen["k"] if "k" in work.sgen.columns else np.nan
    work.sgen["in_service"] &= np.isfinite(np.asarray(stated, dtype=float))
    if bool(work.sgen["in_service"].any()):
        notes.append("static generators that state k feed k times their rated current")
    if case == "min" and "endtemp_degree" not in work.line.columns:
        work.line["endtemp_degree"] = 80.0
        notes.append("lines at 80 degrees in the smallest fault")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            calc_sc(work, case=case, fault="3ph")
        except (ValueError, KeyError, NotImplementedError, UserWarning, np.linalg.LinAlgError) as error:
            raise CaseError(f"pandapower's short circuit refuses the net: {error}") from error
    found = work.res_bus_sc
    known = found.index[np.isfinite(found["ikss_ka"])]
    return Levels(
        {int(i): float(found.at[i, "ikss_ka"]) for i in known},
        {int(i): float(found.at[i, "skss_mw"]) for i in known},
        (f"IEC 60909, {case}, by pandapower's calc_sc: machines behind xd'' with R = 0.05 X (0.07 X below 100 MVA) and "
         f"rated power factor {COS_PHI:g} where none is stated; loads, clusters and inverters feed nothing", *notes),
        {int(i): float(found.at[i, "xk_ohm"] / max(found.at[i, "rk_ohm"], 1e-12)) for i in known},
    )  # fmt: skip


def _reactances(dynamics: Mapping[str, Any]) -> dict[str, float]:
    """Subtransient reactance by name of the unit, on its own base."""
    out: dict[str, float] = {}
    for model, column in REACTANCES.items():
        table = dynamics.get(model)
        if table is not None:
            out |= {str(u): float(x) for u, x in zip(table["unit"], table[column], strict=True)}
    return out


def _machines(net: Any, reactance: Mapping[str, float]) -> list[str]:
    gen = net.gen
    notes: list[str] = []
    if not len(gen):
        return notes
    own = [reactance.get(str(name), math.nan) for name in gen["name"]]
    x = np.where(np.isfinite(own), own, gen.get("xdss_pu", np.nan)).astype(float)
    unknown = [str(n) for n, xd, on in zip(gen["name"], x, gen["in_service"], strict=True) if on and not xd > 0.0]
    if unknown:
        raise CaseError(f"fault levels: no subtransient reactance of {', '.join(unknown[:6])}: give machine data "
                        "(dynamics) or xdss_pu in net.gen")  # fmt: skip
    kv = net.bus["vn_kv"].reindex(gen["bus"]).to_numpy(dtype=float)
    sn = gen["sn_mva"].to_numpy(dtype=float)
    if not (sn > 0.0).all():
        raise CaseError("fault levels: every gen needs sn_mva")
    gen["xdss_pu"], gen["vn_kv"] = x, kv
    ratio = np.where(sn < 100.0, 0.07, 0.05)
    gen["rdss_ohm"] = ratio * x * kv**2 / sn
    if "cos_phi" not in gen.columns:
        gen["cos_phi"] = COS_PHI
    gen["cos_phi"] = gen["cos_phi"].fillna(COS_PHI)
    return notes


def _grids(net: Any, reactance: Mapping[str, float]) -> None:
    grid = net.ext_grid
    for index, row in grid.iterrows():
        stated = row.get("s_sc_max_mva", math.nan)
        if np.isfinite(stated):
            continue
        x = reactance.get(str(row["name"]), math.nan)
        mva = float(row.get("sn_mva", math.nan))
        if not (x > 0.0 and mva > 0.0):
            raise CaseError(
                f"fault levels: ext_grid '{row['name']}' states no s_sc_max_mva, and no machine stands for it"
            )
        for column in ("s_sc_max_mva", "s_sc_min_mva"):
            grid.loc[index, column] = 1.1 * mva / x
        for column in ("rx_max", "rx_min"):
            grid.loc[index, column] = 0.05
