"""Check several limits files at once, each in a process of its own. Ctrl-C ends them all."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from gridai.limits.checking import Checked, check
from gridai.limits.records import LimitsFile
from gridai.limits.running import Runner


@contextmanager
def check_files(files: Sequence[LimitsFile], jobs: int = 1) -> Iterator[Iterator[Checked]]:
    """The checked files in their order; on `jobs` processes where there is more than one file."""
    if min(jobs, len(files)) < 2:
        runner = Runner()
        yield (check(file, runner) for file in files)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(files)), mp_context=context, initializer=_end_on_interrupt)
    try:
        futures = [pool.submit(check, file) for file in files]
        yield (future.result() for future in futures)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _end_on_interrupt() -> None:
    """A terminal sends Ctrl-C to the workers too: they end at once and silently, the parent reports."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
