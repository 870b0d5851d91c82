"""Study contingency: every outage against runpp, islands, fault levels by IEC 60909 by hand, ranking, bad input."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import numpy as np
import pandapower as pp
import pytest
from pandapower import networks

from gridai.case import Case, load_case
from gridai.cluster import Cluster
from gridai.errors import CaseError, SettingError, UnknownNameError
from gridai.grid.batch import BatchFlow
from gridai.grid.contingency import Contingencies, Outage
from gridai.grid.shortcircuit import fault_levels
from gridai.results.contingencies import ranked_of
from gridai.studies import Contingency
from gridai.studies.searching import Judge


@pytest.fixture(scope="module")
def with_cluster() -> Any:
    return load_case("ieee39").with_cluster(Cluster.of("H100", count=100_000), bus="16")


@pytest.fixture(scope="module")
def report(with_cluster: Any) -> Any:
    return Contingency().run(with_cluster)


def test_every_overload_and_voltage_is_runpps(report: Any, with_cluster: Any):
    net = copy.deepcopy(with_cluster.net)
    rows = {(r[0], r[1]): float(r[2]) for name in ("overloads", "voltages") for r in report.tables[name].rows}
    lines = {f"line {n}": ("line", i) for i, n in net.line.name.items()}
    lines |= {f"trafo {n}": ("trafo", i) for i, n in net.trafo.name.items()}
    islands = {r[0] for r in report.tables["islands"].rows}
    base = solved(net)
    seen = set()
    for outage, (table, index) in lines.items():
        if outage in islands:
            continue
        net[table].at[index, "in_service"] = False
        found = solved(net)
        net[table].at[index, "in_service"] = True
        for key, value in found.items():
            limit = 100.0 if not key.startswith("bus") else 1.05
            digits = 1 if limit == 100.0 else 4
            worse = 1.0 if limit == 100.0 else 0.005  # what is outside beforehand may go so much further
            held = limit if base[key] <= limit + 1e-6 else base[key] + worse
            if value > held + 1e-6:
                seen.add((key, outage))
                assert rows[key, outage] == pytest.approx(value, abs=0.51 * 10.0**-digits)  # rounded to this
    assert len(seen) > 20
    assert {k for k in rows if k[1] not in islands} == seen


def test_the_slack_cut_off_leaves_the_grid_to_another_unit(report: Any):
    """6-31 parts G2, the slack, from 38 buses that live on; 19-20 leaves 680 MW to a unit of 520 MW."""
    rows = {(r[0], r[2]): r for r in report.tables["islands"].rows}
    lives = rows["trafo 6-31", "38"]
    assert lives[3] == "lives"
    assert "gen G1 is the reference" in lives[6]
    assert rows["trafo 19-20", "2"][3] == "dead"
    assert "short of" in rows["trafo 19-20", "2"][6]
    assert report.summary["living"].value == 2.0
    assert report.summary["split"].value == 9.0
    assert any(r[1] == "trafo 6-31" for r in report.tables["overloads"].rows)  # the island is judged, too


def test_the_slacks_unit_out_is_runpps_with_another_slack(with_cluster: Any):
    """G2 out: G1 becomes the slack, 580 MW shared by headroom. Reached: 4.4e-16 pu, 0 % (rounded in the table)."""
    study = Contingency(what="branches and units", faults="none")
    flow, found, _, _ = study.assess(with_cluster, Judge.of(with_cluster, "default", ("contingency",), 180.0))
    net = copy.deepcopy(with_cluster.net)
    gen = {n: i for i, n in net.gen.name.items()}
    (k,) = [k for k, o in enumerate(found.outages) if o.elements == (("gen", int(gen["G2"])),)]
    assert found.moved[k] == (("gen", int(gen["G1"])), 0.0)
    lost = float(flow.net.res_gen.p_mw[gen["G2"]])
    room = (net.gen.max_p_mw - flow.net.res_gen.p_mw).drop(gen["G2"])
    net.gen.loc[room.index, "p_mw"] += lost * room / room.sum()
    net.gen.loc[gen["G2"], "in_service"] = False
    net.gen["slack"] = False
    net.gen.loc[gen["G1"], "slack"] = True
    after = solved(net)
    assert found.vm_low[k] == pytest.approx(float(net.res_bus.vm_pu.min()), abs=1e-8)
    assert found.percent[k] == pytest.approx(max(v for x, v in after.items() if not x.startswith("bus")), abs=1e-5)


@pytest.mark.parametrize("unit", ["G3", "G10"])
def test_lost_generation_is_shared_by_headroom(with_cluster: Any, unit: str):
    """By runpp with the shares written into the units. Reached: 2.1e-15 pu."""
    net = copy.deepcopy(with_cluster.net)
    flow = BatchFlow(net)
    index = int(net.gen.index[net.gen.name == unit][0])
    found = Contingencies(flow, "headroom").run([Outage.of("gen", index)])
    alone = Contingencies(flow).run([Outage.of("gen", index)]).result
    assert np.nanmax(np.abs(alone.vm_pu[0] - found.result.vm_pu[0])) > 1e-3  # what the slack alone would do
    lost = float(flow.net.res_gen.p_mw[index])
    room = (net.gen.max_p_mw - flow.net.res_gen.p_mw).drop(index).clip(lower=0.0)
    net.gen.loc[room.index, "p_mw"] += room * min(1.0, lost / room.sum())
    net.gen.loc[index, "in_service"] = False
    solved(net)
    assert np.nanmax(np.abs(found.result.vm_pu[0] - net.res_bus.vm_pu.to_numpy())) < 1e-8


def test_a_dead_island_leaves_its_load_to_nobody(with_cluster: Any):
    """19-20 takes 680 MW and a unit of 510.7 MW away: what is over lowers the others by what they give."""
    net = copy.deepcopy(with_cluster.net)
    flow = BatchFlow(net)
    index = int(net.trafo.index[net.trafo.name == "19-20"][0])
    found = Contingencies(flow, "headroom").run([Outage.of("trafo", index)])
    gone = list(found.prepared.dead_buses[0])
    dead = net.gen.index[net.gen.bus.isin(gone)]
    over = float(net.load.p_mw[net.load.bus.isin(gone)].sum() - flow.net.res_gen.p_mw[dead].sum())
    given = flow.net.res_gen.p_mw.drop(dead)
    net.gen.loc[given.index, "p_mw"] -= over * given / given.sum()
    net.trafo.loc[index, "in_service"] = False
    solved(net)
    after = net.res_bus.vm_pu.to_numpy()
    assert np.nanmax(np.abs(found.result.vm_pu[0] - after)) < 1e-8  # reached: 2.0e-15 pu


def test_restoration_closes_the_tie_that_runpp_finds_best():
    """Baran and Wu's feeder: for every outage each of its five ties by runpp, the best one by the same order."""
    net = networks.case33bw()
    net.bus["min_vm_pu"], net.bus["max_vm_pu"] = 0.9, 1.1
    report = Contingency(faults="none").run(Case.from_pandapower(net, dynamics={}, name="feeder"))
    rows = report.tables["restoration"].rows
    ties = [int(i) for i in net.line.index[~net.line.in_service]]
    assert len(rows) == 32
    assert report.summary["restorable"].value == 21.0
    for row in rows[1:16:3]:
        best = max(try_tie(net, row[0], t) for t in ties)
        assert best[4] == row[2]
        assert best[1] == pytest.approx(float(row[3]), abs=6e-4)
        assert float(row[7]) == pytest.approx(best[3], abs=6e-5)
    assert rows[0][2] == "none"  # the feeder's head: no tie leads elsewhere


def try_tie(net: Any, outage: str, tie: int) -> tuple[Any, ...]:
    """Limits kept, load restored, fewest limits broken, lowest voltage, name."""
    work = copy.deepcopy(net)
    names = {f"line {a}-{b}": i for i, a, b in zip(net.line.index, net.line.from_bus, net.line.to_bus, strict=True)}
    out = names[outage]
    work.line.loc[out, "in_service"] = False
    pp.runpp(work, numba=False)
    dead = work.res_bus.vm_pu.isna()
    work.line.loc[tie, "in_service"] = True
    try:
        pp.runpp(work, init="dc", max_iteration=30, numba=False)
    except pp.LoadflowNotConverged:
        return False, 0.0, -100, 0.0, ""
    again = dead & work.res_bus.vm_pu.notna()
    mw = float(net.load.p_mw[net.load.bus.isin(net.bus.index[again])].sum())
    beyond = int((work.res_bus.vm_pu < 0.9).sum())
    if mw == 0.0:
        return False, 0.0, -100, 0.0, ""
    return beyond == 0, round(mw, 6), -beyond, float(work.res_bus.vm_pu.min()), list(names)[tie]


def test_no_more_load_lost_than_allowed(with_cluster: Any):
    found = {v.criterion: v for v in Contingency(most_lost_mw=500.0, faults="none").run(with_cluster).verdicts}
    assert found["load_lost"].status == "fail"
    assert found["load_lost"].value == pytest.approx(680.0)
    assert found["load_lost"].element == "trafo 19-20"


def test_a_pass_names_the_least_room_and_what_was_outside_before():
    case = load_case("feeder33")
    found = Contingency(restore=0, faults="none").run(case)
    verdict = next(v for v in found.verdicts if v.criterion == "voltage_after_outage")
    assert verdict.status == "pass"
    assert " after " in verdict.element
    assert verdict.margin == pytest.approx(verdict.value - verdict.limit)
    assert verdict.margin > 0.0
    vm = solved(copy.deepcopy(case.net))
    before = sum(value < 0.95 - 1e-6 for key, value in vm.items() if key.startswith("bus"))
    assert verdict.note.startswith(f"{before} voltages already outside")


def solved(net: Any) -> dict[str, float]:
    """Loadings and voltages by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pp.runpp(net, calculate_voltage_angles=True, init="dc", numba=False)
    out = {f"bus {n}": float(v) for n, v in zip(net.bus.name, net.res_bus.vm_pu, strict=True)}
    for table in ("line", "trafo"):
        loads = net[f"res_{table}"].loading_percent
        out |= {f"{table} {n}": float(v) for n, v in zip(net[table].name, loads, strict=True)}
    return out


def test_counts_and_the_outage_that_takes_the_cluster(report: Any):
    assert report.summary["outages"].value == 46.0
    assert report.summary["split"].value == 9.0
    assert report.summary["load_lost"].value == pytest.approx(680.0)
    assert not report.passed
    assert ranked_of(report.result).total == 46
    values = [float(r[2]) for r in report.tables["overloads"].rows]
    assert values == sorted(values, reverse=True)


def test_pairs_with_a_named_branch_and_all_of_them(with_cluster: Any):
    some = Contingency(order="n-1-1", first="16-17", faults="none").run(with_cluster)
    assert some.summary["outages"].value == 45.0
    assert all("16-17" in r[1] for r in some.tables["overloads"].rows)
    alone = Contingency(faults="none").run(with_cluster)
    known = {(r[0], r[1]): r[2] for r in alone.tables["overloads"].rows}
    for row in some.tables["overloads"].rows:
        parts = [known.get((row[0], x)) for x in row[1].split(" + ")]
        worst = max((x for x in parts if x), key=float, default="within its limit")
        assert row[5] == worst
    with pytest.raises(UnknownNameError, match="16-18"):
        Contingency(order="n-1-1", first="16-18").run(with_cluster)
    with pytest.raises(SettingError, match="n-1-1"):
        Contingency(first="16-17")


def test_units_out(with_cluster: Any):
    found = Contingency(what="branches and units", faults="none").run(with_cluster)
    assert found.summary["outages"].value == 56.0
    assert found.tables["slack_units"].rows == (("gen G2", "gen G1", "0.0"),)


def test_fault_level_of_one_machine_is_the_standards_formula():
    """Ik'' = c U_n / (sqrt 3 |Z_K|), Z_K = K_G (R_G + j X_d''), K_G = U_n / U_rG c_max / (1 + x_d'' sin phi)."""
    net = pp.create_empty_network(f_hz=50.0)
    bus = pp.create_bus(net, 20.0, name="B")
    pp.create_gen(net, bus, 80.0, sn_mva=120.0, name="G", slack=True)
    pp.create_bus(net, 20.0, name="C")
    pp.create_line_from_parameters(net, 0, 1, 1.0, 0.1, 0.3, 0.0, 5.0)
    pp.create_load(net, 1, 80.0)
    import pandas as pd

    found = fault_levels(net, {"genrou": pd.DataFrame({"unit": ["G"], "xd2_pu": [0.2]})})
    x = 0.2 * 20.0**2 / 120.0
    k = 1.1 / (1.0 + 0.2 * math.sin(math.acos(0.85)))
    machine = k * complex(0.05 * x, x)
    for index, z in ((0, machine), (1, machine + 0.1 + 0.3j)):
        assert found.ikss_ka[index] == pytest.approx(1.1 * 20.0 / (math.sqrt(3.0) * abs(z)), rel=1e-9)  # reached: 1e-15
        assert found.skss_mva[index] == pytest.approx(math.sqrt(3.0) * 20.0 * found.ikss_ka[index], rel=1e-9)


def test_fault_levels_without_data_say_why(with_cluster: Any):
    bare = Case.from_pandapower(with_cluster.net, dynamics={}, name="bare")
    with pytest.raises(CaseError, match="subtransient reactance of G1"):
        fault_levels(bare.net, {})
    report = Contingency().run(bare)
    assert any("fault levels are not computed" in note for note in report.notes)
    assert "fault_levels" not in report.tables


def test_the_cluster_has_its_short_circuit_ratio(report: Any, with_cluster: Any):
    row = next(r for r in report.tables["fault_levels"].rows if r[0] == "16")
    assert float(row[3]) == pytest.approx(float(row[2]) / with_cluster.placements[0].cluster.p_mw, rel=1e-2)
    assert np.isfinite(report.result.bus.fault_mva["16"].iloc[0])


def test_the_report_is_saved(report: Any, tmp_path: Any):
    report.save(tmp_path / "out")
    assert (tmp_path / "out" / "contingencies.png").stat().st_size > 10_000
    assert (tmp_path / "out" / "islands.csv").is_file()


def test_inverters_without_a_current_feed_nothing_into_a_fault():
    case = load_case("cigre_mv")
    bare = copy.deepcopy(case.net)
    bare.sgen = bare.sgen.iloc[:0]
    found, without = fault_levels(case.net, case.dynamics), fault_levels(bare, case.dynamics)
    assert found.ikss_ka == pytest.approx(without.ikss_ka)
    fed = copy.deepcopy(case.net)
    fed.sgen["k"] = 1.2
    fed.sgen["sn_mva"] = fed.sgen["sn_mva"].fillna(0.1)
    more = fault_levels(fed, case.dynamics)
    assert more.ikss_ka[14] > found.ikss_ka[14]
    assert any("state k" in note for note in more.notes)
