"""Repeats and folds: a set of runs is its runs, each what it would be alone, and goes on from wherever it was left."""

import json
import os
import shutil
import signal
import statistics
from pathlib import Path

import numpy as np
import pytest
from nursery import Disk

import kbuild
from kbuild.data.load import load as load_data
from kbuild.text.problem import SpecError
from kbuild.train import checkpoint, lock
from kbuild.train.members import members, spec_of
from kbuild.train.progress import Reporter
from kbuild.train.resume import resume
from kbuild.train.runset import RunSet, spread
from kbuild.train.score import evaluate
from kbuild.train.verify import verify

SPEC = """
kbuild: 1
name: set
data: {source: iris, split: {test: 0.2}, batch_size: 32}
model: [{Dense: {units: 8, activation: relu}}, {Dropout: 0.3}, {Dense: {units: 3, activation: softmax}}]
train: {epochs: 3, optimizer: {Adam: 1e-2}, seed: 7, metrics: [accuracy], checkpoint: {every: 2 steps, keep: 2}}
"""
FULL = os.environ.get("KBUILD_FULL") == "1"


def spec(**overrides):
    return kbuild.load(SPEC, overrides={key.replace("__", "."): value for key, value in overrides.items()})


def content(run: Path) -> dict[str, object]:
    """All that a run leaves that is to be equal: every number but the seconds, and the spec."""
    newest = checkpoint.newest(run / "checkpoints")
    assert newest is not None
    info = json.loads((run / "run.json").read_text())
    return {
        "arrays": {name: (a.dtype.str, a.tobytes()) for name, a in newest.arrays.items()},
        "rows": [{key: value for key, value in row.items() if key != "seconds"} for row in newest.state["rows"]],
        "counts": json.dumps([newest.state[key] for key in ("epoch", "batch", "best", "callbacks", "stopped")]),
        "run": {key: info[key] for key in ("status", "epochs", "best_epoch", "metrics", "test", "seed", "witness")},
        "spec": (run / "spec.yaml").read_text(),
    }


def same(one: Path, other: Path, each: bool = True) -> None:
    """Two runs, or two sets: what they say of themselves, and all of each member."""
    if each:
        found, wanted = (json.loads((path / "run.json").read_text()) for path in (one, other))
        for key in ("status", "metrics", "test", "epochs"):
            assert found[key] == wanted[key], key
        assert [run["run"] for run in found["members"]] == [run["run"] for run in wanted["members"]]
        for run in wanted["members"]:
            same(one / run["run"], other / run["run"], each=False)
        return
    found, wanted = content(one), content(other)
    for part, value in wanted.items():
        assert found[part] == value, part


@pytest.fixture(scope="module")
def made(nursery, tmp_path_factory):
    """A spec of two repeats, the set that `kbuild fit` makes of it, and what that did to files."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "set.yaml").write_text(SPEC.replace("keep: 2}}", "keep: 2}, repeats: 2}"))
    disk = Disk(folder) if nursery.disk else None
    done = nursery.run("fit", folder / "set.yaml", "--out", folder / "set", "--json", disk=disk)
    assert done.code == 0, done.err
    return folder / "set.yaml", folder / "set", json.loads(done.out), done.touched


@pytest.fixture(scope="module")
def repeats(made) -> RunSet:
    return kbuild.open_run(made[1])


@pytest.fixture(scope="module")
def folds(tmp_path_factory) -> RunSet:
    path = tmp_path_factory.mktemp("folds") / "set"
    return kbuild.fit(spec(data__split__folds=2), out=path, report=Reporter())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [(7, None, {})]),
        ({"train__repeats": 2}, [
            (7, None, {"train.repeats": 1, "train.seed": 7, "data.split.seed": 7}),
            (8, None, {"train.repeats": 1, "train.seed": 8, "data.split.seed": 7}),
        ]),
        ({"train__repeats": 2, "data__split__seed": 3}, [
            (7, None, {"train.repeats": 1, "train.seed": 7, "data.split.seed": 3}),
            (8, None, {"train.repeats": 1, "train.seed": 8, "data.split.seed": 3}),
        ]),
        ({"data__split__folds": 2}, [(7, 1, {"data.split.fold": 1}), (7, 2, {"data.split.fold": 2})]),
        ({"data__split__folds": 2, "data__split__fold": 2}, [(7, 2, {})]),
    ],
)  # fmt: skip
def test_what_a_spec_asks_for(changes, expected):
    assert [(one.seed, one.fold, one.changes) for one in members(spec(**changes))] == expected


def test_repeats_of_folds_are_all_folds_for_each_seed():
    found = members(spec(train__repeats=2, data__split__folds=3))
    assert [(one.number, one.seed, one.fold) for one in found] == [
        (1, 7, 1), (2, 7, 2), (3, 7, 3), (4, 8, 1), (5, 8, 2), (6, 8, 3),
    ]  # fmt: skip
    assert {one.changes["data.split.seed"] for one in found} == {7}


def test_data_that_are_not_split_need_no_seed_for_it():
    text = SPEC.replace("split: {test: 0.2}", "split: false")
    _, second = members(kbuild.load(text, overrides={"train.repeats": 2}))
    assert "data.split.seed" not in second.changes
    assert spec_of(kbuild.load(text, overrides={"train.repeats": 2}), second).data.split.test == 0


@pytest.mark.full
@pytest.mark.parametrize("kind", ["repeats", "folds"])
def test_a_member_is_what_its_spec_fits_to_alone(kind, request, tmp_path):
    path = request.getfixturevalue(kind).path / "members" / "2"
    kbuild.fit(kbuild.load(path / "spec.yaml"), out=tmp_path / "alone", report=Reporter())
    same(tmp_path / "alone", path, each=False)


def test_repeats_differ_in_their_weights_and_not_in_their_data(repeats):
    paths = [run.path for run in repeats.members]
    infos = [json.loads((path / "run.json").read_text()) for path in paths]
    assert [info["seed"] for info in infos] == [7, 8]
    assert len({info["data"]["digest"] for info in infos}) == 1
    assert len({content(path)["arrays"]["model/0"] for path in paths}) == 2


def test_each_example_is_in_the_validation_part_of_one_fold(folds):
    parts = []
    for run in folds.members:
        member = kbuild.load(run.path / "spec.yaml")
        data = load_data(member.data, member.train.seed)
        rows = {name: np.asarray(getattr(data, name).x["input"]) for name in ("train", "validation", "test")}
        parts.append({name: sorted(map(bytes, array)) for name, array in rows.items()})
    tests = {tuple(part["test"]) for part in parts}
    assert len(tests) == 1
    shown = [row for part in parts for row in part["validation"]]
    assert len(shown) == 120
    assert sorted(shown) == sorted(parts[0]["train"] + parts[0]["validation"])


@pytest.mark.parametrize("kind", ["repeats", "folds"])
def test_the_set_says_mean_and_sample_deviation(kind, request):
    found = request.getfixturevalue(kind)
    info = json.loads((found.path / "run.json").read_text())
    assert (found.status, found.exit_code, info["kind"], info["status"]) == ("done", 0, kind, "done")
    for where, mean, sd in (("metrics", found.metrics, found.sd), ("test", found.test, found.test_sd)):
        each = [json.loads((run.path / "run.json").read_text())[where] for run in found.members]
        assert each[0]
        for name in each[0]:
            values = [one[name] for one in each]
            assert info[where][name] == {"mean": mean[name], "sd": sd[name], "values": values}
            assert mean[name] == pytest.approx(np.mean(values))
            assert sd[name] == pytest.approx(np.std(values, ddof=1))
    assert (found.path / "report" / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert found.epochs == sum(run.epochs for run in found.members) == 6
    assert kbuild.open_run(found.path) == found
    assert found.history["loss"][0] == pytest.approx(np.mean([run.history["loss"][0] for run in found.members]))


def test_a_deviation_needs_two_and_a_mean_one():
    assert spread([{"a": 1.0}]) == {"a": {"mean": 1.0, "sd": None, "values": [1.0]}}
    assert spread([{"a": None}]) == {"a": {"mean": None, "sd": None, "values": [None]}}
    assert spread([{"a": 1.0}, {"a": None}, {"a": 2.0}])["a"]["sd"] == statistics.stdev([1.0, 2.0])


def test_the_command_says_the_same(made, repeats):
    told = made[2]
    assert told == json.loads(json.dumps(repeats.as_json()))
    assert list(told) == [
        "run", "kind", "status", "members", "epochs", "seconds", "metrics", "sd", "test", "test_sd",
    ]  # fmt: skip
    assert [one["run"] for one in told["members"]] == [str(made[1] / "members" / number) for number in "12"]


def left(whole: Path, out: Path, at: int, **told) -> Path:
    """A set as if it had been killed after checkpoint number `at` of its second member."""
    shutil.copytree(whole, out)
    second = out / "members" / "2"
    for path in sorted((second / "checkpoints").glob("step-*"))[at + 1 :]:
        shutil.rmtree(path)
    (second / "model.keras").unlink()
    for where, fields in ((second, {}), (out, told)):
        info = json.loads((where / "run.json").read_text())
        (where / "run.json").write_text(json.dumps({**info, "status": "running", **fields}))
    return out


@pytest.mark.full
def test_a_set_goes_on_with_a_member_that_had_hardly_begun(repeats, tmp_path):
    out = shutil.copytree(repeats.path, tmp_path / "set")
    second = out / "members" / "2"
    shutil.rmtree(second)
    (second / "source").mkdir(parents=True)  # what a kill leaves of a member that had just begun
    (second / "mine.txt").write_text("kept")
    assert resume(out, report=Reporter()).status == "done"
    same(out, repeats.path)
    assert (second / "mine.txt").read_text() == "kept"
    with pytest.raises(SpecError) as error:
        resume(out, report=Reporter())
    assert error.value.problems[0].code == "K621"


PLACES = {
    "what the set says": (("open", "write", "fsync", "rename"), "set/.kbuild"),
    "a checkpoint": (("rename",), "members/2/checkpoints"),
    "a member's folders": (("mkdir",), "members/2"),
    "what a member says": (("open", "write", "rename"), "members/2/.kbuild"),
    "the report": (("open", "write", "rename"), "set/report/.kbuild"),
}
RNG = np.random.default_rng(0)
POINTS = [
    (place, float(RNG.random())) for _ in range(8 if FULL else 1) for place in tuple(PLACES)[: None if FULL else 1]
]


@pytest.mark.parametrize(("place", "share"), POINTS)
def test_a_killed_set_goes_on_to_the_same_end(place, share, made, disk, tmp_path):
    file, whole, _, touched = made
    operations, part = PLACES[place]
    times = sum(line.split(" ")[0] in operations and part in line for line in touched)
    assert times
    aim = Disk(tmp_path, operations, part, 1 + int(share * times))
    killed = disk.run("fit", file, "--out", tmp_path / "set", "--quiet", disk=aim)
    assert (killed.code, len(killed.hit)) == (-9, 1), killed.err
    if (tmp_path / "set" / "run.json").exists():
        on = disk.run("fit", "--resume", tmp_path / "set", "--quiet")
        assert on.code == 0, on.err
        same(tmp_path / "set", whole)
        assert not list((tmp_path / "set").rglob(".kbuild-*"))


class Signalled(Reporter):
    """Sends a signal to its own process at the end of an epoch, counted over all members, or when a note is told."""

    def __init__(self, number: int, epoch: int = 0, note: str = ""):
        self._number, self._epoch, self._note, self._epochs = number, epoch, note, 0

    def epoch(self, row: object, best: bool) -> None:
        self._epochs += 1
        if self._epochs == self._epoch:
            os.kill(os.getpid(), self._number)

    def note(self, text: str) -> None:
        if self._note and text.startswith(self._note):
            os.kill(os.getpid(), self._number)


@pytest.mark.full
@pytest.mark.parametrize(
    ("report", "code", "begun"),
    [
        pytest.param(Signalled(signal.SIGTERM, epoch=4), 143, 2, marks=pytest.mark.full, id="in a member"),
        pytest.param(Signalled(signal.SIGINT, note="member 1 (seed 7) of 2 is"), 130, 1, id="between two"),
    ],
)
def test_a_signal_ends_a_set_that_can_go_on(report, code, begun, repeats, tmp_path):
    stopped = kbuild.fit(spec(train__repeats=2), out=tmp_path / "set", report=report)
    assert (stopped.status, stopped.exit_code, len(stopped.members)) == ("stopped", code, begun)
    assert json.loads((tmp_path / "set" / "run.json").read_text())["signal"] == code - 128
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert resume(tmp_path / "set", report=Reporter()).exit_code == 0
    same(tmp_path / "set", repeats.path)


@pytest.mark.full
def test_a_longer_set_is_its_members_made_longer(repeats, tmp_path):
    by_hand, out = shutil.copytree(repeats.path, tmp_path / "by_hand"), left(repeats.path, tmp_path / "set", 1)
    for number in "12":
        resume(by_hand / "members" / number, epochs="+1", report=Reporter())
    assert resume(out, epochs="+1", report=Reporter()).epochs == 8
    for number in "12":
        same(out / "members" / number, by_hand / "members" / number, each=False)
    again = json.loads((out / "run.json").read_text())
    assert [one["extended"] for one in again["members"]] == [1, 1]


def test_a_member_whose_loss_is_no_number_leaves_the_others_alone(tmp_path):
    x = np.linspace(0, 1, 30, dtype="float32")
    y = x.copy()
    y[20] = 1e30  # in the second of two folds: the first trains on it
    np.savez(tmp_path / "numbers.npz", x=x[:, None], y=y[:, None])
    text = """
    kbuild: 1
    name: numbers
    data: {source: {npz: numbers.npz, x: x, y: y}, split: {folds: 2, test: 0, shuffle: false}}
    model: [{Dense: 1}]
    train: {epochs: 2, early_stopping: {monitor: loss}}
    """
    file = tmp_path / "numbers.yaml"
    file.write_text(text)
    found = kbuild.fit(kbuild.load(file), out=tmp_path / "set", report=Reporter())
    assert (found.status, found.exit_code) == ("failed", 4)
    assert [run.status for run in found.members] == ["failed", "done"]
    assert found.reasons.keys() == {1}
    assert "became infinite" in found.reasons[1]
    assert found.metrics["loss"] == found.members[1].metrics["loss"]
    assert found.sd["loss"] is None
    with pytest.raises(SpecError) as error:
        resume(tmp_path / "set", report=Reporter())
    problem = error.value.problems[0]
    assert (problem.code, problem.message) == (
        "K621", f"all 2 members of `{tmp_path}/set` are done; member 1 (fold 1, seed 0) failed, and would again"
    )  # fmt: skip


def test_a_set_is_evaluated_member_by_member(folds):
    report = evaluate(folds.path, "test")
    each = [evaluate(run.path, "test")["metrics"] for run in folds.members]
    assert [one["metrics"] for one in report["members"]] == each
    values = [one["accuracy"] for one in each]
    assert report["metrics"]["accuracy"]["values"] == values
    assert report["metrics"]["accuracy"]["sd"] == pytest.approx(np.std(values, ddof=1))
    assert json.loads((folds.path / "report" / "evaluation.json").read_text())["part"] == "test"


def test_a_set_has_no_model(folds):
    from kbuild.train.predict import predict
    from kbuild.train.run import load_model

    for ask in (lambda: predict(folds.path, [{"x": 1}]), lambda: folds.model, lambda: load_model(folds.path)):
        with pytest.raises(SpecError) as error:
            ask()
        problem = error.value.problems[0]
        assert (problem.code, error.value.exit_code) == ("K625", 5)
        assert problem.message == f"`{folds.path}` is a set of 2 runs, and one run is wanted"
        assert problem.help == "give one of its members: " + ", ".join(f"`{folds.path}/members/{n}`" for n in (1, 2))


def test_the_first_member_stands_for_the_set_when_it_is_verified(repeats):
    assert verify(repeats.path)["run"] == str(repeats.path / "members" / "1")


def test_one_process_at_a_time_trains_in_a_set(repeats):
    with lock.held(repeats.path), pytest.raises(SpecError) as error:
        resume(repeats.path, report=Reporter())
    assert error.value.problems[0].code == "K620"


def test_a_set_goes_on_as_the_same_only(repeats, tmp_path):
    out = shutil.copytree(repeats.path, tmp_path / "set")
    shutil.rmtree(out / "members" / "2")
    text = (out / "spec.yaml").read_text()
    (out / "spec.yaml").write_text(text.replace("units: 8", "units: 9"))
    with pytest.raises(SpecError) as error:
        resume(out, report=Reporter())
    assert (error.value.problems[0].code, error.value.exit_code) == ("K622", 5)
    (out / "spec.yaml").write_text(text)
    info = json.loads((out / "members" / "1" / "run.json").read_text())
    info["data"]["digest"] = "0" * 64
    (out / "members" / "1" / "run.json").write_text(json.dumps(info))
    with pytest.raises(SpecError, match="the data hold other examples than before"):
        resume(out, report=Reporter())


def test_what_is_wrong_with_the_data_leaves_no_directory(tmp_path):
    with pytest.raises(SpecError) as error:
        kbuild.fit(spec(data__split__folds=200), out=tmp_path / "set", report=Reporter())
    assert error.value.problems[0].code == "K442"
    assert not (tmp_path / "set").exists()


HELD = """
import os, sys, tempfile
from pathlib import Path
import kbuild
from kbuild.train.progress import Reporter
class Held(Reporter):
    def note(self, text):
        if " is done: " in text:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            print(pages * os.sysconf("SC_PAGE_SIZE") // 1024, flush=True)
changed = {"train.repeats": 20, "train.checkpoint": False, "train.epochs": 1, "model.layers.wide.units": 60000}
text = SPEC.replace("{Dense: {units: 8, activation: relu}}", "{Dense: {units: 8, activation: relu}, name: wide}")
with tempfile.TemporaryDirectory() as place:
    kbuild.fit(kbuild.load(text, overrides=changed), out=Path(place) / "set", report=Held())
"""


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux what a process holds")
def test_twenty_members_hold_no_more_than_three(nursery):
    """Each has six megabytes of weights and of what the optimizer keeps, in two functions that are compiled."""
    done = nursery.run("-c", f"SPEC = {SPEC!r}\n{HELD}")
    held = [int(line) for line in done.out.split()]
    assert (done.code, len(held)) == (0, 20), done.err
    assert held[-1] <= 1.2 * held[2], held
    # what is kept of every member would show long before that: a fifth of a process is many members
    assert held[-1] - held[9] < 10 * 3_000, held
