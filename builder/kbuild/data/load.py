"""Data → Dataset: examples in memory or where they lie, checked, split and encoded. Raises SpecError, K4xx.

A pure function of what the source holds and the seed.
"""

from collections.abc import Sequence
from dataclasses import replace

from kbuild.data.dataset import Dataset
from kbuild.data.header import Features, Header, Target, Tensor
from kbuild.data.labels import renamed
from kbuild.data.loaded import Loaded
from kbuild.data.seen import seen
from kbuild.data.split import split
from kbuild.data.survey import survey
from kbuild.spec.data import Csv, Data, Images, Named, Npz, Python, Texts

RECONSTRUCTION = Target((), "float32", "reconstruction")
"""The target of `target: input`; what it looks like is known after `preprocess` only."""


def load(data: Data, seed: int, *, features: Features | None = None, trust: bool = False) -> Dataset:
    """Read a source.

    Args:
        data: paths in it are absolute.
        seed: of the split that has no seed of its own, 0 <= seed < 2**32.
        features: names of the model's declared inputs, or their shapes by name (None where not known). A column of
            that name is an input of its own: a number as it is, (1,) float32; a category as (1,) int32; text as
            (length,) int32, the length being that of the declared shape, else 200. A declared shape of () leaves the
            axis out.
        trust: whether a `python` source may run.

    Returns:
        Labels are int32; all else is as the source has it, or as `encode` makes it. Without a header's `None`s.

    Raises:
        SpecError: K401–K450; see `README.md` of the specs.
    """
    loaded = read(data, features or (), trust)
    loaded = _renamed(loaded, data.classes)
    parts = split(loaded.parts, loaded.targets, data.split, seed)
    encoding = dict(loaded.encoding)
    if loaded.learn is not None:
        learned, encode = loaded.learn(parts["train"])
        encoding |= learned
        parts = {name: replace(part, x=encode(part)) for name, part in parts.items()}
    targets = loaded.targets
    if data.target == "input":
        parts = {name: replace(part, y={}) for name, part in parts.items()}
        targets = {"output": RECONSTRUCTION}
    train, found = parts["train"], survey(parts, loaded.parts)
    encoding["targets"] = {name: {"task": t.task, "classes": list(t.classes)} for name, t in targets.items()}
    header = Header(
        {name: Tensor(array.shape[1:], array.dtype.name) for name, array in train.x.items()},
        targets,
        {name: len(part) for name, part in loaded.parts.items()},
        train.weights is not None,
        seen(train, targets, found.ranges["train"]),
    )
    return Dataset(header, train, parts.get("validation"), parts.get("test"), encoding, found.digest)


def read(data: Data, features: Features, trust: bool) -> Loaded:
    """The source as it has its parts. Each kind is imported where it is read, as most runs need one."""
    match data.source:
        case Named(name=name):
            from kbuild.data import sets

            return sets.read(name)
        case Npz() as source:
            from kbuild.data import npz

            return npz.read(source, data.in_memory)
        case Csv() as source:
            from kbuild.data import table

            return table.read(source, features, data.classes or (), in_memory=data.in_memory)
        case Images() as source:
            from kbuild.data import images

            return images.read(source, data.in_memory)
        case Texts() as source:
            from kbuild.data import texts

            return texts.read(source)
        case Python() as source:
            from kbuild.data import python

            return python.read(source, trust)


def _renamed(loaded: Loaded, classes: Sequence[str] | None) -> Loaded:
    """With the user's class names, for the target that has classes; if there are several, for the first."""
    if classes is None or not loaded.targets:
        return loaded
    name = next(
        (name for name, target in loaded.targets.items() if target.count is not None), next(iter(loaded.targets))
    )
    arrays = {part: content.y[name] for part, content in loaded.parts.items()}
    arrays, target = renamed(name, arrays, loaded.targets[name], classes)
    parts = {part: replace(content, y={**content.y, name: arrays[part]}) for part, content in loaded.parts.items()}
    return replace(loaded, parts=parts, targets={**loaded.targets, name: target})
