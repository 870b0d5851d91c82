"""Site: halls and buildings as sums of parts with a stated correlation."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.cluster import Cluster, Facility, Pause, PowerSupply, Site, Training
from gridai.errors import SettingError

JOB = Training(job_gpus=100_000, jitter=0.03)


def halls(n: int, coherence: float, **settings: object) -> Site:
    return Site("building", tuple(Cluster.of("H100", 8192, workload=JOB, **settings) for _ in range(n)), coherence)


@pytest.mark.parametrize("coherence", [0.0, 0.3, 0.72, 1.0])
def test_correlation_of_two_halls_is_the_stated_one(coherence: float) -> None:
    t = np.arange(0.0, 3600.0, 1.0)
    found = []
    for seed in range(4):
        a, b = (course.value(t) for course in halls(2, coherence).courses(3600.0, seed))
        found.append(np.corrcoef(a, b)[0, 1])
    assert np.mean(found) == pytest.approx(coherence, abs=0.15)  # reached 0.08; chance of 330 steps, jobs drift


def test_sum_of_parts_and_smoothing() -> None:
    apart, together = halls(9, 0.0), halls(9, 1.0)
    assert apart.p_mw == pytest.approx(9 * apart.clusters[0].p_mw)
    t = np.arange(0.0, 1800.0, 0.5)
    assert apart.demand(1800.0).value(t) == pytest.approx(sum(c.value(t) for c in apart.courses(1800.0)))
    ratio = together.demand(1800.0).value(t).std() / apart.demand(1800.0).value(t).std()
    assert 2.0 < ratio < 5.0  # 3 for nine unrelated halls
    for site in (apart, together):
        assert site.demand(60.0, seed=3).value(0.0) == pytest.approx(site.p_mw, rel=1e-9)


def test_a_campus_of_buildings() -> None:
    campus = Site("campus", (halls(2, 0.5), halls(3, 0.2, facility=Facility())), coherence=0.3)
    assert len(campus.clusters) == 5
    assert campus.pue == pytest.approx(campus.p_mw / campus.it_mw)
    assert campus.idle_mw < campus.p_mw < campus.nameplate_mw
    assert campus.power_factor == pytest.approx(0.99)
    course = campus.demand(100.0, [Pause(20.0, 0.5 * campus.p_mw)], seed=1)
    assert course == campus.demand(100.0, [Pause(20.0, 0.5 * campus.p_mw)], seed=1)
    assert course.value(0.0) == pytest.approx(campus.p_mw, rel=1e-5)  # reached 1e-6: curves are linear between points
    assert course.value(60.0) < 0.65 * campus.p_mw
    assert len(campus.electrical_groups()) == 1
    assert campus.ride_through is None
    assert str(campus).startswith("campus: 5 clusters")


def test_parts_with_different_supplies_are_groups_of_their_own() -> None:
    one = Cluster.of("H100", 8000)
    other = Cluster.of("B200", 8000, supply=PowerSupply(frcel=0.3))
    site = Site("mixed", (one, other))
    groups = site.electrical_groups()
    assert [g[0] for g in groups] == ["part 1", "part 2"]
    assert sum(g[3] for g in groups) == pytest.approx(1.0)
    assert groups[0][3] == pytest.approx(one.p_mw / site.p_mw)
    with pytest.raises(SettingError, match="2 groups differ"):
        site.electrical()


@pytest.mark.parametrize(
    ("parts", "coherence", "text"),
    [
        ((), 0.0, "give one part at least"),
        ((3,), 0.0, r"parts\[0\] = 3"),
        ((Cluster.of("H100", 8),), 1.5, "coherence = 1.5"),
    ],
)
def test_bad_sites(parts: tuple[Cluster, ...], coherence: float, text: str) -> None:
    with pytest.raises(SettingError, match=text):
        Site("bad", parts, coherence)
