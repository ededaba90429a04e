"""(`from:`, place) → Feed: what an entry's inputs refer to."""

import re

from kbuild.plan.graph import LOST, Again, Bound, Feed, Here, unknown_reference
from kbuild.plan.plan import Ref
from kbuild.spec.names import suggestion
from kbuild.spec.scope import evaluate
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, brief, plain
from kbuild.text.problem import SpecError, mistake

_REFERENCE = re.compile(r"([a-z][a-z0-9_]*)(?:-(\d+|\*))?(?:\.([a-z][a-z0-9_]*))?\Z")


def feed(node: Node | None, here: Here, previous: Feed) -> Feed:
    """What `from` says; without it, what the entry above gives.

    Raises:
        SpecError: K201 for a name that means nothing, K205 for what is no reference.
    """
    if node is None:
        return previous
    value = evaluate(node, here.scope.at("from"))
    if isinstance(value, Sequence):
        items = tuple(ref for item in value.items for ref in _refs(item, here, previous))
        if not items:
            raise mistake("K205", "`from` is empty", value.span, help="name an entry, or leave `from` out")
        return Feed(items, listed=True)
    if isinstance(value, MappingNode):
        return Feed(by_name={str(key.value): _one(item, here, previous) for key, item in value.pairs})
    return _one(value, here, previous)


def _one(value: Node, here: Here, previous: Feed) -> Feed:
    if isinstance(value, Sequence):
        return Feed(tuple(ref for item in value.items for ref in _refs(item, here, previous)), listed=True)
    if isinstance(value, Scalar) and value.value == "previous":
        return previous
    refs = _refs(value, here, previous)
    return Feed(refs, listed=len(refs) != 1 or "*" in str(plain(value)))


def _refs(value: Node, here: Here, previous: Feed) -> tuple[Ref, ...]:
    if not isinstance(value, Scalar) or not isinstance(value.value, str):
        raise mistake(
            "K205",
            f"`from` takes names of entries, not `{brief(value)}`",
            value.span,
            help="write `from: previous` or a name",
        )
    if value.value == "previous":
        return previous.items or (previous.first,)
    if value.value == "input":
        return here.input.items or (here.input.first,)
    return reference(value, here)


def reference(name: Scalar, here: Here) -> tuple[Ref, ...]:
    """The tensors that a name such as `stem`, `enc.h`, `stage-0`, `stage-*.skip` stands for. Raises SpecError K201."""
    text = str(name.value)
    match = _REFERENCE.match(text)
    if match is None:
        raise mistake(
            "K201", f"`{text}` is no reference", name.span, help="write a name, `name-0`, `name-*`, `name.output`"
        )
    base, index, output = match.groups()
    bound = here.frame.find(base)
    if bound is None:
        raise unknown_reference(Scalar(base, name.span), here.frame)
    picked = _copies(bound, base, index, name)
    if output is None:
        return tuple(each.tensors[0] if each.tensors else LOST for each in picked)
    return tuple(_output(each, base, output, name) for each in picked)


def entry_again(name: Scalar, here: Here) -> Again:
    """The entry that `reuse` names. Raises SpecError K201."""
    text = str(name.value)
    match = _REFERENCE.match(text)
    bound = here.frame.find(match[1]) if match and match[3] is None else None
    if match is None or bound is None:
        raise unknown_reference(name, here.frame)
    picked = _copies(bound, match[1], match[2], name)
    again = picked[0].again if match[2] else bound.again
    if again is None and picked[0].tensors[:1] == (LOST,):
        raise SpecError(())  # what is wrong with it was told
    if again is None:
        raise mistake("K216", f"`{text}` is no entry that can be used again", name.span, help="name a call or a block")
    return again


def _copies(bound: Bound, base: str, index: str | None, name: Scalar) -> tuple[Bound, ...]:
    if index is None:
        return (bound,)
    copies = bound.copies
    if copies is None:
        raise mistake(
            "K201", f"`{base}` is not repeated, so there is no `{base}-{index}`", name.span, help=f"write `{base}`"
        )
    if index == "*":
        return copies
    if int(index) >= len(copies):
        help = f"the last one is `{base}-{len(copies) - 1}`" if copies else None
        raise mistake("K201", f"`{base}` has {len(copies)} copies, there is no `{base}-{index}`", name.span, help=help)
    return (copies[int(index)],)


def _output(bound: Bound, base: str, output: str, name: Scalar) -> Ref:
    if bound.tensors[:1] == (LOST,):
        return LOST
    if output not in bound.named:
        help = suggestion(output, bound.named, "name its outputs with `outputs: […]`")
        raise mistake("K201", f"`{base}` has no output `{output}`", name.span, help=help)
    return bound.named[output]
