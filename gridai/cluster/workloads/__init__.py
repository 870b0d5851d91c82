"""Workloads: what the GPUs do, as power against time over the hardware's mean power in training.

Constant, Idle         steady
Training, Cycle        iterations: compute, communication, evaluation, checkpoints, stragglers, stalls
Interrupted            any job with failures at published rates, restart and warm-up
Inference              requests that arrive, prefill, decode in batches
Serving                inference whose load is not known: levels and shares of a trace
Mixed                  several on parts of one cluster
Replay                 a measured trace
"""

from gridai.cluster.workloads.base import Constant, Idle, Workload
from gridai.cluster.workloads.checkpoints import Checkpoint
from gridai.cluster.workloads.cycle import Cycle, Phase
from gridai.cluster.workloads.failures import Interrupted
from gridai.cluster.workloads.inference import Inference
from gridai.cluster.workloads.mixed import Mixed, Part
from gridai.cluster.workloads.replay import Replay
from gridai.cluster.workloads.serving import Serving
from gridai.cluster.workloads.training import Training

__all__ = [
    "Checkpoint",
    "Constant",
    "Cycle",
    "Idle",
    "Inference",
    "Interrupted",
    "Mixed",
    "Part",
    "Phase",
    "Replay",
    "Serving",
    "Training",
    "Workload",
]
