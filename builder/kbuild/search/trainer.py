"""Task → Outcome on a node of a Ray cluster: what lives there, loads Keras once and trains many trials."""

import contextlib
import os
import signal
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from kbuild.search.executor import Memory, few_threads
from kbuild.search.parcel import packed, unpacked
from kbuild.search.task import Outcome, Task, run
from kbuild.version import __version__

MARK = ".ray"
"""A file of a study that is searched on a cluster: a node that reads in it what was written shares the disk."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trainer is.

    Args:
        shares: whether the study's directory is on a disk that it shares with the driver.
    """

    node: str
    pid: int
    shares: bool
    version: str


@dataclass(frozen=True, slots=True)
class Back:
    """What comes back of a trial.

    Args:
        grown: whether the process holds much more memory than after its first trial.
        run: the run directory; None where the driver has it already.
    """

    outcome: Outcome
    grown: bool
    run: bytes | None


class Trainer:
    """An actor of Ray's.

    Args:
        threads: of each trial.
        study: the study's directory on the driver.
        mark: what the driver wrote into the file `MARK` there.
    """

    def __init__(self, threads: int, study: Path, mark: str):
        few_threads(threads)
        self._memory = Memory()
        self._shares = False
        with contextlib.suppress(OSError):
            self._shares = (study / MARK).read_text("utf-8") == mark

    def place(self) -> Place:
        """Where this is; answered when it is ready."""
        import ray

        return Place(ray.get_runtime_context().get_node_id(), os.getpid(), self._shares, __version__)

    def train(self, task: Task, begun: bytes | None = None, parent: bytes | None = None) -> Back:
        """Train a trial in its directory, or in one of this node's that is then carried home.

        Args:
            begun, parent: the run directories of `task.out` and `task.parent`, where they are not shared.
        """
        if self._shares:
            return Back(run(task), self._memory.grown(), None)
        with tempfile.TemporaryDirectory(prefix="kbuild-") as folder:
            out, before = Path(folder) / task.out.name, Path(folder) / "parent"
            for content, path in ((begun, out), (parent, before)):
                if content is not None:
                    unpacked(content, path)
            found = run(replace(task, out=out, parent=None if parent is None else before))
            return Back(found, self._memory.grown(), packed(out))


def end(pid: int) -> None:
    """Ask a trainer of this node to save and stop."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
