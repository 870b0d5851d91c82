"""What the relays of a line share: the current at its end, the breaker, and the inputs from the branch."""

from gridai.kernel.contract import ACTION_OPEN, Input, State, kernel

WAITING, OPENING, OPENED = 0.0, 1.0, 2.0


@kernel
def line_current(u):
    """Current into the branch at the relay [pu of the system base, network frame]."""
    v, w = complex(u.v_re, u.v_im), complex(u.w_re, u.w_im)
    return u.on * (complex(u.ys_re, u.ys_im) * v + complex(u.ym_re, u.ym_im) * w)


@kernel
def breaker_next(z, tripped, opened, t, tb_s):
    """Breaker after a relay's decision: returns ACTION_OPEN when it opens."""
    if z.breaker == WAITING and tripped:
        if tb_s <= 0.0:
            z.breaker = OPENED
            return ACTION_OPEN
        z.breaker, z.breaker_s = OPENING, t + tb_s
    elif z.breaker == OPENING and opened > 0.0:
        z.breaker = OPENED
        return ACTION_OPEN
    return 0


@kernel
def breaker_guard(z, t):
    """Guard: the breaker is open."""
    return t - z.breaker_s if z.breaker == OPENING else -1.0


INPUTS = (
    Input("v_re", "pu", "branch.v_re", "voltage at the relay, real part"),
    Input("v_im", "pu", "branch.v_im", "voltage at the relay, imaginary part"),
    Input("w_re", "pu", "branch.w_re", "voltage at the other end, real part"),
    Input("w_im", "pu", "branch.w_im", "voltage at the other end, imaginary part"),
    Input("ys_re", "pu", "branch.ys_re", "own admittance, real part"),
    Input("ys_im", "pu", "branch.ys_im", "own admittance, imaginary part"),
    Input("ym_re", "pu", "branch.ym_re", "admittance to the other end, real part"),
    Input("ym_im", "pu", "branch.ym_im", "admittance to the other end, imaginary part"),
    Input("on", "", "branch.on", "1 in service"),
)
MEMORY = (
    State("breaker", "", "0 waiting, 1 opening, 2 opened"),
    State("breaker_s", "s", "time when the breaker is open"),
)
