"""a split of what the source has itself

What it does
    Finds `data.split.validation` and `data.split.test` beside a source that has such a part of its own.

Why is this bad?
    The source's own part is taken and the split is silently not made: no example is kept from training for it.

Example
    data:
      source: {images: {train: photos, validation: more_photos}}
      split: {validation: 0.2}

Use instead
    data:
      source: {images: {train: photos, validation: more_photos}}

Source
    The reference of the spec, `split`: a source's own part is the part.
"""

from collections.abc import Iterator

from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.spec.data import Csv, Images, Named, Npz
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.problem import Problem

CODE = "K341"
SEVERITY = "warning"


def find(net: Net) -> Iterator[Problem]:
    """Parts that are written and not taken."""
    if net.spec is None or net.spec.data is None or not isinstance(net.spec.node, MappingNode):
        return
    data = net.spec.node.get("data")
    split = data.get("split") if isinstance(data, MappingNode) else None
    for part in ("validation", "test"):
        written = isinstance(split, MappingNode) and split.get(part) is not None
        size = getattr(net.spec.data.split, part)
        if written and size and _own(net, part):
            message = f"the source has a {part} part of its own, so `split.{part}: {size:g}` keeps nothing back"
            help = "leave it out" + (", or leave the part out of the source" if _chosen(net) else "")
            yield at_path(CODE, SEVERITY, net.spec, f"data.split.{part}", message, help)


def _own(net: Net, part: str) -> bool:
    if net.header is not None and net.header.counts:
        return part in net.header.counts
    return getattr(net.spec.data.source, part, None) is not None if net.spec and net.spec.data else False


def _chosen(net: Net) -> bool:
    """Whether the part is written in the source, and not a set's own."""
    source = net.spec.data.source if net.spec and net.spec.data else None
    return isinstance(source, Npz | Images | Csv) and not isinstance(source, Named)
