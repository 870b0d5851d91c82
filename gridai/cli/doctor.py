"""`gridai doctor`: is this installation whole? Versions, compiled kernels, cases, and a trial run."""

from __future__ import annotations

import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version

import click

import gridai
from gridai.cli import catalogue, printing

PACKAGES = ("pandapower", "numpy", "scipy", "networkx", "pandas", "matplotlib", "numba", "click", "rich")
TRIAL_S = 1.0
DRIFT_PU = 1e-6


@click.command("doctor")
@click.option("--run/--no-run", default=True, help="With or without the trial run.")
def command(run: bool) -> int:
    """Check the installation: versions, compiled kernels, cases and a flat trial run.

    \b
    gridai doctor
    """
    names = catalogue.case_names()
    missing = [name for name, found in versions() if found == "missing"]
    printing.table("versions", ("package", "version"), versions())
    printing.table("compiled kernels", ("", ""), kernel_cache())
    printing.table("cases", ("", ""), [(name, catalogue.case_folder(name)) for name in names])
    if not names:
        printing.error("the bundled cases are missing: install gridai again")
        return 2
    if missing:
        printing.error(f"missing: {', '.join(missing)}; install them with 'pip install gridai'")
        return 2
    return trial(names) if run else 0


def versions() -> list[tuple[str, str]]:
    """(package, version) of Python, gridai and what it stands on; "missing" where not installed."""
    rows = [("python", f"{platform.python_version()} ({sys.executable})"), ("gridai", gridai.__version__)]
    for name in PACKAGES:
        try:
            rows.append((name, version(name)))
        except PackageNotFoundError:
            rows.append((name, "missing"))
    return rows


def kernel_cache() -> list[tuple[str, str]]:
    """Where compiled kernels are kept and how many there are."""
    from gridai.kernel.compile import cache_folder

    folder = cache_folder()
    kernels = list(folder.rglob("*.nbc"))
    size_mb = sum(path.stat().st_size for path in kernels) / 1e6
    state = f"{len(kernels)} ({size_mb:.1f} MB)" if kernels else "none yet: the first run compiles them"
    return [("folder", str(folder)), ("kernels", state)]


def trial(names: list[str]) -> int:
    """Run a small case without any event; print the times and how far it drifts. Returns the exit status."""
    name = "smib" if "smib" in names else names[0]
    rows, start = [], time.perf_counter()

    def lap(what: str) -> None:
        nonlocal start
        rows.append((what, f"{time.perf_counter() - start:.2f}"))
        start = time.perf_counter()

    from gridai import engine
    from gridai.case import load_case

    case = load_case(name)
    lap(f"read {name}, import pandapower")
    system = engine.compile_system(case)
    lap("compile, or load what is compiled")
    result = engine.simulate(system, until_s=TRIAL_S)
    lap(f"simulate {TRIAL_S:g} s")
    printing.table("trial run", ("step", "s"), rows)
    speed = result.values("gen", "speed_pu")
    drift = float(abs(speed - 1.0).max())
    fine = drift < DRIFT_PU
    click.echo(f"largest drift of speed {drift:.1e} pu: {'fine' if fine else f'above {DRIFT_PU:g}'}")
    return 0 if fine else 3
