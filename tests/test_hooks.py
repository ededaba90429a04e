"""The pre-commit hook that this repository offers: it is well-formed, picks specs, and runs."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from kbuild.cli.main import main

ROOT = Path(__file__).parents[1]


@pytest.fixture
def hook() -> dict:
    (found,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    return found


def test_it_says_what_pre_commit_asks_for(hook):
    assert {"id", "name", "entry", "language"} <= set(hook)
    assert (hook["id"], hook["language"]) == ("kbuild-check", "python")
    assert "id: kbuild-check" in (ROOT / "specs/README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "picked"),
    [
        ("specs/digits_mlp.yaml", True),
        ("experiments/specs/a.json", True),
        ("specs/kbuild.schema.json", False),
        ("specs/data/labels.json", False),
        (".github/workflows/ci.yaml", False),
        ("mkdocs.yaml", False),
    ],
)
def test_it_picks_specs(hook, name, picked):
    assert bool(re.search(hook["files"], name) and not re.search(hook["exclude"], name)) == picked


def test_its_entry_runs_on_several_files(hook, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(ROOT)
    program, *arguments = shlex.split(hook["entry"])
    assert program == "kbuild"
    with pytest.raises(SystemExit) as end:
        main([*arguments, "specs/digits_mlp.yaml", "specs/xor_mlp.yaml"])
    assert (end.value.code or 0, capsys.readouterr().out) == (0, "")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("kbuild: 1\nmodel: [Dens]\n")
    with pytest.raises(SystemExit, match="1"):
        main([*arguments, "specs/digits_mlp.yaml", str(wrong)])
    assert "error[K102]" in capsys.readouterr().err
