"""From a fit to a cluster: the fitted workload on a hardware whose mean power in training is the measured one.

plug_training_w   the trace's mean for one GPU (from GPU power by `facility.Server`)
gpu_training_w    as far between the hardware's idle and training as the plug's mean is between its own
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridai.cluster.cluster import Cluster
from gridai.cluster.facility.server import Server
from gridai.cluster.hardware import Figure, Hardware
from gridai.cluster.traces.trace import Trace
from gridai.cluster.workloads.base import Workload
from gridai.errors import SettingError
from gridai.kernel.profile import Array


def plug_watt(hardware: Hardware, gpu_w: Array) -> Array:
    """Plug power of one GPU and its share of the server, where the GPU draws gpu_w. [W], any shape."""
    grid = np.linspace(0.0, max(2.0 * hardware.gpu_tdp_w.value, float(np.max(gpu_w))), 200)
    return np.asarray(np.interp(gpu_w, grid, Server().from_gpu(hardware, grid).plug_w))


def at_plug(trace: Trace, hardware: Hardware) -> Trace:
    """A trace of GPU power (NVML, DCGM) as the server's plug sees it. Raises SettingError where gpus is unknown."""
    watt = plug_watt(hardware, trace.watt_per_gpu)
    note = f"power of the GPUs alone, taken to the plug of {hardware.name}: {watt.mean():.0f} W a GPU"
    return replace(trace, mw=watt * trace.gpus / 1e6, notes=(*trace.notes, note))


def fitted_cluster(workload: Workload, watt: float, hardware: Hardware, count: int, pue: float, source: str) -> Cluster:
    """So many GPUs with a fitted workload whose mean is `watt` at the plug for one GPU. Raises SettingError.

    source: where the number is from, for the hardware's table.
    """
    if not hardware.it_idle_w < watt:
        raise SettingError(
            f"{source}: {watt:.0f} W a GPU is not above {hardware.it_idle_w:.0f} W, an idle {hardware.name}: give the "
            "trace's hardware, its GPUs, or at='gpu' for power of the GPUs alone"
        )
    share = (watt - hardware.it_idle_w) / (hardware.it_training_w - hardware.it_idle_w)
    gpu_w = hardware.gpu_idle_w.value + share * (hardware.gpu_training_w.value - hardware.gpu_idle_w.value)
    measured = replace(
        hardware,
        name=f"{hardware.name} ({source})",
        gpu_training_w=Figure(min(gpu_w, watt), "W", f"between idle and training as the plug: {source}", "M"),
        plug_training_w=Figure(watt, "W", f"fit of {source}", "V"),
        plug_peak_w=Figure(max(watt, hardware.it_peak_w), "W", hardware.plug_peak_w.source, "M"),
        aliases=(),
    )
    return Cluster.of(measured, count=count, pue=pue, workload=workload)
