"""write_dyr: the dynamics tables of a Case as a PSS/E DYR file."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridai.exchange.dyr_links import LINK_COLUMNS, numbers
from gridai.exchange.dyr_tables import is_load
from gridai.exchange.psse_ids import Ids, ids_of
from gridai.exchange.raw_write import text, write_whole
from gridai.kernel.contract import Model
from gridai.models import catalog

if TYPE_CHECKING:
    from gridai.case import Case

ON_A_LINE = 6
IN_RAW = ("ra_pu", "xd1_pu", "re_pu", "xe_pu")
"""Parameters that the RAW file holds (ZR, ZX)."""


def write_dyr(case: Case, path: str | Path) -> tuple[str, ...]:
    """Write every table whose model has a PSS/E record. Whole or not at all. Returns notes on what was left out.

    Ids are those of `write_raw`. Left out: load shares (PSS/E sets them by CONL), gridai's own parameters.
    """
    ids = ids_of(case.net)
    lines, notes = [f"// {case.name}: written by gridai"], []
    for key, table in case.dynamics.items():
        module = import_module(catalog.model_files()[key])
        if not hasattr(module, "DYR"):
            notes.append(f"{key}: {len(table)} rows have no PSS/E record that gridai writes")
            continue
        notes += _left_out(key, module, table)
        for row in _rows(table, module.MODEL, ids):
            lines.append(_record(case.net, ids, module.MODEL, module.DYR, row, getattr(module, "DYR_USER", ())))
    write_whole(Path(path), "\n".join([*lines, ""]))
    return tuple(notes)


def _rows(table: Any, model: Model, ids: Ids) -> list[dict[str, Any]]:
    """Rows of a table; a row `*` becomes one for each load without a row of its own. Parts of one load make one."""
    rows = table.to_dict("records")
    if not is_load(model):
        return list(rows)
    own = {str(row["unit"]) for row in rows}
    out: dict[tuple[int, str], dict[str, Any]] = {}
    for row in rows:
        names = [n for n in ids.load if n not in own] if str(row["unit"]) == "*" else [str(row["unit"])]
        for name in names:
            out.setdefault(ids.load[name], row | {"unit": name})
    return list(out.values())


def _left_out(key: str, module: Any, table: Any) -> list[str]:
    """Parameters that differ from their default and have no place in the record."""
    out = []
    for q in module.MODEL.params:
        unknown = q.name in table.columns and q.name not in module.DYR and q.name not in IN_RAW
        if unknown and any(v == v and v != q.default for v in table[q.name]):
            out.append(f"{key}: {q.name} is gridai's own and is left out")
    return out


def _record(
    net: Any, ids: Ids, model: Model, order: tuple[str | None, ...], row: dict[str, Any], user: tuple[str, ...]
) -> str:
    """One record. user: wrapper, name and first numbers of a model that goes out as a user-written one."""
    defaults = {q.name: q.default or 0.0 for q in model.params}
    linked = numbers(row, net)
    unit = str(row["unit"])
    bus, ident = (ids.load if is_load(model) else ids.unit)[unit]
    cells = []
    for name in order:
        if name in LINK_COLUMNS:
            cells.append("'" + linked[name] + "'" if name == "branch_circuit" else linked[name])
        else:
            value = row.get(name, defaults.get(name, 0.0)) if name else 0.0
            cells.append(text(defaults.get(str(name), 0.0) if value is None or value != value else value))
    if user:
        head, cells = f"{bus} '{user[0]}' '{ident}' '{user[1]}'", [*user[2:], *cells[len(user) - 2 :]]
    elif model.role == "relay" and not is_load(model):
        head, cells = f"{bus} '{model.name}' {bus} {bus} '{ident}'", cells[3:]
    elif model.role == "relay" and order[0] is None:
        head, cells = f"{bus} '{model.name}' '{ident}' {bus}", cells[1:]
    else:
        head = f"{bus} '{model.name}' '{ident}'"
    chunks = [" ".join(cells[k : k + ON_A_LINE]) for k in range(0, len(cells), ON_A_LINE)]
    return "\n    ".join([head, *chunks]) + " /"
