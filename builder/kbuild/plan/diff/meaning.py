"""Values of a spec → the same in one way of writing, so that what is equal means the same."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from kbuild.plan.diff.difference import Change
from kbuild.spec.call import Call
from kbuild.spec.names import snake_case
from kbuild.spec.signature import names, signature
from kbuild.text.node import Plain

_SIZES = frozenset({"kernel_size", "pool_size", "strides", "dilation_rate", "size", "padding", "cropping"})
"""Arguments where one number stands for a list of equal ones."""
_OBJECTS = ("initializer", "regularizer", "constraint", "activation")
"""Arguments of these endings take a string for an object without arguments."""


def plain(value: object, key: str = "") -> Plain:
    """A value without calls and sections, defaults left out.

    Args:
        key: the argument it is given to.
    """
    if isinstance(value, Call):
        made = _call(value)
        return _object(key, made) if key.endswith(_OBJECTS) and isinstance(made, str) else made
    if key.endswith(_OBJECTS) and (value is None or isinstance(value, str)):
        return _object(key, value)
    if isinstance(value, Path):
        from kbuild.data.fail import shown

        return shown(value)
    if isinstance(value, Mapping):
        return {str(k): plain(item) for k, item in value.items()}
    if isinstance(value, list | tuple):
        items = [plain(item) for item in value]
        same = key in _SIZES and items and all(isinstance(i, int) and i == items[0] for i in items)
        return items[0] if same else items
    if value is None or isinstance(value, bool | int | float | str):
        return value
    from kbuild.plan.describe import plain as described

    return described(value)  # type: ignore[arg-type, return-value]


def alike(one: Plain, other: Plain) -> bool:
    """Whether two plain values are equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def arguments(call: Call) -> dict[str, Plain]:
    """Its arguments, those left out that are as Keras has them anyway."""
    found = {key: plain(value, key) for key, value in call.args.items()}
    return {key: value for key, value in found.items() if not alike(value, default(call, key))}


def default(call: Call, key: str) -> Plain:
    """What an argument is if it is not given."""
    known = _defaults(call.namespace, call.name)
    if key == "strides" and "pool_size" in known and known.get(key) is None:
        return plain(call.args.get("pool_size", known["pool_size"]), "pool_size")
    return known.get(key)


def between(one: Call, other: Call, prefix: str = "") -> Iterator[Change]:
    """What is different in the arguments of two calls of the same name."""
    had, has = arguments(one), arguments(other)
    for key in dict.fromkeys([*had, *has]):
        before, after = (own[key] if key in own else default(call, key) for call, own in ((one, had), (other, has)))
        if not alike(before, after):
            yield Change(prefix + key, before, after)


def meant(call: Call, namespace: str) -> Call:
    """A call in place of the string that Keras takes for it: `mse` → `MeanSquaredError`.

    Args:
        namespace: `losses` or `metrics`.
    """
    if call.namespace != "identifier":
        return call
    name = _named(namespace).get(call.name)
    return Call(namespace, name) if name else Call("identifier", {"acc": "accuracy"}.get(call.name, call.name))


@cache
def _named(namespace: str) -> Mapping[str, str]:
    """String → name of the public class that Keras makes of it, or whose function it is."""
    from kbuild.spec.identifiers import compiled, table

    by_words = {snake_case(name): name for name in names(namespace)}
    found = {key: by_words.get(snake_case(what.name)) for key, what in table(namespace).items()}
    # `accuracy` is another class with every shape: the string says it better
    return {key: name for key, name in found.items() if name and key not in compiled(namespace)}


@cache
def _defaults(namespace: str, name: str) -> Mapping[str, Plain]:
    found = signature(namespace, name)
    return {p.name: plain(p.default, p.name) for p in found.parameters} if found else {}


def _call(call: Call) -> Plain:
    given = arguments(call)
    if call.namespace == "ops":
        return {f"ops.{call.name}": given} if given else f"ops.{call.name}"
    return {call.name: given} if given else call.name


def _object(key: str, value: str | None) -> str | None:
    if value is None:
        return "linear" if key.endswith("activation") else None
    return snake_case(value) if value[:1].isupper() else value
