"""The study `modes`: how a grid oscillates by itself, and how it answers a swing of power at one place.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from gridai.errors import Problems, SettingError
from gridai.studies.common import (
    add_places,
    bus_of,
    check_fields,
    placement_of,
    profile_of,
    provenance_of,
    redispatch_tables,
    setting,
)

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.criteria import Profile
    from gridai.engine import Linear, System
    from gridai.reports import Measure, Report, Table
    from gridai.results import Result
    from gridai.results.small_signal import Mode, Scan

PARTICIPANTS = 6
SCANNED = (("bus", "f_hz"), ("bus", "vm_pu"), ("gen", "speed_pu"), ("branch", "p_mw"))


@dataclass(frozen=True)
class Modes:
    """Oscillatory modes with frequency, damping, participants and shapes, and a resonance scan of a bus's power.

    The scan is made at scan_bus, or from the demand of the case's cluster if there is one.
    """

    needs_cluster: ClassVar[bool] = False

    most: int = setting(15, "", "number of modes listed, those with the least damping first", least=1)
    f_min_hz: float = setting(0.02, "Hz", "lowest frequency of the modes listed; growing ones are listed anyway",
                              least=0.0)  # fmt: skip
    f_max_hz: float = setting(5.0, "Hz", "highest frequency of the modes listed", above=0.0)
    scan_bus: str = setting("", "", "bus whose power is scanned (default: the cluster's demand; no cluster: no scan)")
    cluster: str | None = setting(None, "", "name of the cluster that is scanned; of several none is, unless named")
    scan_min_hz: float = setting(0.01, "Hz", "lowest frequency of the scan", above=0.0)
    scan_max_hz: float = setting(20.0, "Hz", "highest frequency of the scan", above=0.0)
    scan_points: int = setting(400, "", "number of frequencies, evenly spaced by ratio", least=2)
    profile: str = setting("default", "", "criteria profile, or a TOML file; default: the case's, else by frequency")

    def __post_init__(self) -> None:
        found = Problems("study modes")
        check_fields(self, found)
        for low, high in (("f_min_hz", "f_max_hz"), ("scan_min_hz", "scan_max_hz")):
            if not found and getattr(self, low) >= getattr(self, high):
                found.add("modes", None, low, getattr(self, low), f"give less than {high} = {getattr(self, high):g} Hz")
        found.raise_if_any(SettingError)

    def run(self, case: Case) -> Report:
        """Linearise a case at its operating point.

        Raises UnknownNameError for a bus or cluster that is not there.
        """
        from gridai import criteria, engine
        from gridai.reports import Report

        profile = profile_of(case, self.profile)
        system = engine.compile_system(case)
        linear = engine.linearise(system)
        modes = _listed(self, linear)
        scan = self.scan(case, system)
        result = _result(case, system, linear, modes, scan)
        limits = profile.of("small-signal")
        return Report(
            title=f"{case.name}: modes{' and response to power at ' + scan.source if scan else ''}",
            study=self,
            summary=_summary(linear, modes, scan),
            verdicts=criteria.check(result, profile, "small-signal"),
            limits=limits,
            result=result,
            figures=("mode_shapes", "eigenvalues", *(("response",) if scan else ())),
            tables={**_tables(modes, scan), **redispatch_tables(case)},
            notes=(*_notes(linear, profile), *case.notes),
            provenance=provenance_of(case, result, profile),
        )

    def scan(self, case: Case, system: System) -> Scan | None:
        """Response of every bus, machine and line to power at the chosen place; None where there is none."""
        import numpy as np

        from gridai import engine
        from gridai.results.small_signal import Scan as Made

        source: engine.BusPower | engine.Demand
        if self.scan_bus:
            key = bus_of(case, self.scan_bus)
            source, words = engine.BusPower(key), f"bus {key}"
        elif self.cluster or len(case.placements) == 1:
            placement = placement_of(case, self.cluster)
            source, words = engine.Demand(placement.name), f"{placement.name} (bus {placement.bus})"
        else:
            return None
        signals = _signals(system)
        f_hz = np.geomspace(self.scan_min_hz, self.scan_max_hz, self.scan_points)
        space = engine.state_space(system, [source], signals)
        names = tuple((s.kind, s.element, s.quantity) for s in signals)
        return Made(words, f_hz, names, space.units, space.response(f_hz)[:, :, 0])


def _signals(system: System) -> list[Any]:
    """Every bus frequency and voltage, machine speed and line flow of the system as it stands."""
    from gridai.engine import Run, Signal
    from gridai.engine.simulation import channel_table

    live = Run(system).topology.live
    nodes = system.network.node_of_bus
    buses = [bus for bus, node in nodes.items() if live[node]]
    b = system.network.branches
    branches = [name for k, name in enumerate(b.name) if b.in_service[k] and live[b.from_node[k]]]
    channels = channel_table(system)[1]
    units = [c.element for c in channels if (c.kind, c.quantity) == ("gen", "speed_pu")]
    elements = {
        ("bus", "f_hz"): buses,
        ("bus", "vm_pu"): buses,
        ("gen", "speed_pu"): units,
        ("branch", "p_mw"): branches,
    }
    return [Signal(kind, name, quantity) for kind, quantity in SCANNED for name in elements[kind, quantity]]


def _listed(study: Modes, linear: Linear) -> tuple[Mode, ...]:
    """The modes of the table: growing ones, and those between the two frequencies, by rising damping."""
    import numpy as np

    from gridai.results.small_signal import Mode as Made

    kept = [
        int(k)
        for k in linear.oscillations
        if linear.eigenvalues[k].real > 0.0 or study.f_min_hz <= linear.frequency_hz[k] <= study.f_max_hz
    ]
    modes = []
    for k in kept[: study.most]:
        shape = {u: (float(abs(x)), float(np.degrees(np.angle(x)))) for u, x in linear.mode_shape(k).items()}
        value = linear.eigenvalues[k]
        who = tuple(linear.participants(k, PARTICIPANTS))
        modes.append(Made(float(value.real), float(value.imag), linear.swing_share(k), who, shape))
    return tuple(modes)


def _result(case: Case, system: System, linear: Linear, modes: tuple[Mode, ...], scan: Scan | None) -> Result:
    """The operating point as a Result of one sample, with modes and scan in its meta."""
    from gridai import engine
    from gridai.engine.simulation import channel_table, inertia_mws
    from gridai.results import Result as Made
    from gridai.results.small_signal import small_signal_meta

    places, channels = channel_table(system)
    run = engine.Run(system)
    run.rhs()(0.0, system.x0)
    meta = {
        "case": system.name,
        "f_hz": system.network.f_hz,
        "s_base_mva": system.network.s_base_mva,
        "inertia_mws": inertia_mws(system),
        **small_signal_meta(linear.eigenvalues.tolist(), modes, scan),
    }
    result = Made([0.0], run.work.sig[places][None, :], channels, (), meta)
    add_places(result, case)
    return result


def _summary(linear: Linear, modes: tuple[Mode, ...], scan: Scan | None) -> dict[str, Measure]:
    from gridai.reports import Measure

    nan = float("nan")
    swinging = [mode for mode in modes if mode.electromechanical]
    lines = {
        "states": Measure("states", float(len(linear.states)), "", note=f"{len(linear.left_out)} never move"),
        "growing": Measure("eigenvalues that grow", float((linear.eigenvalues.real > 1e-6).sum()), ""),
    }
    for key, label, some in (
        ("damping", "least damping of a mode", modes),
        ("swing_damping", "least damping of a swing of machines", swinging),
    ):
        worst = min(some, key=lambda mode: mode.damping, default=None)
        if worst is None:
            lines[key] = Measure(label, nan, "%", note="none within the frequencies asked for")
        else:
            text = f"{worst.frequency_hz:.4f} Hz, {_against(worst)}"
            lines[key] = Measure(label, 100.0 * worst.damping, "%", _mover(worst), note=text)
    if scan is not None:
        lines |= _peak_measures(scan)
    return lines


def _mover(mode: Mode) -> str:
    return max(mode.shape, key=lambda name: mode.shape[name][0], default="")


def _against(mode: Mode) -> str:
    """Who swings against whom, in words."""
    one, other = (_few(side) for side in mode.sides())
    return f"{one} against {other}" if other else f"{one} together"


def _few(names: tuple[str, ...]) -> str:
    return " ".join(names[:4]) + (f" +{len(names) - 4}" if len(names) > 4 else "")


def _peak_measures(scan: Scan) -> dict[str, Measure]:
    """The highest gain of each quantity over the whole scan."""
    import numpy as np

    from gridai.reports import Measure

    lines = {}
    for (kind, quantity), label in zip(SCANNED, ("bus frequency", "bus voltage", "speed", "line flow"), strict=True):
        names, gains = scan.of(kind, quantity)
        if not names:
            continue
        at, who = np.unravel_index(int(np.argmax(np.abs(gains))), gains.shape)
        value, unit = _scaled(float(abs(gains[at, who])), quantity)
        note = f"at {scan.f_hz[at]:.3f} Hz"
        lines[f"peak_{kind}_{quantity}"] = Measure(f"highest response of {label}", value, unit, names[who], note=note)
    return lines


def _scaled(gain: float, quantity: str) -> tuple[float, str]:
    """A gain in handy units."""
    return {
        "f_hz": (1e3 * gain, "mHz/MW"),
        "vm_pu": (1e6 * gain, "1e-6 pu/MW"),
        "speed_pu": (1e6 * gain, "1e-6 pu/MW"),
    }.get(quantity, (gain, "MW/MW"))


def _tables(modes: tuple[Mode, ...], scan: Scan | None) -> dict[str, Table]:
    from gridai.reports import Table

    columns = ("mode", "Hz", "damping %", "real 1/s", "kind", "dominant states (participation)", "who swings")
    rows = [
        (str(n), f"{m.frequency_hz:.4f}", f"{100 * m.damping:.2f}", f"{m.real:.4f}",
         "swing" if m.electromechanical else "control", _states(m), _against(m))
        for n, m in enumerate(modes, 1)
    ]  # fmt: skip
    found = {"modes": Table("oscillatory modes, least damped first", columns, tuple(rows))}
    if scan is not None:
        found["resonances"] = _resonances(scan)
    return found


def _states(mode: Mode) -> str:
    """The three largest participants, without the model's name."""
    short = [(name.split("."), share) for name, share in mode.participants[:3]]
    return ", ".join(f"{'.'.join((*parts[:-2], parts[-1]))} {share:.2f}" for parts, share in short)


def _resonances(scan: Scan) -> Table:
    """For each quantity the four highest peaks, each with the element that answers most there."""
    import numpy as np

    from gridai.reports import Table
    from gridai.results.small_signal import peaks

    rows = []
    for kind, quantity in SCANNED:
        names, gains = scan.of(kind, quantity)
        if not names:
            continue
        size = np.abs(gains)
        envelope = size.max(axis=1)
        for at in peaks(envelope)[:4]:
            who = int(np.argmax(size[at]))
            value, unit = _scaled(float(size[at, who]), quantity)
            phase = float(np.degrees(np.angle(gains[at, who])))
            rows.append(
                (f"{kind} {quantity}", names[who], f"{scan.f_hz[at]:.3f}", f"{value:.4g}", unit, f"{phase:.0f}")
            )
    columns = ("quantity", "element", "Hz", "gain", "unit", "phase degree")
    return Table(f"resonances: peaks of the response to power at {scan.source}", columns, tuple(rows))


def _notes(linear: Linear, profile: Profile) -> list[str]:
    notes = [
        "eigenvalues of the right-hand side that is integrated, by differences (gridai/engine/slopes.py); "
        "a mode is a swing where machine angles and speeds make up at least half of its participation"
    ]
    if linear.zeros:
        notes.append(f"zero by nature, and not among the modes: {', '.join(linear.zeros)}")
    if linear.corners:
        shown = ", ".join(linear.corners[:6])
        notes.append(f"in a corner of their limits or dead bands, the mean slope taken: {shown}")
    if not profile.of("small-signal"):
        notes.append(f"profile {profile.name} states no damping; ercot, wecc and continental-europe do")
    return notes
