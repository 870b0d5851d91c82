"""Inside a composite load: the way from the system bus to the load bus, and what stands there. Kernels of CMLD.

    V --- 1 : n --- j xt --- VL ----- zf ----- W --- motors A, B, C  (Norton: admittance and inner current)
                             |                 |---- compressors D, electronic, static:  Y(|W|)
                       j (bss + fb bfdr)   j (1 - fb) bfdr

With If = Yt W - Jm (Yt: all admittance at W, Jm: current of the motors' inner voltages) and VL = W + zf If the chain
gives E = n V = a W + b (Yt W - Jm),  a = 1 + j xt j bsub,  b = a zf + j xt.  So

    W (a + b Yt) = E + b Jm        and, with m = |W|:        m |a + b (Yc + Y(m))| = |E + b Jm|

one real equation for m. The secant method solves it from the last known m, bisection where that fails; then W, If and
the current Ix = j bsub VL + If out of the transformer follow. An impedance of zero is no special case.
All on the system base; the fields are those of CMLD's records.
"""

from gridai.kernel.contract import kernel
from gridai.models.loads._compressor import compressor_admittance, power
from gridai.models.loads._motor import cage_rate, connected_part, load_torque, speed_rate
from gridai.models.loads.ldelec import served

V_SWITCH_PU = 0.7
"""Below this voltage static parts are constant impedance, as in ZIP."""
SECANT_STEPS = 40
BISECTIONS = 100


@kernel
def static_admittance(p, df, m):
    """Admittance of the static part at voltage m."""
    ms = max(m, V_SWITCH_PU)
    r = ms / p.w0_pu
    s_p = p.p1c * power(r, p.p1e) + p.p2c * power(r, p.p2e) + 1.0 - p.p1c - p.p2c
    s_q = p.q1c * power(r, p.q1e) + p.q2c * power(r, p.q2e) + 1.0 - p.q1c - p.q2c
    s_p, s_q = p.ps0_pu * s_p * (1.0 + p.pfreq * df), p.qs0_pu * s_q * (1.0 + p.qfreq * df)
    return complex(s_p, -s_q) / ms**2


@kernel
def rest_admittance(p, x, z, m):
    """Admittance at voltage m of all that is no three-phase motor."""
    y = static_admittance(p, x.df_pu, m)
    part = served(m, z.v_low_pu, p.vd1_pu, p.vd2_pu, p.frcel)
    if part > 0.0:
        y += part * complex(p.pel0_pu, -p.qel0_pu) / m**2
    if p.pb_pu > 0.0:
        y += p.pb_pu * compressor_admittance(p, x, z, m)
    return y


@kernel
def stators(p, z):
    """Stator admittances of motors A, B, C, connected parts only."""
    ya = p.ma_pu * connected_part(z.mode1a, z.mode2a, p.ftr1a, p.ftr2a) / complex(p.rsa_pu, p.lppa_pu)
    yb = p.mb_pu * connected_part(z.mode1b, z.mode2b, p.ftr1b, p.ftr2b) / complex(p.rsb_pu, p.lppb_pu)
    yc = p.mc_pu * connected_part(z.mode1c, z.mode2c, p.ftr1c, p.ftr2c) / complex(p.rsc_pu, p.lppc_pu)
    return ya, yb, yc


@kernel
def inner_current(p, x, z):
    """Current that the motors' inner voltages drive through their stators into a short circuit."""
    ya, yb, yc = stators(p, z)
    a = ya * complex(x.e1a_re + x.e2a_re, x.e1a_im + x.e2a_im)
    b = yb * complex(x.e1b_re + x.e2b_re, x.e1b_im + x.e2b_im)
    return a + b + yc * complex(x.e1c_re + x.e2c_re, x.e1c_im + x.e2c_im)


@kernel
def substation(p):
    """Admittance of the shunts at the low-side bus."""
    return complex(0.0, p.bss0_pu + p.fb * p.bfdr_pu)


@kernel
def load_bus(p, x, z, v):
    """Voltage W at the load bus for voltage v at the system bus."""
    a = 1.0 + complex(0.0, p.xt_pu) * substation(p)
    b = a * complex(p.rf_pu, p.xf_pu) + complex(0.0, p.xt_pu)
    ya, yb, yc = stators(p, z)
    fixed = ya + yb + yc + complex(0.0, (1.0 - p.fb) * p.bfdr_pu)
    source = z.tap * p.ratio * v + b * inner_current(p, x, z)
    size = abs(source)
    if size < 1e-9:
        return complex(0.0, 0.0)
    m1, m2 = 0.0, z.w_pu if z.w_pu > 1e-3 else size
    h1, h2 = -size, m2 * abs(a + b * (fixed + rest_admittance(p, x, z, m2))) - size
    for _ in range(SECANT_STEPS):
        if abs(h2) < 1e-14 * size or h2 == h1:
            break
        m1, h1, m2 = m2, h2, m2 - h2 * (m2 - m1) / (h2 - h1)
        if not 0.0 < m2 < 10.0 * size:
            break
        h2 = m2 * abs(a + b * (fixed + rest_admittance(p, x, z, m2))) - size
    if not (0.0 < m2 < 10.0 * size and abs(h2) < 1e-12):
        low, high = 0.0, 10.0 * size
        for _ in range(BISECTIONS):
            m2 = 0.5 * (low + high)
            if m2 * abs(a + b * (fixed + rest_admittance(p, x, z, m2))) > size:
                high = m2
            else:
                low = m2
    return source / (a + b * (fixed + rest_admittance(p, x, z, m2)))


@kernel
def feeder_current(p, x, z, w):
    """Current through the feeder into the load bus."""
    ya, yb, yc = stators(p, z)
    y = ya + yb + yc + complex(0.0, (1.0 - p.fb) * p.bfdr_pu) + rest_admittance(p, x, z, abs(w))
    return y * w - inner_current(p, x, z)


@kernel
def low_side(p, w, i):
    """(voltage of the low-side bus, current out of the transformer) from W and the feeder's current."""
    vl = w + complex(p.rf_pu, p.xf_pu) * i
    return vl, substation(p) * vl + i


@kernel
def regulated(p, vl, i):
    """Voltage that the tap changer holds: that of the low-side bus behind its compensation."""
    return abs(vl - complex(p.rcomp0_pu, p.xcomp0_pu) * i)


@kernel
def motor_rates(w, e1, e2, omega, m, rs, ls, lp, lpp, tpo, tppo, h, etrq, omega0, t0, omega_base, rate_max):
    """(de1/dt, de2/dt, d omega/dt) of one motor at voltage w; at rest where there is none (m = 0)."""
    if m <= 0.0:
        return complex(0.0, 0.0), complex(0.0, 0.0), 0.0
    i, slip = (w - e1 - e2) / complex(rs, lpp), 1.0 - omega
    d1 = cage_rate(e1, i, ls - lp, lpp, tpo, slip, omega_base, rate_max)
    d2 = cage_rate(e2, i, lp - lpp, lpp, tppo, slip, omega_base, rate_max)
    te = ((e1 + e2) * i.conjugate()).real
    return d1, d2, speed_rate(te, load_torque(omega, omega0, t0, etrq), h, omega)
