import json

SPEC = """kbuild: 1
name: net
model:
  inputs: {image: {shape: [8, 8, 1]}, meta: {shape: [4]}}
  layers:
    - {Conv2D: {filters: 4, kernel_size: 3, activation: relu}, from: image, name: conv}
    - Flatten
    - {Concatenate: {}, from: [previous, meta], name: joined}
    - {Dense: 10, name: digit}
"""


def test_a_line_for_each_layer(kbuild, tmp_path):
    spec = tmp_path / "net.yaml"
    spec.write_text(SPEC)
    done = kbuild("show", spec)
    assert (done.code, done.err) == (0, "")
    table, _, rest = done.out.partition("\n\n")
    rows = [line.split("  ") for line in table.split("\n")]
    rows = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert rows == [
        ["layer", "call", "from", "output"],
        ["image", "Input", "(8, 8, 1)"],
        ["meta", "Input", "(4,)"],
        ["conv", "Conv2D(filters=4, kernel_size=3, activation=relu)", "image", "(6, 6, 4)"],
        ["flatten", "Flatten", "conv", "(144,)"],
        ["joined", "Concatenate", "flatten, meta", "(148,)"],
        ["digit", "Dense(units=10)", "joined", "(10,)"],
    ]
    assert rest.startswith("net: 4 layers, 2 inputs → 10\n")


def test_a_narrow_terminal_loses_nothing(kbuild, tmp_path, monkeypatch):
    spec = tmp_path / "net.yaml"
    spec.write_text(SPEC)
    monkeypatch.setenv("COLUMNS", "50")
    done = kbuild("show", spec)
    assert max(len(line) for line in done.out.split("\n")) <= 50
    assert "…" not in done.out
    assert "kernel_size" in done.out


def test_json_has_every_layer_with_its_path(kbuild, tmp_path):
    spec = tmp_path / "net.yaml"
    spec.write_text(SPEC)
    found = json.loads(kbuild("show", spec, "--json").out)
    assert set(found) == {"name", "inputs", "layers", "outputs", "totals"}
    assert found["inputs"]["image"]["shape"] == [8, 8, 1]
    conv, flatten, joined, digit = found["layers"]
    assert conv == {
        "name": "conv",
        "call": "Conv2D",
        "arguments": {"filters": 4, "kernel_size": 3, "activation": "relu"},
        "from": ["image"],
        "output_shape": [6, 6, 4],
        "params": None,
        "flops": None,
        "path": conv["path"],
    }
    assert conv["path"].startswith("model.")
    assert joined["from"] == [flatten["name"], "meta"]
    assert digit["output_shape"] == [10]
    assert found["outputs"] == {"digit": {"from": "digit", "shape": [10]}}
    assert found["totals"] == {"params": None, "trainable": None, "flops": None}


def test_what_is_learned_is_told(kbuild):
    done = kbuild("show", "kbuild:digits_mlp")
    assert "output digit: multiclass, 10 classes; the last layer gives probabilities (softmax)\n" in done.out


def test_json_of_a_mistake(kbuild, tmp_path):
    spec = tmp_path / "bad.yaml"
    spec.write_text("kbuild: 1\nmodel: [Dens]\n")
    done = kbuild("show", spec, "--json")
    assert done.code == 1
    found = json.loads(done.out)
    assert found["ok"] is False
    assert found["problems"][0]["message"] == "there is no layer or block `Dens`"


def test_build_fills_in_the_parameters(kbuild, tmp_path):
    spec = tmp_path / "net.yaml"
    spec.write_text(SPEC)
    done = kbuild("show", spec, "--build")
    assert (done.code, done.err) == (0, "")
    assert "1,530 parameters, 1,530 of them trainable" in done.out
    assert [line.split()[-1] for line in done.out.split("\n") if line.startswith(("conv", "digit"))] == ["40", "1,490"]
    found = json.loads(kbuild("show", spec, "--build", "--json").out)
    assert found["totals"] == {"params": 1530, "trainable": 1530, "flops": None}
    assert {layer["name"]: layer["params"] for layer in found["layers"]} == {
        "conv": 40, "flatten": 0, "joined": 0, "digit": 1490,
    }  # fmt: skip
    checked = kbuild("check", spec, "--build")
    assert checked.out == f"{spec}: fine (4 layers, 2 inputs → 10, 1,530 parameters)\n"
    assert json.loads(kbuild("check", spec, "--build", "--json").out)["params"] == 1530
