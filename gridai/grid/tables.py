"""The network/ folder of a case: pandapower element tables as CSV, in and out.

Buses are referred to by their key. Every cell is checked against `schema` and all faults are collected
before one CaseError is raised by the caller.
"""

from __future__ import annotations

import copy
import difflib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.errors import CaseError, Problems, near
from gridai.grid import schema
from gridai.grid.csvtable import Table, flag, number, read_table, write_table
from gridai.grid.names import NAMESPACES, bus_keys_of, element_names
from gridai.grid.perunit import from_per_unit
from gridai.grid.raw_numbers import index_by_number

if TYPE_CHECKING:
    import pandas as pd

_DTYPES = {"number": "float64", "flag": "bool", "text": "object", "bus": "int64", "element": "int64"}


@lru_cache(maxsize=1)
def _template() -> Any:
    import pandapower as pp

    return pp.create_empty_network(add_stdtypes=False)


def empty_net(name: str, f_hz: float, s_base_mva: float) -> Any:
    """A pandapower net without elements (and without the library of standard types)."""
    net = copy.deepcopy(_template())
    net.name, net.f_hz, net.sn_mva = name, float(f_hz), float(s_base_mva)
    return net


def read_network(folder: Path, name: str, f_hz: float, s_base_mva: float, found: Problems) -> Any:
    """Read all tables of a network folder into a pandapower net. Faults go to `found`."""
    net = empty_net(name, f_hz, s_base_mva)
    raw = {}
    for path in sorted(folder.glob("*.csv")):
        if path.stem in schema.TABLES:
            raw[path.stem] = read_table(path, f"{folder.name}/{path.name}", found)
        else:
            found.add(f"{folder.name}/{path.name}", None, "table", path.stem, near(path.stem, schema.TABLES, "table"))
    if "bus" not in raw:
        found.add(f"{folder.name}/bus.csv", None, "table", None, "is missing: it lists the buses (name, vn_kv)")
        return net
    numbers: dict[str, dict[str, int]] = {}
    # switches refer to branches, everything else to buses
    for table in sorted(raw, key=lambda t: (t != "bus", t == "switch", list(schema.TABLES).index(t))):
        columns = _read_columns(table, raw[table], numbers, found)
        if table in schema.PER_UNIT and columns is not None:
            columns = from_per_unit(table, columns, raw[table], net, found)
        if columns is not None:
            net[table] = _frame(net[table], table, columns, raw[table])
            numbers[table] = {n: i for i, n in enumerate(raw[table].columns.get("name", ()))}
    index_by_number(net)
    return net


def _read_columns(table: str, raw: Table, numbers: dict[str, dict[str, int]], found: Problems) -> dict[str, Any] | None:
    if not raw.columns:
        return None
    known = dict(schema.TABLES[table])
    per_unit = schema.PER_UNIT.get(table, {})
    if set(per_unit) & set(raw.columns):
        known = {k: c for k, c in known.items() if k not in schema.REPLACED[table]} | per_unit
        for name in sorted(set(schema.REPLACED[table]) & set(raw.columns)):
            found.add(raw.file, None, f"column {name}", None, f"give either {', '.join(per_unit)} or this, not both")
        if table == "trafo":
            optional = dict.fromkeys(("sn_mva", "vn_hv_kv", "vn_lv_kv"), schema.MAYBE_POSITIVE)
            known |= optional
    columns = {name: _column(raw, name, column, numbers, found) for name, column in known.items()}
    for name in raw.columns:
        if name not in known and name not in schema.REPLACED.get(table, ()):
            columns[name] = _carried(raw, name, known, found)
    _check_keys(raw, table, found)
    return {name: values for name, values in columns.items() if values is not None}


def _column(raw: Table, name: str, column: schema.Column, numbers: Any, found: Problems) -> list[Any] | None:
    if name not in raw.columns:
        if column.required:
            found.add(raw.file, None, f"column {name}", None, f"is missing; the file has {', '.join(raw.columns)}")
            return None
        return None if column.extra else [column.default] * len(raw)
    cells = raw.columns[name]
    if column.kind == "element":
        targets = [numbers.get(schema.SWITCH_TARGET.get(et, ""), {}) for et in raw.columns.get("et", [""] * len(raw))]
    else:
        targets = [numbers.get("bus", {})] * len(raw)
    places = zip(cells, targets, raw.rows, strict=True)
    return [_value(cell, column, known, (raw.file, row, name), found) for cell, known, row in places]


def _value(
    cell: str, column: schema.Column, known: dict[str, int], where: tuple[str, int, str], found: Problems
) -> Any:
    """One cell as a value; faults are noted and give the default."""
    fallback = {"number": 1.0, "whole": 1, "bus": 0, "element": 0, "flag": True}.get(column.kind, column.default)
    if not cell:
        if column.required:
            found.add(*where, None, "the cell is empty: a value is needed")
            return fallback
        return column.default
    if column.kind == "text":
        return cell
    if column.kind in ("bus", "element"):
        if cell not in known:
            found.add(*where, cell, near(cell, known, "bus" if column.kind == "bus" else "element"))
        return known.get(cell, 0)
    if column.kind == "flag":
        value = flag(cell)
        if value is None:
            found.add(*where, cell, "write true or false")
        return fallback if value is None else value
    return _number(cell, column, where, found, fallback)


def _number(cell: str, column: schema.Column, where: tuple[str, int, str], found: Problems, fallback: Any) -> Any:
    value = number(cell)
    if value is None or (column.kind == "whole" and not value.is_integer()):
        kind = "a whole number" if column.kind == "whole" else "a plain finite number"
        found.add(*where, cell, f"is not {kind}; leave the cell empty if the value is unknown and may be left out")
        return fallback
    if column.above is not None and value <= column.above:
        found.add(*where, value, f"must be greater than {column.above:g}")
        return fallback
    if column.at_least is not None and value < column.at_least:
        found.add(*where, value, f"must be {column.at_least:g} or more")
        return fallback
    return int(value) if column.kind == "whole" else value


def _carried(raw: Table, name: str, known: dict[str, schema.Column], found: Problems) -> list[Any] | None:
    """A column gridai does not use: kept, unless it looks like a misspelt one that is absent."""
    absent = [k for k in known if k not in raw.columns]
    close = difflib.get_close_matches(name, absent, n=1, cutoff=0.8)
    if close:
        found.add(raw.file, None, f"column {name}", None, f"is not known; did you mean {close[0]}?")
        return None
    cells = raw.columns[name]
    if all(flag(c) is not None and not c.isdigit() for c in cells):
        return [flag(c) for c in cells]
    values = [number(c) for c in cells]
    return [c or None for c in cells] if any(v is None for v in values) else list(values)


def _check_keys(raw: Table, table: str, found: Problems) -> None:
    """Names are keys: two rows with one name, also across tables of one namespace, are told apart by nothing."""
    first: dict[str, int] = {}
    for name, row in zip(raw.columns.get("name", ()), raw.rows, strict=False):
        if name and name in first:
            found.add(
                raw.file, row, "name", name, f"this key is used already in row {first[name]}: {table} names are unique"
            )
        first.setdefault(name, row)


def _frame(empty: pd.DataFrame, table: str, columns: dict[str, Any], raw: Table) -> pd.DataFrame:
    """Columns in pandapower's order and dtypes."""
    import pandas as pd

    order = [c for c in empty.columns if c in columns] + [c for c in columns if c not in empty.columns]
    known = schema.TABLES[table] | schema.PER_UNIT.get(table, {})
    data = {}
    for name in order:
        kind = known[name].kind if name in known else ""
        dtype = str(empty[name].dtype) if name in empty.columns else _DTYPES.get(kind)
        values = columns[name]
        if dtype == "float64":
            values = np.array([np.nan if v is None else v for v in values], dtype=float)
        data[name] = pd.Series(values, dtype=dtype)
    frame = pd.DataFrame(data)
    frame.attrs["file"], frame.attrs["rows"] = raw.file, list(raw.rows)
    return frame


def write_network(net: Any, folder: Path) -> None:
    """Write all tables with rows. Buses appear by key; columns that hold only their default are left out.

    Raises CaseError for tables the case format has no place for.
    """
    names, keys = element_names(net), bus_keys_of(net)
    placed = set(schema.TABLES) | set(_LEFT_OUT)
    bad = [t for t, rows in net.items() if hasattr(rows, "columns") and len(rows) and t not in placed]
    bad = [t for t in bad if not t.startswith(("res_", "_"))]
    if bad:
        raise CaseError(f"the case format has no table for net.{', net.'.join(bad)}: empty these tables first")
    folder.mkdir(parents=True, exist_ok=True)
    for table, known in schema.TABLES.items():
        rows = net[table]
        if len(rows) == 0:
            continue
        columns: dict[str, Any] = {"name": list(names.get(table, rows.get("name", ())))}
        for name in rows.columns:
            column = known.get(name)
            if name == "name" or (
                column and not column.required and not column.extra and _only_default(rows[name], column)
            ):
                continue
            columns[name] = _written(net, table, name, column, keys, names)
        write_table(folder / f"{table}.csv", columns)


_LEFT_OUT = ("measurement", "pwl_cost", "poly_cost", "group", "bus_geodata", "line_geodata", "bus_dc", "controller")


def _only_default(values: Any, column: schema.Column) -> bool:
    empty = values.isna()
    return bool(empty.all()) if column.default is None else bool(((values == column.default) | empty).all())


def _written(
    net: Any, table: str, name: str, column: schema.Column | None, keys: dict[int, str], names: Any
) -> list[Any]:
    values = net[table][name].tolist()
    if column is not None and column.kind == "bus":
        return [keys[int(v)] for v in values]
    if column is not None and column.kind == "element":
        out = []
        for et, index in zip(net.switch["et"], values, strict=True):
            target = schema.SWITCH_TARGET[et]
            out.append(keys[int(index)] if target == "bus" else names[target][net[target].index.get_loc(index)])
        return out
    return values


def check_names(net: Any, found: Problems) -> None:
    """Note names that two tables share where names must differ (a line and a transformer, a gen and an sgen)."""
    for tables in NAMESPACES:
        first: dict[str, str] = {}
        for table in tables:
            rows = net[table]
            numbers = rows.attrs.get("rows") or range(2, len(rows) + 2)
            for name, row in zip(rows["name"], numbers, strict=True):
                if name and first.setdefault(str(name), table) != table:
                    found.add(
                        f"network/{table}.csv",
                        row,
                        "name",
                        name,
                        f"is the name of a {first[str(name)]} too; choose another",
                    )


def keyed_copy(net: Any) -> Any:
    """A copy of a net whose `name` columns hold the unique keys. Raises CaseError for what cannot be represented."""
    from gridai.grid.representable import check_representable

    if not hasattr(net, "bus") or not hasattr(net, "f_hz"):
        raise CaseError(f"a pandapower net is needed, not a {type(net).__name__}")
    check_representable(net, f"pandapower net '{net.name}'" if net.name else "pandapower net")
    own = copy.deepcopy(net)
    for table, names in element_names(own).items():
        own[table]["name"] = np.array(names, dtype=object)
    return own
