"""Clusters made of several parts: which devices they are, and their sums as channels of the whole cluster."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridai.results import Channel

GROUP_KIND = "ups"
"""Kind of the channels of a cluster's groups; kind "cluster" holds their sums."""
SUMMED = {"p_mw": "MW", "q_mvar": "MVAr", "p_demand_mw": "MW", "p_load_mw": "MW"}


def parts_of(system: Any, cluster: str) -> dict[str, float]:
    """The devices of a cluster and the share of it that each is; one of the cluster's own name, or its groups."""
    found = {
        d.name: d.p_mw
        for g in system.groups
        if g.model.role == "cluster"
        for d in g.devices
        if cluster in (d.name, d.owner)
    }
    total = sum(found.values())
    if total == 0.0:
        return {name: 1.0 / len(found) for name in found}
    return {name: p / total for name, p in found.items()}


def with_cluster_sums(data: np.ndarray, channels: tuple[Channel, ...]) -> tuple[np.ndarray, tuple[Channel, ...]]:
    """The recorded data with a channel of kind "cluster" added for each summed quantity of each grouped cluster."""
    groups: dict[tuple[str, str], list[int]] = {}
    for k, c in enumerate(channels):
        if c.kind == GROUP_KIND and c.quantity in SUMMED:
            groups.setdefault((c.element.rpartition("/")[0], c.quantity), []).append(k)
    if not groups:
        return data, channels
    scales = np.array([c.scale for c in channels])
    sums = np.column_stack([data[:, at] @ scales[at] for at in groups.values()])
    extra = tuple(Channel("cluster", name, quantity, SUMMED[quantity]) for name, quantity in groups)
    return np.hstack([data, sums]), (*channels, *extra)
