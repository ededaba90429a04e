"""Trials → the foot of a terminal while a search runs: the best, what is being trained, and the time that is left."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kbuild.search.axes import brief
from kbuild.search.study import Trial, place
from kbuild.text.problem import SpecError
from kbuild.text.snippet import harmless
from kbuild.train import history, rundir

TOP = 5
"""Trials that are listed."""


@dataclass(frozen=True, slots=True)
class View:
    """What is shown.

    Args:
        ranked: the trials that are done, the best first.
        running: trial → seconds since it began, and how far it is.
        foot: how many are over, and how long the others take.
    """

    objective: str
    ranked: Sequence[Trial]
    running: Mapping[int, tuple[float, str]]
    foot: str


def drawn(view: View) -> Any:
    """What Rich draws of it. Nothing of a spec is taken for markup."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[Any] = []
    if view.ranked:
        best = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=True)
        for head in ("best", view.objective, "parameters", "s"):
            best.add_column(Text(head), justify="right", no_wrap=True)
        best.add_column(Text("values"), no_wrap=True, overflow="ellipsis", ratio=1)
        for rank, trial in enumerate(view.ranked[:TOP]):
            sd = "" if trial.sd is None else f" ± {trial.sd:.2g}"
            params = "-" if trial.params is None else f"{trial.params:,}"
            cells = (f"trial {trial.number}", f"{trial.score:#.4g}{sd}", params, f"{trial.seconds:.1f}")
            style = "bold green" if rank == 0 else ""
            best.add_row(*(Text(cell, style) for cell in (*cells, brief(trial.values, 20))))
        parts.append(best)
    if view.running:
        now = Table.grid(padding=(0, 2, 0, 0))
        now.add_column(justify="right", no_wrap=True)
        now.add_column(justify="right", no_wrap=True)
        now.add_column(no_wrap=True, overflow="ellipsis")
        for trial, (seconds, far) in sorted(view.running.items()):
            now.add_row(Text(f"trial {trial}", "cyan"), Text(clock(seconds)), Text(far, "dim"))
        parts += [Text("training", "dim"), now] if parts else [now]
    return Group(*parts, Text(view.foot, "bold"))


def far(study: Path | None, trial: int, objective: str) -> str:
    """How far a trial is, as its run says: `epoch 3/30  val_loss 0.2700`; `starts` as long as it says nothing."""
    path = None if study is None else place(study, trial)
    try:
        return "" if path is None else _far(path, objective)
    except (OSError, ValueError, SpecError):  # it is being written, or lies on another machine
        return ""


def clock(seconds: float) -> str:
    """`42 s`, `3:07`, `1:02:30`.

    >>> clock(42.4), clock(187), clock(3750)
    ('42 s', '3:07', '1:02:30')
    """
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = f"{whole // 60 % 60:02d}:{whole % 60:02d}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{minutes}" if whole >= 3600 else minutes


def _far(path: Path, objective: str) -> str:
    members = sorted((path / "members").glob("*/run.json"), key=lambda file: int(file.parent.name))
    run = members[-1].parent if members else path
    if not (run / "run.json").is_file():
        return "starts"
    info: Any = rundir.info(run)
    rows = history.read(run / "history.csv")
    count = len(rows.get("epoch", ()))
    member = f"training {len(members)}, " if members else ""
    value = f"  {objective} {rows[objective][-1]:#.4g}" if count and objective in rows else ""
    planned = info.get("planned_epochs")
    return harmless(f"{member}epoch {count}{'' if planned is None else f'/{planned}'}{value}")


def since(began: Mapping[int, float], study: Path | None, objective: str) -> dict[int, tuple[float, str]]:
    """Of each trial that is being trained: how long it has been, and how far it is."""
    now = time.monotonic()
    return {trial: (now - start, far(study, trial, objective)) for trial, start in began.items()}
