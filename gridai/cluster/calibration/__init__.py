"""Calibration: from measured power to the parameters of a workload.

fit           a training run on its meter: steps, evaluation, stalls, idle, start and stop times -> Training
fit_serving   GPUs that serve a load not known -> Serving
fit_cycle     one iteration in detail -> Cycle
measure       mean, percentiles, spectral line, ramps: what a trace and a model are compared by
"""

from gridai.cluster.calibration.fit import Fit, fit
from gridai.cluster.calibration.measures import Line, Measures, measure
from gridai.cluster.calibration.phases import CycleFit, fit_cycle
from gridai.cluster.calibration.place import at_plug, fitted_cluster, plug_watt
from gridai.cluster.calibration.segment import Segments, inner_of, segment
from gridai.cluster.calibration.serving import fit_serving

__all__ = [
    "CycleFit",
    "Fit",
    "Line",
    "Measures",
    "Segments",
    "at_plug",
    "fit",
    "fit_cycle",
    "fit_serving",
    "fitted_cluster",
    "inner_of",
    "measure",
    "plug_watt",
    "segment",
]
