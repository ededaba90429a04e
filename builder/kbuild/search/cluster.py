"""Tasks → Outcomes on a Ray cluster: an actor for each trial at a time, placed, watched and carried home by Ray.

An actor that dies, alone or with its node, is begun anew where there is room, and its trial is trained again by the
first that is ready. Raises SpecError.
"""

import contextlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kbuild.search.executor import ATTEMPTS, EACH, Executor, too_long
from kbuild.search.parcel import packed, unpacked
from kbuild.search.task import Outcome, Task
from kbuild.search.trainer import MARK, Back, Place, Trainer, end
from kbuild.text.problem import Problem, SpecError
from kbuild.train import atomic
from kbuild.version import __version__

ROOM = 900.0
"""Seconds to wait for a place on the cluster while nothing is trained; one that grows by itself needs minutes."""
STARTS = 3
"""How often in a row an actor may fail to begin, for each trial at a time."""


class Cluster:
    """A Ray cluster that this process is connected to, as a place where trials are trained."""

    def __init__(self) -> None:
        import ray

        alive: list[dict[str, float]] = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        self._cpus = [int(node.get("CPU", 0)) for node in alive]
        self._memory = [max(1, int(node.get("memory", 0) // EACH)) for node in alive]
        self._gpus = sum(int(node.get("GPU", 0)) for node in alive)
        self._beside = [int(n["CPU"] // n["GPU"]) for n in alive if n.get("GPU", 0) >= 1 and n.get("CPU", 0) >= 1]

    def parallel(self) -> int:
        """One a GPU, or as many as the CPUs and the memory of all nodes hold."""
        return max(1, self._gpus or self._holds(1))

    def threads(self, count: int) -> int:
        """As many as so many trials find room with."""
        if self._gpus:
            return max(1, min(self._beside, default=1))
        most = max(self._cpus, default=1)
        return next((threads for threads in range(most, 0, -1) if self._holds(threads) >= count), 1)

    def executor(self, path: Path, count: int, threads: int, timeout: float | None, backend: str) -> Executor:
        """Actors, which load Keras with their first trial. Nodes that do not see the study's directory send runs."""
        cpus = max(1, min(threads, max(self._cpus, default=1)))  # more than any node has would never be placed
        gpus = 1 if self._gpus else 0
        return Actors(path, max(1, min(count, self._gpus or self._holds(cpus))), threads, (cpus, gpus), timeout)

    def _holds(self, threads: int) -> int:
        return sum(min(cpus // threads, memory) for cpus, memory in zip(self._cpus, self._memory, strict=True))


@dataclass(slots=True)
class _Seat:
    """One actor. `waits` is what Ray is to answer: its place while `place` is None, then what it trains."""

    actor: Any
    waits: Any
    place: Place | None = None
    task: Task | None = None
    began: float = 0.0
    attempt: int = 1


class Actors:
    """Actors that train; see `Cluster.executor`.

    Args:
        resources: CPUs and GPUs that Ray keeps for each.
    """

    def __init__(self, path: Path, count: int, threads: int, resources: tuple[int, int], timeout: float | None):
        self._path, self._threads, self._resources, self._timeout = path.absolute(), threads, resources, timeout
        self._mark = uuid.uuid4().hex
        atomic.write_text(self._path / MARK, self._mark)
        self._again: list[tuple[Task, int]] = []
        self._stopping, self._failed, self._used = False, 0, time.monotonic()
        self._seats = [self._begin() for _ in range(count)]

    @property
    def busy(self) -> int:
        """How many are being trained, or are to be again."""
        return sum(seat.task is not None for seat in self._seats) + len(self._again)

    @property
    def free(self) -> int:
        """How many actors are ready for a task."""
        return max(0, len(self._idle()) - len(self._again))

    def has(self, trial: int) -> bool:
        """Whether a trial is being trained, or is to be again."""
        tasks = [*(seat.task for seat in self._seats), *(task for task, _ in self._again)]
        return any(task is not None and task.trial == trial for task in tasks)

    def start(self, task: Task) -> None:
        """Have a task trained by an actor that is ready."""
        beside = {"out": task.out, "home": task.home, **({} if task.parent is None else {"parent": task.parent})}
        absolute: dict[str, Any] = {name: path.absolute() for name, path in beside.items()}
        roots = tuple(root.absolute() for root in task.data_roots)
        self._give(self._idle()[0], replace(task, **absolute, data_roots=roots), 1)

    def wait(self, seconds: float) -> Sequence[Outcome]:
        """What is over, after this time at most."""
        import ray

        waited = [seat.waits for seat in self._seats if seat.waits is not None]
        if waited:
            ray.wait(waited, timeout=seconds)
        found = [outcome for at in range(len(self._seats)) for outcome in self._looked(at)]
        while self._again and self._idle():
            self._give(self._idle()[0], *self._again.pop(0))
        self._room()
        return found

    def stop(self) -> None:
        """Ask all that train to save and stop; what waits to be trained again does not wait any more."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._stopping = True
        self._again.clear()
        for seat in self._seats:
            if seat.task is not None and seat.place is not None:
                there = NodeAffinitySchedulingStrategy(seat.place.node, soft=False)
                ray.remote(end).options(num_cpus=0, scheduling_strategy=there).remote(seat.place.pid)

    def close(self) -> None:
        """End all actors."""
        import ray
        from ray.exceptions import RayError

        for seat in self._seats:
            with contextlib.suppress(RayError):
                ray.kill(seat.actor)
        self._seats = []
        with contextlib.suppress(OSError):
            (self._path / MARK).unlink()

    def _idle(self) -> list[_Seat]:
        return [seat for seat in self._seats if seat.place is not None and seat.task is None]

    def _begin(self) -> _Seat:
        import ray

        cpus, gpus = self._resources
        actor: Any = ray.remote(Trainer).options(num_cpus=cpus, num_gpus=gpus, max_restarts=0)
        made = actor.remote(self._threads, self._path, self._mark)
        return _Seat(made, made.place.remote())

    def _give(self, seat: _Seat, task: Task, attempt: int) -> None:
        assert seat.place is not None
        carried: tuple[bytes | None, ...] = ()
        if not seat.place.shares:
            carried = (packed(task.out), None if task.parent is None else packed(task.parent))
        seat.task, seat.attempt, seat.began = task, attempt, time.monotonic()
        seat.waits = seat.actor.train.remote(task, *carried)

    def _looked(self, at: int) -> Sequence[Outcome]:
        """What became of what an actor was to do."""
        import ray
        from ray.exceptions import RayError

        seat = self._seats[at]
        if seat.waits is None:
            return ()
        late = self._timeout is not None and time.monotonic() - seat.began > self._timeout
        if not ray.wait([seat.waits], timeout=0)[0]:
            if seat.task is None or not late or self._timeout is None:
                return ()
            self._anew(at)
            return (too_long(seat.task, self._timeout),)
        try:
            answer: Place | Back = ray.get(seat.waits)
        except RayError as error:
            return self._died(at, seat, str(error).strip().splitlines()[0])
        seat.waits = None
        if isinstance(answer, Place):
            seat.place, self._failed = answer, 0
            _same_version(answer)
            return ()
        assert seat.task is not None
        if answer.run is not None:
            unpacked(answer.run, seat.task.out)
        seat.task = None
        if answer.grown:
            self._anew(at)
        return (answer.outcome,)

    def _died(self, at: int, seat: _Seat, why: str) -> Sequence[Outcome]:
        task = seat.task
        self._anew(at)
        if task is None:
            self._failed += 1
            if self._failed > STARTS * len(self._seats):
                help = f"install kbuild {__version__} and what it needs on every node of the cluster"
                raise SpecError(Problem("K517", f"no trial can be trained on the Ray cluster: {why}", help=help))
            return ()
        if self._stopping:
            return (Outcome(task.trial, "stopped"),)
        if seat.attempt < ATTEMPTS:
            self._again.append((task, seat.attempt + 1))
            return ()
        return (Outcome(task.trial, "failed", reason=f"its actor ended {ATTEMPTS} times: {why}"),)

    def _anew(self, at: int) -> None:
        import ray
        from ray.exceptions import RayError

        with contextlib.suppress(RayError):
            ray.kill(self._seats[at].actor)
        self._seats[at] = self._begin()

    def _room(self) -> None:
        """Raise K517 if nothing finds a place for long."""
        if any(seat.place is not None for seat in self._seats):
            self._used = time.monotonic()
        elif time.monotonic() - self._used > ROOM:
            cpus, gpus = self._resources
            said = f"the Ray cluster has had no room for a trial for {ROOM / 60:g} minutes: it takes {cpus} CPUs"
            help = "look at `ray status`, then go on with `kbuild tune --resume STUDY`"
            raise SpecError(Problem("K517", said + (f" and {gpus} GPU" if gpus else ""), help=help))


def _same_version(place: Place) -> None:
    if place.version != __version__:
        said = f"a node of the Ray cluster has kbuild {place.version}, and this is {__version__}"
        raise SpecError(Problem("K517", said, help=f"install kbuild {__version__} on every node"))
