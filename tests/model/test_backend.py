"""Each start is a process of its own: a process imports Keras once. The slow ones share what they can."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import kbuild
from kbuild.model import backend
from kbuild.text.problem import SpecError

HERE = keras.config.backend()
OTHER = next(name for name in backend.BACKENDS if name != HERE)

REPORT = """
import json, sys
from kbuild.model import backend
from kbuild.text.problem import SpecError
try:
    name = backend.start(*sys.argv[1:])
except SpecError as error:
    problem, = error.problems
    print(json.dumps({"code": problem.code, "message": problem.message, "help": problem.help, "exit": error.exit_code,
                      "keras": "keras" in sys.modules}))
else:
    import keras, numpy
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    model.compile("sgd", "mse")
    history = model.fit(numpy.ones((8, 4)), numpy.ones((8, 2)), batch_size=2, epochs=3, verbose=0)
    print(json.dumps({"name": name, "notes": backend.notes(), "epochs": len(history.epoch),
                      "dtype": str(keras.backend.standardize_dtype(model.weights[0].dtype)),
                      "format": keras.config.image_data_format(), "epsilon": keras.config.epsilon()}))
"""


def _run(*args, code=REPORT, **environment):
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("KERAS_", "TF_CPP"))}
    clean["PYTHONPATH"] = str(Path(kbuild.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-c", code, *args], env={**clean, **environment}, capture_output=True, text=True, timeout=300
    )


def _report(*args, **environment):
    done = _run(*args, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.full
def test_a_friendly_machine_starts_in_silence(tmp_path):
    report, stderr = _report(HERE, HOME=str(tmp_path))
    assert stderr == ""
    assert (report["name"], report["notes"]) == (HERE, [])


def test_a_hostile_machine_changes_nothing_and_is_reported(tmp_path):
    config = {"floatx": "float64", "image_data_format": "channels_first", "epsilon": 1e-3, "backend": OTHER}
    (tmp_path / "keras.json").write_text(json.dumps({**config, "nnx_enabled": True}), encoding="utf-8")
    limits = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1", "KERAS_NNX_ENABLED": "true"}
    report, stderr = _report(HERE, KERAS_HOME=str(tmp_path), KERAS_BACKEND=OTHER, **limits)
    assert stderr == ""
    assert {key: report[key] for key in ("name", "epochs", "dtype", "format", "epsilon")} == {
        "name": HERE,
        "epochs": 3,
        "dtype": "float32",
        "format": "channels_last",
        "epsilon": 1e-7,
    }
    assert report["notes"] == [
        f"KERAS_BACKEND={OTHER} in the environment was overruled by the choice of {HERE}",
        "KERAS_MAX_EPOCHS=1 in the environment was ignored",
        "KERAS_MAX_STEPS_PER_EPOCH=1 in the environment was ignored",
        "KERAS_NNX_ENABLED=true in the environment was ignored",
        "floatx was float64 in Keras's configuration and is float32 in this run",
        "epsilon was 0.001 in Keras's configuration and is 1e-07 in this run",
        "image_data_format was channels_first in Keras's configuration and is channels_last in this run",
    ]


@pytest.mark.full
def test_a_home_that_cannot_be_written_to_is_replaced_and_the_environment_may_choose():
    report, stderr = _report(HOME=os.devnull, KERAS_BACKEND=HERE)
    assert stderr == ""
    assert report["notes"] == [
        f"the backend {HERE} was chosen by KERAS_BACKEND in the environment",
        f"the folder {os.devnull}/.keras cannot be written to; Keras used a temporary one",
    ]


@pytest.mark.parametrize(
    ("args", "environment", "code", "message", "help"),
    [
        (["theano"], {}, "K501", "the backend is `theano`, which kbuild does not know",
         "choose one of tensorflow, jax, torch"),
        ([], {"KERAS_BACKEND": "theano"}, "K501",
         "KERAS_BACKEND in the environment is `theano`, which kbuild does not know",
         "choose one of tensorflow, jax, torch"),
        (["torch"], {}, "K502", "the backend `torch` is not installed",
         'pip install "kbuild[torch]", or choose another backend'),
        ([], {"KERAS_BACKEND": "torch"}, "K502",
         "the backend `torch`, which KERAS_BACKEND in the environment asks for, is not installed",
         'pip install "kbuild[torch]", or choose another backend'),
    ],
    ids=["unknown", "unknown in the environment", "missing", "missing from the environment"],
)  # fmt: skip
def test_a_backend_that_is_not_there_is_a_problem_before_keras_is_loaded(args, environment, code, message, help):
    if "torch" in message and backend.importlib.util.find_spec("torch"):
        pytest.skip("torch is installed here")
    report, _ = _report(*args, **environment)
    assert report == {"code": code, "message": message, "help": help, "exit": 4, "keras": False}


def test_an_import_that_fails_says_why_and_replays_what_it_printed(tmp_path):
    broken = tmp_path / HERE
    broken.mkdir()
    text = "import os\nos.write(2, b'the library is from another planet\\n')\nraise ImportError('no such planet')\n"
    (broken / "__init__.py").write_text(text, encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{REPORT}"
    done = _run(HERE, code=code)
    report = json.loads(done.stdout)
    assert report["code"] == "K505"
    assert report["message"] == f"Keras does not start on `{HERE}`: ImportError: no such planet"
    assert "the library is from another planet" in done.stderr


def test_a_process_keeps_its_backend():
    assert backend.start() == backend.start(HERE) == HERE
    with pytest.raises(SpecError) as caught:
        backend.start(OTHER)
    (problem,) = caught.value.problems
    assert problem.message == f"Keras runs on `{HERE}` in this process already and cannot change to `{OTHER}`"
    assert problem.help == f"start a new process, or choose the backend `{HERE}`"


@pytest.mark.parametrize(("version", "fine"), [("3.15.0", False), ("3.12.4", False), ("3.15.1", True), ("4.0", True)])
def test_a_keras_that_is_not_safe_is_refused(version, fine, monkeypatch):
    monkeypatch.setattr(backend.importlib.metadata, "version", lambda _: version)
    if fine:
        assert backend.start() == HERE
        return
    with pytest.raises(SpecError) as caught:
        backend.start()
    (problem,) = caught.value.problems
    assert problem.message == f"Keras {version} runs code hidden in model files (CVE-2026-12481)"
    assert problem.help == 'pip install "keras>=3.15.1"'


def test_settings_changed_in_the_process_are_put_right_and_noted():
    keras.config.set_floatx("float16")
    keras.config.set_max_epochs(2)
    backend.start()
    assert (keras.config.floatx(), keras.config.max_epochs()) == ("float32", None)
    assert "floatx was float16 in Keras's configuration and is float32 in this run" in backend.notes()
    assert "max_epochs was limited to 2 in Keras's configuration and is not in this run" in backend.notes()


def test_the_same_seed_gives_the_same_numbers():
    drawn = []
    for seed in (7, 7, 8):
        backend.seed(seed)
        drawn.append(keras.ops.convert_to_numpy(keras.random.normal((4,))).tolist())
    assert drawn[0] == drawn[1] != drawn[2]
