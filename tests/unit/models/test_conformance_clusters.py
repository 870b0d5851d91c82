"""The electrical models of clusters, which stand outside the catalogue, through the same conformance suite.

Their wiring is not checked: the demand is played back by the engine, which no model of the catalogue reads.
"""

import pytest

from gridai.cluster import electrical, motors, ups
from gridai.kernel.contract import Model

from .conformance import CHECKS, Sample, check_wiring

SAMPLES: dict[str, tuple[Model, dict[str, float]]] = {
    "electronic load": (electrical.MODEL, {}),
    "electronic load that stays away": (electrical.MODEL, {"frcel": 0.0}),
    "UPS": (ups.MODEL, {"under1_pu": 0.85, "under1_s": 0.02, "over1_pu": 1.1, "over1_s": 0.1}),
    "UPS that counts": (ups.MODEL, {"under1_pu": 0.8, "count_n": 3.0, "df_hz": 1.0, "rocof_hz_per_s": 2.0}),
    "eco UPS with bypass": (ups.MODEL, {"under1_pu": 0.9, "eco": 1.0, "bypass_low_pu": 0.8, "phase_rad": 0.3}),
    "supplies": (ups.MODEL, {"under1_pu": 0.7, "ups": 0.0, "generator": 0.0}),
    "motors": (motors.MODEL, {}),
    "compressors": (motors.MODEL, {"etrq": 0.0, "h_s": 0.2, "drop_pu": 0.0}),
}


@pytest.mark.parametrize(
    "check", [c for c in CHECKS if c is not check_wiring], ids=lambda c: c.__name__.removeprefix("check_")
)
@pytest.mark.parametrize("name", SAMPLES)
def test_conformance(name: str, check) -> None:
    check(Sample(*SAMPLES[name]))
