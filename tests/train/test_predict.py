import json

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from kbuild.spec.load import load
from kbuild.text.problem import SpecError
from kbuild.train import score
from kbuild.train.fit import fit
from kbuild.train.predict import predict
from kbuild.train.progress import Reporter

DIGITS = """
kbuild: 1
name: digits
data: {source: digits, batch_size: 64, preprocess: [{Rescaling: 0.0625}]}
model: [Flatten, {Dense: {units: 32, activation: relu}}, {Dense: 10}]
train: {optimizer: {Adam: {learning_rate: 0.01}}, epochs: 8}
"""


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return fit(load(DIGITS), out=tmp_path_factory.mktemp("p") / "run", report=Reporter())


@pytest.fixture(scope="module")
def arrays():
    found = load_digits()
    return found.images.astype("float32")[..., None], found.target


def message(call, *args):
    with pytest.raises(SpecError) as caught:
        call(*args)
    (problem,) = caught.value.problems
    return problem.code, problem.message


def test_arrays_in_a_file(digits, arrays, tmp_path):
    x, y = arrays
    np.save(tmp_path / "x.npy", x[:200])
    rows = predict(digits.path, [tmp_path / "x.npy"])
    assert rows[3]["input"] == f"{tmp_path / 'x.npy'}[3]"
    assert np.mean([int(row["class"]) for row in rows] == y[:200]) > 0.9
    for row in rows:
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert row["probability"] == max(row["probabilities"].values())
        assert row["class"] == max(row["probabilities"], key=row["probabilities"].get)
    json.dumps(rows)


def test_predictions_are_those_of_the_model(digits, arrays):
    x, _ = arrays
    raw = digits.model.predict(x[:5], verbose=0)
    share = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    rows = predict(digits.path, [x[:5]])
    got = np.array([list(row["probabilities"].values()) for row in rows])
    np.testing.assert_allclose(got, share, atol=1e-5)


def test_every_way_in_gives_the_same(digits, arrays, tmp_path):
    x, _ = arrays
    one = x[7]
    np.save(tmp_path / "one.npy", one)
    np.savez(tmp_path / "one.npz", input=one[None])
    np.savez(tmp_path / "x.npz", x_test=one[None], y_test=[7])
    (tmp_path / "one.json").write_text(json.dumps([one.tolist()]))
    Image.fromarray(np.round(one[..., 0] / 16 * 255).astype("uint8")).save(tmp_path / "one.png")
    ways = [tmp_path / name for name in ("one.npy", "one.npz", "x.npz", "one.json", "one.png")]
    rows = predict(digits.path, [*ways, one, {"input": one.tolist()}])
    assert len(rows) == 7
    first = list(rows[0]["probabilities"].values())
    for row in rows:
        np.testing.assert_allclose(list(row["probabilities"].values()), first, atol=0.02)
    (tmp_path / "folder").mkdir()
    (tmp_path / "one.png").rename(tmp_path / "folder" / "a.PNG")
    (row,) = predict(digits.path, [tmp_path / "folder"])
    assert row["input"] == str(tmp_path / "folder" / "a.PNG")


def test_what_does_not_fit_is_told(digits, tmp_path):
    assert message(predict, digits.path, [tmp_path / "no.npy"]) == ("K610", f"there is no file `{tmp_path / 'no.npy'}`")
    (tmp_path / "a.xyz").write_text("")
    assert message(predict, digits.path, [tmp_path / "a.xyz"]) == (
        "K610",
        f"`{tmp_path / 'a.xyz'}` is no input that kbuild reads",
    )
    code, text = message(predict, digits.path, [np.zeros((3, 9, 9))])
    assert (code, text) == ("K611", "`input` of `row` has the shape (3, 9, 9), and an example is 8×8×1")
    np.save(tmp_path / "o.npy", np.array([{}]), allow_pickle=True)
    assert message(predict, digits.path, [tmp_path / "o.npy"])[0] == "K610"
    (tmp_path / "torn.npy").write_bytes(b"\x93NUMPY")
    assert message(predict, digits.path, [tmp_path / "torn.npy"])[0] == "K610"
    np.savez(tmp_path / "two.npz", a=np.zeros(3), b=np.zeros(3))
    assert message(predict, digits.path, [tmp_path / "two.npz"]) == (
        "K611",
        f"`{tmp_path / 'two.npz'}` has no array `input`",
    )
    assert message(predict, digits.path, []) == ("K610", "there is nothing to predict")
    assert message(predict, tmp_path, [])[0] == "K604"


def table(path, count=120):
    random = np.random.default_rng(0)
    lines = ["age,city,label"]
    for _ in range(count):
        age, city = random.uniform(20, 60), random.choice(["rome", "oslo"])
        lines.append(f"{age:.2f},{city},{'old' if age > 40 else 'young'}")
    path.write_text("\n".join(lines) + "\n")


def test_rows_of_a_table_are_encoded_as_in_training(tmp_path):
    table(tmp_path / "people.csv")
    text = """
kbuild: 1
data: {source: {csv: people.csv, target: label}}
model: [{Dense: {units: 8, activation: relu}}, {Dense: {units: 1, activation: sigmoid}}]
train: {optimizer: {Adam: {learning_rate: 0.05}}, epochs: 12}
"""
    (tmp_path / "net.yaml").write_text(text)
    run = fit(load(tmp_path / "net.yaml"), out=tmp_path / "run", report=Reporter())
    (tmp_path / "new.csv").write_text("city,age\noslo,25\nrome,59\nparis,22\n")
    rows = predict(run.path, [tmp_path / "new.csv", {"age": 58, "city": "oslo"}])
    assert [row["class"] for row in rows] == ["young", "old", "young", "old"]
    assert rows[0]["input"] == f"{tmp_path / 'new.csv'}[0]"
    assert set(rows[0]["probabilities"]) == {"old", "young"}
    assert message(predict, run.path, [{"age": 58}]) == ("K420", "row 1 has no column `city`")
    found = score.evaluate(run.path, "train")
    assert found["metrics"]["accuracy"] > 0.9


def test_numbers_and_several_inputs_and_outputs(tmp_path):
    random = np.random.default_rng(0)
    a, b = random.normal(size=(90, 3)).astype("float32"), random.normal(size=(90, 2)).astype("float32")
    total, sign = a.sum(axis=1), (b.sum(axis=1) > 0).astype("int64")
    np.savez(tmp_path / "f.npz", a=a, b=b, total=total, sign=sign)
    (tmp_path / "net.yaml").write_text("""
kbuild: 1
data: {source: {npz: f.npz, x: {left: a, right: b}, y: {total: total, sign: sign}}}
model:
  inputs: {left: {shape: [3]}, right: {shape: [2]}}
  layers:
    - {Concatenate: null, from: [left, right], name: both}
    - {Dense: 1, name: total, from: both}
    - {Dense: {units: 1, activation: sigmoid}, name: sign, from: both}
  outputs: [total, sign]
train: {optimizer: {Adam: {learning_rate: 0.05}}, epochs: 20, loss_weights: {sign: 0.5}}
""")
    run = fit(load(tmp_path / "net.yaml"), out=tmp_path / "run", report=Reporter())
    assert {"total_loss", "sign_loss", "val_sign_accuracy"} <= set(run.metrics)
    rows = predict(run.path, [tmp_path / "f.npz"])
    got = np.array([row["outputs"]["total"]["value"] for row in rows])
    assert np.abs(got - total).mean() < 0.5
    assert {row["outputs"]["sign"]["class"] for row in rows} == {"0", "1"}
    report = json.loads((run.path / "report" / "evaluation.json").read_text())
    assert report["outputs"]["total"]["r2"] > 0.5
    assert (run.path / "report" / "confusion-sign.png").exists()
