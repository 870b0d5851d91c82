"""From the GPU to the meter: server, distribution, UPS, transformer, cooling, and sites made of halls.

facility = Facility(outdoor_c=20.0)
Cluster.of("H100", count=100_000, facility=facility).pue      # a result, not an input
"""

from gridai.cluster.facility.cooling import Cooling, CoolingCourse
from gridai.cluster.facility.curves import Curve, CurveFamily
from gridai.cluster.facility.facility import Facility, SlowCourse
from gridai.cluster.facility.gpu import GpuPower
from gridai.cluster.facility.losses import Losses
from gridai.cluster.facility.server import Server, ServerParts
from gridai.cluster.facility.stages import STAGES, Stages

__all__ = [
    "STAGES",
    "Cooling",
    "CoolingCourse",
    "Curve",
    "CurveFamily",
    "Facility",
    "GpuPower",
    "Losses",
    "Server",
    "ServerParts",
    "SlowCourse",
    "Stages",
]
