"""Report: what a study found. Prints as text, draws its figures when asked, saves all files or none."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridai.errors import UnknownNameError, near
from gridai.reports.series import write_series
from gridai.reports.text import clock, more_digits, number, plain_table, time
from gridai.results import Limit, Result, Verdict, atomic_folder
from gridai.results.formats import DataFormat, check_format
from gridai.results.store import numbers_of, write_json, write_rows, write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 110
MOST_ROWS = 40
"""Rows of a table that are printed; the saved one has them all."""


@dataclass(frozen=True)
class Measure:
    """One line of the summary: what, how much, where and when.

    value    in `unit`; NaN when it could not be found (the note says why).
    element  bus, generator or cluster; t_s in s, NaN where no instant belongs to it.
    """

    label: str
    value: float
    unit: str
    element: str = ""
    t_s: float = float("nan")
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table to print and save: column names, and rows of text or numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, eq=False)
class Report:
    """What a study found.

    title       one line.
    study       the study, a dataclass with its parameters.
    summary     measures by key: report.summary["nadir"].value.
    verdicts    one for each limit that applies.
    limits      the limits behind them; figures draw them.
    result      the time series.
    figures     names of the figures, keys of gridai.plots.FIGURES.
    tables      further tables by file name (the redispatch).
    notes       what the reader has to know.
    provenance  case, source, profile, versions.
    """

    title: str
    study: Any
    summary: Mapping[str, Measure]
    verdicts: tuple[Verdict, ...]
    limits: tuple[Limit, ...]
    result: Result
    figures: tuple[str, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True when no limit is violated. What could not be assessed has not passed, but violates nothing."""
        return all(v.status != "fail" for v in self.verdicts)

    @property
    def footer(self) -> str:
        """The small line under each figure."""
        parts = (f"gridai {self.provenance.get('gridai', '')}", self.provenance.get("profile", ""))
        return ", ".join(str(part).strip() for part in parts if part)

    def figure(self, name: str) -> Figure:
        """Draw one figure. An unknown name lists the near ones."""
        if name not in self.figures:
            raise UnknownNameError(near(name, self.figures, "figure"))
        from gridai import plots

        return plots.FIGURES[name](self.result, self.limits, self.title, self.footer)

    def save(self, folder: str | Path, svg: bool = False, data: DataFormat = "npz") -> Path:
        """Write report.html, report.json, figures (PNG, and SVG if asked), tables as CSV and the result; all or none.

        data  format of the result's numbers: "npz", "csv" or "parquet" (see gridai.results.formats).
        Files of an older report in the folder are replaced, others stay. Returns the folder. Raises SettingError for
        Parquet without pyarrow before anything is written.
        """
        check_format(data)
        older = numbers_of(folder)
        with atomic_folder(folder) as part:
            write_json(part / "report.json", self.as_dict())
            write_rows(part / "summary.csv", *_summary_rows(self.summary))
            write_rows(part / "verdicts.csv", *_verdict_rows(self.verdicts))
            for name, table in self.tables.items():
                write_rows(part / f"{name}.csv", table.columns, table.rows)
            write_series(self.result, part)
            self.result.save(part, data=data)
            drawn = self._drawn()
            self._write_figures(drawn, part, ("png", "svg") if svg else ("png",))
            write_text(part / "report.html", self._page(drawn, part))
        if older is not None and older.suffix != f".{data}":
            older.unlink(missing_ok=True)
        return Path(folder)

    def save_figures(self, folder: str | Path, kinds: Sequence[str] = ("png",)) -> list[Path]:
        """Write every figure as <name>.<kind>, each file whole or not at all; returns the paths."""
        return self._write_figures(self._drawn(), Path(folder), kinds)

    def html(self) -> str:
        """The report as one HTML page that needs no network and nothing beside it."""
        return self._page(self._drawn(), None)

    def _drawn(self) -> dict[str, Figure]:
        return {name: self.figure(name) for name in self.figures}

    def _write_figures(self, drawn: Mapping[str, Figure], folder: Path, kinds: Sequence[str]) -> list[Path]:
        from gridai import plots

        return [plots.save_figure(f, folder / f"{name}.{kind}") for name, f in drawn.items() for kind in kinds]

    def _page(self, drawn: Mapping[str, Figure], folder: Path | None) -> str:
        """The page; figures as SVG, or as PNG where their SVG is large. `folder` holds PNGs written already."""
        from gridai import plots
        from gridai.reports.page import SVG_BYTES, page, pictures_of

        def content(name: str) -> bytes:
            figure = drawn.get(name) or plots.FIGURES[name](self.result, self.limits, self.title, self.footer)
            svg = plots.svg_text(figure).encode("utf-8")
            if len(svg) <= SVG_BYTES:
                return svg
            written = folder / f"{name}.png" if folder is not None else None
            png = written.read_bytes() if written is not None and written.is_file() else plots.png_bytes(figure)
            return min(svg, png, key=len)

        return page(self, pictures_of(self, content, plots.caption))

    def as_dict(self) -> dict[str, Any]:
        """Everything but the time series, as plain data for JSON."""
        return {
            "title": self.title,
            "study": {"name": type(self.study).__name__, **(asdict(self.study))},
            "passed": self.passed,
            "summary": {key: asdict(measure) for key, measure in self.summary.items()},
            "verdicts": [v.as_dict() for v in self.verdicts],
            "limits": [asdict(limit) for limit in self.limits],
            "events": [asdict(event) for event in self.result.events],
            "figures": list(self.figures),
            "tables": {name: asdict(table) for name, table in self.tables.items()},
            "notes": list(self.notes),
            "provenance": dict(self.provenance),
            "footer": self.footer,
        }

    def __str__(self) -> str:
        unit = clock(self.result)
        parts = [self.title, _summary_text(self.summary, unit), _verdict_text(self.verdicts, self.provenance, unit)]
        parts += [_table_text(table) for table in self.tables.values() if table.rows]
        if self.notes:
            parts.append("notes\n" + "\n".join(_wrapped(note) for note in self.notes))
        return "\n\n".join(part for part in parts if part)

    def __repr__(self) -> str:
        counts = {s: sum(v.status == s for v in self.verdicts) for s in ("pass", "fail", "not assessable")}
        return f"Report({self.title!r}, " + ", ".join(f"{n} {status}" for status, n in counts.items()) + ")"


def _summary_rows(summary: Mapping[str, Measure]) -> tuple[list[str], list[list[Any]]]:
    rows = [[key, m.label, m.value, m.unit, m.element, m.t_s, m.note] for key, m in summary.items()]
    return ["key", "label", "value", "unit", "element", "t_s", "note"], rows


def _verdict_rows(verdicts: Sequence[Verdict]) -> tuple[list[str], list[list[Any]]]:
    columns = list(Verdict.__dataclass_fields__)
    return columns, [[getattr(v, c) for c in columns] for v in verdicts]


def _summary_text(summary: Mapping[str, Measure], unit: tuple[str, float]) -> str:
    rows = [(m.label, number(m.value, m.unit), m.unit, m.element, time(m.t_s, unit), m.note) for m in summary.values()]
    return plain_table("summary", ("", "value", "unit", "where", f"at {unit[0]}", ""), rows)


def _verdict_text(verdicts: Sequence[Verdict], provenance: Mapping[str, Any], unit: tuple[str, float]) -> str:
    if not verdicts:
        return "verdicts: none; this study is not judged by a profile, what it asks for itself stands in its tables"
    rows = [
        (v.status_text, v.criterion,
         *(number(x, v.unit, more_digits(v.value, v.limit, v.unit)) for x in (v.value, v.limit, v.margin)),
         v.unit, v.element, time(v.t_s, unit), v.edition)
        for v in verdicts
    ]  # fmt: skip
    by = next((f" by {kind} {provenance[kind]}" for kind in ("profile", "suite") if provenance.get(kind)), "")
    head = f"verdicts{by}"
    columns = ("verdict", "criterion", "value", "limit", "margin", "unit", "where", f"at {unit[0]}", "edition")
    text = plain_table(head, columns, rows)
    remarks = [
        _wrapped(f"{v.criterion} ({v.clause}): {v.note or v.status}") for v in verdicts if v.note or not v.passed
    ]
    if any(not v.verified for v in verdicts):
        remarks.append(
            _wrapped("unverified: the number was not read in the primary text; check it before relying on it")
        )
    return "\n".join([text, *remarks])


def _table_text(table: Table) -> str:
    cells = [[number(c) if isinstance(c, float) else str(c) for c in row] for row in table.rows[:MOST_ROWS]]
    more = len(table.rows) - len(cells)
    text = plain_table(table.title, table.columns, cells)
    return f"{text}\n  ... and {more} more rows, in the saved tables" if more else text


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="  - ", subsequent_indent="    ")
