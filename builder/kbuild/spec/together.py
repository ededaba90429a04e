"""Train → Problems: keys that are right by themselves and wrong together."""

from itertools import pairwise

from kbuild.spec.call import Call
from kbuild.spec.spec import span_at
from kbuild.spec.train import Piecewise, Train
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node
from kbuild.text.problem import Problem
from kbuild.text.source import Span


def together(train: Train, node: Node) -> list[Problem]:
    """What cannot stand together: two that steer the learning rate (a TypeError of Keras, hours in), a piecewise
    schedule with too many values, two that accumulate gradients, seeds that end before the repeats do.

    Args:
        node: the section's tree, for the places.
    """
    problems: list[Problem] = []
    steered = _steered(train.optimizer)
    schedule = train.schedule is not None
    callbacks = [c for c in train.callbacks if c.name == "ReduceLROnPlateau"]
    if steered and schedule:
        problems.append(
            Problem(
                "K151",
                "`train.schedule` and a schedule as `learning_rate` both steer the learning rate",
                span_at(node, "schedule"),
                help="keep one of them",
                path="train.schedule",
            )
        )
    if callbacks and (steered or schedule):
        other = "a schedule as `learning_rate`" if steered else "`train.schedule`"
        problems.append(
            Problem(
                "K151",
                f"`ReduceLROnPlateau` and {other} both steer the learning rate",
                callbacks[0].span,
                help="keep one of them",
                path="train.callbacks",
            )
        )
    problems += [*_decay(train, node), *_accumulated(train), *_clipped(train.optimizer)]
    if train.optimizer.span is not None or not (isinstance(node, MappingNode) and node.get("optimizer")):
        # one that is wrong itself says nothing of averages
        problems += _averaged(train)
    if train.seed + train.repeats > 2**32:
        message = f"`train.seed` and the {train.repeats - 1} seeds after it must be below {2**32}"
        problems.append(Problem("K105", message, span_at(node, "seed"), path="train.seed"))
    return problems


def _steered(optimizer: Call) -> bool:
    """Whether the rate of an optimizer, or of one that it is wrapped around, is a schedule."""
    inner = (optimizer.args.get("inner_optimizer"), optimizer.args.get("optimizer"))
    rate = optimizer.args.get("learning_rate")
    return isinstance(rate, Call) or any(isinstance(one, Call) and _steered(one) for one in inner)


def _accumulated(train: Train) -> list[Problem]:
    """Keras would accumulate what is accumulated already, or refuse it when the model is compiled."""
    own = _argument(train.optimizer, "gradient_accumulation_steps")
    if train.accumulate == 1 or own is None:
        return []
    name, span = own
    message = f"`train.accumulate` and `gradient_accumulation_steps` of `{name}` both accumulate gradients"
    return [Problem("K153", message, span, help="keep `train.accumulate`", path="train.accumulate")]


def _clipped(optimizer: Call) -> list[Problem]:
    """Keras clips gradients in one way, and refuses two when the optimizer is made; it refuses a name to wrap too."""
    given = [name for name in ("clipnorm", "clipvalue", "global_clipnorm") if optimizer.args.get(name) is not None]
    inner = (optimizer.args.get("inner_optimizer"), optimizer.args.get("optimizer"))
    found = [problem for one in inner if isinstance(one, Call) for problem in _clipped(one)]
    named = optimizer.args.get("inner_optimizer")
    if isinstance(named, str):
        message = f"`inner_optimizer` of `{optimizer.name}` is an optimizer, not the text `{named}`"
        span = optimizer.spans.get("inner_optimizer", optimizer.span)
        help = "write it as a call, such as `inner_optimizer: {Adam: 1e-3}`"
        found.append(Problem("K105", message, span, help=help, path="train.optimizer"))
    if len(given) > 1:
        message = f"`{optimizer.name}` takes one of `{'`, `'.join(given[:-1])}` and `{given[-1]}`, not several"
        span = optimizer.spans.get(given[-1], optimizer.span)
        help = "keep `global_clipnorm`, which leaves the direction of a step as it is, or the one that is meant"
        found.append(Problem("K105", message, span, help=help, path="train.optimizer"))
    return found


def _averaged(train: Train) -> list[Problem]:
    """There is nothing to swap in where no average is kept."""
    swaps = next((call for call in train.callbacks if call.name == "SwapEMAWeights"), None)
    inner = train.optimizer.args.get("inner_optimizer")
    kept = train.optimizer.args.get("use_ema") or (isinstance(inner, Call) and inner.args.get("use_ema"))
    if swaps is None or kept:
        return []
    message = "`SwapEMAWeights` needs an optimizer that averages weights"
    path = "train.callbacks.SwapEMAWeights"
    return [Problem("K164", message, swaps.span, help="write `use_ema: true` in the optimizer", path=path)]


def _argument(optimizer: Call, name: str) -> tuple[str, Span | None] | None:
    """Which optimizer has the argument, this one or one that it is wrapped around, and where it is written."""
    if optimizer.args.get(name) is not None:
        return optimizer.name, optimizer.spans.get(name, optimizer.span)
    inner = (optimizer.args.get("inner_optimizer"), optimizer.args.get("optimizer"))
    return next((found for one in inner if isinstance(one, Call) and (found := _argument(one, name))), None)


def _decay(train: Train, node: Node) -> list[Problem]:
    schedule = train.schedule
    if not isinstance(schedule, Piecewise):
        return []
    problems: list[Problem] = []
    if len(schedule.values) != len(schedule.at) + 1:
        said = f"{len(schedule.values)} for {len(schedule.at)}"
        message = f"`train.schedule.piecewise` needs one value more than times, not {said}"
        problems.append(Problem("K105", message, span_at(node, "schedule"), path="train.schedule"))
    times = [str(time).split() for time in schedule.at]
    for (before, unit), (after, other) in pairwise(times):
        if unit == other and float(after) <= float(before):
            said = f"`{after} {other}` follows `{before} {unit}`"
            message = f"the times of `train.schedule.piecewise` must grow, and {said}"
            where = "schedule.piecewise.at"
            problems.append(Problem("K105", message, span_at(node, where), path=f"train.{where}"))
    return problems
