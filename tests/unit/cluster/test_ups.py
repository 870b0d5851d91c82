"""The UPS group's kernels on one unit in plain Python: charge, counting, timers, start."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import numpy as np
import pytest

from gridai.cluster import ups
from gridai.errors import InitialisationError
from gridai.kernel.contract import Start, argument_names, records_of


class Unit:
    """Records of one group at 1 pu of voltage and 0.5 pu of load, on a base of 100 MVA."""

    def __init__(self, v: complex = 1.0 + 0j, **given: float) -> None:
        self.r = {k: np.zeros(1, t).view(np.recarray)[0] for k, t in records_of(ups.MODEL).items()}
        for q in ups.MODEL.params:
            self.r["p"][q.name] = given.get(q.name, q.default or 0.0)
        self.r["p"].mva, self.r["p"].omega_base, self.r["z"].on = 100.0, 2 * np.pi * 60, 1.0
        for m in ups.MODEL.memory:
            self.r["z"][m.name] = m.start
        self.r["u"].v_re, self.r["u"].v_im = v.real, v.imag
        ups.initialise(*(self.r[k] for k in "pxzuy"), Start(v, 0.5, 0.1))

    def call(self, name: str, t: float = 0.0) -> object:
        f = ups.MODEL.kernels[name]
        known = {**self.r, "t": t, "v": complex(self.r["u"].v_re, self.r["u"].v_im)}
        return f(*(known[a] for a in argument_names(f)))

    def fire(self, t: float, *names: str) -> None:
        """Run `update` with these guards fired."""
        self.call("outputs")
        for n in ups.MODEL.guards:
            self.r["g"][n] = float(n in names)
        self.call("update", t)

    def settle(self, t: float) -> set[str]:
        """Guards that stand at or above zero."""
        self.call("outputs")
        self.call("guards", t)
        return {n for n in ups.MODEL.guards if self.r["g"][n] >= 0.0}


def test_it_stands_still_and_draws_the_load():
    unit = Unit()
    unit.call("outputs")
    unit.call("derivatives")
    assert max(abs(float(unit.r["d"][s.name])) for s in ups.MODEL.states) < 1e-12
    assert unit.r["y"].p_pu == 0.5
    assert unit.call("current") == pytest.approx(-(0.5 - 0.1j))
    assert unit.settle(0.0) == set()


@pytest.mark.parametrize("v", [0.95, 0.8, 0.5, 0.2, 0.0])
@pytest.mark.parametrize("mode", [ups.NORMAL, ups.BATTERY, ups.WALKING, ups.ONLINE])
def test_the_battery_gives_what_the_grid_does_not(v, mode):
    unit = Unit(eco=float(mode == ups.ONLINE))
    unit.r["z"].mode, unit.r["x"].walk, unit.r["x"].soc = mode, 0.3, 0.5
    unit.r["u"].v_re = v
    unit.call("outputs")
    unit.call("derivatives")
    load = 0.5 if mode != ups.ONLINE else 0.5 * 1.03
    gained = unit.r["d"].soc * unit.r["p"].energy_pu_s
    assert gained == pytest.approx(unit.r["y"].p_pu - load, abs=1e-12)


def test_charging_is_drawn_and_stored():
    unit = Unit()
    unit.r["z"].charging, unit.r["x"].soc = 1.0, 0.5
    unit.call("outputs")
    unit.call("derivatives")
    assert unit.r["y"].p_pu == pytest.approx(0.5 * 1.05)
    assert unit.r["d"].soc * unit.r["p"].energy_pu_s == pytest.approx(0.9 * 0.025)


def test_a_delay_runs_out_or_is_reset():
    unit = Unit(under1_pu=0.85, under1_s=0.02)
    unit.fire(1.0, "under1")
    assert unit.r["z"].under1_due_s == pytest.approx(1.02)
    unit.fire(1.01, "under1")
    assert unit.r["z"].under1_due_s == ups.NEVER
    unit.fire(2.0, "under1")
    unit.fire(2.02, "under1")
    assert unit.r["z"].mode == ups.BATTERY
    assert unit.r["z"].cause == ups.UNDER
    assert unit.call("current") == 0.0


def test_no_delay_acts_at_once():
    unit = Unit(under1_pu=0.85, under1_s=0.0)
    unit.fire(1.0, "under1")
    assert unit.r["z"].mode == ups.BATTERY


@pytest.mark.parametrize(
    ("times", "latched"),
    [((0.0, 30.0, 60.0), True), ((0.0, 30.0, 60.001), False), ((0.0, 30.0, 61.0, 89.0), True), ((0.0, 59.0), False)],
)
def test_three_disturbances_in_an_exact_window_latch(times, latched):
    unit = Unit(count_n=3.0, window_s=60.0, count_s=0.0)
    for t in times:
        unit.fire(100.0 + t, "count")
    assert (unit.r["z"].latched == 1.0) == latched
    assert (unit.r["z"].mode == ups.BATTERY) == latched
    assert (unit.r["z"].cause == ups.COUNTED) == latched
    unit.call("outputs")
    assert unit.r["y"].mode == (ups.LATCHED if latched else ups.NORMAL)


@pytest.mark.parametrize("n", [1, 2, 4, 5, 6])
def test_any_number_up_to_six(n):
    unit = Unit(count_n=float(n), window_s=60.0, count_s=0.0)
    for k in range(n):
        assert unit.r["z"].latched == 0.0
        unit.fire(10.0 + k, "count")
    assert unit.r["z"].latched == 1.0


def test_a_latched_group_does_not_return():
    unit = Unit(count_n=1.0, count_s=0.0)
    unit.fire(1.0, "count")
    assert "ready" not in unit.settle(1000.0)


def test_return_waits_for_a_good_input_then_walks_in():
    unit = Unit(under1_pu=0.85, return_s=10.0, walk_s=5.0)
    unit.fire(1.0, "under1")
    assert unit.r["z"].mode == ups.BATTERY
    assert "ready" in unit.settle(1.1)
    unit.fire(2.0, "ready")
    assert unit.r["z"].ready_due_s == pytest.approx(12.0)
    assert "ready" not in unit.settle(11.9)
    unit.fire(12.0, "ready")
    assert unit.r["z"].mode == ups.WALKING
    unit.r["x"].walk = 1.0
    unit.r["x"].soc = 0.9
    unit.fire(17.0, "walked")
    assert unit.r["z"].mode == ups.NORMAL
    assert unit.r["z"].charging == 1.0


def test_generator_battery_empty_and_supplies_without_battery():
    unit = Unit(under1_pu=0.85, generator=1.0, gen_start_s=15.0)
    unit.fire(1.0, "under1")
    assert "due" not in unit.settle(15.9)
    assert "due" in unit.settle(16.0)
    unit.fire(16.0, "due")
    assert unit.r["z"].mode == ups.GENERATOR
    unit = Unit(under1_pu=0.85, generator=0.0)
    unit.fire(1.0, "under1")
    unit.r["x"].soc = 0.0
    assert "empty" in unit.settle(400.0)
    unit.fire(400.0, "empty")
    unit.call("outputs")
    assert (unit.r["z"].mode, unit.r["z"].cause, unit.r["y"].load_pu) == (ups.OFF, ups.EMPTY, 0.0)
    unit = Unit(under1_pu=0.85, ups=0.0)
    unit.fire(1.0, "under1")
    assert unit.r["z"].mode == ups.OFF


def test_eco_goes_online_after_a_disturbance():
    unit = Unit(under1_pu=0.85, eco=1.0, hold_s=60.0, return_s=0.0)
    unit.fire(1.0, "under1")
    unit.fire(1.1, "ready")
    unit.r["x"].walk = 1.0
    unit.fire(5.0, "walked")
    unit.call("outputs")
    assert unit.r["z"].mode == ups.ONLINE
    assert unit.r["y"].p_pu == pytest.approx(0.5 * 1.03)
    unit.fire(65.0, "due")
    assert unit.r["z"].mode == ups.NORMAL


@pytest.mark.parametrize(
    ("given", "signal"),
    [
        ({"phase_rad": 0.1}, {"v_im": 0.2}),
        ({"rocof_hz_per_s": 0.3, "rocof_s": 0.0}, {"df_hz": 0.1}),
        ({"df_hz": 0.1, "df_return_hz": 5.0, "rocof_hz_per_s": 9e9}, {"df_hz": 0.2, "df_slow_hz": 0.2}),
        ({"under1_pu": 0.9, "v_return_low_pu": 0.9}, {"v_pu": 0.9}),
    ],
)
def test_an_input_that_drives_away_does_not_call_back(given, signal):
    """Else a group without a time of return would leave and come back at one instant."""
    unit = Unit(return_s=0.0, **given)
    unit.r["z"].mode = ups.BATTERY
    assert "ready" in unit.settle(1.0)
    for name, value in signal.items():
        unit.r["u" if name == "v_im" else "x"][name] = value
    assert "ready" not in unit.settle(1.0)


def spent(**given: float) -> Unit:
    """A group on its battery, which is empty."""
    unit = Unit(under1_pu=0.85, generator=0.0, **given)
    unit.fire(1.0, "under1")
    unit.r["x"].soc = 0.0
    unit.fire(2.0, "empty")
    return unit


def test_an_empty_ups_passes_its_load_to_the_bypass():
    unit = spent(bypass_low_pu=0.8, return_s=0.0)
    unit.call("outputs")
    assert (unit.r["z"].mode, unit.r["z"].cause) == (ups.BYPASS, ups.EMPTY)
    assert unit.r["y"].load_pu == unit.r["y"].p_pu == 0.5
    assert unit.call("current") == pytest.approx(-(0.5 - 0.1j))
    unit.r["u"].v_re = 0.435
    unit.call("outputs")
    assert unit.r["y"].load_pu == unit.r["y"].p_pu == pytest.approx(0.25)  # the load takes what there is
    assert unit.r["y"].battery_pu == 0.0
    unit.fire(3.0, "ready")
    assert unit.r["z"].mode == ups.BYPASS  # a tenth of a second at least
    unit.fire(3.1, "ready")
    assert (unit.r["z"].mode, unit.r["z"].charging) == (ups.NORMAL, 1.0)


def test_the_bypass_has_a_window():
    unit = spent(bypass_low_pu=0.8)
    assert "bypass" not in unit.settle(2.1)
    unit.r["x"].v_pu = 0.79
    assert "bypass" in unit.settle(2.2)
    unit.fire(2.2, "bypass")
    assert unit.r["z"].mode == ups.OFF
    assert Unit(under1_pu=0.85).r["p"].bypass_low_pu == 0.0
    assert spent().r["z"].mode == ups.OFF


def test_a_lost_load_walks_in_by_what_the_grid_gives():
    unit = spent(return_s=0.0)
    unit.fire(3.0, "ready")
    assert (unit.r["z"].mode, unit.r["z"].dark) == (ups.WALKING, 1.0)
    unit.r["x"].walk = 0.3
    unit.call("outputs")
    assert unit.r["y"].load_pu == unit.r["y"].p_pu == pytest.approx(0.15)
    unit.r["x"].walk = 1.0
    unit.fire(4.0, "walked")
    assert (unit.r["z"].mode, unit.r["z"].dark) == (ups.NORMAL, 0.0)


def test_a_generator_that_comes_late_takes_up_the_lost_load():
    unit = Unit(under1_pu=0.85, generator=1.0, gen_start_s=15.0)
    unit.fire(1.0, "under1")
    unit.r["x"].soc = 0.0
    unit.fire(2.0, "empty")
    assert unit.r["z"].mode == ups.OFF
    assert "due" in unit.settle(16.0)
    unit.fire(16.0, "due")
    unit.call("outputs")
    assert (unit.r["z"].mode, unit.r["y"].load_pu, unit.r["y"].p_pu) == (ups.GENERATOR, 0.5, 0.0)


def test_the_generator_charges_the_battery():
    unit = Unit(under1_pu=0.85, generator=1.0, gen_start_s=15.0)
    unit.fire(1.0, "under1")
    unit.r["x"].soc = 0.5
    unit.fire(16.0, "due")
    assert "charge" in unit.settle(16.0)
    unit.fire(16.0, "charge")
    unit.call("outputs")
    unit.call("derivatives")
    assert unit.r["y"].generator_pu == pytest.approx(0.5 + 0.025)
    assert unit.r["d"].soc * unit.r["p"].energy_pu_s == pytest.approx(0.9 * 0.025)


def test_an_eco_ups_leaves_its_load_in_the_dip_until_it_transfers():
    unit = Unit(eco=1.0)
    unit.r["u"].v_re = 0.435
    unit.call("outputs")
    assert unit.r["y"].load_pu == unit.r["y"].p_pu == pytest.approx(0.25)
    assert unit.r["y"].battery_pu == 0.0


@pytest.mark.parametrize("degrees", [-170.0, -30.0, 15.0, 170.0])
def test_a_phase_jump_is_seen_at_once_and_whole(degrees):
    unit = Unit(phase_rad=np.radians(10.0))
    v = np.exp(1j * np.radians(degrees))
    unit.r["u"].v_re, unit.r["u"].v_im = v.real, v.imag
    assert "phase" in unit.settle(1.0)
    assert unit.r["y"].phase_rad == pytest.approx(np.radians(degrees))


def test_frequency_and_its_rate_of_change():
    unit = Unit(df_hz=0.5, rocof_hz_per_s=2.0, rocof_t_s=0.1)
    unit.r["x"].df_hz, unit.r["x"].df_slow_hz = 0.4, 0.3
    assert unit.settle(1.0) == set()
    unit.r["x"].df_hz = -0.6
    assert unit.settle(1.0) == {"freq", "rocof"}


@pytest.mark.parametrize("vm", [0.84, 1.2])
def test_a_start_beyond_a_threshold_is_refused(vm):
    with pytest.raises(InitialisationError, match="leave at rest"):
        Unit(v=vm + 0j, under1_pu=0.85, over1_pu=1.1)


def test_the_module_says_what_it_is():
    text = inspect.getmodule(ups.initialise).__doc__ or ""
    assert text.startswith("UPSGROUP:")
    assert "Source:" in text
    for q in ups.MODEL.params:
        assert q.meaning
        assert q.unit is not None


def test_check_finds_crossed_curves():
    good = {q.name: q.default or 0.0 for q in ups.MODEL.params if not q.solved}
    assert ups.check(good) == []
    assert SimpleNamespace(**dict(ups.check({**good, "under2_pu": 0.5}))).under2_pu
    assert "bypass_low_pu" in dict(ups.check({**good, "bypass_low_pu": 0.95}))
