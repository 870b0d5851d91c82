"""Batched power flow against lightsim2grid's batch and pandapower's fastest time series, one core, one run.

Usage: python scripts/bench/powerflow_vs_lightsim2grid.py [--scenarios 4096] [--spread 0.1] [--repeat 5]

All loads vary, each by its own random factor within 1 +- spread, P and Q together. All programs solve to 1e-8 pu
from the same base case. Timed is the solution of all scenarios from arrays of loads to voltages; the time is that of
the processor in this process, the best of several runs. lightsim2grid (not a dependency; pip install lightsim2grid)
gets its own converter's model of the same net: where that converter changes the network (it warns of line and
transformer charging) the number of unknowns is the same, which is what counts here. The largest difference of voltages
between the two is printed, so that it can be seen which network it solved.

The contingency part: every branch out in turn, from the base case to voltages. lightsim2grid leaves out the branches
that split the network; gridai counts what is lost and solves the rest, so its figure is for all of them.
"""

import argparse
import copy
import logging
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandapower
from pandapower import networks

from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.contingency import Contingencies, single_outages

CONTINGENCY_CASES = {"case118": networks.case118, "case2848rte": networks.case2848rte}
CASES = {
    "case39": networks.case39,
    "case118": networks.case118,
    "CIGRE MV": networks.create_cigre_network_mv,
}


def best(run: Callable[[], Any], repeat: int) -> float:
    """The least processor time of a call. [s]"""
    times = []
    for _ in range(repeat):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def factors(net: Any, scenarios: int, spread: float) -> np.ndarray:
    """A factor for each load in each scenario."""
    return np.random.default_rng(0).uniform(1.0 - spread, 1.0 + spread, (scenarios, len(net.load)))


def time_gridai(net: Any, factor: np.ndarray, repeat: int) -> tuple[float, Any]:
    """Seconds for all scenarios, and the result."""
    flow = BatchFlow(net)
    varying = [Vary("load", column, net.load[column].to_numpy() * factor) for column in ("p_mw", "q_mvar")]
    result = flow.solve(varying, loading=False)
    return best(lambda: flow.solve(varying, loading=False), repeat), result


def time_lightsim2grid(net: Any, factor: np.ndarray, repeat: int) -> tuple[float, Any]:
    """The same with lightsim2grid's time series; its voltages in the order of the buses."""
    from lightsim2grid.lightsim2grid_cpp import TimeSeriesCPP
    from lightsim2grid.network import init_from_pandapower

    solved = copy.deepcopy(net)
    pandapower.runpp(solved, calculate_voltage_angles=True, numba=False, lightsim2grid=False)
    model = init_from_pandapower(solved)
    count = len(factor)
    v0 = model.ac_pf(np.ones(len(solved.bus), dtype=complex), 20, 1e-8)
    if not len(v0):
        raise RuntimeError("lightsim2grid does not solve the base case")
    p, q = (np.ascontiguousarray(net.load[c].to_numpy() * factor) for c in ("p_mw", "q_mvar"))
    gen = np.tile([g.target_p_mw for g in model.get_generators()], (count, 1))
    sgen = np.tile([g.target_p_mw for g in model.get_static_generators()], (count, 1)).reshape(count, -1)

    def run() -> Any:
        series = TimeSeriesCPP(model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            series.compute_Vs(gen, sgen, p, q, v0, 20, 1e-8)
        return series.get_voltages()

    voltages = run()
    return best(run, repeat), voltages


def time_pandapower(net: Any, factor: np.ndarray) -> float:
    """Seconds a flow of run_timeseries at its fastest: recycled matrices, voltages logged in one piece."""
    import pandas as pd
    from pandapower.control import ConstControl
    from pandapower.timeseries import DFData, OutputWriter, run_timeseries

    work = copy.deepcopy(net)
    steps = min(len(factor), 300)
    for column in ("p_mw", "q_mvar"):
        table = pd.DataFrame(net.load[column].to_numpy() * factor[:steps])
        source = DFData(table)
        ConstControl(work, "load", column, work.load.index, profile_name=list(table.columns), data_source=source)
    OutputWriter(work, range(steps), output_path=None, log_variables=[("res_bus", "vm_pu")])
    run_timeseries(work, range(5), verbose=False, numba=True)
    start = time.process_time()
    run_timeseries(work, range(steps), verbose=False, numba=True)
    return (time.process_time() - start) / steps


def compare(name: str, scenarios: int, spread: float, repeat: int) -> None:
    """One line of the table."""
    net = CASES[name]()
    factor = factors(net, scenarios, spread)
    ours, result = time_gridai(net, factor, repeat)
    line = f"{name:10s} gridai {scenarios / ours:9.0f} flows/s ({result.solved.mean():.0%} certified)"
    try:
        theirs, voltages = time_lightsim2grid(net, factor, repeat)
        apart = np.abs(np.abs(voltages[:, : len(net.bus)]) - result.vm_pu).max()
        line += f"   lightsim2grid {scenarios / theirs:8.0f} ({theirs / ours:5.1f} times; {apart:.0e} pu apart)"
    except ImportError as error:
        line += f"   lightsim2grid not run: {error}"
    each = time_pandapower(net, factor)
    print(f"{line}   pandapower time series {1.0 / each:5.0f} ({each * scenarios / ours:6.0f} times)", flush=True)


def compare_contingencies(name: str, repeat: int) -> None:
    """N-1 of all branches: gridai solves and counts the splitting ones too, lightsim2grid leaves them out."""
    net = CONTINGENCY_CASES[name]()
    engine = Contingencies(BatchFlow(net))
    ready = engine.prepare(single_outages(engine.flow))
    result = engine.run(ready, loading=False)
    ours = len(ready.outages) / best(lambda: engine.run(ready, loading=False), repeat)
    line = f"{name:10s} N-1 gridai {ours:8.0f} outages/s ({result.summary()})"
    try:
        theirs, solved = time_lightsim2grid_contingencies(net, repeat)
        line += f"   lightsim2grid {solved / theirs:8.0f} ({solved} of them, {ours * theirs / solved:4.1f} times)"
    except ImportError as error:
        line += f"   lightsim2grid not run: {error}"
    print(line, flush=True)


def time_lightsim2grid_contingencies(net: Any, repeat: int) -> tuple[float, int]:
    """Seconds of its compute, and how many outages it solved."""
    from lightsim2grid.contingencyAnalysis import ContingencyAnalysisCPP
    from lightsim2grid.network import init_from_pandapower

    solved = copy.deepcopy(net)
    pandapower.runpp(solved, calculate_voltage_angles=True, numba=False, lightsim2grid=False)
    model = init_from_pandapower(solved)
    v0 = model.ac_pf(np.ones(len(solved.bus), dtype=complex), 20, 1e-8)
    times, count = [], 0
    for _ in range(repeat):
        analysis = ContingencyAnalysisCPP(model)
        analysis.add_all_n1()
        start = time.process_time()
        analysis.compute(v0, 20, 1e-8)
        times.append(time.process_time() - start)
        count = int((np.abs(analysis.get_voltages()).max(axis=1) > 0.0).sum())
    return min(times), count


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenarios", type=int, default=4096)
    parser.add_argument("--spread", type=float, default=0.1, help="largest relative change of a load")
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    print(f"{args.scenarios} scenarios, every load by its own factor within 1 +- {args.spread:g}, one core")
    for name in CASES:
        compare(name, args.scenarios, args.spread, args.repeat)
    for name in CONTINGENCY_CASES:
        compare_contingencies(name, min(args.repeat, 3))


if __name__ == "__main__":
    main()
