"""A search whose driver and workers are killed anywhere becomes the search that nothing happened to.

Every kill is a real SIGKILL of a real process: of the driver before an operation on a file of the study or in the middle
of a write, of a worker at a batch.
"""

import csv
import errno
import shutil
import signal
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from nursery import Disk

from kbuild.search import ledger
from kbuild.search.study import open_study

SCRIPT = Path(__file__).with_name("killed.py")
SPEC = """
kbuild: 1
name: small
data: {source: iris, batch_size: 32}
model:
  - {Dense: {units: {$int: [4, 16]}}, repeat: {$int: [1, 2]}, name: stage}
  - ReLU
  - {Dense: {units: 3, activation: softmax}}
train:
  {epochs: 2, optimizer: {Adam: {$float: [1e-3, 1e-1], sampling: log}}, tensorboard: false, execution: {jit: false},
  checkpoint: {every: 3 steps}}
tune: {oracle: {ORACLE: {max_trials: 4}}, objective: val_loss, parallel: 2}
"""
BATCHES = 8
VARYING = ("elapsed", "seconds")
PLACES = {
    "ledger": (("open", "write", "fsync"), "/ledger.jsonl"),
    "run.json": (("open", "write", "fsync", "rename"), "-run.json"),
    "spec": (("open", "write", "fsync", "rename"), "-spec.yaml"),
    "table": (("open", "write", "fsync", "rename"), "trials.csv"),
    "best": (("open", "write", "fsync", "rename"), "best.yaml"),
    "top": (("open", "write", "fsync", "rename", "mkdir"), "/top"),
}


def told(path):
    """What a ledger says, but for the times; ends in the order of trials."""
    events = [{k: v for k, v in e.items() if k not in VARYING} for e in ledger.read(path / ledger.NAME)]
    ends = sorted((e for e in events if e["event"] == "end"), key=lambda e: e["trial"])
    return [e for e in events if e["event"] == "study"], [e for e in events if e["event"] == "trial"], ends


def answers(path):
    """`best.yaml`, `top/` and `trials.csv`, but for the times and the name of the study."""
    with (path / "trials.csv").open() as file:
        rows = [{k: v for k, v in row.items() if k not in VARYING} for row in csv.DictReader(file)]
    specs = [path / "best.yaml", *sorted((path / "top").iterdir())]
    return rows, [file.read_text().replace(f"in {path.name}\n", "in STUDY\n") for file in specs]


def same(path, whole):
    assert told(path) == told(whole)
    assert answers(path) == answers(whole)
    assert open_study(path).status == "done"
    for trial in open_study(path).trials:
        assert (path / "trials" / f"{trial.number:04d}" / "model.keras").is_file()


def order(spec, out, *when):
    argv = [str(one) for one in (SCRIPT, spec, out, *when)]
    return "-c", f"import runpy, sys; sys.argv = {argv!r}; runpy.run_path(sys.argv[0], run_name='__main__')"


def search(warm, spec, out, *when, check=True, whose="driver", **options):
    """Run a search in a process of its own; what has not begun begins anew. `whose` disk it is that fails."""
    if out.exists() and not (out / "run.json").exists():
        shutil.rmtree(out)
    done = warm.run(*order(spec, out, *when), environment={"WARM": "1", "WHOSE": whose}, **options)
    assert not check or done.code == 0, done.err
    return done


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "small.yaml"
    path.write_text(SPEC.replace("ORACLE", "RandomSearch"))
    return path


@pytest.fixture(scope="module")
def whole(warm, spec, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "study"
    search(warm, spec, path)
    return path


def deaths(path):
    """How many workers died in a study so far."""
    file = Path(f"{path}.deaths")
    return len(file.read_text().splitlines()) if file.exists() else 0


def disk_of(place, path, at, error=0):
    """What is to happen to the driver."""
    operations, part = PLACES[place]
    return Disk(path, operations, part, at, error, error != 0)


def killed(warm, spec, path, place, at, batch):
    """Run a search until the driver is killed, or to its end; workers are killed too. What was killed, by place."""
    before = deaths(path)
    done = search(
        warm, spec, path, check=False, kill=[("batch", batch, signal.SIGKILL)] if batch else (),
        disk=disk_of(place, path, at) if warm.disk else None,
    )  # fmt: skip
    assert done.code in (0, -signal.SIGKILL), done.err
    found = Counter({"worker": deaths(path) - before})
    if done.code:
        found[place] += 1
    return +found


def test_a_driver_and_its_workers_that_are_killed_leave_the_same_search(warm, spec, whole, tmp_path):
    path = tmp_path / "study"
    # each worker dies in its second trial, and the driver when the first of those is to be told
    done = search(warm, spec, path, "fsync", 8, check=False, kill=[("batch", BATCHES + 3, signal.SIGKILL)])
    assert done.code == -signal.SIGKILL
    assert len(told(path)[2]) < 4
    assert deaths(path) > 0
    search(warm, spec, path)
    same(path, whole)


@pytest.fixture(scope="module")
def counted():
    return Counter()


@pytest.mark.full
@pytest.mark.parametrize("case", range(25))
def test_kills_everywhere(case, warm, spec, whole, tmp_path, counted):
    """Two drivers are killed one after the other, in each place in turn, and workers with them."""
    rng, path, places = Random(case), tmp_path / "study", list(PLACES)
    for number in (2 * case, 2 * case + 1):
        place = places[number % len(places)]
        # in its first trial a worker would die again at the same batch, and the trial have failed
        batch = rng.randint(BATCHES + 1, 2 * BATCHES)
        found = killed(warm, spec, path, place, rng.randint(1, 14 if place == "ledger" else 6), batch)
        counted.update(found)
    search(warm, spec, path)
    same(path, whole)


@pytest.mark.full
def test_the_kills_were_kills(counted):
    print(dict(counted))
    assert counted.total() >= 50
    assert set(counted) == {"worker", *PLACES}


@pytest.mark.full
@pytest.mark.parametrize(
    ("place", "at"),
    [("ledger", 1), ("ledger", 4), ("ledger", 9), ("run.json", 3), ("table", 2), ("best", 1), ("top", 3)],
)
def test_a_disk_that_is_full_stops_the_search_and_it_goes_on(place, at, warm, spec, whole, tmp_path):
    if not warm.disk:
        pytest.skip("no C compiler, or not Linux: nothing can be put between a process and its disk")
    path = tmp_path / "study"
    done = search(warm, spec, path, check=False, disk=disk_of(place, path, at, errno.ENOSPC))
    assert (done.code, done.out.split()) in [(4, ["K608"]), (5, ["K602"])], done.err
    assert done.hit
    search(warm, spec, path)
    same(path, whole)


@pytest.mark.full
@pytest.mark.parametrize("at", [1, 7, 20, 45])
def test_a_disk_that_is_full_for_a_worker_is_not_the_fault_of_a_trial(at, warm, spec, whole, tmp_path):
    if not warm.disk:
        pytest.skip("no C compiler, or not Linux: nothing can be put between a process and its disk")
    path = tmp_path / "study"
    disk = Disk(path, ("open", "write", "fsync", "rename", "mkdir"), "/trials/0", at, errno.ENOSPC, True)
    done = search(warm, spec, path, check=False, disk=disk, whose="all")
    assert (done.code, done.out.split()) == (4, ["K608"]), done.err
    assert told(path)[2] == []
    search(warm, spec, path)
    same(path, whole)


@pytest.mark.full
def test_a_trial_that_hangs_is_ended_and_the_search_goes_on(warm, tmp_path):
    (tmp_path / "slow.yaml").write_text(
        SPEC.replace("ORACLE", "RandomSearch").replace("parallel: 2", "parallel: 2, timeout: 15 seconds")
    )
    path = tmp_path / "study"
    search(warm, tmp_path / "slow.yaml", path, kill=[("batch", BATCHES + 2, signal.SIGSTOP)])
    study = open_study(path)
    assert study.status == "done"
    assert {trial.reason for trial in study.trials if trial.status == "failed"} == {"it took longer than 15 seconds"}
    assert len(study.ranked) >= 2


@pytest.mark.full
def test_a_trial_whose_process_dies_twice_has_failed(warm, spec, tmp_path):
    path = tmp_path / "study"
    done = search(warm, spec, path, check=False, kill=[("batch", 2, signal.SIGKILL)])
    study = open_study(path)
    assert (done.code, study.status, study.best) == (4, "failed", None)
    assert {trial.reason for trial in study.trials if trial.reason} == {"its process ended with signal 9, 2 times"}
    assert not (path / "best.yaml").exists()


@pytest.mark.full
def test_a_worker_that_somebody_stops_goes_on(warm, spec, whole, tmp_path):
    path = tmp_path / "study"
    search(warm, spec, path, kill=[("batch", BATCHES + 3, signal.SIGTERM)])
    same(path, whole)
