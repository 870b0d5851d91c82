"""Square, sine and measured courses of a cluster's power: means, edges, files and their faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gridai.cluster.waveform import Played, sine, square, trace
from gridai.errors import CaseError, SettingError, UnknownNameError


def test_square():
    wave = square(2.0, 3, at_s=1.0)
    assert wave.value(0.9) == wave.value(2.51) == 0.0
    assert [wave.value(t) for t in (1.0, 1.24, 1.25, 1.49, 1.5)] == [1.0, 1.0, -1.0, -1.0, 1.0]
    assert wave.mean(1.0, 2.5) == pytest.approx(0.0, abs=1e-12)
    assert wave.breaks.tolist() == [1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5]


def test_square_with_duty_and_edges():
    wave = square(1.0, 2, at_s=1.0, duty=0.7)
    assert (wave.value(1.5), wave.value(1.8)) == (pytest.approx(0.6), pytest.approx(-1.4))
    assert wave.mean(1.0, 3.0) == pytest.approx(0.0, abs=1e-12)
    ramped = square(1.0, 2, at_s=1.0, edge_s=0.1)
    assert ramped.breaks.size == 0
    assert ramped.value(1.05) == pytest.approx(0.5)
    with pytest.raises(SettingError, match="edge_s"):
        square(1.0, 2, at_s=1.0, duty=0.95, edge_s=0.1)


def test_sine():
    wave = sine(0.5, 4, at_s=2.0)
    t = np.linspace(2.0, 10.0, 997)
    assert wave.value(t) == pytest.approx(np.sin(np.pi * (t - 2.0)), abs=3e-3)
    assert wave.value(1.0) == wave.value(11.0) == 0.0
    with pytest.raises(SettingError, match="fewer periods"):
        sine(1.0, 1e6, at_s=1.0)


def test_a_trace_is_the_change_from_its_mean(tmp_path: Path):
    path = tmp_path / "power.csv"
    path.write_text("# measured\nt_s,rack,total_kW\n5,1,100\n6,1,300\n8,1,300\n")
    wave = trace(path, at_s=1.0, column="total_kW")
    assert wave.mean(1.0, 4.0) == pytest.approx(0.0, abs=1e-12)
    assert [wave.value(t) for t in (0.5, 1.0, 2.0, 5.0)] == pytest.approx(
        [0.0, 100 / (800 / 3) - 1, 300 / (800 / 3) - 1, 0]
    )
    assert trace(path, 1.0, repeats=3, column="total_kW").t_s[-1] == pytest.approx(1.0 + 3 * 3.0 + 2 * 1.5)


def test_reference_traces_are_read(reference_dir: Path):
    for name in ("gpt3_175b_512xh100_ac.csv", "dgx_h100_production_cycle.csv", "llm_inference_8gpu.csv"):
        wave = trace(reference_dir / "power_traces" / name, at_s=1.0)
        assert -1.0 < wave.values.min() < -0.05
        assert 0.02 < wave.values.max() < 3.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("t_s,p\n0,1\n1,x\n", "line 3|numbers"),
        ("t_s,p\n0,1\n0,2\n", "time must rise"),
        ("t_s,p\n0,1\n", "two lines"),
        ("", "two lines"),
        ("t_s,p\n0,-1\n1,-1\n", "above 0"),
        ("t_s,p\n0,nan\n1,1\n2,1\n", "numbers"),
    ],
)
def test_faulty_files(tmp_path: Path, text: str, words: str):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(CaseError, match=words) as caught:
        trace(path, 1.0)
    assert "bad.csv" in str(caught.value)


def test_missing_files_columns_and_binary(tmp_path: Path):
    with pytest.raises(CaseError, match="no such file"):
        trace(tmp_path / "nothing.csv", 1.0)
    path = tmp_path / "a.csv"
    path.write_text("t_s,power\n0,1\n1,2\n")
    with pytest.raises(UnknownNameError, match="power"):
        trace(path, 1.0, column="powr")
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(CaseError, match="not a CSV"):
        trace(path, 1.0)


def test_played_starts_at_its_mean():
    load = Played(square(1.0, 3, at_s=1.0).scaled(0.2).plus(1.0))
    assert load.mean == 1.0
    course = load.profile(2.2, 8, 8, 0)
    assert course.t_s[-1] == 2.2
    assert course.values.max() == pytest.approx(1.2)
