"""A solved study `unbalanced`: the arrays that its report reads, and its verdicts. Imported when it is run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gridai.criteria.voltage_unbalance import VoltageUnbalance, period_means
from gridai.results import Channel, Limit, Result, Verdict
from gridai.results.records import Status
from gridai.studies.common import add_places

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.phases import PhaseResult
    from gridai.studies.unbalanced_run import Done

Floats = NDArray[np.float64]
LOW_KV = 1.0
"""Up to this nominal voltage phases to earth are judged, above it voltages between phases, as EN 50160. [kV]"""
OWN: dict[str, Any] = {"source": "gridai, grid/phases", "confidence": "V", "profile": "gridai"}


class View:
    """A solved study, read for its report."""

    def __init__(self, case: Case, done: Done, limits: Sequence[Limit], most_percent: float) -> None:
        self.case, self.done, self.limits, self.most = case, done, tuple(limits), most_percent
        self.net, self.flows, self.at = done.flow.net, done.result, done.shown
        keys = {i: k for k, i in case.buses.items()}
        self.keys = [keys[int(i)] for i in self.net.bus.index]
        self.kv = self.net.bus["vn_kv"].to_numpy(dtype=float)
        self.low = self.kv <= LOW_KV

    @cached_property
    def unbalance(self) -> Floats:
        """float[S, buses]. [%]"""
        return self.flows.unbalance_percent

    def judged_vm(self, flows: PhaseResult) -> Floats:
        """float[S, buses, 3]: to neutral in low voltage, between phases above it. [pu]"""
        return np.where(self.low[None, :, None], flows.vm_pu, flows.vm_between_pu)

    @cached_property
    def vm(self) -> Floats:
        """float[S, buses, 3] voltages as they are judged. [pu]"""
        return self.judged_vm(self.flows)

    @cached_property
    def loading(self) -> dict[str, Floats]:
        """Table to float[S, rows, 3]. [%]"""
        return {table: self.flows.loading_by_phase(table) for table in ("line", "trafo") if len(self.net[table])}

    def phase(self, row: int, k: int) -> str:
        return f"bus {self.keys[row]} {'abc'[k]}" if self.low[row] else f"bus {self.keys[row]} {('ab', 'bc', 'ca')[k]}"

    def branch(self, table: str, row: int) -> str:
        name = str(self.net[table]["name"].iloc[row])
        return name if name.startswith(table) or name.lower().startswith(f"{table} ") else f"{table} {name}"

    def extreme(self, values: Floats, lowest: bool) -> tuple[tuple[int, ...], float]:
        """Place and value of the extreme; of values alike to nine digits the first, as along a feeder without loads."""
        filled = np.where(np.isfinite(values), values, np.inf if lowest else -np.inf)
        best = float(filled.min() if lowest else filled.max())
        alike = np.abs(filled - best) <= 1e-9 * abs(best)
        at = np.unravel_index(int(alike.argmax()), values.shape)
        return tuple(int(i) for i in at), float(values[at])

    def _steps(self) -> NDArray[np.int64]:
        """Scenarios that are judged."""
        return np.flatnonzero(self.flows.solved) if self.done.day else np.array([self.at], dtype=np.int64)

    def _judged_result(self) -> Result:
        """Unbalance of all buses at the steps that are judged."""
        steps = self._steps()
        live = np.flatnonzero(~np.isnan(self.unbalance[steps]).all(axis=0))
        channels = tuple(Channel("bus", self.keys[k], "unbalance_percent", "%") for k in live)
        t_s = self.done.t_s[steps] if self.done.day else np.zeros(1)
        result = Result(t_s, self.unbalance[np.ix_(steps, live)], channels, (), {"f_hz": self.case.f_hz})
        add_places(result, self.case)
        return result

    def verdicts(self) -> tuple[Verdict, ...]:
        """Every step has a solution; phase voltages, unbalance and loadings are within their limits."""
        lost = int((~self.flows.solved).sum())
        out = [Verdict("solvable", float(lost), 0.0, "1", -float(lost), "", 0.0, "fail" if lost else "pass",
                       "every step has a power flow by phase", "", **OWN)]  # fmt: skip
        voltage = self._voltage()
        out += [] if voltage is None else [voltage]
        shown = self._judged_result()
        for limit in self.limits:
            if limit.criterion == "voltage_unbalance":
                out.append(VoltageUnbalance(limit=limit, **limit.settings).check(shown))
        thermal = self._thermal()
        return (*out, *([] if thermal is None else [thermal]))

    def _voltage(self) -> Verdict | None:
        """The phase voltage with the smallest margin to a band of its class; of a day the means of ten minutes."""
        steps, worst = self._steps(), None
        t_s = self.done.t_s[steps] if self.done.day else np.zeros(1)
        flat = self.vm[steps].reshape(len(steps), -1)
        ends, means = period_means(t_s, flat, 600.0)
        if not len(ends):
            ends, means = t_s, flat
        means = means.reshape(len(ends), -1, 3)
        for limit in self.limits:
            if limit.criterion != "steady_voltage":
                continue
            own = (self.kv >= float(limit.settings.get("kv_min", 0.0))) & (
                self.kv < float(limit.settings.get("kv_max", math.inf))
            )
            for bound, lowest in ((limit.low, True), (limit.high, False)):
                values = np.where(own[None, :, None], means, np.nan)
                if bound is None or not np.isfinite(values).any():
                    continue
                (s, row, k), value = self.extreme(values, lowest)
                margin = value - bound if lowest else bound - value
                if worst is None or margin < worst[0]:
                    worst = (margin, value, bound, self.phase(row, k), float(ends[s]), limit)
        if worst is None:
            return None
        margin, value, bound, where, t, limit = worst
        status: Status = "pass" if margin >= -1e-9 else "fail"
        return Verdict("phase_voltage", value, bound, "pu", margin, where, t, status, limit.clause, limit.edition,
                       limit.source, limit.confidence, limit.profile)  # fmt: skip

    def _thermal(self) -> Verdict | None:
        steps, worst = self._steps(), None
        for table, values in self.loading.items():
            if not np.isfinite(values[steps]).any():
                continue
            (s, row, k), value = self.extreme(values[steps], False)
            if worst is None or value > worst[0]:
                t = float(self.done.t_s[steps[s]]) if self.done.day else 0.0
                worst = (value, f"{self.branch(table, row)} {'abc'[k]}", t)
        if worst is None:
            return None
        status: Status = "pass" if worst[0] <= self.most else "fail"
        return Verdict("phase_loading", worst[0], self.most, "%", self.most - worst[0], worst[1], worst[2], status,
                       "loading of the most loaded phase", "", **OWN)  # fmt: skip

    def stops(self, flows: PhaseResult, s: int) -> str:
        """What of the limits a scenario violates that the network without clusters (scenario 0) does not; in words."""
        if not flows.solved[s]:
            return "no solution"
        vm, unbalance = self._vm_of(flows)[s], flows.unbalance_percent[s]
        for limit in self.limits:
            own = (self.kv >= float(limit.settings.get("kv_min", 0.0))) & (
                self.kv < float(limit.settings.get("kv_max", math.inf))
            )
            if limit.criterion == "voltage_unbalance" and limit.high is not None:
                over = own & (unbalance > np.maximum(limit.high, self.unbalance[0] + 1e-6))
                if over.any():
                    row = int(np.where(over, unbalance, -np.inf).argmax())
                    return f"unbalance {unbalance[row]:.2f} % at bus {self.keys[row]}"
            if limit.criterion == "steady_voltage":
                for bound, sign in ((limit.low, 1.0), (limit.high, -1.0)):
                    if bound is None:
                        continue
                    beyond = sign * (bound - vm)
                    over = own[:, None] & (beyond > np.maximum(sign * (bound - self.vm[0]), 0.0) + 1e-6)
                    if over.any():
                        at = np.unravel_index(int(np.where(over, beyond, -np.inf).argmax()), over.shape)
                        return f"{vm[at]:.4f} pu at {self.phase(int(at[0]), int(at[1]))}"
        for table in self.loading:
            values = self._loading_of(flows, table)[s]
            over = values > np.maximum(self.most, self.loading[table][0] + 1e-6)
            if over.any():
                at = np.unravel_index(int(np.where(over, values, -np.inf).argmax()), over.shape)
                return f"{values[at]:.1f} % in {self.branch(table, int(at[0]))} {'abc'[int(at[1])]}"
        return ""

    def _vm_of(self, flows: PhaseResult) -> Floats:
        if getattr(self, "_last", None) is not flows:
            self._last, self._last_vm = flows, self.judged_vm(flows)
            self._last_loading = {table: flows.loading_by_phase(table) for table in self.loading}
        return self._last_vm

    def _loading_of(self, flows: PhaseResult, table: str) -> Floats:
        self._vm_of(flows)
        return self._last_loading[table]
