"""The command `gridai`: one verb, one public function, the same argument names.

Exit status: 0 all verdicts pass, 1 a limit is violated, 2 bad input, 3 a run did not converge, 130 interrupted.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from gridai import __version__
from gridai.cli import printing
from gridai.errors import GridaiError, near

VERBS = {
    "list": "gridai.cli.listing",
    "show": "gridai.cli.show",
    "run": "gridai.cli.run",
    "check": "gridai.cli.check",
    "limits": "gridai.cli.limits",
    "plot": "gridai.cli.plot",
    "import": "gridai.cli.import_case",
    "doctor": "gridai.cli.doctor",
}
"""Verb to the module that holds it as `command`; loaded when the verb is used or listed."""

INTERRUPTED = 130


class Verbs(click.Group):
    """A group whose commands are loaded when asked for, with near names for a misspelt one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order of use."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of this name, None if there is none."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(VERBS[cmd_name]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, but an unknown verb names the near ones."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise click.UsageError(near(args[0], VERBS, "command"), ctx)
        return super().resolve_command(ctx, args)


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="gridai")
@click.option("--traceback", is_flag=True, help="Show where in the code an error was raised.")
def cli(traceback: bool) -> None:
    """What an AI cluster does to a power grid, and what it can do for it.

    \b
    gridai list                          what there is
    gridai show ieee39                   one case, model, study, profile or hardware
    gridai run pause --case ieee39 --bus 16 --pause-mw 100 --out out/pause
    gridai check my_case/                read a case, solve it, start it flat
    gridai plot out/pause -q bus.vm_pu   draw a saved result again
    gridai limits check                  limits of a grid under regression test

    \b
    Exit status: 0 all verdicts pass, 1 a limit is violated, 2 bad input,
    3 a run did not converge, 130 interrupted.
    """


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit status."""
    sys.exit(call(sys.argv[1:] if argv is None else argv))


def call(argv: Sequence[str]) -> int:
    """Run the command line; return the exit status. An error is one message, with --traceback also its place."""
    args = [arg for arg in argv if arg != "--traceback"]
    try:
        status = cli.main(args, prog_name="gridai", standalone_mode=False)
        return int(status or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        printing.error(_with_notes("interrupted", error.__cause__ or error))
        return INTERRUPTED
    except (GridaiError, OSError) as error:
        if len(args) < len(argv):
            traceback.print_exc()
        printing.error(_with_notes(_plain(error), error))
        return error.exit_status if isinstance(error, GridaiError) else 2


def _plain(error: Exception) -> str:
    """Text of an error; one of the system as "file: what is wrong with it", without its number."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _with_notes(text: str, error: BaseException) -> str:
    return "\n".join([text, *getattr(error, "__notes__", ())])
