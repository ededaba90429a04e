"""fit holds a spec against all that check knows, the rules included, before the first batch."""

import pytest

import kbuild
from kbuild.text.problem import SpecError

HEAD = "kbuild: 1\ndata: {source: iris, split: {validation: 0.2}}\n"


def refused(text, tmp_path):
    with pytest.raises(SpecError) as error:
        kbuild.fit(kbuild.load(text), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    return {problem.code for problem in error.value.problems if problem.severity == "error"}


def test_a_rule_that_is_an_error_stops_it(tmp_path):
    text = HEAD + "model: [{Dense: {units: 1, activation: softmax}}]\ntrain: {loss: mse}\n"
    assert "K333" in refused(text, tmp_path)


def test_what_only_the_build_tells_is_held_against_the_data(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = """
kbuild: 1
data: {source: digits, preprocess: [{Resizing: {height: 32, width: 32}}, {name: grey, Identity: null}, {Concatenate: null, from: [grey, grey, grey]}]}
model:
  - MobileNetV2: {include_top: true, weights: null, alpha: 0.35, classes: 9}
"""
    assert refused(text, tmp_path) == {"K220"}
