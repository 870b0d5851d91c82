"""`gridai limits`: check limits files, show or write the values that moved, begin a new file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gridai.cli import printing
from gridai.errors import CaseError, SettingError

if TYPE_CHECKING:
    from gridai.limits import Checked

PATHS = click.argument("paths", nargs=-1, metavar="[PATH]...")
BUNDLED = click.option("--bundled", is_flag=True, help="the limits of all cases that come with gridai")


@click.group("limits", subcommand_metavar="check|update|new [OPTIONS]")
def command() -> None:
    """Keep a grid's limits under regression test, in files *.limits.toml beside its data.

    Such a file names a case, the studies to run on it, and for each what must hold: verdicts of a criteria profile,
    and figures (nadir, zenith, worst voltage, damping, clearing time, load lost) with tolerance, margin, element, time
    and the reason why. The same files are tests of pytest, in any repository with gridai installed.

    \b
    gridai limits new --case my_grid --study pause --bus 16 --out my_grid/my_grid.limits.toml
    gridai limits check                  all *.limits.toml below this folder
    gridai limits check ieee39           those of a bundled case
    gridai limits update                 show what moved, as a diff
    gridai limits update --write         and write it

    \b
    Exit status: 0 all limits hold, 1 one is violated or has moved (update: a change is shown
    and not written), 2 bad input, 3 a run did not converge.
    """


@command.command("check")
@PATHS
@BUNDLED
@click.option("--failed", is_flag=True, help="leave the rows of limits that pass out of the tables")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="files checked at once")
def check_command(paths: tuple[str, ...], bundled: bool, failed: bool, jobs: int) -> int:
    """Run the studies of limits files and judge every limit.

    PATH is a file, a folder that is searched, or the name of a bundled case; default: the current folder. A table has
    a row for each limit: old and new value, element, time, status. What fails is explained below it.
    """
    from gridai.limits import exit_status, find_files, read_all
    from gridai.limits.text import closing
    from gridai.limits.workers import check_files

    files = read_all(find_files(paths, bundled))
    done: list[Checked] = []
    with check_files(files, jobs) as results:
        for file in files:
            with printing.busy(_first_run(f"checking {file.path.name}")):
                checked = next(results)
            _print(checked, failed)
            done.append(checked)
    click.echo(closing(done))
    return exit_status(done)


def _first_run(usual: str) -> str:
    from gridai.cli.run import first_run

    return first_run() or usual


def _print(checked: Checked, failed: bool) -> None:
    """The table of a file, and what is said of each limit that does not pass."""
    from gridai.limits.checking import other_versions
    from gridai.limits.text import COLUMNS, failure, row

    path = checked.limits.path
    shown = [o for o in checked.outcomes if not failed or not o.good]
    if shown:
        printing.table(f"{path}: {checked.limits.title}", COLUMNS, [row(o) for o in shown])
    for remark in (checked.stale, "" if checked.passed else other_versions(checked.limits)):
        if remark:
            click.echo(f"  {remark}")
    for outcome in checked.outcomes:
        if not outcome.good:
            click.echo(f"\n{failure(outcome, path)}")
    if shown:
        click.echo("")


@command.command("update")
@PATHS
@BUNDLED
@click.option("--write", "to_write", is_flag=True, help="write the files; without it the changes are only shown")
@click.option("--all", "everything", is_flag=True, help="rewrite values within their tolerance too")
def update_command(paths: tuple[str, ...], bundled: bool, to_write: bool, everything: bool) -> int:
    """Show the values that moved as a diff; with --write put them into the files, all of them or none.

    Own limits (low, high, margin), reasons and expected failures are never touched, and a value that violates a limit
    is not taken over. The file notes the case's hash, the versions and the time.
    """
    from gridai.limits import Runner, find_files, read_all, update, write

    runner, updates = Runner(), []
    for file in read_all(find_files(paths, bundled)):
        with printing.busy(_first_run(f"running {file.path.name}")):
            updates.append(update(file, runner, everything))
    kept = [(u, outcome, why) for u in updates for outcome, why in u.kept]
    for u in updates:
        click.echo(u.diff if u.diff else f"{u.path}: nothing moved")
    for u, outcome, why in kept:
        click.echo(f"{u.path}: {outcome.name} is left as it is: {'; '.join(outcome.said)} ({why})")
    changed = [u for u in updates if u.diff]
    if changed and not to_write:
        printing.note(f"\nNothing is written; add --write to change {_files(len(changed))}.")
        return 1
    for path in write(updates):
        printing.note(f"written: {path}")
    return 1 if kept else 0


def _files(n: int) -> str:
    return "1 file" if n == 1 else f"{n} files"


@command.command("new")
@click.option("--case", required=True, metavar="NAME|FOLDER", help="bundled case, or a folder that holds a case.toml")
@click.option(
    "--study", "studies", multiple=True, default=("modes",), show_default=True, help="study to run; repeat it"
)
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="of the studies; repeat it")
@click.option("--bus", help="place a cluster of 100,000 H100 at this bus")
@click.option("--count", type=int, default=100_000, show_default=True, help="number of GPUs of that cluster")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="file to write (default: print it)")
def new_command(
    case: str, studies: tuple[str, ...], parameters: tuple[str, ...], bus: str | None, count: int, out: Path | None
) -> int:
    """Begin a limits file: run studies on a case and write down what they find, with first tolerances.

    Go through it: leave out what does not matter, and say why the rest does.
    """
    from gridai.limits import begin
    from gridai.limits.records import SUFFIX
    from gridai.limits.starting import case_text

    if out is not None and (out.exists() or not out.name.endswith(SUFFIX)):
        raise CaseError(f"--out {out}: " + ("exists already" if out.exists() else f"give a name that ends in {SUFFIX}"))
    cluster: dict[str, Any] = {} if bus is None else {"bus": bus, "count": count}
    runs = [(name, cluster, given, report) for name, given, report in _reports(case, studies, parameters, cluster)]
    text = begin(case_text(case, out), runs[0][3].title.partition(":")[0], runs)
    if out is None:
        click.echo(text, nl=False)
        return 0
    from gridai.results.store import write_text

    write_text(out, text)
    printing.note(f"written: {out}; next: gridai limits update --write {out}")
    return 0


def _reports(case: str, studies: tuple[str, ...], parameters: tuple[str, ...], cluster: dict[str, Any]) -> Any:
    """Name, parameters and report of each study."""
    from gridai.case import load_case
    from gridai.cli.run import bus_of
    from gridai.limits.read import make_cluster
    from gridai.studies import STUDIES

    given, placed = _parameters(parameters), load_case(case)
    if cluster:
        placed = placed.with_cluster(make_cluster(cluster), bus=bus_of(placed, cluster["bus"]))
    for name in studies:
        kind: Any = STUDIES[name]
        own = {key: value for key, value in given.items() if key in kind.__dataclass_fields__}
        yield name, own, kind(**own).run(placed)


def _parameters(texts: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE pairs; a value that reads as a number, true or false in TOML is that, else text."""
    import tomllib

    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise SettingError(f"--parameter {text}: write NAME=VALUE, as pause_mw=100")
        try:
            found[name] = tomllib.loads(f"key = {value}")["key"]
        except tomllib.TOMLDecodeError:
            found[name] = value
    return found
