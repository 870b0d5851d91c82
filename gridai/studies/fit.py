"""The study `fit`: from a measured power trace to the parameters of a workload, and how well the model meets it.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from gridai.errors import SettingError
from gridai.studies.common import check_study, required, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.cluster import Cluster
    from gridai.cluster.calibration import Fit as Fitted
    from gridai.cluster.calibration import Measures
    from gridai.cluster.traces import Trace
    from gridai.cluster.workloads import Workload
    from gridai.reports import Measure, Report, Table
    from gridai.results import Result

FIGURES = ("fit",)
PLACES = ("plug", "gpu")
KINDS = ("auto", "training", "serving", "cycle")
PIECE = 1 << 20
MOST_PHASES = 16
"""So many phases of a cycle at most are listed."""


@dataclass(frozen=True)
class Outcome:
    """A trace with the model that was fitted to it, played as the trace was measured.

    workload  with `mean_mw` as its mean power. [MW]
    parts     (start, end, high) of the run [s]; training: start and end of the part that was fitted [s].
    rows      (parameter, value, unit) of the fit.
    """

    trace: Trace
    model: Trace
    workload: Workload
    mean_mw: float
    rows: tuple[tuple[str, float, str], ...]
    parts: tuple[tuple[float, float, bool], ...]
    training: tuple[float, float]
    cycle_s: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Fit:
    """Fit a workload to a measured power trace and overlay both: course, spectrum, ramps, duration curve.

    The trace is a CSV file: a meter's, nvidia-smi's or DCGM's, or time and columns of power. A training run gives
    steps, evaluation, stalls, ripple, idle level, start and stop times; GPUs that serve give levels and shares. The
    study needs no case. cluster_file keeps a cluster with the fitted workload for other studies' --cluster-file.
    """

    needs_cluster: ClassVar[bool] = False

    trace: str = required("CSV file of the measured power")
    gpus: int = setting(0, "", "GPUs behind the power; 0: not known, and the unit cannot be checked", least=0)
    kind: str = setting("auto", "", "what it shows: a training run, GPUs that serve (a power for each), one cycle of a "
                        "job; auto: training, or serving where nothing repeats", choices=KINDS)  # fmt: skip
    unit: str = setting("", "", "W, kW, MW or mW (default: from the column's name)")
    time: str = setting("", "", "column of time (default: by the usual names)")
    power: str = setting("", "", "column of power, several with commas (default: by the usual names)")
    meter_s: float = setting(0.0, "s", "averaging time of the meter; 0: instantaneous", least=0.0)
    every_s: float | None = setting(None, "s", "average over steps of so long while reading, for a file too long to "
                                    "hold (default: keep every sample)", above=0.0)  # fmt: skip
    longest_gap_s: float = setting(60.0, "s", "longer gaps are refused, shorter ones bridged by a line", above=0.0)
    drop_missing: bool = setting(False, "", "leave out rows without a number instead of refusing them")
    at: str = setting("plug", "", "where it was measured: plug of the servers, or the GPUs alone (nvidia-smi, DCGM)",
                      choices=PLACES)  # fmt: skip
    hardware: str = setting("H100", "", "hardware of the cluster that is written, and of GPUs measured alone")
    cluster_file: str = setting("", "", "write a cluster with the fitted workload to this TOML file")
    count: int | None = setting(None, "", "GPUs of that cluster (default: those of the trace); of more, jobs of the "
                                "trace's size run side by side, out of step", least=1)  # fmt: skip
    in_step: bool = setting(False, "", "make them one job instead, all in step")
    pue: float = setting(1.25, "", "power at that cluster's meter over its IT power", least=1.0)
    gpus_per_server: int = setting(8, "", "GPUs in a server", least=1)
    seed: int = setting(0, "", "seed of the model's course", least=0)

    def __post_init__(self) -> None:
        check_study(self)
        if self.cluster_file and not self.gpus and self.kind != "serving":
            raise SettingError("study fit: cluster_file: the cluster needs the trace's number of GPUs: give gpus")

    def run(self, case: Case | None = None) -> Report:
        """Fit, play the model as the trace was measured, compare. A case plays no part.

        Raises CaseError for a faulty file (row and remedy named), SettingError for a trace that cannot be fitted.
        """
        from gridai.reports import Measure, Report
        from gridai.studies.provenance import versions

        found = self.outcome()
        trace = found.trace
        written = self._write(found)
        name = type(found.workload).__name__
        who = f"{trace.gpus} GPUs" if trace.gpus else "an unknown number of GPUs"
        summary = {f"parameter_{k + 1}": Measure(label, *_readable(value, unit)) for k, (label, value, unit) in
                   enumerate(found.rows)}  # fmt: skip
        return Report(
            title=f"{trace.name}: {name} fitted to {_span(trace.duration_s)} of {who}",
            study=self,
            summary={**summary, **_quality(found)},
            verdicts=(),
            limits=(),
            result=_result(found),
            figures=FIGURES,
            tables={"comparison": _comparison(found), "workload": _workload(found)},
            notes=(*found.notes, *written),
            provenance={**versions(), "case": "", "trace": Path(self.trace).name, "samples": len(trace),
                        "sha256": _sha256(Path(self.trace))},
        )  # fmt: skip

    def outcome(self) -> Outcome:
        """The fitted workload beside the trace. Raises as `run`."""
        from gridai.cluster.traces import holds_each

        options = self._options()
        if self.kind == "cycle":
            return self._cycle()
        if self.kind != "serving":
            found = self._training()
            each = holds_each(self.trace, options["unit"], options["time"], options["power"])
            if self.kind == "training" or found.shape is not None or not each:
                return self._outcome(found)
        return self._outcome(self._serving())

    def cluster(self, found: Outcome) -> Cluster:
        """`count` GPUs with the workload of an outcome, at its mean power. Raises SettingError, UnknownNameError."""
        from dataclasses import replace

        from gridai.cluster.calibration import fitted_cluster
        from gridai.cluster.hardware import hardware
        from gridai.cluster.workloads import Training

        gpus = found.trace.gpus
        if not gpus:
            raise SettingError(f"fit of {found.trace.name}: the number of its GPUs is not known; give gpus")
        work, count = found.workload, self.count or gpus
        if self.in_step and isinstance(work, Training):
            work = replace(work, job_gpus=count)
        return fitted_cluster(work, found.mean_mw * 1e6 / gpus, hardware(self.hardware), count, self.pue,
                              found.trace.name)  # fmt: skip

    def _write(self, found: Outcome) -> tuple[str, ...]:
        if not self.cluster_file:
            return ()
        from gridai.cluster import save_cluster
        from gridai.results import atomic_path

        made = self.cluster(found)
        with atomic_path(Path(self.cluster_file)) as part:
            save_cluster(made, part)
        return (f"{made.count} GPUs, {made.p_mw:.4g} MW at the meter, are written to {self.cluster_file}: give it to "
                "other studies as --cluster-file",)  # fmt: skip

    def _options(self) -> dict[str, Any]:
        names = tuple(name.strip() for name in self.power.split(",") if name.strip())
        return {
            "unit": self.unit or None, "time": self.time or None, "power": names or None, "meter_s": self.meter_s,
            "every_s": self.every_s, "longest_gap_s": self.longest_gap_s, "drop_missing": self.drop_missing,
        }  # fmt: skip

    def _read(self) -> Trace:
        from gridai.cluster.calibration import at_plug
        from gridai.cluster.hardware import hardware
        from gridai.cluster.traces import read_trace

        found = read_trace(self.trace, gpus=self.gpus, **self._options())
        return found if self.at == "plug" else at_plug(found, hardware(self.hardware))

    def _training(self) -> Fitted:
        from gridai.cluster.calibration import fit

        return fit(self._read(), self.gpus_per_server)

    def _serving(self) -> Fitted:
        from gridai.cluster.calibration import at_plug, fit_serving, plug_watt
        from gridai.cluster.hardware import hardware
        from gridai.cluster.traces import read_each

        trace, watt = read_each(self.trace, **self._options())
        if self.at == "gpu":
            trace, watt = at_plug(trace, hardware(self.hardware)), plug_watt(hardware(self.hardware), watt)
        return fit_serving(trace, watt)

    def _outcome(self, found: Fitted) -> Outcome:
        from gridai.cluster.workloads import Serving

        phase, whole = found.segments.training, (0.0, found.trace.duration_s)
        rows = tuple((label, float(value), unit) for label, value, unit in found.rows() if not isinstance(value, str))
        return Outcome(
            trace=found.trace,
            model=found.model(self.seed, in_step=True),
            workload=found.workload,
            mean_mw=found.mean_mw,
            rows=rows,
            parts=tuple((p.start_s, p.end_s, p.high) for p in found.segments.parts),
            training=whole if isinstance(found.workload, Serving) else (phase.start_s, phase.end_s),
            cycle_s=found.shape.cycle_s if found.shape else 0.0,
            notes=(*found.notes, *self._remarks(found.trace)),
        )

    def _cycle(self) -> Outcome:
        from dataclasses import replace

        from gridai.cluster.calibration import fit_cycle

        whole = self._read()
        found = fit_cycle(whole.t_s, whole.mw)
        trace = whole.between(0.0, float(found.t_s[-1]))
        model = replace(trace, name=f"{trace.name}, model", mw=found.power)
        steps = [p for p in found.cycle.step if p.duration_s > 0.0]
        levels = [(f"{p.name}: level", p.level, "MW") for p in steps[:MOST_PHASES]]
        lengths = [(f"{p.name}: length", p.duration_s, "s") for p in steps[:MOST_PHASES]]
        repeats = "; the longest phase repeats a pattern" if found.pattern else ""
        note = f"{len(steps)} phases, met within {found.rms:.2%} rms of the mean{repeats}"
        head = [("iteration", found.cycle.period_s, "s"), ("phases", float(len(steps)), "")]
        return Outcome(
            trace, model, found.cycle, trace.mean_mw, tuple(head + levels + lengths), (), (0.0, trace.duration_s), 0.0,
            (note, *trace.notes, *self._remarks(trace)),
        )  # fmt: skip

    def _remarks(self, trace: Trace) -> list[str]:
        from gridai.cluster.traces import of_gpus_alone

        notes, options = [], self._options()
        if self.at == "plug" and of_gpus_alone(self.trace, options["unit"], options["time"], options["power"]):
            notes.append("these columns hold the power of the GPUs alone; give at='gpu' to add the rest of the server")
        if not trace.gpus:
            notes.append("the number of GPUs is not known, so the unit of power was not checked; give gpus")
        if not trace.meter_s:
            notes.append(
                f"the meter is taken as instantaneous, the samples are {trace.step_s:.3g} s apart; give meter_s if it "
                "averages"
            )
        return notes


def _span(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds < 600.0 else f"{seconds / 60.0:.3g} min"


def _sha256(path: Path) -> str:
    """Checksum of a file, read in pieces."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(piece)
    return found.hexdigest()


def _phase(trace: Trace, found: Outcome) -> Trace:
    """The fitted part of the trace or of the model, without its edges."""
    from gridai.cluster.calibration import inner_of

    return inner_of(trace, *found.training)


def _pairs(trace: Measures, model: Measures) -> list[tuple[str, str, float, float]]:
    """(measure, unit, trace, model) of two courses."""
    rows = [("mean", "MW", trace.mean, model.mean), ("standard deviation", "MW", trace.std, model.std)]
    rows += [(f"percentile {q:g}", "MW", trace.percentiles[q], model.percentiles[q]) for q in trace.percentiles]
    step = f"on {trace.ramp_step_s:.3g} s"
    return [
        *rows,
        ("swing, percentile 95 less 5", "MW", trace.swing, model.swing),
        ("strongest line, frequency", "Hz", trace.line.f_hz, model.line.f_hz),
        ("strongest line, amplitude", "MW", trace.line.amplitude, model.line.amplitude),
        (f"ramp {step}, percentile 95", "MW/s", trace.ramp_p95, model.ramp_p95),
        (f"ramp {step}, percentile 99.9", "MW/s", trace.ramp_p999, model.ramp_p999),
    ]


def _comparison(found: Outcome) -> Table:
    """Trace beside model: in the fitted part, and over the whole run where it has others."""
    from gridai.cluster.calibration import measure
    from gridai.reports import Table

    places = [("whole run", found.trace, found.model)]
    if found.training != (0.0, found.trace.duration_s):
        places.insert(0, ("fitted part", _phase(found.trace, found), _phase(found.model, found)))
    rows = []
    for place, a, b in places:
        for what, unit, own, model in _pairs(measure(a), measure(b)):
            factor, unit = (1.0, unit) if unit == "Hz" else _scaled(found.mean_mw, unit)
            change = round(100.0 * (model / own - 1.0), 2) + 0.0 if own else ""
            rows.append((place, what, f"{factor * own:.5g}", f"{factor * model:.5g}", unit, change))
    return Table("trace and model", ("", "measure", "trace", "model", "unit", "model - trace in %"), tuple(rows))


def _readable(value: float, unit: str) -> tuple[float, str]:
    """A power below 1 MW in kW or W; anything else as it is."""
    factor, readable = _scaled(value, unit) if unit.startswith("MW") else (1.0, unit)
    return factor * value, readable


def _scaled(mw: float, unit: str) -> tuple[float, str]:
    """Factor and unit in place of MW (or MW/s) in which a power of so many MW reads well."""
    factor, letters = (1.0, "MW") if mw >= 1.0 or mw <= 0.0 else (1e3, "kW") if mw >= 1e-3 else (1e6, "W")
    return factor, unit.replace("MW", letters)


def _quality(found: Outcome) -> dict[str, Measure]:
    """The errors that matter, as summary lines."""
    import numpy as np

    from gridai.cluster.calibration import measure
    from gridai.reports import Measure

    own, model = (measure(_phase(x, found)) for x in (found.trace, found.model))
    rms = float(np.sqrt(np.mean((found.model.mw - found.trace.mw) ** 2))) / found.trace.mean_mw

    def line(label: str, a: float, b: float) -> Measure:
        return Measure(label, 100.0 * (b / a - 1.0) if a else float("nan"), "%")

    return {
        "error_mean": line("error of the mean", own.mean, model.mean),
        "error_swing": line("error of the swing, percentile 95 less 5", own.swing, model.swing),
        "error_line_hz": line("error of the strongest line's frequency", own.line.f_hz, model.line.f_hz),
        "error_line_mw": line("error of its amplitude", own.line.amplitude, model.line.amplitude),
        "error_ramp": line("error of the ramps' percentile 99.9", own.ramp_p999, model.ramp_p999),
        "rms": Measure("rms of model less trace, whole run", 100.0 * rms, "%", note="of the mean"),
    }


def _workload(found: Outcome) -> Table:
    """Every field of the fitted workload as Python takes it; the mean power besides."""
    from gridai.reports import Table

    rows = [("mean_mw", f"{found.mean_mw:.6g}", "mean power of the fitted part")]
    for f in fields(found.workload):  # type: ignore[arg-type]
        value = getattr(found.workload, f.name)
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        if len(text) <= 60:
            help_text = re.sub(r" \(.*?\)", "", str(f.metadata.get("help", "")))
            rows.append((f.name, text, f"{help_text} {_unit(f.metadata.get('unit', ''))}".strip()))
    return Table(f"workload {type(found.workload).__name__}", ("field", "value", ""), tuple(rows))


def _unit(unit: str) -> str:
    return f"[{unit}]" if unit else ""


def _result(found: Outcome) -> Result:
    """Trace and model over time."""
    import numpy as np

    from gridai.results import Channel, Result

    meta = {
        "case": found.trace.name,
        "meter_s": found.trace.meter_s,
        "gpus": found.trace.gpus,
        "parts": [list(part) for part in found.parts],
        "training": list(found.training),
        "cycle_s": found.cycle_s,
        "workload": type(found.workload).__name__,
        "mean_mw": found.mean_mw,
    }
    channels = tuple(Channel("cluster", name, "p_mw", "MW") for name in ("trace", "model"))
    return Result(found.trace.t_s, np.column_stack([found.trace.mw, found.model.mw]), channels, (), meta)
