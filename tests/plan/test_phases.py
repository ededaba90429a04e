"""The phases of a training, before Keras starts: what learns in each, and what cannot work."""

import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

SPEC = """
kbuild: 1
data: {source: digits, batch_size: 64}
blocks: {unit: {params: {f: $required}, layers: [{Conv2D: {filters: $f, kernel_size: 3}, name: conv}, ReLU]}}
model:
  - {chain: [{unit: 4, repeat: 2, name: stage}], name: backbone, trainable: false}
  - Flatten
  - {Dense: {units: 8, activation: relu, trainable: false}, name: wide}
  - {Dense: {units: 10, activation: softmax}, name: head}
train:
  metrics: [accuracy]
  early_stopping: {patience: 3}
  phases: PHASES
"""
STAGE, WIDE, HEAD = [40, 148], 8 * 64 + 8, 90


def checked(phases: str):
    return check(load(SPEC.replace("PHASES", phases)))


def problems(phases: str):
    try:
        found = checked(phases).problems
    except SpecError as error:
        found = error.problems
    return [(p.code, p.severity, p.message, p.path) for p in found if p.severity != "hint"]


@pytest.mark.parametrize(
    ("trainable", "count"),
    [
        ("{}", HEAD),
        ("{backbone: true}", sum(STAGE) + HEAD),
        ("{stage: true, head: false}", sum(STAGE)),
        ("{stage-1: true}", STAGE[1] + HEAD),
        ("{stage-0-conv: true}", STAGE[0] + HEAD),
        ("{backbone: [stage-1*]}", STAGE[1] + HEAD),
        ("{stage: [1-conv]}", STAGE[1] + HEAD),
        ("{wide: true}", WIDE + HEAD),
        ('{"*": true}', sum(STAGE) + WIDE + HEAD),
        ('{"*": false, stage-1: true}', STAGE[1]),
        ('{"stage-*": true, head: false, stage-0: false}', STAGE[1]),
    ],
)
def test_what_learns_in_a_phase(trainable: str, count: int):
    found = checked(f"[{{epochs: 9}}, {{epochs: 9, trainable: {trainable}}}]")
    assert [phase.costs.total.trainable for phase in found.phases] == [HEAD, count]
    assert found.costs.total.trainable == HEAD
    assert [problem for problem in found.problems if problem.severity != "hint"] == []


def test_a_training_without_phases_is_one():
    (phase,) = checked("[]").phases
    assert (phase.number, phase.costs.total.trainable) == (0, HEAD)


@pytest.mark.parametrize(
    ("phases", "found"),
    [
        ("[{epochs: 9, trainable: {bckbone: true}}]",
         [("K201", "error", "the phase trains `bckbone`, which is not there", "train.phases.0.trainable.bckbone")]),
        ("[{epochs: 9}, {epochs: 9, trainable: {backbone: [cnv*]}}]",
         [("K219", "error", "`cnv*` matches no layer in `backbone`", "train.phases.1.trainable.backbone")]),
        ("[{epochs: 9, trainable: {head: false}}]",
         [("K243", "error", f"phase 1 trains nothing: all {sum(STAGE) + WIDE + HEAD:,} weights are frozen", "train.phases.0")]),
        ("[{epochs: 9, trainable: {head: true}}]",
         [("K244", "warning", "`head` is trainable without that", "train.phases.0.trainable.head")]),
        ("[{epochs: 9}, {epochs: 9, early_stopping: {monitor: val_acuracy}}]",
         [("K330", "error", "nothing is called `val_acuracy` to monitor", "train.phases.1.early_stopping.monitor")]),
        ("[{epochs: 9}, {epochs: 9, schedule: {cosine: {warmup: 9 epochs}}}]",
         [("K347", "warning", "the warm-up takes 9 epochs and phase 2 has 9 epochs: it never reaches its rate",
           "train.phases.1.schedule.cosine.warmup")]),
        ("[{epochs: 9}, {epochs: 9, optimizer: {Adam: 10}}]",
         [("K336", "warning", "the learning rate is 10, and `Adam` learns with 1e-08 to 0.5",
           "train.phases.1.optimizer")]),
    ],
)  # fmt: skip
def test_what_cannot_work(phases: str, found):
    assert problems(phases) == found


def test_what_is_written_for_all_need_not_suit_each():
    assert problems("[{epochs: 2}, {epochs: 9}]") == []
    late = ("K331", "warning", "`early_stopping` waits for 3 epochs, and phase 1 has 2: it can never stop it")
    assert problems("[{epochs: 2}, {epochs: 3}]") == [(*late, "train.early_stopping.patience")]
    assert [code for code, *_ in problems("[{epochs: 2, early_stopping: {patience: 4}}, {epochs: 9}]")] == ["K331"]


def test_a_frozen_network_is_not_told_of_where_a_phase_thaws_it():
    text = SPEC.replace("name: head}", "name: head, trainable: false}")
    codes = [p.code for p in check(load(text.replace("PHASES", "[]"))).problems if p.severity != "hint"]
    assert codes == ["K342"]
    thawed = "[{epochs: 9, trainable: {head: true}}, {epochs: 9, trainable: {backbone: true}}]"
    assert [p for p in check(load(text.replace("PHASES", thawed))).problems if p.severity != "hint"] == []


def test_a_difference_of_phases_is_told_once():
    from kbuild.plan.diff.compare import diff

    text = SPEC.replace("PHASES", "[{epochs: 9}, {epochs: 9, trainable: {backbone: true}, optimizer: {Adam: 1e-5}}]")

    def changes(**overrides):
        other = check(load(text, {f"train.{key}": value for key, value in overrides.items()}))
        return [(change.path, change.before, change.after) for change in diff(check(load(text)), other).train]

    assert changes() == []
    assert changes(accumulate=2) == [("train.accumulate", 1, 2)]
    assert changes(**{"phases.1.epochs": 4}) == [("train.phases.1.epochs", 9, 4)]
    assert changes(**{"phases.1.optimizer.Adam.learning_rate": 1e-4}) == [
        ("train.phases.1.optimizer.learning_rate", 1e-5, 1e-4)
    ]
    assert changes(phases=[{"epochs": 3}]) == [
        (
            "train.phases",
            [
                {"epochs": 9},
                {"epochs": 9, "trainable": {"backbone": True}, "optimizer": {"Adam": {"learning_rate": 1e-5}}},
            ],
            [{"epochs": 3}],
        )
    ]


def test_the_table_ends_with_the_phases():
    from kbuild.plan.draw.totals import totals

    found = checked("[{epochs: 1}, {epochs: 9, trainable: {backbone: true}, optimizer: adam, accumulate: 2}]")
    lines = totals(found.plan, found.costs, found.spec.train, 64, False, found.phases)
    assert lines[-2:] == [
        "phase 1: 1 epoch, 90 parameters learn, Adam",
        "phase 2: 9 epochs, 278 parameters learn, Adam",
    ]
    # of the second: two moments and the accumulated gradients, in four bytes each
    assert f"optimizer {278 * 12 / 1000:.2f} kB" in lines[2]
