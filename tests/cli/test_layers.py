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
