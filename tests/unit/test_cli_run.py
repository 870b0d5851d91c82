"""The verbs that compute: run, check, plot, doctor. What they print, save and return, and how they fail."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridai import cli, engine
from gridai.errors import ConvergenceError
from gridai.results import Result, load

Call = Callable[..., tuple[int, str, str]]
PAUSE = ("run", "pause", "--case", "ieee39", "--bus", "16", "--until-s", "12", "--resume-s", "inf")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command line in this process: (exit status, standard output, standard error)."""

    def run(*args: object) -> tuple[int, str, str]:
        status = cli.call([str(arg) for arg in args])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def profile(folder: Path, highest_hz: float) -> Path:
    """A criteria profile with one limit, the highest frequency."""
    path = folder / "one_limit.toml"
    path.write_text(
        f'title = "one limit"\nf_hz = 60.0\n[[limit]]\ncriterion = "frequency_zenith"\nhigh = {highest_hz}\n'
        'unit = "Hz"\nclause = "for this test"\nsource = "this test"\nconfidence = "V"\n'
    )
    return path


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one saved run."""
    folder = tmp_path_factory.mktemp("run")
    wide = profile(folder, 62.0)
    assert cli.call([*PAUSE, "--pause-mw", "100", "--profile", str(wide), "--out", str(folder / "pause")]) == 0
    return folder / "pause"


def test_run_without_out_prints_and_says_how_to_save(call: Call, tmp_path: Path) -> None:
    status, out, err = call(*PAUSE, "--profile", profile(tmp_path, 62.0))
    assert status == 0
    assert "107.1 MW at bus '16'" in out
    assert "frequency zenith" in out
    assert "--out FOLDER" in err


def test_run_saves_figures_tables_and_result(saved: Path) -> None:
    names = {path.name for path in saved.iterdir()}
    wanted = {"report.html", "report.json", "result.npz", "result.json", "summary.csv", "verdicts.csv", "overview.png"}
    assert wanted <= names
    assert not any(name.startswith(".") for name in names)
    assert json.loads((saved / "report.json").read_text())["study"]["pause_mw"] == 100.0


def test_a_violated_limit_is_status_1(call: Call, tmp_path: Path) -> None:
    status, out, _ = call(*PAUSE, "--profile", profile(tmp_path, 60.001))
    assert status == 1
    assert "fail" in out


def test_the_default_bus_is_that_with_the_largest_load(call: Call) -> None:
    _, out, _ = call(*[arg for arg in PAUSE if arg not in ("--bus", "16")], "--pause-mw", "50")
    assert "at bus '39'" in out


def test_a_number_that_is_no_bus_name_is_pandapowers_index(call: Call) -> None:
    _, out, _ = call(*[arg if arg != "16" else "0" for arg in PAUSE])
    assert "at bus '1' (pandapower index 0, 345 kV)" in out


def test_hardware_count_and_pue_make_the_cluster(call: Call) -> None:
    _, out, _ = call(*PAUSE, "--pause-mw", "10", "--hardware", "A100", "--count", "50000", "--pue", "1.4")
    assert "50,000 x A100, PUE 1.4" in out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--bus", "1x"), ("unknown bus '1x'", "did you mean")),
        (("--case", "iee39"), ("unknown case 'iee39'", "'ieee39'")),
        (("--hardware", "H10"), ("unknown hardware 'H10'", "'H100'")),
        (("--profile", "nerc-estern"), ("nerc-eastern",)),
        (("--pause-mw", "500"), ("500", "107.1 MW")),
        (("--pause-mw", "-5"), ("pause_mw = -5",)),
        (("--pause-mw", "nan"), ("pause_mw = nan",)),
        (("--count", "0"), ("count = 0",)),
        (("--pue", "0.5"), ("pue = 0.5",)),
        (("--count", "100000000"), ("headroom",)),
    ],
)
def test_bad_input_is_one_message_and_status_2(call: Call, args: tuple[str, str], words: tuple[str, ...]) -> None:
    status, _, err = call(*PAUSE, *args)
    assert status == 2
    assert err.startswith("gridai: ")
    assert "Traceback" not in err
    for word in words:
        assert word in err


def test_a_network_file_that_is_not_there(call: Call) -> None:
    status, _, err = call("run", "pause", "--net", "nothing.json")
    assert status == 2
    assert "no such file" in err


@pytest.fixture
def own_net(tmp_path: Path) -> Path:
    """A pandapower network saved as JSON by pandapower itself."""
    import pandapower as pp
    from pandapower import networks

    net = networks.case9()
    net.gen["sn_mva"], net.ext_grid["s_sc_max_mva"], net.ext_grid["rx_max"] = 300.0, 5000.0, 0.1
    path = tmp_path / "my.json"
    pp.to_json(net, str(path))
    return path


def test_a_pandapower_network_gets_templates_and_says_so(call: Call, own_net: Path) -> None:
    args = ("--count", "20000", "--pause-mw", "10", "--balance", "slack", "--until-s", "3", "--resume-s", "inf")
    status, out, err = call("run", "pause", "--net", own_net, *args)
    assert status in (0, 1), err
    assert "template" in out.lower()


def lost(*args: Any, **settings: Any) -> None:
    """An engine that loses convergence at 1.5 s with the first 1.5 s computed."""
    settings["until_s"] = 1.5
    raise ConvergenceError(1.5, "16", 0.3, simulate(*args, **settings))


simulate = engine.simulate


def test_lost_convergence_is_status_3_and_keeps_what_was_computed(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine, "simulate", lost, raising=False)
    status, _, err = call(*PAUSE, "--out", tmp_path / "kept")
    assert status == 3
    assert "t = 1.5 s, worst bus '16', residual 0.3 pu" in err
    assert str(tmp_path / "kept") in err
    assert load(tmp_path / "kept").t_s[-1] == pytest.approx(1.5)
    status, _, err = call(*PAUSE)
    assert status == 3
    assert "--out FOLDER" in err


def test_ctrl_c_writes_nothing_and_says_so(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stop(*args: Any, **settings: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "simulate", stop, raising=False)
    status, _, err = call(*PAUSE, "--out", tmp_path / "none")
    assert status == 130
    assert "interrupted" in err
    assert "nothing of it is written" in err
    assert not (tmp_path / "none").exists()


def test_a_full_disk_leaves_nothing_half_written(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*args: Any, **settings: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Result, "save", full)
    status, _, err = call(*PAUSE, "--out", tmp_path / "full")
    assert status == 2
    assert "No space left on device" in err
    assert "nothing half-written is left" in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named_before_the_run(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop(*args: Any, **settings: Any) -> None:
        raise AssertionError("the run has begun")

    monkeypatch.setattr(engine, "simulate", stop, raising=False)
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    status, _, err = call(*PAUSE, "--out", file / "below")
    assert status == 2
    assert f"nothing can be written in {file}: Not a directory" in err
    assert "Errno" not in err
    assert list(tmp_path.iterdir()) == [file]


def test_check_prints_each_stage(call: Call) -> None:
    status, out, _ = call("check", "kundur")
    assert status == 0
    for word in ("power flow", "units", "GENROU", "largest derivative"):
        assert word in out


def test_check_lists_all_faults_of_a_broken_case(call: Call, case_copy: Callable[[str], Path]) -> None:
    folder = case_copy("kundur")
    table = folder / "dynamics" / "genrou.csv"
    lines = table.read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("unit"))
    names, first = lines[start].split(","), lines[start + 1].split(",")
    first[names.index("h_s")], first[names.index("xd_pu")] = "0", "-1"
    lines[start + 1] = ",".join(first)
    table.write_text("\n".join(lines) + "\n")
    status, _, err = call("check", folder)
    assert status == 2
    for word in ("genrou.csv", f"row {start + 2}", "h_s", "xd_pu"):
        assert word in err


def test_plot_draws_the_figures_of_the_study_again(call: Call, saved: Path, tmp_path: Path) -> None:
    status, out, _ = call("plot", saved, "--out", tmp_path, "--svg")
    assert status == 0
    assert sorted(Path(line).name for line in out.splitlines()) == sorted(p.name for p in tmp_path.glob("*.svg"))
    assert (tmp_path / "overview.svg").read_text().startswith("<?xml")


def test_plot_draws_any_quantity_of_some_elements(call: Call, saved: Path, tmp_path: Path) -> None:
    status, out, _ = call("plot", saved, "-q", "bus.vm_pu", "-q", "gen.speed_pu", "--out", tmp_path)
    assert status == 0
    assert [Path(line).name for line in out.splitlines()] == ["bus_vm_pu.png", "gen_speed_pu.png"]
    status, _, err = call("plot", saved, "-q", "bus.vm_pu", "-e", "390", "--out", tmp_path)
    assert status == 2
    assert "'39'" in err


def test_plot_draws_any_figure_by_name(call: Call, saved: Path, tmp_path: Path) -> None:
    status, out, _ = call("plot", saved, "-f", "machines", "-q", "bus.vm_pu", "--out", tmp_path)
    assert status == 0
    assert sorted(Path(line).name for line in out.splitlines()) == ["bus_vm_pu.png", "machines.png"]


def test_data_chooses_the_format_and_parquet_without_pyarrow_stops_before_the_run(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = ("--profile", profile(tmp_path, 62.0), "--until-s", "3", "--resume-s", "inf")
    assert call(*PAUSE, *args, "--out", tmp_path / "csv", "--data", "csv")[0] == 0
    assert (tmp_path / "csv" / "result.csv").is_file()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    status, out, err = call(*PAUSE, *args, "--out", tmp_path / "parquet", "--data", "parquet")
    assert (status, out) == (2, "")
    assert "gridai[parquet]" in err
    assert not (tmp_path / "parquet").exists()


def test_plot_of_a_result_without_a_report(call: Call, saved: Path, tmp_path: Path) -> None:
    load(saved).save(tmp_path / "bare")
    status, out, _ = call("plot", tmp_path / "bare")
    assert status == 0
    assert [Path(line).name for line in out.splitlines()] == ["gen_speed_pu.png", "bus_vm_pu.png"]


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("-q", "vm_pu"), "kind.name"),
        (("-q", "bus.v_pu"), "'vm_pu'"),
        (("-e", "16"), "--quantity"),
        (("-f", "machnes"), "'machines'"),
    ],
)
def test_plot_names_what_is_wrong(call: Call, saved: Path, args: tuple[str, str], word: str) -> None:
    status, _, err = call("plot", saved, *args)
    assert status == 2
    assert word in err


def test_plot_lists_what_a_result_holds(call: Call, saved: Path) -> None:
    status, out, _ = call("plot", saved, "--list")
    assert status == 0
    assert "bus.vm_pu" in out
    assert "cluster.p_mw" in out


def test_plot_of_a_folder_without_a_result(call: Call, tmp_path: Path) -> None:
    status, _, err = call("plot", tmp_path)
    assert status == 2
    assert "no such file" in err


def test_doctor_runs_a_trial(call: Call) -> None:
    status, out, _ = call("doctor")
    assert status == 0
    for word in ("pandapower", "ieee39", "trial run", "fine"):
        assert word in out
