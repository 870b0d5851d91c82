"""import_case: a PSS/E RAW file and its DYR files into a Case, with a report of what became of every record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gridai.casefile import checked_dynamics
from gridai.errors import PowerFlowError, Problems
from gridai.exchange.dyr import parse_dyr
from gridai.exchange.dyr_tables import dynamics_tables
from gridai.exchange.limits import widened
from gridai.exchange.loads import LoadConversion, conversion_of, converted
from gridai.exchange.report import ImportReport
from gridai.grid.raw_report import raise_faults
from gridai.models import catalog

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.raw import RawCase
    from gridai.grid.raw_report import Account

Files = str | Path | Sequence[str | Path]


class Import(NamedTuple):
    """The case and the account of the files it came from."""

    case: Case
    report: ImportReport


def import_case(
    raw: str | Path,
    dyr: Files = (),
    *,
    name: str = "",
    f_hz: float | None = None,
    loads: str | LoadConversion = "usual",
    q_limits: bool = True,
    limits: Literal["widen", "keep"] = "widen",
    templates: bool = False,
) -> Import:
    """Read a PSS/E case.

    raw        RAW file, version 32 to 35.
    dyr        DYR file or files.
    name       of the case; default the RAW file's.
    f_hz       nominal frequency where the RAW states none [Hz]; default 60, reported.
    loads      what becomes of constant-power load parts in dynamics: "usual" (constant-current P,
               constant-admittance Q), "constant_impedance", "constant_current", "constant_power", or a LoadConversion.
    q_limits   keep machines within their reactive range in the power flow, as PSS/E does.
    limits     "widen": a limit that the operating point violates is moved to it, and reported (PSS/E starts there and
               warns); "keep": limits stay, and such a unit is refused by name when the case is compiled.
    templates  without DYR files: typical dynamic data by unit type and size, stated as such.

    A machine's name is "<bus number> <id>", a load's "load <bus number> <id>", a branch's "<from>-<to> <circuit>"; a
    bus has its name, with its number added where names repeat, and answers to its number too (Case.resolve_bus).

    Raises CaseError with every fault of all files, each with its line.
    """
    from gridai.case import Case
    from gridai.grid.raw import read_raw
    from gridai.grid.raw_setpoints import settle

    conversion = conversion_of(loads)
    raw_case = read_raw(raw, f_hz)
    found = Problems("DYR " + ("file" if len(_files(dyr)) == 1 else "files"))
    texts = [parse_dyr(path, found) for path in _files(dyr)]
    tables, accounts = dynamics_tables(texts, raw_case.net, found)
    raise_faults(found)
    net, notes = settle(raw_case.net, raw_case.regulators, q_limits)
    label = name or Path(raw).stem
    net.name = label
    notes += _convert_loads(net, conversion, tables, Path(raw).name)
    case = Case(
        name=label,
        title=shorten(raw_case.title, 100, placeholder=" ...") or label,
        f_hz=float(net.f_hz),
        net=net,
        dynamics=checked_dynamics(tables, net, f"case '{label}'"),
        provenance=_provenance(raw_case, texts),
    )
    if tables and limits == "widen":
        case, moved = widened(case)
        notes += moved
    report = ImportReport((raw_case.account, *accounts), tuple(notes))
    case = replace(case, notes=_case_notes(report, notes))
    return Import(_templated(case) if templates and not texts else case, report)


def _files(dyr: Files) -> list[Path]:
    return [Path(dyr)] if isinstance(dyr, str | Path) else [Path(path) for path in dyr]


def _convert_loads(net: Any, conversion: LoadConversion, tables: dict[str, Any], file: str) -> list[str]:
    """The `zip` table of loads with a constant-power part, added to the tables; and what to say about it."""
    from gridai.grid import solve

    if not tables:
        return []
    try:
        point = solve(net)
    except PowerFlowError as error:
        return [f"loads keep the law of the power flow in dynamics, which has no solution: {error}"]
    modelled = frozenset(
        str(unit) for key, table in tables.items() if catalog.model(key).role == "load" for unit in table["unit"]
    )
    table = converted(point, conversion, file, modelled)
    if table is None:
        return ["loads keep the laws of the RAW file in dynamics: none has a constant-power part"]
    tables["zip"] = table
    return [f"the constant-power part of loads in dynamics: {conversion}"]


def _templated(case: Case) -> Case:
    from gridai.case import Case as Made

    made = Made.from_pandapower(case.net, "templates", name=case.name, title=case.title)
    provenance = {**made.provenance, **case.provenance}
    return Made(case.name, case.title, case.f_hz, made.net, made.dynamics, (), provenance, (*case.notes, *made.notes))


def _provenance(raw_case: RawCase, texts: list[Any]) -> dict[str, str]:
    files = ", ".join([raw_case.account.file, *(text.file for text in texts)])
    return {
        "citation": raw_case.title or "a PSS/E case given by the user",
        "files": f"{files} (RAW version {raw_case.version})",
    }


def _case_notes(report: ImportReport, notes: list[str]) -> tuple[str, ...]:
    """What every report of the case must say."""
    out = [_missing_text(account) for account in report.accounts if account.unsupported or account.partly]
    defaults = [text for account in report.accounts for text in account.notes if "is empty" in text]
    return (*out, *defaults, *notes)


def _missing_text(account: Account) -> str:
    rows = [*account.unsupported, *account.partly]
    listed = "; ".join(f"line {row.line} {row.what}" for row in rows[:8])
    more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
    return f"{account.file}: not represented: {listed}{more}"
