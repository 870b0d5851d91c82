"""Clusters as plain tables: every kind there and back, and files that are wrong or hostile."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridai.cluster import (
    Cluster,
    Constant,
    Cycle,
    Facility,
    Figure,
    Hardware,
    Idle,
    Inference,
    Interrupted,
    Mixed,
    MotorClass,
    Part,
    Phase,
    PowerSupply,
    Replay,
    RideThrough,
    Serving,
    Site,
    Training,
    UpsClass,
    load_cluster,
    save_cluster,
)
from gridai.cluster.facility import Cooling, Losses, Server
from gridai.cluster.hardware import HARDWARE
from gridai.cluster.plain import KINDS, SHAPERS, WORKLOADS, from_plain, to_plain, toml_text
from gridai.cluster.shapers import Smoothed
from gridai.cluster.stored import read_settings, settings_text
from gridai.cluster.waveform import Played
from gridai.cluster.workloads.arrivals import Requests
from gridai.errors import CaseError, Problems
from gridai.kernel.profile import Profile

COURSE = Profile([0.0, 1.0, 1.0, 3.0], [1.0, 1.0, 0.4, 1.1], 'a "trace"\n\x7f of \\ Zürich')
PHASES = (Phase(1.0, 1.2, 0.1), Phase(0.5, 0.3, 0.05, "communication"))
SAMPLES: dict[str, Any] = {
    "Constant": Constant(0.8),
    "Cycle": Cycle(PHASES, repeat=3, after=(Phase(0.3, 2.0, 0.1),)),
    "Idle": Idle(),
    "Inference": Inference(rate_per_s=3.0, requests=Requests(np.array([0.0, 1.5]), np.ones(2), np.array([7.0, 9.0]))),
    "Interrupted": Interrupted(Training(step_s=2.0), job_gpus=4096),
    "Mixed": Mixed((Part(0.7, Interrupted()), Part(0.3, Idle()))),
    "Played": Played(COURSE),
    "Replay": Replay(COURSE, 8, repeat=True),
    "Serving": Serving(),
    "Smoothed": Smoothed(Training(), tuple(shaper() for shaper in SHAPERS), 100.0),
    "Training": Training(step_s=10.0 / 3.0, jitter=0.0123456789),
}
WATTS = [Figure(float(w), "W", "measured", "V") for w in (80, 400, 500, 600, 200, 700, 800)]
OWN = Hardware("X1", "a server of one's own", 4, *WATTS, Figure(4000.0, "W", "maker", "S"))
FACILITY = Facility(server=Server(fan_share=0.04, psu=Losses(0.01, 0.02, 0.03)), cooling=Cooling(loop_s=300.0))


def back(thing: Any) -> Any:
    found = Problems("test")
    made = from_plain(tomllib.loads(toml_text(to_plain(thing))), tuple(KINDS), "cluster", "x.toml", found)
    assert not found, found.text()
    return made


def same(a: Any, b: Any) -> bool:
    return toml_text(to_plain(a)) == toml_text(to_plain(b))


@pytest.mark.parametrize("workload", [k.__name__ for k in WORKLOADS])
def test_every_workload_comes_back_the_same(workload):
    made = back(SAMPLES[workload])
    assert same(made, SAMPLES[workload])
    assert type(made) is type(SAMPLES[workload])
    if workload not in ("Inference", "Played", "Replay"):
        assert made == SAMPLES[workload]


@pytest.mark.parametrize(
    "cluster",
    [
        Cluster.of("H100", count=1000),
        Cluster.of("B200", count=5000, pue=1.1, workload=SAMPLES["Mixed"], supply=PowerSupply(psu_s=0.05)),
        Cluster.of("H100", count=1000, facility=FACILITY, ride_through=RideThrough((UpsClass(count_n=3),), seed=4)),
        Cluster.of(OWN, count=1000, workload=SAMPLES["Cycle"]),
        Cluster.of("H100", 1000, ride_through=RideThrough((UpsClass(share=0.9), MotorClass(restart_s=60.0)))),
        Site("campus", (Site("A", (Cluster.of("H100", 100), Cluster.of("A100", 200)), 0.5), Cluster.of("H100", 300))),
    ],
    ids=["plain", "mixed", "facility", "own hardware", "motors", "site"],
)
def test_every_cluster_comes_back_the_same(cluster):
    made = back(cluster)
    assert made == cluster
    assert made.p_mw == cluster.p_mw
    assert np.array_equal(made.demand(20.0, seed=3).values, cluster.demand(20.0, seed=3).values)


def test_a_replayed_course_comes_back_bit_by_bit():
    made = back(SAMPLES["Replay"])
    assert made.course == COURSE
    assert made.course.name == COURSE.name


def test_hardware_of_the_catalogue_is_stored_by_name_and_an_altered_one_in_full():
    assert to_plain(HARDWARE["H100"]) == "H100"
    assert to_plain(OWN)["plug_training_w"]["value"] == 700


def test_what_has_no_form_is_named():
    class Mine:
        """A workload of one's own."""

        mean = 1.0

        def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
            return Profile.constant(1.0)

    with pytest.raises(CaseError, match=r"cluster\.workload: a Mine has no form"):
        settings_text(Cluster.of("H100", count=10, workload=Mine()))


def test_a_cluster_file_of_its_own(tmp_path: Path):
    cluster = Cluster.of("H100", count=1000, facility=FACILITY, ride_through=RideThrough())
    assert load_cluster(save_cluster(cluster, tmp_path / "mine.toml")) == cluster
    with pytest.raises(CaseError, match=r"none\.toml: file: cannot be read"):
        load_cluster(tmp_path / "none.toml")


GOOD = settings_text(Cluster.of("H100", count=1000, facility=FACILITY, ride_through=RideThrough()))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "Cluster"', 'kind = "os.system"', r'cluster\.kind.*os\.system.*"Cluster" or "Site"'),
        ('kind = "Cluster"', "", r"cluster\.kind"),
        ('kind = "Training"', 'kind = "Losses"', r'cluster\.workload\.kind.*Losses.*"Training"'),
        ("count = 1000", "count = 1000.5", r"cluster\.count.*whole"),
        ("count = 1000", 'count = "__import__"', r"cluster\.count.*whole"),
        ("count = 1000", "count = 1e400", r"cluster\.count.*whole"),
        ("count = 1000", "cuont = 1000", r"cuont.*count.*cluster\.count.*missing"),
        ("count = 1000", "count = 1000\npue = 1.3", r"cluster\.pue.*result of the facility"),
        ('hardware = "H100"', 'hardware = "H101"', r"cluster\.hardware.*H100"),
        ("loop_s = 300.0", "loop_s = -1.0", r"cluster\.facility\.cooling.*loop_s"),
        ("loop_s = 300.0", "loop_s = nan", r"cluster\.facility\.cooling\.loop_s.*number"),
        ("loop_s = 300.0", "loop_s = true", r"cluster\.facility\.cooling\.loop_s.*number"),
        ("loop_s = 300.0", "loop_s = [[1]]", r"cluster\.facility\.cooling\.loop_s.*number"),
        ("soc0 = 1.0", "soc0 = 0.0", r"cluster\.ride_through\.classes\[0\].*soc0"),
        ("under1_pu = 0.85", "under1_pu = 0.99", r"cluster\.ride_through\.classes\[0\].*return window"),
        ("under2_pu = 0.0", "under2_pu = 0.9", r"cluster\.ride_through\.classes\[0\].*under2_pu"),
        ("groups = 20", "groups = 20.5", r"classes\[0\]\.groups.*whole"),
        ("[[ride_through.classes]]", "[ride_through.classes]", r"cluster\.ride_through\.classes.*list"),
        ("count = 1000", "count = [", "cannot be read as TOML"),
    ],
)
def test_faults_name_file_and_place(tmp_path: Path, old, new, words):
    assert old in GOOD
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(old, new, 1))
    found = Problems("case")
    made = read_settings(path, "clusters/mine.toml", found)
    assert made is None
    assert len(found)
    with pytest.raises(CaseError, match=rf"(?s)clusters/mine\.toml.*{words}"):
        found.raise_if_any(CaseError)


def deep_tables() -> str:
    head = 'kind = "Site"\nname = "a"\n'
    return head + "".join(f'[[{".".join(["parts"] * k)}]]\nkind = "Site"\nname = "s"\n' for k in range(1, 40))


@pytest.mark.parametrize(
    "text",
    [
        b"a = " + b"[" * 100_000,
        b"\xff\xfe\x00",
        b"",
        b"kind = 'Cluster'\n" + b"x." * 5000 + b"y = 1",
        deep_tables().encode(),
        b"kind = ['Cluster']",
        b"kind = {a = 1}",
    ],
    ids=["deep list", "not text", "empty", "deep key", "deep tables", "kind a list", "kind a table"],
)
def test_hostile_files_end_in_a_fault(tmp_path: Path, text):
    path = tmp_path / "bad.toml"
    path.write_bytes(text)
    found = Problems("case")
    assert read_settings(path, "clusters/bad.toml", found) is None
    assert len(found)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch):
    from gridai.cluster import stored

    monkeypatch.setattr(stored, "LARGEST_BYTES", 10)
    path = tmp_path / "big.toml"
    path.write_text(GOOD)
    found = Problems("case")
    assert read_settings(path, "clusters/big.toml", found) is None
    assert "shorter trace" in found.text()
