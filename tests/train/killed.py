"""Not a test: a training that kills itself. `python killed.py SPEC OUT PHASE COUNT` dies at the COUNT-th time of PHASE."""

import os
import signal
import sys
from pathlib import Path

import kbuild
from kbuild.train import checkpoint
from kbuild.train.progress import Reporter


class Killer(Reporter):
    """Dies at the phases of a save, at batches (`batch`) and at the ends of epochs (`epoch`)."""

    def __init__(self, wanted: str, count: int):
        self._wanted, self._left = wanted, count

    def phase(self, name: str) -> None:
        if name == self._wanted:
            self._left -= 1
            if self._left == 0:
                os.write(1, f"killed at {name}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)

    def step(self, done: int) -> None:
        self.phase("batch")

    def epoch(self, row: object, best: bool) -> None:
        self.phase("epoch")


if __name__ == "__main__":
    killer = Killer(sys.argv[3], int(sys.argv[4]))
    checkpoint.phase = killer.phase
    run = kbuild.fit(kbuild.load(sys.argv[1]), out=Path(sys.argv[2]), report=killer)
    print(f"done after {run.epochs} epochs", flush=True)
