"""The studies of modes and disturbances on the command line, with and without a cluster: outputs, files, failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridai import cli


def call(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    status = cli.call([str(arg) for arg in args])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_modes_of_a_case(capsys, tmp_path: Path):
    status, out, _ = call(capsys, "run", "modes", "--case", "kundur", "--scan-bus", "9", "--out", tmp_path / "m")
    assert status == 0
    assert "0.5444" in out
    assert {"mode_shapes.png", "eigenvalues.png", "response.png", "modes.csv", "resonances.csv"} <= names(
        tmp_path / "m"
    )
    assert call(capsys, "plot", tmp_path / "m", "--svg", "--out", tmp_path / "again")[0] == 0
    assert names(tmp_path / "again") == {"mode_shapes.svg", "eigenvalues.svg", "response.svg"}


def test_a_fault_with_and_without_a_cluster(capsys, tmp_path: Path):
    args = ("run", "fault", "--case", "ieee39", "--bus", "16", "--clear-s", "1.1", "--until-s", "5")
    status, out, _ = call(capsys, *args, "--out", tmp_path / "f")
    assert status in (0, 1)
    assert "MW at bus" not in out
    assert {"machines.png", "branch_flows.png", "result.npz"} <= names(tmp_path / "f")
    _, out, _ = call(capsys, *args, "--cluster-bus", "8", "--count", "50000")
    assert "53.6 MW at bus '8'" in out
    assert "largest change at the meter" in out


def test_cct_trip_and_oscillate(capsys, tmp_path: Path):
    status, out, _ = call(
        capsys, "run", "cct", "--case", "wscc9", "--bus", "7", "--branch", "5-7", "--out", tmp_path / "c"
    )
    assert status == 0
    assert "critical clearing time     0.161" in out
    assert "swing_curves.png" in names(tmp_path / "c")
    status, out, _ = call(capsys, "run", "trip", "--case", "ieee39", "--unit", "G9", "--until-s", "20")
    assert status == 1
    assert "frequency response" in out
    status, out, _ = call(capsys, "run", "oscillate", "--case", "ieee39", "--bus", "16", "--until-s", "8",
                          "--shape", "sine", "--amplitude-mw", "10")  # fmt: skip
    assert "107.1 MW at bus '16'" in out
    assert "swings of the branches" in out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("fault", "--case", "ieee39"), "--bus"),
        (("fault", "--case", "ieee39", "--bus", "166"), "unknown bus '166'"),
        (("fault", "--case", "ieee39", "--bus", "16", "--kind", "short"), "three-phase"),
        (("trip", "--case", "ieee39"), "name what is lost"),
        (("cct", "--case", "ieee39", "--bus", "16", "--branch", "16-18"), "16-17"),
        (("oscillate", "--case", "ieee39", "--amplitude-mw", "500"), "smaller amplitude"),
        (("oscillate", "--case", "ieee39", "--shape", "measured"), "file"),
        (("modes", "--case", "kundr"), "kundur"),
    ],
)
def test_bad_input_is_one_message_and_status_2(capsys, args: tuple[str, ...], words: str):
    status, _, err = call(capsys, "run", *args)
    assert status == 2
    assert words in err
    assert "Traceback" not in err


def test_every_study_is_listed_and_shown(capsys):
    _, out, _ = call(capsys, "list", "studies")
    for name in ("pause", "oscillate", "fault", "trip", "cct", "modes"):
        assert name in out
        assert call(capsys, "show", "study", name)[0] == 0


def test_clusters_from_a_file_and_those_of_the_case(capsys, tmp_path: Path):
    """--cluster-file places a stored cluster; a case with clusters of its own gets none unless a bus is given."""
    from gridai.cluster import Cluster, Constant, RideThrough, UpsClass, save_cluster

    settings = RideThrough((UpsClass("weak", groups=2, under1_pu=0.88),))
    cluster = Cluster.of("H100", 20_000, workload=Constant(), ride_through=settings)
    file = save_cluster(cluster, tmp_path / "mine.toml")
    status, out, _ = call(capsys, "run", "quality", "--case", "bench", "--cluster-file", file, "--tests", "flat run")
    assert status == 0
    assert "21.4 MW" in out
    assert "weak" in out
    status, out, _ = call(capsys, "run", "quality", "--case", "ireland", "--tests", "flat run")
    assert status == 0
    assert "DC-A, 204.0 MW" in out
    assert "balance headroom" not in out
    file.write_text("kind = 'Thing'")
    assert call(capsys, "run", "quality", "--case", "bench", "--cluster-file", file)[0] == 2


def test_every_workload_is_listed_and_shown(capsys):
    from gridai.cli import catalogue

    shown = call(capsys, "list", "workloads")[1]
    assert {"Training", "Inference", "Replay", "Serving"} <= set(catalogue.workloads())
    for name in catalogue.workloads():
        assert name in shown
        status, text, _ = call(capsys, "show", "workload", name)
        assert status == 0
        assert "parameters" in text
