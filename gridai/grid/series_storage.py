"""Storages with energy along a time axis: peak shaving, self-consumption of what stands at a bus, a schedule.

A rule that looks at the net load of a site is known before the power flow. One that looks at the flow through a branch
or at the slack is settled with it: all steps of a block are solved together, with powers corrected by the flow found,
until they stand. In each step the storages are settled before taps and capacitors look; those act from step to step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError, Problems
from gridai.grid.batch import BatchFlow, BatchResult
from gridai.grid.series_dispatch import compiled
from gridai.grid.series_switch import Seen

Floats = NDArray[np.float64]
RULES = ("schedule", "shave", "own")
TRIES = 12
SETTLED = 1e-7
"""Powers stand when a round moves none by more than this part of all storages' power."""
SMALL_SLOPE = 0.05
HUGE_MW = 1e9
Solver = Callable[[Floats], BatchResult]


@dataclass(frozen=True)
class Store:
    """A storage with energy: a row of net.storage.

    index        of the row.   bus  pandapower index.
    charge_mw, discharge_mw    largest powers, both positive. [MW]
    least_mwh, most_mwh, start_mwh   energy held: lowest, highest, at the first step. [MWh]
    eta_in, eta_out   of charging and discharging, each 0 to 1.
    """

    index: int
    name: str
    bus: int
    charge_mw: float
    discharge_mw: float
    least_mwh: float
    most_mwh: float
    start_mwh: float
    eta_in: float
    eta_out: float


@dataclass(frozen=True)
class Rule:
    """What the storages are for.

    kind         "shave": the watched power is held at the target by discharging, and they charge up to the recharge
                 level. "own": with target and recharge level 0, surplus at the bus is stored and used.
    at           "site" (net load of a bus), "slack", or table and index of a branch (power at its first end).
    target_mw, recharge_mw, deadband_mw   [MW]     delay_s   [s]
    """

    kind: str
    at: str | tuple[str, int]
    target_mw: float
    recharge_mw: float
    deadband_mw: float = 0.0
    delay_s: float = 0.0


@dataclass(frozen=True, eq=False)
class Stored:
    """What the storages did in a block: p_mw, e_mwh after each step, lost_mwh, float[n, storages]; short_mw float[n].

    unsettled   steps whose powers did not come to stand with the flow.
    """

    p_mw: Floats
    e_mwh: Floats
    lost_mwh: Floats
    short_mw: Floats
    modes: tuple[Floats, Floats, Floats]
    unsettled: int = 0

    def first(self, count: int) -> Stored:
        """The first steps."""
        return Stored(self.p_mw[:count], self.e_mwh[:count], self.lost_mwh[:count], self.short_mw[:count],
                      tuple(m[:count] for m in self.modes), self.unsettled)  # type: ignore[arg-type]  # fmt: skip


def stores_of(net: Any, efficiency: float) -> tuple[Store, ...]:
    """The storages in service that state an energy: max_e_mwh above min_e_mwh, and soc_percent.

    Power from max_p_mw and min_p_mw where stated, else sn_mva, else unbounded. efficiency_percent, there and back, of
    the row where it has one, else `efficiency` (0 to 1); the half of the loss each way. soc_percent: share of
    max_e_mwh, 50 where empty. Raises CaseError with all rows that contradict themselves.
    """
    found, bad = [], Problems("storage")
    for index, row in net.storage.iterrows():
        if not bool(row["in_service"]) or not np.isfinite(row["max_e_mwh"]):
            continue
        least = float(row["min_e_mwh"]) if np.isfinite(row["min_e_mwh"]) else 0.0
        most, name = float(row["max_e_mwh"]), str(row["name"])
        soc = float(row["soc_percent"]) if np.isfinite(row["soc_percent"]) else 50.0
        back = float(row.get("efficiency_percent", np.nan))
        back = back / 100.0 if np.isfinite(back) else efficiency
        start = soc / 100.0 * most
        if not 0.0 <= least < most:
            bad.add(
                f"storage {name}", None, "max_e_mwh", most, f"give more than min_e_mwh = {least:g}, and that 0 or more"
            )
        elif not least - 1e-12 <= start <= most + 1e-12:
            bad.add(
                f"storage {name}", None, "soc_percent", soc, f"give {100 * least / most:g} to 100: share of max_e_mwh"
            )
        if not 0.0 < back <= 1.0:
            bad.add(f"storage {name}", None, "efficiency_percent", 100 * back, "give a number above 0, at most 100")
            back = 1.0
        charge, discharge = _powers(row)
        each = float(np.sqrt(back))
        found.append(Store(int(index), name, int(row["bus"]), charge, discharge, least, most, start, each, each))
    bad.raise_if_any(CaseError)
    return tuple(found)


def _powers(row: Any) -> tuple[float, float]:
    rated = float(row["sn_mva"]) if np.isfinite(row["sn_mva"]) else np.inf
    scale = abs(float(row["scaling"]))
    top, low = float(row.get("max_p_mw", np.nan)), float(row.get("min_p_mw", np.nan))
    charge = scale * max(top, 0.0) if np.isfinite(top) else rated
    discharge = scale * max(-low, 0.0) if np.isfinite(low) else rated
    return charge, discharge


class Fleet:
    """Storages and their state: the first ones follow a rule together, the others a schedule each.

    rule    of the first `len(stores) - scheduled`; None: all are scheduled.
    site    of a rule at a site: (k0, k1) to its net load without those that follow it, float[n]. [MW]
    asked   (k0, k1) to the powers asked of the scheduled ones, float[n, scheduled], load sign. [MW]
    """

    def __init__(
        self, flow: BatchFlow, stores: Sequence[Store], rule: Rule | None = None, *,
        site: Callable[[int, int], Floats] | None = None, asked: Callable[[int, int], Floats] | None = None,
        scheduled: int | None = None,
    ) -> None:  # fmt: skip
        self.flow, self.stores, self.rule = flow, tuple(stores), rule
        self.ruled = 0 if rule is None else len(self.stores) - (scheduled or 0)
        self._site, self._asked = site, asked
        names = ("charge_mw", "discharge_mw", "least_mwh", "most_mwh", "eta_in", "eta_out")
        self._bounds = tuple(np.array([getattr(s, n) for s in self.stores], dtype=float) for n in names)
        self.energy_mwh = np.array([s.start_mwh for s in self.stores])
        self._mode = np.zeros(3)
        self._slope: float | None = None
        self.charged_mwh, self.discharged_mwh, self.lost_mwh = (np.zeros(len(self.stores)) for _ in range(3))
        self.short_mwh, self.unsettled = 0.0, 0
        unbound = [s.name for s in self.stores[: self.ruled] if not np.isfinite(s.charge_mw + s.discharge_mw)]
        if unbound:
            name = unbound[0]
            raise CaseError(f"storage '{name}' states no power: give sn_mva, or max_p_mw and min_p_mw")

    @property
    def moves_mw(self) -> float | None:
        """What a MW drawn by the storages adds to what they hold; None where that is not looked at. [MW/MW]"""
        return None if self._slope is None else abs(self._slope)

    def settle(self, k0: int, t_s: Floats, hours: Floats, solve: Solver) -> tuple[BatchResult, Stored]:
        """Power flows of the steps from k0 on with the storages in them; solve(power) solves them.

        A step that has no solution with them, nor with all they can give, finds them at rest.
        """
        if self.rule is None or self.rule.at == "site":
            return self._known(k0, t_s, hours, solve)
        return self._flowing(k0, t_s, hours, solve)

    def keep(self, stored: Stored, hours: Floats) -> None:
        """Bring the state up to the end of these steps."""
        if not len(stored.p_mw):
            return
        self.energy_mwh = stored.e_mwh[-1].copy()
        self._mode = np.array([m[-1] for m in stored.modes])
        energy = stored.p_mw * hours[:, None]
        self.charged_mwh += np.maximum(energy, 0.0).sum(axis=0)
        self.discharged_mwh -= np.minimum(energy, 0.0).sum(axis=0)
        self.lost_mwh += stored.lost_mwh.sum(axis=0)
        self.short_mwh += float((stored.short_mw * hours).sum())
        self.unsettled += stored.unsettled

    def _known(self, k0: int, t_s: Floats, hours: Floats, solve: Solver) -> tuple[BatchResult, Stored]:
        free, over, gap = np.ones(len(t_s)), np.zeros(0), np.zeros(0)
        if self.rule is not None:
            assert self._site is not None
            over = np.nan_to_num(self._site(k0, k0 + len(t_s)) - self.rule.target_mw)
            gap = np.full(len(t_s), self.rule.target_mw - self.rule.recharge_mw)
        for _ in range(TRIES):
            stored = self._act(k0, t_s, hours, over, gap, free, self.rule.deadband_mw if self.rule is not None else 0.0)
            result = solve(stored.p_mw)
            lost = ~result.solved & (free > 0.0)
            if not lost.any():
                break
            free[lost] = 0.0
        return result, stored

    def _flowing(self, k0: int, t_s: Floats, hours: Floats, solve: Solver) -> tuple[BatchResult, Stored]:
        assert self.rule is not None
        n, rule = len(t_s), self.rule
        slope0 = self._slope_of(solve, n)
        slope, power = np.full(n, slope0), np.zeros(n)
        free, tried = np.ones(n), np.zeros(n, dtype=bool)
        most = float((self._bounds[0] + self._bounds[1])[: self.ruled].sum())
        rest = np.full(n, -HUGE_MW)
        result = solve(self._act(k0, t_s, hours, rest, 2.0 * -rest, free, 0.0).p_mw)
        x = self._watched(result)
        for _ in range(TRIES):
            side = np.sign(slope0)
            over = np.where(np.isnan(x), HUGE_MW, (side * x - rule.target_mw) / np.abs(slope) - power)
            gap = (rule.target_mw - rule.recharge_mw) / np.abs(slope)
            stored = self._act(k0, t_s, hours, over, gap, free, rule.deadband_mw / abs(slope0))
            now = stored.p_mw[:, : self.ruled].sum(axis=1)
            result = solve(stored.p_mw)
            seen, moved = self._watched(result), now - power
            wide = (np.abs(moved) > 1e-4 * most) & np.isfinite(seen) & np.isfinite(x)
            with np.errstate(divide="ignore", invalid="ignore"):
                found = np.where(wide, (seen - x) / moved, slope)
            slope = np.where(found / slope0 > 0.2, np.minimum(np.abs(found), 5.0 * abs(slope0)) * side, slope)
            given_up = ~result.solved & tried & (free > 0.0)
            tried |= ~result.solved
            free[given_up] = 0.0
            power, x = now, seen
            off = np.abs(moved) > SETTLED * most
            if not off.any() and not given_up.any():
                return result, stored
        return result, replace(stored, unsettled=int(off.sum()))

    def _watched(self, result: BatchResult) -> Floats:
        assert self.rule is not None
        seen = Seen(self.flow, result, np.zeros((0, 0)))
        if isinstance(self.rule.at, tuple):
            return seen.power(*self.rule.at)[0]
        return np.where(result.solved, seen.slack_mw(), np.nan)

    def _slope_of(self, solve: Solver, n: int) -> float:
        """MW of what is watched for each MW that the storages draw, by a small change in the middle of the first block.

        Raises CaseError where that is next to nothing.
        """
        if self._slope is None:
            rated = np.where(np.arange(len(self.stores)) < self.ruled, self._bounds[0] + self._bounds[1], 0.0)
            small = 0.01 * np.tile(rated, (n, 1))
            change = self._watched(solve(small)) - self._watched(solve(np.zeros_like(small)))
            found = change[np.isfinite(change)] / small[0].sum()
            self._slope = float(np.median(found)) if len(found) else 1.0
            if abs(self._slope) < SMALL_SLOPE:
                names = ", ".join(s.name for s in self.stores[: self.ruled])
                raise CaseError(f"the storages ({names}) move what they are to hold by only {self._slope:.3g} MW for "
                                "each of theirs: watch a branch that feeds them, or, where units follow the load, let "
                                "the slack follow it (followed_by)")  # fmt: skip
        return self._slope

    def _act(
        self, k0: int, t_s: Floats, hours: Floats, over: Floats, gap: Floats, free: Floats, deadband: float
    ) -> Stored:
        """What all storages do in the steps from k0 on: those of the rule by what is over, the others as asked."""
        n, r = len(t_s), self.ruled
        own, rest = ([b[part] for b in self._bounds] for part in (slice(0, r), slice(r, None)))
        p, e, lost, short = _empty(n, r)
        modes = (np.zeros(n), np.zeros(n), np.zeros(n))
        if self.rule is not None:
            compiled().dispatch(t_s, hours, over, gap, free, deadband, self.rule.delay_s, *own, self.energy_mwh[:r],
                                self._mode, p, e, lost, short, *modes)  # fmt: skip
        if r < len(self.stores):
            assert self._asked is not None
            wanted = np.ascontiguousarray(np.nan_to_num(self._asked(k0, k0 + n)))
            p2, e2, lost2, short2 = _empty(n, len(self.stores) - r)
            compiled().played(hours, wanted, free, *rest, self.energy_mwh[r:], p2, e2, lost2, short2)
            p, e, lost = (np.hstack(pair) for pair in ((p, p2), (e, e2), (lost, lost2)))
            short = short + short2
        return Stored(p, e, lost, short, modes)


def _empty(n: int, stores: int) -> tuple[Floats, Floats, Floats, Floats]:
    p, e, lost = (np.zeros((n, stores)) for _ in range(3))
    return p, e, lost, np.zeros(n)
