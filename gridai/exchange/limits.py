"""Limits that the operating point of an imported case violates.

PSS/E starts such a case, warns, and lets the limiter act, so its flat run is not flat. gridai refuses a start outside
a limit. Real planning cases hold a few such units; for these the limit is moved just past the operating point, and
every such move is reported and stands in the notes of the case.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from gridai.errors import GridaiError, InitialisationError

if TYPE_CHECKING:
    from gridai.case import Case

MARGIN = 1e-3
"""How far past the start a limit is moved, as a share of the start's value."""
ROUNDS = 8


def widened(case: Case) -> tuple[Case, list[str]]:
    """The case with violated limits moved to its operating point, and what was moved.

    A case that cannot start for another reason comes back as it is at that point, with a note that says why.
    """
    from gridai.engine import compile_system

    moved: list[str] = []
    for _ in range(ROUNDS):
        try:
            compile_system(case)
            return case, moved
        except InitialisationError as error:
            case, texts = _moved(case, error)
            if not texts:
                return case, [*moved, f"the case does not start: {error}"]
            moved += texts
        except GridaiError as error:
            return case, [*moved, f"the case does not start: {error}"]
    return case, [*moved, "the case does not start: its limits could not be fitted to the operating point"]


def _moved(case: Case, error: InitialisationError) -> tuple[Case, list[str]]:
    """Each violated limit that stands in a table, in proportion to how far the start lies outside."""
    tables, texts = dict(case.dynamics), []
    for unit, model, parameter, value, limit in error.outside:
        table = tables.get(model.lower())
        if table is None or parameter not in table.columns or not math.isfinite(value):
            continue
        before = float(table.loc[table["unit"] == unit, parameter].iloc[0])
        wanted = value + math.copysign(MARGIN * abs(value), value - limit)
        after = before * wanted / limit if limit != 0.0 and before != limit else wanted
        tables[model.lower()] = table.copy()
        tables[model.lower()].loc[table["unit"] == unit, parameter] = after
        texts.append(
            f"limit widened to the operating point: {unit} {model} {parameter} {before:g} to {after:.6g} "
            f"(starts at {value:.6g}; PSS/E starts outside and warns)"
        )
    return replace(case, dynamics=tables), texts
