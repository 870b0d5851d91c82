"""The [[study.limit]] and [[study.metric]] tables of a limits file, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridai.errors import GridaiError, Problems, near
from gridai.limits import layout, metrics
from gridai.limits.amounts import AmountError, amount
from gridai.limits.records import T_TOLERANCE_S, Amount, Entry, Kind
from gridai.limits.studies import CONDITIONS

SHARED = ("name", "unit", "expected", "tolerance", "element", "t_s", "t_tolerance", "margin", "reason", "xfail")
KEYS: dict[str, tuple[str, ...]] = {
    "limit": ("profile", "criterion", *SHARED),
    "metric": ("metric", "low", "high", *SHARED),
}
TEXTS = ("name", "unit", "element", "reason", "xfail", "profile", "criterion", "metric")
NUMBERS = ("expected", "t_s", "low", "high")
NEEDS_UNIT = ("expected", "low", "high")


class EntryReader:
    """Reads the entries of one [[study]]; notes every fault with the line of its table."""

    def __init__(
        self, file: Path, places: dict[layout.Place, layout.Part], study: int, run: str, reason: str, found: Problems
    ) -> None:
        self.file, self.places, self.study = file, places, study
        self.run, self.reason, self.found = run, reason, found

    def read(self, table: Mapping[str, Any]) -> tuple[Entry, ...]:
        """The entries in the order of the file; faulty ones are noted and left out."""
        entries: list[Entry] = []
        for kind in layout.ENTRIES:
            rows = table.get(kind, [])
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                self._note(None, kind, None, f"write tables: [[study.{kind}]]")
                continue
            for k, row in enumerate(rows):
                entry = self._entry(kind, k, row)  # type: ignore[arg-type]
                if entry is not None:
                    entries.append(entry)
        entries.sort(key=lambda e: e.line or 0)
        self._unique(entries)
        return tuple(entries)

    def _note(self, line: int | None, field: str, value: Any, remedy: str) -> None:
        self.found.add(self.file.name, line, field, value, remedy)

    def _entry(self, kind: Kind, k: int, row: dict[str, Any]) -> Entry | None:
        line, before = layout.line_of(self.places, self.study, kind, k), len(self.found)
        for key in row:
            if key not in KEYS[kind]:
                self._note(line, key, row[key], near(key, KEYS[kind], f"key of a {kind}"))
        named = len(self.found)
        self._check_types(line, row)
        if len(self.found) > named:
            return None
        self._check_unit(line, kind, row)
        amounts = {key: self._amount(line, row, key) for key in ("tolerance", "margin")}
        self._check_needs(line, kind, row, amounts)
        self._check_names(line, kind, row)
        if len(self.found) > before:
            return None
        return self._made(kind, k, line, row, amounts)

    def _made(
        self, kind: Kind, k: int, line: int | None, row: dict[str, Any], amounts: dict[str, Amount | None]
    ) -> Entry:
        profile, criterion = row.get("profile", ""), row.get("criterion", "")
        usual = row.get("metric") or "/".join(part for part in (profile, criterion or "all criteria") if part)
        return Entry(
            kind=kind, name=str(row.get("name", usual)), line=line, place=(self.study, k),
            profile=self._beside(profile), criterion=criterion, metric=row.get("metric", ""), unit=row.get("unit", ""),
            expected=row.get("expected"), element=row.get("element"), t_s=row.get("t_s"),
            t_tolerance_s=self._seconds(line, row), low=row.get("low"), high=row.get("high"),
            reason=row.get("reason") or self.reason, xfail=row.get("xfail", ""), **amounts,
        )  # fmt: skip

    def _beside(self, profile: str) -> str:
        """A profile's file counts from the folder of the limits file."""
        beside = self.file.parent / profile
        return str(beside) if profile.endswith(".toml") and beside.is_file() else profile

    def _check_types(self, line: int | None, row: dict[str, Any]) -> None:
        for key in TEXTS:
            if not isinstance(row.get(key, ""), str):
                self._note(line, key, row[key], "write a text in quotes")
        for key in NUMBERS:
            value = row.get(key, 0.0)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                self._note(line, key, value, "write a finite number, its unit under unit")
        if "xfail" in row and not row["xfail"]:
            self._note(line, "xfail", row["xfail"], "say why the limit fails at present")
        if "::" in str(row.get("name", "")):
            self._note(line, "name", row["name"], "give a name without '::'")

    def _check_unit(self, line: int | None, kind: Kind, row: dict[str, Any]) -> None:
        given = [key for key in NEEDS_UNIT if key in row]
        if not row.get("unit") and (given or kind == "metric"):
            what = f"is missing: {', '.join(given) or 'a metric'} needs one" + ' ("1" for a plain number)'
            self._note(line, "unit", None, what)

    def _amount(self, line: int | None, row: dict[str, Any], key: str) -> Amount | None:
        if key not in row:
            return None
        try:
            return amount(row[key], row.get("unit", ""), relative=key == "tolerance")
        except AmountError as error:
            self._note(line, key, row[key], str(error))
            return None

    def _seconds(self, line: int | None, row: dict[str, Any]) -> float:
        if "t_tolerance" not in row:
            return T_TOLERANCE_S
        try:
            return amount(row["t_tolerance"], "s", relative=False).value
        except AmountError as error:
            self._note(line, "t_tolerance", row["t_tolerance"], str(error))
            return T_TOLERANCE_S

    def _check_needs(
        self, line: int | None, kind: Kind, row: dict[str, Any], amounts: dict[str, Amount | None]
    ) -> None:
        """What belongs together: value and tolerance, margin and limit, and always a reason."""
        bounded = kind == "limit" or "low" in row or "high" in row
        if not (row.get("reason") or self.reason):
            self._note(line, "reason", None, "is missing: say why the number matters, here or for the whole study")
        if kind == "metric" and not row.get("metric"):
            self._note(line, "metric", None, "is missing: name a figure of the report, as nadir")
        if "tolerance" in row and kind == "limit" and not row.get("criterion"):
            self._note(line, "tolerance", row["tolerance"], "needs one criterion: name it under criterion")
        if "expected" in row and kind == "metric" and not bounded and "tolerance" not in row:
            self._note(line, "tolerance", None, "is missing: say how far the value may move")
        if kind == "metric" and not bounded and "tolerance" not in row and "expected" not in row:
            self._note(line, "tolerance", None, "give tolerance (update fills in expected), or a limit: low or high")
        if "margin" in row and not bounded:
            self._note(line, "margin", row["margin"], "belongs to a limit: give low or high")
        tolerance = amounts["tolerance"]
        if tolerance is not None and tolerance.relative and row.get("expected") == 0:
            self._note(line, "tolerance", row["tolerance"], "a share of 0 is 0: give it in the unit of the value")

    def _check_names(self, line: int | None, kind: Kind, row: dict[str, Any]) -> None:
        """Profile, criterion and series as far as they are known without a run."""
        try:
            if kind == "metric":
                if metrics.is_series(row.get("metric", "")):
                    metrics.split(row["metric"])
            elif row.get("profile", "") not in ("", "default"):
                self._check_criterion(line, row)
        except GridaiError as error:
            self._note(line, "metric" if kind == "metric" else "profile", None, str(error))

    def _check_criterion(self, line: int | None, row: dict[str, Any]) -> None:
        from gridai.criteria import load_profile

        profile = load_profile(self._beside(row["profile"]))
        condition = CONDITIONS.get(self.run)
        judged = {limit.criterion for limit in (profile.of(condition) if condition else profile.limits)}
        criterion = row.get("criterion", "")
        if criterion in judged or (not criterion and judged):
            return
        known = {limit.criterion for limit in profile.limits}
        if not criterion or criterion in known:
            what = f"study {self.run} judges {', '.join(sorted(judged)) or 'nothing'} of profile {profile.name}"
            self._note(line, "criterion", criterion or None, f"{what} (condition {condition})")
        else:
            self._note(line, "criterion", None, near(criterion, judged, f"criterion of profile {profile.name}"))

    def _unique(self, entries: list[Entry]) -> None:
        seen: dict[str, Entry] = {}
        for entry in entries:
            if entry.name in seen:
                other = seen[entry.name].line
                remedy = f"is limited already in row {other}: keep one, or give each its own name"
                self._note(entry.line, "name", entry.name, remedy)
            seen.setdefault(entry.name, entry)
