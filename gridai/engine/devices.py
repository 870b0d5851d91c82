"""Collect the devices of a case: one for each row of each dynamic table, each load, each cluster.

Every fault of the tables is noted with file, row, field, value and remedy before one CaseError is raised.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gridai.engine.links import Links, link_columns, read_links
from gridai.errors import CaseError, Problems, UnknownNameError, near
from gridai.kernel.contract import Model
from gridai.models import catalog

UNIT_ROLES = ("machine", "converter", "exciter", "governor", "stabilizer", "plant", "electrical", "monitor")
SOURCE_ROLES = ("machine", "converter")


@dataclass(frozen=True)
class Device:
    """One unit of a model: its name, node, MVA base, parameter values, and its power in the power flow.

    p_mw, q_mvar   generated (machine, converter) or consumed (load, cluster), 0 for controllers
    owner          the cluster that a UPS group is part of; its name is then `owner/group`
    """

    name: str
    model: Model
    node: int
    mva: float
    values: dict[str, float]
    p_mw: float = 0.0
    q_mvar: float = 0.0
    file: str = ""
    row: int = 0
    links: Links = field(default_factory=Links)
    owner: str = ""


def collect(case: Any, op: Any) -> list[Device]:
    """All devices of a case at an operating point. Raises CaseError with every fault of the tables."""
    problems = Problems(f"dynamic data of case '{case.name}'")
    net = op.network
    clusters = {c.name: c.cluster for c in case.placements}
    found: list[Device] = []
    for key, table in case.dynamics.items():
        try:
            model = catalog.model(key)
        except UnknownNameError as error:
            problems.add(_file(table, key), None, "model", key, str(error))
            continue
        found += _rows(model, table, net, problems)
    found += _plain_loads(net, found, clusters)
    found += _cluster_devices(net, clusters)
    _check_sources(net, found, problems)
    _check_areas(found, problems)
    problems.raise_if_any(CaseError)
    return found


def _file(table: Any, key: str) -> str:
    return str(table.attrs.get("file", f"dynamics/{key.lower()}.csv"))


def _rows(model: Model, table: Any, net: Any, problems: Problems) -> list[Device]:
    file = _file(table, model.name)
    known = {q.name for q in model.params if not q.solved} | {"unit"} | link_columns(model)
    for column in table.columns:
        if column not in known:
            text = f"not a parameter of {model.name}; {near(column, known, 'parameter')}"
            problems.add(file, None, str(column), None, text)
    for q in model.params:
        if not q.solved and q.default is None and q.name not in table.columns:
            problems.add(file, None, q.name, None, f"add this column: {q.meaning} [{q.unit}]")
    rows = table.attrs.get("rows") or range(2, len(table) + 2)
    devices = []
    for row, record in zip(rows, table.to_dict("records"), strict=True):
        if str(record["unit"]) in net.off:
            continue
        values = _values(model, record, file, row, problems)
        links = read_links(model, record, net, file, row, problems)
        if model.on_branch:
            devices += _line_relay(model, values, net, file, row, links)
        else:
            devices += _devices_of(model, str(record["unit"]), values, net, file, row, links)
    own = {d.name for d in devices if d.row > 0}
    return [d for d in devices if d.row > 0 or d.name not in own]


def _line_relay(model: Model, values: dict[str, float], net: Any, file: str, row: int, links: Links) -> list[Device]:
    """A relay at one end of a branch; its name is `branch at bus`."""
    if links.branch < 0:
        return []
    b, (k, end) = net.branches, links.branches["branch"]
    node = int((b.from_node, b.to_node)[end][k])
    name = f"{b.name[k]} at {net.nodes[node]}"
    return [Device(name, model, node, net.s_base_mva, values, file=file, row=row, links=links)]


def _values(model: Model, record: dict[str, Any], file: str, row: int, problems: Problems) -> dict[str, float]:
    """Parameter values of one row, checked one by one and then together."""
    values: dict[str, float] = {}
    for q in model.params:
        if q.solved:
            continue
        given = record.get(q.name)
        value = float("nan") if given is None or given == "" else float(given)
        if np.isnan(value) and q.default is not None:
            value = q.default
        if np.isnan(value):
            if q.name in record:
                problems.add(file, row, q.name, given, f"give a number: {q.meaning} [{q.unit}]")
        elif not q.low <= value <= q.high:
            problems.add(file, row, q.name, value, f"must lie in [{q.low:g}, {q.high:g}] {q.unit}: {q.meaning}")
        values[q.name] = value
    if model.check is not None and not any(np.isnan(v) for v in values.values()):
        for name, complaint in model.check(values):
            problems.add(file, row, name, values.get(name), complaint)
    return values


def _devices_of(
    model: Model, unit: str, values: dict[str, float], net: Any, file: str, row: int, links: Links
) -> list[Device]:
    """The devices that one row stands for: one unit, or every load for `*`."""
    units, loads = net.units, net.loads
    if unit in units.name:
        k = units.name.index(unit)
        p, q = (float(units.p_mw[k]), float(units.q_mvar[k])) if model.role in SOURCE_ROLES else (0.0, 0.0)
        return [Device(unit, model, int(units.node[k]), float(units.sn_mva[k]), values, p, q, file, row, links)]
    picked = [k for k, name in enumerate(loads.name) if unit in (name, "*")]
    return [
        Device(
            loads.name[k],
            model,
            int(loads.node[k]),
            net.s_base_mva,
            values,
            float(loads.p_mw[k]) if model.role == "load" else 0.0,
            float(loads.q_mvar[k]) if model.role == "load" else 0.0,
            file,
            0 if unit == "*" else row,
            links,
        )
        for k in picked
    ]


def _plain_loads(net: Any, found: list[Device], clusters: dict[str, Any]) -> list[Device]:
    """Drop `*` rows where a load has its own row; give the rest the shares of the power flow's load table."""
    own = {d.name for d in found if d.model.role == "load" and d.row > 0}
    doubled = [d for d in found if d.model.role == "load" and d.row == 0 and (d.name in own or d.name in clusters)]
    for d in doubled:
        found.remove(d)
    have = {d.name for d in found if d.model.role == "load"} | set(clusters)
    if not any(name not in have for name in net.loads.name):
        return []
    zip_model = catalog.model("zip")
    defaults = {q.name: q.default or 0.0 for q in zip_model.params if not q.solved}
    loads, extra = net.loads, []
    for k, name in enumerate(loads.name):
        if name not in have:
            shares = {f: float(getattr(loads, f)[k]) for f in ("pz", "pi", "pp", "qz", "qi", "qp")}
            power = float(loads.p_mw[k]), float(loads.q_mvar[k])
            extra.append(Device(name, zip_model, int(loads.node[k]), net.s_base_mva, {**defaults, **shares}, *power))
    return extra


def _cluster_devices(net: Any, clusters: dict[str, Any]) -> list[Device]:
    """The parts of each cluster (one, or its UPS groups) on the load that stands for it in the power flow."""
    devices = []
    for name, cluster in clusters.items():
        k = net.loads.name.index(name)
        node, power = int(net.loads.node[k]), complex(net.loads.p_mw[k], net.loads.q_mvar[k])
        for part, model, values, share in cluster.electrical_groups():
            label, own = f"{name}/{part}" if part else name, share * power
            owner = name if part else ""
            devices.append(Device(label, model, node, net.s_base_mva, values, own.real, own.imag, owner=owner))
    return devices


def _check_sources(net: Any, found: list[Device], problems: Problems) -> None:
    """Every generating unit has one source model; every controller has a source to control; no unit is unknown."""
    sources: dict[str, Device] = {}
    for d in found:
        if d.model.role in SOURCE_ROLES:
            if d.name in sources:
                text = f"already has {sources[d.name].model.name} in {sources[d.name].file}; keep one"
                problems.add(d.file, d.row, "unit", d.name, text)
            sources[d.name] = d
            if not d.mva > 0.0:
                problems.add("network/gen.csv", None, "sn_mva", d.mva, f"give unit '{d.name}' its MVA base: above 0")
    for k, name in enumerate(net.units.name):
        if name not in sources:
            kind, bus = net.units.kind[k], net.nodes[net.units.node[k]]
            text = f"{kind} '{name}' at bus '{bus}' has no machine; add a row to dynamics/genrou.csv or the like"
            problems.add("dynamics", None, "unit", name, text)
    for d in found:
        if d.model.role in UNIT_ROLES and d.name not in sources:
            text = f"{d.model.name} belongs to a unit with a machine; {near(d.name, sources, 'unit')}"
            problems.add(d.file, d.row, "unit", d.name, text)
        elif d.model.role == "exciter" and "efd_pu" not in {i.name for i in sources[d.name].model.inputs}:
            text = f"{sources[d.name].model.name} has no field circuit: remove the exciter or use another machine model"
            problems.add(d.file, d.row, "unit", d.name, text)


def _check_areas(found: list[Device], problems: Problems) -> None:
    """Every unit under secondary control names an area that exists and has a governor; an area's shares sum to 1."""
    areas = {d.name: d for d in found if d.model.role == "area"}
    moved = {d.name for d in found for i in d.model.inputs if i.source == "setpoint.p_ref"}
    shares = dict.fromkeys(areas, 0.0)
    for d in (d for d in found if d.model.role == "setpoint"):
        if d.links.area not in areas:
            problems.add(d.file, d.row, "area", d.links.area, near(d.links.area, areas, "area controller"))
            continue
        shares[d.links.area] += d.values["share"]
        if d.name not in moved:
            problems.add(
                d.file, d.row, "unit", d.name, "has no governor that takes a setpoint: add one, or drop this row"
            )
    for name, total in shares.items():
        if abs(total - 1.0) > 1e-6:
            text = f"the shares of its units sum to {total:g}: they must sum to 1"
            problems.add(areas[name].file, areas[name].row, "unit", name, text)
