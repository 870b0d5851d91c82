"""`gridai list`: the names there are, with one line about each."""

from __future__ import annotations

import click

from gridai.cli import printing
from gridai.cli.catalogue import KINDS, LISTS

ALIASES = {"profiles": "criteria"}
"""Other words for a kind."""


@click.command("list")
@click.argument("kind", required=False, type=click.Choice((*KINDS, *ALIASES)), metavar="[KIND]")
def command(kind: str | None) -> None:
    """List cases, models, studies, criteria (or: profiles), hardware and workloads, or one KIND of them.

    \b
    gridai list
    gridai list models
    """
    for one in KINDS if kind is None else (ALIASES.get(kind, kind),):
        columns, rows = LISTS[one]()
        printing.table(one, columns, rows)
    if kind is None:
        printing.note("\ngridai show NAME tells more about one of them.")
