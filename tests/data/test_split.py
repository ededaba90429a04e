import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbuild.data.dataset import Part
from kbuild.data.header import Target
from kbuild.data.labels import numerals
from kbuild.data.split import share, split
from kbuild.spec.data import Split


def part(labels, start=0):
    labels = np.asarray(labels, np.int32)
    return Part({"input": np.arange(start, start + len(labels))[:, None]}, {"output": labels})


def classes(count):
    return {"output": Target((), "int32", "multiclass", numerals(count), count)}


def taken(parts):
    return {name: part.x["input"][:, 0].tolist() for name, part in parts.items()}


@given(
    st.lists(st.integers(0, 3), min_size=20, max_size=80),
    st.integers(0, 99),
    st.booleans(),
    st.sampled_from([0, 0.1, 0.33, 3]),
)
def test_the_parts_are_all_the_examples_and_do_not_overlap(labels, seed, shuffle, size):
    how = Split(validation=size, test=0.2, shuffle=shuffle)
    found = taken(split({"train": part(labels)}, classes(4), how, seed))
    assert sorted(i for ids in found.values() for i in ids) == list(range(len(labels)))
    wanted = size if isinstance(size, int) else int(size * len(labels) + 0.5)
    assert len(found.get("validation", [])) == wanted
    assert len(found["test"]) == int(0.2 * len(labels) + 0.5)


def test_the_seed_decides():
    parts = {"train": part([0, 1] * 50)}
    first, again, other = (taken(split(parts, classes(2), Split(), seed)) for seed in (1, 1, 2))
    assert first == again
    assert first["test"] != other["test"]


def test_classes_keep_their_shares():
    labels = [0] * 600 + [1] * 300 + [2] * 100
    found = split({"train": part(labels)}, classes(3), Split(validation=0.1, test=0.2, stratify=True), 0)
    sizes = {name: np.bincount(p.y["output"]).tolist() for name, p in found.items()}
    assert sizes == {"train": [420, 210, 70], "validation": [60, 30, 10], "test": [120, 60, 20]}


def test_auto_stratifies_only_where_every_class_has_enough():
    labels = [0] * 20 + [1] * 20 + [2] * 2
    counts = [
        np.bincount(
            split({"train": part(labels)}, classes(3), Split(validation=0.25, test=0.25), seed)["test"].y["output"],
            minlength=3,
        )
        for seed in range(20)
    ]
    assert len({tuple(count) for count in counts}) > 1
    even = split({"train": part(labels[:40])}, classes(2), Split(validation=0.25, test=0.25), 3)
    assert np.bincount(even["test"].y["output"]).tolist() == [5, 5]


def test_a_share_is_whole_and_fair():
    assert share(np.array([6, 3, 1]), 5).tolist() == [3, 2, 0]
    assert share(np.array([1, 1, 1]), 2).tolist() == [1, 1, 0]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(any), st.data())
def test_a_share_is_never_more_than_there_is(counts, data):
    total = data.draw(st.integers(0, sum(counts)))
    found = share(np.array(counts), total)
    assert found.sum() == total
    assert (found <= counts).all()


def test_without_shuffling_the_parts_are_the_last_slices():
    found = taken(split({"train": part([0] * 10)}, {}, Split(validation=2, test=3, shuffle=False), 0))
    assert found == {"train": [0, 1, 2, 3, 4], "validation": [5, 6], "test": [7, 8, 9]}


def test_parts_of_the_source_stay():
    own = {"train": part([0, 1] * 10), "test": part([0, 1], start=100)}
    found = taken(split(own, classes(2), Split(validation=0.1, test=0.5), 0))
    assert {name: len(ids) for name, ids in found.items()} == {"train": 18, "validation": 2, "test": 2}
    assert found["test"] == [100, 101]


def test_nothing_is_kept_if_nothing_is_asked(whole):
    parts = {"train": part([0, 1, 1, 0])}
    assert split(parts, classes(2), whole, 0) == parts


@pytest.mark.parametrize(
    ("labels", "targets", "how", "code", "message"),
    [
        (
            [0, 1, 0, 1],
            classes(2),
            Split(validation=2, test=2),
            "K440",
            "4 examples, less 2 for `validation` and 2 for `test`, leave none to train on",
        ),
        (
            [0, 1],
            classes(2),
            Split(),
            "K440",
            "2 examples, less 1 for `validation` and 1 for `test`, leave none to train on",
        ),
        ([0] * 9 + [1], classes(2), Split(stratify=True), "K441", "the class `1` has 1 example, too few for 3 parts"),
        (
            [0, 1] * 9,
            {"output": Target((), "float32", "regression")},
            Split(stratify=True),
            "K441",
            "`stratify: true` needs classes, and the data have none",
        ),
        (
            [0, 1] * 9,
            classes(2),
            Split(stratify=True, shuffle=False),
            "K441",
            "`stratify: true` needs shuffled examples",
        ),
    ],
)
def test_what_cannot_be_split(problem, labels, targets, how, code, message):
    found = problem(lambda: split({"train": part(labels)}, targets, how, 0))
    assert (found.code, found.message) == (code, message)
    assert found.help
    assert found.path.startswith("data.split")
