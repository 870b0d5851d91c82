"""A day of one-minute unbalanced power flows on the European LV feeder: gridai, OpenDSS, power-grid-model.

Usage: python scripts/bench/unbalanced_vs_opendss.py [STEPS]        (pip install gridai[test] for the two peers)

1,440 steps of 55 single-phase loads on 907 buses, each load with a course of its own; voltages of all phases of all
buses are wanted of each step. One thread each. Processor time of the steps alone, set-up apart, the best of three,
taken in turns. OpenDSS is run in its own daily mode, where it keeps no voltages (the lower end of its time), and step
by step with its voltages read (what a user gets). All voltages are compared with power-grid-model, one step's with
OpenDSS.
"""
# ruff: noqa: E402 - the number of threads is set before NumPy is loaded

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import importlib.util
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pandapower import networks

from gridai.grid.phases import PhaseFlow, Vary

PEERS = Path(__file__).resolve().parents[2] / "tests" / "validation" / "phase_peers.py"
PHASES = "abc"
ROUNDS = 3


def peers() -> Any:
    """The module that writes a net for OpenDSS and power-grid-model."""
    spec = importlib.util.spec_from_file_location("phase_peers", PEERS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def feeder() -> Any:
    """The feeder with one load a row, one phase a load, power factor 0.95."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        net = networks.ieee_european_lv_asymmetric("on_peak_566")
    net.trafo["mag0_percent"] = 1e9  # the peers have no magnetising branch in the zero sequence
    rows = net.asymmetric_load
    which = np.array([int(np.argmax([row[f"p_{x}_mw"] for x in PHASES])) for _, row in rows.iterrows()])
    for k, x in enumerate(PHASES):
        rows[f"p_{x}_mw"], rows[f"q_{x}_mvar"] = np.where(which == k, 1e-3, 0.0), np.where(which == k, 3.287e-4, 0.0)
    return net


def courses(steps: int, loads: int) -> Any:
    """Power of each load over 1 kW, float[steps, loads]: a smooth day, and appliances that come and go."""
    rng = np.random.default_rng(1)
    hour = np.linspace(0.0, 24.0, steps)[:, None]
    base = 0.3 + 0.5 * np.exp(-((hour - 19.0 - rng.normal(0, 1, loads)) ** 2) / 6.0)
    return base * rng.uniform(0.6, 1.4, loads) + 2.0 * (rng.uniform(size=(steps, loads)) < 0.05)


def ours(net: Any, factor: Any) -> tuple[float, Callable[[], Any]]:
    """Seconds of set-up, and a function that gives complex[steps, buses, 3]."""
    begun = time.process_time()
    flow = PhaseFlow(net, source="behind")
    flow.solve()
    took = time.process_time() - begun
    rows = net.asymmetric_load
    columns = [c for c in rows.columns if c[:2] in ("p_", "q_") and (rows[c] != 0).any()]
    blocks = []
    for c in columns:
        own = np.flatnonzero(rows[c].to_numpy() != 0)
        blocks.append((c, own, factor[:, own] * rows[c].to_numpy()[own]))

    def run() -> Any:
        result = flow.solve([Vary("asymmetric_load", c, values, rows.index[own]) for c, own, values in blocks])
        assert result.solved.all()
        return result.v_pu

    return took, run


def opendss(net: Any, factor: Any, module: Any) -> tuple[float, Callable[[], Any], Callable[[], Any]]:
    """Set-up, daily mode without results, and step by step with the voltages."""
    import opendssdirect as dss

    begun = time.process_time()
    module.write_opendss(net, dss)
    steps, loads = factor.shape
    for k in range(loads):
        dss.Text.Command(
            f"new loadshape.s{k} npts={steps} interval={24 / steps!r} mult=[{' '.join(map(str, factor[:, k]))}]"
        )
        dss.Text.Command(f"edit load.p{k} daily=s{k}")
    dss.Text.Command("set tolerance=1e-8 maxiterations=100")
    dss.Solution.Solve()
    took = time.process_time() - begun

    def daily(number: int) -> None:
        dss.Text.Command(f"set mode=daily number={number} hour=0 sec=0 stepsize={86400 / steps!r}s")

    def engine() -> None:
        daily(steps)
        dss.Solution.Solve()

    def stepwise() -> Any:
        daily(1)
        out = np.empty((steps, 2 * dss.Circuit.NumNodes()))
        for k in range(steps):
            dss.Solution.Solve()
            out[k] = dss.Circuit.AllBusVolts()
        return out

    return took, engine, stepwise


def grid_model(net: Any, factor: Any, module: Any) -> tuple[float, Callable[[], Any], Callable[[], Any]]:
    """Set-up, and the batch by its two exact methods: iterative current, Newton."""
    import power_grid_model as pgm

    begun = time.process_time()
    model, ids = module.grid_model(net)
    took = time.process_time() - begun
    update = pgm.initialize_array("update", "asym_load", factor.shape)
    update["id"] = np.array(ids)[None, :]
    rows = net.asymmetric_load
    for k, (_, row) in enumerate(rows.iterrows()):
        for p, x in enumerate(PHASES):
            update["p_specified"][:, k, p] = 1e6 * row[f"p_{x}_mw"] * factor[:, k]
            update["q_specified"][:, k, p] = 1e6 * row[f"q_{x}_mvar"] * factor[:, k]

    def run(method: Any) -> Any:
        out = model.calculate_power_flow(
            symmetric=False, update_data={"asym_load": update}, threading=-1, calculation_method=method,
            error_tolerance=1e-8, max_iterations=50, output_component_types={"node": ["u_pu", "u_angle"]},
        )  # fmt: skip
        return out["node"]["u_pu"] * np.exp(1j * out["node"]["u_angle"])

    methods = pgm.CalculationMethod
    return took, lambda: run(methods.iterative_current), lambda: run(methods.newton_raphson)


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of one call, and what it gave."""
    begun = time.process_time()
    out = run()
    return time.process_time() - begun, out


def main() -> None:
    """Run all in turns; print times, ratios and the largest difference of voltages."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 1440
    module, net = peers(), feeder()
    factor = courses(steps, len(net.asymmetric_load))
    ready, own = ours(net, factor)
    ready_dss, engine, stepwise = opendss(net, factor, module)
    ready_pgm, iterative, newton = grid_model(net, factor, module)
    runs = {
        "gridai": own, "OpenDSS, its daily mode": engine, "OpenDSS, voltages read": stepwise,
        "power-grid-model": iterative, "power-grid-model, Newton": newton,
    }  # fmt: skip
    best = dict.fromkeys(runs, float("inf"))
    given: dict[str, Any] = {}
    for _ in range(ROUNDS):
        for label, run in runs.items():
            took, given[label] = timed(run)
            best[label] = min(best[label], took)
    print(f"{steps} steps, {len(net.bus)} buses, {factor.shape[1]} loads, one thread, best of {ROUNDS}")
    setup = {"gridai": ready, "OpenDSS, its daily mode": ready_dss, "power-grid-model": ready_pgm}
    for label, seconds in best.items():
        print(f"  {label:26s} {seconds:8.3f} s  {steps / seconds:9.0f} steps/s  {seconds / best['gridai']:7.1f} times"
              + (f"   set-up {setup[label]:.2f} s" if label in setup else ""))  # fmt: skip
    at = steps // 2
    differs = np.abs(given["gridai"] - given["power-grid-model"]).max()
    print(f"  voltages, all steps, from power-grid-model: {differs:.1e} pu")
    for x in PHASES:
        for part in ("p", "q"):
            unit = "mw" if part == "p" else "mvar"
            net.asymmetric_load[f"{part}_{x}_{unit}"] *= factor[at]
    print(f"  voltages of step {at} from OpenDSS: {np.abs(given['gridai'][at] - module.opendss(net)).max():.1e} pu")


if __name__ == "__main__":
    main()
