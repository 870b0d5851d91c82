"""Largest simultaneous loss against inertia, held against the low-order frequency response of Anderson and Mirheydar.

P. M. Anderson, M. Mirheydar, A low-order system frequency response model, IEEE Trans. Power Systems 5(3), 1990:

    d omega (s)            R wn^2          1 + TR s                    wn^2 = (D R + Km) / (2 H R TR)
    -----------  =  P  ------------ ---------------------------
                         D R + Km    s (s^2 + 2 z wn s + wn^2)         2 z wn = (2 H R + (D R + Km FH) TR) / (2 H R TR)

One machine of 1,000 MVA (GENCLS: power balance, D its own), loads of constant power beside it, a reheat governor. Its
step is a loss of load, so the frequency rises and the zenith limit of 60.6 Hz binds: +0.01 pu.

The theory has no lag but that of the reheater. It applies where the governor's own lags are short:

    largest loss against the theory                      H = 2        3        4        6        8 s
    TGOV1, valve 5 ms                                   -0.19    -0.17    -0.16    -0.11    -0.12 %
    TGOV1, valve 20 ms                                  -0.72    -0.62    -0.55    -0.44    -0.40 %
    IEEEG1, servo 0.1 s and steam chest 0.3 s          -22.9    -16.9    -13.6    -10.2     -8.4 %

Asked: 2 % where it applies. The last row is where it does not: short lags cost a fifth of the limit at low inertia. The
same linear equations with these lags in (SciPy, no part of gridai) give the search's answer within 0.04 % there too.
"""

from __future__ import annotations

import cmath
import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from low_order import F_HZ, FH, H_S, KM, LIMIT_PU, MVA, TR, D, R, aggregate, profile
from scipy import signal

from gridai.results.searches import curve_of, search_of
from gridai.studies import LargestLoss

FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)


def peak(h_s: float) -> tuple[float, float]:
    """Time [s] and height [pu for 1 pu of power] of the first extreme of the low-order response."""
    wn2 = (D * R + KM) / (2 * h_s * R * TR)
    twice = (2 * h_s * R + (D * R + KM * FH) * TR) / (2 * h_s * R * TR)
    root = cmath.sqrt(twice**2 / 4 - wn2)
    p1, p2 = -twice / 2 + root, -twice / 2 - root
    gain = R * wn2 / (D * R + KM)
    c1, c2 = gain * (1 + TR * p1) / (p1 * (p1 - p2)), gain * (1 + TR * p2) / (p2 * (p2 - p1))
    t = (cmath.log(-c2 * p2 / (c1 * p1)) / (p1 - p2)).real
    return t, (gain / wn2 + c1 * cmath.exp(p1 * t) + c2 * cmath.exp(p2 * t)).real


def with_lags(h_s: float, servo_s: float, chest_s: float) -> float:
    """Height of the first extreme with a servo and a steam chest before the reheater, by SciPy's step response."""
    lag = np.polymul(np.polymul([servo_s, 1.0], [chest_s, 1.0]), [TR, 1.0])
    turbine = np.array([FH * TR, 1.0]) * KM / R
    swing = np.polymul([2 * h_s, D], lag)
    _, y = signal.step((lag, np.polyadd(swing, turbine)), T=np.linspace(0.0, 20.0, 40_001))
    return float(y.max())


@pytest.fixture(scope="module")
def study(tmp_path_factory: Any) -> LargestLoss:
    path = profile(tmp_path_factory.mktemp("profile"), F_HZ * (1.0 + LIMIT_PU))
    return LargestLoss(loads="sites", profile=path, inertia=FACTORS, tol_mw=0.05, until_s=20.0, probes=1)


def test_the_closed_form_is_that_of_the_paper(reference_dir: Path):
    """Asked 1e-4 pu and what the rows print; reached: every digit printed."""
    with (reference_dir / "published" / "worked_examples.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["case"].startswith("Anderson&Mirheydar")]
    for row, (h_s, power) in zip(rows, ((4.0, -0.2), (3.0, -0.2), (4.0, -0.1)), strict=True):
        found = re.search(r"t ([\d.]+) (?:s )?Δω (-[\d.]+)", row["value"])
        assert found is not None
        t, height = peak(h_s)
        assert t == pytest.approx(float(found[1]), abs=5.1e-4)
        assert power * height == pytest.approx(float(found[2]), abs=5.1e-6)


@pytest.fixture(scope="module")
def report(study) -> Any:
    return study.run(aggregate("tgov1", t1_s=0.005))


def test_the_largest_loss_agrees_with_the_theory(report):
    """Asked: 2 %. Reached: 0.19 % at worst, at H = 2 s; 0.16 % at H = 4 s, where 92.32 MW are due."""
    curve = curve_of(report.result)
    assert curve is not None
    assert curve.x == pytest.approx([H_S * MVA * k for k in FACTORS])
    due = [MVA * LIMIT_PU / peak(x / MVA)[1] for x in curve.x]
    assert curve.limit == pytest.approx(due, rel=0.0025)
    assert set(curve.criterion) == {"frequency_zenith"}
    assert set(curve.end) == {"found"}
    assert report.summary["limit"].value == pytest.approx(MVA * LIMIT_PU / peak(H_S)[1], rel=0.0025)
    assert report.summary["limit"].element == "COI"
    assert report.summary["limit"].t_s == pytest.approx(1.0 + peak(H_S)[0], abs=0.02)


def test_it_rises_with_inertia(report):
    """Strictly: 83.4, 88.2, 92.2, 98.9, 104.5 MW. Nothing to remark."""
    curve = curve_of(report.result)
    assert curve is not None
    assert list(curve.limit) == sorted(set(curve.limit))
    assert not any("monotone" in note or "does not rise" in note for note in report.notes)
    record = search_of(report.result)
    assert record is not None
    assert [p.outcome for p in record.points] == sorted((p.outcome for p in record.points), reverse=True)
    rooms = [p.room for p in record.points]
    assert rooms == sorted(rooms, reverse=True)


def test_a_loss_of_double_the_margin_is_twice_as_large(study, tmp_path):
    """The theory is linear. Asked 0.1 %; reached 0.002 %: GENCLS balances powers, so nothing is lost to the speed."""
    wide = profile(tmp_path, F_HZ * (1.0 + 2 * LIMIT_PU))
    case = aggregate("tgov1", t1_s=0.005)
    narrow, double = (
        LargestLoss(loads="sites", profile=path, tol_mw=0.02, until_s=20.0, probes=0).run(case).summary["limit"].value
        for path in (study.profile, wide)
    )
    assert double == pytest.approx(2.0 * narrow, rel=0.001)


def test_where_the_theory_does_not_apply(study):
    """Servo 0.1 s, steam chest 0.3 s: 22.9 % to 8.4 % below it. With these lags in: asked 2 %, reached 0.04 %."""
    few = replace(study, inertia=(0.5, 1.0, 2.0))
    curve = curve_of(few.run(aggregate("ieeeg1", t3_s=0.1, t4_s=0.3)).result)
    assert curve is not None
    ratio = np.array(curve.limit) / [MVA * LIMIT_PU / peak(x / MVA)[1] for x in curve.x]
    assert (ratio < 0.92).all()
    assert (np.diff(ratio) > 0.0).all()
    due = [MVA * LIMIT_PU / with_lags(x / MVA, 0.1, 0.3) for x in curve.x]
    assert curve.limit == pytest.approx(due, rel=0.001)
