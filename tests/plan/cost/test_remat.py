"""What is kept of an entry that is computed again."""

from kbuild.plan.check import check
from kbuild.plan.cost import costs
from kbuild.plan.expand import expand
from kbuild.spec.load import load


def kept(layers: str) -> dict[str, int | None]:
    text = f"kbuild: 1\nmodel:\n  inputs: {{x: {{shape: [10]}}}}\n  layers: [{layers}]\n"
    return {name: cost.kept for name, cost in costs(expand(load(text))).steps.items()}


TWO = "{{chain: [{{Dense: 8, name: a}}, {{Dense: {b}, name: b}}, {{Dense: 4, name: c}}], name: one{remat}}}"
THREE = "{{chain: [{{Dense: 6, name: d}}, {{Dense: 5, name: e}}], name: two{remat}}}"


def both(remat: str, b: int = 20) -> list[int | None]:
    text = f"{TWO}, {THREE}, {{{{Dense: 3, name: f}}}}"
    return list(kept(text.format(b=b, remat=remat)).values())


def test_only_what_leaves_an_entry_is_kept_and_all_of_the_largest():
    assert both("") == [8, 20, 4, 6, 5, 3]
    assert both(", remat: true") == [8, 20, 4, 0, 5, 3]


def test_what_is_used_outside_is_kept_wherever_it_stands():
    chain = "{chain: [{Dense: 8, name: a}, {Dense: 8, name: b}], name: one, remat: true}"
    block = "kbuild: 1\nblocks:\n  down: {outputs: {first: a}, layers: [{Dense: 8, name: a}, {Dense: 7, name: b}, {Dense: 6, name: c}]}\n"
    text = f"{block}model:\n  inputs: {{x: {{shape: [10]}}}}\n  layers: [{{down: null, name: one, remat: true}}, {{mlp: [90], remat: true}}, {{Concatenate: null, from: [previous, one.first]}}, {{Dense: 1}}]\n"
    found = {name: cost.kept for name, cost in check(load(text)).costs.steps.items()}
    assert [found["one-a"], found["one-b"], found["one-c"]] == [8, 0, 6]
    assert kept(chain) == {"a": 8, "b": 8}
