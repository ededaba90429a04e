"""What the values tell: ranges of inputs and targets, and how many examples each class has."""

import numpy as np
import pytest

from kbuild.data import folders
from kbuild.data.dataset import Part
from kbuild.data.header import Range, Target
from kbuild.data.load import load
from kbuild.data.named import BUILT_IN
from kbuild.data.peek import peek
from kbuild.data.seen import seen
from kbuild.spec.data import Split


def test_ranges_and_sizes():
    x = {"a": np.array([[1.0, -2.0], [3.0, 0.5]]), "words": np.array(["one", "two"], object)}
    y = {"kind": np.array([2, 2]), "price": np.array([0.5, 7.0])}
    found = seen(
        Part(x, y),
        {
            "kind": Target((), "int32", "multiclass", ("p", "q", "r", "s"), 4),
            "price": Target((), "float32", "regression"),
        },
    )
    assert found.inputs == {"a": Range(-2.0, 3.0)}
    assert found.targets == {"price": Range(0.5, 7.0)}
    assert found.sizes == {"kind": (0, 0, 2, 0)}


def test_of_one_hot_and_of_several_labels():
    one = Target((2,), "float32", "multiclass", ("p", "q"), 2, True)
    many = Target((2,), "float32", "multilabel", ("p", "q"), 2)
    y = {"one": np.array([[1.0, 0.0], [1.0, 0.0]]), "many": np.ones((2, 2))}
    assert seen(Part({}, y), {"one": one, "many": many}).sizes == {"one": (2, 0)}


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_header_of_a_built_in_set_tells_what_its_values_are(named, name):
    told, found = peek(named(name)).seen, load(named(name, split=Split(validation=0.0, test=0.0)), 0).header.seen
    assert told.sizes == found.sizes
    for kind in ("inputs", "targets"):
        for key, range in getattr(told, kind).items():
            assert getattr(found, kind)[key].low == pytest.approx(range.low)
            assert getattr(found, kind)[key].high == pytest.approx(range.high)


def test_class_names_in_another_order_move_the_sizes(named):
    data = named("breast_cancer", classes=("benign", "malignant"), split=Split(validation=0.0, test=0.0))
    assert peek(data).seen.sizes == load(data, 0).header.seen.sizes == {"output": (357, 212)}


def test_files_are_counted_up_to_a_limit(tmp_path):
    for kind, count in (("cat", 3), ("dog", 2)):
        (tmp_path / kind / "deep").mkdir(parents=True)
        for number in range(count):
            (tmp_path / kind / "deep" / f"{number}.png").touch()
        (tmp_path / kind / "notes.txt").touch()
    assert folders.counts(tmp_path, (".png",)) == {"cat": 3, "dog": 2}
    assert folders.counts(tmp_path, (".png",), 5) == {"cat": 3, "dog": 2}
    assert folders.counts(tmp_path, (".png",), 4) is None
    (tmp_path / "bird").mkdir()
    assert folders.counts(tmp_path, (".png",)) is None
