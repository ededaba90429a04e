import numpy as np
import pytest

from kbuild.data.header import Target
from kbuild.data.labels import guess, renamed, told


def one(array, classes=()):
    found, target = told("output", {"train": np.asarray(array)}, classes)
    return found["train"], target


@pytest.mark.parametrize(
    ("array", "target", "values"),
    [
        (np.array([2, 0, 1, 2], np.uint8), Target((), "int32", "multiclass", ("0", "1", "2"), 3), [2, 0, 1, 2]),
        (np.array([[1], [0], [1]]), Target((), "int32", "binary", ("0", "1"), 2), [1, 0, 1]),
        (np.array([True, False]), Target((), "int32", "binary", ("false", "true"), 2), [1, 0]),
        (np.array(["cat", "ant", "cat"]), Target((), "int32", "binary", ("ant", "cat"), 2), [1, 0, 1]),
        (np.array([1.0, 0.0]), Target((), "float32", "regression"), [1.0, 0.0]),
        (np.array([[1.5], [2.5]]), Target((1,), "float32", "regression"), [[1.5], [2.5]]),
        (np.eye(3), Target((3,), "float32", "multiclass", ("0", "1", "2"), 3, True), np.eye(3).tolist()),
        (
            np.array([[1, 1, 0], [0, 0, 0]]),
            Target((3,), "float32", "multilabel", ("0", "1", "2"), 3),
            [[1, 1, 0], [0, 0, 0]],
        ),
        (
            np.array([[0, 3, 1], [2, 0, 0]]),
            Target((3,), "int32", "multiclass", ("0", "1", "2", "3"), 4),
            [[0, 3, 1], [2, 0, 0]],
        ),
        (np.array([[0.5, 0.5], [1, 0]]), Target((2,), "float32", "regression"), [[0.5, 0.5], [1, 0]]),
        (np.zeros((1, 2, 2, 3), np.uint8), Target((2, 2, 3), "float32", "regression"), np.zeros((1, 2, 2, 3)).tolist()),
    ],
)
def test_the_task_is_told_by_what_is_there(array, target, values):
    found, told_target = one(array)
    assert told_target == target
    assert found.dtype.name == target.dtype
    assert found.tolist() == values


def test_names_may_be_more_than_classes_occur():
    assert one([0, 1, 0], ("a", "b", "c"))[1] == Target((), "int32", "multiclass", ("a", "b", "c"), 3)


def test_classes_of_text_are_those_of_all_parts():
    found, target = told("output", {"train": np.array(["b", "c"]), "test": np.array(["a"])})
    assert target.classes == ("a", "b", "c")
    assert found["test"].tolist() == [0]


@pytest.mark.parametrize(
    ("array", "code", "message"),
    [
        ([-1, 1], "K414", "`y.output` has the label -1"),
        ([1999, 2001], "K414", "`y.output` has the label 2,001 among 2 values, so it does not look like classes"),
        ([0, 0], "K414", "`y.output` has one class only, 0"),
        (["a", "a"], "K414", "`y.output` has one class only, `a`"),
        ([1.0, np.nan], "K413", "`y.output` of `train` has a nan or infinity at example 1"),
        ([1j, 2], "K412", "`y.output` holds `complex128`, not numbers or text"),
        ([["a", "b"]], "K412", "`y.output` holds text in several columns"),
    ],
)
def test_what_is_no_target(problem, array, code, message):
    found = problem(lambda: one(array))
    assert (found.code, found.message) == (code, message)
    assert found.help


def test_parts_have_one_type(problem):
    found = problem(lambda: told("output", {"train": np.array([1, 0]), "test": np.array([1.0])}))
    assert found.message == "`y.output` has different types: `int64` in `train`, `float64` in `test`"


def rename(array, classes):
    found, target = told("output", {"train": np.asarray(array)})
    found, target = renamed("output", found, target, classes)
    return found["train"].tolist(), target.classes, target.count


def test_names_for_numbers_are_taken_in_order():
    assert rename([0, 2, 1], ("a", "b", "c")) == ([0, 2, 1], ("a", "b", "c"), 3)
    assert rename([0, 1, 1], ("a", "b", "c")) == ([0, 1, 1], ("a", "b", "c"), 3)


def test_other_names_rename_and_the_same_names_reorder():
    assert rename(["cat", "dog", "ant"], ("x", "y", "z")) == ([1, 2, 0], ("x", "y", "z"), 3)
    assert rename(["cat", "dog", "ant"], ("dog", "cat", "ant")) == ([1, 0, 2], ("dog", "cat", "ant"), 3)


def test_vectors_are_reordered_too():
    target = Target((2,), "float32", "multiclass", ("a", "b"), 2, True)
    found, target = renamed("output", {"train": np.array([[1.0, 0], [1, 0]])}, target, ("b", "a"))
    assert found["train"].tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize(
    ("array", "classes", "message"),
    [
        ([0.5, 1.5], ("a", "b"), "`classes` is given and the target `output` has none: its task is regression"),
        ([0, 1, 2], ("a", "b"), "`classes` has 2 names and the data have 3 classes"),
        (["cat", "dog"], ("a", "b", "c"), "`classes` has 3 names and the data have 2 classes"),
        (["cat", "dog"], ("cat", "dgo"), "`classes` names `dgo`, which is no class of the data"),
        ([0, 1], ("a", "a"), "`classes` has `a` twice"),
    ],
)
def test_names_that_do_not_fit(problem, array, classes, message):
    found = problem(lambda: rename(array, classes))
    assert (found.code, found.message, found.path) == ("K445", message, "data.classes")
    assert found.help


@pytest.mark.parametrize(
    ("shape", "kind", "target"),
    [
        ((), "i", Target((), "int32")),
        ((1,), "u", Target((), "int32")),
        ((), "f", Target((), "float32", "regression")),
        ((1,), "f", Target((1,), "float32", "regression")),
        ((4,), "f", Target((4,), "float32")),
        ((4,), "i", Target((4,), "float32")),
        ((8, 8, 3), "u", Target((8, 8, 3), "float32", "regression")),
        ((8, 8), "u", Target((8, 8), "int32")),
    ],
)
def test_a_header_tells_what_it_can(shape, kind, target):
    assert guess(shape, kind) == target
