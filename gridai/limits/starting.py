"""Begin a limits file: run studies on a case and write down what they find, ready for a planner's reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridai.limits.edit import toml_value

if TYPE_CHECKING:
    from gridai.reports import Measure, Report
    from gridai.results import Verdict

TOLERANCES = {"Hz": "0.005 Hz", "pu": "0.005 pu", "%": "0.5 %", "s": "0.01 s"}
"""First proposals by unit; all others take SHARE."""
SHARE = "2 % of value"
REASON = "as it was when this file was begun; say here what it protects"


def begin(case: str, title: str, runs: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any], Report]]) -> str:
    """The text of a new limits file.

    case   as the file is to name it: ".", a path, or a bundled case's name.
    runs   study, cluster's options, parameters, and the report of each.
    """
    head = [f"title = {toml_value(title)}", f"case = {toml_value(case)}"]
    parts = ["\n".join(head)]
    for name, cluster, parameters, report in runs:
        parts += _study(name, cluster, parameters, report)
    return "\n\n".join(parts) + "\n"


def _study(name: str, cluster: Mapping[str, Any], parameters: Mapping[str, Any], report: Report) -> list[str]:
    lines = ["[[study]]", f"name = {toml_value(name)}", f"study = {toml_value(name)}", f"reason = {toml_value(REASON)}"]
    lines += [f"{key} = {inline(table)}" for key, table in (("cluster", cluster), ("parameters", parameters)) if table]
    passing = [v for v in report.verdicts if v.status == "pass"]
    limits = {v.criterion: _limit(v) for v in passing if all(w.status != "fail" for w in _same(report.verdicts, v))}
    metrics = [_metric(key, m) for key, m in report.summary.items() if math.isfinite(m.value) and m.unit]
    return ["\n".join(lines), *limits.values(), *metrics]


def _same(verdicts: Sequence[Verdict], verdict: Verdict) -> list[Verdict]:
    return [v for v in verdicts if v.criterion == verdict.criterion]


def _limit(v: Verdict) -> str:
    return "\n".join(
        ["[[study.limit]]", f"profile = {toml_value(v.profile)}", f"criterion = {toml_value(v.criterion)}"]
    )


def _metric(key: str, m: Measure) -> str:
    lines = ["[[study.metric]]", f"metric = {toml_value(key)}", f"unit = {toml_value(m.unit)}"]
    lines += [f"expected = {toml_value(float(f'{m.value:.7g}'))}"]
    share = TOLERANCES.get(m.unit, SHARE if m.value else f"0.001 {m.unit}")
    lines += [f"tolerance = {toml_value(share)}"]
    lines += [f"element = {toml_value(m.element)}"] if m.element else []
    lines += [f"t_s = {toml_value(round(m.t_s, 4))}"] if math.isfinite(m.t_s) else []
    return "\n".join(lines)


def inline(table: Mapping[str, Any]) -> str:
    """A table on one line."""
    return "{ " + ", ".join(f"{key} = {toml_value(value)}" for key, value in table.items()) + " }"


def case_text(case: str, file: Path | None) -> str:
    """How a file names its case: a bundled name as it is, "." for its own folder, else the path from the file."""
    from gridai.casefile import bundled_cases, find_case

    if case in bundled_cases():
        return case
    folder = find_case(case).resolve()
    if file is None:
        return str(folder)
    beside = file.resolve().parent
    if folder == beside:
        return "."
    try:
        return folder.relative_to(beside).as_posix()
    except ValueError:
        return str(folder)
