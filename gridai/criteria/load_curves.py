"""Curves of loads: how long a load has to stay at which voltage. Data with source and confidence in curves/*.toml.

    under = [[0.9, 2.0], [0.5, 0.25]]   below 0.9 pu it may leave after 2 s, below 0.5 pu after 0.25 s
    over = [[1.1, 2.0], [1.2, 0.0]]     above 1.1 pu after 2 s, above 1.2 pu at once

`settings()` gives a load that just obeys: it leaves the moment the curve lets it and returns in the time allowed.
Importing this file loads the standard library only.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from gridai.errors import CaseError, Problems, UnknownNameError, near

FOLDER = Path(__file__).parent / "curves"
MOST_UNDER, MOST_OVER = 4, 2
WALK_SHARE = 0.5
"""Of the time allowed for the return a load that just obeys waits one half and ramps the other."""


@dataclass(frozen=True)
class LoadCurve:
    """A curve: thresholds [pu] with the time to be endured [s], mildest first.

    df_hz, freq_s  deviation of the frequency beyond which the load may leave, after that time; None: not stated
    recover_s      time in which it is back at 90 % after the voltage is; None: not stated
    counting       True where a load may count disturbances and stay away
    """

    name: str
    title: str
    f_hz: float
    under: tuple[tuple[float, float], ...]
    over: tuple[tuple[float, float], ...]
    df_hz: float | None
    freq_s: float
    recover_s: float | None
    counting: bool
    source: str
    confidence: str
    note: str = ""

    @property
    def verified(self) -> bool:
        """True where the numbers were read in the primary text or verified in code."""
        return self.confidence in ("P", "V")

    def settings(self) -> dict[str, Any]:
        """Fields of gridai.cluster.UpsClass for a load that leaves no sooner than the curve lets it."""
        found: dict[str, Any] = {"v_spread_pu": 0.0, "delay_spread": 0.0, "count_n": 0, "phase_rad": 9.0}
        found |= {"rocof_hz_per_s": 9e9, "return_policy": "together", "return_every_s": 0.0, "return_spread_s": 0.0}
        for k in range(MOST_UNDER):
            level, seconds = self.under[k] if k < len(self.under) else (0.0, 0.0)
            found |= {f"under{k + 1}_pu": level, f"under{k + 1}_s": seconds}
        for k in range(MOST_OVER):
            level, seconds = self.over[k] if k < len(self.over) else (9.0, 0.0)
            found |= {f"over{k + 1}_pu": level, f"over{k + 1}_s": seconds}
        found |= {"df_hz": 9e9 if self.df_hz is None else self.df_hz, "freq_s": self.freq_s}
        found |= {"v_return_low_pu": self.under[0][0] if self.under else 0.9}
        found |= {"v_return_high_pu": self.over[0][0] if self.over else 1.2}
        if self.recover_s is not None:
            # 90 % is reached after the wait and 0.9 of the ramp: inside the time allowed
            found |= {"return_s": WALK_SHARE * self.recover_s, "walk_s": WALK_SHARE * self.recover_s}
        return found


def curve_names() -> tuple[str, ...]:
    """Names of the curves that come with gridai."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_curve(name: str) -> LoadCurve:
    """Read a curve by name, or from the path of a TOML file. Raises UnknownNameError, or CaseError with all faults."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not name.endswith(".toml") and name not in curve_names():
        raise UnknownNameError(near(name, curve_names(), "load curve"))
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UnknownNameError(f"load curve '{path}': no such file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: not a TOML file: {error}") from error
    bad = Problems(f"load curve {path.name}")
    known = set(LoadCurve.__dataclass_fields__) - {"name"}
    for key in data:
        if key not in known:
            bad.add(path.name, None, key, data[key], near(key, known, "key"))
    for key in ("title", "f_hz", "source", "confidence"):
        if not data.get(key):
            bad.add(path.name, None, key, None, "is missing; every curve states it")
    under = _edges(data.get("under", []), "under", -1, MOST_UNDER, path.name, bad)
    over = _edges(data.get("over", []), "over", 1, MOST_OVER, path.name, bad)
    bad.raise_if_any(CaseError)
    usual = {"df_hz": None, "freq_s": 0.0, "recover_s": None, "counting": False}
    return LoadCurve(name=path.stem, **{**usual, **data, "under": under, "over": over})


def _edges(rows: Any, key: str, side: int, most: int, file: str, bad: Problems) -> tuple[tuple[float, float], ...]:
    """Edges in order: each farther out and allowed no longer than the one before, else the curve crosses itself."""
    good = isinstance(rows, list) and all(
        isinstance(r, list) and len(r) == 2 and all(isinstance(x, int | float) and x >= 0 for x in r) for r in rows
    )
    if not good or len(rows) > most:
        bad.add(file, None, key, rows, f"write up to {most} pairs [pu, s], mildest first")
        return ()
    for (v0, s0), (v1, s1) in pairwise(rows):
        if side * (v1 - v0) <= 0.0:
            bad.add(file, None, key, v1, f"must lie beyond {v0:g} pu: thresholds in order, mildest first")
        elif s1 > s0:
            bad.add(
                file, None, key, s1, f"the curve crosses itself: {v1:g} pu is worse than {v0:g} pu, allowed {s0:g} s"
            )
    return tuple((float(v), float(s)) for v, s in rows)
