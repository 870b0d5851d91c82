"""Text on the terminal: tables (rich on a terminal, plain aligned columns in a pipe), notes and errors.

rich is imported only when a terminal is there to show it.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

_NUMBER = set("0123456789.+-eE%")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: drawn with rich on a terminal, aligned plain columns (one row a line) in a pipe."""
    cells = [[_text(cell) for cell in row] for row in rows]
    if not cells:
        click.echo(f"{title}: none")
    elif sys.stdout.isatty():
        _rich_table(title, columns, cells)
    else:
        click.echo(plain_table(title, columns, cells))


def plain_table(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """The table as text: title, header, rows; numbers stand to the right."""
    right = [_is_number_column(cells, k) for k in range(len(columns))]
    shown = [list(columns), *cells] if any(columns) else cells
    width = [max(len(row[k]) for row in shown) for k in range(len(columns))]
    lines = [title] if title else []
    for row in shown:
        padded = [cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, width, right, strict=True)]
        lines.append(("  " + "  ".join(padded)).rstrip())
    return "\n".join(lines)


def _rich_table(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        title=title or None, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold", show_header=any(columns)
    )
    for k, column in enumerate(columns):
        drawn.add_column(column, justify="right" if _is_number_column(cells, k) else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)


def _is_number_column(cells: Sequence[Sequence[str]], k: int) -> bool:
    filled = [row[k] for row in cells if row[k]]
    return bool(filled) and all(set(cell) <= _NUMBER for cell in filled)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def paragraph(text: str) -> None:
    """Print text wrapped to the width of the terminal, at most 100 columns; blank lines part paragraphs."""
    indent = " " * (len(text) - len(text.lstrip()))
    width = min(100, max(40, shutil.get_terminal_size((100, 24)).columns))
    for block in text.rstrip().split("\n\n"):
        click.echo(textwrap.fill(" ".join(block.split()), width, initial_indent=indent, subsequent_indent=indent))


def error(text: str) -> None:
    """One clear message on standard error."""
    click.echo(f"gridai: {text}", err=True)


def note(text: str) -> None:
    """A remark on standard error, so that standard output holds the answer only."""
    click.echo(text, err=True)


@contextmanager
def busy(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal that work goes on, and for how long it has; nothing in a pipe.

    Gives a function to call with how much is done and how much there is: then a bar is shown, with the time left.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    plain = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*plain, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=None)

        def tick(done: int, total: int) -> None:
            if len(bar.columns) == len(plain):
                bar.columns = (
                    *plain,
                    BarColumn(),
                    TextColumn("{task.completed:,} of {task.total:,}"),
                    TimeRemainingColumn(),
                )
            bar.update(task, completed=done, total=total)

        yield tick
