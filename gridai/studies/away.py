"""What the studies of ride-through share: the settings of the clusters, the run, who left and why, tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.errors import SettingError
from gridai.reports import Measure, Table
from gridai.results import Result
from gridai.results.ride_through import (
    AWAY,
    CAUSES,
    Change,
    away_by_cause,
    away_mw,
    changes,
    cluster_of,
    groups_of,
)
from gridai.studies.common import add_places, provenance_of

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.cluster import MotorClass, RideThrough, UpsClass
    from gridai.criteria import Profile
    from gridai.reports import Report

FIGURES = ("ride_through", "departures", "frequency", "voltages", "cluster_power")
CASE_RULE = "case"


def with_settings(case: Case, rule: str = CASE_RULE, counting: bool = True) -> tuple[Case, tuple[str, ...]]:
    """The case with ride-through settings for every cluster, and what the reader has to know of them.

    rule      "case": what the clusters have, the default UPS where they have none; else the name of a load curve, which
              every class of every cluster then obeys to the letter.
    counting  False: no class counts disturbances.
    """
    from gridai.cluster import RideThrough
    from gridai.criteria.load_curves import load_curve

    if not case.placements:
        raise SettingError(
            f"case '{case.name}' holds no cluster: place one with case.with_cluster, or on the command line with "
            "--cluster-bus"
        )
    notes: list[str] = []
    curve = None if rule == CASE_RULE else load_curve(rule)
    if curve is not None:
        mark = "" if curve.verified else " UNVERIFIED: not read in the primary text."
        notes.append(f"all clusters obey '{curve.name}' to the letter: {curve.title}; {curve.source}.{mark}")
        notes += [f"'{curve.name}': {text}" for text in curve.left_out]

    def change(settings: RideThrough | None) -> RideThrough:
        own = RideThrough() if settings is None else settings
        if curve is not None:
            return own.changed(**curve.settings())
        return own if counting else own.without_counting()

    placed = []
    for p in case.placements:
        if any(c.ride_through is None for c in p.cluster.clusters):
            notes.append(f"cluster '{p.name}' has no ride-through settings: taken as one class of default UPS")
        placed.append(replace(p, cluster=p.cluster.with_ride_through(change)))
    if not counting and curve is None:
        notes.append("counting of disturbances is taken out of all classes")
    return replace(case, placements=tuple(placed)), tuple(notes)


def play(case: Case, events: Sequence[Any], until_s: float, step_s: float, decimate: int, seed: int) -> Result:
    """Compile, simulate, add places. Rows around events are kept whatever `decimate` leaves out."""
    from gridai import engine

    system = engine.compile_system(case)
    result = engine.simulate(system, events, until_s=until_s, step_s=step_s, decimate=decimate, seed=seed)
    add_places(result, case)
    return result


def report(
    study: Any, profile: Profile, case: Case, result: Result, title: str, tables: dict[str, Table], notes: Sequence[str]
) -> Report:
    """The report of a run in which load may leave; its notes say where rows of a long record were left out."""
    from gridai import criteria
    from gridai.reports import Report
    from gridai.studies.summary import frequency_measures, voltage_measures

    thinned = (str(result.meta["thinned"]),) if "thinned" in result.meta else ()
    return Report(
        title=title,
        study=study,
        summary={
            **load_measures(result),
            **dip_measures(result),
            **(frequency_measures(result) if has_frequency(result) else {}),
            **voltage_measures(result),
        },
        verdicts=criteria.check(result, profile, "contingency"),
        limits=profile.of("contingency"),
        result=result,
        figures=figures(result),
        tables=tables,
        notes=(*notes, *thinned, *case.notes),
        provenance=provenance_of(case, result, profile),
    )


def has_frequency(result: Result) -> bool:
    """True where the result has a frequency of the centre of inertia: some machine has inertia."""
    return bool(result.meta.get("inertia_mws")) and "speed_pu" in result.quantities("gen")


def figures(result: Result) -> tuple[str, ...]:
    """The figures that the result can be drawn as."""
    return FIGURES if has_frequency(result) else tuple(name for name in FIGURES if name != "frequency")


def load_measures(result: Result) -> dict[str, Measure]:
    """Load before, largest load away, load away at the end with its causes, load that left and is back."""
    t, away = result.t_s, away_mw(result)
    total = float(result.values("ups", "p_demand_mw")[0].sum())
    worst = int(np.argmax(away))
    first = next((c for c in changes(result) if c.leaves), None)
    reasons = ", ".join(f"{cause} {mw:.0f} MW" for cause, mw in away_by_cause(result).items())
    lines = {
        "load": Measure("load of the clusters", total, "MW", t_s=float(t[0])),
        "largest_away": Measure("largest load away from the grid", float(away[worst]), "MW", t_s=float(t[worst])),
        "lost": Measure("load away at the end", float(away[-1]), "MW", t_s=float(t[-1]), note=reasons),
        "returned": Measure("load that left and is back", returned_mw(result), "MW", t_s=float(t[-1])),
    }
    lines |= _supply_measures(result)
    if first is not None:
        lines["first"] = Measure("first to leave", first.p_mw, "MW", first.group, first.t_s, first.cause)
    return lines


def _supply_measures(result: Result) -> dict[str, Measure]:
    """Energy that the servers did not get, and the emptiest battery where one was used."""
    unserved = result.values("ups", "unserved_mwh")[-1]
    note = f"{int((unserved > 0.0).sum())} groups" if (unserved > 0.0).any() else ""
    lines = {"unserved": Measure("energy asked for and not served", float(unserved.sum()), "MWh", note=note)}
    soc = result.values("ups", "soc")
    row, column = np.unravel_index(int(soc.argmin()), soc.shape)
    if soc[row, column] < soc[0, column]:
        name, at_s = groups_of(result)[column], float(result.t_s[row])
        lines["battery"] = Measure("lowest charge of a battery", 100.0 * float(soc[row, column]), "%", name, at_s)
    return lines


def returned_mw(result: Result) -> float:
    """Demand of the groups that left the grid and take power from it at the end. [MW]"""
    mode = result.values("ups", "mode").round()
    back = np.isin(mode, AWAY).any(axis=0) & ~np.isin(mode[-1], AWAY)
    return float(result.values("ups", "p_demand_mw")[-1][back].sum())


def dip_measures(result: Result) -> dict[str, Measure]:
    """Lowest and highest voltage at the buses of the clusters."""
    buses = sorted(set(result.meta["cluster_bus"].values()))
    names = result.names("bus", "vm_pu")
    vm = result.values("bus", "vm_pu")[:, [names.index(b) for b in buses]]
    low, high = np.unravel_index(vm.argmin(), vm.shape), np.unravel_index(vm.argmax(), vm.shape)

    def line(label: str, at: Any) -> Measure:
        return Measure(label, float(vm[at]), "pu", f"bus {buses[at[1]]}", float(result.t_s[at[0]]))

    return {"dip": line("lowest voltage at a cluster", low), "swell": line("highest voltage at a cluster", high)}


def departures(result: Result, found: Sequence[Change] | None = None) -> Table:
    """Who left and why: by cluster, class and cause, with times and powers, and what of it is away at the end.

    A group that left for one cause and latched for another stands in two rows, its power at the end in the latter.
    """
    mode, cause = (result.values("ups", name)[-1].round() for name in ("mode", "cause"))
    ended = zip(groups_of(result), mode, cause, strict=True)
    gone = {(name, CAUSES[int(c)]) for name, m, c in ended if int(m) in AWAY}
    rows: dict[tuple[str, str, str], list[Change]] = {}
    for c in changes(result) if found is None else found:
        if c.leaves or c.after == "latched":
            rows.setdefault((c.cluster, class_of(c.group), c.cause), []).append(c)
    table = [
        (
            cluster, kind, cause, len({c.group for c in own}), len(own), round(_once(own), 3),
            round(min(c.t_s for c in own), 6), round(max(c.t_s for c in own), 6),
            round(_once([c for c in own if (c.group, cause) in gone]), 3),
        )
        for (cluster, kind, cause), own in rows.items()
    ]  # fmt: skip
    columns = ("cluster", "class", "cause", "groups", "departures", "MW", "first s", "last s", "MW away at the end")
    return Table("who left and why", columns, tuple(table))


def _once(own: Sequence[Change]) -> float:
    """Power of the groups among these changes, each counted once. [MW]"""
    return sum({c.group: c.p_mw for c in own}.values())


def class_of(group: str) -> str:
    """The class of a group: its name without cluster and number."""
    return group.removeprefix(f"{cluster_of(group)}/").rstrip("0123456789")


def steps_table(result: Result, instants: Sequence[float], after_s: float = 3.0) -> Table:
    """After each disturbance: load away at once and `after_s` later, voltage and frequency."""
    away, t = away_mw(result), result.t_s
    f = result.series("system", "COI", "f_hz") if has_frequency(result) else np.full(len(t), np.nan)
    rows = []
    for n, at in enumerate(instants):
        end = instants[n + 1] if n + 1 < len(instants) else float(t[-1])
        inside = (t >= at) & (t < end)
        if inside.any():
            later = int(np.searchsorted(t, min(at + after_s, float(t[-1]))))
            rows.append((at, round(float(away[inside].max()), 1), round(float(away[later]), 1),
                         round(float(away[inside][-1]), 1), round(float(f[inside].max()), 4)))  # fmt: skip
    columns = ("disturbance at s", "most away MW", f"{after_s:g} s later MW", "before the next MW", "highest Hz")
    return Table("after each disturbance", columns, tuple(rows))


def settings_table(case: Case) -> Table:
    """The classes of each set of settings: share, thresholds, counting, return."""
    owners: dict[RideThrough, list[str]] = {}
    for p in case.placements:
        for settings in {c.ride_through: None for c in p.cluster.clusters if c.ride_through is not None}:
            owners.setdefault(settings, []).append(p.name)
    rows = [(", ".join(names), *_class_row(c)) for settings, names in owners.items() for c in settings.classes]
    columns = ("clusters", "class", "share", "groups", "leaves below pu/s", "counts", "returns s")
    return Table("ride-through settings", columns, tuple(rows))


def _class_row(c: UpsClass | MotorClass) -> tuple[Any, ...]:
    """Share, groups, thresholds, counting and return of a class."""
    from gridai.cluster import MotorClass as Motors

    if isinstance(c, Motors):
        return c.name, f"{c.share:.3g}", c.groups, f"{c.drop_pu:g}/{c.drop_s:g}", "no", f"{c.restart_s:g}, motors"
    under = " ".join(
        f"{getattr(c, f'under{k}_pu'):g}/{getattr(c, f'under{k}_s'):g}"
        for k in (1, 2, 3, 4)
        if getattr(c, f"under{k}_pu") > 0.0
    )
    count = f"{c.count_n} in {c.window_s:g} s" if c.count_n else "no"
    return c.name, f"{c.share:.3g}", c.groups, under, count, f"{c.return_s:g}+{c.walk_s:g}"
