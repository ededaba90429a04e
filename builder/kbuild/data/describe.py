"""(Header, Dataset) → what a data source is, as JSON-ready values, as text and as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kbuild.data.dataset import Dataset, Part
from kbuild.data.header import Header, Target
from kbuild.data.labels import integers
from kbuild.data.lazy import Array, chunks

EXAMPLES = 5
_PARTS = ("train", "validation", "test")


def describe(header: Header, dataset: Dataset | None = None) -> dict[str, Any]:
    """What is known of a source.

    Args:
        dataset: None describes what the header tells, without any example.

    Returns:
        `inputs` by name: `shape`, `dtype` and, of the training part, `min`, `max`, `mean`. `targets` by name:
        `shape`, `dtype`, `task`, `classes`, `count`, `one_hot` and of each part the number of examples of each class
        (`examples`) or `min`, `max`, `mean`. `parts`: examples by part. `weighted`. With a data set also `digest` and
        a few of its `examples`.
    """
    found: dict[str, Any] = {
        "inputs": {
            name: {"shape": list(tensor.shape), "dtype": tensor.dtype} for name, tensor in header.inputs.items()
        },
        "targets": {name: _target(target) for name, target in header.targets.items()},
        "parts": dict(header.counts),
        "weighted": header.weighted,
    }
    if dataset is None:
        return found
    parts = _parts(dataset)
    for name, array in dataset.train.x.items():
        found["inputs"][name] |= _range(array)
    for name, target in header.targets.items():
        if name in dataset.train.y:
            found["targets"][name]["in"] = {part: _content(content.y[name], target) for part, content in parts.items()}
    found["parts"] = {part: len(content) for part, content in parts.items()}
    found["digest"] = dataset.digest
    found["examples"] = _examples(dataset.train, header)
    return found


def text(header: Header, dataset: Dataset | None = None) -> str:
    """The same for people: a line for each input, target, class and part, then a few examples."""
    found = describe(header, dataset)
    lines = [_input(name, entry) for name, entry in found["inputs"].items()] or [
        "inputs: not known before the data are loaded"
    ]
    for name, entry in found["targets"].items():
        lines += _target_lines(name, entry)
    counts = ", ".join(
        f"{part} {'?' if count is None else format(count, ',')}" for part, count in found["parts"].items()
    )
    if counts:
        lines.append(f"examples: {counts}" + ("; weighted" if found["weighted"] else ""))
    if dataset is not None:
        lines.append(f"digest: {dataset.digest[:16]}")
        lines += [_example(example) for example in found["examples"]]
    return "\n".join(lines) + "\n"


def picture(dataset: Dataset, path: Path) -> None:
    """Draw examples of the training part, with their labels, into a PNG; what is no picture is drawn as a curve."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    name, array = max(dataset.train.x.items(), key=lambda item: item[1].ndim)
    chosen = _spread(dataset.train, dataset.header, 15)
    rows = -(-len(chosen) // 5)
    figure = Figure(figsize=(10, 2.2 * rows), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for place, index in enumerate(chosen, 1):
        axes = figure.add_subplot(rows, 5, place)
        _draw(axes, np.asarray(array[index]))
        axes.set_title(_label(dataset.train, dataset.header, int(index)), fontsize=8)
    figure.suptitle(f"{name}, {len(dataset.train):,} examples to train on", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.print_png(str(path))


def _target(target: Target) -> dict[str, Any]:
    return {
        "shape": list(target.shape),
        "dtype": target.dtype,
        "task": target.task,
        "classes": list(target.classes),
        "count": target.count,
        "one_hot": target.one_hot,
    }


def _parts(dataset: Dataset) -> Mapping[str, Part]:
    found = {name: getattr(dataset, name) for name in _PARTS}
    return {name: part for name, part in found.items() if part is not None}


def _range(array: Array) -> dict[str, float]:
    seen = [(rows.min(), rows.max(), rows.sum(dtype=np.float64)) for _, rows in chunks(array)]
    low, high, total = (np.array(column) for column in zip(*seen, strict=True))
    return {"min": float(low.min()), "max": float(high.max()), "mean": float(total.sum() / array.size)}


def _content(array: Array, target: Target) -> dict[str, Any]:
    if target.count is None:
        return _range(array)
    labels, count = integers(target, array), target.count
    if labels is not None:
        sizes = np.bincount(labels, minlength=count)
    elif target.task == "multilabel":
        sizes = sum(rows.sum(axis=0).astype(int) for _, rows in chunks(array))
    else:
        sizes = sum(np.bincount(rows.reshape(-1), minlength=count) for _, rows in chunks(array))
    return {"examples": dict(zip(target.classes, np.asarray(sizes).tolist(), strict=True))}


def _spread(part: Part, header: Header, count: int) -> np.ndarray:
    """Examples that show as many classes as may be, in the order of the classes."""
    for name, target in header.targets.items():
        labels = integers(target, part.y[name]) if name in part.y else None
        if labels is not None:
            turns = np.zeros(len(labels), int)
            for label in np.unique(labels):
                mine = labels == label
                turns[mine] = np.arange(mine.sum())
            return np.lexsort((labels, turns))[:count]
    return np.arange(min(count, len(part)))


def _examples(part: Part, header: Header) -> list[dict[str, Any]]:
    found = []
    for index in _spread(part, header, EXAMPLES).tolist():
        found.append({
            "id": part.ids[index] if part.ids is not None else str(index),
            "x": {name: _few(array[index]) for name, array in part.x.items()},
            "y": {name: _value(array[index], header.targets[name]) for name, array in part.y.items()},
        })  # fmt: skip
    return found


def _few(array: np.ndarray) -> list[float]:
    """The first numbers."""
    return [round(float(value), 4) for value in np.asarray(array).reshape(-1)[:8]]


def _value(array: np.ndarray, target: Target) -> Any:
    if target.task == "multilabel":
        return [target.classes[i] for i in np.flatnonzero(array)]
    if target.one_hot:
        return target.classes[int(np.argmax(array))]
    if target.count is not None and array.ndim == 0:
        return target.classes[int(array)]
    return float(array) if array.ndim == 0 else _few(array)


def _input(name: str, entry: Mapping[str, Any]) -> str:
    line = f"input {name}: {_shape(entry['shape'])} {entry['dtype']}"
    return line + (f", {entry['min']:g} to {entry['max']:g}, mean {entry['mean']:.4g}" if "min" in entry else "")


def _target_lines(name: str, entry: Mapping[str, Any]) -> list[str]:
    count = f", {entry['count']} classes" if entry["count"] else ""
    vectors = " as vectors" if entry["one_hot"] else ""
    lines = [f"target {name}: {entry['task'] or 'task not known before the data are loaded'}{count}{vectors}"]
    inside = entry.get("in", {})
    if entry["count"] is None:
        return lines + [f"  {part}: {c['min']:g} to {c['max']:g}, mean {c['mean']:.4g}" for part, c in inside.items()]
    width = max(map(len, entry["classes"]), default=0)
    for label in entry["classes"] if inside else ():
        sizes = ", ".join(f"{part} {content['examples'][label]:,}" for part, content in inside.items())
        lines.append(f"  {label:<{width}}  {sizes}")
    return lines if inside else [*lines, *([f"  {', '.join(entry['classes'])}"] if entry["classes"] else [])]


def _example(example: Mapping[str, Any]) -> str:
    x = "; ".join(f"{name} {' '.join(f'{value:g}' for value in values)}" for name, values in example["x"].items())
    y = ", ".join(str(value) for value in example["y"].values())
    return f"  {example['id']}: {x} …" + (f" → {y}" if y else "")


def _shape(shape: Sequence[int | None]) -> str:
    return "×".join("?" if size is None else str(size) for size in shape) or "a number"


def _label(part: Part, header: Header, index: int) -> str:
    values = (_value(array[index], header.targets[name]) for name, array in part.y.items())
    return ", ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in values)


def _draw(axes: Any, array: np.ndarray) -> None:
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[:, :, 0]
    if array.ndim == 2 or (array.ndim == 3 and array.shape[-1] == 3):
        shown = (
            array
            if array.dtype == np.uint8 or array.ndim == 2
            else (array - array.min()) / (float(np.ptp(array)) or 1.0)
        )
        axes.imshow(shown, cmap="gray" if array.ndim == 2 else None)
        axes.set_axis_off()
    else:
        axes.plot(array.reshape(-1), linewidth=0.8)
        axes.tick_params(labelsize=6)
