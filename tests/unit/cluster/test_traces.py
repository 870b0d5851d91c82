"""Traces: files of meters, nvidia-smi and DCGM, units, resampling, replay, and one clear error for each bad file."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from gridai.cluster import HARDWARE, Cluster
from gridai.cluster.traces import Trace, read, read_each, read_trace
from gridai.cluster.workloads import Replay, Workload
from gridai.errors import CaseError, SettingError, UnknownNameError

H100 = HARDWARE["H100"]


def write(folder: Path, text: str) -> Path:
    path = folder / "trace.csv"
    path.write_text(text, encoding="utf-8")
    return path


def kilowatts(powers: list[object], start: float = 0.0) -> str:
    return "t_s,total_kW\n" + "".join(f"{start + k},{p}\n" for k, p in enumerate(powers))


def test_a_meter_with_its_unit_in_the_header(tmp_path: Path) -> None:
    trace = read_trace(write(tmp_path, "# from the lab\n" + kilowatts([6.0, 7.0, 8.0], 100.0)), gpus=8, meter_s=2.0)
    assert trace.mw == pytest.approx([0.006, 0.007, 0.008])
    assert trace.t_s == pytest.approx([0.0, 1.0, 2.0])
    assert trace.watt_per_gpu == pytest.approx([750.0, 875.0, 1000.0])
    assert (trace.gpus, trace.meter_s, trace.step_s, trace.duration_s) == (8, 2.0, 1.0, 2.0)


def test_nvidia_smi(tmp_path: Path) -> None:
    rows = [f"2024/05/01 12:00:0{s}.{100 + 3 * g}, {g}, {100 * (g + 1) + s}.00 W" for s in range(3) for g in range(2)]
    trace = read_trace(write(tmp_path, "timestamp, index, power.draw [W]\n" + "\n".join(rows)))
    assert trace.gpus == 2
    assert trace.mw * 1e6 == pytest.approx([300.0, 302.0, 304.0], abs=0.02)
    assert "the sum of 2 GPUs" in trace.notes[0]


def test_dcgm_and_dates_with_a_zone(tmp_path: Path) -> None:
    rows = [f"2024-05-01T12:00:0{s}+02:00,{g},350" for s in range(3) for g in "abc"]
    trace = read_trace(write(tmp_path, "timestamp,gpu,DCGM_FI_DEV_POWER_USAGE\n" + "\n".join(rows)))
    assert trace.mw * 1e6 == pytest.approx([1050.0] * 3)
    assert trace.duration_s == 2.0


def test_no_header_needs_a_unit_and_adds_the_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "0.0,70,80\n0.5,71,81\n1.0,72,82\n")
    assert read_trace(path, unit="W", gpus=2).mw == pytest.approx([150e-6, 152e-6, 154e-6])
    with pytest.raises(CaseError, match=r"no header, so the unit of power is not known: give unit="):
        read_trace(path)


def test_the_power_of_each_gpu(tmp_path: Path) -> None:
    path = write(tmp_path, "0.0,70,80\n0.5,71,81\n1.0,72,82\n")
    trace, watt = read_each(path, unit="W")
    assert watt == pytest.approx(np.array([[70.0, 80.0], [71.0, 81.0], [72.0, 82.0]]))
    assert trace.mw == pytest.approx(read_trace(path, unit="W", gpus=2).mw)
    assert trace.gpus == 2
    rows = [f"2024/05/01 12:00:0{s},{g},{100 * (g + 1) + s} W" for s in range(3) for g in range(2)]
    smi = write(tmp_path, "timestamp, index, power.draw [W]\n" + "\n".join(rows))
    assert read_each(smi)[1] == pytest.approx(np.array([[100.0, 200.0], [101.0, 201.0], [102.0, 202.0]]))
    with pytest.raises(CaseError, match="one power; the powers of single GPUs need a column for each"):
        read_each(write(tmp_path, kilowatts([7, 7])))


def test_columns_by_name_and_milliseconds(tmp_path: Path) -> None:
    path = write(tmp_path, "t_ms,a_W,b_W,c\n0,100,200,1\n500,110,210,2\n")
    trace = read_trace(path, power=["a_W", "b_W"])
    assert trace.mw * 1e6 == pytest.approx([300.0, 320.0])
    assert trace.duration_s == 0.5
    epoch = write(tmp_path, "timestamp,power_W\n1700000000000,500\n1700000000100,510\n")
    assert read_trace(epoch).duration_s == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("text", "settings", "parts"),
    [
        ("", {}, ("empty",)),
        ("\n \n", {}, ("empty",)),
        ("t_s,total_kW\n", {}, ("a header (t_s, total_kW) but no rows",)),
        (kilowatts([7, -7, 7]), {}, ("row 3", "total_kW = -7.0", "a load draws")),
        (kilowatts([7, "", 7, "nan"]), {}, ("row 3", "total_kW", "2 such rows", "drop_missing=True")),
        (kilowatts([7, "[N/A]", 7]), {}, ("row 3", "no number")),
        ("t_s,total_kW\n0,7\n2,7\n1,7\n", {}, ("row 4", "t_s = 1.0", "goes back from 2 s", "UTC")),
        ("t_s,total_kW\n0,7\n0,7\n1,7\n", {}, ("row 3", "repeated", "column index or gpu")),
        ("timestamp,power_W\n2024-05-01T12:00:00Z,7\n2024-05-01T12:00:01+02:00,7\n", {},
         ("row 3", "time zones are mixed", "Z, +02:00")),
        ("timestamp,power_W\n2024-05-01T12:00:00,7\n2024-05-01T12:00:01Z,7\n", {}, ("time zones are mixed",)),
        (kilowatts([7, 7, 7]) + "500,7\n", {}, ("row 4", "a gap of 498 s after 2 s", "longest_gap_s = 60 s")),
        ("# lab\n\n" + kilowatts([7, 7]) + "# noon\n2,-1\n", {}, ("row 7", "negative")),
        (kilowatts([7, "inf", 7]), {}, ("row 3", "no number")),
        ("timestamp,power_W\n2024-10-27T02:59:59,7\n2024-10-27T02:00:00,7\n", {}, ("row 3", "daylight saving")),
        ("timestamp,power_W\nyesterday,7\n2024-05-01T12:00:01,7\n", {}, ("row 2", "timestamp", "no number")),
        ("when,total_kW\n0,7\n", {}, ("no time column among when, total_kW", "time=")),
        ("t_s,heat\n0,7\n", {}, ("no power column", "power=")),
        ("t_s,power\n0,7\n", {}, ("power", "its unit is not in its name")),
        ("t_s,a_W,b_kW\n0,7,7\n", {"power": ["a_W", "b_kW"]}, ("units differ",)),
        (kilowatts([7, 7]), {"power": "total_kw_"}, ("unknown power column 'total_kw_'", "'total_kW'")),
        (kilowatts([7, 7]), {"unit": "kw"}, ("unknown unit 'kw'", "'kW'")),
        (kilowatts([7]), {}, ("one sample",)),
        ("1\n2\n", {"unit": "W"}, ("one column of numbers",)),
        (kilowatts([7, 7]), {"every_s": -1.0}, ("every_s = -1.0",)),
    ],
)  # fmt: skip
def test_bad_files(tmp_path: Path, text: str, settings: dict[str, object], parts: tuple[str, ...]) -> None:
    path = write(tmp_path, text)
    with pytest.raises(CaseError) as fault:
        read_trace(path, **settings)
    for part in (str(path), *parts):
        assert part in str(fault.value)


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("kW", "off by a thousand, so the column is W where kW is taken"),
        ("mW", "off by a thousand, so the column is kW where W is taken|check unit= and gpus="),
        ("GW", "check unit= and gpus="),
    ],
)
def test_a_wrong_unit_is_named(tmp_path: Path, unit: str, text: str) -> None:
    path = write(tmp_path, "t_s,power_W\n0,6800\n1,6900\n")
    assert read_trace(path, gpus=8).mw[0] == pytest.approx(0.0068)
    with pytest.raises(SettingError, match=text):
        read_trace(path, gpus=8, unit=unit)
    with pytest.raises(SettingError, match="kW where W is taken"):
        Trace("t", np.array([0.0, 1.0]), np.array([7e-6, 7e-6]), gpus=8)


def test_no_such_file_and_not_a_text(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="no such file"):
        read_trace(tmp_path / "none.csv")
    binary = tmp_path / "b.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01" * 100)
    with pytest.raises(CaseError, match="not a CSV text file"):
        read_trace(binary)


def test_a_folder_and_a_packed_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CaseError, match="a folder; give one CSV file in it"):
        read_trace(tmp_path)
    packed = tmp_path / "trace.csv.gz"
    with gzip.open(packed, "wt", encoding="utf-8") as file:
        file.write(kilowatts([6, 7, 8, 7, 6]))
    assert read_trace(packed, gpus=8).mw == pytest.approx([0.006, 0.007, 0.008, 0.007, 0.006])
    with gzip.open(packed, "wt", encoding="utf-8") as file:
        file.write(kilowatts([7] * 3000))
    monkeypatch.setattr(read, "MOST_ROWS", 2500)
    with pytest.raises(CaseError, match=r"3001 or more rows.*every_s=1.0"):
        read_trace(packed, gpus=8)
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(b"t_s,total_kW")
    with pytest.raises(CaseError, match="not a CSV text file"):
        read_trace(broken)


def test_gaps_and_missing_rows_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path, kilowatts([7] * 10) + "40,7\n41,\n42,7\n")
    trace = read_trace(path, gpus=8, drop_missing=True)
    assert len(trace) == 12
    assert "1 gaps of 31 to 31 s" in trace.notes[0]
    assert "1 rows without a number" in trace.notes[1]


def test_a_billion_rows_are_refused_by_size_with_the_way_out(tmp_path: Path) -> None:
    path = write(tmp_path, kilowatts([7, 7]))
    os.truncate(path, 10_000_000_000)  # sparse: takes no room
    with pytest.raises(CaseError, match=r"about 1.7e\+09 rows.*give every_s=1.0"):
        read_trace(path)


def test_a_long_file_is_averaged_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    powers = 6.5 + np.sin(np.arange(5000) / 50.0)
    text = "t_s,total_kW\n" + "\n".join(f"{0.01 * k:.2f},{p}" for k, p in enumerate(powers))
    path = write(tmp_path, text)
    whole = read_trace(path, gpus=8)
    monkeypatch.setattr(read, "MOST_ROWS", 100)
    monkeypatch.setattr(read, "CHUNK", 333)
    with pytest.raises(CaseError, match="every_s"):
        read_trace(path, gpus=8)
    trace = read_trace(path, gpus=8, every_s=0.5)
    assert len(trace) == 100
    assert trace.meter_s == 0.5
    assert trace.mw == pytest.approx(whole.mw.reshape(100, 50).mean(axis=1), rel=1e-12)


def test_resample_scale_cut() -> None:
    t = np.arange(0.0, 100.0, 0.5)
    trace = Trace("t", t, 0.007 + 0.001 * np.sin(t), gpus=8)
    coarse, fine = trace.resampled(10.0), trace.resampled(0.1)
    assert len(coarse) == 9
    assert coarse.mean_mw == pytest.approx(trace.between(0.0, 90.0).mean_mw, rel=0.02)
    assert coarse.mw.std() < 0.3 * trace.mw.std()
    assert fine.mw[::5] == pytest.approx(trace.mw, rel=1e-12)
    assert trace.on(16).mw == pytest.approx(2.0 * trace.mw)
    assert trace.scaled(1.25).mean_mw == pytest.approx(1.25 * trace.mean_mw)
    assert trace.between(20.0, 30.0).duration_s == 10.0
    for step in (0.0, -1.0, float("nan"), 1e6):
        with pytest.raises(SettingError, match="step_s"):
            trace.resampled(step)
    with pytest.raises(SettingError, match="number of GPUs is not known"):
        _ = Trace("t", t, trace.mw).watt_per_gpu


@pytest.mark.parametrize(
    ("t", "p", "text"),
    [
        ([0.0, 1.0, 0.5], [1.0, 1.0, 1.0], "goes back from 1 s"),
        ([0.0, 1.0, 1.0], [1.0, 1.0, 1.0], "is repeated"),
        ([0.0, 1.0], [1.0, -1.0], "a load draws"),
        ([0.0, 1.0], [1.0, np.nan], "power = nan"),
        ([0.0], [1.0], "two at least"),
    ],
)
def test_bad_samples(t: list[float], p: list[float], text: str) -> None:
    with pytest.raises(SettingError, match=text):
        Trace("t", np.array(t), np.array(p))


def test_replay() -> None:
    t = np.arange(0.0, 600.0, 1.0)
    trace = Trace("t", t, 8 * (800.0 + 50.0 * np.sin(t / 7.0)) / 1e6, gpus=8)
    work = Replay.of(trace, H100)
    assert isinstance(work, Workload)
    cluster = Cluster.of("H100", 800, pue=1.0, workload=work)
    course = cluster.demand(500.0)
    assert course.value(t[:500]) == pytest.approx(100.0 * trace.mw[:500], rel=1e-12)
    assert course.value(0.0) == pytest.approx(cluster.p_mw)
    with pytest.raises(SettingError, match=r"1000 s asked of a trace of 599 s: give repeat=True"):
        cluster.demand(1000.0)
    again = Replay.of(trace, H100, repeat=True)
    assert again.profile(1300.0, 8, 8, 0).value(600.0) == pytest.approx(work.course.value(0.0))
    apart = Replay.of(trace, H100, repeat=True, coherent=False)
    many = Cluster.of("H100", 800, pue=1.0, workload=apart)
    course = many.demand(600.0, seed=1)
    assert course.value(0.0) == pytest.approx(many.p_mw, rel=1e-9)
    assert course.values.std() < 0.2 * (100.0 * trace.mw).std()


def test_replay_of_gpu_and_meter_power() -> None:
    t = np.array([0.0, 1.0])
    gpu = Trace("g", t, np.array([630.0, 630.0]) / 1e6, gpus=1)
    assert Replay.of(gpu, H100, at="gpu").mean == pytest.approx(1.0, rel=1e-6)
    meter = Trace("m", t, np.array([1071.25, 1071.25]) / 1e6, gpus=1)
    assert Replay.of(meter, H100, at="meter", pue=1.25).mean == pytest.approx(1.0)
    with pytest.raises(UnknownNameError, match="place of the meter 'rack'"):
        Replay.of(gpu, H100, at="rack")
    with pytest.raises(SettingError, match="with at='meter' only"):
        Replay.of(gpu, H100, pue=1.2)
