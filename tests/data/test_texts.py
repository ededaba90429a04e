import numpy as np
import pytest

from kbuild.data import tokens
from kbuild.data.encode import encode_texts
from kbuild.data.header import Header, Target, Tensor
from kbuild.data.load import load
from kbuild.data.peek import peek
from kbuild.spec.data import Split

FILES = {"bad/0.txt": "No, no!", "bad/1.txt": "not good", "good/0.txt": "good good Good", "good/1.md": "no bad"}


def test_words_are_numbered_by_how_often_they_occur(letters, whole):
    data = letters(FILES, {"length": 3, "vocabulary": 5}, split=whole)
    dataset = load(data, 0)
    assert dataset.encoding["vocabulary"] == ["good", "no", "bad"]
    assert dataset.train.x["input"].tolist() == [[3, 3, 0], [1, 2, 0], [2, 2, 2], [3, 4, 0]]
    assert dataset.train.ids == tuple(FILES)
    assert dataset.header == Header(
        {"input": Tensor((3,), "int32")}, {"output": Target((), "int32", "binary", ("bad", "good"), 2)}, {"train": 4}
    )
    assert peek(data).inputs == dataset.header.inputs
    assert peek(data).targets == dataset.header.targets


def test_the_vocabulary_is_of_the_training_part(letters):
    data = letters(FILES, {"length": 4}, split=Split(validation=0, test=1, shuffle=False))
    dataset = load(data, 0)
    assert "bad" not in dataset.encoding["vocabulary"]
    assert dataset.test.x["input"][0].tolist() == [dataset.encoding["vocabulary"].index("no") + 2, tokens.OTHER, 0, 0]


def test_a_new_text_is_encoded_as_the_old(letters, whole):
    dataset = load(letters(FILES, {"length": 4}, split=whole), 0)
    assert (encode_texts(dataset.encoding, list(FILES.values())) == dataset.train.x["input"]).all()


def test_words_of_any_language():
    assert tokens.words("Čeština, 日本語; naïve-café") == ["čeština", "日本語", "naïve", "café"]
    assert tokens.encode([""], [], 2).tolist() == [[0, 0]]
    assert tokens.encode([], ["a"], 2).shape == (0, 2)
    assert tokens.encode(["a"], ["a"], 2).dtype == np.int32


@pytest.mark.parametrize(
    ("files", "code", "message"),
    [
        ({"a/0.txt": "x"}, "K431", "`{f}` has one folder only, `a`"),
        ({"a/0.txt": "x", "b/0.doc": "y"}, "K431", "`{f}/b` has no files that end in .md, .text, .txt"),
        ({"a/0.txt": b"\xff", "b/0.txt": "y"}, "K404", "`{f}/a/0.txt` is not UTF-8 text: invalid start byte at byte 0"),
    ],
)
def test_folders_that_are_no_texts(letters, problem, files, code, message):
    data = letters(files)
    found = problem(lambda: load(data, 0))
    assert (found.code, found.message.replace(str(data.source.text), "{f}")) == (code, message)
    assert found.help
