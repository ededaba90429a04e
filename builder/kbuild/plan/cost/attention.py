"""Attention layers: projections, scores of every time against every other, and the mixture by scores."""

import math
from dataclasses import dataclass

from kbuild.plan.cost.activation import SOFTMAX
from kbuild.plan.cost.use import Rule, Use, Weights, Work, known, last, numbers, rule
from kbuild.plan.shapes.given import Known
from kbuild.plan.shapes.given import numbers as whole
from kbuild.plan.shapes.mistake import UnknownShape


@dataclass(frozen=True, slots=True)
class Projection:
    """A dense map of `features` numbers to `units` at every place of a tensor."""

    shape: Known
    features: int
    units: int

    @property
    def count(self) -> int:
        """How many numbers come out. Raises UnknownShape."""
        return numbers(self.shape[:-1]) * self.units


def multi_head(use: Use) -> list[Projection]:
    """Query, key, value, output, and the gate if there is one."""
    heads, key_dim = use.given.whole("num_heads"), use.given.whole("key_dim")
    value_dim = use.args.get("value_dim") or key_dim
    query, value, key = _three(use)
    target = use.args.get("output_shape")
    out = (last(query),) if not target else whole(target, 1)
    if not isinstance(value_dim, int) or out is None:
        raise UnknownShape
    return _projections(use, (query, value, key), (heads * key_dim, heads * key_dim, heads * value_dim), math.prod(out))


def grouped_query(use: Use) -> list[Projection]:
    """As `multi_head`, with fewer heads for key and value."""
    size = use.given.whole("head_dim")
    asking, shared = use.given.whole("num_query_heads") * size, use.given.whole("num_key_value_heads") * size
    query, value, key = _three(use)
    found = _projections(use, (query, value, key), (asking, shared, shared), last(query))
    # every query head has a context of its own
    return [*found[:3], *(Projection(query, *pair) for pair in ((asking, last(query)), (last(query), asking)))][
        : len(found)
    ]


def projected_weights(use: Use) -> Weights:
    """A kernel and a bias for each projection."""
    return sum(each.units * (each.features + use.asks("use_bias")) for each in _all(use)), 0


def projected_work(use: Use) -> Work:
    """Projections; the query scaled; scores, softmax, mixture; the gate's sigmoid and product."""
    parts = _all(use)
    query, _, value, out = parts[:4]
    context = query.count // query.units * out.features
    heads = use.given.whole("num_heads" if "num_heads" in use.args else "num_query_heads")
    times, steps = _attended(use, query.shape, value.shape)
    # batch axes of the attention are those of neither
    pairs = heads * (query.count // query.units // times) * times * steps
    flops = sum(each.count * (2 * each.features + use.asks("use_bias")) for each in parts)
    flops += query.count + pairs * (2 * (query.units // heads) + SOFTMAX) + 2 * context * steps
    flops += 2 * context * len(parts[4:])
    masks = pairs if use.args.get("dropout") else 0
    return flops, sum(each.count for each in parts) + context * (1 + len(parts[4:])) + pairs + masks


def plain_weights(use: Use) -> Weights:
    """`Attention`: a factor with `use_scale`, one more with `score_mode: concat`. `AdditiveAttention`: one each."""
    if use.given.name == "AdditiveAttention":
        return last(use.given.tensors(least=2)[0]) * use.asks("use_scale"), 0
    return use.asks("use_scale", False) + (use.args.get("score_mode") == "concat"), 0


def plain_work(use: Use) -> Work:
    """Scores by products, 2·features each; or by sums, a tanh and a sum over the features, scaled if asked for."""
    shapes = [known(shape) for shape in use.given.tensors(least=2)]
    query, value = shapes[:2]
    pairs = query[0] * value[0]
    additive = use.given.name == "AdditiveAttention"
    summed = additive or use.args.get("score_mode") == "concat"
    scaled = use.asks("use_scale", additive)
    flops = pairs * (query[-1] * (3 + scaled) + (not additive) if summed else 2 * query[-1] + scaled)
    out = query[0] * value[-1]
    kept = pairs * (1 + (query[-1] if summed else 0) + bool(use.args.get("dropout"))) + out
    return flops + SOFTMAX * pairs + 2 * out * value[0], kept


def _all(use: Use) -> list[Projection]:
    return grouped_query(use) if "num_query_heads" in use.args else multi_head(use)


def _projections(
    use: Use, shapes: tuple[Known, Known, Known], units: tuple[int, int, int], out: int
) -> list[Projection]:
    query, value, key = shapes
    found = [Projection(shape, last(shape), n) for shape, n in zip((query, key, value), units, strict=True)]
    found.append(Projection(query, units[2], out))
    if use.asks("use_gate", False):
        found.append(Projection(query, last(query), units[2]))
    return found


def _attended(use: Use, query: Known, value: Known) -> tuple[int, int]:
    axes = use.args.get("attention_axes")
    if axes is None:
        return numbers(query[:-1]), numbers(value[:-1])
    places = use.given.axes("attention_axes", axes, len(query) + 1)
    return numbers(tuple(query[axis - 1] for axis in places)), numbers(tuple(value[axis - 1] for axis in places))


def _three(use: Use) -> tuple[Known, Known, Known]:
    given = use.given
    query, value = given.tensor(0, "query"), given.tensor(1, "value")
    return query, value, given.tensor(2, "key") if given.has(2, "key") else value


RULES: dict[str, Rule] = {
    **dict.fromkeys(("MultiHeadAttention", "GroupQueryAttention"), rule(projected_work, projected_weights, holds=True)),
    **dict.fromkeys(("Attention", "AdditiveAttention"), rule(plain_work, plain_weights)),
}
