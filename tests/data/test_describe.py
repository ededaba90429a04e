import json

import numpy as np

from kbuild.data.describe import describe, picture, text
from kbuild.data.load import load
from kbuild.data.peek import peek

IRIS_HEADER = """\
input input: 4 float32
target output: multiclass, 3 classes
  setosa, versicolor, virginica
examples: train 150
"""

IRIS = """\
input input: 4 float32, 0.1 to 7.9, mean 3.476
target output: multiclass, 3 classes
  setosa      train 40, validation 5, test 5
  versicolor  train 40, validation 5, test 5
  virginica   train 40, validation 5, test 5
examples: train 120, validation 15, test 15
"""


def test_a_header_in_words(named):
    assert text(peek(named("iris"))) == IRIS_HEADER


def test_a_data_set_in_words(named):
    dataset = load(named("iris"), 0)
    found = text(dataset.header, dataset)
    assert found.startswith(IRIS + f"digest: {dataset.digest[:16]}\n")
    assert found.count("→ setosa") == 2
    assert found.splitlines()[-1].endswith("→ versicolor")


def test_what_is_not_known_is_said(tmp_path):
    from kbuild.spec.data import Data, Python

    assert text(peek(Data(source=Python(python="a:b")))) == "inputs: not known before the data are loaded\n"


def test_values_for_programs(named):
    dataset = load(named("breast_cancer"), 0)
    found = json.loads(json.dumps(describe(dataset.header, dataset)))
    assert found["parts"] == {"train": 455, "validation": 57, "test": 57}
    assert found["digest"] == dataset.digest
    assert found["inputs"]["input"]["shape"] == [30]
    sizes = np.bincount(dataset.test.y["output"]).tolist()
    assert found["targets"]["output"]["in"]["test"] == {"examples": {"malignant": sizes[0], "benign": sizes[1]}}
    assert [example["y"]["output"] for example in found["examples"][:2]] == ["malignant", "benign"]
    assert "in" not in describe(dataset.header)["targets"]["output"]


def test_numbers_have_a_range(named):
    dataset = load(named("diabetes"), 0)
    found = describe(dataset.header, dataset)["targets"]["output"]["in"]["train"]
    y = dataset.train.y["output"]
    assert found == {"min": float(y.min()), "max": float(y.max()), "mean": float(y.mean(dtype=np.float64))}


def test_vectors_and_several_labels(npz):
    x = np.zeros((20, 2))
    one_hot = load(npz({"x": x, "y": np.eye(2)[np.arange(20) % 2]}), 0)
    assert describe(one_hot.header, one_hot)["targets"]["output"]["in"]["train"] == {"examples": {"0": 8, "1": 8}}
    several = load(npz({"x": x, "y": np.ones((20, 3))}), 0)
    found = describe(several.header, several)
    assert found["targets"]["output"]["in"]["train"] == {"examples": {"0": 16, "1": 16, "2": 16}}
    assert found["examples"][0]["y"] == {"output": ["0", "1", "2"]}
    masks = load(npz({"x": x, "y": np.arange(80).reshape(20, 2, 2) % 2}), 0)
    assert describe(masks.header, masks)["targets"]["output"]["in"]["test"] == {"examples": {"0": 4, "1": 4}}


def test_pictures_of_examples(named, npz, tmp_path):
    from PIL import Image

    for name in ("digits", "diabetes"):
        picture(load(named(name), 0), tmp_path / "report" / f"{name}.png")
        with Image.open(tmp_path / "report" / f"{name}.png") as found:
            assert found.size == (1000, 660)
            assert len(found.convert("L").getcolors()) > 10
    colors = npz({"x": np.random.default_rng(0).random((10, 4, 4, 3)), "y": np.arange(10) % 2}, target="input")
    picture(load(colors, 0), tmp_path / "colors.png")
    assert (tmp_path / "colors.png").stat().st_size > 1000
