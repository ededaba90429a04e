"""The graph, expanded, with shapes. `kbuild.plan(spec)` is a verb of the Python API, so this room can be called.

plan.py      Plan, Step, Ref: the graph
expand.py    Spec and Header → Plan
entries.py   an entry of a chain → steps
beside.py    the keys `trainable`, `weights` and `remat` beside a call
beside.py    the keys `trainable`, `weights` and `remat` beside a call
repeats.py   a `repeat` → copies of an entry
blocks.py    a use of a block → steps
count.py     how many entries there will be, before any is expanded
graph.py     the graph while it grows
refer.py     what a `from` means
apply.py     a call and its inputs → a step
shapes/      the shape of what a step gives, a rule for each family of layers
place.py     where a person would change what is wrong inside a block
trail.py     what led to a shape, as the notes of a problem
remedy.py    the usual way out of a shape mistake, by what led to it
batch.py     operations that leave no row for each example
applications.py  what is remembered of `keras.applications`
cost/        what a step costs: parameters, operations, memory
field.py     how much of the input a convolution looks at
memory.py    what a training step holds, in bytes
budget.py    a network that is larger than it may be, or than the machine
phases.py    what learns in each phase of a training, and what the rules say of it
rules/       a linter for networks, a rule a file
prune.py     steps that nothing needs
activation.py, head.py, agree.py   what is learned at each output: task, loss, metrics
logs.py      what the numbers of an epoch will be called
check.py     Spec → all that can be known without Keras
diff/        what is different between two specs
start/       a spec to start from, for a data set
space.py     the holes that a search can come upon, and when each is there; corners.py its smallest and largest network
example.py   what can be called → an entry that shows it
describe.py  Plan → JSON, one line, the name of a tensor
draw/        Plan → a table, Mermaid, SVG, a page in a notebook
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kbuild.plan.plan import Plan
    from kbuild.spec.spec import Spec


def verb(spec: "Spec") -> "Plan":
    """The network of a spec, expanded, with what is known of its shapes. Keras is not loaded.

    Raises:
        SpecError: problems of the data's header (K4xx) and of the graph (K2xx).
    """
    from kbuild.plan.check import check

    return check(spec).plan


class _Room(ModuleType):
    __call__ = staticmethod(verb)


sys.modules[__name__].__class__ = _Room
