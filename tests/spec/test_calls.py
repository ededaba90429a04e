"""A call held against its signature, where the golden documents do not show it: what is open, and what is a default."""

import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

HEAD = "kbuild: 1\nvars: {given: {filters: 4, kernel_size: 3}, wrong: {filter: 4}}\nmodel:\n  inputs: {x: {shape: [8, 8, 3]}}\n"


def shape(entry: str) -> object:
    plan = check(load(f"{HEAD}  layers: [{entry}]\n")).plan
    return plan.shape(next(iter(plan.outputs.values())))


@pytest.mark.parametrize(
    "entry",
    ["{Conv2D: $given}", "{Conv2D: {$choice: {a: {filters: 4, kernel_size: 3}, b: {filters: 8, kernel_size: 5}}}}"],
)
def test_a_variable_or_a_hole_stands_for_all_arguments(entry):
    assert shape(entry) == (6, 6, 4)


def test_what_it_stands_for_is_held_against_the_signature():
    with pytest.raises(SpecError) as caught:
        shape("{Conv2D: $wrong}")
    assert [p.message for p in caught.value.problems if p.severity == "error"] == ["`Conv2D` has no argument `filter`"]


def test_a_default_is_right_whatever_the_words_say():
    # documented as a bool, and `auto` where it is not written
    assert shape("{Reshape: [8, 24]}, {LSTM: {units: 4, use_cudnn: auto}}") == (4,)
    with pytest.raises(SpecError):
        shape("{Reshape: [8, 24]}, {LSTM: {units: 4, use_cudnn: auot}}")
