"""pandapower's own matrices after its conversion, and which element drives what in them."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError, PowerFlowError
from gridai.grid.batch.refuse import check_batchable
from gridai.grid.convert import live_buses
from gridai.grid.diagnosis import diverged, set_up_fails
from gridai.grid.powerflow import NUMBA_FROM_BUSES, TOLERANCE_PU, voltage_dependent

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]

# columns of pandapower's internal matrices
_PD, _QD, _BASE_KV = 2, 3, 9
_LAW = [13, 14, 16, 17]
_GEN_BUS, _QMAX, _QMIN, _GEN_STATUS = 0, 3, 4, 7
_STATUS = 10


@dataclass(frozen=True, eq=False)
class BranchTable:
    """m branches that are energised at both ends, in pandapower's order.

    kind          table of pandapower.
    element       pandapower index; a three-winding transformer has three branches.
    winding       0, or 0, 1, 2 for the hv, mv and lv side of a three-winding transformer.
    y             float64[m, 8]: real and imaginary part of y_ff, y_ft, y_tf, y_tt as if in service. [pu]
    in_service    bool[m].
    from_scale    loading of 1 pu current at that end, 0 where pandapower gives none. [%]
    """

    kind: tuple[str, ...]
    element: Ints
    winding: Ints
    from_node: Ints
    to_node: Ints
    y: Floats
    in_service: NDArray[np.bool_]
    from_scale: Floats
    to_scale: Floats


@dataclass(frozen=True, eq=False)
class Matrices:
    """A converted network. Powers and admittances in pu on s_base_mva, nodes in pandapower's internal order.

    ptr, idx, y   Ybus in compressed rows, diagonal entries always present.
    v             voltages of the base power flow.
    s             specified injection; at held nodes the reactive part is that of the loads alone.
    held          bool[n]: magnitude held; reference: angle held too.
    law_node      nodes whose load follows the voltage: S (1 + i (|V| - 1) + z (|V|^2 - 1)) with the shares i and z of
                  `law`, float[laws, 4]: i and z of P, of Q; the mean of the loads at a bus, as pandapower has it.
    law_p, law_q  S: what the law applies to, consumption at 1 pu; a part of -s. [pu]
    q_min, q_max  reactive range of the units at each node. [pu]
    node_of_bus   pandapower bus index to node, energised buses only.
    """

    s_base_mva: float
    node_kv: Floats
    ptr: Ints
    idx: Ints
    y: Complexes
    v: Complexes
    s: Complexes
    held: NDArray[np.bool_]
    reference: NDArray[np.bool_]
    q_min: Floats
    q_max: Floats
    node_of_bus: dict[int, int]
    branches: BranchTable
    law_node: Ints
    law: Floats
    law_p: Floats
    law_q: Floats


def convert(net: Any, enforce_q_lims: bool = False, **options: Any) -> tuple[Any, Matrices]:
    """Run pandapower once; returns the solved copy of the net and its matrices. The net is not written to.

    enforce_q_lims  clip sgens to their reactive range; units are left to the batch.
    options  of runpp: calculate_voltage_angles, trafo_model, trafo_loading, trafo3w_losses, ...

    Raises CaseError for what the batch does not model, PowerFlowError where the base case has no solution.
    """
    check_batchable(net, enforce_q_lims)
    work = _private(net)
    if enforce_q_lims and len(work.sgen):
        work.sgen["q_mvar"] = clipped(work.sgen, work.sgen["q_mvar"].to_numpy(dtype=float))
    _run(work, options)
    inside = work._ppc["internal"]
    if "Ybus" not in inside or not inside["Ybus"].shape[0] or "pv" not in inside:
        raise PowerFlowError("every energised bus is a slack: there is nothing to solve")
    size = inside["Ybus"].shape[0]
    held, reference = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    reference[np.asarray(inside["ref"], dtype=np.int64)] = True
    held[np.asarray(inside["pv"], dtype=np.int64)] = True
    held |= reference
    s = _injection(work, inside)
    s[held] = s[held].real - 1j * inside["bus"][held, _QD] / float(net.sn_mva)
    ptr, idx, y = _rows(inside["Ybus"], size)
    q_min, q_max = _q_range(inside["gen"], size, float(net.sn_mva))
    lookup = work._pd2ppc_lookups["bus"]
    node_of_bus = {i: int(lookup[i]) for i, on in live_buses(work, size).items() if on}
    kv = np.asarray(inside["bus"][:, _BASE_KV], dtype=float)
    return work, Matrices(
        float(net.sn_mva), kv, ptr, idx, y, np.array(inside["V"], dtype=complex), s, held, reference, q_min, q_max,
        node_of_bus, branch_table(work, size), *_laws(work, inside),
    )  # fmt: skip


def _injection(work: Any, inside: Any) -> Complexes:
    """What the units and, at 1 pu, the loads put into each node. [pu]"""
    if not work._options["voltage_depend_loads"]:
        return np.array(inside["Sbus"], dtype=complex)
    from pandapower.pypower.makeSbus import makeSbus

    return np.array(makeSbus(inside["baseMVA"], inside["bus"], inside["gen"]), dtype=complex)


def _laws(work: Any, inside: Any) -> tuple[Ints, Floats, Floats, Floats]:
    """Nodes whose load follows the voltage, its shares, and what they apply to. [pu]"""
    bus = inside["bus"]
    shares = np.array(bus[:, _LAW], dtype=float) if work._options["voltage_depend_loads"] else np.zeros((len(bus), 4))
    node = np.flatnonzero((shares != 0.0).any(axis=1))
    p, q = (np.array(bus[node, k], dtype=float) / inside["baseMVA"] for k in (_PD, _QD))
    return node.astype(np.int64), shares[node], p, q


def clipped(rows: Any, q_mvar: Any) -> Any:
    """Reactive power of sgens within their min_q_mvar and max_q_mvar, where these are stated. [MVAr]"""
    low, high = (
        rows[c].to_numpy(dtype=float) if c in rows.columns else np.full(len(rows), np.nan)
        for c in ("min_q_mvar", "max_q_mvar")
    )
    q_mvar = np.where(np.isnan(low), q_mvar, np.maximum(q_mvar, low))
    return np.where(np.isnan(high), q_mvar, np.minimum(q_mvar, high))


def _private(net: Any) -> Any:
    """A net over copies of the tables: runpp adds columns and, for DC lines, rows while it runs."""
    import pandas as pd

    work = copy.copy(net)
    for key, value in net.items():
        if isinstance(value, pd.DataFrame):
            work[key] = value.copy()
    work["_ppc"] = None
    return work


def _run(work: Any, options: dict[str, Any]) -> None:
    import pandapower as pp

    asked = {"calculate_voltage_angles": True, "trafo_model": "t", "trafo_loading": "current", **options}
    fixed = {
        "algorithm": "nr", "tolerance_mva": TOLERANCE_PU, "max_iteration": 30, "check_connectivity": True,
        "enforce_q_lims": False, "run_control": False, "distributed_slack": False,
        "voltage_depend_loads": voltage_dependent(work), "consider_line_temperature": False,
        "numba": len(work.bus) >= NUMBA_FROM_BUSES, "lightsim2grid": False,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a diverging start warns; it is judged by its outcome
        try:
            try:
                pp.runpp(work, init="dc", **fixed, **asked)
            except pp.LoadflowNotConverged:
                pp.runpp(work, init="flat", **fixed, **asked)
        except pp.LoadflowNotConverged as error:
            why = diverged(work, lambda net: _solves(pp, net, {**fixed, **asked}))
            raise PowerFlowError(f"the base case has no solution: {why}") from error
        except (UserWarning, ValueError, FloatingPointError, ZeroDivisionError) as error:
            raise PowerFlowError(set_up_fails(work, error)) from error


def _solves(pp: Any, net: Any, options: dict[str, Any]) -> bool:
    try:
        pp.runpp(net, init="dc", **options)
    except pp.LoadflowNotConverged:
        return False
    return True


def _rows(ybus: Any, size: int) -> tuple[Ints, Ints, Complexes]:
    """Compressed rows with every diagonal entry, and both (i, k) and (k, i) where one of them is there."""
    from scipy.sparse import coo_matrix

    m = ybus.tocoo()
    row = np.concatenate([m.row, m.col, np.arange(size)])
    col = np.concatenate([m.col, m.row, np.arange(size)])
    value = np.concatenate([m.data, np.zeros(len(m.data) + size)])
    rows = coo_matrix((value, (row, col)), shape=(size, size)).tocsr()
    rows.sum_duplicates()
    rows.sort_indices()
    return rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data.astype(complex)


def _q_range(gen: Any, size: int, s_base_mva: float) -> tuple[Floats, Floats]:
    low, high = np.zeros(size), np.zeros(size)
    on = gen[gen[:, _GEN_STATUS] > 0]
    node = on[:, _GEN_BUS].astype(np.int64)
    np.add.at(low, node, on[:, _QMIN] / s_base_mva)
    np.add.at(high, node, on[:, _QMAX] / s_base_mva)
    return low, high


def branch_table(net: Any, size: int) -> BranchTable:
    """The branches of a converted net."""
    from pandapower.pypower.makeYbus import branch_vectors

    rows = np.array(net._ppc["branch"])
    rows = rows if np.iscomplexobj(rows) else rows.astype(float)
    ends = np.real(rows[:, :2]).astype(np.int64)
    kind, element, winding, scale = _labels(net, ends)
    on = np.real(rows[:, _STATUS]) > 0
    keep = np.asarray((ends < size).all(axis=1) & (ends >= 0).all(axis=1), dtype=bool).reshape(-1)
    for k in np.flatnonzero(keep & (rows[:, 2] == 0) & (rows[:, 3] == 0)):
        raise CaseError(f"{kind[k]} {element[k]} has no impedance: give it one, or join its buses with a switch")
    rows, ends, on = rows[keep], ends[keep], on[keep]
    rows[:, _STATUS] = 1.0
    y_tt, y_ff, y_ft, y_tf = branch_vectors(rows, len(rows))
    parts = [part for y in (y_ff, y_ft, y_tf, y_tt) for part in (np.real(y), np.imag(y))]
    return BranchTable(
        tuple(k for k, here in zip(kind, keep, strict=True) if here), element[keep], winding[keep],
        ends[:, 0].copy(), ends[:, 1].copy(), np.ascontiguousarray(np.stack(parts, axis=1), dtype=float), on,
        scale[keep, 0].copy(), scale[keep, 1].copy(),
    )  # fmt: skip


def _labels(net: Any, ends: Any) -> tuple[list[str], Ints, Ints, Floats]:
    """Table, index, winding and the loading of 1 pu current of every row of pandapower's branch matrix."""
    count = len(ends)
    kind, element, winding = [""] * count, np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.int64)
    scale = np.zeros((count, 2))
    kv = np.real(net._ppc["bus"][:, _BASE_KV])
    ka = float(net.sn_mva) / (np.sqrt(3.0) * kv[ends])
    for table, (start, stop) in net._pd2ppc_lookups["branch"].items():
        here = slice(start, stop)
        kind[here] = [table] * (stop - start)
        index = net[table].index.to_numpy()
        if table == "switch":
            index = index[np.asarray(net._impedance_bb_switches)]
        repeat = (stop - start) // max(len(index), 1)
        element[here] = np.tile(index, repeat)
        winding[here] = np.repeat(np.arange(repeat), len(index))
        scale[here] = ka[here] * _per_ka(net, table, stop - start)
    return kind, element, winding, scale


def _per_ka(net: Any, table: str, count: int) -> Floats:
    """Loading in percent of 1 kA at each end, as pandapower's results have it; 0 where it gives none."""
    rows = net[table]
    out = np.zeros((count, 2))
    if table == "line":
        i_max = (rows["max_i_ka"] * rows["df"] * rows["parallel"]).to_numpy(dtype=float)
        out[:] = np.divide(100.0, i_max, out=np.full(count, np.inf), where=i_max != 0)[:, None]
        out[np.isnan(i_max)] = np.nan
    elif table == "trafo":
        rated = (rows["sn_mva"] * rows["parallel"] * rows["df"]).to_numpy(dtype=float)
        by_current = net._options["trafo_loading"] == "current"
        for side, column in enumerate(("vn_hv_kv", "vn_lv_kv")):
            out[:, side] = rows[column].to_numpy(dtype=float) * np.sqrt(3.0) * 100.0 / rated
        if not by_current:
            raise CaseError("transformer loading by power is not available in the batch: use trafo_loading='current'")
    elif table == "trafo3w":
        sides = (("vn_hv_kv", "sn_hv_mva", 0), ("vn_mv_kv", "sn_mv_mva", 1), ("vn_lv_kv", "sn_lv_mva", 1))
        for part, (volts, power, side) in zip(np.split(out, 3), sides, strict=True):
            rated = rows[power].to_numpy(dtype=float)
            part[:, side] = rows[volts].to_numpy(dtype=float) * np.sqrt(3.0) * 100.0 / rated
    return out
