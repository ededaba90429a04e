"""The space of a search: what every network comes upon, counted one by one, is what the conditions say."""

from itertools import product

import pytest

from kbuild.plan.space import reached, space
from kbuild.spec.hole import hole
from kbuild.spec.load import load
from kbuild.spec.values import pick, value, values
from kbuild.text.node import node, plain

NESTED = """
kbuild: 1
vars: {a: {$bool: false}, b: {$bool: false}, width: {$int: [8, 9]}}
model:
  inputs: {x: {shape: [8]}}
  layers:
    - $choice:
        deep:
          chain:
            - {Dense: 4}
            - {$choice: {plain: [], drop: {Dropout: {$choice: [0.1]}}}, name: after}
        wide: {Dense: {units: $width, activation: {$choice: [relu, elu]}}}
      name: body
      repeat: {$int: [1, 2]}
    - {Dense: {$choice: [4, 9]}, when: "${a and b}", name: both}
    - {Dense: {units: {$int: [1, 2]}}, when: "${width > 8}", name: some}
train: {optimizer: {$choice: {adam: adam, sgd: {SGD: {momentum: {$choice: [0.9]}}}}}}
"""
EITHER = """
kbuild: 1
vars: {left: {$bool: false}, right: {$bool: true}}
model:
  inputs: {x: {shape: [8]}}
  layers: [{Dense: {$int: [1, 3]}, when: "${left or right}"}, {Dense: 2}]
"""
SHAPED = """
kbuild: 1
model:
  inputs: {x: {shape: [8]}}
  layers:
    - {Dense: {$choice: [4, 8]}, name: first}
    - {Dropout: {$choice: [0.1, 0.5]}, when: "${input_shape[-1] > 4}"}
    - chain: [{Dense: 3}]
"""

TIED = """
kbuild: 1
vars:
  stages: {$int: [1, 2]}
  kernel: {$choice: [3, 5]}
  base: {$choice: [2, 4]}
  width: "${2 * base}"
  units: {$choice: {own: {$int: [5, 6]}, tied: $width}}
  never: {$bool: true}
  hidden: {$bool: true}
blocks:
  stage: {params: {hidden: 1}, layers: [{Conv1D: {filters: 2, kernel_size: $kernel, padding: same}}, {Dense: $hidden}]}
model:
  inputs: {x: {shape: [8, 1]}}
  layers:
    - name: front
      $choice:
        none: []
        convolutions: [{stage: {}, repeat: $stages, name: stage}, {Dense: {$choice: [1, 2]}, when: "${stages > 1}"}]
    - {Dense: {$choice: {fixed: 3, free: $units}}, name: last}
train: {optimizer: {$choice: {adam: adam, sgd: {SGD: {momentum: "${base / 10}"}}}}}
"""


def every(spec, chosen=None):
    """All choices, by trying them: the holes that a network comes upon, with each of their values."""
    chosen = chosen or {}
    found = reached(spec, chosen)
    open_ = next((path for path in found.holes if path not in chosen), None)
    if open_ is None:
        yield chosen
        return
    for option in values(found.holes[open_]):
        yield from every(spec, {**chosen, open_: option})


@pytest.mark.parametrize("text", [NESTED, EITHER, SHAPED, TIED], ids=["nested", "either", "shaped", "tied"])
def test_what_is_foretold_is_what_every_network_comes_upon(text):
    spec = load(text)
    dims = space(spec).dims
    networks = list(every(spec))
    assert {path for chosen in networks for path in chosen} == {dim.path for dim in dims}
    for chosen in networks[:: max(1, len(networks) // 400)]:
        assert {dim.path for dim in dims if dim.there(chosen)} == set(chosen)


def test_a_hole_stands_after_those_that_decide_over_it():
    seen = set()
    for dim in space(load(NESTED)).dims:
        assert all(parent in seen for condition in dim.when for parent in condition)
        seen.add(dim.path)


def test_the_size_is_the_number_of_different_trials():
    text = NESTED.replace('    - {Dense: {$choice: [4, 9]}, when: "${a and b}", name: both}\n', "")
    text = text.replace('    - {Dense: {units: {$int: [1, 2]}}, when: "${width > 8}", name: some}\n', "")
    text = text.replace("a: {$bool: false}, b: {$bool: false}, ", "").replace("repeat: {$int: [1, 2]}", "repeat: 2")
    spec = load(text)
    assert space(spec).size == len(list(every(spec)))


def test_a_variable_is_there_where_something_that_is_chosen_reads_it():
    found = space(load(TIED))
    when = {dim.path: dim.when for dim in found.dims}
    front, last = {"model.layers.front": frozenset({"convolutions"})}, {"model.layers.last.units": frozenset({"free"})}
    tied = {**last, "vars.units": frozenset({"tied"})}
    assert when["vars.stages"] == when["vars.kernel"] == (front,)
    assert when["vars.units"] == (last,)
    assert when["vars.units.own"] == ({**last, "vars.units": frozenset({"own"})},)
    assert [dict(term) for term in when["vars.base"]] == [{"train.optimizer": frozenset({"sgd"})}, tied]
    assert not {"vars.never", "vars.hidden"} & when.keys()  # `hidden` is a parameter where it stands


def test_the_size_counts_a_variable_where_it_is_there():
    text = TIED.replace("train: ", "# ")
    spec = load(text)
    assert space(spec).size == len(list(every(spec)))


def test_a_hole_without_steps_has_no_end():
    text = "kbuild: 1\nmodel: {inputs: {x: {shape: [2]}}, layers: [{Dense: 1}]}\ntrain: {optimizer: {Adam: {$float: [1e-4, 1e-2]}}}"
    assert space(load(text)).size == float("inf")


def test_ends_that_depend_on_another_hole_are_open():
    text = """
kbuild: 1
vars: {most: {$int: [4, 64]}, some: {$int: [1, "${most}"]}}
model: {inputs: {x: {shape: [8]}}, layers: [{Dense: $most}, {Dense: $some}]}
"""
    assert {dim.path: dim.open for dim in space(load(text)).dims} == {"vars.most": False, "vars.some": True}


def test_choices_that_cannot_be_built_are_told():
    text = """
kbuild: 1
model:
  inputs: {x: {shape: [8, 8, 1]}}
  layers: [{MaxPooling2D: 2, repeat: {$int: [1, 5]}}, Flatten, {Dense: 2}]
"""
    (chosen, problem), *_ = space(load(text)).broken
    assert chosen == {"model.layers.max_pooling2_d.repeat": 4} or list(chosen.values()) == [4]
    assert problem.code.startswith("K2")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"$int": [2, 9], "step": 3}, (2, 5, 8)),
        ({"$int": [32, 512], "step": 2, "sampling": "log"}, (32, 64, 128, 256, 512)),
        ({"$float": [0, 0.9], "step": 0.3}, (0.0, 0.3, 0.6, 0.9)),
        ({"$float": [0, 1]}, None),
        ({"$bool": True}, (False, True)),
        ({"$choice": ["a", "b"]}, ("a", "b")),
        ({"$choice": {"x": [1], "y": None}}, ("x", "y")),
    ],
)
def test_values(written, expected):
    found = values(hole(node(written)))
    assert found == (
        expected if expected is None else pytest.approx(expected) if isinstance(expected[0], float) else expected
    )


def test_a_label_picks_its_option():
    made = hole(node({"$choice": {"x": [1, 2], "y": None}, "default": "y"}))
    assert value(made) == "y"
    assert plain(pick(made, "x")) == [1, 2]


def test_all_options_of_an_int_are_between_its_ends():
    for low, step in product((1, 3), (1, 2, 5)):
        assert all(low <= option <= 20 for option in values(hole(node({"$int": [low, 20], "step": step}))))
