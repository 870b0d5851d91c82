"""Read a MATPOWER case file (.m, format 1 or 2) into a pandapower net: its tables as data, no code of it is run.

Read: baseMVA, bus, gen, branch, bus_name, genfuel, gentype. Costs and other fields are skipped and counted. A file that
computes its data (expressions, assignments to parts of a table) is refused with the line: save it from MATPOWER with
savecase first.

Names: a bus its bus_name, else its number; a machine "<bus> <1, 2, ...>", a branch "<from>-<to> <1, 2, ...>". The index
of a bus is its number. A branch with a ratio or shift, or between two base voltages, is a transformer; its charging
stands as shunts at both ends, as MATPOWER's model has it. Machines with PMAX = 0 and negative output are loads.
Source: MATPOWER User's Manual 8.0, appendix B, "Data File Format".
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridai import units as base
from gridai.errors import CaseError, Problems
from gridai.grid.raw_branches import add_line
from gridai.grid.raw_build import Build, Node
from gridai.grid.raw_layout import to_number
from gridai.grid.raw_report import Account, raise_faults
from gridai.grid.raw_text import RawText, read_text

_ASSIGN = re.compile(r"(?:[A-Za-z]\w*\.)?([A-Za-z]\w*)\s*=\s*(.*)$")
_PART = re.compile(r"(?:mpc\.)?(bus|gen|branch|baseMVA)\s*\(")
_TABLES = {"bus": 13, "gen": 10, "branch": 11}
_TEXTS = ("bus_name", "genfuel", "gentype")
_BUS = ["BUS_I", "BUS_TYPE", "PD", "QD", "GS", "BS", "AREA", "VM", "VA", "BASE_KV", "ZONE", "VMAX", "VMIN"]
_GEN = ["GEN_BUS", "PG", "QG", "QMAX", "QMIN", "VG", "MBASE", "STATUS", "PMAX", "PMIN"]
_BRANCH = ["F_BUS", "T_BUS", "R", "X", "B", "RATE_A", "RATE_B", "RATE_C", "TAP", "SHIFT", "STATUS"]
_FUELS = {
    "hydro": "hydro",
    "HY": "hydro",
    "HA": "hydro",
    "PS": "pumped hydro",
    "wind": "renewable",
    "solar": "renewable",
}


@dataclass
class _File:
    """The assignments of a file: numbers, rows of tables with their lines, and lists of texts."""

    s_base_mva: float | None = None
    tables: dict[str, list[tuple[int, list[float]]]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)


def read_matpower(path: str | Path, f_hz: float | None = None) -> tuple[Any, Account]:
    """The net of a MATPOWER case file and the account of its rows.

    f_hz  nominal frequency, which the format does not hold [Hz]; default 60, reported.

    Raises CaseError with every fault, each with its line.
    """
    path = Path(path)
    found = Problems(f"MATPOWER file {path.name}")
    notes: list[str] = []
    text = read_text(path, found, notes)
    found.raise_if_any(CaseError)
    parsed = _parse(path.name, text or "", found)
    for name in ("bus", "branch"):
        if name not in parsed.tables:
            found.add(path.name, None, f"mpc.{name}", None, "is missing: no MATPOWER case")
    if parsed.s_base_mva is None or not parsed.s_base_mva > 0.0:
        found.add(path.name, None, "mpc.baseMVA", parsed.s_base_mva, "give the system base in MVA, above 0")
    raise_faults(found)
    if f_hz is None:
        notes.append("the format states no frequency: 60 Hz is taken")
    account = Account(path.name, "MATPOWER", notes=notes)
    raw = RawText(path.name, 33, (), (path.stem, ""))
    build = Build(raw, float(parsed.s_base_mva or 100.0), 60.0 if f_hz is None else f_hz, found, account)
    _buses(build, parsed)
    _machines(build, parsed)
    _branches(build, parsed)
    for name, count in parsed.skipped.items():
        account.of(f"mpc.{name}").skipped += count
    raise_faults(found)
    return build.net(), account


def _parse(file: str, text: str, found: Problems) -> _File:
    out, name, closing = _File(), "", ""
    for number, raw in enumerate(text.split("\n"), start=1):
        line = _uncommented(raw).strip()
        if not line or (not name and re.match(r"(function|return|end)\b", line)):
            continue
        if not name:
            match = _ASSIGN.match(line)
            if _PART.match(line) or match is None:
                remedy = "is code: the file computes its data; save the case from MATPOWER with savecase"
                found.add(file, number, "statement", line[:60], remedy)
                continue
            name, line = match.group(1), match.group(2).strip()
            if line[:1] not in ("[", "{"):
                _scalar(out, file, number, name, line.rstrip("; "), found)
                name = ""
                continue
            closing, line = {"[": "]", "{": "}"}[line[0]], line[1:]
        ended = closing in line
        _rows(out, file, number, name, closing, line.split(closing)[0], found)
        if ended:
            name = ""
    if name:
        found.add(file, text.count("\n") + 1, f"mpc.{name}", None, f"is not closed with {closing}: the file is cut off")
    return out


def _uncommented(line: str) -> str:
    """A line up to its comment; a percent sign within quotes stays."""
    quoted = False
    for at, character in enumerate(line):
        if character == "'":
            quoted = not quoted
        elif character == "%" and not quoted:
            return line[:at]
    return line


def _scalar(out: _File, file: str, number: int, name: str, text: str, found: Problems) -> None:
    if name == "baseMVA":
        out.s_base_mva = to_number(text)
        if out.s_base_mva is None:
            found.add(file, number, "mpc.baseMVA", text[:60], "is not a plain number")
    elif name != "version":
        out.skipped[name] = out.skipped.get(name, 0) + 1


def _rows(out: _File, file: str, number: int, name: str, closing: str, line: str, found: Problems) -> None:
    """Rows of a table, or texts of a list, on one line."""
    if name in _TEXTS and closing == "}":
        out.texts.setdefault(name, []).extend(re.findall(r"'([^']*)'", line))
        return
    for part in line.split(";"):
        cells = part.replace(",", " ").split()
        if not cells:
            continue
        if name not in _TABLES:
            out.skipped[name] = out.skipped.get(name, 0) + 1
            continue
        values = [
            to_number(c) if c.lower() not in ("inf", "-inf") else math.copysign(1e9, -1 if c[0] == "-" else 1)
            for c in cells
        ]
        bad = [c for c, v in zip(cells, values, strict=True) if v is None]
        if bad:
            found.add(file, number, f"mpc.{name}", bad[0], "is not a plain number; expressions are not evaluated")
        elif len(values) < _TABLES[name] - (2 if name == "branch" else 0):
            found.add(file, number, f"mpc.{name}", len(values), f"columns, {_TABLES[name]} are needed")
        else:
            out.tables.setdefault(name, []).append((number, [v for v in values if v is not None]))


def _named(columns: list[str], values: list[float]) -> dict[str, float]:
    return dict(zip(columns, [*values, *([1.0] * len(columns))], strict=False))


def _buses(build: Build, parsed: _File) -> None:
    rows = [(line, _named(_BUS, values)) for line, values in parsed.tables["bus"]]
    names = [n.strip() for n in parsed.texts.get("bus_name", [])]
    names = names if len(names) == len(rows) else [""] * len(rows)
    count = Counter(names)
    for (line, row), name in zip(rows, names, strict=True):
        number, kv, kind = int(row["BUS_I"]), row["BASE_KV"], int(row["BUS_TYPE"])
        if number in build.nodes or not 1 <= row["BUS_I"] <= 999999 or row["BUS_I"] != number:
            build.found.add(build.raw.file, line, "BUS_I", row["BUS_I"], "bus numbers are whole, from 1 on, and differ")
            continue
        if kind not in (1, 2, 3, 4):
            build.found.add(build.raw.file, line, "BUS_TYPE", kind, "must be 1, 2, 3 or 4")
        key = str(number) if not name else name if count[name] == 1 else f"{name} ({number})"
        kv = kv if kv > 0.0 else 1.0
        build.nodes[number] = Node(number, name, key, kv, kind, row["VM"], row["VA"], line)
        build.add(
            "bus", line, name=key, vn_kv=kv, in_service=kind != 4, number=float(number), area=row["AREA"],
            zone=str(int(row["ZONE"])), max_vm_pu=row["VMAX"], min_vm_pu=row["VMIN"],
        )  # fmt: skip
        if row["PD"] or row["QD"]:
            build.add("load", line, name=f"load {number} 1", bus=number, p_mw=row["PD"], q_mvar=row["QD"])
        if row["GS"] or row["BS"]:
            build.add("shunt", line, name=f"shunt {number} 1", bus=number, p_mw=row["GS"], q_mvar=-row["BS"], vn_kv=kv)
        build.account.used("mpc.bus", kind != 4)
    if not any(node.ide == 3 for node in build.nodes.values()):
        build.found.add(build.raw.file, None, "BUS_TYPE", None, "no bus has type 3: name a reference bus")


def _machines(build: Build, parsed: _File) -> None:
    rows = [(line, _named(_GEN, values)) for line, values in parsed.tables.get("gen", [])]
    fuels = parsed.texts.get("genfuel") or parsed.texts.get("gentype") or []
    rated = any(row["MBASE"] != build.s_base_mva for _, row in rows)
    if rows and not rated:
        build.account.notes.append("every MBASE is the system base: the machines' ratings are taken as unstated")
    count: Counter[int] = Counter()
    slack: set[int] = set()
    for k, (line, row) in enumerate(rows):
        number, on = int(row["GEN_BUS"]), row["STATUS"] > 0
        node = build.nodes.get(number)
        if node is None:
            build.found.add(build.raw.file, line, "GEN_BUS", row["GEN_BUS"], "no bus of the file has this number")
            continue
        count[number] += 1
        name = f"{number} {count[number]}"
        build.account.used("mpc.gen", on)
        if row["PMAX"] == 0.0 and row["PMIN"] < 0.0 and row["PG"] < 0.0:
            build.add(
                "load",
                line,
                name=f"load {name} dispatchable",
                bus=number,
                p_mw=-row["PG"],
                q_mvar=-row["QG"],
                in_service=on,
            )
            continue
        first = node.ide == 3 and on and number not in slack
        slack |= {number} if first else set()
        values = {
            "name": name, "bus": number, "p_mw": row["PG"],
            "sn_mva": row["MBASE"] if rated and row["MBASE"] > 0.0 else None,
            "min_q_mvar": row["QMIN"], "max_q_mvar": row["QMAX"], "min_p_mw": row["PMIN"], "max_p_mw": row["PMAX"],
            "in_service": on, "type": _FUELS.get(fuels[k]) if k < len(fuels) else None,
        }  # fmt: skip
        if node.ide in (2, 3):
            if not 0.1 <= row["VG"] <= 3.0:
                build.found.add(build.raw.file, line, "VG", row["VG"], "a voltage setpoint in pu, near 1")
            build.add("gen", line, vm_pu=row["VG"], slack=first, **values)
        else:
            build.add("sgen", line, q_mvar=row["QG"], **values)


def _branches(build: Build, parsed: _File) -> None:
    count: Counter[tuple[int, int]] = Counter()
    for line, values in parsed.tables["branch"]:
        row = _named(_BRANCH, values)
        start, end = (build.nodes.get(int(row[c])) for c in ("F_BUS", "T_BUS"))
        if start is None or end is None or start is end:
            ends = f"{row['F_BUS']:g}-{row['T_BUS']:g}"
            build.found.add(build.raw.file, line, "F_BUS, T_BUS", ends, "two different buses of the file are needed")
            continue
        count[start.number, end.number] += 1
        name, on = f"{start.number}-{end.number} {count[start.number, end.number]}", row["STATUS"] > 0
        if row["R"] == 0.0 and row["X"] == 0.0:
            build.found.add(build.raw.file, line, "BR_X", 0.0, "a branch needs an impedance")
            continue
        if row["TAP"] == 0.0 and row["SHIFT"] == 0.0 and start.kv == end.kv:
            add_line(build, line, name, (start, end), (row["R"], row["X"], row["B"]), row["RATE_A"], on)
        else:
            _transformer(build, line, name, (start, end), row, on)
        build.account.used("mpc.branch", on)


def _transformer(build: Build, line: int, name: str, ends: tuple[Node, Node], row: dict[str, float], on: bool) -> None:
    start, end = ends
    tap, z = row["TAP"] if row["TAP"] else 1.0, complex(row["R"], row["X"])
    rated = row["RATE_A"] > 0.0
    sn = row["RATE_A"] if rated else build.s_base_mva
    percent: Any = base.percent_from_pu(z, build.s_base_mva, sn)
    build.add(
        "trafo", line, name=name, hv_bus=start.number, lv_bus=end.number, sn_mva=sn, vn_hv_kv=tap * start.kv,
        vn_lv_kv=end.kv, vk_percent=math.copysign(abs(percent), z.imag), vkr_percent=percent.real,
        shift_degree=row["SHIFT"], in_service=on, rating_mva=row["RATE_A"] if rated else None,
    )  # fmt: skip
    for node, ratio in ((start, tap), (end, 1.0)):
        if row["B"]:
            q = -row["B"] / 2.0 / ratio**2 * build.s_base_mva
            label = f"charging {name} at {node.number}"
            build.add("shunt", line, name=label, bus=node.number, p_mw=0.0, q_mvar=q, vn_kv=node.kv, in_service=on)
