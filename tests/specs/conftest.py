"""What the tests of blocks, specs and reference share: a spec from its text, down to the plan or the model."""

import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def spec_of(tmp_path):
    """Text of a spec → Spec, its file in a folder of its own."""
    from kbuild.spec.load import load

    def spec(text: str, **options):
        path = tmp_path / "spec.yaml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return load(path, **options)

    return spec


@pytest.fixture
def plan_of(spec_of):
    """Text of a spec → Plan."""
    from kbuild.plan.check import check

    return lambda text: check(spec_of(text)).plan


@pytest.fixture
def model_of(plan_of):
    """Text of a spec → keras.Model."""
    from kbuild.model.build import build

    return lambda text: build(plan_of(text))
