"""The distribution cases against what is published of them, and against every other radial configuration."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numba
import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest

from gridai.case import Case, load_case
from gridai.grid import solve
from gridai.studies.series_input import read_profiles

BEST_OPEN = (7, 9, 14, 32, 37)
OHM_MW = 12.66**2


def with_open(case: Case, branches: tuple[int, ...]) -> Any:
    """The 33-bus net with these branches of the paper open, all others closed."""
    net = pp.pandapowerNet(case.net)
    net.line = case.net.line.copy()
    net.line["in_service"] = [int(name.removeprefix("s")) not in branches for name in net.line["name"]]
    return net


@pytest.mark.parametrize(
    ("branches", "kw", "vm_pu", "bus"),
    [((33, 34, 35, 36, 37), 202.68, 0.9131, "18"), (BEST_OPEN, 139.55, 0.9378, "32")],
    ids=["base", "best"],
)
def test_published_losses_and_voltages_of_the_33_bus_feeder(
    branches: tuple[int, ...], kw: float, vm_pu: float, bus: str
) -> None:
    net = with_open(load_case("feeder33"), branches)
    point = solve(net)
    lost = 1e3 * (point.network.units.p_mw.sum() - point.network.loads.p_mw.sum())
    vm = np.abs(point.v)
    assert lost == pytest.approx(kw, abs=0.005)  # reached: 202.677, 139.551
    assert vm.min() == pytest.approx(vm_pu, abs=5e-5)  # reached: 0.91309, 0.93782
    assert point.network.nodes[int(vm.argmin())] == bus


@numba.njit(cache=False)
def losses_of(opened, from_bus, to_bus, z, s):
    """Losses of each radial configuration by backward and forward sweeps, inf: none, NaN: no solution. [MW]"""
    out = np.full(len(opened), np.inf)
    n, m = len(s), len(z)
    for k in range(len(opened)):
        closed = np.ones(m, numba.boolean)
        closed[opened[k]] = False
        order, parent, via = np.full(n, -1), np.full(n, -1), np.full(n, -1)
        order[0], parent[0], count = 0, 0, 1
        for at in range(n):
            if at >= count:
                break
            bus = order[at]
            for b in range(m):
                far = to_bus[b] if from_bus[b] == bus else from_bus[b] if to_bus[b] == bus else -1
                if closed[b] and far >= 0 and parent[far] < 0:
                    order[count], parent[far], via[far] = far, bus, b
                    count += 1
        if count < n:
            continue
        v = np.ones(n, np.complex128)
        moved = 0.0
        for _ in range(60):
            before = v.copy()
            i = np.conj(s / v)
            for at in range(n - 1, 0, -1):
                i[parent[order[at]]] += i[order[at]]
            for at in range(1, n):
                bus = order[at]
                v[bus] = v[parent[bus]] - z[via[bus]] * i[bus]
            moved = np.abs(v - before).max()
        i = np.conj(s / v)
        for at in range(n - 1, 0, -1):
            i[parent[order[at]]] += i[order[at]]
        lost = 0.0
        for bus in range(1, n):
            lost += z[via[bus]].real * abs(i[bus]) ** 2
        out[k] = lost if moved < 1e-9 else np.nan
    return out


@pytest.mark.slow
def test_no_radial_configuration_loses_less() -> None:
    """Every way to open five of 37 branches, 435,897 of them, by a solver that has nothing of gridai."""
    net = load_case("feeder33").net
    line, s = net.line, np.zeros(33, complex)
    np.add.at(s, net.load["bus"].to_numpy(), (net.load["p_mw"] + 1j * net.load["q_mvar"]).to_numpy())
    z = (line["r_ohm_per_km"] + 1j * line["x_ohm_per_km"]).to_numpy() / OHM_MW
    opened = np.array(list(combinations(range(37), 5)))
    lost = 1e3 * losses_of(opened, line["from_bus"].to_numpy(), line["to_bus"].to_numpy(), z, s)
    assert (~np.isinf(lost)).sum() == 50_751  # spanning trees of the 33 buses with their 37 branches
    best = int(np.nanargmin(lost))
    assert tuple(opened[best] + 1) == BEST_OPEN
    assert lost[best] == pytest.approx(139.5513, abs=1e-4)
    assert np.sort(lost)[1] > lost[best] + 0.3


def test_cigre_mv_is_pandapowers() -> None:
    net, own = pn.create_cigre_network_mv(with_der="all"), load_case("cigre_mv")
    pp.runpp(net, tolerance_mva=1e-9, numba=False)
    point = own.solve()
    ours = np.array([point.v[point.network.node_of_bus[str(k)]] for k in range(15)])
    theirs = net.res_bus["vm_pu"].to_numpy() * np.exp(1j * np.radians(net.res_bus["va_degree"].to_numpy()))
    assert np.abs(ours - theirs).max() < 1e-9  # reached: 6e-12
    assert own.net.trafo["tap_max"].tolist() == [16, 16]


def test_european_lv_is_pandapowers_but_for_what_the_readme_says() -> None:
    """Lines, transformer and active power are the same; reactive power is that of power factor 0.95 on every phase."""
    net, own = pn.ieee_european_lv_asymmetric(), load_case("european_lv").net
    assert len(own.bus) == 907
    for column in ("length_km", "r_ohm_per_km", "x_ohm_per_km", "r0_ohm_per_km", "x0_ohm_per_km"):
        theirs = net.line[column].to_numpy(dtype=float)
        assert own.line[column].to_numpy() == pytest.approx(theirs, rel=3e-6), column
    for phase in "abc":
        p, q = (
            own.asymmetric_load[f"{letter}_{phase}_{unit}"].to_numpy() for letter, unit in (("p", "mw"), ("q", "mvar"))
        )
        assert p == pytest.approx(net.asymmetric_load[f"p_{phase}_mw"].to_numpy(), abs=1e-9)
        assert q == pytest.approx(p * math.tan(math.acos(0.95)), rel=3e-6, abs=1e-9)  # six digits in the file
    net.trafo["tap_dependency_table"] = False
    net.asymmetric_load = net.asymmetric_load.assign(
        **{f"q_{phase}_mvar": own.asymmetric_load[f"q_{phase}_mvar"].to_numpy() for phase in "abc"}
    )
    pp.runpp(net, numba=False)
    pp.runpp(own, numba=False)
    assert own.res_bus["vm_pu"].to_numpy() == pytest.approx(net.res_bus["vm_pu"].to_numpy(), abs=1e-7)


def test_the_sun_of_the_day_is_haurwitz_clear_sky() -> None:
    """Noon of the equinox at 50 degrees: 1.098 cos 50 exp(-0.059 / cos 50) of the rating; dark before 6, after 18 h."""
    case = load_case("cigre_mv")
    given = read_profiles([f"{case.provenance['folder']}/profiles/day.csv"])
    sun = next(c.values for c in given.columns if c.title == "sgen/Site PV/p_mw")
    high = math.cos(math.radians(50.0))
    assert sun.max() == sun[48] == pytest.approx(3.0 * 1.098 * high * math.exp(-0.059 / high), abs=1e-4)
    dark = (given.t_s <= 6 * 3600.0) | (given.t_s >= 18 * 3600.0)
    assert not sun[dark].any()
    assert (sun[~dark] > 0.0).all()
    charged = next(c.values for c in given.columns if c.title == "storage/Site battery/p_mw")
    assert charged[charged < 0.0].sum() / charged[charged > 0.0].sum() == pytest.approx(-0.8 / 0.9, rel=1e-12)
