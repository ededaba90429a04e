"""Tasks → Outcomes: processes on this machine that load Keras once and train many trials each.

A worker that dies, hangs or holds on to memory is ended and begun anew; what it was training is a result or is trained
again. Nothing is shared but a pipe, and no port is opened.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import Any

from kbuild.model import backend as engine
from kbuild.plan.budget import machine_memory
from kbuild.search import preload
from kbuild.search.executor import ATTEMPTS, EACH, Executor, Memory, few_threads, too_long
from kbuild.search.task import Outcome, Task, run
from kbuild.text.problem import SpecError

_served: list[tuple[str, int]] = []
"""Backend and threads of the process that workers are forked from, once it is there: there is one, and it stays so."""


class Machine:
    """This machine as a place where trials are trained."""

    def parallel(self) -> int:
        """One a GPU, or as many as the cores and the memory can use."""
        return len(gpus()) or max(1, min(len(cores()), machine_memory() // EACH))

    def threads(self, count: int) -> int:
        """An equal share of the cores."""
        return max(1, len(cores()) // count)

    def executor(self, path: Path, count: int, threads: int, timeout: float | None, backend: str) -> Executor:
        """Processes; the study's directory is theirs too."""
        return Workers(count, threads, timeout, backend)


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: Any
    task: Task | None = None
    began: float = 0.0
    attempt: int = 1


class Workers:
    """A number of processes that train.

    Args:
        count: how many train at the same time.
        threads: of each; those of a backend that counts cores stay on as many, where the system can do that.
        timeout: seconds that a trial may take; None is as long as it likes.
        backend: that they load while there is nothing to train yet.
    """

    def __init__(self, count: int, threads: int, timeout: float | None, backend: str):
        self._count, self._threads, self._timeout, self._backend = count, threads, timeout, backend
        self._method = _method(backend, threads)
        self._workers: list[_Worker | None] = [None] * count
        if self._method == "forkserver":
            _serve(backend, threads)
        else:
            # so that they load Keras at once
            self._workers = [self._begin(at) for at in range(count)]

    @property
    def busy(self) -> int:
        """How many are training."""
        return sum(worker is not None and worker.task is not None for worker in self._workers)

    @property
    def free(self) -> int:
        """How many wait for a task."""
        return self._count - self.busy

    def has(self, trial: int) -> bool:
        """Whether a trial is being trained."""
        return any(worker and worker.task and worker.task.trial == trial for worker in self._workers)

    def start(self, task: Task, attempt: int = 1) -> None:
        """Have a task trained by a worker that is free."""
        at = next(at for at, worker in enumerate(self._workers) if worker is None or worker.task is None)
        worker = self._workers[at]
        if worker is None or not worker.process.is_alive():
            worker = self._workers[at] = self._begin(at)
        worker.task, worker.began, worker.attempt = task, time.monotonic(), attempt
        with contextlib.suppress(OSError):  # it died just now, which is seen when its outcome is waited for
            worker.pipe.send(task)

    def wait(self, seconds: float) -> Sequence[Outcome]:
        """What is over, after this time at most."""
        running = [worker for worker in self._workers if worker is not None and worker.task is not None]
        if not running:
            return ()
        if self._timeout is not None:
            first = min(worker.began for worker in running) + self._timeout - time.monotonic()
            seconds = min(seconds, max(first, 0.0))
        connection.wait([worker.pipe for worker in running], seconds)
        return [found for at, worker in enumerate(self._workers) if worker for found in self._looked(at, worker)]

    def stop(self) -> None:
        """Ask all that train to save and stop; `wait` tells when they have."""
        for worker in self._workers:
            if worker is not None and worker.task is not None and worker.process.is_alive():
                os.kill(worker.process.pid, signal.SIGTERM)

    def close(self) -> None:
        """End all processes; what they train is left as it is."""
        for at in range(self._count):
            self._end(at)

    def _begin(self, at: int) -> _Worker:
        context: Any = multiprocessing.get_context(self._method)
        here, there = context.Pipe()
        known = cores()
        mine = [known[(at * self._threads + i) % len(known)] for i in range(self._threads)]
        process = context.Process(target=work, args=(there, self._threads, mine, at, self._backend), daemon=True)
        with _apart():
            process.start()
        there.close()
        return _Worker(process, here)

    def _looked(self, at: int, worker: _Worker) -> Sequence[Outcome]:
        task = worker.task
        if task is None:
            return ()
        try:
            if worker.pipe.poll():
                found, grown = worker.pipe.recv()
                worker.task = None
                if grown:
                    self._end(at)
                return (found,)
        except (EOFError, OSError):
            return self._died(at, worker, task)
        if self._timeout is not None and time.monotonic() - worker.began > self._timeout:
            self._end(at)
            return (too_long(task, self._timeout),)
        return ()

    def _died(self, at: int, worker: _Worker, task: Task) -> Sequence[Outcome]:
        worker.process.join(5.0)
        code = worker.process.exitcode
        self._end(at)
        if code is not None and code in (-signal.SIGTERM, -signal.SIGINT):
            return (Outcome(task.trial, "stopped"),)
        if worker.attempt < ATTEMPTS:
            self.start(task, worker.attempt + 1)
            return ()
        why = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return (Outcome(task.trial, "failed", reason=f"its process ended with {why}, {ATTEMPTS} times"),)

    def _end(self, at: int) -> None:
        """End a process at once: what it has told is on the disk, and what it has not is trained again."""
        worker = self._workers[at]
        if worker is not None:
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
        self._workers[at] = None


def _method(backend: str, threads: int) -> str:
    """How a worker begins: forked from a process that has loaded Keras, or anew where a fork could break something."""
    safe = sys.platform == "linux" and not gpus() and backend != "torch"
    return "forkserver" if safe and _served in ([], [(backend, threads)]) else "spawn"


def _serve(backend: str, threads: int) -> None:
    """Have the process begin that workers are forked from. It loads Keras while this one goes on."""
    _served[:] = [(backend, threads)]
    multiprocessing.set_forkserver_preload([preload.__name__, *preload.LATER])
    before = dict(os.environ)
    few_threads(threads)
    os.environ[preload.VARIABLE] = backend
    try:
        with _apart():
            forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    """A process that begins inside does not import the program that this one runs.

    It needs nothing of it, and a script without `if __name__ == "__main__":` would run, and search, in each once more.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def work(pipe: Any, threads: int, cores: Sequence[int], number: int, backend: str) -> None:
    """A worker's life: train what comes through the pipe, until it is closed."""
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # a Ctrl-C is for the study, which says what is to be done
    _bound(threads, () if backend == "tensorflow" else cores, number)
    _follow(os.getppid())
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    with contextlib.suppress(SpecError):  # its first trial says what is wrong
        engine.start(backend)
    memory = Memory()
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        found = run(task)
        grown = memory.grown()
        with contextlib.suppress(OSError):
            pipe.send((found, grown))


def _bound(threads: int, cores: Sequence[int], number: int) -> None:
    """Few threads, before anything is imported that makes them; one GPU, where there are several.

    Args:
        cores: to stay on, where the backend makes as many threads as it has cores; elsewhere the system chooses better,
            since it knows what else runs.
    """
    few_threads(threads)
    if cores and hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, cores)
    visible = gpus()
    if len(visible) > 1:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible[number % len(visible)]


def cores() -> list[int]:
    """The numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def gpus() -> list[str]:
    """The names of the GPUs that this process may use, without starting anything on them."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    if told is not None:
        return [name for name in told.split(",") if name]
    return sorted(path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*"))


def _follow(parent: int) -> None:
    """End with the study, however it ends: its trials are gone on with by the next."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
