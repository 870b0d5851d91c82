"""import_matpower: a MATPOWER case file into a Case, with dynamic data from templates by unit type and size."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gridai.case import Case
from gridai.exchange.importing import Import
from gridai.exchange.report import ImportReport


def import_matpower(
    path: str | Path,
    *,
    name: str = "",
    f_hz: float | None = None,
    dynamics: Literal["templates", "none"] = "templates",
) -> Import:
    """Read a MATPOWER case file (.m). Its tables are read as data; no code of it is run.

    f_hz      nominal frequency, which the format does not hold [Hz]; default 60, reported.
    dynamics  "templates": typical machines, exciters and governors by unit type and size, stated as such in the notes;
              "none": for steady-state work.

    Raises CaseError with every fault of the file, each with its line.
    """
    from gridai.grid.raw_matpower import read_matpower

    net, account = read_matpower(path, f_hz)
    label = name or Path(path).stem
    net.name = label
    made = Case.from_pandapower(net, "templates" if dynamics == "templates" else {}, name=label, title=label)
    provenance = {**made.provenance, "citation": f"MATPOWER case file {Path(path).name}"}
    case = Case(label, label, made.f_hz, made.net, made.dynamics, (), provenance, (*account.notes, *made.notes))
    return Import(case, ImportReport((account,), made.notes))
