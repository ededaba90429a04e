"""Train → where its learning rate stands, and the same with a rate that is a number."""

from dataclasses import replace

from kbuild.spec.call import Call
from kbuild.spec.signature import names
from kbuild.spec.train import OneCycle, Piecewise, Train

INNER = ("optimizer", "inner_optimizer")
"""Arguments that hold the optimizer which another one is wrapped around."""
_STARTS = "initial_learning_rate"


def path(train: Train) -> str | None:
    """The dotted path of the number that a learning rate is to be written at.

    None if a schedule has several, or if the first of several phases has an optimizer or a schedule of its own: no
    path leads into a list.
    """
    first = train.parts[0]
    if (first.optimizer, first.schedule) != (train.optimizer, train.schedule):
        return None
    schedule = train.schedule
    if isinstance(schedule, Piecewise):
        return None
    if isinstance(schedule, OneCycle) and schedule.peak is not None:
        return "train.schedule.one_cycle.peak"
    if isinstance(schedule, Call):
        return f"train.schedule.{schedule.name}.{_STARTS}" if _STARTS in schedule.args else None
    return _within("train.optimizer", train.optimizer)


def constant(train: Train, rate: float) -> Train:
    """The first phase at one rate, with nothing beside it that would change the rate or end the training."""
    first = train.parts[0]
    switched = {"schedule": None, "early_stopping": None, "callbacks": (), "optimizer": _at(first.optimizer, rate)}
    phases = tuple(first.model_copy(update=switched) for _ in train.phases[:1])
    return train.model_copy(update={**switched, "phases": phases, "repeats": 1})


def scheduled(train: Train) -> str | None:
    """The name of what changes the rate during training: `cosine`, `CosineDecay`, `ReduceLROnPlateau`; or None."""
    train = train.parts[0]
    if isinstance(train.schedule, Call):
        return train.schedule.name
    if train.schedule is not None:
        return str(train.schedule.kind)
    reacting = [call.name for call in train.callbacks if call.name in ("ReduceLROnPlateau", "LearningRateScheduler")]
    return reacting[0] if reacting else _schedule_in(train.optimizer)


def _inner(call: Call) -> tuple[str, Call] | None:
    """The argument with the optimizer inside another, and that optimizer; a string stands for its class."""
    for name in INNER:
        value = call.args.get(name)
        if isinstance(value, str):
            by_lower = {known.lower(): known for known in names("optimizers")}
            value = Call("optimizers", by_lower.get(value.lower(), value))
        if isinstance(value, Call):
            return name, value
    return None


def _within(where: str, call: Call) -> str | None:
    inner = _inner(call)
    if inner is not None:
        return _within(f"{where}.{call.name}.{inner[0]}", inner[1])
    rate = call.args.get("learning_rate")
    if not isinstance(rate, Call):
        return f"{where}.{call.name}.learning_rate"
    return f"{where}.{call.name}.learning_rate.{rate.name}.{_STARTS}" if _STARTS in rate.args else None


def _at(call: Call, rate: float) -> Call:
    inner = _inner(call)
    changed = {"learning_rate": rate} if inner is None else {inner[0]: _at(inner[1], rate)}
    return replace(call, args={**call.args, **changed})


def _schedule_in(call: Call) -> str | None:
    inner = _inner(call)
    if inner is not None:
        return _schedule_in(inner[1])
    rate = call.args.get("learning_rate")
    return rate.name if isinstance(rate, Call) else None
