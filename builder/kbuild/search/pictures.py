"""Trials → PNG pictures of a study: parallel coordinates, importance, the Pareto front. Draws without a display."""

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kbuild.search.axes import Axis, text
from kbuild.search.importance import Importance
from kbuild.search.study import Trial
from kbuild.spec.values import Value
from kbuild.train.figures import BEST, INK, TRAIN, VALIDATION, blank, save

ABSENT = -0.13
"""Where a hole that is not there has its place, below an axis from 0 to 1."""
SPREAD = 10
"""Scores above 0 that differ by more than this factor are drawn on a logarithmic scale."""
LABELS_SHOWN = 14


def parallel(
    path: Path, axes: Sequence[Axis], trials: Sequence[Trial], objective: str, direction: Literal["min", "max"],
    name: str,
) -> None:  # fmt: skip
    """A line for each trial through its values, coloured by the rank of its score, the best on top.

    A line goes through the place below an axis where that hole was not there in the trial.

    Args:
        trials: those that are done, the best first.
    """
    count = len(axes)
    figure, (axis,) = blank(1, 1, (min(2.6 + 1.35 * count, 26.0), 5.4))
    lines = [*(_Line(one) for one in axes), _score(np.array([trial.score or 0.0 for trial in trials]), direction)]
    colours = _colours()
    faint = float(np.clip(25 / len(trials), 0.3, 0.85))
    segments: list[tuple[Sequence[tuple[float, float]], dict[str, Any]]] = []
    for at in reversed(range(len(trials))):
        trial, first = trials[at], at == 0
        values = [*(trial.values.get(one.path) for one in axes), trial.score]
        places = [one.place(value) + _aside(trial.number, one, value) for one, value in zip(lines, values, strict=True)]
        colour = (*colours(1 - at / max(len(trials) - 1, 1))[:3], 1.0 if first else faint)
        segments += _segments(places, {"colors": colour, "linewidths": 2.6 if first else 1.2})
    axis.add_collection(_collected(segments))
    for at, one in enumerate(lines):
        _upright(axis, at, one)
    lowest = ABSENT if any(one.conditional for one in axes) else 0.0
    axis.set_xlim(-0.35, count + 0.45)
    axis.set_ylim(lowest - 0.06, 1.05)
    axis.set_xticks(range(count + 1), [*(_wrapped(one.label) for one in axes), f"{objective}\n(best on top)"])
    axis.tick_params(axis="x", labelsize=9, length=0, pad=6)
    axis.xaxis.tick_top()
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    best = trials[0]
    axis.set_title(
        f"{name}: {len(trials)} trials, coloured from the worst (light) to the best (dark); "
        f"thick: trial {best.number}, {objective} {best.score:.4g}",
        fontsize=10, loc="left", pad=12,
    )  # fmt: skip
    save(figure, [], path)


def importance(path: Path, found: Importance, axes: Sequence[Axis], count: int, objective: str, name: str) -> None:
    """A bar for each hole, with the standard deviation over the exchanges."""
    weights = found.weights[::-1]
    figure, (axis,) = blank(1, 1, (7.4, 1.5 + 0.34 * len(weights)))
    names = {one.path: one.label for one in axes}
    shares = [max(weight.share, 0.0) for weight in weights]
    axis.barh(range(len(weights)), shares, xerr=[w.sd for w in weights], color=TRAIN, ecolor=BEST, height=0.62)
    far = max((share + weight.sd for share, weight in zip(shares, weights, strict=True)), default=1.0) or 1.0
    for at, (share, weight) in enumerate(zip(shares, weights, strict=True)):
        part = "" if weight.trials == count else f"  (there in {weight.trials} of {count})"
        axis.text(
            share + weight.sd + 0.02 * far,
            at,
            f"{share:.2f}{part}" if share >= 0.005 else f"0{part}",
            va="center",
            fontsize=8,
            color=INK,
        )
    axis.set_yticks(range(len(weights)), [names[weight.path] for weight in weights], fontsize=8)
    axis.set_xlim(0, far * 1.35)
    said = f"error that a random forest adds when the values are exchanged (1: the variance of the rank of {objective})"
    axis.set_xlabel(said, fontsize=8)
    told = f"{name}: importance of the holes, {count} trials; R² of the forest {found.r2:.2f}"
    axis.set_title(told, fontsize=10, loc="left")
    save(figure, [], path)


def front(path: Path, trials: Sequence[Trial], best: Sequence[Trial], objective: str, name: str) -> None:
    """The score over the parameters; the trials that no other dominates are joined and numbered."""
    figure, (axis,) = blank(1, 1, (7.0, 4.6))
    known = [trial for trial in trials if trial.params is not None]
    params, scores = [t.params or 0 for t in known], [t.score or 0.0 for t in known]
    axis.scatter(params, scores, s=18, color=BEST, alpha=0.55, linewidth=0, label="dominated")
    steps = [trial.params or 0 for trial in best], [trial.score or 0.0 for trial in best]
    axis.step(*steps, where="post", color=VALIDATION, linewidth=1.2)
    axis.scatter(*steps, s=34, color=VALIDATION, zorder=3, label="not dominated")
    for trial in best:
        axis.annotate(
            str(trial.number), (trial.params or 0, trial.score or 0.0), xytext=(5, 5), textcoords="offset points",
            fontsize=8, color=INK,
        )  # fmt: skip
    if params and max(params) > 10 * max(min(params), 1):
        axis.set_xscale("log")
    if _spread(np.array(scores)):
        axis.set_yscale("log")
    _plain_ticks(axis)
    axis.set_xlabel("parameters", fontsize=9)
    axis.set_ylabel(objective, fontsize=9)
    axis.legend(frameon=False, fontsize=8)
    axis.set_title(f"{name}: score and size, {len(known)} trials; numbers are trials", fontsize=10, loc="left")
    save(figure, [], path)


@dataclass(frozen=True, slots=True)
class _Line:
    """What a trial's line goes through at one axis, or at the score: its best end is on top."""

    axis: Axis
    down: bool = False

    def place(self, value: Value | None) -> float:
        if value is None:
            return ABSENT
        found = self.axis.place(value)
        return 1 - found if self.down else found


def _colours() -> Any:
    """Rank from 0, the worst, to 1 → colour: light to dark, told apart without colours too."""
    import matplotlib as mpl

    return mpl.colormaps["viridis_r"]


def _score(scores: np.ndarray, direction: str) -> _Line:
    scale = "log" if _spread(scores) else "linear"
    return _Line(Axis("", "", scale, float(scores.min()), float(scores.max())), direction == "min")


def _spread(scores: np.ndarray) -> bool:
    """Whether scores are seen better on a logarithmic scale."""
    return bool(len(scores)) and float(scores.min()) > 0 and float(scores.max()) > SPREAD * float(scores.min())


def _segments(places: Sequence[float], style: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A trial's line, piece by piece; dotted where it goes to or from a hole that is not there."""
    for at, (start, end) in enumerate(itertools.pairwise(places)):
        gone = min(start, end) < ABSENT / 2
        yield ((at, start), (at + 1, end)), {**style, "linestyles": ":" if gone else "-"}


def _collected(segments: Sequence[tuple[Any, dict[str, Any]]]) -> Any:
    """All pieces at once: one by one they would take long."""
    from matplotlib.collections import LineCollection

    styles = {key: [style[key] for _, style in segments] for key in ("colors", "linewidths", "linestyles")}
    return LineCollection([piece for piece, _ in segments], **styles)  # pyright: ignore[reportArgumentType]


def _aside(number: int, line: _Line, value: Value | None) -> float:
    """Lines through one value lie beside each other: by how much this one is moved, the same in every picture."""
    if value is not None and (line.axis.scale != "category" and line.axis.high > line.axis.low):
        return 0.0
    room = 0.025 if value is None else min(0.03, 0.3 / max(len(line.axis.labels), 1))
    return room * (2 * (number * 0.618034 % 1) - 1)


def _upright(axis: Any, at: int, line: _Line) -> None:
    """An axis, with its values; `not there` below it where it may be."""
    one = line.axis
    axis.plot((at, at), (0, 1), color=INK, linewidth=1.0, zorder=3)
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
    for value in _ticks(one):
        y = line.place(value)
        axis.plot((at - 0.025, at + 0.025), (y, y), color=INK, linewidth=1.0, zorder=3)
        axis.text(at + 0.05, y, _short(text(value), 14), fontsize=8, va="center", color=INK, bbox=box, zorder=4)
    if one.conditional:
        axis.plot((at - 0.06, at + 0.06), (ABSENT, ABSENT), color=BEST, linewidth=1.0, zorder=3)
        axis.text(at, ABSENT - 0.045, "not there", fontsize=8, va="top", ha="center", color=BEST, style="italic")


def _ticks(one: Axis) -> Sequence[Value]:
    """The values that are written beside an axis."""
    if one.scale == "category":
        step = -(-len(one.labels) // LABELS_SHOWN)
        return one.labels[::step]
    if one.low == one.high:
        return (one.low,)
    if one.scale == "log":
        powers = range(math.ceil(math.log10(one.low) - 1e-9), math.floor(math.log10(one.high) + 1e-9) + 1)
        apart = [10.0**power for power in powers if 0.07 < one.place(10.0**power) < 0.93]
        third = (one.high / one.low) ** (1 / 3)
        return (one.low, *(apart if len(apart) > 1 else (one.low * third, one.high / third)), one.high)
    middle = [one.low + share * (one.high - one.low) for share in (0.25, 0.5, 0.75)]
    if float(one.low).is_integer() and float(one.high).is_integer() and one.high - one.low > 1:
        middle = sorted({float(round(value)) for value in middle} - {one.low, one.high})
    return (one.low, *middle, one.high)


def _plain_ticks(axis: Any) -> None:
    """Numbers on logarithmic scales as they are read: 2000, not 2 × 10³."""
    from matplotlib.ticker import EngFormatter, LogLocator

    for one, scale in ((axis.xaxis, axis.get_xscale()), (axis.yaxis, axis.get_yscale())):
        if scale == "log":
            one.set_major_locator(LogLocator(subs=(1, 2, 5)))
            one.set_minor_formatter("")
            one.set_major_formatter("{x:g}")
    axis.xaxis.set_major_formatter(EngFormatter(sep=" "))


def _wrapped(label: str, width: int = 13) -> str:
    """A label in lines, broken after dots and underscores."""
    lines = [""]
    for part in re.findall(r"[^._]*[._]?", label):
        if len(lines[-1]) + len(part) > width and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(_short(line, width + 3) for line in lines)


def _short(label: str, most: int) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"
