"""The GPU cluster as a load: hardware, workload, demand at the meter and electrical behaviour.

    from gridai.cluster import Cluster, Constant, Pause, Training
    cluster = Cluster.of("H100", count=100_000, pue=1.25)
    demand_mw = cluster.demand(60.0, [Pause(at_s=1.0, pause_mw=100.0, resume_s=11.0)])

It never sees buses or other devices; the engine places `electrical.MODEL` on a bus. Needs NumPy only.
"""

from gridai.cluster import electrical
from gridai.cluster.cluster import Cluster
from gridai.cluster.electrical import PowerSupply
from gridai.cluster.facility import Facility
from gridai.cluster.hardware import HARDWARE, Figure, Hardware, hardware
from gridai.cluster.pauses import Pause, PauseParts, explain_pause
from gridai.cluster.ride_through import MotorClass, RideThrough, UpsClass
from gridai.cluster.site import Site
from gridai.cluster.stored import load_cluster, save_cluster
from gridai.cluster.traces import Trace, read_trace
from gridai.cluster.workloads import (
    Checkpoint,
    Constant,
    Cycle,
    Idle,
    Inference,
    Interrupted,
    Mixed,
    Part,
    Phase,
    Replay,
    Serving,
    Training,
    Workload,
)  # fmt: skip

__all__ = [
    "HARDWARE",
    "Checkpoint",
    "Cluster",
    "Constant",
    "Cycle",
    "Facility",
    "Figure",
    "Hardware",
    "Idle",
    "Inference",
    "Interrupted",
    "Mixed",
    "MotorClass",
    "Part",
    "Pause",
    "PauseParts",
    "Phase",
    "PowerSupply",
    "Replay",
    "RideThrough",
    "Serving",
    "Site",
    "Trace",
    "Training",
    "UpsClass",
    "Workload",
    "electrical",
    "explain_pause",
    "hardware",
    "load_cluster",
    "read_trace",
    "save_cluster",
]
