"""A disk that is full, read-only or broken: what was saved stays whole, the command says what to do, and the run goes on.

The errors are the system's own, or those that disk.c gives in its place.
"""

import contextlib
import errno
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nursery import Disk

from kbuild.train import checkpoint

SAVE = """
import numpy as np
from kbuild.train import checkpoint
try:
    checkpoint.save(__import__("pathlib").Path({folder!r}), 3, {{"a": np.full(500, 3.0)}}, {{"step": 3}}, 2)
    print("saved")
except OSError as error:
    print(error.errno)
"""
SPEC = """
kbuild: 1
name: faults
data: {source: {npz: data.npz, x: x, y: y}, split: {validation: 0.2, test: 0.2}, batch_size: 8}
model: [{Dense: {units: 12, activation: relu}}, {Dropout: 0.2}, {Dense: {units: 3, activation: softmax}}]
train: {epochs: 3, optimizer: {Adam: 1e-2}, checkpoint: {every: 4 steps}}
"""


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def two(folder: Path) -> Path:
    """A folder with two whole checkpoints."""
    for step in (1, 2):
        checkpoint.save(folder, step, {"a": np.full(500, float(step))}, {"step": step}, 2)
    return folder


@pytest.mark.parametrize("sticky", [False, True], ids=["once", "from_then_on"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EACCES], ids=errno.errorcode.get)
def test_whatever_fails_in_a_save_the_checkpoints_before_are_as_they_were(disk, tmp_path, error, sticky):
    folder = two(tmp_path / "0" / "checkpoints")
    before = files(folder)
    operations = ("open", "write", "fsync", "rename", "mkdir") if sticky else ()
    everything = disk.run(
        "-c", SAVE.format(folder=str(two(tmp_path / "all" / "checkpoints"))), disk=Disk(tmp_path / "all")
    )
    names = [line.split()[0] for line in everything.touched]
    assert {"open", "write", "fsync", "rename", "mkdir", "unlink", "rmdir"} <= set(names)
    count = sum(not operations or name in operations for name in names)
    for at in range(1, count + 1):
        root = tmp_path / str(at)
        folder = two(root / "checkpoints")
        done = disk.run("-c", SAVE.format(folder=str(folder)), disk=Disk(root, operations, "", at, error, sticky))
        failed = done.hit[0]
        # that the folder is there is all that its `mkdir` is for
        late = failed.split()[0] in ("unlink", "rmdir") or failed == "fsync checkpoints" or done.out == "saved\n"
        assert (done.code, done.out) == (
            0,
            "saved\n" if failed == "mkdir checkpoints" and not sticky else f"{error}\n",
        ), (failed, done.err)
        left = files(folder)
        # what fails after the new one is in its place leaves it there; before, everything is as it was
        assert left == before or late, failed
        assert checkpoint.newest(folder).step == (3 if late else 2), failed
        assert not [name for name in left if name.startswith(".")], failed
        assert disk.run("-c", SAVE.format(folder=str(folder))).out == "saved\n"
        assert checkpoint.newest(folder).step == 3
        assert sorted(path.name for path in folder.iterdir()) == ["step-0000000002", "step-0000000003"]
    past = disk.run("-c", SAVE.format(folder=str(folder)), disk=Disk(tmp_path, operations, "", 99, error, sticky))
    assert past.out == "saved\n" and not past.hit


@pytest.fixture(scope="module")
def harmed(tmp_path_factory) -> Path:
    return two(tmp_path_factory.mktemp("harmed"))


@pytest.mark.parametrize("name", [checkpoint.ARRAYS, checkpoint.STATE, checkpoint.MANIFEST])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_checkpoint_is_what_was_written_or_gives_way(harmed, name, data):
    path = harmed / "step-0000000002" / name
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    harm = data.draw(st.sampled_from(["truncated", "zeros", "flipped", "other", "longer"]))
    try:
        match harm:
            case "truncated":
                path.write_bytes(content[:at])
            case "zeros":
                length = data.draw(st.integers(1, len(content) - at))
                path.write_bytes(content[:at] + bytes(length) + content[at + length :])
            case "flipped":
                path.write_bytes(
                    content[:at] + bytes([content[at] ^ 1 << data.draw(st.integers(0, 7))]) + content[at + 1 :]
                )
            case "other":
                path.write_bytes(data.draw(st.binary(max_size=80)))
            case "longer":
                path.write_bytes(content + b"x")
        told: list[str] = []
        found = checkpoint.newest(harmed, told.append)
        assert (found.step, len(told)) in ((1, 1), (2, 0))
        assert found.state == {"step": found.step} and found.arrays["a"].tolist() == [found.step] * 500
    finally:
        path.write_bytes(content)


@pytest.fixture(scope="module")
def spec(tmp_path_factory) -> Path:
    from sklearn.datasets import load_wine

    path = tmp_path_factory.mktemp("spec")
    found = load_wine()
    np.savez(path / "data.npz", x=(found.data / found.data.max(0)).astype("float32"), y=found.target)
    (path / "faults.yaml").write_text(SPEC)
    return path / "faults.yaml"


@pytest.fixture(scope="module")
def whole(spec, nursery, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "run"
    done = nursery.run("fit", spec, "--out", path, "--quiet")
    assert done.code == 0, done.err
    return path


def fails(done, run: Path, reason: str) -> None:
    """It says so in one line, with what to do, and its exit code is that of a training that failed."""
    assert done.code == 4, done.err
    assert f"error[K608]: cannot write the run `{run}`: {reason}\n" in done.err
    assert f"kbuild fit --resume {run}`" in done.err and "Traceback" not in done.err and "Traceback" not in done.out
    assert not list(run.rglob(".*")), "something staged is left"


def goes_on(nursery, run: Path, whole: Path) -> None:
    done = nursery.run("fit", "--resume", run, "--quiet")
    assert done.code == 0, done.err
    one, other = checkpoint.newest(run / "checkpoints"), checkpoint.newest(whole / "checkpoints")
    assert {name: array.tobytes() for name, array in one.arrays.items()} == {
        n: a.tobytes() for n, a in other.arrays.items()
    }
    for key in ("epoch", "batch", "best", "callbacks", "stopped"):
        assert one.state[key] == other.state[key]
    assert (run / "report" / "evaluation.json").read_bytes() == (whole / "report" / "evaluation.json").read_bytes()
    assert not list(run.rglob(".*"))


CREATING = ("open", "write", "mkdir")
FAULTS = [
    ("arrays.npz", CREATING, 3, errno.ENOSPC, True),
    ("checkpoints/.step", ("rename",), 2, errno.EIO, False),
    ("history.csv", ("write",), 2, errno.ENOSPC, True),
    ("tensorboard/validation", CREATING, 2, errno.ENOSPC, True),
    ("model.keras", CREATING, 3, errno.ENOSPC, True),
    ("report/", ("open",), 2, errno.EACCES, False),
]
MORE = [
    ("checkpoints/.step", ("fsync",), 5, errno.EIO, False),
    ("checkpoints/.step", ("mkdir",), 1, errno.ENOSPC, True),
    ("checkpoints/step", ("unlink", "rmdir"), 2, errno.EACCES, True),
    ("history.csv", ("open",), 1, errno.EACCES, True),
    ("history.csv", ("fsync",), 1, errno.EIO, False),
    ("tensorboard", ("open",), 1, errno.EACCES, True),
    ("tensorboard", ("mkdir",), 1, errno.ENOSPC, True),
    ("tensorboard/train", ("write",), 3, errno.EIO, False),
    ("run.json", CREATING, 4, errno.ENOSPC, True),
    ("run.json", ("rename",), 3, errno.EIO, False),
    ("model.keras", ("rename",), 1, errno.EIO, False),
    ("curves.png", CREATING, 2, errno.ENOSPC, True),
    ("confusion.png", CREATING, 2, errno.ENOSPC, True),
    ("evaluation.json", CREATING, 1, errno.ENOSPC, True),
    ("", CREATING, 40, errno.ENOSPC, True),
    ("", CREATING, 60, errno.ENOSPC, True),
    ("", CREATING, 80, errno.ENOSPC, True),
]


@pytest.mark.parametrize(
    ("part", "operations", "at", "error", "sticky"),
    [*FAULTS, *(pytest.param(*one, marks=pytest.mark.full) for one in MORE)],
)
def test_a_disk_that_fails_ends_the_command_and_the_run_goes_on(
    disk, spec, whole, tmp_path, part, operations, at, error, sticky
):
    run = tmp_path / "run"
    # what makes room is not the only thing that a full disk refuses: nothing more is written anywhere
    done = disk.run("fit", spec, "--out", run, "--quiet", disk=Disk(run, operations, part, at, error, sticky))
    assert done.hit, "the fault never came"
    fails(done, run, os.strerror(error))
    goes_on(disk, run, whole)


@pytest.mark.parametrize("part", ["spec.yaml", pytest.param("run.json", marks=pytest.mark.full)])
def test_a_disk_that_fails_before_there_is_a_run(disk, spec, tmp_path, part):
    run = tmp_path / "run"
    done = disk.run("fit", spec, "--out", run, "--quiet", disk=Disk(run, CREATING, part, 2, errno.ENOSPC, True))
    assert (done.code, "K608" in done.err, "Traceback" in done.err) == (4, True, False), done.err
    assert f"help: make room, remove `{run}`, then train again\n" in done.err and "--resume" not in done.err


@pytest.mark.parametrize("limit", [6000, pytest.param(20_000, marks=pytest.mark.full)])
def test_a_limit_of_the_system(nursery, spec, whole, tmp_path, limit):
    """The kernel's own error, EFBIG: one size stops a checkpoint, the other the model at the end."""
    run = tmp_path / "run"
    sizes = sorted(len(content) for content in files(whole).values())
    assert sizes[-1] > limit
    done = nursery.run("fit", spec, "--out", run, "--quiet", limits={"RLIMIT_FSIZE": limit})
    fails(done, run, os.strerror(errno.EFBIG))
    goes_on(nursery, run, whole)


@contextlib.contextmanager
def mounted(folder: Path, size: int):
    """A disk of its own, as small as asked for."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(os.name != "posix", reason="mounts a file system")
def test_a_disk_that_is_really_full(nursery, spec, whole, tmp_path):
    with mounted(tmp_path / "disk", 1 << 20) as place:
        free = sum(len(content) for content in files(whole).values()) // 2
        (place / "filler").write_bytes(bytes((1 << 20) - (free + 4096 * 8)))
        run = place / "run"
        done = nursery.run("fit", spec, "--out", run, "--quiet")
        fails(done, run, os.strerror(errno.ENOSPC))
        (place / "filler").unlink()
        goes_on(nursery, run, whole)


@pytest.mark.full
@pytest.mark.skipif(os.name != "posix", reason="mounts a file system")
def test_a_disk_that_becomes_read_only(nursery, spec, whole, tmp_path):
    with mounted(tmp_path / "disk", 1 << 22) as place:
        run = place / "run"
        import signal

        stopped = nursery.run("fit", spec, "--out", run, "--quiet", kill=[("epoch", 2, signal.SIGKILL)])
        assert stopped.code == -9
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        before = files(run)
        done = nursery.run("fit", "--resume", run, "--quiet")
        assert (done.code, "K608" in done.err, "Traceback" in done.err) == (4, True, False), done.err
        assert files(run) == before
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)
        goes_on(nursery, run, whole)


def test_a_place_where_nothing_may_be_written(nursery, spec, tmp_path):
    (tmp_path / "file").write_text("mine")
    done = nursery.run("fit", spec, "--out", tmp_path / "file" / "run", "--quiet")
    assert (done.code, "K602" in done.err, "Traceback" in done.err) == (5, True, False)
    assert (tmp_path / "file").read_text() == "mine"
