"""Gradients of several steps make one update: what a batch as large would do, exactly resumable in the middle."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import kbuild
from kbuild.train import checkpoint, compile, history
from kbuild.train.progress import Reporter
from kbuild.train.resume import resume

SPEC = """
kbuild: 1
name: accumulate
data: {source: iris, split: {validation: 30, test: 24}, batch_size: BATCH}
model: [{Dense: {units: 8, activation: relu}}, {Dense: {units: 3, activation: softmax}}]
train: {epochs: EPOCHS, execution: {jit: false}, checkpoint: {every: 1 steps, keep: 99}, optimizer: OPTIMIZER, MORE}
"""


def fit(path, batch, optimizer, more="", epochs=2):
    text = SPEC.replace("EPOCHS", str(epochs)).replace("BATCH", str(batch)).replace("OPTIMIZER", optimizer)
    text = text.replace(", MORE", f", {more}" * bool(more))
    return kbuild.fit(kbuild.load(text), out=path, report=Reporter())


def checkpoints(run):
    return [checkpoint.load(path) for path in sorted((run.path / "checkpoints").glob("step-*"))]


def model(found):
    return {name: array for name, array in found.arrays.items() if name.startswith("model/")}


SCALED = "{LossScaleOptimizer: {inner_optimizer: {SGD: {learning_rate: 0.1, momentum: 0.9}}}}"


@pytest.mark.parametrize(
    "optimizer",
    [
        "{SGD: 0.2}",
        "{Lookahead: {optimizer: {RAdam: 1e-2}, sync_period: 2}}",
        pytest.param("{Adam: 1e-2}", marks=pytest.mark.full),
        pytest.param(SCALED, marks=pytest.mark.full),
    ],
)
def test_it_is_a_larger_batch(optimizer, tmp_path):
    # 96 examples: 12 steps of 8 with 3 updates, or 3 steps of 32
    small = checkpoints(fit(tmp_path / "small", 8, optimizer, "accumulate: 4"))
    large = checkpoints(fit(tmp_path / "large", 32, optimizer))
    assert len(small) == 4 * len(large) == 24
    for at, found in enumerate(small):
        before = model(large[at // 4 - 1 + (at % 4 == 3)]) if at >= 3 else None
        if before is not None:
            for name, array in model(found).items():
                np.testing.assert_allclose(array, before[name], rtol=2e-4, atol=2e-6, err_msg=f"step {at + 1}")
        if at % 4 != 3:
            # nothing changes but at every fourth step
            after = model(small[at - 1]) if at % 4 else None
            assert after is None or all(np.array_equal(after[name], array) for name, array in model(found).items())


def test_the_rate_of_the_history_is_that_of_the_last_update(tmp_path):
    run = fit(tmp_path / "run", 16, "{SGD: 0.2}", "accumulate: 4, schedule: {linear: {to: 0}}")
    # 6 steps an epoch: updates with steps 4, 8 and 12, of 12 in all
    expected = [0.2 * (1 - 3 / 12), 0.2 * (1 - 11 / 12)]
    assert history.read(run.path / "history.csv")["learning_rate"] == pytest.approx(expected, rel=1e-5)


def test_a_rate_before_the_first_update_is_the_first(tmp_path):
    import keras

    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.PolynomialDecay(0.5, 10), gradient_accumulation_steps=4)
    assert compile.rate(optimizer) == pytest.approx(0.5)


def test_it_goes_on_in_the_middle_of_an_accumulation(tmp_path):
    more = "accumulate: 4, schedule: {cosine: {warmup: 2 steps}}"
    run = fit(tmp_path / "run", 16, "{AdamW: {learning_rate: 1e-2, use_ema: true, ema_momentum: 0.9}}", more)
    end = checkpoints(run)
    assert [(f.state["epoch"], f.state["batch"]) for f in end][4:7] == [(0, 5), (1, 0), (1, 1)]
    for at in (1, 5):  # in the middle of an epoch and at its end, both amid four steps
        out = tmp_path / f"again-{at}"
        shutil.copytree(run.path, out)
        for path in sorted((out / "checkpoints").glob("step-*"))[at + 1 :]:
            shutil.rmtree(path)
        info = json.loads((out / "run.json").read_text())
        (out / "run.json").write_text(json.dumps({**info, "status": "running"}))
        again = checkpoint.newest(resume(out, report=Reporter()).path / "checkpoints")
        assert again is not None
        assert again.arrays.keys() == end[-1].arrays.keys()
        assert all(np.array_equal(again.arrays[name], array) for name, array in end[-1].arrays.items()), at
    assert kept(end[0]) > kept(
        checkpoints(fit(tmp_path / "plain", 16, "{AdamW: {learning_rate: 1e-2, use_ema: true}}"))[0]
    )


def kept(found) -> int:
    """Numbers that a checkpoint keeps of the optimizer."""
    return sum(array.size for name, array in found.arrays.items() if name.startswith("optimizer/"))


def test_each_phase_begins_to_accumulate_anew(tmp_path):
    phases = "phases: [{epochs: 1}, {epochs: 1, accumulate: 3}]"
    found = checkpoints(fit(tmp_path / "run", 16, "{SGD: 0.2}", f"accumulate: 4, {phases}"))
    changed = [
        at + 1
        for at in range(1, len(found))
        if any(not np.array_equal(model(found[at - 1])[name], array) for name, array in model(found[at]).items())
    ]
    assert changed == [4, 9, 12]


def test_it_needs_no_more_memory_than_is_told(tmp_path: Path):
    from kbuild.plan.check import check
    from kbuild.plan.memory import memory

    text = SPEC.replace("EPOCHS", "2").replace("BATCH", "8").replace("OPTIMIZER", "adam")
    plain, more = (check(kbuild.load(text.replace("MORE", said))) for said in ("accumulate: 1", "accumulate: 2"))
    one, two = (memory(found.costs.total, found.spec.train).optimizer or 0 for found in (plain, more))
    assert (two - one) / 4 == plain.costs.total.trainable
