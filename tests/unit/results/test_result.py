"""The Result: accessors, near names, save and load."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gridai import results
from gridai.errors import ResultError, SettingError, UnknownNameError
from gridai.results import Channel, EventRecord, Limit, Result, Verdict, atomic_folder, atomic_path, extremes
from gridai.results.formats import DataFormat
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
    assert sorted(os.listdir(tmp_path)) == ["result.json", "result.npz"]


@pytest.mark.parametrize("data", ["npz", "csv", "parquet"])
def test_every_format_gives_the_same_result(tmp_path: Path, data: DataFormat):
    """Relative error reached: 0 as CSV for these numbers, 7.3e-12 in the binary formats (bound 2^-37)."""
    if data == "parquet":
        pytest.importorskip("pyarrow")
    rng = np.random.default_rng(1)
    values = rng.normal(size=(50, 2)) * np.array([1.0, 1e6])
    values[3, 0], values[4, 1] = np.nan, np.inf
    channels = (Channel("bus", "a,b", "v_re_pu", "pu"), Channel("gen", "ünit", "p_mw", "MW", 250.0))
    t_s = np.cumsum(rng.random(50))
    path, _ = Result(t_s, values, channels, (), {"inertia_mws": {"x": np.inf}}).save(tmp_path, data=data)
    again = results.load(tmp_path)
    assert path.name == f"result.{data}"
    assert again.channels == channels
    assert again.t_s == pytest.approx(t_s, rel=1e-11 if data == "csv" else 0.0)
    assert again.data == pytest.approx(values, rel=1e-11, nan_ok=True)
    assert again.meta["inertia_mws"]["x"] == np.inf


def test_numpy_reads_the_npz_without_gridai(tmp_path: Path):
    small().save(tmp_path)
    with np.load(tmp_path / "result.npz", allow_pickle=False) as file:
        assert file["channels"].tolist() == [c.key for c in small().channels]
        assert file["data"].shape == small().data.shape
        assert file["t_s"].tolist() == small().t_s.tolist()


def test_a_result_of_the_first_format_is_still_read(tmp_path: Path):
    text = b"t_s,bus/1/v_re_pu\n0,1\n1,0.5\n"
    (tmp_path / "result.csv").write_bytes(text)
    channel = {"kind": "bus", "element": "1", "quantity": "v_re_pu", "unit": "pu", "scale": 1.0}
    about = {"format": 1, "csv_sha256": hashlib.sha256(text).hexdigest(), "channels": [channel], "events": [],
             "meta": {}}  # fmt: skip
    (tmp_path / "result.json").write_text(json.dumps(about))
    assert results.load(tmp_path).data[:, 0].tolist() == [1.0, 0.5]


def test_another_format_replaces_the_older_numbers_and_nothing_else(tmp_path: Path):
    (tmp_path / "other.csv").write_text("mine")
    small().save(tmp_path, data="csv")
    small().save(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["other.csv", "result.json", "result.npz"]


def test_unknown_format_and_missing_pyarrow_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UnknownNameError, match="npz"):
        small().save(tmp_path, data="npy")  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SettingError, match=r"gridai\[parquet\]"):
        small().save(tmp_path, data="parquet")
    assert os.listdir(tmp_path) == []


def test_nan_survives_and_an_empty_result_too(tmp_path: Path):
    channels = (Channel("bus", "1", "v_re_pu", "pu"),)
    Result([0.0, 1.0], [[np.nan], [1.0]], channels).save(tmp_path)
    assert np.isnan(results.load(tmp_path).data[0, 0])
    Result([0.0], np.zeros((1, 0)), ()).save(tmp_path, "bare")
    assert results.load(tmp_path, "bare").channels == ()


def test_a_stranger_s_files_are_refused_by_name(tmp_path: Path):
    """A pickle inside the .npz, a file elsewhere, fewer numbers than channels."""
    small().save(tmp_path)
    about = json.loads((tmp_path / "result.json").read_text())
    with (tmp_path / "result.npz").open("wb") as file:
        np.savez(file, t_s=np.array([{}], dtype=object), data=np.zeros((1, 1)))
    about["data"]["sha256"] = hashlib.sha256((tmp_path / "result.npz").read_bytes()).hexdigest()
    (tmp_path / "result.json").write_text(json.dumps(about))
    with pytest.raises(ResultError, match="cannot be read"):
        results.load(tmp_path)
    with (tmp_path / "result.npz").open("wb") as file:
        np.savez(file, t_s=np.zeros(2), data=np.zeros((2, 1)))
    about["data"]["sha256"] = hashlib.sha256((tmp_path / "result.npz").read_bytes()).hexdigest()
    (tmp_path / "result.json").write_text(json.dumps(about))
    with pytest.raises(ResultError, match="channels"):
        results.load(tmp_path)
    about["data"]["file"] = "../../etc/passwd"
    (tmp_path / "result.json").write_text(json.dumps(about))
    with pytest.raises(ResultError, match=r"data\.file"):
        results.load(tmp_path)


def test_a_frequency_that_cannot_be_computed_is_not_listed():
    channels = (Channel("gen", "G", "speed_pu", "pu"),)
    bare = Result([0.0, 1.0], np.ones((2, 1)), channels, (), {"f_hz": 60.0})
    assert bare.quantities("system") == ()


def test_damaged_or_missing_files_are_named(tmp_path: Path):
    small().save(tmp_path)
    with (tmp_path / "result.npz").open("ab") as file:
        file.write(b"1,2\n")
    with pytest.raises(ResultError, match=r"result\.npz: differs"):
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
    assert sorted(os.listdir(tmp_path)) == ["result.json", "result.npz"]


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
