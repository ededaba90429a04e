"""A word → which data it means, and what is known of them."""

from pathlib import Path

import numpy as np
import pytest

from kbuild.data.guess import guess
from kbuild.data.header import Tensor
from kbuild.spec.data import Csv, Images, Npz, Texts
from kbuild.text.problem import SpecError

rng = np.random.default_rng(0)
X, Y = rng.random((40, 5)), np.arange(40) % 4


def arrays(folder: Path, **content):
    np.savez(folder / "my data.npz", **content)
    return folder / "my data.npz"


def problem(word, target=None):
    with pytest.raises(SpecError) as caught:
        guess(str(word), target)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


def test_names():
    found = guess("diabetes")
    assert (found.source, found.root, found.words) == ("diabetes", None, None)
    # of the 442 patients: sklearn.datasets.load_diabetes().target.mean() and .std()
    assert found.center is not None
    assert (round(found.center.mean, 1), round(found.center.spread, 1)) == (152.1, 77.0)
    assert guess("imdb").words == 20000
    assert guess("mnist").header.inputs["input"] == Tensor((28, 28), "uint8")


def test_a_word_that_means_nothing():
    found = problem("digitz")
    assert (found.code, found.help) == ("K401", "did you mean `digits`?")
    found = problem("some/where.npz")
    assert found.message == "there is no data set, file or folder `some/where.npz`"
    assert found.help is not None
    assert "digits, iris, wine" in found.help


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "a.xlsx").write_text("")
    assert problem(tmp_path / "a.xlsx").help == "save the data as .npz, .csv, .tsv or .parquet"


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        ({"x": X, "y": Y}, ("x", "y", None, None)),
        ({"x_train": X, "y_train": Y, "x_test": X[:9], "y_test": Y[:9]}, ("x_train", "y_train", None, ("x_test", "y_test"))),
        # the names of MedMNIST
        (
            {f"{p}_{n}": a for p in ("train", "val", "test") for n, a in (("images", X), ("labels", Y))},
            ("train_images", "train_labels", ("val_images", "val_labels"), ("test_images", "test_labels")),
        ),
        ({"X": X, "target": Y, "names": np.array(["a", "b"])}, ("X", "target", None, None)),
        ({"arr_0": X, "arr_1": Y}, ("arr_0", "arr_1", None, None)),
        ({"price": Y, "houses": X}, ("houses", "price", None, None)),
        # a test part without labels is none
        ({"x": X, "y": Y, "x_test": X}, ("x", "y", None, None)),
    ],
)  # fmt: skip
def test_arrays_by_the_names_that_they_usually_have(tmp_path, content, keys):
    found = guess(str(arrays(tmp_path, **content)))
    assert isinstance(found.section, Npz)
    parts = [part and (part.x, part.y) for part in (found.section.validation, found.section.test)]
    assert (found.section.x, found.section.y, *parts) == keys
    assert (found.name, found.root) == ("my_data", tmp_path)
    (target,) = found.header.targets.values()
    assert (target.task, target.count) == ("multiclass", 4)


def test_labels_are_looked_into(tmp_path):
    def target(y):
        return guess(str(arrays(tmp_path, x=X, y=y))).header.targets["output"]

    assert target(np.array(["no", "yes"])[Y % 2]).classes == ("no", "yes")
    assert target(np.eye(4)[Y]).one_hot
    assert target((rng.random((40, 3)) > 0.5).astype(int)).task == "multilabel"
    assert target(rng.random(40)).task == "regression"


def test_arrays_that_do_not_tell(tmp_path):
    found = problem(arrays(tmp_path, a=X, b=X, c=Y))
    assert found.code == "K410"
    assert "`a` 40×5, `b` 40×5, `c` 40" in found.message


def test_the_last_column_is_predicted(tmp_path):
    path = tmp_path / "people.csv"
    rows = [f"{i},{20 + i % 30},{'AB'[i % 2]},person {i},{i % 5 or ''},{'yes' if i % 3 else 'no'}" for i in range(50)]
    path.write_text("\n".join(["id,age,city,name,holes,sick", *rows]))
    found = guess(str(path))
    assert isinstance(found.section, Csv)
    assert found.section.target == "sick"
    assert found.section.features == {"age": "numeric", "city": "category"}
    assert found.source == {"csv": path, "target": "sick", "features": {"age": "numeric", "city": "category"}}
    assert found.notes[0] == "`sick` is predicted, the last column; another: --target COLUMN"
    assert found.notes[1] == "left out: the column `id` only counts the rows"
    assert "`name` has 50 different texts" in found.notes[2]
    assert "`holes` is empty in line 2" in found.notes[3]
    assert found.header.targets["output"].classes == ("no", "yes")
    found = guess(str(path), "age")
    assert (found.section.target, found.header.targets["output"].task) == ("age", "regression")  # type: ignore[union-attr]
    assert found.center is not None
    assert found.center.mean == pytest.approx(np.mean([20 + i % 30 for i in range(50)]))
    assert problem(path, "agee").help == "did you mean `age`?"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_delimiter_is_what_the_first_line_has_most_of(tmp_path, delimiter):
    path = tmp_path / "t.csv"
    path.write_text(
        "\n".join(delimiter.join(row) for row in [("a", "b", "y"), *(("1.5", str(i * i), str(i)) for i in range(20))])
    )
    found = guess(str(path))
    assert isinstance(found.section, Csv)
    assert found.section.delimiter == delimiter
    assert ("delimiter" in found.source) == (delimiter != ",")
    # a table in which nothing is left out names no features
    assert found.section.features is None


def test_a_column_of_text_alone_is_an_input_of_its_own(tmp_path):
    path = tmp_path / "mails.csv"
    path.write_text("\n".join(["note,short,spam", *(f"{'word ' * (i % 9)}{i},w{i},{i % 2}" for i in range(40))]))
    found = guess(str(path))
    assert (found.input, found.words) == ("note", 20000)
    assert found.header.inputs == {"note": Tensor((10,), "int32")}
    assert found.section.features == {"note": "text"}  # type: ignore[union-attr]
    assert "`short` has 40 different texts" in " ".join(found.notes)


def test_a_file_without_examples(tmp_path):
    assert problem(arrays(tmp_path, x=X[:0], y=Y[:0])).code == "K411"


def test_pictures(tmp_path):
    from PIL import Image

    def save(root, mode="RGB", sizes=((20, 30),)):
        for kind in ("cat", "dog"):
            (root / kind).mkdir(parents=True)
            for i in range(6):
                width, height = sizes[i % len(sizes)]
                Image.new(mode, (width, height)).save(root / kind / f"{i}.png")
        return root

    found = guess(str(save(tmp_path / "same")))
    assert isinstance(found.section, Images)
    assert (found.section.size, found.section.color, found.notes) == ((30, 20), "rgb", ())
    assert found.header.counts == {"train": 12}
    for part in ("train", "val", "test"):
        save(tmp_path / "parts" / part, "L", ((400, 200),))
    found = guess(str(tmp_path / "parts"))
    assert isinstance(found.section, Images)
    assert (found.section.size, found.section.color) == ((64, 128), "grayscale")
    assert found.section.validation == tmp_path / "parts" / "val"
    assert set(found.header.counts) == {"train", "validation", "test"}
    found = guess(str(save(tmp_path / "mixed", sizes=((10, 12), (12, 12), (30, 12)))))
    assert found.section.size == (12, 12)  # type: ignore[union-attr]
    assert "differ in size" in found.notes[0]


def test_texts(tmp_path):
    for kind in ("bad", "good"):
        (tmp_path / "reviews" / kind).mkdir(parents=True)
        for i in range(10):
            (tmp_path / "reviews" / kind / f"{i}.txt").write_text("word " * (i + 5), "utf-8")
    found = guess(str(tmp_path / "reviews"))
    assert isinstance(found.section, Texts)
    assert (found.section.length, found.words) == (20, found.section.vocabulary)
    assert found.header.counts == {"train": 20}


def test_a_folder_of_something_else(tmp_path):
    for kind in "ab":
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "x.bin").write_text("")
    assert problem(tmp_path).code == "K431"
    assert "neither pictures nor texts" in problem(tmp_path).message
