"""The schema as a document, and what it says of single forms of the language."""

import json
import re

import pytest

from kbuild.spec.schema import text

RIGHT = [
    "Flatten", "null", "[]", "$norm", "{$norm: null}", "'Conv${n}D': {filters: 3, kernel_size: 3}", "[Flatten, {Dense: 3}]",
    "Dense: 3", "Dense: $width", "Dense: '${width // 2}'", "Dense: {units: '${3}', activation: {LeakyReLU: 0.2}}",
    "Dense: {$int: [2, 9], step: 2, sampling: log, default: 4}", "Dense: {$choice: [2, 4], default: 4}",
    "Dense: {$choice: {small: 2, big: {units: 9, activation: relu}}, default: small}", "Conv2D: $arguments",
    "Conv2D: {$choice: {a: {filters: 2, kernel_size: 3}}}", "Dropout: {$float: [0.1, 0.5]}", "MaxPooling2D: [2, 2]",
    "Dense: {units: 3, use_bias: {$bool: true}}", "{$choice: [ReLU, {LeakyReLU: 0.2}, []], name: act}",
    "{Dense: {$int: [1, '${2 * n}']}, when: {$bool: true}, repeat: {$int: [1, 4]}}", "LSTM: {units: 3, use_cudnn: auto}",
    "{Dense: 3, name: 'a${i}', from: [x, stage-*.skip, previous], repeat: {j: [1, 2]}, trainable: [a*], call: {training: true}}",
    "{LSTM: {units: 3, return_state: true}, name: enc, outputs: [_, h, c], from: {sequences: x, initial_state: [a.h, a.c]}}",
    "{branches: [[Flatten], [], null], merge: {Concatenate: {axis: -1}}}", "{branches: [[]], merge: Add}",
    "{chain: [Flatten], repeat: 3, when: '${a and b}'}", "{reuse: enc-0, from: y, name: z}", "ops.expand_dims: -1",
    "ops.einsum: {subscripts: 'ij,jk->ik'}", "{ops.add: null, from: [a, b]}", "Bidirectional: {LSTM: 3}", "TimeDistributed: Flatten",
    "TimeDistributed: {layer: {my_block: {units: 3}}}", "RNN: {cell: [{LSTMCell: 3}, {GRUCell: 4}]}", "mlp: [3, 4]",
    "MobileNetV2: {include_top: false, weights: null}", "Dense: {units: 3, kernel_regularizer: {L2: 1e-4}}",
    "{chain: [Flatten], weights: runs/base, remat: true}", "{Dense: 3, weights: $teacher, remat: {$bool: true}}",
    "{Dense: 3, weights: null, remat: false}",
]  # fmt: skip
WRONG = {
    "Dens: 3": (("Dens",), "unexpected|match"),
    "dense: 3": (("dense",), "unexpected|match"),
    "Dense": ((), "valid under any"),
    "3": ((), "not of type 'string'"),
    "Dense: 0": (("Dense",), "less than the minimum"),
    "Dense: [64, relu]": (("Dense",), "not of type 'integer'|not be valid|should not"),
    "Conv2D: 3": (("Conv2D",), "not of type 'object'"),
    "Conv2D: {filters: 3}": (("Conv2D",), "'kernel_size' is a required"),
    "Dense: {units: 3, name: a}": (("Dense",), "False schema"),
    "{Dense: 3, ReLU: null}": ((), "too many properties"),
    "{name: a, from: x}": ((), "enough properties|non-empty"),
    "{Dense: 3, merge: Add}": ((), "'branches' is a required"),
    "{chain: [Flatten], Dense: 3}": ((), "too many properties"),
    "{Dense: 3, name: previous}": (("name",), "does not match"),
    "{Dense: 3, from: A}": (("from",), "does not match"),
    "{Dense: 3, repeat: -1}": (("repeat",), "less than"),
    "{Dense: 3, when: yes}": (("when",), "not of type 'boolean'"),
    "{Dense: 3, remat: 3}": (("remat",), "not of type 'boolean'"),
    "{Dense: 3, weights: [a.keras]}": (("weights",), "not of type"),
    "{Dense: 3, weights: true}": (("weights",), "should not|not be valid"),
    "{Dense: 3, call: {trainig: true}}": (("call", "trainig"), "unexpected"),
    "Dense: {$int: [1, 2, 3]}": (("Dense", "$int"), "too long"),
    "Dense: {$choice: []}": (("Dense", "$choice"), "too short|non-empty"),
    "Dense: {$choice: [2, many]}": (("Dense", "$choice", 1), "not of type 'integer'"),
    "Dense: {$float: [1, 2]}": (("Dense",), "False schema"),
    "Dense: {units: 3, activation: {$choice: [relu, rellu]}}": (("Dense", "activation", "$choice", 1), "not one of"),
    "{$choice: [ReLU, {LeakyRelu: 0.1}]}": (("$choice", 1, "LeakyRelu"), "unexpected|match"),
    "Lambda: 'x: x'": (("Lambda",), "unexpected|match"),
    "Input: [3]": (("Input",), "unexpected|match"),
    "Layer: null": (("Layer",), "unexpected|match"),
    "ops.addd: 1": (("ops.addd",), "unexpected|match"),
    "mlp: {unit: [3]}": (("mlp", "unit"), "unexpected"),
    "MobileNetV2: {include_top: false, weights: a.h5}": (("MobileNetV2", "weights"), "not one of"),
    "Dense: {units: 3, kernel_initializer: {class_name: A}}": (
        ("Dense", "kernel_initializer", "class_name"),
        "unexpected",
    ),
}


def test_it_is_a_schema(made):
    jsonschema = pytest.importorskip("jsonschema", reason="an extra of development")
    jsonschema.Draft202012Validator.check_schema(made)
    assert made["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]


def test_every_reference_leads_somewhere_and_nothing_is_idle(made):
    used = set(re.findall(r'"\$ref":"#/\$defs/([^"]+)"', text(made)))
    assert used == set(made["$defs"])


def test_editors_that_know_draft_07_know_its_keywords(made):
    later = {
        "prefixItems",
        "unevaluatedProperties",
        "dependentSchemas",
        "dependentRequired",
        "$dynamicRef",
        "minContains",
    }
    assert later & set(re.findall(r'"(\w+|\$\w+)":', text(made))) == set()


def test_its_text_is_json_with_a_line_for_each_definition(made):
    assert json.loads(text(made)) == made
    assert text(made).count("\n") < len(made["$defs"]) + 20
    assert len(text(made)) < 1_000_000


def test_it_documents_calls_with_the_words_of_keras(made):
    from kbuild.spec.signature import signature

    dense, rate = signature("layers", "Dense"), signature("layers", "Dropout")
    assert dense and rate
    assert made["$defs"]["layers.Dense"]["description"] == dense.doc
    found = made["$defs"]["layers.Dropout"]["then"]["properties"]["rate"]
    while "description" not in found:
        found = made["$defs"][found["$ref"].removeprefix("#/$defs/")]
    assert found["description"] == rate.documented["rate"]
    assert made["$defs"]["blocks.mlp"]["description"].startswith("A multi-layer perceptron")


def test_it_has_every_key_of_the_sections(made):
    from kbuild.spec import data, phases, train
    from kbuild.spec.parse import KEYS

    assert set(made["properties"]) == set(KEYS)
    assert set(made["$defs"]["train"]["properties"]) == set(train.Train.model_fields) - {"trainable"}
    assert set(made["$defs"]["phase"]["properties"]) == set(phases.KEYS)
    assert set(made["$defs"]["data"]["properties"]) == {*data.Data.model_fields, "preprocess", "augment"}
    assert all(entry.get("description") for entry in made["$defs"]["train"]["properties"].values())


@pytest.mark.parametrize("entry", RIGHT)
def test_an_entry_that_is_right(entry, chain):
    assert chain(entry, blocks="blocks: {my_block: [Flatten]}") == []


@pytest.mark.parametrize(("entry", "mistake"), WRONG.items())
def test_an_entry_that_is_wrong(entry, mistake, chain):
    place, said = mistake
    found = chain(entry)
    assert [path for path, _ in found if path == place], found
    assert any(path == place and re.search(said, message) for path, message in found), found


def test_without_own_blocks_a_misspelt_block_is_one(chain):
    assert [path for path, _ in chain("mlpp: 3")] == [("mlpp",)]
    assert chain("mlpp: 3", blocks="blocks: {mlpp: [Flatten]}") == []
    # a block of the library's name has the user's parameters
    assert chain("mlp: {width: 3}", blocks="blocks: {mlp: {params: {width: 1}, layers: [{Dense: $width}]}}") == []


@pytest.mark.parametrize(
    "text",
    [
        "extends: kbuild:digits_mlp\n",
        "extends: [kbuild:digits_mlp, kbuild:xor_mlp]\nmodel: {layers: {digit: {units: 3}, other: {when: false}}}\n",
        "extends: base.yaml\ntrain: {optimizer: {Adam: {learning_rate: {CosineDecay: {alpha: 0.1}}}}, schedule: {piecewise: {values: [1, 2]}}}\n",
        "extends: base.yaml\nblocks: {unit: {params: {units: 3}}}\nmodel: {inputs: {x: {shape: [3]}}}\n",
    ],
)
def test_what_extends_another_may_say_a_part(text, mistakes):
    assert mistakes(text) == []
    alone = re.sub("extends: .*\n", "", text)
    assert mistakes(f"kbuild: 1\n{alone}") != []


def test_a_base_that_is_not_shipped(mistakes):
    assert [path for path, _ in mistakes("extends: [kbuild:digits_mpl]\n")] == [("extends", 0)]


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ("train: {schedule: {piecewise: {at: [50%]}}}", ("train", "schedule", "piecewise")),
        ("train: {schedule: piecewise}", ("train", "schedule")),
        ("train: {schedule: {CosineDecay: {alpha: 0.1}}}", ("train", "schedule", "CosineDecay")),
        ("train: {schedule: {cosine: {warmup: 3 weeks}}}", ("train", "schedule", "cosine", "warmup")),
        ("train: {optimizer: {Adam: {learning_rate: {CosineDecay: {alpha: 0.1}}}}}", ("train", "optimizer", "Adam", "learning_rate", "CosineDecay")),
        ("train: {optimizer: {Adam: fast}}", ("train", "optimizer", "Adam")),
        ("train: {optimizer: adamm}", ("train", "optimizer")),
        ("train: {metrics: [accuracy, {MeanIoU: null}]}", ("train", "metrics", 1, "MeanIoU")),
        ("train: {metrics: {digit: [acuracy]}}", ("train", "metrics", "digit", 0)),
        ("train: {loss: {digit: msee}}", ("train", "loss", "digit")),
        ("train: {callbacks: [ModelCheckpoint]}", ("train", "callbacks", 0)),
        ("train: {early_stopping: {patience: -1}}", ("train", "early_stopping", "patience")),
        ("train: {epochs: 0}", ("train", "epochs")),
        ("train: true", ("train",)),
        ("data: {batch_size: 3}", ("data",)),
        ("data: {source: digts}", ("data", "source")),
        ("data: {source: {csv: a.csv, features: {age: number}}}", ("data", "source", "features", "age")),
        ("data: {source: {images: {test: a}}}", ("data", "source", "images")),
        ("data: {source: {target: a}}", ("data", "source")),
        ("data: {source: digits, split: {validaton: 0.1}}", ("data", "split", "validaton")),
        ("data: {source: digits, augment: [RandomFlop]}", ("data", "augment", 0)),
        ("data: {source: digits, preprocess: {image: [Rescalling]}}", ("data", "preprocess", "image", 0)),
        ("tune: {oracle: {RandomSearch: {max_trial: 3}}}", ("tune", "oracle", "RandomSearch", "max_trial")),
        ("tune: {objective: {direction: max}}", ("tune", "objective")),
        ("vars: {input: 3}", ("vars",)),
        ("blocks: {Unit: [Flatten]}", ("blocks",)),
        ("blocks: {unit: {params: {a: 1}}}", ("blocks", "unit")),
        ("name: a b", ("name",)),
        ("train: {repeats: 0}", ("train", "repeats")),
        ("data: {source: iris, split: {folds: 1}}", ("data", "split", "folds")),
        ("data: {source: iris, split: {folds: 5, fold: 0}}", ("data", "split", "fold")),
        ("kbuild: 2", ("kbuild",)),
    ],
)  # fmt: skip
def test_a_section_that_is_wrong(section, place, mistakes):
    head = "" if section.startswith("kbuild") else "kbuild: 1\n"
    assert place in [path for path, _ in mistakes(f"{head}model: [Flatten, {{Dense: 10}}]\n{section}\n")]


@pytest.mark.parametrize(
    "section",
    [
        "train: false", "data: false", "tune: false", "vars: false", "blocks: null", "train: {schedule: false, tensorboard: false}",
        "train: {schedule: cosine, optimizer: adam, loss: auto, metrics: accuracy, callbacks: TerminateOnNaN}",
        "train: {schedule: {piecewise: {at: [50%, 10 epochs], values: [1, 0.1, 0.01]}}, early_stopping: true}",
        "train: {optimizer: {Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 0.1, decay_steps: 9}}}}}",
        "train: {epochs: '${3 + 2}', optimizer: {Adam: {$float: [1e-4, 1e-2], sampling: log}}, loss: {$choice: [mse, {Huber: 1.0}]}}",
        "train: {phases: [{epochs: 5}], accumulate: 2, checkpoint: {every: 1 epoch, keep: 2}, distribute: data_parallel}",
        "data: {source: {images: {train: a, test: b}, size: [8, 8]}, preprocess: auto}",
        "data: {source: {npz: f.npz, x: {a: xa}, y: y, test: {x: xt}}, augment: {a: [RandomFlip]}, split: false}",
        "data: {source: {tfds: mnist}, split: {folds: 5}, preprocess: {a: [Flatten], b: {Rescaling: 2}}}",
        "data: {source: iris, split: {folds: 5, fold: 2, seed: 3, validation: null}}\ntrain: {repeats: 3}",
        "tune: {oracle: RandomSearch, objective: {name: a, direction: max}, budget: {params: 1e6}}",
        "weights: runs/base\nuse: [a.py, b.py]",
    ],
)  # fmt: skip
def test_a_section_that_is_right(section, mistakes):
    assert mistakes(f"kbuild: 1\nmodel: [Flatten, {{Dense: 10}}]\n{section}\n") == []
