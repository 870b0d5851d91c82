"""Measured power: traces read from CSV files, resampled and scaled with their units stated.

trace = read_trace("run.csv", gpus=512)          # power in MW inside, whatever the file's unit
Cluster.of("H100", count=512, workload=Replay.of(trace, HARDWARE["H100"]))
"""

from gridai.cluster.traces.columns import holds_each, of_gpus_alone
from gridai.cluster.traces.read import read_each, read_trace
from gridai.cluster.traces.trace import Trace

__all__ = ["Trace", "holds_each", "of_gpus_alone", "read_each", "read_trace"]
