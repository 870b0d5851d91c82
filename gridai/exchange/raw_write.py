"""write_raw: a Case as a PSS/E RAW file of version 33. Reading it back gives the same network.

Bus numbers, ids and circuits of an imported case come back as they were. Elsewhere numbers are the bus names where
these are numbers, else 1, 2, ...; ids are given in order, so machines and branches of such a case have other names
when it is read back. Voltages are those of the solved power flow.

Units that hold a voltage make a bus of type 2 or 3; an `sgen` is a machine without reactive range. Parallel lines and
transformers become one. Impedances go out in pu (CW = CZ = CM = 1). Loads keep their constant-current and
constant-admittance parts.
"""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridai.errors import CaseError, PowerFlowError, Problems
from gridai.exchange.psse_ids import Ids, ids_of
from gridai.exchange.raw_write_branches import branch_lines, check_branches, magnetising, star_buses, transformer_lines
from gridai.grid.names import element_names

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid import OperatingPoint

VERSION = 33
LONGEST_NAME = 12
_REFUSED = (
    "trafo3w", "storage", "motor", "ward", "xward", "dcline", "svc", "tcsc", "ssc", "vsc", "asymmetric_load",
    "asymmetric_sgen",
)  # fmt: skip
_SECTIONS = (
    "BUS", "LOAD", "FIXED SHUNT", "GENERATOR", "BRANCH", "TRANSFORMER", "AREA", "TWO-TERMINAL DC", "VSC DC LINE",
    "IMPEDANCE CORRECTION", "MULTI-TERMINAL DC", "MULTI-SECTION LINE", "ZONE", "INTER-AREA TRANSFER", "OWNER",
    "FACTS DEVICE", "SWITCHED SHUNT", "GNE", "INDUCTION MACHINE",
)  # fmt: skip


def write_raw(case: Case, path: str | Path) -> tuple[str, ...]:
    """Write the network of a case. Whole or not at all. Returns notes on what PSS/E will see differently.

    Raises CaseError listing the elements that version 33 has no record for.
    """
    net = case.net
    found = Problems(f"case '{case.name}' as RAW")
    for table in _REFUSED:
        if table in net and len(net[table]):
            found.add(f"net.{table}", None, f"{len(net[table])} rows", None, "has no record that gridai writes")
    check_branches(net, found)
    found.raise_if_any(CaseError)
    notes: list[str] = []
    ids, stars = ids_of(net), star_buses(net)
    try:
        point = case.solve()
    except PowerFlowError as error:
        point = None
        notes.append(f"voltages go out as 1 pu: the power flow has no solution ({error})")
    zones = _zone_numbers(net)
    sections = dict.fromkeys(_SECTIONS, ()) | {
        "BUS": _buses(net, ids, zones, point, stars, notes),
        "LOAD": _loads(net, ids),
        "FIXED SHUNT": _shunts(net, ids, notes),
        "GENERATOR": _machines(case, ids, point, notes),
        "BRANCH": branch_lines(net, ids),
        "TRANSFORMER": transformer_lines(net, ids, stars, notes),
        "ZONE": [f"{number}, {quoted(name)}" for name, number in zones.items()],
        "SWITCHED SHUNT": _switched(net, ids),
    }
    first = f"0, {text(net.sn_mva)}, {VERSION}, 0, 1, {text(case.f_hz)} / written by gridai"
    lines = [first, *_titles(case.title)]
    for name, following in zip(_SECTIONS, (*_SECTIONS[1:], ""), strict=True):
        lines += [*sections[name], f"0 / END OF {name} DATA" + (f", BEGIN {following} DATA" if following else "")]
    write_whole(Path(path), "\n".join([*lines, "Q", ""]))
    return tuple(notes)


def text(value: Any) -> str:
    """A number that reads back the same."""
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def quoted(name: str) -> str:
    """A text in the quotes it does not hold itself."""
    return f'"{name}"' if "'" in name and '"' not in name else "'" + name.replace("'", " ") + "'"


def write_whole(path: Path, content: str) -> None:
    """Write a file beside its place, then move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, work = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
        os.chmod(work, 0o644)
        os.replace(work, path)
    finally:
        Path(work).unlink(missing_ok=True)


def _titles(title: str) -> tuple[str, str]:
    flat = " ".join(title.split())
    return flat[:60].rstrip(), flat[60:120].strip()


def _zone_numbers(net: Any) -> dict[str, int]:
    """Zone name to number: names that are numbers keep it, the others take the free ones."""
    names = list(dict.fromkeys(str(z) for z in net.bus["zone"] if z is not None and z == z))
    fixed = {n: int(n) for n in names if n.isdecimal() and 1 <= int(n) <= 9999}
    free = (n for n in range(1, 10000) if n not in fixed.values())
    return {n: fixed[n] if n in fixed else next(free) for n in names}


def _buses(
    net: Any, ids: Ids, zones: dict[str, int], point: OperatingPoint | None, stars: set[int], notes: list[str]
) -> list[str]:
    keys = element_names(net)["bus"]
    swing = {
        int(b) for b, s, on in zip(net.gen["bus"], net.gen["slack"], net.gen["in_service"], strict=True) if s and on
    }
    swing |= {int(b) for b, on in zip(net.ext_grid["bus"], net.ext_grid["in_service"], strict=True) if on}
    holding = {int(b) for b in net.gen["bus"]} | {int(b) for b in net.ext_grid["bus"]}
    lines, long_names = [], 0
    for key, (index, row) in zip(keys, net.bus.iterrows(), strict=True):
        if index in stars:
            continue
        number = ids.number[int(index)]
        kind = 4 if not row["in_service"] else 3 if index in swing else 2 if index in holding else 1
        live = point is not None and key in point.network.node_of_bus
        vm, va = (point.vm_pu(key), point.va_degree(key)) if point is not None and live else (1.0, 0.0)
        zone = zones.get(str(row["zone"]), 1)
        long_names += len(ids.bus[number]) > LONGEST_NAME
        limits = [_maybe(row.get("max_vm_pu")), _maybe(row.get("min_vm_pu"))]
        head = f"{number}, {quoted(ids.bus[number])}, {text(row['vn_kv'])}, {kind}, {_whole(row.get('area'), 1)}"
        lines.append(f"{head}, {zone}, 1, {text(vm)}, {text(va)}, {limits[0]}, {limits[1]}, , ")
    if long_names:
        notes.append(f"{long_names} bus names have more than {LONGEST_NAME} characters, which PSS/E 33 cuts off")
    return lines


def _maybe(value: Any) -> str:
    return "" if value is None or value != value else text(value)


def _whole(value: Any, default: int) -> int:
    return default if value is None or value != value else int(value)


def _loads(net: Any, ids: Ids) -> list[str]:
    """Load records; the parts of one imported load are put together again."""
    parts: dict[tuple[int, str], list[float]] = {}
    on: dict[tuple[int, str], bool] = {}
    for name, row in zip(element_names(net).get("load", ()), net.load.to_dict("records"), strict=True):
        key = ids.load[name]
        sums = parts.setdefault(key, [0.0] * 6)
        on[key] = bool(row["in_service"])
        for first, letter, unit, sign in ((0, "p", "mw", 1.0), (1, "q", "mvar", -1.0)):
            power = row[f"{letter}_{unit}"] * row["scaling"]
            z, i = (power * row.get(f"const_{law}_{letter}_percent", 0.0) / 100.0 for law in "zi")
            rest = power - z - i
            for place, value in ((0, 0.0 if abs(rest) < 1e-12 * abs(power) else rest), (2, i), (4, sign * z)):
                sums[first + place] += value
    return [
        f"{bus}, {quoted(ident)}, {int(on[bus, ident])}, 1, 1, {', '.join(text(v) for v in values)}, 1, 1, 0"
        for (bus, ident), values in parts.items()
    ]


def _shunts(net: Any, ids: Ids, notes: list[str]) -> list[str]:
    lines, own, switched = [], magnetising(net), _switched_rows(net)
    for name, row in zip(element_names(net).get("shunt", ()), net.shunt.to_dict("records"), strict=True):
        if name not in own and name not in switched:
            bus, ident = ids.shunt[name]
            p, q = _shunt_power(net, row)
            lines.append(f"{bus}, {quoted(ident)}, {int(row['in_service'])}, {text(p)}, {text(-q)}")
            if name.startswith("switched shunt "):
                notes.append(f"{name} goes out as a fixed shunt: version 33 has one switched shunt at a bus")
    return lines


def _shunt_power(net: Any, row: dict[str, Any]) -> tuple[float, float]:
    """Consumption at 1 pu of the bus's base voltage. [MW, MVAr]"""
    kv = net.bus.at[row["bus"], "vn_kv"]
    own = row["vn_kv"] if row["vn_kv"] == row["vn_kv"] and row["vn_kv"] is not None else kv
    factor = row["step"] if own == kv else row["step"] * (kv / own) ** 2
    return row["p_mw"] * factor, row["q_mvar"] * factor


def _switched_rows(net: Any) -> dict[str, dict[str, Any]]:
    """Switched shunts by name, the first of each bus."""
    first: dict[int, tuple[str, dict[str, Any]]] = {}
    for name, row in zip(element_names(net).get("shunt", ()), net.shunt.to_dict("records"), strict=True):
        if name.startswith("switched shunt ") and not row["p_mw"]:
            first.setdefault(int(row["bus"]), (name, row))
    return dict(first.values())


def _switched(net: Any, ids: Ids) -> list[str]:
    lines = []
    for row in _switched_rows(net).values():
        size, bus = text(-_shunt_power(net, row)[1]), ids.number[int(row["bus"])]
        lines.append(f"{bus}, 0, 0, {int(row['in_service'])}, 1.5, 0.5, 0, 100, '', {size}, 1, {size}")
    return lines


def _machines(case: Case, ids: Ids, point: OperatingPoint | None, notes: list[str]) -> list[str]:
    net, names = case.net, element_names(case.net)
    reactances = _reactances(case)
    lines, unrated, beyond = [], 0, 0
    holding = {int(b) for b in net.gen["bus"]} | {int(b) for b in net.ext_grid["bus"]}
    for table in ("ext_grid", "gen", "sgen"):
        for name, row in zip(names.get(table, ()), net[table].to_dict("records"), strict=True):
            bus, ident = ids.unit[name]
            p = row.get("p_mw", 0.0) * row.get("scaling", 1.0)
            q = _solved_q(point, name) if table != "sgen" else row["q_mvar"] * row["scaling"]
            top, low = _given(row.get("max_q_mvar"), 9999.0), _given(row.get("min_q_mvar"), -9999.0)
            if table == "sgen" and int(row["bus"]) in holding:
                top = low = q
            unrated += not row.get("sn_mva", math.nan) > 0.0
            mva = row["sn_mva"] if row.get("sn_mva", math.nan) > 0.0 else net.sn_mva
            r, x = reactances.get(name, (0.0, 1.0))
            r, x = _given(row.get("zr_pu"), r), _given(row.get("zx_pu"), x)
            beyond += table == "gen" and not row["slack"] and not low - 1e-3 <= q <= top + 1e-3
            cells = [p, q, top, low, row.get("vm_pu", 1.0)]
            ranges = [100, _given(row.get("max_p_mw"), 9999.0), _given(row.get("min_p_mw"), -9999.0)]
            renewable = ", 0, 1, 0, 1, 0, 1, 1, 1" if row.get("type") == "renewable" else ""
            lines.append(
                f"{bus}, {quoted(ident)}, {', '.join(map(text, cells))}, 0, {', '.join(map(text, (mva, r, x)))}, "
                f"0, 0, 1, {int(row['in_service'])}, {', '.join(map(text, ranges))}, 1, 1{renewable}"
            )
    if unrated:
        notes.append(f"{unrated} units state no rating: MBASE is the system base")
    if beyond:
        notes.append(f"{beyond} units are solved outside their reactive range, which PSS/E (and import_case) will keep")
    return lines


def _solved_q(point: OperatingPoint | None, name: str) -> float:
    if point is None or name not in point.network.units.name:
        return 0.0
    return float(point.network.units.q_mvar[point.network.units.name.index(name)])


def _given(value: Any, default: float) -> float:
    return default if value is None or not math.isfinite(value) else float(value)


def _reactances(case: Case) -> dict[str, tuple[float, float]]:
    """Source impedance by unit, from the machine tables: ra and the subtransient (or transient) reactance."""
    out: dict[str, tuple[float, float]] = {}
    for table in case.dynamics.values():
        column = next((c for c in ("xd2_pu", "xd1_pu", "xe_pu") if c in table.columns), None)
        if column is not None:
            resistance = next((c for c in ("ra_pu", "re_pu") if c in table.columns), None)
            ra = table[resistance] if resistance else [0.0] * len(table)
            out |= {
                str(unit): (0.0 if r != r else float(r), float(x))
                for unit, r, x in zip(table["unit"], ra, table[column], strict=True)
            }
    return out
