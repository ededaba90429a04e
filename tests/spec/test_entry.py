"""One item of a chain, taken apart; and what `repeat` says."""

import pytest

from kbuild.spec.entry import Apply, Branches, Chain, Open, Reuse, chain, entry, is_call, repeat_count
from kbuild.text.node import node, plain
from kbuild.text.problem import SpecError

BLOCKS = frozenset({"unit"})


@pytest.mark.parametrize(
    ("written", "head", "siblings"),
    [
        ("Flatten", Apply, set()),
        ({"Dense": 3}, Apply, set()),
        ({"unit": None, "name": "a", "from": "b"}, Apply, {"name", "from"}),
        ({"ops.add": None, "from": ["a", "b"]}, Apply, {"from"}),
        ("$norm", Open, set()),
        ({"$norm": None, "name": "n"}, Open, {"name"}),
        ({"$norm": {"axis": 1}}, Apply, set()),
        ({"$choice": ["ReLU", []], "default": [], "when": True}, Open, {"when"}),
        ({"chain": ["ReLU"], "repeat": 3}, Chain, {"repeat"}),
        ({"branches": [[], []], "merge": "Add", "name": "b"}, Branches, {"name"}),
        ({"reuse": "a", "from": "b"}, Reuse, {"from"}),
        (["ReLU"], Chain, set()),
        ([], Chain, set()),
        (None, Chain, set()),
    ],
)
def test_an_entry_has_one_head_and_what_stands_beside_it(written, head, siblings):
    found = entry(node(written), BLOCKS)
    assert isinstance(found.head, head)
    assert set(found.siblings) == siblings


@pytest.mark.parametrize(
    ("written", "code", "message"),
    [
        (3, "K102", "`3` is no entry of a chain"),
        (True, "K102", "`true` is no entry of a chain"),
        ({}, "K104", "an entry needs a call, a block, `chain`, `branches` or `reuse`"),
        ({"name": "a"}, "K104", "an entry needs a call, a block, `chain`, `branches` or `reuse`"),
        ({"Dense": 3, "activation": "relu"}, "K101", "an entry has no key `activation`"),
        ({"unit": 3, "nam": "a"}, "K101", "an entry has no key `nam`"),
        ({"Dense": 3, "ReLU": None}, "K101", "one entry makes one call, not 2: `Dense`, `ReLU`"),
        ({"Dense": 3, "merge": "Add"}, "K101", "`merge` belongs to `branches`"),
    ],
)
def test_what_is_no_entry(written, code, message):
    with pytest.raises(SpecError) as caught:
        entry(node(written), BLOCKS)
    assert [(p.code, p.message) for p in caught.value.problems] == [(code, message)]


def test_arguments_beside_a_call_are_shown_where_they_belong():
    with pytest.raises(SpecError) as caught:
        entry(node({"Dense": 3, "activation": "relu"}))
    assert caught.value.problems[0].help == "arguments of `Dense` stand under it: `Dense: {activation: …}`"


def test_a_chain_of_one_needs_no_list():
    assert [len(chain(node(v))) for v in (["ReLU", "ELU"], "ReLU", {"Dense": 3}, None, [])] == [2, 1, 1, 0, 0]


def test_a_call_has_one_key_with_a_capital():
    assert [is_call(node(v)) for v in ({"L2": 1}, {"l2": 1}, {"L2": 1, "L1": 2}, "L2", [{"L2": 1}])] == [
        True, False, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "count", "walked"),
    [
        (0, 0, {}),
        (3, 3, {}),
        ({"a": [1, 2], "b": ["x", None]}, 2, {"a": [1, 2], "b": ["x", None]}),
        ({"a": [1, 2], "b": 7}, 2, {"a": [1, 2], "b": [7, 7]}),
        ({"a": 1}, 1, {"a": [1]}),
        ({"a": []}, 0, {"a": []}),
    ],
)
def test_repeat_counts_or_walks(written, count, walked):
    found, lists = repeat_count(node(written))
    assert (found, {key: [plain(v) for v in values] for key, values in lists.items()}) == (count, walked)


@pytest.mark.parametrize("written", [-1, 2.0, True, "three", None, [1, 2], {}])
def test_what_repeat_does_not_take(written):
    with pytest.raises(SpecError) as caught:
        repeat_count(node(written))
    assert caught.value.problems[0].code == "K209"


def test_lists_walked_together_are_of_one_length():
    with pytest.raises(SpecError) as caught:
        repeat_count(node({"a": [1, 2], "b": [3]}))
    assert caught.value.problems[0].message == "the lists of `repeat` differ in length: `a` has 2, `b` has 1"
