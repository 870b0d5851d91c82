"""Read a trace file in pieces: times, units, one row for each GPU or one for all; every fault by its row.

Rows are read 200,000 at a time. Without every_s all samples are kept, up to MOST_ROWS; a longer file is refused by its
size before it is read, with the way out: every_s averages while reading, so memory holds one number a step.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gridai.cluster.traces.columns import Columns, find_columns, first_rows, open_text
from gridai.cluster.traces.trace import Trace
from gridai.errors import CaseError, Problems
from gridai.kernel.profile import Array

MOST_ROWS = 20_000_000
MOST_STEPS = 50_000_000
CHUNK = 200_000
EPOCH_MS = 1e11
GAP = 8.0
"""A pause of so many median steps is a gap."""


@dataclass
class _Series:
    """Samples of one GPU (or of all) with their rows, or means of steps with the number of samples in each."""

    t: list[Array] = field(default_factory=list)
    p: list[Array] = field(default_factory=list)
    n: list[Array] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    last_s: float = -np.inf

    def all(self) -> tuple[Array, Array]:
        """Times and powers; the two parts of a step that falls on the border of two pieces are put together."""
        t, p = np.concatenate(self.t), np.concatenate(self.p)
        if not self.n:
            return t, p
        n = np.concatenate(self.n)
        steps, where = np.unique(t, return_inverse=True)
        return steps, np.bincount(where, p * n) / np.bincount(where, n)


def read_trace(
    path: str | Path,
    *,
    gpus: int = 0,
    unit: str | None = None,
    time: str | None = None,
    power: Sequence[str] | str | None = None,
    meter_s: float = 0.0,
    every_s: float | None = None,
    longest_gap_s: float = 60.0,
    drop_missing: bool = False,
) -> Trace:
    """A trace from a CSV file (nvidia-smi, DCGM, a meter, or time and columns of power).

    gpus           GPUs behind the power, to check the unit and to scale; 0: not known.
    unit           W, kW, MW, mW; default: from the column's name ("total_kW", "power.draw [W]").
    time, power    names of columns, where they are not the usual ones; several powers are added.
    meter_s        averaging time of the meter. [s]
    every_s        average over steps of so long while reading: for files too long to hold. [s]
    longest_gap_s  longer pauses are refused, shorter ones are bridged by a line and noted. [s]
    drop_missing   leave out rows without a number instead of refusing them.

    Raises CaseError with file, row, column and remedy for an empty file, no such column, no unit, values that are no
    numbers, negative power, time that goes back or is repeated, mixed time zones, long gaps, too many rows;
    SettingError for a power that cannot be that of so many GPUs.
    """
    path = Path(path)
    columns = find_columns(path, unit, time, power)
    series, notes = _series(path, columns, every_s, drop_missing, apart=False)
    t_s, (mw,), gaps = _together(path, series, longest_gap_s)
    if len(series) > 1:
        gpus = gpus or len(series)
        notes.append(f"the sum of {len(series)} GPUs, each interpolated to the times of the first")
    return Trace(path.stem, t_s, mw * columns.mw, gpus, max(meter_s, every_s or 0.0), (*gaps, *notes))


def read_each(
    path: str | Path,
    *,
    unit: str | None = None,
    time: str | None = None,
    power: Sequence[str] | str | None = None,
    meter_s: float = 0.0,
    every_s: float | None = None,
    longest_gap_s: float = 60.0,
    drop_missing: bool = False,
) -> tuple[Trace, Array]:
    """The sum of a file's GPUs, and the power of each, float[samples, GPUs] in W, at the times of the first.

    A GPU is a column of power, or the rows of one index. Arguments and errors as of `read_trace`; CaseError too for a
    file that holds one power only.
    """
    path = Path(path)
    columns = find_columns(path, unit, time, power)
    series, notes = _series(path, columns, every_s, drop_missing, apart=True)
    if len(series) < 2:
        raise CaseError(f"{path}: one power; the powers of single GPUs need a column for each, or a column index")
    t_s, each, gaps = _together(path, series, longest_gap_s, apart=True)
    watt = np.stack(each, axis=1) * columns.mw * 1e6
    trace = Trace(path.stem, t_s, watt.sum(axis=1) / 1e6, len(series), max(meter_s, every_s or 0.0), (*gaps, *notes))
    return trace, watt


def _series(
    path: Path, columns: Columns, every_s: float | None, drop_missing: bool, apart: bool
) -> tuple[list[_Series], list[str]]:
    """The samples of each GPU (apart: of each column too), and what was left out."""
    if every_s is None:
        _check_size(path)
    elif not (np.isfinite(every_s) and every_s > 0.0):
        raise CaseError(f"{path}: every_s = {every_s!r}: give a time above 0 s")
    dropped, series = 0, dict[Any, _Series]()
    with closing(_chunks(path, columns)) as pieces:
        for first_row, t, p, index in pieces:
            if every_s is None and first_row + len(t) > MOST_ROWS + 2:
                raise _too_long(path, f"{first_row + len(t) - 1} or more")
            good = np.isfinite(t) & np.isfinite(p).all(axis=1)
            if not good.all():
                if not drop_missing:
                    _refuse_missing(path, columns, first_row, t, p)
                dropped += int((~good).sum())
            powers = p if apart else p.sum(axis=1, keepdims=True)
            for name in dict.fromkeys(index[good].tolist()):
                mine = good & (index == name)
                rows = first_row + np.flatnonzero(mine)
                for k in range(powers.shape[1]):
                    one = series.setdefault((name, k), _Series())
                    _add(path, columns, one, t[mine], powers[mine, k], rows)
                    if every_s is not None:
                        _average(path, one, every_s)
    if not series:
        raise CaseError(f"{path}: no row with a time and a power")
    return list(series.values()), [f"{dropped} rows without a number are left out"] if dropped else []


def _check_size(path: Path) -> None:
    rows = first_rows(path)
    length = max(1, len(",".join(rows[-1])) + 1)
    estimate = path.stat().st_size / length
    if estimate > MOST_ROWS:
        raise _too_long(path, f"about {estimate:.2g}")


def _too_long(path: Path, rows: str) -> CaseError:
    return CaseError(
        f"{path}: {rows} rows, more than the {MOST_ROWS:.2g} that are held in memory: give every_s=1.0 (or another "
        "step in s) to average while reading, or cut the file"
    )


def _chunks(path: Path, columns: Columns) -> Generator[tuple[int, Array, Array, Any]]:
    """(row of the first sample, times, powers [samples, columns] in the file's unit, GPU index) of each piece."""
    import pandas as pd

    used = [columns.time, *columns.powers] + ([] if columns.index is None else [columns.index])
    options: dict[str, Any] = {"dtype": str, "skipinitialspace": True, "comment": "#", "chunksize": CHUNK,
                               "header": 0 if columns.header else None, "usecols": sorted(set(used)),
                               "encoding": "utf-8-sig"}  # fmt: skip
    row = 2 if columns.header else 1
    zone: str | None = None
    start: Any = None
    try:
        with pd.read_csv(path, **options) as frames:
            for frame in frames:
                frame.columns = sorted(set(used))
                t, zone, start = _times(path, frame[columns.time], columns, row, zone, start)
                p = np.stack([_numbers(frame[k]) for k in columns.powers], axis=1)
                index = np.zeros(len(t)) if columns.index is None else frame[columns.index].to_numpy()
                yield row, t, p, index
                row += len(frame)
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: not a table ({str(error).strip()})") from error


def _numbers(column: Any) -> Array:
    """Values of a column, units behind them ("312.45 W") taken off; what is no number is NaN."""
    import pandas as pd

    plain = pd.to_numeric(column, errors="coerce")
    if plain.isna().any():
        plain = plain.fillna(pd.to_numeric(column.str.replace(r"\s*[kMGm]?W$", "", regex=True), errors="coerce"))
    return np.asarray(plain, dtype=float)


def _times(path: Path, column: Any, columns: Columns, row: int, zone: str | None, start: Any) -> tuple[Array, str, Any]:
    """Times in s, the time zone so far, and the first instant of dates."""
    import pandas as pd

    plain = pd.to_numeric(column, errors="coerce")
    if zone is None:
        zone = "seconds" if plain.notna().any() else ""
    if zone == "seconds":
        start = plain.dropna().iloc[0] if start is None else start
        unit_s = 1e-3 if start > EPOCH_MS else columns.seconds  # such numbers can only be milliseconds since 1970
        return np.asarray(plain - start, dtype=float) * unit_s, zone, start
    text = column.fillna("").str.strip()
    offsets = text.str.extract(r"(Z|[+-]\d\d:?\d\d)$")[0].where(text != "")
    seen = ["none" if pd.isna(o) else str(o) for o in offsets[text != ""].unique()]
    if zone not in ("", *seen) or len(seen) > 1:
        other = list(dict.fromkeys([*([zone] if zone else []), *seen]))
        odd = text.index[(offsets.fillna("none") != other[0]) & (text != "")]
        at = row + int(odd[0] - text.index[0]) if len(odd) else row
        raise CaseError(
            f"{path}, row {_line(path, at)}: {columns.names[columns.time]}: time zones are mixed ({', '.join(other)}): "
            "write all times in one zone, UTC at best"
        )
    stamp = pd.to_datetime(text.str.replace("/", "-"), errors="coerce", utc=True, format="ISO8601")
    start = stamp.dropna().iloc[0] if start is None and stamp.notna().any() else start
    seconds = (stamp - start).dt.total_seconds() if start is not None else plain
    return np.asarray(seconds, dtype=float), seen[0] if seen else "", start


def _line(path: Path, row: int) -> int:
    """The line of the file that holds the row-th row, which leaves out comments and empty lines."""
    seen = 0
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            seen += bool(line.strip()) and not line.lstrip().startswith("#")
            if seen == row:
                return number
    return row


def _refuse_missing(path: Path, columns: Columns, first_row: int, t: Array, p: Array) -> None:
    bad = Problems(str(path))
    names = [(columns.names[columns.time], t)] + [(columns.names[k], p[:, n]) for n, k in enumerate(columns.powers)]
    for name, values in names:
        missing = np.flatnonzero(~np.isfinite(values))
        if len(missing):
            text = f"no number, {len(missing)} such rows: mend them, or leave them out with drop_missing=True"
            bad.add(path.name, _line(path, first_row + int(missing[0])), name, None, text)
    bad.raise_if_any(CaseError)


def _add(path: Path, columns: Columns, series: _Series, t: Array, p: Array, rows: Any) -> None:
    """Append samples of one GPU after checking sign and order."""
    bad = Problems(str(path))
    power = ", ".join(columns.names[k] for k in columns.powers)
    negative = np.flatnonzero(p < 0.0)
    if len(negative):
        k = int(negative[0])
        text = f"negative, {len(negative)} such rows: a load draws; turn the sign or drop the rows"
        bad.add(path.name, _line(path, int(rows[k])), power, float(p[k]), text)
    before = np.concatenate([[series.last_s], t[:-1]])
    back = np.flatnonzero(t <= before)
    if len(back):
        k = int(back[0])
        how = "repeated" if t[k] == before[k] else f"goes back from {before[k]:g} s"
        text = (
            f"s: time {how}, {len(back)} such rows: sort by time; a clock set back (daylight saving) needs UTC, "
            "several GPUs in one file a column index or gpu"
        )
        bad.add(path.name, _line(path, int(rows[k])), columns.names[columns.time], float(t[k]), text)
    bad.raise_if_any(CaseError)
    series.t.append(t)
    series.p.append(p)
    series.rows.append(rows.astype(np.int32))
    series.last_s = float(t[-1])


def _average(path: Path, series: _Series, every_s: float) -> None:
    """Replace the newest samples by sums and counts of steps; the first piece fixes where steps begin."""
    t, p, _ = series.t.pop(), series.p.pop(), series.rows.pop()
    step = np.floor(t / every_s + 1e-9).astype(np.int64)
    if step[-1] - step[0] > MOST_STEPS:
        raise CaseError(f"{path}: every_s = {every_s:g}: more than {MOST_STEPS:.2g} steps; give a longer one")
    found, where = np.unique(step, return_inverse=True)
    count = np.bincount(where).astype(float)
    series.t.append(np.asarray((found + 0.5) * every_s, dtype=float))
    series.p.append(np.bincount(where, p) / count)
    series.n.append(count)


def _together(
    path: Path, series: list[_Series], longest_gap_s: float, apart: bool = False
) -> tuple[Array, list[Array], list[str]]:
    """Times of the first series; the sum of all (apart: each of them) at these; gaps checked and noted."""
    notes: list[str] = []
    t, first = series[0].all()
    if len(t) < 2:
        raise CaseError(f"{path}: one sample; a trace needs two at least")
    each = [first, *(np.interp(t, *other.all()) for other in series[1:])]
    width = np.diff(t)
    gaps = np.flatnonzero(width > GAP * np.median(width))
    longest = int(width.argmax())
    if width[longest] > longest_gap_s and len(gaps):
        row = f", row {_line(path, int(np.concatenate(series[0].rows)[longest]))}" if series[0].rows else ""
        raise CaseError(
            f"{path}{row}: a gap of {width[longest]:g} s after {t[longest] - t[0]:g} s: longer than longest_gap_s = "
            f"{longest_gap_s:g} s; cut the file there, or give a longer one to have it bridged by a straight line"
        )
    if len(gaps):
        notes.append(
            f"{len(gaps)} gaps of {width[gaps].min():.3g} to {width[gaps].max():.3g} s, {width[gaps].sum():.3g} s in "
            "all, are bridged by straight lines"
        )
    return t, each if apart else [np.sum(each, axis=0)], notes
