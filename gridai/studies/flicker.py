"""The study `flicker`: how much a cluster's power makes lamps flicker, at its bus in the case or behind a weak grid.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from gridai.errors import Problems, SettingError
from gridai.studies.common import add_places, check_fields, placement_of, provenance_of, redispatch_tables, setting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gridai.case import Case, Placement
    from gridai.kernel.profile import Profile
    from gridai.reports import Measure, Report, Table
    from gridai.results import Result
    from gridai.results.flickermeter import Flicker as Measured

    FloatArray = NDArray[np.float64]

FIGURES = ("flicker",)
PERIOD_S = 600.0
LONGEST_STEP_S = 1 / 400
"""A flickermeter takes 400 RMS values a second or more. [s]"""
BEGIN_S = 1.0
"""A trace begins so late: the power flow is solved at its mean. [s]"""
CHANGE_S = 1.0
"""The change of power over the short-circuit power is that within so long. [s]"""


@dataclass(frozen=True)
class Flicker:
    """Flicker of a cluster's power: Pst of ten-minute periods at its bus, by the flickermeter of IEC 61000-4-15.

    The voltage comes from the dynamic run of the case or, with scr, from a source behind an impedance of that strength.
    The power is that of the cluster's workload, or a measured trace from a CSV file, repeated to fill the time.
    """

    needs_cluster: ClassVar[bool] = True

    file: str = setting("", "", "CSV of the measured power: a column of time in s and one of power in any unit")
    column: str = setting("", "", "name of the power's column in it (default: the second)")
    amplitude_mw: float | None = setting(None, "MW", "of the trace: half of highest less lowest power (default: in "
                                         "proportion to the cluster)", above=0.0)  # fmt: skip
    scr: float | None = setting(None, "", "short-circuit power over the cluster's mean power (default: the grid of "
                                "the case)", above=0.0)  # fmt: skip
    xr: float = setting(10.0, "", "reactance over resistance of that grid", above=0.0)
    periods: int = setting(1, "", "number of ten-minute periods; twelve give a Plt", least=1)
    settle_s: float = setting(60.0, "s", "time before the first period", least=0.0)
    step_s: float = setting(LONGEST_STEP_S, "s", "longest integration step, 1/400 s at most", above=0.0)
    seed: int = setting(0, "", "seed of the cluster's training", least=0)
    profile: str = setting("ieee-1453", "", "criteria profile, or a TOML file; judged by its condition quality")
    cluster: str | None = setting(None, "", "name of the cluster; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study flicker")
        check_fields(self, found)
        if not found and self.step_s > LONGEST_STEP_S * (1.0 + 1e-9):
            text = f"give {LONGEST_STEP_S:g} s or less: a flickermeter takes 400 values a second"
            found.add("flicker", None, "step_s", self.step_s, text)
        if not found and (self.amplitude_mw is not None or self.column) and not self.file:
            found.add(
                "flicker", None, "file", None, "amplitude_mw and column belong to a measured trace: give its file"
            )
        found.raise_if_any(SettingError)

    @property
    def horizon_s(self) -> float:
        """End of the run. [s]"""
        return self.settle_s + PERIOD_S * self.periods

    def run(self, case: Case) -> Report:
        """Pst at the cluster's bus.

        A case whose run would not keep 400 values a second of every bus is taken as its impedance at the cluster's bus.
        Raises SettingError for a case without a cluster, a swing larger than it, or a grid too weak to carry it;
        CaseError for a faulty CSV file.
        """
        from gridai import criteria
        from gridai.reports import Report
        from gridai.results.flickermeter import flicker, lamp_of

        placement = placement_of(case, self.cluster)
        if self.scr is None:
            seen = self._as_impedance(case, placement)
            if seen is not None:
                return seen
        profile = criteria.load_profile(self.profile, case.f_hz)
        case, placement = self._with_trace(case, placement)
        result = self._in_the_case(case, placement) if self.scr is None else self._behind(case, placement, self.scr)
        result.meta["flicker_settle_s"] = self.settle_s
        lamp = lamp_of(case.f_hz)
        vm = result.series("bus", placement.bus, "vm_pu")
        measured = flicker(result.t_s, vm, lamp, PERIOD_S, self.settle_s)
        return Report(
            title=f"{case.name}: flicker of {placement.name} at bus {placement.bus}{self._strength()}",
            study=self,
            summary=_summary(result, placement, measured),
            verdicts=criteria.check(result, profile, "quality"),
            limits=profile.of("quality"),
            result=result,
            figures=FIGURES,
            tables={"pst": _table(measured, self.settle_s), **redispatch_tables(case)},
            notes=(f"lamp and filters {lamp}", *self._remarks(placement), *case.notes),
            provenance=provenance_of(case, result, profile),
        )

    def _strength(self) -> str:
        return "" if self.scr is None else f" behind a short-circuit ratio of {self.scr:g}"

    def _as_impedance(self, case: Case, placement: Placement) -> Report | None:
        """The report with the grid as its impedance at the bus, where the case has too many buses; None where not."""
        from gridai import engine
        from gridai.engine.events import thevenin
        from gridai.engine.simulation import MEMORY_BYTES, channel_table

        system = engine.compile_system(case)
        rows = self.horizon_s / self.step_s
        if rows * len(channel_table(system, ("bus", "cluster"))[1]) * 8 < 2 * MEMORY_BYTES:
            return None
        z = thevenin(engine.Run(system), system.node(placement.bus))
        scr = system.network.s_base_mva / abs(z) / placement.cluster.p_mw
        report = replace(self, scr=scr, xr=max(z.imag / z.real, 1e-3)).run(case)
        said = (f"the case has {len(case.buses)} buses, too many to keep each at 400 values a second: the grid is "
                f"its impedance at bus {placement.bus}, {scr * placement.cluster.p_mw:.3g} MVA at X/R "
                f"{z.imag / z.real:.2g}, loads as constant impedance")  # fmt: skip
        return replace(report, notes=(said, *report.notes))

    def _with_trace(self, case: Case, placement: Placement) -> tuple[Case, Placement]:
        """The case with the cluster's workload replaced by the trace, if there is one."""
        if not self.file:
            return case, placement
        from gridai.cluster.waveform import Played

        cluster, course = placement.cluster, self._course(placement)
        lowest = cluster.p_mw + float(course.values.min())
        if lowest < 0.0:
            raise SettingError(
                f"amplitude_mw: the cluster draws {cluster.p_mw:.1f} MW on average and would fall to {lowest:.1f} MW; "
                "give a smaller amplitude or a larger cluster"
            )
        level = cluster.workload.mean
        played = replace(cluster, workload=Played(course.scaled(level / cluster.p_mw).plus(level)))
        placed = replace(placement, cluster=played)
        kept = tuple(placed if p.name == placement.name else p for p in case.placements)
        return replace(case, placements=kept), placed

    def _course(self, placement: Placement) -> Profile:
        """The change of the cluster's power from its mean, MW, repeated to the end of the run."""
        from gridai.cluster import waveform

        once = waveform.trace(self.file, BEGIN_S, 1, self.column)
        length = max(float(once.t_s[-1]) - BEGIN_S, 1e-6)
        course = waveform.trace(self.file, BEGIN_S, math.ceil(self.horizon_s / length) + 1, self.column)
        if self.amplitude_mw is None:
            return course.scaled(placement.cluster.p_mw)
        swing = float(once.values.max() - once.values.min())
        return course.scaled(2.0 * self.amplitude_mw / max(swing, 1e-9))

    def _in_the_case(self, case: Case, placement: Placement) -> Result:
        """Voltage and power from the dynamic run of the case, the other channels left out."""
        from gridai import engine
        from gridai.results import Result

        system = engine.compile_system(case)
        whole = engine.simulate(
            system, (), until_s=self.horizon_s, step_s=self.step_s, record=("bus", "cluster"), seed=self.seed
        )
        names = (("bus", placement.bus, ("v_re_pu", "v_im_pu")), ("cluster", placement.name, ("p_mw", "q_mvar")))
        keep = [k for k, c in enumerate(whole.channels)
                if any((c.kind, c.element) == pair[:2] and c.quantity in pair[2] for pair in names)]  # fmt: skip
        channels = tuple(whole.channels[k] for k in keep)
        result = Result(whole.t_s, whole.data[:, keep], channels, whole.events, whole.meta)
        add_places(result, case)
        return _as_size(result, placement)

    def _behind(self, case: Case, placement: Placement, scr: float) -> Result:
        """Voltage and power of the cluster behind an impedance; the source gives 1 pu at the mean power."""
        import numpy as np

        from gridai.results import Channel, Result
        from gridai.results.scalars import Scalar, add_scalars
        from gridai.results.variation import peak_to_peak

        cluster = placement.cluster
        count = math.ceil(self.horizon_s / self.step_s - 1e-9)
        t = np.linspace(0.0, self.horizon_s, count + 1)
        p = np.asarray(cluster.demand(self.horizon_s, seed=self.seed).value(t))
        q = p * cluster.q_mvar / cluster.p_mw
        short_circuit_mva = scr * cluster.p_mw
        v = voltage_behind(p, q, cluster.p_mw, cluster.q_mvar, short_circuit_mva, self.xr)
        channels = (
            Channel("bus", placement.bus, "vm_pu", "pu"),
            Channel("cluster", placement.name, "p_mw", "MW"),
            Channel("cluster", placement.name, "q_mvar", "MVAr"),
        )
        meta = {"case": case.name, "f_hz": case.f_hz, "step_s": self.step_s, "inertia_mws": {}}
        result = Result(t, np.column_stack([v, p, q]), channels, (), meta)
        add_places(result, case)
        change = peak_to_peak(t, np.hypot(p, q), CHANGE_S)
        return add_scalars(result, [
            Scalar("short_circuit_ratio", placement.name, scr, "1"),
            Scalar("power_change", placement.name, 100.0 * change.value / short_circuit_mva, "%", change.t_s),
        ])  # fmt: skip

    def _remarks(self, placement: Placement) -> list[str]:
        found = []
        if self.file:
            course = self._course(placement)
            step = float(sorted(course.t_s[1:] - course.t_s[:-1])[len(course) // 2])
            found.append(f"the trace's samples are {step:.3g} s apart: what is faster is not in it")
        if self.scr is not None:
            power = self.scr * placement.cluster.p_mw
            found.append(f"short-circuit power {power:.4g} MVA, X/R {self.xr:g}, 1 pu at the mean power")
        return found


def voltage_behind(
    p_mw: FloatArray, q_mvar: FloatArray, mean_mw: float, mean_mvar: float, short_circuit_mva: float, xr: float
) -> FloatArray:
    """Voltage of a load of constant power behind an impedance, float[nt] in pu; 1 pu at the mean power.

    Raises SettingError where the grid cannot carry the power: the voltage has no solution.
    """
    import numpy as np

    r = 1.0 / math.hypot(1.0, xr)
    x = r * xr

    def sag(p: Any, q: Any) -> Any:
        return (r * p + x * q) / short_circuit_mva

    source = (1.0 + sag(mean_mw, mean_mvar)) ** 2 + ((x * mean_mw - r * mean_mvar) / short_circuit_mva) ** 2
    half = 0.5 * source - sag(p_mw, q_mvar)
    inside = half**2 - (p_mw**2 + q_mvar**2) / short_circuit_mva**2
    if (inside < 0.0).any() or (half <= 0.0).any():
        worst = float(np.hypot(p_mw, q_mvar).max())
        raise SettingError(
            f"scr: {short_circuit_mva:.4g} MVA of short-circuit power do not carry {worst:.4g} MVA: "
            "the voltage collapses; give a larger scr"
        )
    return np.asarray(np.sqrt(half + np.sqrt(inside)))


def _as_size(result: Result, placement: Placement) -> Result:
    """The result with the size of the voltage in place of its two parts."""
    import numpy as np

    from gridai.results import Channel, Result

    vm = result.series("bus", placement.bus, "vm_pu")
    rest = [k for k, c in enumerate(result.channels) if c.kind == "cluster"]
    channels = (Channel("bus", placement.bus, "vm_pu", "pu"), *(result.channels[k] for k in rest))
    return Result(result.t_s, np.column_stack([vm, result.data[:, rest]]), channels, result.events, result.meta)


def _summary(result: Result, placement: Placement, measured: Measured) -> dict[str, Measure]:
    from gridai.reports import Measure
    from gridai.results import lowest_highest

    settle_s = float(result.meta["flicker_settle_s"])
    judged = measured.t_s >= settle_s
    worst = max(range(len(measured.pst)), key=lambda k: measured.pst[k])
    at = int(measured.p_inst[judged].argmax())
    vm = lowest_highest(result.t_s, 100.0 * result.series("bus", placement.bus, "vm_pu"))
    p = lowest_highest(result.t_s, result.series("cluster", placement.name, "p_mw"))
    end = settle_s + PERIOD_S * (worst + 1)
    found = {
        "pst": Measure("largest Pst", measured.pst[worst], "", f"bus {placement.bus}", end, f"period {worst + 1}"),
        "p_inst": Measure("largest P_inst", float(measured.p_inst[judged][at]), "", f"bus {placement.bus}",
                          float(measured.t_s[judged][at])),
        "voltage_swing": Measure("voltage, highest less lowest", vm.swing, "%", f"bus {placement.bus}"),
        "power_swing": Measure("power, highest less lowest", p.swing, "MW", placement.name),
    }  # fmt: skip
    if not math.isnan(measured.plt):
        found["plt"] = Measure("Plt", measured.plt, "", f"bus {placement.bus}")
    return found


def _table(measured: Measured, settle_s: float) -> Table:
    from gridai.reports import Table

    rows = tuple(
        (k + 1, settle_s + PERIOD_S * k, settle_s + PERIOD_S * (k + 1), round(value, 4))
        for k, value in enumerate(measured.pst)
    )
    return Table("Pst of each period", ("period", "from s", "to s", "Pst"), rows)
