"""A made-up pause, close to what the engine gives, for tests that only need something to judge, draw or save."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gridai.results import Channel, EventRecord, Result


def made_up_pause(until_s: float = 20.0, buses: int = 39, units: int = 10, pause_mw: float = 100.0) -> Result:
    """Buses "1".."39" with the cluster at "16", units "G1".."G10"; pause at 1 s, return at 11 s."""
    grid = np.arange(0.0, until_s + 1e-9, 1.0 / 240.0)
    t = np.sort(np.concatenate([grid, [1.0, 11.0]]))
    response = np.zeros_like(t)
    drawn = np.full(t.shape, 107.0)
    for at, sign in ((1.0, 1.0), (11.0, -1.0)):
        s = np.maximum(t - at, 0.0)
        response += sign * (1.0 - np.exp(-0.35 * s) * np.cos(0.9 * s))
        drawn -= sign * pause_mw * np.minimum(s / 0.5, 1.0)
    jitter = 3.0 * (np.mod(t, 1.0) < 0.2)
    speed = 1.0 + 4e-4 * response
    columns: list[np.ndarray] = []
    channels: list[Channel] = []
    local = np.exp(-0.2 * np.maximum(t - 1.0, 0.0)) * (np.arange(len(t)) > np.searchsorted(t, 1.0))
    angle = 2 * np.pi * 60.0 * np.concatenate([[0.0], np.cumsum(np.diff(t) * (speed[1:] - 1.0))])
    for b in range(1, buses + 1):
        near = np.exp(-abs(b - 16) / 8.0)
        vm = 0.985 + 0.0019 * b + near * (0.004 * response + 0.0015 * local * np.sin(7.0 * t + b))
        theta = angle - 0.02 * b + 0.01 * near * local * np.sin(8.2 * t + b)
        channels += [Channel("bus", str(b), "v_re_pu", "pu"), Channel("bus", str(b), "v_im_pu", "pu")]
        columns += [vm * np.cos(theta), vm * np.sin(theta)]
    for g in range(1, units + 1):
        swing = (5.0 + g) * (response + 0.4 * local * np.sin(6.0 * t + g))
        channels += [Channel("gen", f"G{g}", "speed_pu", "pu"), Channel("gen", f"G{g}", "p_mw", "MW")]
        columns += [speed + 2e-5 * local * np.sin(6.5 * t + 2 * g), 250.0 + 50.0 * g - swing]
    channels += [Channel("cluster", "ai", q, u) for q, u in
                 (("p_mw", "MW"), ("q_mvar", "MVAr"), ("p_demand_mw", "MW"))]  # fmt: skip
    columns += [drawn + jitter, 0.14 * drawn, drawn + 1.02 * jitter]
    events = (EventRecord(1.0, "training_pause", "ai", "100 MW"), EventRecord(11.0, "training_resume", "ai", ""))
    meta = {
        "f_hz": 60.0, "s_base_mva": 100.0, "case": "made-up", "step_s": 1 / 240, "cluster_bus": {"ai": "16"},
        "inertia_mws": {f"G{g}": 300.0 + 100.0 * g for g in range(1, units + 1)}, "units_off": {},
        "bus_kv": {str(b): 345.0 for b in range(1, buses + 1)},
    }  # fmt: skip
    return Result(t, np.column_stack(columns), tuple(channels), events, meta)


@pytest.fixture(scope="session")
def made_up() -> Callable[..., Result]:
    """The function `made_up_pause`."""
    return made_up_pause
