"""Devices at the cluster's bus compared with shapers: synchronous condenser, grid-forming inverter, STATCOM.

All stand at the bus with 0 MW at the voltage of the power flow, so the operating point stays as it is.

condenser     GENROU with the reactances and time constants of Kundur's example 12.6, H = 2 s (a flywheel; assumed),
              exciter SEXS (gain 100, 50 ms; assumed)
grid-forming  REGFM_A1 (WECC) with a battery behind it: 1 % frequency droop at full power in both directions

statcom       a converter of reactive current alone: REGCA1 and REECA1 with no active power (current at most the rated
              one, whatever the voltage) under REPCA1, which holds the bus voltage with 3 % droop (V + Kc Q) by an
              integrator of 200/s and lags of 5 ms. In a stiff grid the voltage answers in 1 / (200 x 0.03) = 0.17 s,
              behind a short-circuit ratio of 3 in 14 ms. (WECC's own STATCOM model is SVSMO3: slope, integrator,
              limit of current as here; its switched shunts and slow reset are left out. Numbers assumed.)

Losses are a cost and not drawn in the network: a part of the rating at all times and one that grows with the square of
the reactive power, `LOSSES`, together 1.2 % (condenser) and 1.0 % (STATCOM) at full output. Assumed: makers quote about
1 % for both, the condenser's mostly friction and excitation that stay, the STATCOM's mostly conduction.

A device that holds voltage or frequency changes the modes of the grid. Beside machines on manual excitation, as in
case kundur, the grid-forming inverter at bus 9 makes the areas drift apart (eigenvalue +0.13/s). That is the grid and
not the inverter: a tie of 400 MW between machines of constant field voltage is stable only while the frequency of the
other end gives way. Any stiff angle at bus 9 shows it, without REGFM_A1 too: an infinite bus behind 0.15 pu +0.84/s, a
classical machine of D = 100 (a droop of 1 %) +0.16/s, and REGFM_A1 of the same constant voltage +0.16/s. Droops of
20 % are stable, so is the STATCOM, which leaves the angle alone, and so are exciters on the machines.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gridai.case import Case

CONDENSER = {
    "genrou": {
        "h_s": 2.0, "d_pu": 0.0, "ra_pu": 0.0025, "xd_pu": 1.8, "xq_pu": 1.7, "xd1_pu": 0.3, "xq1_pu": 0.55,
        "xd2_pu": 0.25, "xl_pu": 0.2, "td10_s": 8.0, "tq10_s": 0.4, "td20_s": 0.03, "tq20_s": 0.05, "s10": 0.039175,
        "s12": 0.222678,
    },
    "sexs": {"ta_tb": 0.1, "tb_s": 10.0, "k": 100.0, "te_s": 0.05, "emin_pu": -5.0, "emax_pu": 6.0},
}  # fmt: skip
GRID_FORMING = {"regfm_a1": {"pmin_pu": -1.0, "pmax_pu": 1.0, "mp": 0.01}}
STATCOM = {
    "regca1": {"tg_s": 0.005, "iqrmax_pu_per_s": 0.0, "iqrmin_pu_per_s": 0.0},
    "reeca1": {"q_flag": 0.0, "pq_flag": 0.0, "trv_s": 0.005, "tiq_s": 0.0, "imax_pu": 1.0, "pmax_pu": 0.0,
               "qmax_pu": 1.0, "qmin_pu": -1.0},
    "repca1": {"ref_flag": 1.0, "tfltr_s": 0.005, "kp": 0.0, "ki": 200.0, "tfv_s": 0.0, "kc": 0.03, "qmax_pu": 1.0,
               "qmin_pu": -1.0},
}  # fmt: skip
DEVICES: dict[str, dict[str, dict[str, float]]] = {
    "condenser": CONDENSER, "grid-forming": GRID_FORMING, "statcom": STATCOM,
}  # fmt: skip

LOSSES = {"condenser": (0.006, 0.006), "statcom": (0.002, 0.008)}
"""Losses over the rating: always, and times (Q / rating)^2; assumed."""


def losses_mw(kind: str, mva: float, q_mvar: np.ndarray) -> np.ndarray:
    """Losses [MW] of a condenser or STATCOM of so many MVA at a course of reactive power, float[nt]."""
    always, loaded = LOSSES[kind]
    return mva * (always + loaded * (np.asarray(q_mvar) / mva) ** 2)


def with_device(case: Case, bus: str, kind: str, mva: float) -> Case:
    """The case with a device of so many MVA at a bus, at 0 MW. kind: a key of DEVICES."""
    from gridai.grid.redispatch import with_row

    point = case.solve()
    vm = float(np.abs(point.v[point.network.node_of_bus[bus]]))
    name = _free(kind, point.network.units.name)
    # The power flow is solved again with a voltage held here; it is the one that was there.
    row = {"name": name, "bus": case.buses[bus], "p_mw": 0.0, "vm_pu": vm, "sn_mva": mva, "min_p_mw": -mva,
           "max_p_mw": mva, "slack": False, "in_service": True}  # fmt: skip
    net = _copied(case.net)
    net.gen = with_row(net.gen, row)
    tables = {**case.dynamics}
    for model, values in DEVICES[kind].items():
        tables[model] = _added(tables.get(model), {"unit": name, **values})
    return replace(case, net=net, dynamics=tables)


def _copied(net: Any) -> Any:
    import copy

    return copy.copy(net)


def _added(table: Any, row: dict[str, Any]) -> Any:
    import pandas as pd

    fresh = pd.DataFrame([row])
    if table is None or not len(table):
        return fresh
    # A column that only the others have is left to its default here.
    return pd.concat([table, fresh.reindex(columns=[*table.columns, *fresh.columns.difference(table.columns)])],
                     ignore_index=True)  # fmt: skip


def _free(kind: str, taken: tuple[str, ...]) -> str:
    name, number = kind, 2
    while name in taken:
        name, number = f"{kind} ({number})", number + 1
    return name
