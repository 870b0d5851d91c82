"""The hardware catalogue: sums that must hold, sources, names, and the measured traces behind the numbers."""

from __future__ import annotations

import csv
import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gridai.cluster.hardware import HARDWARE, Figure, Hardware, hardware
from gridai.errors import SettingError, UnknownNameError


def test_the_five_kinds_are_there() -> None:
    assert set(HARDWARE) == {"A100", "H100", "H200", "B200", "GB200"}


@pytest.mark.parametrize("row", HARDWARE.values(), ids=list(HARDWARE))
def test_each_number_has_unit_source_and_confidence(row: Hardware) -> None:
    assert len(row.figures()) == 8
    for name, figure in row.figures().items():
        assert figure.unit == "W", name
        assert figure.confidence in "PVSM", name
        assert len(figure.source) > 5, name
        assert ("unverified" in str(figure)) is (figure.confidence in "SM"), name


@pytest.mark.parametrize("row", HARDWARE.values(), ids=list(HARDWARE))
def test_the_sums_hold(row: Hardware) -> None:
    assert row.gpu_training_w.value + row.overhead_training_w == pytest.approx(row.it_training_w)
    assert row.gpu_idle_w.value + row.overhead_idle_w == pytest.approx(row.it_idle_w)
    assert 0.25 < row.idle_fraction < 0.45
    assert 0.85 < row.training_fraction < 1.0
    assert row.it_peak_w < row.nameplate_w
    assert row.name in HARDWARE
    assert f"{row.it_training_w:.0f} W AC" in str(row)


def test_h100_as_measured() -> None:
    h100 = HARDWARE["H100"]
    assert h100.it_training_w == 857.0
    assert h100.nameplate_w == 1275.0
    assert 0.31 <= h100.it_idle_w / h100.it_peak_w <= 0.38
    assert HARDWARE["B200"].it_idle_w / 1300.0 == pytest.approx(0.28, abs=0.005)


@pytest.mark.parametrize("name", ["H100", "h100", "H100 SXM", "NVIDIA H100-SXM5", "dgx h100"])
def test_names_are_found_in_any_spelling(name: str) -> None:
    assert hardware(name) is HARDWARE["H100"]


def test_the_rack_has_72() -> None:
    assert hardware("GB200 NVL72").gpus_per_server == 72


@pytest.mark.parametrize(("name", "hint"), [("H10", "'H100'"), ("gb20", "'GB200'"), ("TPU", "known: ")])
def test_unknown_name_lists_near_ones(name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=f"unknown hardware '{name}'") as fault:
        hardware(name)
    assert hint in str(fault.value)


def test_own_hardware_is_checked() -> None:
    zero, swapped = Figure(0.0, "W", "mine", "M"), Figure(3000.0, "W", "mine", "M")
    with pytest.raises(SettingError) as fault:
        dataclasses.replace(HARDWARE["H100"], gpu_idle_w=zero, plug_idle_w=swapped, gpus_per_server=0)
    for part in ("3 faults", "gpu_idle_w = 0.0", "gpus_per_server = 0", "plug_training_w = 857"):
        assert part in str(fault.value)
    with pytest.raises(SettingError, match="W below gpu_training_w: give AC power"):
        dataclasses.replace(HARDWARE["H100"], gpu_training_w=Figure(900.0, "W", "mine", "M"))


def test_catalogue_needs_only_the_standard_library() -> None:
    code = (
        "import sys, importlib.util as u, types\n"
        "import gridai\n"
        "package = types.ModuleType('gridai.cluster'); package.__path__ = [gridai.__path__[0] + '/cluster']\n"
        "sys.modules['gridai.cluster'] = package\n"
        "import gridai.cluster.hardware\n"
        "print([m for m in ('numpy', 'numba', 'pandas', 'pandapower', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cluster_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, gridai.cluster\n"
        "print([m for m in ('numba', 'pandas', 'pandapower', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def kilowatt(folder: Path, name: str) -> np.ndarray:
    """The total_kW column of a trace."""
    with (folder / "power_traces" / name).open(encoding="utf-8", newline="") as file:
        return np.array([float(row["total_kW"]) for row in csv.DictReader(file)])


def distribution(folder: Path, name: str, lowest_w: float) -> np.ndarray:
    """Readings of a cumulative distribution above lowest_w, as equally likely values."""
    with (folder / "power_traces" / name).open(encoding="utf-8", newline="") as file:
        rows = [(float(r["value0"]), float(r["cum_pct0"])) for r in csv.DictReader(file) if r["value0"]]
    values, percent = np.array(rows).T
    return np.interp(np.linspace(np.interp(lowest_w, values, percent), 100.0, 2000), percent, values)


def test_h100_against_the_traces(reference_dir: Path) -> None:
    h100 = HARDWARE["H100"]
    gpt3 = kilowatt(reference_dir, "gpt3_175b_512xh100_ac.csv") / 512 * 1e3
    assert h100.it_training_w == pytest.approx(gpt3.mean(), rel=0.002)  # reached 0.0011
    node = kilowatt(reference_dir, "llama2_70b_lora_8xh100_ac.csv") / 8 * 1e3
    assert h100.it_peak_w == pytest.approx(node.max(), rel=0.001)
    many = kilowatt(reference_dir, "llama2_70b_lora_64xh100_ac.csv") / 64 * 1e3
    most = kilowatt(reference_dir, "llama2_70b_lora_512xh100_ac.csv") / 512 * 1e3
    idle = np.median([node.min(), node[2:11].mean(), many.min(), most.min()])
    assert h100.it_idle_w == pytest.approx(idle, rel=0.01)  # reached 0.002


def test_b200_against_the_trace(reference_dir: Path) -> None:
    node = kilowatt(reference_dir, "llama2_70b_lora_8xb200_ac.csv") / 8 * 1e3
    assert HARDWARE["B200"].it_training_w == pytest.approx(node[node > 1000.0].mean(), rel=0.002)
    assert HARDWARE["B200"].it_peak_w == pytest.approx(node.max(), rel=0.001)


def test_a100_against_the_distributions(reference_dir: Path) -> None:
    a100 = HARDWARE["A100"]
    training = distribution(reference_dir, "gpu_power_kalos_cdf.csv", 300.0).mean()
    assert a100.gpu_training_w.value == pytest.approx(training, rel=0.005)
    server = np.median(distribution(reference_dir, "server_power_cdf.csv", 3500.0)) / 8
    assert a100.it_training_w == pytest.approx(server, rel=0.005)
