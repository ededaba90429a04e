"""Signatures from text, without Keras: what they say, and what happens when the cache is no help."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kbuild.spec import docstring, identifiers, parameters, signature_cache
from kbuild.spec.signature import Parameter, Unparsed, from_file, keras_version, names, signature
from kbuild.spec.signature import identifiers as strings
from kbuild.text.problem import SpecError

BUILDER = Path(signature_cache.__file__).parents[2]
ASK = """
import sys
from kbuild.spec.signature import NAMESPACES, identifiers, names, signature
for namespace in NAMESPACES:
    names(namespace)
    identifiers(namespace)
print([p.name for p in signature("layers", "Dense").parameters])
print([p.name for p in signature("optimizers", "Adam").parameters][:2], len(identifiers("losses")))
print([m for m in ("keras", "keras_tuner", "tensorflow", "jax", "torch", "numpy") if m in sys.modules])
"""


def names_of(found: tuple[Parameter, ...]) -> list[str]:
    return [parameter.name for parameter in found]


def test_dense() -> None:
    dense = signature("layers", "Dense")
    assert dense is not None
    assert dense.parameters[:3] == (
        Parameter("units", True),
        Parameter("activation", False, None),
        Parameter("use_bias", False, True),
    )
    assert {"name", "dtype", "trainable", "autocast"} <= set(names_of(dense.parameters))
    assert {"input_shape", "input_dim", "kwargs", "self"}.isdisjoint(names_of(dense.parameters))
    assert (dense.bases[0], dense.abstract, dense.open, dense.is_class) == ("Layer", False, False, True)
    assert dense.doc == "Just your regular densely-connected NN layer."
    assert dense.documented["units"] == "Positive integer, dimensionality of the output space."
    assert "dtype" in dense.documented


def test_what_a_class_fixes_for_its_base_is_no_parameter() -> None:
    conv = signature("layers", "Conv2D")
    lstm = signature("layers", "LSTM")
    assert conv is not None and lstm is not None
    assert "rank" not in names_of(conv.parameters)
    assert conv.bases[:2] == ("BaseConv", "Layer")
    assert "cell" not in names_of(lstm.parameters)
    assert {"implementation", "zero_output_for_mask", "return_state"} <= set(names_of(lstm.parameters))


def test_calls() -> None:
    attention = signature("layers", "MultiHeadAttention")
    assert attention is not None
    assert attention.call[:3] == (Parameter("query", True), Parameter("value", True), Parameter("key", False, None))
    assert {"use_causal_mask", "return_attention_scores", "training"} <= set(names_of(attention.call))
    adam = signature("optimizers", "Adam")
    assert adam is not None and adam.call == ()
    assert {"clipnorm", "use_ema", "global_clipnorm", "name"} <= set(names_of(adam.parameters))
    assert adam.documented["clipnorm"].startswith("Float. If set, the gradient of each weight is individually clipped")


def test_by_position() -> None:
    add, dense = signature("layers", "Add"), signature("layers", "Dense")
    assert add is not None and dense is not None
    assert (add.positional, dense.parameters[dense.positional - 1].name) == (0, "quantization_config")


def test_aliases_and_functions() -> None:
    short, long = signature("layers", "MaxPool2D"), signature("layers", "MaxPooling2D")
    assert short is not None and long is not None
    assert (short.name, short.parameters) == ("MaxPool2D", long.parameters)
    einsum, expand, resnet = (
        signature("ops", "einsum"),
        signature("ops", "expand_dims"),
        signature("applications", "ResNet50"),
    )
    assert einsum is not None and expand is not None and resnet is not None
    assert (names_of(einsum.parameters), einsum.rest, einsum.is_class) == (["subscripts"], "operands", False)
    assert names_of(expand.parameters) == ["x", "axis"]
    assert {"include_top", "weights", "input_shape", "classes"} <= set(names_of(resnet.parameters))


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [
        ("layers", {"InputSpec", "Layer", "Wrapper"}), ("optimizers", {"Optimizer", "OptimizerMap"}),
        ("schedules", {"LearningRateSchedule"}), ("losses", {"Loss"}), ("metrics", {"Metric"}),
        ("callbacks", {"Callback"}), ("initializers", {"Initializer"}), ("regularizers", {"Regularizer"}),
        ("constraints", {"Constraint"}), ("oracles", set()),
    ],
)  # fmt: skip
def test_abstract(namespace: str, expected: set[str]) -> None:
    every = [signature(namespace, name) for name in names(namespace)]
    assert {found.name for found in every if found and found.abstract} == expected


def test_open_are_few() -> None:
    every = [
        (space, name) for space in ("layers", "optimizers", "losses", "metrics", "callbacks") for name in names(space)
    ]
    found = [signature(*one) for one in every]
    assert {f.name for f in found if f and f.open} == {"MeanMetricWrapper", "LambdaCallback", "CallbackList"}


def test_names() -> None:
    assert {"Dense", "PositionEmbedding", "Maxout"} <= set(names("layers"))
    assert {"Adam", "RAdam", "Lookahead"} <= set(names("optimizers"))
    assert names("oracles") == ("BayesianOptimization", "GridSearch", "Hyperband", "RandomSearch")
    assert {"get", "serialize", "deserialize"}.isdisjoint([*names("activations"), *names("layers")])
    assert "numpy" not in names("ops") and "resnet" not in names("applications")
    assert (names("nowhere"), signature("nowhere", "Dense"), signature("layers", "Densse")) == ((), None, None)
    assert keras_version()[:2] == "3."


def test_own_layers_derive_from_layers_of_keras() -> None:
    found = signature("layers", "PositionEmbedding")
    assert found is not None
    assert "Layer" in found.bases
    assert {"name", "dtype"} <= set(names_of(found.parameters))
    assert not found.abstract


def test_strings() -> None:
    assert {"mse", "sparse_categorical_crossentropy", "MeanSquaredError", "crossentropy", "ce"} <= strings("losses")
    assert {"accuracy", "acc", "mse", "AUC", "auc"} <= strings("metrics")
    assert {"relu", "swish", "softmax"} <= strings("activations")
    assert {"he_normal", "zeros", "GlorotUniform", "uniform"} <= strings("initializers")
    assert {"l1", "l2", "L2", "l1l2"} <= strings("regularizers")
    assert {"adam", "Adam", "sgd"} <= strings("optimizers")
    # These need an argument, or are abstract.
    assert {"MeanIoU", "Metric", "mean_io_u"}.isdisjoint(strings("metrics"))
    assert "constant" not in strings("initializers")
    assert strings("layers") == frozenset()
    assert identifiers.compiled("optimizers") == frozenset()


def test_own_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text('''
import tensorflow as tf
import keras
from keras import layers
from keras.layers import Dense as Thick
from elsewhere import Base

class Scale(layers.Layer):
    """Multiplies.

    Args:
        by: Float, the factor.
    """
    def __init__(self, by=1.0, *, start=1e-3 ** 2, **kwargs):
        bias = kwargs.pop("bias", 2)
        super().__init__(**kwargs)
    def call(self, x, training=None):
        return x

class Twice(Thick):
    def __init__(self, **kwargs):
        super().__init__(2, use_bias=False, **kwargs)

class Old(tf.keras.losses.Loss):
    def call(self, y_true, y_pred):
        return y_pred

class Lost(Base):
    pass

class Plain:
    def __init__(self, a):
        pass

class Steep(keras.optimizers.SGD):
    pass

class Unfinished(keras.losses.Loss):
    pass

class _Hidden(layers.Layer):
    pass
''')
    found = {entry.name: entry for entry in from_file(path)}
    assert {name: (entry.namespace, entry.abstract, entry.open) for name, entry in found.items()} == {
        "Scale": ("layers", False, False),
        "Twice": ("layers", False, False),
        "Old": ("losses", False, False),
        "Lost": ("", False, True),
        "Plain": ("", True, False),
        "Steep": ("optimizers", False, False),
        "Unfinished": ("losses", True, False),
    }
    scale = found["Scale"]
    assert scale.parameters[:3] == (
        Parameter("by", False, 1.0),
        Parameter("start", False, Unparsed("0.001 ** 2")),
        Parameter("bias", False, 2),
    )
    assert (scale.positional, scale.documented["by"], names_of(scale.call)) == (
        1,
        "Float, the factor.",
        ["x", "training"],
    )
    assert {"units", "use_bias"}.isdisjoint(names_of(found["Twice"].parameters))
    assert "activation" in names_of(found["Twice"].parameters)


@pytest.mark.parametrize(
    ("text", "said"),
    [("class A(:\n", "line 1: "), (None, "No such file"), ("class A:\n  x = '\0'\n", "null bytes")],
)
def test_own_file_that_cannot_be_read(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SpecError) as caught:
        from_file(path)
    problem = caught.value.problems[0]
    assert problem.code == "K108"
    assert problem.message.startswith("`mine.py` cannot be read as Python: ")
    assert said in problem.message
    assert problem.help == "correct the file that `use` names"


def test_docstrings() -> None:
    text = "Sums.\n\nArgs:\n    x, y: Tensors,\n        of any shape.\n    *args: Others.\n    z (int): One.\n"
    text += "\nReturns:\n    w: No.\n"
    assert docstring.parse(text) == {
        "x": "Tensors, of any shape.",
        "y": "Tensors, of any shape.",
        "args": "Others.",
        "z": "One.",
    }


def test_values() -> None:
    assert parameters.value("(1, 1)") == (1, 1)
    assert parameters.value("-1e-3") == -0.001
    assert parameters.value("backend.floatx()") == Unparsed("backend.floatx()")
    assert isinstance(parameters.value("backend.floatx()"), Unparsed)


def run(cache: Path, code: str = ASK) -> str:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(BUILDER)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A cache folder that one process has filled, and what that process said."""
    cache = tmp_path_factory.mktemp("cache")
    return cache, run(cache)


def test_nothing_imports_keras(filled: tuple[Path, str]) -> None:
    assert filled[1].splitlines()[0].startswith("['units', 'activation', ")
    assert filled[1].splitlines()[2] == "[]"


def test_cache_gives_the_same(filled: tuple[Path, str]) -> None:
    cache, said = filled
    files = sorted(cache.rglob("*.json"))
    assert {"layers.json", "optimizers.json", "losses.json"} <= {file.name for file in files}
    assert not list(cache.rglob(".new-*"))
    layers = next(file for file in files if file.name == "layers.json")
    kept = json.loads(layers.read_text())
    assert list(kept["signatures"]) == ["Dense"]
    assert run(cache) == said
    # It is really read: what stands there is what is said.
    kept["signatures"]["Dense"]["parameters"] = [["from_cache"]]
    layers.write_text(json.dumps(kept))
    assert run(cache).startswith("['from_cache']\n")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 100_000, b'{"key": "another"}',
        b'{"key": KEY, "signatures": 3, "identifiers": 3}',
        b'{"key": KEY, "signatures": {"Dense": 3, "Adam": {"text": []}}}',
        b'{"key": KEY, "signatures": {"Dense": {"parameters": [[]], "call": [], "bases": [], "documented": {}, '
        b'"text": ["", ""], "flags": [0, 0, 0, 0]}, "Adam": {"parameters": 1}}}',
    ],
)  # fmt: skip
def test_corrupt_cache_is_as_good_as_none(tmp_path: Path, filled: tuple[Path, str], content: bytes) -> None:
    source = next(filled[0].rglob("losses.json"))
    key = json.dumps(json.loads(source.read_text())["key"]).encode()
    for name in ("layers", "optimizers", "losses"):
        path = tmp_path / source.relative_to(filled[0]).with_name(f"{name}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace(b"KEY", key))
    assert run(tmp_path) == filled[1]
    assert json.loads(path.read_text())["key"] == json.loads(key)


def test_folder_that_cannot_be_written(tmp_path: Path, filled: tuple[Path, str]) -> None:
    # A file where the folder should be stops the superuser too, whom permissions do not.
    blocked = tmp_path / "cache"
    blocked.write_text("")
    assert run(blocked) == filled[1]
    assert run(Path("/proc/none")) == filled[1]
    assert run(Path("relative"), "import os\nos.environ['HOME'] = '/proc/none'\n" + ASK) == filled[1]


def test_cache_is_not_used_for_another_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    here = signature_cache._path("layers")
    monkeypatch.setattr(signature_cache, "_key", lambda: "another")
    assert signature_cache._path("layers") != here
    assert here.is_relative_to(tmp_path)
