"""What a run leaves behind, as plain data: Result and its channels, events, limits and verdicts; save and load.

Lowest layer but units and errors: every other part may read these types, none of them is needed to read a result.
"""

from __future__ import annotations

from gridai.results.frequency import Rocof, Settling, coi_frequency, rocof, rocof_series, settling, voltage_frequency
from gridai.results.measures import Extreme, Extremes, extremes, lowest_highest
from gridai.results.records import Channel, EventRecord, Limit, Status, Verdict
from gridai.results.result import Group, Result
from gridai.results.store import atomic_folder, atomic_path, load, save

__all__ = [
    "Channel", "EventRecord", "Extreme", "Extremes", "Group", "Limit", "Result", "Rocof", "Settling", "Status",
    "Verdict", "atomic_folder", "atomic_path", "coi_frequency", "extremes", "load", "lowest_highest", "rocof",
    "rocof_series", "save", "settling", "voltage_frequency",
]  # fmt: skip
