import sys

import pytest

from kbuild.data.header import Header, Target, Tensor
from kbuild.data.load import load
from kbuild.data.peek import peek
from kbuild.spec.data import Data, Python

MODULE = """
import numpy as np
x, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
pair = lambda: (x, y)
pairs = lambda: ((x, y), (x[:4], y[:4]))
one = {"x": {"a": x, "b": x}, "y": {"c": y}, "weights": np.ones(10)}
named = lambda: {**one, "test": one}
classed = lambda: {"x": x, "y": y, "classes": ["even", "odd"]}
nothing = lambda: None
odd = lambda: {"x": x, "labels": y}
part = lambda: {"x": x, "test": x}
def broken():
    raise KeyError("gone")
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    (tmp_path / "my_data.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_data", raising=False)
    yield lambda name: Data(source=Python(python=name))
    sys.modules.pop("my_data", None)


def test_what_a_function_gives(source):
    path = list(sys.path)
    binary = Target((), "int32", "binary", ("0", "1"), 2)
    one = {"input": Tensor((2,), "float64")}
    assert load(source("my_data:pair"), 0, trust=True).header == Header(one, {"output": binary}, {"train": 10})
    assert load(source("my_data:pairs"), 0, trust=True).header.counts == {"train": 10, "test": 4}
    header = load(source("my_data:named"), 0, trust=True).header
    assert (list(header.inputs), list(header.targets), header.weighted) == (["a", "b"], ["c"], True)
    assert load(source("my_data:classed"), 0, trust=True).header.targets["output"].classes == ("even", "odd")
    assert sys.path == path


def test_peek_does_not_run_it(source):
    assert peek(source("my_data:broken"), trust=True) == Header({})
    assert "my_data" not in sys.modules


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my_data:nothing", "`my_data:nothing` returned a `NoneType` that is no data"),
        ("my_data:odd", "`my_data:odd` returned the key `labels`"),
        ("my_data:part", "a part of the data is a `ndarray` without `x`"),
        ("my_data:broken", "`my_data:broken` raised KeyError: 'gone'"),
        ("my_data:absent", "`my_data:absent` cannot be imported: module 'my_data' has no attribute 'absent'"),
        ("no_such_module:f", "`no_such_module:f` cannot be imported: No module named 'no_such_module'"),
        ("my_data", "`my_data` does not say which function"),
    ],
)
def test_what_is_no_data(source, problem, name, message):
    found = problem(lambda: load(source(name), 0, trust=True))
    assert (found.code, found.message) == ("K450", message)
    assert found.help


def test_without_trust_nothing_runs(source, problem):
    found = problem(lambda: load(source("my_data:pair"), 0))
    assert found.message == "a `python` source runs code and is refused"
    assert "my_data" not in sys.modules
