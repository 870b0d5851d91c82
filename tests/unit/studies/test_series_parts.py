"""Parts of the study timeseries: means of steps and of ten minutes, shares of the time, blocks of flicker."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gridai.cluster import Cluster
from gridai.results.course import unit_of_time
from gridai.studies.series_demand import Demand
from gridai.studies.series_flicker import _blocks
from gridai.studies.series_sums import Histogram, Means
from gridai.studies.series_verdicts import _band


def test_means_of_the_demand_are_exact_and_repeat():
    """Against the profile's own mean over each step, and their energy against the whole; a second turn is the first."""
    cluster = Cluster.of("H100", count=20_000)
    demand = Demand.of(cluster, 3599.0, 0)
    edges = np.array([0.0, 0.3, 7.0, 60.0, 61.5, 1800.0, 3600.0])
    exact = [demand.course.mean(a, b) for a, b in itertools.pairwise(edges)]
    assert demand.means(edges) == pytest.approx(exact, rel=1e-12)
    length = demand.length_s
    again = demand.means(edges[:-1] + length)
    assert again == pytest.approx(exact[:-1], rel=1e-9)
    assert demand.means(np.array([0.0, 2.5 * length]))[0] * 2.5 == pytest.approx(
        2.0 * demand.course.mean(0.0, length) + 0.5 * demand.course.mean(0.0, 0.5 * length), rel=1e-12
    )


def test_a_long_demand_is_days_repeated():
    demand = Demand.of(Cluster.of("H100", count=1000), 365 * 86_400.0, 0)
    assert demand.length_s == 7 * 86_400.0
    assert len(demand.course) < 2_000_000
    assert not demand.flat


@pytest.mark.parametrize("cuts", [[], [1], [7, 8, 300], [600], [5, 60, 599, 1000]])
def test_means_over_ten_minutes_do_not_depend_on_the_blocks(cuts: list[int]):
    """Uneven steps with gaps, in any blocks, against a plain loop."""
    rng = np.random.default_rng(4)
    hours = rng.uniform(1.0, 90.0, 1200) / 3600.0
    t_s = np.concatenate([[0.0], np.cumsum(hours)[:-1]]) * 3600.0
    values = 1.0 + 0.05 * rng.normal(size=(1200, 3))
    values[200:420, 1] = np.nan
    means = Means(3, [1, 0])
    edges = [0, *cuts, 1200]
    for a, b in itertools.pairwise(edges):
        means.add(t_s[a:b], hours[a:b], values[a:b])
    means.end()
    place = (t_s // 600.0).astype(int)
    for row, k in enumerate(np.concatenate(means.at)):
        mine = place == k
        for column, source in enumerate((1, 0)):
            good = mine & ~np.isnan(values[:, source])
            expected = (values[good, source] @ hours[good]) / hours[good].sum() if good.any() else np.nan
            assert np.concatenate(means.kept)[row, column] == pytest.approx(expected, nan_ok=True)
    assert means.histogram.counts[0].sum() == len(np.unique(place))


def test_a_share_of_the_values_is_that_of_all_ways_to_leave_some_out():
    """Lowest and highest of the 90 % with the widest margin, against every way of leaving out low and high ones."""
    rng = np.random.default_rng(0)
    for low, high in ((0.95, 1.05), (0.9, 1.02), (-np.inf, 1.0), (0.97, np.inf)):
        values = np.sort(rng.normal(0.99, 0.03, 50))
        histogram = Histogram(1, 0.0005, 4000)
        histogram.add(values[:, None])
        binned = (np.floor(values / 0.0005) + 0.5) * 0.0005
        margins = [min(binned[k] - low, high - binned[45 + k - 1]) for k in range(6)]
        a, b = _band(histogram, 0, 0.9, low, high)
        assert min(a - low, high - b) == pytest.approx(max(margins), abs=1e-12)


def test_short_and_long_blocks_count_alike():
    values = np.random.default_rng(1).uniform(0.8, 1.2, (5000, 4))
    one, many = Histogram(4, 0.0005, 4000), Histogram(4, 0.0005, 4000)
    one.add(values)
    for k in range(0, 5000, 10):
        many.add(values[k : k + 10])
    assert np.array_equal(one.counts, many.counts)


@pytest.mark.parametrize(
    ("periods", "most", "expected"),
    [
        (5, 144, [(0, 5)]),
        (24, 144, [(0, 12), (12, 24)]),
        (30, 144, [(0, 12), (12, 24), (24, 30)]),
        (144, 24, [(0, 12), (132, 144)]),
        (144, 3, [(0, 3)]),
    ],
)
def test_blocks_of_flicker(periods: int, most: int, expected: list[tuple[int, int]]):
    assert _blocks(periods, most) == expected


def test_a_unit_of_time_that_is_readable():
    assert [unit_of_time(s)[0] for s in (5.0, 200.0, 7000.0, 11_000.0, 86_400.0, 300_000.0)] == [
        "s", "min", "min", "h", "h", "days",
    ]  # fmt: skip
