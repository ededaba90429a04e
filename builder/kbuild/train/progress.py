"""A run, while it runs → what a person sees: one bar and a line an epoch on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Mapping, Sequence

HIDDEN = ("epoch", "phase", "seconds", "learning_rate")


class Reporter:
    """Says nothing: what `--quiet` and `--json` take. The others extend it."""

    def start(self, epochs: int, steps: int, what: str | None = None) -> None:
        """Training begins: `epochs` of `steps` batches; or `what` it is, if those are no epochs."""

    def phase(self, text: str, epochs: int) -> None:
        """A phase begins: what learns in it, and how many epochs the run will have if none is stopped early."""

    def note(self, text: str) -> None:
        """Something worth knowing: a choice that kbuild made, a warning."""

    def step(self, done: int) -> None:
        """`done` batches of the run are done. Called often."""

    def epoch(self, row: Mapping[str, float], best: bool) -> None:
        """An epoch is done; `row` is its line of the history, `best` whether it is the best so far."""

    def finish(self) -> None:
        """Training is over, for whatever reason. May be called twice."""


class Plain(Reporter):
    """Lines of text on standard output."""

    def start(self, epochs: int, steps: int, what: str | None = None) -> None:
        """See `Reporter`."""
        self._epochs = epochs
        print(what or f"{epochs} epochs of {steps} steps", flush=True)

    def phase(self, text: str, epochs: int) -> None:
        """See `Reporter`."""
        self._epochs = epochs
        print(text, flush=True)

    def note(self, text: str) -> None:
        """See `Reporter`."""
        print(text, flush=True)

    def epoch(self, row: Mapping[str, float], best: bool) -> None:
        """See `Reporter`."""
        print(line(row, self._epochs, best), flush=True)


class Rich(Reporter):
    """One bar for the run, with the time that is left, under a line for each epoch."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False)
        self._progress = None

    def start(self, epochs: int, steps: int, what: str | None = None) -> None:
        """See `Reporter`."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._epochs = epochs
        self._progress = Progress(
            TextColumn("{task.fields[what]}" if what else "epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps,"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task("fit", total=epochs * steps, epoch=1, what=what)
        self._steps = steps
        self._progress.start()

    def phase(self, text: str, epochs: int) -> None:
        """See `Reporter`."""
        self._epochs = epochs
        self.note(text)
        if self._progress is not None:
            self._progress.update(self._task, total=epochs * self._steps)

    def note(self, text: str) -> None:
        """See `Reporter`."""
        from rich.markup import escape

        self._console.print(escape(text), soft_wrap=True)

    def step(self, done: int) -> None:
        """See `Reporter`."""
        if self._progress is not None:
            self._progress.update(self._task, completed=done)

    def epoch(self, row: Mapping[str, float], best: bool) -> None:
        """See `Reporter`."""
        self._console.print(line(row, self._epochs, best), style="green" if best else None, soft_wrap=True)
        if self._progress is not None:
            self._progress.update(self._task, epoch=min(int(row["epoch"]) + 1, self._epochs))

    def finish(self) -> None:
        """See `Reporter`."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class Once(Reporter):
    """Hands all on to another, but a note only once: the runs of a set have most of theirs in common."""

    def __init__(self, report: Reporter) -> None:
        self._report, self._told = report, set[str]()
        for name in vars(Reporter):
            if not name.startswith("_") and name != "note":
                setattr(self, name, getattr(report, name))

    def note(self, text: str) -> None:
        """See `Reporter`."""
        if text not in self._told:
            self._told.add(text)
            self._report.note(text)


def reporter(quiet: bool = False) -> Reporter:
    """The one that suits standard output; `quiet` for one that says nothing."""
    if quiet:
        return Reporter()
    return Rich() if sys.stdout.isatty() else Plain()


def line(row: Mapping[str, float], epochs: int, best: bool) -> str:
    """One epoch in one line: `epoch  3/30  loss 0.2031 (val 0.2210)  lr 0.001  0.4 s  best`."""
    width = len(str(epochs))
    parts = [f"epoch {int(row['epoch']):{width}d}/{epochs}"]
    names = [name for name in row if name not in HIDDEN and not name.startswith("val_")]
    for name in names:
        other = row.get(f"val_{name}")
        parts.append(f"{name} {number(row[name])}" + ("" if other is None else f" (val {number(other)})"))
    parts += [f"lr {row['learning_rate']:.3g}", f"{row['seconds']:.1f} s"]
    return "  ".join([*parts, "best"] if best else parts)


def table(report: Mapping[str, Mapping[str, float]], columns: Sequence[str]) -> str:
    """Rows of numbers by name, as aligned text."""
    width = max((len(name) for name in report), default=0)
    head = " " * width + "".join(f"{column:>11}" for column in columns)
    rows = [f"{name:<{width}}" + "".join(f"{number(row[c]):>11}" for c in columns) for name, row in report.items()]
    return "\n".join([head, *rows])


def number(value: float) -> str:
    """A measure as a person reads it."""
    if isinstance(value, int):
        return str(value)
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3e}"
