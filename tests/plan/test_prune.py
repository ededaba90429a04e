"""What leads to no output: a mistake, unless the spec itself left out what it was for."""

import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

BLOCK = """kbuild: 1
blocks:
  outer: {{layers: [middle, ReLU]}}
  middle: {{layers: [{{res: {{f: 8}}}}, BatchNormalization]}}
  res:
    outputs: {{first: main}}
    params: {{f: $required}}
    layers:
      - {{Dense: $f, name: main}}
      - {{Dense: $f, from: input, name: short{when}}}
{rest}
model:
  inputs: {{x: {{shape: [4]}}}}
  layers: [{{outer: null, repeat: 2}}{more}]
"""
ADD = "      - {Add: null, from: [main, short]}"


def problems(rest, when="", more=""):
    try:
        return check(load(BLOCK.format(rest=rest, when=when, more=more))).problems
    except SpecError as error:
        return error.problems


def test_a_shortcut_that_is_not_added_is_told_once_though_it_stands_three_blocks_deep():
    (problem,) = problems("      - {ReLU: null, from: main}")
    assert (problem.code, problem.span.line) == ("K202", 10)
    assert problem.message == "`outer-0-middle-res-short` leads to no output"
    assert problem.help == "use it with `from`, name it in the block's `outputs`, or remove it"
    assert [note.span.line for note in problem.related] == [14, 3, 4]


def test_a_last_entry_that_is_left_out_hands_on_its_first_input_and_nothing_to_the_entry_above_it():
    (problem,) = problems(ADD + '\n      - {Add: null, from: [main, input], when: "${f == 4}"}')
    assert (problem.code, problem.span.line) == ("K202", 11)


@pytest.mark.parametrize(
    "rest",
    [
        ADD,
        "      - {Add: null, from: [main, short]}\n      - {Dropout: 0.2, when: false}",
        "      - {Add: null, from: [main, short], when: false}",
    ],
)
def test_what_is_used_or_was_for_something_that_is_left_out_is_no_mistake(rest):
    assert not [problem for problem in problems(rest) if problem.code == "K202"]


def test_what_some_uses_of_a_block_need_may_lie_idle_in_others():
    rest = "      - {Add: null, from: [main, \"${'short' if input_shape[-1] != f else 'input'}\"]}"
    assert not [problem for problem in problems(rest) if problem.code == "K202"]


def test_the_value_of_a_block_of_which_only_an_output_is_used_is_no_mistake():
    more = ", {res: {f: 3}, name: twin}, {Dense: 2, from: twin.first}"
    text = BLOCK.format(rest=ADD, when="", more=more).replace("{outer: null, repeat: 2}, ", "")
    plan = check(load(text)).plan
    assert plan.step("twin-main") is not None and plan.step("twin-add") is None
