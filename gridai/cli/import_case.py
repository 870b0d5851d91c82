"""`gridai import`: a PSS/E or MATPOWER case into a case folder, with the account of every record."""

from __future__ import annotations

from pathlib import Path

import click

from gridai.cli import printing
from gridai.errors import SettingError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LOADS = ("usual", "constant_impedance", "constant_current", "constant_power")


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="RAW [DYR ...]")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the case; without it only the report is shown."
)
@click.option("--name", default="", help="Name of the case; default the file's.")
@click.option("--f-hz", type=float, help="Nominal frequency where the file states none; default 60. [Hz]")
@click.option(
    "--loads", type=click.Choice(_LOADS), default="usual", show_default=True, help="Constant-power load parts."
)
@click.option("--keep-limits", is_flag=True, help="Do not move limits that the operating point violates.")
@click.option("--ignore-q-limits", is_flag=True, help="Let machines leave their reactive range in the power flow.")
@click.option("--templates", is_flag=True, help="Without DYR files: typical dynamic data by unit type and size.")
def command(
    files: tuple[Path, ...],
    out: Path | None,
    name: str,
    f_hz: float | None,
    loads: str,
    keep_limits: bool,
    ignore_q_limits: bool,
    templates: bool,
) -> None:
    """Read a RAW file (PSS/E 32 to 35) with its DYR files, or a MATPOWER .m file, and save it as a case folder.

    \b
    gridai import case.raw case.dyr --out my_case
    gridai import case9.m --out my_case9
    """
    from gridai.exchange import import_case, import_matpower

    if files[0].suffix.lower() == ".m":
        if len(files) > 1:
            raise SettingError("a MATPOWER case is one file: its dynamic data come from templates")
        case, report = import_matpower(files[0], name=name, f_hz=f_hz)
    else:
        case, report = import_case(
            files[0], files[1:], name=name, f_hz=f_hz, loads=loads, q_limits=not ignore_q_limits,
            limits="keep" if keep_limits else "widen", templates=templates,
        )  # fmt: skip
    click.echo(str(report))
    if out is None:
        printing.note("\nNothing is saved; add --out FOLDER to keep the case.")
    else:
        printing.note(f"\nSaved in {case.save(out)}: gridai check {out}")
