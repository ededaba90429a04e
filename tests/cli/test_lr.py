"""lr: what the command prints, and how it ends."""

import json
from pathlib import Path

import pytest

SPEC = """kbuild: 1
name: tiny
data: {source: iris, batch_size: 16, preprocess: [Normalization]}
model: [{Dense: {units: 16, activation: relu}}, {Dense: {units: 3, activation: softmax}}]
train: {optimizer: adam, schedule: {cosine: {to: 1e-4}}}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(SPEC)
    return tmp_path


def test_what_is_printed_can_be_given_to_fit(kbuild, place):
    done = kbuild("lr", "tiny.yaml", "--steps", 60, "--from", 1e-5)
    assert (done.code, done.err) == (0, "")
    lines = done.out.split("\n")
    assert "60 steps, the rate from 1e-05 to 10" in lines
    said = json.loads(Path("runs/tiny-lr-001/lr.json").read_text())
    assert f"next: --set {said['set']}" in lines
    assert any(line.startswith(f"suggestion: {said['suggestion']:g}, a tenth of ") for line in lines)
    assert any("▲" in line and line.endswith(f"{said['suggestion']:g}") for line in lines)
    assert f"done after {said['steps']} steps: runs/tiny-lr-001" in lines

    quiet = kbuild("lr", "tiny.yaml", "--steps", 60, "--from", 1e-5, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, f"{said['set']}\n", "")  # the same once more: it repeats
    checked = kbuild("check", "tiny.yaml", "--set", quiet.out.strip())
    assert (checked.code, checked.err) == (0, "")

    as_json = json.loads(kbuild("lr", "tiny.yaml", "--steps", 60, "--from", 1e-5, "--json", "--out", "here").out)
    assert as_json.pop("path") == "here"
    assert as_json == {key: said[key] for key in as_json}
    assert sorted(as_json) == ["lowest", "set", "status", "steepest", "steps", "suggestion", "why"]


def test_nothing_to_suggest_is_no_success(kbuild, place):
    done = kbuild("lr", "tiny.yaml", "--steps", 30, "--to", 1e-6)
    assert done.code == 4
    assert done.err.startswith("error[K515]: no rate can be suggested: the loss hardly falls at any rate\n")
    assert Path("runs/tiny-lr-001/lr.png").exists()
    as_json = kbuild("lr", "tiny.yaml", "--steps", 30, "--to", 1e-6, "--json")
    assert (as_json.code, as_json.err, json.loads(as_json.out)["suggestion"]) == (4, "", None)


@pytest.mark.parametrize(("options", "code", "said"), [
    (["--from", "1", "--to", "0.1"], 1, "error[K105]: the rates must grow from above 0, not from 1 to 0.1"),
    (["--steps", "3"], 1, "error[K105]: a range test of 3 steps shows no curve"),
    (["--set", "model=[Flatten, Dens]"], 1, "error[K102]"),
    (["--out", "tiny.yaml"], 5, "error[K601]: `tiny.yaml` is a file"),
    (["--from", "small"], 2, "Invalid value for '--from'"),
])  # fmt: skip
def test_what_cannot_be_is_told_before_keras_is_needed(kbuild, place, options, code, said):
    done = kbuild("lr", "tiny.yaml", *options)
    assert done.code == code
    assert said in done.err
    assert not Path("runs").exists()
