"""Named → Loaded: the sets that come with scikit-learn, and those that Keras downloads."""

import contextlib
import os
import sys
from typing import Any

import numpy as np

from kbuild.data.dataset import Part
from kbuild.data.fail import fail
from kbuild.data.labels import told
from kbuild.data.loaded import Loaded
from kbuild.data.named import BUILT_IN, LENGTH, PUBLIC, WORDS, classes, header

_FILES = {
    "fashion_mnist": "the four files of `fashion-mnist/`",
    "cifar10": "`cifar-10-batches-py-target/`",
    "cifar100": "`cifar-100-python-target/`",
}


def read(name: str) -> Loaded:
    """Arrays as documented: pictures as they are, columns float32, labels int32.

    Raises:
        SpecError: K401 for a name that is none, K403 if Keras cannot download it, K406 without scikit-learn.
    """
    if name in BUILT_IN:
        header(name)
        return _built_in(name)
    return _public(name)


def _built_in(name: str) -> Loaded:
    from sklearn import datasets

    bunch: Any = getattr(datasets, f"load_{name}")()
    x, y = np.asarray(bunch.data, np.float32), np.asarray(bunch.target)
    if name == "diabetes":
        y = y.astype(np.float32)
    names = [str(c) for c in bunch.target_names] if "target_names" in bunch else []
    labels, target = told("output", {"train": y}, names)
    encoding: dict[str, object] = {"kind": "array"}
    if name == "digits":
        x = x.reshape(-1, 8, 8, 1)
    else:
        columns = [{"name": str(c), "kind": "numeric", "mean": 0.0, "std": 1.0} for c in bunch.feature_names]
        encoding = {"kind": "columns", "inputs": {"input": {"columns": columns, "joined": True}}}
    return Loaded({"train": Part({"input": x}, {"output": labels["train"]})}, {"output": target}, encoding)


def _public(name: str) -> Loaded:
    header(name)
    known = PUBLIC[name]
    (x, y), (x_test, y_test) = _downloaded(name)
    if name in ("imdb", "reuters"):
        x, x_test = _padded(x), _padded(x_test)
    if known.classes is None:
        y, y_test = y.astype(np.float32), y_test.astype(np.float32)
    y, target = told("output", {"train": y, "test": y_test}, classes(known))
    parts = {
        part: Part({"input": np.asarray(array, known.dtype)}, {"output": y[part]})
        for part, array in (("train", x), ("test", x_test))
    }
    return Loaded(parts, {"output": target}, {"kind": "array"})


def _downloaded(name: str) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    import keras

    options = {"num_words": WORDS} if name in ("imdb", "reuters") else {}
    try:
        # Keras prints its progress where the answer of `--json` goes
        with contextlib.redirect_stdout(sys.stderr):
            return getattr(keras.datasets, name).load_data(**options)
    except Exception as error:  # Keras raises a bare Exception when a download fails
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        home = os.environ.get("KERAS_HOME") or "~/.keras"
        file = _FILES.get(name, f"`{name}.npz`")
        raise fail(
            "K403",
            f"Keras cannot load `{name}`: {said}",
            f"put {file} of another machine into `{home}/datasets`; or, for arrays "
            "in a file that you have, write `source: {npz: FILE, x: KEY, y: KEY}`, and say `--data-root FOLDER` if it "
            "lies elsewhere",
        ) from error


def _padded(texts: np.ndarray) -> np.ndarray:
    """(texts, LENGTH) int32: the last tokens of each, zeros in front, as `keras.utils.pad_sequences` has it."""
    found = np.zeros((len(texts), LENGTH), np.int32)
    for row, tokens in zip(found, texts, strict=True):
        last = tokens[-LENGTH:]
        if len(last):
            row[-len(last) :] = last
    return found
