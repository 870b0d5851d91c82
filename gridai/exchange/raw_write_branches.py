"""Branch and transformer records of a RAW file of version 33, all impedances in pu on system base."""

from __future__ import annotations

import math
import re
from typing import Any

from gridai import units as base
from gridai.errors import Problems
from gridai.exchange.psse_ids import Ids
from gridai.grid.names import bus_keys_of, element_names

_WINDING = re.compile(r"(.+) winding ([123])")
_END = "0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0, 0, 0"


def _text(value: Any) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def check_branches(net: Any, found: Problems) -> None:
    """Note branches that a RAW record cannot hold."""
    names = element_names(net)
    for name, row in zip(names.get("impedance", ()), net.impedance.to_dict("records"), strict=True):
        if (row["rft_pu"], row["xft_pu"]) != (row["rtf_pu"], row["xtf_pu"]):
            found.add("net.impedance", None, name, None, "differs by direction: a RAW branch has one impedance")
    for name, row in zip(names.get("switch", ()), net.switch.to_dict("records"), strict=True):
        if row["et"] != "b" and not row["closed"]:
            found.add("net.switch", None, name, None, "is open at one end of a branch: take the branch out of service")
        if row["et"] == "b" and row["z_ohm"]:
            found.add("net.switch", None, name, row["z_ohm"], "has an impedance: draw it as an `impedance`")
    for name, row in zip(names.get("trafo", ()), net.trafo.to_dict("records"), strict=True):
        if _tap(row) is None:
            remedy = "has a tap changer of this kind: fold its ratio and angle into vn_hv_kv and shift_degree"
            found.add("net.trafo", None, name, row.get("tap_changer_type"), remedy)


def _tap(row: dict[str, Any], side: str = "") -> float | None:
    """Factor that a ratio tap puts on the voltage of a side; None if the tap changer is of another kind."""
    position, neutral = row.get("tap_pos"), row.get("tap_neutral")
    kind = row.get("tap_changer_type")
    if position is None or position != position or position == neutral or not isinstance(kind, str):
        return 1.0
    degree, step = row.get("tap_step_degree"), row.get("tap_step_percent")
    if (
        kind != "Ratio"
        or (degree is not None and degree == degree and degree != 0.0)
        or row.get("tap2_pos", 0) not in (0, None)
    ):
        return None
    return 1.0 + (position - neutral) * step / 100.0 if row.get("tap_side") == side else 1.0


def branch_lines(net: Any, ids: Ids) -> list[str]:
    """Lines, impedances and bus-bus switches."""
    names, s, f_hz = element_names(net), float(net.sn_mva), float(net.f_hz)
    lines = []
    for name, row in zip(names.get("line", ()), net.line.to_dict("records"), strict=True):
        kv, many = float(net.bus.at[row["from_bus"], "vn_kv"]), row["parallel"]
        zb = base.z_base_ohm(kv, s)
        r, x = (row[f"{c}_ohm_per_km"] * row["length_km"] / many / zb for c in "rx")
        b = base.b_pu_from_line_nf(row["c_nf_per_km"] * row["length_km"] * many, kv, s, f_hz)
        g = row.get("g_us_per_km", 0.0) * row["length_km"] * many * 1e-6 * zb / 2.0
        ka = row["max_i_ka"]
        mva = base.mva_from_ka(ka * row["df"] * many, kv) if ka is not None and ka == ka else 0.0
        lines.append(_branch(ids.branch[name], (r, x, b), mva, (g, 0.0, g, 0.0), row["in_service"]))
    for name, row in zip(names.get("impedance", ()), net.impedance.to_dict("records"), strict=True):
        factor = s / row["sn_mva"]
        own = tuple(row[c] / factor for c in ("gf_pu", "bf_pu", "gt_pu", "bt_pu"))
        z = (row["rft_pu"] * factor, row["xft_pu"] * factor, 0.0)
        lines.append(_branch(ids.branch[name], z, 0.0, own, row["in_service"]))
    for name, row in zip(names.get("switch", ()), net.switch.to_dict("records"), strict=True):
        if row["et"] == "b":
            lines.append(_branch(ids.branch[name], (0.0, 0.0, 0.0), 0.0, (0.0,) * 4, row["closed"]))
    return lines


def _branch(
    ends: tuple[int, int, str], z: tuple[float, float, float], mva: float, own: tuple[float, ...], on: bool
) -> str:
    numbers = ", ".join(_text(v) for v in (*z, mva, 0.0, 0.0, *own))
    return f"{ends[0]}, {ends[1]}, '{ends[2]}', {numbers}, {int(on)}, 1, 0, 1, 1"


def star_buses(net: Any) -> set[int]:
    """Buses where the windings of an imported three-winding transformer meet, and nothing else."""
    keys = bus_keys_of(net)
    starred = {index for index, key in keys.items() if key.startswith("star ")}
    for table, columns in (
        ("line", ("from_bus", "to_bus")), ("impedance", ("from_bus", "to_bus")), ("load", ("bus",)), ("gen", ("bus",)),
        ("sgen", ("bus",)), ("ext_grid", ("bus",)), ("shunt", ("bus",)), ("switch", ("bus",)), ("trafo", ("hv_bus",)),
    ):  # fmt: skip
        for column in columns:
            starred -= set(net[table][column].tolist())
    groups = _windings(net)
    return {index for index in starred if len(groups.get(keys[index].removeprefix("star "), {})) == 3}


def _windings(net: Any) -> dict[str, dict[int, dict[str, Any]]]:
    """Rows of the trafo table that are windings, by transformer and winding."""
    out: dict[str, dict[int, dict[str, Any]]] = {}
    for name, row in zip(element_names(net).get("trafo", ()), net.trafo.to_dict("records"), strict=True):
        match = _WINDING.fullmatch(name)
        if match:
            out.setdefault(match.group(1), {})[int(match.group(2))] = row
    return out


def magnetising(net: Any) -> dict[str, str]:
    """Name of a shunt to the transformer whose magnetising branch it is."""
    trafos = element_names(net).get("trafo", ())
    known = {*trafos, *(m.group(1) for m in map(_WINDING.fullmatch, trafos) if m)}
    out = {}
    for name in element_names(net).get("shunt", ()):
        owner = name.removeprefix("magnetising ")
        if owner != name and owner in known:
            out[name] = owner
    return out


def transformer_lines(net: Any, ids: Ids, stars: set[int], notes: list[str]) -> list[str]:
    """Transformers of two windings, and those of three whose star bus was made on import."""
    s = float(net.sn_mva)
    shunt = dict(zip(element_names(net).get("shunt", ()), net.shunt.to_dict("records"), strict=True))
    own = {owner: (shunt[n]["p_mw"] / s, -shunt[n]["q_mvar"] / s) for n, owner in magnetising(net).items()}
    lines, approximate, done = [], 0, set()
    keys, groups = bus_keys_of(net), _windings(net)
    for name, row in zip(element_names(net).get("trafo", ()), net.trafo.to_dict("records"), strict=True):
        if int(row["lv_bus"]) in stars:
            whole = keys[int(row["lv_bus"])].removeprefix("star ")
            if whole not in done:
                lines += _three(net, ids, whole, groups[whole], own.get(whole, (0.0, 0.0)))
                done.add(whole)
            continue
        g, b = own.get(name, (0.0, 0.0))
        if row["pfe_kw"] or row["i0_percent"]:
            approximate += 1
            g += row["pfe_kw"] / 1e3 / s * row["parallel"]
            y = row["i0_percent"] / 100.0 * row["sn_mva"] * row["parallel"] / s
            b -= math.sqrt(max(y * y - g * g, 0.0))
        start, end, circuit = ids.branch[name]
        lines += [
            _head(f"{start}, {end}, 0", circuit, g, b, int(row["in_service"])),
            f"{_complex(_impedance(row, s))}, {_text(row['sn_mva'])}",
            _winding(net, row, "hv", row["shift_degree"]),
            f"{_text(_ratio(net, row, 'lv'))}, 0",
        ]
    if approximate:
        notes.append(
            f"{approximate} transformers: magnetising branch moved from the middle to the first bus, as PSS/E has it"
        )
    return lines


def _head(buses: str, circuit: str, g: float, b: float, status: int) -> str:
    return f"{buses}, '{circuit}', 1, 1, 1, {_text(g)}, {_text(b)}, 2, '', {status}, 1, 1"


def _complex(z: complex) -> str:
    return f"{_text(z.real)}, {_text(z.imag)}"


def _impedance(row: dict[str, Any], s: float) -> complex:
    """Impedance in pu on system base and the winding's own voltages."""
    scale = s / row["sn_mva"] / 100.0 / row["parallel"]
    x = math.sqrt(max(row["vk_percent"] ** 2 - row["vkr_percent"] ** 2, 0.0))
    return complex(row["vkr_percent"], math.copysign(x, row["vk_percent"])) * scale


def _ratio(net: Any, row: dict[str, Any], side: str) -> float:
    return float(row[f"vn_{side}_kv"] * (_tap(row, side) or 1.0) / net.bus.at[row[f"{side}_bus"], "vn_kv"])


def _winding(net: Any, row: dict[str, Any], side: str, degree: float) -> str:
    stated = row.get("rating_mva", row["sn_mva"] * row["df"] * row["parallel"])
    mva = 0.0 if stated is None or stated != stated else stated
    return f"{_text(_ratio(net, row, side))}, 0, {_text(degree)}, {_text(mva)}, 0, 0, {_END}"


def _three(net: Any, ids: Ids, name: str, rows: dict[int, dict[str, Any]], own: tuple[float, float]) -> list[str]:
    s = float(net.sn_mva)
    z = {k: _impedance(rows[k], s) for k in (1, 2, 3)}
    off = [k for k in (1, 2, 3) if not rows[k]["in_service"]]
    status = 1 if not off else {1: 4, 2: 2, 3: 3}[off[0]] if len(off) == 1 else 0
    buses = ", ".join(str(ids.number[int(rows[k]["hv_bus"])]) for k in (1, 2, 3))
    pairs = (z[1] + z[2], z[2] + z[3], z[3] + z[1])
    sn = _text(rows[1]["sn_mva"])
    return [
        _head(buses, name.rpartition(" ")[2], *own, status),
        ", ".join(f"{_complex(pair)}, {sn}" for pair in pairs) + ", 1, 0",
        *(_winding(net, rows[k], "hv", rows[k]["shift_degree"]) for k in (1, 2, 3)),
    ]
