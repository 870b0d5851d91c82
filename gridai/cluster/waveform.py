"""A cluster whose power follows a given course: an oscillation at one frequency, or a measured trace.

    square   +1 for `duty` of the period, then below zero so that the mean is 0; peak to peak 2, edges of edge_s
    sine     sin(2 pi f t), straight lines between 48 points a period: its amplitude is 0.1 % less than 1
    trace    time and power from a CSV file, as the change from its own mean

Each is a Profile of the change of power, 0 before it starts and after it ends. `Played` is the workload that plays it.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gridai.errors import CaseError, Problems, SettingError, UnknownNameError, near
from gridai.kernel.profile import Array, Profile

POINTS = 48
"""Points of a sine's period."""
MOST_POINTS = 2_000_000
TIME_COLUMNS = ("t_s", "time_s", "t", "time")


@dataclass(frozen=True, eq=False)
class Played:
    """A workload that follows a course of fractions of the hardware's mean power in training."""

    course: Profile

    @property
    def mean(self) -> float:
        """Where the course begins: the power flow starts there."""
        return float(self.course.value(0.0))

    def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
        """The course from 0 to until_s."""
        return self.course.between(0.0, until_s)


def square(frequency_hz: float, periods: float, at_s: float, duty: float = 0.5, edge_s: float = 0.0) -> Profile:
    """A square wave of peak-to-peak 2 and mean 0 that starts high at at_s. Its edges take edge_s each."""
    period, high, low = 1.0 / frequency_hz, 2.0 * (1.0 - duty), -2.0 * duty
    if edge_s >= period * min(duty, 1.0 - duty):
        raise SettingError(
            f"edge_s = {edge_s:g} s: must be shorter than the shorter part of a period, "
            f"{period * min(duty, 1.0 - duty):.3g} s"
        )
    _affordable(2 * periods)
    end_s = at_s + periods * period
    rises = at_s + period * np.arange(math.ceil(periods - 1e-9))
    switch = np.sort(np.concatenate([rises, rises + duty * period]))
    switch = np.append(switch[switch < end_s - 1e-9], end_s)
    level = np.where(np.arange(switch.size) % 2 == 0, high, low)
    level[-1] = 0.0
    before = np.concatenate([[0.0], level[:-1]])
    t = np.column_stack([switch, switch + edge_s]).ravel()
    return _from_zero(t, np.column_stack([before, level]).ravel(), "square wave")


def sine(frequency_hz: float, periods: float, at_s: float) -> Profile:
    """A sine of amplitude 1 that starts at at_s and ends after so many periods."""
    _affordable(POINTS * periods)
    phase = np.append(np.arange(0.0, periods, 1.0 / POINTS), periods)
    return _from_zero(at_s + phase / frequency_hz, np.append(np.sin(2 * np.pi * phase[:-1]), 0.0), "sine wave")


def _affordable(points: float) -> None:
    if points > MOST_POINTS:
        raise SettingError(f"the wave would have {points:.3g} points: fewer periods, please, or a lower frequency")


def _from_zero(t: Array, v: Array, name: str) -> Profile:
    """A profile that is 0 from 0 s on until t begins."""
    return Profile(t, v, name) if t[0] <= 0.0 else Profile(np.append(0.0, t), np.append(0.0, v), name)


def trace(path: str | Path, at_s: float, repeats: int = 1, column: str = "") -> Profile:
    """The power of a CSV file as a part of its own mean, less 1: from at_s on, so many times one after the other.

    The first line may name the columns; t_s (or the first) is time in s, `column` (or the second) the power in any
    unit. It moves from and back to 0 at once. Raises CaseError naming file and line, UnknownNameError for a column.
    """
    t, power = _read(Path(path), column)
    mean = float(np.sum(np.diff(t) * (power[1:] + power[:-1]) / 2.0) / (t[-1] - t[0]))
    if not mean > 0.0:
        raise CaseError(f"{path}: the mean power is {mean:g}: give a consumption above 0")
    step = float(np.median(np.diff(t)))
    _affordable(repeats * t.size)
    starts = at_s + np.arange(repeats) * (t[-1] - t[0] + step)
    times = np.concatenate([start + (t - t[0]) for start in starts])
    values = np.tile(power / mean - 1.0, repeats)
    times, values = np.append(times, times[-1]), np.append(values, 0.0)
    if at_s > 0.0:
        times, values = np.append([0.0, at_s], times), np.append([0.0, 0.0], values)
    return Profile(times, values, f"trace {Path(path).name}")


def _read(path: Path, column: str) -> tuple[Array, Array]:
    """Times [s] and powers of a CSV file, checked."""
    if not path.is_file():
        raise CaseError(f"{path}: no such file; give a CSV with a column of time in s and one of power")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(n, row) for n, row in enumerate(csv.reader(file), 1) if row and not row[0].startswith("#")]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CaseError(f"{path}: not a CSV file: {error}") from error
    header = [cell.strip() for cell in rows[0][1]] if rows and not _is_number(rows[0][1][0]) else []
    at_t, at_p = _columns(path, header, column)
    found = Problems(f"power trace {path.name}")
    points = []
    for n, row in rows[1 if header else 0 :]:
        if len(row) <= max(at_t, at_p) or not (_is_number(row[at_t]) and _is_number(row[at_p])):
            found.add(path.name, n, "", ",".join(row)[:60], f"give numbers in columns {at_t + 1} and {at_p + 1}")
        else:
            points.append((float(row[at_t]), float(row[at_p])))
        if points[-2:-1] and points[-1][0] <= points[-2][0]:
            found.add(path.name, n, "", points[-1][0], "time must rise from line to line")
        if len(found) >= 20:
            break
    if not found and len(points) < 2:
        found.add(path.name, None, "", None, "give at least two lines of time and power")
    found.raise_if_any(CaseError)
    table = np.array(points)
    return table[:, 0], table[:, 1]


def _columns(path: Path, header: list[str], column: str) -> tuple[int, int]:
    """Places of time and power in a row."""
    if not header:
        if column:
            raise UnknownNameError(f"{path.name}: the file names no columns, so there is no column '{column}'")
        return 0, 1
    at_t = next((header.index(name) for name in TIME_COLUMNS if name in header), 0)
    if not column:
        return at_t, 1 if at_t == 0 else 0
    if column not in header:
        raise UnknownNameError(f"{path.name}: {near(column, header, 'column')}")
    return at_t, header.index(column)


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
