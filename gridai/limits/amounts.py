"""Tolerances and margins as written: "0.002 Hz", "1 % of value", "0.01" for a plain number."""

from __future__ import annotations

import math
import re
from typing import Any

from gridai.limits.records import Amount

_AMOUNT = re.compile(r"^\s*([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\s*(.*?)\s*$")
RELATIVE = "% of value"
PLAIN = "1"
"""The unit of figures without one, as in criteria profiles."""


class AmountError(ValueError):
    """An amount that cannot be read; its text is the remedy."""


def unit_of(text: str) -> str:
    """A unit as it is compared: "" is "1"."""
    return text or PLAIN


def amount(value: Any, unit: str, relative: bool = True) -> Amount:
    """The amount that `value` means, for a figure in `unit`. Raises AmountError with what to write instead."""
    example = f'"0.01 {unit}"' if unit not in ("", PLAIN) else '"0.01"'
    ways = f'{example} or "1 {RELATIVE}"' if relative else example
    if not isinstance(value, str):
        raise AmountError(f"the unit is missing: write number and unit in quotes, as {ways}")
    match = _AMOUNT.match(value)
    if match is None or not math.isfinite(float(match.group(1))):
        raise AmountError(f"write a number of 0 or more and its unit, as {ways}")
    number, written = float(match.group(1)), match.group(2)
    if written == RELATIVE:
        if not relative:
            raise AmountError(f"write it in the unit of the figure, as {ways}")
        return Amount(number / 100.0, "", relative=True)
    if written == "" and unit != PLAIN:
        raise AmountError(f"the unit is missing: write {ways}")
    if unit and unit_of(written) != unit:
        more = f'; a share of the value is written "{value.strip()} of value"' if written == "%" else ""
        raise AmountError(f"the figure is in {unit}: write {ways}{more}")
    return Amount(number, unit_of(written))
