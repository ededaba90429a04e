"""What README shows is true: its spec checks, its mistake is printed as it stands there, its verbs are all there are."""

import re
import shlex
from pathlib import Path

import pytest

import kbuild
from kbuild.cli.main import main
from kbuild.plan.check import check
from kbuild.plan.space import space

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def fenced(language: str) -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for kind, text in blocks if kind == language]


def test_the_spec_is_fine():
    spec = kbuild.load(fenced("yaml")[0])
    assert [problem for problem in kbuild.check(spec) if problem.severity != "hint"] == []
    plan = kbuild.plan(spec)
    assert [plan.shape(ref) for ref in plan.outputs.values()] == [(10,)]


def test_the_search_has_the_holes_that_are_shown():
    _, text = fenced("yaml")
    spec = kbuild.load(f"kbuild: 1\ndata: {{source: digits}}\n{text}")
    found = check(spec)
    assert [problem for problem in found.problems if problem.severity != "hint"] == []
    units = [f"model.layers.chain-{number}.dense.units" for number in range(3)]
    assert {dim.path for dim in space(found.spec, found.header).dims} == {"vars.depth", "vars.norm", *units}


def test_the_mistake_is_printed_as_it_stands_there(capsys, monkeypatch):
    screen = next(text for text in fenced("") if text.startswith("$ kbuild check"))
    command, _, printed = screen.partition("\n")
    monkeypatch.chdir(Path(__file__).parents[1])
    with pytest.raises(SystemExit, match="1"):
        main(shlex.split(command.removeprefix("$ kbuild ")))
    assert capsys.readouterr().err == printed


def test_it_names_every_verb_and_no_other(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    listed = capsys.readouterr().out.partition("Commands:\n")[2].strip().split("\n")
    assert set(re.findall(r"`kbuild ([a-z]+)", README)) == {line.split()[0] for line in listed}


def test_the_python_example_uses_what_there_is():
    (code,) = fenced("python")
    compile(code, "README.md", "exec")
    assert set(re.findall(r"kbuild\.([a-z]+)\(", code)) <= set(kbuild.__all__)


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)", README)
    assert links
    assert [link for link in links if not (Path(__file__).parents[1] / link).exists()] == []
