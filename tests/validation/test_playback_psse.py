"""Controllers against PSS/E: recorded signals played into the kernels, and the whole three-bus system in the engine.

SEXS      recorded V of bus 102 played in, its Efd compared: the model alone (TE = 1 s and TE = 0).
SEXS, HYGOV, IEEEST   the three-bus system with line 101-102 opening at 1 s, compared with V, angle, speed, Efd.
TGOV1     the same system; its series was made with an ESAC1A, so the recorded Efd is played into the machine.

HYGOV's series holds no mechanical power or gate, IEEEST's no stabiliser signal, TGOV1's no power: these models can
only be judged in closed loop, where taking them out must spoil the fit.

PSS/E takes 5 ms steps by a scheme of its own (`psse_scheme.py`): its first step after the trip covers three quarters of
what a converged solution does (V 1.8e-4 off in that one row, 7e-5 in the next) whatever the model; FIRST rows are
compared loosely here, and tightly with that scheme in `test_psse_import.py`. A field voltage without time constant
lags one row.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridai.case import Case
from gridai.engine import BranchTrip, Run, compile_system, simulate
from gridai.kernel.contract import Start, argument_names
from gridai.models.exciters.sexs import MODEL as SEXS

STEP_S = 0.005
TRIP = 200
FIRST = slice(TRIP + 2, TRIP + 12)
LATER = slice(TRIP + 12, None)
DYR = {
    "GENCLS": "h_s d_pu",
    "GENROU": "td10_s td20_s tq10_s tq20_s h_s d_pu xd_pu xq_pu xd1_pu xq1_pu xd2_pu xl_pu s10 s12",
    "SEXS": "ta_tb tb_s k te_s emin_pu emax_pu",
    "TGOV1": "r_pu t1_s vmax_pu vmin_pu t2_s t3_s dt_pu",
    "HYGOV": "r_perm_pu r_temp_pu tr_s tf_s tg_s velm_pu_per_s gmax_pu gmin_pu tw_s at dturb_pu qnl_pu",
    "IEEEST": "mode own_bus a1 a2 a3 a4 a5 a6 t1_s t2_s t3_s t4_s t5_s t6_s ks lsmax_pu lsmin_pu vcu_pu vcl_pu",
}


def series(path: Path) -> np.ndarray:
    """Rows of a PSS/E file: row 200 is before the trip, row 201 after it, both at 1 s."""
    return np.loadtxt(path, delimiter=",")


def records(path: Path) -> list[tuple[str, str, list[float]]]:
    """(unit, model, constants) of a DYR file."""
    found = []
    for record in path.read_text().split("/"):
        f = record.replace("'", " ").split()
        if f:
            found.append((f[0], f[1], [float(c) for c in f[3:]]))
    return found


def network(raw: Path) -> pp.pandapowerNet:
    """The three-bus network of the RAW file: 100 MVA base, lines without charging."""
    sections = [[]]
    for line in raw.read_text().splitlines()[3:]:
        if line.strip().startswith("0 /"):
            sections.append([])
        elif "," in line:
            sections[-1].append([f.strip(" '") for f in line.split(",")])
    buses, loads, _, gens, branches = sections[:5]
    net = pp.create_empty_network(sn_mva=100.0, f_hz=60.0)
    at = {b[0]: pp.create_bus(net, float(b[2]), name=b[0]) for b in buses}
    for s in loads:
        pp.create_load(net, at[s[0]], float(s[5]), float(s[6]), name=f"load {s[0]}")
    for g in gens:
        pp.create_gen(net, at[g[0]], float(g[2]), float(g[6]), sn_mva=100.0, slack=g[0] == "101", name=g[0])
    z = 138.0**2 / 100.0
    for i, k, _, r, x, *_ in branches:
        pp.create_line_from_parameters(net, at[i], at[k], 1.0, z * float(r), z * float(x), 0.0, 99.0, name=f"{i}-{k}")
    return net


def case_of(folder: Path, dyr: str, leave_out: tuple[str, ...] = ()) -> Case:
    """The case of a reference folder without the models left out."""
    tables = {"zip": pd.DataFrame([{"unit": "*", "pz": 1.0, "pi": 0.0, "pp": 0.0, "qz": 1.0, "qi": 0.0, "qp": 0.0}])}
    for unit, model, constants in records(folder / dyr):
        if model in leave_out:
            continue
        values = dict(zip(DYR[model].split(), constants, strict=True))
        values |= {"xd1_pu": 1e-5} if model == "GENCLS" else {}
        values.pop("own_bus", None)
        tables[model.lower()] = pd.DataFrame([{"unit": unit, **values}])
    return Case.from_pandapower(network(folder / "ThreeBusMulti.raw"), dynamics=tables, name="three_bus")


def run(case: Case) -> SimpleNamespace:
    """Rows as PSS/E writes them: |V| and angle of 102, its speed deviation and field voltage."""
    events = [BranchTrip("101-102", at_s=1.0)]
    result = simulate(compile_system(case), events, 20.0, STEP_S)

    def gen(name: str) -> np.ndarray:
        k = next(j for j, c in enumerate(result.channels) if (c.kind, c.element, c.quantity) == ("gen", "102", name))
        return result.data[:, k]

    v = result.bus.vm_pu["102"].to_numpy()
    return SimpleNamespace(v=v, angle=np.degrees(gen("angle_rad")), slip=gen("speed_pu") - 1.0, efd=gen("efd_pu"))


def error(ours: np.ndarray, theirs: np.ndarray, rows: slice = LATER, lag: int = 0) -> float:
    """Largest difference over rows; PSS/E's rows come `lag` later."""
    count = min(len(ours), len(theirs)) - lag
    return float(np.abs(ours[:count][rows] - theirs[lag : lag + count][rows]).max())


def sexs_alone(v: np.ndarray, efd0: float, te_s: float) -> np.ndarray:
    """Field voltage of the SEXS kernels when v is played in, Heun's method, one row a step."""
    p = SimpleNamespace(ta_tb=0.4, tb_s=5.0, k=20.0, te_s=te_s, emin_pu=-50.0, emax_pu=50.0)
    x, d = SimpleNamespace(), SimpleNamespace()
    u, y = SimpleNamespace(v_re=v[0], v_im=0.0, vs_pu=0.0, dv_ref_pu=0.0), SimpleNamespace(efd_pu=efd0)
    SEXS.initialise(p, x, None, u, y, Start(complex(v[0]), 1.0, 0.0))
    records = {"p": p, "x": x, "z": None, "u": u, "y": y, "d": d}

    def call(name: str, at: int) -> np.ndarray:
        u.v_re = v[at]
        kernel = SEXS.kernels[name]
        kernel(*[records[a] for a in argument_names(kernel)])
        return np.array([d.lead_pu, d.efd_pu]) if name == "derivatives" else np.zeros(2)

    found = np.empty(len(v))
    for row in range(len(v)):
        call("outputs", row)
        found[row] = y.efd_pu
        if row != TRIP and row + 1 < len(v):
            now = np.array([x.lead_pu, x.efd_pu])
            first = call("derivatives", row)
            x.lead_pu, x.efd_pu = now + STEP_S * first
            x.lead_pu, x.efd_pu = now + STEP_S / 2 * (first + call("derivatives", row + 1))
    return found


def test_sexs_alone(reference_dir: Path) -> None:
    """Reached: 1.8e-5 later, 3.2e-4 in PSS/E's first step."""
    rows = series(reference_dir / "psse/SEXS/SEXS_RESULTS.csv.gz")
    efd = sexs_alone(rows[:, 1], rows[0, 6], 1.0)
    assert error(efd, rows[:, 6]) < 2.5e-5
    assert error(efd, rows[:, 6], FIRST) < 4e-4


def test_sexs_alone_without_time_constant(reference_dir: Path) -> None:
    """Reached: 5.0e-5 later, 9.8e-5 at first; the step of 0.24 pu comes one row late in PSS/E."""
    rows = series(reference_dir / "psse/SEXS/SEXS_RESULTS_NoTE.csv.gz")
    efd = sexs_alone(rows[:, 1], rows[0, 6], 0.0)
    assert error(efd, rows[:, 6], lag=1) < 7e-5
    assert error(efd, rows[:, 6], slice(TRIP + 1, TRIP + 12), lag=1) < 1.5e-4


@pytest.mark.parametrize(
    ("dyr", "csv", "lag", "v_limit", "efd_limit"),
    [
        ("ThreeBus_SEXS.dyr", "SEXS_RESULTS.csv.gz", 0, 2e-5, 2e-5),  # reached: 1.1e-5, 1.3e-5
        ("ThreeBus_SEXS_noTE.dyr", "SEXS_RESULTS_NoTE.csv.gz", 1, 5e-5, 3e-4),  # reached: 3.6e-5, 2.3e-4
    ],
)
def test_sexs_in_the_engine(
    reference_dir: Path, dyr: str, csv: str, lag: int, v_limit: float, efd_limit: float
) -> None:
    """Later rows as stated; PSS/E's first step: V 1.8e-4."""
    folder = reference_dir / "psse/SEXS"
    rows, ours = series(folder / csv), run(case_of(folder, dyr))
    assert error(ours.v, rows[:, 1]) < v_limit
    assert error(ours.v, rows[:, 1], FIRST) < 2.5e-4
    assert error(ours.efd, rows[:, 6], lag=lag) < efd_limit


def test_ieeest_with_filter_in_the_engine(reference_dir: Path) -> None:
    """Reached: V 1.1e-5, Efd 1.1e-5; without the stabiliser Efd is 1.9e-3 off."""
    folder = reference_dir / "psse/IEEEST"
    rows = series(folder / "IEEEST_SEXS_RESULTS_FILT.csv")
    ours = run(case_of(folder, "ThreeBus_IEEEST_with_filter.dyr"))
    assert error(ours.v, rows[:, 2]) < 2e-5
    assert error(ours.efd, rows[:, 1]) < 2e-5
    assert error(run(case_of(folder, "ThreeBus_IEEEST_with_filter.dyr", ("IEEEST",))).efd, rows[:, 1]) > 1e-3


def test_ieeest_without_filter_in_the_engine(reference_dir: Path) -> None:
    """Reached: V 1.1e-5, Efd 1.3e-4; without the stabiliser Efd is 0.057 off. The record's 19 constants are read by
    position: mode 1, no filter, T1 = T2 = T3 = 0 and T4 = 0.02 s, which takes the lead-lags out."""
    folder = reference_dir / "psse/IEEEST"
    rows = series(folder / "IEEEST_SEXS_RESULTS_NOFILT.csv")
    ours = run(case_of(folder, "ThreeBus_IEEEST.dyr"))
    assert error(ours.v, rows[:, 2]) < 2e-5
    assert error(ours.efd, rows[:, 1]) < 2e-4
    assert error(run(case_of(folder, "ThreeBus_IEEEST.dyr", ("IEEEST",))).efd, rows[:, 1]) > 0.05


def test_hygov_in_the_engine(reference_dir: Path) -> None:
    """Reached: V 1.3e-5, angle 0.0062 degrees, speed 8e-7; 3.4e-6 in speed at PSS/E's first step."""
    folder = reference_dir / "psse/HYGOV"
    rows, ours = series(folder / "HYGOV_RESULTS.csv"), run(case_of(folder, "ThreeBus_HYGOV.dyr"))
    assert error(ours.v, rows[:, 1]) < 2e-5
    assert error(ours.angle, rows[:, 2]) < 0.008
    assert error(ours.slip, rows[:, 3]) < 1e-6
    assert error(ours.slip, rows[:, 3], FIRST) < 5e-6


def march(case: Case, efd: np.ndarray | None = None, count: int = 4001, single: bool = False) -> np.ndarray:
    """Rotor angle [degrees] at 102, Heun's method on the engine's right-hand side, one row a step.

    efd      rows of field voltage played into the machine, which then has no exciter.
    single   round the states to single precision after each step.
    """
    system = compile_system(case)
    engine = Run(system)
    rhs, x = engine.rhs(), system.x0.copy()
    names = [(d.name, state) for _, d, state, _ in system.states]
    angle, speed = names.index(("102", "delta_rad")), names.index(("102", "omega_pu"))

    def f(row: int, x: np.ndarray) -> np.ndarray:
        if efd is not None:
            engine.work.sig[system.constants[("102", "machine.efd_pu")]] = efd[row]
        return rhs(0.0, x)

    found = np.empty(count)
    for row in range(count):
        found[row] = np.degrees(x[angle])
        if row == TRIP:
            engine.branch_on[list(system.network.branches.name).index("101-102")] = False
            engine.factorise()
        elif row + 1 < count:
            first = f(row, x)
            x = x + STEP_S / 2 * (first + f(row + 1, x + STEP_S * first))
            if single:
                x[speed] -= 1.0  # PSS/E's state is the deviation
                x = x.astype(np.float32).astype(float)
                x[speed] += 1.0
    return found


def test_hygov_in_single_precision(reference_dir: Path) -> None:
    """Reached: 0.0023 degrees, and below 2e-4 in the last 8 s; in double precision 0.0062 and growing.

    This record's servo and water column (20.5 s, 15 s) creep by less than half a unit of a single-precision gate a
    step, so PSS/E's gate stands still where an exact one goes on. Without HYGOV: 0.014.
    """
    folder = reference_dir / "psse/HYGOV"
    rows, case = series(folder / "HYGOV_RESULTS.csv"), case_of(folder, "ThreeBus_HYGOV.dyr")
    angle = march(case, single=True)
    assert error(angle, rows[:, 2]) < 0.003
    assert error(angle, rows[:, 2], slice(2400, None)) < 4e-4
    assert error(march(case_of(folder, "ThreeBus_HYGOV.dyr", ("HYGOV",)), single=True), rows[:, 2]) > 0.01


def test_tgov1_with_the_recorded_field_voltage(reference_dir: Path) -> None:
    """Reached: 0.0017 degrees in a swing of 13.7; without the governor 0.38."""
    folder = reference_dir / "psse/TGOV1"
    rows = series(folder / "TEST_TGOV1.csv")
    angle = march(case_of(folder, "ThreeBus_TGOV1.dyr", ("ESAC1A",)), rows[:, 2])
    assert error(angle, rows[:, 1], slice(None)) < 0.0025
    angle = march(case_of(folder, "ThreeBus_TGOV1.dyr", ("ESAC1A", "TGOV1")), rows[:, 2])
    assert error(angle, rows[:, 1]) > 0.3
