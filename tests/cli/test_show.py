import json
from xml.etree import ElementTree

import pytest

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
BLOCKS = """kbuild: 1
name: deep
blocks:
  pair:
    params: {units: $required}
    layers: [{Dense: $units, name: one}, {Dense: $units, name: two}]
model:
  inputs: {x: {shape: [4]}}
  layers:
    - {pair: 8, name: stage, repeat: 2}
    - {Dense: 1, name: last}
"""


@pytest.fixture
def net(tmp_path):
    spec = tmp_path / "net.yaml"
    spec.write_text(SPEC)
    return spec


@pytest.fixture
def deep(tmp_path):
    spec = tmp_path / "deep.yaml"
    spec.write_text(BLOCKS)
    return spec


def cells(out: str) -> list[list[str]]:
    """The table's rows, each cell once."""
    lines = [line.split("  ") for line in out.partition("\n\n")[0].split("\n")]
    return [[cell.strip() for cell in line if cell.strip()] for line in lines]


def test_a_line_for_each_layer(kbuild, net):
    done = kbuild("show", net)
    assert (done.code, done.err) == (0, "")
    assert [row[:4] for row in cells(done.out)] == [
        ["layer", "call", "from", "output"],
        ["image", "Input", "(8, 8, 1)"],
        ["meta", "Input", "(4,)"],
        ["conv", "Conv2D(4, 3, relu)", "image", "(6, 6, 4)"],
        ["flatten", "Flatten", "↑", "(144,)"],
        ["joined", "Concatenate", "flatten, meta", "(148,)"],
        ["digit", "Dense(10)", "↑", "(10,)"],
    ]
    assert "net: 4 layers, 2 inputs → 10\n" in done.out


def test_what_it_costs(kbuild, net):
    lines = kbuild("show", net).out.partition("\n\n")[0].split("\n")
    rows = {line.split()[0]: line for line in lines}
    assert rows["layer"].endswith("parameters   share   FLOPs  field")
    # 3·3 + 1 numbers for each of 4 filters; at each of 36 places 9 multiply-adds, the bias, the activation
    assert rows["conv"].endswith("        40   2.6 %  2.88 k      3")
    assert rows["digit"].endswith("     1,490  97.4 %  2.97 k")
    out = kbuild("show", net).out
    assert "parameters: 1,530 (1,530 trainable)\n" in out
    assert "for one example forward, a multiply–add counted as two\n" in out


def test_blocks_and_repeats_fold(kbuild, deep):
    everything = [row[0] for row in cells(kbuild("show", deep).out)]
    inside = ["│ ├ one", "│ └ two"]
    assert everything == [
        "layer", "x", "stage ×2", "├ stage-0", *inside, "└ stage-1", "├ one", "└ two", "last",
    ]  # fmt: skip
    folded = cells(kbuild("show", deep, "--fold").out)
    assert [row[0] for row in folded] == ["layer", "x", "▸ stage ×2", "last"]
    assert folded[2][1:5] == ["repeat", "↑", "(8,)", "256"]
    assert [row[0] for row in cells(kbuild("show", deep, "--depth", "1").out)] == [
        "layer", "x", "stage ×2", "├ ▸ stage-0", "└ ▸ stage-1", "last",
    ]  # fmt: skip
    assert kbuild("show", deep, "--depth", "0").out == kbuild("show", deep, "--fold").out


def test_what_excludes_each_other_is_wrong_usage(kbuild, net):
    for options in (["--fold", "--depth", "1"], ["--json", "--mermaid"], ["--mermaid", "--svg", "-"]):
        done = kbuild("show", net, *options)
        assert done.code == 2
        assert "exclude each other" in done.err
    assert kbuild("show", net, "--depth", "-1").code == 2


def test_a_narrow_terminal_loses_nothing(kbuild, net, monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    done = kbuild("show", net)
    table = done.out.partition("\n\n")[0]
    assert max(len(line) for line in table.split("\n")) <= 90
    assert "…" not in done.out
    monkeypatch.setenv("COLUMNS", "40")
    narrow = kbuild("show", net).out.partition("\n\n")[0]
    assert "".join(table.split()).count("relu)") == "".join(narrow.split()).count("relu)") == 1


def test_what_is_not_known_is_said(kbuild, tmp_path):
    spec = tmp_path / "open.yaml"
    spec.write_text("kbuild: 1\nmodel: {inputs: {x: {shape: [null, 4]}}, layers: [{LSTM: 3, name: memory}]}\n")
    out = kbuild("show", spec).out
    assert "? is not known: `memory` has a size that the data or `inputs` leave open\n" in out
    assert "FLOPs: ?\n" in out


def test_json_has_every_layer_with_its_path(kbuild, net):
    found = json.loads(kbuild("show", net, "--json").out)
    assert set(found) == {"name", "inputs", "layers", "outputs", "totals"}
    assert found["inputs"]["image"]["shape"] == [8, 8, 1]
    conv, flatten, joined, digit = found["layers"]
    assert conv == {
        "name": "conv",
        "call": "Conv2D",
        "arguments": {"filters": 4, "kernel_size": 3, "activation": "relu"},
        "from": ["image"],
        "output_shape": [6, 6, 4],
        "params": 40,
        "flops": conv["flops"],
        "path": "model.layers.conv",
    }
    # 36 positions of 4 filters, 9 multiply-adds each
    assert conv["flops"] >= 36 * 4 * 9 * 2
    assert joined["from"] == [flatten["name"], "meta"]
    assert digit["output_shape"] == [10]
    assert found["outputs"] == {"digit": {"from": "digit", "shape": [10]}}
    flops = sum(layer["flops"] for layer in found["layers"])
    assert found["totals"] == {"params": 1530, "trainable": 1530, "flops": flops}


def test_json_has_null_for_what_is_not_known(kbuild, tmp_path):
    spec = tmp_path / "open.yaml"
    spec.write_text("kbuild: 1\nmodel: {inputs: {x: {shape: [null, 4]}}, layers: [{LSTM: 3}]}\n")
    found = json.loads(kbuild("show", spec, "--json").out)
    assert found["layers"][0]["flops"] is None
    assert found["totals"] == {"params": 96, "trainable": 96, "flops": None}


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


def test_a_drawing_goes_into_a_file_or_to_standard_output(kbuild, net, tmp_path):
    done = kbuild("show", net, "--svg", tmp_path / "net.svg")
    assert (done.code, done.out) == (0, f"{tmp_path / 'net.svg'}: net\n")
    text = (tmp_path / "net.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert kbuild("show", net, "--svg", "-").out == text
    assert kbuild("show", net, "--svg", tmp_path / "net.svg", "--quiet").out == ""
    assert kbuild("show", net, "--svg", tmp_path / "none" / "net.svg").code != 0


def test_a_diagram_is_printed(kbuild, deep):
    assert kbuild("show", deep, "--mermaid").out.startswith("flowchart TB\n")
    assert "subgraph" not in kbuild("show", deep, "--mermaid", "--fold").out


def test_colours_only_on_a_terminal(kbuild, deep, monkeypatch):
    import sys

    assert "\033" not in kbuild("show", deep).out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert "\033[1m" in kbuild("show", deep).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in kbuild("show", deep).out


def test_build_fills_in_the_parameters(kbuild, net):
    done = kbuild("show", net, "--build")
    assert (done.code, done.err) == (0, "")
    assert "parameters: 1,530 (1,530 trainable)" in done.out
    found = json.loads(kbuild("show", net, "--build", "--json").out)
    assert (found["totals"]["params"], found["totals"]["trainable"]) == (1530, 1530)
    assert {layer["name"]: layer["params"] for layer in found["layers"]} == {
        "conv": 40, "flatten": 0, "joined": 0, "digit": 1490,
    }  # fmt: skip
    checked = kbuild("check", net, "--build")
    assert checked.out == f"{net}: fine (4 layers, 2 inputs → 10, 1,530 parameters)\n"
    assert json.loads(kbuild("check", net, "--build", "--json").out)["params"] == 1530


def test_build_tells_what_kbuild_does_not_know(kbuild, tmp_path):
    (tmp_path / "own.py").write_text(
        "import keras\n\n\nclass Twice(keras.layers.Layer):\n    def build(self, shape):\n"
        "        self.w = self.add_weight(shape=(shape[-1],))\n"
        "        self.kept = self.add_weight(shape=(2,), trainable=False)\n\n"
        "    def call(self, x):\n        return x * self.w\n"
    )
    spec = tmp_path / "net.yaml"
    spec.write_text("kbuild: 1\nuse: [own.py]\nmodel: {inputs: {x: {shape: [4]}}, layers: [Twice, {Dense: 2}]}\n")
    before = kbuild("show", spec, "--trust")
    assert "parameters: ?\nFLOPs: ?\nmemory: ?\n? is not known: `twice`, `dense`, known after `--build`\n" in before.out
    after = json.loads(kbuild("show", spec, "--trust", "--build", "--json").out)
    assert [layer["params"] for layer in after["layers"]] == [6, 10]
    assert (after["totals"]["params"], after["totals"]["trainable"]) == (16, 14)
    out = kbuild("show", spec, "--trust", "--build").out
    assert "parameters: 16 (14 trainable, 2 not)\n" in out
    assert "? is not known: `twice`, which Keras does not tell\n" in out
