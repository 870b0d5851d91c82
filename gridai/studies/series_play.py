"""What varies in a study of time series: profiles matched to the net's elements, the cluster's course, who follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError, SettingError, near
from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.convert import sums_of_phases
from gridai.studies.series_demand import Demand
from gridai.studies.series_input import Column, Profiles, read_profiles
from gridai.studies.series_match import place, put_cluster
from gridai.studies.timeseries import DAY_S, MINUTE_S, MOST_STEPS, Timeseries

if TYPE_CHECKING:
    from gridai.case import Case

Floats = NDArray[np.float64]
SIGN = {"load": 1.0, "storage": 1.0, "sgen": -1.0}


@dataclass(eq=False)
class Play:
    """Everything that varies.

    t_s      float[n]. [s]
    columns  (table, column) to {pandapower index: (float[n], factor)}: the value is their product.
    clusters  rows of net.load that are clusters.
    rated    (table, index) to the power that a factor multiplies where it is not that of the case. [MW]
    stores   rows of net.storage whose power a fleet gives.
    demands  the fast course of each cluster, by its row.
    strength  short-circuit power at a cluster's bus, float[n], by its row. [MVA]
    """

    flow: BatchFlow
    t_s: Floats
    follow: bool
    columns: dict[tuple[str, str], dict[int, tuple[Floats, float]]] = field(default_factory=dict)
    clusters: tuple[int, ...] = ()
    notes: list[str] = field(default_factory=list)
    rated: dict[tuple[str, int], float] = field(default_factory=dict)
    stores: tuple[int, ...] = ()
    demands: dict[int, Demand] = field(default_factory=dict)
    strength: dict[int, Floats] = field(default_factory=dict)
    start: str = ""

    def put(self, table: str, column: str, index: int, values: Floats, factor: float, title: str) -> None:
        """One element's course. Raises CaseError where it has one already."""
        own = self.columns.setdefault((table, column), {})
        if index in own:
            raise CaseError(f"column '{title}': {table} '{self.flow.net[table].at[index, 'name']}' has a profile of "
                            f"{column} already: leave one of the two out")  # fmt: skip
        own[index] = (values, factor)

    def vary(self, k0: int, k1: int, stored: Floats | None = None) -> list[Vary]:
        """What varies from step k0 up to k1; stored: power of the fleet's storages, float[n, storages]. [MW]"""
        out = []
        for (table, column), own in self.columns.items():
            block = np.stack([values[k0:k1] * factor for values, factor in own.values()], axis=1)
            out.append(Vary(table, column, block, list(own)))
        if stored is not None:
            out.append(Vary("storage", "p_mw", stored / self._scale("storage", self.stores), list(self.stores)))
        if self.follow:
            out += self._followers(k0, k1, stored)
        return out

    def _scale(self, table: str, rows: Sequence[int]) -> Floats:
        return self.flow.net[table].loc[list(rows), "scaling"].to_numpy(dtype=float)

    def _followers(self, k0: int, k1: int, stored: Floats | None) -> list[Vary]:
        """Units in proportion to their dispatch, within their turbines; units with a profile of their own stay out."""
        net = self.flow.net
        given = self.columns.get(("gen", "p_mw"), {})
        free = [i for i in self._free if i not in given]
        p = net.gen.loc[free, "p_mw"].to_numpy(dtype=float) * net.gen.loc[free, "scaling"].to_numpy(dtype=float)
        total = float(p.sum()) + self._slack_mw
        if not free or total <= 0.0:
            return []
        change = self._change(k0, k1)
        if stored is not None:
            now = self._scale("storage", self.stores) @ net.storage.loc[list(self.stores), "p_mw"].to_numpy(dtype=float)
            change = change + stored.sum(axis=1) - now
        block = p * (1.0 + change[:, None] / total)
        if "max_p_mw" in net.gen:
            most = net.gen.loc[free, "max_p_mw"].fillna(np.inf).to_numpy(dtype=float)
            block = np.minimum(block, np.maximum(most, p))
        return [Vary("gen", "p_mw", np.maximum(block, 0.0) / net.gen.loc[free, "scaling"].to_numpy(dtype=float), free)]

    def __post_init__(self) -> None:
        """Units that can follow, and what the slack gives in the base case. [MW]"""
        net, m = self.flow.net, self.flow.matrices
        gen = net.gen[net.gen["in_service"].astype(bool)]
        at_slack = {i for i in gen.index if m.reference[m.node_of_bus.get(int(gen.at[i, "bus"]), 0)]}
        self._free = [i for i in gen.index if i not in at_slack and gen.at[i, "p_mw"] > 0.0
                      and int(gen.at[i, "bus"]) in m.node_of_bus]  # fmt: skip
        own = sum(float(net.res_gen.at[i, "p_mw"]) for i in at_slack)
        grids = float(net.res_ext_grid["p_mw"].sum()) if len(net.ext_grid) else 0.0
        self._slack_mw = max(own + grids, 0.0)

    def _change(self, k0: int, k1: int) -> Floats:
        """Load less infeed that is not followed, over that of the case. [MW]"""
        out = np.zeros(k1 - k0)
        for values, factor in self.columns.get(("bus", "p_mw"), {}).values():
            out += values[k0:k1] * factor
        for (table, column), own in self.columns.items():
            if column != "p_mw" or table not in (*SIGN, "gen"):
                continue
            rows = self.flow.net[table]
            for index, (values, factor) in own.items():
                scale = float(rows.at[index, "scaling"]) * float(rows.at[index, "in_service"])
                step = values[k0:k1] * factor - float(rows.at[index, "p_mw"])
                out += SIGN.get(table, -1.0) * scale * step
        return out

    def power_mw(self, table: str, index: int, k0: int, k1: int) -> Floats:
        """Power of one element, as pandapower scales it, float[n]. [MW]"""
        row = self.flow.net[table].loc[index]
        own = self.columns.get((table, "p_mw"), {})
        values, factor = own.get(index, (np.full(k1, float(row["p_mw"])), 1.0))
        scale = float(row["in_service"]) * float(row["scaling"]) * factor
        return np.asarray(values[k0:k1] * scale)

    def cluster_mw(self, k0: int, k1: int) -> Floats:
        """Power of all clusters. [MW]"""
        return sum((self.power_mw("load", i, k0, k1) for i in self.clusters), np.zeros(k1 - k0))

    def site_mw(self, bus: int, k0: int, k1: int) -> Floats:
        """Load less infeed at a bus (and those fused to it) without the fleet's storages, float[n]. [MW]"""
        node_of_bus, net = self.flow.matrices.node_of_bus, self.flow.net
        out = np.zeros(k1 - k0)
        for table, sign in SIGN.items():
            for index, at in net[table]["bus"].items():
                if node_of_bus.get(int(at)) == node_of_bus[bus] and not (table == "storage" and index in self.stores):
                    out += sign * self.power_mw(table, int(index), k0, k1)
        for table, sign in (("asymmetric_load", 1.0), ("asymmetric_sgen", -1.0)):
            rows = net[table][net[table]["in_service"].astype(bool)]
            here = np.array([node_of_bus.get(int(at)) == node_of_bus[bus] for at in rows["bus"]], dtype=bool)
            out += sign * float(sums_of_phases(rows)[0][here].sum()) if len(rows) else 0.0
        for at, (values, factor) in self.columns.get(("bus", "p_mw"), {}).items():
            if node_of_bus.get(at) == node_of_bus[bus]:
                out += values[k0:k1] * factor
        return out


def play_of(study: Timeseries, case: Case, flow: BatchFlow, rated: dict[tuple[str, int], float] | None = None) -> Play:
    """Match profiles and clusters to the net. Raises CaseError for elements that are not there or have no supply.

    rated  (table, index) to the power that a factor multiplies, where the case has the element at another one. [MW]
    """
    files = [profile_file(case, name.strip()) for name in study.profiles.split(",") if name.strip()]
    given = read_profiles(files, study.gaps) if files else None
    t_s = _axis(study, given)
    play = Play(flow, t_s, study.followed_by == "units", clusters=_clusters(case, flow), rated=rated or {})
    if given is not None:
        play.start = given.start if given.dated else ""
        play.notes += [*given.notes, f"profiles: {len(given.columns)} columns, from {given.start}"]
        for column in given.columns:
            place(play, case, column, _sampled(column, given, t_s), study.check_units)
    _demands(play, case, study)
    return play


def _demands(play: Play, case: Case, study: Timeseries) -> None:
    """The courses of the workloads: where asked for, as the power of clusters without a column; for flicker, of all."""
    edges = np.append(play.t_s, play.t_s[-1] + (play.t_s[-1] - play.t_s[-2] if len(play.t_s) > 1 else 1.0))
    given = [i in play.columns.get(("load", "p_mw"), {}) for i in play.clusters]
    for placement, index, has in zip(case.placements, play.clusters, given, strict=True):
        if has and not study.flicker:
            continue
        if study.course == "constant" and not study.flicker:
            play.notes.append(f"{placement.name} draws its mean all the time (course = constant)")
            continue
        demand = Demand.of(placement.cluster, float(edges[-1]), study.seed)
        play.demands[index] = demand
        if has or study.course == "constant":
            continue
        put_cluster(play, index, demand.means(edges), placement.name)
        if demand.flat:
            play.notes.append(f"the workload of {placement.name} is constant: its course is flat")
        elif demand.length_s < edges[-1]:
            days = f"{demand.length_s / DAY_S:g} days"
            play.notes.append(f"{placement.name}: its workload is drawn for {days} and repeated; means of each step")
    if not play.columns:
        play.notes.append("nothing varies: no profiles and no cluster with a course, so every step is the same")


def profile_file(case: Case, name: str) -> Path:
    """A file by its path, else the case's own of that name: profiles/<name>.csv in its folder."""
    path, folder = Path(name).expanduser(), Path(case.provenance.get("folder", "")) / "profiles"
    own = folder / f"{name}.csv"
    if path.is_file() or path.suffix:
        return path
    if not own.is_file():
        known = sorted(x.stem for x in folder.glob("*.csv")) if "folder" in case.provenance else []
        if known:
            raise CaseError(near(name, known, f"profile of {case.name}", "the path of a CSV file"))
        raise CaseError(f"{path}: no such file")
    return own


def _axis(study: Timeseries, given: Profiles | None) -> Floats:
    """The steps; the last row of a profile lasts as long as the others: a day of quarters of an hour has 24 h."""
    end = study.until_s if study.until_s is not None else DAY_S if given is None else None
    if given is not None:
        row_s = float(np.median(np.diff(given.t_s))) if len(given.t_s) > 1 else 1.0
        last = float(given.t_s[-1]) + row_s
        if end is not None and end > last + 1e-6:
            raise CaseError(f"until_s = {end:g} s: the profiles end at {last:g} s; give less, or longer profiles")
        if study.step_s is None:
            return given.t_s if end is None else given.t_s[given.t_s <= end]
        end = last if end is None else end
    step = study.step_s if study.step_s is not None else MINUTE_S
    assert end is not None
    count = int(np.floor(end / step + 1e-9))
    if count > MOST_STEPS:
        raise SettingError(f"step_s = {step:g}: {count:,} steps; {MOST_STEPS:,} at most, so give a longer step")
    return np.asarray(step * np.arange(max(count, 1), dtype=float))


def _sampled(column: Column, given: Profiles, t_s: Floats) -> Floats:
    """A column at the steps: its own rows, else a straight line between them, the last row held; gaps stay gaps."""
    if len(t_s) <= len(given.t_s) and np.array_equal(t_s, given.t_s[: len(t_s)]):
        return column.values[: len(t_s)]
    return np.asarray(np.interp(t_s, given.t_s, column.values))


def _clusters(case: Case, flow: BatchFlow) -> tuple[int, ...]:
    names = {str(name): int(i) for i, name in flow.net.load["name"].items()}
    for placement in case.placements:
        if case.buses[placement.bus] not in flow.matrices.node_of_bus:
            raise CaseError(f"{case.describe_bus(placement.bus)} of {placement.name} is out of service or not "
                            "connected to a slack: place the cluster at a bus that is energised")  # fmt: skip
    return tuple(names[p.name] for p in case.placements)
