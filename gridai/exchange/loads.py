"""How the constant-power part of imported loads behaves in dynamics: PSS/E's load conversion (CONL).

A RAW file gives the law of each load in the power flow. Before a dynamic run PSS/E turns the constant-power part into
shares of constant current and constant admittance; the parts that are of constant current or admittance stay. The
power at the solved voltage does not change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gridai.errors import SettingError, near
from gridai.grid import OperatingPoint

PARTS = ("pz", "pi", "pp", "qz", "qi", "qp")


@dataclass(frozen=True)
class LoadConversion:
    """Shares of the constant-power part that become constant current and constant admittance; the rest stays.

    p_current, p_admittance  of active power
    q_current, q_admittance  of reactive power
    """

    p_current: float = 1.0
    p_admittance: float = 0.0
    q_current: float = 0.0
    q_admittance: float = 1.0

    def __post_init__(self) -> None:
        for letter in "pq":
            current, admittance = getattr(self, f"{letter}_current"), getattr(self, f"{letter}_admittance")
            if not (current >= 0.0 and admittance >= 0.0 and current + admittance <= 1.0 + 1e-12):
                text = f"{letter}_current = {current!r}, {letter}_admittance = {admittance!r}"
                raise SettingError(f"{text}: give shares of 0 or more that sum to 1 at most")

    def __str__(self) -> str:
        texts = []
        for letter, current, admittance in (
            ("P", self.p_current, self.p_admittance),
            ("Q", self.q_current, self.q_admittance),
        ):
            texts.append(f"{letter} {100 * current:g} % constant current, {100 * admittance:g} % constant admittance")
        return "; ".join(texts)


CONVERSIONS = {
    "usual": LoadConversion(),
    "constant_impedance": LoadConversion(0.0, 1.0, 0.0, 1.0),
    "constant_current": LoadConversion(1.0, 0.0, 1.0, 0.0),
    "constant_power": LoadConversion(0.0, 0.0, 0.0, 0.0),
}
"""Conversions by name. "usual": constant-current P, constant-admittance Q, as transmission studies take it."""


def conversion_of(asked: str | LoadConversion) -> LoadConversion:
    """A conversion by name or as it is. Raises SettingError listing the names."""
    if isinstance(asked, LoadConversion):
        return asked
    if asked not in CONVERSIONS:
        raise SettingError(near(asked, CONVERSIONS, "load conversion", "a LoadConversion"))
    return CONVERSIONS[asked]


def converted(point: OperatingPoint, conversion: LoadConversion, file: str, own: frozenset[str] = frozenset()) -> Any:
    """The table `zip` of loads with a constant-power part, None if there is none. One row `*` where all are alike.

    own    loads with a dynamic model of their own: they are left out.
    """
    import pandas as pd

    loads = point.network.loads
    rows = []
    for k, name in enumerate(loads.name):
        pz, pi, pp, qz, qi, qp = (float(getattr(loads, part)[k]) for part in PARTS)
        if name in own:
            continue
        if (pp > 0.0 and loads.p_mw[k] != 0.0) or (qp > 0.0 and loads.q_mvar[k] != 0.0):
            pz, pi, pp = _moved(pz, pi, pp, conversion.p_admittance, conversion.p_current)
            qz, qi, qp = _moved(qz, qi, qp, conversion.q_admittance, conversion.q_current)
            rows.append({"unit": name, **dict(zip(PARTS, (pz, pi, pp, qz, qi, qp), strict=True))})
    if not rows:
        return None
    alike = len(rows) == len(set(loads.name) - own) and all(
        row | {"unit": "*"} == rows[0] | {"unit": "*"} for row in rows
    )
    frame = pd.DataFrame([rows[0] | {"unit": "*"}] if alike else rows)
    frame.attrs["file"] = file
    return frame


def _moved(z: float, i: float, p: float, to_z: float, to_i: float) -> tuple[float, float, float]:
    return z + to_z * p, i + to_i * p, max(p * (1.0 - to_z - to_i), 0.0)
