"""GENROE and GENSAE: saturation through its two points, exact starts, like GENROU and GENSAL without; condenser."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.kernel.contract import Model, Start
from gridai.models.machines.genroe import MODEL as GENROE
from gridai.models.machines.genroe import saturation_constants
from gridai.models.machines.genrou import MODEL as GENROU
from gridai.models.machines.gensae import MODEL as GENSAE
from gridai.models.machines.gensal import MODEL as GENSAL

from .conformance import Sample, shaken, started, values_of
from .samples_psse import SAMPLES_PSSE

OP = Start(1.03 * np.exp(0.4j), 0.8, 0.35)


def values(model: Model, **change: float) -> dict[str, float]:
    return {**SAMPLES_PSSE[model.name.lower()][0], **change}


@pytest.mark.parametrize("model", [GENROE, GENSAE], ids=["GENROE", "GENSAE"])
@pytest.mark.parametrize(("volts", "factor"), [(1.0, "s10"), (1.2, "s12")])
def test_open_circuit_field_is_the_saturation_curve(model: Model, volts: float, factor: str) -> None:
    unit = started(Sample(model, values(model)), Start(complex(volts), 0.0, 0.0))
    np.testing.assert_allclose(unit.u.efd_pu, volts * (1.0 + values(model)[factor]), rtol=1e-12)


def test_exponent() -> None:
    a, b = saturation_constants(0.11, 0.39)
    np.testing.assert_allclose([a, a * 1.2**b], [0.11, 0.39])
    assert saturation_constants(0.0, 0.5) == (0.0, 0.0)


@pytest.mark.parametrize(("model", "quadratic"), [(GENROE, GENROU), (GENSAE, GENSAL)], ids=["GENROE", "GENSAE"])
def test_without_saturation_it_is_the_quadratic_one(model: Model, quadratic: Model) -> None:
    """Start, outputs and derivatives agree to rounding, also away from rest."""
    same = values(model, s10=0.0, s12=0.0)
    ours, theirs = started(Sample(model, same), OP), started(Sample(quadratic, same), OP)
    for a, b in zip(shaken(ours), shaken(theirs), strict=True):
        a.evaluate()
        b.evaluate()
        np.testing.assert_allclose(values_of(a.y), values_of(b.y), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(values_of(a.d), values_of(b.d), rtol=1e-9, atol=1e-12)


def test_gensae_saturates_its_q_axis() -> None:
    """At full load the q-axis flux at rest is lower than without saturation by the factor 1 + S (xq-xl)/(xd-xl)."""
    unit = started(Sample(GENSAE, values(GENSAE)), OP)
    flux = abs(OP.v + complex(unit.p.ra_pu, unit.p.xd2_pu) * OP.i)
    s = unit.p.sat_a * flux**unit.p.sat_b
    ratio = (unit.p.xq_pu - unit.p.xl_pu) / (unit.p.xd_pu - unit.p.xl_pu)
    expected = (unit.p.xq_pu - unit.p.xd2_pu) * unit.y.iq_pu / (1 + s * ratio)
    np.testing.assert_allclose(unit.x.ed2_pu, expected, rtol=1e-12)


@pytest.mark.parametrize("model", [GENROU, GENROE, GENSAL, GENSAE], ids=lambda m: m.name)
@pytest.mark.parametrize("q", [-0.4, 0.0, 0.8])
def test_synchronous_condenser_needs_no_model_of_its_own(model: Model, q: float) -> None:
    """A condenser is any machine without governor at P = 0 or a little below: it starts at rest at any Q."""
    key = "genroe" if "RO" in model.name else "gensae"
    same = {**SAMPLES_PSSE[key][0], "s10": 0.1, "s12": 0.4}
    for p in (0.0, -0.01):
        unit = started(Sample(model, same), Start(1.02 * np.exp(-0.2j), p, q))
        assert np.abs(values_of(unit.d)).max() < 1e-9
        np.testing.assert_allclose([unit.y.p_pu, unit.y.q_pu], [p, q], atol=1e-12)
        np.testing.assert_allclose(unit.u.pm_pu, p + unit.p.ra_pu * abs(unit.op.i) ** 2, atol=1e-12)


@pytest.mark.parametrize("model", [GENROE, GENSAE], ids=["GENROE", "GENSAE"])
def test_falling_saturation_is_refused(model: Model) -> None:
    assert model.check is not None
    given = Sample(model, values(model, s12=0.1)).filled()
    assert [n for n, _ in model.check(given)] == ["s12"]
    assert model.check(Sample(model, values(model)).filled()) == []
