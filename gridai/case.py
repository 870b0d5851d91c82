"""Case: the editable description of a study system. Network, dynamic data, clusters, provenance.

    case = load_case("ieee39")                       # a bundled case, or a path to a folder with a case.toml
    case = case.with_cluster(cluster, bus="16")      # a new case; the old one stays as it was
    print(case.redispatch)                           # who gave how much
    point = case.solve()

A case folder is plain text (TOML and CSV). Reading one runs no code of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gridai import casefile
from gridai.errors import CaseError, near

if TYPE_CHECKING:
    import pandas as pd

    from gridai.grid import OperatingPoint

Balance = Literal["headroom", "slack", "in_place_of_load"]
Dynamics = dict[str, "pd.DataFrame"]


def _no_redispatch() -> pd.DataFrame:
    from gridai.grid.redispatch import empty_table

    return empty_table()


@dataclass(frozen=True)
class Placement:
    """A cluster at a bus: the load of this name in the power flow stands for it."""

    name: str
    cluster: Any
    bus: str
    balance: str


@dataclass(frozen=True, eq=False)
class Case:
    """A study system. Methods that change something return a new case.

    name, title  short name and one line for reports.
    f_hz         nominal frequency. [Hz]
    net          pandapower net whose `name` columns hold unique keys. A private copy: do not write to it.
    dynamics     model name (lower case) to its table; column `unit` first, the rest parameters.
    placements   the clusters.
    provenance   where the data came from: citation, url, licence, notes, folder.
    notes        statements every report must carry (templates used, values estimated).
    redispatch   solved powers before and after each cluster was placed. [MW]
    defaults     values a case suggests to studies.
    before       the case without its last cluster; None for a case without one.
    """

    name: str
    title: str
    f_hz: float
    net: Any
    dynamics: Dynamics = field(default_factory=dict)
    placements: tuple[Placement, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    redispatch: pd.DataFrame = field(default_factory=_no_redispatch)
    description: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    before: Case | None = field(default=None, repr=False)

    @property
    def s_base_mva(self) -> float:
        """System base. [MVA]"""
        return float(self.net.sn_mva)

    @property
    def buses(self) -> dict[str, int]:
        """Bus key to pandapower index, in table order."""
        from gridai.grid.names import bus_keys_of

        return {key: index for index, key in bus_keys_of(self.net).items()}

    def solve(self) -> OperatingPoint:
        """The power flow of the case, clusters at their mean power. Raises PowerFlowError with the likely cause."""
        from gridai.grid import solve

        return solve(self.net)

    def resolve_bus(self, bus: str | int) -> str:
        """The key of a bus given by key (text) or pandapower index (integer); in a PSS/E case also its number as text.

        Raises UnknownNameError listing near names, AmbiguousNameError listing the candidates of a repeated name.
        """
        from gridai.grid.names import bus_keys_of, resolve
        from gridai.grid.raw_numbers import has_numbers

        keys = bus_keys_of(self.net)
        text = str(bus).strip()
        if text.isdecimal() and text not in keys.values() and has_numbers(self.net):
            return resolve(int(text), keys)
        return resolve(bus, keys)

    def describe_bus(self, bus: str | int) -> str:
        """A bus in words, with key, pandapower index and voltage: "bus '17' (pandapower index 16, 345 kV)"."""
        key = self.resolve_bus(bus)
        index = self.buses[key]
        return f"bus '{key}' (pandapower index {index}, {self.net.bus.at[index, 'vn_kv']:g} kV)"

    def with_cluster(
        self, cluster: Any, bus: str | int, balance: Balance = "headroom", name: str | None = None
    ) -> Case:
        """A new case with a cluster at a bus.

        cluster  anything with p_mw, q_mvar (at the meter, mean in training) and name.
        balance  "headroom": in-service units share its power in proportion to max_p_mw - p_mw; "slack": the slack
                 takes it; "in_place_of_load": load at the bus is reduced in proportion.
        name     what to call it; default the cluster's own name.

        Raises CaseError for an unknown bus or balance, a name in use, too little headroom or load.
        """
        from gridai.grid.redispatch import place_load

        key = self.resolve_bus(bus)
        p_mw, q_mvar = _power_of(cluster)
        label = self._free_name(name, str(getattr(cluster, "name", "") or "cluster"))
        net, table, beyond = place_load(self.net, label, self.buses[key], p_mw, q_mvar, balance)
        return replace(
            self,
            net=net,
            placements=(*self.placements, Placement(label, cluster, key, balance)),
            redispatch=table if self.redispatch.empty else _stacked(self.redispatch, table),
            notes=self.notes + tuple(f"with cluster '{label}': {text}" for text in beyond),
            before=self,
        )

    def _free_name(self, asked: str | None, usual: str) -> str:
        from gridai.grid.names import LOADS, element_names

        names = element_names(self.net)
        taken = {n for table in LOADS for n in names.get(table, ())}
        if asked is not None:
            if asked in taken or not asked.strip():
                raise CaseError(f"the name '{asked}' of the cluster is used already or empty: choose another one")
            return asked
        label, number = usual, 2
        while label in taken:
            label, number = f"{usual} ({number})", number + 1
        return label

    def save(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write the case as a folder that load_case reads back the same. Whole or not at all.

        Clusters and sites are written with all their settings; the loads and dispatch are those with the clusters
        placed, so the slack balances them when they are read again. Raises CaseError if the folder is there (and
        overwrite is False), or for a cluster with a class of your own in it, which tables cannot hold.
        """
        header = {
            "name": self.name,
            "title": self.title,
            "f_hz": self.f_hz,
            "s_base_mva": self.s_base_mva,
            "description": self.description,
            "notes": list(self.notes),
        }
        source = {k: v for k, v in self.provenance.items() if k != "folder"}
        return casefile.write_case(
            Path(folder), header, source, dict(self.defaults), self.net, self.dynamics, overwrite, self.placements
        )

    @classmethod
    def from_pandapower(
        cls,
        net: Any,
        dynamics: Literal["templates"] | Mapping[str, pd.DataFrame] = "templates",
        name: str = "",
        title: str = "",
    ) -> Case:
        """A case from your own pandapower net. The net is copied.

        dynamics  "templates": typical machines, exciters and governors by unit size, stated as such in `notes`;
                  or your own tables by model name, each with a column `unit`; an empty dict for steady-state work.

        Raises CaseError for elements without a dynamic counterpart and for faults in the tables.
        """
        from gridai.casetemplates import feeder_profile, with_templates
        from gridai.grid.tables import keyed_copy

        own = keyed_copy(net)
        label = name or str(own.name or "") or "my_net"
        provenance = {"citation": "a pandapower net given by the user"}
        profile = feeder_profile(own, float(own.f_hz))
        defaults = {"profile": profile} if profile else {}
        case = cls(label, title or label, float(own.f_hz), own, {}, (), provenance, defaults=defaults)
        if isinstance(dynamics, str):
            if dynamics != "templates":
                raise CaseError(near(dynamics, ["templates"], "kind of dynamics") + ", or give a dict of tables")
            tables, own, notes = with_templates(case)
            provenance["dynamics"] = "TEMPLATES: typical values by unit size, not data of these machines; see notes"
            if profile:
                notes = (*notes, f"profile {profile} unless another is named: most buses are at up to 36 kV")
            return replace(case, net=own, dynamics=tables, notes=notes)
        return replace(case, dynamics=casefile.checked_dynamics(dynamics, own, f"case '{label}'"))


def _stacked(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([first, second], ignore_index=True)


def _power_of(cluster: Any) -> tuple[float, float]:
    """P and Q of a cluster, checked."""
    values = []
    for name in ("p_mw", "q_mvar"):
        try:
            value = float(getattr(cluster, name))
        except (AttributeError, TypeError, ValueError) as error:
            raise CaseError(f"the cluster must have a number {name}: {error}") from error
        if not abs(value) < float("inf") or (name == "p_mw" and value < 0.0):
            raise CaseError(f"the cluster's {name} = {value} must be a finite number, P not negative")
        values.append(value)
    return values[0], values[1]


def load_case(name_or_path: str | Path) -> Case:
    """Read a bundled case by name, or a case folder by path.

    Raises UnknownNameError listing the near names; CaseError with every fault of the files, each with file, row,
    field, value and remedy.
    """
    parts = casefile.read_case(casefile.find_case(name_or_path))
    clusters = parts.pop("clusters")
    case = Case(**parts)
    for placed in clusters:
        case = case.with_cluster(**placed)
    return case


def bundled_cases() -> dict[str, Path]:
    """Name to folder of the cases that come with gridai. Reads no case and loads no pandapower."""
    return casefile.bundled_cases()


def where(table: pd.DataFrame, position: int) -> tuple[str, int]:
    """File and line number of row `position` (0, 1, ...) of a dynamics or network table, for messages.

    Tables that did not come from a file count from line 2, as if saved.
    """
    rows = table.attrs.get("rows")
    file = str(table.attrs.get("file", "dynamics"))
    return file, int(rows[position]) if rows and position < len(rows) else position + 2


__all__ = ["Balance", "Case", "Placement", "bundled_cases", "load_case", "where"]
