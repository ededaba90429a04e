"""Runs a search, or goes on with it, and has it killed: the driver when the ledger comes to something for the n-th time.

python killed.py SPEC OUT [PHASE COUNT]. In a process that nursery.py forked its workers are forked too, so that none
of them waits for Keras; with WHOSE=driver they have a disk of their own. They are killed as the nursery was asked to,
and OUT.deaths tells of each that died.
"""

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

from kbuild.search import ledger, tune, workers
from kbuild.search.seeing import Reporter
from kbuild.spec.load import load
from kbuild.text.problem import SpecError
from kbuild.train import signals

OPEN = Path("/proc/self/fd")


def main() -> None:
    spec, out, *when = sys.argv[1:]
    if when:
        ledger.phase = killing(when[0], int(when[1]))
    if os.environ.get("WARM"):
        fork()
    try:
        if Path(out, "run.json").exists():
            found = tune.resume(out, report=Reporter())
        else:
            found = tune.tune(load(spec), out=Path(out), report=Reporter())
    except SpecError as error:
        print(*(problem.code for problem in error.problems))
        sys.exit(error.exit_code)
    sys.exit(found.exit_code)


def killing(wanted: str, count: int):
    """What `ledger.phase` is to be."""
    seen = 0

    def phase(name: str) -> None:
        nonlocal seen
        seen += name == wanted
        if seen == count and name == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    return phase


def fork() -> None:
    """Have workers forked. They keep nothing of the driver's, files nor signals, as those that are spawned do not."""
    real = workers.work

    def work(pipe, *arguments):
        kept = {0, 1, 2, pipe.fileno(), *logs()}
        for file in OPEN.iterdir():
            if int(file.name) not in kept:
                with contextlib.suppress(OSError):
                    os.close(int(file.name))
        signals._entered.clear()
        for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
            signal.signal(number, handler)
        library = ctypes.CDLL(None)
        if os.environ.get("WHOSE") == "driver" and hasattr(library, "disk_arm"):
            library.disk_arm(b"/nowhere", b"", b"", ctypes.c_long(0), 0, 0, -1)
        real(pipe, *arguments)

    died = workers.Workers._died

    def _died(self, at, worker, task):
        with Path(f"{sys.argv[2]}.deaths").open("a") as file:
            file.write(f"{task.trial}\n")
        return died(self, at, worker, task)

    workers.work, workers.Workers._died = work, _died
    workers._method = lambda backend, threads: "fork"


def logs() -> list[int]:
    """What disk.c tells."""
    found = []
    for file in OPEN.iterdir():
        with contextlib.suppress(OSError):
            if file.readlink().suffix == ".log":
                found.append(int(file.name))
    return found


if __name__ == "__main__":
    main()
