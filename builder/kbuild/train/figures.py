"""Numbers of a run → PNG pictures: curves, confusion matrix, worst mistakes, range test. Draws without a display."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import numpy as np

from kbuild.train import atomic, history
from kbuild.train.rates import Suggestion

INK, TRAIN, VALIDATION, BEST = "#333333", "#1f77b4", "#d95f02", "#7f7f7f"
NAMES_SHOWN = 40  # more classes than this get no labels and no numbers
POINTS = 5000  # more than this are not drawn

P = ParamSpec("P")
_drawing: ContextVar[bool] = ContextVar("drawing", default=True)


@contextmanager
def undrawn() -> Iterator[None]:
    """Inside, no picture of a run is drawn: of many short runs the pictures would take a good part of the time."""
    token = _drawing.set(False)
    try:
        yield
    finally:
        _drawing.reset(token)


def _drawn(draw: Callable[P, None]) -> Callable[P, None]:
    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        if _drawing.get():
            draw(*args, **kwargs)

    return drawn


@_drawn
def curves(path: Path, columns: Mapping[str, Sequence[float]], best: int | None) -> None:
    """One chart for each number of the history, training and validation together, the best epoch marked.

    Args:
        columns: of `history.csv`.
        best: the best epoch, from 1.
    """
    names = [name for name in columns if name not in history.FIRST and not name.startswith("val_")]
    names = [*names[:11], "learning_rate"]
    wide = min(3, len(names))
    figure, axes = blank(-(-len(names) // wide), wide, (4.2, 3.0))
    for axis, name in zip(axes, names, strict=False):
        epochs = columns["epoch"]
        mark = "o" if len(epochs) < 3 else None
        axis.plot(epochs, columns[name], color=TRAIN, label="training", marker=mark)
        if f"val_{name}" in columns:
            axis.plot(epochs, columns[f"val_{name}"], color=VALIDATION, label="validation", marker=mark)
            axis.legend(frameon=False, fontsize=8)
        if best is not None:
            axis.axvline(best, color=BEST, linewidth=0.8, linestyle=":")
        axis.set_title(name.replace("_", " "), fontsize=10)
        axis.set_xlabel("epoch", fontsize=8)
        axis.xaxis.get_major_locator().set_params(integer=True)
    save(figure, axes[len(names) :], path)


@_drawn
def bands(path: Path, histories: Sequence[Mapping[str, Sequence[float]]]) -> None:
    """Curves of several runs: thin lines are the runs, the thick one is their mean, the band one standard deviation.

    Args:
        histories: columns of `history.csv`. Mean and band end with the shortest of them: beyond it the mean would be
            of other runs.
    """
    shared = [name for name in histories[0] if all(name in columns for columns in histories)]
    names = [name for name in shared if name not in history.FIRST and not name.startswith("val_")][:12]
    wide = min(3, len(names))
    figure, axes = blank(-(-len(names) // wide), wide, (4.2, 3.0))
    for axis, name in zip(axes, names, strict=False):
        drawn = [(name, TRAIN, "training"), (f"val_{name}", VALIDATION, "validation")]
        for column, color, label in drawn:
            if column in shared:
                _band(axis, [columns["epoch"] for columns in histories], [c[column] for c in histories], color, label)
        axis.legend(frameon=False, fontsize=8)
        axis.set_title(name.replace("_", " "), fontsize=10)
        axis.set_xlabel("epoch", fontsize=8)
        axis.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(f"mean ± standard deviation of {len(histories)} runs", fontsize=9)
    save(figure, axes[len(names) :], path)


def _band(axis, epochs: Sequence[Sequence[float]], rows: Sequence[Sequence[float]], color: str, label: str) -> None:
    for at, row in zip(epochs, rows, strict=True):
        axis.plot(at, row, color=color, linewidth=0.6, alpha=0.35)
    length = min(len(row) for row in rows)
    values = np.array([row[:length] for row in rows], "float64")
    mean, along = values.mean(axis=0), epochs[0][:length]
    axis.plot(along, mean, color=color, linewidth=1.8, label=label, marker="o" if length < 3 else None)
    if len(rows) > 1:
        spread = values.std(axis=0, ddof=1)
        axis.fill_between(along, mean - spread, mean + spread, color=color, alpha=0.2, linewidth=0)


def beside(path: Path, runs: Sequence[tuple[str, Mapping[str, Sequence[float]]]]) -> None:
    """Curves of different runs, a chart for each metric: a colour a run, training dashed, validation solid.

    Args:
        runs: label and columns of `history.csv` of each; a metric that not all have shows those that do.
    """
    columns = dict.fromkeys(name for _, one in runs for name in one if name not in history.FIRST)
    names = [name for name in columns if not name.startswith("val_")][:12]
    wide = min(3, max(len(names), 1))
    tall = max(-(-len(names) // wide), 1)
    figure, axes = blank(tall, wide, (4.6, 3.3))
    for axis, name in zip(axes, names, strict=False):
        for at, (_, one) in enumerate(runs):
            for column, line in ((name, "--"), (f"val_{name}", "-")):
                if column in one:
                    mark = "o" if len(one[column]) < 3 else None
                    axis.plot(one["epoch"], one[column], color=_colour(at, len(runs)), linestyle=line, marker=mark)
        if _far([value for _, one in runs for column in (name, f"val_{name}") for value in one.get(column, ())]):
            axis.set_yscale("log")
        axis.set_title(name.replace("_", " "), fontsize=10)
        axis.set_xlabel("epoch", fontsize=8)
        axis.xaxis.get_major_locator().set_params(integer=True)
    _keys(figure, [_short(label, 40) for label, _ in runs], wide)
    save(figure, axes[len(names) :], path)


def _keys(figure, labels: Sequence[str], wide: int) -> None:
    """One legend for all charts, below them."""
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=_colour(at, len(labels)), linewidth=2) for at in range(len(labels))]
    lines += [Line2D([], [], color=INK, linestyle="--"), Line2D([], [], color=INK)]
    figure.legend(
        lines, [*labels, "training", "validation"], loc="outside lower center", ncols=min(2 * wide, 6), frameon=False,
        fontsize=8,
    )  # fmt: skip


def _far(values: Sequence[float]) -> bool:
    """Whether one curve would press the others flat: numbers above 0 that differ by more than a factor of 50."""
    known = [value for value in values if np.isfinite(value)]
    return bool(known) and min(known) > 0 and max(known) > 50 * min(known)


def _colour(at: int, count: int) -> tuple[float, float, float, float]:
    import matplotlib as mpl

    return mpl.colormaps["tab10"](at) if count <= 10 else mpl.colormaps["turbo"](at / (count - 1))


@_drawn
def confusion(path: Path, matrix: np.ndarray, classes: Sequence[str], title: str) -> None:
    """A confusion matrix: colour is the share of the true class, numbers are examples."""
    count = len(classes)
    side = float(np.clip(0.42 * count + 2.2, 3.6, 12))
    figure, (axis,) = blank(1, 1, (side, side))
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    if count <= NAMES_SHOWN:
        axis.set_xticks(range(count), [_short(name) for name in classes], rotation=60, ha="right", fontsize=8)
        axis.set_yticks(range(count), [_short(name) for name in classes], fontsize=8)
        for row, column in np.argwhere(matrix > 0):
            color = "white" if share[row, column] > 0.55 else INK
            axis.text(column, row, str(matrix[row, column]), ha="center", va="center", fontsize=8, color=color)
    axis.grid(False)
    save(figure, [], path)


@_drawn
def pictures(path: Path, images: Sequence[np.ndarray], titles: Sequence[str]) -> None:
    """Images in rows of six, each under its title.

    Args:
        images: (height, width), (height, width, 1) or (height, width, 3), any range.
    """
    wide = min(6, max(1, len(images)))
    figure, axes = blank(-(-len(images) // wide), wide, (1.7, 2.0))
    for axis, image, title in zip(axes, images, titles, strict=False):
        axis.imshow(_scaled(image), cmap="gray", vmin=0, vmax=1)
        axis.set_title(title, fontsize=7)
        axis.set_axis_off()
    save(figure, axes[len(images) :], path)


@_drawn
def scatter(path: Path, true: np.ndarray, predicted: np.ndarray, title: str) -> None:
    """Predicted over true numbers, with the line on which they are equal."""
    figure, (axis,) = blank(1, 1, (4.2, 4.2))
    true, predicted = np.ravel(true), np.ravel(predicted)
    low, high = float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))
    axis.plot([low, high], [low, high], color=BEST, linewidth=0.8)
    axis.scatter(true[:POINTS], predicted[:POINTS], s=8, alpha=0.5, color=TRAIN)
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("true")
    axis.set_ylabel("predicted")
    save(figure, [], path)


def rates(
    path: Path, rates: np.ndarray, losses: np.ndarray, smoothed: np.ndarray, found: Suggestion, name: str
) -> None:
    """A range test: the loss over the learning rate, with the suggestion.

    Args:
        rates, losses, smoothed: (n,); what is not finite is left out, and what is far above the rest runs out of the
            picture.
    """
    figure, (axis,) = blank(1, 1, (6.4, 4.0))
    axis.plot(rates, losses, color=BEST, linewidth=0.7, alpha=0.6, label="loss of a batch")
    axis.plot(rates, smoothed, color=TRAIN, linewidth=1.8, label="smoothed")
    axis.set_xscale("log")
    low, high = span(smoothed)
    axis.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))
    if found.rate is not None:
        axis.axvline(found.rate, color=VALIDATION, linewidth=1.4, label=f"suggestion {found.rate:g}")
    if found.lowest is not None:
        axis.axvline(found.lowest, color=INK, linewidth=0.9, linestyle=":", label=f"lowest at {found.lowest:.2g}")
    axis.set_title(f"{name}: learning-rate range test", fontsize=10)
    axis.set_xlabel("learning rate", fontsize=9)
    axis.set_ylabel("loss", fontsize=9)
    axis.legend(frameon=False, fontsize=8)
    save(figure, [], path)


def span(curve: np.ndarray) -> tuple[float, float]:
    """The lowest value of a loss curve, and how high a picture of it need reach: a third above where it started.

    Args:
        curve: (n,), may end in what is no number.
    """
    known = curve[np.isfinite(curve)]
    if not len(known):
        return 0.0, 1.0
    low, start = float(known.min()), float(known[: max(len(known) // 10, 1)].max())
    high = min(float(known.max()), start + max((start - low) / 3, 0.1 * abs(start)))
    return low, high if high > low else low + max(abs(low), 1e-3)


def blank(rows: int, columns: int, size: tuple[float, float]):
    """A figure and the list of its axes, row by row.

    Args:
        size: of one of them, width and height in inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(columns * size[0], rows * size[1]), layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    axes = list(np.ravel(figure.subplots(rows, columns, squeeze=False)))
    for axis in axes:
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def save(figure, unused: Sequence, path: Path) -> None:
    """Write a figure as PNG, whole or not at all, without the axes that nothing was drawn in."""
    for axis in unused:
        axis.set_axis_off()
    with atomic.writing(path) as temporary:
        figure.savefig(temporary, format="png")


def _scaled(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image, "float64")
    image = image[..., 0] if image.ndim == 3 and image.shape[-1] not in (3, 4) else image
    low, high = image.min(), image.max()
    return (image - low) / (high - low) if high > low else np.zeros_like(image)


def _short(name: str, most: int = 16) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
