"""Reads a net that pandapower's to_json wrote, as plain data.

pandapower's own reader imports the modules and builds the classes that the file names, so a stranger's file can run
code. Here the file is parsed as JSON; tables become tables of numbers and text; a class name is compared with the few
that mean "table" and never imported. Tables and objects that are not known are refused by name.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridai.errors import CaseError, Problems, near
from gridai.grid.representable import ELEMENTS, HARMLESS, REFUSED
from gridai.grid.schema import TABLES

if TYPE_CHECKING:
    import pandas as pd

# Plain entries of a net that no power flow needs, or that are set afterwards.
_IGNORED = ("std_types", "user_pf_options", "OPF_converged", "converged", "res_cost", "component", "profiles")
_NUMBERS = {"f_hz": 50.0, "sn_mva": 1.0}
_VERSION = re.compile(r"\d+(\.\w+)*")
_MOST_ROWS = 2_000_000


def read_pandapower_json(path: str | Path) -> Any:
    """A pandapower net from a file written by pandapower.to_json, without pandapower's reader.

    Raises CaseError for a file that is not such a net, for unknown tables or objects (each by name), and for cells
    that are not plain numbers, texts or flags.
    """
    file = Path(path).expanduser()
    content = _parse(file)
    found = Problems(f"{file.name}")
    tables: dict[str, pd.DataFrame] = {}
    for name, value in content.items():
        if (
            name.startswith("_")
            or name in _IGNORED
            or name in _NUMBERS
            or name in ("name", "version", "format_version")
        ):
            continue
        if name.startswith("res_") or name in HARMLESS:
            continue
        if name in ELEMENTS or name in REFUSED:
            _read_table(name, value, tables, found)
        elif isinstance(value, dict) and ("_module" in value or "_class" in value):
            _refuse_unknown(name, value, found)
    found.raise_if_any(CaseError)
    if "bus" not in tables:
        raise CaseError(f"{file.name}: there is no bus table in it: is it a pandapower net?")
    return _assemble(file, content, tables)


def _parse(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{file}: cannot be read as UTF-8 text: {error}") from error
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise CaseError(f"{file.name}: is not JSON (an encrypted net must be decrypted first): {error}") from error
    if isinstance(content, dict) and isinstance(content.get("_object"), dict):
        content = content["_object"]
    if not isinstance(content, dict):
        raise CaseError(f"{file.name}: is not a pandapower net: the file must hold one JSON object")
    return content


def _refuse_unknown(name: str, value: dict[str, Any], found: Problems) -> None:
    kind = f"{value.get('_module', '')}.{value.get('_class', '')}"
    if kind == "pandas.core.frame.DataFrame" and _is_empty(value):
        return
    what = (
        near(name, ELEMENTS, "table")
        if "DataFrame" in kind
        else f"an object of {kind} is not read: delete it from the net"
    )
    found.add(name, None, "entry", kind, what)


def _is_empty(value: dict[str, Any]) -> bool:
    inner = value.get("_object")
    return isinstance(inner, str) and '"data":[]' in inner.replace(" ", "")


def _read_table(name: str, value: Any, tables: dict[str, Any], found: Problems) -> None:
    """Read one table in pandas' "split", "columns" or "index" layout."""
    import pandas as pd

    if not isinstance(value, dict) or value.get("_class") not in ("DataFrame", "GeoDataFrame"):
        found.add(name, None, "entry", type(value).__name__, "a table is expected here")
        return
    inner = value.get("_object")
    try:
        inner = json.loads(inner) if isinstance(inner, str) else inner
        columns, index, rows = _layout(inner, str(value.get("orient", "split")))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        found.add(name, None, "table", None, f"its layout cannot be read: {error!r}")
        return
    data = {}
    for k, column in enumerate(columns):
        cells = [row[k] for row in rows]
        bad = next((c for c in cells if isinstance(c, dict | list)), None)
        if bad is not None and column not in ("geo", "points", "coords"):
            found.add(
                name, None, column, str(bad)[:80], "a cell holds an object: only numbers, texts and flags are read"
            )
            continue
        data[column] = _typed(name, column, [None if isinstance(c, dict | list) else c for c in cells], found)
    tables[name] = pd.DataFrame(data, index=pd.Index(index, dtype="int64"))


def _layout(inner: Any, orient: str) -> tuple[list[str], list[int], list[list[Any]]]:
    if "columns" in inner and "data" in inner:
        columns, index, rows = [str(c) for c in inner["columns"]], [int(i) for i in inner["index"]], inner["data"]
    elif orient == "index":
        index = [int(i) for i in inner]
        columns = list(dict.fromkeys(str(c) for row in inner.values() for c in row))
        rows = [[row.get(c) for c in columns] for row in inner.values()]
    else:
        columns = [str(c) for c in inner]
        keys = list(dict.fromkeys(i for cells in inner.values() for i in cells))
        index, rows = [int(i) for i in keys], [[inner[c].get(i) for c in columns] for i in keys]
    if len(rows) > _MOST_ROWS or len(index) != len(rows) or any(len(row) != len(columns) for row in rows):
        raise ValueError("rows, index and columns do not fit together")
    if len(set(index)) != len(index):
        raise ValueError("an index appears twice")
    return columns, index, rows


def _typed(table: str, column: str, cells: list[Any], found: Problems) -> Any:
    """A column in the dtype the schema gives it, else in the one its cells suggest."""
    import pandas as pd

    known = TABLES.get(table, {}).get(column)
    filled = [c for c in cells if c is not None]
    kind = known.kind if known else "number" if filled and all(_is_number(c) for c in filled) else ""
    if kind in ("number", "whole", "bus", "element"):
        bad = [c for c in filled if not _is_number(c)]
        if bad:
            found.add(table, None, column, bad[0], "is not a number")
            return [math.nan] * len(cells)
        if kind == "whole" and known and known.default is None:
            return pd.array([None if c is None else int(c) for c in cells], dtype="Int64")
        if kind in ("bus", "element", "whole") and len(filled) == len(cells):
            return [int(c) for c in cells]
        return [math.nan if c is None else float(c) for c in cells]
    if kind == "flag":
        usual = bool(known and known.default)
        return [usual if c is None else bool(c) for c in cells]
    if filled and all(isinstance(c, bool) for c in cells):
        return cells
    return pd.array(cells, dtype=object)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float)


def _assemble(file: Path, content: dict[str, Any], tables: dict[str, Any]) -> Any:
    """An empty net with the tables put in, brought to the present pandapower format."""
    import pandapower as pp

    from gridai.grid.tables import empty_net

    values = {}
    for key, usual in _NUMBERS.items():
        value = content.get(key, usual)
        if not _is_number(value) or isinstance(value, bool) or not math.isfinite(value) or value <= 0:
            raise CaseError(f"{file.name}: {key} = {value!r} must be a number above 0")
        values[key] = float(value)
    name = content.get("name")
    net = empty_net(name if isinstance(name, str) and name else file.stem, values["f_hz"], values["sn_mva"])
    for key in ("version", "format_version"):
        given = content.get(key)
        if isinstance(given, str) and _VERSION.fullmatch(given):
            net[key] = given
    empty = {table: net[table] for table in tables}
    for table, frame in tables.items():
        net[table] = frame
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandapower's advice on older formats; the outcome is checked
        try:
            pp.convert_format(net)
        except (KeyError, ValueError, AttributeError, TypeError, UserWarning) as error:
            raise CaseError(
                f"{file.name}: pandapower format {content.get('format_version', 'unknown')} cannot be "
                f"brought up to date ({error}): open it in the pandapower that wrote it and save it with a newer one"
            ) from error
    for table, frame in empty.items():
        net[table] = _completed(table, net[table], frame)
    return net


def _completed(table: str, frame: Any, empty: Any) -> Any:
    """The table with pandapower's missing columns at their defaults and pandapower's dtypes."""
    import pandas as pd

    known = TABLES.get(table, {})
    data: dict[str, Any] = {}
    for column in empty.columns:
        dtype = empty[column].dtype
        if column in frame.columns:
            values = frame[column]
        else:
            default = known[column].default if column in known else None
            usual = default if default is not None else {"f": math.nan, "b": False}.get(dtype.kind)
            values = pd.Series([usual] * len(frame), index=frame.index, dtype=object if usual is None else None)
        whole_gap = dtype.kind in "ui" and dtype.name != "Int64" and bool(values.isna().any())
        data[column] = values if whole_gap else values.astype(dtype)
    data |= {column: frame[column] for column in frame.columns if column not in data}
    return pd.DataFrame(data, index=frame.index)


__all__ = ["read_pandapower_json"]
