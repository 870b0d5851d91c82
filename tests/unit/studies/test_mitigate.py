"""The study mitigate: a resonance cut tenfold in the simulator, rows in their order, faults of input, the figure."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster, Site
from gridai.errors import SettingError, UnknownNameError
from gridai.studies import Mitigate
from gridai.studies.bus_devices import with_device

MODE_HZ = 0.5444
"""Kundur's interarea mode, as the study modes finds it; damping 4.4 %."""


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


def test_a_resonance_is_cut_at_least_tenfold(resonance: Any):
    """At the mode 36.3 mHz between the machines; asked a tenth: ramps leave 1.97, the battery 1.10, stagger 0.26."""
    swing = {name: row["machine swing [mHz]"] for name, row in columns(resonance.tables["remedies"]).items()}
    assert swing["none"] == pytest.approx(36.3, rel=0.01)
    for name, left in {"ramp": 1.97, "battery": 1.10, "stagger": 0.26}.items():
        assert swing[name] == pytest.approx(left, rel=0.05), name
        assert swing[name] < swing["none"] / 10.0, name
    # A floor at 0.9 of the peak takes the lower half of this swing only.
    assert swing["floor"] == pytest.approx(19.1, rel=0.02)


def test_it_is_the_mode_that_answers(kundur: Any, resonance: Any):
    """The same swing at three times the frequency moves the machines a tenth as much: 36.3 against 3.1 mHz."""
    off = Mitigate(remedies="none", frequency_hz=3.0 * MODE_HZ, unit="none").run(kundur)
    swing = columns(off.tables["remedies"])["none"]["machine swing [mHz]"]
    assert swing < columns(resonance.tables["remedies"])["none"]["machine swing [mHz]"] / 5.0


def test_costs_and_specification_stand_beside_it(resonance: Any):
    """Only what burns costs energy, only what delays costs time; what varies no more meets the specification."""
    cost, stress = columns(resonance.tables["costs"]), columns(resonance.tables["remedies"])
    assert cost["floor"]["ballast [%]"] == pytest.approx(4.5, abs=0.01)
    assert cost["battery"]["ballast [%]"] == 0.0 < cost["battery"]["store's losses [%]"] < 1.0
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


def test_every_field_states_help():
    for f in fields(Mitigate):
        assert f.metadata["help"], f.name
