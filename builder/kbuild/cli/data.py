"""data: what a spec's data source is, with a few examples as text or as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kbuild.cli.options import DataRoots, Debug, Json, OneSpec, Quiet, Sets, Trust

if TYPE_CHECKING:
    import numpy as np

    from kbuild.data.dataset import Dataset, Part
    from kbuild.data.header import Header

Picture = Annotated[Path | None, typer.Option("--picture", metavar="FILE", help="Draw examples into a PNG file.")]

SHADES = " ·:+*#%@"
FEW = 4
DRAWN = 24


def data(
    spec: OneSpec,
    picture: Picture = None,
    as_json: Json = False,
    quiet: Quiet = False,
    sets: Sets = None,
    data_roots: DataRoots = None,
    trust: Trust = False,
    debug: Debug = False,
) -> None:
    """Show a spec's data: shapes, classes, counts, examples."""
    from kbuild.cli.output import say, say_json
    from kbuild.data.load import load as load_data
    from kbuild.spec.load import load
    from kbuild.text.problem import Problem, SpecError

    read = load(spec, sets=sets or (), data_roots=data_roots or (), trust=trust)
    if read.data is None:
        raise SpecError(
            Problem(
                "K166", "the spec has no `data`", read.span(""), help="add a section, such as `data: {source: digits}`"
            )
        )
    names = tuple(entry.name for entry in read.inputs) or None
    dataset = load_data(read.data, read.train.seed, features=names, trust=trust)
    if as_json:
        say_json(_json(dataset))
    else:
        _describe(dataset)
        if not quiet:
            _examples(dataset)
    if picture is not None:
        _draw(dataset, picture)
        if not as_json and not quiet:
            say(f"\nexamples drawn into {picture}")


def _json(dataset: "Dataset") -> dict[str, object]:
    header = dataset.header
    return {
        "inputs": {name: {"shape": list(t.shape), "dtype": t.dtype} for name, t in header.inputs.items()},
        "targets": {
            name: {
                "shape": list(target.shape),
                "dtype": target.dtype,
                "task": target.task,
                "classes": list(target.classes),
                "count": target.count,
                "distribution": _distribution(header, name, dataset.train),
            }
            for name, target in header.targets.items()
        },
        "counts": {name: len(part) for name, part in _parts(dataset).items()},
        "weighted": header.weighted,
        "digest": dataset.digest,
    }


def _describe(dataset: "Dataset") -> None:
    from kbuild.cli.output import say, show_table
    from kbuild.plan.graph import written

    header = dataset.header
    rows = [["input", name, written(tensor.shape), tensor.dtype, ""] for name, tensor in header.inputs.items()]
    for name, target in header.targets.items():
        said = f"{target.task or '?'}" + (
            f", {target.count} classes" if target.count and target.task != "regression" else ""
        )
        rows.append(["target", name, written(target.shape), target.dtype, said])
    show_table(["", "name", "shape", "type", "task"], rows)
    say()
    say("examples: " + ", ".join(f"{len(part):,} {name}" for name, part in _parts(dataset).items()))
    for name in header.targets:
        counts = _distribution(header, name, dataset.train)
        if counts:
            say(f"{name}, in training: " + ", ".join(f"{label} {count}" for label, count in counts.items()))


def _parts(dataset: "Dataset") -> dict[str, "Part"]:
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {name: part for name, part in parts.items() if part is not None}


def _distribution(header: "Header", name: str, part: "Part") -> dict[str, int]:
    """Examples by class; empty where the target is not classes."""
    import numpy as np

    target = header.targets[name]
    if target.task not in {"binary", "multiclass"} or name not in part.y:
        return {}
    values = part.y[name]
    labels = values.argmax(-1) if target.one_hot else values.reshape(len(values))
    count = target.count or int(labels.max(initial=0)) + 1
    found = np.bincount(labels.astype("int64"), minlength=count)
    return {(target.classes[i] if i < len(target.classes) else str(i)): int(n) for i, n in enumerate(found)}


def _examples(dataset: "Dataset") -> None:
    from kbuild.cli.output import say

    part = dataset.train
    for index in range(min(FEW, len(part))):
        say()
        labels = [f"{name} {_label(dataset.header, name, array[index])}" for name, array in part.y.items()]
        say(f"example {part.ids[index] if part.ids else index}" + (": " + ", ".join(labels) if labels else ""))
        for name, array in part.x.items():
            for line in _written(array[index], name if len(part.x) > 1 else ""):
                say(line)


def _label(header: "Header", name: str, value: "np.ndarray") -> str:
    target = header.targets.get(name)
    if target is not None and target.classes and target.task in {"binary", "multiclass"}:
        number = int(value.argmax()) if target.one_hot else int(value.reshape(()))
        return target.classes[number]
    return _numbers(value) if value.size <= 8 else f"{value.dtype} {value.shape}"


def _written(value: "np.ndarray", name: str) -> list[str]:
    """An example as lines: a small picture in shades, anything else as its first numbers."""
    head = [f"  {name}:"] if name else []
    grey = _grey(value)
    if grey is None:
        return [*head, f"  {_numbers(value)}"]
    low, high = float(grey.min()), float(grey.max())
    steps = ((grey - low) / ((high - low) or 1) * (len(SHADES) - 1)).round().astype(int)
    return [*head, *("  " + "".join(SHADES[step] * 2 for step in row).rstrip() for row in steps)]


def _grey(value: "np.ndarray") -> "np.ndarray | None":
    """(height, width) float32 of a picture that fits on a screen; None if it is no picture or too big."""
    picture = value.mean(-1) if value.ndim == 3 and value.shape[-1] in {1, 3} else value
    if picture.ndim != 2 or not 4 <= picture.shape[0] <= 32 or not 4 <= picture.shape[1] <= 32:
        return None
    return picture.astype("float32")


def _numbers(value: "np.ndarray") -> str:
    flat = value.reshape(-1)
    shown = " ".join(f"{number:.4g}" if number.dtype.kind == "f" else str(number) for number in flat[:12])
    return shown + (f" … ({flat.size} numbers)" if flat.size > 12 else "")


def _draw(dataset: "Dataset", file: Path) -> None:
    """A grid of training examples with their labels, as PNG."""
    from matplotlib.figure import Figure

    part = dataset.train
    name, array = next(((n, a) for n, a in part.x.items() if a.ndim >= 3), next(iter(part.x.items())))
    count = min(DRAWN, len(part))
    figure = Figure(figsize=(9, 1.7 * -(-count // 6)), layout="constrained")
    for index in range(count):
        axes = figure.add_subplot(-(-count // 6), 6, index + 1)
        value = array[index]
        if (value.ndim == 3 and value.shape[-1] in {1, 3}) or value.ndim == 2:
            shown = value[..., 0] if value.ndim == 3 and value.shape[-1] == 1 else value
            axes.imshow(shown, cmap="gray")
        else:
            axes.plot(value.reshape(-1), linewidth=0.8)
        axes.set_axis_off()
        axes.set_title(", ".join(_label(dataset.header, n, y[index]) for n, y in part.y.items()), fontsize=8)
    figure.suptitle(name if len(part.x) > 1 else "")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, format="png")
