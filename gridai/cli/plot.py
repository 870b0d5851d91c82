"""`gridai plot FOLDER`: draw a saved result again, other quantities or other elements, PNG or SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gridai.cli import printing
from gridai.errors import SettingError, UnknownNameError, near

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gridai.results import Result

BARE = ("gen.speed_pu", "bus.vm_pu")
"""What is drawn of a result that was saved without a report, where nothing is asked for."""


@click.command("plot")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "-q",
    "--quantity",
    "quantities",
    multiple=True,
    metavar="KIND.NAME",
    help="what to draw, as bus.vm_pu or gen.speed_pu; repeat it for more  [default: the figures of the study]",
)
@click.option(
    "-f",
    "--figure",
    "figures",
    multiple=True,
    metavar="NAME",
    help="a figure by name, as voltages, machines, relays; repeat it for more  [default: those of the study]",
)
@click.option("-e", "--element", "elements", multiple=True, help="only this bus, unit or cluster; repeat it for more")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="folder to write to  [default: FOLDER]")
@click.option("--svg", is_flag=True, help="draw SVG instead of PNG")
@click.option("--list", "listing", is_flag=True, help="only list what the result holds")
def command(
    folder: Path,
    quantities: tuple[str, ...],
    figures: tuple[str, ...],
    elements: tuple[str, ...],
    out: Path | None,
    svg: bool,
    listing: bool,
) -> None:
    """Draw the figures of a saved result again, or any quantity of it.

    \b
    gridai plot out/pause --list
    gridai plot out/pause --svg
    gridai plot out/pause -q bus.vm_pu -e 16 -e 39
    gridai plot out/pause -f machines
    """
    if listing:
        holdings(folder)
        return
    for path in plot(folder, quantities, elements, figures, out=out, svg=svg):
        click.echo(path)


def plot(
    folder: Path,
    quantities: Sequence[str] = (),
    elements: Sequence[str] = (),
    figures: Sequence[str] = (),
    *,
    out: Path | None = None,
    svg: bool = False,
) -> list[Path]:
    """Draw a saved result: the study's figures, or those named and one for each quantity. Returns the files written."""
    from gridai import plots

    if elements and not quantities:
        raise SettingError("--element needs --quantity: say what to draw, as -q bus.vm_pu; --list shows what there is")
    drawn = {**_quantities(folder, quantities, elements), **_named(folder, figures)}
    if not quantities and not figures:
        drawn = _study_figures(folder)
    target, kind = out or folder, "svg" if svg else "png"
    return [plots.save_figure(figure, target / f"{name}.{kind}") for name, figure in drawn.items()]


def holdings(folder: Path) -> None:
    """Print the quantities of a saved result and the elements that have them."""
    from gridai.results.records import KINDS

    result, _ = _read(folder)
    rows = []
    for kind in KINDS:
        for quantity in result.quantities(kind):
            names = result.names(kind, quantity)
            rows.append((f"{kind}.{quantity}", len(names), " ".join(names[:12]) + (" ..." if len(names) > 12 else "")))
    printing.table(str(folder), ("quantity", "elements", ""), rows)


def _read(folder: Path) -> tuple[Result, str]:
    """A saved result and its title."""
    from gridai.reports import load_report
    from gridai.results import load

    if (folder / "report.json").is_file():
        report = load_report(folder)
        return report.result, str(report.about["title"])
    result = load(folder)
    return result, str(result.meta.get("case", folder.name))


def _study_figures(folder: Path) -> dict[str, Figure]:
    from gridai.reports import load_report

    if not (folder / "report.json").is_file():
        return _quantities(folder, BARE, ())
    report = load_report(folder)
    return {name: report.figure(name) for name in report.figures}


def _named(folder: Path, names: Sequence[str]) -> dict[str, Figure]:
    """Figures by name, with the limits that the report holds, if there is one."""
    from gridai import plots
    from gridai.reports import load_report

    for name in names:
        if name not in plots.FIGURES:
            raise UnknownNameError(near(name, plots.FIGURES, "figure"))
    if names and (folder / "report.json").is_file():
        report = load_report(folder)
        return {name: report.figure(name) for name in names}
    return {name: plots.FIGURES[name](*_bare(folder)) for name in names}


def _bare(folder: Path) -> tuple[Result, tuple[()], str]:
    """What a figure takes of a result without a report: no limits are known."""
    result, title = _read(folder)
    return result, (), title


def _quantities(folder: Path, quantities: Sequence[str], elements: Sequence[str]) -> dict[str, Figure]:
    from gridai import plots

    if not quantities:
        return {}
    result, title = _read(folder)
    figures = {}
    for asked in quantities:
        kind, dot, quantity = asked.partition(".")
        if not dot:
            raise SettingError(f"quantity '{asked}': write kind.name, as bus.vm_pu; --list shows what there is")
        figures[f"{kind}_{quantity}"] = plots.quantity(result, kind, quantity, elements, f"{title}: {asked}")
    return figures
