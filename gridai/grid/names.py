"""One unique key for each bus, unit, load and branch.

A bus is called by its name, else by its number; equal names get kV or number added. Elements without a
name get one from their buses ("16-17", "gen 30"). The same net always gives the same keys, and a net
whose `name` columns already hold the keys keeps them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

LOADS = ("load", "storage", "motor", "ward", "asymmetric_load", "asymmetric_sgen")  # an sgen by phase draws less
# Tables whose names must differ from each other: units, loads, branches, and each of the rest alone.
NAMESPACES = (
    ("ext_grid", "gen", "sgen"),
    LOADS,
    ("line", "trafo", "trafo3w", "impedance", "switch"),
    ("shunt",),
    ("xward",),
)

_ENDS = {
    "line": ("from_bus", "to_bus"),
    "impedance": ("from_bus", "to_bus"),
    "trafo": ("hv_bus", "lv_bus"),
    "trafo3w": ("hv_bus", "mv_bus", "lv_bus"),
}


def text_of(name: Any) -> str:
    """A name as text: None, NaN and blanks give "", whole floats lose their ".0"."""
    if name is None or name != name:
        return ""
    if isinstance(name, float) and name.is_integer():
        name = int(name)
    text = str(name).strip()
    return "" if text in {"None", "nan", "<NA>"} else text


def bus_keys(names: Iterable[Any], index: Sequence[int], vn_kv: Sequence[float]) -> tuple[str, ...]:
    """Unique keys of the buses, in table order. Equal names get "(230 kV)", or "(bus 7)" where kV does not tell."""
    plain = [text_of(name) or str(number) for name, number in zip(names, index, strict=True)]
    count = Counter(plain)
    with_kv = [f"{name} ({kv:g} kV)" for name, kv in zip(plain, vn_kv, strict=True)]
    count_kv = Counter(with_kv)
    keys = []
    for name, kv_name, number in zip(plain, with_kv, index, strict=True):
        if count[name] == 1:
            keys.append(name)
        elif count_kv[kv_name] == 1 and kv_name not in count:
            keys.append(kv_name)
        else:
            keys.append(f"{name} (bus {number})")
    return _settled(keys)


def _settled(keys: list[str]) -> tuple[str, ...]:
    """Add an ordinal to keys that still collide (a name that looks like another one's made-up key)."""
    seen: set[str] = set()
    out = []
    for key in keys:
        trial, number = key, 2
        while trial in seen:
            trial, number = f"{key} ({number})", number + 1
        seen.add(trial)
        out.append(trial)
    return tuple(out)


def bus_keys_of(net: Any) -> dict[int, str]:
    """pandapower bus index to key."""
    bus = net.bus
    index = [int(i) for i in bus.index]
    names = bus["name"].tolist() if "name" in bus.columns else [None] * len(bus)
    return dict(zip(index, bus_keys(names, index, bus["vn_kv"].tolist()), strict=True))


def element_names(net: Any) -> dict[str, tuple[str, ...]]:
    """Unique names of all elements, one tuple a table in table order; unique within each of NAMESPACES."""
    keys = bus_keys_of(net)
    out: dict[str, tuple[str, ...]] = {"bus": tuple(keys.values())}
    for tables in NAMESPACES:
        proposed = {table: _proposed(net, table, keys) for table in tables if table in net and len(net[table])}
        flat = [name for names in proposed.values() for name in names]
        unique = iter(_numbered(flat))
        for table, names in proposed.items():
            out[table] = tuple(next(unique) for _ in names)
    return out


def _numbered(names: list[str]) -> tuple[str, ...]:
    """Equal names get " (1)", " (2)", ... in order."""
    count = Counter(names)
    used: Counter[str] = Counter()
    out = []
    for name in names:
        used[name] += 1
        out.append(name if count[name] == 1 else f"{name} ({used[name]})")
    return _settled(out)


def _proposed(net: Any, table: str, keys: dict[int, str]) -> list[str]:
    rows = net[table]
    names = [text_of(n) for n in rows["name"]] if "name" in rows.columns else [""] * len(rows)
    if all(names):
        return names
    return [name or made for name, made in zip(names, _made_up(rows, table, keys), strict=True)]


def _made_up(rows: Any, table: str, keys: dict[int, str]) -> list[str]:
    if table in _ENDS:
        ends = [rows[column].tolist() for column in _ENDS[table]]
        prefix = "" if table == "line" else f"{table} "
        return [prefix + "-".join(keys.get(int(b), str(b)) for b in row) for row in zip(*ends, strict=True)]
    return [f"{table} {keys.get(int(b), str(b))}" for b in rows["bus"].tolist()]


def resolve(asked: str | int, keys: dict[int, str]) -> str:
    """The bus key for a key or a pandapower index.

    Raises UnknownNameError listing near names, AmbiguousNameError listing the candidates of a repeated name.
    """
    from gridai.errors import AmbiguousNameError, UnknownNameError, near

    if not isinstance(asked, str):
        if asked in keys:
            return keys[int(asked)]
        span = f"{min(keys, default=0)} to {max(keys, default=0)}"
        raise UnknownNameError(near(str(asked), keys.values(), "bus", f"a pandapower index from {span}"))
    key = asked.strip()
    if key in keys.values():
        return key
    candidates = [f"'{k}'" for k in keys.values() if k.startswith(f"{key} (")]
    if key and len(candidates) > 1:
        raise AmbiguousNameError(f"bus '{key}' fits {len(candidates)} buses: {', '.join(candidates)}; name one of them")
    hint = ""
    if key.isdigit() and int(key) in keys:
        hint = f" (text is a name; pandapower index {key} is bus '{keys[int(key)]}': write that name, or the integer)"
    raise UnknownNameError(near(key, keys.values(), "bus") + hint)
