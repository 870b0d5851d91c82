"""ESAC1A against PSS/E: the three-bus system with line 101-102 opening at 1 s.

AC1A    unit 102 with GENROU (saturated) and ESAC1A: angle and voltage.
TGOV1   unit 102 with GENROU, ESAC1A and TGOV1: angle and field voltage; the regulator stands at VAMAX for 0.15 s.

PSS/E integrates ESAC1A more finely than its step and holds the voltage over it (`psse_scheme.py`), so that the exciter
lags by half a step on average: 2.5 ms before a gain of 200. `exciter_alone` shows it: recorded field voltage played
into the machine gives V; V played into the kernels gives the recorded field voltage within 4.2e-4 with that lag and
3.7e-3 without. The engine has no such lag, and is that far off. `test_psse_scheme.py` closes the loop.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gridai.engine import Run, compile_system
from gridai.kernel.contract import Start, argument_names
from gridai.models.exciters.esac1a import DYR, MODEL

from . import test_playback_psse as psse
from .psse_scheme import FINER, HELD_SHARE

STEP_S, TRIP = psse.STEP_S, psse.TRIP


@pytest.fixture(autouse=True)
def _record_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(psse.DYR, "ESAC1A", " ".join(DYR))


def test_ac1a_in_the_engine(reference_dir: Path) -> None:
    """Reached: angle 0.0161 degrees in a swing of 14.7, V 5.6e-5; V 1.8e-4 in PSS/E's first step."""
    folder = reference_dir / "psse/AC1A"
    rows, ours = psse.series(folder / "TEST_ESAC1A.csv"), psse.run(psse.case_of(folder, "ThreeBus_ESAC1A.dyr"))
    assert psse.error(ours.angle, rows[:, 1]) < 0.02
    assert psse.error(ours.v, rows[:, 2]) < 7e-5
    assert psse.error(ours.v, rows[:, 2], psse.FIRST) < 2.5e-4


def test_tgov1_case_in_the_engine(reference_dir: Path) -> None:
    """Reached: angle 0.0183 degrees, field voltage 3.9e-3 of a swing of 1.45 (see above)."""
    folder = reference_dir / "psse/TGOV1"
    rows, ours = psse.series(folder / "TEST_TGOV1.csv"), psse.run(psse.case_of(folder, "ThreeBus_TGOV1.dyr"))
    assert psse.error(ours.angle, rows[:, 1]) < 0.025
    assert psse.error(ours.efd, rows[:, 2]) < 4.5e-3


def voltage(folder: Path, efd: np.ndarray) -> np.ndarray:
    """|V| of 102 when rows of field voltage are played into the machine, by PSS/E's scheme (see psse_scheme)."""
    system = compile_system(psse.case_of(folder, "ThreeBus_TGOV1.dyr", ("ESAC1A",)))
    engine = Run(system)
    rhs, x, node = engine.rhs(), system.x0.copy(), system.network.nodes.index("102")
    field, found = system.constants[("102", "machine.efd_pu")], np.empty(len(efd))
    before, at_trip = np.zeros(x.size), np.zeros(x.size)
    for row in range(len(efd)):
        engine.work.sig[field] = efd[row]
        f = rhs(0.0, x)
        found[row] = abs(engine.work.v[node])
        if row == TRIP:
            engine.branch_on[list(system.network.branches.name).index("101-102")] = False
            engine.factorise()
            at_trip = f
            continue
        f = 0.5 * (at_trip + f) if row == TRIP + 1 else f
        x = x + STEP_S * (1.5 * f - 0.5 * before)
        before = f
    return found


def exciter_alone(values: dict[str, float], v: np.ndarray, efd0: float, lags: bool, parts: int = 1) -> np.ndarray:
    """Field voltage when v is played into the kernels. lags: the voltage is held over the step, taken in parts."""
    solved = {q.name: 0.0 for q in MODEL.params if q.solved}
    p, z = SimpleNamespace(**values, **solved), None
    x, d = SimpleNamespace(), SimpleNamespace()
    u = SimpleNamespace(v_re=v[0], v_im=0.0, vs_pu=0.0, dv_ref_pu=0.0, xad_ifd_pu=efd0)
    y = SimpleNamespace(efd_pu=efd0, vr_pu=0.0)
    MODEL.initialise(p, x, z, u, y, Start(complex(v[0]), 1.0, 0.0))
    records = {"p": p, "x": x, "z": z, "u": u, "y": y, "d": d}
    names = [s.name for s in MODEL.states]

    def call(name: str) -> None:
        kernel = MODEL.kernels[name]
        kernel(*[records[a] for a in argument_names(kernel)])

    def rates(at: np.ndarray, volts: float) -> np.ndarray:
        vars(x).update(zip(names, at, strict=True))
        call("clamp")
        u.v_re = volts
        call("derivatives")
        return np.array([getattr(d, n) for n in names])

    found = np.empty(len(v))
    for row in range(len(v)):
        call("outputs")
        found[row] = y.efd_pu
        if row != TRIP and row + 1 < len(v):
            for _ in range(parts):
                h, now = STEP_S / parts, np.array([getattr(x, n) for n in names])
                first = rates(now, v[row])
                second = rates(now + h * first, v[row] if lags else v[row + 1])
                vars(x).update(zip(names, now + h / 2 * (first + second), strict=True))
                call("clamp")
    return found


def test_exciter_alone_with_psse_lag(reference_dir: Path) -> None:
    """Reached: 4.3e-4 with the lag, 3.7e-3 without it; in four parts of a step and with a twentieth of the voltage's
    change 2.2e-5, where the series prints 1e-5: the equations are PSS/E's."""
    folder = reference_dir / "psse/TGOV1"
    efd = psse.series(folder / "TEST_TGOV1.csv")[:1500, 2]
    constants = {model: c for _, model, c in psse.records(folder / "ThreeBus_TGOV1.dyr")}["ESAC1A"]
    values, v = dict(zip(DYR, constants, strict=True)), voltage(folder, efd)
    lagging = exciter_alone(values, v, efd[0], lags=True)
    assert psse.error(lagging, efd, slice(None)) < 5e-4
    assert psse.error(exciter_alone(values, v, efd[0], lags=False), efd) > 3e-3
    held = v + HELD_SHARE * np.diff(v, append=v[-1])
    held[TRIP] = v[TRIP]
    finer = exciter_alone(values, held, efd[0], lags=True, parts=FINER["ESAC1A"])
    assert psse.error(finer, efd, slice(None)) < 3e-5
