"""Runs a search and kills it with SIGKILL when the ledger comes to something for the n-th time.

python killed.py SPEC OUT PHASE COUNT, or without the last two to kill nothing; OUT that is there is gone on with.
"""

import os
import signal
import sys
from pathlib import Path

from kbuild.search import ledger, tune
from kbuild.search.seeing import Reporter
from kbuild.spec.load import load


def main() -> None:
    spec, out, *when = sys.argv[1:]
    if when:
        wanted, count = when[0], int(when[1])
        seen = 0

        def phase(name: str) -> None:
            nonlocal seen
            seen += name == wanted
            if seen == count and name == wanted:
                os.kill(os.getpid(), signal.SIGKILL)

        ledger.phase = phase
    if Path(out, "run.json").exists():
        tune.resume(out, report=Reporter())
    else:
        tune.tune(load(spec), out=Path(out), report=Reporter())


if __name__ == "__main__":
    main()
