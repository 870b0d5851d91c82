"""The bench: a cluster behind a controlled source, and the events of a test on it."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gridai.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridai.case import Case
    from gridai.cluster import Cluster, Site
    from gridai.criteria.suites import Played, Test

START_S = 1.0
"""Time at rest before a test's own time begins. [s]"""
BASE_MVA, UNIT, BUS = 100.0, "SRC", "POC"
IDEAL_PU = 1e-5
"""Reactance of an ideal source, pu on BASE_MVA."""


def impedance(scr: float, xr: float, rated_mw: float) -> complex:
    """Source impedance [pu on BASE_MVA] for a short-circuit ratio on the cluster's power; scr -1: an ideal source."""
    if scr < 0.0:
        return 1j * IDEAL_PU
    if not scr > 0.0:
        raise SettingError(f"short-circuit ratio {scr!r}: give a number above 0, or -1 for an ideal source")
    size = BASE_MVA / (scr * rated_mw)
    angle = math.atan(xr)
    return complex(size * math.cos(angle), size * math.sin(angle))


def bench_case(cluster: Cluster | Site, test: Test, f_hz: float, nominal_pu: float) -> Case:
    """The bundled case `bench` with the cluster on it, set for a test.

    nominal_pu  voltage of the bus at which the facility is at its rating (its transformer's tap): all voltages of the
                test are divided by it.
    """
    from gridai.case import load_case

    empty = load_case("bench")
    net = copy.deepcopy(empty.net)
    net.f_hz = f_hz
    net.gen["vm_pu"] = test.u0_pu / nominal_pu
    net.gen["sn_mva"] = BASE_MVA
    z = impedance(test.scr, test.xr, cluster.p_mw)
    source = empty.dynamics["source"].assign(r_pu=z.real, x_pu=z.imag)
    source.attrs = dict(empty.dynamics["source"].attrs)
    bare = replace(empty, net=net, f_hz=f_hz, dynamics={"source": source})
    placed = cluster if test.p0_pu == 1.0 else cluster.scaled(test.p0_pu)
    return bare.with_cluster(placed, BUS, balance="slack", name="load")


def bench_events(test: Test, f_hz: float, rated_mw: float) -> list[Any]:
    """The engine's events of a test: playback of voltage, frequency and angle, steps of impedance, faults."""
    from gridai import engine

    played = test.played
    made: list[Any] = []
    for signal, profile in (
        ("de_pu", _steps(played, "v", lambda v: v / test.u0_pu - 1.0, "voltage")),
        ("angle_rad", _steps(played, "phase", math.radians, "angle")),
        ("df_hz", _frequency(played, f_hz, test.until_s)),
    ):
        if profile is not None:
            made.append(engine.SourcePlayback(UNIT, signal, profile))
    z0 = impedance(test.scr, test.xr, rated_mw)
    for e in played:
        at_s = START_S + e.at_s
        if "scr" in e.values:
            z = impedance(e.values["scr"], e.values.get("xr", test.xr), rated_mw)
            made.append(engine.SourceImpedance(UNIT, z.real, z.imag, at_s))
        elif e.verb == "fault":
            left = e.values["residual"] / test.u0_pu
            zf = z0 * left / (1.0 - left) if left < 1.0 else 1e6
            kind = e.values.get("kind", "three-phase")
            made.append(engine.BusFault(BUS, at_s, START_S + e.end_s, kind, zf.real, zf.imag))
    return made


def _steps(played: Sequence[Played], key: str, law: Any, name: str) -> Any:
    """A profile that steps at each event with this key; None without any."""
    from gridai.kernel.profile import Profile

    steps = [(START_S + e.at_s, law(e.values[key])) for e in played if key in e.values]
    if not steps:
        return None
    times, values = [0.0], [0.0]
    for at_s, value in steps:
        times += [at_s, at_s]
        values += [values[-1], value]
    return Profile(times, values, name)


def _frequency(played: Sequence[Played], f_hz: float, until_s: float) -> Any:
    """Deviation of the frequency: steps and slopes; None without any."""
    from gridai.kernel.profile import Profile

    own = [e for e in played if "f" in e.values or "rate" in e.values]
    if not own:
        return None
    times, values, rate, before = [0.0], [0.0], 0.0, START_S
    for e in own:
        at_s = START_S + e.at_s
        reached = values[-1] + rate * (at_s - before)
        after = e.values["f"] - f_hz if "f" in e.values else reached
        times += [at_s, at_s]
        values += [reached, after]
        rate, before = e.values.get("rate", 0.0), at_s
    times.append(START_S + until_s + 1.0)
    values.append(values[-1] + rate * (times[-1] - before))
    return Profile(times, values, "frequency")
