"""Random calls: the schema takes those that `call` takes, and refuses those that it refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbuild.spec.calls import Context, call, families
from kbuild.spec.schema.calls import MERGED
from kbuild.spec.signature import Signature, names, signature
from kbuild.text.node import Scalar
from kbuild.text.node import node as tree
from kbuild.text.problem import SpecError

SPACES = (
    "layers",
    "optimizers",
    "schedules",
    "losses",
    "metrics",
    "callbacks",
    "initializers",
    "regularizers",
    "constraints",
)
FOUND = [known for space in SPACES for name in names(space) if (known := signature(space, name)) is not None]
VALUES = [
    None, True, False, 0, 1, 2, -1, 0.5, 1.5, -0.5, 10**6, "", "relu", "he_normal", "l2", "same", "float32", "no_such_word",
    "$width", "${width // 2}", "$$5", [], [1, 2], [0], ["relu"], {"L2": 0.1}, {"L2": {"l3": 1}}, {"HeNormal": None},
    {"Dense": 3}, {"Dense": {"units": 0}}, {"Dens": 3}, {"LSTM": {"units": 4, "return_state": True}}, {"a": 1},
    {"class_name": "Dense"}, {"CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 10}}, {"a": 1, "B": [2]},
]  # fmt: skip


@st.composite
def calls(draw) -> tuple[Signature, object]:
    """A call and what stands after its name: nothing, a lone value, or arguments, one of them misspelt now and then."""
    found = draw(st.sampled_from(FOUND))
    form = draw(st.sampled_from(["nothing", "lone", "named", "named", "named", "misspelt"]))
    if form == "nothing":
        return found, None
    if form == "lone":
        return found, draw(st.sampled_from(VALUES))
    words = [p.name for p in found.parameters]
    chosen = {p.name for p in found.parameters if p.required and draw(st.integers(0, 9))}
    chosen |= set(draw(st.lists(st.sampled_from(words), max_size=2))) if words else set()
    given = {name: draw(st.sampled_from(VALUES)) for name in sorted(chosen)}
    return found, {**given, "no_such_argument": 1} if form == "misspelt" else given


def taken(found: Signature, argument: object) -> bool:
    """Whether `check` takes the call, as far as it shows where it stands."""
    node = None if argument is None else tree(argument)
    try:
        call(Scalar(found.name, tree(None).span), node, (found.namespace,), Context())
    except SpecError as error:
        # what a call needs may stand in the spec below
        return all(p.code == "K104" and found.namespace in MERGED for p in error.problems)
    return True


def plain_layer(found: Signature, argument: object) -> bool:
    """Whether something else stands where Keras takes a layer, which shows when the network is expanded."""
    given = {*(argument if isinstance(argument, dict) else ()), *(p.name for p in found.parameters[:1])}
    return any(families(key) == ("layers",) and not key.endswith("activation") for key in given)


@pytest.fixture(scope="module")
def valid(made):
    """(signature, what stands after its name) → whether the schema takes it."""
    jsonschema = pytest.importorskip("jsonschema", reason="an extra of development")
    validators = {
        space: jsonschema.Draft202012Validator({"$ref": f"#/$defs/calls.{space}", "$defs": made["$defs"]})
        for space in SPACES
    }
    return lambda found, argument: validators[found.namespace].is_valid({found.name: argument})


def test_the_schema_agrees_with_check(valid, examples):
    @settings(max_examples=examples * 50, derandomize=True, database=None, deadline=None)
    @given(calls())
    def agree(made):
        found, argument = made
        if not plain_layer(found, argument):
            assert valid(found, argument) == taken(found, argument)

    agree()
