"""Requests of inference: when they come and how long prompt and answer are.

    poisson(rate)       exponential gaps, lengths log-normal about their means
    read_requests(csv)  recorded: TIMESTAMP, ContextTokens, GeneratedTokens (Azure LLM traces, 2023, CC-BY 4.0)

Means of the Azure conversation trace: 1,155 prompt and 211 generated tokens; of the code trace: 2,048 and 28.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gridai.errors import CaseError, Problems, SettingError
from gridai.kernel.profile import Array

PROMPT_SPREAD, OUTPUT_SPREAD = 0.99, 0.86
"""Standard deviations of the logarithm of lengths: those of Azure's conversation trace."""
COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
MOST_REQUESTS = 5_000_000


@dataclass(frozen=True, eq=False)
class Requests:
    """Requests in order of time. t_s from 0; prompt and output in tokens. Raises SettingError."""

    t_s: Array
    prompt: Array
    output: Array

    def __post_init__(self) -> None:
        bad = Problems("requests")
        if not len(self.t_s) == len(self.prompt) == len(self.output):
            bad.add(
                "requests", None, "lengths", len(self.t_s), f"{len(self.prompt)} prompts, {len(self.output)} outputs"
            )
        elif len(self.t_s):
            if not (np.diff(self.t_s) >= 0.0).all() or not np.isfinite(self.t_s).all():
                bad.add("requests", None, "t_s", float(self.t_s[0]), "times must not go back; sort them")
            if min(self.prompt.min(), self.output.min()) < 0.0:
                bad.add("requests", None, "tokens", float(min(self.prompt.min(), self.output.min())), "not below 0")
        bad.raise_if_any(SettingError)

    def __len__(self) -> int:
        return len(self.t_s)

    @property
    def rate_per_s(self) -> float:
        """Mean arrivals in a second."""
        return len(self) / float(self.t_s[-1]) if len(self) and self.t_s[-1] > 0.0 else 0.0

    def faster(self, factor: float) -> Requests:
        """The same requests at `factor` times the rate."""
        return Requests(self.t_s / factor, self.prompt, self.output)

    def repeated(self, until_s: float) -> Requests:
        """The requests again and again until a time. Raises SettingError for requests that all come at one instant."""
        if not len(self) or self.t_s[-1] <= 0.0:
            raise SettingError(f"requests: {len(self)} at one instant cannot be repeated: give arrivals over a time")
        span = float(self.t_s[-1]) + 1.0 / self.rate_per_s
        times = int(np.ceil(until_s / span))
        t = np.concatenate([self.t_s + k * span for k in range(max(times, 1))])
        inside = t < until_s
        prompt, output = np.tile(self.prompt, max(times, 1)), np.tile(self.output, max(times, 1))
        return Requests(t[inside], prompt[inside], output[inside])


def poisson(rate_per_s: float, until_s: float, prompt: float, output: float, rng: np.random.Generator) -> Requests:
    """Requests that come independently of each other."""
    if rate_per_s * until_s > MOST_REQUESTS:
        raise SettingError(f"requests: {rate_per_s:g} a second for {until_s:g} s are more than {MOST_REQUESTS}")
    n = int(rng.poisson(rate_per_s * until_s))
    spread = np.array([[PROMPT_SPREAD], [OUTPUT_SPREAD]])
    shape = np.exp(spread * rng.standard_normal((2, n)) - spread**2 / 2.0)
    return Requests(np.sort(rng.uniform(0.0, until_s, n)), prompt * shape[0], np.maximum(output * shape[1], 1.0))


def read_requests(path: str | Path) -> Requests:
    """Recorded requests from a CSV file, gzipped or not. Raises CaseError naming file, row and column."""
    import pandas as pd

    try:
        frame = pd.read_csv(path)
    except (FileNotFoundError, pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: not a table of requests ({str(error).strip()})") from error
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise CaseError(f"{path}: no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}")
    stamp = pd.to_datetime(frame["TIMESTAMP"], errors="coerce", format="ISO8601")
    numbers = frame[list(COLUMNS[1:])].apply(pd.to_numeric, errors="coerce")
    bad = Problems(str(path))
    for name, wrong in (("TIMESTAMP", stamp.isna()), *((n, numbers[n].isna() | (numbers[n] < 0)) for n in COLUMNS[1:])):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            bad.add(path, row + 2, name, frame[name].iloc[row], f"{int(wrong.sum())} such rows: mend or drop them")
    bad.raise_if_any(CaseError)
    seconds = (stamp - stamp.min()).dt.total_seconds().to_numpy(dtype=float)
    order = np.argsort(seconds, kind="stable")
    prompt, output = (numbers[name].to_numpy(dtype=float)[order] for name in COLUMNS[1:])
    return Requests(seconds[order], prompt, output)
