"""Electronic load, compressors and the composite load: published formulas, and the same load built from its parts.

Reached: a composite load and its feeder, transformer, motor, compressors and electronic load as buses and devices of
their own differ by 1.6e-12 pu of voltage through a fault with a trip, a stall, a return and a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridai.case import Case
from gridai.engine import BranchTrip, BusFault, compile_system, simulate
from gridai.errors import InitialisationError
from gridai.kernel.contract import Model, Start
from gridai.models.loads._composite import load_bus, rest_admittance, stators
from gridai.models.loads._compressor import (
    ACTION_RESTART,
    ACTION_STALL,
    ACTION_UNDERVOLTAGE,
    heating,
    running_admittance,
)
from gridai.models.loads.cmld import ACTION_TAP, DYR, HEADER
from gridai.models.loads.cmld import MODEL as CMLD
from gridai.models.loads.ld1pac import MODEL as LD1PAC
from gridai.models.loads.ldelec import MODEL as LDELEC
from gridai.models.loads.ldelec import served

from .conformance import Sample, Unit, started, values_of

OP = Start(1.0 + 0.0j, 0.8, 0.3)
MIXED = {
    "fma": 0.25, "fmd": 0.25, "fel": 0.3, "ltc": 0.0, "vd1_pu": 0.75, "vd2_pu": 0.65, "frcel": 0.6,
    "vtr1a_pu": 0.65, "ttr1a_s": 0.02, "ftr1a": 0.3, "vrc1a_pu": 0.8, "trc1a_s": 0.3, "frst": 0.4, "trst_s": 0.2,
    "vrst_pu": 0.85, "vstall_pu": 0.62, "fuvr": 0.0, "vc1off_pu": 0.45, "vc2off_pu": 0.35, "tth_s": 3.0,
}  # fmt: skip


def published(v: float, v_low: float, recovering: bool) -> float:
    """LDELEC's fraction as WECC writes it: vd1 = 0.75, vd2 = 0.65, frcel = 0.6."""
    if v < 0.65:
        return 0.0
    if not recovering:
        return 1.0 if v >= 0.75 else (v - 0.65) / 0.1
    v_low = max(v_low, 0.65)
    if v < 0.75:
        return (v_low - 0.65 + 0.6 * (v - v_low)) / 0.1
    return 1.0 if v_low >= 0.75 else (v_low - 0.65 + 0.6 * (0.75 - v_low)) / 0.1


@pytest.mark.parametrize("v_low", [0.3, 0.66, 0.72, 0.8])
def test_electronic_load_is_the_published_formula(v_low: float) -> None:
    down, up = np.linspace(1.0, v_low, 50), np.linspace(v_low, 1.0, 50)
    for v in down:
        assert served(v, 1.0, 0.75, 0.65, 0.6) == pytest.approx(published(v, v, False), abs=1e-12)
    for v in up[1:]:
        assert served(v, v_low, 0.75, 0.65, 0.6) == pytest.approx(published(v, v_low, v > v_low), abs=1e-12)


def test_electronic_load_draws_constant_power_while_it_is_connected() -> None:
    unit = started(Sample(LDELEC, {}), OP)
    for size in (1.1, 0.9, 0.71):
        into = unit.call("current", size + 0.0j)
        assert -size * into.conjugate() == pytest.approx(0.8 + 0.3j)
    assert unit.call("current", 0.5 + 0.0j) == 0.0
    with pytest.raises(InitialisationError, match=r"LDELEC: .* starts at 0\.6 pu, below vd1_pu = 0\.7"):
        started(Sample(LDELEC, {}), Start(0.6 + 0.0j, 0.8, 0.3))


@pytest.mark.parametrize("v", [1.1, 0.9, 0.87, 0.85, 0.7, 0.62])
def test_compressors_run_on_the_published_curves(v: float) -> None:
    """P = 1 and Q = tan + 6 ((V - 0.86)^2 - 0.14^2) above 0.86 pu; 12 and 11 times powers of 3.2 and 2.5 below."""
    unit = started(Sample(LD1PAC, {}), OP)
    dv = abs(v - 0.86)
    q0 = np.tan(np.arccos(0.98)) - 6.0 * 0.14**2
    expected = complex(1.0, q0 + 6.0 * dv**2) if v > 0.86 else complex(1.0 + 12.0 * dv**3.2, q0 + 11.0 * dv**2.5)
    assert running_admittance(unit.p, 0.0, v).conjugate() * v**2 == pytest.approx(expected, rel=1e-12)
    at_speed = running_admittance(unit.p, 0.01, v).conjugate() * v**2
    assert at_speed == pytest.approx(complex(1.01 * expected.real, (1 - 0.033) * expected.imag), rel=1e-12)


def test_stalled_compressors_are_an_impedance_on_their_own_base() -> None:
    unit = started(Sample(LD1PAC, {"lfmd": 0.8, "frst": 0.0}), OP)
    unit.z.stalled_a = 1.0
    into = unit.call("current", 0.5 + 0.0j)
    base = 0.8 / 0.8 / (unit.op.p_pu / unit.p.pb_pu)
    assert -into == pytest.approx(base / complex(0.1, 0.1) * 0.5, rel=1e-12)


def test_curves_meet_without_a_jump() -> None:
    unit = started(Sample(LD1PAC, {}), OP)
    low = unit.p.v_meet_pu - 0.02
    for at in (unit.p.v_meet_pu, low):
        sides = [running_admittance(unit.p, 0.0, at + e) for e in (-1e-9, 1e-9)]
        assert sides[0] == pytest.approx(sides[1], abs=1e-5)
    assert running_admittance(unit.p, 0.0, low - 0.1) == pytest.approx(1.0 / 0.1 / (1 + 1j))


def drive(unit: Unit, voltage: Callable[[float], float], until_s: float, step_s: float = 1e-3) -> list[tuple]:
    """Play a voltage to the load by Euler steps; the times and codes of its actions."""
    old, found = np.full(len(unit.model.guards), -1.0), []
    for k in range(round(until_s / step_s) + 1):
        t = k * step_s
        unit.set_voltage(complex(voltage(t)))
        for _ in range(20):
            unit.evaluate()
            if "track" in unit.model.kernels:
                unit.call("track")
            unit.call("guards", t=t)
            new = values_of(unit.g)
            fired = (new >= 0.0) & (old < 0.0)
            old = new
            if not fired.any():
                break
            for name, f in zip(unit.model.guards, fired, strict=True):
                unit.g[name] = float(f)
            code = unit.call("update", t=t)
            if code:
                found.append((round(t, 3), int(code)))
        else:
            raise AssertionError(f"chatter at {t}")
        for name in unit.x.dtype.names:
            unit.x[name] += step_s * unit.d[name]
    return found


NO_TRIPS = {"vc1off_pu": 0.0, "tth_s": 0.0, "fuvr": 0.0, "tv_s": 0.005}


def test_stall_and_restart_of_the_part_that_can() -> None:
    """0.4 pu from 0.1 s: below 0.6 after 0.005 ln 3 s, stalled 0.03 s later; 1 pu from 0.3 s, above 0.95 after
    0.005 ln 12 s, and 0.3 s later the part of 0.2 runs again."""
    unit = started(Sample(LD1PAC, NO_TRIPS), OP)
    seen = drive(unit, lambda t: 0.4 if 0.1 <= t < 0.3 else 1.0, 1.0)
    assert [code for _, code in seen] == [ACTION_STALL, ACTION_RESTART]
    expected = [0.1 + 0.005 * np.log(3) + 0.03, 0.3 + 0.005 * np.log(12) + 0.3]
    np.testing.assert_allclose([t for t, _ in seen], expected, atol=4e-3)
    assert unit.y.stalled == pytest.approx(0.8)


def test_short_dip_stalls_nothing() -> None:
    unit = started(Sample(LD1PAC, NO_TRIPS), OP)
    assert drive(unit, lambda t: 0.4 if 0.1 <= t < 0.125 else 1.0, 0.5) == []


def test_undervoltage_relays_trip_their_part_for_good() -> None:
    unit = started(Sample(LD1PAC, {**NO_TRIPS, "fuvr": 0.3, "uttr1_s": 0.05, "tstall_s": 9999.0}), OP)
    seen = drive(unit, lambda t: 0.55 if 0.1 <= t < 0.3 else 1.0, 0.6)
    assert [code for _, code in seen] == [ACTION_UNDERVOLTAGE]
    assert unit.y.p_pu == pytest.approx(0.7 * 0.8, rel=1e-4)


def test_contactors_open_and_close_along_their_ramps() -> None:
    unit = started(Sample(LD1PAC, {"tth_s": 0.0, "fuvr": 0.0, "tv_s": 0.005, "tstall_s": 9999.0}), OP)
    seen = []
    drive(unit, lambda t: seen.append(float(unit.y.closed)) or (0.43 if t < 0.1 else 0.53 if t < 0.2 else 1.0), 0.3)
    assert seen[95] == pytest.approx(0.3, abs=1e-6)  # (0.43 - 0.4) / 0.1
    assert seen[195] == pytest.approx(0.3, abs=1e-6)  # 0.53 on the way up: (0.53 - 0.5) / 0.1
    assert seen[-1] == 1.0


def test_thermal_relays_trip_along_their_ramp() -> None:
    """Stalled at 0.5 pu: rstall (0.5 / |z|)^2 = 1.25; theta rises to it from 0.1 with 1 s; all of the part above
    (1.9 - theta) / 1.2 is gone."""
    unit = started(Sample(LD1PAC, {"vc1off_pu": 0.0, "fuvr": 0.0, "tth_s": 1.0, "frst": 0.0, "tstall_s": 0.0}), OP)
    theta0 = float(unit.x.theta_a)
    drive(unit, lambda t: 0.5, 1.0)
    assert heating(unit.p, 0.0, 0.5, 1.0) == pytest.approx(1.25)
    theta = 1.25 + (theta0 - 1.25) * np.exp(-1.0)
    assert unit.x.theta_a == pytest.approx(theta, abs=0.03)
    assert unit.y.left == pytest.approx((1.9 - unit.x.theta_a) / 1.2, abs=1e-3)
    left = float(unit.y.left)
    drive(unit, lambda t: 1e-3, 0.5)
    assert unit.y.left == pytest.approx(left, abs=2e-3)


@pytest.mark.parametrize(
    ("model", "values", "name"),
    [
        (LDELEC, {"vd2_pu": 0.9}, "vd2_pu"),
        (LD1PAC, {"vc2off_pu": 0.55}, "vc2off_pu"),
        (LD1PAC, {"vc1on_pu": 0.3, "vc2on_pu": 0.2}, "vc1on_pu"),
        (LD1PAC, {"th1t": 2.0}, "th1t"),
        (CMLD, {"mtypa": 1.0}, "mtypa"),
        (CMLD, {"ltc": 2.0}, "ltc"),
        (CMLD, {"tmin": 1.2}, "tmin"),
        (CMLD, {"pfs": 0.0}, "pfs"),
        (CMLD, {"lpb_pu": 2.0}, "lpb_pu"),
    ],
)
def test_bad_data_is_named(model: Model, values: dict[str, float], name: str) -> None:
    assert model.check is not None
    assert name in [n for n, _ in model.check(Sample(model, values).filled())]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"fmd": 0.5, "vstall_pu": 1.05}, "CMLD: the voltage at the compressors .* below vstall_pu"),
        ({"fel": 0.5, "vd1_pu": 1.1}, "CMLD: the voltage at the electronic load .* below vd1_pu"),
        ({"fma": 0.5, "vtr1a_pu": 1.1, "ftr1a": 0.2}, "below vtr1a_pu = 1.1: motors A would trip at rest"),
        ({"fmb": 0.5, "lfmb": 2.0, "lpb_pu": 1.0, "lppb_pu": 0.9}, "CMLD, motor B: a motor loaded to 2 pu"),
    ],
)
def test_start_that_cannot_be_is_refused_by_name(values: dict[str, float], text: str) -> None:
    with pytest.raises(InitialisationError, match=text):
        started(Sample(CMLD, values), OP)


@pytest.mark.parametrize("v", [1.05, 0.8, 0.5, 0.1])
def test_load_bus_solves_the_whole_chain(v: float) -> None:
    """Kirchhoff's law at both inner buses holds at the solution. Reached: 1e-15 times the admittances."""
    unit = started(Sample(CMLD, {**MIXED, "ltc": 1.0, "fmb": 0.1, "bss_pu": 0.05}), OP)
    p, x, z = unit.p, unit.x, unit.z
    w = load_bus(p, x, z, v + 0.0j)
    e1, e2 = complex(x.e1a_re + x.e2a_re, x.e1a_im + x.e2a_im), complex(x.e1b_re + x.e2b_re, x.e1b_im + x.e2b_im)
    ya, yb, _ = stators(p, z)
    load = rest_admittance(p, x, z, abs(w)) * w + ya * (w - e1) + yb * (w - e2)
    feeder = load + 1j * (1.0 - p.fb) * p.bfdr_pu * w
    vl = w + complex(p.rf_pu, p.xf_pu) * feeder
    through = (z.tap * p.ratio * v - vl) / (1j * p.xt_pu)
    assert through == pytest.approx(feeder + 1j * (p.bss0_pu + p.fb * p.bfdr_pu) * vl, abs=1e-11)
    assert unit.call("current", v + 0.0j) == pytest.approx(-z.tap * p.ratio * through, abs=1e-11)


def test_weak_feeder_is_shortened_until_the_load_bus_has_095() -> None:
    unit = started(Sample(CMLD, {"rfdr_pu": 0.2, "xfdr_pu": 0.2, "fel": 0.5}), OP)
    assert 0.95 <= unit.p.w0_pu < 0.965
    base = 0.8 / 1.25
    assert unit.p.rf_pu < 0.2 / base
    assert unit.p.rf_pu / (0.2 / base) * 20 == pytest.approx(round(unit.p.rf_pu / (0.2 / base) * 20))


def test_tap_starts_in_the_middle_of_its_band() -> None:
    unit = started(Sample(CMLD, {"ltc": -1.0, "fel": 0.5}), OP)
    assert abs(unit.y.v_low_side_pu - 1.0325) <= 0.00625 / 2 + 1e-4
    assert (unit.z.tap - 0.9) / 0.00625 == pytest.approx(round((unit.z.tap - 0.9) / 0.00625))


def grid() -> Any:
    """An infinite bus, two lines, bus B."""
    net = pp.create_empty_network(sn_mva=100.0, f_hz=60.0)
    a, b = (pp.create_bus(net, 110.0, name=name) for name in "AB")
    pp.create_gen(net, a, p_mw=0.0, vm_pu=1.03, sn_mva=1000.0, slack=True, name="G", max_p_mw=1000.0, min_p_mw=0.0)
    for name in ("AB", "AB2"):
        pp.create_line_from_parameters(net, a, b, 1.0, 1.21, 9.68, 0.0, 10.0, name=name)
    return net


def compiled(net: Any, tables: dict[str, dict[str, dict[str, float]]]) -> Any:
    """The case with rows {model: {unit: values}}."""
    rows = {key: pd.DataFrame([{"unit": u, **v} for u, v in units.items()]) for key, units in tables.items()}
    rows["gencls"] = pd.DataFrame([{"unit": "G", "h_s": 0.0, "xd1_pu": 1e-4}])
    return compile_system(Case.from_pandapower(net, dynamics=rows))


def composite(values: dict[str, float]) -> Any:
    """The composite load alone on bus B."""
    net = grid()
    pp.create_load(net, 1, 60.0, 20.0, name="L")
    return compiled(net, {"cmld": {"L": values}})


def in_pieces(system: Any) -> Any:
    """The same load with transformer, feeder, shunts and every part as an element of its own."""
    group, k = system.device("L", ("load",))
    p, z = group.view(system.p, "p", group.p)[k], group.view(system.z0, "z", group.z)[k]
    net = grid()
    low, far = pp.create_bus(net, 110.0, name="low"), pp.create_bus(net, 110.0, name="far")
    ohm = 121.0
    pp.create_line_from_parameters(net, 1, low, 1.0, 0.0, p.xt_pu * ohm, 0.0, 10.0, name="trafo")
    pp.create_line_from_parameters(net, low, far, 1.0, p.rf_pu * ohm, p.xf_pu * ohm, 0.0, 10.0, name="feeder")
    pp.create_shunt(net, low, q_mvar=-100.0 * (p.bss0_pu + p.fb * p.bfdr_pu))
    pp.create_shunt(net, far, q_mvar=-100.0 * (1.0 - p.fb) * p.bfdr_pu)
    x = group.view(system.x0, "x", group.x)[k]
    w = load_bus(p, x, z, system.op.v[1])
    e = complex(x.e1a_re + x.e2a_re, x.e1a_im + x.e2a_im)
    motor = 100.0 * w * (p.ma_pu * (w - e) / complex(p.rsa_pu, p.lppa_pu)).conjugate()
    pump = 100.0 * p.pb_pu * running_admittance(p, 0.0, abs(w)).conjugate() * abs(w) ** 2
    for name, s in (
        ("motor", motor),
        ("pump", pump),
        ("pc", 100.0 * complex(p.pel0_pu, p.qel0_pu)),
        ("static", 100.0 * complex(p.ps0_pu, p.qs0_pu)),
    ):
        pp.create_load(net, far, s.real, s.imag, name=name)

    def of(model: str, letter: str = "") -> dict[str, float]:
        from gridai.models import catalog

        names = [q.name for q in catalog.model(model).params if not q.solved and q.name != "rate_max_per_s"]
        taken = {n: n if not letter else n.replace("_", f"{letter}_", 1) if "_" in n else n + letter for n in names}
        return {n: float(p[source]) for n, source in taken.items()}

    rows = {
        "motorw": {"motor": of("motorw", "a")},
        "ld1pac": {"pump": of("ld1pac")},
        "ldelec": {"pc": of("ldelec")},
        "zip": {"static": {}},
    }
    return compiled(net, rows)


@pytest.mark.parametrize("depth", [0.3, 0.05])
def test_composite_load_is_the_sum_of_its_parts(depth: float) -> None:
    """A fault that drops electronics (0.3), and one that trips motors and stalls compressors too (0.05)."""
    one = composite(MIXED)
    many = in_pieces(one)
    fault = [BusFault("B", 0.5, 0.62, x_pu=depth)]
    first, second = (simulate(s, fault, until_s=3.0) for s in (one, many))
    kinds = [[(e.kind, e.text.split(": ")[-1]) for e in r.events] for r in (first, second)]
    assert sorted(kinds[0]) == sorted(kinds[1])
    assert len(kinds[0]) >= (2 if depth == 0.3 else 5)
    at = np.arange(0.05, 3.0, 0.05) + 1e-4
    v1, v2 = (np.interp(at, r.t_s, r.bus.vm_pu["B"]) for r in (first, second))
    np.testing.assert_allclose(v1, v2, atol=1e-9)  # reached 4e-13
    w1, w2 = np.interp(at, first.t_s, first.load.load_bus_pu["L"]), np.interp(at, second.t_s, second.bus.vm_pu["far"])
    np.testing.assert_allclose(w1, w2, atol=1e-9)  # reached 1.6e-12


def test_tap_changer_acts_after_its_delay_and_stops_in_its_band() -> None:
    """One of two lines opens at 1 s: the low side falls out of its band; first step at 31 s, the next after 5 s."""
    values = {"fel": 0.3, "fma": 0.2, "ltc": 1.0, "vmin_pu": 1.025, "vmax_pu": 1.04}
    result = simulate(composite(values), [BranchTrip("AB2", 1.0)], until_s=60.0, decimate=24)
    moves = [e.t_s for e in result.events if "tap changer" in e.text]
    np.testing.assert_allclose(moves, 31.0 + 5.0 * np.arange(len(moves)), atol=2e-7)
    assert len(moves) >= 2
    assert 1.025 <= result.load.low_side_pu["L"].iloc[-1] <= 1.04
    assert CMLD.actions[ACTION_TAP] == "tap changer moves"


def test_record_of_the_data_centre_load(reference_dir: Any) -> None:
    """133 constants of pnnl/LL-risk-assessment: 9 % motor A, 89 % electronic, 0.65 and 0.60 pu, frcel 0.8."""
    record = (reference_dir / "wecc240" / "datacentre_cmld.dyr").read_text().split("/")[0].split()[4:]
    assert len(record) == len(DYR) == HEADER + 133
    values = dict(zip(DYR[HEADER:], map(float, record[HEADER:]), strict=True))
    assert (values["fma"], values["fel"], values["vd1_pu"], values["vd2_pu"]) == (0.09, 0.89, 0.65, 0.6)
    assert (values["mtypa"], values["mtypb"], values["mtypc"], values["frcel"]) == (3.0, 3.0, 3.0, 0.8)
    assert CMLD.check is not None
    assert CMLD.check({**Sample(CMLD).filled(), **values}) == []
    result = simulate(composite(values), [BusFault("B", 1.0, 1.1, x_pu=0.02)], until_s=5.0)
    assert result.load.electronic["L"].min() == 0.0
    assert result.load.electronic["L"].iloc[-1] == pytest.approx(0.8)
    left = result.load.p_mw["L"].iloc[-1] / result.load.p_mw["L"].iloc[0]
    assert left == pytest.approx(1.0 - 0.89 * 0.2, abs=0.01)
