"""What a run of the study `timeseries` is made of: network with the site's devices, what varies, the controllers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError, SettingError, near
from gridai.grid.batch import BatchFlow
from gridai.grid.series_devices import capacitors, find_branch, tap_changers
from gridai.grid.series_site import Added, idle_storages, with_site
from gridai.grid.series_storage import Fleet, Rule, Store, stores_of
from gridai.grid.series_switch import Switching
from gridai.studies.common import placement_of
from gridai.studies.series_play import Play, play_of

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.studies.timeseries import Timeseries

Floats = NDArray[np.float64]
SUMMER = 172.0


@dataclass(frozen=True, eq=False)
class Setup:
    """Ready to run.

    play, switches, fleet   what varies, taps and capacitors, storages; None without.
    site    rows that were added beside the cluster.
    bus     pandapower index of the bus with the cluster that PV, battery and flicker belong to; None without one.
    watch   what `blocks` keeps of the place that storages hold.
    """

    flow: BatchFlow
    play: Play
    site: Added
    bus: int | None
    switches: Switching | None
    fleet: Fleet | None
    watch: tuple[str, int] | str

    def more(self, block: Any) -> dict[str, Floats]:
        """Further courses of a block: photovoltaics, storages, the watched power, energy of each storage. [MW, MWh]"""
        k0, k1 = block.k0, block.k0 + len(block.solved)
        out: dict[str, Floats] = {}
        if self.site.pv is not None:
            out["pv_mw"] = self.play.power_mw("sgen", self.site.pv, k0, k1)
        if self.fleet is not None:
            out["storage_mw"] = block.stored.p_mw.sum(axis=1)
            if self.fleet.rule is not None:
                at_site = self.fleet.rule.at == "site" and self.bus is not None
                net = self.play.site_mw(int(self.bus or 0), k0, k1) if at_site else np.zeros(0)
                out["watched_mw"] = net + out["storage_mw"] if at_site else block.watched_mw
            for j, store in enumerate(self.fleet.stores):
                out[f"{store.name}/e_mwh"] = block.stored.e_mwh[:, j]
        return out

    def name_of(self, branch: Any) -> str:
        """Name of a branch by its table and index; "" for none."""
        return str(self.flow.net[branch[0]].at[branch[1], "name"]) if isinstance(branch, tuple) else ""

    @property
    def more_names(self) -> tuple[str, ...]:
        """Names of `more`."""
        names = ["pv_mw"] if self.site.pv is not None else []
        if self.fleet is not None:
            names += ["storage_mw", *(["watched_mw"] if self.fleet.rule is not None else [])]
            names += [f"{s.name}/e_mwh" for s in self.fleet.stores]
        return tuple(names)


def setup(study: Timeseries, case: Case) -> Setup:
    """Build it. Raises CaseError and SettingError for what does not fit together, by name."""
    bus, owner = _place(study, case)
    site = Added(case.net)
    if bus is not None:
        site = with_site(case.net, bus, pv_mw=study.pv_mw, storage_mw=study.storage_mw, storage_mwh=study.storage_mwh,
                         soc_percent=study.storage_soc_percent, owner=owner)  # fmt: skip
    flow = BatchFlow(site.net, enforce_q_lims=study.enforce_q_lims)
    rated = {("sgen", site.pv): study.pv_mw} if site.pv is not None else {}
    play = play_of(study, case, flow, rated)
    _sunshine(study, play, site)
    fleet, watch = _fleet(study, play, bus)
    return Setup(flow, play, site, bus, _switching(study, flow), fleet, watch)


def _place(study: Timeseries, case: Case) -> tuple[int | None, str]:
    """Bus of the cluster that site devices and flicker belong to, and the cluster's name."""
    needed = [name for name in ("pv_mw", "storage_mwh", "flicker") if getattr(study, name)]
    if study.storage_rule != "schedule" and study.storage_at == "site":
        needed.append("storage_rule")
    if not needed and not (len(case.placements) == 1 and study.cluster is None):
        return None, ""
    if needed and not case.placements:
        raise SettingError(f"{needed[0]}: it belongs to a cluster's bus, and the case holds none: place one with "
                           "--cluster-bus, or case.with_cluster")  # fmt: skip
    placement = placement_of(case, study.cluster)
    return case.buses[placement.bus], placement.name


def _sunshine(study: Timeseries, play: Play, site: Added) -> None:
    """The course of the photovoltaics under a clear sky, unless a profile gives it."""
    if site.pv is None:
        return
    if site.pv in play.columns.get(("sgen", "p_mw"), {}):
        return
    if study.latitude_degree is None:
        raise SettingError("latitude_degree: the clear-sky course of the photovoltaics needs it; or give a profile, "
                           "sgen/PV/p_mw or sgen/PV/factor")  # fmt: skip
    import pandas as pd

    from gridai.cluster.solar import share_of_rated

    first = pd.Timestamp(play.start) if play.start else None
    day = study.day if study.day is not None else float(first.dayofyear) if first is not None else SUMMER
    clock = study.hour if study.hour is not None else (first.hour + first.minute / 60.0 if first is not None else 0.0)
    # the middle of each step: its mean to second order
    hours = np.diff(play.t_s, append=play.t_s[-1] + (play.t_s[-1] - play.t_s[-2] if len(play.t_s) > 1 else 0.0))
    share = share_of_rated(play.t_s + 0.5 * hours, study.latitude_degree, day, clock, study.tilt_degree,
                           study.azimuth_degree)  # fmt: skip
    play.put("sgen", "p_mw", site.pv, study.pv_mw * share, 1.0, "pv_mw")
    play.notes.append(
        f"photovoltaics: {study.pv_mw:g} MW at 1 kW/m2 under a clear sky every day (no clouds: an upper bound), from "
        f"hour {clock:g} of day {day:g} by the sun at {study.latitude_degree:g} degrees, tilt {study.tilt_degree:g}, "
        f"azimuth {study.azimuth_degree:g}; simplified Solis (Ineichen 2008), isotropic sky, losses 14 %"
    )


def _switching(study: Timeseries, flow: BatchFlow) -> Switching | None:
    found = tap_changers(flow, study.deadband_pu, study.delay_s, study.tap_vm_pu) if study.taps else ()
    if study.capacitors:
        names = [n.strip() for n in study.capacitor_names.split(",") if n.strip()]
        found += capacitors(flow, study.capacitor_delay_s, holds=study.capacitors_hold, branch=study.capacitor_branch,
                            aim=study.capacitor_aim, deadband=study.capacitor_deadband, names=names)  # fmt: skip
    return Switching(flow, found) if found else None


def _fleet(study: Timeseries, play: Play, bus: int | None) -> tuple[Fleet | None, tuple[str, int] | str]:
    """Storages with energy: those of the rule first, then those that follow a profile or their row."""
    net = play.flow.net
    stores = [s for s in stores_of(net, study.storage_efficiency) if s.bus in play.flow.matrices.node_of_bus]
    rule, watch = _rule(study, net)
    ruled = [] if rule is None else _ruled(study, play, stores, bus if rule.at == "site" else None)
    idle = ", ".join(idle_storages(net))
    if idle:
        play.notes.append(f"storages without max_e_mwh draw what their row or profile says, without an end: {idle}")
    stores = [*ruled, *(s for s in stores if s not in ruled)]
    if not stores:
        return None, ""
    scheduled = stores[len(ruled) :]
    play.stores = tuple(s.index for s in stores)
    asked = _asked(play, scheduled)
    site_of: Callable[[int, int], Floats] | None = None
    if rule is not None and rule.at == "site":
        assert bus is not None
        at = bus

        def site_of(k0: int, k1: int) -> Floats:
            return play.site_mw(at, k0, k1)

    return Fleet(play.flow, stores, rule, site=site_of, asked=asked, scheduled=len(scheduled)), watch


def _ruled(study: Timeseries, play: Play, stores: list[Store], bus: int | None) -> list[Store]:
    """The storages that follow the rule: the named ones, else those without a profile, at the bus if one is given."""
    given = play.columns.get(("storage", "p_mw"), {})
    names = [n.strip() for n in study.storage_names.split(",") if n.strip()]
    known = {s.name: s for s in stores}
    for name in names:
        if name not in known:
            raise CaseError(near(name, known, "storage with an energy"))
    ruled = [known[n] for n in names] or [s for s in stores if s.index not in given and bus in (None, s.bus)]
    if not ruled:
        raise SettingError("storage_rule: there is no storage with an energy and without a profile to follow it: give "
                           "storage_mw and storage_mwh, or name one with storage_names")  # fmt: skip
    for s in ruled:
        if given.pop(s.index, None) is not None:
            play.notes.append(f"the profile of storage {s.name} is left out: it follows the rule")
    return ruled


def _asked(play: Play, stores: list[Store]) -> Callable[[int, int], Floats]:
    """The schedule of the storages: their profiles, else what their rows say."""
    own = play.columns.get(("storage", "p_mw"), {})
    mine = {s.index: own.pop(s.index) for s in stores if s.index in own}
    if not own:
        play.columns.pop(("storage", "p_mw"), None)
    table = play.flow.net.storage

    def asked(k0: int, k1: int) -> Floats:
        out = np.zeros((k1 - k0, len(stores)))
        for j, s in enumerate(stores):
            values, factor = mine.get(s.index, (np.full(k1, float(table.at[s.index, "p_mw"])), 1.0))
            out[:, j] = values[k0:k1] * factor * float(table.at[s.index, "scaling"])
        return out

    return asked


def _rule(study: Timeseries, net: Any) -> tuple[Rule | None, tuple[str, int] | str]:
    if study.storage_rule == "schedule":
        return None, ""
    at: str | tuple[str, int] = "site" if study.storage_at == "site" else "slack"
    if study.storage_at not in ("site", "substation"):
        at = find_branch(net, study.storage_at)
    watch = "" if at == "site" else at
    if study.storage_rule == "own":
        return Rule("own", at, 0.0, 0.0, study.storage_deadband_mw, study.storage_delay_s), watch
    assert study.shave_mw is not None
    again = study.recharge_mw if study.recharge_mw is not None else RECHARGE * study.shave_mw
    return Rule("shave", at, study.shave_mw, again, study.storage_deadband_mw, study.storage_delay_s), watch


RECHARGE = 0.9
"""Of the level to which peaks are shaved: up to so much the storages recharge by themselves."""
