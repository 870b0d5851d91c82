"""What stands at the buses of a RAW file: buses, loads, shunts, machines.

Names: a bus has the name of its record, with its number added where several have that name, or its number where it
has none. A machine is "<bus number> <id>", a load "load <bus number> <id>", a shunt "shunt <bus number> <id>".

Loads (PSS/E signs): P = PL + IP V + YP V^2, Q = QL + IQ V - YQ V^2; a negative YQ is inductive.
Shunts: BL and BINIT positive are capacitive. Switched shunts stay at BINIT.
Machines at buses of type 2 and 3 hold a voltage, unless their reactive range is zero or WMOD 3 fixes their power
factor; these, and machines at buses of type 1, give a fixed Q.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from gridai.grid.raw_build import Build, Node, Regulator
from gridai.grid.raw_layout import Row

SWING, GENERATOR, ISOLATED = 3, 2, 4
NO_RANGE_MVAR = 1e-6


def buses(build: Build) -> None:
    """Bus records, and the bus table. Area numbers and zone names are kept."""
    zones = {row.whole("I", 0): row.text("NAME") for row in build.rows("zone")}
    rows = [row for row in build.rows("bus") if _numbered(build, row)]
    names = Counter(row.text("NAME") for row in rows)
    taken: set[str] = set()
    unknown_kv = 0
    for row in rows:
        number, name = row.whole("I"), row.text("NAME")
        key = str(number) if not name else name if names[name] == 1 else f"{name} ({number})"
        while key in taken:
            key += "'"
        taken.add(key)
        kv, ide = row.number("BASKV", 0.0), row.whole("IDE", 1)
        if kv < 0.0:
            row.fault("BASKV", kv, "give the base voltage in kV, 0 or more")
        if ide not in (1, 2, 3, 4):
            row.fault("IDE", ide, "must be 1 (load), 2 (generator), 3 (swing) or 4 (isolated)")
        unknown_kv += kv == 0.0
        kv = kv if kv > 0.0 else 1.0
        build.nodes[number] = Node(number, name, key, kv, ide, row.number("VM", 1.0), row.number("VA", 0.0), row.line)
        limits = {c: row.number(n, math.nan) for c, n in (("max_vm_pu", "NVHI"), ("min_vm_pu", "NVLO")) if row.text(n)}
        zone = row.whole("ZONE", 1)
        build.add(
            "bus", row.line, name=key, vn_kv=kv, in_service=ide != ISOLATED, number=float(number),
            area=float(row.whole("AREA", 1)), zone=zones.get(zone) or str(zone), **limits,
        )  # fmt: skip
        build.account.used("bus", ide != ISOLATED)
    if unknown_kv:
        build.account.notes.append(f"{unknown_kv} buses state no base voltage: 1 kV is taken")
    if not any(node.ide == SWING for node in build.nodes.values()) and build.nodes:
        build.found.add(build.raw.file, None, "bus data", None, "no bus has type code 3: name a swing bus")


def _numbered(build: Build, row: Row) -> bool:
    number = row.whole("I")
    if not 1 <= number <= 999997:
        row.fault("I", number, "a bus number must lie between 1 and 999997")
        return False
    return build.once(row, "bus", number)


def loads(build: Build) -> None:
    """Load records. A load whose parts have opposite signs becomes one load for each law: shares stay in 0 to 100 %."""
    distributed = 0
    for row in build.rows("load"):
        node, ident = build.node(row), row.text("ID", "1")
        if node is None or not build.once(row, "load", node.number, ident):
            continue
        on = row.whole("STAT", 1) != 0
        p = {"z": row.number("YP", 0.0), "i": row.number("IP", 0.0), "p": row.number("PL", 0.0)}
        q = {"z": -row.number("YQ", 0.0), "i": row.number("IQ", 0.0), "p": row.number("QL", 0.0)}
        own_p, own_q = row.number("DGENP", 0.0), row.number("DGENQ", 0.0)
        if row.whole("DGENF", 0) != 0 and (own_p or own_q):
            p["p"], q["p"], distributed = p["p"] - own_p, q["p"] - own_q, distributed + 1
        _load(build, row, f"load {node.number} {ident}", node, p, q, on)
        build.account.used("load", on)
    if distributed:
        build.account.notes.append(
            f"{distributed} loads: their distributed generation is taken off the constant power part"
        )


def _load(build: Build, row: Row, name: str, node: Node, p: dict[str, float], q: dict[str, float], on: bool) -> None:
    common = {"bus": node.number, "in_service": on}
    if _has_shares(p) and _has_shares(q):
        total_p, total_q = sum(p.values()), sum(q.values())
        shares = _percent("p", p, total_p) | _percent("q", q, total_q)
        build.add("load", row.line, name=name, p_mw=total_p, q_mvar=total_q, **shares, **common)
        return
    words = {"z": "admittance", "i": "current", "p": "power"}
    for law, word in words.items():
        if p[law] or q[law]:
            only = {f"const_{law}_{letter}_percent": 100.0 for letter in "pq"} if law != "p" else {}
            build.add("load", row.line, name=f"{name} {word}", p_mw=p[law], q_mvar=q[law], **only, **common)


def _percent(letter: str, parts: dict[str, float], total: float) -> dict[str, float]:
    """Shares of constant impedance and current. [%]"""
    z = 100.0 * (parts["z"] / total) if total else 0.0
    i = 0.0 if not total else 100.0 * (parts["i"] / total) if parts["p"] else 100.0 - z
    return {f"const_z_{letter}_percent": z, f"const_i_{letter}_percent": i}


def _has_shares(parts: dict[str, float]) -> bool:
    """Whether no part has the opposite sign of another."""
    return all(v >= 0.0 for v in parts.values()) or all(v <= 0.0 for v in parts.values())


def shunts(build: Build) -> None:
    """Fixed and switched shunt records."""
    for row in build.rows("fixed shunt"):
        node, ident = build.node(row), row.text("ID", "1")
        if node is None or not build.once(row, "fixed shunt", node.number, ident):
            continue
        on = row.whole("STAT", 1) != 0
        build.add(
            "shunt", row.line, name=f"shunt {node.number} {ident}", bus=node.number, p_mw=row.number("GL", 0.0),
            q_mvar=-row.number("BL", 0.0), vn_kv=node.kv, in_service=on,
        )  # fmt: skip
        build.account.used("fixed shunt", on)
    controlled = 0
    for row in build.rows("switched shunt"):
        node, ident = build.node(row), row.text("ID", "1")
        if node is None or not build.once(row, "switched shunt", node.number, ident):
            continue
        on = row.whole("STAT", 1) != 0
        controlled += row.whole("MODSW", 1) != 0
        build.add(
            "shunt", row.line, name=f"switched shunt {node.number} {ident}", bus=node.number,
            q_mvar=-row.number("BINIT", 0.0), p_mw=0.0, vn_kv=node.kv, in_service=on,
        )  # fmt: skip
        build.account.used("switched shunt", on)
    if controlled:
        build.account.notes.append(f"{controlled} switched shunts have a control: they stay at BINIT")


@dataclass(frozen=True)
class _Machine:
    """A machine record, and whether it holds a voltage."""

    row: Row
    node: Node
    ident: str
    on: bool
    p_mw: float
    q_mvar: float
    q_max: float
    q_min: float
    mva: float
    fixed: bool


def machines(build: Build) -> None:
    """Generator records, bus by bus."""
    at_bus: dict[int, list[_Machine]] = {}
    for row in build.rows("generator"):
        node, ident = build.node(row), row.text("ID", "1")
        if node is not None and build.once(row, "machine", node.number, ident):
            at_bus.setdefault(node.number, []).append(_machine(build, row, node, ident))
    for number, members in at_bus.items():
        _machines_at(build, build.nodes[number], members)
    for node in build.nodes.values():
        if node.ide == SWING and node.va_degree != 0.0:
            text = f"angles count from the swing bus {node.number}, which the file has at {node.va_degree:g} degrees"
            build.account.notes.append(text)
        if node.ide == SWING and not any(m.on for m in at_bus.get(node.number, [])):
            remedy = "has type code 3 but no machine in service: the swing needs one"
            build.found.add(build.raw.file, node.line, "swing bus", node.number, remedy)


def _machine(build: Build, row: Row, node: Node, ident: str) -> _Machine:
    p, q = row.number("PG", 0.0), row.number("QG", 0.0)
    top, low = row.number("QT", 9999.0), row.number("QB", -9999.0)
    mva = row.number("MBASE", build.s_base_mva)
    if mva <= 0.0:
        row.fault("MBASE", mva, "give the machine's base in MVA, above 0")
    if low > top:
        row.fault("QB", low, f"is above QT = {top:g}")
    mode, factor = row.whole("WMOD", 0), row.number("WPF", 1.0)
    if mode in (2, 3):
        if not 0.0 < abs(factor) <= 1.0:
            row.fault("WPF", factor, "a power factor lies between -1 and 1 and is not 0")
            factor = 1.0
        by_factor = abs(p) * math.tan(math.acos(abs(factor)))
        top, low = (by_factor, -by_factor) if mode == 2 else (math.copysign(by_factor, factor),) * 2
    _step_up(build, row, node, ident)
    fixed = node.ide not in (GENERATOR, SWING) or (node.ide == GENERATOR and top - low < NO_RANGE_MVAR)
    if fixed and node.ide == GENERATOR:
        q = top
    return _Machine(row, node, ident, row.whole("STAT", 1) != 0, p, q, top, low, mva, fixed)


def _step_up(build: Build, row: Row, node: Node, ident: str) -> None:
    if row.number("RT", 0.0) or row.number("XT", 0.0):
        what = f"step-up transformer of machine {node.number} {ident} (RT, XT, GTAP)"
        build.account.without(row.line, what, "the machine stands at the bus without it; draw it as a transformer")


def _machines_at(build: Build, node: Node, members: list[_Machine]) -> None:
    holders = [m for m in members if m.on and not m.fixed]
    slack = max(holders, key=lambda m: m.mva) if holders and node.ide == SWING else None
    setpoint = _setpoint(build, node, holders)
    given = [m.q_mvar for m in holders]
    shared = len(holders) > 1 and sum(given) != 0.0 and (min(given) >= 0.0 or max(given) <= 0.0)
    for m in members:
        values = {
            "name": f"{node.number} {m.ident}", "bus": node.number, "p_mw": m.p_mw, "sn_mva": m.mva,
            "min_q_mvar": m.q_min, "max_q_mvar": m.q_max, "min_p_mw": m.row.number("PB", -9999.0),
            "max_p_mw": m.row.number("PT", 9999.0), "in_service": m.on, "zr_pu": m.row.number("ZR", 0.0),
            "zx_pu": m.row.number("ZX", 1.0), "type": "renewable" if m.row.whole("WMOD", 0) else None,
        }  # fmt: skip
        build.account.used("generator", m.on)
        if m.fixed:
            build.add("sgen", m.row.line, q_mvar=m.q_mvar, **values)
            continue
        share = abs(m.q_mvar) / abs(sum(given)) if shared and m.on else math.nan
        build.add("gen", m.row.line, vm_pu=setpoint, slack=m is slack, q_share=share, **values)


def _setpoint(build: Build, node: Node, holders: list[_Machine]) -> float:
    """Voltage setpoint at the machines' own bus; a start where they regulate another bus."""
    if not holders:
        return node.vm_pu if node.vm_pu > 0.0 else 1.0
    first = holders[0].row
    schedule, target = first.number("VS", 1.0), abs(first.whole("IREG", 0)) or node.number
    for m in holders[1:]:
        other = m.row.number("VS", 1.0), abs(m.row.whole("IREG", 0)) or node.number
        if other != (schedule, target):
            what = f"machine {node.number} {m.ident}: VS {other[0]:g} at bus {other[1]}"
            build.account.without(
                m.row.line, what, f"the bus holds {schedule:g} pu at bus {target}, its first machine's"
            )
    if not 0.1 <= schedule <= 3.0:
        first.fault("VS", schedule, "a voltage schedule in pu, near 1")
    if target not in build.nodes:
        first.fault("IREG", target, "no bus of the file has this number")
        target = node.number
    if node.ide != SWING:
        total = [sum(values) for values in zip(*((m.q_mvar, m.q_min, m.q_max) for m in holders), strict=True)]
        build.regulators.append(Regulator(node.number, target, schedule, *total))
    return schedule if target == node.number or node.vm_pu <= 0.0 else node.vm_pu
