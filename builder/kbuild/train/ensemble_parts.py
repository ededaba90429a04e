"""Members of an ensemble → which examples none of them has seen. Raises SpecError K630."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kbuild.data.dataset import Part
from kbuild.data.load import read
from kbuild.data.split import split
from kbuild.spec.data import Split
from kbuild.spec.fill import filled
from kbuild.spec.merge import overlaid
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError
from kbuild.text.write import write

Rows = Mapping[str, np.ndarray]
"""Numbers of examples of the source, by part; in the order of the part."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the members have seen of the data.

    Args:
        parts: of each member the examples of its parts; None where all have the same parts.
        held: the parts of the first member, `validation` and `test`, that are new to all of them: nobody was trained
            on an example of it, and on one of the test nobody chose an epoch.
    """

    parts: tuple[Rows, ...] | None
    held: tuple[str, ...]


def seen(specs: Sequence[Spec], infos: Sequence[Mapping[str, Any]], paths: Sequence[Path]) -> Seen:
    """Compare the parts that the members were trained and measured on.

    Args:
        specs, infos, paths: of each member the spec, what `run.json` says, and the directory.

    Raises:
        SpecError: K630 if they were trained on other data.
    """
    first, counts = infos[0]["data"], infos[0]["data"]
    there = tuple(name for name in ("validation", "test") if counts[name])
    if all(info["data"]["digest"] == first["digest"] for info in infos):
        return Seen(None, there)
    for spec, path in zip(specs[1:], paths[1:], strict=True):
        if _source(spec) != _source(specs[0]):
            message = f"`{path}` was trained on other data than `{paths[0]}`"
            help = "join runs whose `data.source`, `target` and `classes` are the same"
            raise SpecError(Problem("K630", message, help=help))
    parts = _parts(specs)
    for found, info, path in zip(parts, infos, paths, strict=True):
        if any(len(found.get(name, ())) != info["data"][name] for name in ("train", "validation", "test")):
            message = f"the data of `{path}` hold other examples than when it was trained"
            raise SpecError(Problem("K630", message, help="join runs of the same data"))
    trained = np.unique(np.concatenate([found["train"] for found in parts]))
    chosen = np.unique(np.concatenate([found.get("validation", found["train"][:0]) for found in parts]))
    held = []
    for name in there:
        known = trained if name == "validation" else np.union1d(trained, chosen)
        if not np.isin(parts[0][name], known).any():
            held.append(name)
    return Seen(parts, tuple(held))


def group(spec: Spec) -> str:
    """What the folds of one training have in common: the spec without its fold. A run of its own is its own group."""
    tree = filled(spec)
    return write(overlaid(tree, {"data.split.fold": None})) if _folded(spec) else ""


def _folded(spec: Spec) -> bool:
    return spec.data is not None and spec.data.split.folds is not None


def _source(spec: Spec) -> object:
    """The data section without what leaves the examples as they are."""
    assert spec.data is not None
    return spec.data.model_copy(update={"split": Split(), "batch_size": 1, "in_memory": "auto"})


def _parts(specs: Sequence[Spec]) -> tuple[Rows, ...]:
    """The split of each member, done with the numbers of the examples in place of the examples."""
    assert specs[0].data is not None
    shapes = {entry.name: entry.shape for entry in specs[0].inputs}
    loaded = read(specs[0].data, shapes, specs[0].trust)
    start, numbered = 0, dict[str, Part]()
    for name, part in loaded.parts.items():
        numbered[name] = replace(part, x={"": np.arange(start, start + len(part))}, ids=None)
        start += len(part)
    found = []
    for spec in specs:
        assert spec.data is not None
        parts = split(numbered, loaded.targets, spec.data.split, spec.train.seed)
        found.append({name: np.asarray(part.x[""]) for name, part in parts.items()})
    return tuple(found)
