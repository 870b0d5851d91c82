"""Fields of settings with help, unit and allowed range, and the checks made of them."""

from __future__ import annotations

import math
from dataclasses import field, fields
from typing import Any

import numpy as np

from gridai.errors import Problems


def setting(default: Any, unit: str, text: str, low: float = -math.inf, high: float = math.inf) -> Any:
    """A dataclass field with help, unit and allowed range for the command line and the checks."""
    return field(default=default, metadata={"help": text, "unit": unit, "low": low, "high": high})


def check_ranges(settings: Any, bad: Problems) -> None:
    """Note each field of a settings dataclass that is no number or outside the range in its metadata."""
    for f in fields(settings):
        if "low" in f.metadata:
            check_number(bad, type(settings).__name__, f.name, getattr(settings, f.name), f.metadata)


def check_number(bad: Problems, owner: str, name: str, value: Any, rule: Any) -> None:
    """Note a value that is no finite number or outside rule["low"] .. rule["high"]."""
    unit, low, high = rule["unit"], rule["low"], rule["high"]
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if number and math.isfinite(value) and low <= value <= high:
        return
    bounds = f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
    bad.add(owner, None, name, value, f"give a number from {bounds} {unit}".replace("from -inf to", "up to").strip())
