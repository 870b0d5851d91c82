"""The criterion families by name, and how a limit of a profile becomes a criterion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from gridai.criteria.base import Criterion
from gridai.criteria.flicker import LongTermFlicker, ShortTermFlicker
from gridai.criteria.frequency_envelope import FrequencyEnvelope
from gridai.criteria.frequency_extremes import FrequencyNadir, FrequencyZenith
from gridai.criteria.load_loss import LoadLoss
from gridai.criteria.mode_damping import ModeDamping
from gridai.criteria.model_error import CurveError, StepError
from gridai.criteria.planning import LoadabilityMargin, PowerChange, ShortCircuitRatio, ThermalLoading
from gridai.criteria.power_variation import BandOscillation, PeakToPeak, RampRate
from gridai.criteria.rapid_voltage_change import RapidVoltageChange
from gridai.criteria.ride_through import LoadRecovery, RideThrough
from gridai.criteria.rocof import RateOfChange
from gridai.criteria.settling_frequency import SettlingFrequency
from gridai.criteria.steady_voltage import SteadyVoltage
from gridai.criteria.swing_damping import HalvingTime, PeakRatio, SwingDamping
from gridai.criteria.tolerance_curve import ToleranceCurve
from gridai.criteria.transient_voltage import TransientVoltageRecovery, VoltageDip
from gridai.criteria.voltage_step import VoltageStep
from gridai.criteria.voltage_unbalance import VoltageUnbalance
from gridai.errors import CaseError, UnknownNameError, near
from gridai.results import Limit

LOW, HIGH, EITHER = (("low",),), (("high",),), (("low",), ("high",), ("low", "high"))
NONE: tuple[tuple[str, ...], ...] = ((),)


class Form(NamedTuple):
    """What a limit of a family looks like: its class, the units it may have, the sets of sides it may give."""

    family: type[Any]
    units: tuple[str, ...]
    sides: tuple[tuple[str, ...], ...]


FORMS: dict[str, Form] = {
    form.family.name: form
    for form in (
        Form(BandOscillation, ("MW",), HIGH),
        Form(CurveError, ("pu",), HIGH),
        Form(FrequencyEnvelope, ("Hz",), NONE),
        Form(FrequencyNadir, ("Hz",), LOW),
        Form(FrequencyZenith, ("Hz",), HIGH),
        Form(HalvingTime, ("s",), HIGH),
        Form(LoadLoss, ("MW",), HIGH),
        Form(LoadRecovery, ("pu",), (("low",), ("low", "high"))),
        Form(LoadabilityMargin, ("%",), LOW),
        Form(LongTermFlicker, ("1",), HIGH),
        Form(ModeDamping, ("%",), LOW),
        Form(PeakRatio, ("1",), HIGH),
        Form(PowerChange, ("%",), HIGH),
        Form(PeakToPeak, ("MW",), HIGH),
        Form(RampRate, ("MW/min",), HIGH),
        Form(RapidVoltageChange, ("%",), HIGH),
        Form(RateOfChange, ("Hz/s",), HIGH),
        Form(RideThrough, ("pu",), LOW),
        Form(SettlingFrequency, ("Hz",), EITHER),
        Form(ShortCircuitRatio, ("1",), LOW),
        Form(ShortTermFlicker, ("1",), HIGH),
        Form(SteadyVoltage, ("pu",), EITHER),
        Form(StepError, ("%",), HIGH),
        Form(SwingDamping, ("%",), LOW),
        Form(ThermalLoading, ("%",), HIGH),
        Form(ToleranceCurve, ("pu", "Hz"), NONE),
        Form(TransientVoltageRecovery, ("pu",), LOW),
        Form(VoltageDip, ("pu",), LOW),
        Form(VoltageStep, ("pu",), EITHER),
        Form(VoltageUnbalance, ("%",), HIGH),
    )
}
FAMILIES: dict[str, type[Any]] = {name: form.family for name, form in FORMS.items()}


def make(limit: Limit) -> Criterion:
    """The criterion of a limit. Raises when family, unit, side or a setting does not fit, naming what would."""
    form = FORMS.get(limit.criterion)
    if form is None:
        raise UnknownNameError(near(limit.criterion, FAMILIES, "criterion"))
    where = f"{limit.profile or 'limit'}: {limit.criterion}"
    if limit.unit not in form.units:
        raise CaseError(f"{where}: unit = {limit.unit!r}: write {' or '.join(repr(u) for u in form.units)}")
    given = tuple(side for side in ("low", "high") if getattr(limit, side) is not None)
    if given not in form.sides:
        wanted = " or ".join(" and ".join(sides) or "no side" for sides in form.sides)
        raise CaseError(f"{where}: {' and '.join(given) or 'no side'} given: write {wanted}")
    if limit.low is not None and limit.high is not None and limit.low > limit.high:
        raise CaseError(f"{where}: low = {limit.low:g} lies above high = {limit.high:g}: nothing can pass")
    settings = {f.name: f for f in fields(form.family) if f.name != "limit"}
    for name, value in limit.settings.items():
        if name not in settings:
            raise UnknownNameError(f"{where}: {near(name, settings, 'setting')}")
        _check_type(where, name, str(settings[name].type), value)
    for name, f in settings.items():
        if f.default is MISSING and name not in limit.settings:
            raise CaseError(f"{where}: setting '{name}' is missing: add it under settings")
    build: Callable[..., Criterion] = form.family
    return build(limit=limit, **limit.settings)


CHOICES = {"Of": ("system", "bus"), "Places": ("all", "clusters"), "Reference": ("nominal", "initial")}
"""What a setting of these types may say."""


def _check_type(where: str, name: str, kind: str, value: Any) -> None:
    """A number where a number is meant, and text where text is."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("float", "int") and not (number and value == value):
        raise CaseError(f"{where}: {name} = {value!r}: write a number")
    if kind == "bool" and not isinstance(value, bool):
        raise CaseError(f"{where}: {name} = {value!r}: write true or false")
    if kind not in ("float", "int", "bool", "Any") and not isinstance(value, str):
        raise CaseError(f"{where}: {name} = {value!r}: write a text in quotes")
    if kind in CHOICES and value not in CHOICES[kind]:
        raise UnknownNameError(f"{where}: {near(value, CHOICES[kind], name)}")
