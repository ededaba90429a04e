"""A search, while it runs → what a person sees: a line a trial, and on a terminal what is being trained."""

import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from kbuild.search import live
from kbuild.search.axes import brief
from kbuild.search.study import Trial, better, order
from kbuild.text.snippet import harmless


class Reporter:
    """Says nothing: what `--quiet` and `--json` take. The others extend it."""

    def start(self, objective: str, direction: str, most: int | None, dims: int, path: Path | None = None) -> None:
        """A search begins in `path`, for `most` trials (None: as many as the oracle likes) over `dims` holes."""

    def note(self, text: str) -> None:
        """Something worth knowing."""

    def begun(self, trial: int) -> None:
        """A trial is being trained."""

    def ended(self, trials: Sequence[Trial], trial: int, elapsed: float) -> None:
        """A trial is over; `trials` are all that there are."""

    def tick(self, trials: Sequence[Trial], elapsed: float) -> None:
        """Time goes by; called twice a second."""

    def finish(self) -> None:
        """The search is over, for whatever reason. May be called twice."""


class Plain(Reporter):
    """Lines of text on standard output."""

    def start(self, objective: str, direction: str, most: int | None, dims: int, path: Path | None = None) -> None:
        """See `Reporter`."""
        self._objective, self._direction, self._most, self._path = objective, direction, most, path
        trials = "trials" if most is None else f"{most} trials"
        self._say(f"{trials} over {dims} hole{'' if dims == 1 else 's'}, for the {direction}imum of {objective}")

    def note(self, text: str) -> None:
        """See `Reporter`."""
        self._say(text)

    def ended(self, trials: Sequence[Trial], trial: int, elapsed: float) -> None:
        """See `Reporter`."""
        self._say(line(trials, trial, self._objective, self._direction, self._most, elapsed))

    def _say(self, text: str) -> None:
        print(text, flush=True)


class Rich(Plain):
    """The same, and below it the best trials, what is being trained and the time that is left."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False)
        self._began: dict[int, float] = {}
        self._live = None

    def start(self, objective: str, direction: str, most: int | None, dims: int, path: Path | None = None) -> None:
        """See `Reporter`."""
        from rich.live import Live

        super().start(objective, direction, most, dims, path)
        self._live = Live("", console=self._console, refresh_per_second=4, transient=True)
        self._live.start()

    def begun(self, trial: int) -> None:
        """See `Reporter`."""
        self._began[trial] = time.monotonic()

    def ended(self, trials: Sequence[Trial], trial: int, elapsed: float) -> None:
        """See `Reporter`."""
        self._began.pop(trial, None)
        super().ended(trials, trial, elapsed)

    def tick(self, trials: Sequence[Trial], elapsed: float) -> None:
        """See `Reporter`."""
        if self._live is not None:
            ranked = order(trials, self._direction)
            running = live.since(self._began, self._path, self._objective)
            self._live.update(live.drawn(live.View(self._objective, ranked, running, self._foot(trials, elapsed))))

    def finish(self) -> None:
        """See `Reporter`."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _foot(self, trials: Sequence[Trial], elapsed: float) -> str:
        over = sum(trial.status in ("done", "failed") for trial in trials)
        failed = sum(trial.status == "failed" for trial in trials)
        of = "" if self._most is None else f" of {self._most}"
        bad = f" ({failed} failed)" if failed else ""
        return f"{over}{of} trials{bad}, {live.clock(elapsed)} until now{left(trials, self._most, elapsed)}"

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def reporter(quiet: bool = False) -> Reporter:
    """The one that suits standard output; `quiet` for one that says nothing."""
    if quiet:
        return Reporter()
    return Rich() if sys.stdout.isatty() else Plain()


def line(trials: Sequence[Trial], number: int, objective: str, direction: str, most: int | None, elapsed: float) -> str:
    """One trial in one line: `trial  3/30  val_loss 0.2031  best 0.1987 (trial 2)  4.1 s  units=64 …`."""
    trial = next(one for one in trials if one.number == number)
    # trials that are dropped have numbers too
    last = None if most is None else most + sum(one.status == "dropped" for one in trials)
    of = "" if last is None else f"/{last}"
    parts = [f"trial {number:{len(str(last or 100))}d}{of}"]
    if trial.score is None:
        parts.append(f"{trial.status}: {harmless(trial.reason or '')}")
    else:
        sd = "" if trial.sd is None else f" ± {trial.sd:.2g}"
        parts.append(f"{objective} {trial.score:.4g}{sd}")
    best: Trial | None = None
    for one in trials:
        if one.score is not None and better(one.score, None if best is None else best.score, direction):
            best = one
    if best is not None:
        parts.append("best" if best.number == number else f"(best {best.score:.4g}, trial {best.number})")
    parts.append(f"{trial.seconds:.1f} s{left(trials, most, elapsed)}")
    return "  ".join([*parts, brief(trial.values)])


def left(trials: Sequence[Trial], most: int | None, elapsed: float) -> str:
    """`, about 3 min left`, from what the trials took until now."""
    over = sum(trial.status in ("done", "failed") for trial in trials)
    if most is None or not over or over >= most:
        return ""
    seconds = elapsed / over * (most - over)
    return f", about {seconds:.0f} s left" if seconds < 90 else f", about {math.ceil(seconds / 60)} min left"
