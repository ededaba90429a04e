"""An application that was built once is known ever after, for its arguments and the shape of its input."""

import json
from pathlib import Path

import pytest

from kbuild.model.build import build
from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

SPEC = """
kbuild: 1
model:
  inputs: {{x: {{shape: [{size}, {size}, 3]}}}}
  layers:
    - {{MobileNetV2: {{include_top: false, weights: null, alpha: {alpha}}}, name: base{more}}}
    - {{GlobalAveragePooling2D: null, name: pool, from: {source}}}
    - {{Dense: 3, name: head}}
"""


def spec(size=32, alpha=0.35, more="", source="base"):
    return load(SPEC.format(size=size, alpha=alpha, more=more, source=source))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kbuild"


def test_is_known_after_it_was_built():
    before = check(spec())
    assert before.plan.step("base").shapes is None
    assert before.costs.total.trainable is None
    model = build(before.plan)
    after = check(spec())
    assert after.plan.step("base").shapes == ((1, 1, 1280),)
    assert after.plan.step("head").shapes == ((3,),)
    assert after.costs.total.params == model.count_params()
    assert after.costs.total.trainable == sum(w.shape.num_elements() for w in model.trainable_weights)


def test_another_size_or_argument_is_another():
    build(check(spec()).plan)
    assert check(spec(size=64)).plan.step("base").shapes is None
    assert check(spec(alpha=0.5)).plan.step("base").shapes is None


def test_weights_are_no_other_shape():
    build(check(spec()).plan)
    again = load(SPEC.format(size=32, alpha=0.35, more="", source="base").replace("weights: null", "weights: imagenet"))
    assert check(again).plan.step("base").shapes == ((1, 1, 1280),)


def test_layers_inside_are_known_too():
    more = ", outputs: {c: block_13_expand_relu}"
    plan = check(spec(more=more, source="base.c")).plan
    model = build(plan)
    assert check(spec(more=more, source="base.c")).plan.step("pool").shapes == (
        (model.get_layer("pool").output.shape[-1],),
    )
    with pytest.raises(SpecError) as error:
        check(spec(more=", outputs: {c: block_13_expand_rely}", source="base.c"))
    (problem,) = error.value.problems
    assert (problem.code, problem.help) == ("K206", "did you mean `block_13_expand_relu`?")


@pytest.mark.parametrize("trainable", ["false", "[block_16*, Conv_1*]", "true"])
def test_what_is_frozen_counts_as_in_keras(trainable):
    build(check(spec()).plan)
    frozen = spec(more=f", trainable: {trainable}")
    model = build(check(frozen).plan)
    total = check(frozen).costs.total
    assert total.trainable == sum(w.shape.num_elements() for w in model.trainable_weights)
    assert total.params == model.count_params()


def test_a_broken_file_is_as_none(cache):
    build(check(spec()).plan)
    (path,) = cache.glob("applications-*/*.json")
    path.write_text(json.dumps({"shape": [1], "parts": {"a": 3}}))
    from kbuild.plan import applications

    applications._read.cache_clear()
    assert check(spec()).plan.step("base").shapes is None


BEHIND = """
kbuild: 1
data: {source: digits, preprocess: [{Resizing: {height: 32, width: 32}}, {name: grey, Identity: null}, {Concatenate: null, from: [grey, grey, grey]}]}
model:
  - {MobileNetV2: {include_top: false, weights: null, alpha: 0.35}, name: base}
  - residual: 16
  - GlobalAveragePooling2D
  - Dense: {units: 10, activation: softmax}
train: {epochs: 1}
"""


def test_what_stands_behind_it_may_ask_for_its_shape(tmp_path, monkeypatch):
    from kbuild.cli.check import checked

    with pytest.raises(SpecError) as error:
        check(load(BEHIND))
    assert {problem.code for problem in error.value.problems} == {"K124"}
    found, measured = checked(load(BEHIND), build=True, backend=None)
    assert found.costs.total.params == measured.total
    assert check(load(BEHIND)).costs.total.params == measured.total


def test_a_fit_builds_it_first(tmp_path):
    from kbuild.train.fit import prepared

    with prepared(load(BEHIND), None) as job:
        assert job.plan.step("base").shapes == ((1, 1, 1280),)


def test_python_builds_it_first(tmp_path):
    import kbuild

    assert kbuild.build(load(BEHIND)).get_layer("base").output.shape == (None, 1, 1, 1280)
