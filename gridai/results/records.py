"""Channel, EventRecord, Limit and Verdict: small frozen records of plain data.

Confidence of a number that comes from a grid code or standard:
    P  primary text read or quoted        S  secondary source
    V  verified in code or by computation M, m  recalled (high, medium)
Only P and V count as verified; every other number is shown with the mark "unverified".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from gridai.errors import ResultError

KINDS = ("bus", "gen", "load", "cluster", "ups", "branch", "system", "relay")
VERIFIED = frozenset({"P", "V"})

Status = Literal["pass", "fail", "not assessable"]


@dataclass(frozen=True)
class Channel:
    """One column of a Result.

    kind      "bus", "gen", "load", "cluster", "ups" (a group of a cluster), "branch", "system" or "relay".
    element   name of the bus, generator, load, cluster or branch.
    quantity  name that ends in its unit: "v_re_pu", "p_mw", "speed_pu".
    unit      unit of the physical value: "pu", "MW", "rad".
    scale     physical value = stored value * scale. [unit per stored unit]
    """

    kind: str
    element: str
    quantity: str
    unit: str
    scale: float = 1.0

    @property
    def key(self) -> str:
        """`kind/element/quantity`, the column's name in a saved result."""
        return f"{self.kind}/{self.element}/{self.quantity}"


@dataclass(frozen=True)
class EventRecord:
    """Something that happened in a run. `t_s` in s; `kind` names the event type; `text` is for the reader."""

    t_s: float
    kind: str
    element: str
    text: str = ""


@dataclass(frozen=True)
class Limit:
    """One number, or band, of a grid code or standard, with where it comes from.

    criterion   name of the criterion family it belongs to: "frequency_nadir", "rocof", ...
    unit        unit of `low` and `high`.
    low, high   what must not be passed downwards / upwards; None where there is no such side. [unit]
    clause, edition, source   the place in the document, its edition, the document.
    confidence  letter of the list at the top of this module.
    profile     name of the profile it was read from.
    condition   "any", "normal" (all equipment in, a planned manoeuvre), "contingency" (after a fault or a trip) or
                "small-signal" (judged on modes, not on a run).
    settings    what else the family needs, by name: window_s, within_s, kv_min, kv_max, ...
    note        remark for the reader.
    """

    criterion: str
    unit: str
    low: float | None = None
    high: float | None = None
    clause: str = ""
    edition: str = ""
    source: str = ""
    confidence: str = "m"
    profile: str = ""
    condition: str = "any"
    settings: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def verified(self) -> bool:
        """True where the number was read in the primary text or verified by computation."""
        return self.confidence in VERIFIED


@dataclass(frozen=True)
class Verdict:
    """What one limit says of one result.

    criterion   name of the criterion family.
    value       what was found, at its worst. [unit]; NaN when not assessable
    limit       the side of the limit that `value` is closest to, or beyond. [unit]
    unit        unit of value, limit and margin.
    margin      distance to the limit, positive inside. [unit]
    element     bus, generator or "COI" where the worst value was found.
    t_s         when. [s]
    status      "pass", "fail" or "not assessable". A value exactly at the limit passes.
    clause, edition, source, confidence, profile   as in Limit.
    note        why it could not be assessed, or what the reader should know.
    """

    criterion: str
    value: float
    limit: float
    unit: str
    margin: float
    element: str
    t_s: float
    status: Status
    clause: str = ""
    edition: str = ""
    source: str = ""
    confidence: str = "m"
    profile: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.status not in ("pass", "fail", "not assessable"):
            raise ResultError(f"verdict status = {self.status!r}: must be 'pass', 'fail' or 'not assessable'")
        if self.status == "pass" and not math.isfinite(self.value):
            raise ResultError(f"verdict '{self.criterion}' passes with value {self.value}: only a number can pass")

    @property
    def passed(self) -> bool:
        """True for "pass" only: what could not be assessed has not passed."""
        return self.status == "pass"

    @property
    def verified(self) -> bool:
        """True where the limit's number was read in the primary text or verified by computation."""
        return self.confidence in VERIFIED

    @property
    def status_text(self) -> str:
        """The status, with "(unverified)" where the limit's number is."""
        return self.status if self.verified else f"{self.status} (unverified)"

    def as_dict(self) -> dict[str, Any]:
        """All fields as plain data for JSON; NaN becomes None."""
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(self).items()}
