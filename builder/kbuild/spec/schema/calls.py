"""Signatures of the installed Keras → the calls that a spec may make, by namespace."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kbuild.spec import kinds
from kbuild.spec.allow import may_stand
from kbuild.spec.calls import ANYWHERE, required
from kbuild.spec.schema.arguments import NOT_OF, argument
from kbuild.spec.schema.values import Defs, Schema, opened, ref
from kbuild.spec.signature import NAMESPACES, Signature, names, signature

MERGED = frozenset({"optimizers", "schedules", "losses", "metrics", "oracles"})
"""Namespaces whose calls a spec may give in part, to lay them over those of the spec that it extends."""


@dataclass(frozen=True, slots=True)
class Callable:
    """What can be called in a spec.

    Args:
        own: the user's own classes, which join every namespace.
        trust: whether calls that run code are among them.
    """

    found: tuple[Signature, ...]
    own: tuple[Signature, ...] = ()
    trust: bool = False

    def of(self, namespace: str) -> Iterator[tuple[str, str]]:
        """Name → definition, of one namespace."""
        for each in self.found:
            if each.namespace == namespace:
                yield each.name, definition(each)
        for each in self.own:
            yield each.name, f"own.{each.name}"


def callables(own: Sequence[Signature] = (), trust: bool = False) -> Callable:
    """What the installed Keras, and the user's own files, let a spec call."""
    found = [
        known
        for namespace in NAMESPACES
        if namespace != "activations"
        for name in names(namespace)
        if (known := signature(namespace, name)) is not None and may_stand(known, trust)
    ]
    return Callable(tuple(found), tuple(own), trust)


def definition(found: Signature) -> str:
    """The name of a call's definition."""
    return f"{found.namespace}.{found.name}"


def bare(callable: Callable, namespace: str) -> list[str]:
    """The names that are calls without any arguments; of an operation, its inputs are given by `from`."""
    found = [each for each in (*callable.found, *callable.own) if each in callable.own or each.namespace == namespace]
    return sorted(each.name for each in found if namespace == "ops" or not required(each))


def calls(callable: Callable, defs: Defs) -> None:
    """Define every call, and for each namespace the map that makes one of its calls."""
    every = [(definition(each), each) for each in callable.found]
    every += [(f"own.{each.name}", each) for each in callable.own]
    sites = {name: {p.name: argument(each, p, defs, callable.trust) for p in each.parameters} for name, each in every}
    texts = Counter(json.dumps([key, site]) for each in sites.values() for key, site in each.items())
    numbers: Counter[str] = Counter()
    shared: dict[str, str] = {}
    for name, each in every:
        arguments: Schema = {}
        for key, site in sites[name].items():
            text = json.dumps([key, site])
            if texts[text] > 1 and len(text) > 100:
                if text not in shared:
                    numbers[key] += 1
                    shared[text] = f"argument.{key}.{numbers[key]}"
                    defs[shared[text]] = site
                site = ref(shared[text])
            arguments[key] = site
        types = {key: site["$ref"] for key, site in sites[name].items()}
        defs[name] = _call(name, each, arguments, types)
    for namespace in NAMESPACES:
        if namespace not in {"activations", "ops", "applications"}:
            defs[f"calls.{namespace}"] = one_of(dict(callable.of(namespace)))
    anywhere = {name: target for namespace in reversed(ANYWHERE) for name, target in callable.of(namespace)}
    defs["calls"] = one_of(anywhere)


def one_of(targets: dict[str, str]) -> Schema:
    """A map with one key, the name of a call. That it is a map at all, others say: an editor then offers the names."""
    return {
        "minProperties": 1, "maxProperties": 1, "additionalProperties": False,
        "properties": {name: ref(target) for name, target in sorted(targets.items())},
    }  # fmt: skip


def needs(callable: Callable, namespace: str) -> Schema:
    """What the calls of a namespace in `MERGED` need where no other spec lies below."""
    found = [each for each in callable.found if each.namespace == namespace]
    return {"properties": {each.name: _needed(needed) for each in found if (needed := required(each))}}


def _needed(needed: list[str]) -> Schema:
    one = {"not": {"type": "null"}} if len(needed) == 1 else {"type": "object"}
    return {"if": ref("arguments"), "then": {"required": needed}, "else": {"if": ref("open"), "else": one}}


def _call(name: str, found: Signature, arguments: Schema, types: dict[str, str]) -> Schema:
    """What stands after a call's name: a map of arguments, nothing, or a lone value, which is the first argument.

    Args:
        name: of the definition.
        types: argument → the definition of what it takes.
    """
    by_name: Schema = {"properties": arguments, "additionalProperties": found.open}
    needed = [] if found.namespace in {*MERGED, "ops"} else required(found)
    if needed:
        by_name["required"] = needed
    about = {"description": found.doc} if found.doc else {}
    # an option of a hole in this place is whatever may stand here
    first = found.parameters[0].name if found.positional else ""
    without = NOT_OF.get(kinds.kind(found.documented.get(first, "")), ())
    otherwise = ref("free") if found.namespace == "ops" else opened(_lone(found, types, needed), name, without)
    return {**about, "if": ref("arguments"), "then": by_name, "else": otherwise}


def _lone(found: Signature, types: dict[str, str], needed: list[str]) -> Schema:
    if len(needed) > 1:
        return {"type": "object", "not": ref("call")}
    if not found.positional:
        return {"type": "null"}
    name = found.parameters[0].name
    # what takes one kind of value refuses these by itself, but for the axis of a constraint
    axis = found.namespace == "constraints" and name == "axis"
    several = not kinds.kind(found.documented.get(name, ""))
    without = [*(["array"] if axis else []), *(["null"] if needed and several else [])]
    first: Schema = {"$ref": types[name], **({"not": {"type": without}} if without else {})}
    return first if needed else {"if": {"type": "null"}, "else": first}
