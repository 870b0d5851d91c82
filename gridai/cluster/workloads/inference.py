"""Inference: requests that arrive, wait, are prefilled and decode in a batch; power and latency follow from them.

    arrivals --> queue --(room in the batch)--> prefill --> batch of b --> done
                                                  |            |
                    share of each step to prefill |            | a token for each in s(b)
                                                  +--> GPU power = share prefill_w + (1 - share) P(b) / GPUs

Time goes in steps of step_s. In each, waiting requests are admitted while the batch has room and are prefilled first
(they take their share of the step); what is left of the step advances all decoding requests by the tokens of s(b).
Copies of the model share the arrivals in turn. So many copies are simulated (`simulated`); a larger cluster is their
repetition, each entered at a time of its own, so its noise falls with the number of copies as it should, but a common
change of the arrivals (Azure's hour) is kept by all. Plug power by `facility.Server` of the H100.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

import numpy as np

from gridai.cluster.facility.server import Server
from gridai.cluster.hardware import HARDWARE
from gridai.cluster.settings import check_ranges, setting
from gridai.cluster.workloads.arrivals import Requests, poisson
from gridai.cluster.workloads.base import from_mean
from gridai.cluster.workloads.engines import ENGINES, Engine, engine
from gridai.errors import Problems, SettingError, UnknownNameError, near
from gridai.kernel.profile import Array, Profile

WARM_S = 60.0
"""So long before time 0 the simulation begins, so that the batch is filled. [s]"""


@dataclass(frozen=True)
class Served:
    """One run of the queue. Arrays over steps of copies: batch, waiting, share of prefill; latency of each request.

    first_s  time to the first token, done_s time to the last, of the requests that were finished. [s]
    """

    t_s: Array
    batch: Array
    waiting: Array
    prefill: Array
    first_s: Array
    done_s: Array


@dataclass(frozen=True, eq=False)
class Inference:
    """Serving of one model on H100. rate_per_s is that of one copy. Raises SettingError, UnknownNameError."""

    model: str = field(default="Llama-3.1-70B", metadata={"help": "model, one of " + ", ".join(ENGINES), "unit": ""})
    rate_per_s: float = setting(2.0, "1/s", "requests in a second for each copy of the model", 0.0, 1e4)
    prompt: float = setting(1155.0, "", "mean tokens of a prompt (Azure conversations)", 1.0, 1e6)
    output: float = setting(211.0, "", "mean tokens of an answer (Azure conversations)", 1.0, 1e6)
    requests: Requests | None = field(
        default=None,
        metadata={"help": "recorded arrivals of `simulated` copies, in place of rate and means", "unit": ""},
    )
    simulated: int = setting(4, "", "copies that are simulated", 1, 256)
    most: int = setting(256, "", "requests that decode together at most (memory for their tokens)", 1, 2048)
    step_s: float = setting(0.1, "s", "step of the simulation", 0.01, 5.0)

    def __post_init__(self) -> None:
        bad = Problems("workload Inference")
        check_ranges(self, bad)
        if self.model not in ENGINES:
            raise UnknownNameError(near(self.model, ENGINES, "engine"))
        if self.requests is not None and not isinstance(self.requests, Requests):
            bad.add("Inference", None, "requests", self.requests, "give Requests, as of read_requests")
        bad.raise_if_any(SettingError)

    @property
    def engine(self) -> Engine:
        """The engine, with its largest batch."""
        return replace(engine(self.model), most=self.most)

    @property
    def load(self) -> tuple[float, float, float]:
        """Rate of one copy [1/s], mean prompt and mean output."""
        if self.requests is None or not len(self.requests):
            return self.rate_per_s, self.prompt, self.output
        r = self.requests
        return r.rate_per_s / self.simulated, float(r.prompt.mean()), max(1.0, float(r.output.mean()))

    @property
    def utilisation(self) -> float:
        """Work that arrives over what a copy can do; above 1 the queue grows without end."""
        return self.engine.steady(*self.load)[2]

    @property
    def mean(self) -> float:
        """Plug power at the steady batch over the H100's mean in training."""
        own = self.engine
        batch, share, _ = own.steady(*self.load)
        if batch <= 0.0:
            return float(_plug(np.array([own.idle_w]))[0])
        # Requests present are Poisson distributed, so none is for this share of the time.
        idle_share = math.exp(-batch)
        watt = (1.0 - idle_share) * float(own.gpu_w(batch / (1.0 - idle_share), share)) + idle_share * own.idle_w
        return float(_plug(np.array([watt]))[0])

    def serve(self, until_s: float, seed: int = 0) -> Served:
        """The queue and its latencies from 0 to until_s."""
        rng = np.random.default_rng([seed, 31])
        span = until_s + WARM_S
        rate, prompt, output = self.load
        if self.requests is None:
            requests = poisson(rate * self.simulated, span, prompt, output, rng)
        else:
            requests = self.requests.repeated(span) if len(self.requests) else self.requests
        return _queue(requests, self, span)

    def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
        """Plug power over the H100's mean in training, of all copies that the GPUs hold. Starts at `mean`."""
        own = self.engine
        lead_s = max(60.0, min(600.0, 0.2 * until_s))
        served = self.serve(until_s + 2.0 * lead_s, seed)
        level = _plug(own.gpu_w(served.batch, served.prefill))
        copies = max(1, gpus // own.gpus)
        step = self.step_s
        skip = round(WARM_S / step)
        level = level[skip:]
        n = math.ceil((until_s + lead_s) / step) + 1
        rng = np.random.default_rng([seed, 32])
        if copies <= self.simulated:
            course = level[:n, :copies].mean(axis=1)
        else:
            shifts = rng.integers(0, max(1, len(level) - n), min(copies, 512))
            columns = np.arange(len(shifts)) % self.simulated
            weights = np.full(len(shifts), 1.0 / len(shifts))
            course = sum(w * level[s : s + n, c] for w, s, c in zip(weights, shifts, columns, strict=True))
        t = step * np.arange(len(course))
        return _to_mean(Profile(t, np.asarray(course), "inference"), self.mean, until_s, lead_s)


def _to_mean(course: Profile, mean: float, until_s: float, lead_s: float) -> Profile:
    """The course from where it crosses the mean of the steady batch; one that never does is scaled to that mean."""
    if len(course.crossings(mean)):
        return from_mean(course, mean, until_s, lead_s)
    own = course.mean(0.0, min(until_s, float(course.t_s[-1])))
    return from_mean(course.scaled(mean / own), mean, until_s, lead_s)


def _plug(gpu_w: Array) -> Array:
    """Plug power of one GPU over the H100's mean in training, where its GPU draws gpu_w."""
    h100 = HARDWARE["H100"]
    grid = np.linspace(50.0, 760.0, 72)
    table = Server().from_gpu(h100, grid).plug_w / h100.it_training_w
    return np.asarray(np.interp(gpu_w, grid, table))


def _queue(requests: Requests, work: Inference, span: float) -> Served:
    """Step through time, one copy after the other; requests go to the copies in turn."""
    n = math.ceil(span / work.step_s)
    batch, waiting, prefill = (np.zeros((n, work.simulated)) for _ in range(3))
    first, done = np.full(len(requests), np.nan), np.full(len(requests), np.nan)
    for c in range(work.simulated):
        _copy(range(c, len(requests), work.simulated), requests, work, (batch[:, c], waiting[:, c], prefill[:, c]),
              first, done)  # fmt: skip
    finished = ~np.isnan(done)
    t0 = requests.t_s[finished]
    t: Array = work.step_s * np.arange(n, dtype=np.float64) - WARM_S
    return Served(t, batch, waiting, prefill, first[finished] - t0, done[finished] - t0)


def _copy(own: range, requests: Requests, work: Inference, columns: tuple[Array, Array, Array], first: Array,
          done: Array) -> None:  # fmt: skip
    """One copy through time: batch, waiting requests and share of prefill at each step, into the given arrays.

    All requests of a batch advance by the same tokens, so one count of tokens serves them: each is done when the
    count reaches what it was at its start plus its answer's length.
    """
    engine_, step = work.engine, work.step_s
    token_s = engine_.step_s(np.arange(work.most + 1)).tolist()
    t, prompt_s = requests.t_s.tolist(), (requests.prompt / engine_.prefill_per_s).tolist()
    answer = np.maximum(requests.output, 1.0).tolist()
    batch, waiting, prefill = columns
    active: list[tuple[float, int]] = []
    queue: deque[int] = deque()
    tokens = owed = 0.0
    arrived = 0
    for k in range(len(batch)):
        begin, end = k * step, (k + 1) * step
        while arrived < len(own) and t[own[arrived]] < end:
            queue.append(own[arrived])
            arrived += 1
        while queue and owed < step and len(active) < work.most:
            request = queue.popleft()
            owed += prompt_s[request]
            heappush(active, (tokens + answer[request], request))
            first[request] = max(t[request], begin) + owed
        spent = min(owed, step)
        owed -= spent
        batch[k], waiting[k], prefill[k] = len(active), len(queue), spent / step
        tokens += (step - spent) / token_s[len(active)]
        while active and active[0][0] <= tokens:
            done[heappop(active)[1]] = end
