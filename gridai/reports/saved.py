"""Read a saved report again: its facts, its Result and its figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridai.errors import ResultError, UnknownNameError, near
from gridai.results import Limit, Result, load

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class SavedReport:
    """A report read from its folder: `about` is its report.json as dicts, `result` its time series."""

    about: dict[str, Any]
    result: Result

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of the figures it was saved with."""
        return tuple(self.about["figures"])

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits its figures draw."""
        return tuple(Limit(**limit) for limit in self.about["limits"])

    def figure(self, name: str) -> Figure:
        """Draw one of its figures again, or any other of gridai.plots.FIGURES. An unknown name lists the near ones."""
        from gridai import plots

        if name not in plots.FIGURES:
            raise UnknownNameError(near(name, plots.FIGURES, "figure"))
        return plots.FIGURES[name](self.result, self.limits, self.about["title"], self.about["footer"])


def load_report(folder: str | Path) -> SavedReport:
    """Read what `Report.save` wrote. Raises ResultError when a file is missing or damaged."""
    path = Path(folder) / "report.json"
    if not path.is_file():
        raise ResultError(f"{path}: no such file; name a folder that a report was saved in")
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        saved = SavedReport(about, load(folder))
        if not all(isinstance(about[key], str) for key in ("title", "footer")):
            raise TypeError("title and footer must be texts")
        _ = saved.figures, saved.limits
    except (ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{path}: not a saved report ({error})") from error
    return saved
