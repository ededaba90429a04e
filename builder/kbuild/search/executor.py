"""What trains the trials of a study: a `Site` says how many it holds and gives an `Executor`, Tasks → Outcomes.

This machine (workers.py) is one, a Ray cluster (cluster.py) another.
"""

import contextlib
import gc
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from kbuild.search.task import Outcome, Task

ATTEMPTS = 2
"""How often a trial is trained whose process dies; then it has failed."""
GROWTH = 1.2
"""A worker whose memory has grown by this factor since its first trial makes room for a new one."""
EACH = 2 * 2**30
"""Bytes that a worker is reckoned to need, Keras included."""


class Executor(Protocol):
    """Trains tasks, as many at the same time as it has workers. A task whose worker dies is trained again."""

    @property
    def busy(self) -> int:
        """How many tasks are being trained."""
        ...

    @property
    def free(self) -> int:
        """How many tasks can be started now."""
        ...

    def has(self, trial: int) -> bool:
        """Whether a trial is being trained."""
        ...

    def start(self, task: Task) -> None:
        """Have a task trained; only where `free` is above 0."""
        ...

    def wait(self, seconds: float) -> Sequence[Outcome]:
        """What is over, after this time at most."""
        ...

    def stop(self) -> None:
        """Ask all that train to save and stop; `wait` tells when they have."""
        ...

    def close(self) -> None:
        """End all workers; what they train is left as it is."""
        ...


class Site(Protocol):
    """Where trials are trained."""

    def parallel(self) -> int:
        """How many trials at a time it can use."""
        ...

    def threads(self, count: int) -> int:
        """Threads for each of as many trials."""
        ...

    def executor(self, path: Path, count: int, threads: int, timeout: float | None, backend: str) -> Executor:
        """Workers for a study. They load Keras while the driver does, where they can.

        Args:
            path: the study's directory.
            count: how many trials at the same time, at most.
            timeout: seconds that a trial may take; None is as long as it likes.
            backend: of Keras.
        """
        ...


class Memory:
    """What this process holds, and whether that has grown too much since its first trial."""

    def __init__(self) -> None:
        self._first: int | None = None

    def grown(self) -> bool:
        """Give back what a trial held; whether the process holds much more than after its first."""
        if "keras" in sys.modules:
            import keras

            keras.utils.clear_session()
        gc.collect()
        held = _resident()
        if self._first is None:
            self._first = held
            # Keras and its backend stay: to look through all that they are made of takes half a second each time
            gc.freeze()
        return held > GROWTH * self._first


def _resident() -> int:
    """Kilobytes."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def few_threads(threads: int) -> None:
    """Have libraries make few threads; to be called before one is imported that makes them."""
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = str(threads)


def too_long(task: Task, timeout: float) -> Outcome:
    """The outcome of a trial that had to be ended."""
    return Outcome(task.trial, "failed", reason=f"it took longer than {timeout:g} seconds")
