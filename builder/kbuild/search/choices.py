"""(Spec, what an oracle proposes) → the spec of one trial, and what was chosen for every hole that it came upon.

An oracle proposes for the holes that it believes to be there. The network says which ones are: the others are left out,
and one that was not foreseen is drawn. A hole whose ends depend on other holes is proposed as a share of them.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kbuild.plan.space import Space, refilled
from kbuild.spec.hole import Hole
from kbuild.spec.spec import Spec
from kbuild.spec.values import Choices, Chooser, Value, at, pick
from kbuild.text.node import Node

SHARE = "/share"
"""What the name of a hole ends with that an oracle learnt of by trying."""
SHARES = tuple((at + 0.5) / 20 for at in range(20))
"""The shares of its range that it then has: a grid needs an end of them."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A trial's spec.

    Args:
        spec: nothing in it is open.
        taken: by path, what was chosen for holes, in the order in which they were come upon.
        shares: those that nobody proposed, with the share that was drawn for each.
    """

    spec: Spec
    taken: Choices
    shares: Mapping[str, float]

    @property
    def values(self) -> Choices:
        """What was chosen for the holes that are there; the network tells which, once it was written out."""
        return {path: value for path, value in self.taken.items() if self.spec.scope.reached(path)}

    @property
    def drawn(self) -> Mapping[str, float]:
        """The share that was drawn for each of those that nobody proposed."""
        return {path: share for path, share in self.shares.items() if self.spec.scope.reached(path)}


def filled(spec: Spec, space: Space, proposed: Choices, seed: int, trial: int) -> Filled:
    """Fill the holes of a spec.

    Args:
        proposed: by path; of a hole that is open, the share of its range, 0 ≤ share ≤ 1; and so for `path/share` of
            one that was not foreseen.
        seed, trial: what is drawn for a hole that nobody proposed is a function of them and of its path.

    Raises:
        SpecError: the spec cannot be read with these choices.
    """
    opened = {dim.path for dim in space.dims if dim.open}
    taken: dict[str, Value] = {}
    drawn: dict[str, float] = {}

    def choose(path: str, hole: Hole) -> Node:
        if path not in taken:
            if path in proposed and path not in opened:
                taken[path] = proposed[path]
            elif path in proposed or path + SHARE in proposed:
                taken[path] = at(hole, float(proposed[path if path in proposed else path + SHARE]))
            else:
                drawn[path] = _share(seed, trial, path)
                taken[path] = at(hole, drawn[path])
        return pick(hole, taken[path])

    # what is taken is remembered where it is written too, so that the trial can be written down as a spec
    return Filled(refilled(spec, Chooser(taken, choose)), taken, drawn)


def _share(seed: int, trial: int, path: str) -> float:
    entropy = (4, seed, trial, zlib.crc32(path.encode()))
    return SHARES[int(np.random.SeedSequence(entropy).generate_state(1)[0]) * len(SHARES) // 2**32]
