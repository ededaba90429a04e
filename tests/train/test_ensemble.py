"""Several runs as one model: what it gives, what it may be measured on, and runs that do not go together."""

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import kbuild
from kbuild.data.load import load as load_data
from kbuild.text.problem import SpecError
from kbuild.train import ensemble_model
from kbuild.train.ensemble_members import joining
from kbuild.train.ensemble_parts import seen
from kbuild.train.predict import predict
from kbuild.train.progress import Reporter
from kbuild.train.score import evaluate
from kbuild.train.verify import verify

QUICK = "tensorboard: false, health: false, checkpoint: false, execution: {steps_per_execution: 1, jit: false}"
SPEC = f"""
kbuild: 1
name: flowers
data: {{source: iris, split: {{validation: 0.2, test: 0.2, seed: 1}}, batch_size: 32}}
model: [{{Dense: {{units: 8, activation: relu}}}}, {{Dense: 3}}]
train: {{epochs: 2, optimizer: {{Adam: 1e-1}}, metrics: [accuracy], {QUICK}}}
"""
QUIET = Reporter()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("ensemble")


@pytest.fixture(scope="module")
def logits(place):
    """Two runs that end in logits."""
    return kbuild.fit(kbuild.load(SPEC, overrides={"train.repeats": 2}), out=place / "logits", report=QUIET)


@pytest.fixture(scope="module")
def shares(place):
    """A run with another network, which ends in probabilities."""
    text = SPEC.replace("units: 8, activation: relu", "units: 5, activation: tanh")
    spec = kbuild.load(text.replace("{Dense: 3}", "{Dense: {units: 3, activation: softmax}}"))
    return kbuild.fit(spec, out=place / "shares", report=QUIET)


@pytest.fixture(scope="module")
def folds(place):
    text = SPEC.replace("split: {validation: 0.2, test: 0.2, seed: 1}", "split: {folds: 2, test: 0.2, seed: 1}")
    return kbuild.fit(kbuild.load(text), out=place / "folds", report=QUIET)


def loaded(spec) -> Any:
    return load_data(spec.data, spec.train.seed)


def part(name: str, text: str = SPEC):
    found = getattr(loaded(kbuild.load(text)), name)
    return np.asarray(found.x["input"], "float32"), np.asarray(next(iter(found.y.values())))


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def said(runs, x: np.ndarray) -> list[np.ndarray]:
    """The members' probabilities."""
    raw = [run.model.predict(x, verbose=0) for run in runs]
    return [value if np.allclose(value.sum(axis=-1), 1, atol=1e-5) else softmax(value) for value in raw]


def refused(wrong) -> tuple[str, str, str | None]:
    with pytest.raises(SpecError) as error:
        wrong()
    assert error.value.exit_code == 5
    (problem,) = error.value.problems
    return problem.code, problem.message, problem.help


@pytest.fixture(scope="module")
def average(logits, shares, place):
    return kbuild.ensemble([logits.path, shares.path], out=place / "average", report=QUIET)


def test_an_average_is_that_of_probabilities(average, logits, shares):
    x, y = part("test")
    expected = np.mean(said([*logits.members, shares], x), axis=0)
    found = average.model.predict(x, verbose=0)
    assert np.abs(found - expected).max() < 1e-6
    assert average.test["accuracy"] == pytest.approx(np.mean(expected.argmax(axis=1) == y))
    assert average.test["loss"] == pytest.approx(-np.log(expected[np.arange(len(y)), y]).mean(), rel=1e-5)


def test_it_is_a_run_like_any_other(average):
    assert average == kbuild.open_run(average.path)
    assert (average.status, average.exit_code, average.history) == ("done", 0, {})
    assert evaluate(average.path, "test")["metrics"] == dict(average.test)
    report: Any = evaluate(average.path, "validation")
    validation = report["metrics"]
    assert {f"val_{name}": value for name, value in validation.items()} == dict(average.metrics)
    answers: Any = predict(average.path, [np.array([5.1, 3.5, 1.4, 0.2])])
    (answer,) = answers
    assert set(answer["probabilities"]) == {"setosa", "versicolor", "virginica"}
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_every_layer_of_it_is_keras_own(average):
    assert {type(one).__module__.split(".")[0] for one in average.model._flatten_layers()} == {"keras"}
    assert [layer.name for layer in average.model.layers if isinstance(layer, keras.Model)] == [
        "member_1", "member_2", "member_3",
    ]  # fmt: skip


def test_members_are_measured_beside_it(average, logits, shares):
    info = json.loads((average.path / "run.json").read_text())
    assert (info["kind"], info["how"], info["held"]) == ("ensemble", "average", ["validation", "test"])
    runs = [*logits.members, shares]
    assert [one["run"] for one in info["of"]] == [str(run.path) for run in runs]
    for one, run in zip(info["of"], runs, strict=True):
        assert one["test"] == pytest.approx(dict(run.test), rel=1e-5)
        assert one["validation"]["loss"] == pytest.approx(run.metrics["val_loss"], rel=1e-5)


@pytest.mark.full
def test_a_vote_counts_and_the_mean_decides_where_votes_are_equal(logits, shares, place):
    run = kbuild.ensemble([logits.path, shares.path], "vote", out=place / "vote", report=QUIET)
    x, _ = part("train")
    each = np.array(said([*logits.members, shares], x))
    votes = np.eye(3)[each.argmax(axis=2)].sum(axis=0)
    found = run.model.predict(x, verbose=0)
    assert np.abs(found - (votes + each.mean(axis=0)) / 4).max() < 1e-6
    assert np.abs(found.sum(axis=1) - 1).max() < 1e-6
    clear = np.sort(votes, axis=1)[:, -1] > np.sort(votes, axis=1)[:, -2]
    assert (found.argmax(axis=1) == votes.argmax(axis=1))[clear].all()


@pytest.mark.parametrize(("task", "width"), [("multiclass", 3), ("binary", 1), ("multilabel", 2)])
def test_votes_that_are_equal_fall_to_the_mean(task, width):
    one, other = np.full(width, 0.3, "float32"), np.full(width, 0.45, "float32")
    one[0], other[-1] = (0.9, 0.45) if width == 1 else (0.9, 0.6)
    models = []
    for bias in (one, other):
        x = keras.Input((1,), name="x")
        layer = keras.layers.Dense(width)
        models.append(keras.Model(x, layer(x)))
        layer.set_weights([np.zeros((1, width)), bias])
    outputs = [[{"name": "y", "task": task, "logits": False}]] * 2
    found = ensemble_model.joined(models, outputs, "vote", "m").predict(np.zeros((1, 1)), verbose=0)[0]
    mean = (one + other) / 2
    assert (found > 0.5).tolist() == (mean > 0.5).tolist()
    assert found.argmax() == mean.argmax()


def test_a_stack_is_a_logistic_regression_on_the_validation_part(logits, shares, place):
    run = kbuild.ensemble([logits.path, shares.path], "stack", out=place / "stack", report=QUIET)
    runs, (x, y), (new, _) = [*logits.members, shares], part("validation"), part("test")
    fitted = LogisticRegression(max_iter=10_000).fit(np.concatenate(said(runs, x), axis=1), y)
    expected = fitted.predict_proba(np.concatenate(said(runs, new), axis=1))
    assert np.abs(run.model.predict(new, verbose=0) - expected).max() < 1e-3
    assert (run.metrics, list(run.test)) == ({}, ["accuracy", "loss"])
    assert refused(lambda: evaluate(run.path, "validation")) == (
        "K632", f"`{run.path}` cannot be measured on the part `validation`: some of it learned from these examples",
        "choose one of `train`, `test`",
    )  # fmt: skip
    assert evaluate(run.path, "train")["part"] == "train"


@pytest.mark.full
def test_folds_are_stacked_on_what_each_says_of_its_own_validation_part(folds, place):
    run = kbuild.ensemble([folds.path], "stack", out=place / "stacked_folds", report=QUIET)
    rows, labels = [], []
    for member in folds.members:
        data = loaded(kbuild.load(member.path / "spec.yaml"))
        rows.append(said([member], np.asarray(data.validation.x["input"], "float32"))[0])
        labels.append(np.asarray(next(iter(data.validation.y.values()))))
        new = np.asarray(data.test.x["input"], "float32")
    fitted = LogisticRegression(max_iter=10_000).fit(np.concatenate(rows), np.concatenate(labels))
    expected = fitted.predict_proba(np.mean(said(folds.members, new), axis=0))
    assert np.abs(run.model.predict(new, verbose=0) - expected).max() < 1e-3
    assert json.loads((run.path / "run.json").read_text())["held"] == ["test"]


@pytest.mark.full
def test_numbers_are_averaged_and_stacked_with_weights_that_are_not_negative(place):
    text = SPEC.replace("source: iris", "source: diabetes").replace("{Dense: 3}", "{Dense: 1}")
    text = text.replace(", metrics: [accuracy]", "")
    found: Any = kbuild.fit(kbuild.load(text, overrides={"train.repeats": 2}), out=place / "numbers", report=QUIET)
    run = kbuild.ensemble([found.path], out=place / "mean", report=QUIET)
    (x, y), (new, _) = part("validation", text), part("test", text)
    told = [np.concatenate([one.model.predict(a, verbose=0) for one in found.members], axis=1) for a in (x, new)]
    assert np.abs(run.model.predict(new, verbose=0)[:, 0] - told[1].mean(axis=1)).max() < 1e-3
    run = kbuild.ensemble([found.path], "stack", out=place / "regressed", report=QUIET)
    expected = LinearRegression(positive=True).fit(told[0], y.reshape(-1)).predict(told[1])
    assert np.abs(run.model.predict(new, verbose=0)[:, 0] - expected).max() < 1e-2
    assert refused(lambda: kbuild.ensemble([found.path], "vote", report=QUIET)) == (
        "K631", "members can vote on classes, and the output `output` gives numbers", "write `--how average`",
    )  # fmt: skip


@pytest.fixture(scope="module")
def elsewhere(place):
    """A run of the same network and data, split otherwise."""
    spec = kbuild.load(SPEC, overrides={"data.split.seed": 2})
    return kbuild.fit(spec, out=place / "elsewhere", report=QUIET)


def test_examples_that_a_member_trained_on_are_not_measured(shares, elsewhere, place):
    notes: list[str] = []

    class Noting(Reporter):
        def note(self, text: str) -> None:
            notes.append(text)

    run = kbuild.ensemble([shares.path, elsewhere.path], out=place / "torn", report=Noting())
    assert (run.metrics, run.test) == ({}, {})
    assert notes == [
        "average of 2 members",
        "warning: the validation part is not measured: members trained on examples of it, as the parts differ",
        "warning: the test part is not measured: members trained on examples of it, as the parts differ",
    ]
    assert refused(lambda: evaluate(run.path))[0] == "K632"


def test_which_examples_a_member_has_is_told_by_their_numbers(shares, elsewhere):
    members = joining([shares.path, elsewhere.path], False)
    found = seen([one.spec for one in members], [one.info for one in members], [one.path for one in members])
    whole = kbuild.load(SPEC, overrides={"data.split": False})
    source = np.asarray(loaded(whole).train.x["input"])
    for one, parts in zip(members, found.parts or (), strict=True):
        data = loaded(one.spec)
        for name, numbers in parts.items():
            assert (source[numbers] == np.asarray(getattr(data, name).x["input"])).all()


def test_runs_that_do_not_go_together(logits, shares, average, place, tmp_path):
    one, two = (run.path for run in logits.members)

    def join(*paths):
        return refused(lambda: kbuild.ensemble(paths, out=tmp_path / "new", report=QUIET))

    assert join(one) == (
        "K630", "an ensemble needs two runs or more", "give several runs, or a set of `train.repeats` or folds",
    )  # fmt: skip
    assert join(one, one)[:2] == ("K630", f"`{one}` is given twice")
    assert join(one, average.path)[:2] == ("K630", f"`{average.path}` is an ensemble itself")
    for key, value, message in (
        ("classes", ["a", "b", "c"], "gives `output` multiclass 3 ('a', 'b', 'c')"),
        ("task", "regression", "gives `output` regression 3"),
    ):
        other = shutil.copytree(two, tmp_path / key)
        info = json.loads((other / "run.json").read_text())
        info["outputs"][0][key] = value
        (other / "run.json").write_text(json.dumps(info))
        code, said, _ = join(one, other)
        assert code == "K630"
        assert message in said
    other = shutil.copytree(two, tmp_path / "data")
    text = (other / "spec.yaml").read_text().replace("source: iris", "source: wine")
    assert "wine" in text
    (other / "spec.yaml").write_text(text)
    info = json.loads((other / "run.json").read_text())
    info["data"]["digest"] = "0" * 64
    (other / "run.json").write_text(json.dumps(info))
    assert join(one, other)[:2] == ("K630", f"`{other}` was trained on other data than `{one}`")
    other = shutil.copytree(two, tmp_path / "stopped")
    info = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**info, "status": "stopped"}))
    assert join(one, other)[:2] == ("K606", f"the run `{other}` is not done: its status is `stopped`")
    assert not (tmp_path / "new").exists()


def test_a_member_whose_weights_are_no_numbers_is_refused(logits, tmp_path):
    other = shutil.copytree(logits.members[1].path, tmp_path / "other")
    model = logits.members[1].model
    broken = keras.models.clone_model(model)
    broken.set_weights([np.full_like(value, np.nan) for value in model.get_weights()])
    broken.save(other / "model.keras")
    code, message, _ = refused(lambda: kbuild.ensemble([logits.members[0].path, other], report=QUIET))
    assert (code, message) == ("K630", f"the model of `{other}` has weights that are no numbers")


def test_an_ensemble_is_not_trained(average):
    message = f"`{average.path}` is an ensemble, which is not trained itself"
    assert refused(lambda: kbuild.resume(average.path, report=QUIET))[:2] == ("K621", message)
    assert refused(lambda: verify(average.path))[:2] == ("K624", message)


@pytest.mark.full
def test_a_table_that_members_encode_otherwise(place, tmp_path):
    rng = np.random.default_rng(0)
    lines = [f"{a:.3f},{b:.3f},{'ab'[int(a > b)]}" for a, b in rng.normal(size=(60, 2))]
    (tmp_path / "t.csv").write_text("\n".join(["one,two,kind", *lines]) + "\n")
    text = SPEC.replace("source: iris", "source: {csv: t.csv, target: kind}").replace("{Dense: 3}", "{Dense: 1}")
    (tmp_path / "t.yaml").write_text(text)
    runs = [
        kbuild.fit(kbuild.load(tmp_path / "t.yaml", overrides=more), out=tmp_path / name, report=QUIET)
        for name, more in (
            ("a", {}), ("b", {"train.seed": 1, "train.bootstrap": True}), ("c", {"data.split.seed": 2}),
        )
    ]  # fmt: skip
    joined = kbuild.ensemble([runs[0].path, runs[1].path], "vote", out=tmp_path / "both", report=QUIET)
    assert predict(joined.path, [{"one": "2.0", "two": "-2.0"}])[0]["class"] in ("a", "b")
    code, message, _ = refused(lambda: kbuild.ensemble([runs[0].path, runs[2].path], report=QUIET))
    assert (code, message) == (
        "K630", f"`{runs[2].path}` and `{runs[0].path}` encode the columns of their table otherwise",
    )  # fmt: skip
