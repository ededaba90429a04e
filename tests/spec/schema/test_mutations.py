"""Shipped specs with one key or one word misspelt: the schema finds it, at its place."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kbuild.spec.block import library
from kbuild.spec.hole import KINDS
from kbuild.spec.names import STRUCTURE
from kbuild.spec.signature import identifiers, names
from kbuild.text.node import Mapping, Node, Scalar, Sequence
from kbuild.text.read import read_file

ROOT = Path(__file__).parents[3]
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
NAMING = {"vars", "blocks", "params", "inputs", "outputs", "repeat", "from", "loss_weights"}
"""Keys whose maps have the user's own names as keys."""
BY_OUTPUT = {"loss", "metrics"}


def keys(node: Node, path: tuple = ()) -> Iterator[tuple]:
    """The path of every key."""
    if isinstance(node, Mapping):
        for key, value in node.pairs:
            yield (*path, key.value)
            yield from keys(value, (*path, key.value))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from keys(item, (*path, index))


def renamed(node: Node, path: tuple, key: str) -> Node:
    """The tree with another key at a path."""
    first, *rest = path
    if isinstance(node, Sequence):
        return replace(node, items=tuple(_at(i == first, item, rest, key) for i, item in enumerate(node.items)))
    assert isinstance(node, Mapping)
    pairs = []
    for name, value in node.pairs:
        here = name.value == first
        pairs.append((Scalar(key, name.span), value) if here and not rest else (name, _at(here, value, rest, key)))
    return replace(node, pairs=tuple(pairs))


def _at(here: bool, node: Node, rest: list, key: str) -> Node:
    return renamed(node, tuple(rest), key) if here and rest else node


def words(node: Node, path: tuple = ()) -> Iterator[tuple[tuple, str]]:
    """Every string with its path."""
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            yield path, node.value
        return
    pairs = [(key.value, item) for key, item in node.pairs] if isinstance(node, Mapping) else enumerate(node.items)
    for key, item in pairs:
        yield from words(item, (*path, key))


def changed(node: Node, path: tuple, word: str) -> Node:
    """The tree with another string at a path."""
    if not path:
        return Scalar(word, node.span)
    first, *rest = path
    if isinstance(node, Sequence):
        items = enumerate(node.items)
        return replace(node, items=tuple(changed(item, tuple(rest), word) if i == first else item for i, item in items))
    assert isinstance(node, Mapping)
    pairs = ((key, changed(item, tuple(rest), word) if key.value == first else item) for key, item in node.pairs)
    return replace(node, pairs=tuple(pairs))


def of_the_user(path: tuple, blocks: set[str]) -> bool:
    """Whether a key is a name that the user has given, or one in a block whose parameters no schema knows."""
    above = path[-2] if len(path) > 1 else ""
    # a group whose key is misspelt may be a block
    named = (
        above in NAMING | {"trainable", "choices"}
        or (above in BY_OUTPUT and path[0] == "train")
        or (bool(blocks) and path[-1] in STRUCTURE)
    )
    # a key that begins with $ may be a variable that names a call; and a schema does not follow the options of `train`
    hole = path[-1] in KINDS and (path[0] == "vars" or isinstance(above, int))
    named = named or hole or above == "$choice" or ("$choice" in path[:-1] and path[0] == "train")
    return named or bool(set(path[2:] if path[0] == "blocks" else path) & blocks)


def own_blocks(spec: Node) -> set[str]:
    """The names that a spec's own blocks have; those of the library too, which it may then have given itself."""
    if isinstance(spec, Mapping) and spec.get("extends") is not None:
        return set(library())
    section = spec.get("blocks") if isinstance(spec, Mapping) else None
    return {*section.keys, *library()} if isinstance(section, Mapping) else set()


def missed(places: Iterator[tuple], spec: Node, mistakes) -> list[tuple]:
    """The places whose misspelling is not found there."""
    blocks = own_blocks(spec)
    left = []
    for place in places:
        if not of_the_user(place, blocks):
            wrong = f"{place[-1]}x"
            found = mistakes(renamed(spec, place, wrong))
            if not any(where in {place[:-1], (*place[:-1], wrong)} for where, _ in found):
                left.append((place, found))
    return left


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_misspelt_key_is_found_where_it_stands(path, mistakes):
    spec = read_file(path)
    assert missed(keys(spec), spec, mistakes) == []


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_misspelt_word_is_found_where_it_stands(path, mistakes):
    spec = read_file(path)
    families = ("activations", "losses", "metrics", "initializers", "optimizers")
    known = {*names("layers"), *names("optimizers"), *names("callbacks")}.union(*map(identifiers, families))
    blocks = own_blocks(spec) | set(library())
    left = []
    for place, word in words(spec):
        inside = set(place[2:] if place[0] == "blocks" else place)
        if word in known and place[0] != "vars" and not inside & {*blocks, "name", "from", "reuse", "outputs"}:
            found = mistakes(changed(spec, place, f"{word}x"))
            left += [(place, found)] if not any(where[: len(place)] == place for where, _ in found) else []
    assert left == []
