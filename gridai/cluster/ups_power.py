"""Modes of a UPS group (gridai.cluster.ups) and the power that each asks of the grid, the battery and the charger."""

from typing import Any

from gridai.kernel.contract import kernel

NORMAL, BATTERY, GENERATOR, OFF, WALKING, ONLINE, LATCHED, BYPASS = 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0
"""The modes by number. LATCHED is only shown: on battery until somebody returns the group."""


@kernel
def on_grid(mode: Any) -> float:
    """1 in the modes in which thresholds are watched and power is taken from the grid."""
    return 1.0 if mode in (NORMAL, WALKING, ONLINE) else 0.0


@kernel
def taken(p: Any, x: Any, z: Any) -> float:
    """Part k of the load that the grid is asked for."""
    if z.mode in (NORMAL, ONLINE, BYPASS):
        return 1.0
    return min(max(x.walk - z.walk0, 0.0), 1.0) if z.mode == WALKING else 0.0


@kernel
def gain(p: Any, z: Any) -> float:
    """Extra power of an eco UPS that runs online, as part of its load."""
    return p.eco_gain if p.eco == 1.0 and z.mode in (ONLINE, WALKING) else 0.0


@kernel
def backed(p: Any, z: Any) -> float:
    """1 where the battery gives what the grid does not."""
    direct = z.mode in (OFF, BYPASS, GENERATOR) or (p.eco == 1.0 and z.mode == NORMAL)
    return 1.0 if p.ups == 1.0 and z.dark == 0.0 and not direct else 0.0


@kernel
def charging_pu(p: Any, z: Any) -> float:
    """Power that the charger asks for, of the grid or of the generator [pu]."""
    return z.charging * p.charge_pu * p.p0_pu if z.mode in (NORMAL, ONLINE, GENERATOR) else 0.0


@kernel
def asked_pu(p: Any, x: Any, z: Any) -> float:
    """Power that the input stage is asked for [pu]."""
    charge = charging_pu(p, z) if z.mode != GENERATOR else 0.0
    return x.p_psu_pu * taken(p, x, z) * (1.0 + gain(p, z)) + charge
