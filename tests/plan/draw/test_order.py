"""Rows, their order and their columns, each by itself."""

from itertools import pairwise, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from kbuild.plan.draw.columns import Link, columns
from kbuild.plan.draw.order import crossings, ordered
from kbuild.plan.draw.ranks import ranks

RANDOM = settings(max_examples=50, deadline=None, database=None, derandomize=True)


@st.composite
def layered(draw: st.DrawFn) -> tuple[list[list[str]], dict[str, list[str]]]:
    rows = [[f"{row}.{index}" for index in range(draw(st.integers(1, 4)))] for row in range(draw(st.integers(2, 4)))]
    below = {
        node: draw(st.lists(st.sampled_from(lower), unique=True)) for upper, lower in pairwise(rows) for node in upper
    }
    return rows, below


def crossed(rows: list[list[str]], below: dict[str, list[str]]) -> int:
    """Crossings, pair by pair."""
    place = {node: index for row in rows for index, node in enumerate(row)}
    count = 0
    for row in rows:
        edges = [(place[a], place[b]) for a in row for b in below.get(a, ())]
        count += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(edges) for c, d in edges[i + 1 :])
    return count


@RANDOM
@given(layered())
def test_an_order_has_no_more_crossings_than_before(found):
    rows, below = found
    best = ordered(rows, below)
    assert [sorted(row) for row in best] == [sorted(row) for row in rows]
    assert crossings(rows, below) == crossed(rows, below)
    assert crossings(best, below) <= crossings(rows, below)


def test_two_rows_are_uncrossed():
    below = {"a": ["z"], "b": ["y"], "c": ["x"]}
    rows = [["a", "b", "c"], ["x", "y", "z"]]
    least = min(crossed([rows[0], list(row)], below) for row in permutations(rows[1]))
    assert crossings(ordered(rows, below), below) == least == 0


def test_ranks_are_longest_paths():
    edges = [("a", "b"), ("b", "c"), ("a", "d"), ("d", "e"), ("c", "e"), ("late", "e")]
    found = ranks(["a", "late", "b", "c", "d", "e"], edges, [], [])
    assert found == {"a": 0, "b": 1, "c": 2, "d": 1, "e": 3, "late": 2}


def test_doors_have_rows_of_their_own():
    edges = [("in", "a"), ("in", "b"), ("a", "b"), ("b", "out"), ("a", "aside")]
    found = ranks(["in", "a", "b", "out", "aside"], edges, ["in"], ["out", "aside"])
    assert found == {"in": 0, "a": 1, "b": 2, "out": 3, "aside": 3}


@RANDOM
@given(layered(), st.data())
def test_columns_keep_the_order_and_the_distance(found, data):
    rows, below = found
    nodes = [node for row in rows for node in row]
    widths = {node: data.draw(st.sampled_from([4.0, 60.0, 140.0])) for node in nodes}
    light = [node for node in nodes if widths[node] == 4.0]
    links = [Link(a, b, data.draw(st.sampled_from([0.0, 20.0]))) for a, several in below.items() for b in several]
    middles = columns(rows, links, widths, light, 16)
    for row in rows:
        for left, right in pairwise(row):
            assert middles[right] - middles[left] >= (widths[left] + widths[right]) / 2 + 16 - 1e-3


def test_a_chain_is_straight_through_its_doors():
    rows = [["a"], ["b"], ["c"]]
    middles = columns(rows, [Link("a", "b", 0, 30), Link("b", "c", 10, 0)], dict.fromkeys("abc", 100.0), [], 16)
    assert middles["b"] == middles["a"] - 30
    assert middles["c"] == middles["b"] + 10


def test_one_stands_in_the_middle_of_several():
    rows = [["top"], ["a", "b", "c"], ["low"]]
    links = [Link("top", node) for node in "abc"] + [Link(node, "low") for node in "abc"]
    middles = columns(rows, links, {"top": 50, "low": 50, "a": 80, "b": 80, "c": 80}, [], 20)
    assert abs(middles["top"] - middles["b"]) < 0.1
    assert abs(middles["low"] - middles["b"]) < 0.1
    assert middles["c"] - middles["b"] == middles["b"] - middles["a"] == 100
