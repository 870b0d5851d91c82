"""Profiles from CSV files for the study `timeseries`: time, then one column an element and quantity, unit in its name.

    t_s,  load/7/p_mw, load/7/q_mvar, sgen/PV/p_kw, load/*/factor, cluster/*/p_mw
    2024-03-31T01:00+00:00, ...

Time is `t_s`, `t_min`, `t_h`, or `time`: dates by ISO 8601. A factor multiplies P and Q of the case; a load by
phase (asymmetric_load) takes a factor only, on all its phases. sc_mva of a cluster is the short-circuit power at its
bus, for flicker. Every fault is named with file, row and remedy; nothing is
filled in unless asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError, near

Floats = NDArray[np.float64]
SECONDS = {"t_s": 1.0, "t_min": 60.0, "t_h": 3600.0}
DATES = ("time", "timestamp", "datetime", "date")
QUANTITIES = {
    "p_w": ("p_mw", 1e-6), "p_kw": ("p_mw", 1e-3), "p_mw": ("p_mw", 1.0), "p_gw": ("p_mw", 1e3),
    "q_var": ("q_mvar", 1e-6), "q_kvar": ("q_mvar", 1e-3), "q_mvar": ("q_mvar", 1.0), "q_gvar": ("q_mvar", 1e3),
    "vm_pu": ("vm_pu", 1.0), "factor": ("factor", 1.0), "sc_mva": ("sc_mva", 1.0), "sc_gva": ("sc_mva", 1e3),
}  # fmt: skip
TABLES = ("load", "sgen", "gen", "storage", "ext_grid", "cluster", "asymmetric_load")
GAP = 1.5
"""A pause of more median steps than this is a gap."""
HOUR_S = 3600.0
SHOWN = 3
EMPTY = ("the file holds no profile: give a header with a time and at least one column, as t_s,load/7/p_mw, and rows "
         "below it")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Column:
    """One column: table, name of the element ("*": all), quantity ("p_mw", "q_mvar", "vm_pu", "factor"), values."""

    table: str
    name: str
    quantity: str
    values: Floats
    title: str
    file: str


@dataclass(frozen=True, eq=False)
class Profiles:
    """Columns over time float[n] in s from the first row; `start` is the first time as it stands in the file.

    dated  True where the times are dates.
    """

    t_s: Floats
    columns: tuple[Column, ...]
    start: str
    notes: tuple[str, ...] = ()
    dated: bool = False


def read_profiles(files: Sequence[str | Path], gaps: str = "refuse") -> Profiles:
    """Read files; the first one's times hold, the others are interpolated to them and must cover them.

    gaps  "refuse"; "bridge": a straight line over missing rows and cells; "mark": missing rows and cells stay missing.

    Raises CaseError for a missing file, no or unknown columns, a column without a unit, cells that are no numbers,
    time that goes back or is repeated (clock changes among them), gaps, files of different length.
    """
    first = _read(Path(files[0]), gaps)
    columns, notes = list(first.columns), list(first.notes)
    for name in files[1:]:
        other = _read(Path(name), gaps)
        slack = 0.5 * float(np.median(np.diff(first.t_s))) if len(first.t_s) > 1 else 0.0
        if abs(other.t_s[-1] - first.t_s[-1]) > slack:
            raise CaseError(f"{name}: {len(other.t_s)} rows over {other.t_s[-1]:g} s; {files[0]} has {len(first.t_s)} "
                            f"rows over {first.t_s[-1]:g} s: give profiles of one length")  # fmt: skip
        for c in other.columns:
            values = np.interp(first.t_s, other.t_s, c.values)
            columns.append(Column(c.table, c.name, c.quantity, values, c.title, c.file))
        notes += other.notes
    return Profiles(first.t_s, tuple(columns), first.start, tuple(notes), first.dated)


def _read(path: Path, gaps: str) -> Profiles:
    import pandas as pd

    if not path.is_file():
        raise CaseError(f"{path}: no such file")
    try:
        frame = pd.read_csv(path, comment="#", skipinitialspace=True, index_col=False)
    except pd.errors.EmptyDataError as error:
        raise CaseError(f"{path}: {EMPTY}") from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: cannot be read as a table: {error}") from error
    if len(frame.columns) < 2 or not len(frame):
        raise CaseError(f"{path}: {EMPTY}")
    t_s, start = _times(path, str(frame.columns[0]).strip(), frame.iloc[:, 0])
    heads = [_head(path, str(name).strip()) for name in frame.columns[1:]]
    table = np.stack([_numbers(path, str(n), frame[n], gaps) for n in frame.columns[1:]], axis=1)
    t_s, table, notes = _even(path, t_s, table, gaps)
    columns = [
        Column(t, name, q, factor * table[:, k], str(frame.columns[k + 1]).strip(), path.name)
        for k, (t, name, q, factor) in enumerate(heads)
    ]
    dated = str(frame.columns[0]).strip().casefold() in DATES
    return Profiles(t_s, tuple(columns), start, tuple(notes), dated)


def _head(path: Path, text: str) -> tuple[str, str, str, float]:
    parts = text.split("/")
    if len(parts) < 3:
        raise CaseError(f"{path}: column '{text}': write table/element/quantity, as load/7/p_mw, sgen/PV/p_kw or "
                        "load/*/factor")  # fmt: skip
    table, name, quantity = parts[0], "/".join(parts[1:-1]), parts[-1]
    if table not in TABLES:
        raise CaseError(f"{path}: column '{text}': {near(table, TABLES, 'table')}")
    if quantity not in QUANTITIES:
        raise CaseError(f"{path}: column '{text}': {near(quantity, QUANTITIES, 'quantity with its unit')}")
    return table, name, *QUANTITIES[quantity]


def _numbers(path: Path, name: str, cells: Any, gaps: str) -> Floats:
    import pandas as pd

    values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
    text = cells[~np.isfinite(values) & cells.notna().to_numpy()]
    if len(text):
        raise CaseError(f"{path}, row {int(text.index[0]) + 2}: {name} = {text.iloc[0]!r} is no number"
                        + (f" ({len(text)} such cells)" if len(text) > 1 else ""))  # fmt: skip
    empty = np.flatnonzero(np.isnan(values))
    if len(empty) and gaps == "refuse":
        raise CaseError(f"{path}, row {empty[0] + 2}: {name} is empty ({len(empty)} cells in all); fill it, or ask for "
                        "gaps = bridge (a straight line) or mark (steps without data)")  # fmt: skip
    if len(empty) and gaps == "bridge":
        if len(empty) == len(values):
            raise CaseError(f"{path}: {name} has no numbers at all")
        known = np.isfinite(values)
        values = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
    return np.asarray(values)


def _times(path: Path, name: str, cells: Any) -> tuple[Floats, str]:
    import pandas as pd

    if name in SECONDS:
        numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
        bad = np.flatnonzero(~np.isfinite(numbers))
        if len(bad):
            raise CaseError(f"{path}, row {bad[0] + 2}: {name} = {cells.iloc[bad[0]]!r} is no number")
        t_s = numbers * SECONDS[name]
    elif name.casefold() in DATES:
        dates = pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601")
        bad = np.flatnonzero(dates.isna().to_numpy())
        if len(bad):
            raise CaseError(f"{path}, row {bad[0] + 2}: {name} = {cells.iloc[bad[0]]!r} is no date by ISO 8601")
        t_s = (dates - dates.iloc[0]).dt.total_seconds().to_numpy()
    else:
        raise CaseError(f"{path}: the first column is '{name}'; give the time there: {', '.join(SECONDS)} or "
                        f"{', '.join(DATES)}")  # fmt: skip
    back = np.flatnonzero(np.diff(t_s) <= 0.0)
    if len(back):
        step = float(t_s[back[0] + 1] - t_s[back[0]])
        usual = float(np.median(np.abs(np.diff(t_s))))
        clock = abs(HOUR_S + step - usual) < 0.5 * usual
        hint = "; the clocks go back here: give UTC, or times with their offset (+01:00)" if clock else ""
        raise CaseError(f"{path}, row {back[0] + 3}: time goes back or is repeated ({step:+g} s){hint}")
    return t_s - t_s[0], str(cells.iloc[0])


def _even(path: Path, t_s: Floats, table: Floats, gaps: str) -> tuple[Floats, Floats, list[str]]:
    """Look for gaps in time; bridge or mark them where asked."""
    if len(t_s) < 3:
        return t_s, table, []
    steps = np.diff(t_s)
    usual = float(np.median(steps))
    wide = np.flatnonzero(steps > GAP * usual)
    if not len(wide):
        return t_s, table, []
    places = ", ".join(f"row {k + 3} ({steps[k]:g} s)" for k in wide[:SHOWN])
    clock = abs(steps[wide[0]] - usual - HOUR_S) < 0.5 * usual
    if gaps == "refuse":
        hint = "the clocks go forward here: give UTC, or times with their offset; else " if clock else ""
        raise CaseError(f"{path}: {len(wide)} gaps in time, steps are {usual:g} s: {places}; {hint}ask for gaps = "
                        "bridge (a straight line) or mark (steps without data)")  # fmt: skip
    inside = [t_s[k] + usual * np.arange(1, round(steps[k] / usual)) for k in wide]
    added = np.concatenate(inside)
    every = np.sort(np.concatenate([t_s, added]))
    columns = [np.interp(every, t_s, table[:, k]) for k in range(table.shape[1])]
    out = np.stack(columns, axis=1)
    if gaps == "mark":
        out[np.isin(every, added)] = np.nan
    word = "bridged by a straight line" if gaps == "bridge" else "marked as steps without data"
    return every, out, [f"{path.name}: {len(added)} missing rows are {word} ({places})"]
