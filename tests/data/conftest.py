"""Sources in a temporary folder, and the shared data where there are any."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from kbuild.spec.data import Csv, Data, Images, Named, Npz, Split, Texts
from kbuild.text.problem import SpecError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def named():
    return lambda name, **keys: Data(source=Named(name=name), **keys)


@pytest.fixture
def npz(tmp_path):
    """Arrays → Data; keys of the source in `source`."""

    def make(arrays, source=None, **keys):
        np.savez_compressed(tmp_path / "data.npz", **arrays)
        return Data(source=Npz(npz=tmp_path / "data.npz", **({"x": "x", "y": "y"} | (source or {}))), **keys)

    return make


@pytest.fixture
def table(tmp_path):
    """A header and rows → Data."""

    def make(header, rows, source=None, **keys):
        path = tmp_path / "table.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
        return Data(source=Csv(csv=path, **({"target": header[-1]} | (source or {}))), **keys)

    return make


@pytest.fixture
def photos(tmp_path):
    """Files by path, size and color → a folder of pictures."""
    from PIL import Image

    def make(files, root="photos"):
        for number, (name, (height, width)) in enumerate(files.items()):
            path = tmp_path / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.full((height, width, 3), (number * 7 % 256, 100, 200), np.uint8)
            Image.fromarray(pixels).save(path)
        return tmp_path / root

    return make


@pytest.fixture
def images():
    return lambda root, source=None, **keys: Data(source=Images(train=root, **(source or {})), **keys)


@pytest.fixture
def letters(tmp_path):
    """Texts by path → Data."""

    def make(files, source=None, **keys):
        for name, text in files.items():
            path = tmp_path / "letters" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Data(source=Texts(text=tmp_path / "letters", **(source or {})), **keys)

    return make


@pytest.fixture
def whole():
    """A split that keeps nothing from training."""
    return Split(validation=0, test=0)


@pytest.fixture
def problem():
    """What a call raises: the only problem."""

    def of(call):
        with pytest.raises(SpecError) as caught:
            call()
        (found,) = caught.value.problems
        assert caught.value.exit_code == 3
        return found

    return of


@pytest.fixture(scope="session")
def shared():
    folder = Path(os.environ.get("KBUILD_SHARED", ROOT.parent / "shared" / "data"))
    if not (folder / "mnist.npz").is_file():
        pytest.skip("the shared data are not here: set KBUILD_SHARED to the folder of mnist.npz")
    return folder
