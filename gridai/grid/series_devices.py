"""Which transformers and shunts of a network can hold something, with dead bands that do not let them hunt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gridai.errors import CaseError, SettingError, near
from gridai.grid.batch import BatchFlow
from gridai.grid.series_switch import Seen, Switch, Switching, Watch

BRANCHES = ("line", "trafo", "trafo3w", "impedance")
SPARE = 0.65
"""Dead band by itself, in steps of the largest bank: the C/k of regulators of power factor, 0.6 to 0.7."""
LEAST = 0.02
"""A capacitor moves a branch's reactive power by more than this part of its own, or it is not used for it."""


def tap_changers(flow: BatchFlow, deadband_pu: float, delay_s: float, vm_pu: float | None = None) -> tuple[Switch, ...]:
    """Every transformer with a tap range, holding its low-voltage bus; vm_pu None: at its voltage in the base case.

    Buses whose voltage a unit holds are left out. Raises CaseError where no transformer has taps, and for a dead band
    narrower than half a step, with which a tap would hunt.
    """
    net = flow.net
    held = {int(b) for t in ("gen", "ext_grid") for b in net[t].loc[net[t]["in_service"], "bus"]}
    out = []
    for index, row in net.trafo.iterrows():
        usable = (
            row["in_service"] and row["tap_min"] < row["tap_max"] and abs(float(row["tap_step_percent"] or 0.0)) > 0
        )
        bus = int(row["lv_bus"])
        if not usable or bus in held or bus not in flow.matrices.node_of_bus:
            continue
        least = 0.5 * abs(float(row["tap_step_percent"])) / 100.0
        if deadband_pu < least:
            raise CaseError(f"trafo {row['name']}: dead band {deadband_pu:g} pu is narrower than half a step, "
                            f"{least:g} pu: the tap would hunt; give more")  # fmt: skip
        aim = float(net.res_bus.at[bus, "vm_pu"]) if vm_pu is None else vm_pu
        watch = Watch("voltage", "bus", bus)
        out.append(Switch("trafo", int(index), watch, aim, deadband_pu, delay_s, _raises(row, bus)))
    if not out:
        raise CaseError("no transformer has taps that could hold a voltage: tap_min, tap_max and tap_step_percent of "
                        "net.trafo are needed, and a low-voltage bus that no unit holds")  # fmt: skip
    return tuple(out)


def _raises(row: Any, bus: int) -> int:
    """+1 where a higher tap position raises the voltage held, -1 where it lowers it."""
    at_hv, holds_lv = str(row["tap_side"]) == "hv", int(row["lv_bus"]) == bus
    return (1 if float(row["tap_step_percent"]) > 0.0 else -1) * (-1 if at_hv == holds_lv else 1)


def capacitors(
    flow: BatchFlow, delay_s: float, *, holds: str = "voltage", branch: str = "", aim: float | None = None,
    deadband: float | None = None, names: Sequence[str] = (),
) -> tuple[Switch, ...]:  # fmt: skip
    """Switched shunts (max_step) that hold a voltage, or the reactive power or power factor through a branch.

    holds     "voltage" of their own bus, "q" or "pf" at the first end (from, hv) of the branch.
    branch    its name, or table/name where the name is not the only one.
    aim       [pu, MVAr, power factor]; None: the voltage or reactive power of the base case, 0.95.
    deadband  [pu or MVAr]; None: 0.65 steps of the largest bank, as a step does what is measured in the base case.
    names     shunts; none: every one in service whose bus no unit holds and whose steps are alike.

    Raises CaseError where there is none, where one does not move what it is to hold, and for a dead band narrower than
    half a step, with which it would hunt.
    """
    watches = _watches(flow, holds, branch, names)
    moved = _effects(flow, watches)
    largest = max(abs(x) for x in moved.values())
    width = SPARE * largest if deadband is None else deadband
    out = []
    for (index, watch), effect in zip(watches.items(), moved.values(), strict=True):
        name = flow.net.shunt.at[index, "name"]
        unit = "pu" if holds == "voltage" else "MVAr"
        if abs(effect) < _least(flow, index, holds):
            raise CaseError(f"shunt {name}: a step moves {_words(flow, watch)} by {effect:.3g} {unit} only: it cannot "
                            "hold that; choose another branch, or name the shunts that can")  # fmt: skip
        if width < 0.5 * abs(effect):
            raise CaseError(f"shunt {name}: dead band {width:g} {unit} is narrower than half a step, "
                            f"{0.5 * abs(effect):.4g} {unit}: it would hunt; give more")  # fmt: skip
        goal = aim if aim is not None else 0.95 if holds == "pf" else _now(flow, watch)
        out.append(Switch("shunt", index, watch, goal, width, delay_s, 1 if effect > 0.0 else -1))
    return tuple(out)


def _watches(flow: BatchFlow, holds: str, branch: str, names: Sequence[str]) -> dict[int, Watch]:
    """What each shunt is to hold, by its index."""
    net, rows = flow.net, flow.net.shunt
    known = {str(n): int(i) for i, n in rows["name"].items()}
    for name in names:
        if name not in known:
            raise CaseError(near(name, known, "shunt"))
    held = {int(b) for t in ("gen", "ext_grid") for b in net[t].loc[net[t]["in_service"], "bus"]}
    chosen = []
    for index, row in rows.iterrows():
        there = bool(row["in_service"]) and int(row["bus"]) in flow.matrices.node_of_bus
        movable = there and int(row.get("max_step", 1)) > 0 and not bool(row.get("step_dependency_table", False))
        if str(row["name"]) in names or (not names and movable and (holds != "voltage" or int(row["bus"]) not in held)):
            chosen.append(int(index))
    if not chosen:
        raise CaseError("no shunt can be switched: net.shunt needs max_step of 1 or more, in service, at a bus whose "
                        "voltage no unit holds, without a table of steps")  # fmt: skip
    if holds == "voltage":
        return {i: Watch("voltage", "bus", int(rows.at[i, "bus"])) for i in chosen}
    if not branch:
        raise SettingError(f"capacitors that hold {holds}: name the branch it flows through")
    table, index = find_branch(net, branch)
    return dict.fromkeys(chosen, Watch(holds, table, index))


def find_branch(net: Any, text: str) -> tuple[str, int]:
    """Table and index of a branch in service by its name, or table/name. Raises CaseError listing near names."""
    table, _, rest = text.partition("/")
    tables, name = ((table,), rest) if table in BRANCHES and rest else (BRANCHES, text)
    found = [(t, int(i)) for t in tables for i in net[t].index if str(net[t].at[i, "name"]) == name]
    if not found:
        raise CaseError(near(name, {str(n) for t in tables for n in net[t]["name"]}, "branch"))
    if len(found) > 1:
        raise CaseError(f"branch '{text}': there are {len(found)} of this name; write table/name, as trafo/{name}")
    if not bool(net[found[0][0]].at[found[0][1], "in_service"]):
        raise CaseError(f"branch '{text}' is out of service: nothing flows through it")
    return found[0]


def _effects(flow: BatchFlow, watches: dict[int, Watch]) -> dict[int, float]:
    """What one step up does to what is watched, in the base case. [pu or MVAr]"""
    trial = Switching(flow, tuple(Switch("shunt", i, w, 0.95, 0.0, 0.0, 1) for i, w in watches.items()))
    table, count = trial.table, len(watches)
    positions, way = {}, []
    for k, s in enumerate(trial.switches):
        base = table.base[s.device]
        way.append(1 if base < table.highest[s.device] else -1)
        positions[s.device] = [base + (way[k] if row == k else 0) for row in range(count + 1)]
    result = flow.solve([], scenarios=count + 1, changes=table.changes(positions))
    seen = Seen(flow, result, result.vm_pu)
    values = {i: seen.band(s)[0] for i, s in zip(watches, trial.switches, strict=True)}
    out = {i: way[k] * float(values[i][k] - values[i][count]) for k, i in enumerate(watches)}
    for i, x in out.items():
        if math.isnan(x):
            raise CaseError(f"shunt {flow.net.shunt.at[i, 'name']}: the base case has no solution a step further")
    return out


def _least(flow: BatchFlow, index: int, holds: str) -> float:
    return 1e-6 if holds == "voltage" else LEAST * abs(float(flow.net.shunt.at[index, "q_mvar"]))


def _now(flow: BatchFlow, watch: Watch) -> float:
    """The value of the base case."""
    result = flow.solve([], scenarios=1)
    return float(Seen(flow, result, result.vm_pu).band(Switch("shunt", 0, watch, 0.95, 0.0, 0.0, 1))[0][0])


def _words(flow: BatchFlow, watch: Watch) -> str:
    name = flow.net[watch.table].at[watch.index, "name"]
    return f"the voltage of bus {name}" if watch.kind == "voltage" else f"the reactive power of {watch.table} {name}"


def watched(flow: BatchFlow, switch: Switch) -> str:
    """What a switch holds, in words: "1.0000 pu at bus 7", "pf 0.95 of trafo T1"."""
    name = flow.net[switch.watch.table].at[switch.watch.index, "name"]
    if switch.watch.kind == "voltage":
        return f"{switch.aim:.4f} pu at bus {name}"
    value = f"{switch.aim:g} MVAr" if switch.watch.kind == "q" else f"pf {switch.aim:g}"
    return f"{value} of {switch.watch.table} {name}"
