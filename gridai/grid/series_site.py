"""A network with photovoltaics and a battery beside the cluster, as rows of its tables."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Added:
    """The net with what was added; indices of its rows in net.sgen and net.storage, None where nothing was."""

    net: Any
    pv: int | None = None
    battery: int | None = None


def with_site(
    net: Any, bus: int, *, pv_mw: float = 0.0, storage_mw: float = 0.0, storage_mwh: float = 0.0,
    soc_percent: float = 50.0, owner: str = "",
) -> Added:  # fmt: skip
    """Add photovoltaics and a battery at a bus; both at 0 MW in the case as it stands. The net given stays as it is.

    They are called "PV" and "battery", with the owner before it where the name is taken.
    """
    import pandapower as pp

    if not pv_mw and not storage_mwh:
        return Added(net)
    work, pv, battery = copy.copy(net), None, None
    for table in ("sgen", "storage"):
        work[table] = net[table].copy()
    if pv_mw:
        name = _free("PV", work.sgen, owner)
        pv = int(pp.create_sgen(work, bus, 0.0, 0.0, sn_mva=pv_mw, name=name, type="PV"))
    if storage_mwh:
        name = _free("battery", work.storage, owner)
        battery = int(pp.create_storage(work, bus, 0.0, storage_mwh, min_e_mwh=0.0, soc_percent=soc_percent,
                                        sn_mva=storage_mw, name=name))  # fmt: skip
        for column, value in (("min_p_mw", -storage_mw), ("max_p_mw", storage_mw)):
            if column in work.storage.columns:
                work.storage.loc[battery, column] = value
    return Added(work, pv, battery)


def _free(name: str, table: Any, owner: str) -> str:
    taken = set(table["name"].astype(str))
    return name if name not in taken else f"{owner} {name}"


def idle_storages(net: Any) -> list[str]:
    """Names of the storages in service that state no energy: they draw what their row says all the time."""
    rows = net.storage
    there = rows["in_service"].to_numpy(dtype=bool) & ~np.isfinite(rows["max_e_mwh"].to_numpy(dtype=float))
    return [str(n) for n in rows["name"][there]]
