import json

import numpy as np

HEAD = "kbuild: 1\nmodel: [Flatten, {Dense: 3}]\ndata:\n"


def test_a_built_in_set(kbuild):
    done = kbuild("data", "kbuild:digits_mlp")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("input input: 8×8×1 ")
    assert "target output: multiclass, 10 classes\n" in done.out
    assert "examples: train 1,257, validation 270, test 270\n" in done.out


def test_json(kbuild):
    found = json.loads(kbuild("data", "kbuild:digits_mlp", "--json").out)
    assert found["inputs"]["input"]["shape"] == [8, 8, 1]
    assert found["parts"] == {"train": 1257, "validation": 270, "test": 270}
    assert found["targets"]["output"]["task"] == "multiclass"


def test_a_picture(kbuild, tmp_path):
    file = tmp_path / "new" / "digits.png"
    done = kbuild("data", "kbuild:digits_mlp", "--picture", file)
    assert done.code == 0
    assert done.out.endswith(f"examples drawn into {file}\n")
    assert file.read_bytes().startswith(b"\x89PNG")


def test_data_that_are_absent(kbuild, tmp_path):
    spec = tmp_path / "absent.yaml"
    spec.write_text(f"{HEAD}  source: {{npz: no.npz}}\n")
    done = kbuild("data", spec)
    assert done.code == 3
    assert done.err.startswith("error[K402]: ")
    assert f"{spec}:4:" in done.err


def test_an_archive_of_objects_is_refused(kbuild, tmp_path):
    spec = tmp_path / "objects.yaml"
    spec.write_text(f"{HEAD}  source: {{npz: o.npz}}\n")
    np.savez(tmp_path / "o.npz", x=np.array([{"a": 1}, None], dtype=object))
    done = kbuild("data", spec)
    assert done.code == 3
    assert "Traceback" not in done.err
    assert f"{spec}:4:" in done.err


def test_no_data(kbuild, tmp_path):
    spec = tmp_path / "none.yaml"
    spec.write_text("kbuild: 1\nmodel: {inputs: {x: {shape: [3]}}, layers: [{Dense: 2}]}\n")
    done = kbuild("data", spec)
    assert done.code == 1
    assert "error[K166]: the spec has no `data`" in done.err
