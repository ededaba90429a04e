"""Every call's example passes `check`, written into a spec by hand, and comes out as it says."""

import pytest

from kbuild.plan.check import check
from kbuild.plan.example import block_example, example
from kbuild.spec.allow import may_stand
from kbuild.spec.block import library
from kbuild.spec.load import load
from kbuild.spec.signature import NAMESPACES, names, signature

FOUND = {
    f"{space}.{name}": known
    for space in NAMESPACES
    for name in names(space)
    if (known := signature(space, name)) is not None and may_stand(known)
}
# MultiOptimizer takes variables, which a spec does not have
EXAMPLES = [key for key in FOUND if not key.startswith("ops.") and key != "optimizers.MultiOptimizer"]


def passes(shown) -> tuple | None:
    """The output's shape of an example in a spec of its own."""
    dtype = "int32" if "Embedding: {" in shown.text or "CategoryEncoding" in shown.text else "float32"
    inputs = ", ".join(f"{n}: {{shape: {list(shape)}, dtype: {dtype}}}" for n, shape in shown.inputs.items())
    if not shown.text.startswith("- "):
        activations = ("linear", "softmax", "sigmoid")
        text = f"kbuild: 1\n{shown.text}\nmodel: {{inputs: {{x: {{shape: [4]}}}}, layers: [{{Dense: {{units: 4, activation: ACT}}}}]}}\n"
        assert any(fine(text.replace("ACT", name)) for name in activations)
        return None
    chain = "\n".join(f"    {line}" for line in shown.text.splitlines())
    plan = check(load(f"kbuild: 1\nmodel:\n  inputs: {{{inputs}}}\n  layers:\n{chain}\n")).plan
    return plan.shape(next(iter(plan.outputs.values())))


def fine(text: str) -> bool:
    from kbuild.text.problem import SpecError

    try:
        check(load(text))
    except SpecError:
        return False
    return True


@pytest.mark.parametrize("key", EXAMPLES)
def test_an_example_passes(key):
    shown = example(FOUND[key])
    assert shown is not None
    assert FOUND[key].name.lower().replace("_", "") in shown.text.lower().replace("_", "")
    assert passes(shown) == shown.output


def test_most_operations_have_one(examples):
    found = {key: example(FOUND[key]) for key in FOUND if key.startswith("ops.")}
    shown = {key: made for key, made in found.items() if made is not None}
    assert len(shown) > 200
    assert all(f"ops.{FOUND[key].name}" in made.text and made.output is not None for key, made in shown.items())
    for made in list(shown.values())[:: 1 if examples > 100 else 10]:
        assert passes(made) == made.output


@pytest.mark.parametrize("name", library())
def test_a_block_has_one(name):
    shown = block_example(library()[name])
    assert shown is not None
    assert passes(shown) == shown.output


def test_what_is_refused_has_none():
    for space, name in [
        ("layers", "Lambda"),
        ("layers", "Layer"),
        ("layers", "Input"),
        ("callbacks", "ModelCheckpoint"),
    ]:
        known = signature(space, name)
        assert known is not None
        assert example(known) is None


@pytest.mark.parametrize(
    ("space", "name", "text", "inputs", "output"),
    [
        ("layers", "Dense", "- Dense: 8", {"x": (16,)}, (8,)),
        ("layers", "Conv2D", "- Conv2D: {filters: 8, kernel_size: 3}", {"x": (8, 8, 3)}, (6, 6, 8)),
        ("layers", "Flatten", "- Flatten", {"x": (10, 4)}, (40,)),
        ("layers", "Concatenate", "- {Concatenate: null, from: [a, b]}", {"a": (16,), "b": (16,)}, (32,)),
        ("layers", "LSTMCell", "- RNN: {cell: {LSTMCell: 8}}", {"x": (10, 4)}, (8,)),
        ("layers", "Embedding", "- Embedding: {input_dim: 1000, output_dim: 16}", {"x": (10,)}, (10, 16)),
        ("ops", "einsum", '- {ops.einsum: "bi,bj->bij", from: [a, b]}', {"a": (16,), "b": (16,)}, (16, 16)),
        ("activations", "relu", "- Dense: {units: 8, activation: relu}", {"x": (16,)}, (8,)),
        ("initializers", "HeNormal", "- Dense: {units: 8, kernel_initializer: he_normal}", {"x": (16,)}, (8,)),
        ("regularizers", "L2", "- Dense: {units: 8, kernel_regularizer: {L2: 0.01}}", {"x": (16,)}, (8,)),
        ("optimizers", "Adam", "train:\n  optimizer: {Adam: 0.001}", {}, None),
        ("metrics", "MeanIoU", "train:\n  metrics: [{MeanIoU: 10}]", {}, None),
        ("oracles", "RandomSearch", "tune:\n  oracle: {RandomSearch: {max_trials: 30}}", {}, None),
    ],
)
def test_examples_as_they_are_shown(space, name, text, inputs, output):
    known = signature(space, name)
    assert known is not None
    shown = example(known)
    assert shown is not None
    assert (shown.text, shown.inputs, shown.output) == (text, inputs, output)
