"""The study compare: the same run, another step, a changed run, what is missing, curves of another program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.engine import BusFault, compile_system, simulate
from gridai.errors import ResultError, SettingError, UnknownNameError
from gridai.results import Channel, EventRecord, Result
from gridai.results.curves import curves_of, read_curves
from gridai.studies import Compare

T = np.linspace(0.0, 10.0, 1001)
CHANNELS = (Channel("gen", "G1", "p_mw", "MW"), Channel("gen", "G2", "p_mw", "MW"), Channel("bus", "a", "vm_pu", "pu"))
FAULT = (EventRecord(2.0, "fault", "a"), EventRecord(2.2, "clear", "a"))


def made(folder: Path, name: str, shift: float = 0.0, keep: int = 3, events: Any = FAULT, t: Any = T) -> str:
    """A saved run; shift adds to G2's power after the fault."""
    p1, p2 = 100.0 + 10.0 * np.sin(t), 50.0 + shift * (t > 3.0)
    data = np.column_stack([p1, p2, 1.0 - 0.5 * ((t >= 2.0) & (t < 2.2))])
    result = Result(t, data[:, :keep], CHANNELS[:keep], events, {"f_hz": 60.0, "case": "hand-made"})
    result.save(folder / name)
    return str(folder / name)


def test_a_run_against_itself(tmp_path):
    one = made(tmp_path, "one")
    report = Compare(checked=one, reference=one).run()
    assert report.passed
    assert report.summary["largest"].value == 0.0
    assert report.summary["curves"].note == "method points"
    assert {v.criterion for v in report.verdicts} == {"curve_difference"}
    assert report.figure("comparison").axes


def test_a_difference_is_named_with_element_and_time(tmp_path):
    """0.5 MW of a span of 20 MW: 2.5 %."""
    report = Compare(checked=made(tmp_path, "new", 0.5), reference=made(tmp_path, "old")).run()
    assert not report.passed
    (bad,) = [v for v in report.verdicts if not v.passed]
    assert (bad.element, bad.t_s) == ("gen/G2/p_mw", pytest.approx(3.01))
    assert bad.value == pytest.approx(2.5, rel=1e-3)
    assert bad.margin == pytest.approx(0.1 - bad.value)
    assert report.tables["differences"].rows[0][0] == "gen/G2/p_mw"
    assert Compare(checked=str(tmp_path / "new"), reference=str(tmp_path / "old"), tolerance=0.03).run().passed


def test_other_steps_by_tube_and_what_is_missing(tmp_path):
    fine = made(tmp_path, "fine", t=np.linspace(0.0, 10.0, 2001))
    coarse = made(tmp_path, "coarse")
    report = Compare(checked=fine, reference=coarse, curves="gen/p_mw").run()
    assert report.passed
    assert report.summary["curves"].note == "method tube"
    lacking = Compare(checked=made(tmp_path, "less", keep=2, events=FAULT[:1]), reference=coarse).run()
    failed = {v.criterion: v for v in lacking.verdicts if not v.passed}
    assert set(failed) == {"missing_curve", "unmatched_event"}
    assert failed["missing_curve"].element == "bus/a/vm_pu"
    assert "clear a" in failed["unmatched_event"].note
    assert lacking.tables["missing"].rows == (("bus/a/vm_pu",),)


def test_a_gap_is_never_within(tmp_path):
    folder = tmp_path / "gap"
    data = np.column_stack([100.0 + 10.0 * np.sin(T), np.where(T == 5.0, np.nan, 50.0), 1.0 + 0.0 * T])
    Result(T, data, CHANNELS, FAULT, {"f_hz": 60.0}).save(folder)
    report = Compare(checked=str(folder), reference=made(tmp_path, "old"), curves="gen/p_mw").run()
    (verdict,) = report.verdicts
    assert (verdict.status, verdict.note, verdict.t_s) == ("fail", "a gap in one of the two", 5.0)


def test_windows_by_a_profile_of_model_checks(tmp_path):
    """A constant offset of 2 MW on a base of 50 MW after 3 s: 0.04 pu, above the mean error of 0.02 pu."""
    old = made(tmp_path, "old")
    study = {"reference": old, "method": "windows", "curves": "gen/G2/p_mw", "profile": "rte-i16-simulation"}
    good = Compare(checked=made(tmp_path, "good", 0.5), **study).run()
    assert good.passed
    assert len(good.verdicts) == 9
    bad = Compare(checked=made(tmp_path, "bad", 2.0), **study).run()
    failing = {(v.clause.split()[0], v.clause.split()[1]) for v in bad.verdicts if v.status == "fail"}
    assert failing == {("ME", "after"), ("MAE", "after")}
    with pytest.raises(SettingError, match="windows"):
        Compare(checked=old, reference=old, profile="rte-i16-simulation")
    quiet = made(tmp_path, "quiet", events=())
    with pytest.raises(SettingError, match="begin_s"):
        Compare(checked=quiet, **study).run()


def test_a_csv_of_another_program(tmp_path):
    own = made(tmp_path, "own")
    rows = np.column_stack([T[::5], 100.0 + 10.0 * np.sin(T[::5])])
    path = tmp_path / "psse.csv"
    path.write_text("# exported\nTime(s),POWR 1\n" + "\n".join(f"{a:.4f},{b:.6f}" for a, b in rows))
    report = Compare(checked=own, reference=str(path), curves="gen/G1/p_mw=POWR 1").run()
    assert report.passed
    assert report.summary["curves"].value == 1
    for curves, error, words in (
        ("gen/G1/p_mw=POWR 2", UnknownNameError, "POWR 1"),
        ("gen/G1/p_mw", SettingError, "COLUMN"),
        ("gen/G9/p_mw=POWR 1", UnknownNameError, "G1"),
    ):
        with pytest.raises(error, match=words):
            Compare(checked=own, reference=str(path), curves=curves).run()


@pytest.mark.parametrize(
    ("text", "words"),
    [("t,a\n0,1\n1,x", "line 3"), ("t,a\n0,1\n1", "line 3"), ("t,a\n1,1\n0,1", "line 3"), ("t,a", "fewer than two")],
)
def test_faults_of_a_csv_name_the_line(tmp_path, text, words):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(ResultError, match=words):
        read_curves(path)
    with pytest.raises(ResultError, match="no such file"):
        read_curves(tmp_path / "none.csv")


def test_two_integration_steps_of_one_fault(tmp_path):
    """smib, a fault of 50 ms at 1/240 s and 1/480 s: 0.02 % of the span, within the default tolerance of 0.1 %."""
    system = compile_system(load_case("smib"))
    for name, step in (("old", 1 / 240), ("new", 1 / 480)):
        simulate(system, [BusFault("HT", 0.5, 0.55)], 3.0, step_s=step).save(tmp_path / name)
    report = Compare(checked=str(tmp_path / "new"), reference=str(tmp_path / "old")).run()
    assert report.passed
    assert 0.0 < report.summary["largest"].value < 0.1
    assert set(curves_of(simulate(system, (), 0.1), ["bus/vm_pu"])) == {f"bus/{b}/vm_pu" for b in ("LT", "HT", "EB")}
