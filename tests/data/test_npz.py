import zipfile
from dataclasses import replace

import numpy as np
import pytest

from kbuild.data.header import Header, Target, Tensor
from kbuild.data.load import load
from kbuild.data.peek import peek
from kbuild.spec.data import Data, Npz, NpzPart

X = np.arange(40, dtype=np.uint8).reshape(20, 2)
Y = np.arange(20) % 2


def test_the_header_is_read_without_the_arrays(npz):
    header = peek(npz({"x": X, "y": Y}))
    assert header == Header({"input": Tensor((2,), "uint8")}, {"output": Target((), "int32")}, {"train": 20})


def test_arrays_are_taken_as_they_are(npz):
    dataset = load(npz({"x": X, "y": Y}), 0)
    assert dataset.header.targets["output"] == Target((), "int32", "binary", ("0", "1"), 2)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (16, 2, 2)
    for part in (dataset.train, dataset.validation, dataset.test):
        assert part.x["input"].dtype == np.uint8
        rows = part.x["input"][:, 0] // 2
        assert (X[rows] == part.x["input"]).all()
        assert (Y[rows] == part.y["output"]).all()


def test_inputs_outputs_weights_and_parts_have_names(npz, whole):
    arrays = {"a": X, "b": X.astype(np.float32), "d": Y, "v": Y * 0.5, "w": np.arange(20)}
    names = {"x": {"image": "a", "meta": "b"}, "y": {"digit": "d", "value": "v"}}
    source = {**names, "weights": "w", "test": NpzPart(**names), "validation": NpzPart(**names)}
    dataset = load(npz(arrays, source, split=whole), 0)
    assert dataset.header == Header(
        {"image": Tensor((2,), "uint8"), "meta": Tensor((2,), "float32")},
        {"digit": Target((), "int32", "binary", ("0", "1"), 2), "value": Target((), "float32", "regression")},
        {"train": 20, "validation": 20, "test": 20},
        True,
    )
    assert dataset.train.weights.dtype == np.float32
    assert dataset.train.weights.tolist() == list(range(20))
    assert peek(npz(arrays, source)).targets["value"] == dataset.header.targets["value"]


def test_no_labels_are_no_targets(npz):
    data = npz({"x": X}, {"y": None})
    assert load(data, 0).header.targets == peek(data).targets == {}


def test_class_names_tell_the_task(npz):
    data = npz({"x": X, "y": Y}, classes=("even", "odd"))
    assert (
        peek(data).targets
        == load(data, 0).header.targets
        == {"output": Target((), "int32", "binary", ("even", "odd"), 2)}
    )


def test_text_labels(npz):
    dataset = load(npz({"x": X, "y": np.array(["no", "yes"])[Y]}), 0)
    assert dataset.header.targets["output"].classes == ("no", "yes")


def test_the_input_may_be_the_target(npz):
    data = npz({"x": X, "y": Y}, target="input")
    dataset = load(data, 0)
    assert dataset.train.y == {}
    assert peek(data).targets == dataset.header.targets == {"output": Target((), "float32", "reconstruction")}


def test_a_data_set_has_a_fingerprint(npz):
    first = load(npz({"x": X, "y": Y}), 0)
    assert len(first.digest) == 64
    assert load(npz({"x": X, "y": Y}), 0).digest == first.digest
    assert load(npz({"x": X, "y": Y}), 1).digest != first.digest
    assert load(npz({"x": X, "y": 1 - Y}), 0).digest != first.digest
    assert load(npz({"x": X.astype(np.int16), "y": Y}), 0).digest != first.digest
    assert load(npz({"x": X.reshape(20, 2, 1), "y": Y}), 0).digest != first.digest


@pytest.mark.parametrize(
    ("arrays", "source", "code", "message", "help"),
    [
        ({"x_train": X, "y": Y}, {"x": "x_trian"}, "K410", "`{f}` has no array `x_trian`", "did you mean `x_train`?"),
        ({"x": X, "y": Y[:5]}, {}, "K411", "the arrays of `train` differ in length: `x` 20, `y` 5", None),
        ({"x": X, "y": np.array(1)}, {}, "K411", "`y` is a single value", None),
        (
            {"x": np.array([{}] * 20), "y": Y},
            {},
            "K412",
            "`x` holds Python objects, which would run code when read",
            "store numbers or text",
        ),
        (
            {"x": X.astype(str), "y": Y},
            {},
            "K412",
            "`x.input` of `train` holds text, not numbers",
            "store numbers; a csv source encodes text",
        ),
        ({"x": X[:0], "y": Y[:0]}, {}, "K411", "`train` has no examples", None),
        (
            {"x": X, "y": Y, "w": -Y},
            {"weights": "w"},
            "K415",
            "`weights` of `train` has a value that is negative or not finite",
            None,
        ),
        ({"x": X, "y": Y, "w": 0 * Y}, {"weights": "w"}, "K415", "all `weights` of `train` are 0", None),
        (
            {"x": X, "y": Y, "w": X},
            {"weights": "w"},
            "K415",
            "`weights` of `train` has the shape (20, 2) and type uint8",
            None,
        ),
        (
            {"x": np.where(X == 7, np.inf, X), "y": Y},
            {},
            "K413",
            "`x.input` of `train` has a nan or infinity at example 3",
            None,
        ),
        (
            {"x": X, "y": Y, "x2": X[:, :1]},
            {"test": NpzPart(x="x2", y="y")},
            "K411",
            "`x.input` is (1,) in `test` and (2,) in `train`",
            None,
        ),
        ({"x": X, "y": Y}, {"test": NpzPart(x="x")}, "K411", "`test` has no `y` and `train` has `y.output`", None),
    ],
)
def test_arrays_that_do_not_fit(npz, problem, arrays, source, code, message, help):
    data = npz(arrays, source)
    found = problem(lambda: load(data, 0))
    assert (found.code, found.message.replace(str(data.source.npz), "{f}")) == (code, message)
    assert found.help
    assert help is None or found.help == help


def test_peek_finds_what_headers_tell(npz, problem):
    assert problem(lambda: peek(npz({"x": X, "y": Y[:5]}))).code == "K411"
    assert problem(lambda: peek(npz({"x": X.astype(str), "y": Y}))).message == "`x` holds text, not numbers"
    found = problem(lambda: peek(npz({"x": X, "y": Y}, {"test": NpzPart(x="x", y="yy")})))
    assert (found.message.split()[-1], found.path) == ("`yy`", "data.source.test.y")


def test_a_file_that_is_absent_says_so(tmp_path, problem):
    data = Data(source=Npz(npz=tmp_path / "no.npz"))
    for call in (lambda: peek(data), lambda: load(data, 0)):
        found = problem(call)
        assert (found.code, found.message) == ("K402", f"there is no file `{tmp_path / 'no.npz'}`")


def test_a_file_that_is_torn_says_so(npz, tmp_path, problem):
    data = npz({"x": X, "y": Y})
    content = data.source.npz.read_bytes()
    for size in range(0, len(content), 97):
        data.source.npz.write_bytes(content[:size])
        assert problem(lambda: peek(data)).code == "K404"
    (tmp_path / "a.npz").write_text("hello")
    found = problem(lambda: load(Data(source=Npz(npz=tmp_path / "a.npz")), 0))
    assert found.message == f"`{tmp_path / 'a.npz'}` is no npz file: File is not a zip file"


def test_an_array_shorter_than_its_header_says_so(tmp_path, problem):
    np.save(tmp_path / "x.npy", np.zeros((1000, 1000)))
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("x.npy", (tmp_path / "x.npy").read_bytes()[:5000])
    found = problem(lambda: peek(Data(source=Npz(npz=tmp_path / "data.npz"))))
    assert found.message == f"the array `x` in `{tmp_path / 'data.npz'}` is cut off"


def test_mnist(shared):
    source = Npz(npz=shared / "mnist.npz", x="x_train", y="y_train", test=NpzPart(x="x_test", y="y_test"))
    header = peek(Data(source=source))
    dataset = load(Data(source=source), 0)
    assert header.counts == dataset.header.counts == {"train": 60000, "test": 10000}
    assert header.inputs == dataset.header.inputs == {"input": Tensor((28, 28), "uint8")}
    known = replace(header.targets["output"], task="multiclass", classes=tuple("0123456789"), count=10)
    assert dataset.header.targets == {"output": known}
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (54000, 6000, 10000)
    shares = [np.bincount(part.y["output"]) / len(part) for part in (dataset.train, dataset.validation)]
    assert np.abs(shares[0] - shares[1]).max() < 2e-4
