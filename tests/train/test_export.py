"""A run in other formats: what another process reads from them, and what is left when one cannot be written."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import kbuild
from kbuild.text.problem import SpecError
from kbuild.train import export as exporting
from kbuild.train.export import FORMATS, export
from kbuild.train.progress import Reporter

TF = keras.backend.backend() == "tensorflow"
SPEC = """
kbuild: 1
name: two
data: {source: {npz: two.npz, x: {a: a, b: b}, y: {kind: kind, size: size}}, batch_size: 16}
model:
  inputs: {a: {shape: [6, 6, 1]}, b: {shape: [3]}}
  layers:
    - {Conv2D: {filters: 2, kernel_size: 3, activation: relu}, from: a}
    - {GlobalAveragePooling2D: null, name: seen}
    - {Concatenate: null, from: [seen, b]}
    - {BatchNormalization: null, name: both}
    - {Dense: 3, name: kind, from: both}
    - {Dense: 1, name: size, from: both}
  outputs: [kind, size]
train:
  epochs: 1
  tensorboard: false
  health: false
  checkpoint: false
  execution: {steps_per_execution: 1, jit: false}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run with two inputs and two outputs."""
    place = tmp_path_factory.mktemp("export")
    rng = np.random.default_rng(0)
    arrays = {"a": rng.normal(size=(60, 6, 6, 1)), "b": rng.integers(0, 5, (60, 3)), "size": rng.normal(size=60)}
    np.savez(place / "two.npz", kind=np.arange(60) % 3, **{k: v.astype("float32") for k, v in arrays.items()})
    (place / "two.yaml").write_text(SPEC)
    return kbuild.fit(kbuild.load(place / "two.yaml"), out=place / "run", report=Reporter()).path


def problem(wrong) -> tuple[str, str, str | None]:
    with pytest.raises(SpecError) as error:
        wrong()
    assert error.value.exit_code == 5
    (found,) = error.value.problems
    return found.code, found.message, found.help


@pytest.mark.parametrize(
    "to",
    ["keras", "python", *(pytest.param(to, marks=pytest.mark.full) for to in ("savedmodel", "litert") if TF)],
)
def test_another_process_gets_the_same_numbers(to, run):
    done = export(run, to)
    assert done.path == run / "export" / {"savedmodel": "two-savedmodel"}.get(to, f"two{FORMATS[to].suffix}")
    assert done.difference is not None
    assert done.difference <= 1e-5
    assert done.notes == ()
    assert [path.name for path in done.path.parent.iterdir() if path.name.startswith(".")] == []


def test_a_script_trains_on_as_the_run_did_without_kbuild_and_data(run, tmp_path):
    moved = shutil.copytree(run, tmp_path / "moved")
    (moved / "spec.yaml").write_text((run / "spec.yaml").read_text().replace("two.npz", "gone.npz"))
    script = export(moved, "python", tmp_path / "net.h5").path
    assert script == tmp_path / "net.py"
    code = f"""
import runpy, sys, numpy as np
made = runpy.run_path({str(script)!r})
model = made["trained"]()
made["compile"](model)
x, y = {{"a": np.ones((8, 6, 6, 1)), "b": np.ones((8, 3))}}, {{"kind": np.ones(8, "int32"), "size": np.ones((8, 1))}}
first, second = (model.train_on_batch(x, y, return_dict=True)["loss"] for _ in range(2))
assert second < first and model.name == "two" and "kbuild" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    # one without its weights is no export
    script.with_suffix(".weights.h5").unlink()
    assert problem(lambda: export(run, "python", script))[0] == "K663"


@pytest.mark.full
def test_a_plain_keras_process_reads_it_without_kbuild(run, tmp_path):
    done = export(run, "keras", tmp_path / "it.keras")
    x = {"a": np.ones((2, 6, 6, 1), "float32"), "b": np.ones((2, 3), "float32")}
    code = (
        "import sys, keras, numpy as np\n"
        "model = keras.models.load_model(sys.argv[1], safe_mode=True)\n"
        "out = model.predict_on_batch({'a': np.ones((2, 6, 6, 1), 'float32'), 'b': np.ones((2, 3), 'float32')})\n"
        "assert not any(name.startswith('kbuild') for name in sys.modules)\n"
        "print(repr({name: np.asarray(value).tolist() for name, value in out.items()}))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(done.path)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    expected = kbuild.open_run(run).model.predict_on_batch(x)
    found = json.loads(told.stdout.strip().split("\n")[-1].replace("'", '"'))
    for name, value in expected.items():
        assert np.abs(np.asarray(found[name]) - np.asarray(value)).max() < 1e-6


def test_a_wrong_suffix_is_set_right(run, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "_elsewhere", lambda to, staged, place, used, own: nothing(place, run))
    for given, expected in (("m.h5", "m.keras"), ("m", "m.keras"), ("m-1.0", "m-1.0.keras")):
        done = export(run, "keras", tmp_path / given)
        assert (done.path, done.path.is_file()) == (tmp_path / expected, True)
        assert done.notes == (f"the file is `{tmp_path / expected}`: the suffix of `keras` is `.keras`",)
    assert export(run, "keras", tmp_path / "n.keras").notes == ()


def nothing(place: Path, run: Path) -> None:
    """What a process that reads the file would answer, told by the model itself: tests of names start none."""
    model = kbuild.open_run(run).model
    for path in list(place.glob("*.npz")):
        with np.load(path) as x:
            np.savez(path.with_name(f"{path.stem}-out.npz"), **model.predict_on_batch(dict(x)))


def test_what_gives_other_numbers_takes_no_place(run, tmp_path, monkeypatch):
    target = tmp_path / "it.keras"
    target.write_bytes(b"an earlier one")

    def off(to, staged, place, used, own):
        nothing(place, run)
        with np.load(place / "7-out.npz") as found:
            values = dict(found)
        np.savez(place / "7-out.npz", **{**values, "size": values["size"] + 1e-3})

    monkeypatch.setattr(exporting, "_elsewhere", off)
    code, message, help = problem(lambda: export(run, "keras", target))
    assert code == "K662"
    assert re.fullmatch(r"what `keras` gives differs from the model by \d.\de-04, 1e-05 at most is right|"
                        r"what `keras` gives differs from the model by 1.0e-03, 1e-05 at most is right", message)  # fmt: skip
    assert help == "nothing was written; choose another format or `--backend`"
    assert target.read_bytes() == b"an earlier one"
    assert [path.name for path in tmp_path.iterdir()] == ["it.keras"]


def test_what_cannot_be_loaded_takes_no_place(run, tmp_path, monkeypatch):
    target = tmp_path / "it.keras"
    target.write_bytes(b"an earlier one")
    monkeypatch.setattr(exporting, "_write", lambda model, to, staged: staged.write_bytes(b"torn"))
    code, message, _ = problem(lambda: export(run, "keras", target))
    assert code == "K662"
    assert message.startswith("what `keras` wrote cannot be loaded again: ")
    assert target.read_bytes() == b"an earlier one"


@pytest.mark.full
def test_what_keras_cannot_write_is_said_with_its_reason(run, tmp_path, monkeypatch):
    def broken(*given, **more):
        raise ValueError("no such operation\n\nmore")

    monkeypatch.setattr(keras.Model, "save", broken)
    code, message, _ = problem(lambda: export(run, "keras", tmp_path / "it.keras"))
    assert (code, message) == ("K661", "`keras` cannot be written: no such operation")
    assert not list(tmp_path.iterdir())


def test_what_is_no_export_stays(run, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("kept")
    (tmp_path / "link.keras").symlink_to(folder)
    for to, target in (
        ("keras", folder.with_suffix(".keras")),
        ("savedmodel", folder),
        ("keras", tmp_path / "link.keras"),
    ):
        target.mkdir(exist_ok=True)
        expected = f"`{target}` is there already, and nothing that `kbuild export --to {to}` wrote"
        assert problem(lambda to=to, target=target: export(run, to, target))[:2] == ("K663", expected)
    assert (folder / "notes.txt").read_text() == "kept"


@pytest.mark.skipif(not TF, reason="only TensorFlow writes it here")
def test_a_folder_of_an_earlier_export_is_replaced(run, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "_elsewhere", lambda to, staged, place, used, own: nothing(place, run))
    target = tmp_path / "saved"
    target.mkdir()
    (target / "saved_model.pb").write_bytes(b"old")
    assert export(run, "savedmodel", target).path == target
    assert (target / "saved_model.pb").stat().st_size > 100
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_formats_that_cannot_be_written_here_are_told_before_anything_else(run, tmp_path):
    assert problem(lambda: export(run, "h5")) == (
        "K661", "`h5` is no format", "one of keras, savedmodel, onnx, litert, python",
    )  # fmt: skip
    assert problem(lambda: export(run, "litert", tmp_path / "x", backend="jax"))[:2] == (
        "K661", "`litert` is written by `tensorflow`, and not by `jax`",
    )  # fmt: skip
    if not TF:
        assert problem(lambda: export(run, "savedmodel")) == (
            "K660", "`savedmodel` needs `tensorflow` on `jax`, and it is not installed", "`pip install tensorflow`",
        )  # fmt: skip


def test_a_package_that_is_missing_is_named(run, monkeypatch):
    there = exporting._installed
    monkeypatch.setattr(exporting, "_installed", lambda name: "onnx" not in name and there(name))
    running = keras.backend.backend()
    missing = {"tensorflow": ("tf2onnx", "onnx"), "jax": ("jax2onnx", "onnx")}[running]
    assert problem(lambda: export(run, "onnx")) == (
        "K660", f"`onnx` needs `{missing[0]}` and `onnx` on `{running}`, and they are not installed",
        f"`pip install {missing[0]} onnx`",
    )  # fmt: skip


def test_a_set_is_no_run(run, tmp_path):
    other = shutil.copytree(run, tmp_path / "set")
    info = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**info, "members": [{"number": 1}, {"number": 2}]}))
    assert problem(lambda: export(other, "keras"))[0] == "K625"
