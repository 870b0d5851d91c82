"""CMLD: the WECC composite load: motors A, B, C, compressors D, electronic and static load behind a feeder.

    system bus                low-side bus                load bus
    V ---- 1 : tap tfixls / tfixhs ---- j xxf ----+---- rfdr + j xfdr ----+---- M  motor A   fma    MOTORW, two stages
                                                  |                       +---- M  motor B   fmb
                                            bss, fb bfdr          (1 - fb) bfdr -- M  motor C   fmc
                                                                          +---- M  motor D   fmd    LD1PAC
    ltc = 1: low side outside vmin .. vmax (behind rcomp, xcomp)          +---- electronic   fel    LDELEC
    for tdel: one step; the next after ttap each                          +---- static       the rest

    static   P = Ps (p1c r^p1e + p2c r^p2e + 1 - p1c - p2c) (1 + pfreq df),  r = |W| / |W0|; Q likewise, Qs by pfs

The load bus is solved inside the model (see _composite): one equation in |W| for each evaluation, so a composite load
is one device at its system bus, its current solved with the network like any other nonlinear load, and a tap is a
memory value. Start: see _composite_start. Motor constants on the motors' bases (P / lfm), transformer and feeder on
mvab: mvab > 0 MVA; < 0: P / |mvab|; 0: P / 0.8. Load shedding is by LVSHBL and LDSHBL on the same load.
Source: WECC Dynamic Composite Load Model (CMPLDW) Specifications, January 27, 2015; the record is that of PSS/E's
CMLDxxU2, 133 constants. NERC, Technical Reference Document: Dynamic Load Modeling, December 2016.
"""

from dataclasses import replace

from gridai.errors import InitialisationError
from gridai.kernel.contract import Model, Output, Param, Start, State, kernel
from gridai.models.loads import _composite_start, _compressor
from gridai.models.loads._composite import feeder_current, load_bus, low_side, motor_rates, regulated
from gridai.models.loads._compressor import (
    HYSTERESIS_PU,
    compressor_guards,
    compressor_rates,
    compressor_track,
    compressor_update,
)
from gridai.models.loads._motor import ACTIONS as MOTOR_ACTIONS
from gridai.models.loads._motor import (
    RATE_MAX,
    stage_action,
    stage_crossing,
    stage_delay,
    stage_due,
    stage_next,
)
from gridai.models.loads.ld1pac import require_running
from gridai.models.loads.ldelec import FRCEL, require_connected, served
from gridai.models.loads.ldelec import PARAMS as ELECTRONIC
from gridai.models.loads.motorw import INPUTS, motor_params, stage_params

HOLDING, WAITING = 0.0, 1.0
ACTION_TAP = 30


@kernel
def current(p, x, z, v):
    """Current into the network: minus what the transformer takes."""
    w = load_bus(p, x, z, v)
    _, ix = low_side(p, w, feeder_current(p, x, z, w))
    return -z.tap * p.ratio * ix


@kernel
def outputs(p, x, z, u, y):
    """Power at the system bus, voltages inside, what is connected."""
    v = complex(u.v_re, u.v_im)
    w = load_bus(p, x, z, v)
    i = feeder_current(p, x, z, w)
    vl, ix = low_side(p, w, i)
    s = z.on * v * (z.tap * p.ratio * ix).conjugate()
    y.p_pu, y.q_pu, y.w_re, y.w_im = s.real, s.imag, w.real, w.imag
    y.v_load_pu, y.v_low_side_pu, y.v_held_pu = abs(w), abs(vl), regulated(p, vl, i)
    y.electronic = served(abs(w), z.v_low_pu, p.vd1_pu, p.vd2_pu, p.frcel)
    y.stalled = (1.0 - p.frst) * z.stalled_a + p.frst * z.stalled_b
    y.omegaa_pu, y.omegab_pu, y.omegac_pu, y.tap = x.omegaa_pu, x.omegab_pu, x.omegac_pu, z.tap


@kernel
def derivatives(p, x, z, u, y, d):
    """Motors A, B, C and the compressors, at the load bus."""
    w = complex(y.w_re, y.w_im)
    compressor_rates(p, x, z, w, d)
    d1, d2, dw = motor_rates(
        w, complex(x.e1a_re, x.e1a_im), complex(x.e2a_re, x.e2a_im), x.omegaa_pu, p.ma_pu, p.rsa_pu, p.lsa_pu, p.lpa_pu,
        p.lppa_pu, p.tpoa_s, p.tppoa_s, p.ha_s, p.etrqa, p.omega0a_pu, p.t0a_pu, p.omega_base, p.rate_max_per_s,
    )  # fmt: skip
    d.e1a_re, d.e1a_im, d.e2a_re, d.e2a_im, d.omegaa_pu = d1.real, d1.imag, d2.real, d2.imag, dw
    d1, d2, dw = motor_rates(
        w, complex(x.e1b_re, x.e1b_im), complex(x.e2b_re, x.e2b_im), x.omegab_pu, p.mb_pu, p.rsb_pu, p.lsb_pu, p.lpb_pu,
        p.lppb_pu, p.tpob_s, p.tppob_s, p.hb_s, p.etrqb, p.omega0b_pu, p.t0b_pu, p.omega_base, p.rate_max_per_s,
    )  # fmt: skip
    d.e1b_re, d.e1b_im, d.e2b_re, d.e2b_im, d.omegab_pu = d1.real, d1.imag, d2.real, d2.imag, dw
    d1, d2, dw = motor_rates(
        w, complex(x.e1c_re, x.e1c_im), complex(x.e2c_re, x.e2c_im), x.omegac_pu, p.mc_pu, p.rsc_pu, p.lsc_pu, p.lpc_pu,
        p.lppc_pu, p.tpoc_s, p.tppoc_s, p.hc_s, p.etrqc, p.omega0c_pu, p.t0c_pu, p.omega_base, p.rate_max_per_s,
    )  # fmt: skip
    d.e1c_re, d.e1c_im, d.e2c_re, d.e2c_im, d.omegac_pu = d1.real, d1.imag, d2.real, d2.imag, dw


@kernel
def clamp(p, x, u):
    """A load does not turn its motor backwards."""
    x.omegaa_pu, x.omegab_pu, x.omegac_pu = max(x.omegaa_pu, 0.0), max(x.omegab_pu, 0.0), max(x.omegac_pu, 0.0)


@kernel
def track(p, x, z, y):
    """Where the next solution of the load bus starts; lowest voltage of the electronic load; contactors, thermal."""
    m = abs(complex(y.w_re, y.w_im))
    z.w_pu = m
    z.v_low_pu = min(z.v_low_pu, max(m, p.vd2_pu))
    compressor_track(p, x, z)


@kernel
def guards(p, x, z, u, y, t, g):
    """Stages of the motors, timers of the compressors, the tap changer."""
    v = y.v_load_pu
    g.crossing1a = stage_crossing(z.mode1a, v, p.vtr1a_pu * (p.ftr1a * p.ma_pu > 0.0), p.vrc1a_pu)
    g.crossing2a = stage_crossing(z.mode2a, v, p.vtr2a_pu * (p.ftr2a * p.ma_pu > 0.0), p.vrc2a_pu)
    g.crossing1b = stage_crossing(z.mode1b, v, p.vtr1b_pu * (p.ftr1b * p.mb_pu > 0.0), p.vrc1b_pu)
    g.crossing2b = stage_crossing(z.mode2b, v, p.vtr2b_pu * (p.ftr2b * p.mb_pu > 0.0), p.vrc2b_pu)
    g.crossing1c = stage_crossing(z.mode1c, v, p.vtr1c_pu * (p.ftr1c * p.mc_pu > 0.0), p.vrc1c_pu)
    g.crossing2c = stage_crossing(z.mode2c, v, p.vtr2c_pu * (p.ftr2c * p.mc_pu > 0.0), p.vrc2c_pu)
    g.due1a, g.due2a = stage_due(z.mode1a, t, z.due1a_s), stage_due(z.mode2a, t, z.due2a_s)
    g.due1b, g.due2b = stage_due(z.mode1b, t, z.due1b_s), stage_due(z.mode2b, t, z.due2b_s)
    g.due1c, g.due2c = stage_due(z.mode1c, t, z.due1c_s), stage_due(z.mode2c, t, z.due2c_s)
    compressor_guards(p, x, z, t, g)
    outside = max(p.vmin_pu - y.v_held_pu, y.v_held_pu - p.vmax_pu)
    g.tap, g.tap_due = -1.0, -1.0
    if p.ltc == 1.0:
        g.tap = outside if z.tap_mode == HOLDING else -outside - HYSTERESIS_PU
        g.tap_due = -1.0 if z.tap_mode == HOLDING else t - z.tap_due_s


@kernel
def stage_step(mode, due_s, crossed, due, t, t_trip, t_back):
    """(mode, due time, action) of one stage of a motor."""
    after = stage_next(mode, crossed, due)
    if after == mode:
        return mode, due_s, 0
    return after, t + stage_delay(after, t_trip, t_back), stage_action(mode, after)


@kernel
def tap_step(p, z, y, t, g):
    """The tap changer: returns ACTION_TAP when it has moved."""
    if z.tap_mode == HOLDING and g.tap > 0.0:
        z.tap_mode, z.tap_due_s = WAITING, t + p.tdel_s
    elif z.tap_mode == WAITING and g.tap_due > 0.0:
        before = z.tap
        z.tap = min(max(z.tap + (p.step if y.v_held_pu < p.vmin_pu else -p.step), p.tmin), p.tmax)
        z.tap_due_s = t + p.ttap_s
        return ACTION_TAP if z.tap != before else 0
    elif z.tap_mode == WAITING and g.tap > 0.0:
        z.tap_mode = HOLDING
    return 0


@kernel
def update(p, x, z, u, y, t, g):
    """All that is discrete; the action only stands in the log."""
    z.mode1a, z.due1a_s, a1 = stage_step(z.mode1a, z.due1a_s, g.crossing1a, g.due1a, t, p.ttr1a_s, p.trc1a_s)
    z.mode2a, z.due2a_s, a2 = stage_step(z.mode2a, z.due2a_s, g.crossing2a, g.due2a, t, p.ttr2a_s, p.trc2a_s)
    z.mode1b, z.due1b_s, b1 = stage_step(z.mode1b, z.due1b_s, g.crossing1b, g.due1b, t, p.ttr1b_s, p.trc1b_s)
    z.mode2b, z.due2b_s, b2 = stage_step(z.mode2b, z.due2b_s, g.crossing2b, g.due2b, t, p.ttr2b_s, p.trc2b_s)
    z.mode1c, z.due1c_s, c1 = stage_step(z.mode1c, z.due1c_s, g.crossing1c, g.due1c, t, p.ttr1c_s, p.trc1c_s)
    z.mode2c, z.due2c_s, c2 = stage_step(z.mode2c, z.due2c_s, g.crossing2c, g.due2c, t, p.ttr2c_s, p.trc2c_s)
    motors = max(a1, a2, b1, b2, c1, c2)
    return max(motors, compressor_update(p, z, t, g), tap_step(p, z, y, t, g))


def initialise(p, x, z, u, y, op: Start) -> None:
    """See _composite_start. Raises InitialisationError naming the part that cannot run at the load bus's voltage."""
    _composite_start.start(p, x, z, op.v, complex(op.p_pu, op.q_pu))
    if p.pel0_pu > 0.0:
        require_connected("CMLD", p.w0_pu, p.vd1_pu)
    if p.pb_pu > 0.0:
        require_running("CMLD", p.w0_pu, p)
    for letter in _composite_start.LETTERS:
        for k in (1, 2):
            limit = p[f"vtr{k}{letter}_pu"]
            if p[f"m{letter}_pu"] * p[f"ftr{k}{letter}"] > 0.0 and limit > p.w0_pu:
                raise InitialisationError(
                    f"CMLD: the load bus starts at {p.w0_pu:.6g} pu, below vtr{k}{letter}_pu = {limit:.6g}: motors "
                    f"{letter.upper()} would trip at rest; change the threshold or the operating point"
                )


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Types that are known, reactances and thresholds in order, shares up to 1."""
    found = list(_compressor.check(values))
    for letter in _composite_start.LETTERS:
        if values[f"mtyp{letter}"] != 3.0:
            found.append((f"mtyp{letter}", "only three-phase motors (3) here; single-phase ones are motor D"))
        if not values[f"ls{letter}_pu"] > values[f"lp{letter}_pu"] >= values[f"lpp{letter}_pu"]:
            found.append((f"lp{letter}_pu", f"ls{letter}_pu > lp{letter}_pu >= lpp{letter}_pu must hold"))
        if values[f"ftr1{letter}"] + values[f"ftr2{letter}"] > 1.0 + 1e-9:
            found.append((f"ftr2{letter}", f"ftr1{letter} + ftr2{letter} is more than 1"))
    if not values["vd2_pu"] < values["vd1_pu"]:
        found.append(("vd2_pu", f"must be below vd1_pu = {values['vd1_pu']:g}"))
    if values["ltc"] not in (-1.0, 0.0, 1.0):
        found.append(("ltc", "give -1 (set at the start), 0 (none) or 1 (acts)"))
    for low, high in (("tmin", "tmax"), ("vmin_pu", "vmax_pu")):
        if not values[low] < values[high]:
            found.append((low, f"must be below {high} = {values[high]:g}"))
    for name in ("pfel", "pfs"):
        if abs(values[name]) < 0.1:
            found.append((name, "a power factor of 0.1 to 1, negative if leading"))
    return found


def _lettered(q: Param, letter: str) -> Param:
    """The parameter of a motor as that of motor A, B or C: the letter stands before the unit."""
    name, dash, unit = q.name.partition("_")
    return replace(q, name=f"{name}{letter}{dash}{unit}", meaning=f"motor {letter.upper()}: {q.meaning}")


def _motor_block(letter: str, h_s: float, etrq: float) -> tuple[Param, ...]:
    """The twenty constants of one motor."""
    rows = (*motor_params(0.75, h_s, etrq), *stage_params(1), *stage_params(2))
    kind = Param(f"mtyp{letter}", "", 3.0, f"motor {letter.upper()}: type, 3 for three-phase")
    return (kind, *(_lettered(q, letter) for q in rows))


NETWORK = (
    Param("mvab_mva", "MVA", -1.25, "base of transformer and feeder; negative: P over this; 0: P / 0.8"),
    Param("bss_pu", "pu", 0.0, "shunt at the low-side bus"),
    Param("rfdr_pu", "pu", 0.04, "resistance of the feeder", low=0.0),
    Param("xfdr_pu", "pu", 0.04, "reactance of the feeder", low=0.0),
    Param("fb", "", 0.75, "part of the feeder's compensation at the low-side bus", low=0.0, high=1.0),
    Param("xxf_pu", "pu", 0.08, "reactance of the transformer", low=0.0),
    Param("tfixhs", "pu", 1.0, "fixed tap of the high side", low=0.5, high=1.5),
    Param("tfixls", "pu", 1.0, "fixed tap of the low side", low=0.5, high=1.5),
    Param("ltc", "", -1.0, "tap changer: 1 acts, -1 is set at the start only, 0 there is none"),
    Param("tmin", "pu", 0.9, "lowest tap", low=0.5, high=1.5),
    Param("tmax", "pu", 1.1, "highest tap", low=0.5, high=1.5),
    Param("step", "pu", 0.00625, "step of the tap", low=1e-4),
    Param("vmin_pu", "pu", 1.025, "lowest voltage that it holds"),
    Param("vmax_pu", "pu", 1.04, "highest voltage that it holds"),
    Param("tdel_s", "s", 30.0, "delay of its first step", low=0.0),
    Param("ttap_s", "s", 5.0, "time from step to step", low=0.1),
    Param("rcomp_pu", "pu", 0.0, "resistance of its compensation"),
    Param("xcomp_pu", "pu", 0.0, "reactance of its compensation"),
)
SHARES = tuple(
    Param(name, "", 0.0, f"share of {what}", low=0.0, high=1.0)
    for name, what in (
        ("fma", "motor A"),
        ("fmb", "motor B"),
        ("fmc", "motor C"),
        ("fmd", "compressors D"),
        ("fel", "electronic load"),
    )
)
STATIC = (
    Param("pfs", "", 1.0, "power factor of the static part, negative if leading", low=-1.0, high=1.0),
    *(
        Param(name, "", default, f"static {name[0].upper()}: {what}")
        for letter in "pq"
        for name, default, what in (
            (f"{letter}1e", 2.0, "exponent of the first term"),
            (f"{letter}1c", 1.0, "share of the first term"),
            (f"{letter}2e", 1.0, "exponent of the second term"),
            (f"{letter}2c", 0.0, "share of the second term"),
            (f"{letter}freq", 0.0, "change per change of frequency"),
        )
    ),
)
RECORD = (
    *NETWORK,
    *SHARES,
    Param("pfel", "", 1.0, "power factor of the electronic load, negative if leading", low=-1.0, high=1.0),
    *ELECTRONIC,
    *STATIC,
    *_motor_block("a", 0.1, 0.0),
    *_motor_block("b", 0.5, 2.0),
    *_motor_block("c", 0.1, 2.0),
    *_compressor.PARAMS,
    FRCEL,
)
"""In the order of the record."""

HEADER = 9
"""Numbers between the model's name and its constants in a DYR file: 12, it, 2, 133, 27, 146, 48, and two ICONs."""
DYR = (*(None,) * HEADER, *(q.name for q in RECORD))
"""Order of the record in a DYR file, after `bus 'USRLOD' id 'CMLDxxU2'`: the header, then 133 constants."""
DYR_NAMES = ("CMLDBLU2", "CMLDOWU2", "CMLDZNU2", "CMLDARU2", "CMLDALU2")
"""What the model is called in DYR files: for a load, an owner, a zone, an area, all."""
DYR_USER = ("USRLOD", "CMLDBLU2", "12", "1", "2", "133", "27", "146", "48", "0", "0")
"""How its record goes out: the wrapper, the name, the header."""

_FOUND = (
    ("xt_pu", "transformer"), ("rf_pu", "feeder, resistance"), ("xf_pu", "feeder, reactance"),
    ("ratio", "tfixls / tfixhs"), ("bss0_pu", "shunt at the low-side bus"), ("bfdr_pu", "feeder susceptance"),
    ("rcomp0_pu", "compensation, resistance"), ("xcomp0_pu", "compensation, reactance"),
    ("w0_pu", "voltage of the load bus at the start"),
    ("ps0_pu", "static P"), ("qs0_pu", "static Q"), ("pel0_pu", "electronic P"), ("qel0_pu", "electronic Q"),
    ("pb_pu", "power of the compressors at nominal voltage"),
)  # fmt: skip
SOLVED = (
    *(Param(name, "pu", None, f"on the system base: {meaning}", solved=True) for name, meaning in _FOUND),
    *(
        Param(f"{name}{letter}_pu", "pu", None, f"motor {letter.upper()}: {meaning}", solved=True)
        for letter in _composite_start.LETTERS
        for name, meaning in (("m", "base"), ("t0", "load torque at the start"), ("omega0", "speed at the start"))
    ),
    *_compressor.SOLVED,
)
_MOTOR_STATES = tuple(
    State(f"{name}{letter}_{part}", "pu", f"motor {letter.upper()}: {meaning}")
    for letter in _composite_start.LETTERS
    for name, part, meaning in (
        ("e1", "re", "voltage behind the transient reactance, real part"),
        ("e1", "im", "voltage behind the transient reactance, imaginary part"),
        ("e2", "re", "what the fast cage adds, real part"),
        ("e2", "im", "what the fast cage adds, imaginary part"),
        ("omega", "pu", "speed"),
    )
)
_STAGES = tuple(f"{k}{letter}" for letter in _composite_start.LETTERS for k in (1, 2))

MODEL = Model(
    name="CMLD",
    role="load",
    title="WECC composite load",
    params=(*RECORD, RATE_MAX, *SOLVED),
    states=(*_MOTOR_STATES, *_compressor.STATES),
    memory=(
        *(State(f"mode{s}", "", f"stage {s}: 0 connected, 1 timing, 2 tripped, 3 timing the return") for s in _STAGES),
        *(State(f"due{s}_s", "s", f"stage {s}: when its timer is over") for s in _STAGES),
        *_compressor.MEMORY,
        State("v_low_pu", "pu", "lowest voltage of the load bus so far", start=1.0),
        State("w_pu", "pu", "voltage of the load bus where its next solution starts", start=1.0),
        State("tap", "pu", "tap of the transformer", start=1.0),
        State("tap_mode", "", "tap changer: 0 in its band, 1 waits for the next step"),
        State("tap_due_s", "s", "time of the next step"),
    ),
    guards=(*(f"{w}{s}" for s in _STAGES for w in ("crossing", "due")), *_compressor.GUARDS, "tap", "tap_due"),
    inputs=INPUTS,
    outputs=(
        Output("p_pu", "pu", "consumed active power at the system bus", "p_mw", on_base=True),
        Output("q_pu", "pu", "consumed reactive power at the system bus", "q_mvar", on_base=True),
        Output("v_load_pu", "pu", "voltage of the load bus", "load_bus_pu"),
        Output("v_low_side_pu", "pu", "voltage of the low-side bus", "low_side_pu"),
        Output("v_held_pu", "pu", "voltage that the tap changer holds"),
        Output("electronic", "", "part of the electronic load that is connected", "electronic"),
        Output("stalled", "", "part of the compressors that has stalled", "stalled"),
        Output("omegaa_pu", "pu", "speed of motor A", "speed_a_pu"),
        Output("omegab_pu", "pu", "speed of motor B", "speed_b_pu"),
        Output("omegac_pu", "pu", "speed of motor C", "speed_c_pu"),
        Output("tap", "pu", "tap of the transformer", "tap"),
        Output("w_re", "pu", "voltage of the load bus, real part"),
        Output("w_im", "pu", "voltage of the load bus, imaginary part"),
    ),
    initialise=initialise,
    check=check,
    kernels={
        "current": current,
        "outputs": outputs,
        "derivatives": derivatives,
        "clamp": clamp,
        "track": track,
        "guards": guards,
        "update": update,
    },
    actions={**MOTOR_ACTIONS, **_compressor.ACTIONS, ACTION_TAP: "tap changer moves"},
    source="WECC Dynamic Composite Load Model Specifications, January 27, 2015; PSS/E CMLDxxU2",
    deviations=(
        "motors A, B, C are of type 3 (three-phase); type 1 is refused",
        "where the load bus starts below 0.95 pu the feeder is shortened in steps of 5 % until it does not",
        "static load is a constant impedance below 0.7 pu",
        "the feeder's compensation stays when load trips; load shedding is by LVSHBL and LDSHBL",
        "those of MOTORW, LD1PAC and LDELEC",
    ),
)
