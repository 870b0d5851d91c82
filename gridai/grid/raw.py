"""Read a PSS/E RAW file, version 32 to 35, into a pandapower net. The index of a bus is its PSS/E number.

pandapower 3.5 has no RAW reader of its own (its way goes through pypowsybl, a Java image of 100 MB whose network
model drops the constant-current load parts), so this one is written here.

Every record is used, or stands in the account: out of service, information only, or unsupported with its line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridai.errors import Problems
from gridai.grid import raw_branches, raw_nodes
from gridai.grid.raw_build import Build, Regulator
from gridai.grid.raw_layout import to_number
from gridai.grid.raw_report import Account, raise_faults
from gridai.grid.raw_text import FieldError, Line, RawText, parse_text, records, split_fields

F_HZ = 60.0
"""Nominal frequency of a file that states none, unless the caller gives one. [Hz]"""
S_BASE_MVA = 100.0

_USED = (
    "bus", "load", "fixed shunt", "generator", "branch", "system switching device", "transformer", "switched shunt",
)  # fmt: skip
_INFORMATION = {
    "system-wide": "solution settings",
    "area": "interchange schedules; the area numbers of the buses are kept",
    "zone": "zone names are kept with the buses",
    "owner": "owners",
    "inter-area transfer": "transfer schedules",
    "multi-section line": "groups of branches that are in the case one by one",
    "substation": "substation topology; its buses and branches are in the case",
}
_UNSUPPORTED = {
    "two-terminal dc": (3, "two-terminal DC line", "the power it carries is missing at both of its buses"),
    "vsc dc": (3, "VSC DC line", "the power it carries is missing at both of its buses"),
    "multi-terminal dc": (1, "line of a multi-terminal DC record", "the power of its converters is missing"),
    "impedance correction": (1, "line of an impedance correction table", "transformers keep their nominal impedance"),
    "facts": (1, "FACTS device", "its reactive power and series voltage are missing"),
    "gne": (1, "line of a generic network element", "it is missing"),
    "induction machine": (
        1,
        "induction machine",
        "its power is missing; give it as a load, or as a `motor` in a table",
    ),
}


@dataclass(frozen=True)
class RawCase:
    """A RAW file as a net.

    net        pandapower net; names are unique keys, the index of a bus is its number.
    account    what became of every record.
    stored     bus key to the voltage the file holds (magnitude [pu], angle [degree]): a start, not a solution.
    keys       bus number to key.
    version    of the file.
    title      its two title lines.
    regulators machines that hold a voltage, bus by bus.
    """

    net: Any
    account: Account
    stored: dict[str, tuple[float, float]]
    keys: dict[int, str]
    version: int
    title: str
    regulators: tuple[Regulator, ...]


def read_raw(path: str | Path, f_hz: float | None = None) -> RawCase:
    """Read a RAW file.

    f_hz  nominal frequency where the file states none [Hz]; default 60, reported.

    Raises CaseError with every fault of the file, each with its line. Setpoints of machines that regulate another bus,
    or stand at a reactive limit, are those of the file: `raw_setpoints.settle` finds the ones that hold.
    """
    path = Path(path)
    found = Problems(f"RAW file {path.name}")
    raw = parse_text(path, found)
    title = " ".join(t for t in raw.titles if t)
    account = Account(raw.file, f"RAW version {raw.version}", notes=raw.notes)
    build = Build(raw, *_bases(raw, f_hz, found, account), found, account)
    for reader in (
        raw_nodes.buses, raw_nodes.loads, raw_nodes.shunts, raw_nodes.machines, raw_branches.branches,
        raw_branches.switching_devices, raw_branches.transformers,
    ):  # fmt: skip
        reader(build)
    _others(build)
    if not build.nodes:
        found.add(raw.file, None, "bus data", None, "the file holds no bus")
    raise_faults(found)
    stored = {node.key: (node.vm_pu, node.va_degree) for node in build.nodes.values()}
    keys = {node.number: node.key for node in build.nodes.values()}
    return RawCase(build.net(), account, stored, keys, raw.version, title, tuple(build.regulators))


def _bases(raw: RawText, f_hz: float | None, found: Problems, account: Account) -> tuple[float, float]:
    """System base and frequency of the header, with reported defaults."""
    usual = F_HZ if f_hz is None else f_hz
    values = []
    for name, text, default, unit in (
        ("SBASE", raw.header[1], S_BASE_MVA, "MVA"),
        ("BASFRQ", raw.header[5], usual, "Hz"),
    ):
        value = to_number(text) if text else default
        if value is None or value <= 0.0:
            found.add(raw.file, 1, name, text, f"is not a number above 0 {unit}")
            value = default
        elif not text:
            account.notes.append(f"{name} is empty: {default:g} {unit} is taken")
        values.append(value)
    if f_hz is not None and raw.header[5] and values[1] != f_hz:
        account.notes.append(f"BASFRQ {values[1]:g} Hz of the file stands, not the {f_hz:g} Hz asked for")
    return values[0], values[1]


def _others(build: Build) -> None:
    """Sections without a place in the case: counted, or listed record by record."""
    raw, account = build.raw, build.account
    for section, lines in raw.sections.items():
        if section in _USED or not lines:
            continue
        if section in _INFORMATION:
            account.of(section).skipped += len(lines)
            if section == "system-wide":
                _check_settings(build, lines)
        else:
            size, what, why = _UNSUPPORTED.get(section, (1, f"record of section '{section}'", "is not known"))
            for group in records(raw, section, size):
                account.refuse(section, group[0].number, f"{what} {_label(group)}", why)
    skipped = [f"{name} ({_INFORMATION[name]})" for name in raw.sections if name in _INFORMATION and raw.sections[name]]
    if skipped:
        account.notes.append("skipped as information: " + "; ".join(skipped))


def _check_settings(build: Build, lines: Iterable[Line]) -> None:
    """Bus records in the place of solution settings mean that the file has no such section."""
    for line in lines:
        if line.text.lstrip()[:1].isdigit():
            remedy = "a record with a number stands where settings are expected: close the section with a line '0 /'"
            build.found.add(build.raw.file, line.number, "system-wide data", line.text.strip()[:60], remedy)
            return


def _label(group: tuple[Line, ...]) -> str:
    """What tells a record apart: its first fields, and the buses of a DC line's two ends."""
    heads = []
    for line in group:
        try:
            heads.append(split_fields(line.text)[:3])
        except FieldError:
            heads.append([line.text.strip()[:40]])
    if len(group) == 1:
        return "'" + ", ".join(heads[0]) + "'"
    ends = " and ".join(head[0] for head in heads[1:] if head)
    return f"'{heads[0][0] if heads[0] else ''}' between buses {ends}"
