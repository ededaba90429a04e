"""kbuild's own layers (language.md, section 9)."""

from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.keep import same
from kbuild.plan.shapes.mistake import ShapeMistake, show


def positioned(given: Given) -> Shapes:
    """(time, features) as it is; for `PositionEmbedding` time is at most `length`."""
    shape = _sequence(given)
    length = given.whole("length") if given.name == "PositionEmbedding" else None
    if length is not None and shape[0] is not None and shape[0] > length:
        raise ShapeMistake(
            f"`{given.name}: {length}` has {length} places but gets {shape[0]} steps",
            f"write at least {shape[0]}",
        )
    return (shape,)


def class_token(given: Given) -> Shapes:
    """(time, features) → (time + 1, features)."""
    time, features = _sequence(given)
    return ((None if time is None else time + 1, features),)


def sampling(given: Given) -> Shapes:
    """[mean, log_var] of one shape → that shape."""
    mean, log_var = given.tensors(exactly=2)
    if mean != log_var:
        raise ShapeMistake(
            f"`{given.name}` needs mean and log_var of one shape but gets {show(mean)} and {show(log_var)}",
            "give both layers equally many units",
        )
    return (mean,)


def add_loss(given: Given) -> Shapes:
    """[x, penalty] → x."""
    return (given.tensors(exactly=2)[0],)


def maxout(given: Given) -> Shapes:
    """(…, features) → (…, units)."""
    units = given.whole("units")
    given.whole("pieces", 2)
    shape = given.tensor()
    if not shape:
        given.rank(shape, ("features",))
    return ((*shape[:-1], units),)


def instance(given: Given) -> Shapes:
    """(…, channels) as it is, with at least one axis beside the channels."""
    shape = given.tensor()
    if len(shape) < 2:
        given.rank(shape, ("places", "channels"))
    if given.axis("axis", -1, len(shape) + 1) == 0:
        raise ShapeMistake(
            f"`{given.name}` cannot have the batch as its `axis`",
            "axis 0 is the batch; the channels are the last, -1",
        )
    return (shape,)


def _sequence(given: Given) -> Known:
    shape = given.tensor()
    given.rank(shape, ("time", "features"))
    return shape


RULES: dict[str, Rule] = {
    "PositionEmbedding": positioned,
    "SinePositionEncoding": positioned,
    "ClassToken": class_token,
    "Sampling": sampling,
    "AddLoss": add_loss,
    "Maxout": maxout,
    "InstanceNormalization": instance,
    **dict.fromkeys(("ScheduledDropout", "StochasticDepth", "LayerScale"), same),
}
