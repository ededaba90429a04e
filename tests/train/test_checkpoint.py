"""Checkpoints: there whole or not at all, the newest whole one wins, and nothing else is touched."""

import errno
import os

import numpy as np
import pytest

from kbuild.train import checkpoint

STATE = {"epoch": 3, "wait": float("nan"), "best": None}


def arrays(step):
    return {"0": np.full((3, 2), step, "float32"), "seed": np.array([1, step], "uint32"), "scalar": np.int64(step)}


def saved(folder, *steps, keep=9):
    return [checkpoint.save(folder, step, arrays(step), {"step": step}, keep) for step in steps]


def test_gives_back_what_was_saved(tmp_path):
    checkpoint.save(tmp_path, 7, arrays(7), STATE)
    found = checkpoint.newest(tmp_path)
    assert found.step == 7
    assert {name: (a.dtype, a.tolist()) for name, a in found.arrays.items()} == {
        name: (np.asarray(a).dtype, np.asarray(a).tolist()) for name, a in arrays(7).items()
    }
    assert found.state["epoch"] == 3 and found.state["best"] is None and found.state["wait"] != found.state["wait"]


def test_no_checkpoint_is_none(tmp_path):
    assert checkpoint.newest(tmp_path) is None
    assert checkpoint.newest(tmp_path / "absent") is None


def test_keeps_the_newest(tmp_path):
    saved(tmp_path, 2, 9, 10, 11, keep=2)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["step-0000000010", "step-0000000011"]


@pytest.mark.parametrize("keep", [1, 2])
def test_a_torn_one_does_not_count(tmp_path, keep):
    _, _, late = saved(tmp_path, 1, 2, 8, keep=9)
    (late / checkpoint.ARRAYS).write_bytes(b"torn")
    half = tmp_path / "step-0000000003"
    half.mkdir()
    (half / checkpoint.ARRAYS).write_bytes(b"no manifest")
    assert checkpoint.newest(tmp_path).step == 2
    saved(tmp_path, 4, keep=keep)
    assert [int(path.name[-10:]) for path in sorted(tmp_path.iterdir())] == [1, 2, 4][-keep:]


@pytest.mark.parametrize("name", [checkpoint.ARRAYS, checkpoint.STATE, checkpoint.MANIFEST])
@pytest.mark.parametrize("harm", ["truncated", "empty", "flipped", "gone", "zeros"])
def test_a_torn_file_gives_way_to_the_one_before(tmp_path, name, harm):
    older, newer = saved(tmp_path, 1, 2)
    content = (newer / name).read_bytes()
    middle = len(content) // 2
    match harm:
        case "gone":
            (newer / name).unlink()
        case "flipped":
            (newer / name).write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        case _:
            (newer / name).write_bytes(
                {"truncated": content[:middle], "empty": b"", "zeros": bytes(len(content))}[harm]
            )
    told = []
    assert checkpoint.newest(tmp_path, told.append).step == 1
    assert len(told) == 1 and str(newer) in told[0]
    (older / checkpoint.ARRAYS).unlink()
    assert checkpoint.newest(tmp_path) is None


@pytest.mark.parametrize("at", range(8))
def test_a_disk_that_refuses_leaves_the_others_as_they_were(tmp_path, monkeypatch, at):
    (before,) = saved(tmp_path, 1)
    content = {path.name: path.read_bytes() for path in before.iterdir()}
    calls = []

    def refuse(name):
        calls.append(name)
        if len(calls) == at + 1 and name != "retention":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoint, "phase", refuse)
    try:
        saved(tmp_path, 2)
        assert calls[-1] == "retention" and at >= len(calls) - 1
    except OSError:
        assert [path.name for path in tmp_path.iterdir()] == [before.name]
    assert {path.name: path.read_bytes() for path in before.iterdir()} == content


def test_every_phase_is_passed(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(checkpoint, "phase", calls.append)
    saved(tmp_path, 1)
    assert calls == ["payload", "fsync", "payload", "fsync", "manifest", "fsync", "rename", "retention"]


def test_touches_nothing_of_others(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "step-note").mkdir()
    (path,) = saved(tmp_path, 1)
    (path / "mine.txt").write_text("mine")
    saved(tmp_path, 2, 3, keep=1)
    checkpoint.clean(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == (path / "mine.txt").read_text() == "mine"
    assert (tmp_path / "step-note").is_dir()
    assert checkpoint.newest(tmp_path).step == 3


def test_what_a_killed_process_began_is_removed(tmp_path):
    saved(tmp_path, 1)
    left = tmp_path / ".step-0000000002-4711"
    left.mkdir()
    (left / checkpoint.ARRAYS).write_bytes(b"half")
    checkpoint.clean(tmp_path)
    assert not left.exists()
    assert checkpoint.newest(tmp_path).step == 1


def test_the_same_step_again_replaces_it(tmp_path):
    checkpoint.save(tmp_path, 1, arrays(1), {"a": 1})
    checkpoint.save(tmp_path, 1, arrays(1), {"a": 2})
    assert checkpoint.newest(tmp_path).state == {"a": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000000001"]
