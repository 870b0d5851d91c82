"""The largest load of every bus: bisection of all buses side by side, then every outage at the size found and below.

Sizes between two that pass are taken to pass; `probes` sizes below the answer are tried with every outage to see
whether that holds. A size among them that fails becomes the upper end of a new search.

Pairs of outages come after the single ones, from the sizes that these leave: what a single outage forbids, the pairs
and the single outages together forbid as well, so no larger size can be the answer and nothing is lost by it. Pairs
that stop some buses are tried at all of them before the rest; each size found has then met every pair. Sizes below it
are tried with the single outages alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gridai.grid.sizing import MOST_ROUNDS, Finding, Floats, Ints, Rows, Sized, Sizing

GROWTH = 0.25
"""What fails is listed for a load larger than the answer by this part of it, or by LEAST_GROWTH where that is more."""
LEAST_GROWTH = 10.0
"""In tolerances of the search."""
SAMPLE = 10
"""So many buses meet every pair of outages first."""
ROWS = 1 << 19
"""So many flows are judged before their rooms are let go of: pairs of outages are many."""


def host(
    sizing: Sizing, buses: Sequence[int], high_mw: Floats, tol_mw: float, *, probes: int = 1, growth: float = GROWTH
) -> list[Sized]:
    """The largest load of each bus between 0 and high_mw [MW], float[buses], to within tol_mw.

    probes  sizes below the answer that are tried with every outage.
    growth  what fails is listed for a load larger by this part; 0: not listed.
    """
    search = _Search(sizing, np.array([int(b) for b in buses], dtype=np.int64), np.asarray(high_mw, dtype=float))
    search.intact(tol_mw)
    single = sizing.judged[sizing.order[sizing.judged] <= 1]
    search.outages(single, tol_mw, probes)
    if len(sizing.judged) > len(single):
        search.screen(sizing.judged, tol_mw)
        search.outages(sizing.judged, tol_mw, 0)
    binds = search.binding()
    nothing = (np.full(len(buses), np.nan), [()] * len(buses))
    target, needed = search.needed(growth, LEAST_GROWTH * tol_mw) if growth > 0.0 else nothing
    near = search.nearest()
    return [
        Sized(int(b), float(search.low[k]), float(search.high[k]) if search.edge[k] else float("nan"), binds[k],
              float(target[k]), tuple(needed[k]), near[k])
        for k, b in enumerate(search.buses)
    ]  # fmt: skip


class _Search:
    """low passes, high does not where `edge` is set (else it is the upper end and passes)."""

    def __init__(self, sizing: Sizing, buses: Ints, high_mw: Floats) -> None:
        self.s, self.buses = sizing, buses
        self.low, self.high = np.zeros(len(buses)), high_mw.copy()
        self.edge = np.zeros(len(buses), dtype=bool)
        self.near: list[dict[str, Finding]] = [{} for _ in buses]
        self.active = np.zeros((len(buses), len(sizing.outages) + 1), dtype=bool)

    def intact(self, tol_mw: float) -> None:
        """The size that the intact grid and the voltage step allow."""
        every = np.arange(len(self.buses))
        passes = self._passes_intact(every, self.high)
        self.low[passes] = self.high[passes]
        self.edge = ~passes
        open_ = every[self.edge]
        while len(open_):
            middle = 0.5 * (self.low[open_] + self.high[open_])
            passes = self._passes_intact(open_, middle)
            self.low[open_[passes]] = middle[passes]
            self.high[open_[~passes]] = middle[~passes]
            open_ = open_[self.high[open_] - self.low[open_] > tol_mw]

    def _passes_intact(self, at: Ints, mw: Floats) -> Ints:
        rows = self.s.rows(self.buses[at], mw, np.zeros(len(at), dtype=np.int64))
        step, limit, _ = self.s.steps(self.buses[at], mw)
        return np.asarray(rows.passes & (step <= limit))

    def outages(self, states: Ints, tol_mw: float, probes: int) -> None:
        """The size that these outages allow too: bisection with those that fail, then all of them again."""
        open_ = np.flatnonzero(self.low > 0.0)
        fractions = [1.0]
        for _ in range(MOST_ROUNDS):
            if not len(states) or not len(open_):
                return
            open_ = open_[self._sweep(open_, states, fractions)]
            self._bisect(open_, tol_mw)
            fractions = [1.0, *(k / (probes + 1.0) for k in range(probes, 0, -1))]

    def screen(self, states: Ints, tol_mw: float) -> None:
        """Lower the sizes by those outages that fail at some of the buses: they fail at others too."""
        open_ = np.flatnonzero(self.low > 0.0)
        some = open_[:: max(1, len(open_) // SAMPLE)]
        self._sweep(some, states, [1.0])
        known = np.flatnonzero(self.active.any(axis=0))
        self._sweep(open_, known[np.isin(known, states)], [1.0])
        self._bisect(open_, tol_mw)

    def _sweep(self, at: Ints, states: Ints, fractions: Sequence[float]) -> Any:
        """Try outages at parts of the present size; what fails becomes the upper end. bool[at], True: failed."""
        failed = np.zeros(len(at), dtype=bool)
        if not len(states):
            return failed
        start = self.low[at].copy()
        each = max(1, ROWS // len(states))
        for part in fractions:
            for k in range(0, len(at), each):
                own = slice(k, k + each)
                failed[own] |= self._try(at[own], part * start[own], states, part == 1.0)
        return failed

    def _try(self, at: Ints, mw: Floats, states: Ints, nearest: bool) -> Any:
        """Every state at one size a bus. bool[at], True: failed. nearest: note the smallest rooms where all pass."""
        bus, state = np.repeat(self.buses[at], len(states)), np.tile(states, len(at))
        rows = self.s.rows(bus, np.repeat(mw, len(states)), state)
        bad = ~rows.passes.reshape(len(at), -1)
        some = bad.any(axis=1)
        self.high[at[some]] = mw[some]
        self.low[at[some]] = 0.0
        self.edge[at[some]] = True
        for k in np.flatnonzero(some):
            self.active[at[k], states[bad[k]]] = True
        for k in np.flatnonzero(~some) if nearest else ():
            part = slice(k * len(states), (k + 1) * len(states))
            self.near[int(at[k])] = self._rooms(rows, part, int(self.buses[at[k]]), state, float(mw[k]))
        return some

    def _rooms(self, rows: Rows, part: slice, bus: int, state: Ints, mw: float) -> dict[str, Finding]:
        """The smallest room of voltage and of loading over some flows of one bus."""
        out = {}
        for kind, room in (("voltage", rows.voltage), ("loading", rows.loading)):
            n = part.start + int(room[part].argmin())
            for found in self.s.finding(rows, n, bus, int(state[n]), mw):
                if found.kind == kind and np.isfinite(found.room):
                    out[kind] = found
        return out

    def nearest(self) -> list[tuple[Finding, ...]]:
        """What is nearest to a limit at the sizes found: voltage, loading, voltage step."""
        states = np.zeros(len(self.buses), dtype=np.int64)
        rows = self.s.rows(self.buses, self.low, states)
        step, limit, at = self.s.steps(self.buses, self.low)
        out = []
        for k, bus in enumerate(self.buses.tolist()):
            held = dict(self.near[k])
            if rows.passes[k]:
                for kind, found in self._rooms(rows, slice(k, k + 1), bus, states, float(self.low[k])).items():
                    held[kind] = min(found, held.get(kind, found), key=lambda f: f.room)
            if step[k] <= limit[k]:
                where = ("bus", self.s.bus_at(int(at[k])))
                held["step"] = Finding("step", where, -1, float(step[k]), float(limit[k]), float(limit[k] - step[k]))
            out.append(tuple(held.values()))
        return out

    def _bisect(self, at: Ints, tol_mw: float) -> None:
        """Halve the brackets, each bus with its outages that fail: at a size that fails, those that fail there stay."""
        at = at[self.high[at] - self.low[at] > tol_mw]
        live = self.active.copy()
        while len(at):
            middle = 0.5 * (self.low[at] + self.high[at])
            which, state = np.nonzero(live[at])
            rows = self.s.rows(self.buses[at][which], middle[which], state.astype(np.int64))
            bad = ~rows.passes
            some = np.bincount(which[bad], minlength=len(at)) > 0
            self.low[at[~some]] = middle[~some]
            self.high[at[some]] = middle[some]
            for k in np.flatnonzero(some):
                own = which == k
                live[at[k], state[own][~bad[own]]] = False
            at = at[self.high[at] - self.low[at] > tol_mw]

    def binding(self) -> list[Finding | None]:
        """What fails first on the way from the size that passes to the next one that does not."""
        out: list[Finding | None] = [None] * len(self.buses)
        at = np.flatnonzero(self.edge)
        if not len(at):
            return out
        which, state = np.nonzero(self._tried(at))
        own, state = at[which], state.astype(np.int64)
        above = self.s.rows(self.buses[own], self.high[own], state)
        bad = np.flatnonzero(~above.passes)
        first: dict[int, tuple[float, Finding]] = {}
        if len(bad):
            self._first(first, above, own, state, bad)
        for mine, (_, found) in first.items():
            out[mine] = found
        self._steps(at, out, first)
        return out

    def _first(self, first: dict[int, tuple[float, Finding]], above: Rows, own: Ints, state: Ints, bad: Ints) -> None:
        """Of each bus the limit that is met first, by a straight line; `bad`: rows of `above` that do not pass."""
        below = self.s.rows(self.buses[own[bad]], self.low[own[bad]], state[bad])
        for n, k in enumerate(bad.tolist()):
            mine = int(own[k])
            for found in self.s.finding(above, k, int(self.buses[mine]), int(state[k]), float(self.high[mine])):
                if found.room < 0.0:
                    share = _crossing(found, below, n)
                    if mine not in first or share < first[mine][0]:
                        first[mine] = (share, found)

    def _tried(self, at: Ints) -> Any:
        """States that may stand in the way of some buses: intact, single outages, and pairs that failed. bool[at, n]"""
        out = self.active[at].copy()
        out[:, 0] = True
        out[:, self.s.judged[self.s.order[self.s.judged] <= 1]] = True
        return out

    def _steps(self, at: Ints, out: list[Finding | None], first: dict[int, tuple[float, Finding]]) -> None:
        """The voltage step, where it fails before all else."""
        high, limit, position = self.s.steps(self.buses[at], self.high[at])
        low, below, _ = self.s.steps(self.buses[at], self.low[at])
        for k, own in enumerate(at.tolist()):
            if high[k] > limit[k]:
                used = low[k] / below[k], high[k] / limit[k]
                share = (1.0 - used[0]) / max(used[1] - used[0], 1e-12)
                if own not in first or share < first[own][0]:
                    bus = ("bus", self.s.bus_at(int(position[k])))
                    out[own] = Finding("step", bus, -1, float(high[k]), float(limit[k]), float(limit[k] - high[k]))

    def needed(self, growth: float, least_mw: float) -> tuple[Floats, list[list[Finding]]]:
        """Every element that is outside a limit for a larger load: the worst of each over all outages."""
        target = np.where(self.edge, self.low + np.maximum(growth * self.low, least_mw), np.nan)
        out: list[list[Finding]] = [[] for _ in self.buses]
        for k in np.flatnonzero(self.edge):
            states = np.flatnonzero(self._tried(np.array([k]))[0])
            bus = np.full(len(states), self.buses[k])
            rows = self.s.rows(bus, np.full(len(states), target[k]), states, keep=True)
            worst: dict[tuple[str, tuple[str, int]], Finding] = {}
            for n in np.flatnonzero(~rows.passes).tolist():
                state = int(states[n])
                unsolved = np.isnan(rows.voltage[n])
                far = unsolved or rows.margin[n] < 0.0
                found = self.s.finding(rows, n, int(bus[n]), state, float(target[k])) if far else self.s.beyond(
                    rows, n, state)  # fmt: skip
                for f in found:
                    key = (f.kind, f.element)
                    if key not in worst or f.room < worst[key].room:
                        worst[key] = f
            out[k] = list(worst.values())
        at = np.flatnonzero(self.edge)
        if len(at):
            steps = zip(*(x.tolist() for x in self.s.steps(self.buses[at], target[at])), strict=True)
            for own, (change, limit, where) in zip(at.tolist(), steps, strict=True):
                if change > limit:
                    bus_at = ("bus", self.s.bus_at(where))
                    out[own].append(Finding("step", bus_at, -1, change, limit, limit - change))
        return target, [sorted(found, key=lambda f: f.room) for found in out]


def _crossing(found: Finding, below: Rows, n: int) -> float:
    """Part of the way from the size that passes at which a limit is met, by a straight line; 1 without a solution."""
    if found.kind in ("no solution", "margin"):
        return 1.0
    room = float(below.voltage[n] if found.kind == "voltage" else below.loading[n])
    return 1.0 if np.isnan(room) else max(room, 0.0) / max(room - found.room, 1e-12)
