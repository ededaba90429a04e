import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbuild.data import parts
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


FOLDS = st.tuples(
    st.lists(st.integers(0, 3), min_size=24, max_size=80),
    st.integers(0, 99),
    st.integers(2, 6),
    st.sampled_from([0, 0.2, 5]),
    st.booleans(),
)


@given(FOLDS)
def test_each_example_is_in_the_validation_part_of_one_fold_and_the_test_part_is_the_same(drawn):
    labels, seed, folds, size, shuffle = drawn
    found = [
        split({"train": part(labels)}, classes(4), Split(folds=folds, fold=k + 1, test=size, shuffle=shuffle), seed)
        for k in range(folds)
    ]
    ids = [taken(parts) for parts in found]
    assert len({tuple(one.get("test", ())) for one in ids}) == 1
    tested = ids[0].get("test", [])
    assert sorted([i for one in ids for i in one["validation"]] + tested) == list(range(len(labels)))
    for one in ids:
        assert sorted(one["train"] + one["validation"] + tested) == list(range(len(labels)))
    sizes = [len(one["validation"]) for one in ids]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == [
        parts.sizes({"train": len(labels)}, Split(folds=folds, fold=k + 1, test=size))["validation"]
        for k in range(folds)
    ]
    if shuffle and min(np.bincount(labels, minlength=4)) > folds:
        counts = np.array([np.bincount(parts["validation"].y["output"], minlength=4) for parts in found])
        assert (np.ptp(counts, axis=0) <= 1).all()


def test_folds_of_a_series_are_its_stretches():
    how = [Split(folds=3, fold=fold, test=2, shuffle=False) for fold in (1, 2, 3)]
    found = [taken(split({"train": part([0] * 10)}, {}, one, 0)) for one in how]
    assert [one["validation"] for one in found] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert all(one["test"] == [8, 9] for one in found)


def test_folds_without_one_that_is_named_are_the_first():
    first, none = (Split(folds=4, fold=fold) for fold in (1, None))
    parts = {"train": part([0, 1] * 20)}
    assert taken(split(parts, classes(2), first, 5)) == taken(split(parts, classes(2), none, 5))


def test_a_seed_of_the_split_comes_before_that_of_the_run():
    parts = {"train": part([0, 1] * 50)}
    own, run, other = (taken(split(parts, classes(2), how, seed)) for how, seed in (
        (Split(seed=4), 9), (Split(), 4), (Split(seed=4), 10)
    ))  # fmt: skip
    assert own == run == other


def test_a_test_part_of_the_source_leaves_all_of_the_rest_to_the_folds():
    own = {"train": part([0, 1] * 10), "test": part([0, 1], start=100)}
    found = [taken(split(own, classes(2), Split(folds=2, fold=fold), 0)) for fold in (1, 2)]
    assert sorted(found[0]["validation"] + found[1]["validation"]) == list(range(20))
    assert found[0]["test"] == found[1]["test"] == [100, 101]


def test_parts_of_the_source_stay():
    own = {"train": part([0, 1] * 10), "test": part([0, 1], start=100)}
    found = taken(split(own, classes(2), Split(validation=0.1, test=0.5), 0))
    assert {name: len(ids) for name, ids in found.items()} == {"train": 18, "validation": 2, "test": 2}
    assert found["test"] == [100, 101]


def test_a_validation_part_of_the_source_has_no_folds(problem):
    own = {"train": part([0, 1] * 10), "validation": part([0, 1], start=100)}
    found = problem(lambda: split(own, classes(2), Split(folds=2), 0))
    assert found.code == "K442"
    assert found.message == "the source has a validation part of its own, which folds would not use"


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
        ([0, 1] * 3, classes(2), Split(folds=5, test=2), "K442", "4 examples cannot be divided into 5 folds"),
        (
            [0] * 12 + [1] * 4,
            classes(2),
            Split(folds=4, test=2, stratify=True),
            "K441",
            "the class `1` has 4 examples, too few for 5 parts",
        ),
    ],
)
def test_what_cannot_be_split(problem, labels, targets, how, code, message):
    found = problem(lambda: split({"train": part(labels)}, targets, how, 0))
    assert (found.code, found.message) == (code, message)
    assert found.help
    assert found.path.startswith("data.split")
