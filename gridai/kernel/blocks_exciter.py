"""Blocks of excitation systems: rectifier behind a commutating reactance, rotating exciter with saturation.

    VE, IFD ---- I_N = KC IFD / VE ---- FEX(I_N) ---- EFD = VE FEX

FEX is `gridai.kernel.blocks.rectifier_loading` (IEEE Std 421.5-2016, annex D). `rectifier_source` is its inverse, for
the start: which VE gives this EFD at this field current.
"""

from gridai.errors import InitialisationError
from gridai.kernel.blocks import exciter_saturation, rectifier_loading
from gridai.kernel.contract import kernel


@kernel
def rectifier_voltage(ve, ifd, kc):
    """VE FEX(KC IFD / VE): voltage behind a rectifier bridge [pu]. No source voltage, no output."""
    if ve <= 0.0:
        return 0.0
    return ve * rectifier_loading(kc * ifd / ve)


@kernel
def exciter_field(ve, ifd, ke, kd, a, b):
    """VFE = KE VE + SE(VE) VE + KD IFD: field current of an alternator exciter [pu]."""
    return ke * ve + exciter_saturation(ve, a, b) + kd * ifd


@kernel
def first_above_zero(rate, x):
    """The rate of a state that cannot fall below zero."""
    if x <= 0.0 and rate < 0.0:
        return 0.0
    return rate


def rectifier_source(model: str, efd: float, ifd: float, kc: float) -> float:
    """VE with `rectifier_voltage(VE, ifd, kc)` = efd, for efd >= 0. [pu]

    The curve rises with VE in each of its three modes; the pieces nearly join (1e-4), so the mode that gives efd
    back best is taken. Raises InitialisationError for a negative efd, which no rectifier gives.
    """
    if not efd >= 0.0:
        raise InitialisationError(
            f"{model}: field voltage starts at {efd:.6g} pu, below 0, which a rectifier cannot give: "
            "change the unit's voltage setpoint or reactive power"
        )
    drop = kc * ifd
    candidates = (efd + 0.577 * drop, ((efd**2 + drop**2) / 0.75) ** 0.5, efd / 1.732 + drop)
    return min(candidates, key=lambda ve: abs(rectifier_voltage(ve, ifd, kc) - efd))
