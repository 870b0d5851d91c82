"""ESST4B: static exciter with proportional and integral blocks, fed by voltage and current (IEEE ST4B).

    v_ref + dv_ref + vs   vrmax                        vmmax
             |           /             1              /
    |v| -- 1/(1+s TR) -(-)- KPR + KIR/s -/- -------- (+)- KPM + KIM/s -/-- vm (gate) --(x)-- efd_pu
                         vrmin            1 + s TA   (-)              vmmin            |   |
                                                      +---------------- KG ------------|---+
                                                                                       |
    VE = |KP V + j (KI + KP XL) I|, KP a phasor of angle thetap --- x FEX(KC IFD / VE) -/- vb, at most vbmax

    The integrals wait while their sum is at a limit. The inner loop through KG has no delay where KPM is not 0: it is
    solved exactly. KIR = 0 and KIM = 0 leave proportional blocks. TR = 0, TA = 0 are algebraic.

Per unit: voltage on the bus base, current on the machine's MVA base, field voltage such that 1 pu gives rated
voltage on the air-gap line.
Source: IEEE Std 421.5-2005, type ST4B; PSS/E Model Library, ESST4B; structure as in OpenIPSL's PSSE.ESST4B.
"""

import cmath
from math import radians

from gridai.errors import InitialisationError
from gridai.kernel.blocks import clip, held, lag, pi_nonwindup, require_within
from gridai.kernel.blocks_exciter import rectifier_voltage
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel
from gridai.models.exciters._common import (
    EFD,
    FIELD_CURRENT,
    INPUTS,
    NO_COMPENSATOR,
    NO_LIMITERS,
    REFUSED,
    REMEDY,
    TR,
    V_REF,
    order,
    voltage_error,
)


@kernel
def bridge_voltage(p, u):
    """Available voltage vb [pu]."""
    kp = complex(p.kp_re, p.kp_im)
    source = kp * complex(u.v_re, u.v_im) + 1j * (p.ki + kp * p.xl_pu) * complex(u.i_re, u.i_im)
    return min(rectifier_voltage(abs(source), u.xad_ifd_pu, p.kc), p.vbmax_pu)


@kernel
def inner_loop(p, x, va, vb):
    """Bridge control vm within its limits, and the rate of its integral."""
    free = (p.kpm * va + x.vm_int_pu) / (1.0 + p.kpm * p.kg * vb)
    vm = clip(free, p.vmmin_pu, p.vmmax_pu)
    return vm, held(p.kim * (va - p.kg * vb * vm), free, p.vmmin_pu, p.vmmax_pu)


@kernel
def regulator(p, x, u):
    """Signal va of the firing control [pu]; rates of transducer, regulator's integral and firing lag."""
    error, d_vc = voltage_error(p, x, u)
    vr, d_int = pi_nonwindup(error, x.vr_int_pu, p.kpr, p.kir, p.vrmin_pu, p.vrmax_pu)
    va, d_va = lag(vr, x.va_pu, 1.0, p.ta_s)
    return va, d_vc, d_int, d_va


@kernel
def outputs(p, x, z, u, y):
    """Field voltage, bridge control and available voltage."""
    va, _, _, _ = regulator(p, x, u)
    y.vb_pu = bridge_voltage(p, u)
    y.vm_pu, _ = inner_loop(p, x, va, y.vb_pu)
    y.efd_pu = y.vb_pu * y.vm_pu


@kernel
def derivatives(p, x, z, u, y, d):
    """Transducer, both integrals, firing lag."""
    va, d.vc_pu, d.vr_int_pu, d.va_pu = regulator(p, x, u)
    _, d.vm_int_pu = inner_loop(p, x, va, bridge_voltage(p, u))


def initialise(p, x, z, u, y, op: Start) -> None:
    """States and reference from the field voltage. Raises InitialisationError outside the limits."""
    efd = y.efd_pu
    kp = cmath.rect(p.kp, radians(p.thetap_deg))
    p.kp_re, p.kp_im = kp.real, kp.imag
    vb = bridge_voltage(p, u)
    if not vb > 0.0:
        raise InitialisationError(f"ESST4B: no voltage behind the rectifier (vb = {vb:.6g} pu): check kp, ki and kc")
    vm = efd / vb
    what = f"(field voltage {efd:.6g})"
    limits = ("vmmin_pu", p.vmmin_pu), ("vmmax_pu", p.vmmax_pu)
    require_within("ESST4B", f"bridge control vm [pu] {what}", vm, *limits, REMEDY)
    va = p.kg * efd + (0.0 if p.kim > 0.0 else vm / p.kpm)
    limits = ("vrmin_pu", p.vrmin_pu), ("vrmax_pu", p.vrmax_pu)
    require_within("ESST4B", f"regulator output [pu] {what}", va, *limits, REMEDY)
    x.vc_pu, x.va_pu = abs(op.v), va
    x.vm_int_pu, x.vr_int_pu = vm if p.kim > 0.0 else 0.0, va if p.kir > 0.0 else 0.0
    y.vb_pu, y.vm_pu = vb, vm
    p.v_ref_pu = (0.0 if p.kir > 0.0 else va / p.kpr) + abs(op.v) - u.vs_pu


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order, blocks that are not all zero, a source."""
    found = order(values, ("vrmin_pu", "vrmax_pu"), ("vmmin_pu", "vmmax_pu"))
    for proportional, integral in (("kpr", "kir"), ("kpm", "kim")):
        if values[proportional] <= 0.0 and values[integral] <= 0.0:
            found.append((proportional, f"and {integral} are both 0: give one of them a value"))
    if values["kp"] == 0.0 and values["ki"] == 0.0:
        found.append(("kp", "and ki are both 0: the exciter has no source"))
    return found


DYR = (
    "tr_s", "kpr", "kir", "vrmax_pu", "vrmin_pu", "ta_s", "kpm", "kim", "vmmax_pu", "vmmin_pu", "kg", "kp", "ki",
    "vbmax_pu", "kc", "xl_pu", "thetap_deg",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="ESST4B",
    role="exciter",
    title="IEEE type ST4B, potential or compound source controlled rectifier",
    params=(
        TR,
        Param("kpr", "pu", None, "proportional gain of the regulator", low=0.0),
        Param("kir", "1/s", 0.0, "integral gain of the regulator; 0: proportional", low=0.0),
        Param("vrmax_pu", "pu", None, "upper limit of the regulator"),
        Param("vrmin_pu", "pu", None, "lower limit of the regulator"),
        Param("ta_s", "s", 0.0, "time constant of the firing control; 0 is algebraic", low=0.0),
        Param("kpm", "pu", 1.0, "proportional gain of the inner loop", low=0.0),
        Param("kim", "1/s", 0.0, "integral gain of the inner loop; 0: proportional", low=0.0),
        Param("vmmax_pu", "pu", None, "upper limit of the bridge control"),
        Param("vmmin_pu", "pu", None, "lower limit of the bridge control"),
        Param("kg", "pu", 0.0, "feedback gain of the inner loop", low=0.0),
        Param("kp", "pu", None, "gain of the voltage source", low=0.0),
        Param("ki", "pu", 0.0, "gain of the current source", low=0.0),
        Param("vbmax_pu", "pu", 99.0, "largest available voltage", low=1e-6),
        Param("kc", "pu", 0.0, "rectifier loading factor", low=0.0),
        Param("xl_pu", "pu", 0.0, "reactance of the source"),
        Param("thetap_deg", "degree", 0.0, "phase angle of the voltage source's gain"),
        V_REF,
        Param("kp_re", "pu", None, "gain of the voltage source, real part", solved=True),
        Param("kp_im", "pu", None, "gain of the voltage source, imaginary part", solved=True),
    ),
    states=(
        State("vc_pu", "pu", "measured voltage (at rest when tr_s = 0)"),
        State("vr_int_pu", "pu", "integral of the regulator"),
        State("va_pu", "pu", "firing signal (at rest when ta_s = 0)"),
        State("vm_int_pu", "pu", "integral of the inner loop"),
    ),
    inputs=(
        *INPUTS,
        FIELD_CURRENT,
        Input("i_re", "pu", "machine.i_re", "stator current, real part"),
        Input("i_im", "pu", "machine.i_im", "stator current, imaginary part"),
    ),
    outputs=(
        EFD,
        Output("vm_pu", "pu", "bridge control", "vr_pu"),
        Output("vb_pu", "pu", "available voltage"),
    ),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives},
    source="IEEE Std 421.5-2005, ST4B; PSS/E Model Library, ESST4B",
    check=check,
    deviations=(
        NO_COMPENSATOR,
        NO_LIMITERS,
        REFUSED,
        "The inner loop is solved in the step; PSS/E feeds back the field voltage of the step before.",
        "The integrals wait at the limits of their sums (421.5-2016, annex E), they have no limits of their own.",
    ),
)
