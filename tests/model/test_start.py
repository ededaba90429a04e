"""Start weights: by layer name, for a whole network and for one entry, with a word on all that did not match."""

import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from kbuild.model.build import build
from kbuild.model.start import start
from kbuild.plan.expand import expand
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

NET = """
kbuild: 1
{top}
blocks:
  frame: {{params: {{units: 4}}, layers: [{{Dense: $units}}, {{Dense: 3, name: last}}]}}
model:
  inputs: {{x: {{shape: [6, 4]}}}}
  layers:
    - {{TimeDistributed: {{layer: {{frame: 4}}}}, name: each}}
    - {{Bidirectional: {{GRU: {{units: 3, return_sequences: true}}}}, name: both}}
    - {{self_attention: 2, name: attended{entry}}}
    - ScheduledDropout: {{rate: 0.5, steps: 10}}
    - BatchNormalization
    - Flatten
    - {{Dense: {units}, name: {head}}}
"""


def net(top="", entry="", units=2, head="head", **options):
    spec = load(NET.format(top=top, entry=entry, units=units, head=head), **options)
    return spec, expand(spec)


def arrays(model) -> dict[str, list[np.ndarray]]:
    return {
        layer.name: [keras.ops.convert_to_numpy(w) for w in layer.weights] for layer in model.layers if layer.weights
    }


def same(one, other) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trained network and the folder of its files."""
    folder = tmp_path_factory.mktemp("base")
    model = build(net()[1])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(16, 6, 4)).astype("float32")
    model.fit(x, np.ones((16, 2)), epochs=2, batch_size=16, verbose=0)
    model.save(folder / "base.keras")
    model.save_weights(folder / "base.weights.h5")
    return model, folder


@pytest.fixture
def base(trained, monkeypatch):
    """That network; the current folder is that of its files."""
    monkeypatch.chdir(trained[1])
    return trained[0]


def begun(**options):
    spec, plan = net(**options)
    model = build(plan)
    fresh = arrays(model)
    (taken,) = start(model, plan, spec)
    return fresh, arrays(model), taken


@pytest.mark.parametrize("path", ["base.keras", "base.weights.h5"])
def test_a_network_starts_from_every_layer_of_its_like(base, path):
    _, found, taken = begun(top=f"weights: {path}")
    dropout = "scheduled_dropout"
    wanted = arrays(base)
    assert {name for name in found if not same(found[name], wanted[name])} == {dropout}
    # how far a dropout has come belongs to the run that counted it
    assert (wanted[dropout][0], found[dropout][0]) == (2, 0)
    assert str(taken) == f"weights: 6 of 6 layers from {path}"
    assert taken.as_json()["layers"] == 6


def test_what_did_not_match_stays_as_it_is_and_is_told(base):
    fresh, found, taken = begun(top="weights: base.keras", units=3)
    assert same(found["head"], fresh["head"])
    assert same(found["each"], arrays(base)["each"])
    assert str(taken) == "weights: 5 of 6 layers from base.keras; other there: `head` (36, 2) for (36, 3)"
    taken = begun(top="weights: base.keras", head="top")[2]
    assert str(taken) == "weights: 5 of 6 layers from base.keras; not in the file: `top`"
    assert taken.as_json()["missing"] == ["top"]


def test_an_entry_starts_alone_and_goes_before_the_whole(base):
    attention = base.get_layer("attended-multi_head_attention")
    before = attention.get_weights()
    attention.set_weights([weight * 0 for weight in before])
    base.save("zeros.keras")
    attention.set_weights(before)
    fresh, found, taken = begun(entry=", weights: zeros.keras")
    changed = {name for name in found if not same(found[name], fresh[name])}
    assert changed == {"attended-multi_head_attention", "attended-layer_normalization"}
    assert str(taken) == "weights: 2 of 2 layers from zeros.keras"
    spec, plan = net(top="weights: base.keras", entry=", weights: zeros.keras")
    model = build(plan)
    both = start(model, plan, spec)
    assert [len(one.layers) for one in both] == [4, 2]
    assert all((w == 0).all() for w in arrays(model)["attended-multi_head_attention"])


def test_a_layer_of_an_entry_may_have_its_name_within_the_entry(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = keras.Input((4,))
    keras.Model(x, keras.layers.Dense(3, name="one")(x)).save("part.keras")
    chain = "{chain: [{Dense: 3, name: one}, {Dense: 4}], name: left, repeat: 2, weights: part.keras}"
    spec = load(f"kbuild: 1\nmodel:\n  inputs: {{x: {{shape: [4]}}}}\n  layers: [{chain}, {{Dense: 2, name: one}}]\n")
    plan = expand(spec)
    model = build(plan)
    (taken,) = start(model, plan, spec)
    assert taken.layers == ("left-0-one", "left-1-one")
    assert taken.missing == ("left-0-dense", "left-1-dense")


def test_an_application_starts_from_a_file_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"weights": None, "input_shape": (32, 32, 3), "alpha": 0.35}
    alone = keras.applications.MobileNetV2(include_top=True, classes=7, **options)
    alone.save_weights("alone.weights.h5")
    text = """
kbuild: 1
model:
  inputs: {x: {shape: [32, 32, 3]}}
  layers:
    - {MobileNetV2: {include_top: true, classes: 5, weights: null, alpha: 0.35}, name: net, weights: alone.weights.h5}
"""
    spec = load(text)
    plan = expand(spec)
    model = build(plan)
    (taken,) = start(model, plan, spec)
    assert len(taken.layers) == len([layer for layer in alone.layers if layer.weights]) - 1
    assert taken.differing == {"net/predictions": "(1280, 7) for (1280, 5)"}
    inner = model.get_layer("net")
    assert same(inner.get_layer("block_16_expand").get_weights(), alone.get_layer("block_16_expand").get_weights())


def test_preprocessing_keeps_what_it_learned_from_its_own_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "kbuild: 1\ndata: {source: iris, preprocess: [Normalization]}\nmodel:\n  inputs: {x: {shape: [4]}}\n  layers: [{Dense: 3}]\n"
    plan = expand(load(text))
    model = build(plan)
    model.get_layer("preprocess-normalization").adapt(np.full((8, 4), 9.0))
    model.save("base.keras")
    spec = load(text + "weights: base.keras\n")
    again = build(expand(spec))
    (taken,) = start(again, plan, spec)
    assert taken.layers == ("dense",)
    assert float(again.get_layer("preprocess-normalization").adapt_mean[0]) == 0


def test_nothing_that_matches_is_an_error_that_tells_both_sides(base):
    other = load(
        "kbuild: 1\nweights: base.keras\nmodel:\n  inputs: {x: {shape: [4]}}\n  layers: [{Dense: 3, name: mine}]\n"
    )
    with pytest.raises(SpecError) as caught:
        start(build(expand(other)), expand(other), other)
    (problem,) = caught.value.problems
    assert problem.code == "K225"
    assert problem.message.startswith("no layer in `") and problem.message.endswith("has the name of one here")
    assert problem.help.endswith("the network has `mine`")
    assert "`attended-multi_head_attention`" in problem.help
    assert problem.span.line == 2
    shapes = load(
        "kbuild: 1\nweights: base.keras\nmodel:\n  inputs: {x: {shape: [4]}}\n  layers: [{Dense: 3, name: head}]\n"
    )
    with pytest.raises(SpecError, match=r"no layer in `.*` fits: `head` \(36, 2\) for \(4, 3\)"):
        start(build(expand(shapes)), expand(shapes), shapes)


def test_a_file_that_cannot_be_read_is_a_problem_where_it_is_named(base):
    with zipfile.ZipFile("torn.keras", "w") as made:
        made.writestr("model.weights.h5", Path("base.weights.h5").read_bytes()[:3000])
    spec, plan = net(top="weights: torn.keras")
    with pytest.raises(SpecError) as caught:
        start(build(plan), plan, spec)
    assert [(p.code, p.span.line) for p in caught.value.problems] == [("K116", 3)]


def test_a_network_that_goes_on_reads_nothing(base):
    spec, plan = net(top="weights: gone.keras")
    assert start(build(plan), plan, replace(spec, started=True)) == ()
