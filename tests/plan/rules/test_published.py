"""Rules are worth hearing: on networks that were published, and on those that kbuild ships, they hint at most."""

from pathlib import Path

import pytest

from kbuild.plan.check import check
from kbuild.plan.cost import costs
from kbuild.plan.rules import Net, lint
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

HERE = Path(__file__).parent
PUBLISHED = sorted((HERE / "published").glob("*.yaml"))
SHIPPED = sorted((HERE.parents[2] / "specs").rglob("*.yaml"))


def name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", PUBLISHED, ids=name)
def test_a_published_network_gets_hints_at_most(path):
    assert [(p.code, p.message) for p in check(load(path)).problems if p.severity != "hint"] == []


@pytest.mark.parametrize("path", SHIPPED, ids=name)
def test_a_shipped_spec_gets_hints_at_most(path):
    found = [p for p in check(load(path)).problems if p.code.startswith("K3")]
    assert [(p.code, p.message) for p in found if p.severity != "hint"] == []


@pytest.mark.parametrize(
    ("network", "what", "instead", "code"),
    [
        ("vgg16", ", activation: relu", "", "K310"),
        ("lenet5", ", activation: tanh", "", "K310"),
        ("unet", ", activation: relu", "", "K310"),
        ("mobilenet_v2", "      - ReLU: 6\n      - Conv2D", "      - Conv2D", None),
        ("mobilenet_v2", "    - ReLU: 6\n    - inverted: {filters: 16", "    - Conv2D: {filters: 64, kernel_size: 3}\n    - inverted: {filters: 16", "K310"),
        ("lenet_sigmoid", "    - Dense: 10", "    - {Dense: {units: 10, activation: sigmoid}, repeat: 5}\n    - Dense: 10", "K311"),
        ("lenet5", "    - Dense: {units: 10, activation: softmax}", "    - Dense: {units: 10, activation: softmax}\n    - Dropout: 0.5", "K315"),
        ("wide_resnet", "Dropout: 0.3", "Dropout: 0.95", "K316"),
        ("fixup", "activation: relu", "activation: relu, kernel_initializer: zeros", "K325"),
        ("lenet5", "activation: tanh}\n    - Dense", "activation: softmax}\n    - Dense", "K326"),
        ("network_in_network", "activation: relu}\n    - Global", "activation: softmax}\n    - Global", None),
        ("gru_seq2seq", "activation: softmax}", "activation: softmax}\n    - Softmax", "K327"),
    ],
)  # fmt: skip
def test_a_published_network_that_was_broken_does_not_pass(network, what, instead, code):
    text = (HERE / "published" / f"{network}.yaml").read_text()
    assert what in text
    try:
        problems = check(load(text.replace(what, instead))).problems
    except SpecError as error:
        problems = error.problems
    assert {p.code for p in problems if p.severity != "hint"} == ({code} if code else set())


def grave(application: str) -> list[tuple[str, str]]:
    """What is not a hint of a network of `keras.applications`."""
    import keras

    from kbuild.model.read import read

    keras.backend.clear_session()
    plan = read(getattr(keras.applications, application)(weights=None))
    return [(p.code, p.message) for p in lint(Net(plan, costs(plan))) if p.severity != "hint"]


@pytest.mark.parametrize("application", ["MobileNetV2", "EfficientNetB0"])
def test_a_few_applications_get_hints_at_most(application):
    assert grave(application) == []


@pytest.mark.full
def test_every_application_gets_hints_at_most():
    import keras

    names = [each for each in dir(keras.applications) if each[0].isupper()]
    assert len(names) >= 40
    assert {each: found for each in names if (found := grave(each))} == {}
