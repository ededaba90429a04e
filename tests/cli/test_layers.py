import json


def test_a_layer_with_its_arguments(kbuild):
    done = kbuild("layers", "Dropout")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("layers: Dropout\n")
    rows = {line.split()[0]: line.split()[1] for line in done.out.split("\n") if line[:1].islower()}
    assert rows["rate"] == "required"
    assert rows["seed"] == "null"


def test_json(kbuild):
    (found,) = json.loads(kbuild("layers", "Dense", "--json").out)
    assert (found["name"], found["namespace"]) == ("Dense", "layers")
    arguments = {argument["name"]: argument for argument in found["arguments"]}
    assert arguments["units"]["required"] is True
    assert arguments["use_bias"]["default"] is True
    assert arguments["kernel_initializer"]["default"] == "glorot_uniform"


def test_all_of_them(kbuild):
    found = json.loads(kbuild("layers", "--json").out)
    assert {"blocks", "layers", "optimizers", "losses", "metrics", "ops", "oracles"} <= set(found)
    assert {"Dense", "Conv2D", "PositionEmbedding"} <= set(found["layers"])
    assert "Layer" not in found["layers"]
    assert "RAdam" in found["optimizers"]
    assert "residual" in found["blocks"]
    assert "Conv2DTranspose" in kbuild("layers").out


def test_a_block(kbuild):
    done = kbuild("layers", "residual")
    assert done.code == 0
    assert done.out.startswith("block: residual\n")
    assert "filters" in done.out


def test_an_operation(kbuild):
    assert kbuild("layers", "ops.einsum").out.startswith("ops: ops.einsum\n")


def test_a_near_miss(kbuild):
    done = kbuild("layers", "Conv2")
    assert done.code == 1
    assert (
        done.err == "error[K102]: there is no layer, other object or block `Conv2`\n  = help: did you mean `Conv2D`?\n"
    )


def test_an_example_and_what_comes_out_of_it(kbuild):
    lines = kbuild("layers", "Conv2D").out.splitlines()
    at = lines.index("example, 8×8×3 → 6×6×8:")
    assert lines[at + 1] == "  - Conv2D: {filters: 8, kernel_size: 3}"
    assert "at call time, by `from` and `call` beside it: inputs" in lines
    assert not any(line.startswith("name ") for line in lines)
    (found,) = json.loads(kbuild("layers", "Conv2D", "--json").out)
    assert found["example"] == "- Conv2D: {filters: 8, kernel_size: 3}"
    assert (found["inputs"], found["output"]) == ({"x": [8, 8, 3]}, [6, 6, 8])
    assert found["call"] == [{"name": "inputs", "required": True, "default": None}]
    assert found["refused"] is None


def test_what_is_refused_says_so(kbuild):
    assert "\nRefused without --trust: it runs code.\n" in kbuild("layers", "Lambda").out
    assert "\nAbstract: it serves to derive from" in kbuild("layers", "Layer").out
    assert "\nNo entry: inputs are declared under `model.inputs`.\n" in kbuild("layers", "Input").out
    assert "\nNot for a spec: write `train.schedule`.\n" in kbuild("layers", "LearningRateScheduler").out
    (found,) = json.loads(kbuild("layers", "Lambda", "--json").out)
    assert (found["refused"], found["example"]) == ("Refused without --trust: it runs code.", None)
    listed = kbuild("layers").out
    assert "refused without --trust" in listed
    assert "Lambda" in listed.partition("refused without --trust")[2]
    assert "Lambda" not in json.loads(kbuild("layers", "--json").out)["layers"]


def test_a_name_of_several_families(kbuild):
    shown = kbuild("layers", "MeanSquaredError").out
    assert shown.startswith("losses: MeanSquaredError\n")
    assert "\n\nmetrics: MeanSquaredError\n" in shown
    assert [entry["namespace"] for entry in json.loads(kbuild("layers", "relu", "--json").out)] == [
        "ops",
        "activations",
    ]


def test_a_block_says_what_its_file_says(kbuild):
    shown = kbuild("layers", "mlp").out
    assert "\nA multi-layer perceptron: Dense, normalization," in shown
    assert "example, 16 → 256:\n  - mlp: {units: [512, 256]," in shown
    assert "\nunits       required\n" in shown
    (found,) = json.loads(kbuild("layers", "mlp", "--json").out)
    assert found["example"].startswith("- mlp: ")


def test_it_fits_a_narrow_terminal(kbuild, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("Conv2D", "mlp", "MultiHeadAttention"):
        assert max(map(len, kbuild("layers", name).out.splitlines())) <= 80


def test_a_near_miss_of_an_operation(kbuild):
    assert "did you mean `ops.einsum`?" in kbuild("layers", "ops.einsun").err
