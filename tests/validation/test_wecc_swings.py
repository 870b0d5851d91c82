"""A square wave of 100 MW and 1.2 Hz at bus 6508 of the WECC 240-bus case: swings, gains, speed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from . import wecc_table


@pytest.fixture(scope="module")
def played(reference_dir: Path) -> tuple[Any, Any]:
    return wecc_table.study(reference_dir)


def test_the_swings_of_generators_lines_and_buses(played: tuple[Any, Any]) -> None:
    """The units at EMERY swing most, with 112 and 84 MW: more than the cluster's 100. Gains of the first five of each
    kind agree with the linear system within 0.53 %."""
    rows = wecc_table.swings(*played)
    assert [(s.kind, s.element) for s in rows[:: wecc_table.ROWS]] == [
        ("generator", "6533 G"), ("line", "6503-6533 1"), ("bus voltage", "SPAN FRK"),
    ]  # fmt: skip
    assert [s.swing for s in rows[:2]] == pytest.approx([111.8, 84.4], abs=0.5)
    assert rows[wecc_table.ROWS].swing == pytest.approx(204.9, abs=0.5)
    for row in rows:
        assert abs(row.difference) < 0.008, row


@pytest.mark.slow
def test_faster_than_a_tenth_of_real_time(played: tuple[Any, Any]) -> None:
    """22 s in 0.9 s on two shared cores."""
    assert wecc_table.seconds(played[0]) < 0.1 * wecc_table.UNTIL_S
