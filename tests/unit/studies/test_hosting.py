"""Study hosting: the same limits by brute force with pandapower's runpp, what stops a cluster, bad input, the map."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest

from gridai.case import Case, load_case
from gridai.errors import CaseError, SettingError, UnknownNameError
from gridai.results.hosting import hosting_of
from gridai.studies import Hosting

TOL_MW = 0.25
SAMPLE = "13,44,82"  # a radial corner, weak 138 kV buses, one that the voltage step stops


@pytest.fixture(scope="module")
def case118() -> Any:
    return Case.from_pandapower(pn.case118(), dynamics={}, name="case118")


def solved(net: Any) -> Any:
    """vm_pu and the largest loadings, None without a solution."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pp.runpp(net, calculate_voltage_angles=True, init="dc", max_iteration=30, numba=False)
        except pp.LoadflowNotConverged:
            return None
    return net.res_bus.vm_pu.to_numpy().copy()


def placed(net: Any, bus: int, mw: float, pf: float) -> Any:
    """The net with a cluster fed by headroom, written here anew."""
    out = copy.deepcopy(net)
    assert solved(out) is not None
    left = (out.gen.max_p_mw - out.res_gen.p_mw).clip(lower=0.0)
    total = left.sum() + float((out.ext_grid.max_p_mw - out.res_ext_grid.p_mw).iloc[0])
    out.gen["p_mw"] += left / total * mw
    pp.create_load(out, bus, mw, mw * math.tan(math.acos(pf)))
    return out


class Brute:
    """The limits of the study, one runpp after the other."""

    def __init__(self, net: Any, outages: bool = True, worse: float = 0.005) -> None:
        self.net, self.bus = copy.deepcopy(net), -1
        branches = [(t, i) for t in ("line", "trafo") for i in net[t].index] if outages else []
        self.outages = [(None, 0), *branches]
        self.band = {}
        for outage in self.outages:
            vm = self.vm(self.net, outage)
            low = np.full(len(net.bus), 0.95 if outage[0] is None else 0.90)
            high = np.full(len(net.bus), 1.05)
            if vm is not None:
                low = np.where(vm < low + 0.2 * worse, np.minimum(low, vm - worse), low)
                high = np.where(vm > high - 0.2 * worse, np.maximum(high, vm + worse), high)
                intact = self.band.get((None, 0), (low, high))
                self.band[outage] = np.minimum(low, intact[0]), np.maximum(high, intact[1])

    def vm(self, net: Any, outage: tuple[Any, int]) -> Any:
        table, index = outage
        if table is None:
            return solved(net)
        net[table].at[index, "in_service"] = False
        vm = solved(net)
        net[table].at[index, "in_service"] = True
        return vm

    def passes(self, mw: float, pf: float = 0.99) -> bool:
        net = placed(self.net, self.bus, mw, pf)
        for outage in self.band:
            vm = self.vm(net, outage)
            low, high = self.band[outage]
            if vm is None or (vm < low - 1e-9).any() or (vm > high + 1e-9).any():
                return False
        before = self.vm(net, (None, 0))
        net.load = net.load.iloc[:-1]
        after = self.vm(net, (None, 0))
        return bool(np.abs(after - before).max() <= 0.03)


@pytest.mark.slow
def test_a_sample_of_buses_agrees_with_brute_force(case118: Any):
    report = Hosting(buses=SAMPLE, tol_mw=TOL_MW, profile="nerc-eastern").run(case118)
    brute = Brute(case118.net)
    for bus in SAMPLE.split(","):
        brute.bus = case118.buses[bus]
        mw = float(report.result.bus.hosting_mw[bus].iloc[0])
        assert brute.passes(max(mw - 0.01, 0.0)), bus
        assert not brute.passes(mw + TOL_MW + 0.01), bus


def test_the_intact_grid_agrees_with_brute_force(case118: Any):
    buses = "3,20,33,82,117"
    report = Hosting(buses=buses, tol_mw=TOL_MW, outages="none", profile="nerc-eastern").run(case118)
    brute = Brute(case118.net, outages=False)
    for bus in buses.split(","):
        brute.bus = case118.buses[bus]
        mw = float(report.result.bus.hosting_mw[bus].iloc[0])
        assert brute.passes(mw - 0.01), bus
        assert not brute.passes(mw + TOL_MW + 0.01), bus


def test_one_line_is_limited_by_its_rating():
    """Source - line - bus: the load whose current is the rating, by the quadratic equation of the two-bus grid."""
    net = pp.create_empty_network(f_hz=60.0)
    one, two = pp.create_bus(net, 110.0, name="A"), pp.create_bus(net, 110.0, name="B")
    pp.create_ext_grid(net, one, max_p_mw=500.0)
    pp.create_line_from_parameters(net, one, two, 10.0, 0.0, 0.4, 0.0, 0.3, name="A-B")
    pp.create_load(net, two, 1.0)
    case = Case.from_pandapower(net, dynamics={}, name="two")
    study = Hosting(buses="B", pf=1.0, tol_mw=0.01, outages="none", profile="none", step_percent=50.0)
    report = study.run(case)
    x, i, v = 4.0, 0.3, 110.0  # ohm, kA, kV line to line: P = sqrt(3) V_b I with V_b^2 = V^2 - 3 x^2 I^2
    exact = math.sqrt(3.0) * i * math.sqrt(v**2 - 3.0 * (x * i) ** 2) - 1.0
    found = hosting_of(report.result).buses[0]
    assert found.mw == pytest.approx(exact, abs=0.01)  # reached: 0.005
    assert found.binds == "loading"
    more = report.tables["hosting"].rows[0][-1]
    assert "A-B rating +24.6 %" in more  # the load of 1 MW does not grow


def test_short_circuit_strength_and_headroom_are_upper_ends():
    case = load_case("wscc9")
    wide = {"profile": "none", "outages": "none", "step_percent": 99.0}
    strong = Hosting(**wide, lowest_scr=0.0, buses="5").run(case)
    weak = Hosting(**wide, lowest_scr=30.0, buses="5").run(case)
    assert hosting_of(weak.result).buses[0].binds == "short-circuit ratio"
    assert weak.summary["most"].value < strong.summary["most"].value


def test_limits_that_are_broken_already_may_get_a_little_worse(case118: Any):
    report = Hosting(buses="118", profile="nerc-eastern").run(case118)
    row = report.tables["hosting"].rows[0]
    assert row[3] in ("voltage", "step")
    assert float(row[2]) > 1.0


@pytest.mark.parametrize(
    ("given", "words"),
    [({"tol_mw": 0.0}, "tol_mw"), ({"pf": 1.2}, "pf"), ({"fed_by": "wind"}, "headroom"), ({"probes": -1}, "probes")],
)
def test_settings_outside_their_range_are_named(given: dict[str, Any], words: str):
    with pytest.raises(SettingError, match=words):
        Hosting(**given)


def test_a_bus_out_of_service_or_unknown_is_named():
    net = pn.case9()
    dead = pp.create_bus(net, 345.0, name="dead")
    net.bus.at[dead, "in_service"] = False
    case = Case.from_pandapower(net, dynamics={}, name="nine")
    with pytest.raises(CaseError, match=r"bus 'dead'.*out of service"):
        Hosting(buses="dead", profile="none").run(case)
    with pytest.raises(UnknownNameError, match="77"):
        Hosting(buses="77", profile="none").run(case)
    report = Hosting(profile="none", lowest_scr=0.0).run(case)
    assert len(hosting_of(report.result).buses) == 9


def test_the_map_is_drawn_with_and_without_coordinates(tmp_path):
    net = pn.case9()
    net.bus["geo"] = None
    case = Case.from_pandapower(net, dynamics={}, name="nine")
    report = Hosting(profile="none", lowest_scr=0.0, tol_mw=5.0).run(case)
    assert "drawing" in hosting_of(report.result).source
    report.save(tmp_path / "out")
    assert (tmp_path / "out" / "hosting_map.png").stat().st_size > 10_000
    again = report.figure("hosting_map")
    assert len(again.axes) == 3


def test_every_field_states_help_and_unit():
    from dataclasses import fields

    for f in fields(Hosting):
        assert f.metadata["help"], f.name
        assert f.metadata["unit"] == {"mw": "MW", "mva": "MVA", "percent": "%", "pu": "pu", "s": "s"}.get(
            f.name.rpartition("_")[2], ""
        )


class Load:
    """A cluster of so many MW for Case.with_cluster."""

    name = "load"

    def __init__(self, mw: float, pf: float = 0.99) -> None:
        self.p_mw, self.q_mvar = mw, mw * math.tan(math.acos(pf))


def loadings(case: Any) -> dict[str, Any]:
    """Loadings of lines and transformers, intact and after every outage that cuts nothing off, by runpp. [%]"""
    net, out = copy.deepcopy(case.net), {}
    for table, index in [("", 0), *(("line", i) for i in net.line.index), ("trafo", net.trafo.index[0])]:
        if table:
            net[table].at[index, "in_service"] = False
        if solved(net) is not None and net.res_bus.vm_pu.notna().all():
            percent = np.concatenate([net.res_line.loading_percent, net.res_trafo.loading_percent])
            out[f"{table} {index}"] = np.nan_to_num(percent)
        if table:
            net[table].at[index, "in_service"] = True
    return out


def test_ratings_after_every_line_agree_with_brute_force_and_the_redispatch_of_a_case():
    """case39, whose lines have ratings, some of them exceeded after outages already: 100 %, or 1 % more than before."""
    case = load_case("ieee39")
    report = Hosting(buses="3,16", profile="none", tol_mw=0.1, step_percent=99.0).run(case)
    most = {k: np.maximum(100.0, np.where(v > 99.8, v + 1.0, 100.0)) for k, v in loadings(case).items()}
    for bus in ("3", "16"):
        mw = float(report.result.bus.hosting_mw[bus].iloc[0])
        inside = loadings(case.with_cluster(Load(mw - 0.02), bus))
        beyond = loadings(case.with_cluster(Load(mw + 0.12), bus))
        assert all((inside[k] <= most[k]).all() for k in most), bus
        assert any((beyond[k] > most[k]).any() for k in most), bus
