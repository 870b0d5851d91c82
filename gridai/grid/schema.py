"""Columns of the network tables: what each holds, its default, and its allowed range. pandapower's own names.

Written as data so that the reader checks and fills every table the same way. A column that is not listed is
kept as it is, unless it looks like a misspelt one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """kind: text, number, whole, flag, bus (a bus key) or element (the name of a branch or bus a switch acts on).

    required  an empty or missing cell is a fault; else `default` is used (None: empty).
    above     the number must be greater; at_least: greater or equal.
    extra     not part of pandapower's empty table: only there if the file gives it.
    """

    kind: str
    required: bool = False
    default: Any = None
    above: float | None = None
    at_least: float | None = None
    extra: bool = False


TEXT, FLAG_ON, BUS = Column("text"), Column("flag", default=True), Column("bus", required=True)
NAME = Column("text", required=True)
NUMBER = Column("number", required=True)
SETPOINT = Column("number", required=True, above=0.0)
POSITIVE = Column("number", required=True, above=0.0)
NOT_NEGATIVE = Column("number", required=True, at_least=0.0)
MAYBE = Column("number")
MAYBE_POSITIVE = Column("number", above=0.0)
LIMIT = Column("number", extra=True)
ZERO = Column("number", default=0.0)
ONE = Column("number", default=1.0)
SCALE = Column("number", default=1.0, at_least=0.0)
PARALLEL = Column("whole", default=1, at_least=1)
PERCENT = Column("number", default=0.0, at_least=0.0)
EXTRA_TEXT = Column("text", extra=True)
EXTRA_FLAG = Column("flag", default=False, extra=True)
EXTRA_POSITIVE = Column("number", above=0.0, extra=True)
EXTRA_NOT_NEGATIVE = Column("number", at_least=0.0, extra=True)

_LIMITS = {"min_p_mw": LIMIT, "max_p_mw": LIMIT, "min_q_mvar": LIMIT, "max_q_mvar": LIMIT}
_TAP = {
    "tap_side": TEXT, "tap_neutral": MAYBE, "tap_min": MAYBE, "tap_max": MAYBE, "tap_step_percent": MAYBE,
    "tap_step_degree": MAYBE, "tap_pos": MAYBE, "tap_changer_type": TEXT,
    "tap_dependency_table": Column("flag", default=False), "id_characteristic_table": Column("whole"),
}  # fmt: skip
_TAP2 = {
    "tap2_side": EXTRA_TEXT, "tap2_neutral": LIMIT, "tap2_min": LIMIT, "tap2_max": LIMIT, "tap2_step_percent": LIMIT,
    "tap2_step_degree": LIMIT, "tap2_pos": LIMIT, "tap2_changer_type": EXTRA_TEXT,
}  # fmt: skip
# Zero sequence, as pandapower names it: for unbalanced power flow and faults to earth.
_ZERO_TRAFO = {
    "vector_group": EXTRA_TEXT, "vk0_percent": EXTRA_NOT_NEGATIVE, "vkr0_percent": EXTRA_NOT_NEGATIVE,
    "mag0_percent": EXTRA_NOT_NEGATIVE, "mag0_rx": EXTRA_NOT_NEGATIVE, "si0_hv_partial": EXTRA_NOT_NEGATIVE,
    "rn_ohm": EXTRA_NOT_NEGATIVE, "xn_ohm": LIMIT,
}  # fmt: skip
_SOURCE = {
    "s_sc_max_mva": EXTRA_POSITIVE, "s_sc_min_mva": EXTRA_POSITIVE, "rx_max": EXTRA_NOT_NEGATIVE,
    "rx_min": EXTRA_NOT_NEGATIVE, "x0x_max": EXTRA_NOT_NEGATIVE, "x0x_min": EXTRA_NOT_NEGATIVE,
    "r0x0_max": EXTRA_NOT_NEGATIVE, "r0x0_min": EXTRA_NOT_NEGATIVE,
}  # fmt: skip
_PHASES = {
    "name": NAME, "bus": BUS,
    **{f"{power}_{phase}_{unit}": ZERO for phase in "abc" for power, unit in (("p", "mw"), ("q", "mvar"))},
    **{f"sn_{phase}_mva": MAYBE_POSITIVE for phase in "abc"}, "sn_mva": MAYBE_POSITIVE, "scaling": SCALE,
    "in_service": FLAG_ON, "type": Column("text", default="wye"),
}  # fmt: skip

TABLES: dict[str, dict[str, Column]] = {
    "bus": {
        "name": NAME, "vn_kv": POSITIVE, "type": Column("text", default="b"), "zone": TEXT, "in_service": FLAG_ON,
        "geo": TEXT, "min_vm_pu": LIMIT, "max_vm_pu": LIMIT,
    },
    "line": {
        "name": NAME, "from_bus": BUS, "to_bus": BUS, "length_km": POSITIVE, "r_ohm_per_km": NUMBER,
        "x_ohm_per_km": NUMBER, "c_nf_per_km": NUMBER, "g_us_per_km": ZERO, "max_i_ka": MAYBE_POSITIVE,
        "df": Column("number", default=1.0, above=0.0), "parallel": PARALLEL, "type": TEXT, "std_type": TEXT,
        "in_service": FLAG_ON, "geo": TEXT, "max_loading_percent": LIMIT, "r0_ohm_per_km": EXTRA_NOT_NEGATIVE,
        "x0_ohm_per_km": LIMIT, "c0_nf_per_km": EXTRA_NOT_NEGATIVE,
    },
    "trafo": {
        "name": NAME, "hv_bus": BUS, "lv_bus": BUS, "sn_mva": POSITIVE, "vn_hv_kv": POSITIVE, "vn_lv_kv": POSITIVE,
        "vk_percent": NUMBER, "vkr_percent": NUMBER, "pfe_kw": ZERO, "i0_percent": ZERO, "shift_degree": ZERO,
        **_TAP, **_TAP2, **_ZERO_TRAFO, "parallel": PARALLEL, "df": Column("number", default=1.0, above=0.0),
        "std_type": TEXT, "in_service": FLAG_ON, "max_loading_percent": LIMIT,
    },
    "trafo3w": {
        "name": NAME, "hv_bus": BUS, "mv_bus": BUS, "lv_bus": BUS,
        **{f"sn_{s}_mva": POSITIVE for s in ("hv", "mv", "lv")}, **{f"vn_{s}_kv": POSITIVE for s in ("hv", "mv", "lv")},
        **{f"vk_{s}_percent": NUMBER for s in ("hv", "mv", "lv")},
        **{f"vkr_{s}_percent": NUMBER for s in ("hv", "mv", "lv")},
        "pfe_kw": ZERO, "i0_percent": ZERO, "shift_mv_degree": ZERO, "shift_lv_degree": ZERO, **_TAP,
        "tap_at_star_point": Column("flag", default=False), "std_type": TEXT, "in_service": FLAG_ON,
        "max_loading_percent": LIMIT,
    },
    "impedance": {
        "name": NAME, "from_bus": BUS, "to_bus": BUS, "rft_pu": NUMBER, "xft_pu": NUMBER, "rtf_pu": NUMBER,
        "xtf_pu": NUMBER, "gf_pu": ZERO, "bf_pu": ZERO, "gt_pu": ZERO, "bt_pu": ZERO, "sn_mva": POSITIVE,
        "in_service": FLAG_ON, **dict.fromkeys(("rft0_pu", "xft0_pu", "rtf0_pu", "xtf0_pu"), LIMIT),
    },
    "load": {
        "name": NAME, "bus": BUS, "p_mw": NUMBER, "q_mvar": NUMBER, "const_z_p_percent": PERCENT,
        "const_i_p_percent": PERCENT, "const_z_q_percent": PERCENT, "const_i_q_percent": PERCENT,
        "sn_mva": MAYBE_POSITIVE, "scaling": SCALE, "in_service": FLAG_ON, "type": TEXT, "controllable": EXTRA_FLAG,
        **_LIMITS,
    },
    "gen": {
        "name": NAME, "bus": BUS, "p_mw": NUMBER, "vm_pu": SETPOINT, "sn_mva": MAYBE_POSITIVE,
        "min_q_mvar": MAYBE, "max_q_mvar": MAYBE, "min_p_mw": LIMIT, "max_p_mw": LIMIT, "scaling": SCALE,
        "slack": Column("flag", default=False), "controllable": Column("flag", default=True),
        "id_q_capability_characteristic": Column("whole"),
        "reactive_capability_curve": Column("flag", default=False), "curve_style": TEXT, "in_service": FLAG_ON,
        "slack_weight": ZERO, "type": TEXT, "min_vm_pu": LIMIT, "max_vm_pu": LIMIT,
    },
    "ext_grid": {
        "name": NAME, "bus": BUS, "vm_pu": SETPOINT, "va_degree": ZERO, "slack_weight": ONE, "in_service": FLAG_ON,
        "controllable": Column("flag", default=True), "sn_mva": EXTRA_POSITIVE, **_LIMITS, **_SOURCE,
    },
    "sgen": {
        "name": NAME, "bus": BUS, "p_mw": NUMBER, "q_mvar": ZERO, "min_q_mvar": MAYBE, "max_q_mvar": MAYBE,
        "min_p_mw": LIMIT, "max_p_mw": LIMIT, "sn_mva": MAYBE_POSITIVE, "scaling": SCALE,
        "controllable": Column("flag", default=False), "id_q_capability_characteristic": Column("whole"),
        "reactive_capability_curve": Column("flag", default=False), "curve_style": TEXT, "in_service": FLAG_ON,
        "type": TEXT, "current_source": FLAG_ON,
    },
    "asymmetric_load": dict(_PHASES),
    "asymmetric_sgen": {**_PHASES, "current_source": FLAG_ON},
    "storage": {
        "name": NAME, "bus": BUS, "p_mw": NUMBER, "q_mvar": ZERO, "sn_mva": MAYBE_POSITIVE, "soc_percent": MAYBE,
        "min_e_mwh": MAYBE, "max_e_mwh": MAYBE, "scaling": SCALE, "in_service": FLAG_ON, "type": TEXT, **_LIMITS,
    },
    "motor": {
        "name": NAME, "bus": BUS, "pn_mech_mw": NOT_NEGATIVE, "loading_percent": Column("number", default=100.0),
        "cos_phi": POSITIVE, "cos_phi_n": MAYBE, "efficiency_percent": Column("number", default=100.0, above=0.0),
        "efficiency_n_percent": MAYBE, "lrc_pu": MAYBE, "vn_kv": MAYBE, "scaling": SCALE, "in_service": FLAG_ON,
        "rx": MAYBE,
    },
    "ward": {
        "name": NAME, "bus": BUS, "ps_mw": NUMBER, "qs_mvar": NUMBER, "qz_mvar": NUMBER, "pz_mw": NUMBER,
        "in_service": FLAG_ON,
    },
    "shunt": {
        "name": NAME, "bus": BUS, "q_mvar": NUMBER, "p_mw": ZERO, "vn_kv": MAYBE_POSITIVE, "step": ONE,
        "max_step": Column("whole", default=1), "id_characteristic_table": Column("whole"),
        "step_dependency_table": Column("flag", default=False), "in_service": FLAG_ON, "type": EXTRA_TEXT,
    },
    "switch": {
        "name": TEXT, "bus": BUS, "element": Column("element", required=True),
        "et": Column("text", required=True), "type": TEXT, "closed": FLAG_ON,
        "z_ohm": Column("number", default=0.0, at_least=0.0), "in_ka": MAYBE,
    },
}  # fmt: skip

# Readable against a textbook: per unit on the system base instead of ohm and percent. Column: which ones it replaces.
PER_UNIT: dict[str, dict[str, Column]] = {
    "line": {"r_pu": NUMBER, "x_pu": NUMBER, "b_pu": ZERO},
    "trafo": {"r_pu": ZERO, "x_pu": NUMBER, "ratio": Column("number", default=1.0, above=0.0)},
}
REPLACED = {
    "line": ("length_km", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km"),
    "trafo": ("vk_percent", "vkr_percent"),
}
# What a switch of each kind acts on.
SWITCH_TARGET = {"b": "bus", "l": "line", "t": "trafo", "t3": "trafo3w"}
