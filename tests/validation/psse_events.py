"""What the runs of PSS/E's series do at 1.0 s besides opening a line: a step of an exciter's voltage reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gridai.engine import BranchTrip, Event
from gridai.engine.events import Action


@dataclass(frozen=True)
class VoltageReference:
    """The voltage reference of a unit's exciter becomes v_ref_pu at at_s. [pu], [s]"""

    unit: str
    v_ref_pu: float
    at_s: float = 1.0

    def actions(self, system: Any) -> list[Action]:
        """Add what lacks to the reference that the start has found."""
        group, k = system.device(self.unit, ("exciter",))
        started = float(group.view(system.p, "p", group.p)[k]["v_ref_pu"])
        place = system.constants[(group.devices[k].name, "exciter.dv_ref_pu")]

        def apply(run: Any) -> None:
            run.work.sig[place] = self.v_ref_pu - started

        return [Action(self.at_s, "setpoint", self.unit, f"voltage reference {self.v_ref_pu:g} pu", apply)]


def event_of(run: dict[str, Any]) -> Event:
    """The event of a run of psse.toml or psse_samples.toml."""
    if "v_ref" in run:
        return VoltageReference(run["v_ref"]["unit"], run["v_ref"]["pu"])
    return BranchTrip(run.get("branch", "101-102 1"), at_s=1.0)
