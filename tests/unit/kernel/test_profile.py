"""Profile: values, jumps, exact sums, and one clear error for bad points."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from gridai.errors import SettingError
from gridai.kernel.profile import Profile, total


@pytest.fixture
def jump() -> Profile:
    return Profile([0.0, 1.0, 1.0, 3.0], [5.0, 5.0, 2.0, 4.0], "power")


def test_value_is_right_continuous_linear_and_held_at_both_ends(jump: Profile) -> None:
    assert [jump.value(t) for t in (-1.0, 0.5, 1.0, 2.0, 3.0, 9.0)] == [5.0, 5.0, 2.0, 3.0, 4.0, 4.0]
    assert [jump.before(t) for t in (-1.0, 0.0, 1.0, 2.0, 3.0, 9.0)] == [5.0, 5.0, 5.0, 3.0, 4.0, 4.0]
    assert isinstance(jump.value(1.0), float)
    np.testing.assert_array_equal(jump.value(np.array([1.0, 2.0])), [2.0, 3.0])


def test_jump_at_the_first_and_last_point() -> None:
    p = Profile([0.0, 0.0, 2.0, 2.0], [1.0, 3.0, 3.0, 7.0])
    assert (p.before(0.0), p.value(0.0), p.before(2.0), p.value(2.0), p.value(5.0)) == (1.0, 3.0, 3.0, 7.0, 7.0)
    assert p.before(-1.0) == 1.0
    assert p.value(-1.0) == 1.0


def test_breaks_and_next_break(jump: Profile) -> None:
    np.testing.assert_array_equal(jump.breaks, [1.0])
    np.testing.assert_array_equal(jump.kinks, [0.0, 1.0, 3.0])
    assert jump.next_break(0.0) == 1.0
    assert jump.next_break(1.0) == np.inf


def test_mean_is_exact(jump: Profile) -> None:
    assert jump.mean(0.0, 3.0) == pytest.approx((5.0 + 6.0) / 3.0)
    assert jump.mean(1.0, 5.0) == pytest.approx((6.0 + 8.0) / 4.0)


def test_sum_and_product_keep_jumps_of_both(jump: Profile) -> None:
    other = Profile([0.5, 2.0, 2.0], [1.0, 4.0, 0.0])
    both = jump.plus(other)
    t = np.linspace(-1.0, 5.0, 1201)
    np.testing.assert_allclose(both.value(t), jump.value(t) + other.value(t), atol=1e-14)
    np.testing.assert_allclose(both.before(t), jump.before(t) + other.before(t), atol=1e-14)
    np.testing.assert_array_equal(both.breaks, [1.0, 2.0])
    product = jump.times(other)
    for knot in both.kinks:
        assert product.value(float(knot)) == pytest.approx(jump.value(float(knot)) * other.value(float(knot)))
    assert jump.plus(1.0).value(2.0) == 4.0
    assert jump.scaled(2.0).value(2.0) == 6.0
    assert jump.shifted(1.0).value(2.0) == 2.0


def test_total_equals_repeated_sums() -> None:
    rng = np.random.default_rng(1)
    parts = [Profile(np.sort(rng.uniform(0, 10, 20)), rng.normal(size=20)) for _ in range(7)]
    t = np.linspace(0, 10, 333)
    np.testing.assert_allclose(total(parts).value(t), sum(p.value(t) for p in parts), atol=1e-12)
    with pytest.raises(SettingError, match="no profiles"):
        total([])


def test_clipped_adds_the_crossings(jump: Profile) -> None:
    held = jump.clipped(2.5, 4.5)
    t = np.linspace(-1.0, 5.0, 1201)
    np.testing.assert_allclose(held.value(t), np.clip(jump.value(t), 2.5, 4.5), atol=1e-12)
    np.testing.assert_array_equal(jump.clipped().values, jump.values)
    with pytest.raises(SettingError, match="lower bound"):
        jump.clipped(3.0, 2.0)


def test_between_and_resampled(jump: Profile) -> None:
    part = jump.between(0.5, 2.0)
    np.testing.assert_array_equal(part.t_s, [0.5, 1.0, 1.0, 2.0])
    np.testing.assert_array_equal(part.values, [5.0, 5.0, 2.0, 3.0])
    samples = jump.resampled(0.1)
    assert len(samples) == 31
    np.testing.assert_allclose(samples.values, jump.value(samples.t_s))
    for step in (0.0, -1.0, np.nan):
        with pytest.raises(SettingError, match="step_s"):
            jump.resampled(step)
    with pytest.raises(SettingError, match="before the first point"):
        jump.resampled(0.1, until_s=-1.0)


@pytest.mark.parametrize(
    ("t", "v", "text"),
    [
        ([], [], "no points"),
        ([0.0, 1.0], [1.0], "2 times but 1 values"),
        ([0.0, np.nan], [1.0, 1.0], "time nan at index 1"),
        ([0.0, 1.0], [1.0, np.inf], "value inf at index 1"),
        ([0.0, 2.0, 1.0], [1.0, 1.0, 1.0], "time goes back from 2 s to 1 s at index 2"),
        ([0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 2.0, 3.0], "1 s stands more than twice"),
    ],
)
def test_bad_points_are_one_clear_error(t: list[float], v: list[float], text: str) -> None:
    with pytest.raises(SettingError, match=text):
        Profile(t, v, "power")


def test_does_not_change_and_survives_pickling(jump: Profile) -> None:
    with pytest.raises(AttributeError, match="does not change"):
        jump.name = "x"  # type: ignore[misc]
    with pytest.raises(ValueError):
        jump.values[0] = 1.0
    again = pickle.loads(pickle.dumps(jump))
    assert again == jump
    assert again.name == "power"
    assert jump != Profile([0.0], [1.0])
    assert "4 points, 0 to 3 s, 2 to 5" in repr(jump)
