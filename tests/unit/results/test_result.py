"""The Result: accessors, near names, save and load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gridai import results
from gridai.errors import ResultError, UnknownNameError
from gridai.results import Channel, EventRecord, Limit, Result, Verdict, atomic_folder, atomic_path, extremes
from gridai.results.measures import swings


def small() -> Result:
    t = np.array([0.0, 1.0, 1.0, 2.0])
    channels = (
        Channel("bus", "16", "v_re_pu", "pu"),
        Channel("bus", "16", "v_im_pu", "pu"),
        Channel("bus", "one, north", "v_re_pu", "pu"),
        Channel("bus", "one, north", "v_im_pu", "pu"),
        Channel("gen", "G1", "speed_pu", "pu"),
        Channel("gen", "G1", "p_mw", "MW", 100.0),
        Channel("cluster", "ai", "p_mw", "MW"),
    )
    before, after = [0.6, 0.8, 1.0, 0.0, 1.0, 2.5, 107.0], [0.6, 0.75, 1.0, 0.0, 1.0, 2.0, 7.0]
    data = np.array([before, before, after, [0.6, 0.75, 1.0, 0.0, 1.01, 1.5, 7.0]])
    events = (EventRecord(1.0, "training_pause", "ai", "ai pauses 100 MW"),)
    meta = {"f_hz": 60.0, "inertia_mws": {"G1": 500.0, "grid": float("inf")}, "units_off": {}, "case": "small"}
    return Result(t, data, channels, events, meta)


def test_accessors():
    result = small()
    vm = result.bus.vm_pu
    assert list(vm.columns) == ["16", "one, north"]
    assert vm.index.name == "t_s"
    assert vm["16"].to_numpy() == pytest.approx([1.0, 1.0, np.hypot(0.6, 0.75), np.hypot(0.6, 0.75)])
    assert result.gen.p_mw["G1"].tolist() == [250.0, 250.0, 200.0, 150.0]
    assert result.system.f_hz["COI"].to_numpy() == pytest.approx([60.0, 60.0, 60.0, 60.6])
    assert result.bus.va_degree["16"].iloc[0] == pytest.approx(np.degrees(np.arctan2(0.8, 0.6)))
    assert list(result.gen("G1").columns) == ["speed_pu", "p_mw"]
    assert result.bus.elements == ("16", "one, north")
    assert result.series("cluster", "ai", "p_mw")[-1] == 7.0
    assert "f_hz" in dir(result.bus)


def test_derived_values_are_kept_and_read_only():
    result = small()
    assert result.values("bus", "vm_pu") is result.values("bus", "vm_pu")
    with pytest.raises(ValueError):
        result.values("bus", "vm_pu")[0, 0] = 0.0


@pytest.mark.parametrize(
    ("ask", "word"),
    [
        (lambda r: r.bus.vm_p, "vm_pu"),
        (lambda r: r.bus("1"), "16"),
        (lambda r: r.gen("G2"), "G1"),
        (lambda r: r.values("buss", "vm_pu"), "bus"),
        (lambda r: r.series("gen", "G9", "p_mw"), "G1"),
    ],
)
def test_unknown_names_list_the_near_ones(ask, word):
    with pytest.raises(UnknownNameError, match=word):
        ask(small())


def test_what_was_not_recorded_says_so():
    with pytest.raises(ResultError, match="not recorded"):
        small().load.p_mw  # noqa: B018
    bare = Result([0.0], [[1.0]], (Channel("gen", "G1", "speed_pu", "pu"),), meta={"f_hz": 60.0})
    with pytest.raises(ResultError, match="inertia_mws"):
        bare.system.f_hz  # noqa: B018


@pytest.mark.parametrize(
    ("t", "shape", "channels", "word"),
    [
        ([0.0, 1.0], (2, 2), 1, "shapes"),
        ([1.0, 0.0], (2, 1), 1, "decrease"),
        ([0.0, np.nan], (2, 1), 1, "NaN"),
    ],
)
def test_bad_shapes_and_times_are_refused(t, shape, channels, word):
    with pytest.raises(ResultError, match=word):
        Result(t, np.zeros(shape), (Channel("bus", "1", "v_re_pu", "pu"),) * channels)


def test_a_channel_twice_or_of_unknown_kind_is_refused():
    twice = (Channel("bus", "1", "v_re_pu", "pu"),) * 2
    with pytest.raises(ResultError, match="twice"):
        Result([0.0], np.zeros((1, 2)), twice)
    with pytest.raises(ResultError, match="bus"):
        Result([0.0], np.zeros((1, 1)), (Channel("buss", "1", "v_re_pu", "pu"),))


def test_save_and_load_give_the_same_result(tmp_path: Path):
    before = small()
    before.save(tmp_path)
    after = results.load(tmp_path)
    assert after.channels == before.channels
    assert after.events == before.events
    assert after.meta == before.meta
    assert after.t_s.tolist() == before.t_s.tolist()
    assert after.data == pytest.approx(before.data, rel=1e-11)
    assert sorted(os.listdir(tmp_path)) == ["result.csv", "result.json"]


def test_nan_survives_and_an_empty_result_too(tmp_path: Path):
    channels = (Channel("bus", "1", "v_re_pu", "pu"),)
    Result([0.0, 1.0], [[np.nan], [1.0]], channels).save(tmp_path)
    assert np.isnan(results.load(tmp_path).data[0, 0])
    Result([0.0], np.zeros((1, 0)), ()).save(tmp_path, "bare")
    assert results.load(tmp_path, "bare").channels == ()


def test_damaged_or_missing_files_are_named(tmp_path: Path):
    small().save(tmp_path)
    with (tmp_path / "result.csv").open("a") as file:
        file.write("1,2\n")
    with pytest.raises(ResultError, match=r"result\.csv"):
        results.load(tmp_path)
    (tmp_path / "result.json").write_text(json.dumps({"format": 1}))
    with pytest.raises(ResultError, match="not a saved result"):
        results.load(tmp_path)
    with pytest.raises(ResultError, match="no such file"):
        results.load(tmp_path / "nowhere")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failing_write_leaves_the_old_file_alone(tmp_path: Path, error: BaseException):
    path = tmp_path / "a.csv"
    path.write_text("old")

    def write() -> None:
        with atomic_path(path) as part:
            part.write_text("half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.csv"]


def test_a_failing_save_leaves_the_old_result_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    small().save(tmp_path)

    def full_disk(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results.store, "write_json", full_disk)
    with pytest.raises(OSError, match="No space"):
        Result([0.0], [[2.0]], (Channel("bus", "1", "v_re_pu", "pu"),)).save(tmp_path)
    assert results.load(tmp_path).meta["case"] == "small"
    assert sorted(os.listdir(tmp_path)) == ["result.csv", "result.json"]


def test_atomic_folder(tmp_path: Path):
    target = tmp_path / "out"

    def fill(text: str, fail: bool = False) -> None:
        with atomic_folder(target) as part:
            (part / "sub").mkdir()
            (part / "sub" / "a.txt").write_text(text)
            if fail:
                raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fill("half", fail=True)
    assert os.listdir(tmp_path) == []
    fill("one")
    (target / "mine.txt").write_text("kept")
    fill("two")
    assert (target / "sub" / "a.txt").read_text() == "two"
    assert (target / "mine.txt").read_text() == "kept"
    assert os.listdir(tmp_path) == ["out"]


def test_extremes_and_swings_leave_nan_out():
    values = np.array([[1.0, np.nan, np.nan], [0.9, 1.2, np.nan]])
    found = extremes(["a", "b", "c"], [0.0, 1.0], values)
    assert (found.low.element, found.low.value, found.low.t_s) == ("a", 0.9, 1.0)
    assert (found.high.element, found.high.value, found.high.t_s) == ("b", 1.2, 1.0)
    assert swings(values)[:2].tolist() == [pytest.approx(0.1), 0.0]
    assert np.isnan(swings(values)[2])
    assert not extremes(["a"], [0.0], [[np.nan]]).low.assessable


def test_a_verdict_cannot_pass_without_a_number():
    with pytest.raises(ResultError, match="only a number"):
        Verdict("rocof", float("nan"), 1.0, "Hz/s", 0.0, "COI", 0.0, "pass")
    with pytest.raises(ResultError, match="status"):
        Verdict("rocof", 1.0, 1.0, "Hz/s", 0.0, "COI", 0.0, "maybe")
    found = Verdict("rocof", 0.5, 1.0, "Hz/s", 0.5, "COI", 0.0, "pass", confidence="M")
    assert found.status_text == "pass (unverified)"
    assert Limit("rocof", "Hz/s", high=1.0, confidence="P").verified


def test_reading_results_needs_neither_pandas_nor_scipy():
    code = "import gridai.results, sys; print(sorted({'pandas', 'scipy', 'numba', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
