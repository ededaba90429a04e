"""(Checked, Checked) → Changes outside of the layers: inputs, outputs, data, train, tune, by dotted path."""

from collections.abc import Iterator, Mapping, Sequence

from kbuild.plan.check import Checked
from kbuild.plan.describe import refer
from kbuild.plan.diff.difference import Change
from kbuild.plan.diff.meaning import alike, between, meant, plain
from kbuild.plan.diff.network import Side
from kbuild.plan.head import Head
from kbuild.spec import phases as section
from kbuild.spec.call import Call
from kbuild.spec.data import Named
from kbuild.spec.section import Section
from kbuild.text import node as tree
from kbuild.text.node import Plain

_BY_HEADS = frozenset({"loss", "loss_weights", "metrics"})


def inputs(one: Side, other: Side) -> Iterator[Change]:
    """Shapes and types of what goes in."""
    mine, theirs = ({given.name: given for given in side.plan.inputs} for side in (one, other))
    for name, given in mine.items():
        if name not in one.named:
            yield Change(name, _tensor(given), None)
            continue
        found = theirs[one.named[name]]
        if name != found.name:
            yield Change(f"{found.name}.name", name, found.name)
        if given.shape != found.shape:
            yield Change(f"{found.name}.shape", _shape(given.shape), _shape(found.shape))
        types = given.dtype or "float32", found.dtype or "float32"
        if types[0] != types[1]:
            yield Change(f"{found.name}.dtype", *types)
    yield from (Change(name, None, _tensor(given)) for name, given in theirs.items() if name not in other.named)


def outputs(one: Side, other: Side) -> Iterator[Change]:
    """Where the outputs come from, and their shapes."""
    for had, has in _together(one.plan.outputs, other.plan.outputs):
        if had is None or has is None:
            yield Change(had or has or "", refer(one.plan, one.plan.outputs[had]) if had else None,
                         refer(other.plan, other.plan.outputs[has]) if has else None)  # fmt: skip
            continue
        before, after = one.plan.outputs[had], other.plan.outputs[has]
        if one.across(before) != other.source(after):
            yield Change(f"{has}.from", refer(one.plan, before), refer(other.plan, after))
        if one.plan.shape(before) != other.plan.shape(after):
            yield Change(f"{has}.shape", _shape(one.plan.shape(before)), _shape(other.plan.shape(after)))


def data(one: Checked, other: Checked) -> Iterator[Change]:
    """The section, what the source holds, and augmentation; `preprocess` is part of the network."""
    yield from _changes("data", one.spec.data, other.spec.data)
    if one.spec.data is None or other.spec.data is None:
        return
    mine, theirs = (_augment(found) for found in (one, other))
    for name in dict.fromkeys([*mine, *theirs]):
        yield from _changes(f"data.augment.{name}".rstrip("."), mine.get(name), theirs.get(name))


def train(one: Checked, other: Checked) -> Iterator[Change]:
    """The section, its losses and metrics as they were decided, by output; and what the training starts from."""
    before, after = (str(found.spec.weights) if found.spec.weights else None for found in (one, other))
    if before != after:
        yield Change("weights", before, after)
    mine, theirs = ({head.output: head for head in found.heads} for found in (one, other))
    for had, has in _together(mine, theirs):
        name = has or had or ""
        prefix = "train." + (f"{name}." if max(len(mine), len(theirs)) > 1 else "")
        yield from _head(prefix, mine[had] if had else None, theirs[has] if has else None)
    for key in type(other.spec.train).model_fields:
        if key not in {*_BY_HEADS, "phases"}:
            yield from _changes(f"train.{key}", getattr(one.spec.train, key), getattr(other.spec.train, key))
    yield from _phases(one, other)


def tune(one: Checked, other: Checked) -> Iterator[Change]:
    """The section as it is written."""
    both = [_written(found, "tune") for found in (one, other)]
    yield from _changes("tune", *both)


def _phases(one: Checked, other: Checked) -> Iterator[Change]:
    """Phase by phase, without what they have from the section; more or fewer of them as they are written."""
    mine, theirs = one.spec.train.phases, other.spec.train.phases
    if len(mine) != len(theirs):
        yield Change("train.phases", _said(one), _said(other))
        return
    for number, (had, has) in enumerate(zip(mine, theirs, strict=True)):
        own = {*section.written(one.spec, number), *section.written(other.spec, number)}
        for key in (key for key in section.KEYS if key in own):
            yield from _changes(f"train.phases.{number}.{key}", getattr(had, key), getattr(has, key))


def _said(found: Checked) -> Plain:
    """What each phase says itself."""
    said: list[Plain] = []
    for number, part in enumerate(found.spec.train.phases):
        keys = section.written(found.spec, number) or section.KEYS
        said.append({key: _plain(getattr(part, key)) for key in section.KEYS if key in keys})
    return said or None


def _head(prefix: str, had: Head | None, has: Head | None) -> Iterator[Change]:
    losses = [_loss(head) for head in (had, has)]
    yield from _changes(f"{prefix}loss", *losses)
    if had and has and had.weight != has.weight:
        yield Change(f"{prefix}loss_weight", had.weight, has.weight)
    metrics = [[plain(meant(metric, "metrics")) for metric in head.metrics] if head else [] for head in (had, has)]
    if not alike(*metrics):  # type: ignore[arg-type]
        yield Change(f"{prefix}metrics", *metrics)  # type: ignore[arg-type]


def _loss(head: Head | None) -> Call | None:
    return meant(head.loss, "losses") if head and head.loss else None


def _changes(path: str, had: object, has: object) -> Iterator[Change]:
    if isinstance(had, Section) and isinstance(has, Section) and _kind(had) == _kind(has) != (Named, "named"):
        for key in type(has).model_fields:
            if key != "kind":
                yield from _changes(f"{path}.{key}", getattr(had, key), getattr(has, key))
    elif isinstance(had, Call) and isinstance(has, Call) and (had.namespace, had.name) == (has.namespace, has.name):
        yield from between(had, has, f"{path}.")
    elif isinstance(had, Mapping) and isinstance(has, Mapping):
        for key in dict.fromkeys([*had, *has]):
            yield from _changes(f"{path}.{key}", had.get(key), has.get(key))
    elif not alike(before := _plain(had), after := _plain(has)):
        yield Change(path, before, after)


def _kind(section: Section) -> object:
    return type(section), getattr(section, "kind", None)


def _plain(value: object) -> Plain:
    """A section by what it has that is not the default, under its name if it has one."""
    if not isinstance(value, Section):
        return [_plain(item) for item in value] if isinstance(value, tuple) else plain(value)
    fields = {key: _plain(getattr(value, key)) for key in type(value).model_fields if key != "kind"}
    fields = {
        key: found
        for key, found in fields.items()
        if type(value).model_fields[key].is_required()
        or not alike(found, _plain(type(value).model_fields[key].default))
    }
    kind = getattr(value, "kind", None)
    if kind is None:
        return fields  # type: ignore[return-value]
    if len(fields) == 1 and next(iter(fields)) == "name":
        return fields["name"]
    return fields if kind in fields else {kind: fields}  # type: ignore[return-value]


def _augment(found: Checked) -> dict[str, object]:
    return {name: [plain(call) for call in calls] for name, calls in found.spec.augment.items()}


def _written(found: Checked, key: str) -> Plain:
    value = found.spec.node.get(key) if isinstance(found.spec.node, tree.Mapping) else None
    return (tree.plain(value) or None) if value is not None else None


def _tensor(given) -> Plain:
    return {"shape": _shape(given.shape), "dtype": given.dtype or "float32"}


def _shape(shape) -> Plain:
    return None if shape is None else list(shape)


def _together(mine: Sequence[str] | Mapping[str, object], theirs: Sequence[str] | Mapping[str, object]):
    """Pairs of names; a single one is the single other one. None for one that the other side has not."""
    if len(mine) == len(theirs) == 1:
        return [(next(iter(mine)), next(iter(theirs)))]
    both = [(name, name if name in theirs else None) for name in mine]
    return [*both, *((None, name) for name in theirs if name not in mine)]
