"""Data → Header: what can be known of a source without reading its examples.

Raises SpecError, K4xx; K402 for what is absent. Never opens the network and never runs code. NumPy is imported only
for sources that need it, since `check` must be quick.
"""

from dataclasses import replace

from kbuild.data.fail import shown, there, unknown
from kbuild.data.header import Features, Header, Target, Tensor
from kbuild.data.parts import foldable
from kbuild.spec.data import Csv, Data, Images, Named, Npz, Python, Texts
from kbuild.text.problem import SpecError

WHOLE = 2**20
"""A table of up to so many bytes is read whole; of a larger one so many characters are, to guess."""

_UNSURE = {"K414", "K422", "K423"}


def peek(data: Data, *, seed: int = 0, features: Features | None = None, trust: bool = False) -> Header:
    """What the headers, the index or the folder names of a source tell.

    Args:
        data: paths in it are absolute.
        seed: of a split without one of its own; it decides what categories the training part has.
        features: names of the model's declared inputs, or their shapes by name, as `load` takes them.
        trust: whether what is loaded may run code; a header never does.

    Returns:
        Sizes that are not known are None; a target whose task is not known has None; no inputs if nothing is known of
        them.

    Raises:
        SpecError: K401 for an unknown name, K402 if a file or folder is not there, others if what is there is not
            usable.
    """
    header = _header(data, seed if data.split.seed is None else data.split.seed, features)
    foldable(header.counts, data.split)
    if data.target == "input":
        return replace(header, targets={"output": Target((), "float32", "reconstruction")})
    return _named(header, data.classes)


def _header(data: Data, seed: int, features: Features | None) -> Header:
    match data.source:
        case Named(name=name):
            from kbuild.data import named

            return named.header(name)
        case Npz() as source:
            from kbuild.data import npz

            return npz.header(source)
        case Csv() as source:
            return _table(data, source, seed, features)
        case Images() as source:
            from kbuild.data import images

            return images.header(source)
        case Texts() as source:
            from kbuild.data import texts

            return texts.header(source)
        case Python():
            return Header({})


def _table(data: Data, source: Csv, seed: int, features: Features | None) -> Header:
    files = [there(path) for path in (source.csv, source.test) if path is not None]
    if sum(file.stat().st_size for file in files) <= WHOLE:
        from kbuild.data.load import load

        return load(data.model_copy(update={"target": "labels", "in_memory": True}), seed, features=features).header
    if source.kind == "parquet":
        return _schema(source)
    from kbuild.data import table

    try:
        loaded = table.read(source, features or (), data.classes or (), limit=WHOLE)
    except SpecError as error:
        if {problem.code for problem in error.problems} <= _UNSURE:
            return Header({})
        raise
    assert loaded.learn is not None
    encoding, encode = loaded.learn(loaded.parts["train"])
    inputs = {name: _guessed(array, encoding, name) for name, array in encode(loaded.parts["train"]).items()}
    targets = {name: _target(target) for name, target in loaded.targets.items()}
    return Header(inputs, targets, dict.fromkeys(loaded.parts))


def _guessed(array, encoding, name: str) -> Tensor:
    """More rows may have more categories, which make the vector wider."""
    entry = encoding["inputs"][name]
    open_ended = entry["joined"] and any(column["kind"] == "category" for column in entry["columns"])
    return Tensor((None,) if open_ended else array.shape[1:], array.dtype.name)


def _target(target: Target) -> Target:
    """More rows may have more classes."""
    return target if target.count is None else Target((), "int32", None if target.count == 2 else target.task)


def _schema(source: Csv) -> Header:
    from kbuild.data import rows

    names = rows.schema(source.csv)
    wanted = [source.target] if isinstance(source.target, str) else source.target or []
    for name in wanted:
        if name not in names:
            raise unknown("K420", f"`{shown(source.csv)}` has no column `{name}`", name, names, "data.source.target")
    return Header({})


def _named(header: Header, classes: tuple[str, ...] | None) -> Header:
    """With the class names that the user gives, checked as `load` does, as far as the header tells."""
    if classes is None or not header.targets:
        return header
    name = next(
        (name for name, target in header.targets.items() if target.count is not None), next(iter(header.targets))
    )
    target = header.targets[name]
    if target.count is None and target.task != "regression":
        count = len(classes)
        one = target.shape == () or target.dtype == "int32"
        task = ("binary" if count == 2 else "multiclass") if one else None
        found = Target(target.shape, target.dtype, task, tuple(classes), count, target.one_hot)
    else:
        from kbuild.data.labels import renamed

        found = renamed(name, {}, target, classes)[1]
    sizes = {**header.seen.sizes}
    if name in sizes:
        sizes[name] = _moved(sizes[name], target.classes, found.classes)
    return replace(header, targets={**header.targets, name: found}, seen=replace(header.seen, sizes=sizes))


def _moved(sizes: tuple[int, ...], old: tuple[str, ...], new: tuple[str, ...]) -> tuple[int, ...]:
    """Sizes in the order of the new names: those of the source in another order, else names for its classes."""
    if set(old) == set(new):
        known = dict(zip(old, sizes, strict=True))
        return tuple(known[name] for name in new)
    return (*sizes, *[0] * (len(new) - len(sizes)))
