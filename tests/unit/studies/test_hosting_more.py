"""Study hosting: pairs of outages, units out, margin to the nose, dynamic runs, prices, verdicts, feeders."""

from __future__ import annotations

import copy
import math
import warnings
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest

from gridai.case import Case, load_case
from gridai.cluster import Cluster
from gridai.cluster.workloads import Constant
from gridai.errors import CaseError, SettingError, UnknownNameError
from gridai.results.hosting import hosting_of
from gridai.studies import Hosting, Pause
from gridai.studies.cost_table import read_costs
from gridai.studies.searching import Judge

WIDE: dict[str, Any] = {"profile": "none", "step_percent": 99.0, "lowest_scr": 0.0}


def solved(net: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pp.runpp(net, calculate_voltage_angles=True, init="dc", max_iteration=40, numba=False)
        except pp.LoadflowNotConverged:
            return False
    return True


def two_buses(circuits: int = 1, x_ohm: float = 4.0, max_i_ka: float = 100.0, km: float = 10.0) -> Case:
    net = pp.create_empty_network(f_hz=60.0)
    one, two = pp.create_bus(net, 110.0, name="A"), pp.create_bus(net, 110.0, name="B")
    pp.create_ext_grid(net, one, max_p_mw=1e5)
    for k in range(circuits):
        pp.create_line_from_parameters(net, one, two, km, 0.0, x_ohm / km, 0.0, max_i_ka, name=f"L{k + 1}")
    return Case.from_pandapower(net, dynamics={}, name="two")


def size(report: Any, bus: str) -> float:
    return float(report.result.bus.hosting_mw[bus].iloc[0])


# Pairs of outages and units out, by one runpp after the other


def shared(net: Any, base: Any, lost: float, out: list[int]) -> None:
    """What is lost, by the headroom of the units that are left; written anew."""
    left = (base.gen.max_p_mw - base.res_gen.p_mw).clip(lower=0.0)
    slack = float((base.ext_grid.max_p_mw - base.res_ext_grid.p_mw).clip(lower=0.0).iloc[0])
    left.loc[out] = 0.0
    net.gen["p_mw"] += left / (left.sum() + slack) * lost


def brute(case: Case, bus: int, mw: float, pairs: list[tuple[tuple[str, int], ...]]) -> dict[Any, np.ndarray | None]:
    """Loadings after each outage that cuts nothing off; None without a solution. [%]"""
    base = copy.deepcopy(case.net)
    assert solved(base)
    out: dict[Any, np.ndarray | None] = {}
    for pair in pairs:
        net = copy.deepcopy(base)
        units = [i for t, i in pair if t == "gen"]
        shared(net, base, mw, [])
        given = float(net.gen.p_mw.loc[units].sum())
        net.gen.loc[units, "p_mw"] = 0.0
        shared(net, base, given, units)
        for t, i in pair:
            net[t].at[i, "in_service"] = False
        if mw:
            pp.create_load(net, bus, mw, mw * math.tan(math.acos(0.99)))
        if pp.topology.unsupplied_buses(net):
            continue
        ok = solved(net)
        percent = np.concatenate([net.res_line.loading_percent, net.res_trafo.loading_percent]) if ok else None
        out[pair] = None if percent is None else np.nan_to_num(percent)
    return out


@pytest.mark.slow
def test_pairs_of_branches_and_units_agree_with_brute_force():
    net = pn.case30()
    net.line["max_i_ka"] *= 2.0
    case = Case.from_pandapower(net, dynamics={}, name="thirty")
    report = Hosting(**WIDE, buses="26", tol_mw=0.2, outages="n-1-1", units=True, first="gen 13").run(case)
    mw = size(report, "26")
    names = {str(case.net[t].at[i, "name"]): (t, i) for t in ("line", "trafo", "gen") for i in case.net[t].index}
    single = list(names.values())
    first = names["gen 13"]
    pairs = [(x,) for x in single] + [(first, x) for x in single if x != first]
    bus = case.buses["26"]
    before, inside, beyond = (brute(case, bus, x, pairs) for x in (0.0, mw - 0.02, mw + 0.25))
    most = {k: np.where(v > 99.8, np.maximum(100.0, v + 1.0), 100.0) for k, v in before.items() if v is not None}
    assert mw > 1.0
    assert all(inside[k] is not None and (inside[k] <= most[k]).all() for k in most)
    assert any(beyond[k] is None or (beyond[k] > most[k]).any() for k in most)


def test_every_pair_of_the_five_bus_grid_agrees_with_brute_force():
    case = Case.from_pandapower(pn.case5(), dynamics={}, name="five")
    report = Hosting(**WIDE, buses="3", tol_mw=0.05, outages="n-1-1").run(case)
    mw, bus = size(report, "3"), case.buses["3"]
    lines = [("line", int(i)) for i in case.net.line.index]
    pairs = [(x,) for x in lines] + list(combinations(lines, 2))
    before, inside, beyond = (brute(case, bus, x, pairs) for x in (0.0, mw - 0.01, mw + 0.06))
    most = {k: np.where(v > 99.8, np.maximum(100.0, v + 1.0), 100.0) for k, v in before.items() if v is not None}
    assert len(most) > 15
    assert " + " in report.tables["hosting"].rows[0][5]
    assert all(inside[k] is not None and (inside[k] <= most[k]).all() for k in most)
    assert any(beyond[k] is None or (beyond[k] > most[k]).any() for k in most)
    assert float(report.summary["outages"].value) == 6 + 15


def test_two_shares_one_after_the_other_are_one_share():
    """p.3 of gridai/grid/pickup.py: s_j / (1 - s_g) / (1 - s_h / (1 - s_g)) = s_j / (1 - s_g - s_h)."""
    s = np.array([0.1, 0.2, 0.3, 0.25])
    once = s[0] / (1.0 - s[1] - s[2])
    first = s / (1.0 - s[1])
    assert first[0] / (1.0 - first[2]) == pytest.approx(once, rel=1e-15)


def test_units_that_go_out_need_power_from_the_others():
    """Headroom 3 x 100 less the largest unit's whole power: what is left to a cluster."""
    net = pp.create_empty_network(f_hz=60.0)
    a, b = pp.create_bus(net, 110.0, name="A"), pp.create_bus(net, 110.0, name="B")
    pp.create_line_from_parameters(net, a, b, 1.0, 0.0, 0.1, 0.0, 100.0)
    pp.create_line_from_parameters(net, a, b, 1.0, 0.0, 0.1, 0.0, 100.0)
    pp.create_ext_grid(net, a, max_p_mw=100.0, min_p_mw=0.0)
    pp.create_gen(net, a, 80.0, max_p_mw=180.0, name="G1")
    pp.create_gen(net, b, 120.0, max_p_mw=220.0, name="G2")
    pp.create_load(net, b, 200.0)
    case = Case.from_pandapower(net, dynamics={}, name="reserve")
    wide = {**WIDE, "tol_mw": 0.01, "buses": "B"}
    assert size(Hosting(**wide).run(case), "B") == pytest.approx(300.0, abs=0.02)
    report = Hosting(**wide, units=True).run(case)
    assert size(report, "B") == pytest.approx(300.0 - 220.0, abs=0.02)  # reached: 2e-7
    assert hosting_of(report.result).buses[0].binds == "headroom after an outage"


# The margin to the nose


@pytest.mark.parametrize("percent", [5.0, 20.0])
def test_the_margin_to_the_nose_by_the_formula(percent: float):
    """P_nose = V^2 / (2 X) at power factor 1: the size is that over 1 + margin; with N-1 of one circuit of the rest."""
    study = Hosting(**WIDE, pf=1.0, buses="B", tol_mw=0.02, high_mw=5000.0, margin_percent=percent)
    intact = replace(study, outages="none").run(two_buses(2))
    nose = 110.0**2 / (2.0 * 2.0)
    assert size(intact, "B") == pytest.approx(nose / (1.0 + percent / 100.0), abs=0.05)  # reached: 0.02
    after = study.run(two_buses(2))
    assert size(after, "B") == pytest.approx(0.5 * nose / (1.0 + percent / 100.0), abs=0.05)  # reached: 0.02
    assert hosting_of(after.result).buses[0].binds == "margin"
    row = after.tables["loadability"].rows[0]
    assert float(row[3]) == pytest.approx(percent, abs=0.15)


def test_the_profile_states_the_margin_and_pairs_have_half_of_it():
    from gridai.studies.searching import Judge

    case = load_case("wscc9")
    judge = Judge.of(case, "wecc", ("normal", "contingency"), 180.0)
    assert Hosting().margin(judge) == pytest.approx(0.05)
    assert Hosting(margin_percent=0.0).margin(judge) == 0.0
    _, sizing, _, _ = Hosting(profile="wecc", buses="5", outages="n-1-1", growth_percent=0.0).search(case)
    assert sizing.limits.margin == (0.05, 0.05, 0.025)


# Dynamic criteria, held against the study `pause` on the same case


def test_the_dynamic_size_passes_the_study_pause_and_the_next_one_does_not():
    case = load_case("wscc9")
    report = Hosting(buses="7", outages="none", dynamic=True, lowest_scr=0.0).run(case)
    row = report.tables["dynamic"].rows[0]
    fails, criterion = float(row[3]), row[4]
    assert criterion == "settling_frequency (pause)"
    one = Cluster.of("H100", count=1, workload=Constant(), power_factor=0.99)
    for mw, good in ((size(report, "7"), True), (fails, False)):
        cluster = replace(one, count=math.floor(mw / one.p_mw + 1e-6))
        placed = case.with_cluster(cluster, "7")
        run = Pause(pause_mw=cluster.p_mw, until_s=30.0).run(placed)
        found = [v for v in run.verdicts if v.criterion == "settling_frequency"]
        assert (found[0].status == "pass") == good
    assert any(v.criterion == "settling_frequency" and v.status == "pass" for v in report.verdicts)


def test_without_dynamic_data_it_is_said():
    report = Hosting(**WIDE, dynamic=True, outages="none", buses="B").run(two_buses())
    assert any("dynamic criteria are not judged: the case has no dynamic data" in note for note in report.notes)


# Prices


def test_a_second_circuit_doubles_what_its_rating_allows_and_is_priced_by_the_table():
    case = two_buses(1, max_i_ka=0.3, km=10.0)
    report = Hosting(**WIDE, pf=1.0, buses="B", tol_mw=0.01, outages="none", costs="default").run(case)
    row = report.tables["costs"].rows[0]
    assert row[1].startswith("second circuit of L1 (10.0 km)")

    def most(x: float, i: float) -> float:
        return math.sqrt(3.0) * i * math.sqrt(110.0**2 - 3.0 * (x * i) ** 2)

    assert float(row[2]) == pytest.approx(most(4.0, 0.3), abs=0.06)
    assert float(row[3]) == pytest.approx(most(2.0, 0.6), abs=0.06)
    costs = read_costs("default")
    price = 10.0 * costs.at("line", 110.0).value + 2.0 * costs.at("bay", 110.0).value
    assert float(row[6]) == pytest.approx(price, abs=0.005)
    assert report.summary["cheapest"].value == pytest.approx(price / (most(2.0, 0.6) - most(4.0, 0.3)), rel=1e-3)


def test_a_statcom_takes_the_voltage_step_off_and_its_reactive_power_ends():
    """One circuit, pf 1: with a STATCOM of Q the bus holds 1 pu until P X needs more than Q."""
    case = two_buses(1, x_ohm=20.0)
    report = Hosting(profile="none", step_percent=1.0, lowest_scr=0.0, pf=1.0, buses="B", tol_mw=0.01, outages="none",
                     costs="default").run(case)  # fmt: skip
    rows = {row[1].split(" at ")[0]: row for row in report.tables["costs"].rows}
    base, after = float(rows["STATCOM of 50 MVAr"][2]), float(rows["STATCOM of 50 MVAr"][3])
    v2 = 110.0**2 / 20.0  # MW at 1 pu behind 20 ohm
    assert base == pytest.approx(v2 * 0.99 * math.sqrt(1.0 - 0.99**2), abs=0.1)
    # held at 1 pu: P = v2 sin(d), Q = v2 (1 - cos(d)); beyond Q = 50 the voltage falls, by 1 % at the end
    held = v2 * math.sin(math.acos(1.0 - 50.0 / v2))
    assert after > held
    a, q = 0.99, 50.0 / v2
    cos = (a * a - q) / a
    assert after == pytest.approx(v2 * a * math.sqrt(1.0 - cos * cos), rel=2e-3)


def test_a_table_of_costs_names_every_fault(tmp_path: Path):
    from gridai.studies.cost_table import DEFAULT

    text = DEFAULT.read_text(encoding="utf-8")
    bad = (
        text.replace("per_km = 0.15", "per_km = -1").replace('confidence = "M"', 'confidence = "sure"', 1)
        + "\n[pole]\n"
    )
    file = tmp_path / "costs.toml"
    file.write_text(bad, encoding="utf-8")
    with pytest.raises(CaseError) as error:
        read_costs(file)
    for words in ("per_km", "above 0", "confidence", "pole"):
        assert words in str(error.value)
    with pytest.raises(CaseError, match="no such file"):
        read_costs(tmp_path / "none.toml")
    with pytest.raises(CaseError, match="no such file"):
        Hosting(**WIDE, buses="B", costs=str(tmp_path / "none.toml")).run(two_buses())
    file.write_text("a = [", encoding="utf-8")
    with pytest.raises(CaseError, match="not TOML"):
        read_costs(file)
    with pytest.raises(CaseError, match="2000 kV"):
        read_costs("default").at("line", 2000.0)


def test_every_price_states_source_and_confidence():
    costs = read_costs("default")
    prices = [p for rows in costs.by_voltage.values() for _, p in rows]
    prices += [p for table in costs.single.values() for p in table.values()]
    assert all(p.source and p.confidence in "VMA" and p.value > 0.0 for p in prices)
    assert all(p.confidence == "A" for p in prices if p.source.startswith("gridai"))


# Verdicts, limits files, feeders


def test_verdicts_say_what_was_judged_and_what_was_wanted():
    case = load_case("wscc9")
    report = Hosting(buses="4,6", outages="none", wanted_mw=10.0).run(case)
    judged = {v.criterion for v in report.verdicts}
    assert {"hosting_mw", "steady_voltage", "thermal_loading", "voltage_step", "short_circuit_ratio"} <= judged
    assert report.passed
    assert not Hosting(buses="4,6", outages="none", wanted_mw=5000.0).run(case).passed
    assert "verdicts: none" not in str(report)


def test_a_limits_file_holds_the_size_of_a_bus(tmp_path: Path):
    from gridai.limits.checking import check, read_all

    file = tmp_path / "hosting.limits.toml"
    file.write_text(
        'title = "hosting"\ncase = "wscc9"\n\n[[study]]\nname = "sizes"\nstudy = "hosting"\nreason = "a test"\n'
        'parameters = { buses = "4,6", outages = "none" }\n\n'
        '[[study.metric]]\nmetric = "hosting_mw:4"\nunit = "MW"\nlow = 20.0\n\n'
        '[[study.metric]]\nmetric = "least"\nunit = "MW"\nlow = 5000.0\n',
        encoding="utf-8",
    )
    found = check(read_all([file])[0])
    assert [o.status for o in found.outcomes] == ["pass", "fail"]


def test_a_radial_feeder_has_a_size_and_says_that_nothing_there_is_secure():
    net = pp.create_empty_network(f_hz=60.0)
    buses = [pp.create_bus(net, 20.0, name=f"B{k}") for k in range(4)]
    pp.create_ext_grid(net, buses[0])
    for a, b in pairwise(buses):
        pp.create_line_from_parameters(net, a, b, 2.0, 0.1, 0.3, 0.0, 0.3)
        pp.create_load(net, b, 0.5, 0.1)
    case = Case.from_pandapower(net, dynamics={}, name="feeder")
    report = Hosting(profile="none", lowest_scr=0.0).run(case)
    rows = {row[0]: row for row in report.tables["hosting"].rows}
    column = report.tables["hosting"].columns.index("cut off by")
    assert [rows[f"B{k}"][column] for k in range(4)] == ["", "1", "2", "3"]
    assert 1.0 < size(report, "B3") < size(report, "B1")
    assert any("not N-1 secure" in note for note in report.notes)


def test_two_grids_feed_together():
    net = pp.create_empty_network(f_hz=60.0)
    buses = [pp.create_bus(net, 110.0, name=n) for n in "ABC"]
    pp.create_ext_grid(net, buses[0])
    pp.create_ext_grid(net, buses[2])
    for a, b in ((0, 1), (1, 2)):
        pp.create_line_from_parameters(net, buses[a], buses[b], 10.0, 0.0, 0.4, 0.0, 0.3, name=f"{a}{b}")
    case = Case.from_pandapower(net, dynamics={}, name="two grids")
    one = math.sqrt(3.0) * 0.3 * math.sqrt(110.0**2 - 3.0 * (4.0 * 0.3) ** 2)
    intact = Hosting(**WIDE, pf=1.0, buses="B", tol_mw=0.01, outages="none").run(case)
    assert size(intact, "B") == pytest.approx(2.0 * one, abs=0.02)  # reached: 0.01
    assert size(Hosting(**WIDE, pf=1.0, buses="B", tol_mw=0.01).run(case), "B") == pytest.approx(one, abs=0.02)


@pytest.mark.parametrize(
    ("given", "words"),
    [({"first": "a"}, "n-1-1"), ({"outages": "none", "units": True}, "units"), ({"wanted_mw": 0.0}, "wanted_mw")],
)
def test_settings_that_do_not_fit_are_named(given: dict[str, Any], words: str):
    with pytest.raises(SettingError, match=words):
        Hosting(**given)


def test_a_first_outage_that_is_not_there_is_named():
    with pytest.raises(UnknownNameError, match="L2"):
        Hosting(**WIDE, buses="B", outages="n-1-1", first="L9").run(two_buses(2))


def test_the_voltage_step_is_that_of_each_bus():
    """EN 50160: 4 % up to 36 kV, 5 % up to 1 kV; above, where it says nothing, the general 3 %."""
    for name, expected in (("european_lv", {0.416: 0.05, 11.0: 0.04}), ("cigre_mv", {20.0: 0.04, 110.0: 0.03})):
        case = load_case(name)
        limits = Judge.of(case, "en50160", ("normal", "contingency"), 180.0).limits
        found = Hosting().steps(limits, case)
        assert {kv: {x} for kv, x in expected.items()} == {
            kv: set(found[(case.net.bus.vn_kv == kv).to_numpy()]) for kv in case.net.bus.vn_kv.unique()
        }
        assert set(Hosting(step_percent=2.0).steps(limits, case)) == {0.02}


def test_a_pair_of_outages_is_allowed_what_one_of_them_is():
    """A line above its rating after one outage alone may be so after that one and another too, and a little more."""
    case = load_case("cigre_mv")
    sizing = Hosting(buses="3", outages="n-1-1", growth_percent=0.0, probes=0).search(case)[1]
    alone = {o.elements[0]: k for k, o in enumerate(sizing.outages, 1) if len(o.elements) == 1}
    pairs = [(k, alone[e]) for k, o in enumerate(sizing.outages, 1) if len(o.elements) == 2 for e in o.elements]
    assert len(pairs) > 100
    for pair, one in pairs:
        assert (sizing.most[pair] >= sizing.most[one]).all()
        assert (sizing.low[pair] <= sizing.low[one]).all()
        assert (sizing.high[pair] >= sizing.high[one]).all()
