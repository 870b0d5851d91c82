"""Tables of `contingency`: the islands of every outage that parts the grid, who takes over a slack, restoration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.grid.contingency import power_at
from gridai.reports import Table
from gridai.studies.contingency_words import held_by, name_of, outage_of

if TYPE_CHECKING:
    from gridai.grid.restore import Restored
    from gridai.grid.security import Security

LISTED = 60
UNRATED_PERCENT = 0.05
"""The highest loading of all is below this only where no branch states a rating. [%]"""


def islands(found: Security, flow: Any, most: int = LISTED) -> Table:
    """Every island of every outage that parts buses from the slack: does it live, by whom, or what is lost."""
    split = sorted(found.islands, key=lambda k: (-_number(found.lost_load_mw[k]), k))
    load, given = power_at(flow, "load"), [power_at(flow, t) for t in ("gen", "ext_grid", "sgen")]
    rows, count = [], 0
    for k in split:
        references = iter(found.reference_mw.get(k, ()))
        for island in found.islands[k]:
            if not island.buses:
                continue  # the open end of a line
            count += 1
            text = held_by(flow, island, next(references, float("nan"))) if island.lives else island.why
            mw = sum(load.get(bus, 0.0) for bus in island.buses)
            units = sum(power.get(bus, 0.0) for power in given for bus in island.buses)
            rows.append((outage_of(flow, found, k), _buses(flow, island.buses), str(len(island.buses)),
                         "lives" if island.lives else "dead", _mw(mw), _mw(units), text))  # fmt: skip
    title = "islands beside the slack's, the outage that loses most load first"
    title += f": {most} of {count:,}" if count > most else ""
    columns = ("outage", "island", "buses", "state", "load MW", "generation MW before", "why, and who holds it")
    return Table(title, columns, tuple(rows[:most]))


def slacks(found: Security, flow: Any) -> Table:
    """Outages of a unit at the slack: who takes the reference."""
    rows = []
    for k in sorted(found.moved)[:LISTED]:
        unit, short = found.moved[k]
        who = name_of(flow, *unit) if unit is not None else "another slack stays"
        rows.append((outage_of(flow, found, k), who, f"{short:.1f}"))
    columns = ("outage", "reference", "beyond all headroom MW")
    return Table("outages of a unit at the slack: what it gave is shared by headroom", columns, tuple(rows))


def restoration(found: Security, flow: Any, restored: list[Restored], ties: int) -> Table:
    """The best tie to close after each outage that cuts load off."""
    rows = []
    for x in restored:
        cells = [outage_of(flow, found, x.outage), f"{x.lost_mw:.3f}"]
        if x.tie is None:
            rows.append((*cells, "none", "0.000", f"{x.lost_mw:.3f}", "", "", "", "", x.why))
            continue
        branch = "" if x.branch is None or not x.percent >= UNRATED_PERCENT else name_of(flow, *x.branch)
        percent = f"{x.percent:.1f}" if branch else ""
        limits = "kept" if not x.beyond else f"{x.beyond} beyond"
        bus = "" if x.bus is None else name_of(flow, "bus", x.bus)
        rows.append((*cells, name_of(flow, *x.tie.element), f"{x.restored_mw:.3f}",
                     f"{max(x.lost_mw - x.restored_mw, 0.0):.3f}", percent, branch, f"{x.vm_low:.4f}", bus,
                     f"{limits}; {x.tried} tried"))  # fmt: skip
    columns = ("outage", "load lost MW", "close", "restored MW", "still lost MW", "highest loading %", "at",
               "lowest voltage pu", "bus", "limits")  # fmt: skip
    word = "tie" if ties == 1 else "ties"
    return Table(f"restoration by closing one of {ties} open {word}, the best for each outage", columns, tuple(rows))


def _buses(flow: Any, buses: tuple[int, ...]) -> str:
    names = [name_of(flow, "bus", bus).removeprefix("bus ") for bus in buses[:4]]
    return ", ".join(names) + (f" and {len(buses) - 4} more" if len(buses) > 4 else "")


def _mw(mw: float) -> str:
    return f"{mw:.1f}" if abs(mw) >= 10.0 or mw == 0.0 else f"{mw:.3f}"


def _number(value: Any) -> float:
    return float(value) if np.isfinite(value) else 0.0
