"""Small nets with zero-sequence data for the unbalanced power flow."""

from __future__ import annotations

import re
from typing import Any

import pandapower as pp

NONE = 1e9  # mag0_percent of a transformer without magnetising branch in the zero sequence


def with_zero_sequence(net: Any, group: str = "YNyn", shift_degree: float = 0.0) -> Any:
    """Plausible zero-sequence data for every element of a net; written to it."""
    for letter, factor in (("r", 3.0), ("x", 3.0)):
        net.line[f"{letter}0_ohm_per_km"] = factor * net.line[f"{letter}_ohm_per_km"]
    net.line["c0_nf_per_km"] = 0.6 * net.line["c_nf_per_km"]
    for column, value in (("s_sc_max_mva", 5000.0), ("rx_max", 0.1), ("x0x_max", 1.0), ("r0x0_max", 0.1)):
        net.ext_grid[column] = value
    if len(net.gen):
        net.gen["sn_mva"], net.gen["xdss_pu"] = net.gen["p_mw"].clip(lower=50.0), 0.2
    if len(net.trafo):
        net.trafo["vector_group"], net.trafo["shift_degree"] = group, shift_degree
        net.trafo["vk0_percent"], net.trafo["vkr0_percent"] = net.trafo["vk_percent"], net.trafo["vkr_percent"]
        net.trafo["mag0_percent"], net.trafo["mag0_rx"], net.trafo["si0_hv_partial"] = NONE, 0.0, 0.5
    return net


def one_line(r: float = 0.4, x: float = 0.3, r0: float = 1.3, x0: float = 0.9) -> Any:
    """A source, 1 km of line without capacitance, and a 0.4 kV bus without load. [ohm]"""
    net = pp.create_empty_network(sn_mva=0.1, f_hz=50.0)
    a, b = pp.create_bus(net, 0.4), pp.create_bus(net, 0.4)
    pp.create_ext_grid(net, a, vm_pu=1.03, s_sc_max_mva=20.0, rx_max=0.5, x0x_max=2.0, r0x0_max=0.3)
    pp.create_line_from_parameters(net, a, b, 1.0, r, x, 0.0, 0.2, r0_ohm_per_km=r0, x0_ohm_per_km=x0, c0_nf_per_km=0.0)
    return net


def feeder(group: str, *, tap: int = 0, side: str = "hv", earthed: bool = True, between: bool = True, c0: float = 1.0,
           r0x0: float = 0.2) -> Any:  # fmt: skip
    """20 kV source, cable, transformer of a vector group, two pieces of 0.4 kV line with unbalanced loads.

    earthed  loads from phase to earth; between: loads between two phases. c0: scale of the zero-sequence capacitance.
    """
    net = pp.create_empty_network(sn_mva=10.0, f_hz=50.0)
    buses = [pp.create_bus(net, 20.0) for _ in range(2)] + [pp.create_bus(net, 0.4) for _ in range(3)]
    pp.create_ext_grid(net, buses[0], vm_pu=1.02, va_degree=10.0, s_sc_max_mva=500.0, rx_max=0.2, x0x_max=3.0,
                       r0x0_max=r0x0)  # fmt: skip
    for f, t, km, r, x, c in ((0, 1, 8.0, 0.2, 0.35, 10), (2, 3, 0.3, 0.32, 0.08, 200), (3, 4, 0.2, 0.6, 0.09, 100)):
        pp.create_line_from_parameters(
            net, buses[f], buses[t], km, r, x, c, 0.3, r0_ohm_per_km=3 * r, x0_ohm_per_km=3.5 * x,
            c0_nf_per_km=0.6 * c * c0,
        )  # fmt: skip
    found = re.search(r"\d+", group)
    assert found is not None
    pp.create_transformer_from_parameters(
        net, buses[1], buses[2], 0.4, 20.2, 0.41, 1.2, 6.0, 0.0, 0.0, shift_degree=30.0 * int(found.group()),
        vector_group=group, vk0_percent=6.0, vkr0_percent=1.2, mag0_percent=NONE, mag0_rx=0.0, si0_hv_partial=0.5,
        tap_side=side, tap_neutral=0, tap_min=-5, tap_max=5, tap_step_percent=2.5, tap_pos=tap,
        tap_changer_type="Ratio",
    )  # fmt: skip
    if earthed:
        pp.create_asymmetric_load(net, buses[4], p_a_mw=0.03, q_a_mvar=0.01, p_b_mw=0.005)
        pp.create_asymmetric_load(net, buses[3], p_c_mw=0.02, q_c_mvar=-0.01)
    if between:
        pp.create_asymmetric_load(net, buses[3], p_a_mw=0.03, q_a_mvar=0.01, p_c_mw=0.015, type="delta")
    pp.create_load(net, buses[3], 0.05, 0.02)
    net.load["type"] = "wye" if earthed else "delta"
    return net
