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
from gridai.studies.series_input import Column, Profiles, read_profiles
from gridai.studies.timeseries import DAY_S, MINUTE_S, MOST_STEPS, Timeseries

if TYPE_CHECKING:
    from gridai.case import Case

Floats = NDArray[np.float64]
SIGN = {"load": 1.0, "storage": 1.0, "sgen": -1.0}
THOUSAND = (300.0, 3000.0)


@dataclass(eq=False)
class Play:
    """Everything that varies.

    t_s      float[n]. [s]
    columns  (table, column) to {pandapower index: (float[n], factor)}: the value is their product.
    clusters  rows of net.load that are clusters.
    """

    flow: BatchFlow
    t_s: Floats
    follow: bool
    columns: dict[tuple[str, str], dict[int, tuple[Floats, float]]] = field(default_factory=dict)
    clusters: tuple[int, ...] = ()
    notes: list[str] = field(default_factory=list)

    def put(self, table: str, column: str, index: int, values: Floats, factor: float, title: str) -> None:
        """One element's course. Raises CaseError where it has one already."""
        own = self.columns.setdefault((table, column), {})
        if index in own:
            raise CaseError(f"column '{title}': {table} '{self.flow.net[table].at[index, 'name']}' has a profile of "
                            f"{column} already: leave one of the two out")  # fmt: skip
        own[index] = (values, factor)

    def vary(self, k0: int, k1: int) -> list[Vary]:
        """What varies from step k0 up to k1."""
        out = []
        for (table, column), own in self.columns.items():
            block = np.stack([values[k0:k1] * factor for values, factor in own.values()], axis=1)
            out.append(Vary(table, column, block, list(own)))
        if self.follow:
            out += self._followers(k0, k1)
        return out

    def _followers(self, k0: int, k1: int) -> list[Vary]:
        """Units in proportion to their dispatch, within their turbines; units with a profile of their own stay out."""
        net = self.flow.net
        given = self.columns.get(("gen", "p_mw"), {})
        free = [i for i in self._free if i not in given]
        p = net.gen.loc[free, "p_mw"].to_numpy(dtype=float) * net.gen.loc[free, "scaling"].to_numpy(dtype=float)
        total = float(p.sum()) + self._slack_mw
        if not free or total <= 0.0:
            return []
        block = p * (1.0 + self._change(k0, k1)[:, None] / total)
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

    def cluster_mw(self, k0: int, k1: int) -> Floats:
        """Power of all clusters. [MW]"""
        own = self.columns.get(("load", "p_mw"), {})
        out = np.zeros(k1 - k0)
        for index in self.clusters:
            if index in own:
                values, factor = own[index]
                out += values[k0:k1] * factor
            else:
                out += float(self.flow.net.load.at[index, "p_mw"])
        return out


def play_of(study: Timeseries, case: Case, flow: BatchFlow) -> Play:
    """Match profiles and clusters to the net. Raises CaseError for elements that are not there or have no supply."""
    files = [_file(case, name.strip()) for name in study.profiles.split(",") if name.strip()]
    given = read_profiles(files, study.gaps) if files else None
    t_s = _axis(study, given)
    play = Play(flow, t_s, study.followed_by == "units", clusters=_clusters(case, flow))
    if given is not None:
        play.notes += [*given.notes, f"profiles: {len(given.columns)} columns, from {given.start}"]
        for column in given.columns:
            _place(play, case, column, _sampled(column, given, t_s), study.check_units)
    if study.course == "demand":
        for placement, index in zip(case.placements, play.clusters, strict=True):
            if index not in play.columns.get(("load", "p_mw"), {}):
                demand = placement.cluster.demand(float(t_s[-1]) + 1.0, seed=study.seed)
                _cluster(play, index, np.asarray(demand.value(t_s)), placement.name)
    return play


def _file(case: Case, name: str) -> Path:
    """A file by its path, else the case's own of that name: profiles/<name>.csv in its folder."""
    path, folder = Path(name).expanduser(), Path(case.provenance.get("folder", "")) / "profiles"
    own = folder / f"{name}.csv"
    if not path.is_file() and not path.suffix and own.is_file():
        return own
    return path


def _axis(study: Timeseries, given: Profiles | None) -> Floats:
    end = study.until_s if study.until_s is not None else DAY_S if given is None else None
    if given is not None:
        last = float(given.t_s[-1])
        if end is not None and end > last + 1e-6:
            raise CaseError(f"until_s = {end:g} s: the profiles end at {last:g} s; give less, or longer profiles")
        if study.step_s is None:
            return given.t_s if end is None else given.t_s[given.t_s <= end]
        end = last if end is None else end
    step = study.step_s if study.step_s is not None else MINUTE_S
    assert end is not None
    count = int(np.floor(end / step + 1e-9)) + (1 if given is not None else 0)
    if count > MOST_STEPS:
        raise SettingError(f"step_s = {step:g}: {count:,} steps; {MOST_STEPS:,} at most, so give a longer step")
    return np.asarray(step * np.arange(max(count, 1), dtype=float))


def _sampled(column: Column, given: Profiles, t_s: Floats) -> Floats:
    """A column at the steps: its own rows, else a straight line between them; missing rows stay missing."""
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


def _place(play: Play, case: Case, column: Column, values: Floats, check: bool) -> None:
    net = play.flow.net
    if column.table == "cluster":
        own = {p.name: i for p, i in zip(case.placements, play.clusters, strict=True)}
        chosen = own if column.name == "*" else {column.name: own[column.name]} if column.name in own else {}
        if not chosen:
            raise CaseError(f"{column.file}: column '{column.title}': {near(column.name, own, 'cluster')}")
        for name, index in chosen.items():
            factor = 1.0 if column.quantity == "p_mw" else float(net.load.at[index, "p_mw"])
            if column.quantity not in ("p_mw", "factor"):
                raise CaseError(f"{column.file}: column '{column.title}': a cluster takes p_mw or factor")
            _check(column, values * factor, float(net.load.at[index, "p_mw"]), check)
            _cluster(play, index, values * factor, name)
        return
    rows = net[column.table]
    names = {str(name): int(i) for i, name in rows["name"].items()}
    skip = set(play.clusters) if column.table == "load" else set()
    chosen_rows = [int(i) for i in rows.index if i not in skip] if column.name == "*" else [
        names[column.name]] if column.name in names else []  # fmt: skip
    if not chosen_rows:
        raise CaseError(f"{column.file}: column '{column.title}': {near(column.name, names, column.table)}")
    if column.table == "asymmetric_load":
        _by_phase(play, column, values, chosen_rows)
        return
    if column.quantity == "factor":
        _factor(play, column, values, chosen_rows)
        return
    if column.name == "*":
        raise CaseError(f"{column.file}: column '{column.title}': '*' goes with factor; name one {column.table}")
    if column.quantity == "p_mw":
        _check(column, values, float(rows.at[chosen_rows[0], "p_mw"]), check)
    play.put(column.table, column.quantity, chosen_rows[0], values, 1.0, column.title)


def _factor(play: Play, column: Column, values: Floats, rows: Sequence[int]) -> None:
    table = play.flow.net[column.table]
    for quantity in ("p_mw", "q_mvar"):
        if quantity in table.columns and not (column.table == "gen" and quantity == "q_mvar"):
            for index in rows:
                play.put(column.table, quantity, index, values, float(table.at[index, quantity]), column.title)


def _by_phase(play: Play, column: Column, values: Floats, rows: Sequence[int]) -> None:
    """Loads by phase: a factor on the sum of the phases, as a change of what their buses draw."""
    if column.quantity != "factor":
        raise CaseError(f"{column.file}: column '{column.title}': a load by phase takes a factor")
    table = play.flow.net.asymmetric_load.loc[list(rows)]
    power = dict(zip(("p_mw", "q_mvar"), sums_of_phases(table), strict=True))
    for quantity, base in power.items():
        for bus in dict.fromkeys(int(b) for b in table["bus"]):
            here = ((table["bus"] == bus) & table["in_service"].astype(bool)).to_numpy()
            play.put("bus", quantity, bus, values - 1.0, float(base[here].sum()), column.title)


def _cluster(play: Play, index: int, mw: Floats, title: str) -> None:
    row = play.flow.net.load.loc[index]
    play.put("load", "p_mw", index, mw, 1.0, title)
    play.put("load", "q_mvar", index, mw, float(row["q_mvar"]) / float(row["p_mw"]) if row["p_mw"] else 0.0, title)


def _check(column: Column, values: Floats, base: float, check: bool) -> None:
    """Refuse what looks like the wrong unit: in the middle a thousand times what the case has, or a thousandth.

    Zeros are left out: the sun is down for half of the day.
    """
    some = np.abs(values[np.isfinite(values) & (values != 0.0)])
    middle = float(np.median(some)) if len(some) else 0.0
    if not check or middle == 0.0 or base == 0.0:
        return
    ratio = middle / abs(base)
    if THOUSAND[0] < ratio < THOUSAND[1] or THOUSAND[0] < 1.0 / ratio < THOUSAND[1]:
        word = "thousand times" if ratio > 1.0 else "a thousandth of"
        raise CaseError(f"{column.file}: column '{column.title}': its middle, {middle:.4g} MW, is {word} the case's "
                        f"{base:.4g} MW: is the unit in its name right (p_kw, p_mw)? check_units = False takes it "
                        "as it is")  # fmt: skip
