"""The schema of what is installed, made once, and how it is asked."""

import pytest

from kbuild.data.named import BUILT_IN, PUBLIC
from kbuild.spec.schema import schema
from kbuild.text.node import Node, plain
from kbuild.text.read import read
from kbuild.text.source import Source


@pytest.fixture(scope="session")
def made() -> dict:
    """The schema."""
    return schema((*BUILT_IN, *PUBLIC))


@pytest.fixture(scope="session")
def mistakes(made):
    """(text or tree of a spec) → [(path, message)]: what the schema finds wrong with it."""
    jsonschema = pytest.importorskip("jsonschema", reason="an extra of development")
    validator = jsonschema.Draft202012Validator(made)

    def found(spec: str | Node) -> list[tuple[tuple, str]]:
        node = read(Source("spec.yaml", spec)) if isinstance(spec, str) else spec
        return [place for error in validator.iter_errors(plain(node)) for place in places(error)]

    return found


def places(error) -> list[tuple[tuple, str]]:
    """Where a mistake stands: a key that may not be there at that key, not at the map around it."""
    path, said = tuple(error.absolute_path), error.message
    keys = error.instance if isinstance(error.instance, dict) and error.validator == "additionalProperties" else ()
    named = [key for key in keys if f"'{key}'" in said]
    return [((*path, key), said) for key in named] or [(path, said)]


@pytest.fixture(scope="session")
def chain(mistakes):
    """(an entry) → what the schema finds wrong with it, in a spec that is right but for it; paths inside the entry."""

    def found(entry: str, blocks: str = "") -> list[tuple[tuple, str]]:
        text = f"kbuild: 1\n{blocks}\nmodel:\n  inputs: {{x: {{shape: [8, 8, 3]}}}}\n  layers:\n    - {entry}\n"
        return [(path[3:], message) for path, message in mistakes(text)]

    return found
