"""The current that flows into a monitored branch, for models whose inputs read `branch.*`."""

from gridai.kernel.contract import Input, kernel

INPUTS = (
    Input("b_v_re", "pu", "branch.v_re", "voltage at the measured end of the branch, real part"),
    Input("b_v_im", "pu", "branch.v_im", "voltage at the measured end of the branch, imaginary part"),
    Input("b_w_re", "pu", "branch.w_re", "voltage at the other end, real part"),
    Input("b_w_im", "pu", "branch.w_im", "voltage at the other end, imaginary part"),
    Input("b_ys_re", "pu", "branch.ys_re", "admittance of the branch at the measured end, real part"),
    Input("b_ys_im", "pu", "branch.ys_im", "admittance of the branch at the measured end, imaginary part"),
    Input("b_ym_re", "pu", "branch.ym_re", "admittance of the branch between its ends, real part"),
    Input("b_ym_im", "pu", "branch.ym_im", "admittance of the branch between its ends, imaginary part"),
    Input("b_on", "1", "branch.on", "1 while the branch is in service"),
)


@kernel
def has_branch(u):
    """True where a branch is given."""
    return u.b_ym_re != 0.0 or u.b_ym_im != 0.0


@kernel
def branch_voltage(u):
    """Voltage at the measured end."""
    return complex(u.b_v_re, u.b_v_im)


@kernel
def branch_current(p, u):
    """Current into the branch at the measured end [pu on the unit's base]; 0 while it is out of service."""
    own = complex(u.b_ys_re, u.b_ys_im) * complex(u.b_v_re, u.b_v_im)
    other = complex(u.b_ym_re, u.b_ym_im) * complex(u.b_w_re, u.b_w_im)
    return (own + other) * (u.b_on * p.s_base_mva / p.mva)
