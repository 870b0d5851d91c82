"""The study fit: one run from a file to a saved report, serving and cycles, faults, and the command."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridai.cli import call
from gridai.cluster import Cluster, Cycle, Phase, Serving, Training, load_cluster
from gridai.cluster.calibration.run import metered
from gridai.errors import CaseError, SettingError, UnknownNameError
from gridai.studies import STUDIES, Fit

GPUS = 64
RUN = Training(job_gpus=GPUS, step_s=12.0, comm_fraction=0.2, comm_level=0.8, eval_every=10, eval_s=20.0,
               eval_level=0.8, jitter=0.002)  # fmt: skip


def written(folder: Path, t: np.ndarray, watt: np.ndarray, header: str = "t_s,power_W") -> str:
    path = folder / "run.csv"
    rows = "\n".join(",".join(f"{x:.6g}" for x in row) for row in np.column_stack([t, watt]))
    path.write_text((header + "\n" if header else "") + rows + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def run_file(tmp_path: Path) -> str:
    t = np.arange(0.0, 1800.0)
    course = metered(RUN.profile(1800.0, GPUS, 8, 1), t, 1.0)
    watt = 850.0 * GPUS * np.where((t < 100.0) | (t > 1700.0), 0.4, course)
    return written(tmp_path, t, watt * (1.0 + 0.002 * np.random.default_rng(0).standard_normal(len(t))))


def test_it_stands_among_the_studies() -> None:
    assert STUDIES["fit"] is Fit
    for f in fields(Fit):
        assert f.metadata["help"]
        assert "unit" in f.metadata
    assert not Fit.needs_cluster


def test_a_training_run(run_file: str, tmp_path: Path) -> None:
    cluster_file = tmp_path / "fitted.toml"
    report = Fit(trace=run_file, gpus=GPUS, meter_s=1.0, cluster_file=str(cluster_file), count=6400).run()
    cluster = load_cluster(cluster_file)
    assert isinstance(cluster, Cluster)
    work = cluster.workload
    assert isinstance(work, Training)
    assert work.eval_every == 10
    assert work.step_s == pytest.approx(12.0, rel=0.01)
    assert work.job_gpus == GPUS
    assert cluster.p_mw == pytest.approx(6400 * 850e-6 * 1.25, rel=0.01)
    assert "64 GPUs" in report.title
    assert abs(report.summary["error_mean"].value) < 1.0
    assert abs(report.summary["error_line_mw"].value) < 10.0
    assert report.summary["rms"].value < 5.0
    rows = report.tables["comparison"].rows
    assert {row[0] for row in rows} == {"fitted part", "whole run"}
    assert all(row[4] in ("kW", "kW/s", "Hz") for row in rows)
    assert ("eval_every", "10") in [row[:2] for row in report.tables["workload"].rows]
    assert report.passed
    folder = report.save(tmp_path / "out")
    assert (folder / "fit.png").stat().st_size > 50_000
    saved = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert saved["study"]["gpus"] == GPUS
    assert len(saved["provenance"]["sha256"]) == 64
    assert "trace,model" in (folder / "cluster_power.csv").read_text(encoding="utf-8").splitlines()[0]


def test_gpus_that_serve_and_a_cycle(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    t = np.arange(0.0, 200.0, 0.1)
    busy = (t > 50.0) & (t < 150.0)
    watt = np.where(busy[:, None], np.where(rng.random((len(t), 8)) < 0.3, 320.0, 220.0), 80.0)
    path = written(tmp_path, t, watt + 5.0 * rng.standard_normal((len(t), 8)), "")
    report = Fit(trace=path, unit="W").run()
    assert "Serving" in report.title
    assert isinstance(Fit(trace=path, unit="W", kind="serving").outcome().workload, Serving)
    assert report.figure("fit").axes
    one = Cycle((Phase(0.9, 3.0, 0.2), Phase(0.3, 1.0, 0.3), Phase(0.8, 4.0, 0.4), Phase(0.25, 2.0, 0.6))).one()
    t = np.linspace(0.0, 10.0, 150)
    path = written(tmp_path, t, 1e3 * one.value(t))
    report = Fit(trace=path, kind="cycle").run()
    assert report.summary["rms"].value < 5.0
    assert any("number of GPUs is not known" in note for note in report.notes)
    assert report.figure("fit").axes


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"kind": "trainig"}, SettingError, "unknown kind 'trainig'"),
        ({"gpus": -1}, SettingError, "gpus = -1"),
        ({"meter_s": float("nan")}, SettingError, "meter_s = nan"),
        ({"unit": "kw"}, CaseError, "unknown unit 'kw'"),
        ({"unit": "kW", "gpus": GPUS}, SettingError, "off by a thousand"),
        ({"power": "heat_W"}, CaseError, "unknown power column 'heat_W'"),
        ({"kind": "serving"}, CaseError, "one power"),
        ({"cluster_file": "c.toml"}, SettingError, "the cluster needs the trace's number of GPUs: give gpus"),
        ({"cluster_file": "c.toml", "gpus": 200}, SettingError, "is not above 334 W, an idle H100"),
        ({"at": "gpu", "gpus": GPUS, "hardware": "H10"}, UnknownNameError, "H10"),
    ],
)
def test_faults(run_file: str, given: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Fit(trace=run_file, **given).run()


def test_power_of_the_gpus_alone_is_taken_to_the_plug(run_file: str) -> None:
    found = Fit(trace=run_file, gpus=GPUS, at="gpu").outcome()
    assert found.mean_mw * 1e6 / GPUS == pytest.approx(1090.0, rel=0.05)  # 850 W of GPU; the rest grows with it
    together = Fit(trace=run_file, gpus=GPUS, count=1000, in_step=True)
    assert together.cluster(found).workload.job_gpus == 1000  # type: ignore[attr-defined]


def test_columns_of_nvidia_smi_are_known_as_the_gpus_alone(tmp_path: Path) -> None:
    t = np.arange(0.0, 100.0)
    path = written(tmp_path, t, 600.0 + 20.0 * np.sin(t), "time_s,power.draw [W]")
    alone = "power of the GPUs alone"
    assert any(alone in note for note in Fit(trace=path, gpus=1).outcome().notes)
    assert any("taken to the plug of H100" in note for note in Fit(trace=path, gpus=1, at="gpu").outcome().notes)
    assert not any("give at=" in note for note in Fit(trace=path, gpus=1, at="gpu").outcome().notes)


def test_no_such_file() -> None:
    with pytest.raises(CaseError, match=r"none\.csv: no such file"):
        Fit(trace="none.csv").run()


def test_the_command(run_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "saved"
    assert call(["run", "fit", "--trace", run_file, "--gpus", str(GPUS), "--meter-s", "1", "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "steps between evaluations" in shown
    assert (out / "fit.png").is_file()
    assert call(["plot", str(out), "--svg"]) == 0
    assert (out / "fit.svg").is_file()
    capsys.readouterr()
    assert call(["show", "fit"]) == 0
    assert "gridai run fit --trace" in capsys.readouterr().out
    assert call(["run", "fit", "--help"]) == 0
    assert "--case" not in capsys.readouterr().out
    assert call(["run", "fit", "--trace", run_file, "--unit", "GW", "--gpus", "64"]) == 2


def test_an_hour_at_20_samples_a_second_is_fitted_in_time(tmp_path: Path) -> None:
    t = np.arange(0.0, 3600.0, 0.05)
    path = written(tmp_path, t, 850.0 * GPUS * metered(RUN.profile(3600.0, GPUS, 8, 1), t, 0.1))
    start = time.process_time()
    report = Fit(trace=path, gpus=GPUS, meter_s=0.1).run()
    assert time.process_time() - start < 10.0  # reached 2.5 s; 7 s at 100 samples a second
    assert "step" in str(report)
