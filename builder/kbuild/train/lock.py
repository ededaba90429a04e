"""A run directory → the right to write in it, which one process has at a time. Raises SpecError K620.

The system gives the lock back when a process ends, however it ends, so that none is ever left behind.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kbuild.text.problem import Problem, SpecError


@contextmanager
def held(run: Path) -> Iterator[None]:
    """Hold the lock of a run directory while the block runs.

    Raises:
        SpecError: K620 if another process has it, with its number and machine.
    """
    try:
        import fcntl
    except ImportError:  # Windows: the system refuses by itself to replace a file that another process has open
        yield
        return
    if _follows(run):
        yield
        return
    descriptor = os.open(run, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SpecError(
                Problem(
                    "K620",
                    f"another process trains in `{run}`: {_owner(run)}",
                    help="wait until it is done, or stop it; its lock ends with it",
                )
            ) from None
        yield
    finally:
        os.close(descriptor)


def _follows(run: Path) -> bool:
    """Whether this is one of several processes that train together, of which process 0 writes and holds the lock."""
    if os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID", "0") == "0":
        return False
    try:
        return int(json.loads((run / "run.json").read_text("utf-8")).get("processes", 1)) > 1
    except (OSError, ValueError, TypeError, AttributeError):
        return False


def _owner(run: Path) -> str:
    try:
        found = json.loads((run / "run.json").read_text("utf-8"))
        return f"process {found['pid']} on {found['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it does not say which"
