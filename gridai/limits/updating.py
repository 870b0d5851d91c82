"""New expected values for limits files: made by running them, shown as a diff, written only when asked.

Rewritten are the values that left their tolerance (all with `everything`), those never recorded, and those without a
tolerance, which are shown only, when their digits differ. Limits of the planner (low, high, margin), reasons and
expected failures are never touched, and a value that violates a limit is not written: update launders no violation.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridai.errors import CaseError
from gridai.limits.checking import Checked, check, data_files, other_versions
from gridai.limits.edit import Changes, edited
from gridai.limits.judge import Outcome
from gridai.limits.records import LimitsFile, Provenance
from gridai.limits.running import Runner
from gridai.reports.text import number
from gridai.results.hashes import case_hash
from gridai.results.store import atomic_path

COMMAND = "gridai limits update --write"


@dataclass(frozen=True)
class Update:
    """The new text of one file.

    changed   the outcomes whose values are rewritten.
    kept      those that fail and that update leaves as they are, with the reason.
    """

    checked: Checked
    old: str
    new: str
    changed: tuple[Outcome, ...]
    kept: tuple[tuple[Outcome, str], ...]

    @property
    def path(self) -> Path:
        """The file."""
        return self.checked.limits.path

    @property
    def diff(self) -> str:
        """A unified diff, empty where nothing changes."""
        lines = difflib.unified_diff(
            self.old.splitlines(), self.new.splitlines(), str(self.path), f"{self.path} (new)", lineterm=""
        )
        return "\n".join(lines)


def update(
    limits: LimitsFile, runner: Runner | None = None, everything: bool = False, now: datetime | None = None
) -> Update:
    """Run a file and make its new text; writes nothing.

    everything  rewrite values within their tolerance too.
    Raises CaseError when an entry cannot be judged, or the file's layout is not understood; then nothing is proposed.
    """
    checked = check(limits, runner)
    for outcome in checked.outcomes:
        if outcome.status == "error":
            raise _cannot(outcome)
    old = limits.path.read_text(encoding="utf-8")
    changed, kept = _sorted(checked.outcomes, everything)
    changes: Changes = {(o.entry.place[0], o.entry.kind, o.entry.place[1]): _values(o) for o in changed}
    if not changes and not checked.stale and not other_versions(limits) and limits.provenance is not None:
        return Update(checked, old, old, (), kept)
    try:
        new = edited(old, changes, provenance_now(limits, now))
    except CaseError as error:
        raise CaseError(f"{limits.path}: {error}") from error
    return Update(checked, old, new, changed, kept)


def _cannot(outcome: Outcome) -> Exception:
    from gridai.errors import GridaiError

    error: GridaiError = CaseError(f"nothing is written: {outcome.name}: {'; '.join(outcome.said)}")
    error.exit_status = outcome.exit_status
    return error


def _sorted(
    outcomes: Sequence[Outcome], everything: bool
) -> tuple[tuple[Outcome, ...], tuple[tuple[Outcome, str], ...]]:
    """Which outcomes are rewritten, and which failing ones are left, with the reason."""
    changed, kept = [], []
    for outcome in outcomes:
        entry = outcome.entry
        if outcome.status == "unexpected pass":
            kept.append((outcome, "take xfail out of the file"))
        elif outcome.status == "fail" and not entry.xfail and (not outcome.moved or _breaks_a_limit(outcome)):
            kept.append((outcome, "it violates a limit: mend the grid, change the limit, or state it under xfail"))
        elif entry.recorded and math.isfinite(outcome.value) and _differs(outcome, everything):
            changed.append(outcome)
    return tuple(changed), tuple(kept)


def _differs(outcome: Outcome, everything: bool) -> bool:
    """Whether the values of an outcome are to be written: never recorded, moved, or only shown and other digits now."""
    entry = outcome.entry
    if entry.xfail and not entry.bounded:
        return False
    if entry.expected is None or outcome.moved:
        return True
    if everything:
        return _values(outcome) != _recorded(outcome)
    far = abs(entry.expected - outcome.value) > 1e-6 * max(1.0, abs(entry.expected))
    return far and entry.tolerance is None and number(entry.expected, entry.unit) != number(outcome.value, entry.unit)


def _breaks_a_limit(outcome: Outcome) -> bool:
    """Whether more is wrong than a value that moved."""
    return any(not text.startswith(("moved by", "the element is", "the time is")) for text in outcome.said)


def _values(outcome: Outcome) -> dict[str, Any]:
    """The keys to rewrite: the value; element and time where the entry has them, or was never recorded."""
    entry, fresh = outcome.entry, outcome.entry.expected is None
    values: dict[str, Any] = {"expected": _short(outcome.value)}
    if not entry.unit:
        values = {"unit": outcome.unit, **values}
    if outcome.element and (fresh or entry.element is not None):
        values["element"] = outcome.element
    if math.isfinite(outcome.t_s) and (fresh or entry.t_s is not None):
        values["t_s"] = round(float(outcome.t_s), 4)
    return values


def _recorded(outcome: Outcome) -> dict[str, Any]:
    entry = outcome.entry
    values = {"expected": entry.expected, "element": entry.element, "t_s": entry.t_s}
    return {key: value for key, value in values.items() if value is not None}


def _short(value: float) -> float:
    """Seven digits: more than any tolerance needs, and the same on every machine; rounding errors are 0."""
    return float(f"{value:.7g}") if abs(value) > 1e-9 else 0.0


def provenance_now(limits: LimitsFile, now: datetime | None = None) -> Provenance:
    """The case's hashes and the versions as they are."""
    from gridai.studies.provenance import versions

    files = data_files(limits)
    written = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Provenance(case_hash(files), written, COMMAND, versions(), files)


def write(updates: Sequence[Update]) -> list[Path]:
    """Write the files that change: all of them or none. Returns their paths.

    Raises OSError, with the files as they were, when one cannot be written; CaseError when one has changed meanwhile.
    """
    todo = [u for u in updates if u.new != u.old]
    for u in todo:
        if u.path.read_text(encoding="utf-8") != u.old:
            raise CaseError(f"{u.path}: has changed since it was read; nothing is written, run it again")
    done: list[Update] = []
    try:
        for u in todo:
            _write(u.path, u.new)
            done.append(u)
    except BaseException:
        for u in done:
            _write(u.path, u.old)
        raise
    return [u.path for u in todo]


def _write(path: Path, text: str) -> None:
    """One file, whole or not at all; its permissions and its ends of lines stay."""
    mode, newline = path.stat().st_mode & 0o777, "\r\n" if b"\r\n" in path.read_bytes() else "\n"
    if not os.access(path, os.W_OK):
        raise PermissionError(f"{path}: is read-only; nothing is written")
    with atomic_path(path.resolve()) as part:
        part.write_text(text, encoding="utf-8", newline=newline)
    path.chmod(mode)
