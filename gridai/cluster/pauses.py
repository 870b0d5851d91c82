"""Pauses of training: how they stand in the demand, and what an operator would have to do for one.

    share gone
      1 |      ____________
        |     /            \\__
      0 |____/                \\__________
           at_s          resume_s
            <> ramp_down_s  <--> ramp_up_s

A pause of pause_mw takes the share pause_mw / p_mw of the cluster off the meter. How a drop that deep is made is
another matter: `explain_pause` says how much idle GPUs give and for how much servers must be switched off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.cluster.settings import check_ranges, setting
from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Profile, total
from gridai.units import power_text

if TYPE_CHECKING:
    from gridai.cluster.cluster import Cluster


def _required(unit: str, text: str, low: float) -> Any:
    return field(metadata={"help": text, "unit": unit, "low": low, "high": math.inf})


@dataclass(frozen=True)
class Pause:
    """A part of the cluster stops drawing power, and comes back if resume_s is given.

    Default ramps are measured: a production job's power falls in 0.4 s (arXiv:2508.14318); the 512-GPU LoRA run
    climbs from idle to training in about 5 s on 2 s meters (MLPerf). Raises SettingError, naming the field.
    """

    at_s: float = _required("s", "start of the pause", 0.0)
    pause_mw: float = _required("MW", "power at the meter that goes away", 0.0)
    resume_s: float | None = field(
        default=None, metadata={"help": "start of the restart; none: it stays away", "unit": "s"}
    )
    ramp_down_s: float = setting(0.4, "s", "time in which the power goes; 0 is a step", 0.0)
    ramp_up_s: float = setting(5.0, "s", "time in which the power comes back; 0 is a step", 0.0)

    def __post_init__(self) -> None:
        bad = Problems("pause")
        check_ranges(self, bad)
        if not bad and self.pause_mw == 0.0:
            bad.add("pause", None, "pause_mw", self.pause_mw, "give a power above 0 MW")
        if not bad and self.resume_s is not None and not self._gone_s <= self.resume_s < math.inf:
            remedy = f"give a time not before the pause is complete at {self._gone_s:g} s, or leave it out"
            bad.add("pause", None, "resume_s", self.resume_s, remedy)
        bad.raise_if_any(SettingError)

    @property
    def _gone_s(self) -> float:
        """When the ramp down is complete. [s]"""
        return self.at_s + self.ramp_down_s

    @property
    def back_s(self) -> float:
        """When all power is back; infinity if it never comes. [s]"""
        return math.inf if self.resume_s is None else self.resume_s + self.ramp_up_s

    def share_gone(self, of_mw: float) -> Profile:
        """The part of a cluster of `of_mw` that is paused, against time."""
        share = self.pause_mw / of_mw
        t, v = [self.at_s, self._gone_s], [0.0, share]
        if self.resume_s is not None:
            t, v = [*t, self.resume_s, self.back_s], [*v, share, 0.0]
        return _joined(t, v)


def _joined(t: list[float], v: list[float]) -> Profile:
    """A profile of corners, of which more than two may fall on one instant: the first and last of them count."""
    keep = [k for k in range(len(t)) if k in (0, len(t) - 1) or not t[k - 1] == t[k] == t[k + 1]]
    return Profile([t[k] for k in keep], [v[k] for k in keep], "share paused")


def paused_share(pauses: Sequence[Pause], cluster_mw: float) -> Profile:
    """The share of the cluster that is paused against time, all pauses together.

    Pauses may overlap: each takes its own part of the cluster. Raises SettingError where a pause, or the pauses
    of one instant together, are larger than the cluster.
    """
    bad = Problems("pauses")
    for k, pause in enumerate(pauses):
        if pause.pause_mw > cluster_mw * (1.0 + 1e-9):
            remedy = f"the cluster draws {power_text(cluster_mw)} in training; give that or less, or a larger cluster"
            bad.add(f"pause {k + 1}", None, "pause_mw", pause.pause_mw, remedy)
    bad.raise_if_any(SettingError)
    gone = total([p.share_gone(cluster_mw) for p in pauses], "share paused")
    worst = int(np.argmax(gone.values))
    if gone.values[worst] > 1.0 + 1e-9:
        at_s = float(gone.t_s[worst])
        there = [(k, p) for k, p in enumerate(pauses, start=1) if p.at_s <= at_s < p.back_s]
        together = ", ".join(f"pause {k} ({p.pause_mw:g} MW)" for k, p in there)
        raise SettingError(
            f"pauses: at {at_s:g} s {together} add up to {power_text(gone.values[worst] * cluster_mw)} of the "
            f"cluster's {power_text(cluster_mw)}: make them smaller, or let one end before the next begins"
        )
    return gone.clipped(0.0, 1.0)


@dataclass(frozen=True)
class PauseParts:
    """How a drop of pause_mw is made. All powers in MW at the meter.

    idle_mw          what servers that stay on with their job stopped give, cooling included
    off_mw           what can only come from servers switched off (or fed from batteries)
    stopped_servers  share of the cluster's servers that stop their job, those switched off included
    off_servers      share of the cluster's servers that are switched off
    cooling_mw       part of the drop that is cooling, which follows in minutes and not in the ramp
    """

    pause_mw: float
    idle_mw: float
    off_mw: float
    stopped_servers: float
    off_servers: float
    cooling_mw: float

    def __str__(self) -> str:
        text = f"pause of {power_text(self.pause_mw)}: {self.stopped_servers:.0%} of the servers stop their job"
        if self.off_mw > 0.0:
            text += (
                f"; idle GPUs give {power_text(self.idle_mw)}, the other {power_text(self.off_mw)} means "
                f"{self.off_servers:.0%} of the servers switched off or on batteries"
            )
        return f"{text}; {power_text(self.cooling_mw)} of it is cooling, which in a real site follows in minutes"


def explain_pause(cluster: Cluster, pause: Pause | float) -> PauseParts:
    """How much of a pause idle GPUs can give, and how much means servers switched off.

    A stopped job leaves its servers at idle power. A drop deeper than that of all servers idle needs servers off;
    a server switched off gives its idle power too.
    """
    wanted_mw = pause.pause_mw if isinstance(pause, Pause) else Pause(at_s=0.0, pause_mw=pause).pause_mw
    paused_share([Pause(at_s=0.0, pause_mw=wanted_mw)], cluster.p_mw)
    reach_mw = max(0.0, cluster.p_mw - cluster.idle_mw)
    off_mw = max(0.0, wanted_mw - reach_mw)
    return PauseParts(
        pause_mw=wanted_mw,
        idle_mw=wanted_mw - off_mw,
        off_mw=off_mw,
        stopped_servers=1.0 if off_mw > 0.0 else wanted_mw / reach_mw,
        off_servers=off_mw / cluster.idle_mw,
        cooling_mw=wanted_mw * (1.0 - 1.0 / cluster.pue),
    )
