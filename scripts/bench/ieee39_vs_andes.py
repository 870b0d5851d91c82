"""ieee39, 20 s: gridai at a quarter cycle against ANDES at its default step, the same machines and the same two events.

Usage: python scripts/bench/ieee39_vs_andes.py [--andes-python PYTHON] [--until 20] [--equal-step]

gridai's time is that of `simulate`: from a compiled System to a Result, recording included, the best and the median of
many warm runs. ANDES' is that of `TDS.run()`, after its power flow and `TDS.init()`, output to files switched off; it
runs in its own process with PYTHON (default: this one) and is not part of gridai (GPL). --equal-step lets ANDES run at
1/240 s too (a minute).

ANDES gets the case's own data: GENROU, SEXS, TGOV1 and IEEEST, the loads' law (impedances here), the network's own
admittances. One thing differs: its machines balance torque with the turbine's power, gridai's with power over speed, as
PSS/E does; ANDES' machines therefore get D = Pm, losses in ra included. Events: 100 ms fault through j0.0001 pu at bus
16; 100 MW more at bus 16.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gridai.case import load_case
from gridai.engine import BusFault, LoadStep, compile_system, simulate

BUS, AT_S, CLEAR_S, X_FAULT, STEP_MW = "16", 1.0, 1.1, 1e-4, 100.0
EVENTS = {
    "fault at 16, 100 ms": [BusFault(BUS, AT_S, CLEAR_S, x_pu=X_FAULT)],
    "+100 MW at 16": [LoadStep("L16", STEP_MW, at_s=AT_S)],
}
PARTS = ("pz", "pi", "pp", "qz", "qi", "qp")


def network_tables(system: Any) -> dict[str, list[dict[str, Any]]]:
    """Buses, branches, loads and units in ANDES' fields; a transformer's ratio is read from its admittances."""
    net, op = system.network, system.op
    v, base = op.v, net.s_base_mva
    keys = list(net.nodes)
    tables: dict[str, list[dict[str, Any]]] = {"Bus": [], "PQ": [], "Shunt": [], "Slack": [], "PV": [], "Line": []}
    for k, key in enumerate(keys):
        place = {"idx": key, "name": key, "Vn": float(net.node_kv[k])}
        tables["Bus"].append({**place, "v0": abs(v[k]), "a0": float(np.angle(v[k]))})
    for k, name in enumerate(net.loads.name):
        node = net.loads.node[k]
        row = {"idx": f"load {name}", "bus": keys[node], "Vn": float(net.node_kv[node])}
        tables["PQ"].append({**row, "p0": net.loads.p_mw[k] / base, "q0": net.loads.q_mvar[k] / base})
    for k in np.flatnonzero(net.shunt_pu).tolist():
        row = {"idx": f"shunt {keys[k]}", "bus": keys[k], "Vn": float(net.node_kv[k])}
        tables["Shunt"].append({**row, "g": net.shunt_pu[k].real, "b": net.shunt_pu[k].imag})
    reference = int(np.argmin(np.abs(np.angle(v[net.units.node]))))
    for k, name in enumerate(net.units.name):
        node = net.units.node[k]
        row = {"idx": f"unit {name}", "bus": keys[node], "Vn": float(net.node_kv[node]), "v0": abs(v[node])}
        row |= {"p0": net.units.p_mw[k] / base, "q0": net.units.q_mvar[k] / base, "pmax": 99.0, "pmin": -99.0}
        row |= {"qmax": 99.0, "qmin": -99.0}
        if k == reference:
            tables["Slack"].append({**row, "a0": float(np.angle(v[node]))})
        else:
            tables["PV"].append(row)
    b = net.branches
    for k, name in enumerate(b.name):
        tap = float(np.sqrt((b.y_tt[k] / b.y_ff[k]).real))
        series = -b.y_tf[k] * tap
        z, shunt = 1 / series, b.y_tt[k] - series
        f, t = b.from_node[k], b.to_node[k]
        row = {"idx": name, "bus1": keys[f], "bus2": keys[t], "r": z.real, "x": z.imag, "b": 2 * shunt.imag, "tap": tap}
        tables["Line"].append({**row, "Vn1": float(net.node_kv[f]), "Vn2": float(net.node_kv[t]), "fn": net.f_hz})
    return tables


def shaft_pu(system: Any, d: Any) -> float:
    """Mechanical power of a machine at the start: its power and the loss in ra. [pu of the machine]"""
    s = complex(d.p_mw, d.q_mvar) / d.mva
    return float(s.real + d.values["ra_pu"] * abs(s / system.op.v[d.node]) ** 2)


def machine_tables(system: Any) -> dict[str, list[dict[str, Any]]]:
    """Machines and their controllers in ANDES' fields, from the compiled parameters."""
    net = system.network
    tables: dict[str, list[dict[str, Any]]] = {"GENROU": [], "SEXS": [], "TGOV1": [], "IEEEST": []}
    for group in system.groups:
        for d in group.devices:
            p, name = d.values, group.model.name
            if name == "GENROU":
                row = {"idx": d.name, "gen": f"unit {d.name}", "bus": net.nodes[d.node], "Sn": d.mva, "fn": net.f_hz}
                row |= {"Vn": float(net.node_kv[d.node]), "M": 2 * p["h_s"], "D": shaft_pu(system, d), "ra": p["ra_pu"]}
                row |= {k: p[f"{k}_pu"] for k in ("xd", "xq", "xd1", "xq1", "xd2", "xl")} | {"xq2": p["xd2_pu"]}
                row |= {k: p[f"{k.lower()}_s"] for k in ("Td10", "Td20", "Tq10", "Tq20")}
                tables[name].append({**row, "S10": p["s10"], "S12": p["s12"]})
            elif name == "SEXS":
                row = {"TATB": p["ta_tb"], "TB": p["tb_s"], "K": p["k"], "TE": p["te_s"]}
                row |= {"EMIN": p["emin_pu"], "EMAX": p["emax_pu"]}
                tables[name].append({"idx": f"avr {d.name}", "syn": d.name, **row})
            elif name == "TGOV1":
                row = {"R": p["r_pu"], "VMAX": p["vmax_pu"], "VMIN": p["vmin_pu"], "Dt": p["dt_pu"]}
                row |= {k: p[f"{k.lower()}_s"] for k in ("T1", "T2", "T3")}
                tables[name].append({"idx": f"gov {d.name}", "syn": d.name, **row})
            elif name == "IEEEST":
                row = {"MODE": int(p["mode"]), "KS": p["ks"], "LSMAX": p["lsmax_pu"], "LSMIN": p["lsmin_pu"]}
                row |= {f"A{k}": p[f"a{k}"] for k in range(1, 7)} | {f"T{k}": p[f"t{k}_s"] for k in range(1, 7)}
                tables[name].append({"idx": f"pss {d.name}", "avr": f"avr {d.name}", **row})
    return tables


def load_law(system: Any) -> dict[str, float]:
    """ANDES' one law of all loads, from the case's; it has no v_switch and no frequency part. Raises ValueError."""
    (loads,) = [group.devices for group in system.groups if group.model.name == "ZIP"]
    laws = [{f"{k[0]}2{k[1].replace('p', k[0])}": d.values[k] for k in PARTS} for d in loads]
    if any(law != laws[0] for law in laws):
        raise ValueError("the loads of the case differ in their law; ANDES' PQ has one for all")
    return laws[0]


def peer_data(
    system: Any, event: dict[str, Any], until_s: float, tstep: float | None, **wanted: bool
) -> dict[str, Any]:
    """What andes_peer.py reads; `event` holds tables that go beside the system's, `wanted` says series or modes."""
    tables = network_tables(system) | machine_tables(system)
    for name, rows in event.items():
        tables[name] = tables.get(name, []) + rows
    data = {"tables": tables, "config": {"PQ": load_law(system)}, "until_s": until_s, "tstep": tstep}
    return data | {"series": False, "modes": False} | wanted


def fault_table(bus: str, x_pu: float) -> dict[str, Any]:
    """A three-phase fault in ANDES' fields, between AT_S and CLEAR_S."""
    return {"Fault": [{"bus": bus, "tf": AT_S, "tc": CLEAR_S, "xf": x_pu, "rf": 0.0}]}


def andes_data(system: Any, event: str, until_s: float, tstep: float | None, series: bool = False) -> dict[str, Any]:
    """One of the EVENTS on the case."""
    if event.startswith("fault"):
        return peer_data(system, fault_table(BUS, X_FAULT), until_s, tstep, series=series)
    node = system.node(BUS)
    g = STEP_MW / system.network.s_base_mva / abs(system.op.v[node]) ** 2
    vn = float(system.network.node_kv[node])
    shunt = {"idx": "step", "bus": BUS, "Vn": vn, "g": g, "b": 0.0, "u": 0}
    toggle = {"model": "Shunt", "dev": "step", "t": AT_S}
    return peer_data(system, {"Shunt": [shunt], "Toggle": [toggle]}, until_s, tstep, series=series)


def run_andes(python: str, data: dict[str, Any]) -> dict[str, Any]:
    """One run of ANDES in its own process. Raises RuntimeError with its last words."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "data.json", Path(folder) / "out.json"
        source.write_text(json.dumps(data), encoding="utf-8")
        peer = Path(__file__).with_name("andes_peer.py")
        done = subprocess.run(
            [python, str(peer), str(source), str(out)], capture_output=True, text=True, check=False, cwd=folder
        )
        if done.returncode != 0 or not out.exists():
            raise RuntimeError(f"ANDES did not run: {(done.stderr or done.stdout).strip()[-600:]}")
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def timed(work: Callable[[], Any], seconds: float = 1.5) -> tuple[float, float]:
    """Best and median time of a call that is repeated for about so many seconds, after one warm run. [s]"""
    work()
    times: list[float] = []
    while sum(times) < seconds or len(times) < 5:
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times), statistics.median(times)


def compile_cost() -> tuple[Any, float, float]:
    """The System, the time of its first compilation in this process and of a second one. [s]"""
    begun = time.perf_counter()
    case = load_case("ieee39")
    compile_system(case)
    first = time.perf_counter() - begun
    begun = time.perf_counter()
    system = compile_system(case)
    return system, first, time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="ieee39: gridai at 1/240 s against ANDES at its default step.")
    parser.add_argument("--andes-python", default=sys.executable, help="interpreter that can import andes")
    parser.add_argument("--until", type=float, default=20.0, help="seconds of grid time")
    parser.add_argument("--equal-step", action="store_true", help="run ANDES at 1/240 s as well")
    args = parser.parse_args()
    system, first, second = compile_cost()
    print(f"compile: {first:.2f} s the first time in this process, {second:.3f} s after that\n")
    print(f"{'event':22s} {'program':8s} {'step':>8s} {'time':>10s}  {'ratio':>6s}")
    for label, events in EVENTS.items():
        best, median = timed(lambda events=events: simulate(system, events, args.until))  # type: ignore[misc]
        print(f"{label:22s} gridai   1/240 s {1e3 * median:7.1f} ms          (best {1e3 * best:.1f} ms)")
        for tstep in (None, 1 / 240) if args.equal_step else (None,):
            try:
                peer = run_andes(args.andes_python, andes_data(system, label, args.until, tstep))
            except RuntimeError as error:
                sys.exit(f"{error}\npip install 'gridai[bench]', or name an interpreter with --andes-python")
            step = f"1/{round(1 / peer['tstep'])} s"
            ended = "" if peer["complete"] else "  stopped before the end"
            print(
                f"{label:22s} ANDES    {step:>8s} {peer['run_s']:7.2f} s  {peer['run_s'] / median:6.0f}  "
                f"(version {peer['version']}, set-up {peer['set_up_s']:.1f} s){ended}"
            )
    from profile_step import profile

    print()
    print(profile(system, EVENTS["fault at 16, 100 ms"], args.until))


if __name__ == "__main__":
    main()
