"""Parameter values for the conformance suite: machines and controllers of the PSS/E library, by model key."""

_AC = {
    "tr_s": 0.02, "tb_s": 2.0, "tc_s": 0.5, "ka": 200.0, "ta_s": 0.02, "te_s": 0.8, "kf": 0.03, "tf_s": 1.0,
    "kc": 0.2, "kd": 0.38, "ke": 1.0, "e1_pu": 3.14, "se1": 0.03, "e2_pu": 4.18, "se2": 0.1,
    "vrmax_pu": 15.0, "vrmin_pu": -12.0,
}  # fmt: skip
_ESAC1A = {**_AC, "vamax_pu": 14.0, "vamin_pu": -14.0}
_GAST = {
    "r_pu": 0.05, "t1_s": 0.4, "t2_s": 0.1, "t3_s": 3.0, "at": 1.0, "kt": 2.0, "vmax_pu": 1.0, "vmin_pu": -0.05,
    "dturb_pu": 0.1,
}  # fmt: skip

_DC = {
    "tr_s": 0.02, "ka": 40.0, "ta_s": 0.05, "tb_s": 1.0, "tc_s": 0.3, "vrmax_pu": 9.0, "vrmin_pu": -9.0, "ke": 1.0,
    "te_s": 0.5, "kf": 0.06, "tf_s": 1.0, "e1_pu": 3.0, "se1": 0.1, "e2_pu": 4.0, "se2": 0.3,
}  # fmt: skip
_DC_ZERO = {**_DC, "tr_s": 0.0, "ta_s": 0.0, "tb_s": 0.0, "tc_s": 0.0, "vrmax_pu": 0.0, "vrmin_pu": 0.0}
_IEEEG1 = {
    "k": 20.0, "t1_s": 0.3, "t2_s": 0.1, "t3_s": 0.2, "uo_pu_per_s": 0.3, "uc_pu_per_s": -0.5, "pmax_pu": 1.1,
    "pmin_pu": 0.0, "t4_s": 0.25, "k1": 0.3, "t5_s": 7.0, "k3": 0.4, "t6_s": 0.4, "k5": 0.2, "t7_s": 0.3, "k7": 0.1,
}  # fmt: skip
_EXST1 = {
    "tr_s": 0.02, "tc_s": 1.0, "tb_s": 10.0, "ka": 200.0, "ta_s": 0.02, "vrmax_pu": 7.0, "vrmin_pu": -6.4, "kc": 0.04,
    "kf": 0.02, "tf_s": 1.0,
}  # fmt: skip
_ESST1A = {**_EXST1, "tc1_s": 0.1, "tb1_s": 0.3, "vamax_pu": 12.0, "vamin_pu": -12.0, "klr": 4.54, "ilr_pu": 2.0}
_NO_LAG = {"tr_s": 0.0, "tc_s": 0.0, "tb_s": 0.0, "ta_s": 0.0, "kf": 0.0}
_ESST4B = {
    "tr_s": 0.02, "kpr": 10.75, "kir": 10.75, "vrmax_pu": 1.2, "vrmin_pu": -0.87, "ta_s": 0.02, "kpm": 1.0, "kim": 0.2,
    "vmmax_pu": 1.2, "vmmin_pu": -0.87, "kg": 0.1, "kp": 6.73, "ki": 0.1, "vbmax_pu": 8.41, "kc": 0.1, "xl_pu": 0.01,
    "thetap_deg": 10.0,
}  # fmt: skip
_SCRX = {"ta_tb": 0.1, "tb_s": 10.0, "k": 100.0, "te_s": 0.05, "emin_pu": -10.0, "emax_pu": 10.0, "rc_rfd": 10.0}
_PSS2A = {
    "tw1_s": 2.0, "tw2_s": 3.0, "tw3_s": 2.0, "t7_s": 2.0, "ks2": 0.2, "t8_s": 0.5, "t9_s": 0.1, "ks1": 10.0,
    "t1_s": 0.25, "t2_s": 0.03, "t3_s": 0.15, "t4_s": 0.015, "vstmax_pu": 0.1, "vstmin_pu": -0.1,
}  # fmt: skip
_PSS2B = {**_PSS2A, "t6_s": 0.02, "t10_s": 0.1, "t11_s": 0.02, "vs2max_pu": 2.0, "vs2min_pu": -2.0, "m": 2.0, "n": 4.0}
_GENROE = {
    "h_s": 4.28, "xd_pu": 1.84, "xq_pu": 1.75, "xd1_pu": 0.41, "xq1_pu": 0.6, "xd2_pu": 0.2, "xl_pu": 0.12,
    "td10_s": 5.0, "tq10_s": 0.9, "td20_s": 0.07, "tq20_s": 0.09, "s10": 0.11, "s12": 0.39, "ra_pu": 0.003,
}  # fmt: skip
_GENSAE = {
    "h_s": 5.0, "xd_pu": 1.0, "xq_pu": 0.75, "xd1_pu": 0.4, "xd2_pu": 0.25, "xl_pu": 0.1,
    "td10_s": 5.0, "td20_s": 0.05, "tq20_s": 0.2, "s10": 0.11, "s12": 0.62, "ra_pu": 0.003,
}  # fmt: skip
_DEGOV = {
    "t1_s": 0.01, "t2_s": 0.02, "t3_s": 0.2, "k": 18.0, "t4_s": 0.25, "t5_s": 0.01, "t6_s": 0.04, "td_s": 0.05,
    "tmax_pu": 1.1, "tmin_pu": 0.0,
}  # fmt: skip
_DEGOV_SHORT = {**dict.fromkeys(_DEGOV, 0.0), "k": 18.0, "tmax_pu": 1.1}

SAMPLES_PSSE: dict[str, tuple[dict[str, float], ...]] = {
    "esac1a": (_ESAC1A, {**_ESAC1A, "tr_s": 0.0, "ta_s": 0.0, "tb_s": 0.0, "tc_s": 0.0, "kc": 0.0, "kf": 0.0}),
    "esdc1a": (_DC, _DC_ZERO),
    "esdc2a": (_DC, {**_DC_ZERO, "ke": -0.05}),
    "esst1a": (_ESST1A, {**_ESST1A, "vos": 2.0}, {**_ESST1A, **_NO_LAG, "tc1_s": 0.0, "tb1_s": 0.0}),
    "esst4b": (_ESST4B, {**_ESST4B, "kir": 0.0, "kim": 0.0, "ta_s": 0.0, "tr_s": 0.0}),
    "exac1": (_AC, {**_AC, "kc": 0.9, "tr_s": 0.0}),
    "exst1": (_EXST1, {**_EXST1, **_NO_LAG}),
    "gast": (_GAST, {**_GAST, "t2_s": 0.0, "dturb_pu": 0.0}),
    "ieeeg1": (_IEEEG1, {**_IEEEG1, "t1_s": 0.0, "t2_s": 0.0, "t4_s": 0.0, "t6_s": 0.0, "t7_s": 0.0}),
    "ieeex1": (_DC, _DC_ZERO),
    "scrx": (_SCRX, {**_SCRX, "te_s": 0.0, "tb_s": 0.0, "cswitch": 1.0, "rc_rfd": 0.0}),
    "pss2a": (
        _PSS2A,
        {**_PSS2A, "ics1": 2.0, "ics2": 4.0, "m": 0.0},
        {**_PSS2A, "ics1": 5.0, "ics2": 6.0, "tw1_s": 0.0},
    ),
    "pss2b": (_PSS2B, {**_PSS2B, "ics2": 0.0, "tw3_s": 0.0}, {**_PSS2B, "vs2max_pu": 0.3, "vs1min_pu": -0.01}),
    "stab1": (
        {"k_t": 20.0, "t_s": 3.0, "t1_t3": 2.0, "t3_s": 0.1, "t2_t4": 3.0, "t4_s": 0.05, "hlim_pu": 0.05},
        {"k_t": 20.0, "t_s": 3.0, "hlim_pu": 0.05},
    ),
    "genroe": (_GENROE, {**_GENROE, "s10": 0.0, "s12": 0.0}),
    "gensae": (_GENSAE, {**_GENSAE, "s10": 0.0, "s12": 0.0}),
    "degov": (_DEGOV, _DEGOV_SHORT),
    "ggov1": (
        {"ldref_pu": 1.2, "kturb": 1.5, "kdgov": 0.5, "kimw": 0.01, "db_pu": 0.0005, "teng_s": 0.05, "dm": 0.1},
        {"rselect": -1.0, "flag": 0.0, "trate_mw": 120.0, "dm": -0.5, "kpgov": 0.0, "kpload": 0.0},
        {"rselect": -2.0, "tpelec_s": 0.0, "tb_s": 0.0, "tsa_s": 0.0, "tsb_s": 0.0, "tfload_s": 0.0, "ka": 0.0},
        {"rselect": 0.0, "ldref_pu": 1.1},
    ),
}
