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

SAMPLES_PSSE: dict[str, tuple[dict[str, float], ...]] = {
    "esac1a": (_ESAC1A, {**_ESAC1A, "tr_s": 0.0, "ta_s": 0.0, "tb_s": 0.0, "tc_s": 0.0, "kc": 0.0, "kf": 0.0}),
    "exac1": (_AC, {**_AC, "kc": 0.9, "tr_s": 0.0}),
    "gast": (_GAST, {**_GAST, "t2_s": 0.0, "dturb_pu": 0.0}),
}
