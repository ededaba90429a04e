"""Attention layers. Times by features; scores as a second output where the call asks for them."""

from kbuild.plan.shapes.given import Given, Known, Rule, Shapes, numbers
from kbuild.plan.shapes.mistake import ShapeMistake, show

_SELF = "for self-attention: `from: {query: previous, value: previous}`"


def multi_head(given: Given) -> Shapes:
    """query (T, features), value and key (S, …) → (T, features), or (T, *output_shape). Scores: (heads, T, S).

    Keras declares the scores (heads, T, T), but computes (heads, T, S); so says this rule.
    """
    heads = given.whole("num_heads")
    given.whole("key_dim")
    query, value, key = _three(given)
    if len(query) != len(value):
        raise ShapeMistake(
            f"`{given.name}` needs query and value with equally many axes but gets {show(query)} and {show(value)}"
        )
    out = query
    if given.args.get("output_shape") is not None:
        size = numbers(given.args["output_shape"], 1)
        if size is None:
            raise given.wrong(
                "output_shape", "a whole number of at least 1 or a list of them", given.args["output_shape"]
            )
        out = (*query[:-1], *size)
    if not given.flag("return_attention_scores"):
        return (out,)
    plain = len(query) == 2 and given.args.get("attention_axes") is None
    return (out, (heads, query[0], key[0]) if plain else None)


def grouped_query(given: Given) -> Shapes:
    """query (T, features), value and key (S, features) → (T, features). Scores: (query heads, T, S)."""
    heads, shared = given.whole("num_query_heads"), given.whole("num_key_value_heads")
    given.whole("head_dim")
    if heads % shared:
        raise ShapeMistake(
            f"`{given.name}` cannot share {shared} key and value heads among {heads} query heads",
            f"`num_key_value_heads` must divide {heads}",
        )
    query, value, key = _three(given)
    for shape in (query, value, key):
        given.rank(shape, ("time", "features"))
    if None not in (query[-1], value[-1]) and query[-1] != value[-1]:
        raise ShapeMistake(
            f"`{given.name}` needs query and value with equally many features but gets {show(query)} and {show(value)}"
        )
    return (query, (heads, query[0], key[0])) if given.flag("return_attention_scores") else (query,)


def plain(given: Given) -> Shapes:
    """[query (T, d), value (S, features), key (S, d)] → (T, features), scores (T, S). By default key is value."""
    shapes = given.tensors(least=2)
    if len(shapes) > 3:
        raise ShapeMistake(f"`{given.name}` needs query, value and perhaps key but gets {len(shapes)} inputs")
    query, value = shapes[:2]
    key = shapes[2] if len(shapes) == 3 else value
    for shape in shapes:
        if len(shape) != 2:
            given.rank(shape, ("time", "features"))
    _same_times(given, value, key)
    broadcasts = given.name == "AdditiveAttention" or given.args.get("score_mode") == "concat"
    sizes = {query[-1], key[-1]} - {None} - ({1} if broadcasts else set())
    if len(sizes) > 1:
        raise ShapeMistake(
            f"`{given.name}` needs query and key with equally many features but gets {show(query)} and {show(key)}",
            "bring them to the same size with a `Dense`",
        )
    out = (*query[:-1], value[-1])
    return (out, (query[0], key[0])) if given.flag("return_attention_scores") else (out,)


def _three(given: Given) -> tuple[Known, Known, Known]:
    outputs = 2 if given.flag("return_attention_scores") else 1
    query = given.tensor(0, "query", outputs=outputs)
    if not given.has(1, "value"):
        raise ShapeMistake(f"`{given.name}` needs the inputs `query` and `value` but gets one", _SELF)
    value = given.tensor(1, "value", outputs=outputs)
    key = given.tensor(2, "key", outputs=outputs) if given.has(2, "key") else value
    for shape in (query, value, key):
        if len(shape) < 2:
            given.rank(shape, ("time", "features"))
    _same_times(given, value, key)
    return query, value, key


def _same_times(given: Given, value: Known, key: Known) -> None:
    for one, other in zip(value[:-1], key[:-1], strict=False):
        if None not in (one, other) and one != other:
            raise ShapeMistake(
                f"`{given.name}` needs value and key with equally many steps but gets {show(value)} and {show(key)}",
                "value and key come in pairs, one of each for every step",
            )


RULES: dict[str, Rule] = {
    "MultiHeadAttention": multi_head,
    "GroupQueryAttention": grouped_query,
    "Attention": plain,
    "AdditiveAttention": plain,
}
