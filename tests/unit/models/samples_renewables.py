"""Parameter values for the conformance suite: converters, electrical and plant controllers, by model key."""

_DIP = {"vdip_pu": 0.85, "vup_pu": 1.15, "kqv": 2.0}
_TABLES = {
    "vq1_pu": 0.2, "iq1_pu": 0.75, "vq2_pu": 0.5, "iq2_pu": 0.75, "vq3_pu": 0.75, "iq3_pu": 0.75, "vq4_pu": 1.0,
    "iq4_pu": 0.75, "vp1_pu": 0.2, "ip1_pu": 0.4, "vp2_pu": 0.5, "ip2_pu": 0.8, "vp3_pu": 0.9, "ip3_pu": 1.1,
}  # fmt: skip
_PATHS = (
    {"q_flag": 0.0},
    {"q_flag": 1.0, "v_flag": 1.0, "pq_flag": 1.0, "pf_flag": 1.0, **_DIP},
    {"q_flag": 1.0, "v_flag": 0.0, "kvp": 2.0, "trv_s": 0.0, "tp_s": 0.0, **_DIP},
    {"q_flag": 0.0, "tiq_s": 0.0, "tpord_s": 0.0, "pq_flag": 1.0, "vref0_pu": 1.02, "dbd1_pu": 0.0, "dbd2_pu": 0.0},
)
_HELD = {"iqfrz_pu": 0.1, "thld_s": 0.2, "thld2_s": 0.3}

SAMPLES_RENEWABLES: dict[str, tuple[dict[str, float], ...]] = {
    "regca1": (
        {},
        {"lvplsw": 1.0, "khv": 0.0, "tfltr_s": 0.2},
        {"lvplsw": 1.0, "tfltr_s": 0.0, "volim_pu": 1.0, "iqrmax_pu_per_s": 0.0},
    ),
    "reeca1": tuple({**path, **_HELD, **table} for path, table in zip(_PATHS, ({}, _TABLES) * 2, strict=True)),
    "reecb1": _PATHS,
    "reecc1": tuple({**path, "t_s": 3600.0, "pmin_pu": -1.0, **_TABLES} for path in _PATHS),
    "dera1": (
        {},
        {"freq_flag": 1.0, "pf_flag": 0.0, "dup": 9.0, "kqv": 4.0, "dbd1_pu": -0.02, "dbd2_pu": 0.02, "vref0_pu": 1.0},
        {"freq_flag": 1.0, "pq_flag": 1.0, "type_flag": 0.0, "pmin_pu": -1.0, "vl0_pu": 0.49, "vrfrac": 0.3},
        {"trv_s": 0.0, "tp_s": 0.0, "tiq_s": 0.0, "tpord_s": 0.0, "tv_s": 0.0, "tvl0_s": 0.0, "tfh_s": 0.0},
        {"vtrip_flag": 0.0, "ftrip_flag": 0.0, "xe_pu": 0.0},
    ),
    "repca1": (
        {},
        {"ref_flag": 0.0, "f_flag": 1.0, "dup": 20.0, "fdbd1_pu": -0.0006, "fdbd2_pu": 0.0006, "vfrz_pu": 0.7},
        {"vc_flag": 1.0, "rc_pu": 0.01, "xc_pu": 0.05, "f_flag": 1.0, "tp_s": 0.0, "tg_s": 0.0, "tfltr_s": 0.0},
        {"kc": 0.02, "tft_s": 0.01, "dbd1_pu": -0.01, "dbd2_pu": 0.01},
    ),
    "regfm_a1": (
        {},
        {"v_flag": 0.0, "qv_flag": 1.0, "tpf_s": 0.0, "re_pu": 0.01},
        {"kpv": 0.5, "tvf_s": 0.0, "imax_pu": 0.0, "qv_flag": 1.0},
    ),
}  # fmt: skip
