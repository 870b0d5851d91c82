"""Elements, outages and islands in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridai.grid.islanding import Island
    from gridai.grid.security import Security


def name_of(flow: Any, table: str, index: int) -> str:
    """An element in words; one without a name by its pandapower index."""
    name = str(flow.net[table].at[index, "name"])
    name = str(index) if name in ("None", "nan", "<NA>", "") else name
    return name if name.startswith(table) or name.lower().startswith(f"{table} ") else f"{table} {name}"


def outage_of(flow: Any, found: Security, k: int) -> str:
    """An outage in words."""
    return " + ".join(name_of(flow, t, i) for t, i in found.outages[k].elements)


def held_by(flow: Any, island: Island, given_mw: float) -> str:
    """Who holds a living island, and how what is short or over is shared."""
    assert island.reference is not None
    unit = name_of(flow, *island.reference)
    units = sum(abs(p) > 1e-6 for _, p in island.shares)
    most = float(flow.net.gen.at[island.reference[1], "max_p_mw"]) if "max_p_mw" in flow.net.gen.columns else None
    where = f"{given_mw:.1f} MW" + (f" of {most:.1f}" if most is not None and most == most else "")
    word = "short of" if island.short_mw > 0.0 else "over by"
    shared = f"{units} units share it by headroom" if units > 1 else "it takes it all"
    shared = shared.replace("headroom", "what they give") if island.short_mw <= 0.0 else shared
    if most is not None and given_mw > most + 0.05:
        where += ", beyond its turbines"
    return f"{word} {abs(island.short_mw):.1f} MW, {shared}; {unit} is the reference and gives {where}"
