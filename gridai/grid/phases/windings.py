"""The zero sequence of two-winding transformers by vector group.

    hv o--[3 Zn]--[z_h]--+--[z_l]--o lv        z_h = si0_hv_partial zk0, z_l the rest, z_m = mag0_percent zk0
                         |
                       [z_m]                   an earthed star is connected, a delta shorts its side of the T to
                         |                     earth, a star without neutral leaves it open, a zigzag splits the two
                       earth

Per unit of the lv side; columns as pandapower. Source: IEC 60909-4; H. Saadat, Power System Analysis, fig. 10.10.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gridai.errors import CaseError

_GROUP = re.compile(r"(YN|Y|D|ZN|Z)(YN|Y|D|ZN|Z)(\d{1,2})?", re.IGNORECASE)


@dataclass(frozen=True)
class Group:
    """hv, lv: "YN", "Y", "D", "ZN" or "Z"; clock: the digits, None without."""

    hv: str
    lv: str
    clock: int | None

    @property
    def odd(self) -> bool:
        """Whether the lv side lags by an odd multiple of 30 degree."""
        return ("Y" in self.hv) != ("Y" in self.lv)  # a zigzag turns like a delta


def parse(text: str) -> Group:
    """A vector group like Dyn5, YNd11, YNyn0, Yzn5, or without the digits. Raises CaseError."""
    match = _GROUP.fullmatch(text.strip())
    if match is None:
        raise CaseError(f"'{text}' is not a vector group of two windings: write Dyn5, YNyn0, YNd11, Yyn0, Yzn5, ...")
    hv, lv, clock = match.groups()
    if clock is not None and int(clock) > 11:
        raise CaseError(f"'{text}': the clock number goes from 0 to 11")
    return Group(hv.upper(), lv.upper(), None if clock is None else int(clock))


def checked_clock(group: Group, text: str, shift_degree: float) -> int:
    """The clock number that shift_degree states. Raises CaseError if the vector group says otherwise.

    shift_degree  by which the lv side lags, as in pandapower.
    """
    hours = shift_degree / 30.0
    clock = round(hours) % 12
    if abs(hours - round(hours)) > 1e-6:
        raise CaseError(f"shift_degree = {shift_degree:g} of {text}: a multiple of 30 is needed")
    if group.clock is not None and group.clock != clock:
        raise CaseError(f"shift_degree = {shift_degree:g} does not fit {text}: write {30 * group.clock}")
    if group.odd != bool(clock % 2):
        kind = "an odd" if group.odd else "an even"
        raise CaseError(f"shift_degree = {shift_degree:g} does not fit {text}: {kind} multiple of 30 (150 for Dyn5)")
    return clock


def zero_pi(
    group: Group, clock: int, z_k: complex, y_m: complex, part_hv: float, ratio: float, zn_hv: complex, zn_lv: complex
) -> tuple[complex, complex, complex, complex]:
    """Zero-sequence y_ff, y_ft, y_tf, y_tt, hv side first. [pu]

    z_k       short-circuit impedance. [pu of the lv side]
    y_m       magnetising admittance. [pu of the lv side]
    part_hv   share of z_k in the hv winding.
    ratio     off-nominal turns ratio on the hv side.
    zn_hv     three times the impedance between neutral and earth. [pu of the hv side]; zn_lv: [pu of the lv side]
    """
    z_h, z_l = part_hv * z_k, (1.0 - part_hv) * z_k
    hv, lv = group.hv, group.lv
    n_h, n_l = zn_hv / ratio**2, zn_lv
    if "Z" in hv or "Z" in lv:
        return _split(hv, lv, z_h, z_l, z_k, y_m, ratio, n_h, n_l)
    z_h, z_l = z_h + n_h * (hv == "YN"), z_l + n_l * (lv == "YN")
    if hv == "YN" and lv == "YN":
        whole = z_h * z_l * y_m + z_h + z_l
        turn = -ratio if clock in (2, 6, 10) else ratio  # the windings of these are reversed
        through = -1.0 / (whole * turn)
        return (z_l * y_m + 1.0) / whole / ratio**2, through, through, (z_h * y_m + 1.0) / whole
    y_h = _alone(z_h, z_l, y_m, lv) / ratio**2 if hv == "YN" else 0j
    y_l = _alone(z_l, z_h, y_m, hv) if lv == "YN" else 0j
    return y_h, 0j, 0j, y_l


def _alone(own: complex, other: complex, y_m: complex, beyond: str) -> complex:
    """Admittance to earth of an earthed star; behind it a delta or nothing but the magnetising branch."""
    if beyond == "D":
        return 1.0 / (own + other / (1.0 + y_m * other))
    return y_m / (1.0 + y_m * own)


def _split(
    hv: str, lv: str, z_h: complex, z_l: complex, z_k: complex, y_m: complex, ratio: float, n_h: complex, n_l: complex
) -> tuple[complex, complex, complex, complex]:
    """An earthed zigzag winding is a path to earth of its own and decouples the two sides."""
    both = hv in ("YN", "ZN") and lv in ("YN", "ZN")
    sides = []
    for own, z, n in ((hv, z_h, n_h), (lv, z_l, n_l)):
        if own == "ZN":
            sides.append(1.0 / ((z if both else z_k) + n))
        elif own == "YN":
            sides.append(y_m / (1.0 + y_m * (z + n)))
        else:
            sides.append(0j)
    return sides[0] / ratio**2, 0j, 0j, sides[1]
