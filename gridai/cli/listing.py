"""`gridai list`: the names there are, with one line about each."""

from __future__ import annotations

import click

from gridai.cli import printing
from gridai.cli.catalogue import KINDS, LISTS


@click.command("list")
@click.argument("kind", required=False, type=click.Choice(KINDS))
def command(kind: str | None) -> None:
    """List cases, models, studies, criteria, hardware and workloads, or one KIND of them.

    \b
    gridai list
    gridai list models
    """
    for one in KINDS if kind is None else (kind,):
        columns, rows = LISTS[one]()
        printing.table(one, columns, rows)
    if kind is None:
        printing.note("\ngridai show NAME tells more about one of them.")
