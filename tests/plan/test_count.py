"""Entries counted before any is expanded: never more than there are, and all of them where nothing is open."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbuild.plan import expand as stage
from kbuild.plan import graph as growing
from kbuild.plan.count import _Counter
from kbuild.plan.expand import expand
from kbuild.spec.entry import chain
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

FULL = os.environ.get("KBUILD_FULL") == "1"

counts = st.integers(0, 3)
known = st.sampled_from([None, True, False, "$on", "${width > 3}"])
unknown = st.sampled_from([None, "${i % 2 == 0}", "${input_shape[0] > 4}"])


def entries(conditions):
    """Entries of all kinds; those that a `reuse` may name are above it."""

    def more(inner):
        chains = st.lists(inner, max_size=3)
        return st.one_of(
            st.builds(lambda items, n, when: {"chain": items, "repeat": n, "when": when}, chains, counts, conditions),
            st.builds(lambda items: {"branches": items, "merge": "Add"}, st.lists(chains, min_size=2, max_size=3)),
            st.builds(lambda items: {"chain": [*items, "$layer"]}, chains),
            chains,
        )

    leaves = st.one_of(
        st.sampled_from(["ReLU", "$layer", "$several", None, [], {"Dense": 4}, {"$choice": ["ReLU", []]}, "pair"]),
        st.builds(lambda n, when: {"Activation": "relu", "repeat": n, "when": when}, counts, conditions),
        st.builds(lambda n: {"deep": {"times": n}}, st.one_of(counts, st.just("$width"))),
        st.builds(lambda n: {"pair": None, "repeat": {"k": [1, n, 2]}}, counts),
        st.builds(lambda ns: {"chain": [{"ReLU": None, "repeat": "$k"}], "repeat": {"k": ns}}, st.lists(counts)),
    )
    if conditions is unknown:  # a list that is too long to be walked
        long = st.builds(lambda n: {"chain": [{"ReLU": None, "repeat": "$k"}], "repeat": {"k": [n] * 70}}, counts)
        leaves = st.one_of(leaves, long)
    return st.recursive(leaves, more, max_leaves=8)


def spec(items: list[object]):
    items = [_without_null(item) for item in items]
    tree = {
        "kbuild": 1,
        "vars": {"width": 4, "on": True, "layer": "ReLU", "several": ["ReLU", {"ReLU": None, "repeat": 2}]},
        "blocks": {
            "pair": ["ReLU", "ReLU"],
            "deep": {"params": {"times": 2}, "layers": [{"pair": None, "repeat": "$times"}, "ReLU"]},
        },
        "model": {"inputs": {"x": {"shape": [4]}}, "layers": ["ReLU", *items, "$several", "deep"]},
    }
    return load(json.dumps(tree, indent=1))


def _without_null(item):
    if isinstance(item, list):
        return [_without_null(each) for each in item]
    if isinstance(item, dict):
        return {key: _without_null(value) for key, value in item.items() if key != "when" or value is not None}
    return item


def counted(found) -> int:
    counter = _Counter(found.blocks, found.scope)
    return sum(counter.entry(item, found.scope) for item in chain(found.layers))


def real(found) -> int:
    """What the graph itself counts while it grows."""
    made = []

    class Kept(growing.Graph):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            made.append(self)

    stage.Graph = Kept
    try:
        expand(found)
    finally:
        stage.Graph = growing.Graph
    return made[0].entries


@settings(max_examples=200 if FULL else 20, derandomize=True, database=None, deadline=None)
@given(st.lists(entries(known), max_size=4))
def test_all_are_counted_where_nothing_is_open(items):
    found = spec(items)
    assert counted(found) == real(found)


@settings(max_examples=200 if FULL else 20, derandomize=True, database=None, deadline=None)
@given(st.lists(entries(unknown), max_size=4))
def test_never_more_than_there_are(items):
    found = spec(items)
    assert counted(found) <= real(found)


HEAD = "kbuild: 1\nmodel:\n  inputs: {x: {shape: [16]}}\n  layers:\n"


def tens(use: str) -> str:
    """Blocks `b0` to `b8`, each of which uses the one before ten times."""
    lines = [f"  b{i}: [{', '.join([use.replace('?', f'b{i - 1}')] * 10)}]\n" for i in range(1, 9)]
    return f"kbuild: 1\nblocks:\n  b0: [{{Activation: relu}}]\n{''.join(lines)}{HEAD[10:]}"


BOMBS = {
    "repeat": HEAD + "    - {Dense: 16, repeat: 1000000}\n",
    "repeats in repeats": HEAD + "    - {chain: [{Dense: 16, repeat: 1000}], repeat: 1000}\n",
    "by number": HEAD + '    - {chain: [{Dense: "${16 + i}", repeat: 1000}], repeat: 1000}\n',
    "over lists": HEAD + "    - {chain: [{Dense: 16, repeat: $n}], repeat: {n: [1, 1000000, 1]}}\n",
    "blocks of blocks": tens("?") + "    - b8\n",
    "nested models": tens("{TimeDistributed: {layer: ?}}") + "    - b8\n",
    "reuse": HEAD + "    - {Dense: 16, name: r0}\n"
    + "".join(f"    - {{chain: [{{reuse: r{i - 1}}}, {{reuse: r{i - 1}}}], name: r{i}}}\n" for i in range(1, 41)),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_network_without_end_is_refused_before_anything_is_expanded(name, monkeypatch):
    monkeypatch.setattr("kbuild.plan.entries.expand_entry", None)
    with pytest.raises(SpecError) as caught:
        expand(load(BOMBS[name]))
    (problem,) = caught.value.problems
    assert problem.code == "K204"
    assert "and may have 1,000,000" in problem.message
    assert problem.span.line >= 5


def test_a_count_of_its_own_ends():
    """Blocks whose uses all differ cannot be counted once for all: the count stops, and what it has is the least."""
    layers = ", ".join(f'{{b%d: "${{n % 100 + {j}}}"}}' for j in range(10))
    blocks = "".join(
        f"  b{i}: {{params: {{n: 1}}, layers: [{layers.replace('%d', str(i - 1))}]}}\n" for i in range(1, 9)
    )
    found = load(
        "kbuild: 1\nblocks:\n  b0: {params: {n: 1}, layers: [{Dense: $n}]}\n" + blocks + HEAD[10:] + "    - b8: 3\n"
    )
    assert 0 < counted(found) < 10**10
