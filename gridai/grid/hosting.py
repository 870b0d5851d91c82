"""The largest load of every bus: bisection of all buses side by side, then every outage at the size found and below.

Sizes between two that pass are taken to pass; `probes` sizes below the answer are tried with every outage to see
whether that holds. A size among them that fails becomes the upper end of a new search.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridai.grid.sizing import MOST_ROUNDS, Finding, Floats, Ints, Rows, Sized, Sizing

GROWTH = 0.25
"""What fails is listed for a load larger than the answer by this part of it, or by LEAST_GROWTH where that is more."""
LEAST_GROWTH = 10.0
"""In tolerances of the search."""


def host(
    sizing: Sizing, buses: Sequence[int], high_mw: Floats, tol_mw: float, *, probes: int = 1, growth: float = GROWTH
) -> list[Sized]:
    """The largest load of each bus between 0 and high_mw [MW], float[buses], to within tol_mw.

    probes  sizes below the answer that are tried with every outage.
    growth  what fails is listed for a load larger by this part; 0: not listed.
    """
    search = _Search(sizing, np.array([int(b) for b in buses], dtype=np.int64), np.asarray(high_mw, dtype=float))
    search.intact(tol_mw)
    search.outages(tol_mw, probes)
    binds = search.binding()
    nothing = (np.full(len(buses), np.nan), [()] * len(buses))
    target, needed = search.needed(growth, LEAST_GROWTH * tol_mw) if growth > 0.0 else nothing
    return [
        Sized(int(b), float(search.low[k]), float(search.high[k]) if search.edge[k] else float("nan"), binds[k],
              float(target[k]), tuple(needed[k]))
        for k, b in enumerate(search.buses)
    ]  # fmt: skip


class _Search:
    """low passes, high does not where `edge` is set (else it is the upper end and passes)."""

    def __init__(self, sizing: Sizing, buses: Ints, high_mw: Floats) -> None:
        self.s, self.buses = sizing, buses
        self.low, self.high = np.zeros(len(buses)), high_mw.copy()
        self.edge = np.zeros(len(buses), dtype=bool)

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
        step, _ = self.s.steps(self.buses[at], mw)
        return np.asarray(rows.passes & (step <= self.s.limits.step))

    def outages(self, tol_mw: float, probes: int) -> None:
        """The size that every outage allows too: bisection with those that fail, then all of them again."""
        active = np.zeros((len(self.buses), len(self.s.outages) + 1), dtype=bool)
        open_ = np.arange(len(self.buses))
        fractions = [1.0]
        for _ in range(MOST_ROUNDS):
            if not len(self.s.judged) or not len(open_):
                return
            failed = self._sweep(open_, fractions, active)
            open_ = open_[failed]
            self._bisect(open_, active, tol_mw)
            fractions = [1.0, *(k / (probes + 1.0) for k in range(probes, 0, -1))]
            if not len(open_):
                return

    def _sweep(self, at: Ints, fractions: Sequence[float], active: Ints) -> Ints:
        """Try every outage at parts of the present size; what fails becomes the upper end. bool[at], True: failed."""
        failed = np.zeros(len(at), dtype=bool)
        start = self.low[at].copy()
        state = np.tile(self.s.judged, len(at))
        for part in fractions:
            rows = self.s.rows(np.repeat(self.buses[at], len(self.s.judged)),
                               np.repeat(part * start, len(self.s.judged)), state)  # fmt: skip
            bad = ~rows.passes.reshape(len(at), -1)
            some = bad.any(axis=1)
            failed |= some
            self.high[at[some]] = part * start[some]
            self.low[at[some]] = 0.0
            self.edge[at[some]] = True
            for k in np.flatnonzero(some):
                active[at[k], self.s.judged[bad[k]]] = True
        return failed

    def _bisect(self, at: Ints, active: Ints, tol_mw: float) -> None:
        """Halve the brackets, each bus with its outages that fail: at a size that fails, those that fail there stay."""
        at = at[self.high[at] - self.low[at] > tol_mw]
        live = active.copy()
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
        at = np.flatnonzero(self.edge)
        out: list[Finding | None] = [None] * len(self.buses)
        if not len(at):
            return out
        states = np.concatenate([[0], self.s.judged]).astype(np.int64)
        state = np.tile(states, len(at))
        bus = np.repeat(self.buses[at], len(states))
        above = self.s.rows(bus, np.repeat(self.high[at], len(states)), state)
        bad = np.flatnonzero(~above.passes)
        below = self.s.rows(bus[bad], np.repeat(self.low[at], len(states))[bad], state[bad])
        first: dict[int, tuple[float, Finding]] = {}
        for n, k in enumerate(bad.tolist()):
            own = int(at[k // len(states)])
            for found in self.s.finding(above, k, int(bus[k]), int(state[k])):
                if found.room < 0.0:
                    share = _crossing(found, below, n)
                    if own not in first or share < first[own][0]:
                        first[own] = (share, found)
        for own, (_, found) in first.items():
            out[own] = found
        self._steps(at, out, first)
        return out

    def _steps(self, at: Ints, out: list[Finding | None], first: dict[int, tuple[float, Finding]]) -> None:
        """The voltage step, where it fails before all else."""
        limit = self.s.limits.step
        high, position = self.s.steps(self.buses[at], self.high[at])
        low, _ = self.s.steps(self.buses[at], self.low[at])
        for k, own in enumerate(at.tolist()):
            if high[k] > limit:
                share = (limit - low[k]) / max(high[k] - low[k], 1e-12)
                if own not in first or share < first[own][0]:
                    bus = ("bus", self.s.bus_at(int(position[k])))
                    out[own] = Finding("step", bus, -1, float(high[k]), limit, limit - float(high[k]))

    def needed(self, growth: float, least_mw: float) -> tuple[Floats, list[list[Finding]]]:
        """Every element that is outside a limit for a larger load: the worst of each over all outages."""
        target = np.where(self.edge, self.low + np.maximum(growth * self.low, least_mw), np.nan)
        out: list[list[Finding]] = [[] for _ in self.buses]
        states = np.concatenate([[0], self.s.judged]).astype(np.int64)
        for k in np.flatnonzero(self.edge):
            bus = np.full(len(states), self.buses[k])
            rows = self.s.rows(bus, np.full(len(states), target[k]), states, keep=True)
            worst: dict[tuple[str, tuple[str, int]], Finding] = {}
            for n in np.flatnonzero(~rows.passes).tolist():
                state = int(states[n])
                unsolved = np.isnan(rows.voltage[n])
                found = self.s.finding(rows, n, int(bus[n]), state) if unsolved else self.s.beyond(rows, n, state)
                for f in found:
                    key = (f.kind, f.element)
                    if key not in worst or f.room < worst[key].room:
                        worst[key] = f
            out[k] = list(worst.values())
        at = np.flatnonzero(self.edge)
        if len(at):
            step, position = self.s.steps(self.buses[at], target[at])
            for own, change, where in zip(at.tolist(), step.tolist(), position.tolist(), strict=True):
                if change > self.s.limits.step:
                    room = self.s.limits.step - change
                    bus_at = ("bus", self.s.bus_at(where))
                    out[own].append(Finding("step", bus_at, -1, change, self.s.limits.step, room))
        return target, [sorted(found, key=lambda f: f.room) for found in out]


def _crossing(found: Finding, below: Rows, n: int) -> float:
    """Part of the way from the size that passes at which a limit is met, by a straight line; 1 without a solution."""
    if found.kind == "no solution":
        return 1.0
    room = float(below.voltage[n] if found.kind == "voltage" else below.loading[n])
    return 1.0 if np.isnan(room) else max(room, 0.0) / max(room - found.room, 1e-12)
