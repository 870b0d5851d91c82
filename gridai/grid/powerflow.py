"""Power flow: pandapower's Newton-Raphson in, an OperatingPoint out.

The admittances are those of pandapower's own matrices. Generator reactive limits are not enforced unless asked.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

from gridai.errors import PowerFlowError
from gridai.grid.convert import operating_point
from gridai.grid.diagnosis import diverged, set_up_fails, without_slack, worst_node
from gridai.grid.network import OperatingPoint
from gridai.grid.representable import check_representable

NUMBA_FROM_BUSES = 2000  # below this, compiling pandapower's numba kernels costs more than it saves
TOLERANCE_PU = 1e-8  # on the system base: pandapower's tolerance_mva is compared with per-unit power
LAWS = ("const_z_p_percent", "const_i_p_percent", "const_z_q_percent", "const_i_q_percent")


def solve(net: Any, *, enforce_q_lims: bool = False) -> OperatingPoint:
    """Solve the power flow of a pandapower net. The net is not written to.

    enforce_q_lims  turn units at a reactive limit into constant-Q ones, as pandapower does.

    Raises CaseError for elements without a dynamic counterpart, PowerFlowError with the likely cause where there
    is no solution: no slack, an island with load but no slack, or divergence.
    """
    check_representable(net)
    work = _shallow(net)
    _run(work, enforce_q_lims)
    without_slack(work)
    point = operating_point(work)
    if point.mismatch_mva > _allowed_mva(point):
        if not voltage_dependent(work):
            raise PowerFlowError(
                f"pandapower's solution leaves {point.mismatch_mva:.3g} MVA unbalanced: {worst_node(point)}"
            )
        point = _solve_voltage_dependent(work, enforce_q_lims)
    return point


def voltage_dependent(net: Any) -> bool:
    """True if a load of the net is not of constant power."""
    return any(bool((net.load[c] != 0).any()) for c in LAWS if c in net.load)


def _allowed_mva(point: OperatingPoint) -> float:
    """Power that may be left over: the tolerance, or rounding where powers are large. [MVA]"""
    units, loads = point.network.units, point.network.loads
    scale = max(np.abs(units.p_mw).max(initial=1.0), np.abs(loads.p_mw).max(initial=1.0))
    return max(5.0 * TOLERANCE_PU * point.network.s_base_mva, 1e-10 * float(scale))


def _shallow(net: Any) -> Any:
    """A net of its own over the same tables, save those that runpp writes to."""
    work = copy.copy(net)
    for table in ("shunt", "gen", "load"):
        work[table] = net[table].copy()
    return work


def _run(work: Any, enforce_q_lims: bool, laws: bool | None = None) -> None:
    """Run pandapower's Newton from a DC start, then from a flat one. Raises PowerFlowError with the likely cause."""
    import pandapower as pp

    laws = voltage_dependent(work) if laws is None else laws
    with warnings.catch_warnings():
        # a diverging iteration overflows and meets singular matrices; it is judged by its outcome
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)  # older tables of a user's net, which still work
        _ignore_rank_warnings()
        try:
            try:
                _newton(pp, work, "dc", enforce_q_lims, laws)
            except pp.LoadflowNotConverged:
                _newton(pp, work, "flat", enforce_q_lims, laws)
        except pp.LoadflowNotConverged as error:
            raise PowerFlowError(diverged(work, lambda net: _solves(pp, net, enforce_q_lims, laws))) from error
        except (UserWarning, ValueError, FloatingPointError, ZeroDivisionError) as error:
            raise PowerFlowError(set_up_fails(work, error)) from error


def _solves(pp: Any, net: Any, enforce_q_lims: bool, laws: bool) -> bool:
    try:
        _newton(pp, net, "dc", enforce_q_lims, laws)
    except pp.LoadflowNotConverged:
        return False
    return True


def _newton(pp: Any, work: Any, init: str, enforce_q_lims: bool, laws: bool) -> None:
    pp.runpp(
        work,
        algorithm="nr",
        calculate_voltage_angles=True,
        init=init,
        max_iteration=30,
        tolerance_mva=TOLERANCE_PU,
        trafo_model="t",
        enforce_q_lims=enforce_q_lims,
        check_connectivity=True,
        voltage_depend_loads=laws,
        consider_line_temperature=False,
        run_control=False,
        distributed_slack=False,
        numba=len(work.bus) >= NUMBA_FROM_BUSES,
    )


def _ignore_rank_warnings() -> None:
    from scipy.sparse.linalg import MatrixRankWarning

    warnings.simplefilter("ignore", MatrixRankWarning)


def _solve_voltage_dependent(work: Any, enforce_q_lims: bool) -> OperatingPoint:
    """Solve with the load of each load's own law.

    pandapower averages the laws of a bus over its loads and applies them to its sgens too; here the laws are
    kept apart: loads become constant power at the last voltage until that no longer moves.
    """
    table = work.load.copy()
    for _ in range(40):
        point = operating_point(work, loads_from=table)
        if point.mismatch_mva <= _allowed_mva(point):
            return point
        work.load = _as_constant_power(table, work)
        _run(work, enforce_q_lims, laws=False)
    raise PowerFlowError(
        f"the voltage-dependent loads do not settle (power left over {point.mismatch_mva:.3g} MVA): lower const_z and "
        "const_i percentages, or check the voltages of the network"
    )


def _as_constant_power(table: Any, work: Any) -> Any:
    """The load table with each load's consumption at the present voltage as constant power."""
    from gridai.grid.convert import load_factors

    out = table.copy()
    vm = work.res_bus["vm_pu"].reindex(table["bus"]).to_numpy()
    factor_p, factor_q = (sum(parts) for parts in load_factors(table, np.nan_to_num(vm, nan=1.0)))
    out["p_mw"] = table["p_mw"].to_numpy() * factor_p
    out["q_mvar"] = table["q_mvar"].to_numpy() * factor_q
    return out
