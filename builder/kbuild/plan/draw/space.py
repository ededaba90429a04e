"""Space → lines of text: every hole with its values, when it is there, and how many networks there are."""

import math
from collections.abc import Iterator

from kbuild.plan.corners import Corners
from kbuild.plan.space import Condition, Dim, Space
from kbuild.spec.hole import Hole


def lines(space: Space, found: Corners | None = None) -> Iterator[str]:
    """A line for the whole, and one for each hole."""
    count, some = len(space.dims), sum(dim.when != ({},) for dim in space.dims)
    size = space.size
    networks = "no end of networks" if math.isinf(size) else f"about {size:,.0f} networks"
    ranges = "" if found is None else _cost(found)
    conditional = f", {some} of them conditional" if some else ""
    yield f"search: {count} hole{'' if count == 1 else 's'}{conditional}, {networks}{ranges}"
    width = max((len(dim.path) for dim in space.dims), default=0)
    for dim in space.dims:
        yield f"  {dim.path:<{width}}  {_values(dim)}{_when(dim)}"


def _values(dim: Dim) -> str:
    hole = dim.hole
    if hole.kind == "choice":
        text = " | ".join(hole.options)
    elif hole.kind == "bool":
        text = "true | false"
    else:
        text = f"{hole.low:g} … {hole.high:g}{_step(hole)}"
    return f"{hole.kind:<6}  {text}" + (" (its ends depend on other holes)" if dim.open else "")


def _step(hole: Hole) -> str:
    log = "" if hole.sampling == "linear" else f", {hole.sampling}"
    if hole.step is None:
        return log
    return f", {'×' if hole.sampling == 'log' else '+'}{hole.step:g}"


def _when(dim: Dim) -> str:
    if dim.when == ({},):
        return ""
    return "  if " + " or ".join(_all(condition) for condition in dim.when)


def _all(condition: Condition) -> str:
    return " and ".join(f"{path} = {_any(sorted(values, key=str))}" for path, values in condition.items())


def _any(values: list) -> str:
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"


def _cost(found: Corners) -> str:
    ends = [corner.cost.params for corner in (found.low, found.high) if corner.cost is not None]
    known = [params for params in ends if params is not None]
    return f", {min(known):,} to {max(known):,} parameters" if len(known) == 2 else ""
