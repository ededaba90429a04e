"""The law of a run's spec: what `filled` writes expands to the same steps, with nothing left to choose."""

from pathlib import Path

import pytest

from kbuild.data.peek import peek
from kbuild.plan.expand import expand
from kbuild.spec.fill import filled
from kbuild.spec.load import load
from kbuild.text.node import Mapping, plain
from kbuild.text.problem import SpecError
from kbuild.text.write import write

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
HOLES = """
kbuild: 1
vars:
  depth: {$int: [1, 4], default: 2}
  wide: "${depth > 1}"
  cost: a $$ and more
  sizes: [8, 6, 4]
blocks:
  unit:
    params: {units: {$int: [3, 9], default: 7}, norm: null, depth: 1}
    layers:
      - {Dense: "${units + depth}", repeat: {n: "${[depth, depth]}"}}
      - $norm
      - {$choice: [ReLU, {LeakyReLU: 0.2}, []], name: act, default: {LeakyReLU: 0.2}}
model:
  inputs: {x: {shape: [10]}}
  layers:
    - {Dense: {units: {$int: [16, 64], default: 32}, activation: {$choice: [relu, elu]}}, repeat: $depth}
    - {Dense: "${sizes[1] * depth}", when: $wide}
    - {Dense: "${sizes[i]}", repeat: 3, name: stage}
    - {Dense: $depth, repeat: {depth: [5, 6]}}
    - {Dropout: {$float: [0.1, 0.5]}, when: {$bool: true}, name: drop}
    - {unit: null, name: a}
    - {unit: {norm: {$choice: [BatchNormalization, null]}, depth: $depth}, repeat: {$int: [2, 3]}, name: b}
    - {$choice: {none: [], two: [{Dense: "${input_shape[-1]}"}, Softmax]}, default: two, name: top}
    - {Concatenate: null, from: [stage-*, previous]}
"""


def steps(spec, header=None):
    return [(s.name, s.layer, s.call, s.args, s.kwargs, s.shapes, s.trainable) for s in expand(spec, header).steps]


def again(text, path):
    path.write_text(text)
    return load(path)


def test_holes_and_variables_give_way_to_what_they_stand_for(tmp_path):
    spec = load(HOLES)
    text = write(filled(spec))
    assert not any(word in text for word in ("$choice", "$int", "$float", "$bool"))
    assert steps(again(text, tmp_path / "spec.yaml")) == steps(spec)


def test_filling_twice_changes_nothing(tmp_path):
    once = write(filled(load(HOLES)))
    assert write(filled(again(once, tmp_path / "spec.yaml"))) == once


def test_bases_settings_and_overrides_are_in_it(tmp_path):
    (tmp_path / "base.yaml").write_text(HOLES)
    (tmp_path / "own.yaml").write_text("kbuild: 1\nextends: base.yaml\nvars: {depth: 3}\n")
    spec = load(tmp_path / "own.yaml", {"vars.sizes": [9, 9, 9]}, sets=["model.layers.drop.rate=0.4"])
    tree = filled(spec)
    assert isinstance(tree, Mapping)
    assert "extends" not in tree.keys
    assert steps(again(write(tree), tmp_path / "spec.yaml")) == steps(spec)
    dropout = next(layer for layer in plain(tree)["model"]["layers"] if layer.get("name") == "drop")
    assert dropout["Dropout"] == {"rate": 0.4}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_shipped_spec_is_the_same_when_filled(path, tmp_path):
    spec = load(path)
    header = None
    if spec.data is not None:
        try:
            header = peek(spec.data)
        except SpecError as error:
            pytest.skip(f"its data are not here: {error}")
    (tmp_path / path.name).write_text(write(filled(spec)))
    assert steps(load(tmp_path / path.name), header) == steps(spec, header)
