"""Dynamics tables from DYR records: each model file names the order of its record in a tuple `DYR`.

`DYR` holds column names in the record's order, None for a constant that gridai does not use. A module may list other
names of its record in `DYR_NAMES`, and in `DYR_WRAPPED` those of a user model with the count of its header. The
constants of a USRMDL or USRLOD record count from the first number after the model's own name. A machine's relay
(FRQTPAT, VTGTPAT) counts from the field after the model: monitored bus, machine's bus, machine's id, constants. A relay
that sheds load belongs to the load of its bus and id: LVSHBL's record begins with the monitored bus,
`I, 'LVSHBL', LID, ICON(M), CON(J) to CON(J+9)`; LDSHBL's has its ten constants alone.

What the record does not hold comes from the RAW file: ra_pu is ZR and a GENCLS's xd1_pu is ZX.

A record with more or fewer constants than its model has is refused: which of them is the one too many cannot be told
(in a real file it was a zero in the middle), and a shifted record gives a plausible wrong answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from gridai.errors import Problems
from gridai.exchange.dyr import DyrRecord, DyrText
from gridai.exchange.dyr_gaps import GROUPED, GapError, raise_gaps
from gridai.exchange.dyr_links import BUS_COLUMNS, LINK_COLUMNS, Places, links
from gridai.grid.names import element_names
from gridai.grid.raw_layout import to_number
from gridai.grid.raw_report import Account
from gridai.kernel.contract import ACTION_SHED, Model
from gridai.models import catalog

FROM_RAW = {"ra_pu": ("zr_pu", "ZR"), "xd1_pu": ("zx_pu", "ZX"), "re_pu": ("zr_pu", "ZR"), "xe_pu": ("zx_pu", "ZX")}
"""Parameter of a machine to the column of the gen table and the field of the RAW record that give it."""
SOURCE_ROLES = ("machine", "converter")
FINITE_ZX_PU = 100.0
"""A source reactance of a converter below this is one that PSS/E's network feels."""
_TEXT_COLUMNS = (*BUS_COLUMNS, "branch", "from_bus")


@dataclass(frozen=True)
class Entry:
    """A model that a DYR file can name: the contract and the order of its record."""

    model: Model
    order: tuple[str | None, ...]


def entry_of(name: str) -> Entry | None:
    """The model of a record's name, None if gridai has none or its file says no record order."""
    files = catalog.model_files()
    module = import_module(files[name.lower()]) if name.lower() in files else _by_other_name(name)
    if module is None or not hasattr(module, "DYR"):
        return None
    header = getattr(module, "DYR_WRAPPED", {}).get(name, 0)
    return Entry(module.MODEL, ((None,) * header + tuple(module.DYR)))


def _by_other_name(name: str) -> Any:
    for path in catalog.model_files().values():
        module = import_module(path)
        if name in getattr(module, "DYR_NAMES", ()) or name in getattr(module, "DYR_WRAPPED", {}):
            return module
    return None


@dataclass
class Units:
    """The machines and loads of a net by the names that a DYR file uses, with what the RAW file says of a machine."""

    machines: dict[str, dict[str, Any]]
    loads: dict[str, bool]
    places: Places

    @classmethod
    def of(cls, net: Any) -> Units:
        """Machines (gens, sgens, ext_grids) and loads of a net."""
        names = element_names(net)
        machines: dict[str, dict[str, Any]] = {}
        for table in ("ext_grid", "gen", "sgen"):
            machines |= dict(zip(names.get(table, ()), net[table].to_dict("records"), strict=True))
        on = net.load["in_service"].tolist()
        return cls(machines, dict(zip(names.get("load", ()), map(bool, on), strict=True)), Places.of(net))

    def at(self, bus: int, load: bool) -> list[str]:
        """Ids of the machines or loads at a bus."""
        start = f"load {bus} " if load else f"{bus} "
        return [name.removeprefix(start) for name in (self.loads if load else self.machines) if name.startswith(start)]

    def parts(self, record: DyrRecord) -> list[str]:
        """The loads that stand for parts of one RAW load whose laws differ in sign; empty for a whole load."""
        return [name for name in self.loads if name.startswith(f"load {record.bus} {record.ident} ")]


@dataclass
class _Table:
    """Rows of one model's table with the lines they came from."""

    entry: Entry
    file: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def dynamics_tables(texts: Iterable[DyrText], net: Any, found: Problems) -> tuple[dict[str, Any], list[Account]]:
    """Dynamics tables (model to DataFrame) and an account of each file. Faults go to `found`."""
    units = Units.of(net)
    tables: dict[str, _Table] = {}
    taken: dict[tuple[str, str], DyrRecord] = {}
    accounts = []
    for text in texts:
        account = Account(text.file, "DYR", notes=list(text.notes))
        if text.comments or text.strays:
            account.notes.append(f"{text.comments} comment lines, {text.strays} lines with only a slash")
        for record in text.records:
            _take(record, units, tables, taken, account, found)
        accounts.append(account)
    _compare_reactances(tables, units, accounts)
    _missing(units, taken, accounts)
    return {table.entry.model.name.lower(): _frame(table) for table in tables.values()}, accounts


def _take(
    record: DyrRecord,
    units: Units,
    tables: dict[str, _Table],
    taken: dict[tuple[str, str], DyrRecord],
    account: Account,
    found: Problems,
) -> None:
    """One record: into its table, into the list of what is not supported, or a fault."""
    kind = record.user_model or record.model
    entry = entry_of(kind)
    if entry is None:
        if record.model in ("USRMDL", "USRLOD"):
            _unit(record, record.model == "USRLOD", units, found)
        account.refuse(kind, record.line, record.label, "no model of this name: the unit runs without it")
        return
    if kind in GROUPED:
        account.refuse(kind, record.line, record.label, f"stands for {GROUPED[kind]}: give a record to each load")
        return
    role, load = entry.model.role, is_load(entry.model)
    if role == "relay":
        record, remote = _shedding_target(record, entry) if load else _relay_target(record)
        if remote:
            account.refuse(kind, record.line, record.label, remote)
            return
    parts = units.parts(record) if role == "relay" and load else []
    unit = parts[0] if parts else _unit(record, load, units, found)
    if unit is None or _doubled(record, unit, role, taken, found):
        return
    try:
        values = _values(record, entry, units, unit, found)
    except GapError as gap:
        account.refuse(kind, record.line, record.label, f"{gap}; the unit runs without it")
        return
    if values is None:
        return
    table = tables.setdefault(entry.model.name, _Table(entry, record.file))
    for name in parts or [unit]:
        table.rows.append({"unit": name, **values})
        table.lines.append(record.line)
    on = units.loads[unit] if load else bool(units.machines[unit].get("in_service", True))
    account.used(kind, on)


def is_load(model: Model) -> bool:
    """Whether the model belongs to a load: a load itself, or a relay that sheds load."""
    return model.role == "load" or ACTION_SHED in model.actions


def _shedding_target(record: DyrRecord, entry: Entry) -> tuple[DyrRecord, str]:
    """The record of a relay that sheds load; a text if it watches another bus than the load's."""
    if entry.order[0] is not None or not record.values:
        return record, ""
    watched = to_number(record.values[0])
    elsewhere = watched is not None and int(watched) not in (record.bus, 0)
    return record, f"watches bus {record.values[0]}, not its load's: only the own bus is watched" if elsewhere else ""


def _relay_target(record: DyrRecord) -> tuple[DyrRecord, str]:
    """A relay's record as if it began with its machine's bus and id; a text if it watches another bus."""
    places = (record.ident, *record.values)
    numbers = [to_number(p) for p in places[:2]]
    if len(places) < 3 or numbers[0] is None or numbers[1] is None:
        return record, "monitored bus, machine's bus and id must follow the model's name"
    bus = int(numbers[1])
    own = DyrRecord(record.file, record.line, bus, record.model, places[2], places, record.user_model)
    watched = int(numbers[0])
    return own, "" if watched in (bus, 0) else f"watches bus {watched}, not its machine's: only the own bus is watched"


def _unit(record: DyrRecord, load: bool, units: Units, found: Problems) -> str | None:
    """The name of the record's machine or load; None, with a fault, if the case has none."""
    names: Iterable[str] = units.loads if load else units.machines
    for ident in (record.ident, record.ident.upper()):
        name = f"load {record.bus} {ident}" if load else f"{record.bus} {ident}"
        if name in names:
            return name
    what = "load" if load else "machine"
    there = units.at(record.bus, load)
    listed = f"there: {', '.join(repr(i) for i in there)}" if there else f"the bus has no {what}"
    remedy = f"the case has no {what} '{record.ident}' at bus {record.bus} ({listed}): add it to the RAW file first"
    found.add(record.file, record.line, "unit", record.label, remedy)
    return None


def _doubled(record: DyrRecord, unit: str, role: str, taken: dict[tuple[str, str], DyrRecord], found: Problems) -> bool:
    """Whether the unit has a record of this role already; relays may stand side by side if their models differ."""
    part = "machine" if role in SOURCE_ROLES else record.model if role == "relay" else role
    first = taken.setdefault((unit, part), record)
    if first is record:
        return False
    where = f"line {first.line}" if first.file == record.file else f"{first.file}, line {first.line}"
    remedy = f"unit '{unit}' has {first.user_model or first.model} as {part} in {where} already: keep one"
    found.add(record.file, record.line, "unit", record.label, remedy)
    return True


def _values(record: DyrRecord, entry: Entry, units: Units, unit: str, found: Problems) -> dict[str, Any] | None:
    """Columns of a record, checked against the model's ranges and rules; None with faults. Raises GapError."""
    before = len(found)
    given, wanted = len(record.values), len(entry.order)
    if given != wanted:
        remedy = f"the record has {given} constants, {record.user_model or record.model} has {wanted}: " + (
            "which of them is one too many cannot be told; mend the record" if given > wanted else "some are missing"
        )
        found.add(record.file, record.line, "constants", record.label, remedy)
        return None
    texts = {name: text for name, text in zip(entry.order, record.values, strict=True) if name is not None}
    values: dict[str, float] = {}
    for name in [n for n in texts if n not in LINK_COLUMNS]:
        number = to_number(texts[name])
        if number is None:
            found.add(record.file, record.line, name, texts[name], f"is not a plain finite number ({record.label})")
        else:
            values[name] = number
    linked = links(record, {n: t for n, t in texts.items() if n in LINK_COLUMNS}, values, units.places, found)
    _from_raw(record, entry, units.machines.get(unit, {}), values, found)
    if len(found) == before:
        _check(record, entry.model, values, found)
    return {**linked, **values} if len(found) == before else None


def _from_raw(
    record: DyrRecord, entry: Entry, machine: dict[str, Any], values: dict[str, float], found: Problems
) -> None:
    """What the RAW file knows of a machine and the DYR record does not hold."""
    params = {q.name: q for q in entry.model.params if not q.solved}
    for name, (column, raw_field) in FROM_RAW.items():
        if name in params and name not in entry.order and column in machine:
            values[name] = float(machine[column])
            if not params[name].low <= values[name] <= params[name].high:
                remedy = f"{name} of {record.label} is {raw_field} of the RAW file, which is out of range for it"
                found.add(record.file, record.line, raw_field, values[name], remedy)


def _check(record: DyrRecord, model: Model, values: dict[str, float], found: Problems) -> None:
    """Ranges of single parameters, then the model's rules that join several. Raises GapError."""
    good = True
    for q in (q for q in model.params if not q.solved):
        value = values.get(q.name, q.default)
        if value is None:
            found.add(record.file, record.line, q.name, None, f"{record.label} needs it: {q.meaning} [{q.unit}]")
            good = False
        elif not q.low <= value <= q.high:
            remedy = f"must lie in [{q.low:g}, {q.high:g}] {q.unit}: {q.meaning} ({record.label})"
            found.add(record.file, record.line, q.name, value, remedy)
            good = False
    if good and model.check is not None:
        full = {q.name: values.get(q.name, q.default or 0.0) for q in model.params if not q.solved}
        complaints = model.check(full)
        raise_gaps(model.name, complaints, full)
        for name, complaint in complaints:
            found.add(record.file, record.line, name, full.get(name), f"{complaint} ({record.label})")


def _frame(table: _Table) -> Any:
    import pandas as pd

    columns = ["unit", *dict.fromkeys(name for row in table.rows for name in row if name != "unit")]
    columns.sort(key=lambda name: name not in ("unit", *_TEXT_COLUMNS))
    frame = pd.DataFrame(table.rows, columns=columns)
    for name in [n for n in _TEXT_COLUMNS if n in columns]:
        frame[name] = frame[name].fillna("")
    frame.attrs["file"], frame.attrs["rows"] = table.file, list(table.lines)
    return frame


def _compare_reactances(tables: dict[str, _Table], units: Units, accounts: list[Account]) -> None:
    """PSS/E wants ZX to be the subtransient reactance; where it is not, the DYR record's value is used, with a note.

    A converter's ZX should be infinite: PSS/E keeps it in its network, and its current lags the voltage by a solution.
    """
    off, finite = [], []
    for table in tables.values():
        for row in table.rows:
            zx = units.machines.get(row["unit"], {}).get("zx_pu")
            if zx is not None and "xd2_pu" in table.entry.order and abs(zx - row["xd2_pu"]) > 1e-4:
                off.append(f"{row['unit']} ({zx:g}, x'' {row['xd2_pu']:g})")
            elif zx is not None and table.entry.model.name == "REGCA1" and zx < FINITE_ZX_PU:
                finite.append(f"{row['unit']} ({zx:g})")
    if off and accounts:
        accounts[-1].notes.append(f"ZX of the RAW file is not x'', which is used: {', '.join(off)}")
    if finite and accounts:
        why = "not used here; in PSS/E it can damp the frequency by an error of its network solution"
        more = f" and {len(finite) - 6} more" if len(finite) > 6 else ""
        accounts[-1].notes.append(f"ZX of converters is finite ({why}): {', '.join(finite[:6])}{more}")


def _missing(units: Units, taken: dict[tuple[str, str], DyrRecord], accounts: list[Account]) -> None:
    without = [n for n, row in units.machines.items() if row.get("in_service", True) and (n, "machine") not in taken]
    if without and accounts:
        accounts[-1].notes.append(f"units in service without a machine model: {', '.join(without)}")
