"""`gridai check`: read a case, solve its power flow, start its models, and say how far each is from steady state."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gridai.cli import options, printing
from gridai.cli.run import CASE_OPTIONS, read_case

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid import OperatingPoint


@click.command("check")
@click.argument("case", required=False, metavar="[NAME|FOLDER]")
@options.add(CASE_OPTIONS[1:])
def command(case: str | None, net: Path | None) -> None:
    """Read a case, solve its power flow and start it flat. Every fault found is named, all of a file at once.

    \b
    gridai check ieee39
    gridai check my_case/
    gridai check --net my.json
    """
    check(read_case(case, net))


def check(case: Case) -> None:
    """Print the power flow and the initialisation of a case, stage by stage; raises what is wrong with it."""
    from gridai import engine

    click.echo(f"{case.name}: {case.title}")
    op = case.solve()
    _power_flow(op)
    system = engine.compile_system(case)
    start = engine.check_start(system)
    counts = [(g.model.name, g.model.role, len(g.devices), len(g.devices) * len(g.model.states)) for g in system.groups]
    printing.table("dynamic models", ("model", "role", "units", "states"), counts)
    for text in system.notes:
        printing.note(f"note: {text}")
    click.echo(f"start: {start}")
    click.echo("the case is fine")


def _power_flow(op: OperatingPoint) -> None:
    """What the power flow found: extremes of voltage, units and their room."""
    import numpy as np

    net = op.network
    vm = np.abs(op.v)
    low, high = int(vm.argmin()), int(vm.argmax())
    facts = [
        ("iterations", op.iterations),
        ("largest mismatch [MVA]", float(op.mismatch_mva)),
        ("lowest voltage [pu]", f"{vm[low]:.4f} at bus {net.nodes[low]}"),
        ("highest voltage [pu]", f"{vm[high]:.4f} at bus {net.nodes[high]}"),
        ("load [MW]", float(np.sum(net.loads.p_mw))),
    ]
    printing.table("power flow", ("", ""), facts)
    u = net.units
    rows = [
        (u.name[k], u.kind[k], net.nodes[u.node[k]], *(float(a[k]) for a in (u.p_mw, u.q_mvar, u.sn_mva, u.max_p_mw)))
        for k in range(len(u.name))
    ]
    printing.table("units", ("name", "kind", "bus", "p_mw", "q_mvar", "sn_mva", "max_p_mw"), rows)
