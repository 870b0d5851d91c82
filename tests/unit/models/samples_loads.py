"""Parameter values for the conformance suite: loads, load shedding and secondary control, by model key."""

_CIRCUIT = {"ra_pu": 0.01, "xa_pu": 0.1, "xm_pu": 3.0, "r1_pu": 0.02, "x1_pu": 0.12, "h_s": 0.5}
_STAGES = {"t1_s": 0.2, "frac1": 0.1, "t2_s": 0.1, "frac2": 0.2, "tb_s": 0.05, "to_s": 0.5, "fraco": 0.3}

SAMPLES_LOADS: dict[str, tuple[dict[str, float], ...]] = {
    "motorw": (
        {},
        {"etrq": 0.0, "h_s": 0.1, "rs_pu": 0.04, "lp_pu": 0.12, "lpp_pu": 0.104, "tpo_s": 0.095, "tppo_s": 0.0021,
         "vtr1_pu": 0.65, "ttr1_s": 0.5, "ftr1": 0.3, "vrc1_pu": 0.9, "trc1_s": 1.0},
        {"lpp_pu": 0.19, "tppo_s": 0.0, "rate_max_per_s": 0.0},
    ),
    "cim5bl": (
        _CIRCUIT,
        {**_CIRCUIT, "r1_pu": 0.05, "r2_pu": 0.01, "x2_pu": 0.15, "d": 2.0, "vi_pu": 0.7, "ti_cycles": 20.0},
        {**_CIRCUIT, "it": 2.0, "r1_pu": 0.05, "r2_pu": 0.015, "x2_pu": 0.2, "pmult": 1.2},
    ),
    "lvshbl": ({"v1_pu": 0.85, "v2_pu": 0.8, "vo_pu": 1.2, **_STAGES},),
    "ldshbl": ({"f1_hz": 59.3, "f2_hz": 59.0, "fo_hz": 61.0, **_STAGES},),
    "ldelec": ({}, {"frcel": 0.3, "vd1_pu": 0.9, "vd2_pu": 0.6}),
    "capload": (
        {"droop_mw_per_hz": 500.0, "deadband_hz": 0.02, "store_mw": 5.0, "store_mj": 10.0},
        {"step_mw": 20.0, "over_mw_per_hz": 100.0, "up_mw": 10.0, "delay_cycles": 7.0, "resolution_mw": 0.5},
    ),
    "capagc": ({"share": 0.3, "up_mw": 20.0}, {"share": 0.1, "delay_cycles": 20.0, "ramp_mw_per_s": 5.0}),
    "ld1pac": ({}, {"vc1off_pu": 0.0, "tth_s": 0.0, "lfmd": 0.8, "lfadj": 0.3, "fuvr": 0.0}),
    "cmld": (
        {"fma": 0.09, "fel": 0.89, "ltc": 1.0, "vd1_pu": 0.65, "vd2_pu": 0.6, "frcel": 0.8, "vtr1a_pu": 0.65,
         "ttr1a_s": 0.5, "ftr1a": 0.3},
        {"fma": 0.2, "fmb": 0.15, "fmc": 0.1, "fmd": 0.2, "fel": 0.15, "pfs": -0.98, "pfel": 0.95, "p1e": 1.0,
         "p1c": 0.5, "p2e": 0.0, "p2c": 0.2, "pfreq": 1.0, "qfreq": -1.0},
        {"fmd": 0.5, "fel": 0.6, "ltc": 0.0, "xxf_pu": 0.0, "rfdr_pu": 0.0, "xfdr_pu": 0.0},
    ),
    "perc1": (
        {},
        {"kvp": 1.5, "tvp_s": 0.05, "kvq": -1.0, "kfp": 2.0, "fcease": 0.6, "frecon": 0.5, "vc2_pu": 0.9, "tc2_s": 2.0},
        {"tbp_s": 0.0, "tbq_s": 0.0, "tvp_s": 0.0, "fcease": 0.0},
    ),
    "distance": ({}, {"reach1": 0.85, "reach3": 2.0, "t1_s": 0.02}),
    "overcurrent": ({"pickup_mva": 100.0}, {"pickup_mva": 100.0, "instant_mva": 500.0, "treset_s": 2.0}),
    "agc": ({"bias_mw_per_hz": 500.0}, {"bias_mw_per_hz": 500.0, "t_ace_s": 0.0, "deadband_mw": 5.0}),
    "agcunit": ({"share": 0.4, "ramp_mw_per_min": 20.0, "up_mw": 50.0, "down_mw": -30.0},),
}  # fmt: skip
