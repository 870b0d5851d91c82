"""Modes and scans as plain data: saved and read the same; sides of a mode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gridai.errors import ResultError
from gridai.results import Channel, Result, load
from gridai.results.small_signal import Mode, Scan, eigenvalues_of, modes_of, scan_of, small_signal_meta

MODE = Mode(
    -0.15, 3.42, 0.96, (("G3.GENROU.omega_pu", 0.2),), {"G3": (1.0, 0.0), "G1": (0.4, 197.0), "G2": (0.1, 180.0)}
)


def made() -> Result:
    gains = np.array([[1e-4 - 2e-5j, 0.3], [3.123456789e-4, -0.2j]])
    scan = Scan("bus 9", np.array([0.1, 1.0]), (("bus", "9", "f_hz"), ("branch", "8-9", "p_mw")), ("Hz", "MW"), gains)
    meta = {"f_hz": 60.0, **small_signal_meta([-0.15 + 3.42j, -0.15 - 3.42j, -1.0], [MODE], scan)}
    return Result([0.0], np.ones((1, 1)), (Channel("gen", "G3", "speed_pu", "pu"),), (), meta)


def test_saved_and_read_the_same(tmp_path: Path):
    made().save(tmp_path)
    for result in (made(), load(tmp_path)):
        assert modes_of(result) == (MODE,)
        assert eigenvalues_of(result).tolist() == [-0.15 + 3.42j, -0.15 - 3.42j, -1.0]
        scan = scan_of(result)
        assert scan is not None
        names, gains = scan.of("bus", "f_hz")
        assert names == ("9",)
        assert gains[:, 0] == pytest.approx([1e-4 - 2e-5j, 3.123456789e-4], rel=1e-6)


def test_frequency_damping_and_sides():
    assert MODE.frequency_hz == pytest.approx(0.5443, abs=1e-4)
    assert MODE.damping == pytest.approx(0.0438, abs=1e-4)
    assert MODE.sides() == (("G3",), ("G1",))
    assert MODE.electromechanical


def test_damaged_data_say_so():
    for part, value in (("re", [[1.0]]), ("units", []), ("f_hz", ["x"])):
        result = made()
        result.meta["scan"][part] = value
        with pytest.raises(ResultError, match="damaged"):
            scan_of(result)
    result = made()
    del result.meta["modes"][0]["shape"]
    with pytest.raises(ResultError, match="damaged"):
        modes_of(result)


def test_a_result_without_modes_says_so():
    bare = Result([0.0], np.ones((1, 1)), (Channel("gen", "G3", "speed_pu", "pu"),))
    assert scan_of(bare) is None
    for read in (modes_of, eigenvalues_of):
        with pytest.raises(ResultError, match="study modes"):
            read(bare)
