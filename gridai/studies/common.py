"""What studies share: fields with meaning, unit and range, and their checks; the cluster, the buses, the provenance.

Importing this file loads the standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, fields
from typing import TYPE_CHECKING, Any

from gridai.errors import Problems, SettingError, UnknownNameError, near

if TYPE_CHECKING:
    from gridai.case import Case, Placement
    from gridai.criteria import Profile
    from gridai.reports import Table
    from gridai.results import Result


def setting(
    default: Any,
    unit: str,
    text: str,
    above: float | None = None,
    least: float | None = None,
    endless: bool = False,
    choices: tuple[str, ...] = (),
) -> Any:
    """A field of a study: default, unit, meaning, and its range: above or at least; endless: infinity is allowed."""
    rules = {"above": above, "least": least, "endless": endless, "choices": choices}
    return field(default=default, metadata={"help": text, "unit": unit, **rules})


def required(text: str) -> Any:
    """A field of a study that must be given: a name."""
    return field(metadata={"help": text, "unit": ""})


def check_fields(study: Any, found: Problems) -> None:
    """Note every field that is no number where one is meant, NaN, outside its range or not among its choices."""
    for f in fields(study):
        value, rule = getattr(study, f.name), f.metadata
        if rule.get("choices"):
            if value not in rule["choices"]:
                found.add(_name(study), None, f.name, value, near(value, rule["choices"], f.name))
        elif str(f.type).startswith("tuple[float"):
            for number in value if isinstance(value, tuple) else (value,):
                _check_number(study, found, f.name, number, rule, whole=False)
        elif "str" not in str(f.type) and "bool" not in str(f.type) and not (value is None and "None" in str(f.type)):
            _check_number(study, found, f.name, value, rule, whole=str(f.type).startswith("int"))


def _name(study: Any) -> str:
    return type(study).__name__.lower()


def _check_number(study: Any, found: Problems, name: str, value: Any, rule: Mapping[str, Any], whole: bool) -> None:
    number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    endless = number and rule["endless"] and value == math.inf
    low, strict = (rule["above"], True) if rule["above"] is not None else (rule["least"], False)
    low = -math.inf if low is None else low
    good = number and (math.isfinite(value) or endless) and (value > low if strict else value >= low)
    if not good:
        kind = "a whole number" if whole else "a finite number" if value in (math.inf, -math.inf) else "a number"
        bound = "" if low == -math.inf else f"above {low:g}" if strict else f"of {low:g} or more"
        found.add(_name(study), None, name, value, " ".join(f"give {kind} {bound} {rule['unit']}".split()))


def check_study(study: Any) -> None:
    """check_fields, and one SettingError with all that was found."""
    found = Problems(f"study {_name(study)}")
    check_fields(study, found)
    found.raise_if_any(SettingError)


def placement_of(case: Case, name: str | None) -> Placement:
    """The cluster that a study plays with: the named one, or the only one."""
    placed = {placement.name: placement for placement in case.placements}
    if not placed:
        raise SettingError(
            f"case '{case.name}' holds no cluster: place one with case.with_cluster(Cluster.of('H100', count=100_000), "
            "bus=...), or on the command line with --bus, --hardware and --count"
        )
    if name is None:
        if len(placed) > 1:
            names = ", ".join(placed)
            raise SettingError(f"cluster: the case holds {names}; name the one that is meant by `cluster` (--cluster)")
        return case.placements[0]
    if name not in placed:
        raise UnknownNameError(near(name, placed, "cluster"))
    return placed[name]


def bus_of(case: Case, bus: str | int) -> str:
    """The bus that a word means: a bus key, else a number that is pandapower's index."""
    if str(bus) not in case.buses and str(bus).isdecimal():
        return case.resolve_bus(int(bus))
    return case.resolve_bus(bus)


def profile_of(case: Case, name: str) -> Profile:
    """The criteria profile that a study's field means; "default" is the case's own, else that of its frequency.

    Raises UnknownNameError listing near names, SettingError for a profile of another frequency.
    """
    from gridai import criteria

    chosen = case.defaults.get("profile", name) if name == "default" else name
    return criteria.load_profile(str(chosen), case.f_hz)


def usual_high_mw(case: Case, usual_mw: float) -> float:
    """Upper end of a search for a load: the usual one, on a feeder at most twice what can leave its source. [MW]"""
    from gridai.grid.headroom import supply_mva

    return min(usual_mw, 2.0 * supply_mva(case.net))


def add_places(result: Result, case: Case) -> None:
    """What the figures and the criteria need to know of buses: which carry clusters, and the nominal voltages."""
    result.meta["cluster_bus"] = {placement.name: placement.bus for placement in case.placements}
    result.meta["bus_kv"] = {key: float(case.net.bus.at[index, "vn_kv"]) for key, index in case.buses.items()}


def redispatch_tables(case: Case) -> dict[str, Table]:
    """The redispatch that placing the clusters made; empty without a cluster."""
    from gridai.reports import Table

    frame = case.redispatch
    if frame.empty:
        return {}
    rows = tuple(tuple(row) for row in frame.round(3).itertuples(index=False))
    return {"redispatch": Table("redispatch for the cluster", tuple(str(c) for c in frame.columns), rows)}


def provenance_of(case: Case, result: Result, profile: Profile | None = None) -> dict[str, Any]:
    """Versions, case, clusters, profile and engine of a run."""
    from gridai.studies.provenance import case_data, versions

    clusters = [f"{p.name}: {p.cluster} at bus {p.bus}, balance {p.balance}" for p in case.placements]
    return {
        **versions(),
        "case": case.name,
        "case_title": case.title,
        "case_source": dict(case.provenance),
        **case_data(case),
        "f_hz": case.f_hz,
        "clusters": clusters,
        "profile": profile.name if profile else "",
        "profile_title": profile.title if profile else "",
        "engine": {key: result.meta[key] for key in ("step_s", "steps", "decimate", "notes") if key in result.meta},
    }


def phase_notes(case: Case) -> tuple[str, ...]:
    """What a balanced study says of a net with loads by phase."""
    tables = (case.net.get(name) for name in ("asymmetric_load", "asymmetric_sgen"))
    count = sum(int(t["in_service"].astype(bool).sum()) for t in tables if t is not None and len(t))
    if not count:
        return ()
    return (f"{count} elements draw or feed by phase; here the sum of their phases is balanced, so one phase can be "
            "past its limit where this passes: ask the study unbalanced",)  # fmt: skip
