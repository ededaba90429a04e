"""diff: golden documents of what it prints, and what a person can give it."""

import json
import re
from pathlib import Path

import pytest

from kbuild.spec.shipped import shipped_dir

DOCUMENTS = sorted((Path(__file__).parents[1] / "golden" / "diff").glob("*.md"))
TRIPLE = re.compile(r"```yaml\n(?P<a>.*?)```\n\n```yaml\n(?P<b>.*?)```\n\n```text\n(?P<said>.*?)```", re.DOTALL)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_document_is_what_diff_prints(path, kbuild, tmp_path, monkeypatch, request):
    document = path.read_text(encoding="utf-8")
    match = TRIPLE.search(document)
    assert match, "a document has two ```yaml blocks and a ```text block"
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Path(f"{name}.yaml").write_text(match[name], encoding="utf-8")
    done = kbuild("diff", "a.yaml", "b.yaml")
    assert (done.code, done.err) == (0, "")
    now = document[: match.start("said")] + done.out + document[match.end("said") :]
    if request.config.getoption("--update-golden"):
        path.write_text(now, encoding="utf-8")
    assert now == document


def test_a_setting_is_of_the_second(kbuild):
    done = kbuild("diff", "kbuild:digits_mlp", "kbuild:digits_mlp", "--set", "train.epochs=5")
    assert done.code == 0
    assert "the same architecture; train differ" in done.out
    assert re.search(r"epochs +40 → 5", done.out)


def test_json_says_the_same(kbuild):
    done = kbuild(
        "diff", "kbuild:digits_mlp", "kbuild:digits_mlp", "--set", "model.layers.digit.use_bias=false", "--json"
    )
    assert done.code == 0
    found = json.loads(done.out)
    assert (found["same"], found["same_architecture"]) == (False, False)
    (layer,) = found["layers"]
    assert (layer["change"], layer["after"], layer["count"]) == ("changed", "digit", [1, 1])
    assert layer["changes"] == [{"path": "use_bias", "before": True, "after": False}]
    assert layer["params"]["difference"] == -10
    assert layer["output_shape"] == [[10], [10]]
    assert found["totals"]["layers"] == {"before": 11, "after": 11, "difference": 0, "percent": 0.0}
    assert found["train"] == []


def test_quiet_leaves_out_what_was_asked(kbuild):
    assert (
        kbuild("diff", "kbuild:iris_4_8_16_8_3", "kbuild:iris_4_8_16_8_3", "--quiet").out
        == "no difference: both mean the same\n"
    )


def test_a_run_directory_is_its_spec(kbuild, tmp_path):
    run = tmp_path / "runs" / "digits_mlp-001"
    run.mkdir(parents=True)
    (run / "spec.yaml").write_text((shipped_dir() / "digits_mlp.yaml").read_text("utf-8"), "utf-8")
    assert "no difference" in kbuild("diff", run, "kbuild:digits_mlp").out
    assert "no difference" in kbuild("diff", "kbuild:digits_mlp", run / "spec.yaml").out


def test_a_spec_with_a_mistake_is_told_of(kbuild, tmp_path):
    (tmp_path / "a.yaml").write_text("kbuild: 1\nmodel: {inputs: {x: {shape: [4]}}, layers: [{Dens: 3}]}\n")
    done = kbuild("diff", "kbuild:digits_mlp", tmp_path / "a.yaml")
    assert (done.code, done.out) == (1, "")
    assert "error[K102]" in done.err
    assert kbuild("diff", "kbuild:digits_mlp").code == 2


def test_colours_are_for_a_terminal_alone(kbuild, monkeypatch):
    from kbuild.cli import diff

    arguments = ("diff", "kbuild:digits_cnn", "kbuild:digits_mlp")
    assert "\x1b" not in kbuild(*arguments).out
    monkeypatch.setattr(diff, "_colored", lambda: True)
    assert "\x1b[32m+\x1b[0m" in kbuild(*arguments).out
