"""Input signals of PSS/E's stabilisers by code, and the ports they need.

code  signal
1     speed deviation of the rotor [pu]
2     frequency deviation of a bus [pu], from its voltage phasor behind a lag of tmeas_s
3     air-gap power [pu of machine base]
4     accelerating power: mechanical power, as the governor changes it, less air-gap power [pu of machine base]
5     voltage of that bus [pu]
6     rate of change of that voltage [pu/s], behind a lag of tmeas_s

The bus of codes 2, 5 and 6 is the one in column `remote_bus` of the table (a second signal: `remote_bus2`), the
machine's own where the column is empty.
"""

from gridai.kernel.blocks import derivative_filtered, phasor_slip
from gridai.kernel.contract import Input, Param, kernel


@kernel
def measured(code, u, v, meas1, meas2, tmeas_s, omega_base):
    """The signal of this code, v the voltage of its bus, and the rates of the two measuring states."""
    if code == 1.0:
        return u.omega_pu - 1.0, 0.0, 0.0
    if code == 2.0:
        slip, rate = phasor_slip(v, complex(meas1, meas2), tmeas_s)
        return slip / omega_base, rate.real, rate.imag
    if code == 3.0:
        return u.pe_pu, 0.0, 0.0
    if code == 4.0:
        return u.pm_pu - u.pe_pu, 0.0, 0.0
    if code == 5.0:
        return abs(v), 0.0, 0.0
    if code == 6.0:
        slope, rate1 = derivative_filtered(abs(v), meas1, 1.0, tmeas_s)
        return slope, rate1, 0.0
    return 0.0, 0.0, 0.0


def measuring_states(code: float, v: complex) -> tuple[float, float]:
    """The two measuring states at rest at bus voltage v [pu]."""
    if code == 2.0:
        return v.real, v.imag
    return (abs(v), 0.0) if code == 6.0 else (0.0, 0.0)


CODES = "1 speed, 2 frequency, 3 power, 4 accelerating power, 5 voltage, 6 rate of voltage"

INPUTS = (
    Input("omega_pu", "pu", "machine.omega_pu", "speed", default=1.0),
    Input("pe_pu", "pu", "machine.pe_pu", "air-gap power"),
    Input("pm_pu", "pu", "governor.pm_pu", "mechanical power; without a governor it is constant, and washed out"),
    Input("v_re", "pu", "remote.v_re", "voltage of the signal's bus, real part"),
    Input("v_im", "pu", "remote.v_im", "voltage of the signal's bus, imaginary part"),
)
"""What a stabiliser with a choice of signals reads."""

TMEAS = Param(
    "tmeas_s", "s", 0.04, "lag of measured frequency (code 2) and rate of voltage (code 6), above 0", low=1e-6
)

OWN_LAG = (
    "Frequency (code 2) and rate of voltage (code 6) are measured behind tmeas_s; PSS/E takes them from its own "
    "frequency filter and from differences between steps."
)
ZERO_INSIDE = "Limits that do not hold zero are refused: the stabiliser would move the operating point."


def zero_inside(values: dict[str, float], low: str, high: str) -> list[tuple[str, str]]:
    """A complaint if the limits of an output that starts at zero do not hold it."""
    if values[low] > 0.0 or values[high] < 0.0 or values[low] >= values[high]:
        return [(low, f"the output starts at 0: give {low[:-3]} <= 0 <= {high[:-3]} ({high} = {values[high]:g})")]
    return []


def need_lag(values: dict[str, float], *pairs: tuple[str, str]) -> list[tuple[str, str]]:
    """Complaints about (lead, lag) pairs with a lead and no lag."""
    return [
        (lag_s, f"must be above 0 where {lead_s} is not 0")
        for lead_s, lag_s in pairs
        if values[lead_s] != 0.0 and values[lag_s] == 0.0
    ]
