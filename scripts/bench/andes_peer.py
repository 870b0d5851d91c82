"""One run of ANDES on the data that ieee39_vs_andes.py writes. A program beside gridai: it imports nothing of it.

Usage: python scripts/bench/andes_peer.py DATA.json OUT.json

DATA.json holds the network and the machines, exciters, governors and stabilisers in ANDES' own field names; the event;
values for the models' config; tstep (s) or null for ANDES' default; until_s. OUT.json gets the version, the seconds of
set-up and of TDS.run(), the step taken, and, when "series" is true, times, speeds and bus voltages. When "modes" is
true nothing is run: it gets the finite eigenvalues, real and imaginary parts.
"""

import json
import sys
import time
from typing import Any

import andes
import numpy as np
from scipy.linalg import eig


def build(data: dict[str, Any]) -> Any:
    """A System from tables of field values; the order of the tables is that of their dependence."""
    system = andes.System()
    for model, rows in data["tables"].items():
        for row in rows:
            system.add(model, row)
    for model, values in data["config"].items():
        for name, value in values.items():
            setattr(getattr(system, model).config, name, value)
    system.setup()
    return system


def modes(system: Any) -> Any:
    """Finite eigenvalues of diag(Tf, 0) x' = [[fx, fy], [gx, gy]] x at the start. complex[n]

    Not by ANDES' EIG, which shows false modes where time constants are zero.
    """
    dae, models = system.dae, system.exist.pflow_tds
    system.TDS.fg_update(models)
    system.j_update(models)
    fx, fy, gx, gy = (np.array(andes.shared.matrix(m)) for m in (dae.fx, dae.fy, dae.gx, dae.gy))
    jacobian = np.block([[fx, fy], [gx, gy]])
    mass = np.diag(np.append(dae.Tf, np.zeros(dae.m)))
    alpha, beta = eig(jacobian, mass, right=False, homogeneous_eigvals=True)
    finite = np.abs(beta) > 1e-9 * np.abs(alpha)
    return alpha[finite] / beta[finite]


def main() -> None:
    """Set up, solve the power flow, initialise, run."""
    with open(sys.argv[1], encoding="utf-8") as f:
        data = json.load(f)
    andes.config_logger(stream_level=40)
    begun = time.perf_counter()
    system = build(data)
    system.PFlow.run()
    tds = system.TDS
    tds.config.no_tqdm = 1
    tds.config.tf = data["until_s"]
    if data["tstep"] is not None:
        tds.config.tstep = data["tstep"]
    tds.init()
    if data["modes"]:
        values = modes(system)
        with open(sys.argv[2], "w", encoding="utf-8") as f:
            json.dump({"version": andes.__version__, "re": values.real.tolist(), "im": values.imag.tolist()}, f)
        return
    ready = time.perf_counter()
    tds.run()
    done = time.perf_counter()
    found = {
        "version": andes.__version__,
        "set_up_s": ready - begun,
        "run_s": done - ready,
        "tstep": float(tds.config.tstep),
        "rows": len(system.dae.ts.t),
        "complete": bool(abs(system.dae.t - data["until_s"]) < 1e-6),
    }
    if data["series"]:
        ts = system.dae.ts
        found["t_s"] = ts.t.tolist()
        found["speed_pu"] = dict(zip(system.GENROU.idx.v, ts.x[:, system.GENROU.omega.a].T.tolist(), strict=True))
        found["vm_pu"] = dict(zip(system.Bus.idx.v, ts.y[:, system.Bus.v.a].T.tolist(), strict=True))
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        json.dump(found, f)


main()
