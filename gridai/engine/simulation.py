"""Simulate: play events against a compiled system and return a Result."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from gridai.engine.clusters import GROUP_KIND, parts_of, with_cluster_sums
from gridai.engine.events import Action, Event, TrainingPause
from gridai.engine.machine import advance, arrive
from gridai.engine.plan import (
    ACTION,
    ACTIONS,
    ADAMS,
    BUFFER_FULL,
    CHATTER,
    DECIMATE,
    DEN,
    DONE,
    NETWORK_FAILED,
    NUM,
    ROWS,
    STATE_FAILED,
    STEPS,
    STORE_END,
)
from gridai.engine.run import Playback, Run
from gridai.engine.source_events import SourcePlayback
from gridai.engine.stiffness import adams_is_stable, stable_step
from gridai.engine.system import CHANNEL_KIND, System
from gridai.engine.thinning import thinned
from gridai.errors import SettingError
from gridai.kernel.contract import ACTION_OPEN, ACTION_SHED, ACTION_TRIP
from gridai.results import Channel, EventRecord, Result

SLICE_STEPS = 4000
MEMORY_BYTES = 400_000_000
Method = Literal["auto", "adams", "heun"]
FAILURE_TEXT = {
    NETWORK_FAILED: "the currents of voltage-dependent loads do not settle: voltage collapse or too large a load",
    STATE_FAILED: "a state is no longer a number: a time constant may be too short for the step",
    CHATTER: "devices switch without end at this instant",
}


def simulate(
    system: System,
    events: Iterable[Event] = (),
    until_s: float = 20.0,
    step_s: float = 1 / 240,
    record: str | Sequence[str] = "default",
    decimate: int | None = None,
    seed: int = 0,
    method: Method = "auto",
) -> Result:
    """Integrate from the power flow to until_s with the events.

    system     compiled case
    events     BusFault, BranchTrip, ... (gridai.engine.events)
    until_s    end of the run [s]
    step_s     longest step [s]; shorter ones end at events and edges. A state too fast for it halves it (in the log)
    record     "default": bus voltages and every output with a channel; or kinds, for example ("bus", "gen")
    decimate   keep every this many grid points; None: 1, or more where the result would pass 400 MB. Where rows at
               events and guards make it pass that, it is thinned (gridai.engine.thinning) and meta["thinned"] says so
    seed       of the clusters' demand
    method     "adams": Adams and Bashforth's method of order 2, with Heun's after jumps; "heun": Heun's throughout,
               stable for states twice as fast; "auto": adams unless a state is too fast for it (see stiffness)

    Returns a Result with a row before and a row after each event. Raises ConvergenceError that holds the result
    until then, UnknownNameError or SettingError for events that do not fit.
    """
    events = list(events)
    if not (np.isfinite(until_s) and until_s > 0.0 and np.isfinite(step_s) and 0.0 < step_s <= until_s):
        raise SettingError(
            f"until_s = {until_s!r}, step_s = {step_s!r}: give an end above 0 s and a step between 0 and it"
        )
    actions = sorted((a for e in events for a in e.actions(system)), key=lambda a: a.t_s)
    places, channels = channel_table(system, record)
    step, remark = stable_step(system, step_s)
    adams = method == "adams" or (method == "auto" and adams_is_stable(system, float(step)))
    shorter = round(step_s / float(step))
    every = shorter * (decimate or max(1, int(until_s / step_s * len(channels) * 8 // MEMORY_BYTES)))
    run = Run(system, _demands(system, events, until_s, seed), step, every, places, adams)
    if remark:
        run.note("step", "", remark)
    return _Recorder(run, channels, until_s, float(step), every).play(actions)


def _demands(system: System, events: list[Event], until_s: float, seed: int) -> tuple[Playback, ...]:
    """The demand of each cluster, by its parts, with the pauses among the events; and what events play back."""
    found: list[Playback] = []
    for k, (name, cluster) in enumerate(system.clusters.items()):
        pauses = tuple(e.pause for e in events if isinstance(e, TrainingPause) and e.cluster == name)
        profile = cluster.demand(until_s, pauses=pauses, seed=seed + k)
        parts = parts_of(system, name)
        found += [Playback((d, "cluster.p_demand_mw"), profile.scaled(share)) for d, share in parts.items()]
    for event in events:
        if isinstance(event, SourcePlayback):
            found += event.playbacks(system)
    return tuple(found)


def channel_table(system: System, record: str | Sequence[str] = "default") -> tuple[np.ndarray, tuple[Channel, ...]]:
    """Places in the signals and the channels that they become. `cluster` among the kinds brings the UPS groups too."""
    kept, key = system.networks.channels, record if isinstance(record, str) else tuple(record)
    if key not in kept:
        kept[key] = _channel_table(system, record)
    places, channels = kept[key]
    return places, channels


def _channel_table(system: System, record: str | Sequence[str]) -> tuple[np.ndarray, tuple[Channel, ...]]:
    """A machine's record of its field voltage and mechanical power is that of the evaluation before: its exciter's and
    its governor's own outputs take these channels.
    """
    places, channels = [], []
    seen: dict[tuple[str, str, str], int] = {}
    for bus, node in system.network.node_of_bus.items():
        for part, name in enumerate(("v_re_pu", "v_im_pu")):
            places.append(2 * node + part)
            channels.append(Channel("bus", bus, name, "pu"))
    for g in system.groups:
        for k, d in enumerate(g.devices):
            kind = GROUP_KIND if d.owner else CHANNEL_KIND.get(g.model.role, "gen")
            for j, o in enumerate(g.model.outputs):
                key = (kind, d.name, o.channel)
                if key in seen and g.model.role in ("exciter", "governor"):
                    places[seen[key]] = g.y + k * g.width("y") + j
                elif o.channel and key not in seen:
                    seen[key] = len(places)
                    unit = ("MVAr" if o.channel.endswith("mvar") else "MW") if o.on_base else o.unit
                    places.append(g.y + k * g.width("y") + j)
                    channels.append(Channel(kind, d.name, o.channel, unit, d.mva if o.on_base else 1.0))
    kinds = {*record, GROUP_KIND} if "cluster" in record else set(record)
    keep = [k for k, c in enumerate(channels) if record == "default" or c.kind in kinds]
    return np.array([places[k] for k in keep], dtype=np.int64), tuple(channels[k] for k in keep)


class _Recorder:
    """Plays actions on a run and keeps the rows."""

    def __init__(self, run: Run, channels: tuple[Channel, ...], until_s: float, step_s: float, every: int) -> None:
        self.run, self.channels, self.until_s = run, channels, until_s
        adams = run.work.ints[ADAMS] == 1
        self.meta: dict[str, Any] = {
            "step_s": step_s,
            "decimate": every,
            "method": "Adams-Bashforth" if adams else "Heun",
        }
        rows = int(until_s / step_s / every) + 1024
        self.rec, self.rec_t = np.empty((rows, len(channels))), np.empty(rows)
        self.live = run.topology.live

    def play(self, actions: list[Action]) -> Result:
        """Run to the end, or raise with what there is."""
        self._arrive()
        pending = [a for a in actions if a.t_s <= self.until_s]
        while pending:
            t = pending[0].t_s
            now = [a for a in pending if a.t_s - t <= 1e-9]
            pending = pending[len(now) :]
            self._advance(t)
            for action in now:
                self.run.note(action.kind, action.element, action.text)
                action.apply(self.run)
            self._network_changed()
            self._arrive()
        self._advance(self.until_s)
        return self.result()

    def _advance(self, t_end: float) -> None:
        """Integrate to t_end in slices, so that Ctrl-C is answered, and serve what the devices ask for."""
        work = self.run.work
        slice_s = SLICE_STEPS * self.meta["step_s"]
        while self.run.time_s < t_end - 1e-9:
            target = min(t_end, self.run.time_s + slice_s)
            work.ints[STORE_END] = int(target == t_end)
            status = advance(self.run.plan, self.run.topology.topo, work, target, self.rec, self.rec_t)
            if status == BUFFER_FULL:
                self._grow()
            elif status == ACTION:
                self._serve()
                self._arrive()
            elif status != DONE:
                raise self.run.failure(FAILURE_TEXT[status], self.result())

    def _arrive(self) -> None:
        """Solve again after a jump; devices may ask for more."""
        while True:
            status = arrive(self.run.plan, self.run.topology.topo, self.run.work, self.rec, self.rec_t)
            if status != ACTION:
                break
            self._serve()
        if status != DONE:
            raise self.run.failure(FAILURE_TEXT[status], self.result())

    def _serve(self) -> None:
        """Carry out the actions that devices asked for."""
        work = self.run.work
        for group_index, unit, code in work.actions[: work.ints[ACTIONS]]:
            group = self.run.system.groups[group_index]
            name = group.devices[unit].name
            text = f"{group.model.name}: {group.model.actions.get(int(code), f'action {code}')}"
            if code == ACTION_TRIP:
                self.run.switch_off(name, text)
            elif code == ACTION_SHED:
                self.run.shed(name, float(group.view(work.z, "z", group.z).shed[unit]), text)
            elif code == ACTION_OPEN:
                self.run.open_branch(group.devices[unit].links.branch, text)
            else:
                self.run.note("relay", name, text)
            self.run.refresh_unit(group, unit)
        work.ints[ACTIONS] = 0
        self._network_changed()

    def _network_changed(self) -> None:
        self.run.factorise()
        live = self.run.topology.live
        nodes = np.array(self.run.system.network.nodes, dtype=object)
        for mask, text in (
            (self.live & ~live, "de-energised: its island has no source"),
            (live & ~self.live, "energised again"),
        ):
            for bus in nodes[mask]:
                self.run.note("island", bus, text)
        self.live = live

    def _grow(self) -> None:
        """Room for more rows: fewer of those that are there where the memory is used up, else twice as many."""
        if 2 * self.rec.nbytes > MEMORY_BYTES and self._thin():
            return
        rows = self.rec_t.size
        self.rec = np.concatenate([self.rec, np.empty((rows, self.rec.shape[1]))])
        self.rec_t = np.concatenate([self.rec_t, np.empty(rows)])

    def _thin(self) -> bool:
        """Half of the rows at most, see thinning; False where all of them are needed."""
        work, used = self.run.work, int(self.run.work.ints[ROWS])
        t, data = self.rec_t[:used], self.rec[:used]
        grid_s = int(work.ints[DECIMATE]) * float(work.ints[NUM]) / float(work.ints[DEN])
        kept, factor = thinned(t, data, grid_s, [note[0] for note in self.run.notes], self.rec_t.size // 2)
        left = int(np.count_nonzero(kept))
        if left > 3 * self.rec_t.size // 4:
            return False
        self.rec_t[:left], self.rec[:left] = t[kept], data[kept]
        work.ints[ROWS] = left
        work.ints[DECIMATE] *= factor
        self.meta["decimate"] = int(work.ints[DECIMATE])
        apart = self.meta["decimate"] * self.meta["step_s"]
        self.meta["thinned"] = (
            f"the record passed {MEMORY_BYTES / 1e6:.0f} MB and was thinned: rows are {apart:.3g} s apart, and of the "
            "jumps between two of them the first and the last are kept, but for the events of the log"
        )
        return True

    def result(self) -> Result:
        """What is recorded so far."""
        run, rows = self.run, int(self.run.work.ints[ROWS])
        system = run.system
        data, t = self.rec[:rows], self.rec_t[:rows]
        _blank_tripped(data, t, self.channels, run.off)
        meta = {
            **self.meta,
            "case": system.name,
            "f_hz": system.network.f_hz,
            "s_base_mva": system.network.s_base_mva,
            "inertia_mws": inertia_mws(system),
            "bus_kv": {bus: float(system.network.node_kv[n]) for bus, n in system.network.node_of_bus.items()},
            "units_off": dict(run.off),
            "steps": int(run.work.ints[STEPS]),
            "notes": list(system.notes),
        }
        events = tuple(EventRecord(*note) for note in run.notes)
        data, channels = with_cluster_sums(data, self.channels)
        return Result(t, data, channels, events, meta)


def _blank_tripped(data: np.ndarray, t: np.ndarray, channels: tuple[Channel, ...], off: dict[str, float]) -> None:
    """A tripped unit gives no power; its other outputs are no longer followed: NaN after the trip."""
    for k, c in enumerate(channels):
        if c.element in off and c.kind == "gen" and c.quantity not in ("p_mw", "q_mvar"):
            after = np.flatnonzero(t >= off[c.element])
            gone = after[data[after, k] == 0.0]
            data[gone, k] = np.nan


def inertia_mws(system: System) -> dict[str, float]:
    """Kinetic energy of each machine at nominal speed. [MWs]"""
    found = {}
    for g in system.groups:
        if g.model.role == "machine" and "h_s" in system_fields(g):
            p = g.view(system.p, "p", g.p)
            found.update({d.name: float(p.h_s[k] * p.mva[k]) for k, d in enumerate(g.devices) if p.h_s[k] > 0.0})
    return found


def system_fields(group: Any) -> set[str]:
    """Names of a group's parameters."""
    return {q.name for q in group.model.params}
