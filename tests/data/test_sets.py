"""The sets that have names: those of scikit-learn, and those that Keras downloads."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kbuild.data.header import Target, Tensor
from kbuild.data.load import load
from kbuild.data.named import BUILT_IN, PUBLIC
from kbuild.data.peek import peek
from kbuild.spec.data import Split

ROOT = Path(__file__).resolve().parents[2]

OFFLINE = """
import sys
from kbuild.data.load import load
from kbuild.spec.data import Data, Named
from kbuild.text.problem import SpecError
try:
    load(Data(source=Named(name=sys.argv[1])), 0)
except SpecError as error:
    (problem,) = error.problems
    print(problem.code, problem.message, problem.help, sep="\\n")
"""

PURE = """
import os, sys
from kbuild.data.peek import peek
from kbuild.spec.data import *
import pathlib
names, root = sys.argv[1].split(","), pathlib.Path(sys.argv[2])
for name in names:
    peek(Data(source=Named(name=name)))
assert "numpy" not in sys.modules
peek(Data(source=Npz(npz=root / "a.npz", y="y")))
peek(Data(source=Csv(csv=root / "a.csv", target="y")))
peek(Data(source=Images(train=root / "pictures")))
peek(Data(source=Texts(text=root / "texts")))
peek(Data(source=Python(python="os:getcwd")), trust=True)
heavy = {"keras", "tensorflow", "jax", "torch", "sklearn", "pandas", "scipy", "matplotlib", "keras_tuner"}
print(sorted(heavy & set(sys.modules)))
"""


def run(code, *arguments, **environment):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "builder"), **environment}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=env, timeout=300
    )


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_header_of_a_built_in_set_is_right(named, name):
    assert peek(named(name)) == load(named(name), 0).header


def test_digits(named):
    dataset = load(named("digits"), 0)
    assert dataset.header.inputs == {"input": Tensor((8, 8, 1), "float32")}
    assert dataset.header.counts == {"train": 1797}
    x = dataset.train.x["input"]
    assert (x.min(), x.max(), x.shape) == (0, 16, (1437, 8, 8, 1))


def test_breast_cancer_is_binary_and_diabetes_a_number(named):
    assert peek(named("breast_cancer")).targets["output"] == Target((), "int32", "binary", ("malignant", "benign"), 2)
    assert peek(named("diabetes")).targets["output"] == Target((), "float32", "regression")


def test_stratified_parts_keep_the_shares(named):
    dataset = load(named("wine", split=Split(validation=0.2, test=0.2, stratify=True)), 7)
    counts = np.array([np.bincount(part.y["output"]) for part in (dataset.train, dataset.validation, dataset.test)])
    assert counts.sum(axis=0).tolist() == [59, 71, 48]
    assert np.abs(counts / counts.sum(axis=1, keepdims=True) - np.array([59, 71, 48]) / 178).max() < 0.02


def test_a_name_that_is_none(named, problem):
    for call in (lambda: peek(named("mnits")), lambda: load(named("mnits"), 0)):
        found = problem(call)
        assert (found.code, found.message, found.help) == (
            "K401",
            "there is no data set `mnits`",
            "did you mean `mnist`?",
        )
    found = problem(lambda: peek(named("zzz")))
    assert found.help == "there is " + ", ".join(f"`{name}`" for name in (*BUILT_IN, *PUBLIC)[:12]) + ", …"


def test_what_keras_documents_is_known_without_it(named):
    header = peek(named("cifar10"))
    assert header.inputs == {"input": Tensor((32, 32, 3), "uint8")}
    assert header.counts == {"train": 50000, "test": 10000}
    assert header.targets["output"].classes[:2] == ("airplane", "automobile")
    assert peek(named("california_housing")).targets["output"].task == "regression"
    renamed = peek(named("mnist", classes=tuple("abcdefghij"))).targets["output"]
    assert (renamed.classes, renamed.task) == (tuple("abcdefghij"), "multiclass")


def test_a_download_that_fails_says_what_to_do(tmp_path):
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    found = run(OFFLINE, "mnist", KERAS_HOME=str(tmp_path), no_proxy="", NO_PROXY="", **nowhere)
    code, message, help = found.stdout.splitlines()
    assert code == "K403"
    assert message.startswith("Keras cannot load `mnist`: URL fetch failure on https://")
    assert help.startswith(
        f"put `mnist.npz` of another machine into `{tmp_path}/datasets`; or, for arrays in a file that you have"
    )


def test_peek_loads_no_library_that_it_does_not_need(tmp_path):
    from PIL import Image

    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2)), y=np.arange(4))
    (tmp_path / "a.csv").write_text("a,y\n" + "".join(f"{i},{i % 2}\n" for i in range(20)))
    for kind in ("a", "b"):
        (tmp_path / "pictures" / kind).mkdir(parents=True)
        (tmp_path / "texts" / kind).mkdir(parents=True)
        Image.new("RGB", (2, 2)).save(tmp_path / "pictures" / kind / "0.png")
    found = run(PURE, ",".join((*BUILT_IN, *PUBLIC)), str(tmp_path))
    assert (found.stdout, found.stderr) == ("[]\n", "")
