"""Bus numbers and ids for a case that goes out to PSS/E; those of an imported case come back as they were."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gridai.grid.names import bus_keys_of, element_names
from gridai.grid.raw_numbers import has_numbers

MOST_NUMBER = 999997
_ALPHABET = "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Ids:
    """How PSS/E will call things.

    number  pandapower bus index to bus number
    bus     bus number to the name that goes into the file
    unit    name of a unit to (bus number, id)
    load    name of a load to (bus number, id); the parts of one imported load share an id
    shunt   name of a shunt to (bus number, id)
    branch  name of a branch to (from number, to number, circuit)
    """

    number: dict[int, int]
    bus: dict[int, str]
    unit: dict[str, tuple[int, str]]
    load: dict[str, tuple[int, str]]
    shunt: dict[str, tuple[int, str]]
    branch: dict[str, tuple[int, int, str]]


def ids_of(net: Any) -> Ids:
    """Numbers and ids of a net."""
    names = element_names(net)
    number = _numbers(net)
    units = [
        (name, number[int(bus)])
        for table in ("ext_grid", "gen", "sgen")
        for name, bus in zip(names.get(table, ()), net[table]["bus"], strict=True)
    ]
    load = [(n, number[int(b)]) for n, b in zip(names.get("load", ()), net.load["bus"], strict=True)]
    shunt = [(n, number[int(b)]) for n, b in zip(names.get("shunt", ()), net.shunt["bus"], strict=True)]
    return Ids(
        number,
        _bus_names(net, number),
        _assigned(units, r"{bus} (\S{{1,2}})"),
        _assigned(load, r"load {bus} (\S{{1,2}})(?: (?:power|current|admittance))?"),
        _assigned(shunt, r"shunt {bus} (\S{{1,2}})"),
        _branches(net, names, number),
    )


def _numbers(net: Any) -> dict[int, int]:
    """The numbers the net states, else names that are numbers, else index + 1."""
    index = [int(i) for i in net.bus.index]
    if has_numbers(net):
        return dict(zip(index, net.bus["number"].astype(int).tolist(), strict=True))
    keys = list(bus_keys_of(net).values())
    if all(re.fullmatch(r"[1-9]\d{0,5}", key, re.ASCII) and int(key) <= MOST_NUMBER for key in keys):
        return dict(zip(index, map(int, keys), strict=True))
    return dict(zip(index, range(1, len(index) + 1), strict=True))


def _bus_names(net: Any, number: dict[int, int]) -> dict[int, str]:
    """Names for the file: a key made of a repeated name and the number becomes that name again, a number blank."""
    keys = {number[index]: key for index, key in bus_keys_of(net).items()}
    short = {n: key.removesuffix(f" ({n})") for n, key in keys.items()}
    whole = {short[n] for n, key in keys.items() if short[n] == key}
    count: dict[str, int] = {}
    for name in short.values():
        count[name] = count.get(name, 0) + 1
    out = {}
    for n, key in keys.items():
        repeated = short[n] != key and short[n] not in whole and count[short[n]] > 1
        out[n] = "" if key == str(n) else short[n] if repeated else key
    return out


def _assigned(elements: Iterable[tuple[str, int]], pattern: str) -> dict[str, tuple[int, str]]:
    """Ids by name: what the name of an imported element says, else the next free one of its bus."""
    out: dict[str, tuple[int, str]] = {}
    taken: set[tuple[int, str]] = set()
    rest = []
    for name, bus in elements:
        match = re.fullmatch(pattern.format(bus=bus), name)
        if match:
            out[name] = (bus, match.group(1))
            taken.add(out[name])
        else:
            rest.append((name, bus))
    for name, bus in rest:
        out[name] = (bus, _free(bus, taken))
        taken.add(out[name])
    return out


def _free(place: Any, taken: set[Any]) -> str:
    pairs = (a + b for a in _ALPHABET for b in _ALPHABET)
    return next(ident for ident in (*_ALPHABET, *pairs) if (place, ident) not in taken)


def _branches(net: Any, names: dict[str, tuple[str, ...]], number: dict[int, int]) -> dict[str, tuple[int, int, str]]:
    """Circuits of lines, impedances, transformers and bus-bus switches; unique for a pair of buses."""
    ends = []
    for table, a, b in (
        ("line", "from_bus", "to_bus"),
        ("impedance", "from_bus", "to_bus"),
        ("trafo", "hv_bus", "lv_bus"),
    ):
        ends += list(zip(names.get(table, ()), net[table][a].tolist(), net[table][b].tolist(), strict=True))
    if len(net.switch):
        between = (net.switch["et"] == "b").to_numpy()
        rows = zip(names["switch"], between, net.switch["bus"].tolist(), net.switch["element"].tolist(), strict=True)
        ends += [(name, a, b) for name, bus_bus, a, b in rows if bus_bus]
    out: dict[str, tuple[int, int, str]] = {}
    taken: set[tuple[tuple[int, ...], str]] = set()
    rest = []
    for name, a, b in ends:
        start, end = number[int(a)], number[int(b)]
        match = re.fullmatch(rf"{start}-{end} (\S{{1,2}})", name)
        pair = tuple(sorted((start, end)))
        if match and (pair, match.group(1)) not in taken:
            out[name] = (start, end, match.group(1))
            taken.add((pair, match.group(1)))
        else:
            rest.append((name, start, end, pair))
    for name, start, end, pair in rest:
        out[name] = (start, end, _free(pair, taken))
        taken.add((pair, out[name][2]))
    return out
