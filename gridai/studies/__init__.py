"""Studies: one a file, a frozen dataclass of parameters with `run(case) -> Report`.

`STUDIES` maps the name a study has on the command line to its class; the class is imported when it is looked up, and
importing it loads the standard library only.

    report = gridai.studies.Pause(pause_mw=100).run(case)
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gridai.errors import UnknownNameError, near

if TYPE_CHECKING:
    from gridai.studies.cascade import Cascade
    from gridai.studies.cct import Cct
    from gridai.studies.compare import Compare
    from gridai.studies.contingency import Contingency
    from gridai.studies.fault import Fault
    from gridai.studies.fit import Fit
    from gridai.studies.flicker import Flicker
    from gridai.studies.hosting import Hosting
    from gridai.studies.largest_cluster import LargestCluster
    from gridai.studies.largest_loss import LargestLoss
    from gridai.studies.largest_pause import LargestPause
    from gridai.studies.largest_swing import LargestSwing
    from gridai.studies.longest_fault import LongestFault
    from gridai.studies.lowest_scr import LowestScr
    from gridai.studies.mitigate import Mitigate
    from gridai.studies.modes import Modes
    from gridai.studies.operating_modes import OperatingModes
    from gridai.studies.oscillate import Oscillate
    from gridai.studies.pause import Pause
    from gridai.studies.quality import Quality
    from gridai.studies.recover import Recover
    from gridai.studies.regulate import Regulate
    from gridai.studies.respond import Respond
    from gridai.studies.ride_through import RideThrough
    from gridai.studies.shortest_recovery import ShortestRecovery
    from gridai.studies.size import Size
    from gridai.studies.timeseries import Timeseries
    from gridai.studies.trip import Trip
    from gridai.studies.unbalanced import Unbalanced

HOMES = {
    "pause": "gridai.studies.pause:Pause",
    "oscillate": "gridai.studies.oscillate:Oscillate",
    "fault": "gridai.studies.fault:Fault",
    "trip": "gridai.studies.trip:Trip",
    "cct": "gridai.studies.cct:Cct",
    "contingency": "gridai.studies.contingency:Contingency",
    "operating-modes": "gridai.studies.operating_modes:OperatingModes",
    "timeseries": "gridai.studies.timeseries:Timeseries",
    "hosting": "gridai.studies.hosting:Hosting",
    "unbalanced": "gridai.studies.unbalanced:Unbalanced",
    "largest-pause": "gridai.studies.largest_pause:LargestPause",
    "largest-loss": "gridai.studies.largest_loss:LargestLoss",
    "largest-swing": "gridai.studies.largest_swing:LargestSwing",
    "largest-cluster": "gridai.studies.largest_cluster:LargestCluster",
    "lowest-scr": "gridai.studies.lowest_scr:LowestScr",
    "shortest-recovery": "gridai.studies.shortest_recovery:ShortestRecovery",
    "longest-fault": "gridai.studies.longest_fault:LongestFault",
    "compare": "gridai.studies.compare:Compare",
    "modes": "gridai.studies.modes:Modes",
    "ride-through": "gridai.studies.ride_through:RideThrough",
    "flicker": "gridai.studies.flicker:Flicker",
    "recover": "gridai.studies.recover:Recover",
    "cascade": "gridai.studies.cascade:Cascade",
    "quality": "gridai.studies.quality:Quality",
    "fit": "gridai.studies.fit:Fit",
    "mitigate": "gridai.studies.mitigate:Mitigate",
    "size": "gridai.studies.size:Size",
    "respond": "gridai.studies.respond:Respond",
    "regulate": "gridai.studies.regulate:Regulate",
}
"""Where each study lives: name -> "module:Class"."""


ALONE = frozenset({"fit", "compare"})
"""Studies that take no case."""


class _Studies(Mapping[str, type]):
    """The study classes by name, imported when looked up. An unknown name lists the near ones."""

    def __getitem__(self, name: str) -> type:
        if name not in HOMES:
            raise UnknownStudyError(near(name, HOMES, "study"))
        module, _, cls = HOMES[name].partition(":")
        found: type = getattr(importlib.import_module(module), cls)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(HOMES)

    def __len__(self) -> int:
        return len(HOMES)


class UnknownStudyError(UnknownNameError, KeyError):
    """No study of this name. A KeyError as well, as of any mapping."""

    def __str__(self) -> str:
        return str(self.args[0])


STUDIES = _Studies()

__all__ = [
    "ALONE",
    "HOMES",
    "STUDIES",
    "Cascade",
    "Cct",
    "Compare",
    "Contingency",
    "Fault",
    "Fit",
    "Flicker",
    "Hosting",
    "LargestCluster",
    "LargestLoss",
    "LargestPause",
    "LargestSwing",
    "LongestFault",
    "LowestScr",
    "Mitigate",
    "Modes",
    "OperatingModes",
    "Oscillate",
    "Pause",
    "Quality",
    "Recover",
    "Regulate",
    "Respond",
    "RideThrough",
    "ShortestRecovery",
    "Size",
    "Timeseries",
    "Trip",
    "Unbalanced",
]


def __getattr__(name: str) -> Any:
    """A study class by its class name (PEP 562)."""
    for home in HOMES.values():
        module, _, cls = home.partition(":")
        if cls == name:
            return getattr(importlib.import_module(module), cls)
    raise AttributeError(f"module 'gridai.studies' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
