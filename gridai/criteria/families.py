"""The criterion families by name, and how a limit of a profile becomes a criterion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any

from gridai.criteria.base import Criterion
from gridai.criteria.frequency_extremes import FrequencyNadir, FrequencyZenith
from gridai.criteria.mode_damping import ModeDamping
from gridai.criteria.rocof import RateOfChange
from gridai.criteria.settling_frequency import SettlingFrequency
from gridai.criteria.steady_voltage import SteadyVoltage
from gridai.criteria.transient_voltage import TransientVoltageRecovery, VoltageDip
from gridai.errors import CaseError, UnknownNameError, near
from gridai.results import Limit

FAMILIES: dict[str, type[Any]] = {
    family.name: family
    for family in (
        FrequencyNadir, FrequencyZenith, ModeDamping, RateOfChange, SettlingFrequency, SteadyVoltage,
        TransientVoltageRecovery, VoltageDip,
    )
}  # fmt: skip
SIDES: dict[str, tuple[str, ...]] = {
    "frequency_nadir": ("low",),
    "frequency_zenith": ("high",),
    "mode_damping": ("low",),
    "rocof": ("high",),
    "transient_voltage_recovery": ("low",),
    "voltage_dip": ("low",),
}
"""Which sides a family needs, and no other; families not listed take either or both."""
UNITS = {
    "frequency_nadir": "Hz", "frequency_zenith": "Hz", "mode_damping": "%", "rocof": "Hz/s", "settling_frequency": "Hz",
    "steady_voltage": "pu", "transient_voltage_recovery": "pu", "voltage_dip": "pu",
}  # fmt: skip


def make(limit: Limit) -> Criterion:
    """The criterion of a limit. Raises when family, unit, side or a setting does not fit, naming what would."""
    family = FAMILIES.get(limit.criterion)
    if family is None:
        raise UnknownNameError(near(limit.criterion, FAMILIES, "criterion"))
    where = f"{limit.profile or 'limit'}: {limit.criterion}"
    if limit.unit != UNITS[limit.criterion]:
        raise CaseError(f"{where}: unit = {limit.unit!r}: write {UNITS[limit.criterion]!r}")
    given = tuple(side for side in ("low", "high") if getattr(limit, side) is not None)
    needed = SIDES.get(limit.criterion, given)
    if not given or given != needed:
        wanted = " and ".join(needed) or "low or high"
        raise CaseError(f"{where}: {' and '.join(given) or 'no side'} given: write {wanted}")
    settings = {f.name: f for f in fields(family) if f.name != "limit"}
    for name in limit.settings:
        if name not in settings:
            raise UnknownNameError(f"{where}: {near(name, settings, 'setting')}")
    for name, f in settings.items():
        if f.default is MISSING and name not in limit.settings:
            raise CaseError(f"{where}: setting '{name}' is missing: add it under settings")
    build: Callable[..., Criterion] = family
    return build(limit=limit, **limit.settings)
