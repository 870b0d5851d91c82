"""ECLUSTER: the cluster as an electronic load, supplies of constant power that shed load when the voltage falls deep.

    demand (playback) --[ 1/(1 + s psu_s) ]-- p_psu --( x )--( x )-- P at the bus,  Q = P tan(phi)
                                                        |      |
                                                   f(served)  g(|V|)

    |V| --[ 1/(1 + s v_meas_s) ]-- v_pu -- its minimum v_low_pu (memory) -- f

g, the supply at its input: constant power above v_min_pu; below it the current of full power at v_min_pu is the most
there is, so power falls with voltage; below v_cut_pu the current falls in proportion to the voltage, to none.

    g = 1  |  V / v_min  |  V^2 / (v_min v_cut)        V >= v_min  |  v_cut <= V < v_min  |  V < v_cut

f, electronic tripping (the LDELEC part of the WECC composite load model), with V = v_pu and Vmin = v_low_pu:

    1                                                  Vmin >= Vd1
    (V - Vd2) / (Vd1 - Vd2)                            falling: V = Vmin
    ((Vmin - Vd2) + frcel (V - Vmin)) / (Vd1 - Vd2)    recovering, V < Vd1
    ((Vmin - Vd2) + frcel (Vd1 - Vmin)) / (Vd1 - Vd2)  afterwards
    0                                                  V <= Vd2

The four are one expression with V limited to Vd1 and Vmin not below Vd2. frcel is the part that reconnects.

Load sign: P, Q > 0 consume. Per unit on the base the engine gives; the demand is in MW.
Source: WECC composite load model specification (Vd1, Vd2, frcel of the electronic load); the defaults 0.65, 0.60
and 1 are those of the data-centre composite load of pnnl/LL-risk-assessment. v_min_pu: the DGX user guides rate the
supplies from 200 V, 0.87 of an assumed 230 V. psu_s and v_meas_s are assumed, of the order of the 10 to 20 ms that a
server supply holds up; v_cut_pu is assumed.
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass, fields
from typing import Any

from gridai.cluster.settings import check_ranges, setting
from gridai.errors import InitialisationError, Problems, SettingError
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel


@dataclass(frozen=True)
class PowerSupply:
    """Settings of the electronic load; the fields are the parameters of MODEL. Raises SettingError."""

    psu_s: float = setting(0.02, "s", "time constant of the supplies' input power (bulk capacitor)", 0.001, 10.0)
    v_meas_s: float = setting(0.02, "s", "time constant of the voltage that trips load (hold-up)", 0.001, 1.0)
    v_min_pu: float = setting(0.87, "pu", "lowest voltage at full power; below it constant current", 0.1, 1.0)
    v_cut_pu: float = setting(0.3, "pu", "voltage below which the current falls to none", 0.01, 1.0)
    vd1_pu: float = setting(0.65, "pu", "voltage at which load begins to trip", 0.0, 1.0)
    vd2_pu: float = setting(0.60, "pu", "voltage at which all load has tripped", 0.0, 1.0)
    frcel: float = setting(1.0, "", "part of the tripped load that reconnects when the voltage returns", 0.0, 1.0)

    def __post_init__(self) -> None:
        """Check ranges and the rules that join two parameters."""
        bad = Problems("power supply")
        check_ranges(self, bad)
        if not bad:
            for name, complaint in _joint_faults(self.values()):
                bad.add("PowerSupply", None, name, getattr(self, name), complaint)
        bad.raise_if_any(SettingError)

    def values(self) -> dict[str, float]:
        """The parameters by name."""
        return {f.name: float(getattr(self, f.name)) for f in fields(self)}


def _joint_faults(values: dict[str, float]) -> list[tuple[str, str]]:
    """Rules that join two parameters."""
    found = []
    if not values["vd2_pu"] < values["vd1_pu"]:
        found.append(("vd2_pu", f"must be below vd1_pu = {values['vd1_pu']:g} pu"))
    if not values["vd1_pu"] <= values["v_min_pu"]:
        found.append(("vd1_pu", f"must not be above v_min_pu = {values['v_min_pu']:g} pu"))
    if not values["v_cut_pu"] <= values["v_min_pu"]:
        found.append(("v_cut_pu", f"must not be above v_min_pu = {values['v_min_pu']:g} pu"))
    return found


@kernel
def served_fraction(v: float, v_low: float, vd1: float, vd2: float, frcel: float) -> float:
    """Part of the load that is connected at voltage v when the lowest so far was v_low."""
    low = max(vd2, min(v, v_low))
    if low >= vd1:
        return 1.0
    top = max(vd2, min(v, vd1))
    return ((low - vd2) + frcel * (top - low)) / (vd1 - vd2)


@kernel
def supply_share(v: float, v_min: float, v_cut: float) -> float:
    """Power at the input of the supplies as a share of what they would take at nominal voltage."""
    if v >= v_min:
        return 1.0
    if v >= v_cut:
        return v / v_min
    return v * v / (v_min * v_cut)


@kernel
def current(p: Any, x: Any, z: Any, v: complex) -> complex:
    """Current into the network of the power now drawn: minus the conjugate of S / V."""
    vm = abs(v)
    if vm < 1e-9:
        return 0.0j
    drawn = x.p_psu_pu * served_fraction(x.v_pu, z.v_low_pu, p.vd1_pu, p.vd2_pu, p.frcel)
    drawn *= supply_share(vm, p.v_min_pu, p.v_cut_pu)
    return -drawn * complex(1.0, -p.tan_phi) * v / (vm * vm)


@kernel
def outputs(p: Any, x: Any, z: Any, u: Any, y: Any) -> None:
    """Power drawn, power asked for, and the part of the load that is connected; a cluster out of service draws none."""
    vm = abs(complex(u.v_re, u.v_im))
    y.served = z.on * served_fraction(x.v_pu, z.v_low_pu, p.vd1_pu, p.vd2_pu, p.frcel)
    y.p_pu = x.p_psu_pu * y.served * supply_share(vm, p.v_min_pu, p.v_cut_pu)
    y.q_pu = y.p_pu * p.tan_phi
    y.demand_pu = u.p_demand_mw / p.mva


@kernel
def derivatives(p: Any, x: Any, z: Any, u: Any, d: Any) -> None:
    """Lag of the supplies and of the measured voltage."""
    d.p_psu_pu = (u.p_demand_mw / p.mva - x.p_psu_pu) / p.psu_s
    d.v_pu = (abs(complex(u.v_re, u.v_im)) - x.v_pu) / p.v_meas_s


@kernel
def track(p: Any, x: Any, z: Any) -> None:
    """The lowest voltage so far, not below vd2, where nothing is left to trip."""
    z.v_low_pu = min(z.v_low_pu, max(x.v_pu, p.vd2_pu))


def initialise(p: Any, x: Any, z: Any, u: Any, y: Any, op: Start) -> None:
    """Supplies at the power of the power flow, all load connected. Raises InitialisationError below v_min_pu."""
    vm = abs(op.v)
    if vm < p.v_min_pu:
        raise InitialisationError(
            f"the cluster's supplies are at their current limit from the start: bus voltage {vm:.3f} pu, "
            f"v_min_pu = {p.v_min_pu:g} pu; raise the voltage at the bus or give supplies with a lower v_min_pu"
        )
    if op.p_pu < 0.0:
        raise InitialisationError(f"the cluster gives {-op.p_pu * p.mva:g} MW in the power flow; it must consume")
    x.p_psu_pu, x.v_pu, z.v_low_pu = op.p_pu, vm, vm
    p.tan_phi = op.q_pu / op.p_pu if op.p_pu > 0.0 else 0.0
    u.p_demand_mw = op.p_pu * p.mva


def _params() -> tuple[Param, ...]:
    """The settings of PowerSupply as parameters."""
    values, rows = PowerSupply().values(), [(f.name, f.metadata) for f in fields(PowerSupply)]
    return tuple(Param(name, m["unit"], values[name], m["help"], m["low"], m["high"]) for name, m in rows)


MODEL = Model(
    name="ECLUSTER",
    role="cluster",
    title="GPU cluster as an electronic load",
    params=(*_params(), Param("tan_phi", "", None, "Q over P, from the power flow", solved=True)),
    states=(
        State("p_psu_pu", "pu", "power of the supplies at nominal voltage"),
        State("v_pu", "pu", "voltage that trips load"),
    ),
    memory=(State("v_low_pu", "pu", "lowest v_pu so far", start=1.0),),
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
        Input("p_demand_mw", "MW", "playback.p_demand_mw", "power that the workload asks for", default=None),
    ),
    outputs=(
        Output("p_pu", "pu", "power drawn", "p_mw", on_base=True),
        Output("q_pu", "pu", "reactive power drawn", "q_mvar", on_base=True),
        Output("demand_pu", "pu", "power that the workload asks for", "p_demand_mw", on_base=True),
        Output("served", "", "part of the load that is connected", "served"),
    ),
    initialise=initialise,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives, "track": track},
    check=_joint_faults,
    source="WECC composite load model, electronic load; see the module's docstring for each default",
    deviations=(
        "load trips on the voltage behind the lag v_meas_s and not on the instantaneous one (LDELEC)",
        "disconnection at high voltage and by counting of disturbances is not part of this model",
        "below v_cut_pu the current falls to none, so that a bolted fault at the bus has one solution",
    ),
)


def static_power(supply: PowerSupply, p_mw: float, power_factor: float, vm_pu: float) -> complex:
    """P + jQ at a steady voltage that was never lower before. [MW, MVAr]"""
    s = supply
    share = served_fraction(vm_pu, vm_pu, s.vd1_pu, s.vd2_pu, s.frcel) * supply_share(vm_pu, s.v_min_pu, s.v_cut_pu)
    return cmath.rect(p_mw * share / power_factor, cmath.acos(power_factor).real)
