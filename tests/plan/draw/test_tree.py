"""The groups of a plan as a person sees them, and how they fold."""

from hypothesis import HealthCheck, given, settings
from networks import networks, shipped

from kbuild.plan.draw.fold import MOST_BOXES, Fold, boxes, to_depth, to_fit
from kbuild.plan.draw.tree import Tree, tree


def outline(items: tuple[Tree, ...], indent: str = "") -> list[str]:
    return [
        line
        for item in items
        for line in [
            f"{indent}{item.title}: {'step' if item.is_step else item.label}",
            *outline(item.items, indent + "  "),
        ]
    ]


def test_a_repeated_block_is_one_with_its_copy(residual):
    assert outline(tree(residual))[:8] == [
        "first: step",
        "stage ×3: repeat",
        "  stage-0: block cell",
        "    branch 1: branch",
        "      dense: step",
        "      re_lu: step",
        "      dense_1: step",
        "    add: step",
    ]


def test_what_holds_one_layer_is_that_layer(plan):
    found = plan(
        "kbuild: 1\nblocks: {one: {layers: [{Dense: 4, name: only}]}}\n"
        "model: {inputs: {x: {shape: [4]}}, layers: [{one: null, name: a}, {chain: [ReLU], name: b}, {Dense: 4, repeat: 2, name: c}]}\n"
    )
    assert outline(tree(found)) == ["a-only: step", "re_lu: step", "c ×2: repeat", "  c-0: step", "  c-1: step"]


def test_used_again_is_said(plan):
    found = plan(
        "kbuild: 1\nblocks: {two: {layers: [{Dense: 4}, ReLU]}}\n"
        "model:\n  inputs: {x: {shape: [4]}, y: {shape: [4]}}\n  layers:\n    - {two: null, from: x, name: left}\n"
        "    - {reuse: left, from: y, name: right}\n    - {Add: null, from: [left, right]}\n"
    )
    assert outline(tree(found))[::3][:2] == ["left: block two", "right: block two again"]


def test_preprocessing_is_a_group_of_its_own():
    first, *_ = tree(shipped("digits_mlp"))
    assert (first.title, first.is_step) == ("preprocess-rescaling", True)


@settings(max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_every_step_is_in_the_tree_once_and_in_order(plan):
    leaves = [node.steps[0] for item in tree(plan) for node in item.walk() if node.is_step]
    assert leaves == list(plan.steps)
    assert [step for item in tree(plan) for step in item.steps] == list(plan.steps)
    keys = [node.key for item in tree(plan) for node in item.walk()]
    assert len(keys) == len(set(keys))


def test_levels_open_one_after_the_other(residual):
    items = tree(residual)
    assert [boxes(items, to_depth(items, depth)) for depth in (0, 1, 2, 3, None)] == [3, 5, 17, 17, 17]


@settings(max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_deeper_is_never_fewer(plan):
    items = tree(plan)
    counts = [boxes(items, to_depth(items, depth)) for depth in range(9)]
    assert counts == sorted(counts)
    assert counts[0] == len(items)
    assert counts[-1] == boxes(items, Fold()) == len(plan.steps)


def test_a_drawing_folds_until_it_fits():
    for name, closed, examples in (("digits_mlp", 0, 0), ("resnet50", 4, 4), ("densenet121", 0, 4)):
        items = tree(shipped(name))
        fold = to_fit(items)
        assert (len(fold.closed), len(fold.examples)) == (closed, examples), name
        assert boxes(items, fold) <= MOST_BOXES


def test_copies_that_differ_do_not_stand_for_each_other(plan):
    found = plan(
        "kbuild: 1\nmodel:\n  inputs: {x: {shape: [4]}}\n  layers:\n"
        '    - {chain: [{Dense: 4}, {ReLU: null, when: "${i > 0}"}, {Dense: 4}], repeat: 30}\n'
    )
    items = tree(found)
    assert to_fit(items) == Fold(frozenset({"repeat:chain"}))


def test_a_branch_is_no_level_of_its_own(plan):
    found = plan(
        "kbuild: 1\nblocks:\n  inner: {layers: [{Dense: 4}, ReLU]}\n"
        "  outer: {layers: [{branches: [[{inner: null}, ReLU], []], merge: Add}, ReLU]}\n"
        "model: {inputs: {x: {shape: [4]}}, layers: [outer, {Dense: 1}]}\n"
    )
    items = tree(found)
    assert [boxes(items, to_depth(items, depth)) for depth in (0, 1, 2)] == [2, 5, 6]
