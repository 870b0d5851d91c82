"""The study mitigate: a resonance cut tenfold in the simulator, rows in their order, faults of input, the figure."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster, Site
from gridai.cluster.shapers import PowerCap, shape
from gridai.cluster.waveform import square
from gridai.engine import BusFault, LoadStep, compile_system, linearise, simulate
from gridai.errors import SettingError, UnknownNameError
from gridai.studies import Mitigate
from gridai.studies.bus_devices import losses_mw, with_device
from gridai.studies.mitigating import battery_cost, window_of, with_periods
from gridai.studies.remedies import REMEDIES

MODE_HZ = 0.5082
"""Kundur's interarea mode with the cluster at bus 9 (0.5444 Hz without it); damping 5.2 %."""


@pytest.fixture(scope="module")
def kundur() -> Any:
    return load_case("kundur").with_cluster(Cluster.of("H100", count=100_000), bus="9")


@pytest.fixture(scope="module")
def resonance(kundur: Any) -> Any:
    names = "floor,ramp,stagger,supercapacitor,battery"
    return Mitigate(remedies=names, frequency_hz=MODE_HZ, unit="none").run(kundur)


def columns(table: Any) -> dict[str, dict[str, Any]]:
    """Rows of a table by their first cell."""
    return {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}


def test_the_frequency_is_that_of_the_mode(kundur: Any):
    """Eigenvalue -0.167 + 3.193j of the case with its cluster: the cluster moves the mode by 36 mHz."""
    values = np.asarray(linearise(compile_system(kundur)).eigenvalues)
    mode = next(v for v in values if 2.0 < v.imag < 6.0)
    assert mode.imag / (2.0 * np.pi) == pytest.approx(MODE_HZ, abs=1e-4)
    assert -mode.real / abs(mode) == pytest.approx(0.0521, abs=1e-4)


def test_a_resonance_is_cut_at_least_tenfold(resonance: Any):
    """At the mode 58.5 mHz between the machines; asked a tenth: ramps leave 3.63, the battery 1.84, stagger 0.17."""
    swing = {name: row["machine swing [mHz]"] for name, row in columns(resonance.tables["remedies"]).items()}
    assert swing["none"] == pytest.approx(58.5, rel=0.01)
    for name, left in {"ramp": 3.63, "battery": 1.84, "stagger": 0.166}.items():
        assert swing[name] == pytest.approx(left, rel=0.05), name
        assert swing[name] < swing["none"] / 10.0, name
    # A floor at 0.9 of the peak takes the lower half of this swing only.
    assert swing["floor"] == pytest.approx(32.0, rel=0.02)


def test_it_is_the_mode_that_answers(kundur: Any, resonance: Any):
    """The same swing at three times the frequency moves the machines a tenth as much: 58.5 against 5.8 mHz."""
    off = Mitigate(remedies="none", frequency_hz=3.0 * MODE_HZ, unit="none").run(kundur)
    swing = columns(off.tables["remedies"])["none"]["machine swing [mHz]"]
    assert swing < columns(resonance.tables["remedies"])["none"]["machine swing [mHz]"] / 9.0


def test_costs_and_specification_stand_beside_it(resonance: Any):
    """Only what burns costs energy, only what delays costs time; what varies no more meets the specification."""
    cost, stress = columns(resonance.tables["costs"]), columns(resonance.tables["remedies"])
    assert cost["floor"]["ballast [%]"] == pytest.approx(4.5, abs=0.01)
    assert cost["battery"]["ballast [%]"] == 0.0 < cost["battery"]["losses [%]"] < 1.0
    assert cost["ramp"]["training lost [%]"] > 0.0 == cost["floor"]["training lost [%]"]
    assert stress["stagger"]["specification"] == "met"
    assert stress["none"]["specification"].startswith("band 99%")
    assert resonance.summary["meet"].value == 1.0
    assert resonance.summary["best_speed"].element == "stagger"


def test_specification_names_each_shortfall(kundur: Any):
    """Range, ramp and band, with value and limit."""
    study = Mitigate(remedies="cap", frequency_hz=1.0, unit="none", cycles=12, range_mw=5.0, ramp_mw_per_min=60.0)
    text = columns(study.run(kundur).tables["remedies"])["cap"]["specification"]
    assert "range 10.7 > 5 MW" in text
    assert "MW/min" in text
    assert "band" in text


def test_help_after_a_trip_is_what_each_remedy_leaves():
    """ieee39: the battery's power comes on top of the cap's; a floor above the mean leaves nothing to take off."""
    case = load_case("ieee39").with_cluster(Cluster.of("H100", count=100_000), bus="16")
    report = Mitigate(remedies="floor,battery", frequency_hz=0.6, cycles=12, floor=1.0).run(case)
    rows = columns(report.tables["remedies"])
    relief = {name: row["relief in 1 s [MW]"] for name, row in rows.items()}
    assert relief["none"] == pytest.approx(0.25 * 107.125, rel=1e-5)
    assert relief["floor"] == 0.0
    assert relief["battery"] == pytest.approx(relief["none"] + 21.425)
    assert rows["battery"]["nadir [Hz]"] > rows["none"]["nadir [Hz]"] > rows["floor"]["nadir [Hz]"]
    assert report.figures == ("mitigation",)
    assert report.figure("mitigation").axes


def test_devices_at_the_bus_are_remedies_too():
    """ieee39: a grid-forming inverter lifts the nadir (59.449 to 59.520 Hz) and changes nothing at the meter."""
    case = load_case("ieee39").with_cluster(Cluster.of("H100", count=100_000), bus="16")
    report = Mitigate(remedies="condenser,grid-forming", frequency_hz=0.6, cycles=12).run(case)
    rows = columns(report.tables["remedies"])
    assert rows["grid-forming"]["range [MW]"] == rows["none"]["range [MW]"]
    assert rows["grid-forming"]["nadir [Hz]"] == pytest.approx(rows["none"]["nadir [Hz]"] + 0.071, abs=0.01)
    assert rows["condenser"]["bus voltage [1e-3 pu]"] < rows["none"]["bus voltage [1e-3 pu]"]
    still = with_device(case, "16", "condenser", 100.0).solve()
    before = case.solve()
    assert np.abs(np.abs(still.v) - np.abs(before.v)).max() < 1e-8


def test_statcom_holds_the_voltage_by_its_droop_within_its_current():
    """ieee39: at rest at the start; after a fault at 16 at most its rated current; dV = - 3 % dQ to 3e-7 pu."""
    system = compile_system(with_device(load_case("ieee39"), "16", "statcom", 100.0))
    still = simulate(system, until_s=2.0)
    assert np.abs(still.data - still.data[0]).max() < 1e-6
    result = simulate(system, [LoadStep("L16", 200.0, at_s=1.0)], until_s=40.0)
    q, v = result.series("gen", "statcom", "q_mvar") / 100.0, result.series("bus", "16", "vm_pu")
    assert q[-1] - q[0] > 0.02
    assert v[-1] - v[0] == pytest.approx(-0.03 * (q[-1] - q[0]), abs=2e-6)
    dip = simulate(system, [BusFault("16", 1.0, 1.1, x_pu=0.02)], until_s=2.0)
    q, v = dip.series("gen", "statcom", "q_mvar") / 100.0, dip.series("bus", "16", "vm_pu")
    assert (q / v).max() == pytest.approx(1.0, abs=1e-3)


def test_statcom_lowers_flicker_and_leaves_the_areas_stable(kundur: Any):
    """kundur at 2 Hz: Pst 0.911 without, 0.816 with it; largest eigenvalue 0 (the grid-forming inverter: +0.134/s)."""
    report = Mitigate(remedies="statcom,stagger", frequency_hz=2.0, unit="none", cycles=24).run(kundur)
    rows = columns(report.tables["remedies"])
    assert rows["none"]["Pst"] == pytest.approx(0.911, rel=0.01)
    assert rows["statcom"]["Pst"] == pytest.approx(0.816, rel=0.02)
    assert rows["statcom"]["bus voltage [1e-3 pu]"] < rows["none"]["bus voltage [1e-3 pu]"]
    assert rows["stagger"]["Pst"] < 0.05
    values = linearise(compile_system(with_device(kundur, "9", "statcom", 107.0))).eigenvalues
    assert np.asarray(values).real.max() < 1e-6
    values = linearise(compile_system(with_device(kundur, "9", "grid-forming", 107.0))).eigenvalues
    assert np.asarray(values).real.max() == pytest.approx(0.134, abs=0.002)


def test_costs_of_every_remedy_and_by_hand(kundur: Any):
    """A square of +-10 % at 0.5 Hz for 40 s. Floor: 4.5 % burnt; stagger of 8: 7/16 of 2 s.

    Cap at the mean: the high second takes 1.1 s, so 40 s hold 19 periods of 2.1 s and 0.1 s of work: 38.0909 s of it.
    Ramp limits of a tenth of the swing a second: they fall by L = 2.14 MW in the low second, and coming back from
    there costs L^2 / 2 R top = 9.09 ms of each period: 4.55 permil of the time but for the cut last period.

    The battery's target starts at the top and falls with 10 s, so it gives A (1 - k), takes A (1 + k) half of the time.
    """
    report = Mitigate(frequency_hz=0.5, unit="none", cycles=20).run(kundur)
    cost = columns(report.tables["costs"])
    assert list(cost) == list(REMEDIES)
    assert all(np.isfinite(x) for row in report.tables["costs"].rows for x in row[2:])
    assert not any(report.tables["costs"].rows[0][2:])
    assert cost["cap"]["training lost [%]"] == pytest.approx(100.0 * (40.0 - 38.0 - 0.1 / 1.1) / 40.0, rel=1e-6)
    assert cost["ramp"]["training lost [%]"] == pytest.approx(100.0 * 0.0090909 / 2.0090909, rel=0.06)
    assert cost["condenser"]["losses [%]"] == pytest.approx(0.6, rel=0.01)
    assert cost["statcom"]["losses [%]"] == pytest.approx(0.207, rel=0.01)
    assert cost["floor"]["ballast [%]"] == pytest.approx(50.0 * (0.9 * 1.1 - 0.9), rel=1e-3)
    assert cost["stagger"]["latency [s]"] == pytest.approx(2.0 * 7 / 16, rel=1e-6)
    assert cost["floor"]["latency [s]"] == 0.0
    k = 10.0 / 40.0 * (1.0 - np.exp(-4.0))
    given, taken = 0.5 * 10.7125 * (1.0 - k), 0.5 * 10.7125 * (1.0 + k)
    assert cost["battery"]["throughput [MWh/h]"] == pytest.approx(given / 0.95, rel=0.02)
    lost = given * (1.0 / 0.95 - 1.0) + taken * 0.05
    assert cost["battery"]["losses [%]"] == pytest.approx(100.0 * lost / 107.125, rel=0.03)
    assert cost["grid-forming"]["throughput [MWh/h]"] > 0.0 == cost["statcom"]["throughput [MWh/h]"]
    text = " ".join(report.notes)
    assert "latency" in text
    assert "added by stagger" in text


def test_a_cap_brings_a_swing_into_the_mode(kundur: Any):
    """0.5444 Hz under a cap comes at 0.5185 Hz, nearer to the mode: 28.7 of 36.3 mHz (half were 18.2)."""
    report = Mitigate(remedies="cap", frequency_hz=0.5444, unit="none").run(kundur)
    swing = {name: row["machine swing [mHz]"] for name, row in columns(report.tables["remedies"]).items()}
    assert swing["none"] == pytest.approx(36.3, rel=0.01)
    assert swing["cap"] == pytest.approx(28.7, rel=0.02)


def test_windows_hold_whole_periods():
    """Of 12 stretched to 2.2 s within 24 s, ten are whole: the last five; a course without two has its second half."""
    demand = square(0.5, 12, 0.0).scaled(20.0).plus(100.0).between(0.0, 24.0)
    chain = shape(with_periods(demand, 2.0, 12), [PowerCap(100.0, stretch=True)])
    assert window_of(chain, 2.0, 12) == pytest.approx((11.0, 22.0), abs=1e-9)
    assert window_of(shape(demand, []), 2.0, 12) == pytest.approx((12.0, 24.0))
    assert window_of(shape(demand, [PowerCap(10.0, stretch=True)]), 2.0, 12) == (12.0, 24.0)


def test_losses_of_devices_by_hand():
    """100 MVA at 50 MVAr: 0.6 + 0.6 / 4 MW in the condenser, 0.2 + 0.8 / 4 in the STATCOM."""
    assert losses_mw("condenser", 100.0, np.array([0.0, 50.0])) == pytest.approx([0.6, 0.75])
    assert losses_mw("statcom", 100.0, np.array([-50.0, 100.0])) == pytest.approx([0.4, 1.0])


def test_a_grid_without_inertia_has_no_machine_swing_and_no_nadir():
    """The test bench is a source behind an impedance: voltage and flicker stand, the rest is left open and named."""
    case = load_case("bench").with_cluster(Cluster.of("H100", count=100_000), bus="POC")
    report = Mitigate(remedies="battery", cycles=12, frequency_hz=1.0).run(case)
    row = columns(report.tables["remedies"])["battery"]
    assert np.isnan(row["machine swing [mHz]"])
    assert np.isnan(row["nadir [Hz]"])
    assert row["bus voltage [1e-3 pu]"] > 0.0
    assert any("no machine of it has inertia" in note for note in report.notes)
    assert report.figure("mitigation").axes


def test_cost_of_a_battery_behind_an_inverter_by_hand():
    """10 MW given for 95 s, 10 MW taken for 100 s at 0.95 each: 1,000 MJ drawn, 950 stored, 50 + 50 MJ lost."""
    cost = battery_cost(np.array([0.0, 95.0, 95.0, 195.0]), np.array([10.0, 10.0, -10.0, -10.0]))
    assert (cost.throughput_mj, cost.loss_mj, cost.charged_mj) == pytest.approx((1000.0, 100.0, -50.0), rel=1e-12)


def test_result_holds_power_of_each_remedy(resonance: Any):
    """One channel a remedy, the cut at the end of the course."""
    names = resonance.result.names("cluster", "p_mw")
    assert names == ("none", "floor", "ramp", "stagger", "supercapacitor", "battery")
    p = resonance.result.series("cluster", "battery", "p_mw")
    assert np.nanmax(p[-500:]) - np.nanmin(p[-500:]) < 3.0
    assert [row["name"] for row in resonance.result.meta["mitigate"]] == list(names)


def test_a_site_swings_as_one():
    """Two halls of 50,000 GPUs: as one cluster of 100,000."""
    hall = Cluster.of("H100", count=50_000)
    swings = []
    for whole in (Site("campus", (hall, hall)), Cluster.of("H100", count=100_000)):
        case = load_case("kundur").with_cluster(whole, bus="9")
        report = Mitigate(remedies="none", frequency_hz=1.0, cycles=12, unit="none").run(case)
        swings.append(columns(report.tables["remedies"])["none"])
    assert swings[0]["machine swing [mHz]"] == pytest.approx(swings[1]["machine swing [mHz]"], rel=1e-5)


def test_bad_input_is_refused_by_name(kundur: Any):
    """An unknown remedy lists the near ones; impossible sizes name the field."""
    with pytest.raises(UnknownNameError, match="battery"):
        Mitigate(remedies="batery").run(kundur)
    with pytest.raises(SettingError, match=r"(?s)floor.*relief"):
        Mitigate(floor=1.5, relief=2.0)
    with pytest.raises(SettingError, match="amplitude_mw"):
        Mitigate(amplitude_mw=200.0).run(kundur)
    with pytest.raises(SettingError, match="file"):
        Mitigate(shape="measured")
    with pytest.raises(SettingError, match="cycles"):
        Mitigate(cycles=1)
    with pytest.raises(SettingError, match=r"(?s)band_share.*1 at most"):
        Mitigate(band_share=3.0)
    with pytest.raises(SettingError, match=r"delay_s.*give less"):
        Mitigate(delay_s=40.0)
    with pytest.raises(UnknownNameError, match=r"known.*battery"):
        Mitigate(remedies=",").run(kundur)


def test_every_field_states_help():
    for f in fields(Mitigate):
        assert f.metadata["help"], f.name
