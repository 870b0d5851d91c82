"""Single figures of a study that belong to no time series: a loadability margin, a short-circuit ratio, an error.

They stand under `Result.meta["scalars"]` as plain data, are saved with the result, and criteria judge the worst one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from gridai.results.result import Result


@dataclass(frozen=True)
class Scalar:
    """One figure: what ("short_circuit_ratio"), of which element, how much in which unit.

    t_s   instant that belongs to it; NaN where none does. [s]
    note  what the reader should know.
    """

    quantity: str
    element: str
    value: float
    unit: str
    t_s: float = float("nan")
    note: str = ""


def add_scalars(result: Result, found: Iterable[Scalar]) -> Result:
    """Add figures to a result, in place; returns it."""
    rows = [asdict(scalar) for scalar in found]
    for row in rows:
        row["t_s"] = None if row["t_s"] != row["t_s"] else row["t_s"]
    result.meta["scalars"] = [*result.meta.get("scalars", ()), *rows]
    return result


def scalars_of(result: Result, quantity: str) -> tuple[Scalar, ...]:
    """The figures of one quantity that a result holds, in the order in which they were added."""
    nan = float("nan")
    found = [row for row in result.meta.get("scalars", ()) if row["quantity"] == quantity]
    return tuple(Scalar(**{**row, "t_s": nan if row["t_s"] is None else float(row["t_s"])}) for row in found)
