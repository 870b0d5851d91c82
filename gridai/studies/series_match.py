"""A profile's columns matched to the elements of a net, and checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError, near
from gridai.grid.convert import sums_of_phases
from gridai.studies.series_input import Column

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.studies.series_play import Play

Floats = NDArray[np.float64]
THOUSAND = (300.0, 3000.0)


def place(play: Play, case: Case, column: Column, values: Floats, check: bool) -> None:
    """Put a column into what varies. Raises CaseError for elements that are not there and units that look wrong."""
    net = play.flow.net
    if column.table == "cluster":
        own = {p.name: i for p, i in zip(case.placements, play.clusters, strict=True)}
        chosen = own if column.name == "*" else {column.name: own[column.name]} if column.name in own else {}
        if not chosen:
            raise CaseError(f"{column.file}: column '{column.title}': {near(column.name, own, 'cluster')}")
        for name, index in chosen.items():
            factor = 1.0 if column.quantity == "p_mw" else float(net.load.at[index, "p_mw"])
            if column.quantity == "sc_mva":
                play.strength[index] = values
                continue
            if column.quantity not in ("p_mw", "factor"):
                raise CaseError(f"{column.file}: column '{column.title}': a cluster takes p_mw, factor or sc_mva")
            _check(column, values * factor, float(net.load.at[index, "p_mw"]), check)
            put_cluster(play, index, values * factor, name)
        return
    rows = net[column.table]
    names = {str(name): int(i) for i, name in rows["name"].items()}
    skip = set(play.clusters) if column.table == "load" else set()
    chosen_rows = [int(i) for i in rows.index if i not in skip] if column.name == "*" else [
        names[column.name]] if column.name in names else []  # fmt: skip
    if not chosen_rows:
        raise CaseError(f"{column.file}: column '{column.title}': {near(column.name, names, column.table)}")
    if column.quantity == "sc_mva":
        raise CaseError(f"{column.file}: column '{column.title}': a short-circuit power belongs to a cluster: write "
                        "cluster/*/sc_mva")  # fmt: skip
    if column.table == "asymmetric_load":
        _by_phase(play, column, values, chosen_rows)
        return
    if column.quantity == "factor":
        _factor(play, column, values, chosen_rows)
        return
    if column.name == "*":
        raise CaseError(f"{column.file}: column '{column.title}': '*' goes with factor; name one {column.table}")
    if column.quantity == "p_mw":
        base = play.rated.get((column.table, chosen_rows[0]), float(rows.at[chosen_rows[0], "p_mw"]))
        _check(column, values, base, check)
    play.put(column.table, column.quantity, chosen_rows[0], values, 1.0, column.title)


def _factor(play: Play, column: Column, values: Floats, rows: Sequence[int]) -> None:
    table = play.flow.net[column.table]
    for quantity in ("p_mw", "q_mvar"):
        if quantity in table.columns and not (column.table == "gen" and quantity == "q_mvar"):
            for index in rows:
                base = float(table.at[index, quantity])
                if quantity == "p_mw":
                    base = play.rated.get((column.table, index), base)
                play.put(column.table, quantity, index, values, base, column.title)


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


def put_cluster(play: Play, index: int, mw: Floats, title: str) -> None:
    """The power of a cluster, by the row of its load, float[n] in MW; reactive power goes with it."""
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
        word = "a thousand times" if ratio > 1.0 else "a thousandth of"
        raise CaseError(f"{column.file}: column '{column.title}': its middle, {middle:.4g} MW, is {word} the case's "
                        f"{base:.4g} MW: is the unit in its name right (p_kw, p_mw)? check_units = False takes it "
                        "as it is")  # fmt: skip
