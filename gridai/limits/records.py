"""What a limits file holds, as plain frozen records. Importing this file loads the standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

SUFFIX = ".limits.toml"
STALE = "gridai stale"
"""Name of the property by which a test tells the pytest plugin that its case has changed."""
T_TOLERANCE_S = 0.1
"""How far the time of a judged value may move where the file does not say. [s]"""

Kind = Literal["limit", "metric"]


@dataclass(frozen=True)
class Amount:
    """A tolerance or margin: a number with its unit, or a share of the expected value.

    value     in `unit`; of a relative one the share: 0.01 for "1 % of value".
    unit      "" for a relative one, "1" for a plain number.
    """

    value: float
    unit: str
    relative: bool = False

    def of(self, expected: float) -> float:
        """The amount in the unit of the expected value."""
        return self.value * abs(expected) if self.relative else self.value

    def __str__(self) -> str:
        if self.relative:
            return f"{100.0 * self.value:g} % of value"
        return f"{self.value:g}" if self.unit == "1" else f"{self.value:g} {self.unit}"


@dataclass(frozen=True)
class Entry:
    """One limit or metric of a study: one row of the table, one test of pytest.

    kind         "limit": verdicts of a criteria profile must pass; "metric": a named figure of the report.
    name         what it is called: the metric, or profile/criterion; unique within its study.
    line         of its header in the file, from 1; None where the layout was not understood.
    place        number of its [[study]] and of its own table in it, both from 0.
    profile      criteria profile; "": that of the run.
    criterion    criterion of the profile; "": all.
    metric       key of the report's summary, or "lowest KIND/ELEMENT/QUANTITY" (highest, final).
    expected     the value when the file was written [unit]; None: not recorded.
    tolerance    how far it may move; None: the value is shown, not judged.
    element, t_s, t_tolerance_s   where and when it was found; judged where a tolerance is given. [s]
    low, high    own limits of a metric. [unit]
    margin       least distance to the limit.
    reason       why the number matters.
    xfail        why it fails at present; "": it must pass.
    """

    kind: Kind
    name: str
    line: int | None
    place: tuple[int, int]
    profile: str = ""
    criterion: str = ""
    metric: str = ""
    unit: str = ""
    expected: float | None = None
    tolerance: Amount | None = None
    element: str | None = None
    t_s: float | None = None
    t_tolerance_s: float = T_TOLERANCE_S
    low: float | None = None
    high: float | None = None
    margin: Amount | None = None
    reason: str = ""
    xfail: str = ""

    @property
    def bounded(self) -> bool:
        """Whether there is a limit to keep, besides a value that may not move."""
        return self.kind == "limit" or self.low is not None or self.high is not None

    @property
    def recorded(self) -> bool:
        """Whether `gridai limits update` keeps a value for it: all but bare bounds and sums of criteria."""
        return self.expected is not None or self.tolerance is not None or bool(self.criterion)


@dataclass(frozen=True)
class Block:
    """One [[study]] of a limits file: what is run, and the entries judged on it.

    study     the study, made of its parameters.
    run       its name, as `gridai run` takes it.
    cluster   the cluster placed for it, as the options of `gridai run`; empty: that of the case, or none.
    inputs    files it reads besides the case: a trace, a cluster, a criteria profile or rule of the user.
    """

    name: str
    run: str
    study: Any
    cluster: Mapping[str, Any]
    entries: tuple[Entry, ...]
    inputs: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Provenance:
    """What the values were written with; `gridai limits update --write` keeps it.

    files     short hash of each file of the case, by path within the case.
    versions  of gridai and the packages that compute.
    """

    case_hash: str
    written: str
    command: str
    versions: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LimitsFile:
    """A limits file, read and checked."""

    path: Path
    title: str
    case: Path
    blocks: tuple[Block, ...]
    provenance: Provenance | None = None

    @property
    def entries(self) -> list[tuple[Block, Entry]]:
        """All entries with their study, in the order of the file."""
        return [(block, entry) for block in self.blocks for entry in block.entries]
