"""The study `ride-through`: a sequence of faults, reclosing included; which load leaves, why, and which comes back.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gridai.errors import Problems, SettingError
from gridai.studies.common import bus_of, check_fields, profile_of, redispatch_tables, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Report
    from gridai.studies.sequence import Line

AFTER_S = 30.0


@dataclass(frozen=True)
class RideThrough:
    """Any sequence of faults, reclosing included: load lost and returned, who left and why, frequency and voltage.

    The sequence is given in words, or as repeated dips at a bus, or by the case. Clusters without ride-through
    settings are taken as default UPS; `rule` makes all clusters obey a load curve instead.
    """

    needs_cluster: ClassVar[bool] = False

    sequence: str = setting(
        "", "", "events: '1 fault BUS for=0.06; 1.05 open LINE; 16 close LINE; 40 return CLUSTER parts=4 every=60' "
        "(default: the case's own, else dips at bus)"
    )  # fmt: skip
    bus: str = setting("", "", "bus of the dips where no sequence is given (default: that of the first cluster)")
    at_s: float = setting(1.0, "s", "first dip", least=0.0)
    fault_s: float = setting(0.1, "s", "duration of a dip", above=0.0)
    repeat: int = setting(1, "", "number of dips", least=1)
    every_s: float = setting(15.0, "s", "time from one dip to the next", above=0.0)
    r_pu: float = setting(0.0, "pu", "fault resistance of the dips on the system base", least=0.0)
    x_pu: float = setting(0.0, "pu", "fault reactance of the dips on the system base", least=0.0)
    rule: str = setting("case", "", "load curve that all clusters obey, by name or TOML file; case: their own settings")
    counting: bool = setting(True, "", "whether disturbances are counted where the settings say so")
    until_s: float | None = setting(None, "s", "end of the run (default: the case's, else 30 s after the last event)",
                                     above=0.0)  # fmt: skip
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    decimate: int = setting(8, "", "steps from one row to the next; rows at events are always kept", least=1)
    seed: int = setting(0, "", "seed of the clusters' training", least=0)
    profile: str = setting("default", "", "criteria profile, or a TOML file; default: the case's, else by frequency")

    def __post_init__(self) -> None:
        found = Problems("study ride-through")
        check_fields(self, found)
        if not found and self.fault_s >= self.every_s and self.repeat > 1:
            found.add("ride-through", None, "every_s", self.every_s, f"dips of {self.fault_s:g} s must not overlap")
        found.raise_if_any(SettingError)
        if self.sequence:
            from gridai.studies.sequence import read

            read(self.sequence)

    def lines(self, case: Case) -> list[Line]:
        """The events: those given, else the case's own, else dips at the bus."""
        from gridai.studies.sequence import Line, read

        text = self.sequence or ("" if self.bus else case.defaults.get("sequence", ""))
        if text:
            return read(text)
        bus = bus_of(case, self.bus) if self.bus else case.placements[0].bus
        options = {"for": repr(self.fault_s), "r": repr(self.r_pu), "x": repr(self.x_pu)}
        return [Line(self.at_s + k * self.every_s, "fault", bus, options) for k in range(self.repeat)]

    def horizon_s(self, case: Case, lines: list[Line]) -> float:
        """End of the run. [s]"""
        from gridai.studies.sequence import last_s

        own = case.defaults.get("until_s") if not (self.sequence or self.bus) else None
        return float(self.until_s or own or last_s(lines) + AFTER_S)

    def run(self, case: Case) -> Report:
        """Play the sequence and account for every group that left.

        Raises SettingError for a case without a cluster, UnknownNameError for names in the sequence that are not
        there, ConvergenceError with the result until then.
        """
        from gridai.studies import away
        from gridai.studies.sequence import disturbances, events

        made, notes = away.with_settings(case, self.rule, self.counting)
        lines, profile = self.lines(made), profile_of(made, self.profile)
        result = away.play(made, events(lines), self.horizon_s(made, lines), self.step_s, self.decimate, self.seed)
        tables = {
            "settings": away.settings_table(made),
            "departures": away.departures(result),
            "disturbances": away.steps_table(result, disturbances(lines)),
            **({} if len(case.placements) > 1 else redispatch_tables(case)),
        }
        what = f"{_counted(len(disturbances(lines)), 'disturbance')}, {self._in_words(made)}"
        return away.report(self, profile, made, result, f"{case.name}: {what}", tables, notes)

    def _in_words(self, case: Case) -> str:
        if self.rule != "case":
            return f"load by {self.rule}"
        settings = [c.ride_through for p in case.placements for c in p.cluster.clusters]
        counts = [getattr(k, "count_n", 0) for own in settings if own is not None for k in own.classes]
        if any(counts):
            return "some classes count them" if not all(counts) else "all classes count them"
        return "nobody counts them" if self.counting else "counting taken out"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
