"""Where the time of a run goes: parts of one step, measured one by one on the compiled code.

Each part (the network, one operation of one model over its units) runs in a compiled loop of its own, at the
state of the start. What the run takes beyond the sum of the parts is the integrator itself: predictor and corrector,
gathering of inputs, limits, the grid of steps, cache misses.
"""

import statistics
import time
from typing import Any

import numba

from gridai.engine import Run, simulate, simulation
from gridai.engine.plan import COUNT, CURRENT, CURRENT_STATES, LATE, PASSIVE, STAGE_END, call
from gridai.engine.reference import reference
from gridai.engine.solve import voltages
from gridai.engine.stiffness import adams_is_stable
from gridai.kernel.compile import OP_CURRENT, OP_DERIVATIVES, OP_EVALUATE, OP_OUTPUTS, jitted

_call, _voltages = jitted(call), jitted(voltages)
REPEATS = 20_000


@numba.njit  # type: ignore[misc]
def _many_solves(tp: Any, wk: Any, n: int) -> None:
    topo, work = reference(tp), reference(wk)
    for _ in range(n):
        _voltages(topo, work, wk.i0, STAGE_END)


@numba.njit  # type: ignore[misc]
def _many_calls(pl: Any, wk: Any, k: int, op: int, n: int) -> None:
    plan, work = reference(pl), reference(wk)
    for _ in range(n):
        _call(plan, work, k, op, wk.x, wk.d2, wk.v, wk.i0, 0.0)


def _micros(work: Any) -> float:
    """Time of one repetition [us]: the median of nine."""
    work(2)
    found = []
    for _ in range(9):
        begun = time.perf_counter()
        work(REPEATS)
        found.append(1e6 * (time.perf_counter() - begun) / REPEATS)
    return statistics.median(found)


def parts(system: Any, evaluations: int) -> list[tuple[str, float]]:
    """Name and time per step [us] of each part; of two evaluations (Heun) the trial leaves out passive groups."""
    run = Run(system)
    run.rhs()(0.0, system.x0)
    plan, topo, work = run.plan, run.topology.topo, run.work
    found = [("network: voltages from currents", evaluations * _micros(lambda n: _many_solves(topo, work, n)))]
    for k, group in enumerate(system.groups):
        row = plan.groups[k]
        label = f"{group.model.name} x {row[COUNT]}"
        if row[CURRENT] == CURRENT_STATES:
            found.append((f"{label}: currents", evaluations * _call_micros(plan, work, k, OP_CURRENT)))
        if row[LATE]:
            found.append((f"{label}: outputs", evaluations * _call_micros(plan, work, k, OP_OUTPUTS)))
            found.append((f"{label}: derivatives", evaluations * _call_micros(plan, work, k, OP_DERIVATIVES)))
        else:
            times = 1 if row[PASSIVE] else evaluations
            found.append((f"{label}: outputs and derivatives", times * _call_micros(plan, work, k, OP_EVALUATE)))
    return found


def _call_micros(plan: Any, work: Any, k: int, op: int) -> float:
    return _micros(lambda n: _many_calls(plan, work, k, op, n))


def split(system: Any, events: Any, until_s: float) -> tuple[float, float, float, int]:
    """Times of a run [us]: all of it, its compiled part, the compiled part without recording; and its steps."""
    inside = [0.0]
    advance = simulation.advance

    def timed_advance(*arguments: Any) -> int:
        begun = time.perf_counter()
        status = advance(*arguments)
        inside[0] += time.perf_counter() - begun
        return int(status)

    def run(record: Any) -> tuple[float, float, int]:
        all_of_it, compiled = [], []
        for _ in range(25):
            inside[0] = 0.0
            begun = time.perf_counter()
            result = simulate(system, events, until_s, record=record)
            all_of_it.append(time.perf_counter() - begun)
            compiled.append(inside[0])
        return 1e6 * statistics.median(all_of_it), 1e6 * statistics.median(compiled), int(result.meta["steps"])

    simulation.advance = timed_advance
    try:
        total, compiled, steps = run("default")
        _, bare, _ = run(())
    finally:
        simulation.advance = advance
    return total, compiled, bare, steps


def profile(system: Any, events: Any, until_s: float) -> str:
    """The table that the benchmark prints."""
    total, compiled, bare, steps = split(system, events, until_s)
    evaluations = 1 if adams_is_stable(system, 1 / 240) else 2
    lines = [
        f"where {total / 1e3:.1f} ms go: {steps} steps of {compiled / steps:.2f} us",
        f"{'part':46s} {'us/step':>8s} {'share':>6s}",
    ]
    rows = [
        *parts(system, evaluations),
        ("recording", (compiled - bare) / steps),
        ("Python around the compiled run", (total - compiled) / steps),
    ]
    rest = total / steps - sum(us for _, us in rows)
    for name, us in [*rows, ("integrator and the rest", rest)]:
        lines.append(f"{name:46s} {us:8.3f} {us * steps / total:6.1%}")
    return "\n".join(lines)
