"""Spec → the runs that it asks for: one, or a set of them that differ in their seed, their fold or both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kbuild.spec.data import Split
from kbuild.spec.fill import filled
from kbuild.spec.merge import overlaid
from kbuild.spec.parse import parse
from kbuild.spec.spec import Spec
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Scalar

Kind = Literal["repeats", "folds"]


@dataclass(frozen=True, slots=True)
class Member:
    """A run of a set.

    Args:
        number: from 1; the run lies in `members/NUMBER`.
        seed: its `train.seed`.
        fold: its `data.split.fold`; None where there are no folds.
        changes: dotted path → value: what it lays over the spec of the set. Whatever else is to tell members apart,
            such as other draws of the data, is a change too.
    """

    number: int
    seed: int
    fold: int | None
    changes: Mapping[str, object]

    def __str__(self) -> str:
        return f"member {self.number} ({f'fold {self.fold}, ' if self.fold else ''}seed {self.seed})"


def members(spec: Spec) -> tuple[Member, ...]:
    """The runs of a spec, for each repeat all folds; a single one, without changes, where the spec asks for no set.

    Repeats vary the weights, the order of the examples and the noise. The data are split for all as for the first, so
    that all are measured on the same examples.
    """
    train, split = spec.train, Split() if spec.data is None else spec.data.split
    folds = range(1, split.folds + 1) if split.folds and split.fold is None else (split.fold,)
    found: list[Member] = []
    for repeat in range(train.repeats):
        for fold in folds:
            changes: dict[str, object] = {} if fold == split.fold else {"data.split.fold": fold}
            if train.repeats > 1:
                changes |= {"train.repeats": 1, "train.seed": train.seed + repeat}
                if not _unsplit(spec):
                    changes["data.split.seed"] = train.seed if split.seed is None else split.seed
            found.append(Member(len(found) + 1, train.seed + repeat, fold, changes))
    return tuple(found)


def kind(spec: Spec) -> Kind:
    """What a set is of. Repeats of folds are folds."""
    split = None if spec.data is None else spec.data.split
    return "folds" if split is not None and split.folds is not None and split.fold is None else "repeats"


def spec_of(spec: Spec, member: Member) -> Spec:
    """The spec of one member: complete, so that it fits again to the same run by itself."""
    tree = overlaid(filled(spec), member.changes)
    return parse(tree, spec.name, spec.home, spec.sources, spec.data_roots, spec.trust, spec.scope.choose)


def _unsplit(spec: Spec) -> bool:
    """Whether `data.split` is `false`: no map that a seed could be laid over, and nothing for it to decide."""
    data = filled(spec)
    section = data.get("data") if isinstance(data, MappingNode) else None
    split = section.get("split") if isinstance(section, MappingNode) else None
    return isinstance(split, Scalar) and split.value is False
