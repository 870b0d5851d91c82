"""How a course was computed, in words for its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridai.studies.series_run import Done
    from gridai.studies.timeseries import Timeseries


def notes(study: Timeseries, done: Done) -> list[str]:
    """Solution, followers, controllers, storages, flicker, file."""
    found = [
        "each step is a power flow of its own, certified by its residual; a step without one counts in nothing but its "
        "own line, and the steps around it are not touched",
        "the load is followed by " + ("all units in proportion to their dispatch, within their turbines, losses by the "
                                      "slack" if study.followed_by == "units" else "the slack alone"),
        "duration curves are read from bins of 0.0005 pu and 0.5 %; the course from means of up to 2,000 spans",
    ]  # fmt: skip
    if study.taps:
        found.append(
            f"tap changers: dead band {study.deadband_pu:g} pu, delay {study.delay_s:g} s, one position at a time"
        )
    found += [*_switches(study, done), *_storages(study, done), *_flicker(study, done)]
    if study.keep:
        found.append(f"every step is in {study.keep}")
    return found


def _switches(study: Timeseries, done: Done) -> list[str]:
    made, found = done.setup.switches, []
    if made is None:
        return []
    if study.capacitors:
        found.append(f"capacitors: delay {study.capacitor_delay_s:g} s, one step at a time, those that hold the same "
                     "thing one after the other; of what is due at one step, the quickest of them")  # fmt: skip
    for s, since in zip(made.switches, made.hunting_s, strict=True):
        if since == since:
            name = made.flow.net[s.table].at[s.index, "name"]
            found.append(f"{s.table} {name} hunts from {since:g} s on: it moves to and fro about as quickly as its "
                         "delay lets it; give a wider dead band, a longer delay, or aims that agree")  # fmt: skip
    return found


def _storages(study: Timeseries, done: Done) -> list[str]:
    fleet = done.setup.fleet
    if fleet is None:
        return []
    found = [f"storages: {100 * study.storage_efficiency:g} % there and back where they state none, half of the loss "
             "each way; they are settled within each step, before taps and capacitors look"]  # fmt: skip
    rule = fleet.rule
    if rule is not None and rule.kind == "shave":
        found.append(f"peaks are shaved to {rule.target_mw:g} MW; they charge up to {rule.recharge_mw:g} MW")
    if rule is not None and rule.kind == "own":
        found.append("surplus of the place they watch is stored and given back to it; nothing is taken from the grid")
    if fleet.moves_mw is not None and fleet.moves_mw < 0.5:
        found.append(f"each MW of the storages moves what they hold by {fleet.moves_mw:.2g} MW only")
    if fleet.unsettled:
        found.append(f"in {fleet.unsettled} steps the storages' power did not come to stand with the flow")
    return found


def _flicker(study: Timeseries, done: Done) -> list[str]:
    pst = done.pst
    if pst is None:
        return []
    where = "that of the profile" if done.setup.play.strength else f"{pst.strength_mva:.4g} MVA, {pst.source}"
    some = "" if len(pst.pst) == pst.periods else f"; {len(pst.pst)} of {pst.periods} periods, spread over the course"
    return [
        f"flicker: the workload's course at 400 values a second, scaled to the power of the steps, behind {where}, X/R "
        f"{pst.xr:.3g}, by the flickermeter of IEC 61000-4-15; rotor swings and regulators are the study "
        f"flicker's{some}",
    ]
