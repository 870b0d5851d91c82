"""What joins the buses of a RAW file: branches, switching devices, transformers of two and three windings.

Names: "<from>-<to> <circuit>" of bus numbers, "<from>-<to>-<third> <circuit>" for three windings, whose branches add
"winding 1" to "winding 3" and meet at a bus "star ...".

Line:        z on system base; charging B; a line with own shunts (GI ...) or between two base voltages is an
             `impedance`. R = X = 0 joins its buses, as does a closed switching device with X up to THRSHZ.
Transformer: bus I -- t1:1 and ANG1 -- z -- 1:t2 -- bus J, with t in pu of the bus's base voltage:
             CW 1 WINDV; CW 2 WINDV / BASKV; CW 3 WINDV NOMV / BASKV. In pandapower's terms bus I is the hv side,
             vn_hv = t1 BASKV, vn_lv = t2 BASKV, and z refers to vn_lv, which is z t2^2 on the base of bus J.
             CZ 1 z on system base; CZ 2 on SBASE; CZ 3 load loss in W and |z| on SBASE. With CW 1 and a NOMV that is
             not BASKV, z of CZ 2 and 3 gets (NOMV / BASKV)^2; with CW 2 and 3 the ratios hold that factor.
             CM 1 G + jB on system base; CM 2 no-load loss in W and exciting current in pu on SBASE and NOMV. The
             magnetising branch is a shunt at bus I, as in PSS/E; it stays when the transformer trips.
Taps stay where the file has them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from gridai import units as base
from gridai.grid.raw_build import Build, Node
from gridai.grid.raw_layout import Row
from gridai.grid.raw_text import FieldError, Line, split_fields

THRSHZ_PU = 1e-4
"""Reactance up to which PSS/E treats a switching device as a zero-impedance line."""
_OUT_WINDINGS = {0: (1, 2, 3), 1: (), 2: (2,), 3: (3,), 4: (1,)}


def _ends(build: Build, row: Row, what: str) -> tuple[Node, Node, str] | None:
    """Both buses and the circuit of a branch record; None, with a fault, if the record has none or stands twice."""
    start, end, circuit = build.node(row), build.node(row, "J"), row.text("CKT", "1")
    if start is None or end is None:
        return None
    if start is end:
        row.fault("J", end.number, "both ends are the same bus")
        return None
    low, high = sorted((start.number, end.number))
    return (start, end, circuit) if build.once(row, "branch", low, high, circuit) else None


def branches(build: Build) -> None:
    """Branch records."""
    joined = 0
    for row in build.rows("branch"):
        ends = _ends(build, row, "branch")
        if ends is None:
            continue
        start, end, circuit = ends
        name, on = f"{start.number}-{end.number} {circuit}", row.whole("STAT", 1) != 0
        r, x, b = (row.number(c, 0.0) for c in ("R", "X", "B"))
        own = [row.number(c, 0.0) for c in ("GI", "BI", "GJ", "BJ")]
        rating = row.number("RATE1", 0.0)
        if r == 0.0 and x == 0.0 and b == 0.0 and not any(own):
            _join(build, row.line, name, start, end, on)
            joined += 1
        elif r == 0.0 and x == 0.0:
            row.fault("X", 0.0, "a branch with charging or shunts needs an impedance: give X, or set B to 0")
        elif start.kv == end.kv and not any(own):
            add_line(build, row.line, name, (start, end), (r, x, b), rating, on)
        else:
            _impedance(build, row.line, name, (start, end), (r, x, b), own, on)
        build.account.used("branch", on)
    if joined:
        build.account.notes.append(f"{joined} branches without impedance join their buses")


def add_line(
    build: Build, line: int, name: str, ends: tuple[Node, Node], z: tuple[float, float, float], mva: float, on: bool
) -> None:
    """A line from r, x, b [pu on system base] and its rating [MVA], 0 for none."""
    kv, s = ends[0].kv, build.s_base_mva
    build.add(
        "line", line, name=name, from_bus=ends[0].number, to_bus=ends[1].number, length_km=1.0,
        r_ohm_per_km=base.line_ohm_from_pu(z[0], kv, s), x_ohm_per_km=base.line_ohm_from_pu(z[1], kv, s),
        c_nf_per_km=base.line_nf_from_b_pu(z[2], kv, s, build.f_hz),
        max_i_ka=base.ka_from_mva(mva, kv) if mva > 0.0 else None, in_service=on,
    )  # fmt: skip


def _impedance(
    build: Build, line: int, name: str, ends: tuple[Node, Node], z: tuple[float, float, float], own: list[float],
    on: bool,
) -> None:  # fmt: skip
    r, x, b = z
    build.add(
        "impedance", line, name=name, from_bus=ends[0].number, to_bus=ends[1].number, rft_pu=r, xft_pu=x, rtf_pu=r,
        xtf_pu=x, gf_pu=own[0], bf_pu=own[1] + b / 2.0, gt_pu=own[2], bt_pu=own[3] + b / 2.0,
        sn_mva=build.s_base_mva, in_service=on,
    )  # fmt: skip


def _join(build: Build, line: int, name: str, start: Node, end: Node, closed: bool) -> None:
    build.add("switch", line, name=name, bus=start.number, element=end.number, et="b", type="CB", closed=closed)


def switching_devices(build: Build) -> None:
    """System switching device records: a bus-bus switch, or a small impedance where X says so."""
    for row in build.rows("system switching device"):
        ends = _ends(build, row, "switching device")
        if ends is None:
            continue
        start, end, circuit = ends
        name, closed, x = f"{start.number}-{end.number} {circuit}", row.whole("STAT", 1) == 1, row.number("X", 0.0)
        if abs(x) <= THRSHZ_PU:
            _join(build, row.line, name, start, end, closed)
        else:
            _impedance(build, row.line, name, (start, end), (0.0, x, 0.0), [0.0] * 4, closed)
        build.account.used("system switching device", closed)


@dataclass(frozen=True)
class _Winding:
    """Ratio in pu of the bus's base voltage, angle, rating, winding voltage; 0 where unstated."""

    ratio: float
    degree: float
    rating_mva: float
    nominal_kv: float


def transformers(build: Build) -> None:
    """Transformer records of two and three windings."""
    lines = build.raw.sections.get("transformer", [])
    at, unrated = 0, 0
    star = max(build.nodes, default=0)
    while at < len(lines):
        head = build.row("transformer", lines[at])
        size = 4 if head is None or _third(lines[at]) == 0 else 5
        body, at = lines[at + 1 : at + size], at + size
        if head is None or len(body) < size - 1:
            continue
        if size == 4:
            unrated += _two_windings(build, head, body)
        else:
            star += 1
            unrated += _three_windings(build, head, body, star)
    if unrated:
        text = "transformers state no rating: sn_mva is the base of their impedance, not a limit"
        build.account.notes.append(f"{unrated} {text}")


def _third(line: Line) -> int:
    try:
        fields = split_fields(line.text)
    except FieldError:
        return 0
    return 0 if len(fields) < 3 or fields[2] in ("", "0") else 1


def _winding(build: Build, row: Row, node: Node, code: int) -> _Winding:
    """The winding's line, its ratio by CW."""
    default = node.kv if code == 2 else 1.0
    value, nominal = row.number("WINDV", default), row.number("NOMV", 0.0)
    kv = nominal if nominal > 0.0 else node.kv
    ratio = {2: value / node.kv, 3: value * kv / node.kv}.get(code, value)
    if not 0.01 < ratio < 100.0:
        row.fault("WINDV", value, f"is a ratio of {ratio:.4g} of the bus's {node.kv:g} kV: check WINDV, NOMV and CW")
        ratio = 1.0
    table = row.whole("TAB", 0)
    if table:
        what = f"impedance correction table {table}"
        build.account.without(row.line, what, "is not applied: the impedance stays as the record gives it")
    return _Winding(ratio, row.number("ANG", 0.0), row.number("RATE1", 0.0), kv)


def _impedance_of(build: Build, row: Row, pair: str, code: int, factor: float) -> complex:
    """Impedance between two windings, pu on system base. `factor` goes with CZ 2 and 3."""
    r, x = row.number(f"R{pair}", 0.0), row.number(f"X{pair}")
    if code == 1:
        return complex(r, x)
    mva = row.number(f"SBASE{pair}", build.s_base_mva)
    if mva <= 0.0:
        row.fault(f"SBASE{pair}", mva, "give the base of the impedance in MVA, above 0")
        return complex(r, x)
    if code == 3:
        r = r / (mva * 1e6)
        if abs(x) < abs(r):
            row.fault(f"X{pair}", x, f"|z| is below the resistance {r:.4g} pu that the load loss gives")
        x = math.copysign(math.sqrt(max(x * x - r * r, 0.0)), x)
    return base.impedance_to_base(complex(r, x), mva, build.s_base_mva) * factor


def _codes(row: Row) -> tuple[int, int, int]:
    codes = []
    for name, high in (("CW", 3), ("CZ", 3), ("CM", 2)):
        code = row.whole(name, 1)
        if not 1 <= code <= high:
            row.fault(name, code, f"must be 1 to {high}")
            code = 1
        codes.append(code)
    return codes[0], codes[1], codes[2]


def _factor(winding: _Winding, node: Node, cw: int) -> float:
    return (winding.nominal_kv / node.kv) ** 2 if cw == 1 else 1.0


def _two_windings(build: Build, head: Row, body: list[Line]) -> int:
    """One transformer of two windings; 1 if it states no rating."""
    ends = _ends(build, head, "transformer")
    rows = [build.row("impedance", body[0]), build.row("winding", body[1]), build.row("winding", body[2])]
    if ends is None or rows[0] is None or rows[1] is None or rows[2] is None:
        return 0
    start, end, circuit = ends
    cw, cz, cm = _codes(head)
    first, second = _winding(build, rows[1], start, cw), _winding(build, rows[2], end, cw)
    z = _impedance_of(build, rows[0], "12", cz, _factor(first, start, cw))
    if abs(z) == 0.0:
        rows[0].fault("X12", 0.0, "a transformer needs an impedance")
        return 0
    name, on = f"{start.number}-{end.number} {circuit}", head.whole("STAT", 1) != 0
    mva = rows[0].number("SBASE12", build.s_base_mva)
    _trafo(build, head.line, name, (start.number, end.number), (start.kv, end.kv), (first, second), z, mva, on)
    _magnetising(build, head, rows[0], name, start, first, cm, on)
    build.account.used("transformer", on)
    return int(first.rating_mva <= 0.0)


def _trafo(
    build: Build, line: int, name: str, ends: tuple[int, int], kv: tuple[float, float],
    windings: tuple[_Winding, _Winding], z: complex, mva: float, on: bool,
) -> None:  # fmt: skip
    first, second = windings
    sn = first.rating_mva if first.rating_mva > 0.0 else mva if mva > 0.0 else build.s_base_mva
    percent: Any = base.percent_from_pu(z, build.s_base_mva, sn)
    build.add(
        "trafo", line, name=name, hv_bus=ends[0], lv_bus=ends[1], sn_mva=sn, vn_hv_kv=first.ratio * kv[0],
        vn_lv_kv=second.ratio * kv[1], vk_percent=math.copysign(abs(percent), z.imag), vkr_percent=percent.real,
        rating_mva=first.rating_mva if first.rating_mva > 0.0 else None,
        shift_degree=first.degree - second.degree, in_service=on,
    )  # fmt: skip


def _magnetising(
    build: Build, head: Row, row: Row, name: str, node: Node, winding: _Winding, code: int, on: bool
) -> None:
    g, b = head.number("MAG1", 0.0), head.number("MAG2", 0.0)
    if g == 0.0 and b == 0.0:
        return
    if code == 2:
        scale = (node.kv / winding.nominal_kv) ** 2
        g = g / (build.s_base_mva * 1e6)
        y = base.power_to_base(b, row.number("SBASE12", build.s_base_mva), build.s_base_mva)
        if abs(y) < g:
            head.fault("MAG2", b, f"the exciting current is below the {g:.4g} pu that the no-load loss takes")
        g, b = g * scale, -math.sqrt(max(y * y - g * g, 0.0)) * scale
    s = build.s_base_mva
    build.add(
        "shunt", head.line, name=f"magnetising {name}", bus=node.number, p_mw=g * s, q_mvar=-b * s, vn_kv=node.kv,
        in_service=on,
    )  # fmt: skip


def _three_windings(build: Build, head: Row, body: list[Line], star: int) -> int:
    """One transformer of three windings as three branches to a star bus; 1 if it states no rating."""
    nodes = [build.node(head, c) for c in "IJK"]
    first_row = build.row("impedance", body[0])
    winding_rows = [build.row("winding", line) for line in body[1:]]
    start, end, third = nodes
    if start is None or end is None or third is None or first_row is None or any(r is None for r in winding_rows):
        return 0
    numbers = [start.number, end.number, third.number]
    circuit = head.text("CKT", "1")
    if len(set(numbers)) < 3:
        head.fault("K", numbers[2], "the three buses must differ")
        return 0
    if not build.once(head, "transformer", *sorted(numbers), circuit):
        return 0
    cw, cz, cm = _codes(head)
    ends = (start, end, third)
    windings = [_winding(build, row, node, cw) for row, node in zip(winding_rows, ends, strict=True) if row]
    z12, z23, z31 = (
        _impedance_of(build, first_row, pair, cz, _factor(w, n, cw))
        for pair, w, n in zip(("12", "23", "31"), windings, ends, strict=True)
    )
    status = head.whole("STAT", 1)
    if status not in _OUT_WINDINGS:
        head.fault("STAT", status, "must be 0 to 4")
        status = 1
    name = "-".join(map(str, numbers)) + f" {circuit}"
    _star(build, head, name, star, start, status != 0)
    mva = first_row.number("SBASE12", build.s_base_mva)
    for k, z in enumerate(((z12 + z31 - z23) / 2.0, (z12 + z23 - z31) / 2.0, (z23 + z31 - z12) / 2.0)):
        pair, kv = (windings[k], _Winding(1.0, 0.0, 0.0, start.kv)), (ends[k].kv, start.kv)
        on = k + 1 not in _OUT_WINDINGS[status]
        z = z if abs(z) > 0.0 else complex(0.0, 1e-9)
        _trafo(build, head.line, f"{name} winding {k + 1}", (numbers[k], star), kv, pair, z, mva, on)
    _magnetising(build, head, first_row, name, start, windings[0], cm, status != 0)
    build.account.used("transformer", status != 0)
    return int(windings[0].rating_mva <= 0.0)


def _star(build: Build, head: Row, name: str, number: int, beside: Node, on: bool) -> None:
    """The bus where the windings meet."""
    build.add(
        "bus", head.line, name=f"star {name}", vn_kv=beside.kv, in_service=on, number=float(number), type="n",
        zone=None,
    )  # fmt: skip
