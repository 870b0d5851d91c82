"""A table written as its rows come: the same rows as CSV and Parquet, row groups, what an error leaves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gridai.errors import SettingError
from gridai.results import stream
from gridai.results.stream import Stream


def block(first: int, count: int) -> dict[str, Any]:
    t = np.arange(first, first + count)
    reason = np.full(count, "", dtype=object)
    reason[::7] = "no solution"
    return {"t_s": t.astype(float), "solved": (t % 7 > 0).astype(int), "reason": reason,
            "vm_min_pu": np.where(t % 7 > 0, 1.0 + 1e-9 * t, np.nan), "bus": np.array(["a", "bb"])[t % 2]}  # fmt: skip


def written(path: Path, sizes: list[int]) -> Stream:
    with Stream(path) as out:
        first = 0
        for size in sizes:
            out.write(block(first, size))
            first += size
    return out


def test_csv_has_all_rows_in_order(tmp_path: Path):
    out = written(tmp_path / "a.csv", [100, 1, 50])
    frame = pd.read_csv(tmp_path / "a.csv")
    assert out.rows == len(frame) == 151
    assert frame.t_s.tolist() == list(range(151))
    assert not out.part.exists()


def test_parquet_has_the_same_rows_at_full_precision(tmp_path: Path):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    written(tmp_path / "a.parquet", [100, 1, 50])
    frame = pd.read_parquet(tmp_path / "a.parquet")
    expected = pd.DataFrame(block(0, 151) | {"reason": frame.reason.to_numpy()})
    assert np.array_equal(frame.vm_min_pu.to_numpy(), expected.vm_min_pu.to_numpy(), equal_nan=True)
    assert frame.bus.tolist() == expected.bus.tolist()
    assert frame.solved.tolist() == expected.solved.tolist()
    assert (frame.reason == "no solution").sum() == 15 + 1 + 8


def test_parquet_grows_in_row_groups_while_blocks_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Blocks of any size make groups of GROUP rows or a little more; what is held never exceeds a group and a block."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs pyarrow")
    monkeypatch.setattr(stream, "GROUP", 1000)
    sizes = [64] * 40 + [2500, 10]
    with Stream(tmp_path / "a.parquet") as out:
        first, on_disk = 0, 0
        for size in sizes:
            out.write(block(first, size))
            first += size
            held = sum(t.num_rows for t in out._held)
            assert held < 1000
            if out.part.exists():
                assert out.part.stat().st_size >= on_disk
                on_disk = out.part.stat().st_size
        assert on_disk > 0
    groups = parquet.ParquetFile(tmp_path / "a.parquet").metadata
    counts = [groups.row_group(k).num_rows for k in range(groups.num_row_groups)]
    assert counts == [1024, 1024, 512 + 2500, 10]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_error_keeps_what_was_finished(tmp_path: Path, kind: str):
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")

    def broken() -> None:
        with Stream(tmp_path / f"a.{kind}") as out:
            out.write(block(0, 70))
            raise RuntimeError("the grid is gone")

    with pytest.raises(RuntimeError) as caught:
        broken()
    assert "70 rows that were finished are kept" in caught.value.__notes__[0]
    assert not (tmp_path / f"a.{kind}").exists()
    read = pd.read_csv if kind == "csv" else pd.read_parquet
    assert len(read(tmp_path / f"a.part.{kind}")) == 70


def test_other_endings_and_parquet_without_pyarrow_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(SettingError, match=r"\.csv or \.parquet"):
        Stream(tmp_path / "a.xlsx")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SettingError, match="gridai\\[parquet\\]"):
        Stream(tmp_path / "a.parquet")
