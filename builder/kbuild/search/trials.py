"""What an oracle asks for → a trial that can be trained, or why it is not: one network of the space, looked at."""

from collections.abc import Mapping
from dataclasses import dataclass

from kbuild.data.header import Header
from kbuild.plan.check import check
from kbuild.plan.corners import over
from kbuild.plan.memory import memory
from kbuild.plan.space import Space
from kbuild.search.choices import filled
from kbuild.search.oracle import Asked
from kbuild.spec.fill import filled as resolved
from kbuild.spec.merge import overlaid
from kbuild.spec.spec import Spec
from kbuild.spec.values import Choices
from kbuild.text.problem import SpecError
from kbuild.text.write import write

SHAPED = frozenset({"step", "plateau"})
"""Schedules that do not depend on how long the run is: a trial can go on with more epochs as if it had had them."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A trial before it is trained.

    Args:
        text: its spec, nothing in it open.
        values: by path, for the holes that it came upon.
        drawn: holes that the oracle did not know, with the share that was drawn for each.
        dropped: why it does not count: outside the budget.
        failed: why it cannot be built.
        goes_on: whether it may go on from another trial's weights.
    """

    text: str
    values: Choices
    drawn: Mapping[str, float]
    params: int | None = None
    flops: int | None = None
    dropped: str | None = None
    failed: str | None = None
    goes_on: bool = True


def prepared(
    spec: Spec, space: Space, asked: Asked, header: Header | None, seed: int, threads: int | None = None
) -> Prepared:
    """Fill the holes of a spec, and look at the network that it becomes.

    Args:
        spec: with its holes open, and a `tune` section.
        seed: of the search.
        threads: of each trial, where bits depend on them.
    """
    assert spec.tune is not None
    try:
        made = filled(spec, space, asked.proposed, seed, asked.trial)
    except SpecError as error:
        return Prepared("", asked.proposed, {}, failed=error.problems[0].message)
    try:
        found = check(made.spec, header)
    except SpecError as error:
        said = next((problem for problem in error.problems if problem.severity == "error"), error.problems[0])
        why = said.message if said.code not in ("K240", "K241") else None
        return Prepared("", made.values, made.drawn, failed=why, dropped=None if why else said.message)
    total = found.costs.total
    step = memory(total, made.spec.train, made.spec.data.batch_size if made.spec.data else 1).at_least
    outside = over(spec.tune.budget, total, step)
    changes: dict[str, object] = {}
    if asked.epochs is not None:
        changes |= {"train.epochs": asked.epochs, "train.early_stopping": False}
    if made.spec.train.deterministic and threads is not None:
        changes["train.threads"] = threads
    if spec.tune.executions_per_trial > 1:
        changes["train.repeats"] = spec.tune.executions_per_trial
    text = write(overlaid(resolved(made.spec), changes))
    kind = getattr(made.spec.train.schedule, "kind", None)
    goes_on = made.spec.train.schedule is None or kind in SHAPED
    return Prepared(text, made.values, made.drawn, total.params, total.flops, outside, goes_on=goes_on)
