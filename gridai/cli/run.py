"""`gridai run STUDY`: put a cluster into a case, run a study, print and save its report.

The options of a study are the fields of its dataclass. The command does what these lines do:

    case = ga.load_case("ieee39").with_cluster(ga.Cluster.of("H100", count=100_000, pue=1.25), bus="16")
    report = ga.studies.Pause(pause_mw=100).run(case)
    report.save("out/pause")
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gridai.cli import catalogue, options, printing
from gridai.errors import ConvergenceError, SettingError, near

if TYPE_CHECKING:
    from gridai.case import Balance, Case
    from gridai.reports import Report
    from gridai.results.formats import DataFormat

COUNT = 100_000
CASE_OPTIONS = (
    click.option("--case", metavar="NAME|FOLDER", help="bundled case, or a folder that holds a case.toml"),
    click.option(
        "--net",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="pandapower network (.json) in place of a case; it gets template dynamics, as the report says",
    ),
)
BUS_OPTION = click.option(
    "--bus",
    help="bus of the cluster by name, else by pandapower's index (default: the bus that the case suggests, "
    "else the one with the largest load)",
)
CLUSTER_BUS_OPTION = click.option(
    "--cluster-bus",
    "bus_of_cluster",
    help="place a cluster at this bus, by name, else by pandapower's index (default: no cluster)",
)
CLUSTER_OPTIONS = (
    click.option(
        "--cluster-file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="cluster or site as TOML, or the name of one of the case's own (clusters/*.toml, see gridai show CASE), "
        "in place of the four options below",
    ),
    click.option("--hardware", default="H100", show_default=True, help="GPU hardware, see gridai list hardware"),
    click.option("--count", type=int, help=f"number of GPUs (default: what the case suggests, else {COUNT})"),
    click.option("--pue", type=float, default=1.25, show_default=True, help="power at the meter over IT power"),
    click.option("--power-factor", type=float, default=0.99, show_default=True, help="P over S at the meter, lagging"),
    click.option(
        "--balance",
        type=click.Choice(["headroom", "slack", "in_place_of_load"]),
        default="headroom",
        show_default=True,
        help="who feeds the cluster: all units by headroom, the slack, or load at the bus that it replaces",
    ),
)
OUTPUT_OPTIONS = (
    click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        help="folder for the report (HTML), figures, tables and the result",
    ),
    click.option("--svg", is_flag=True, help="save figures as SVG too"),
    click.option(
        "--data",
        type=click.Choice(["npz", "csv", "parquet"]),
        default="npz",
        show_default=True,
        help="format of the whole result; parquet needs the extra gridai[parquet]",
    ),
)


class Studies(click.Group):
    """One command a study, made when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the studies."""
        return list(catalogue.studies())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a study, None if there is none of this name."""
        study = catalogue.studies().get(cmd_name)
        return None if study is None else study_command(cmd_name, study)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, but an unknown study names the near ones."""
        if args and args[0] not in catalogue.studies() and not args[0].startswith("-"):
            raise click.UsageError(near(args[0], catalogue.studies(), "study"), ctx)
        return super().resolve_command(ctx, args)


@click.command("run", cls=Studies, subcommand_metavar="STUDY [OPTIONS]")
def command() -> None:
    """Run a study on a case, with or without a GPU cluster.

    \b
    gridai run pause --case ieee39 --bus 16 --pause-mw 100 --out out/pause
    gridai run fault --case ieee39 --bus 16 --clear-s 1.1 --out out/fault
    gridai run pause --help              all options of a study
    """


def study_command(name: str, study: Any) -> click.Command:
    """The click command of a study: its fields as options, then those of case, cluster and output."""
    from gridai.studies import ALONE

    def callback(**values: Any) -> int:
        own = {option.name: values.pop(option.name) for option in options.study_options(study) if option.name}
        report = (run_alone if alone else run)(study(**own), **values)
        return 0 if report.passed else 1

    place_option = BUS_OPTION if study.needs_cluster else CLUSTER_BUS_OPTION
    alone = name in ALONE
    case_options = () if alone else (*CASE_OPTIONS, place_option, *CLUSTER_OPTIONS)
    made = options.add((*case_options, *OUTPUT_OPTIONS))(callback)
    shared = list(reversed(getattr(made, "__click_params__", [])))
    first = [] if alone else shared[:2]
    return click.Command(
        name,
        params=[*first, *options.study_options(study), *shared[len(first) :]],
        callback=callback,
        help=study.__doc__,
        short_help=catalogue.first_sentence(study.__doc__),
    )


def run(
    study: Any,
    *,
    case: str | None = None,
    net: Path | None = None,
    bus: str | None = None,
    bus_of_cluster: str | None = None,
    cluster_file: Path | None = None,
    hardware: str = "H100",
    count: int | None = None,
    pue: float = 1.25,
    power_factor: float = 0.99,
    balance: Balance = "headroom",
    out: Path | None = None,
    svg: bool = False,
    data: DataFormat = "npz",
) -> Report:
    """Run a study on a case; print the report and save it to `out`. Arguments as the options.

    A study that needs a cluster gets one at `bus`, unless the case holds clusters and no bus is given; any other study
    gets one at `bus_of_cluster` if that is given.
    """
    from gridai.cluster import Cluster, load_cluster
    from gridai.results.formats import check_format

    check_format(data)
    check_out(out)
    with printing.busy("reading the case"):
        made = read_case(case, net)
        if cluster_file is None:
            number = made.defaults.get("count", COUNT) if count is None else count
            cluster: Any = Cluster.of(hardware, count=int(number), pue=pue, power_factor=power_factor)
        else:
            cluster = load_cluster(own_cluster(made, cluster_file))
        asked = bus if study.needs_cluster else bus_of_cluster
        if asked is not None or (study.needs_cluster and not made.placements):
            made = place(made, cluster, asked, balance)
    if made.placements and made.placements[-1].cluster is cluster:
        click.echo(f"{cluster} at {made.describe_bus(made.placements[-1].bus)} of {made.name}, balance {balance}\n")
    try:
        with printing.busy(first_run() or f"running {type(study).__name__.lower()}") as tick:
            counted = getattr(study, "ticks", False)
            report: Report = study.run(made, tick=tick) if counted else study.run(made)
    except ConvergenceError as error:
        _keep(error, out)
        raise
    except KeyboardInterrupt as error:
        kept = getattr(study, "keep", "")
        left = f"what was finished is in {kept}, or its .part beside it" if kept else "nothing of it is written"
        error.add_note(f"the run was stopped before its end: {left}" + _older(out))
        raise
    return present(report, out, svg, data)


def run_alone(study: Any, *, out: Path | None = None, svg: bool = False, data: DataFormat = "npz") -> Report:
    """Run a study that takes no case; print the report and save it to `out`."""
    from gridai.results.formats import check_format

    check_format(data)
    check_out(out)
    with printing.busy(f"running {type(study).__name__.lower()}"):
        report: Report = study.run()
    return present(report, out, svg, data)


def present(report: Report, out: Path | None, svg: bool, data: DataFormat) -> Report:
    """Print a report and save it to `out`, if that is given."""
    click.echo(str(report))
    if out is None:
        printing.note("\nNothing is saved; add --out FOLDER to keep figures, tables and the result.")
        return report
    before = _stamps(out)
    try:
        with printing.busy("drawing and saving"):
            report.save(out, svg=svg, data=data)
    except (OSError, KeyboardInterrupt) as error:
        error.add_note(f"the report is not saved in {out}; nothing half-written is left there{_older(out)}")
        raise
    now = _stamps(out)
    printing.note(f"\nSaved in {out}: " + ", ".join(sorted(name for name in now if now[name] != before.get(name))))
    others = sorted(name for name in now if now[name] == before.get(name))
    if others:
        printing.note("there from before, not of this run: " + ", ".join(others))
    return report


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Files of a folder with what changes when one is written anew: inode and time of the last change."""
    if not folder.is_dir():
        return {}
    return {p.name: (s.st_ino, s.st_mtime_ns) for p in folder.iterdir() if p.is_file() for s in (p.stat(),)}


def check_out(out: Path | None) -> None:
    """Raise SettingError where nothing can be written to `out`: before a long run, not after it."""
    if out is None:
        return
    # The files are made beside the folder and renamed into it.
    beside = next(p for p in out.absolute().parents if p.exists())
    for place in (out, beside) if out.exists() else (beside,):
        try:
            with tempfile.TemporaryDirectory(prefix=".gridai-", dir=place):
                pass
        except OSError as error:
            raise SettingError(f"--out {out}: nothing can be written in {place}: {error.strerror}") from error


def first_run() -> str:
    """What to tell a user who waits for the models to be compiled; empty where they are compiled already."""
    from gridai.kernel.compile import cache_folder

    return "" if any(cache_folder().glob("**/*.nbc")) else "compiling the models, once: about half a minute"


def read_case(case: str | None, net: Path | None) -> Case:
    """The case of --case or --net; exactly one of them must be given."""
    if (case is None) == (net is None):
        raise SettingError("give --case NAME (see gridai list cases) or --net FILE, one of them")
    from gridai.case import Case, load_case

    if case is not None:
        return load_case(case)
    from gridai.grid import read_pandapower_json

    path = Path(str(net))
    if not path.is_file():
        raise SettingError(f"--net {path}: no such file")
    return Case.from_pandapower(read_pandapower_json(path), dynamics="templates", name=path.stem)


def own_cluster(case: Case, given: Path) -> Path:
    """A file by its path, else the case's own of that name: clusters/<name>.toml in its folder."""
    own = Path(case.provenance.get("folder", "")) / "clusters" / f"{given}.toml"
    return own if not given.is_file() and not given.suffix and own.is_file() else given


def place(case: Case, cluster: Any, bus: str | None, balance: Balance) -> Case:
    """The case with a cluster at `bus`, or at the default bus."""
    key = default_bus(case) if bus is None else bus_of(case, bus)
    return case.with_cluster(cluster, bus=key, balance=balance)


def bus_of(case: Case, bus: str) -> str:
    """The bus a word on the command line means: a bus key, else a number that is pandapower's index."""
    if bus not in case.buses and bus.isdecimal():
        return case.resolve_bus(int(bus))
    return case.resolve_bus(bus)


def default_bus(case: Case) -> str:
    """The bus where the user names none: the one the case suggests, else the bus with the largest load."""
    if "bus" in case.defaults:
        return case.resolve_bus(str(case.defaults["bus"]))
    load = case.net.load[case.net.load.in_service]
    if load.empty:
        raise SettingError(f"case '{case.name}' has no load: name the bus of the cluster with --bus")
    return case.resolve_bus(int(load.groupby("bus").p_mw.sum().idxmax()))


def _older(out: Path | None) -> str:
    return f"; {out} holds an older run" if out is not None and out.is_dir() else ""


def _keep(error: ConvergenceError, out: Path | None) -> None:
    """Save what was computed until convergence was lost, and say where."""
    if error.result is None:
        return
    if out is None:
        error.add_note("what was computed until then is kept with --out FOLDER")
        return
    error.result.save(out)
    error.add_note(f"what was computed until then is saved in {out}")
