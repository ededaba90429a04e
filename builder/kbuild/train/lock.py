"""A run directory → the right to write in it, which one process has at a time. Raises SpecError K620.

The system gives the lock back when a process ends, however it ends, so that none is ever left behind.
"""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kbuild.text.problem import Problem, SpecError

NAME = ".lock"


@contextmanager
def held(run: Path) -> Iterator[None]:
    """Hold the lock of a run directory while the block runs.

    Raises:
        SpecError: K620 if another process has it, with its number and machine.
    """
    descriptor = os.open(run / NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(descriptor, run)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": platform.node()}).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, run: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return  # Windows: the system refuses by itself to replace a file that another process has open
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SpecError(
            Problem(
                "K620",
                f"another process trains in `{run}`: {_owner(descriptor)}",
                help="wait until it is done, or stop it; its lock ends with it",
            )
        ) from None


def _owner(descriptor: int) -> str:
    try:
        found = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {found['pid']} on {found['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it does not say which"
