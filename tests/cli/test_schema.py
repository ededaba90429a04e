"""`kbuild schema`: one JSON value, on standard output or in a file."""

import json

import pytest

from kbuild.spec.signature import keras_version


def test_prints_the_schema_of_what_is_installed(kbuild):
    done = kbuild("schema")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert f"Keras {keras_version()}" in found["$comment"]
    assert {"layers.Dense", "optimizers.Adam", "blocks.residual", "ops.add"} <= set(found["$defs"])
    assert "layers.Lambda" not in found["$defs"]


def test_writes_it_to_a_file_and_says_where(kbuild, tmp_path):
    file = tmp_path / "new" / "kbuild.schema.json"
    done = kbuild("schema", "--out", file)
    assert (done.code, done.out, done.err) == (0, f"{file}\n", "")
    assert file.read_text(encoding="utf-8") == kbuild("schema").out
    assert [path.name for path in file.parent.iterdir()] == ["kbuild.schema.json"]
    assert kbuild("schema", "--out", file, "--quiet").out == ""


def test_trust_lets_in_what_runs_code(kbuild):
    found = json.loads(kbuild("schema", "--trust").out)
    assert "layers.Lambda" in found["$defs"]


def test_own_classes_join(kbuild, tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    code = tmp_path / "mine.py"
    code.write_text("import keras\n\nclass Mine(keras.layers.Layer):\n    def __init__(self, size):\n        ...\n")
    schema = json.loads(kbuild("schema", "--use", code).out)
    spec = {"kbuild": 1, "use": "mine.py", "model": [{"Mine": 3}, {"Dense": {"units": 3, "activation": {"Mine": 2}}}]}
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(spec)
    assert not validator.is_valid({**spec, "model": [{"Mine": {"sise": 3}}]})
    assert not validator.is_valid({**spec, "model": [{"Mien": 3}]})


def test_code_that_cannot_be_read(kbuild, tmp_path):
    code = tmp_path / "mine.py"
    code.write_text("class Mine(")
    done = kbuild("schema", "--use", code)
    assert done.code == 1
    assert "error[K108]: `mine.py` cannot be read as Python" in done.err
