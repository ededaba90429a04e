import json

import numpy as np
import pytest

from kbuild.train import atomic


def test_text_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "a.txt"
    atomic.write_text(path, "one\n")
    atomic.write_text(path, "zwei ü\n")
    assert path.read_bytes() == "zwei ü\n".encode()
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_writer_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"good")
    with pytest.raises(OSError, match="no space"), atomic.writing(path) as temporary:
        assert temporary.suffix == ".keras"
        assert temporary.parent == tmp_path
        temporary.write_bytes(b"half")
        raise OSError("no space")
    assert path.read_bytes() == b"good"
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]


def test_an_interrupt_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(KeyboardInterrupt), atomic.writing(path) as temporary:
        temporary.write_text("{")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_json_has_no_nan_and_no_numpy(tmp_path):
    path = tmp_path / "x.json"
    atomic.write_json(
        path, {"a": np.float32(1.5), "b": float("nan"), "c": np.arange(2), "d": (np.int64(3), None), "e": True}
    )
    assert json.loads(path.read_text()) == {"a": 1.5, "b": None, "c": [0, 1], "d": [3, None], "e": True}
