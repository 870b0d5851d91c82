"""`gridai plot FOLDER`: draw a saved result again, other quantities or other elements, PNG or SVG."""

from __future__ import annotations

from pathlib import Path

import click

from gridai.cli import printing


@click.command("plot")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "-q",
    "--quantity",
    "quantities",
    multiple=True,
    metavar="KIND.NAME",
    help="What to draw, as bus.vm_pu or gen.speed_pu; repeat it for more. [default: all the figures of the study]",
)
@click.option("-e", "--element", "elements", multiple=True, help="Only this bus, unit or cluster; repeat it for more.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Where to. [default: FOLDER]")
@click.option("--svg", is_flag=True, help="Draw SVG instead of PNG.")
@click.option("--list", "listing", is_flag=True, help="Only list what the result holds.")
def command(
    folder: Path, quantities: tuple[str, ...], elements: tuple[str, ...], out: Path | None, svg: bool, listing: bool
) -> None:
    """Draw the figures of a saved result again.

    \b
    gridai plot out/pause --list
    gridai plot out/pause -q bus.vm_pu -e 16 -e 39 --svg
    """
    printing.note(str((folder, quantities, elements, out, svg, listing)))
